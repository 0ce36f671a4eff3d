# metlog-recv-ack.bats - what the manual and metlog-wire(5) promise of ack: sources: numbers, acknowledgements, gaps, hostile senders.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load recv
	cd "$BATS_TEST_TMPDIR" || return
	need_zmq
}

teardown() {
	local pid
	for pid in ${receiver-} ${sender-}; do kill -9 "$pid" 2>/dev/null || true; done
}

# peer ACTION ADDRESS ...: see tests/peers/ack_peer.py.
peer() { timeout 200 "$python" "$SOURCE/tests/peers/ack_peer.py" "$@"; }
script() { peer script "$(endpoint ack)" "$@"; }
numbers() { seq -f '{"type":"n","payload":"%.0f"}' "$1"; }

@test "a batch is written and acknowledged, and each number is taken once" {
	receive --from 'ack:tcp://127.0.0.1:*' --stats books
	script <<-'P'
		batch(1, 1, b'{"type":"a"}', b'{"type":"b"}'); expect(ACK, 2)
		batch(1, 1, b'{"type":"a"}', b'{"type":"b"}'); expect(ACK, 2)
		batch(1, 2, b'{"type":"b"}', b'{"type":"c"}'); expect(ACK, 3)
	P
	stop
	printf '{"type":"%s"}\n' a b c >want
	expect_same got want
	[ "$(count books ack_duplicates)" = 3 ]
	[ "$(count books read)" = 3 ]
	[ "$(count books ack_senders)" = 1 ]
}

@test "it is acknowledged after write(2), and before that reader has read it" {
	need mkfifo
	mkfifo pipe
	metlog-recv --from 'ack:tcp://127.0.0.1:*' --ready where >pipe 2>err &
	receiver=$!
	exec 7<pipe
	await 10 test -e where
	script <<<'batch(1, 1, b"{}"); expect(ACK, 1)'
	read -r -t 10 line <&7
	[ "$line" = '{}' ]
	kill -TERM "$receiver"
	wait "$receiver"
	receiver=
	exec 7<&-
}

@test "when standard output cannot be written, nothing is acknowledged" {
	metlog-recv --from 'ack:tcp://127.0.0.1:*' --ready where >/dev/full 2>err &
	receiver=$!
	await 10 test -e where
	script <<<'batch(1, 1, b"{}"); silence(1)'
	status=0
	wait "$receiver" || status=$?
	receiver=
	expect_status 74
}

@test "when the reader of standard output is gone, nothing is acknowledged from then on" {
	mkfifo pipe
	metlog-recv --from 'ack:tcp://127.0.0.1:*' --ready where >pipe 2>err &
	receiver=$!
	exec 7<pipe
	await 10 test -e where
	script <<<'batch(1, 1, b"{}"); expect(ACK, 1)'
	kill -STOP "$receiver"
	exec 7<&-
	kill -CONT "$receiver"
	ACK_WAIT_MS=500 script <<<'batch(1, 2, b"{}"); silence(0.5)' || true # it may be gone before we connect
	status=0
	wait "$receiver" || status=$?
	receiver=
	[ "$status" = 141 ] || [ "$status" = 0 ]
	expect_empty err
}

@test "a gap is not taken, its sender is told once how far we are, and goes back" {
	receive --from 'ack:tcp://127.0.0.1:*' --stats books
	script <<-'P'
		batch(1, 1, b'{"type":"1"}'); expect(ACK, 1)
		batch(1, 5, b'{"type":"5"}'); expect(ACK, 1)
		batch(1, 6, b'{"type":"6"}'); batch(1, 7, b'{"type":"7"}'); silence(0.1)
		batch(1, 2, *[b'{"type":"%d"}' % i for i in range(2, 8)]); expect(ACK, 7)
	P
	stop
	printf '{"type":"%s"}\n' 1 2 3 4 5 6 7 >want
	expect_same got want
	[ "$(count books ack_gaps)" = 3 ]
}

@test "a gap behind what is not acknowledged yet is told as well" {
	receive --from 'ack:tcp://127.0.0.1:*'
	kill -STOP "$receiver"
	script <<-'P' &
		batch(1, 1, b'{"type":"1"}'); batch(1, 3, b'{"type":"3"}')
		expect(ACK, 1); expect(ACK, 1)
	P
	sender=$!
	kill -CONT "$receiver"
	wait "$sender"
	sender=
	stop
}

