# metlog-to-cef-parse.bats - the way back: CEF lines, with the headers syslog gives them, become envelopes.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
}

line='CEF:0|mozilla|weave|3|AuthFail|Login refused|7|'
header='"vendor":"mozilla","product":"weave","version":"3","signature":"AuthFail","name":"Login refused","severity":7'

# parses TEXT ENVELOPE: --parse makes this of a line.
parses() {
	printf '%s\n' "$1" >in
	separately metlog-to-cef --parse in
	expect_status 0 || return
	printf '%s\n' "$2" >expected
	expect_same expected "$out"
}

# is_refused TEXT REASON
is_refused() {
	printf '%s\n' "$1" >in
	separately metlog-to-cef --parse in
	expect_status 65 || return
	expect_empty "$out" || return
	expect_in "$err" "$2"
}

@test "--parse makes an envelope of each line" {
	parses "${line}src=192.0.2.7 cnt=3 msg=a\\=b\\nc" '{"type":"cef","logger":"weave","severity":3,"payload":"Login refused","fields":{'"$header"',"src":"192.0.2.7","cnt":3,"msg":"a=b\nc"},"env_version":"0.8"}'
	parses "${line}rt=1349438401137 dvchost=web1" '{"type":"cef","timestamp":"2012-10-05T12:00:01.137000Z","logger":"weave","severity":3,"payload":"Login refused","fields":{'"$header"',"rt":1349438401137,"dvchost":"web1"},"env_version":"0.8","metlog_hostname":"web1"}'
}

@test "--parse reads the headers of RFC 5424 and RFC 3164" {
	parses "<165>1 2012-10-05T12:00:01.137911Z web1 weave 26482 - [x@1 y=\"CEF:0|no|\"] $line" '{"type":"cef","timestamp":"2012-10-05T12:00:01.137911Z","logger":"weave","severity":5,"payload":"Login refused","fields":{'"$header"',"cef_meta":{"syslog_options":"PID","syslog_facility":"LOCAL4","syslog_ident":"weave","syslog_priority":"NOTICE"}},"env_version":"0.8","metlog_pid":26482,"metlog_hostname":"web1"}'
	parses "<165>Oct  5 2012 12:00:01 web1 $line" '{"type":"cef","timestamp":"2012-10-05T12:00:01.000000Z","logger":"weave","severity":5,"payload":"Login refused","fields":{'"$header"',"cef_meta":{"syslog_facility":"LOCAL4","syslog_priority":"NOTICE"}},"env_version":"0.8","metlog_hostname":"web1"}'
}

@test "a date without a year is the nearest one, in the zone of --tz" {
	TZ=Europe/Berlin date -d '3 days' +'%b %d %H:%M:%S' >stamp
	wanted=$(date -d '3 days' +%Y-%m-%dT%H)
	echo "$(cat stamp) web1 $line" >in
	separately metlog-to-cef --parse --tz Europe/Berlin in
	expect_status 0
	# Not to the second, nor, where the zone changes its offset in these days, to the hour.
	expect_in "$out" "\"timestamp\":\"${wanted%T*}T"
}

@test "an octet count must be that of its message" {
	parses "$((${#line} + 5)) <165>$line" '{"type":"cef","logger":"weave","severity":5,"payload":"Login refused","fields":{'"$header"',"cef_meta":{"syslog_facility":"LOCAL4","syslog_priority":"NOTICE"}},"env_version":"0.8"}'
	is_refused "10 <165>$line" 'the octet count is not the length of the message behind it'
}

@test "--parse tells line, column and reason of what is no CEF line" {
	is_refused "somebody said $line" 'in:1: column 1: what stands before "CEF:" is neither a syslog header nor a date and a host'
	is_refused "${line}src=1 src=2" 'in:1: column 54: key given twice'
	is_refused 'CEF:0|a|b|c|d|e|11|' 'the severity is neither 0 to 10 nor a word of CEF'
	is_refused "${line}msg=$(printf '\351')" 'not valid UTF-8'
}

@test "what --parse refuses is in the rejects, and the books balance" {
	{ echo "$line"; echo 'no event'; echo; echo "$line"; } >in
	separately metlog-to-cef --parse --rejects rejects --stats stats in
	expect_status 0
	[ "$(wc -l <"$out")" -eq 2 ]
	expect_in rejects '"payload":"no event"'
	expect_in stats '"read":3,"passed":2,"dropped":0,"rejected":1'
}

