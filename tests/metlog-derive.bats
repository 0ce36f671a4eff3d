# metlog-derive.bats - metrics of structured logs, by rules: what metlog-derive(1) promises.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load family
	cd "$BATS_TEST_TMPDIR"
	children=''
}

teardown() {
	local pid
	for pid in $children; do kill -9 "$pid" 2>/dev/null || true; done
}

# A request as a service logs it.
REQUEST='{"timestamp":"2026-11-22T10:00:00.123456Z","logger":"ichnaea","type":"canonical-log-line","severity":6,"payload":"POST /v1/geolocate - 200","fields":{"http_method":"POST","http_path":"/v1/geolocate","http_status":200,"duration_s":0.091,"api_key":"Some-Key","blue":0,"cell":1,"wifi":5,"has_geoip":true,"region":null},"env_version":"0.8","metlog_pid":12,"metlog_hostname":"web1"}'

# rules LINE...: the file of rules. derive: of $REQUEST, or of the input's lines by name.
rules() { printf '%s\n' "$@" >rules; }
derive() { separately metlog-derive --rules rules "$@"; }

# of FIELDS: an envelope with these fields.
of() { printf '{"type":"t","fields":{%s}}\n' "$@"; }

# tags: the tags of what came out, a line a metric; names: their names; values: the payloads.
tags() { sed -E 's/.*"tags":(\{[^}]*\}).*/\1/; t; s/.*/-/' "$out"; }
names() { sed -E 's/.*"name":"([^"]*)".*/\1/' "$out"; }
values() { sed -E 's/.*"payload":"([^"]*)".*/\1/' "$out"; }
expect_lines() { # COMMAND LINE...: what the command prints
	local got
	got=$("$1")
	shift
	[ "$got" = "$(printf '%s\n' "$@")" ] || fail "got: $got"
}

@test "a metric is an envelope with the members of the original clients in their order, and the time, logger, process and host of its source" {
	rules 'when type == "canonical-log-line"' '  counter request tags path = tagpath(fields.http_path), method = tag(fields.http_method), status = fields.http_status' \
		'  timer request.timing = round(fields.duration_s * 1000) tags path, method'
	derive <<<"$REQUEST"
	expect_status 0
	printf '%s\n' '{"type":"counter","timestamp":"2026-11-22T10:00:00.123456Z","logger":"ichnaea","severity":6,"payload":"1","fields":{"name":"request","rate":1,"tags":{"path":"v1.geolocate","method":"post","status":"200"}},"env_version":"0.8","metlog_pid":12,"metlog_hostname":"web1"}' \
		'{"type":"timer","timestamp":"2026-11-22T10:00:00.123456Z","logger":"ichnaea","severity":6,"payload":"91","fields":{"name":"request.timing","rate":1,"tags":{"path":"v1.geolocate","method":"post"}},"env_version":"0.8","metlog_pid":12,"metlog_hostname":"web1"}' >expected
	expect_same expected "$out"
	metlog-to-statsd -n --tags dogstatsd "$out" >lines
	printf '%s\n' 'request:1|c|#path:v1.geolocate,method:post,status:200' 'request.timing:91|ms|#path:v1.geolocate,method:post' >expected
	expect_same expected lines
}

@test "time, logger, process and host are the source's own bytes, whatever they are, and left out where it has none" {
	rules 'when fields.a == 1' '  counter n'
	derive <<<'{"metlog_hostname":["a", {"b":"\u0041"}],"fields":{"a":1},"logger":"\u00e9\"\\x","timestamp":"2026-11-22 10:00:00+02:00","metlog_pid":"12"}
{"fields":{"a":1}}
{"fields":{"a":1},"logger":"","metlog_pid":1e0}'
	expect_status 0
	printf '%s\n' '{"type":"counter","timestamp":"2026-11-22 10:00:00+02:00","logger":"\u00e9\"\\x","severity":6,"payload":"1","fields":{"name":"n","rate":1},"env_version":"0.8","metlog_pid":"12","metlog_hostname":["a", {"b":"\u0041"}]}' \
		'{"type":"counter","severity":6,"payload":"1","fields":{"name":"n","rate":1},"env_version":"0.8"}' \
		'{"type":"counter","logger":"","severity":6,"payload":"1","fields":{"name":"n","rate":1},"env_version":"0.8","metlog_pid":1e0}' >expected
	expect_same expected "$out"
}

