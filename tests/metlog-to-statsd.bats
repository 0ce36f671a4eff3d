# metlog-to-statsd.bats - from envelope to line, packets and tags, without a statsd.
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

@test "a counter, a timer, a gauge and a set become a line each; the value keeps its text" {
	{
		metric counter login '"3"'
		metric counter n '"-1"' '"rate":1.0'
		metric timer db.query 35
		metric timer t '"2.2399259999019705"'
		metric gauge g '"12345678901234567890.5"'
		metric set users '"alice"'
		metric set users 42
	} | lines
	expect_status 0
	expect_lines 'login:3|c' 'n:-1|c' 'db.query:35|ms' 't:2.2399259999019705|ms' 'g:12345678901234567890.5|g' 'users:alice|s' 'users:42|s'
}

@test "an envelope of another type is dropped and counted, not rejected" {
	{ printf '{"type":"oldstyle","payload":"hello"}\n{}\n'; metric counter a 1; } | lines --stats books
	expect_status 0
	expect_lines 'a:1|c'
	expect_in books '"read":3,"passed":1,"dropped":2,"rejected":0'
}

@test "numbers are written without exponent, plus sign or minus zero" {
	{
		metric counter a 1e3
		metric counter b '"1.5E-3"'
		metric counter c '"+3"'
		metric counter d -0.0
		metric counter e '"-0"'
		metric counter f '"\u0035"'
		metric gauge h 1e22
	} | lines
	expect_status 0
	expect_lines 'a:1000|c' 'b:0.0015|c' 'c:3|c' 'd:0|c' 'e:0|c' 'f:5|c' 'h:10000000000000000000000|g'
}

@test "the rate is sent with counters and timers when it is below 1, in fixed notation" {
	{
		metric counter a 1 '"rate":0.1'
		metric counter b 1 '"rate":1'
		metric counter c 1 '"rate":1.0'
		metric counter d 1 '"rate":7'
		metric counter e 1 '"rate":"0.25"'
		metric timer f 1 '"rate":1e-7'
		metric gauge g 1 '"rate":0.5'
		metric set h 1 '"rate":0'
	} | lines
	expect_status 0
	expect_lines 'a:1|c|@0.1' 'b:1|c' 'c:1|c' 'd:1|c' 'e:1|c|@0.25' 'f:1|ms|@0.0000001' 'g:1|g' 'h:1|s'
}

@test "a metric that statsd could not count is rejected, with the reason" {
	metric counter a '"abc"' | lines --rejects rejects; expect_reject 'the payload is not a number'
	metric counter a '""' | lines --rejects rejects; expect_reject 'the payload is not a number'
	metric counter a '"NaN"' | lines --rejects rejects; expect_reject 'the payload is not a number'
	metric counter a '"0x10"' | lines --rejects rejects; expect_reject 'the payload is not a number'
	metric counter a '"Infinity"' | lines --rejects rejects; expect_reject 'the payload is not a number'
	metric gauge a 1e999 | lines --rejects rejects; expect_reject 'the payload is not a number'
	metric gauge a '{"x":1}' | lines --rejects rejects; expect_reject 'the payload is not a number'
	metric timer a null | lines --rejects rejects; expect_reject 'the payload is not a number'
	metric timer a '"1\n2"' | lines --rejects rejects; expect_reject 'the payload is not a number'
	metric timer a -1 | lines --rejects rejects; expect_reject 'the timer is below 0'
	metric set a '""' | lines --rejects rejects; expect_reject 'the payload is empty'
	metric set a '[1]' | lines --rejects rejects; expect_reject 'the payload is not a text or a number'
	metric counter a 1 '"rate":0' | lines --rejects rejects; expect_reject 'fields.rate is not above 0'
	metric counter a 1 '"rate":-0.5' | lines --rejects rejects; expect_reject 'fields.rate is not above 0'
	metric counter a 1 '"rate":"often"' | lines --rejects rejects; expect_reject 'fields.rate is not a number'
	metric timer a 1 '"rate":null' | lines --rejects rejects; expect_reject 'fields.rate is not a number'
	metric counter a 1e300 '"rate":1e-300' | lines --rejects rejects; expect_reject 'the payload divided by fields.rate is out of range'
	metric counter '' 1 | lines --rejects rejects; expect_reject 'fields.name is missing or empty'
	echo '{"type":"counter","payload":"1"}' | lines --rejects rejects; expect_reject 'fields.name is missing or empty'
	echo '{"type":"counter","payload":"1","fields":{"name":5}}' | lines --rejects rejects; expect_reject 'fields.name is not a string'
}

