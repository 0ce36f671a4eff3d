# syslog.bats - messages over TCP, UDP and unix sockets by sink/syslog, to a receiver that misbehaves.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154,SC2164

bats_require_minimum_version 1.5.0

setup() {
	load fake_syslog
	syslog_setup
}

teardown() { syslog_teardown; }

@test "over TCP each message is a line, and all are proved" {
	receiver r
	printf '<134>one\n<134>two\n' >expected
	deliver "syslog+tcp:127.0.0.1:$port" <expected
	expect_status 0
	books taken=2 proved=2 waiting=0 resent=0
	expect_same r.1 expected
}

@test "with octet counts each message has its length before it, and nothing behind it" {
	receiver r
	printf '<134>one\n<134>caf\303\251\n' >lines
	deliver --framing counted "syslog+tcp:127.0.0.1:$port" <lines
	expect_status 0
	[ "$(od -An -c r.1 | tr -d ' \n')" = "8<134>one10<134>caf303251" ]
}

@test "a message that is too long is cut at a character, and then counted" {
	receiver r
	{ printf '<134>%057d' 0; printf '\303\251\303\251\n<134>short\n'; } >lines
	deliver --framing counted --max-bytes 65 "syslog+tcp:127.0.0.1:$port" <lines
	expect_status 0
	books taken=2 truncated=1
	{ printf '64 <134>%057d' 0; printf '\303\25110 <134>short'; } >expected
	expect_same r.1 expected
}

@test "NUL does not end a line, and a line does not begin with a digit" {
	receiver r
	printf '<134>a\0b\n10 <134>not a count\n\n<134>last\n' >lines
	deliver "syslog+tcp:127.0.0.1:$port" <lines
	expect_status 0
	books taken=4 proved=4
	printf '<134>a#000b\n 10 <134>not a count\n \n<134>last\n' >expected
	expect_same r.1 expected
}

@test "what is sent is held until it is proved, at most a window; then a new connection begins" {
	receiver r
	deliver --count 1000 --bytes 1000 --window 100000 "syslog+tcp:127.0.0.1:$port"
	expect_status 0
	books taken=1000 proved=1000 reconnects=0 resent=0
	all_arrived r lf 1000
	[ "$(wc -l <arrived)" -eq 1000 ]
	[ "$(ls r.[0-9]* | wc -l)" -ge 10 ]
	for one in r.[0-9]*; do [ "$(stat -c %s "$one")" -le 100000 ]; done
}

@test "a message longer than the window is sent all the same" {
	receiver r
	deliver --count 5 --bytes 50000 --max-bytes 60000 --window 1000 "syslog+tcp:127.0.0.1:$port"
	expect_status 0
	books proved=5
	all_arrived r lf 5
}

@test "a slow receiver makes the sender wait, and gets everything once" {
	receiver r do=slow:20000
	deliver --count 2000 --bytes 1000 --timeout 20000 "syslog+tcp:127.0.0.1:$port"
	expect_status 0
	books proved=2000 reconnects=0
	all_arrived r lf 2000
	[ "$(wc -l <arrived)" -eq 2000 ]
}

@test "a connection that is cut is made again: what was not proved goes again, from the start of a message" {
	for framing in lf counted; do
		receiver "$framing" do=cut:10007,cut:1,cut:33333,read
		deliver --framing "$framing" --count 3000 --bytes 300 "syslog+tcp:127.0.0.1:$port"
		expect_status 0
		books taken=3000 proved=3000 waiting=0 'reconnects=[23]' # what is cut before it stands is no connection
		all_arrived "$framing" "$framing" 3000
	done
}

@test "a connection that is reset is made again" {
	receiver r do=reset:20000,reset:0,reset:100000,read
	deliver --count 3000 --bytes 300 --retry 20000 "syslog+tcp:127.0.0.1:$port"
	expect_status 0
	books proved=3000 'reconnects=[23]' # a reset that comes before the connection stands is no connection
	all_arrived r lf 3000
	grep -q 'connecting again' "$err"
}

@test "a receiver that ends its side before ours has proved nothing" {
	receiver r do=half,read
	mkfifo in
	"$driver" --proof 60000 "syslog+tcp:127.0.0.1:$port" <in >said 2>complaints 3>&- &
	pid=$!
	exec 7>in
	echo '<134>one' >&7
	await 10 grep -qs '<134>one' r.2
	exec 7>&-
	wait "$pid"
	grep -q '^fine taken=1 proved=1 .* resent=[01] reconnects=1' said
}