@test "--tee writes each envelope byte for byte, and behind it its metrics; all are passed" {
	rules 'when fields.a == 1' '  counter one' '  counter two'
	printf ' {"fields" : {"a":1}, "x":1e400 } \n{"b":2}\n{"fields":{"a":1.0}}' >in
	derive --tee --stats books in
	expect_status 0
	grep -v '"name":"' "$out" >sources
	{ cat in; echo; } >expected
	expect_same expected sources
	sed -E 's/.*"name":"([^"]*)".*/\1/; t; s/.*/./' "$out" >order
	printf '%s\n' . one two . . one two >expected
	expect_same expected order
	[ "$(count books passed)" = 3 ]
	[ "$(count books metrics)" = 4 ]
}

@test "without --tee an envelope without a metric is dropped; the books tell of each rule" {
	rules 'when fields.a != NIL' '  counter one' '  timer two = fields.b' 'when fields.c == 1' '  counter three'
	printf '%s\n' '{"fields":{"a":1}}' '{"fields":{"a":1,"b":5}}' '{}' nonsense '{"fields":{"b":1}}' >in
	derive --stats books in
	expect_status 65
	expect_lines names one one two
	balanced books
	[ "$(count books passed)" = 2 ]
	[ "$(count books dropped)" = 2 ]
	[ "$(count books rejected)" = 1 ]
	[ "$(count books metrics)" = 3 ]
	[ "$(count books unmade)" = 1 ]
	expect_in books '"rules":[{"rule":"when fields.a != NIL","line":1,"matched":2,"metrics":[{"metric":"counter one","line":2,"made":2,"unmade":0,"left_out":0},{"metric":"timer two = fields.b","line":3,"made":1,"unmade":1,"left_out":0}]},{"rule":"when fields.c == 1","line":4,"matched":0,'
	derive -v in
	expect_in "$err" 'rules:4: when fields.c == 1: never matched'
	if grep -q 'rules:[123]:' "$err"; then fail "$(cat "$err")"; fi
	derive -v <<<'{"fields":{"a":1}}'
	expect_in "$err" 'rules:3: timer two = fields.b: never made, for want of a name, a value or a rate'
}

@test "MozLog that was not made envelopes is told of, once" {
	printf 'when type == "x"\n\tcounter c\n' >rules
	printf '%s\n' '{"Timestamp": 1, "Type": "x", "EnvVersion": "2.0"}' '{"Timestamp": 2, "Type": "x", "EnvVersion": "2.0"}' '{"type":"y","fields":{"Timestamp":1,"Fields":1}}' >in
	separately metlog-derive --rules rules in
	expect_status 0
	[ "$(cat "$err")" = 'metlog-derive: in:1: this looks like MozLog: metlog-from-mozlog makes envelopes of it' ]
	tail -1 in >other
	separately metlog-derive --rules rules other
	[ ! -s "$err" ]
}

@test "--match, --since and --until choose before the rules do" {
	rules 'when fields.a == 1' '  counter n tags b = fields.b'
	for b in 1 2 3; do echo "{\"timestamp\":\"2026-01-0${b}T00:00:00Z\",\"fields\":{\"a\":1,\"b\":$b}}"; done >in
	derive --tee -m 'fields.b != 2' in
	[ "$(wc -l <"$out")" -eq 4 ]
	derive --since 2026-01-02 --until 2026-01-03 in
	expect_lines tags '{"b":"2"}'
}

@test "a field that is not there leaves out its tag, and its metric where it is the value or a part of the name" {
	rules 'when type == "t"' '  counter all tags a = fields.a, b = fields.b, c = "x" if fields.c, d = lower(fields.d), e = fields.e + 1' \
		'  timer value = fields.v' '  counter {fields.n}.name' '  gauge g = fields.v * 2 rate fields.r'
	derive < <(of '' '"a":"A","c":true,"d":"D","e":1,"v":5,"n":"N","r":1' '"b":null,"c":false,"d":[],"e":"x","v":{},"n":null')
	expect_status 0
	expect_lines names all all value N.name g all
	expect_lines tags - '{"a":"A","c":"x","d":"d","e":"2"}' - - - -
}

