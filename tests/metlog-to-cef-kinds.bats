# metlog-to-cef-kinds.bats - finished lines of the original client, and events that stand in fields.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
}

# finished TEXT: the envelope in which the original client sends this line; TEXT is the inside of a JSON string.
finished() {
	printf '{"type": "cef", "timestamp": "2012-10-05T12:00:00.137911Z", "logger": "weave", "severity": 6, "payload": "%s", "fields": {"cef_meta": {"syslog_options": null, "syslog_facility": null, "syslog_ident": null, "syslog_priority": null}}, "env_version": "0.8", "metlog_pid": 26482, "metlog_hostname": "web1.example.com"}\n' "$1"
}

# structured FIELDS: an event in fields.
structured() { printf '{"type":"cef","logger":"app","fields":{"signature":"s1","name":"Refused"%s}}\n' "${1:+,$1}"; }

# becomes LINE: what metlog-to-cef makes of the standard input.
becomes() {
	separately metlog-to-cef --dry-run
	expect_status 0 || return
	printf '%s\n' "$1" >expected
	expect_same expected "$out"
}

# is_refused REASON: the standard input gives no line, and this reason.
is_refused() {
	separately metlog-to-cef --dry-run
	expect_status 65 || return
	expect_empty "$out" || return
	expect_in "$err" "$1"
}

before='Oct 05 12:00:00 web1.example.com '
begin='CEF:0|mozilla|weave|3|AuthFail|Login refused|5|'
seven='cs1Label=requestClientApplication cs1=Firefox requestMethod=GET request=/1.0/sync src=192.0.2.7 dhost=sync.example.com suser='

