# metlog-send-timed.bats - commands that are timed, and where envelopes are handed over.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	need jq
	cd "$BATS_TEST_TMPDIR"
}

shows() {
	local got
	got=$(jq -c "$2" <"$1" | tr '\n' ' ')
	[ "${got% }" = "$3" ] || fail "jq '$2' gives ${got% }, expected $3"
}

timed() { separately metlog-send --timer t --to file:sent "$@"; }

@test "a command keeps its standard streams, arguments and exit status" {
	printf 'in\n' >input
	timed -- sh -c 'cat; printf "%s." "$@"; echo err >&2; exit 3' x 'a b' -n '' <input
	expect_status 3
	printf 'in\na b.-n..' | cmp - "$out"
	printf 'err\n' | cmp - "$err"
	shows sent '[.type, .fields]' '["timer",{"name":"t","rate":1,"exit_status":3}]'
}

@test "the timer is the time that has passed, in whole milliseconds" {
	local from=$EPOCHREALTIME to
	timed -- sleep 0.3
	to=$EPOCHREALTIME
	expect_status 0
	shows sent '.payload | test("^[0-9]+$"), (tonumber >= 300 and tonumber <= '$(((${to/./} - ${from/./}) / 1000 + 1))')' 'true true'
}

@test "death by a signal is 128 + N, and the signal is told" {
	timed -- sh -c 'kill -9 $$'
	expect_status 137
	shows sent '.fields' '{"name":"t","rate":1,"exit_status":137,"signal":9}'
}

@test "a command that is not there is 127, one that cannot run 126, and both are told" {
	echo x >plain
	timed --on-failure f -- ./absent
	expect_status 127
	timed -- ./plain
	expect_status 126
	shows sent '[.type, .fields.exit_status]' '["timer",127] ["f",127] ["timer",126]'
	shows sent 'select(.type == "f") | .payload' '"cannot run ./absent: No such file or directory"'
}

@test "a failure is told with the end of standard error, which appears at once all the same" {
	timed --on-failure cron -f job=1 -- sh -c 'echo one >&2; printf "t\377o\n\n" >&2; exit 4'
	expect_status 4
	printf 'one\nt\377o\n\n' | cmp - "$err"
	shows sent 'select(.type == "cron") | [.severity, .payload, .fields.name, .fields.exit_status, .fields.job]' '[3,"one\nt�o","t",4,"1"]'
	rm sent
	timed --on-failure cron -- sh -c 'echo one >&2'
	expect_status 0
	shows sent .type '"timer"'
}

@test "of a long standard error the last whole lines within 16 KiB are sent" {
	timed --on-failure cron -- sh -c 'seq 100000 >&2; exit 1'
	seq 100000 | cmp - "$err"
	shows sent 'select(.type == "cron") | .payload | (length <= 16384 and length > 16300), endswith("99999\n100000"), test("^[0-9]{5}\n")' 'true true true'
	rm sent
	timed --on-failure cron -- sh -c 'head -c 100000 /dev/zero | tr "\0" x >&2; exit 1'
	shows sent 'select(.type == "cron") | .payload | length' 16384
}

@test "a process left in the background does not hold up the end" {
	# bats waits for whoever holds its descriptor 3
	timed --on-failure f -- sh -c '{ i=0; until [ -e over ] || [ $i -eq 1000 ]; do i=$((i + 1)); sleep 0.02; done; } & echo $! >left; echo bye >&2; exit 1' 3>&-
	kill -0 "$(cat left)" || fail "it was waited for"
	: >over
	expect_status 1
	shows sent 'select(.type == "f") | .payload' '"bye"'
}

@test "signals go on to the command, which decides what they do" {
	for signal in TERM HUP USR1 USR2; do
		rm -f ready sent
		metlog-send --timer t --to file:sent -- sh -c "trap 'exit 42' $signal; : >ready; while :; do sleep 0.02; done" &
		pid=$!
		await 10 test -e ready
		kill -$signal $pid
		status=0
		wait $pid || status=$?
		[ "$status" -eq 42 ] || fail "$signal: exit status $status"
		shows sent '.fields.exit_status' 42
	done
}

@test "what the caller ignores stays ignored in the command" {
	nohup metlog-send --timer t --to file:sent -- sh -c 'kill -HUP $$; echo alive' >alive 2>/dev/null
	expect_in alive alive
	shows sent '.fields.exit_status' 0
	grep -i 'Sig[IB]' /proc/self/status >before
	metlog-send --timer t --to file:sent -- grep -i 'Sig[IB]' /proc/self/status >states
	diff before states || fail "the command's signals are not as ours"
}

