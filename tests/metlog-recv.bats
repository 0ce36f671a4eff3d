# metlog-recv.bats - what the manual promises of UDP, TCP and unix sockets, of frames, and of the way in and out.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load recv
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	local pid
	for pid in ${receiver-} ${sender-}; do kill -9 "$pid" 2>/dev/null || true; done
}

# datagram TEXT: one datagram with these bytes. What one write brings is a datagram, and bash's printf writes line by line.
datagram() {
	printf '%s' "$1" >message
	cat message >"/dev/udp/127.0.0.1/$(port udp)"
}

@test "a datagram is an envelope, with or without its newline" {
	receive --from udp:127.0.0.1:0
	datagram '{"type":"a"}'
	datagram $'{"type":"b"}\n'
	await_lines 2
	stop
	printf '{"type":"a"}\n{"type":"b"}\n' >want
	expect_same got want
	expect_empty err
}

@test "a datagram may hold several lines" {
	receive --from udp:127.0.0.1:0
	datagram $'{"type":"a"}\n\n{"type":"b"}\n{"type":"c"}'
	await_lines 3
	stop
	printf '{"type":"a"}\n{"type":"b"}\n{"type":"c"}\n' >want
	expect_same got want
}

@test "a document indented over several lines is one envelope" {
	receive --from udp:127.0.0.1:0 --stats books
	datagram $'{\n    "type": "a",\n    "payload": "say \\"{\\" \\\\"\n}\n'
	await_lines 1
	stop
	printf '{     "type": "a",     "payload": "say \\"{\\" \\\\" }\n' >want
	expect_same got want
	[ "$(count books documents)" = 1 ]
	[ "$(count books read)" = 1 ]
}

@test "a newline inside a string makes no document" {
	receive --from udp:127.0.0.1:0 --rejects bad
	datagram $'{"type":"a\nb"}'
	await_lines 2 bad
	datagram '{}'
	await_lines 1
	stop
	[ "$(cat got)" = '{}' ]
}

@test "of several lines in a datagram a bad one is rejected alone" {
	receive --from udp:127.0.0.1:0 --rejects bad --stats books
	datagram $'{"type":"a"}\nrubbish\n{"type":"c"}\n'
	await_lines 2
	stop
	printf '{"type":"a"}\n{"type":"c"}\n' >want
	expect_same got want
	[ "$(count books datagrams)" = 1 ]
	expect_in bad '"payload":"rubbish"'
	expect_in bad '"source":"udp:127.0.0.1:0","line":2'
	[ "$(count books read)" = 3 ]
	[ "$(count books passed)" = 2 ]
	[ "$(count books rejected)" = 1 ]
}

@test "the longest datagram arrives whole" {
	receive --from udp:127.0.0.1:0
	need python3
	python3 - "$(port udp)" <<-'P'
		import socket, sys
		line = b'{"payload":"' + b"x" * (65507 - 14) + b'"}'
		socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(line, ("127.0.0.1", int(sys.argv[1])))
	P
	await_lines 1
	stop
	[ "$(wc -c <got)" -eq 65508 ]
}

@test "an empty datagram is nothing" {
	receive --from udp:127.0.0.1:0 --stats books
	need python3
	python3 -c 'import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("127.0.0.1", int(sys.argv[1]))); s.send(b""); s.send(b"{}")' "$(port udp)"
	await_lines 1
	stop
	[ "$(count books read)" = 1 ]
	[ "$(count books datagrams)" = 2 ]
}

@test "what the kernel drops from a full socket is counted" {
	need python3
	receive --from udp:127.0.0.1:0 --receive-buffer 4096 --stats books
	kill -STOP "$receiver"
	python3 - "$(port udp)" <<-'P'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for i in range(1000): s.sendto(b'{"payload":"' + b"x" * 1000 + b'"}', ("127.0.0.1", int(sys.argv[1])))
	P
	kill -CONT "$receiver"
	await_lines 1
	stop
	[ "$(count books kernel_drops)" -gt 0 ]
	[ $(($(count books kernel_drops) + $(count books read))) -eq 1000 ]
}