@test "texts that are numbers count as numbers; a value that is none, or not finite, makes no metric" {
	rules 'when type == "t"' '  timer t = fields.v'
	derive < <(of '"v":0.0005' '"v":1e-7' '"v":1e400' '"v":"12"' '"v":""' '"v":null' '"v":"12 ms"' '"v":" 1"' '"v":true' '"v":-1' '"v":-0' '"v":"-0.0"' '"v":12345678901234567890123' '"v":1.50' '"v":"007"' '"v":1E2' '"v":"\u0031"' '"v":"nan"' '"v":9007199254740993')
	expect_status 0
	expect_lines values 0.0005 1e-7 12 0 0 12345678901234567890123 1.5 7 100 1 9007199254740993
	metlog-to-statsd -n "$out" >lines
	[ "$(wc -l <lines)" -eq 11 ]
}

@test "a number as long as no double can be is none, as a text too; one that the rate would make infinite neither" {
	rules 'when type == "t"' '  gauge g = fields.v' '  counter c = fields.v rate 0.01'
	nines=$(printf '9%.0s' {1..400})
	derive --stats books < <(of "\"v\":$nines" "\"v\":\"$nines\"" "\"v\":\"-$nines\"" '"v":1e307' '"v":"1e305"')
	expect_status 0
	expect_lines names g g c
	[ "$(count books unmade)" = 7 ]
}

@test "bucket is of counts: a part behind the point is cut off, and what is below 0 is none" {
	rules 'when type == "t"' '  counter n tags b = bucket(fields.v, none, one, many)'
	derive < <(of '"v":-0.5' '"v":-0' '"v":0.99' '"v":1.99' '"v":2' '"v":"1"' '"v":""')
	expect_lines tags - '{"b":"none"}' '{"b":"none"}' '{"b":"one"}' '{"b":"many"}' '{"b":"one"}' -
}

@test "a let is the same wherever it is used: no tag's name has a part in it" {
	long=$(printf 'x%.0s' {1..300}) name=$(printf 'n%.0s' {1..100})
	rules 'when type == "t"' '  let v = tag(fields.v)' "  counter n tags $name = v, k = v, s = tag(fields.v)"
	derive < <(of "\"v\":\"$long\"" '"v":"Source"')
	expect_lines tags "{\"$name\":\"${long:0:99}\",\"k\":\"${long:0:198}\",\"s\":\"${long:0:198}\"}" "{\"$name\":\"source\",\"k\":\"source\",\"s\":\"source\"}"
}

@test "counters and gauges may be below 0, timers not; a division by 0 is nothing" {
	rules 'when type == "t"' '  counter c = fields.v' '  gauge g = fields.v / 2' '  timer t = fields.v' '  gauge z = 1 / fields.z' '  timer n = -fields.v - 1'
	derive < <(of '"v":-3,"z":0')
	expect_lines names c g n
	expect_lines values -3 -1.5 2
}

@test "a set takes any text that is not empty" {
	rules 'when type == "t"' '  set s = fields.v'
	derive < <(of '"v":"a\"b\\\u00e9\n"' '"v":"é|:"' '"v":""' '"v":1.50' '"v":true' '"v":[1]' '"v":" "')
	expect_status 0
	expect_lines values 'a\' 'é|:' 1.50 true ' '
	grep -qF '"payload":"a\"b\\é\n"' "$out"
}

@test "rate is above 0 and at most 1; sample leaves out its share, and says so in the rate" {
	rules 'when type == "t"' '  counter r rate fields.r' '  counter half sample 0.5' '  counter both rate 0.5 sample 0.5' '  gauge g = 1'
	derive < <(of '"r":0.25' '"r":1' '"r":0' '"r":1.5' '"r":-1' '"r":"x"')
	[ "$(grep -c '"name":"r"' "$out")" -eq 2 ]
	grep -q '"name":"r","rate":0.25}' "$out"
	grep -q '"name":"r","rate":1}' "$out"
	yes 2>/dev/null "$(of '')" | head -2000 >in
	derive --seed 7 --stats books in
	cp "$out" first
	half=$(grep -c '"name":"half","rate":0.5}' first)
	both=$(grep -c '"name":"both","rate":0.25}' first)
	[ "$half" -gt 850 ] && [ "$half" -lt 1150 ] || fail "$half of 2000"
	[ "$both" -gt 850 ] && [ "$both" -lt 1150 ] || fail "$both of 2000"
	[ "$(count books left_out)" -eq $((4000 - half - both)) ]
	derive --seed 7 in
	expect_same first "$out"
	derive --seed 8 in
	if cmp -s first "$out"; then fail "another seed makes the same choices"; fi
}