@test "one that ends each connection at once is gone after the time for retries, and nothing is proved" {
	receiver r do=cut:0
	deliver --count 100 --bytes 300 --retry 700 "syslog+tcp:127.0.0.1:$port"
	expect_status 75
	books taken=100 proved=0 waiting=100
	grep -qE "^gone .* 127.0.0.1:$port: (the far side has ended the connection|Connection reset by peer|Broken pipe)$" "$out"
}

@test "one that takes no more is gone after the time-out, and what it had not proved is counted" {
	receiver r do=stall:1000
	deliver --count 40000 --bytes 1000 --window 40000000 --timeout 700 "syslog+tcp:127.0.0.1:$port"
	expect_status 75
	books proved=0
	grep -qF "127.0.0.1:$port: it takes no more" "$out"
}

@test "one that does not end its side is gone after the time-out; with --confirm acked it need not" {
	receiver r do=never
	deliver --count 10 --bytes 300 --timeout 500 "syslog+tcp:127.0.0.1:$port"
	expect_status 75
	books taken=10 proved=0 waiting=10
	expect_in "$out" "(--confirm acked)"
	deliver --count 20000 --bytes 300 --window 100000 --timeout 5000 --confirm acked "syslog+tcp:127.0.0.1:$port"
	expect_status 0
	books taken=20000 proved=20000 resent=0 reconnects=0
	python3 "$SOURCE/tests/fake_syslog.py" frames r lf | tail -n 20000 | grep -c '^<134>' >count
	[ "$(cat count)" -eq 20000 ]
	[ ! -e r.3 ]
}

@test "with --confirm acked a broken connection is made again, from the start of a message" {
	receiver r do=cut:100007,reset:50000,read
	deliver --count 10000 --bytes 300 --window 60000 --confirm acked --retry 20000 "syslog+tcp:127.0.0.1:$port"
	expect_status 0
	books taken=10000 proved=10000 'reconnects=[12]'
	python3 "$SOURCE/tests/fake_syslog.py" frames r lf >arrived
	[ "$(tail -1 arrived | cut -c1-9)" = "<134>9999" ]
}

@test "a receiver that talks is not answered, and gets everything" {
	receiver r do=talk
	deliver --count 3000 --bytes 1000 "syslog+tcp:127.0.0.1:$port"
	expect_status 0
	all_arrived r lf 3000
}

@test "nobody there at first is waited for, with one warning" {
	receiver r do=later,read
	"$driver" --count 10 --bytes 100 --retry 30000 "syslog+tcp:127.0.0.1:$port" >said 2>complaints 3>&- &
	await 10 grep -q 'Connection refused; trying again for 30 s' complaints
	touch r.up
	wait $!
	grep -q '^fine taken=10 proved=10 ' said
	[ "$(grep -c 'trying again' complaints)" -eq 1 ]
	all_arrived r lf 10
}

@test "nobody there is gone after the time for retries; a name that does not exist is so at once" {
	receiver r do=later
	deliver --count 10 --bytes 100 --retry 300 "syslog+tcp:127.0.0.1:$port"
	expect_status 75
	expect_in "$out" "127.0.0.1:$port: Connection refused"
	deliver --count 10 --bytes 100 --retry 60000 "syslog+tcp:no-such-host.invalid:514"
	expect_status 75
	expect_in "$out" "no-such-host.invalid:514: "
}

@test "a request to stop, made twice, ends the wait for a receiver that is away" {
	receiver r do=later
	"$driver" --count 10 --bytes 100 --retry 60000 "syslog+tcp:127.0.0.1:$port" >said 2>complaints 3>&- &
	pid=$!
	await 10 grep -q 'trying again' complaints
	kill -TERM "$pid"
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	expect_status 75
	grep -q '^gone taken=10 proved=0 waiting=10' said
}

@test "a request to stop, made twice, ends the wait for a receiver that takes no more" {
	receiver r do=stall:1000
	"$driver" --count 40000 --bytes 1000 --window 40000000 --timeout 60000 "syslog+tcp:127.0.0.1:$port" >said 2>complaints 3>&- &
	pid=$!
	await 10 happened r "1 stall not ended"
	kill -TERM "$pid"
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	expect_status 75
	grep -q '^gone .* proved=0 ' said
}