@test "tcp: takes lines from several connections at once" {
	receive --from tcp:127.0.0.1:0 --stats books
	exec 5<>"/dev/tcp/127.0.0.1/$(port tcp)" 6<>"/dev/tcp/127.0.0.1/$(port tcp)"
	printf '{"type":"a"}\n{"ty' >&5
	printf '{"type":"b"}\n' >&6
	await_lines 2
	printf 'pe":"c"}\n' >&5
	await_lines 3
	exec 5>&- 6>&-
	stop
	expect_in got '{"type":"c"}'
	[ "$(count books connections)" = 2 ]
}

@test "a line that comes byte by byte is one line" {
	receive --from tcp:127.0.0.1:0
	need python3
	python3 - "$(port tcp)" <<-'P'
		import socket, sys
		s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		for byte in b'{"type":"a"}\n{"type":"b"}\n': s.send(bytes([byte]))
	P
	await_lines 2
	stop
	printf '{"type":"a"}\n{"type":"b"}\n' >want
	expect_same got want
}

@test "half a line at the end of a connection is a reject" {
	receive --from tcp:127.0.0.1:0 --rejects bad
	printf '{"type":"a"}\n{"type":"b"}' >"/dev/tcp/127.0.0.1/$(port tcp)"
	await_lines 1 bad
	stop
	printf '{"type":"a"}\n' >want
	expect_same got want
	expect_in bad 'the connection ended within the line'
}

@test "a line over --max-line is one reject, and the next line is read" {
	receive --from tcp:127.0.0.1:0 --rejects bad --max-line 1000 --stats books
	{ printf '{"payload":"'; head -c 3000000 /dev/zero | tr '\0' x; printf '"}\n{"type":"b"}\n'; } >"/dev/tcp/127.0.0.1/$(port tcp)"
	await_lines 1
	stop
	printf '{"type":"b"}\n' >want
	expect_same got want
	[ "$(wc -l <bad)" = 1 ]
	expect_in bad '"length":3000014'
	[ "$(wc -c <bad)" -lt 10000 ]
	[ "$(count books read)" = 2 ]
}

@test "connections beyond --max-clients are turned away and counted" {
	receive --from tcp:127.0.0.1:0 --max-clients 1 --stats books
	exec 5<>"/dev/tcp/127.0.0.1/$(port tcp)"
	printf '{"type":"a"}\n' >&5
	await_lines 1
	exec 6<>"/dev/tcp/127.0.0.1/$(port tcp)"
	run timeout 60 cat <&6
	[ "$status" -eq 0 ] || [ "$status" -eq 1 ]
	printf '{"type":"b"}\n' >&5
	await_lines 2
	exec 5>&- 6>&-
	stop
	[ "$(count books turned_away)" = 1 ]
	expect_in err 'turned away'
}

@test "the half lines of many connections do not take the memory" {
	need python3
	receive --from tcp:127.0.0.1:0 --rejects bad --stats books
	python3 - "$(port tcp)" <<-'P'
		import socket, sys, time
		def unread(port): # bytes that stand in the receiver's sockets
		    rows = [line.split() for line in open("/proc/net/tcp")][1:]
		    return sum(int(row[4].split(":")[1], 16) for row in rows if int(row[1].split(":")[1], 16) == port and row[3] == "01")
		socks = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(100)]
		for s in socks: s.sendall(b'{"payload":"' + b"x" * 900000)
		while unread(int(sys.argv[1])): time.sleep(0.02)
		for s in socks: s.sendall(b'"}\n{"type":"next"}\n')
		for s in socks: s.shutdown(socket.SHUT_WR)
		for s in socks: s.recv(1)
	P
	sanitized || [ "$(awk '/^VmHWM/ { print $2 }' "/proc/$receiver/status")" -lt 65536 ]
	stop
	[ "$(count books read)" = 200 ]
	[ "$(grep -c next got)" = 100 ]
	[ "$(count books rejected)" -ge 1 ]
	expect_in bad 'too many long lines have begun at once'
}