@test "a metric that is made for several words, conditions of metrics, and tags used again" {
	rules 'when type == "t"' '  let key = "none" if fields.key == NIL else fields.key' \
		'  counter hit for s in internal, geoip if fields.${s}_status == "hit"' '          tags source = "${s}", key = key' '  counter all tags key, n = bucket(fields.n, none, one, many)'
	derive < <(of '"internal_status":"hit","geoip_status":"hit","key":"k","n":0' '"geoip_status":"hit","n":1' '"n":7.9')
	expect_lines names hit hit all hit all all
	expect_lines tags '{"source":"internal","key":"k"}' '{"source":"geoip","key":"k"}' '{"key":"k","n":"none"}' '{"source":"geoip","key":"none"}' '{"key":"none","n":"one"}' '{"key":"none","n":"many"}'
}

@test "the functions do what metlog-rules(5) says" {
	rules 'when type == "t"' '  counter n tags a = lower(fields.s), b = upper(fields.s), c = default(fields.x, fields.y, "z"), d = omit(fields.s, Ab, cd), e = keep(fields.s, Ab, cd),' \
		'    f = bucket(fields.n, none, one, many), g = step(fields.n, low, 10, mid, 100, high), h = equal(fields.s, fields.t, "same", "other"), i = round(fields.n), j = floor(fields.n), k = ceil(fields.n),' \
		'    l = abs(fields.n), m = min(fields.n, 5), o = max(fields.n, fields.x, 5), p = text(fields.n), q = number(fields.s), r = tag(fields.s), s = tagpath(fields.s)'
	derive < <(of '"s":"Ab","t":"Ab","n":12.5' '"s":"/x/@Y","n":-2.5,"y":"why"' '"s":"007","n":"100"')
	expect_lines tags '{"a":"ab","b":"AB","c":"z","e":"Ab","f":"many","g":"mid","h":"same","i":"13","j":"12","k":"13","l":"12.5","m":"5","o":"12.5","p":"12.5","r":"ab","s":"ab"}' \
		'{"a":"/x/_y","b":"/X/_Y","c":"why","d":"/x/_Y","g":"low","h":"other","i":"-3","j":"-3","k":"-2","l":"2.5","m":"-2.5","o":"5","p":"-2.5","r":"/x/_y","s":"x.-y"}' \
		'{"a":"007","b":"007","c":"z","d":"007","f":"many","g":"high","h":"other","i":"100","j":"100","k":"100","l":"100","m":"5","o":"100","p":"100","q":"7","r":"007","s":"007"}'
}

@test "names made of fields are safe: letters first, no empty part, 200 bytes at most" {
	rules 'when type == "t"' '  counter {fields.x}.query'
	long=$(printf 'x%.0s' {1..300})
	derive < <(of '"x":"locate"' '"x":"../|#"' '"x":"a..b."' '"x":"9é\u0000 z/"' '"x":"-"' "\"x\":\"$long\"" '"x":""' '"x":" "' '"x":"..."' '"x":5')
	expect_status 0
	expect_lines names locate.query a___.query a.b.query a9___z_.query a-.query "${long:0:200}" query a5.query
	rules 'when type == "t"' '  counter q.{fields.x}'
	derive < <(of '"x":"a."' '"x":"..."' "\"x\":\"${long:0:197}.y\"")
	expect_lines names q.a q "q.${long:0:197}"
}

@test "tags are safe and cut to 200 bytes with their name; what is blank is left out" {
	rules 'when type == "t"' '  counter n tags key = fields.x'
	long=$(printf 'x%.0s' {1..300})
	derive < <(of '"x":"a b,c|d:e=f;g#h@i~j!k^l[m]n\\"' '"x":"Zürich €"' '"x":"a\n\u0000\ud800\"b"' '"x":" \t\u00a0"' '"x":""' "\"x\":\"$long\"" '"x":"/v1/Geo-loc_x.y"' '"x":1.5e3' '"x":true' '"x":1e400')
	expect_lines tags '{"key":"a_b_c_d_e_f_g_h_i_j_k_l_m_n_"}' '{"key":"Z_rich__"}' '{"key":"a____b"}' - - "{\"key\":\"${long:0:196}\"}" '{"key":"/v1/Geo-loc_x.y"}' '{"key":"1.5e3"}' '{"key":"true"}' -
}

