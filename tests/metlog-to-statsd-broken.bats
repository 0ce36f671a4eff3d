# metlog-to-statsd-broken.bats - a connection that dies under way.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	local pid
	exec 7>&-
	for pid in ${children-}; do kill -9 "$pid" 2>/dev/null || true; done
}

counter() { echo '{"type":"counter","payload":1,"fields":{"name":"some.hits"}}'; }

@test "what a TCP connection takes with it when it dies is counted as lost, said, and exit status 75" {
	need python3 jq
	cat >server <<-'END'
		import os, socket, struct, time
		server = socket.socket()
		server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
		server.bind(("127.0.0.1", 0))
		server.listen()
		with open("at.new", "w") as at:
		    at.write(str(server.getsockname()[1]))
		os.rename("at.new", "at")
		first = server.accept()[0]
		while not os.path.exists("cut"):
		    time.sleep(0.01)
		first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		first.close()
		second, got = server.accept()[0], open("got", "wb")
		while block := second.recv(65536):
		    got.write(block)
	END
	python3 server 3>&- 7>&- &
	local server=$!
	children+=" $server"
	await 10 test -s at
	mkfifo pipe
	metlog-to-statsd --to "tcp:127.0.0.1:$(cat at)" --stats books <pipe 2>errors 3>&- &
	local tool=$!
	children+=" $tool"
	exec 7>pipe
	for _ in $(seq 3000); do counter; done >&7
	await 10 eval 'kill -USR1 $tool; grep -q "\"passed\":3000" errors'
	touch cut
	await 10 eval 'kill -USR1 $tool; grep -q "the connection was lost" errors || { counter >&7; false; }'
	exec 7>&-
	status=0
	wait "$tool" || status=$?
	err=errors expect_status 75
	await 10 eval '! kill -0 $server' || fail "the second connection did not end"
	local read passed lost
	read=$(jq .fields.read books) passed=$(jq .fields.passed books) lost=$(jq .fields.lost books)
	[ "$lost" -gt 0 ] && [ "$read" -eq $((passed + lost)) ] || fail "read $read, passed $passed, lost $lost"
	[ "$(wc -l <got)" -le "$passed" ]
	expect_in books '"reconnects":1'
}
