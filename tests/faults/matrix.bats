# matrix.bats - faults of the file `matrix` that no other suite has: want of descriptors and memory, interrupted calls, odd surroundings.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load ../helper
	load ../recv
	cd "$BATS_TEST_TMPDIR" || return
	to=ack:ipc://$PWD/socket
	receiver='' children=''
}

teardown() {
	local pid
	exec 8>&-
	for pid in $receiver $children; do kill -9 "$pid" 2>/dev/null || true; done
}

lines() { seq -f '{"type":"n","payload":"%010.0f"}' "$1" "$2"; }
in_spool() { metlog-spool cat "$1" 2>/dev/null || true; }
holds() { [ "$(in_spool "$1" | wc -l)" -eq "$2" ]; }
keeps() { receive --from "$to" --spool kept "$@" 8>&-; }
# in_background COMMAND...: its input is the file or fifo $input.
in_background() { "$@" <"${input-/dev/null}" 2>background.err 3>&- 8>&- & children+=" $!"; child=$!; }

# spared MOST COMMAND...: runs it with so many descriptors at most.
spared() { separately timeout 120 prlimit --nofile="$1" "${@:2}"; }

@test "each row of the matrix names suites and tests that there are" {
	broken=$(grep -v '^#' "$SOURCE/tests/faults/matrix" | while IFS='|' read -r fault tool promise rest; do
		[ -n "$promise" ] && [ -n "$rest" ] || { echo "$fault|$tool: not four columns"; continue; }
		sed -E 's/; ([a-z/_-]+\.(bats|c): )/\n\1/g; s/^ //' <<<"$rest" | while IFS= read -r one; do
			suite=${one%%:*} name=${one#*: }
			case $suite in
			*.c) grep -qF "CASE($name)" "$SOURCE/tests/$suite" || echo "$fault|$tool: $suite has no case $name" ;;
			*) grep -qF "@test \"$name\"" "$SOURCE/tests/$suite" || echo "$fault|$tool: $suite has no test $name" ;;
			esac
		done
	done)
	[ -z "$broken" ] || fail "$broken"
}

@test "without descriptors a writer, a drain and a route say so, end, and lose nothing that was accepted" {
	need prlimit
	sanitized && skip "a sanitizer build has descriptors of its own"
	lines 1 100 >in
	for most in 7 8 9 10 11 12 14; do
		rm -rf s
		spared "$most" metlog-spool write s in
		case $status in 0) holds s 100 ;; 127) continue ;; 71 | 73 | 74) expect_in "$err" 'Too many open files' ;; *) fail "$most: $status" ;; esac
		rm -rf r
		spared "$most" metlog-route -d spool:r in
		case $status in 0) holds r 100 ;; 127) continue ;; 71 | 73 | 74) expect_in "$err" 'Too many open files' ;; *) fail "route, $most: $status" ;; esac
	done
	metlog-spool write s in
	metlog-spool cat s >all
	for most in 9 11 13 15 17 19; do
		spared "$most" metlog-spool drain --once --attempts 1 s -- cat
		[ "$status" -ne 0 ] || break
		case $status in 127) continue ;; 71 | 73 | 74 | 75) expect_in "$err" 'Too many open files' ;; *) fail "$most: $status" ;; esac
		in_spool s | cmp - all
	done
	separately metlog-spool drain --once s -- cat
	expect_status 0
}

@test "a receiver whose descriptors other peers have used up keeps the ones it has, and stores again when they are gone" {
	need prlimit python3
	sanitized && skip "a sanitizer build has descriptors of its own"
	prlimit --nofile=40 metlog-recv --from 'ack:tcp://127.0.0.1:*' --spool kept --segment-bytes 1000 --ready where >got 2>err 3>&- &
	receiver=$!
	await 10 ready_or_gone
	mkfifo in
	input=in in_background metlog-send --json --as-is --to "$(cat where)" --timeout 60s
	exec 8>in
	lines 1 40 >&8
	await 10 holds kept 40
	# It closes them once there is the file `enough`.
	python3 - "$(port ack:tcp)" <<-'P' 3>&- 8>&- &
		import os, socket, sys, time
		peers = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(60)]
		while not os.path.exists("enough"): time.sleep(0.02)
	P
	children+=" $!"
	used_up() { [ "$(find "/proc/$receiver/fd" -mindepth 1 | wc -l)" -ge 38 ]; }
	await 10 used_up
	lines 41 100 >&8
	await 10 grep -q 'Too many open files' err
	touch enough
	await 20 holds kept 100
	exec 8>&-
	wait "$child"
	stop
}