@test "rules are read from several files, in their order" {
	printf 'when type == "t"\n  counter one\n' >a
	printf '\xef\xbb\xbfwhen type == "t"\r\n  counter two\r\n' >b
	separately metlog-derive --rules a --rules b < <(of '')
	expect_status 0
	expect_lines names one two
}

@test "a mistake in the rules is 78, with file, line, column and a caret, and nothing is read" {
	rules 'when type == "t"' '  counter n tags a = lowr(fields.x)'
	separately metlog-derive --rules rules no/such/file
	expect_status 78
	expect_in "$err" 'rules:2:22: '
	expect_in "$err" 'lower'
	grep -qE '^ +\^' "$err"
	separately metlog-derive --rules no/such/rules </dev/null
	expect_status 78
	expect_in "$err" no/such/rules
	rules '# nothing'
	separately metlog-derive --rules rules </dev/null
	expect_status 78
}

@test "a text that is a number counts as one in a value, and not in a test; a pattern takes it there" {
	rules 'when fields.code >= 500' '  counter number' 'when fields.code >= 500 || fields.code =~ /^5/' '  counter both = fields.code + 1'
	derive < <(of '"code":502' '"code":"502"' '"code":"5xx"')
	expect_lines names number both both
	expect_lines values 1 503 503
}

@test "--check is silent if all is well, and with -v counts; a mistake is 78" {
	rules 'when type == "t"' '  counter a' '  counter b for x in y, z if fields.${x} == 1'
	derive --check
	expect_status 0
	expect_empty "$out"
	expect_empty "$err"
	derive --check -v
	expect_in "$err" '1 block, 3 metrics: good'
	rules 'counter a'
	derive --check
	expect_status 78
}

@test "usage: rules are needed, one thing at a time, and no input beside --check, --explain LINE and --test" {
	rules 'when type == "t"' '  counter a'
	for args in '' '--rules rules --check --explain -' '--rules rules --update' '--rules rules --check file' '--rules rules --explain {} file' '--rules rules --test . file' '--rules rules --tee --check' '--rules rules --seed x'; do
		# shellcheck disable=SC2086
		separately metlog-derive $args </dev/null
		expect_status 64 || fail "for: $args"
	done
}

@test "--explain shows block by block what is made of a line, what is not, and why" {
	rules 'when fields.a == 2' '  counter never' 'when type == "t"' '  counter {fields.n}.hit tags a = fields.a, gone = fields.gone' '  timer time = fields.t * 1000 rate 0.5' '  counter c if fields.a == 3' '  timer low = -fields.a' \
		'  set s = fields.e' '  counter r rate fields.a' '  counter v = fields.n'
	derive --explain '{"type":"t","logger":"l","fields":{"a":5,"n":"x/y","t":"0.25","e":""}}'
	expect_status 0
	cat >expected <<-'END'
		--explain: t l
		  rules:1: when fields.a == 2: does not match
		  rules:3: when type == "t"
		    x_y.hit:1|c|#a:5
		      without gone (fields.gone is not there)
		    time:250|ms|@0.5
		    no counter c if fields.a == 3 (line 6): its `if` does not match
		    no timer low = -fields.a (line 7): a timer below 0
		    no set s = fields.e (line 8): its value is empty
		    no counter r rate fields.a (line 9): its rate is not above 0 and at most 1
		    no counter v = fields.n (line 10): its value is no number: fields.n is no number: 'x/y'
	END
	expect_same expected "$out"
	derive --explain '{"type":"t","fields":{"a":null,"n":[],"t":1}}' -v
	expect_in "$out" '    no counter {fields.n}.hit tags a = fields.a, gone = fields.gone (line 4): a part of its name is nothing: fields.n is an array'
	expect_in "$out" 'its value is nothing: fields.a is null'
	expect_in "$out" '      {"type":"timer","severity":6,"payload":"1000","fields":{"name":"time","rate":0.5},"env_version":"0.8"}'
	rules 'when type == "t"' '  gauge g = text(fields.v)' '  timer t = fields.v' '  timer u = fields.w' '  counter c tags a = keep(fields.v, q), b = fields.e, d = "x" if fields.v == "y"'
	derive --explain '{"type":"t","fields":{"v":"a\u0041\n","w":1e400,"e":""}}'
	expect_in "$out" "its value is no number: text() makes no number"
	expect_in "$out" "its value is no number: fields.v is no number: 'aA\\n'"
	expect_in "$out" "its value is nothing: fields.w is no finite number: '1e400'"
	expect_in "$out" '      without a (keep() makes nothing), b (fields.e is empty), d (its `if` does not match)'
	rules 'when type == "t"' '  let l = default(fields.gone, fields.e, "x")' '  counter c tags a = default(fields.gone, fields.e, "x"), b = l' '  counter n.{l}'
	derive --explain '{"type":"t","fields":{"e":""}}'
	expect_in "$out" '      without a (default() makes an empty text), b (default() makes an empty text)'
	expect_in "$out" 'a part of its name is nothing: default() makes an empty text'
}

