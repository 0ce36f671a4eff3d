# metlog-tail-live.bats - metlog-tail on what goes on: files that grow, rotate and shrink, live endpoints, a slow terminal.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load tail
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	local pid
	exec 7>&- 8>&-
	for pid in ${children-}; do kill "$pid" 2>/dev/null || true; done
}

# --- following ---

lines_are() { [ "$(wc -l <"$1")" -eq "$2" ]; }
sees() { await 10 lines_are live "$1" || fail "shown: $(wc -l <live) lines, not $1; $(cat live.err)"; }

@test "keys are for the ZeroMQ endpoints among several; for one that has none they are wrong usage" {
	separately timeout 30 metlog-tail --from udp:127.0.0.1:0 --curve-server some.key
	expect_status 64
	background metlog-tail --from udp:127.0.0.1:0 --from 'sub:>tcp://127.0.0.1:1' --curve-server none.key
	await 10 grep -q 'exited with status 66' live.err || fail "$(cat live.err)"
	kill -TERM "$pid"
	wait "$pid" || [ $? -eq 66 ]
	[ "$(grep -c 'exited with' live.err)" -eq 1 ] || fail "$(cat live.err)" # the other went on
}

@test "how the receiver of --from ended is told, even to a caller that ignores SIGCHLD" {
	need python3
	separately timeout 30 python3 -c 'import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execvp(sys.argv[1], sys.argv[1:])' metlog-tail --from 'sub:tcp://0.0.0.0:*'
	expect_status 78
	expect_in "$err" 'metlog-recv exited with status 78'
}

@test "-f shows the last 10, then what is appended, and not before its line is whole" {
	numbered 1 30 >in
	background metlog-tail -f --stats stats in
	sees 10
	numbered 31 31 >>in
	sees 11
	numbered 32 32 | head -c 40 | tr -d '\n' >>in
	numbered 33 33 >>other
	sleep 0.3
	lines_are live 11
	numbered 32 32 | tail -c +41 >>in
	sees 12
	kill "$pid"
	status=0
	wait "$pid" || status=$?
	expect_status 0
	numbered 21 32 >wanted
	expect_same wanted live
	expect_in stats '"read":12,"passed":12'
	expect_empty live.err
}

@test "-f -N all, and --since without -N, begin at the beginning" {
	numbered 1 30 >in
	background metlog-tail -f -N all in
	sees 30
	kill "$pid"
	background metlog-tail -f --since 2012-01-01 in
	sees 30
	kill "$pid"
	background metlog-tail -f -N 0 in
	await 10 eval 'numbered 31 31 >>in; test -s live' # a line that comes before it has begun is none of those it shows
	never grep -v 'line 31"' live
}

@test "-f follows by name: a rotated file is read to its end, its late lines too, then the new one" {
	numbered 1 3 >in
	background metlog-tail -f in
	sees 3
	exec 7>>in
	numbered 4 5 >&7
	mv in in.1
	numbered 6 7 >&7
	numbered 8 9 >in
	sees 9
	numbered 10 10 >&7
	sees 10
	exec 7>&-
	numbered 11 11 >>in
	sees 11
	await 5 grep -q 'in: rotated' live.err
	numbered 1 11 >wanted
	sort -V live >got
	sort -V wanted >wanted.sorted
	expect_same wanted.sorted got
	numbered 8 11 | grep -v 'line 10"' >wanted
	grep -E 'line (8|9|11)"' live >got
	expect_same wanted got
}

@test "-f: a last line without a newline in a file that was rotated away is shown after all" {
	numbered 1 1 >in
	background metlog-tail -f in
	sees 1
	numbered 2 2 | tr -d '\n' >>in
	mv in in.1
	numbered 3 3 >in
	sees 3
	expect_in live 'line 2"'
}

@test "-f: a truncated file is read from its start again" {
	numbered 1 5 >in
	background metlog-tail -f in
	sees 5
	: >in
	await 5 grep -q 'in: truncated' live.err
	numbered 6 6 >>in
	sees 6
	numbered 6 6 >wanted
	tail -n 1 live >got
	expect_same wanted got
}

@test "-f waits for a file that is not there yet, and for one that has gone" {
	background metlog-tail -f in
	await 5 grep -q 'in: No such file' live.err
	numbered 1 1 >in
	sees 1
	rm in
	await 5 grep -q 'waiting for it to come back' live.err
	numbered 2 2 >in
	sees 2
}

