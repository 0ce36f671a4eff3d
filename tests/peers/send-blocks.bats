# send-blocks.bats - blocks of envelopes, as a library sends them, to real receivers: what arrives, and what is counted when one dies.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load ../helper
	load ../recv
	cd "$BATS_TEST_TMPDIR"
	need jq
	driver=$TOOLS/../tests/unit/outlet_driver
	[ -x "$driver" ] || skip "tests/unit/outlet_driver is not built"
}

teardown() {
	local pid
	for pid in ${children-} ${receiver-}; do kill -9 "$pid" 2>/dev/null || true; done
}

# envelopes FIRST LAST: each 64 bytes long with its newline, so that 1024 of them are a message.
envelopes() { seq -f '{"payload":"%049.0f"}' "$1" "$2"; }

@test "push: a block arrives at metlog-recv line by line, and is one message for ZeroMQ" {
	envelopes 1 100000 >input
	[ "$(head -1 input | wc -c)" = 64 ]
	receive --from 'pull:tcp://127.0.0.1:*' --stats stats
	separately "$driver" "push:$(endpoint pull)" <input
	expect_status 0
	expect_in "$out" 'delivered taken=100000 lost=0'
	await_lines 100000
	stop
	expect_same input got
	[ "$(count stats read)" = 100000 ]
}

@test "push: the messages of a block hold whole lines, without the last newline" {
	need_zmq
	envelopes 1 3000 >input
	"$python" "$SOURCE/tests/peers/zmq_receiver.py" pull bind "ipc://$PWD/socket" &
	children=$!
	await 20 test -e at
	separately "$driver" "push:$(cat at)" <input
	expect_in "$out" 'delivered taken=3000 lost=0'
	await_lines 3
	jq -r '.[]' <got | cmp - input
	[ "$(jq -r '.[]|length' <got | tr '\n' ' ')" = "65535 65535 $((952 * 64 - 1)) " ]
}

@test "pub: udp: unix: and ack: take a block, too, one envelope at a time for whoever receives" {
	envelopes 1 500 >input
	for kind in sub:pub udp:udp unix:unix ack:ack; do
		case $kind in
		udp:*) from='udp:127.0.0.1:0' ;;
		unix:*) from="unix:$PWD/log" ;;
		*) from="${kind%:*}:tcp://127.0.0.1:*" ;;
		esac
		receive --from "$from" ${unix_datagram-}
		separately "$driver" "${kind#*:}:$(endpoint "${kind%:*}")" <input
		expect_in "$out" 'delivered taken=500 lost=0'
		await_lines 500
		stop
		expect_same input got
	done
}

is_stuck() { [ "$(tail -n 2 driver.err | grep -c "waiting taken=$(sed -n '$s/.*taken=\([0-9]*\).*/\1/p' driver.err): the far side does not read")" = 2 ]; }

@test "push: what was queued for a receiver that was killed is counted in envelopes, and the next receiver gets the rest" {
	envelopes 1 60000 >input
	mkfifo fifo
	receive --from "pull:ipc://$PWD/socket"
	"$driver" "push:ipc://$PWD/socket" 300 4 65536 again <fifo >out 2>driver.err &
	children=$!
	exec 7>fifo
	head -n 10 input >&7
	await_lines 10
	kill -STOP "$receiver"
	tail -n +11 input >&7 &
	exec 7>&-
	await 20 is_stuck || fail "$(tail -3 driver.err)"
	taken=$(sed -n '$s/.*taken=\([0-9]*\).*/\1/p' driver.err)
	queued=$((taken - $(grep '^taken=' driver.err | tail -n 5 | sed -n '1s/taken=//p'))) # in the last four messages
	kill -9 "$receiver"
	wait "$receiver" || true
	mv got first
	receive --from "pull:ipc://$PWD/socket"
	status=0
	wait "$children" || status=$?
	children=
	expect_status 75
	expect_in driver.err "the connection was lost, and with it up to $queued envelopes"
	expect_in out "later taken=60000 lost=$queued "
	await_lines $((60000 - taken))
	stop
	tail -n +$((taken + 1)) input | cmp - got
	[ "$(wc -l <first)" -le $((taken - queued)) ]
	[ "$queued" -gt 100 ] # and not the four messages
}
