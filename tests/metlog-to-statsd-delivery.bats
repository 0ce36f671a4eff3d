# metlog-to-statsd-delivery.bats - when metrics are sent: aggregates, the pace, signals, and a far side that refuses, dies or stays away.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load to-statsd
	cd "$BATS_TEST_TMPDIR"
	children=''
	shopt -s lastpipe # what a pipe's last command sets is seen by the test
}

teardown() {
	local pid
	for pid in $children; do kill -9 "$pid" 2>/dev/null || true; done
}

@test "what has been read is sent before more input is awaited" {
	record udp
	mkfifo input
	metlog-to-statsd --to "udp:127.0.0.1:$at" <input &
	children="$children $!"
	exec 7>input
	metric counter first 1 >&7
	await 10 grep -q 'first:1|c' recorded
	metric counter second 1 >&7
	await 10 grep -q 'second:1|c' recorded
	exec 7>&-
}

@test "--aggregate sums counters, keeps the last of a gauge and each member of a set once" {
	{
		metric counter a 1 '"rate":0.1'
		metric gauge g 5
		metric set s '"x"'
		metric counter a 2
		metric set s '"y"'
		metric gauge g '"-7.50"'
		metric set s '"x"'
		metric timer t 3
		metric timer t 4
		metric counter b -1
		metric counter b 1
	} | lines --aggregate 1h --stats books
	expect_status 0
	# Timers cannot be folded for a plain statsd: they go out as they come.
	expect_lines 't:3|ms' 't:4|ms' 'a:12|c' 'g:0|g' 'g:-7.5|g' 's:x|s' 's:y|s' 'b:0|c'
	expect_in books '"read":11,"passed":11,"dropped":0,"rejected":0,"bytes"'
}

@test "--aggregate packs timers with --tags dogstatsd, up to the length of a packet" {
	{
		for i in 1 2 3 4 5 6; do metric timer t "10$i" '"tags":{"b":"1","a":"2"}'; done
		metric timer t 9 '"tags":{"a":"2","b":"1"}'
		metric timer t 9 '"rate":0.5'
	} >input
	lines --aggregate 1h --tags dogstatsd <input
	expect_lines 't:101:102:103:104:105:106:9|ms|#a:2,b:1' 't:9|ms|@0.5'
	lines --aggregate 1h --tags dogstatsd --mtu 30 <input
	expect_lines 't:101:102:103:104|ms|#a:2,b:1' 't:105:106:9|ms|#a:2,b:1' 't:9|ms|@0.5'
}

@test "an aggregate is sent when its time has come, without input, and when it is full" {
	record udp
	mkfifo input
	metlog-to-statsd --to "udp:127.0.0.1:$at" --aggregate 200ms <input &
	children="$children $!"
	exec 7>input
	{ metric counter a 1; metric counter a 2; } >one
	cat one >&7
	await 10 grep -q '^a:3|c$' recorded
	cat one >&7
	await 10 eval '[ "$(grep -c "^a:3|c$" recorded)" -eq 2 ]'
	exec 7>&-
	for i in 1 2 3 4 5; do metric counter "n$i" 1; done | lines --aggregate 1h --max-contexts 2 --stats books
	expect_lines 'n1:1|c' 'n2:1|c' 'n3:1|c' 'n4:1|c' 'n5:1|c'
	expect_in books '"early":2'
}

@test "SIGTERM sends what was read, aggregates too, and exits with 0" {
	record udp
	mkfifo input
	metlog-to-statsd --to "udp:127.0.0.1:$at" --aggregate 1h --stats books <input &
	local tool=$!
	children="$children $tool"
	exec 7>input
	{ metric counter a 1; metric counter a 2; metric timer t 5; } >one
	cat one >&7
	await 10 grep -q 't:5|ms' recorded
	kill -TERM "$tool"
	wait "$tool"
	exec 7>&-
	await 10 grep -q 'a:3|c' recorded
	expect_in books '"read":3,"passed":3'
}

