# send-ack.bats - metlog-send to ack: against a receiver that was written from the manual page alone, and that errs in every way it can.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load ../helper
	need jq
	cd "$BATS_TEST_TMPDIR"
	need_zmq
	: >kept
	: >batches
}

teardown() {
	local pid
	for pid in ${children-}; do kill -CONT "$pid" 2>/dev/null || true; kill -9 "$pid" 2>/dev/null || true; done
}

# start FAULT...: a receiver in the background, at the socket file `socket` unless $where says another address.
start() {
	rm -f at
	"$python" "$SOURCE/tests/peers/ack_receiver.py" "${where-ipc://$PWD/socket}" "$@" 2>receiver.err 7>&- &
	receiver=$!
	disown
	children="${children-} $receiver"
	await 20 test -e at || fail "the receiver does not start: $(cat receiver.err)"
	at=$(cat at)
}

stop() {
	kill -9 "$receiver"
	await 10 sh -c "! kill -0 $receiver 2>/dev/null"
	rm -f socket
}

# envelopes N: so many, in the file input.
envelopes() { seq "$1" | metlog-send >input; }

kept_lines() { [ "$(wc -l <kept)" -ge "$1" ]; }
await_kept() { await 20 kept_lines "$1" || fail "expected $1 envelopes, $(wc -l <kept) are kept"; }

# send ARGUMENT...: envelopes of the file input, to the receiver.
send() { separately metlog-send --json --as-is --to "ack:ipc://$PWD/socket" --stats stats "$@" input; }

@test "ack: exit status 0 says that the far side has acknowledged every envelope" {
	envelopes 100000
	start
	send
	expect_status 0
	expect_same kept input
	[ "$(jq .fields.passed stats)" = 100000 ]
	# Numbers from 1 without a gap, batches of at most 64 KiB, one name.
	awk -v want=1 '$1 != want || $3 > 65536 { exit 1 } { want += $2 } END { exit want != 100001 }' batches
	[ "$(wc -l <names)" -eq 1 ]
	[ "$(head -c 32 names)" != 00000000000000000000000000000000 ]
}

@test "ack: each run has a name of its own" {
	start
	for i in 1 2 3; do metlog-send --to "ack:$at" $i; done
	[ "$(sort -u names | wc -l)" -eq 3 ]
	[ "$(jq -r .payload kept | tr '\n' ' ')" = '1 2 3 ' ]
}

@test "ack: a line longer than a batch goes alone" {
	{
		metlog-send short
		head -c 300000 /dev/zero | tr '\0' x | metlog-send
		metlog-send short
	} >input
	start
	send
	expect_status 0
	expect_same kept input
	[ "$(cut -d' ' -f1,2 batches | tr '\n' ,)" = '1 1,2 1,3 1,' ]
}

@test "ack: a far side that is away is waited for, and then told: 75" {
	envelopes 10
	send --timeout 300ms
	expect_status 75
	expect_in "$err" '0 of 10 envelopes were handed over: nobody is connected within 0.3 s'
	[ "$(jq -c '[.fields.read, .fields.passed, .fields.unsent]' stats)" = '[10,0,10]' ]
}

@test "ack: a far side that comes late gets everything" {
	envelopes 1000
	send --timeout 20s &
	sender=$!
	await 10 test -e "$BATS_TEST_TMPDIR/err"
	start
	wait $sender
	expect_same kept input
}

@test "ack: a far side that does not acknowledge is told: 75, and no more than the window is held" {
	start mute
	seq 200000 | metlog-send >input
	send --timeout 3s
	expect_status 75
	expect_in "$err" 'the far side has not acknowledged for 3 s'
	expect_in "$err" 'the rest of the input is not sent'
	# However often it has asked meanwhile: so many envelopes were shown to it.
	shown=$(awk '$1 + $2 > most { most = $1 + $2 } END { print most - 1 }' batches)
	bytes=$(head -n "$shown" input | wc -c)
	[ "$bytes" -le $((4 * 1024 * 1024)) ] && [ "$bytes" -ge $((3 * 1024 * 1024)) ] || fail "$shown envelopes of $bytes bytes"
}

