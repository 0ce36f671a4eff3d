# metlog-spool-drain-crash.bats - drain: killed at each step of a delivery, and in the middle of feeding a command; disks that fail.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load drain
	cd "$BATS_TEST_TMPDIR"
	export ASAN_OPTIONS=detect_leaks=0 # which cannot be done under strace
	# A file for each time that a segment is delivered whole, as a careful command does it.
	cat >deliver <<-'E'
		#!/bin/sh
		part=part.$$
		cat >"$part" && mv "$part" "delivered.$METLOG_SEGMENT.$$"
	E
	chmod +x deliver
}

teardown() {
	drain_teardown
}

# traced CALL WHEN ACTION [OPTION...]: a drain of which strace lets the WHEN-th CALL come to ACTION; the command is not traced.
traced() {
	local call=$1 when=$2 action=$3
	shift 3
	separately strace -qq -o trace -e trace="$call" -e inject="$call:$action:when=$when" \
		metlog-spool drain spool --once --backoff-max 0.02 "$@" -- ./deliver
}

# check SEGMENTS RECORDS EXTRA: each was delivered, in whole, no more than EXTRA of them twice, and all are gone.
check() {
	local segments=$1 records=$2 extra=$3 name count
	find . -maxdepth 1 -name 'delivered.*' | cut -d. -f3 | sort | uniq -c >counted
	[ "$(wc -l <counted)" -eq "$segments" ] || fail "not each was delivered: $(cat counted)"
	count=$(find . -maxdepth 1 -name 'delivered.*' | wc -l)
	[ "$count" -le $((segments + extra)) ] || fail "more than $extra twice: $(cat counted)"
	awk '{ print $2 }' counted | while read -r name; do
		set -- delivered."$name".*
		[ $# -eq 1 ] || cmp -s "$1" "$2" || fail "$name was delivered with different bytes"
		cat "$1"
	done >all
	lines 1 $((segments * records)) >expected
	expect_same all expected
	[ -z "$(find spool -name '*.ndjson*' -o -name '*.open')" ] || fail "left: $(find spool)"
	rm -f delivered.* part.*
}

# killed_at_each CALL [OPTION...]: killed at every call of a run over 5 segments, each time on a new spool, and run again.
killed_at_each() {
	local call=$1 when=0 kills=0
	shift
	while :; do
		when=$((when + 1))
		cp -a kept spool
		traced "$call" "$when" signal=KILL "$@"
		[ "$status" -ne 0 ] || break
		[ "$status" -eq 137 ] || fail "$call $when: status $status: $(cat "$err")"
		kills=$((kills + 1))
		await 10 quiet || fail "a command is still at work"
		separately metlog-spool drain spool --once "$@" -- ./deliver
		expect_status 0
		check 5 3 1
		rm -rf spool
	done
	check 5 3 0
	[ "$kills" -ge "$least" ] || fail "$call: only $kills kills"
}

# A command whose drain was killed may be in its last step still.
quiet() { [ -z "$(find . -maxdepth 1 -name 'part.*' -size +0)" ]; }

@test "killed at any rename, everything is delivered after a rerun, at most one segment twice, none with other bytes" {
	need strace
	fill 5 3
	mv spool kept
	least=5
	killed_at_each '/^rename(at|at2)?$'
}

@test "killed at any unlink, everything is delivered after a rerun, at most one segment twice, none with other bytes" {
	need strace
	fill 5 3
	mv spool kept
	least=5
	killed_at_each '/^unlink(at)?$'
}

@test "killed at any fsync, everything is delivered after a rerun, at most one segment twice, none with other bytes" {
	need strace
	fill 5 3 --compress zstd
	mv spool kept
	least=10
	killed_at_each fsync
}

@test "killed at any fork, in parallel, everything is delivered after a rerun" {
	need strace
	fill 6 3
	cp -a spool kept
	for when in 1 2 4 6; do
		rm -rf spool delivered.* part.*
		cp -a kept spool
		traced '/^(clone|clone3|fork|vfork)$' "$when" signal=KILL --parallel 3
		expect_status 137
		await 10 quiet
		separately metlog-spool drain spool --once --parallel 3 -- ./deliver
		expect_status 0
		check 6 3 3
	done
}

@test "a drain that is killed in the middle of a segment is an error to the command that reads, not the end" {
	fill_bytes 1 4000000
	cat >reader <<-'E'
		#!/bin/sh
		head -c 1000000 >first
		touch started
		while [ ! -e killed ]; do sleep 0.02; done
		cat >second
		echo $? >said
	E
	chmod +x reader
	metlog-spool drain spool --once -- ./reader 2>"$BATS_TEST_TMPDIR/reader.err" &
	drain=$!
	await 10 test -e started
	kill -9 $drain
	wait $drain || true
	touch killed
	await 10 test -s said
	[ "$(cat said)" -ne 0 ]
	expect_in reader.err 'Connection reset by peer'
	[ "$(segments)" -eq 1 ]
	drain_once 'cat >got'
	expect_status 0
	lines 1 "$last" >expected
	expect_same got expected
}

@test "a segment that goes bad while it is fed is an error to the command, and goes to quarantine/" {
	fill_bytes 1 4000000
	cat >reader <<-'E'
		#!/bin/sh
		head -c 1000 >/dev/null
		printf '\001' | dd of="$(ls spool/*.ndjson)" bs=1 seek=3500000 conv=notrunc status=none
		cat >/dev/null
		echo $? >said
		exit 0
	E
	chmod +x reader
	separately metlog-spool drain spool --once -- ./reader
	expect_status 65
	[ "$(cat said)" -ne 0 ]
	[ "$(find spool/quarantine -name '*.ndjson' | wc -l)" -eq 1 ]
}

@test "a delivery that cannot be recorded ends the drain with 74, and says so" {
	need strace
	for fault in '/^rename(at|at2)?$ 1 error=EROFS' '/^rename(at|at2)?$ 1 error=EIO' 'fsync 2 error=EIO'; do
		fill 3 2
		# shellcheck disable=SC2086
		traced $fault
		expect_status 74
		expect_in "$err" 'cannot be moved to delivered/'
		separately metlog-spool drain spool --once -- ./deliver
		expect_status 0
		find . -name 'delivered.*' -delete
	done
}

@test "directories that somebody removes while a drain runs end it with 74; the next one makes them again" {
	fill 2 2
	drain_once 'cat >>got; rm -r spool/delivered'
	expect_status 74
	expect_in "$err" 'cannot be moved to delivered/: No such file or directory'
	[ "$(segments)" -eq 2 ]
	drain_once 'rm -r spool/failed; exit 65' --attempts 1
	expect_status 74
	[ "$(segments)" -eq 2 ]
	drain_once 'cat >>again'
	expect_status 0
	lines 1 4 >expected
	expect_same again expected
}

@test "a drain.json that cannot be written is a warning, and nothing else" {
	fill 2 2
	mkdir spool/.tmp.drain.json
	drain_once '[ $METLOG_ATTEMPT -gt 2 ] || exit 75; cat >>got'
	expect_status 0
	[ "$(grep -c 'drain.json: cannot be written' "$err")" -eq 1 ]
	lines 1 4 >expected
	expect_same got expected
}

@test "on a full disk segments are delivered still" {
	[ "$(id -u)" -eq 0 ] || skip "mounting takes root"
	mkdir small
	mount -t tmpfs -o size=256k,mode=700 none small 2>/dev/null || skip "no tmpfs can be mounted here"
	mkdir -m 700 small/spool
	lines 1 60 | metlog-spool write small/spool --reserve 0 --sync none --segment-bytes $((LINE * 20))
	metlog-spool drain small/spool --once --attempts 1 -- sh -c 'exit 75' 2>/dev/null || true
	cat /dev/zero >small/filler 2>/dev/null || true
	status=0
	metlog-spool drain small/spool --once --backoff-max 0.02 -- sh -c '[ $METLOG_ATTEMPT -gt 3 ] || exit 75; cat >>got' 2>full.err || status=$?
	left=$(find small/spool -name '*.ndjson' | wc -l)
	umount small
	[ "$status" -eq 0 ] || fail "status $status: $(cat full.err)"
	[ "$left" -eq 0 ]
	lines 1 60 >expected
	expect_same got expected
}

@test "the example deliver.sh: a file for each segment, 75 where it cannot be written, 64 when it is called wrongly" {
	lines 1 2 | metlog-spool write s
	separately metlog-spool drain --once s -- "$SOURCE/contrib/examples/deliver.sh"
	expect_status 78
	expect_in "$err" 'usage: '
	separately metlog-spool drain --once --attempts 1 s -- "$SOURCE/contrib/examples/deliver.sh" missing
	expect_status 75
	mkdir target
	separately metlog-spool drain --once s -- "$SOURCE/contrib/examples/deliver.sh" target
	expect_status 0
	lines 1 2 >expected
	cat target/*.ndjson >got
	expect_same got expected
}

@test "a drain of a directory in which there is no spool yet says so, once" {
	mkdir -m 700 empty
	separately metlog-spool drain --once empty -- cat
	expect_status 0
	expect_in "$err" 'empty: nobody has written a spool here yet'
	separately metlog-spool drain --once empty -- cat
	expect_status 0
	expect_empty "$err"
}

@test "a link, a second name, a directory or a pipe in the place of a segment goes to quarantine/, and the others are delivered: 65" {
	fill 6 2
	mv "$(segment 1)" aside && ln -s "$PWD/aside" "spool/$(printf %012d 1)-20121005T120001Z-0000abcd.ndjson"
	ln "$(segment 2)" second
	first=$(segment 3) && rm "$first" && mkdir "$first"
	first=$(segment 4) && rm "$first" && mkfifo "$first"
	drain_once 'cat >>got'
	expect_status 65
	[ "$(grep -c 'one name only: moved to quarantine/' "$err")" -eq 4 ] || fail "$(cat "$err")"
	lines 9 12 >expected
	expect_same got expected
	[ "$(find spool/quarantine -name '*.ndjson' | wc -l)" -eq 4 ]
	cmp aside spool/quarantine/000000000001-*
	lines 3 4 | cmp - <(head -2 second)
}

@test "a pipe in the place of drain.json or of its new version keeps nobody waiting" {
	fill 1 2
	mkfifo spool/drain.json spool/.tmp.drain.json
	separately timeout 20 metlog-spool drain spool --once --backoff-max 0.02 -- sh -c '[ $METLOG_ATTEMPT -gt 1 ] || exit 75; cat >>got'
	expect_status 0
	lines 1 2 | cmp - got
}