@test "-f follows several files at once, and a symbolic link to the file it names now" {
	numbered 1 1 >a
	numbered 2 2 >b
	ln -s b link
	background metlog-tail -f --pretty a link
	sees 5
	numbered 3 3 >>b
	sees 6
	numbered 4 4 >>a
	sees 8
	expect_in live '==> link <=='
	numbered 5 5 >c
	ln -sfn c link
	sees 10
}

@test "-f is idle when nothing comes, and without inotify looks by itself" {
	need strace
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	sanitized && skip "a sanitizer build cannot be traced"
	numbered 1 1 >in
	background strace -D -f -o trace "$(command -v metlog-tail)" -f in
	sees 1
	before=$(wc -l <trace)
	sleep 1.5
	[ $(($(wc -l <trace) - before)) -lt 40 ] || fail "$(tail -n 30 trace)"
	background strace -D -f -o /dev/null -e trace=inotify_init1 -e inject=inotify_init1:error=EMFILE "$(command -v metlog-tail)" -f in
	sees 1
	numbered 2 2 >>in
	sees 2
}

@test "a follower ends by itself, quietly, when the reader of its output goes away" {
	numbered 1 1 >in
	rm -f pipe && mkfifo pipe
	metlog-tail -f in >pipe 2>err 3>&- &
	pid=$!
	children+=" $pid"
	head -1 pipe >got
	gone() { ! kill -0 "$pid" 2>/dev/null; }
	await 5 gone
	status=0
	wait "$pid" || status=$?
	[ "$status" = 141 ] || [ "$status" = 0 ]
	expect_empty err
}

# --- live ---

@test "--from shows what a metlog-recv takes, which is started for it and ends with it" {
	[ -x "$TOOLS/metlog-recv" ] || skip "metlog-recv is not built"
	[ -x "$TOOLS/metlog-send" ] || skip "metlog-send is not built"
	background metlog-tail --from "unix:$PWD/socket" --format '{payload}'
	await 10 test -S socket || fail "no socket: $(cat live.err)"
	receiver=$(pgrep -P "$pid")
	metlog-send --to "unix:$PWD/socket" hello
	await 10 grep -q '^hello$' live || fail "$(cat live live.err)"
	kill "$pid"
	status=0
	wait "$pid" || status=$?
	expect_status 0
	gone() { ! kill -0 "$receiver" 2>/dev/null; }
	await 5 gone
}

@test "--from: an endpoint that cannot be had gives the receiver's exit status" {
	[ -x "$TOOLS/metlog-recv" ] || skip "metlog-recv is not built"
	separately timeout 20 metlog-tail --from nonsense:x
	[ "$status" -ge 64 ]
	[ "$status" -le 78 ]
	expect_in "$err" metlog-recv
	separately metlog-tail --insecure </dev/null
	expect_status 64
}

@test "a live stream is read on while the terminal stands still, and what was skipped is counted" {
	[ -x "$TOOLS/metlog-recv" ] || skip "metlog-recv is not built"
	need python3
	NO_COLOR=1 python3 - "unix:$PWD/socket" <<-'END'
	import json, os, pty, re, socket, sys, time
	pid, fd = pty.fork()
	if pid == 0:
	    os.execvp("metlog-tail", ["metlog-tail", "--from", sys.argv[1], "--stats", "stats"])
	path, deadline = sys.argv[1][5:], time.monotonic() + 30
	while not os.path.exists(path):
	    assert time.monotonic() < deadline
	    time.sleep(0.02)
	while True:
	    try:
	        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM); s.connect(path); break
	    except ConnectionRefusedError:
	        assert time.monotonic() < deadline
	line = json.dumps({"type": "t", "payload": "x" * 1000}) + "\n"
	s.settimeout(60)
	for _ in range(10000):               # 10 MB, while nobody reads the terminal
	    s.sendall(line.encode())
	s.close()
	seen, deadline = b"", time.monotonic() + 60
	def told(): # lines that were shown, and those that were not
	    return seen.count(b"INFO") + sum(int(n) for n in re.findall(rb"(\d+) envelopes were not shown here", seen))
	while told() < 10000:
	    assert time.monotonic() < deadline, seen[-500:]
	    seen += os.read(fd, 65536)
	os.kill(pid, 15)
	while True:
	    try:
	        more = os.read(fd, 65536)
	    except OSError:
	        break
	    if not more: break
	    seen += more
	os.waitpid(pid, 0)
	fields = json.loads(open("stats").read())["fields"]
	assert fields["read"] == fields["passed"] + fields["dropped"] == 10000, fields
	assert fields["skipped"] == fields["dropped"] > 0, fields
	assert seen.count(b"INFO") == fields["passed"], (seen.count(b"INFO"), fields)
	END
}
