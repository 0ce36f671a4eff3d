# metlog-route-commands.bats - commands and endpoints, slow and failing destinations, signals.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	exec 8>&- || true
	local pid
	for pid in ${children-}; do kill -9 "$pid" 2>/dev/null || true; done
}

envelopes() {
	awk -v i="$1" -v to="$2" 'BEGIN { for (; i <= to; i++) printf "{\"type\":\"t\",\"payload\":\"%d\",\"severity\":%d}\n", i, i % 8 }'
}

# count NAME: of the statistics in the file `books`; of all of them, not of a route.
count() { tail -1 books | grep -oE "\"$1\":[0-9]+" | head -1 | grep -oE '[0-9]+$'; }

# many: 40,000 envelopes, some 1.7 MB: more than the buffer of a route and a pipe.
many() { awk 'BEGIN { for (i = 0; i < 40000; i++) printf "{\"type\":\"t\",\"severity\":%d,\"payload\":\"%d\"}\n", i % 8, i }' >many; }

# start_router ARGUMENT...: the router in the background, its input the descriptor 8.
start_router() {
	mkfifo in
	metlog-route "$@" <in >live 2>err 3>&- &
	router=$!
	children+=" $router"
	exec 8>in
}

# refute COMMAND...: fails if the command succeeds; a bare ! would not end a test.
refute() { ! "$@"; }

lines() { [ "$(wc -l <"$1")" -eq "$2" ]; }

@test "a command gets its envelopes on standard input, and its end is awaited" {
	many
	metlog-route -r 'a: severity <= 3 => | cat >low; sleep 0.2; echo done >finished' -d '| cat >high' many
	[ -s finished ]
	grep -E '"severity":[0-3],' many | cmp - low
	grep -E '"severity":[4-7],' many | cmp - high
}

@test "a small buffer fills and empties, however long the lines are and however late the command reads" {
	local kib
	many
	separately timeout 30 metlog-route --max-line 1000 -d '| cat >got buffer=4Ki' many
	expect_status 0
	cmp many got
	for kib in 190 900; do
		for _ in 1 2 3 4 5 6 7 8; do printf '{"payload":"%*s"}\n' $((kib * 1000)) x; done >long
		separately timeout 30 metlog-route --max-line "${kib}Ki" -d '| sleep 0.3; dd bs=131072 count=1 >got 2>/dev/null; sleep 0.3; cat >>got buffer=4Ki' long
		expect_status 0
		cmp long got
	done
}

@test "nothing out of a message becomes part of a command" {
	printf '{"type":"$(touch owned)","payload":"; touch owned\\n`touch owned`"}\n' >in
	metlog-route -d '| cat >got' in
	cmp in got
	[ ! -e owned ]
}

@test "a command that dies is started again: its successor begins with a whole line, and no unread line is lost" {
	need python3
	cat >reader <<-'END'
		import os, sys
		left, line = 9000, b""
		while left:
		    c = os.read(0, 1)
		    if not c: break
		    line += c
		    if c == b"\n":
		        left -= 1
		        os.write(1, line) if line.startswith(b'{"type"') else os.write(1, b"torn: " + line)
		        line = b""
		if not left:
		    os.read(0, 7)  # the head of the next line
		    os._exit(9)
	END
	head -c 0 /dev/null >got
	many
	head -20000 many >in
	separately metlog-route -d '| exec python3 reader >>got' --stats books in
	expect_status 69
	expect_in "$err" 'route default: | exec python3 reader >>got exited with status 9; starting it again in 0.'
	cmp in got
	[ "$(count undelivered)" = 0 ]
}

@test "a command's failure is in the exit status, with its route and its status on standard error" {
	envelopes 1 10 >in
	separately metlog-route -r 'bad: TRUE => | cat >/dev/null; exit 3' -d - in
	expect_status 69
	expect_in "$err" 'route bad: '
	expect_in "$err" 'exited with status 3'
	separately metlog-route -d '| cat >/dev/null; exit 75' in
	expect_status 75
	separately metlog-route -d '| cat >/dev/null; kill -9 $$' in
	expect_status 69
	expect_in "$err" 'killed by signal 9'
	separately metlog-route -d '| cat >/dev/null' in
	expect_status 0
	expect_empty "$err"
}