@test "--idle closes a silent connection" {
	receive --from tcp:127.0.0.1:0 --idle 100ms --rejects bad --stats books
	kill -STOP "$receiver" # we may be slower than that
	exec 5<>"/dev/tcp/127.0.0.1/$(port tcp)"
	printf '{"type":' >&5
	kill -CONT "$receiver"
	timeout 30 cat <&5 || fail "not closed"
	exec 5>&-
	stop
	expect_in bad 'idle within the line'
	[ "$(count books idle_closed)" = 1 ]
}

@test "--idle: a connection is not silent because we did not listen for so long" {
	need strace
	sanitized && skip "a sanitizer build cannot be traced"
	strace -o /dev/null -e inject=fdatasync:delay_exit=1000 true 2>/dev/null || skip "strace may not trace here"
	rm -f where
	strace -D -qq -o trace -e trace=fdatasync -e inject=fdatasync:delay_exit=2000000 "$TOOLS/metlog-recv" --ready where --from tcp:127.0.0.1:0 --idle 1s --spool kept \
		--sync-interval 1ms --rejects bad --stats books 2>err 3>&- &
	receiver=$!
	await 10 test -e where
	exec 5<>"/dev/tcp/127.0.0.1/$(port tcp)"
	printf '{"type":"a"}\n{"ty' >&5
	await 10 grep -q fdatasync trace # the disk is slow now
	printf 'pe":"b"}\n' >&5
	await 20 eval '[ "$(grep -ac fdatasync trace)" -ge 2 ]' || fail "what came meanwhile was not taken: $(cat bad)"
	exec 5>&-
	stop
	[ "$(metlog-spool cat kept | wc -l)" -eq 2 ]
}

@test "unix: takes streams on a socket file that only its owner may use, and removes it" {
	need python3
	receive --from "unix:$PWD/in.sock"
	[ "$(stat -c %a in.sock)" = 600 ]
	python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect("in.sock"); s.sendall(b"{\"type\":\"a\"}\n")'
	await_lines 1
	stop
	[ ! -e in.sock ]
}

@test "--unix-datagram takes datagrams, --mode sets the permissions" {
	need python3
	receive --from "unix:$PWD/in.sock" --unix-datagram --mode 0620
	[ "$(stat -c %a in.sock)" = 620 ]
	python3 -c 'import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect("in.sock"); s.send(b"{\"payload\":\"" + b"x" * 100000 + b"\"}")'
	await_lines 1
	stop
	[ "$(wc -c <got)" -eq 100015 ]
}

@test "a socket file left behind is replaced, a live one and a file are not" {
	receive --from "unix:$PWD/in.sock"
	separately timeout 30 metlog-recv --from "unix:$PWD/in.sock"
	expect_status 66
	expect_in "$err" 'another process listens there'
	kill -9 "$receiver"
	wait "$receiver" || true
	[ -S in.sock ]
	receive --from "unix:$PWD/in.sock"
	stop
	echo precious >in.sock
	separately timeout 30 metlog-recv --from "unix:$PWD/in.sock"
	expect_status 66
	[ "$(cat in.sock)" = precious ]
}

@test "the socket file is removed when the reader of the output goes" {
	need python3
	mkfifo pipe
	head -1 <pipe >first &
	metlog-recv --ready where --from "unix:$PWD/in.sock" >pipe 2>err &
	receiver=$!
	await 10 test -e where
	python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect("in.sock"); s.sendall(b"{}\n")'
	await 10 test -s first
	gone() { ! kill -0 "$receiver" 2>/dev/null; }
	await 10 gone || fail "it goes on without a reader"
	[ ! -e in.sock ]
	expect_empty err
}

