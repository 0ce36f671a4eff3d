# metlog-send-again.bats - metlog-send: receivers that go and come back while it waits for input.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load recv
	cd "$BATS_TEST_TMPDIR"
	mkfifo fifo
	receiver='' sender=''
}

teardown() {
	local pid
	exec 7>&-
	for pid in $receiver $sender; do kill -9 "$pid" 2>/dev/null || true; done
}

# sends ENDPOINT: metlog-send makes envelopes of what is written to descriptor 7, until that is closed.
sends() {
	metlog-send --to "$1" --timeout 30s --stats books <fifo 2>send.err &
	sender=$!
	exec 7>fifo
}

# ended STATUS: so it ends, now that its input has.
ended() {
	local status=0
	exec 7>&-
	wait "$sender" || status=$?
	sender=
	[ "$status" = "$1" ] || fail "exit status $status: $(cat send.err)"
}

# gone_and_back ENDPOINT: the receiver is killed, another one takes its place, and has a line of the sender's.
gone_and_back() {
	kill -9 "$receiver"
	wait "$receiver" || true
	receive --from "$1" 7>&- # whoever holds the other end of a fifo keeps its reader waiting
	await 20 said_again
}
said_again() { echo again >&7 && [ -s got ]; }

@test "push: what was queued for a connection that broke is counted once, however often it breaks again" {
	receive --from "pull:ipc://$PWD/sock"
	sends "push:ipc://$PWD/sock"
	seq 3000 >&7
	await_lines 3000
	gone_and_back "pull:ipc://$PWD/sock"
	gone_and_back "pull:ipc://$PWD/sock"
	ended 75
	[ "$(count books unsent)" -ge 1000 ] || fail "$(cat books)"
	[ "$(count books unsent)" -lt 2000 ] || fail "$(cat books)"
}

@test "unix: lines stay lines when a receiver of datagrams comes back as one of a stream" {
	receive --from unix:sock --unix-datagram
	sends unix:sock
	echo one >&7
	await_lines 1
	stop
	receive --from unix:sock 7>&-
	printf 'two\nthree\nfour\n' >&7
	await_lines 3
	ended 0
	stop
	[ "$(sed 's/.*"payload":"\([a-z]*\)".*/\1/' got | tr '\n' ' ')" = 'two three four ' ] || fail "$(cat got err)"
}