@test "a request to stop lets what was read be delivered" {
	receiver r
	mkfifo in
	"$driver" "syslog+tcp:127.0.0.1:$port" <in >said 2>complaints 3>&- &
	pid=$!
	exec 7>in
	echo '<134>one' >&7
	await 10 grep -q one r.1
	kill -TERM "$pid"
	wait "$pid"
	exec 7>&-
	grep -q '^fine taken=1 proved=1 ' said
}

@test "what is idle is proved without further input, and a receiver that restarts while nothing is sent is not noticed" {
	receiver r
	mkfifo in
	"$driver" --proof 50 "syslog+tcp:127.0.0.1:$port" <in >said 2>complaints 3>&- &
	pid=$!
	exec 7>in
	echo '<134>one' >&7
	await 10 happened r "1 read ended"
	echo '<134>two' >&7
	await 10 happened r "2 read ended"
	kill -HUP "$pid"
	exec 7>&-
	wait "$pid"
	grep -q '^fine taken=2 proved=2 .* reconnects=0' said
}

@test "a connection that breaks while there is no input is made again at once" {
	receiver r do=cut:5,read
	mkfifo in
	"$driver" --proof 60000 "syslog+tcp:127.0.0.1:$port" <in >said 2>complaints 3>&- &
	pid=$!
	exec 7>in
	echo '<134>one' >&7
	await 10 grep -qs '<134>one' r.2
	exec 7>&-
	wait "$pid"
	grep -q '^fine taken=1 proved=1 .* resent=1 reconnects=1' said
}

@test "--pace holds the rate, and nothing is gathered" {
	receiver r
	seq 100 | sed 's/^/<134>/' >lines
	from=$(date +%s%N)
	deliver --pace 200 "syslog+tcp:127.0.0.1:$port" <lines
	[ $((($(date +%s%N) - from) / 1000000)) -ge 450 ]
	expect_status 0
	books taken=100 proved=100
	expect_same r.1 lines
	receiver slow
	mkfifo in
	"$driver" --pace 1 "syslog+tcp:127.0.0.1:$port" <in >said 2>complaints 3>&- &
	pid=$!
	exec 7>in
	cat lines >&7
	await 10 grep -qs '<134>1$' slow.1
	if grep -q '<134>100$' slow.1; then fail "all came at once"; fi
	exec 7>&-
	kill -TERM "$pid"
	kill -INT "$pid"
	wait "$pid" || true
}

@test "IPv6 is spoken, with and without a name" {
	receiver r host=::1 2>/dev/null || skip "there is no IPv6 here"
	deliver --count 10 "syslog+tcp:[::1]:$port"
	expect_status 0
	receiver u kind=udp host=::1
	deliver --count 10 "syslog+udp:[::1]:$port"
	expect_status 0
}

@test "an address that is none is a mistake of usage" {
	for to in syslog+tcp: syslog+tcp::514 syslog+tcp:x:0 syslog+tcp:x:70000 'syslog+tls:x/y' 'syslog+tls:user@x' 'syslog+tcp:*' syslog+tcp:::1 syslog+relp:x syslog+unix:; do
		deliver --count 1 "$to"
		expect_status 64
	done
	deliver --count 1 --max-bytes 70000 syslog+udp:x
	expect_status 64
	deliver --count 1 --framing lf syslog+udp:x
	expect_status 64
}

@test "over UDP each message is a datagram" {
	receiver r kind=udp
	printf '<134>one\n<134>t\0wo\n' >expected
	deliver "syslog+udp:127.0.0.1:$port" <expected
	expect_status 0
	books taken=2 proved=2 lost=0
	await 10 cmp r.1 expected
}

@test "over UDP to a port that nobody listens at each message is tried twice, counted as lost, and that is said once" {
	receiver r kind=udp do=later
	deliver --count 10 --bytes 100 "syslog+udp:127.0.0.1:$port"
	expect_status 0
	books taken=10 proved=0 waiting=0 lost=10 resent=10 refused=20
	[ "$(grep -c 'messages are being lost' "$err")" -eq 1 ]
	touch r.up
	await 10 test -e r.1
	deliver --count 10 --bytes 100 "syslog+udp:127.0.0.1:$port"
	books proved=10 lost=0
}

@test "to a unix socket of datagrams whose queue is full one waits" {
	receiver r kind=datagram path="$PWD/log" do=slow
	deliver --count 200 --bytes 100 "syslog+unix:$PWD/log"
	expect_status 0
	books taken=200 proved=200 lost=0
	full() { [ "$(wc -l <r.1)" -eq 200 ]; }
	await 10 full
	all_arrived r lf 200
}