@test "whichever allocation fails, nothing is lost: 70, a retry, or no harm, but no good segment is taken for a damaged one" {
	need cc
	sanitized && skip "a sanitizer build has an allocator of its own"
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "valgrind has an allocator of its own"
	cc -shared -fPIC -O1 -o nth.so "$SOURCE/tests/faults/nth_malloc.c"
	without() { separately timeout 120 env LD_PRELOAD="$PWD/nth.so" FAIL_NTH="$1" "${@:2}"; }
	lines 1 100 >in
	for nth in {1..16}; do
		rm -rf s
		without "$nth" metlog-spool write s --stats books in
		case $status in 0 | 70) ;; *) expect_status 70 ;; esac
		in_spool s >found
		head -n "$(wc -l <found)" in | cmp - found
		[ "$status" -ne 0 ] || cmp in found
		rm -rf s
		metlog-spool write s in
		without "$nth" metlog-spool drain --once --attempts 3 --backoff-max 10ms s -- env -u LD_PRELOAD sh -c 'cat >delivering && mv delivering delivered'
		case $status in 0) cmp in delivered ;; 70 | 75) in_spool s | cmp - in ;; *) expect_status 70 ;; esac
		[ -z "$(find s/quarantine -type f 2>/dev/null)" ] || fail "allocation $nth: in quarantine: $(cat "$err")"
	done
}

@test "the same of a sender with a spool, and of a receiver" {
	need cc
	sanitized && skip "a sanitizer build has an allocator of its own"
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "valgrind has an allocator of its own"
	cc -shared -fPIC -O1 -o nth.so "$SOURCE/tests/faults/nth_malloc.c"
	lines 1 100 >in
	keeps
	# Each of them: how many there are before one that matters is another number in every release.
	for nth in {1..60}; do
		rm -rf s
		separately timeout 90 env LD_PRELOAD="$PWD/nth.so" FAIL_NTH="$nth" metlog-send --json --as-is --to "$to" --timeout 30s --spool s in
		case $status in 0) holds s 0 ;; 70 | 74) ;; *) expect_status 70 ;; esac
	done
	in_spool kept | sort -u | cmp - in
	stop
	for nth in {1..40}; do
		rm -rf kept where
		LD_PRELOAD=$PWD/nth.so FAIL_NTH=$nth metlog-recv --from "$to" --spool kept --ready where >got 2>err 3>&- &
		receiver=$!
		await 10 ready_or_gone
		status=70
		[ ! -e where ] || separately metlog-send --json --as-is --to "$to" --timeout 300ms in
		[ "$status" -ne 0 ] || in_spool kept | cmp - in
		kill "$receiver" 2>/dev/null || true
		code=0
		wait "$receiver" || code=$?
		receiver=
		case $code in 0 | 70 | 74) ;; *) fail "allocation $nth: $code: $(cat err)" ;; esac
	done
}

@test "a sender with a spool whose far side stays away, and a drain whose command fails, sleep between their attempts" {
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "valgrind works"
	mkfifo in
	lines 1 100 >in8
	metlog-spool write d in8
	input=in in_background metlog-send --json --as-is --to "$to" --spool s --timeout 0
	sender=$child
	exec 8>in
	cat in8 >&8
	in_background metlog-spool drain d -- false
	await 10 holds s 100
	await 10 grep -q '"attempts":' d/drain.json
	ticks() { awk '{ sum += $14 + $15 } END { print sum }' "/proc/$sender/stat" "/proc/$child/stat"; }
	before=$(ticks)
	sleep 2
	[ $(($(ticks) - before)) -le 10 ] || fail "$(($(ticks) - before)) ticks of 400"
	kill "$sender" "$child"
	wait "$sender" || status=$?
	expect_status 75
}

@test "half of the lines malformed: a sender, a receiver and a route to a spool keep the other half, and their books balance" {
	need python3
	metlog-flood -c 500 --corrupt 50 --seed 3 >flood
	metlog-route -d - --rejects /dev/null flood >good
	[ "$(wc -l <good)" -eq 500 ]
	separately metlog-route -d spool:r --rejects dead --stats books flood
	expect_status 0
	in_spool r | cmp - good
	keeps --from "unix:$PWD/stream" --rejects refused --stats received
	separately metlog-send --json --as-is --to "$to" --spool s --rejects dead2 flood
	expect_status 0
	[ "$(wc -l <dead2)" -eq "$(wc -l <dead)" ]
	await 10 holds kept 500
	python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect("stream"); s.sendall(open("flood", "rb").read())'
	await 10 holds kept 1000
	stop
	in_spool kept | cmp - <(cat good good)
	[ "$(count received rejected)" -eq "$(wc -l <dead)" ]
	[ "$(count received read)" -eq $(($(count received kept) + $(count received rejected))) ]
	separately metlog-send --json --as-is --to "$to" --spool s --timeout 100ms flood
	expect_status 75 || expect_status 65
}

@test "a line of 1 GiB on its way to a receiver's spool is one reject, in bounded memory" {
	need python3
	sanitized && skip "a sanitizer build"
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "too slow under valgrind"
	receive --from "unix:$PWD/stream" --spool kept --rejects dead
	python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect("stream"); b = b"x" * 2**20; [s.sendall(b) for _ in range(1024)]; s.sendall(b"\n{}\n")'
	await 20 holds kept 1
	[ "$(awk '/^VmHWM/ { print $2 }' "/proc/$receiver/status")" -le 32768 ]
	stop
	[ "$(wc -l <dead)" -eq 1 ]
}