@test "what a command will not take is counted, and the others go on" {
	many
	separately metlog-route -r 'bad: TRUE => | no-such-command' -r 'good: TRUE => file:good' -d drop --stats books many
	expect_status 69
	expect_in "$err" 'route bad: | no-such-command exited with status 127; it is not started again'
	cmp many good
	[ "$(count undelivered)" = 40000 ]
	[ "$(count passed)" = 40000 ]
	head -5 many >few
	separately metlog-route -d '| exit 1' --stats books few
	expect_status 69
	expect_in "$err" '5 envelopes undelivered'
	[ "$(count undelivered)" = 5 ]
}

@test "full=block waits for a slow command and loses nothing" {
	many
	separately metlog-route -r 'slow: TRUE => | sleep 0.5; cat >slow buffer=64Ki' -r 'fast: TRUE => file:fast' -d drop many
	expect_status 0
	cmp many slow
	cmp many fast
}

@test "full=drop drops whole lines for the slow route alone, and counts them" {
	many
	cat many many many >longer
	separately metlog-route -r 'slow: TRUE => | until [ -e go ]; do sleep 0.05; done; cat >slow full=drop buffer=64Ki' \
		-r 'fast: TRUE => | cat >fast; touch go' -d drop --stats books longer
	expect_status 0
	cmp longer fast
	full=$(grep -oE '"slow":\{"matched":120000,"full":[0-9]+' books | grep -oE '[0-9]+$')
	[ "$full" -gt 0 ]
	[ $((full + $(wc -l <slow))) -eq 120000 ]
	refute grep -qvE '^\{"type":"t","severity":[0-7],"payload":"[0-9]+"\}$' slow
}

@test "a full disk on one route is 74 and names it; the others go on" {
	many
	separately metlog-route -r 'full: TRUE => file:/dev/full' -r 'good: TRUE => file:good' -d drop --stats books many
	expect_status 74
	expect_in "$err" 'route full: file:/dev/full: No space left on device'
	cmp many good
	[ "$(wc -l <"$err")" -eq 1 ]
	[ "$(count undelivered)" = 40000 ]
	separately metlog-route -d - -r 'good: TRUE => file:good' many >/dev/full
	expect_status 0
}

@test "a disk that fills up keeps whole lines, and the message tells where they end" {
	mkdir small
	mount -t tmpfs -o size=256k none small 2>/dev/null || skip "no tmpfs can be mounted here"
	many
	separately metlog-route -r 'a: TRUE => file:small/a' -r 'b: TRUE => file:b' -d drop many
	size=$(stat -c %s small/a) last=$(tail -c 1 small/a | od -An -c | tr -d ' ')
	head -c "$size" many | cmp - small/a && same=yes
	umount small
	expect_status 74
	expect_in "$err" "small/a: at byte $size: "
	[ "$last" = '\n' ]
	[ "$same" = yes ]
	cmp many b
}

@test "a reader of standard output that goes away does not stop the other routes" {
	many
	{ status=0; metlog-route -r 'a: TRUE => -' -r 'b: TRUE => file:b' -d drop many 2>err || status=$?; echo "$status" >code; } | head -1 >/dev/null
	[ "$(cat code)" = 74 ]
	expect_in err 'standard output: Broken pipe'
	cmp many b
}

@test "SIGHUP opens files anew: a rotated file gets no more lines, and none is lost" {
	start_router -d file:log --rejects bad
	{ echo nonsense; envelopes 1 5; } >&8
	await 10 lines log 5
	mv log log.1
	mv bad bad.1
	kill -HUP "$router"
	await 10 grep -q 'files were opened anew' err
	{ echo rubbish; envelopes 6 9; } >&8
	exec 8>&-
	wait "$router"
	lines log.1 5
	lines log 4
	expect_in bad.1 nonsense
	expect_in bad rubbish
}

