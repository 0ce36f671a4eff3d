# metlog-lint.bats - metrics held against a catalogue: what fits, what is told of what does not, and the catalogue itself.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load family
	cd "$BATS_TEST_TMPDIR"
	child=''
	cat >catalog <<-'END'
		# a comment
		tag path   = *3                     # of the page
		tag method = get|post

		counter request           "requests, answered"
		        tags path, method,
		# a comment within
		             status = /[1-5][0-9][0-9]/
		timer   request.timing ms tags path, method
		gauge   queue             tags queue? = data|task
		set     users
	END
}

teardown() {
	[ -z "$child" ] || kill -9 "$child" 2>/dev/null || true
}

# metric TYPE PAYLOAD NAME [TAGS]: a line.
metric() {
	local tags=''
	[ $# -lt 4 ] || tags=",\"tags\":{$4}"
	printf '{"type":"%s","payload":%s,"fields":{"name":"%s"%s}}
' "$1" "$2" "$3" "$tags"
}

# request PATH METHOD STATUS
request() { metric counter 1 request "\"path\":\"$1\",\"method\":\"$2\",\"status\":\"$3\""; }

# finds STATUS LINE...: the check of `in` ends so, and standard output is these lines.
finds() {
	separately metlog-lint --catalog catalog "${options[@]}" in
	expect_status "$1" || return
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" >expected
	[ $# -gt 0 ] || : >expected
	expect_same expected "$out"
}

# mistaken CATALOG MESSAGE: the catalogue is refused for it, before anything is read.
mistaken() {
	printf '%b' "$1" >mistaken
	separately metlog-lint --catalog mistaken --check nowhere
	expect_status 78 || return
	expect_empty "$out" || return
	expect_in "$err" "metlog-lint: mistaken:$2"
}

@test "metrics that fit the catalogue are passed in silence, what is no metric is dropped, and the books balance" {
	{
		request /a get 200
		metric timer '"320.5"' request.timing '"method":"get","path":"/a"'
		metric gauge -1 queue
		metric gauge 1 queue '"queue":"task"'
		metric set '"anna"' users
		echo '{"type":"oldstyle","payload":"no metric"}'
		echo '{}'
	} >in
	options=(--stats books)
	finds 0
	expect_empty "$err"
	balanced books
	[ "$(count books passed)" -eq 5 ]
	[ "$(count books dropped)" -eq 2 ]
	[ "$(count books metrics)" -eq 5 ]
	[ "$(count books findings)" -eq 0 ]
}

@test "each thing that does not fit is told once, with its count, where it was first, and the most frequent first" {
	{
		request /a get 2OO
		request /a get 200
		metric counter 1 reqest
		metric counter 1 reqest
		metric counter 1 reqest
		request /a put 999
	} >in
	options=(--stats books)
	finds 1 'in:3: counter reqest is not in the catalogue; did you mean request? [unknown-name, 3 times]' \
		'in:1: request: status is "2OO", not one of /[1-5][0-9][0-9]/ [wrong-value, 1 time]' \
		'in:6: request: method is "put", not one of get|post [wrong-value, 1 time]' \
		'in:6: request: status is "999", not one of /[1-5][0-9][0-9]/ [wrong-value, 1 time]'
	expect_in "$err" 'metlog-lint: 5 of 6 metrics do not fit the catalogue'
	balanced books
	[ "$(count books passed)" -eq 6 ]
	[ "$(count books faulty)" -eq 5 ]
	[ "$(count books findings)" -eq 6 ]
}

@test "every kind of finding has its words" {
	{
		metric timer 1 request '"path":"/a"'
		metric counter '"x"' request '"path":"/a","method":"get","status":"200"'
		echo '{"type":"counter","payload":1,"fields":{}}'
		echo '{"type":"counter","payload":1,"fields":{"name":"request","tags":["path:/a"]}}'
		metric timer 1 request.timing '"path":"/a","method":"get","methd":1'
		metric timer 1 request.timing '"path":"/a","method":"get","path":"/a"'
		metric timer 1 request.timing '"path":"/a"'
		metric timer 1 request.timing '"path":null,"method":{}'
		metric timer 1 request.timing "\"path\":\"$(printf '%0201d' 0)\",\"method\":\"get\""
		metric gauge 1 queue '"queue":"tsak"'
		metric gauge 1 location.queue
		metric gauge 1 something.else
	} >in
	options=()
	finds 1 'in:1: request is a timer, but a counter in the catalogue [wrong-type, 1 time]' \
		'in:2: counter request: the payload is not a number [bad-metric, 1 time]' \
		'in:3: a counter: fields.name is missing or empty [bad-metric, 1 time]' \
		'in:4: request: fields.tags is not an object [bad-tags, 1 time]' \
		'in:5: request.timing: the tag methd is not allowed; did you mean method? [unknown-tag, 1 time]' \
		'in:6: request.timing: the tag path stands there twice [repeated-tag, 1 time]' \
		'in:7: request.timing: the tag method is missing [missing-tag, 1 time]' \
		'in:8: request.timing: path is null, not a text [no-text, 1 time]' \
		'in:8: request.timing: method is an object, not a text [no-text, 1 time]' \
		"in:9: request.timing: path is \"$(printf '%0200d' 0)\"..., longer than 200 bytes [long-value, 1 time]" \
		'in:10: queue: queue is "tsak", not one of data|task [wrong-value, 1 time]' \
		'in:11: gauge location.queue is not in the catalogue; did you mean queue? [unknown-name, 1 time]' \
		'in:12: gauge something.else is not in the catalogue [unknown-name, 1 time]'
}

@test "a tag has as many different values as its bound; each one more is counted as one finding" {
	for path in /a /b /c /a /b /d /e /a /d; do request "$path" get 200; done >in
	for path in /u /v /w; do metric timer 1 request.timing "\"path\":\"$path\",\"method\":\"get\""; done >>in
	options=()
	finds 1 'in:6: request: path has more than 3 values, this one is "/d" [too-many-values, 3 times]'
	echo 'counter n tags a = yes|/[a-z]/*2, b = no|*2, c = *, d = /./' >catalog
	for value in yes a b yes a; do metric counter 1 n "\"a\":\"$value\",\"b\":\"$value\",\"c\":\"$RANDOM\",\"d\":1"; done >in
	metric counter 1 n '"a":"c","b":"no","c":"","d":true' >>in
	finds 1 'in:3: n: b has more than 2 values, this one is "b" [too-many-values, 1 time]' \
		'in:6: n: a has more than 2 values, this one is "c" [too-many-values, 1 time]' \
		'in:6: n: d is "true", not one of /./ [wrong-value, 1 time]'
	echo 'counter n tags a = /[0-9]*/' >catalog # a pattern without a bound has one
	for i in {1..1001}; do metric counter 1 n "\"a\":\"$i\""; done >in
	finds 1 'in:1001: n: a has more than 1000 values, this one is "1001" [too-many-values, 1 time]'
}

@test "a name in several lines fits by one of them, or is told of by that which fits best" {
	cat >catalog <<-'END'
		timer datamaps tags func = encode|merge, host? = *9
		timer datamaps tags count = csv_rows|quadtrees, host? = *9
		gauge datamaps
	END
	{
		metric timer 1 datamaps '"func":"merge"'
		metric timer 1 datamaps '"count":"quadtrees","host":"a"'
		metric gauge 1 datamaps
		metric timer 1 datamaps '"count":"quadtree"'
		metric timer 1 datamaps '"func":"merge","count":"csv_rows"'
		metric timer '"no"' datamaps '"count":"csv_rows"'
		metric counter 1 datamaps
	} >in
	options=(--stats books)
	finds 1 'in:4: datamaps: count is "quadtree", not one of csv_rows|quadtrees [wrong-value, 1 time]' \
		'in:5: datamaps: the tag count is not allowed [unknown-tag, 1 time]' \
		'in:6: timer datamaps: the payload is not a number [bad-metric, 1 time]' \
		'in:7: datamaps is a counter, but a timer or gauge in the catalogue [wrong-type, 1 time]'
	[ "$(count books faulty)" -eq 4 ]
	printf 'counter n tags kind = %s, id = *2\n' a b >catalog # what is tried with one line is not counted there
	for tags in b:3 b:4 a:1 a:2; do metric counter 1 n "\"kind\":\"${tags%:*}\",\"id\":\"${tags#*:}\""; done >in
	finds 0
}

@test "* in a name stands for a part without dots, a prefix for the beginning of those below, ... for any tags" {
	cat >catalog <<-'END'
		gauge disk.*.used, disk.*
		prefix app.
		counter *.hits tags ...
		timer disk.io
		prefix ""
		timer disk.io
	END
	{
		for name in disk.sda.used disk.sda app.web.hits app.w.hits; do metric "$([[ $name == app* ]] && echo counter || echo gauge)" 1 "$name" ''; done
		metric counter 1 app.web.hits '"any":"value","at":"all"'
		metric timer 1 app.disk.io
		metric timer 1 disk.io
	} >in
	options=()
	finds 0
	for name in disk.sda.sdb.used disk..used disk. disk.used.x disk app..hits web.hits; do metric gauge 1 "$name"; done >in
	finds 1 'in:1: gauge disk.sda.sdb.used is not in the catalogue [unknown-name, 1 time]' \
		'in:2: gauge disk..used is not in the catalogue; did you mean disk.*.used? [unknown-name, 1 time]' \
		'in:3: gauge disk. is not in the catalogue; did you mean disk.*? [unknown-name, 1 time]' \
		'in:4: gauge disk.used.x is not in the catalogue [unknown-name, 1 time]' \
		'in:5: gauge disk is not in the catalogue; did you mean disk.*? [unknown-name, 1 time]' \
		'in:6: gauge app..hits is not in the catalogue; did you mean app.*.hits? [unknown-name, 1 time]' \
		'in:7: gauge web.hits is not in the catalogue [unknown-name, 1 time]'
}

@test "values are compared decoded, and a number or a truth is its text" {
	printf 'counter café tags "a b" = "x|y"|1|true\n' >catalog
	{
		metric counter 1 'caf\u00e9' '"a\u0020b":"x\u007cy"'
		metric counter 1 'café' '"a b":1'
		metric counter 1 'café' '"a b":true'
	} >in
	options=()
	finds 0
}

@test "--format json writes findings as envelopes, which other tools route" {
	{ request /a get 2OO; metric counter 1 'a\u001bb'; } >in
	separately metlog-lint --catalog catalog --format json in
	expect_status 1
	mv "$out" found
	[ "$(wc -l <found)" -eq 2 ]
	expect_in found '"payload":"request: status is \"2OO\", not one of /[1-5][0-9][0-9]/","fields":{"kind":"wrong-value","metric_type":"counter","metric":"request","tag":"status","value":"2OO","allowed":"/[1-5][0-9][0-9]/","count":1,"file":"in","line":1}}'
	separately metlog-route -m 'type == "metlog.finding" && logger == "metlog-lint" && severity == 4 && fields.kind == "unknown-name" && fields.metric =~ /^a\x1bb$/ && fields.line == 2' --count found
	expect_status 0
	[ "$(cat "$out")" = 1 ]
}

@test "--live writes each finding at its first sight, while input is still to come" {
	mkfifo pipe
	metlog-lint --catalog catalog --live pipe >out 2>err 3>&- &
	child=$!
	exec 4>pipe
	{ request /a get 2OO; request /a get 2OO; request /a put 200; } >&4
	await 10 grep -q put out
	kill -0 "$child"
	exec 4>&-
	status=0
	wait "$child" || status=$?
	child=''
	[ "$status" -eq 1 ]
	printf '%s\n' 'pipe:1: request: status is "2OO", not one of /[1-5][0-9][0-9]/ [wrong-value]' 'pipe:3: request: method is "put", not one of get|post [wrong-value]' >expected
	expect_same expected out
	expect_in err '3 of 3 metrics do not fit the catalogue'
}

@test "--tee passes every envelope on, byte for byte, and findings go to standard error" {
	{ good_lines; request /a get 2OO; echo '{"type":"x"}'; } >in
	separately metlog-lint --catalog catalog --tee --stats books in
	expect_status 1
	expect_same in "$out"
	expect_in "$err" 'request: status is "2OO", not one of /[1-5][0-9][0-9]/ [wrong-value, 1 time]'
	balanced books
	[ "$(count books passed)" -eq "$(wc -l <in)" ]
}

@test "--unused tells which metrics of the catalogue never came, and is no failure" {
	{ request /a get 200; metric gauge 1 queue; } >in
	options=(--unused)
	finds 0 'catalog:9: timer request.timing never came [unused]' 'catalog:11: set users never came [unused]'
	# One that came with a wrong type was not unused.
	{ request /a get 200; metric counter 1 queue; metric timer 1 users; } >in
	finds 1 'in:2: queue is a counter, but a gauge in the catalogue [wrong-type, 1 time]' 'in:3: users is a timer, but a set in the catalogue [wrong-type, 1 time]' 'catalog:9: timer request.timing never came [unused]'
}

@test "text of the input that is shown cannot drive a terminal" {
	{ metric counter 1 'a\u001b[31mb\n'; request '/a' '\u202eget' 200; } >in
	separately metlog-lint --catalog catalog in
	expect_status 1
	expect_in "$out" 'counter a\x1b[31mb\n is not'
	expect_in "$out" 'method is "\u{202e}get"'
	if grep -q $'\x1b' "$out"; then fail "an escape went through"; fi
}

@test "however many names and values there are, some are told and the rest are one finding" {
	{
		for i in {1..1500}; do metric counter 1 "unknown.$i"; done
		for i in {1..30}; do request /a "m$i" 200; done
		for i in {1..30}; do metric timer 1 request.timing "\"path\":\"/a\",\"method\":\"get\",\"t$i\":1"; done
	} >in
	separately metlog-lint --catalog catalog in
	expect_status 1
	[ "$(head -1 "$out")" = 'in:1001: other names that are not in the catalogue [unknown-name, 500 times]' ]
	[ "$(grep -c 'unknown-name, 1 time' "$out")" -eq 1000 ]
	[ "$(grep -c 'method is "m' "$out")" -eq 20 ]
	expect_in "$out" 'in:1521: request: method has other values that are not allowed [wrong-value, 10 times]'
	expect_in "$out" 'in:1551: request.timing has other tags that are not allowed [unknown-tag, 10 times]'
}

@test "only what -m takes is checked; a malformed line outweighs a finding" {
	{ metric counter 1 reqest; request /a get 200; } >in
	options=(-m 'fields.name == "request"')
	finds 0
	{ cat in; echo nonsense; } >in2
	separately metlog-lint --catalog catalog in2
	expect_status 65
	expect_in "$out" 'reqest is not in the catalogue'
}

@test "input without a metric is not silent: who checks it would take that for good" {
	echo '{"type":"oldstyle"}' >in
	options=()
	finds 0
	expect_in "$err" 'none of 1 envelopes is a metric'
}

@test "what metlog-to-statsd refuses is told in the same words" {
	echo 'counter * tags ...' >catalog
	{ metric counter '"1e999"' a; metric counter '""' b; metric counter 1 c | sed 's/"name"/"rate":-1,"name"/'; } >in
	separately metlog-lint --catalog catalog in
	expect_status 1
	sed 's/^.*counter [abc]: //; s/ \[bad-metric.*//' "$out" | sort >ours
	metlog-to-statsd --dry-run --rejects rejects in
	grep -o '"reason":"[^"]*"' rejects | cut -d'"' -f4 | sort >theirs
	[ "$(wc -l <theirs)" -eq 3 ]
	expect_same theirs ours
}

@test "--check only reads the catalogue: it is good, or it is 78 and the mistake is shown with line and column" {
	separately metlog-lint --catalog catalog --check nowhere
	expect_status 0
	[ "$(cat "$out")" = 'catalog: 4 names: good' ]
	expect_empty "$err"
	mistaken 'counter a\ncounter b tags\n   c = x,\n   d\n' '4:4: which values?'
	expect_in "$err" '       d'
	expect_in "$err" '       ^'
	mistaken 'contour a\n' '1:1: a line begins with counter, timer, gauge, set, tag or prefix'
	mistaken 'counter a tags b = /abc\n' '1:20: the pattern is not closed in this line'
	separately metlog-lint --catalog nowhere --check
	expect_status 78
	expect_in "$err" 'nowhere: No such file or directory'
	separately metlog-lint in
	expect_status 64
	expect_in "$err" '--catalog: which metrics there are has to be said'
}

@test "several catalogues are one" {
	echo 'counter other' >second
	{ metric counter 1 other; request /a get 200; } >in
	options=(--catalog second)
	finds 0
	echo 'set users' >second
	separately metlog-lint --catalog catalog --catalog second --check
	expect_status 78
	expect_in "$err" 'second:1:1: users stands there already, with the same tags: catalog:11'
	echo '# no metric' >second
	separately metlog-lint --catalog catalog --catalog second --check
	expect_status 0
	separately metlog-lint --catalog second --check
	expect_status 78
	expect_in "$err" 'second: there is no metric in it'
}

@test "SIGHUP reads the catalogue again: all new, or all as it was" {
	mkfifo pipe
	metlog-lint --catalog catalog --live pipe >out 2>err 3>&- &
	child=$!
	exec 4>pipe
	metric counter 1 fresh.one >&4
	await 10 grep -q fresh.one out
	echo 'counter' >>catalog
	kill -HUP "$child"
	await 10 grep -q 'stays as it was' err
	expect_in err 'catalog:12:8: a name is missing'
	metric counter 1 fresh.two >&4
	await 10 grep -q fresh.two out
	sed -i '$s/.*/counter fresh.*/' catalog
	kill -HUP "$child"
	await 10 grep -q 'was read again: 5 names' err
	{ metric counter 1 fresh.three; metric counter 1 stale; } >&4
	await 10 grep -q stale out
	exec 4>&-
	wait "$child" || true
	child=''
	[ "$(grep -c unknown-name out)" -eq 3 ]
}

@test "the catalogue in the manual is one, and so is that of Ichnaea" {
	sed -n '/^# What a geolocation/,/^\.Ed/p' "$SOURCE/man/metlog-catalog.5" | sed '/^\.Ed/d; s/\\e/\\/g' >manual
	[ -s manual ]
	separately metlog-lint --catalog manual --check
	expect_status 0
	separately metlog-lint --catalog "$SOURCE/contrib/ichnaea/catalog.txt" --check
	expect_status 0
	expect_empty "$err"
}