@test "ack: a slow far side has time, as long as it goes on" {
	envelopes 3000
	start delay=400
	send --timeout 2s
	expect_status 0
	expect_same kept input
}

@test "ack: a far side that dies is sent again what it has not acknowledged, and nothing comes twice" {
	envelopes 100000
	start die=20
	send --timeout 20s &
	sender=$!
	await 10 sh -c "! kill -0 $receiver 2>/dev/null"
	rm -f socket
	start die=30
	await 10 sh -c "! kill -0 $receiver 2>/dev/null"
	rm -f socket
	start
	wait $sender
	expect_same kept input
}

@test "ack: answers are taken, and what is lost is sent again, while the input is silent" {
	mkfifo fifo
	start die=1
	metlog-send --to "ack:$at" --timeout 60s <fifo 2>err &
	sender=$!
	exec 7>fifo
	echo first >&7
	await 10 sh -c "! kill -0 $receiver 2>/dev/null"
	rm -f socket
	start
	await_kept 1
	echo second >&7
	await_kept 2
	exec 7>&-
	wait $sender
	[ "$(jq -r .payload kept | tr '\n' ' ')" = 'first second ' ]
}

@test "ack: with everything acknowledged and the input silent, nothing wakes it up" {
	mkfifo fifo
	start
	metlog-send --to "ack:$at" --timeout 60s <fifo &
	sender=$!
	exec 7>fifo
	echo first >&7
	await_kept 1
	switches() { awk '/^voluntary/ { print $2 }' "/proc/$sender/status"; }
	settled() { before=$(switches); sleep 0.3; [ "$(switches)" = "$before" ]; }
	await 10 settled || fail 'it does not come to rest'
	sleep 2
	[ "$(switches)" = "$before" ]
	exec 7>&-
	wait $sender
}

@test "ack: a batch that got lost is noticed by the gap, and sent again" {
	envelopes 20000
	start lose=3
	send --timeout 20s
	expect_status 0
	expect_same kept input
	: >kept
	start lose=1
	metlog-send --to "ack:$at" --timeout 20s alone
	[ "$(jq -r .payload kept)" = alone ]
}

@test "ack: acknowledgements that are doubled, too high, too low or no messages at all do no harm" {
	envelopes 20000
	for fault in twice beyond garbage lower; do
		start "$fault"
		send --timeout 20s
		expect_status 0
		expect_same kept input
		if [ "$fault" = beyond ]; then expect_in "$err" 'acknowledges envelope'; else expect_empty "$err"; fi
		awk '{ lines += $2 } END { exit lines > 60000 }' batches || fail "$fault: sent again and again"
		stop
		: >kept
		: >batches
	done
}

@test "ack: a far side that acknowledges now and then is asked" {
	envelopes 1000
	start shy=1000
	send --timeout 20s
	expect_status 0
	expect_same kept input
}

@test "ack: what the far side rejects is a reject here" {
	envelopes 5000
	start reject=3000
	send --rejects rejects
	expect_status 0
	[ "$(jq -c '[.fields.read, .fields.passed, .fields.rejected]' stats)" = '[5000,4999,1]' ]
	[ "$(jq -r .payload rejects)" = "$(sed -n 3000p input)" ]
	[ "$(jq -r .fields.reason rejects)" = 'not good: ä' ]
	rm -f stats
	stop
	rm -f state
	start reject=7
	send
	expect_status 65
	expect_in "$err" 'not good'
}

@test "ack: a batch at which the far side breaks the connection again and again is named" {
	start limit=1000
	head -c 3000 /dev/zero | tr '\0' x | metlog-send >input
	send --timeout 10s
	expect_status 75
	expect_in "$err" "the connection has broken 5 times in a row at a batch of $(wc -c <input) bytes (envelope 1 on)"
}

@test "ack: a connection that has fallen silent is given up, and what it owed is sent on another" {
	envelopes 20000
	mkfifo fifo
	where='tcp://127.0.0.1:*' start
	metlog-send --json --as-is -v --to "ack:$at" --timeout 30s <fifo 2>err &
	sender=$!
	exec 7>fifo
	head -n 1 input >&7
	await_kept 1
	kill -STOP "$receiver"
	tail -n +2 input >&7
	await 20 grep -q 'nothing was heard for 4 s' err
	kill -CONT "$receiver"
	exec 7>&-
	wait $sender
	expect_same kept input
}