@test "SIGHUP reads the routes again: all new, and a command that stays keeps running" {
	printf '%s\n' 'route keep TRUE => | echo $$ >>pids; cat >kept' 'route old TRUE => file:old' 'route gone TRUE => | cat >gone; echo x >gone.end' 'default => drop' >conf
	start_router -c conf --stats books
	envelopes 1 5 >&8
	await 10 lines old 5
	printf '%s\n' 'route keep TRUE => | echo $$ >>pids; cat >kept' 'route new TRUE => file:new' 'default => drop' >conf
	kill -HUP "$router"
	await 10 grep -q 'conf was read again: 2 routes' err
	await 10 test -s gone.end
	envelopes 6 9 >&8
	await 10 lines new 4
	exec 8>&-
	wait "$router"
	lines pids 1
	lines kept 9
	lines old 5
	lines gone 5
	grep -q '"keep":{"matched":9,' books
	grep -q '"new":{"matched":4,' books
}

@test "SIGHUP with a mistake in the file, or a destination that cannot be opened, keeps all old routes" {
	printf '%s\n' 'route a TRUE => file:a' 'default => drop' >conf
	start_router -c conf
	envelopes 1 1 >&8
	await 10 lines a 1
	printf '%s\n' 'route b TRUE => file:b' 'route c bogus => -' 'default => drop' >conf
	kill -HUP "$router"
	await 10 grep -q 'stay as they were' err
	expect_in err 'conf:2:9: '
	printf '%s\n' 'route b TRUE => file:b' 'route c TRUE => file:no/such/folder' 'default => drop' >conf
	kill -HUP "$router"
	await 10 grep -q no/such/folder err
	envelopes 2 3 >&8
	await 10 lines a 3
	exec 8>&-
	wait "$router"
	[ ! -s b ]
}

@test "SIGTERM delivers what was read and ends the commands" {
	start_router -r 'a: TRUE => | cat >a; echo bye >>end' -d drop
	envelopes 1 100 >&8
	await 10 lines a 100
	envelopes 101 200 >&8
	kill -TERM "$router"
	status=0
	wait "$router" || status=$?
	expect_status 0
	[ -s end ]
	[ "$(tail -c 2 a)" = '}' ]
}

@test "a command that takes no more holds SIGTERM up for --grace and no longer; what is lost is counted" {
	many
	start_router -d '| exec sleep 600' --grace 0.3s --stats books
	cat many many >&8 &
	children+=" $!"
	sleep_of() { pgrep -P "$router" -x sleep; }
	await 10 sleep_of
	stuck=$(sleep_of)
	# More than the pipe to the command holds, so that some is left over.
	has_read() { awk -v least="$1" '$1 == "rchar:" { exit !($2 > least) }' "/proc/$router/io"; }
	await 10 has_read 600000 || fail "the router has not read enough"
	kill -TERM "$router"
	status=0
	wait "$router" || status=$?
	expect_status 69
	expect_in err 'envelopes undelivered'
	[ "$(count undelivered)" -gt 0 ]
	refute kill -0 "$stuck" 2>/dev/null
}

@test "an endpoint is served by a child metlog-send: its lines arrive byte for byte" {
	need python3
	[ -x "$TOOLS/metlog-send" ] || skip "metlog-send is not built"
	printf '%s\n' '{"payload":"no other member"}' '  {"type":"t","payload":1e2}' >in
	python3 - >got 3>&- <<-'END' &
		import socket, os
		s = socket.socket(socket.AF_INET, socket.SOCK_STREAM); s.bind(("127.0.0.1", 0)); s.listen(1)
		open("port.tmp", "w").write(str(s.getsockname()[1])); os.rename("port.tmp", "port")
		s.settimeout(20); c, _ = s.accept()
		while True:
		    b = c.recv(65536)
		    if not b: break
		    os.write(1, b)
	END
	peer=$!
	children+=" $peer"
	await 10 test -e port
	separately metlog-route -d "tcp:127.0.0.1:$(cat port)" in
	expect_status 0
	expect_empty "$err"
	wait "$peer"
	cmp in got
}