@test "--explain tells of tags and names that are left out because nothing but blanks, or points, is in them" {
	rules 'when type == "t"' '  counter n tags a = fields.b, c = fields.w, d = "x"' '  counter q.{fields.b}' '  counter {fields.p}' '  counter {fields.w}.{fields.gone}'
	derive --explain '{"type":"t","fields":{"b":" \u00a0","w":"\t","p":"..."}}'
	expect_status 0
	cat >expected <<-'END'
		--explain: t -
		  rules:1: when type == "t"
		    n:1|c|#d:x
		      without a (its value is blank), c (its value is blank)
		    no counter q.{fields.b} (line 3): a part of its name is blank
		    no counter {fields.p} (line 4): its name is nothing but points
		    no counter {fields.w}.{fields.gone} (line 5): a part of its name is blank
	END
	expect_same expected "$out"
}

@test "--explain - explains each envelope of the input; --explain of no envelope is a mistake in the option" {
	rules 'when fields.a == 1' '  counter n'
	printf '%s\n' '{"fields":{"a":1}}' '' '{}' >in
	derive --explain - in
	expect_status 0
	grep -q '^in:1: - -$' "$out"
	grep -q '^in:3: - -$' "$out"
	[ "$(grep -c 'does not match' "$out")" -eq 1 ]
	derive --explain '{"fields":[]}'
	expect_status 64
	derive --explain ' '
	expect_status 64
	expect_in "$err" '--explain: column 1: there is no envelope'
	derive --explain - --color=always in
	grep -q $'\033\[32mn:1|c' "$out"
	printf '%s\n' '{"type":"\u001b[31m","fields":{"a":1}}' >in
	derive --explain - in
	if grep -q $'\033' "$out"; then fail "the input drives the terminal"; fi
}

@test "--test compares with NAME.out byte for byte, shows what differs, and --update writes it" {
	rules 'when fields.a == 1' '  counter n tags b = fields.b' '  counter half sample 0.5'
	mkdir tests
	for b in 1 2 3 4 5 6 7 8; do of "\"a\":1,\"b\":$b"; done >tests/some.in
	of '"a":2' >tests/none.in
	echo nonsense >>tests/none.in
	derive --test tests
	expect_status 1
	expect_in "$out" 'FAILED some (- expected, + got)'
	expect_in "$out" 'ok none (1 lines are no envelopes)'
	derive --test tests --update
	expect_status 0
	[ ! -e tests/none.out ]
	derive --test tests
	expect_status 0
	expect_in "$out" 'ok some'
	sed -i 's/"b":"2"/"b":"x"/' tests/some.out
	derive --test tests
	expect_status 1
	expect_in "$out" '    + {"type":"counter"'
	expect_in "$out" '    - {"type":"counter"'
	touch tests/stray.out
	derive --test tests --update
	expect_status 1
	expect_in "$out" 'FAILED stray.out: no test has this name'
	derive --test no/such/folder
	expect_status 66
}

# said COUNT: the output has so many lines; say ENVELOPE: into the pipe.
said() { [ "$(wc -l <got)" -eq "$1" ]; }

