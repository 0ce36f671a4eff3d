# family-streams.bats - every tool and its streams: closed, full, without a reader, interrupted, stopped.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load family
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	local pid
	for pid in ${children-}; do kill -9 "$pid" 2>/dev/null || true; done
}

closed_streams() {
	separately bash -c 'exec "$@" <&-' - "$1" "${args[@]}"
	case $status in 0 | 66 | 74) ;; *) expect_status 66 || return ;; esac
	expect_empty "$out" || return
	printf '%s\n' "$GOOD" >one
	rm -f dead
	separately bash -c 'exec "$@" >&-' - "$1" "${args[@]}" --rejects dead <one
	expect_status 74 || return
	[ ! -s dead ] || fail "output landed in the rejects: $(cat dead)" || return
	printf 'nonsense\n%s\n' "$GOOD" >one-bad
	separately bash -c 'exec "$@" 2>&-' - "$1" "${args[@]}" <one-bad
	expect_status 65 || return
	[ "$(wc -l <"$out")" -eq 1 ] || fail "messages landed in the output: $(cat "$out")"
}
@test "closed standard streams do no harm: no file of ours takes their place, and lost output is 74" { each closed_streams; }

full_disk() {
	yes "$GOOD" | head -20000 >many
	status=0
	"$1" "${args[@]}" <<<"$GOOD" >/dev/full 2>err || status=$?
	err=err expect_status 74 && expect_in err "$1: " || return
	status=0
	"$1" "${args[@]}" <many >/dev/full 2>err || status=$?
	err=err expect_status 74 || return
	[ "$(wc -l <err)" -le 2 ] || fail "one message is enough: $(head -5 err)"
}
@test "a full disk behind standard output is 74, for one line and for many" { each full_disk; }

dead_reader() {
	outlives_its_reader "$1" && return
	yes "$GOOD" 2>/dev/null | { timeout 20 "$1" "${args[@]}" 2>err; echo $? >code; } | head -1 >first
	[ "$(wc -l <first)" -eq 1 ] || fail "nothing came" || return
	case $(cat code) in 0 | 141) ;; *) fail "status $(cat code): $(cat err)" || return ;; esac
	expect_empty err
}
@test "a reader that goes away ends the tool, quietly" { each dead_reader; }

# A service manager may ignore SIGPIPE for what it starts; the pipe is open for reading and writing, so its end never comes.
dead_reader_unheard() {
	outlives_its_reader "$1" && return
	rm -f idle && mkfifo idle
	# shellcheck disable=SC2094
	(trap '' PIPE; exec timeout 30 "$1" "${args[@]}" <>idle 2>err) | true
	[ "${PIPESTATUS[0]}" -ne 124 ] || fail "it waits for input with nobody to write to" || return
	expect_empty err
}
@test "a reader that goes away while the tool waits ends it, too, where SIGPIPE is ignored" { each dead_reader_unheard; }

prompt_output() {
	rm -f in live && mkfifo in
	"$1" "${args[@]}" <in >live 2>err &
	local pid=$!
	children+=" $pid"
	exec 8>in
	printf '%s\n' "$GOOD" >&8
	await 10 test -s live || fail "the line was not written while the input was open" || return
	kill -USR1 "$pid"
	await 10 grep -q metlog.stats err || fail "no statistics on SIGUSR1" || return
	[ "$(count err read)" = 1 ] && balanced err || return
	printf '%s\n' "$GOOD" >&8
	exec 8>&-
	wait "$pid" || fail "exit status $?"
}
@test "a line is out before the tool waits for the next; SIGUSR1 shows the books and the work goes on" { each prompt_output; }

hung_up() {
	local pid
	rm -f in live dead dead.1 && mkfifo in
	"$1" "${args[@]}" --rejects dead <in >live 2>err &
	pid=$!
	children+=" $pid"
	exec 8>in
	printf 'nonsense\n' >&8
	await 10 test -s dead || fail "no reject was kept while the input was open" || return
	mv dead dead.1
	kill -HUP "$pid"
	await 10 test -e dead || fail "the file of rejects was not opened anew" || return
	printf 'nonsense\n%s\n' "$GOOD" >&8
	exec 8>&-
	wait "$pid" || fail "exit status $?" || return
	[ "$(wc -l <dead) $(wc -l <dead.1) $(wc -l <live)" = "1 1 1" ] || fail "$(wc -l dead dead.1 live)"
}
@test "SIGHUP opens the file of --rejects anew, so that it can be rotated by renaming" { each hung_up; }