@test "a sender that is not known and begins above 1 is taken once it goes back to there" {
	receive --from 'ack:tcp://127.0.0.1:*'
	script <<-'P'
		ping(1); expect(ACK, 0)
		batch(1, 42, b'{"type":"42"}'); expect(ACK, 0)
		batch(1, 43, b'{"type":"43"}'); silence(0.1)
		batch(1, 41, b'{"type":"41"}', b'{"type":"42"}'); expect(ACK, 42)
		batch(2, 9, b'{"type":"9"}'); expect(ACK, 0)
		again()
		batch(2, 9, b'{"type":"9"}'); expect(ACK, 0)
		batch(2, 9, b'{"type":"9"}'); expect(ACK, 9)
	P
	stop
	printf '{"type":"%s"}\n' 41 42 9 >want
	expect_same got want
}

@test "what a queue was left with is no beginning, over however many connections it comes" {
	receive --from 'ack:tcp://127.0.0.1:*'
	script <<-'P'
		batch(1, 6, b'{"type":"6"}'); expect(ACK, 0)
		again()
		batch(1, 5, b'{"type":"5"}'); expect(ACK, 0); batch(1, 6, b'{"type":"6"}')
		batch(1, 3, *[b'{"type":"%d"}' % i for i in range(3, 7)]); expect(ACK, 6)
	P
	stop
	printf '{"type":"%s"}\n' 3 4 5 6 >want
	expect_same got want
}

@test "a reject is told to its sender, counts as settled, and has its number; so has a blank line" {
	receive --from 'ack:tcp://127.0.0.1:*' --rejects bad --stats books
	script <<-'P'
		batch(1, 1, b'{"type":"a"}', b'', b'rubbish', b'{"type":"b"}', b'{"severity":9}')
		expect(REJECTED, 3, "not a JSON object"); expect(REJECTED, 5); expect(ACK, 5)
		batch(1, 3, b'rubbish', b'{"type":"b"}'); expect(ACK, 5)
	P
	stop
	printf '{"type":"%s"}\n' a b >want
	expect_same got want
	[ "$(wc -l <bad)" = 2 ]
	[ "$(count books read)" = 4 ]
	[ "$(count books rejected)" = 2 ]
}

@test "what -m does not take is dropped, and acknowledged" {
	receive --from 'ack:tcp://127.0.0.1:*' -m 'type == "a"' --stats books
	script <<<"batch(1, 1, b'{\"type\":\"b\"}', b'{\"type\":\"a\"}', b'{\"type\":\"b\"}'); expect(ACK, 3)"
	stop
	[ "$(cat got)" = '{"type":"a"}' ]
	[ "$(count books dropped)" = 2 ]
}

@test "messages that are malformed are ignored and counted" {
	receive --from 'ack:tcp://127.0.0.1:*' --stats books
	script <<-'P'
		raw(b""); raw(b"METLOG1X"); raw(b"METLOG1P", b"short"); raw(b"METLOG1P"); raw(b"METLOG1A", b"\0" * 8)
		raw(b"METLOG1B", b"\1" * 16, b"\0" * 8, b"{}\n")                # number 0
		raw(b"METLOG1B", b"\1" * 16, b"\0" * 7 + b"\1", b"{}")          # no newline
		raw(b"METLOG1B", b"\1" * 16, b"\0" * 7 + b"\1", b"")            # no line
		raw(b"METLOG1B", b"\1" * 16, b"\xff" * 8, b"{}\n")              # beyond all numbers
		raw(b"METLOG1B", b"\1" * 16, b"\0" * 7 + b"\1", b"{}\n", b"x")  # a frame too many
		raw(*[b"x"] * 1000)
		batch(1, 1, b"{}"); expect(ACK, 1)
	P
	stop
	[ "$(cat got)" = '{}' ]
	[ "$(count books ack_malformed)" = 11 ]
}

@test "two senders that take turns are told apart, and known by any routing id" {
	receive --from 'ack:tcp://127.0.0.1:*' --stats books
	script <<-'P'
		for i in range(1, 100):
		    batch(1, i, b'{"type":"one"}'); batch(2, i, b'{"type":"two"}')
		for i in range(200):
		    if hear() == (ACK, 99) and hear(300) in ((ACK, 99), None): break
		again(b"another name"); batch(1, 99, b'{"type":"one"}', b'{"type":"one"}'); expect(ACK, 100)
		ping(2); expect(ACK, 99)
	P
	stop
	[ "$(grep -c one got)" = 100 ]
	[ "$(grep -c two got)" = 99 ]
}

@test "of 2000 senders the 1024 that were heard last are remembered" {
	receive --from 'ack:tcp://127.0.0.1:*' --stats books
	script <<-'P'
		for i in range(2000):
		    batch(i, 1, b'{"type":"n"}'); expect(ACK, 1)
		ping(1999); expect(ACK, 1)
		ping(2000 - 1024); expect(ACK, 1)
		ping(2000 - 1025); expect(ACK, 0)
	P
	stop
	[ "$(wc -l <got)" = 2000 ]
	[ "$(count books ack_senders)" = 1024 ]
}

