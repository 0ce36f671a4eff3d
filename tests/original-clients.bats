# original-clients.bats - what the clients of 2011 to 2013 send passes through the toolkit, each message to its place or to the rejects with the right reason.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load recv
	need python3
	cd "$BATS_TEST_TMPDIR"
	grep -v '^#' "$SOURCE/tests/data/original-clients.tsv" >table
	messages >sent
	awk -F'\t' '$1 != "unfit" { print $3 }' table >fit
	awk -F'\t' '$1 == "unfit" { print $2 }' table >reasons
}

teardown() {
	local pid
	for pid in ${receiver-} ${sender-}; do kill -9 "$pid" 2>/dev/null || true; done
}

# messages [WHERE]: those that go there; all of them.
messages() { awk -F'\t' -v where="${1-}" 'where == "" || $1 == where { print $3 }' table; }

# reasons_of FILE: the reason of each reject.
reasons_of() { python3 -c 'import json, sys; [print(json.loads(line)["fields"]["reason"]) for line in open(sys.argv[1])]' "$1"; }

# datagrams END: each message as a datagram with this end, as the original UdpSender (none) and the one for Node (a newline) send it.
datagrams() {
	python3 - "$(port udp)" "$1" <<-'P'
		import socket, sys
		sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for line in open("sent", "rb"):
		    sock.sendto(line.rstrip(b"\n") + sys.argv[2].encode(), ("127.0.0.1", int(sys.argv[1])))
	P
}

# arrived: all have, those that are good as they were and in order, the others with their reasons.
arrived() {
	await_lines "$(wc -l <fit)"
	await_lines "$(wc -l <reasons)" bad
	stop
	expect_same got fit
	reasons_of bad >why
	expect_same why reasons
}

@test "the messages of UdpSender arrive as they were sent, and what is no envelope is rejected with its reason" {
	touch bad
	receive --from udp:127.0.0.1:0 --rejects bad
	datagrams ''
	arrived
}

@test "so do those of udpSenderFactory, which end in a newline" {
	touch bad
	receive --from udp:127.0.0.1:0 --rejects bad
	datagrams $'\n'
	arrived
}

@test "so do those of ZmqPubSender, which connects" {
	need_zmq
	touch bad
	receive --from 'sub:tcp://127.0.0.1:*' --rejects bad
	timeout 60 "$python" "$SOURCE/tests/peers/zmq_peer.py" pub-connect "$(endpoint sub)" <sent
	arrived
}

@test "so do those of zmqPubSenderFactory, which binds and ends each in a newline" {
	need_zmq
	touch bad
	timeout 60 "$python" "$SOURCE/tests/peers/zmq_peer.py" pub-bind port <sent &
	sender=$!
	await 20 test -s port
	receive --from "sub:>tcp://127.0.0.1:$(cat port)" --rejects bad
	arrived
}

@test "what StdOutSender indents over many lines arrives as one envelope, when somebody puts it into a datagram" {
	receive --from udp:127.0.0.1:0
	python3 - "$(port udp)" <<-'P'
		import json, socket, sys
		sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for line in open("fit", encoding="utf-8"):
		    sock.sendto((json.dumps(json.loads(line), indent=4) + "\n").encode(), ("127.0.0.1", int(sys.argv[1])))
	P
	await_lines "$(wc -l <fit)"
	stop
	python3 -c 'import json; assert [json.loads(l) for l in open("got")] == [json.loads(l) for l in open("fit")]'
}

@test "each message takes the route of the original's configuration, unchanged" {
	local where
	# What stands behind => is where it is delivered; here a file for each.
	sed -e ':join' -e '/\\$/N' -e 's/\\\n//' -e 't join' "$SOURCE/contrib/examples/route.conf" |
		sed -nE '/^route urgent/d; s/^((route|default) +([a-z]+).*)=>.*/\1=> file:\3.out/p' >routes
	separately metlog-route -c routes --rejects bad sent
	expect_status 0
	for where in statsd text cef sentry archive; do
		messages "$where" >want
		[ -s want ] || fail "no message goes to $where"
		expect_same "$where.out" want
	done
}

@test "the statsd sink sends the metrics among them, and says of the others why not" {
	separately metlog-to-statsd --dry-run --one-per-packet --rejects bad fit
	expect_status 0
	awk -F'\t' '$1 == "statsd" && $2 !~ /^!/ { print $2 }' table >want
	expect_same "$out" want
	reasons_of bad >why
	awk -F'\t' '$1 == "statsd" && sub(/^!/, "", $2) { print $2 }' table >want
	expect_same why want
}

@test "the CEF sink sends their security events as they are" {
	separately metlog-to-cef --dry-run --rejects bad -m 'type == "cef"' fit
	expect_status 0
	awk -F'\t' '$1 == "cef" { print $2 }' table >want
	expect_same "$out" want
	[ ! -s bad ]
}

@test "a spool keeps them, and HDFS gets them from there, byte for byte" {
	metlog-route -m 'TRUE' fit | metlog-spool write spool
	separately metlog-spool drain --once spool -- metlog-to-hdfs --to "file:$PWD/base" --compress none --layout all
	expect_status 0
	find base -type f -name '*.ndjson' -exec cat {} + | sort >published
	sort fit >want
	expect_same published want
}

@test "metlog-send passes them on unchanged with --as-is, and tells those that are no envelopes from them" {
	touch bad
	receive --from 'pull:tcp://127.0.0.1:*'
	separately metlog-send --json --as-is --to "push:$(endpoint pull)" --rejects bad sent
	expect_status 0
	await_lines "$(wc -l <fit)"
	stop
	expect_same got fit
	reasons_of bad >why
	expect_same why reasons
}

@test "metlog-tail shows each of them" {
	separately metlog-tail --oneline fit
	expect_status 0
	[ "$(wc -l <"$out")" -ge "$(wc -l <fit)" ]
	expect_in "$out" 'disk is filling up: 91%'
}