@test "the envelopes of --parse become the same lines again" {
	{
		echo "$line"
		echo 'CEF:0||p\|q\\|3|s=1||High|act=x own_key=\=\\\n\r| end'
		echo "${line}act=x name=n extension=e cs1Label=l cs1=v cn1Label=n cn1=7"
		echo "${line}rt=1349438401137 dvchost=web1 msg=Login refused"
	} >in
	metlog-to-cef --parse in >parsed
	separately metlog-to-cef --dry-run parsed
	expect_status 0
	expect_same in "$out"
}

@test "random events come back through --parse as the same lines" {
	need python3
	python3 - >events <<-'EOF'
		import json, random
		random.seed(5)
		pieces = ['a', '=', '\\', '|', '\n', '\r', '\t', ' src=', ' ', '\u2028', '\U0001f600', 'CEF:0|', '"', '\x85', '\x00', '<1>', '\u0436', '\\n', 'x' * 100]
		keys = ['msg', 'suser', 'act', 'cs1', 'cs1Label', 'request', 'own_key', 'a b', 'reason', 'fname', 'duser', 'extra']
		text = lambda: ''.join(random.choice(pieces) for _ in range(random.randrange(9)))
		for n in range(3000):
		    fields = {'signature': text() or 's', 'name': text(), 'vendor': text(), 'product': text(), 'version': text(), 'severity': random.choice([0, 5, 10, 'High', 'unknown'])}
		    fields.update({key: text() for key in random.sample(keys, random.randrange(8))})
		    fields.update(random.choice([{}, {'cnt': n, 'src': '192.0.2.%d' % (n % 256), 'cfp1': 0.5}]))
		    print(json.dumps({'type': 'cef', 'timestamp': '2012-10-05T12:00:01.%06dZ' % n, 'payload': text(), 'metlog_hostname': random.choice(['', 'web1', text()]), 'fields': fields}))
	EOF
	metlog-to-cef --dry-run events >lines
	[ "$(wc -l <lines)" -eq 3000 ] || fail "$(wc -l <lines) lines"
	metlog-to-cef --parse lines >parsed
	separately metlog-to-cef --dry-run parsed
	expect_status 0
	expect_same lines "$out"
}

@test "every header that is sent is read again" {
	local form
	echo '{"type":"cef","timestamp":"2012-10-05T12:00:01Z","severity":3,"metlog_pid":7,"metlog_hostname":"web1","fields":{"signature":"s","name":"n","vendor":"v","product":"p","version":"1","severity":5,"cef_meta":{"syslog_ident":"app","syslog_options":"PID"}}}' >in
	for form in rfc3164 local rfc5424; do
		metlog-to-cef --dry-run --header "$form" in >"$form"
		separately metlog-to-cef --parse "$form"
		expect_status 0
		expect_in "$out" '"timestamp":"2012-10-05T12:00:01.000000Z","logger":"p","severity":3'
		expect_in "$out" '"cef_meta":{"syslog_options":"PID","syslog_facility":"LOCAL4","syslog_ident":"app","syslog_priority":"ERR"}'
		expect_in "$out" '"metlog_pid":7,"metlog_hostname":"web1"'
	done
}

@test "lines of Windows, with a CR before the newline, are lines" {
	parses "${line}act=x"$'\r' '{"type":"cef","logger":"weave","severity":3,"payload":"Login refused","fields":{'"$header"',"act":"x"},"env_version":"0.8"}'
}

@test "every start of a line with a header is an envelope or a reject" {
	local whole="<165>1 2012-10-05T12:00:01.137911Z web1 weave 26482 - [x@1 y=\"z\"] ${line}act=a\\\\b cnt=3" i
	for ((i = 1; i <= ${#whole}; i++)); do echo "${whole:0:i}"; done >in
	separately metlog-to-cef --parse --rejects rejects --stats stats in
	expect_status 0
	expect_in stats "\"read\":${#whole},"
	metlog-to-cef --dry-run "$out" >lines
	[ "$(wc -l <lines)" -eq "$(wc -l <"$out")" ]
}