stopped_midstream() {
	local signal pid
	for signal in TERM INT; do
		rm -f in stats stopped && mkfifo in
		yes "$GOOD" >in 2>/dev/null &
		children+=" $!"
		# bash starts background jobs with SIGINT ignored; the tool must see it as on a terminal.
		env --default-signal=INT "$1" "${args[@]}" --stats stats <in >stopped 2>err &
		pid=$!
		children+=" $pid"
		await 10 test -s stopped || fail "nothing came" || return
		kill -"$signal" "$pid"
		status=0
		wait "$pid" || status=$?
		case $status in 0 | 130 | 143) ;; *) expect_status 0 || return ;; esac
		balanced stats || return
		[ "$(taken stats)" = "$(wc -l <stopped)" ] || fail "SIG$signal: passed $(taken stats), written $(wc -l <stopped)" || return
		[ "$(count stats read)" = "$(taken stats)" ] || fail "SIG$signal lost something: $(cat stats)" || return
		[ "$(tail -c 1 stopped | od -An -c | tr -d ' ')" = '\n' ] || fail "SIG$signal left a torn line" || return
	done
}
@test "SIGTERM and SIGINT in the middle of a stream lose nothing that was read" { each stopped_midstream; }

# stuck PID: it sleeps, and has written nothing for a while.
stuck() {
	local before
	before=$(grep wchar "/proc/$1/io") && grep -q '^State:.S' "/proc/$1/status" || return
	sleep 0.1
	[ "$(grep wchar "/proc/$1/io")" = "$before" ] && grep -q '^State:.S' "/proc/$1/status"
}
gone() { ! kill -0 "$1" || grep -q '^State:.Z' "/proc/$1/status"; }
second_signal() {
	local pid
	rm -f out && mkfifo out
	exec 9<>out # a reader that does not read; a pipe takes up to 1 MiB
	yes "${GOOD/hits/$(printf 'hits%.0s' {1..50})}" 2>/dev/null | head -20000 >many
	"$1" "${args[@]}" many <many >out 2>err 9>&- &
	pid=$!
	children+=" $pid"
	await 10 read -t 0 -u 9 || fail "nothing came" || return
	await 10 stuck "$pid" || fail "it does not wait for its reader" || return
	kill -TERM "$pid"
	for _ in 1 2 3 4 5; do
		sleep 0.02
		kill -0 "$pid" 2>/dev/null || fail "it did not stay to write what it had read" || return
	done
	kill -TERM "$pid"
	await 10 gone "$pid" || fail "the second SIGTERM does not end it" || return
	status=0
	wait "$pid" || status=$?
	exec 9>&-
	expect_status 143
}
@test "after SIGTERM what was read is still written, however long that takes; a second SIGTERM ends the tool at once" { each second_signal; }

dash_operand() {
	takes_files "$1" || return 0
	printf '%s\n' "$GOOD" >one
	separately "$1" "${args[@]}" one - one <one
	expect_status 0 || return
	[ "$(wc -l <"$out")" -eq 3 ] || fail "not the three lines of: one - one"
}
@test "FILEs are read in their order, and - is standard input" { each dash_operand; }

interrupted() {
	good_lines >good
	for _ in 1 2 3 4 5 6 7 8; do cat good; done >longer
	"$1" "${args[@]}" <longer 2>/dev/null | stable >expected
	status=0
	strace -f -o trace -e trace=read,write,writev -e inject=read:error=EINTR:when=20+2 -e inject=write,writev:error=EINTR:when=1+2 "$(command -v "$1")" "${args[@]}" \
		< <(while IFS= read -r line; do printf '%s\n' "$line"; done <longer) 2>err | stable >got
	grep -q 'write.*INJECTED' trace || fail "no call was interrupted" || return
	expect_same expected got
}
@test "system calls that are interrupted change nothing" {
	need strace
	strace -o /dev/null -e inject=write:error=EINTR:when=1 true 2>/dev/null || skip "strace may not trace here"
	sanitized && skip "a sanitizer build cannot be traced"
	each interrupted
}

short_writes() {
	good_lines >good
	# shellcheck disable=SC2046
	cat $(yes good | head -400) >longer
	"$1" "${args[@]}" <longer 2>/dev/null | stable >expected
	python3 -c 'import os, sys; os.set_blocking(1, False); os.execvp(sys.argv[1], sys.argv[1:])' "$1" "${args[@]}" <longer 2>err |
		{ sleep 0.2; stable; } >got
	expect_same expected got && expect_empty err
}
@test "short writes and a full pipe that does not block lose and tear nothing" {
	need python3
	each short_writes
}