@test "Ctrl-C in a terminal reaches the command once" {
	need python3
	cat >terminal.py <<-'END'
	import os, pty, sys
	pid, terminal = pty.fork()
	if pid == 0:
	    os.execvp(sys.argv[1], sys.argv[1:])
	output, sent = b'', False
	while True:
	    try:
	        piece = os.read(terminal, 1000)
	    except OSError:
	        break
	    output += piece
	    if b'ready' in output and not sent:
	        sent = True
	        os.write(terminal, b'\x03')
	print(output.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	END
	cat >command.sh <<-'END'
	trap 'n=$((n + 1))' INT
	echo ready
	until [ "$n" ]; do sleep 0.05; done
	for i in 1 2 3 4 5; do sleep 0.05; done
	echo "interrupts: $n"
	exit 7
	END
	# A second SIGINT that comes at once melts into the first: only the system calls tell whether we send one.
	watch=
	if has strace && ! sanitized; then watch='strace -o trace -e trace=kill'; fi
	python3 terminal.py $watch metlog-send --timer t --to file:sent -- sh command.sh >seen
	[ -z "$watch" ] || ! grep 'kill(' trace >&2 || fail "SIGINT was passed on"
	expect_in seen 'interrupts: 1'
	expect_in seen ' 7'
	shows sent '.fields.exit_status' 7
}

@test "a hand-over that fails is said and leaves the command's exit status alone" {
	for status_of_command in 0 5; do
		separately metlog-send --timer t --to file:absent/x -- sh -c "exit $status_of_command"
		expect_status "$status_of_command"
		expect_in "$err" absent/x
		separately metlog-send --strict --timer t --to file:absent/x -- sh -c "exit $status_of_command"
		expect_status "$([ "$status_of_command" = 0 ] && echo 73 || echo 5)"
	done
	separately metlog-send --timer t -- true >/dev/full
	separately metlog-send --timer t --to unix:absent --timeout 50ms -- true
	expect_status 0
	expect_in "$err" '0 of 1 envelopes were handed over'
}

@test "a command runs whether or not its timer is chosen, and is never taken for options" {
	timed --rate 0 -- sh -c 'echo ran'
	expect_in "$out" ran
	[ ! -e sent ] || expect_empty sent
	timed ls a
	expect_status 64
	expect_in "$err" 'goes behind --'
	timed
	expect_status 64
	timed -n -- true
	expect_status 64
	timed --timer u -- true
	expect_status 64
}

@test "a file is appended to, and opened again after SIGHUP" {
	separately metlog-send --to file:sent one
	separately metlog-send --to file:sent two
	expect_status 0
	expect_empty "$out"
	shows sent .payload '"one" "two"'
	mkfifo fifo
	metlog-send --to file:log <fifo &
	pid=$!
	exec 7>fifo
	echo a >&7
	await 10 grep -q '"a"' log
	mv log log.1
	kill -HUP $pid
	await 10 sh -c 'echo b >&7; grep -qs \"b\" log'
	exec 7>&-
	wait $pid
	shows log.1 '.payload == "a"' true
}

@test "a full disk is 74, at a file and at standard output" {
	[ -w /dev/full ] || skip "there is no /dev/full"
	status=0
	seq 10 | metlog-send >/dev/full 2>err || status=$?
	expect_status 74
	separately metlog-send --to file:/dev/full x
	expect_status 74
	expect_in "$err" '0 of 1'
	separately metlog-send --to file:/nonexistent/x x
	expect_status 73
}

@test "without a far side nothing is lost in silence: 75, and how many of how many" {
	for to in unix:absent tcp:127.0.0.1:1 udp:127.0.0.1:1 push:tcp://127.0.0.1:1 pub:tcp://127.0.0.1:1 push:ipc://./absent pub:@ipc://./lonely; do
		for _ in 1 2 3; do # a machine that stands still takes time of its own, though not each time
			SECONDS=0
			separately metlog-send --to $to --timeout 100ms x
			expect_status 75
			expect_in "$err" "$to: 0 of 1 envelopes were handed over: "
			[ "$SECONDS" -ge 4 ] || break
		done
		[ "$SECONDS" -lt 4 ] || fail "$to took $SECONDS s"
	done
	seq 5 >input
	separately metlog-send --to unix:absent --timeout 100ms --stats stats <input
	expect_status 75
	shows stats '.fields | [.passed, .unsent >= 1]' '[0,true]'
}

@test "an endpoint that nothing can be sent to is wrong usage" {
	for to in sub:tcp://127.0.0.1:1 pull:ipc://x nonsense udp:host spool:dir ''; do
		separately metlog-send --to "$to" x
		expect_status 64
		expect_in "$err" --to
	done
	for timeout in x -1s 5y; do
		separately metlog-send "--timeout=$timeout" x
		expect_status 64
	done
}

@test "a dry run prints exactly the envelopes and touches nothing" {
	separately metlog-send -n --to file:sent --timestamp 2012-10-05T12:00:01Z --pid 1 --counter a b
	expect_status 0
	[ ! -e sent ]
	metlog-send --to file:sent --timestamp 2012-10-05T12:00:01Z --pid 1 --counter a b
	expect_same sent "$out"
	separately metlog-send -n --to pub:tcp://127.0.0.1:1 x
	expect_status 0
}

@test "standard input or output that is closed, or a reader that has gone, does no harm" {
	separately metlog-send x <&-
	expect_status 0
	status=0
	metlog-send x >&- 2>err || status=$?
	[ "$status" -ne 0 ]
	set +o pipefail
	seq 100000 | metlog-send 2>err | head -1 >one
	expect_empty err
}

@test "what needs no ZeroMQ does not load it" {
	need strace
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	sanitized && skip "a sanitizer build cannot be traced"
	strace -f -e trace=openat,open -o trace metlog-send --counter a --to file:sent
	[ -z "$(grep libzmq trace)" ]
	strace -f -e trace=openat,open -o trace metlog-send --to push:ipc://./absent --timeout 10ms a || true
	grep -q libzmq trace
}

@test "interrupted calls change no byte" {
	need strace
	strace -o /dev/null -e inject=write:error=EINTR:when=1 true 2>/dev/null || skip "strace may not trace here"
	sanitized && skip "a sanitizer build cannot be traced"
	seq 2000 >input
	given=(--timestamp 2012-10-05T12:00:01Z --pid 1)
	metlog-send "${given[@]}" <input >expected
	# Only what goes to these two files: an interrupted read of the loader's ends a program before it begins.
	strace -f -o trace -P "$PWD/input" -P "$PWD/got" -e trace=read,write -e inject=read:error=EINTR:when=1+2 -e inject=write:error=EINTR:when=1+2 \
		metlog-send "${given[@]}" <input >got
	grep -q 'read.*INJECTED' trace
	grep -q 'write.*INJECTED' trace
	expect_same expected got
}