@test "without --rejects the first is reported and the exit status is 65" {
	{ metric counter a '"abc"'; metric counter b 1; } | lines
	expect_status 65
	expect_lines 'b:1|c'
	expect_in "$err" 'the payload is not a number'
}

@test "no byte of a name can end a line or a part of it" {
	{
		metric counter 'My::App::hits' 1
		metric counter 'a:b|c@d#e f' 1
		metric counter 'x:1|c\nforged' 1
		metric counter 'nul\u0000tab\tdel\u007f' 1
		metric counter 'caf\u00e9.日本' 1
		metric counter ':::' 1
		metric set s '"a b:c|d\nforged:1|c é @#"'
	} | lines
	expect_status 0
	expect_lines 'My.App.hits:1|c' 'a_b_c_d_e_f:1|c' 'x_1_c_forged:1|c' 'nul_tab_del_:1|c' 'caf_.__:1|c' '_:1|c' 's:a_b_c_d_forged_1_c_%C3%A9_@#|s'
}

@test "dots are single, and at neither end of a name" {
	{ metric counter '.a..b.' 1; metric counter '...' 1; metric counter 'a::.b' 1; } | lines
	expect_lines 'a.b:1|c' '_:1|c' 'a.b:1|c'
}

@test "a name that would end npm's statsd is changed" {
	{ metric timer constructor 1; metric timer '__proto__' 1; metric set 'to*String' 1; metric timer a.constructor 1; } | lines
	expect_lines 'constructor_:1|ms' '__proto___:1|ms' 'to*String_:1|s' 'a.constructor:1|ms'
	metric timer constructor 1 | lines --prefix p
	expect_lines 'p.constructor:1|ms'
}

@test "a gauge below zero is set to zero first, in the same packet" {
	metric gauge temperature '"-5.5"' | lines
	expect_lines 'temperature:0|g' 'temperature:-5.5|g'
	metric gauge temperature -5 '"tags":{"room":"1"}' | lines --tags dogstatsd
	expect_lines 'temperature:0|g|#room:1' 'temperature:-5|g|#room:1'
	record udp
	for i in 1 2 3; do metric gauge g "-$i"; done | metlog-to-statsd --to "udp:127.0.0.1:$at" --one-per-packet
	await 10 grep -q 'g:-3' recorded
	printf '%s\n' '[g:0|g][g:-1|g]' '[g:0|g][g:-2|g]' '[g:0|g][g:-3|g]' >expected
	sed 's/\(.*\)/[\1]/; s/\\n/][/g' recorded >got
	expect_same expected got
}

@test "the border of a packet does not come between the two lines of a gauge below zero" {
	record udp
	{ metric counter x 1; metric gauge g -3; } >input
	# x:1|c and g:0|g fill 11 bytes, all three lines 18: at 11 to 17 bytes the gauge must begin a packet, if need be one that is too long.
	for mtu in 5 11 12 17 18; do metlog-to-statsd --to "udp:127.0.0.1:$at" --mtu "$mtu" <input; done
	await 10 grep -q '^x.*-3' recorded
	printf '%s\n' 'x:1|c' 'g:0|g\ng:-3|g' 'x:1|c' 'g:0|g\ng:-3|g' 'x:1|c' 'g:0|g\ng:-3|g' 'x:1|c' 'g:0|g\ng:-3|g' 'x:1|c\ng:0|g\ng:-3|g' >expected
	expect_same expected recorded
}

