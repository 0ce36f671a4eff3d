# send-zmq.bats - metlog-send against ZeroMQ receivers made with python3-zmq, in both directions, present, late, deaf and dying.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load ../helper
	need jq
	cd "$BATS_TEST_TMPDIR"
	need_zmq
	: >got
}

teardown() {
	local pid
	for pid in ${children-}; do kill -9 "$pid" 2>/dev/null || true; done
}

# start ARGUMENT...: a receiver in the background; $at is its address.
start() {
	rm -f at
	"$python" "$SOURCE/tests/peers/zmq_receiver.py" "$@" 2>receiver.err 7>&- &
	receiver=$!
	disown
	children="${children-} $receiver"
	await 20 test -e at || fail "the receiver does not start: $(cat receiver.err)"
	at=$(cat at)
}

has_lines() { [ "$(wc -l <got)" -ge "$1" ]; }
await_lines() { await 20 has_lines "$1" || fail "expected $1 messages, there are $(wc -l <got)"; }

# payloads: of what has arrived; fails if a message has several frames or a newline.
payloads() { jq -r 'if length == 1 and (.[0] | endswith("}")) then .[0] | fromjson | .payload else error("frames") end' <got; }

@test "pub: a single message reaches a SUB that binds, every time: there is no slow joiner" {
	start sub bind 'tcp://127.0.0.1:*'
	for i in 1 2 3 4 5 6 7 8 9 10; do
		separately metlog-send --to "pub:$at" "$i"
		expect_status 0
	done
	await_lines 10
	payloads | sort -n | cmp - <(seq 10)
}

@test "pub: that binds waits for a SUB that connects" {
	seq 500 >input
	start sub connect "ipc://$PWD/socket"
	separately metlog-send --to "pub:@ipc://./socket" <input
	expect_status 0
	await_lines 500
	payloads | cmp - input
}

@test "pub: with the host * binds: whoever connects gets what is sent" {
	seq 50 >input
	metlog-send -v --insecure --to 'pub:tcp://*:*' --timeout 20s <input 2>errors &
	sender=$!
	await 10 grep -q 'sending from tcp:' errors
	metlog-recv --from "sub:>tcp://127.0.0.1:$(sed -n 's/.*sending from tcp:.*:\([0-9]*\)$/\1/p' errors)" --ready where >received &
	children="${children-} $!"
	wait "$sender"
	await 10 eval '[ "$(wc -l <received)" -eq 50 ]'
	jq -r .payload <received | cmp - input
	separately metlog-send --to 'pub:tcp://*:*' x
	expect_status 78
}

@test "push: reaches a PULL in both directions" {
	seq 500 >input
	start pull bind 'tcp://127.0.0.1:*'
	separately metlog-send --to "push:$at" <input
	expect_status 0
	await_lines 500
	payloads | cmp - input
	: >got
	start pull connect "ipc://$PWD/socket"
	separately metlog-send --to 'push:@ipc://./socket' <input
	expect_status 0
	await_lines 500
	payloads | cmp - input
}

@test "a receiver that comes late gets everything" {
	for kind in sub:pub pull:push; do
		: >got
		seq 50 | metlog-send --to "${kind#*:}:ipc://$PWD/late" --timeout 20s &
		sender=$!
		await 10 test -d "/proc/$sender"
		start "${kind%:*}" bind "ipc://$PWD/late"
		wait $sender
		await_lines 50
		payloads | cmp - <(seq 50)
		kill -9 "$receiver"
		rm -f late
	done
}

@test "a hundred thousand envelopes arrive whole, in order and byte for byte" {
	seq 100000 | metlog-send >input
	start pull bind "ipc://$PWD/socket"
	separately metlog-send --json --as-is --stats stats --to "push:$at" input
	expect_status 0
	await_lines 100000
	jq -r '.[0]' <got | cmp - input
	[ "$(jq .fields.passed <stats)" = 100000 ]
}

@test "pub: without a subscription is 75, though somebody is connected" {
	start sub bind 'tcp://127.0.0.1:*' topic=none
	separately metlog-send --to "pub:$at" --timeout 500ms x
	expect_status 75
	expect_in "$err" '0 of 1 envelopes were handed over: nobody subscribes'
}

@test "a receiver that does not read is waited for, and then told: 75, and no memory is eaten" {
	for kind in pull:push sub:pub; do
		start "${kind%:*}" bind "ipc://$PWD/deaf" deaf
		head -c 20000000 /dev/zero | tr '\0' x | fold -w 1000 >input
		separately metlog-send --to "${kind#*:}:$at" --timeout 300ms --stats stats <input
		expect_status 75
		expect_in "$err" 'the far side'
		expect_in "$err" 'the rest of the input is not sent'
		kill -9 "$receiver"
		rm -f deaf
	done
}

@test "a receiver that dies in mid-stream is told: 75" {
	mkfifo fifo
	start pull bind "ipc://$PWD/socket"
	metlog-send --to "push:$at" --timeout 500ms <fifo 2>err &
	sender=$!
	exec 7>fifo
	echo first >&7
	await_lines 1
	kill -9 "$receiver"
	await 10 sh -c "! kill -0 $receiver 2>/dev/null"
	rm -f socket
	seq 100 >&7
	exec 7>&-
	status=0
	wait $sender || status=$?
	expect_status 75
	expect_in err 'envelopes were handed over'
}