@test "SIGTERM loses nothing that has arrived" {
	receive --from udp:127.0.0.1:0 --from tcp:127.0.0.1:0 --stats books
	kill -STOP "$receiver"
	for i in 1 2 3 4 5 6 7 8 9 10; do datagram "{\"severity\":5,\"payload\":$i}"; done
	for i in 1 2 3; do printf '{"type":"t"}\n' >"/dev/tcp/127.0.0.1/$(port tcp)"; done
	kill -TERM "$receiver"
	kill -CONT "$receiver"
	wait "$receiver"
	receiver=
	[ "$(wc -l <got)" = 13 ]
	[ "$(count books passed)" = 13 ]
}

@test "output is flushed before it waits, and SIGUSR1 prints the books" {
	receive --from udp:127.0.0.1:0
	datagram '{"type":"a"}'
	await_lines 1
	kill -USR1 "$receiver"
	await 10 grep -q '"read":1,"passed":1' err
	stop
}

@test "-m drops what does not match" {
	receive --from udp:127.0.0.1:0 -m 'type == "b"' --stats books
	datagram $'{"type":"a"}\n{"type":"b"}\n'
	await_lines 1
	stop
	echo '{"type":"b"}' >want
	expect_same got want
	[ "$(count books dropped)" = 1 ]
}

@test "rejects without --rejects are shown, counted, and make status 65" {
	receive --from udp:127.0.0.1:0
	datagram 'no'
	datagram 'nay'
	datagram '{}'
	await_lines 1
	stop 65
	expect_in err 'udp:127.0.0.1:0:1:'
	expect_in err '2 lines rejected'
}

@test "SIGHUP opens the file of rejects anew, and keeps the old one if that cannot be" {
	mkdir logs
	receive --from udp:127.0.0.1:0 --rejects logs/bad
	datagram one
	await_lines 1 logs/bad
	mv logs/bad logs/bad.1
	kill -HUP "$receiver"
	await 10 grep -q 'logs/bad was opened anew' err
	datagram two
	await_lines 1 logs/bad
	mv logs moved
	kill -HUP "$receiver"
	await 10 grep -q 'rejects go where they went' err
	datagram three
	await_lines 2 moved/bad
	stop
	[ "$(wc -l <moved/bad.1)" = 1 ]
	[ "$(stat -c %a moved/bad)" = 600 ]
}

@test "--strict ends at the first reject" {
	receive --from udp:127.0.0.1:0 --strict --stats books
	datagram 'no'
	status=0
	wait "$receiver" || status=$?
	receiver=
	err=err expect_status 65
	expect_in books '"read":1,"passed":0,"dropped":0,"rejected":1,'
}

@test "an endpoint that other hosts can reach needs --insecure" {
	for endpoint in 'udp:*:0' 'tcp:0.0.0.0:0' 'udp:[::]:0' 'sub:tcp://*:*' 'pull:tcp://0.0.0.0:*' 'sub:>tcp://192.0.2.1:5565'; do
		separately timeout 30 metlog-recv --from "$endpoint"
		expect_status 78
		expect_in "$err" --insecure
	done
	receive --from 'udp:*:0' --from 'tcp:0.0.0.0:0' --insecure
	datagram '{}'
	await_lines 1
	stop
}

@test "loopback needs no --insecure, by any of its names" {
	receive --from udp:localhost:0 --from tcp:127.9.9.9:0 --from 'sub:tcp://127.0.0.1:*'
	stop
}

@test "--ready tells real ports, and -v says them" {
	receive -v --from tcp:127.0.0.1:0 --from udp:127.0.0.1:0
	[ "$(wc -l <where)" = 2 ]
	grep -qE '^tcp:127\.0\.0\.1:[1-9][0-9]*$' where
	expect_in err "listening on $(sed -n 2p where)"
	stop
}

