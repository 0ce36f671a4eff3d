# recv-zmq.bats - metlog-recv against ZeroMQ clients made with python3-zmq, as the original clients behave on the wire.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load ../helper
	load ../recv
	cd "$BATS_TEST_TMPDIR"
	need_zmq
}

teardown() {
	local pid
	for pid in ${receiver-} ${sender-}; do kill -9 "$pid" 2>/dev/null || true; done
}

peer() { timeout 60 "$python" "$SOURCE/tests/peers/zmq_peer.py" "$@"; }

numbers() { seq -f '{"type":"n","payload":"%.0f"}' "$1"; }

# make_keys NAME...: key pairs NAME.key and NAME.key.pub.
make_keys() {
	local one
	for one; do metlog-recv --curve-keygen "$one.key"; done
}

@test "a Python PUB client connects, and every message arrives in order" {
	receive --from 'sub:tcp://127.0.0.1:*'
	numbers 900 >want
	peer pub-connect "$(endpoint sub)" <want
	await_lines 900
	stop
	expect_same got want
}

@test "a Node PUB client binds, with a newline in each frame" {
	numbers 500 >want
	peer pub-bind port <want &
	sender=$!
	await 10 test -s port
	receive --from "sub:>tcp://127.0.0.1:$(cat port)"
	await_lines 500
	wait "$sender"
	stop
	expect_same got want
}

@test "it connects to a client that binds later" {
	port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	receive --from "pull:>tcp://127.0.0.1:$port"
	"$python" - "$port" <<-'P'
		import sys, zmq
		sock = zmq.Context().socket(zmq.PUSH)
		sock.bind("tcp://127.0.0.1:" + sys.argv[1])
		sock.send(b'{"type":"late"}')
		sock.close(10000)
	P
	await_lines 1
	stop
}

@test "the empty request of the handshake is answered" {
	receive --from 'rep:tcp://127.0.0.1:*' --stats books
	[ "$(peer handshake "$(endpoint rep)")" = 0 ]
	[ "$(peer handshake "$(endpoint rep)")" = 0 ]
	stop
	expect_empty got
	[ "$(count books handshakes)" = 2 ]
}

@test "frames of all forms: newline inside, several lines, an indented document, topics, rubbish, nothing" {
	receive --from 'pull:tcp://127.0.0.1:*' --rejects bad --stats books
	cat >frames <<-'T'
		b'{"type":"a"}\n'
		b'{"type":"b"}\n{"type":"c"}'
		__import__("json").dumps({"type": "d", "fields": {"k": [1, 2]}}, indent=4).encode() + b"\n"
		[b"type/logger/", b'{"type":"e"}']
		[b"type/logger/", b"\0\0\0\0\0\0\0\1", b'{"type":"f"}']
		b"rubbish"
		b"\xff\xfe"
		b'{"type":"\0"}'
		b""
		b'{"type":"g"}'
	T
	peer frames "$(endpoint pull)" <frames
	await_lines 7
	stop
	printf '{"type":"%s"}\n' a b c e f g >want
	grep -v '"fields"' got >others
	expect_same others want
	"$python" -c 'import json; m = [json.loads(l) for l in open("got")]; assert m[3] == {"type": "d", "fields": {"k": [1, 2]}}, m'
	[ "$(count books read)" = 10 ]
	[ "$(count books passed)" = 7 ]
	[ "$(count books rejected)" = 3 ]
	[ "$(count books topics)" = 2 ]
	[ "$(count books documents)" = 1 ]
	[ "$(wc -l <bad)" = 3 ]
}

@test "real messages of the original clients arrive byte for byte, and what breaks the envelope's rules is rejected" {
	receive --from 'pull:tcp://127.0.0.1:*' --rejects bad --stats books
	cat >messages <<-'T'
		{"type": "counter", "timestamp": "2012-10-05T12:00:11.517021Z", "logger": "app", "severity": 6, "payload": "3", "fields": {"name": "login", "rate": 0.5}, "env_version": "0.8", "metlog_pid": 26482, "metlog_hostname": "web1"}
		{"type":"timer","timestamp":"2012-10-25T12:34:56Z","logger":"id","severity":6,"payload":"35","fields":{"name":"db query","rate":1},"env_version":"0.8","metlog_pid":7,"metlog_hostname":"n1"}
		{"type": "oldstyle", "timestamp": "2012-10-05T12:00:07", "logger": "", "severity": 99, "payload": "", "fields": {}, "env_version": "0.8"}
		{"type": "x", "fields": {"v": NaN}}
	T
	peer push "$(endpoint pull)" <messages
	await_lines 2 bad
	stop
	head -2 messages >want
	expect_same got want
	[ "$(count books read)" = 4 ]
}

@test "CURVE: a client whose key is listed is let in" {
	make_keys server client
	mkdir -m 755 clients
	cp client.key.pub clients/
	receive --from 'pull:tcp://127.0.0.1:*' --curve-secret server.key --curve-clients clients
	numbers 3 >want
	peer push "$(endpoint pull)" server=server.key.pub client=client.key <want
	await_lines 3
	stop
	expect_same got want
}

@test "CURVE: an unlisted key, a wrong server key and no key are kept out" {
	make_keys server client other
	mkdir -m 755 clients
	cp client.key.pub clients/
	receive --from 'pull:tcp://127.0.0.1:*' --curve-secret server.key --curve-clients clients --stats books
	run peer push "$(endpoint pull)" server=server.key.pub client=other.key <<<'{"type":"unlisted"}'
	[ "$status" -ne 0 ]
	run peer push "$(endpoint pull)" server=other.key.pub client=client.key <<<'{"type":"wrong"}'
	[ "$status" -ne 0 ]
	run peer push "$(endpoint pull)" <<<'{"type":"none"}'
	[ "$status" -ne 0 ]
	peer push "$(endpoint pull)" server=server.key.pub client=client.key <<<'{"type":"good"}'
	await_lines 1
	stop
	[ "$(cat got)" = '{"type":"good"}' ]
	[ "$(count books keys_denied)" -ge 1 ]
	[ "$(count books handshakes_failed)" -ge 2 ]
}

