# metlog-spool-drain.bats - drain: what a command is given, what its exit status does to a segment, order, attempts, signals.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load drain
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	drain_teardown
}

@test "each segment is given to the command once, oldest first, uncompressed and without its trailer" {
	fill 5 3
	drain_once 'cat >>got; echo "$METLOG_SEGMENT" >>names'
	expect_status 0
	expect_empty "$err"
	lines 1 15 >expected
	expect_same got expected
	[ "$(sort -c names && wc -l <names)" -eq 5 ]
	[ "$(segments)" -eq 0 ]
	[ -z "$(find spool -name "*.ndjson*")" ]
}

@test "compressed segments are given uncompressed" {
	fill 3 200 --compress zstd
	ls spool/*.zst
	drain_once 'cat >>got'
	expect_status 0
	lines 1 600 >expected
	expect_same got expected
	[ "$(segments)" -eq 0 ]
}

@test "a command finds name, records, bytes, checksum, attempt and spool in its environment" {
	fill 1 7
	name=$(basename spool/*.ndjson .ndjson)
	checksum=$(tail -1 spool/*.ndjson | grep -o '"checksum":"[^"]*"' | cut -d'"' -f4)
	[ ${#checksum} -eq 21 ]
	drain_once 'cat >body
		printf "%s\n" "$METLOG_SEGMENT" "$METLOG_SEGMENT_RECORDS" "$METLOG_SEGMENT_BYTES" "$METLOG_SEGMENT_CHECKSUM" "$METLOG_ATTEMPT" "$METLOG_SPOOL" >env'
	expect_status 0
	printf '%s\n' "$name" 7 "$(wc -c <body)" "$checksum" 1 spool >expected
	expect_same env expected
}

@test "the command is started as it stands, without a shell" {
	fill 1 1
	separately metlog-spool drain spool --once -- printf '%s|' 'a b' '$HOME' '*' ';'
	expect_status 0
	[ "$(cat "$out")" = 'a b|$HOME|*|;|' ]
}

@test "a temporary failure is tried again, the same bytes in the same order, later segments wait" {
	fill 3 2
	drain_once 'cat >"try.$METLOG_SEGMENT_RECORDS.$METLOG_ATTEMPT"; echo "$METLOG_SEGMENT $METLOG_ATTEMPT" >>names
		n=$(wc -l <names); case $n in 1) exit 75 ;; 2) exit 1 ;; 3) kill -9 $$ ;; esac; cat try.2."$METLOG_ATTEMPT" >>got'
	expect_status 0
	lines 1 6 >expected
	expect_same got expected
	first=$(head -1 names | cut -d' ' -f1)
	[ "$(grep -c "^$first" names)" -eq 4 ]
	[ "$(head -4 names | cut -d' ' -f2 | tr '\n' ' ')" = '1 2 3 4 ' ]
	expect_same try.2.2 try.2.3
	expect_in "$err" 'exited with status 75: tried again in'
	expect_in "$err" 'was killed by signal 9'
}

@test "with --once a temporary failure is tried --attempts times and then left: 75, and the later segments are left too" {
	fill 3 2
	drain_once 'echo x >>tries; exit 75' --attempts 3
	expect_status 75
	[ "$(wc -l <tries)" -eq 3 ]
	[ "$(segments)" -eq 3 ]
	expect_in "$err" 'segments left, to be delivered later: 3'
	drain_once 'cat >>got'
	expect_status 0
	lines 1 6 >expected
	expect_same got expected
	[ ! -e spool/drain.json ]
}

@test "each of 65, 69, 76, 77 and 78 is for good: after --attempts of them the segment goes to failed/, and the drain goes on" {
	fill 6 2
	drain_once 'n=$(basename "$METLOG_SEGMENT" | cut -c12); echo "$n" >>tries
		case $n in 1) exit 65 ;; 2) exit 69 ;; 3) exit 76 ;; 4) exit 77 ;; 5) exit 78 ;; esac; cat >>got' --attempts 2
	expect_status 69
	[ "$(tr -d '\n' <tries)" = 11223344556 ]
	lines 11 12 >expected
	expect_same got expected
	[ "$(segments)" -eq 0 ]
	[ "$(ls spool/failed | wc -l)" -eq 5 ]
	[ "$(grep -c 'moved to failed/' "$err")" -eq 5 ]
	[ "$(grep -c 'refusal 2 of 2: .*--retry-failed takes it back' "$err")" -eq 5 ]
	[ ! -e spool/drain.json ]
}

@test "refusals of several runs add up, and so does METLOG_ATTEMPT" {
	fill 1 2
	for status in 65 75 65 75; do
		drain_once "echo \$METLOG_ATTEMPT >>attempts; [ \$METLOG_ATTEMPT -lt 9 ] || exit 65; kill -TERM \$PPID; exit $status" --attempts 3
		expect_status 75
	done
	[ "$(segments)" -eq 1 ]
	expect_in spool/drain.json '"attempts":4,"refusals":2,"status":75'
	drain_once 'echo $METLOG_ATTEMPT >>attempts; exit 65' --attempts 3
	expect_status 69
	[ "$(tr '\n' ' ' <attempts)" = '1 2 3 4 5 ' ]
	[ "$(ls spool/failed | wc -l)" -eq 1 ]
}

@test "a drain.json that cannot be read makes attempts count anew, and nothing else" {
	fill 1 2
	drain_once 'exit 75' --attempts 1
	for text in '' '{"waiting":[' '[]' '{"waiting":[{"segment":5},7,{"attempts":"x"}]}' "$(head -c 3000 /dev/zero | tr '\0' '[')"; do
		printf '%s' "$text" >spool/drain.json
		drain_once 'echo $METLOG_ATTEMPT >>attempts; exit 75' --attempts 1
		expect_status 75
	done
	rm spool/drain.json
	mkdir spool/drain.json
	drain_once 'cat >got'
	expect_status 0
	expect_in "$err" 'attempts are counted anew'
	[ "$(sort -u attempts)" = 1 ]
}

@test "64, 126, 127 and a command that cannot be started speak of the command line: 78 at once, nothing is moved" {
	fill 2 2
	for status in 64 126 127; do
		drain_once "echo x >>tries; exit $status"
		expect_status 78
		expect_in "$err" 'nothing was moved'
	done
	[ "$(wc -l <tries)" -eq 3 ]
	touch plain
	for command in /nonexistent/program ./plain ''; do
		separately metlog-spool drain spool --once -- "$command"
		expect_status 78
		expect_in "$err" 'cannot be started'
	done
	[ "$(segments)" -eq 2 ]
	[ -z "$(ls spool/failed)" ]
}

@test "--retry-failed takes the segments of failed/ back, at their old places" {
	fill 3 2
	drain_once 'case $METLOG_SEGMENT in *2-2*) exit 65 ;; esac; exit 75' --attempts 1
	mv spool/*.ndjson spool/failed
	fill_more 1 2
	drain_once 'cat >>got' --retry-failed
	expect_status 0
	lines 1 8 >expected
	expect_same got expected
	[ -z "$(ls spool/failed)" ]
	expect_in "$err" 'put back from failed/: 3'
}

@test "a damaged segment goes to quarantine/ whole, is never given out, and the others are delivered: 65" {
	fill 4 3
	flip "$(segment 2)"
	cp "$(segment 2)" damaged
	head -c 150 "$(segment 4)" >torn
	cp torn "$(segment 4)"
	drain_once 'cat >>got'
	expect_status 65
	{ lines 1 3; lines 7 9; } >expected
	expect_same got expected
	[ "$(segments)" -eq 0 ]
	[ "$(ls spool/quarantine | wc -l)" -eq 2 ]
	expect_same damaged "$(ls spool/quarantine/*2-2*)"
	[ "$(grep -c 'is damaged: .*: moved to quarantine/' "$err")" -eq 2 ]
}

@test "a compressed segment that is damaged goes to quarantine/, too" {
	fill 2 100 --compress zstd
	flip "$(segment 1)"
	drain_once 'cat >>got'
	expect_status 65
	lines 101 200 >expected
	expect_same got expected
	[ "$(ls spool/quarantine/*.zst | wc -l)" -eq 1 ]
}

@test "a command that reads nothing, or not all, and exits with 0 is believed, and warned of once" {
	fill_bytes 2 600000
	fill_more 1 1
	drain_once 'case $METLOG_SEGMENT in *1-2*) exit 0 ;; esac; head -c 10 >>got'
	expect_status 0
	[ "$(segments)" -eq 0 ]
	[ "$(grep -c 'without reading all of it' "$err")" -eq 1 ]
	fill_bytes 1 600000
	drain_once 'cat >/dev/null'
	expect_status 0
	expect_empty "$err"
}

@test "delivered segments are removed; --keep keeps them until they are older, and a later run without it removes them" {
	fill 3 2
	drain_once 'cat >>got' --keep 1h
	expect_status 0
	[ "$(ls spool/delivered/*.ndjson | wc -l)" -eq 3 ]
	touch -d '-2 hours' "$(find spool/delivered -name '*2-2*')"
	fill_more 1 2
	drain_once 'cat >>got' --keep 1h
	expect_status 0
	[ "$(ls spool/delivered/*.ndjson | wc -l)" -eq 3 ]
	[ -z "$(find spool/delivered -name '*0002-2*')" ]
	lines 1 8 >expected
	expect_same got expected
	drain_once 'cat >>got'
	expect_status 0
	[ -z "$(ls spool/delivered)" ]
	expect_same got expected
}

@test "--keep counts from the delivery, not from the writing" {
	fill 1 2
	touch -d '-2 hours' spool/*.ndjson
	drain_once 'cat >>got' --keep 1h
	drain_once 'cat >>got' --keep 1h
	[ "$(ls spool/delivered/*.ndjson | wc -l)" -eq 1 ]
}

@test "a left-over of the same stem beside a sealed segment is not delivered again" {
	need flock
	fill 2 3
	body=$(segment 1)
	head -3 "$body" >"${body%.ndjson}.open"
	exec 8>spool/lock
	flock 8 # as by a writer, or recovery would take it away
	drain_once 'cat >>got'
	expect_status 0
	exec 8>&-
	lines 1 6 >expected
	expect_same got expected
	drain_once 'cat >>got'
	expect_same got expected
	[ -z "$(find spool -name "*.open" -o -name "*.ndjson*")" ]
}

@test "--once takes what a dead writer has left open, and not what is written by a live one" {
	mkdir -m 700 spool
	mkfifo in
	metlog-spool write spool --sync each <in &
	writer=$!
	exec 7>in
	lines 1 3 >&7
	await 10 open_has 3
	drain_once 'cat >>got'
	expect_status 0
	[ ! -e got ]
	kill -9 $writer
	wait $writer || true
	exec 7>&-
	drain_once 'cat >>got'
	expect_status 0
	lines 1 3 >expected
	expect_same got expected
}

@test "--once leaves to the next run what is sealed after it began" {
	fill 2 2
	lines 5 6 >later.in
	drain_once 'metlog-spool write spool later.in; cat >>got'
	expect_status 0
	[ "$(segments)" -eq 2 ]
	lines 1 4 >expected
	expect_same got expected
}

@test "a drain that follows delivers what comes while it runs, beside the writer, and exits with 0 on SIGTERM" {
	mkdir -m 700 spool
	mkfifo in
	metlog-spool write spool --segment-bytes $((LINE * 4)) <in &
	writer=$!
	drain_start 'cat >>got'
	exec 7>in
	lines 1 10 >&7
	await 20 has_lines got 8
	lines 11 14 >&7
	await 20 has_lines got 12
	exec 7>&-
	wait $writer
	await 20 has_lines got 14
	drain_stop TERM
	expect_status 0
	lines 1 14 >expected
	expect_same got expected
}

@test "a drain that follows takes over what a writer that is killed has left open" {
	mkdir -m 700 spool
	mkfifo in
	metlog-spool write spool --sync each <in &
	writer=$!
	exec 7>in
	drain_start 'cat >>got'
	lines 1 3 >&7
	await 10 open_has 3
	kill -9 $writer
	wait $writer || true
	exec 7>&-
	await 20 has_lines got 3
	drain_stop INT
	expect_status 0
}

@test "on SIGTERM the command that runs is let finish, and no other is started" {
	fill 2 2
	mkfifo go
	drain_start 'touch started; read x <go; cat >>got'
	await 10 test -e started
	kill -TERM $drain
	exec 7<>go
	echo x >&7
	drain_wait
	expect_status 0
	lines 1 2 >expected
	expect_same got expected
	[ "$(segments)" -eq 1 ]
}

@test "a command that never ends is stopped after --grace, and its segment stays: 75" {
	fill 1 2
	drain_start 'touch started; exec sleep 1000' --grace 0.1
	await 10 test -e started
	drain_stop TERM
	expect_status 75
	[ "$(segments)" -eq 1 ]
	expect_in drain.err 'was killed by signal 15'
}

@test "a second signal stops the command at once, and what it says then is not believed" {
	fill 1 2
	drain_start 'trap "exit 0" TERM; cat >/dev/null; touch started; while :; do sleep 0.05; done'
	await 10 test -e started
	kill -TERM $drain
	kill -INT $drain
	drain_wait
	expect_status 75
	[ "$(segments)" -eq 1 ]
	expect_in drain.err 'when it was stopped'
}

@test "a filter that a stop signal for all has stopped has not delivered, though it exits with 0" {
	need pgrep
	fill_bytes 1 600000
	drain_start 'trap "exit 0" TERM; head -c 10 >got; touch started; while :; do sleep 0.05; done'
	await 10 test -e started
	kill -TERM "$drain" "$(pgrep -P "$drain")"
	drain_wait
	expect_status 75
	[ "$(segments)" -eq 1 ]
}

@test "SIGHUP tries at once what waits, and SIGUSR1 prints the books" {
	fill 1 2
	drain_start 'echo x >>tries; [ -e ready ] || exit 75; cat >>got' --backoff-max 1h
	for n in 1 2 3 4 5 6 7 8; do # their pauses together are minutes
		await 10 grep -q "\"attempts\":$n," spool/drain.json
		kill -HUP $drain
	done
	await 10 grep -q '"attempts":9,' spool/drain.json
	[ "$(wc -l <tries)" -eq 9 ]
	kill -USR1 $drain
	await 10 grep -q '"read":2,"passed":0.*"kept":2' drain.err
	touch ready
	kill -HUP $drain
	await 10 has_lines got 2
	drain_stop TERM
	expect_status 0
}

@test "stopped while a segment waits for its next attempt: 75" {
	fill 1 2
	drain_start 'exit 75' --backoff-max 1h
	await 10 test -s spool/drain.json
	drain_stop TERM
	expect_status 75
	[ "$(segments)" -eq 1 ]
}

@test "--parallel runs so many commands at once, and delivers everything once" {
	fill 6 5
	drain_once 'cat >"part.$METLOG_SEGMENT"; touch "at.$METLOG_SEGMENT"; n=0
		while [ "$(ls at.* | wc -l)" -lt 3 ] && [ $n -lt 500 ]; do n=$((n + 1)); sleep 0.02; done; [ $n -lt 500 ]' --parallel 3
	expect_status 0
	[ "$(segments)" -eq 0 ]
	lines 1 30 >expected
	cat part.* >got
	expect_same got expected
}

@test "with --parallel a segment that fails does not stop the others" {
	fill 8 2
	drain_once 'case $METLOG_SEGMENT in *1-2*) exit 75 ;; *3-2*) exit 65 ;; esac; cat >"part.$METLOG_SEGMENT"' --parallel 3 --attempts 2
	expect_status 69
	[ "$(segments)" -eq 1 ]
	[ "$(ls part.* | wc -l)" -eq 6 ]
	[ "$(ls spool/failed | wc -l)" -eq 1 ]
}

@test "with --parallel N, no more than N segments are tried when everything fails for now" {
	fill 8 2
	drain_once 'echo "$METLOG_SEGMENT" >>tries; exit 75' --parallel 3 --attempts 2
	expect_status 75
	[ "$(sort -u tries | wc -l)" -eq 3 ]
	[ "$(segments)" -eq 8 ]
}

@test "the second drain of a spool ends with 73 at once, and says who is first" {
	fill 1 2
	drain_start 'touch started; sleep 1000' --grace 0
	await 10 test -e started
	drain_once 'cat'
	expect_status 73
	expect_in "$err" "is being drained by process $drain"
	drain_stop TERM
}

@test "no spool: 66; a link, or a directory open to others: 73" {
	drain_once 'cat'
	expect_status 66
	fill 1 2
	ln -s spool link
	separately metlog-spool drain link --once -- cat
	expect_status 73
	chmod 755 spool
	drain_once 'cat'
	expect_status 73
	chmod 700 spool
	ln -s /etc/passwd spool/drain.lock
	drain_once 'cat'
	expect_status 73
}

@test "a segment that the writer drops before its turn, or while it is delivered, is said and no error" {
	fill 4 3
	drain_once 'case $METLOG_SEGMENT in *1-2*) rm spool/*2-2*.ndjson ;; *3-2*) rm "spool/$METLOG_SEGMENT.ndjson" ;; esac; cat >>got'
	expect_status 0
	{ lines 1 3; lines 7 12; } >expected
	expect_same got expected
	expect_in "$err" 'was delivered, and removed by others meanwhile'
	[ "$(segments)" -eq 0 ]
}

@test "--once and --follow exclude each other, and a command must be given: 64" {
	fill 1 1
	drain_once 'cat' --follow
	expect_status 64
	separately metlog-spool drain spool --once
	expect_status 64
	[ "$(segments)" -eq 1 ]
}

@test "the books: read is passed, rejected and kept" {
	fill 4 3
	flip "$(segment 1)"
	separately metlog-spool drain spool --once --attempts 1 --stats books -- sh -c 'case $METLOG_SEGMENT in *2-2*) exit 65 ;; *4-2*) exit 75 ;; esac; cat >>got'
	expect_status 69
	expect_in books '"read":12,"passed":3,"dropped":0,"rejected":6,"kept":3,'
	expect_in books '"segments_delivered":1,"segments_failed":1,"segments_quarantined":1'
}

@test "standard input of the command is a socket, and writing to it is refused" {
	fill 1 2
	drain_once 'readlink /proc/self/fd/0 >kind; cat >>got; (echo wrong >&0) 2>/dev/null || echo refused >>kind'
	expect_status 0
	expect_in kind 'socket:'
	expect_in kind refused
}

@test "a command inherits standard output, standard error and no descriptor of ours" {
	fill 1 1
	separately metlog-spool drain spool --once -- sh -c 'ls -l /proc/self/fd | grep -c -E "lock|spool|inotify|socket"; echo told >&2'
	expect_status 0
	[ "$(cat "$out")" = 1 ]
	expect_in "$err" told
}

@test "a drain with nothing to do sleeps" {
	need strace
	if sanitized; then skip "a sanitized program works on its own"; fi
	fill 1 1
	drain_start 'cat >>got'
	await 10 has_lines got 1
	timeout 3 strace -qq -f -o trace -p $drain || true
	[ "$(wc -l <trace)" -lt 60 ] || fail "$(cat trace)"
	drain_stop TERM
}