@test "udp:, unix:, tcp:, push: and pub: are destinations: a metlog-recv behind each gets every line" {
	[ -x "$TOOLS/metlog-recv" ] || skip "metlog-recv is not built"
	envelopes 1 50 >in
	local kind from
	for kind in udp tcp unix push pub; do
		case $kind in
		udp | tcp) from=$kind:127.0.0.1:0 ;;
		unix) from=unix:$PWD/sock ;;
		push) from='pull:tcp://127.0.0.1:*' ;;
		pub) from='sub:tcp://127.0.0.1:*' ;;
		esac
		rm -f ready got
		metlog-recv --from "$from" --ready ready >got 3>&- &
		children+=" $!"
		await 10 test -e ready
		separately metlog-route -d "$(sed 's/^pull:/push:/; s/^sub:/pub:/' ready)" in
		expect_status 0
		expect_empty "$err"
		await 10 lines got 50 || fail "$kind: $(wc -l <got) of 50"
		cmp in got
	done
}

@test "an endpoint whose far side is away is 75 after --grace, and what waited is counted" {
	[ -x "$TOOLS/metlog-send" ] || skip "metlog-send is not built"
	envelopes 1 10 >in
	separately metlog-route -d "unix:$PWD/nobody" --grace 0.3s in
	expect_status 75
	expect_in "$err" 'route default: unix:'
}

@test "an endpoint whose metlog-send is stopped after --grace before it hears signals is 75, too" {
	mkdir bin
	cp "$(command -v metlog-route)" bin/
	printf '#!/bin/sh\nexec sleep 600\n' >bin/metlog-send
	chmod +x bin/metlog-send
	envelopes 1 10 >in
	separately bin/metlog-route -d "unix:$PWD/nobody" --grace 0.3s in
	expect_status 75
	expect_in "$err" '10 envelopes undelivered'
	separately bin/metlog-route -d "unix:$PWD/nobody full=spool spool=s" --grace 0.3s in
	expect_status 75
	expect_in "$err" '10 envelopes are kept in spool:s'
}

@test "two routes to the same command are two processes" {
	envelopes 1 8 >in
	metlog-route -r 'a: TRUE => | cat >>both' -r 'b: TRUE => | cat >>both' -d drop in
	lines both 16
}

# ended PID
ended() { ! kill -0 "$1" 2>/dev/null; }

@test "a command that cannot be started any more does not keep the router from its end" {
	mkdir bin
	cp "$(command -v metlog-route)" "$(command -v metlog-send)" bin/
	mkfifo in
	exec 5<>in
	PATH=/usr/bin:/bin bin/metlog-route -d tcp:127.0.0.1:1 <in 2>err 5>&- &
	router=$!
	await 10 pgrep -P $router
	rm bin/metlog-send
	pkill -P $router
	await 10 grep -q 'did not start' err
	printf '{"n":1}\n' >&5
	exec 5>&-
	await 20 ended $router || { kill -9 $router; fail "it goes on for ever: $(cat err)"; }
	status=0
	wait $router || status=$?
	[ "$status" -ne 0 ]
	expect_in err '1 envelope undelivered'
}

@test "words of access behind pub: and push: reach metlog-send, each once; behind anything else they are none" {
	mkdir bin
	cp "$(command -v metlog-route)" bin/
	printf '#!/bin/sh\nprintf "%%s\\n" "$@" >arguments\ncat >got\n' >bin/metlog-send
	chmod +x bin/metlog-send
	printf '{"n":1}\n' | bin/metlog-route -d 'push:tcp://collector:5566 curve-server=/k/insecure buffer=8Ki insecure full=drop curve-secret=/k/mine'
	printf '%s\n' --json --as-is --timeout 0 --to push:tcp://collector:5566 --curve-secret=/k/mine --insecure --curve-server=/k/insecure >expected
	expect_same expected arguments
	expect_in got '{"n":1}'
	for wrong in 'push:tcp://c:1 insecure insecure' 'push:tcp://c:1 curve-server=' 'udp:127.0.0.1:1 insecure' 'file:x insecure'; do
		separately metlog-route --check -d "$wrong"
		expect_status 78
	done
	printf '{"n":1}\n' | metlog-route -d '| cat >out; echo insecure'
	expect_in out '{"n":1}'
}