# receive FROM: metlog-recv in the background, into `got`; it is there when this returns.
receive() {
	: >got
	rm -f ready
	metlog-recv --from "$1" --ready ready >got 2>receiver.err 7>&- &
	receiver=$!
	disown
	children="${children-} $receiver"
	await 20 test -e ready || fail "the receiver does not start: $(cat receiver.err)"
}

# ended: the receiver is gone, and its socket file with it.
ended() {
	kill "-$1" "$receiver"
	await 20 sh -c "! kill -0 $receiver 2>/dev/null" || fail 'the receiver does not end'
	rm -f socket
}

# stop: the receiver, with all its threads.
stop() {
	kill -STOP "$receiver"
	await 20 sh -c "! grep -h '^State:' /proc/$receiver/task/*/status | grep -qv 'T (stopped)'" || fail 'the receiver does not stop'
}

# holds: the sender has a second descriptor of the connection, which stays open when libzmq closes its own.
holds() { readlink "/proc/$sender/fd/"* | grep '^socket:' | sort | uniq -d | grep -q .; }
waits_for_reader() { ! holds; }

@test "over ipc: nothing is lost at the end, however much a slow receiver has still to read" {
	local from to round pair
	seq 2000 | metlog-send >input
	for pair in 'pull:ipc push:ipc' 'sub:ipc pub:ipc' 'pull:>ipc push:@ipc' 'sub:>ipc pub:@ipc'; do
		read -r from to <<<"$pair"
		for round in 1 2 3 4 5; do
			receive "$from://./socket"
			separately metlog-send --json --as-is --timeout 60s --to "$to://./socket" input
			expect_status 0
			await_lines 2000
			expect_same input got || fail "$pair, round $round"
			ended TERM
		done
	done
}

# connected TIMEOUT: the two ends of $pair, over ipc:; what goes to descriptor 7 is sent, and a first line has arrived.
connected() {
	receive "${pair%:*}:ipc://./socket"
	mkfifo fifo
	metlog-send --to "${pair#*:}:ipc://./socket" --timeout "$1" <fifo 2>err &
	sender=$!
	exec 7>fifo
	echo first >&7
	await_lines 1
}

@test "over ipc: a receiver that is stopped has not read it: 75, and how many that may be" {
	local pair
	seq 200 >input
	for pair in pull:push sub:pub; do
		connected 1s
		stop
		cat input >&7
		exec 7>&-
		status=0
		wait "$sender" || status=$?
		expect_status 75
		expect_in err '0 of 201 envelopes were handed over: the far side has not taken everything'
		rm fifo
		ended KILL
	done
}

@test "over ipc: a receiver that dies before it has read everything is told: 75" {
	local pair
	seq 20 >input # few: of a unix socket that is a quarter full the kernel says that nothing can be written, and libzmq waits, too
	for pair in pull:push sub:pub; do
		connected 60s
		await 20 holds || fail 'the connection is not held'
		stop
		cat input >&7
		exec 7>&-
		await 20 waits_for_reader || fail 'libzmq does not end'
		ended KILL
		status=0
		wait "$sender" || status=$?
		expect_status 75
		expect_in err '0 of 21 envelopes were handed over: the connection was lost while the last envelopes were under way'
		rm fifo
	done
}

@test "a timed command is told over ZeroMQ when it has ended" {
	start pull bind "ipc://$PWD/socket"
	separately metlog-send --timer t --on-failure cron --to "push:$at" -- sh -c 'echo why >&2; exit 6'
	expect_status 6
	await_lines 2
	[ "$(jq -c '.[0] | fromjson | [.type, .fields.exit_status]' <got | tr '\n' ' ')" = '["timer",6] ["cron",6] ' ]
}

@test "CURVE: the right keys pass, a wrong or missing one does not" {
	for one in server client other; do metlog-recv --curve-keygen $one.key; done
	mkdir clients
	cp client.key.pub clients/
	metlog-recv --ready where --from 'pull:tcp://127.0.0.1:*' --curve-secret server.key --curve-clients clients >received 2>recv.err &
	receiver=$!
	disown
	children=$receiver
	await 20 test -e where || fail "$(cat recv.err)"
	at=$(sed -n 's/^pull://p' where)
	separately metlog-send --to "push:$at" --curve-server server.key.pub --curve-secret client.key hello
	expect_status 0
	await 10 grep -q hello received
	separately metlog-send --to "push:$at" --timeout 1s x
	expect_status 75
	separately metlog-send --to "push:$at" --timeout 1s --curve-server other.key.pub --curve-secret client.key x
	expect_status 75
	separately metlog-send --to "push:$at" --timeout 2s --curve-server server.key.pub --curve-secret other.key x
	expect_status 69
	[ "$(wc -l <received)" -eq 1 ]
	separately metlog-send --to push:tcp://192.0.2.1:5566 --timeout 1s x
	[ "$status" -ne 0 ]
}