@test "CURVE: a key added to the directory counts at once, one removed too" {
	make_keys server client
	mkdir -m 755 clients
	receive --from 'pull:tcp://127.0.0.1:*' --curve-secret server.key --curve-clients clients
	run peer push "$(endpoint pull)" server=server.key.pub client=client.key <<<'{"type":"early"}'
	[ "$status" -ne 0 ]
	cp client.key.pub clients/
	peer push "$(endpoint pull)" server=server.key.pub client=client.key <<<'{"type":"in"}'
	await_lines 1
	rm clients/client.key.pub
	run peer push "$(endpoint pull)" server=server.key.pub client=client.key <<<'{"type":"late"}'
	[ "$status" -ne 0 ]
	stop
	[ "$(cat got)" = '{"type":"in"}' ]
}

@test "CURVE: a key may be 40 bare characters, or pyzmq's own certificate" {
	make_keys server
	mkdir -m 755 clients
	"$python" - <<-'P'
		import zmq.auth
		zmq.auth.create_certificates(".", "theirs")
	P
	grep -oE '"[^"]{40}"' theirs.key | tr -d '"' >clients/bare
	receive --from 'pull:tcp://127.0.0.1:*' --curve-secret server.key --curve-clients clients
	peer push "$(endpoint pull)" server=server.key.pub client=theirs.key_secret <<<'{"type":"in"}'
	await_lines 1
	stop
}

@test "a flood does not take the memory while the output is stuck" {
	sanitized && skip "a sanitizer build"
	mkfifo pipe
	exec 9<>pipe # a reader that does not read
	metlog-recv --ready where --from 'pull:tcp://127.0.0.1:*' --hwm 100 >pipe 2>err 9>&- &
	receiver=$!
	await 10 test -e where
	peer flood "$(endpoint pull)" 3 10000 >sent
	rss=$(awk '/^VmHWM/ { print $2 }' "/proc/$receiver/status")
	echo "high water $rss KiB, $(cat sent) messages"
	[ "$rss" -lt 32768 ]
	exec 9>&-
}

@test "100 MB through ZeroMQ take less than 16 MiB at either end" {
	sanitized && skip "a sanitizer build"
	receive --from 'pull:tcp://127.0.0.1:*'
	mkfifo in
	metlog-send --json --as-is --to "push:$(endpoint pull)" <in 2>send.err &
	sender=$!
	exec 8>in
	yes '{"type":"t","payload":"'"$(printf 'word %.0s' {1..50})"'"}' 2>/dev/null | head -400000 >&8
	await_lines 390000 # the rest may wait for more
	peaks=$(awk '/^VmHWM/ { print $2 }' "/proc/$sender/status" "/proc/$receiver/status")
	exec 8>&-
	wait "$sender"
	await_lines 400000
	stop
	for peak in $peaks; do [ "$peak" -lt 16384 ] || fail "peak memory $peak KiB"; done
	[ "$(wc -w <<<"$peaks")" -eq 2 ]
}

@test "a message that is too long closes that connection only" {
	receive --from 'pull:tcp://127.0.0.1:*' --max-line 1000 --stats books
	"$python" - "$(endpoint pull)" <<-'P'
		import sys, zmq
		sock = zmq.Context().socket(zmq.PUSH)
		sock.connect(sys.argv[1])
		sock.send(b'{"payload":"' + b"x" * 10000000 + b'"}')
		sock.close(200)
	P
	peer push "$(endpoint pull)" <<<'{"type":"after"}'
	await_lines 1
	stop
	[ "$(cat got)" = '{"type":"after"}' ]
	[ "$(count books disconnected)" -ge 1 ]
}

@test "bytes that are not ZeroMQ's do no harm" {
	receive --from 'pull:tcp://127.0.0.1:*' --from 'sub:tcp://127.0.0.1:*'
	peer raw "$(endpoint pull)" 474554202f20485454502f312e310d0a0d0a0000000000000000000000000000000000000000000000000000000000000000000000000000 || true
	peer raw "$(endpoint sub)" ff00000000000000017f03004e554c4c00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000006ffffffffffffffff || true
	peer push "$(endpoint pull)" <<<'{"type":"after"}'
	await_lines 1
	stop
}

@test "ipc: sockets are for their owner, and a live one is not taken over" {
	receive --from "pull:ipc://$PWD/in.sock"
	[ "$(stat -c %a in.sock)" = 700 ] || [ "$(stat -c %a in.sock)" = 600 ]
	separately timeout 30 metlog-recv --from "pull:ipc://$PWD/in.sock"
	expect_status 66
	peer push "ipc://$PWD/in.sock" <<<'{"type":"a"}'
	await_lines 1
	stop
	[ ! -e in.sock ]
}

@test "SIGTERM reads what has arrived in ZeroMQ's queues" {
	receive --from 'pull:tcp://127.0.0.1:*' --stats books
	peer push "$(endpoint pull)" <<<'{"type":"first"}'
	await_lines 1
	numbers 500 >want
	peer push "$(endpoint pull)" <want
	kill -TERM "$receiver"
	wait "$receiver"
	receiver=
	tail -n +2 got >rest
	expect_same rest want
}