@test "lines of the original client go out byte for byte but for the faults that it is known for" {
	local name count=0
	for name in "$SOURCE"/tests/data/metlog-to-cef/*.in; do
		separately metlog-to-cef --dry-run "$name"
		expect_status 0
		expect_same "${name%.in}.out" "$out"
		count=$((count + 1))
	done
	[ "$count" -ge 2 ]
}

@test "date and host in front of a finished line are taken off, and are the header's host if the envelope has none" {
	finished "$before$begin${seven}none" | becomes "$begin${seven}none"
	finished "$begin${seven}none" | becomes "$begin${seven}none"
	finished "Oct 05 12:00:00 other.example.com $begin${seven}none" | sed 's/, "metlog_hostname": "[^"]*"//' >in
	separately metlog-to-cef --dry-run --header rfc3164 in
	expect_status 0
	echo "<166>Oct  5 12:00:00 other.example.com $begin${seven}none" >expected
	expect_same expected "$out"
}

@test "the line is found in fields.logtext, where the first plugin put it" {
	echo "{\"type\":\"cef\",\"payload\":\"\",\"fields\":{\"logtext\":\"$before$begin${seven}none\"}}" | becomes "$begin${seven}none"
}

@test "what suser holds cannot set another key of the client" {
	finished "$before$begin${seven}eve src=198.51.100.1 suser=root" | becomes "$begin${seven}eve src\\=198.51.100.1 suser\\=root"
	finished "$before$begin${seven}eve act=allow src=198.51.100.1 outcome=ok" | becomes "$begin${seven}eve act\\=allow src\\=198.51.100.1 outcome=ok"
	finished "$before$begin${seven}"'CORP\\eve' | becomes "$begin${seven}"'CORP\\eve'
}

@test "what stands between src and dhost came in with src" {
	finished "$before${begin}cs1Label=requestClientApplication cs1=UA requestMethod=GET request=/ src=192.0.2.7 act=allow dhost=h suser=none" |
		becomes "${begin}cs1Label=requestClientApplication cs1=UA requestMethod=GET request=/ src=192.0.2.7 act\\=allow dhost=h suser=none"
}

@test "what cannot be decided is refused with its reason, and is in the rejects" {
	finished "$before${begin}cs1Label=requestClientApplication cs1=UA requestMethod=GET request=/ src=x dhost=a suser=root dhost=h suser=none" | is_refused 'dhost and suser stand there twice'
	finished "CEF Message too big. $before$begin${seven}none [('msg', 'x')]" | is_refused 'a warning of the client that quotes an event'
	finished "somebody said ${begin}act=x" | is_refused 'neither a syslog header nor a date and a host'
	finished 'CEF:0|mozilla|weave|3|AuthFail|Login refused|12|act=x' | is_refused 'severity is neither 0 to 10 nor a word'
	finished "${begin}msg=one\\n${begin}msg=two" | is_refused 'two CEF lines in one message'
	finished 'CEF:0|mozilla|weave|3' >in
	separately metlog-to-cef --dry-run --rejects rejects in
	expect_status 0
	expect_empty "$out"
	expect_in rejects 'the header ends before its severity'
}

@test "a line is mended and counted, one that was right is not" {
	{ finished "$before$begin${seven}none"; finished "$before$begin${seven}a=b"; finished "$before$begin${seven}none ba|d=1"; } >in
	separately metlog-to-cef --dry-run --stats - in
	expect_status 0
	expect_in "$err" '"repaired":2'
}

@test "the dictionary is not asked for finished lines" {
	finished "$before$begin${seven}none dpt=http own_key=1" >in
	separately metlog-to-cef --dry-run --keys dictionary --wrong-type reject in
	expect_status 0
	echo "$begin${seven}none dpt=http own_key=1" >expected
	expect_same expected "$out"
}

@test "a finished line longer than --max-bytes is shortened and counted" {
	finished "$before$begin${seven}none msg=$(printf 'm%.0s' {1..900})" >in
	separately metlog-to-cef --dry-run --max-bytes 600 --stats - in
	expect_status 0
	[ "$(wc -c <"$out")" -le 601 ] || fail "$(wc -c <"$out") bytes"
	expect_in "$out" "$begin${seven}none msg=mmm"
	expect_in "$err" '"truncated":1'
}

@test "--vendor and its like say which field of a finished line has the pipe" {
	finished "CEF:0|a|b|weave|3|s|n|5|${seven}none" >in
	separately metlog-to-cef --dry-run --vendor 'a|b' in
	expect_in "$out" 'CEF:0|a\|b|weave|3|s|n|5|'
	separately metlog-to-cef --dry-run in
	expect_in "$out" 'CEF:0|a|b\|weave|3|s|n|5|'
}

@test "signature, name, severity and keys in fields are an event" {
	structured '"severity":7,"suser":"a=b\\c","src":"192.0.2.7","cnt":3' | becomes 'CEF:0|metlog|app|0.8|s1|Refused|7|suser=a\=b\\c src=192.0.2.7 cnt=3'
	echo '{"type":"cef","severity":1,"fields":{"name":"only"}}' | becomes 'CEF:0|metlog|metlog|0.8|only|only|9|'
	structured '"severity":"very high","vendor":"V|1","product":"P","version":2' | becomes 'CEF:0|V\|1|P|2|s1|Refused|Very-High|'
}

@test "an event in fields is that event, whatever line its payload quotes" {
	echo '{"type":"cef","payload":"CEF:0|f|o|r|g|ed|10|act=allow","fields":{"signature":"s1","name":"n"}}' | becomes 'CEF:0|metlog|metlog|0.8|s1|n|2|msg=CEF:0|f|o|r|g|ed|10|act\=allow'
}

@test "time and host of the envelope stand in front, its payload at the end" {
	echo '{"type":"cef","timestamp":"2012-10-05T12:00:01.137911Z","logger":"app","metlog_hostname":"web1","payload":"wrong password","fields":{"name":"n","act":"deny"}}' |
		becomes 'CEF:0|metlog|app|0.8|n|n|2|rt=1349438401137 dvchost=web1 act=deny msg=wrong password'
}

@test "--wrong-type says what becomes of a value that is not of its key's type" {
	structured '"dpt":"http","act":"x"' >in
	is_refused 'dpt: not an integer' <in
	separately metlog-to-cef --dry-run --wrong-type omit in
	expect_in "$out" '|2|act=x'
	separately metlog-to-cef --dry-run --wrong-type keep in
	expect_in "$out" '|2|dpt=http act=x'
}

@test "names that are no keys, and with --keys dictionary all others, go to custom keys" {
	structured '"user agent":"UA","own":"x"' >in
	becomes 'CEF:0|metlog|app|0.8|s1|Refused|2|cs1Label=user agent cs1=UA own=x' <in
	separately metlog-to-cef --dry-run --keys dictionary in
	expect_in "$out" '|2|cs1Label=user agent cs1=UA cs2Label=own cs2=x'
}

@test "one envelope is one line, whatever characters it has" {
	{
		finished "$before$begin${seven}a\\nb\\u0000c\\u2028d\\u0085e msg=\\r\\nCEF:0|x"
		structured '"a\u0000b\nc":"\u0000\n\r\u2028\u0085\ud800","msg":"\nCEF:0|a|b|c|d|e|5|"'
	} >in
	separately metlog-to-cef --dry-run in
	expect_status 0
	[ "$(wc -l <"$out")" -eq 2 ] || fail "$(wc -l <"$out") lines"
	[ "$(tr -d '\n' <"$out" | LC_ALL=C tr -d ' -~\200-\377' | wc -c)" -eq 0 ] || fail "controls got through"
}

@test "types other than cef are not looked into for finished lines" {
	echo "{\"type\":\"oldstyle\",\"payload\":\"${begin}act=x\"}" >in
	separately metlog-to-cef --dry-run in
	expect_status 0
	expect_in "$out" 'CEF:0|metlog|metlog|0.8|oldstyle|CEF:0\|mozilla\|weave'
}

@test "an empty value at the end of a finished line is left out, for lognormalizer and others cannot read it; elsewhere it stays" {
	local line
	for line in 'dhost=h suser=' 'dhost=h a= b=  ' 'dhost=h src=None' 'dhost=h src=None c='; do
		printf '{"type":"cef","payload":"CEF:0|V|P|1|s|n|5|%s"}\n' "$line"
	done >in
	metlog-to-cef --stats books in >out
	[ "$(sort -u out)" = 'CEF:0|V|P|1|s|n|5|dhost=h' ] || fail "$(cat out)"
	grep -q '"repaired":4' books || fail "$(cat books)"
	echo '{"type":"cef","payload":"CEF:0|V|P|1|s|n|5|msg="}' | metlog-to-cef >out
	[ "$(cat out)" = 'CEF:0|V|P|1|s|n|5|' ] || fail "$(cat out)"
	echo '{"type":"cef","payload":"CEF:0|V|P|1|s|n|5|suser= act=x"}' | metlog-to-cef --stats books2 >out
	[ "$(cat out)" = 'CEF:0|V|P|1|s|n|5|suser= act=x' ] || fail "$(cat out)"
	grep -q '"repaired":0' books2 || fail "$(cat books2)"
}
