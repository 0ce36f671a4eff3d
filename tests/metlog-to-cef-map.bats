# metlog-to-cef-map.bats - envelopes that become events by a mapping: the one that is built in, and files.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
}

# makes LINE ENVELOPE [OPTION...]: exactly that event, and nothing to complain about.
makes() {
	local line=$1 envelope=$2
	shift 2
	printf '%s\n' "$envelope" >in
	separately metlog-to-cef "$@" in
	expect_status 0 || return
	expect_empty "$err" || return
	printf '%s\n' "$line" >expected
	expect_same expected "$out"
}

# mistaken MESSAGE: the file `map` is refused for it, before anything is read or written.
mistaken() {
	echo '{}' >in
	separately metlog-to-cef --map map in
	expect_status 78 || return
	expect_empty "$out" || return
	expect_in "$err" "metlog-to-cef: map:$1"
}

@test "an empty envelope is an event, too" {
	makes 'CEF:0|metlog|metlog|0.8|event|event|2|' '{}'
}

@test "a log line is its first line as the name, and all of it as the message" {
	makes 'CEF:0|metlog|sync|0.8|oldstyle|it broke|9|rt=1349438556514 dvchost=web1 dvcpid=26482 cat=oldstyle cs1Label=logger cs1=sync msg=it broke\nKeyError: a\=b' \
		'{"type":"oldstyle","timestamp":"2012-10-05T12:02:36.514116Z","logger":"sync","severity":1,"payload":"it broke\nKeyError: a=b","fields":{},"env_version":"0.8","metlog_pid":26482,"metlog_hostname":"web1"}'
}

@test "a counter is its name and its value" {
	makes 'CEF:0|metlog|sync|0.8|counter|login|2|cat=counter cs1Label=logger cs1=sync cn1Label=value cn1=3 cfp1Label=rate cfp1=0.5' \
		'{"type":"counter","logger":"sync","payload":"3","fields":{"name":"login","rate":0.5}}'
}

@test "a message of sentry comes without its compressed payload and without the secret of its DSN" {
	payload=$(head -c 6000 /dev/zero | base64 -w 0)
	makes 'CEF:0|metlog|errors|0.8|sentry|KeyError: "a"|7|cat=sentry cs1Label=logger cs1=errors msg=KeyError: "a" cfp1Label=epoch_timestamp cfp1=1349438401.13' \
		"{\"type\":\"sentry\",\"logger\":\"errors\",\"severity\":3,\"payload\":\"$payload\",\"fields\":{\"msg\":\"KeyError: \\\"a\\\"\",\"dsn\":\"udp://key:secret@sentry.example.net/2\",\"epoch_timestamp\":1349438401.13}}"
}

@test "--vendor, --product, --device-version and --severity-map stand in for what is built in" {
	makes 'CEF:0|V|P|9|t|t|3|cat=t' '{"type":"t","severity":4}' --vendor V --product P --device-version 9 --severity-map 0,0,1,2,3,4,5,6
}

@test "no field has an envelope refused, and each is one line that can be read back" {
	metlog-flood --count 3000 --seed 5 >in
	separately metlog-to-cef in
	expect_status 0
	expect_empty "$err"
	[ "$(wc -l <"$out")" -eq 3000 ] || fail "$(wc -l <"$out") lines"
	cp "$out" lines
	separately metlog-to-cef --parse lines
	expect_status 0
	[ "$(wc -l <"$out")" -eq 3000 ] || fail "read back $(wc -l <"$out")"
}

@test "what --print-map prints does the same as a file" {
	separately metlog-to-cef --print-map
	expect_status 0
	cp "$out" builtin.cefmap
	metlog-flood --count 500 --seed 6 >in
	metlog-to-cef in >expected
	separately metlog-to-cef --map builtin.cefmap in
	expect_status 0
	expect_same expected "$out"
}

@test "a file says what an envelope is; what it does not take goes the built-in way" {
	printf '%s\r\n' 'vendor = Example' 'event refused type == "auth" && fields.result != "ok"' '  name = Login refused' '  severity = 7' '  src = {fields.ip}' '  suser = {fields.user|none}' '  cs1 realm = {fields.realm}' 'drop type == "heartbeat"' >map
	printf '%s\n' '{"type":"auth","fields":{"result":"no","ip":"10.0.0.1","realm":"a b"}}' '{"type":"heartbeat"}' '{"type":"auth","fields":{"result":"ok"}}' >in
	separately metlog-to-cef --map map --stats books in
	expect_status 0
	printf '%s\n' 'CEF:0|Example|metlog|0.8|auth|Login refused|7|src=10.0.0.1 suser=none cs1Label=realm cs1=a b' 'CEF:0|Example|metlog|0.8|auth|auth|2|cat=auth cs1Label=result cs1=ok' >expected
	expect_same expected "$out"
	expect_in books '"read":3,"passed":2,"dropped":1,"rejected":0'
}

@test "a value of the wrong type has the envelope refused, with = but not with ?=" {
	printf '%s\n' 'default' 'src = {fields.ip}' >map
	echo '{"fields":{"ip":"nonsense"}}' >in
	separately metlog-to-cef --map map in
	expect_status 65
	expect_in "$err" 'src: not an IPv4 address'
	printf '%s\n' 'default' 'src ?= {fields.ip}' >map
	makes 'CEF:0|metlog|metlog|0.8|event|event|2|cs1Label=src cs1=nonsense' '{"fields":{"ip":"nonsense"}}' --map map
}