@test "a sender that reads no answers takes no memory, and others are served beside it" {
	sanitized && skip "a sanitizer build"
	receive --from 'ack:tcp://127.0.0.1:*' --stats books
	echo "$receiver" >pid
	script <<-'P'
		import re
		memory = lambda: int(re.search(r"VmHWM:\s*(\d+)", open("/proc/%s/status" % open("pid").read().strip()).read()).group(1))
		other = Peer(address)
		deaf = Peer(address, hwm=1)
		before = memory()
		for i in range(10000):
		    deaf.batch(7, i + 1, b"rubbish")
		    if i % 1000 == 0:
		        other.batch(8, i // 1000 + 1, b"{}"); other.until(i // 1000 + 1)
		while True:	# who answers no heartbeat may be cut off: what is not acknowledged is sent again
		    deaf.socket.close(5000); deaf.socket = None
		    deaf.again(); deaf.ping(7)
		    heard = deaf.hear(2000)
		    if heard is None or heard[0] != ACK: continue
		    if heard[1] == 10000: break
		    for i in range(heard[1], 10000): deaf.batch(7, i + 1, b"rubbish")
		assert memory() - before < 16 * 1024, (before, memory())
	P
	stop 65
	[ "$(count books rejected)" = 10000 ]
	[ "$(wc -l <got)" = 10 ]
}

@test "all of 20,000 envelopes in small batches arrive, in order" {
	receive --from 'ack:tcp://127.0.0.1:*'
	numbers 20000 >want
	peer send "$(endpoint ack)" <want >told
	[ "$(tail -1 told)" = 20000 ]
	stop
	expect_same got want
}

@test "after a new start a sender goes on where it is, and nothing between is passed over" {
	receive --from "ack:ipc://$PWD/in.sock"
	numbers 30 >want
	head -10 want | peer send "ipc://$PWD/in.sock" 000102030405060708090a0b0c0d0e0f 1 3 >told
	kill -9 "$receiver"
	wait "$receiver" || true
	mv got first
	receive --from "ack:ipc://$PWD/in.sock"
	tail -n +11 want | peer send "ipc://$PWD/in.sock" 000102030405060708090a0b0c0d0e0f 11 3 >told
	stop
	cat first got >all
	expect_same all want
}

@test "SIGTERM takes what has arrived, and its acknowledgement still leaves" {
	receive --from 'ack:tcp://127.0.0.1:*'
	script <<-'P' &
		batch(1, 1, b"{}"); expect(ACK, 1)
		open("go", "w").close()
		batch(1, 2, b"{}", b"{}"); until(3)
	P
	sender=$!
	await 10 test -e go
	await_lines 1
	kill -TERM "$receiver"
	wait "$receiver"
	receiver=
	# It was under way or not: what was acknowledged is what was written.
	if wait "$sender"; then [ "$(wc -l <got)" = 3 ]; else [ "$(wc -l <got)" = 1 ]; fi
	sender=
}

@test "CURVE lets in those whose keys are in the directory, over ack: too" {
	for one in server known stranger; do metlog-recv --curve-keygen "$one.key"; done
	mkdir clients
	cp known.key.pub clients/
	receive --from 'ack:tcp://127.0.0.1:*' --curve-secret server.key --curve-clients clients --stats books
	script server=server.key.pub client=known.key <<<'batch(1, 1, b"{}"); expect(ACK, 1)'
	"$python" "$SOURCE/tests/peers/ack_peer.py" script "$(endpoint ack)" server=server.key.pub client=stranger.key <<<'batch(1, 2, b"{}"); expect(ACK, 2)' 2>said 3>&- &
	sender=$!
	await 20 eval 'kill -USR1 "$receiver"; [ "$(count err keys_denied)" -ge 1 ]' || fail "it was not turned away: $(cat said)"
	kill -0 "$sender" || fail "it is done: $(cat said)"
	kill -9 "$sender"
	stop
	[ "$(wc -l <got)" = 1 ]
	[ "$(count books keys_denied)" -ge 1 ]
}

@test "ack: that connects, or that is open to the network without CURVE, is refused" {
	separately metlog-recv --from 'ack:>tcp://127.0.0.1:5566'
	expect_status 78
	expect_in err 'the receiver binds'
	separately metlog-recv --from 'ack:tcp://*:5566'
	expect_status 78
	expect_in err 'CURVE'
}