@test "--prefix puts members of the envelope before the name; what is missing leaves no dot" {
	metric counter hits 1 '"site":"a.b c"' >one
	lines --prefix 'stats' <one && expect_lines 'stats.hits:1|c'
	lines --prefix 'stats.' <one && expect_lines 'stats.hits:1|c'
	lines --prefix '{logger}' <one && expect_lines 'app.hits:1|c'
	lines --prefix '{type}s.{logger}.{pid}' <one && expect_lines 'counters.app.7.hits:1|c'
	lines --prefix 's.{hostname}' <one && expect_lines 's.web1_example_com.hits:1|c'
	lines --prefix '{fields.site}' <one && expect_lines 'a.b_c.hits:1|c'
	lines --prefix '{fields.none}.{fields.none}.x.{fields.none}' <one && expect_lines 'x.hits:1|c'
	lines --prefix '{fields.none}' <one && expect_lines 'hits:1|c'
	lines --prefix 'a|b:c' <one && expect_lines 'a_b_c.hits:1|c'
	echo '{"type":"counter","logger":"","payload":1,"fields":{"name":"hits"}}' | lines --prefix '{logger}'
	expect_lines 'hits:1|c'
	for wrong in '{loger}' '{logger' '{}' '{fields.}'; do
		lines --prefix "$wrong" <one
		expect_status 64
		expect_in "$err" "--prefix: '$wrong'"
	done
}

@test "tags are sent in each style, in their order, and only when asked for" {
	metric counter hits 1 '"rate":0.5,"tags":{"path":"v1.geolocate","method":"post","status":"200"}' >one
	lines <one && expect_lines 'hits:1|c|@0.5'
	lines --tags none <one && expect_lines 'hits:1|c|@0.5'
	lines --tags dogstatsd <one && expect_lines 'hits:1|c|@0.5|#path:v1.geolocate,method:post,status:200'
	lines --tags influx <one && expect_lines 'hits,path=v1.geolocate,method=post,status=200:1|c|@0.5'
	lines --tags graphite <one && expect_lines 'hits;path=v1.geolocate;method=post;status=200:1|c|@0.5'
	lines --tags librato <one && expect_lines 'hits#path=v1.geolocate,method=post,status=200:1|c|@0.5'
	lines --tags signalfx <one && expect_lines 'hits[path=v1.geolocate,method=post,status=200]:1|c|@0.5'
	lines --tags statsite <one
	expect_status 64
}

@test "what a style cannot carry in a tag or a name becomes an underscore" {
	metric counter 'a,b;c[d]=e' 1 '"tags":{"k:,;=|#@ 1":"v:,;=[]|#@\n\u0000 é"}' >one
	lines --tags dogstatsd <one && expect_lines 'a_b;c[d]=e:1|c|#k__;=____1:v:_;=[]__@___é'
	lines --tags dogstatsd --to tcp:127.0.0.1:1 <one && expect_lines 'a_b;c[d]=e:1|c|#k__;=____1:v:_;=[]__@____'
	lines --tags influx <one && expect_lines 'a_b;c[d]_e,k__;_____1=v__;_[]______é:1|c'
	lines --tags graphite <one && expect_lines 'a,b_c[d]_e;k_,______1=v_,__[]_______:1|c'
	lines --tags librato <one && expect_lines 'a_b;c[d]_e#k__;_____1=v__;_[]_______:1|c'
	lines --tags signalfx <one && expect_lines 'a_b;c_d__e[k__;_____1=v__;__________]:1|c'
}

@test "--tag makes tags of other fields, the first of a name counts, and empty ones are left out" {
	metric counter hits 1 '"status":200,"req":{"method":"get"},"tags":{"a":"1","e":"","n":null,"o":{},"b":true}' >one
	lines --tags dogstatsd --tag status --tag fields.req.method --tag host=hostname --tag logger --tag a=logger --tag none <one
	expect_lines 'hits:1|c|#a:1,e,b:true,status:200,req.method:get,host:web1.example.com,logger:app'
	lines --tags graphite --tag status <one
	expect_lines 'hits;a=1;b=true;status=200:1|c'
	lines --tag status <one
	expect_status 64
	expect_in "$err" '--tag: needs --tags'
}