@test "fields that find no key stand as JSON in the last custom string; those of omit do not" {
	printf '%s\n' 'default' 'suser = {fields.user}' '* = {fields}' 'omit = {fields.password}' >map
	makes 'CEF:0|metlog|metlog|0.8|event|event|2|suser=joe cs1Label=a cs1=1 cs2Label=b cs2=2 cs3Label=c cs3=3 cs4Label=d cs4=4 cs5Label=e cs5=5 cs6Label=more fields cs6={"f":"x\\"y","g":[1]}' \
		'{"fields":{"user":"joe","password":"secret","a":"1","b":"2","c":"3","d":"4","e":"5","f":"x\"y","g":[1]}}' --map map
}

@test "no value can become a key, a header or a second line" {
	printf '%s\n' 'vendor = {fields.v}' 'default' 'msg = {fields.v}' 'suser = joe' '* = {fields}' >map
	makes 'CEF:0|a\|b c\\|metlog|0.8|event|event|2|msg=a|b\nc\\ suser=joe cs1Label=x suser\=root cs1=y src\=1.2.3.4' \
		'{"fields":{"v":"a|b\nc\\","x suser=root":"y src=1.2.3.4"}}' --map map
}

@test "a mistake in the file names line and column, and what was meant" {
	printf 'default\n  srcc = x\n' >map
	mistaken '2:3: unknown key "srcc"; did you mean src?'
	printf 'event a type == "x" && \\\n  bogus == 1\n' >map
	mistaken '2:3: unknown name "bogus"'
	printf 'default\n  severity = 11\n' >map
	mistaken '2:14: a severity is 0 to 10'
	printf 'cs1 = x\n' >map
	mistaken '1:5: cs1 needs a label'
	printf 'msg = a\0b\n' >map
	mistaken '1:8: a NUL byte'
	printf 'event a TRUE\nevent b type == "x"\n' >map
	mistaken '2:9: never reached: line 1 takes every envelope'
	head -c 1100000 /dev/zero | tr '\0' '\n' >map
	mistaken '1:1: the file is larger than 1 MiB'
}

@test "an event by the file is the one that --explain names" {
	printf '%s\n' 'event first type == "a"' 'event second type =~ /^[ab]$/' >map
	printf '%s\n' '{"type":"b"}' '{"type":"a"}' '{"type":"c"}' >in
	separately metlog-to-cef --map map --explain in
	expect_status 0
	grep '^#' "$out" >got
	printf '# in:%s\n' '1: event second' '2: event first' '3: event built-in' >expected
	expect_same expected got
}

@test "the example does what it says" {
	printf '%s\n' \
		'{"type":"auth","logger":"idp","timestamp":"2026-01-02T03:04:05Z","metlog_hostname":"web1","fields":{"result":"bad-password","ip":"10.0.0.1","user":"joe","attempts":3}}' \
		'{"type":"audit","fields":{"action":"grant","permission":"admin","target":"ann","user":"root","session":"s3cret","ticket":"A-1"}}' \
		'{"type":"request","fields":{"method":"GET","path":"/x?a=b","status":403,"remote":"10.0.0.2","user_agent":"UA","took_ms":1.5}}' \
		'{"type":"request","fields":{"method":"GET","status":200}}' \
		'{"type":"oldstyle","severity":2,"payload":"disk full\non /srv"}' \
		'{"type":"counter","payload":"1"}' \
		'{"type":"auth","fields":{"result":"ok","user":"joe"}}' \
		'{"type":"auth","fields":{"result":"fail","user":"joe"}}' \
		'{"type":"auth","payload":"logged out"}' >in
	separately metlog-to-cef --map "$SOURCE/contrib/examples/security.cefmap" --stats books in
	expect_status 0
	expect_empty "$err"
	cat >expected <<-'END'
		CEF:0|Example|idp|0.8|auth.bad-password|Login refused|6|rt=1767323045000 dvchost=web1 src=10.0.0.1 suser=joe cat=/Authentication/Verify act=login outcome=failure reason=bad-password cs1Label=realm cs1=default cn1Label=failed attempts cn1=3
		CEF:0|Example|web|0.8|audit.grant|Permission changed: grant admin|5|suser=root cat=/Authorization/Modify act=grant duser=ann dpriv=admin cs1Label=ticket cs1=A-1
		CEF:0|Example|web|0.8|http.403|Request refused: GET 403|4|src=10.0.0.2 cat=/Access/Stop requestMethod=GET request=/x?a\=b requestClientApplication=UA cn1Label=status cn1=403 cfp1Label=took_ms cfp1=1.5
		CEF:0|Example|web|0.8|error.oldstyle|disk full|8|msg=disk full\non /srv
		CEF:0|Example|web|0.8|auth.ok|Login|2|suser=joe cat=/Authentication/Verify act=login outcome=success cs1Label=realm cs1=default
		CEF:0|Example|web|0.8|auth.fail|Login refused|6|suser=joe cat=/Authentication/Verify act=login outcome=failure reason=fail cs1Label=realm cs1=default
		CEF:0|Example|web|0.8|auth|logged out|2|cat=auth msg=logged out
	END
	expect_same expected "$out"
	expect_in books '"read":9,"passed":7,"dropped":2,"rejected":0'
}
