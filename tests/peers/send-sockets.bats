# send-sockets.bats - metlog-send against plain UDP, TCP and unix sockets of python3.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load ../helper
	need python3 jq
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	local pid
	for pid in ${children-}; do kill -9 "$pid" 2>/dev/null || true; done
}

# record KIND: writes what arrives to `recorded`, a datagram or a line at a time; $at says where.
record() {
	rm -f at recorded
	python3 "$SOURCE/tests/peers/recorder.py" "$@" 2>recorder.err 7>&- &
	recorder=$!
	disown
	children="${children-} $recorder"
	await 20 test -e at || fail "the recorder does not start: $(cat recorder.err)"
	at=$(cat at)
}

has_lines() { [ "$(wc -l <recorded)" -ge "$1" ]; }
await_lines() { await 20 has_lines "$1" || fail "expected $1, there are $(wc -l <recorded)"; }

@test "udp: one envelope a datagram, without a newline; what is too long for one is a reject" {
	record udp
	{ seq 20; printf '%070000d\n' 0; echo last; } >input
	separately metlog-send --to "udp:127.0.0.1:$at" --rejects rejects <input
	expect_status 0
	await_lines 21
	jq -r .payload <recorded | cmp - <(seq 20; echo last)
	[ "$(jq -c '.fields | [.line, .reason]' <rejects)" = '[21,"too long for a datagram"]' ]
}

@test "unix: datagrams or a stream, whichever the receiver has" {
	for kind in dgram stream; do
		record $kind
		separately metlog-send --to "unix:$at" < <(seq 1000)
		expect_status 0
		await_lines 1000
		jq -r .payload <recorded | cmp - <(seq 1000)
	done
}

@test "tcp: one envelope a line" {
	record tcp
	separately metlog-send --to "tcp:127.0.0.1:$at" < <(seq 1000)
	expect_status 0
	await_lines 1000
	jq -r .payload <recorded | cmp - <(seq 1000)
}

@test "a line goes out as soon as no more input is there" {
	for kind in udp tcp stream; do
		record $kind
		case $kind in stream) to=unix:$at ;; *) to=$kind:127.0.0.1:$at ;; esac
		rm -f fifo
		mkfifo fifo
		metlog-send --to "$to" <fifo &
		sender=$!
		exec 7>fifo
		echo one >&7
		await_lines 1
		echo two >&7
		await_lines 2
		exec 7>&-
		wait $sender
	done
}

@test "a listener that is replaced while we send gets the rest" {
	record stream
	mkfifo fifo
	metlog-send --to "unix:$at" --timeout 10s <fifo &
	sender=$!
	exec 7>fifo
	echo one >&7
	await_lines 1
	kill -9 "$recorder"
	await 10 sh -c "! kill -0 $recorder 2>/dev/null"
	record stream
	echo two >&7
	await_lines 1
	exec 7>&-
	wait $sender
	[ "$(jq -r .payload <recorded)" = two ]
}