@test "SIGHUP reads the rules again: all new or all old, and what was counted goes on" {
	mkfifo pipe
	rules 'when type == "t"' '  counter old' 'when type == "u"' '  counter other = fields.x'
	printf 'when type == "t"\n  counter second\n' >second
	metlog-derive --rules rules --rules second --rejects dead --stats books <pipe >got 2>err &
	children=$!
	exec 8>pipe
	of '' >&8
	await 5 said 2
	rules 'when type == "t"' '  counter old' '  counter new'
	mv dead rotated
	kill -HUP "$children"
	await 5 grep -q 'SIGHUP: the rules were read again: 2 blocks, 3 metrics' err
	await 5 test -e dead
	of '' >&8
	await 5 said 5
	printf 'when tpe == "t"\n  counter second\n' >second
	kill -HUP "$children"
	await 5 grep -q 'SIGHUP: the rules cannot be used as they are now: all stay as they were' err
	grep -q 'second:1:' err
	of '' >&8
	await 5 said 8
	exec 8>&-
	wait "$children"
	children=''
	expect_in books '{"metric":"counter old","line":2,"made":3,'
	expect_in books '{"metric":"counter new","line":3,"made":2,'
	[ "$(count books metrics)" = 8 ]
}

@test "SIGTERM ends it with the metrics of what was read; SIGUSR1 prints the books" {
	mkfifo pipe
	rules 'when type == "t"' '  counter n'
	metlog-derive --rules rules <pipe >got 2>err &
	children=$!
	exec 8>pipe
	of '' >&8
	await 5 said 1
	kill -USR1 "$children"
	await 5 grep -q '"metrics":1' err
	kill -TERM "$children"
	status=0
	wait "$children" || status=$?
	children=''
	exec 8>&-
	expect_status 0
	said 1
}

@test "an envelope of which a metric would be longer than --max-line is a reject as a whole" {
	rules 'when type == "t"' '  counter n' '  set s = fields.v'
	derive --max-line 300 --rejects dead --stats books < <(of "\"v\":\"$(printf '\\n%.0s' {1..50})\"" '"v":"x"' "\"v\":\"$(printf '\\u0001%.0s' {1..38})\"")
	expect_status 0
	expect_lines names n s n s
	[ "$(count books rejected)" = 1 ]
	derive --max-line 200 --rejects dead --stats books --tee < <(of "\"v\":\"$(printf 'x%.0s' {1..120})\"" '"v":"x"')
	expect_status 0
	[ "$(wc -l <"$out")" -eq 3 ]
	expect_in dead 'a metric of it would be longer than --max-line'
	balanced books
}

@test "a metric may be as long as --max-line, and no byte longer" {
	rules 'when type == "t"' '  counter n'
	of '' >in
	derive in
	length=$(($(wc -c <"$out") - 1)) # without the newline
	derive --max-line $length in
	expect_status 0
	derive --max-line $((length - 1)) in
	expect_status 65
	expect_empty "$out"
}

@test "--strict stops at the first reject, with what came before it made" {
	rules 'when type == "t"' '  counter n'
	{ of ''; echo nonsense; of ''; } >in
	derive --strict in
	expect_status 65
	[ "$(wc -l <"$out")" -eq 1 ]
}

@test "a full disk behind the metrics is 74" {
	rules 'when type == "t"' '  counter n'
	yes 2>/dev/null "$(of '')" | head -3000 >in
	separately sh -c 'metlog-derive --rules rules in >/dev/full'
	expect_status 74
}

@test "a last line without its newline counts; several files are read in turn" {
	rules 'when type == "t"' '  counter n'
	of '' >one
	printf '%s' "$(of '')" >two
	derive one - two <one
	expect_status 0
	[ "$(wc -l <"$out")" -eq 3 ]
}

@test "memory is flat with many metrics of long and escaped values" {
	sanitized && skip "a sanitizer build"
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "valgrind has memory of its own"
	rules 'when type == "t"' '  let a = lower(fields.x)' '  set {fields.x}.a = a tags b = upper(fields.x), c = tag(fields.x)' '  set b = upper(fields.x)'
	of "\"x\":\"\\u00e9$(printf 'Xy%.0s' {1..2000})\"" >line
	yes 2>/dev/null "$(cat line)" | head -6000 >many
	mkfifo pipe
	metlog-derive --rules rules <pipe >/dev/null &
	children=$!
	exec 8>pipe
	cat many >&8
	peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$children/status")
	exec 8>&-
	wait "$children"
	children=''
	[ "$peak" -lt 8192 ] || fail "peak memory $peak KiB"
}
