# ack-example.bats - the example client of ack:, contrib/examples/ack_sender.py, against metlog-recv.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154,SC2164

setup() {
	load ../helper
	load ../recv
	cd "$BATS_TEST_TMPDIR"
	need_zmq
	address=ipc://$PWD/socket
}

teardown() {
	local pid
	for pid in ${receiver-} ${sender-}; do kill -9 "$pid" 2>/dev/null || true; done
}

ack_sender() { "$python" "$SOURCE/contrib/examples/ack_sender.py" "$@"; }
kept() { metlog-spool cat spool 2>/dev/null; }
has_kept() { [ "$(kept | wc -l)" -ge "$1" ]; }

@test "the example sends what it reads, in order and once, and exits with 0 when all is kept" {
	receive --from "ack:$address" --spool spool
	metlog-flood -c 3000 >input
	printf '{"type":"last"}' >>input # without a newline
	separately ack_sender "$address" <input
	expect_status 0
	expect_empty "$err"
	echo >>input
	kept >got
	expect_same got input
	stop
}

@test "the example loses nothing and sends nothing twice when the receiver is killed and started again" {
	receive --from "ack:$address" --spool spool
	(exec 7>&-; metlog-flood -c 6000 --rate 3000 | tee input | ack_sender "$address" 2>sender.err; echo "${PIPESTATUS[2]}" >sender.status) &
	sender=$!
	await 20 has_kept 1000
	kill -9 "$receiver"
	wait "$receiver" || true
	rm -f socket
	receive --from "ack:$address" --spool spool
	await 60 test -s sender.status || fail "the sender does not end; $(kept | wc -l) are kept"
	[ "$(cat sender.status)" = 0 ] || fail "$(cat sender.status sender.err)"
	kept >got
	expect_same got input
	stop
}

@test "the example names what is rejected, and exits with 65" {
	receive --from "ack:$address" --spool spool --rejects rejects
	printf '{}\nnot an envelope\n{"type":"x"}\n' >input
	separately ack_sender "$address" <input
	expect_status 65
	expect_in "$err" "envelope 2 is rejected: 'not a JSON object'"
	[ "$(kept | wc -l)" -eq 2 ]
	separately ack_sender
	expect_status 64
	stop
}
