# client-transports.bats - an application of libmetlog's and metlog-recv: over each transport all its messages arrive, once and in order.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load recv
	EMIT=${EMIT:-${TOOLS%/*}/tests/client/emit}
	[ -x "$EMIT" ] || skip "tests/client/emit is not built"
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	local pid
	for pid in ${receiver-} ${sender-}; do kill -9 "$pid" 2>/dev/null || true; done
}

# emit ENDPOINT N OPTION...: the application, which ends well: with `counts` of as many messages as it was to send.
emit() {
	local messages=$2
	separately timeout 120 "$EMIT" --counts counts "$@"
	expect_status 0
	expect_counts "$messages"
}

expect_counts() {
	[ "$(cat counts)" = "taken $1 left_out 0 dropped 0 refused 0 sent $1 unsent 0" ] || fail "expected $1 messages: $(cat counts)"
}

# in_order N FILE: it holds N messages of one thread.
in_order() {
	sed -E 's/.*"payload":"([0-9]+)".*/\1/' "$2" >numbers
	seq "$1" >want
	expect_same numbers want
}

# arrived N: metlog-recv has them all in `got`, none bad.
arrived() {
	await_lines "$1"
	stop
	in_order "$1" got
	expect_empty err
}

@test "udp: all arrive, in order" {
	receive --from udp:127.0.0.1:0
	emit "udp:127.0.0.1:$(port udp)" 200
	arrived 200
}

@test "tcp: all arrive, in order" {
	receive --from tcp:127.0.0.1:0
	emit "tcp:127.0.0.1:$(port tcp)" 5000
	arrived 5000
}

@test "unix, a stream: all arrive, in order" {
	receive --from unix:sock
	emit "unix:$PWD/sock" 5000
	arrived 5000
}

@test "unix, datagrams: all arrive, in order" {
	receive --from unix:sock --unix-datagram
	emit "unix:$PWD/sock" 5000
	arrived 5000
}

@test "push: all arrive, in order" {
	receive --from 'pull:tcp://127.0.0.1:*'
	emit "push:$(endpoint pull)" 5000
	arrived 5000
}

@test "push: over ipc" {
	receive --from "pull:ipc://$PWD/ipc"
	emit "push:ipc://$PWD/ipc" 5000
	arrived 5000
}

@test "push: it may bind, and the receiver connect" {
	timeout 120 "$EMIT" "push:@ipc://$PWD/ipc" 5000 --counts counts &
	sender=$!
	receive --from "pull:>ipc://$PWD/ipc"
	wait "$sender"
	sender=
	expect_counts 5000
	arrived 5000
}

@test "pub: all arrive, in order, for the first message waits until somebody listens" {
	receive --from 'sub:tcp://127.0.0.1:*'
	emit "pub:$(endpoint sub)" 900
	arrived 900
}

@test "ack: all arrive, in order, and what counts as sent is what was acknowledged" {
	receive --from 'ack:tcp://127.0.0.1:*'
	emit "ack:$(endpoint ack)" 5000
	arrived 5000
}

@test "ack: into a spool, in which all are when they count as sent" {
	metlog-recv --ready where --from 'ack:tcp://127.0.0.1:*' --spool spool 2>err &
	receiver=$!
	await 20 test -e where
	emit "ack:$(endpoint ack)" 3000
	kill -9 "$receiver"
	wait "$receiver" || true
	receiver=
	metlog-spool cat spool >got
	in_order 3000 got
}

@test "ack: what the far side rejects is unsent, and the client does not keep it" {
	receive --from 'ack:tcp://127.0.0.1:*' --max-line 300 --rejects rejects --stats books
	separately timeout 120 "$EMIT" --kinds --counts counts "ack:$(endpoint ack)" 50
	expect_status 1
	stop
	[ "$(wc -l <rejects)" -gt 0 ]
	[ "$(cat counts)" = "taken $(count books read) left_out 0 dropped 0 refused 0 sent $(wc -l <got) unsent $(wc -l <rejects)" ] || fail "$(cat counts)"
}

@test "file: each message is a line, behind what was there" {
	echo '{"type":"before"}' >file
	emit "file:$PWD/file" 1000
	[ "$(head -1 file)" = '{"type":"before"}' ]
	sed 1d file >got
	in_order 1000 got
}

@test "standard output: as a program in a pipeline, which passes it all through" {
	separately bash -c '"$1" - 1000 --counts counts | metlog-route -m "severity == 6" --rejects bad' - "$EMIT"
	expect_status 0
	expect_counts 1000
	in_order 1000 "$out"
	[ ! -s bad ]
}

@test "CURVE: a receiver with a key takes what comes encrypted from a client that it knows" {
	mkdir clients
	metlog-recv --curve-keygen hub.key
	metlog-recv --curve-keygen app.key
	cp app.key.pub clients
	receive --from 'pull:tcp://127.0.0.1:*' --curve-secret hub.key --curve-clients clients
	emit "push:$(endpoint pull)" 1000 --curve-secret app.key --curve-server hub.key.pub
	arrived 1000
}

@test "CURVE: what a client sends that the receiver does not know does not arrive, and is told of as unsent" {
	mkdir clients
	metlog-recv --curve-keygen hub.key
	metlog-recv --curve-keygen app.key
	receive --from 'pull:tcp://127.0.0.1:*' --curve-secret hub.key --curve-clients clients
	separately timeout 120 "$EMIT" "push:$(endpoint pull)" 10 --curve-secret app.key --curve-server hub.key.pub --close 300 --counts counts
	expect_status 1
	[ "$(cat counts)" = "taken 10 left_out 0 dropped 0 refused 0 sent 0 unsent 10" ] || fail "$(cat counts)"
	stop
	expect_empty got
}

# late KIND ENDPOINT: the application begins, and then somebody receives from KIND:PLACE.
late() {
	timeout 120 "$EMIT" "$1" 2000 --counts counts &
	sender=$!
	receive --from "$2"
	wait "$sender"
	sender=
	expect_counts 2000
	arrived 2000
}

@test "a receiver that comes late gets everything: push, ack, tcp-like streams" {
	late "push:ipc://$PWD/one" "pull:ipc://$PWD/one"
	late "ack:ipc://$PWD/two" "ack:ipc://$PWD/two"
	late "unix:$PWD/three" "unix:$PWD/three"
}

@test "of several threads each one's messages arrive in order" {
	receive --from 'pull:tcp://127.0.0.1:*'
	separately timeout 120 "$EMIT" "push:$(endpoint pull)" 2000 --threads 6 --counts counts
	expect_status 0
	expect_counts 12000
	await_lines 12000
	stop
	for thread in 0 1 2 3 4 5; do
		grep "\"thread\":$thread}" got >own
		in_order 2000 own
	done
}

@test "each kind of call makes an envelope that passes, and its sink takes it" {
	receive --from 'pull:tcp://127.0.0.1:*' --rejects bad
	separately timeout 120 "$EMIT" "push:$(endpoint pull)" 1 --kinds
	expect_status 0
	await_lines 10
	stop
	[ ! -s bad ]
	[ "$(wc -l <got)" -eq 10 ]
	separately metlog-to-statsd --dry-run --one-per-packet --strict got
	expect_status 0
	grep -v '^emit\.timer:' "$out" >lines
	printf '%s\n' 'emit.count:3|c' 'emit.odd_count:-1|c' 'emit.timing:35.5|ms|@0.1' 'emit.gauge:0|g' 'emit.gauge:-2.5|g' 'emit.set:gr%C3%BC%C3%9F_"dich"|s' >want
	expect_same lines want
	separately metlog-to-cef --dry-run --strict -m 'type == "cef"' got
	expect_status 0
	expect_in "$out" 'CEF:0|mozilla|weave|3|AuthFail|Bad password|5|'
	expect_in "$out" 'suser=ada|\=\\'
}