@test "refused UDP packets are counted, told once, and end in exit status 75" {
	need python3
	local port
	port=$(python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	for i in 1 2 3 4 5; do metric counter "a$i" 1; done >input
	separately metlog-to-statsd --to "udp:127.0.0.1:$port" --one-per-packet --stats books <input
	expect_status 75
	expect_in books '"read":5,"passed":5,'
	expect_in books '"packets":5,"refused":5,"lost":0'
	[ "$(grep -c 'metrics are being lost' "$err")" -eq 1 ]
	expect_in "$err" '5 packets were refused'
}

@test "a packet that is refused is sent once more, and is lost if that is refused too" {
	need strace
	strace -o /dev/null -e inject=write:error=EINTR:when=1 true 2>/dev/null || skip "strace may not trace here"
	sanitized && skip "a sanitizer build cannot be traced"
	record udp
	metric counter a 1 >input
	separately strace -o trace -e inject=sendmmsg:error=ECONNREFUSED:when=1 "$(command -v metlog-to-statsd)" --to "udp:127.0.0.1:$at" --stats books <input
	expect_status 75
	expect_in books '"packets":1,"refused":1,"lost":0'
	await 10 grep -q 'a:1|c' recorded
	separately strace -o trace -e inject=sendmmsg:error=ECONNREFUSED:when=1..2 "$(command -v metlog-to-statsd)" --to "udp:127.0.0.1:$at" --stats books <input
	expect_status 75
	expect_in books '"packets":0,"refused":2,"lost":1'
	[ "$(grep -c INJECTED trace)" -eq 2 ]
}

@test "lines arrive completely over TCP and unix sockets, stream and datagram" {
	local kind to
	for i in $(seq 500); do metric counter "name.$i" "$i"; done >input
	metlog-to-statsd --dry-run <input >expected
	for kind in tcp stream dgram; do
		rm -f at recorded
		record "$kind"
		to=unix:$at
		[ "$kind" = tcp ] && to=tcp:127.0.0.1:$at
		separately metlog-to-statsd --to "$to" --mtu 100 --stats books <input
		expect_status 0
		await 10 grep -q 'name.500:' recorded
		sed 's/\\n/\n/g' recorded >got
		expect_same expected got
	done
}

@test "when a TCP connection dies, lines that were cut are sent again, whole and once" {
	for i in $(seq 5); do metric counter "name.$i" "$i"; done >input
	record tcp --cuts 2 --cut 4
	mkfifo pipe
	metlog-to-statsd --to "tcp:127.0.0.1:$at" --stats books -v <pipe 2>errors &
	local tool=$!
	children="$children $tool"
	exec 7>pipe
	# Each of the first two connections is closed while its first line is read; what comes then goes over a new one.
	for i in 1 2 3 4 5; do
		sed -n "${i}p" input >&7
		if [ "$i" -le 2 ]; then await 10 eval '[ "$(cat recorded.cuts 2>/dev/null | wc -l)" -ge '"$i"' ]'; else await 10 grep -q "^name.$i:$i|c$" recorded; fi
	done
	exec 7>&-
	wait "$tool"
	printf '%s\n' 'name.3:3|c' 'name.4:4|c' 'name.5:5|c' >expected
	expect_same expected recorded
	expect_in books '"reconnects":2'
}

@test "a far side that stays away ends in exit status 75, with the rest of the input not taken" {
	need python3
	local port
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	metric counter a 1 >input
	for to in "tcp:127.0.0.1:$port" "unix:$PWD/nobody"; do
		rm -f books
		separately metlog-to-statsd --to "$to" --timeout 300ms --stats books <input
		expect_status 75
		expect_in books '"read":1,"passed":0,'
		expect_in books '"lost":1'
		expect_in "$err" "$to: "
		expect_in "$err" '1 of the envelopes read was not delivered'
	done
}

@test "a unix datagram socket that is made anew is found again" {
	record dgram
	mkfifo input
	metlog-to-statsd --to "unix:$at" --stats books <input 2>errors &
	local tool=$!
	children="$children $tool"
	exec 7>input
	metric counter one 1 >&7
	await 10 grep -q one recorded
	kill -9 "$recorder"
	wait "$recorder" || true
	metric counter two 1 >&7
	await 10 grep -q 'trying again' errors
	rm -f at
	record dgram
	await 10 grep -q two recorded
	exec 7>&-
	wait "$tool"
	expect_in books '"passed":2'
	expect_in books '"lost":0,"reconnects":1'
}

@test "--pace holds the rate, and the input waits" {
	awk 'BEGIN { for (i = 0; i < 3000; i++) print "{\"type\":\"counter\",\"payload\":\"1\",\"fields\":{\"name\":\"n\"}}" }' >input
	record udp
	local start took _
	for _ in 1 2 3; do # a machine that stands still takes time of its own, though not each time
		: >recorded
		start=$EPOCHREALTIME
		metlog-to-statsd --to "udp:127.0.0.1:$at" --pace 5000/s <input
		took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print int((b - a) * 1000) }')
		[ "$took" -ge 550 ] || fail "3000 metrics at 5000/s took $took ms"
		await 10 eval '[ "$(sed "s/\\\\n/\n/g" recorded | wc -l)" -eq 3000 ]'
		[ "$took" -gt 3000 ] || break
	done
	[ "$took" -le 3000 ] || fail "3000 metrics at 5000/s took $took ms"
}

@test "SIGHUP connects anew, and SIGUSR1 prints books that balance" {
	record tcp
	mkfifo input
	metlog-to-statsd --to "tcp:127.0.0.1:$at" <input 2>errors &
	local tool=$!
	children="$children $tool"
	exec 7>input
	metric counter one 1 >&7
	await 10 grep -q one recorded
	kill -HUP "$tool"
	kill -USR1 "$tool"
	await 10 grep -q metlog.stats errors
	expect_in errors '"read":1,"passed":1,"dropped":0,"rejected":0'
	metric counter two 1 >&7
	await 10 grep -q two recorded
	exec 7>&-
	wait "$tool"
}