@test "a unix socket that nobody reads from is gone after the time-out" {
	receiver r kind=datagram path="$PWD/log" do=slow
	kill -STOP "$(cat pids)"
	deliver --count 100000 --bytes 100 --timeout 300 "syslog+unix:$PWD/log"
	kill -CONT "$(cat pids)"
	expect_status 75
	expect_in "$out" "$PWD/log: its queue stays full"
}

@test "a unix socket that is made anew is found again" {
	receiver r kind=datagram path="$PWD/log"
	mkfifo in
	"$driver" --retry 30000 "syslog+unix:$PWD/log" <in >said 2>complaints 3>&- &
	pid=$!
	exec 7>in
	echo '<134>one' >&7
	await 10 grep -q one r.1
	kill "$(cat pids)"
	wait "$(cat pids)" || true
	rm log
	echo '<134>two' >&7
	await 10 grep -q 'connecting again' complaints
	receiver new kind=datagram path="$PWD/log"
	exec 7>&-
	wait "$pid"
	grep -q '^fine taken=2 proved=2 .* reconnects=1' said
	await 10 grep -q two new.1
}

@test "to a unix socket that is a stream lines go, proved like those over TCP" {
	receiver r kind=stream path="$PWD/log" do=cut:1000,read
	deliver --count 1000 --bytes 100 "syslog+unix:$PWD/log"
	expect_status 0
	books taken=1000 proved=1000 reconnects=1
	all_arrived r lf 1000
	deliver --count 1000 --bytes 100 --confirm acked "syslog+unix:$PWD/log"
	books taken=1000 proved=1000 reconnects=0
}

@test "with --confirm acked a unix receiver that dies has not taken what it had not read" {
	receiver r kind=stream path="$PWD/log" do=stall:1000
	"$driver" --count 200 --bytes 500 --confirm acked --timeout 60000 --retry 300 "syslog+unix:$PWD/log" >said 2>complaints 3>&- &
	pid=$!
	await 10 happened r "1 stall not ended"
	kill -KILL "$(cat pids)"
	status=0
	wait "$pid" || status=$?
	expect_status 75
	grep -q '^gone taken=200 proved=0 waiting=200' said || fail "$(cat said)"
}

@test "the time for which a receiver was away is not held against the one that takes its place" {
	receiver r kind=stream path="$PWD/log" do=stall:1
	"$driver" --count 10 --bytes 300 --confirm acked --timeout 2000 --retry 60000 "syslog+unix:$PWD/log" >said 2>complaints 3>&- &
	pid=$!
	await 10 happened r "1 stall not ended"
	kill -KILL "$(cat pids)"
	sleep 2.2
	receiver new kind=stream path="$PWD/log" do=slow:100
	wait "$pid" || fail "$(cat said)"
	grep -q '^fine taken=10 proved=10 .* reconnects=1' said || fail "$(cat said)"
}

@test "a receiver that died before we ended our side has proved nothing" {
	receiver r
	mkfifo in
	"$driver" --proof 60000 --retry 300 "syslog+tcp:127.0.0.1:$port" <in >said 2>complaints 3>&- &
	pid=$!
	exec 7>in
	echo '<134>one' >&7
	await 10 grep -qs '<134>one' r.1
	kill -STOP "$pid"
	kill -KILL "$(cat pids)"
	wait "$(cat pids)" || true
	exec 7>&-
	kill -CONT "$pid"
	status=0
	wait "$pid" || status=$?
	expect_status 75
	grep -q '^gone taken=1 proved=0 waiting=1' said || fail "$(cat said)"
}

@test "a request to stop, made twice, ends the wait for the next message's turn" {
	receiver r
	seq 400 | sed 's/^/<134>/' >lines
	mkfifo in
	"$driver" --pace 4 "syslog+tcp:127.0.0.1:$port" <in >said 2>complaints 3>&- &
	pid=$!
	cat lines >in
	await 10 grep -qs '<134>1' r.1
	kill -TERM "$pid"
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	expect_status 75
	expect_in said "(--pace)"
}

@test "a receiver that ends each connection after so many bytes gets everything all the same" {
	receiver r do=cut:20000
	deliver --count 500 --bytes 300 --retry 30000 "syslog+tcp:127.0.0.1:$port"
	expect_status 0
	books taken=500 proved=500 waiting=0
	all_arrived r lf 500
}