@test "packets are filled up to --mtu, no line is split, and a line that is longer goes alone" {
	record udp
	{
		for i in 1 2 3 4 5 6 7; do metric counter "name$i" 1; done
		metric counter "$(printf 'long%.0s' $(seq 20))" 1
		metric counter last 1
	} >input
	metlog-to-statsd --to "udp:127.0.0.1:$at" --mtu 29 <input
	await 10 grep -q last recorded
	printf '%s\n' 'name1:1|c\nname2:1|c\nname3:1|c' 'name4:1|c\nname5:1|c\nname6:1|c' 'name7:1|c' "$(printf 'long%.0s' $(seq 20)):1|c" 'last:1|c' >expected
	expect_same expected recorded
}

@test "one metric a packet: each arrives once, and the values of a gauge in their order" {
	record udp
	# The 101st to 103rd have the shortest lines: a run begins with them.
	awk -v seed="$RANDOM" 'BEGIN {
		srand(seed)
		split("counter timer set gauge", kinds)
		for (i = 0; i < 3000; i++) {
			if (i == 100) for (j = 0; j < 3; j++) print "counter a 1"
			print kinds[i % 4 + 1], i % 4 == 3 ? "g" : "n" substr(int(10000 * rand()), 1, i % 4 + 1), i * i
		}
	}' | sed -E "s/(.*) (.*) (.*)/$(metric '\1' '\2' '\3')/" >input
	metlog-to-statsd --dry-run input >lines
	metlog-to-statsd --to "udp:127.0.0.1:$at" --one-per-packet --pace 20000 input
	await 10 has_lines recorded "$(wc -l <lines)" || fail "$(wc -l <recorded) of $(wc -l <lines) came"
	expect_same <(sort lines) <(sort recorded)
	expect_same <(grep '^g:' lines) <(grep '^g:' recorded)
	# Without the kernel's help they are sent one by one, and none is lost either.
	has strace && ! sanitized || return 0
	: >recorded
	strace -o trace -e trace=sendmmsg -e inject=sendmmsg:error=EIO:when=2 metlog-to-statsd --to "udp:127.0.0.1:$at" --one-per-packet --pace 20000 input
	await 10 has_lines recorded "$(wc -l <lines)" || fail "$(wc -l <recorded) of $(wc -l <lines) came"
	expect_same <(sort lines) <(sort recorded)
	expect_in trace 'EIO'
}

@test "--one-per-packet and --mtu 0 send one metric a packet" {
	record udp
	for i in 1 2 3; do metric counter "a$i" 1; done | metlog-to-statsd --to "udp:127.0.0.1:$at" --one-per-packet
	for i in 4 5 6; do metric counter "a$i" 1; done | metlog-to-statsd --to "udp:127.0.0.1:$at" --mtu 0
	await 10 grep -q a6 recorded
	printf '%s\n' 'a1:1|c' 'a2:1|c' 'a3:1|c' 'a4:1|c' 'a5:1|c' 'a6:1|c' >expected
	expect_same expected recorded
}

@test "a line may be as long as a datagram, and no longer" {
	local name
	name=$(head -c 65503 /dev/zero | tr '\0' n)
	metric counter "$name" 1 | lines --rejects rejects
	expect_status 0
	[ "$(wc -c <"$out")" -eq 65508 ]
	metric counter "${name}x" 1 | lines --rejects rejects
	expect_reject 'longer than a packet can be'
	metric gauge "${name:0:40000}" -1 | lines --rejects rejects
	expect_reject 'longer than a packet can be'
	metric set a "\"${name}$name\"" | lines --rejects rejects
	expect_reject 'longer than a packet can be'
	metric counter a 1 "\"tags\":{\"t\":\"$name$name\"}" | lines --tags influx --rejects rejects
	expect_reject 'its tags are too long'
}

@test "what is no endpoint of a statsd, no number, or too much is a usage error" {
	local wrong
	for wrong in '--to file:x' '--to udp:host' '--pace 0' '--pace many' '--mtu -1' '--mtu 70000' '--aggregate 0' '--max-contexts 0' '--timeout soon' '--tag'; do
		# shellcheck disable=SC2086
		lines $wrong </dev/null
		expect_status 64
	done
}
