# python.bats - the Python client (contrib/python): the shared vectors, its own tests, and each transport into metlog-recv.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load recv
	cd "$BATS_TEST_TMPDIR"
	client=$SOURCE/contrib/python
	export PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=error
	need python3
	python=python3
}

teardown() {
	local pid
	for pid in ${receiver-} ${sender-}; do kill -9 "$pid" 2>/dev/null || true; done
}

# send ENDPOINT COUNT OPTION...: the messages, from a process of their own; its counts are in the file `counts`, and it has said nothing else.
send() {
	"$python" "$client/tests/send.py" "$@" >counts 2>said || fail "send.py: $(cat said)"
	expect_empty said
}
counted() { grep -oE "\"$1\": [0-9]+" counts | grep -oE '[0-9]+$'; }

# all_arrived COUNT: they have, each once and in order, and the client knows.
all_arrived() {
	await_lines "$1"
	[ "$(counted sent)" = "$1" ] || fail "$(cat counts)"
	[ "$(counted unsent)" = 0 ] || fail "$(cat counts)"
	grep -oE '"payload":"[0-9]+"' got | grep -oE '[0-9]+' >numbers
	seq -f %020.0f 0 $(($1 - 1)) >want
	expect_same numbers want
}

@test "each call of the shared vectors makes the envelope that it makes in C" {
	separately "$python" "$client/tests/vectors.py" "$SOURCE/tests/data/vectors"
	expect_status 0 || fail "$(grep -v '^ok' out)"
	[ "$(grep -c '^ok' "$out")" -ge 90 ]
	expect_empty "$err"
}

@test "over tcp: everything arrives, in order" {
	receive --from tcp:127.0.0.1:0
	send "$(cat where)" 20000 when_full=block
	all_arrived 20000
}

@test "over udp: every datagram is an envelope" {
	receive --from udp:127.0.0.1:0
	send "$(cat where)" 200
	all_arrived 200
}

@test "over unix: everything arrives, in order, by lines or by datagrams as the receiver has it" {
	receive --from unix:in.sock
	send unix:in.sock 20000 when_full=block
	all_arrived 20000
	stop
	receive --from unix:in.sock --unix-datagram
	send unix:in.sock 5000
	all_arrived 5000
}

@test "over push: everything arrives, in order" {
	need_zmq
	receive --from 'pull:tcp://127.0.0.1:*'
	send "push:$(endpoint pull)" 20000 when_full=block
	all_arrived 20000
}

@test "over pub: everything arrives from the first message on, though it was sent before there was a connection" {
	need_zmq
	receive --from 'sub:tcp://127.0.0.1:*'
	send "pub:$(endpoint sub)" 5000
	all_arrived 5000
}

@test "over ack: everything arrives, and is acknowledged" {
	need_zmq
	receive --from 'ack:tcp://127.0.0.1:*'
	send "ack:$(endpoint ack)" 20000 when_full=block
	all_arrived 20000
}

@test "into a file and on standard output go lines" {
	send file:out 1000
	[ "$(wc -l <out)" = 1000 ]
	metlog-route -m TRUE out >passed
	expect_same out passed
	"$python" "$client/tests/send.py" - 1000 >both
	[ "$(metlog-route -m 'type == "t"' --rejects /dev/null both | wc -l)" = 1000 ]
}