@test "what is no endpoint is told with its reason" {
	while read -r endpoint reason; do
		separately timeout 30 metlog-recv --from "$endpoint"
		expect_status 64
		expect_in "$err" "$reason"
	done <<-'T'
		nonsense no kind in front
		xyz:1 unknown kind
		udp:127.0.0.1 a port is missing
		udp:127.0.0.1:99999 not a number from 0 to 65535
		udp:127.0.0.1:-1 not a number from 0 to 65535
		udp:::1:5565 needs brackets
		udp:[::g]:5565 not an IPv6 address
		udp:[::1:5565 without
		unix: a path is missing
		sub:udp://x:1 does not begin with tcp:// or ipc://
		file:x nothing can be received from
		pub:tcp://127.0.0.1:1 nothing can be received from
		http://x nothing can be received from
	T
	separately timeout 30 metlog-recv
	expect_status 64
	separately timeout 30 metlog-recv file
	expect_status 64
}

@test "a port that is taken is status 66" {
	receive --from tcp:127.0.0.1:0
	separately timeout 30 metlog-recv --from "$(cat where)"
	expect_status 66
	expect_in "$err" 'Address already in use'
	stop
}

@test "a full disk is status 74" {
	[ -w /dev/full ] || skip "no /dev/full here"
	metlog-recv --ready where --from udp:127.0.0.1:0 >/dev/full 2>err &
	receiver=$!
	await 10 test -e where
	datagram '{}'
	status=0
	wait "$receiver" || status=$?
	receiver=
	err=err expect_status 74
}

@test "--ready that cannot be written is status 73" {
	separately timeout 30 metlog-recv --from udp:127.0.0.1:0 --ready /nonexistent/where
	expect_status 73
}

@test "CURVE options that no endpoint would use are a usage error, and never silence" {
	local options
	metlog-recv --curve-keygen server.key
	mkdir -m 700 clients
	for options in '--from pull:tcp://127.0.0.1:* --curve-clients clients' '--from pull:tcp://127.0.0.1:* --curve-server server.key.pub' \
		'--from sub:>tcp://127.0.0.1:9 --curve-secret server.key' '--from udp:127.0.0.1:0 --curve-secret server.key'; do
		# shellcheck disable=SC2086
		separately timeout 30 metlog-recv $options --ready where
		expect_status 64
		expect_in "$err" --curve-
		[ ! -e where ]
	done
	for options in '--to push:>tcp://127.0.0.1:9 --curve-secret server.key' '--to push:>tcp://127.0.0.1:9 --curve-clients clients' \
		'--to pub:@tcp://127.0.0.1:* --curve-clients clients' '--to tcp:127.0.0.1:9 --curve-server server.key.pub' '--curve-secret server.key'; do
		# shellcheck disable=SC2086
		separately timeout 30 metlog-send $options --timeout 100ms hello
		expect_status 64
		expect_in "$err" --curve-
	done
}

@test "key files: made for their owner alone, and refused when open to others" {
	separately metlog-recv --curve-keygen server.key
	expect_status 0
	[ "$(stat -c %a server.key)" = 600 ]
	[ "$(stat -c %a server.key.pub)" = 644 ]
	grep -q secret-key server.key
	if grep -q secret-key server.key.pub; then fail "the secret key is in the public file"; fi
	separately metlog-recv --curve-keygen server.key
	expect_status 73
	mkdir clients
	chmod 755 clients
	chmod 640 server.key
	separately timeout 30 metlog-recv --from 'sub:tcp://127.0.0.1:*' --curve-secret server.key --curve-clients clients
	expect_status 77
	chmod 600 server.key
	chmod 777 clients
	separately timeout 30 metlog-recv --from 'sub:tcp://127.0.0.1:*' --curve-secret server.key --curve-clients clients
	expect_status 77
	separately timeout 30 metlog-recv --from 'sub:tcp://127.0.0.1:*' --curve-secret server.key
	expect_status 78
	echo nothing >empty.key
	chmod 600 empty.key
	chmod 755 clients
	separately timeout 30 metlog-recv --from 'sub:tcp://127.0.0.1:*' --curve-secret empty.key --curve-clients clients
	expect_status 78
	separately timeout 30 metlog-recv --from 'sub:tcp://127.0.0.1:*' --curve-secret none.key --curve-clients clients
	expect_status 66
}