@test "ack: a far side that has forgotten what it had acknowledged is sent the rest under another name" {
	mkfifo fifo
	start
	metlog-send --to "ack:$at" --timeout 60s <fifo 2>err &
	sender=$!
	exec 7>fifo
	for i in 1 2 3; do
		echo $i >&7
		await_kept $i
	done
	heard() { kill -USR1 "$sender" && grep -q '"passed":3,' err; }
	await 10 heard # of the third, too: kept is not yet acknowledged
	stop
	sed -i 's/: 3/: 1/' state
	start
	echo 4 >&7
	exec 7>&-
	wait $sender
	expect_in err 'has forgotten envelopes that it had acknowledged (1 of 3): going on under another name'
	[ "$(jq -r .payload kept | tr '\n' ' ')" = '1 2 3 4 ' ]
}

@test "ack: memory does not grow with the input" {
	sanitized && skip "sanitizers need memory of their own"
	seq 100000 | metlog-send >input
	start
	for _ in 1 2 3 4 5 6 7 8 9 10; do cat input; done |
		(
			ulimit -v 400000
			exec metlog-send --json --as-is --to "ack:$at" --stats stats
		)
	[ "$(jq .fields.passed stats)" = 1000000 ]
	[ "$(wc -l <kept)" -eq 1000000 ]
}

@test "ack: CURVE: a key that is not let in is 69, and one that is passes" {
	for one in server client other; do metlog-recv --curve-keygen $one.key; done
	where='tcp://127.0.0.1:*' start secret=server.key allow=client.key.pub
	separately metlog-send --to "ack:$at" --curve-server server.key.pub --curve-secret client.key hello
	expect_status 0
	[ "$(jq -r .payload kept)" = hello ]
	separately metlog-send --to "ack:$at" --curve-server server.key.pub --curve-secret other.key --timeout 3s x
	expect_status 69
	expect_in "$err" 'does not let this key in'
	separately metlog-send --to "ack:$at" --timeout 1s x
	expect_status 75
	separately metlog-send --to ack:tcp://192.0.2.1:5566 --timeout 1s x
	expect_status 78
}

@test "ack: the sender connects: an address that binds is refused" {
	separately metlog-send --to 'ack:@tcp://127.0.0.1:*' x
	expect_status 78
	expect_in "$err" 'the receiver binds and the sender connects'
	separately metlog-send --to "ack:tcp://127.0.0.1:1" --curve-clients . x
	expect_status 64
}

@test "the sender in the manual page is one: what it sends is kept once, with numbers that begin late, and to a receiver that dies" {
	sed -n '/^A whole sender/,/^\.Ed/p' "$SOURCE/man/metlog-wire.5" | sed -e '/^A whole/d' -e '/^\./d' -e 's/\\e/\\/g' >sender.py
	cat >>sender.py <<-'END'
		import sys
		one = Sender(sys.argv[1], settled=int(sys.argv[2]))
		for i in range(1000):
		    one.send(b'{"payload":"%d"}' % i)
		one.settle()
		one.send(b'{"payload":"last"}')
		one.settle()
	END
	for settled in 0 5000; do
		rm -rf where spool
		metlog-recv --from "ack:ipc://$PWD/real" --spool spool --ready where &
		receive=$!
		children="${children-} $receive"
		await 10 test -e where
		"$python" sender.py "ipc://$PWD/real" $settled
		[ "$(metlog-spool cat spool | wc -l)" -eq 1001 ]
		metlog-spool cat spool | jq -r .payload | cmp - <(seq 0 999; echo last)
		kill $receive
		wait $receive
	done
	start die=1
	"$python" sender.py "$at" 7 &
	peer=$!
	await 10 sh -c "! kill -0 $receiver 2>/dev/null"
	rm -f socket
	start
	wait $peer
	jq -r .payload kept | cmp - <(seq 0 999; echo last)
}