@test "a router whose new routes are wrong keeps the old ones, and their spool" {
	printf 'route all severity == 6 => spool:s\ndefault => drop\n' >routes
	mkfifo in
	input=in in_background metlog-route -c routes
	exec 8>in
	lines 1 5 >&8
	await 10 holds s 5
	printf 'route all severity == 6 => spool:\n' >routes
	kill -HUP "$child"
	await 10 grep -q 'all routes stay as they were' background.err
	lines 6 9 >&8
	exec 8>&-
	wait "$child"
	holds s 9
}

@test "a spool that has become a symbolic link is refused by everyone, and a writer that runs goes on where it began" {
	mkdir elsewhere
	mkfifo in
	input=in in_background metlog-spool write s
	exec 8>in
	lines 1 2 >&8
	await 10 holds s 2
	mv s moved
	ln -s elsewhere s
	lines 3 4 >&8
	exec 8>&-
	wait "$child"
	[ -z "$(ls -A elsewhere)" ]
	holds moved 4
	for command in 'metlog-spool write s' 'metlog-spool drain --once s -- cat' "metlog-send --to $to --spool s x" "metlog-recv --from $to --spool s" 'metlog-route -d spool:s'; do
		separately $command </dev/null
		expect_status 73 || fail "$command"
		expect_in "$err" 'symbolic link'
	done
	[ -z "$(ls -A elsewhere)" ]
}

@test "a sender with a spool and a drain with closed standard streams work, and no file of theirs takes a stream's place" {
	lines 1 5 >in
	keeps
	separately sh -c 'exec metlog-send --json --as-is --to "$0" --spool s in <&- >&- 2>&-' "$to"
	expect_status 0
	stop
	in_spool kept | cmp - in
	separately sh -c 'exec metlog-spool drain --once kept -- sh -c "cat >out" <&- >&- 2>&-'
	expect_status 0
	cmp in out
	lines 6 9 | metlog-spool write kept
	if find s kept -type f ! -name '*.ndjson' -exec grep -lE '^metlog-(send|spool): ' {} +; then fail "a message stands in a file of a spool"; fi
	in_spool kept | cmp - <(lines 6 9)
}

@test "locale, zone and umask: the same bytes, and files for their owner alone, of senders, routes and drains too" {
	lines 1 20 >in
	keeps
	(
		umask 0
		export LC_ALL=de_DE.UTF-8 TZ=Asia/Kathmandu
		metlog-send --json --as-is --to "$to" --spool s in
		metlog-route -d spool:r in
		metlog-spool write d in
		metlog-spool drain --once --keep 1d r -- cat >out
		metlog-spool drain --once --attempts 1 --backoff-max 10ms d -- false || true
	) 2>said
	stop
	in_spool kept | cmp - in
	cmp in out
	[ -e d/drain.json ]
	wrong=$(find s r d -type f ! -perm 600 -o -type d ! -perm 700)
	[ -z "$wrong" ] || fail "$wrong"
}

@test "state that is empty, of another release or gone is no end, and nothing is lost; a segment that is missing is no error" {
	lines 1 3 >in
	for state in '' '{"type":"metlog.drain","version":99,"fields":[]}' 'rubbish'; do
		rm -rf s kept where
		metlog-spool write s in
		metlog-spool write s in
		for name in drain.json forward.state recovered; do (umask 077; printf '%s' "$state" >s/$name); done
		mkdir -m 700 kept
		(umask 077 && printf '%s' "$state" >kept/senders && printf '%s' "$state" >kept/recovered)
		rm "$(find s -name '*.ndjson' | sort | head -1)"
		keeps
		separately metlog-send --json --as-is --to "$to" --spool s </dev/null
		expect_status 0
		stop
		in_spool kept | cmp - in
		(umask 077; printf '%s' "$state" >kept/drain.json)
		separately metlog-spool drain --once kept -- cat
		expect_status 0
		cmp in "$out"
	done
}

@test "a wall clock that jumps moves no commit, no attempt and no segment's place" {
	need faketime
	sanitized && skip "a sanitizer build cannot be preloaded into"
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "valgrind has a clock of its own"
	export FAKETIME_TIMESTAMP_FILE=$PWD/clock FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1
	library=$(find /usr/lib -name libfaketime.so.1 2>/dev/null | head -1)
	[ -n "$library" ] || skip "libfaketime is not found"
	echo '+0d' >clock
	mkfifo in
	LD_PRELOAD=$library metlog-recv --from "$to" --spool kept --segment-bytes 100 --ready where >got 2>err 3>&- &
	receiver=$!
	await 10 ready_or_gone
	LD_PRELOAD=$library metlog-send --json --as-is --to "$to" --spool s --timeout 0 <in 2>said 3>&- &
	children=$!
	exec 8>in
	at=0
	for jump in +0d +365d -1d; do
		echo "$jump" >clock
		lines $((at + 1)) $((at + 10)) >&8
		at=$((at + 10))
		await 10 holds kept $at
	done
	exec 8>&-
	wait "$children"
	stop
	in_spool kept | cmp - <(lines 1 30)
	[ -z "$(find kept -name '*-20*' | sort | tail -1 | grep -- "-$(date -u -d +365days +%Y%m)")" ] # the last one is of yesterday
}
