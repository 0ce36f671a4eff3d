# metlog-tail.bats - what metlog-tail(1) says, sentence by sentence.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load tail
	cd "$BATS_TEST_TMPDIR"
}

# --- the form for people ---

@test "an envelope is a line: time, level, logger, type, payload, fields; the date stands on a line of its own when it changes" {
	{ envelope '"warn message"' ',"fields":{"user":25,"agent":"Mozilla 5","ok":true,"none":null}'
	  envelope '"second"' | sed 's/10-05/10-06/'
	  envelope '"third"' | sed 's/10-05/10-06/; s/01.137911/59/; s/"severity":4/"severity":0/'; } >in
	separately metlog-tail --pretty in
	expect_status 0
	expect_empty "$err"
	expect_lines "$out" \
		'-- 2012-10-05 UTC --' \
		'12:00:01.137 WARNING app      oldstyle  warn message  user=25 agent="Mozilla 5" ok=true none=null' \
		'-- 2012-10-06 UTC --' \
		'12:00:01.137 WARNING app      oldstyle  second' \
		'12:00:59.000 EMERG   app      oldstyle  third'
}

@test "what is absent is shown as such, and severity is INFO then" {
	echo '{}' >in
	separately metlog-tail --pretty in
	expect_lines "$out" '--:--:--.--- INFO    -        -'
}

@test "the columns of logger and type grow with the names, but not for one that is far too long" {
	{ envelope 1; envelope 2 | sed 's/"app"/"syncstorage"/'; envelope 3; envelope 4 | sed 's/"app"/"an.extremely.long.logger.name"/'; envelope 5; } >in
	separately metlog-tail --pretty in
	expect_lines "$out" '-- 2012-10-05 UTC --' \
		'12:00:01.137 WARNING app      oldstyle  1' \
		'12:00:01.137 WARNING syncstorage oldstyle  2' \
		'12:00:01.137 WARNING app         oldstyle  3' \
		'12:00:01.137 WARNING an.extremely.long.logger.name oldstyle  4' \
		'12:00:01.137 WARNING app         oldstyle  5'
}

@test "metrics are short: a counter, a timer in ms, a rate that is not 1, a gauge, a set, other fields" {
	metric() { printf '{"type":"%s","timestamp":"2012-10-05T12:00:01Z","payload":%s,"fields":{%s}}\n' "$1" "$2" "$3"; }
	{ metric counter '"3"' '"name":"login","rate":0.5'; metric counter 1 '"rate":1.0,"name":"hits"'; metric timer '"35"' '"name":"db.query","rate":"1","host":"db1"'
	  metric gauge 0.25 '"name":"load"'; metric set '"alice"' '"name":"users"'; metric counter '"3"' '"rate":1'; } >in
	separately metlog-tail --pretty in
	sed 's/^12:00:01.000 INFO    -        //' "$out" >got
	expect_lines got '-- 2012-10-05 UTC --' 'counter   login 3 @0.5' 'counter   hits 1' 'timer     db.query 35ms  host=db1' 'gauge     load 0.25' \
		'set       users alice' 'counter   3  rate=1'
}

@test "a payload of several lines is indented, so that it cannot pass for an envelope; the fields follow it" {
	envelope '"it broke\nTraceback:\n\tFile \"app.py\"\r\n12:00:01.137 EMERG forged\n"' ',"fields":{"a":1}' >in
	separately metlog-tail --pretty in
	expect_lines "$out" '-- 2012-10-05 UTC --' '12:00:01.137 WARNING app      oldstyle  it broke' '    Traceback:' "    $(printf '\t')File \"app.py\"" \
		'    12:00:01.137 EMERG forged' '    a=1'
}

@test "--oneline: a line an envelope, with its date, newlines shown" {
	envelope '"it broke\nTraceback"' ',"fields":{"a":"b\nc"}' >in
	separately metlog-tail --oneline in
	expect_lines "$out" '2012-10-05 12:00:01.137 WARNING app      oldstyle  it broke\nTraceback  a="b\nc"'
}

@test "nested values are compact JSON; keys and values that are not one word are quoted" {
	envelope '{ "a" : [ 1, "x y" ] }' ',"fields":{"o":{ "b" : { "c" : null } },"two words":"","q":"say \"hi\"","eq":"a=b","u":"é"}' >in
	separately metlog-tail --pretty in
	expect_in "$out" '{"a":[1,"x y"]}  o={"b":{"c":null}} "two words"="" q="say \"hi\"" eq="a=b" u=é'
}

@test "--all shows the members beyond the usual, too" {
	envelope '"x"' ',"metlog_pid":26482,"metlog_hostname":"web1","fields":{"a":1}' >in
	separately metlog-tail --all in
	expect_in "$out" 'x  a=1 metlog_pid=26482 metlog_hostname=web1'
	separately metlog-tail --pretty in
	never grep -q web1 "$out"
}

@test "an envelope of foreign members only shows those, not an empty line" {
	echo '{"Type":"app.log","Logger":"amo","Fields":{"msg":"GET /"},"Hostname":"web1"}' >in
	separately metlog-tail --pretty in
	expect_in "$out" 'Type=app.log Logger=amo Fields={"msg":"GET /"} Hostname=web1'
	echo '{"logger":"amo","metlog_hostname":"web1"}' >in
	separately metlog-tail --pretty in
	never grep -q web1 "$out"
}

@test "--tz: times and dates are those of the zone, across its changes" {
	[ -e /usr/share/zoneinfo/Europe/Berlin ] || skip "no zone database"
	{ envelope 1 | sed 's/T12:00:01.137911/T21:59:59.5/'; envelope 2 | sed 's/T12:00:01.137911/T22:00:00/'; envelope 3 | sed 's/10-05T12/12-05T12/'; } >in
	separately metlog-tail --pretty --tz Europe/Berlin in
	expect_lines "$out" '-- 2012-10-05 +02:00 --' '23:59:59.500 WARNING app      oldstyle  1' '-- 2012-10-06 +02:00 --' '00:00:00.000 WARNING app      oldstyle  2' \
		'-- 2012-12-05 +01:00 --' '13:00:01.137 WARNING app      oldstyle  3'
	separately metlog-tail --pretty --tz Nowhere in
	expect_status 64
}

@test "a leap second is shown, and does not shift the times around it" {
	for time in 23:59:60Z 23:59:59.5Z 23:59:60.25Z 23:59:58.123456789Z 23:59:58+00:00 23:59:57; do printf '{"timestamp":"2012-12-31T%s"}\n' "$time"; done >in
	separately metlog-tail --format '{@date} {@time}' in
	expect_lines "$out" '2013-01-01 00:00:00.000' '2012-12-31 23:59:59.500' '2013-01-01 00:00:00.250' '2012-12-31 23:59:58.123' '2012-12-31 23:59:58.000' \
		'2012-12-31 23:59:57.000'
	separately metlog-tail --oneline in
	cut -c 1-23 "$out" >got
	expect_lines got '2013-01-01 00:00:00.000' '2012-12-31 23:59:59.500' '2013-01-01 00:00:00.250' '2012-12-31 23:59:58.123' '2012-12-31 23:59:58.000' \
		'2012-12-31 23:59:57.000'
}

@test "a malformed line is shown where it stood, marked, and the rest goes on" {
	{ envelope 1; printf 'not\033[31m json\n'; envelope 2; } >in
	separately metlog-tail --pretty in
	expect_status 65
	grep -q '^!! no envelope (in:2: .*): not\\x1b\[31m json$' "$out"
	expect_in "$out" 'oldstyle  2'
	separately metlog-tail --json in
	[ "$(wc -l <"$out")" = 2 ]
}

@test "on a terminal a malformed line is told once, where it is shown; without one on standard error, too" {
	echo foo >in
	terminal 80 metlog-tail in || [ $? -eq 65 ]
	[ "$(grep -c foo screen)" -eq 1 ] || fail "$(cat screen)"
	separately metlog-tail --pretty in
	expect_in "$err" foo
}

# --- choosing the form ---

@test "into a pipe or a file the input bytes are passed on untouched; --pretty asks for the form for people" {
	printf '{ "type" : "x\\u0041" ,\t"b":1E5, "d":"\x7f"}\n' >in
	separately metlog-tail in
	expect_same in "$out"
	separately metlog-tail --json in
	expect_same in "$out"
	separately metlog-tail --pretty in
	never cmp -s in "$out"
}

@test "on a terminal the form for people is the default, in colour; NO_COLOR, TERM=dumb and --color=never turn colour off" {
	envelope 1 >in
	terminal 80 env -u NO_COLOR TERM=xterm metlog-tail in
	grep -q $'\033\[1;33mWARNING\033\[0m' screen
	terminal 80 env NO_COLOR=1 TERM=xterm metlog-tail in
	expect_lines screen '-- 2012-10-05 UTC --' '12:00:01.137 WARNING app      oldstyle  1'
	terminal 80 env -u NO_COLOR TERM=dumb metlog-tail in
	never grep -q $'\033' screen
	terminal 80 env -u NO_COLOR TERM=xterm metlog-tail --color=never in
	never grep -q $'\033' screen
	separately metlog-tail --pretty --color=always in
	grep -q $'\033' "$out"
}

@test "on a terminal --oneline cuts a line to the width, wide characters counted" {
	envelope '"エラーエラーエラーエラーエラーエラーエラーエラーエラーエラーエラー"' >in
	LC_ALL=C.UTF-8 NO_COLOR=1 terminal 60 metlog-tail --oneline in
	python3 - <<-'END'
	import unicodedata
	line = open("screen", encoding="utf-8").read().rstrip("\n")
	columns = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
	assert line.endswith("…") and 58 <= columns <= 60, (columns, line)
	END
}

@test "--json on a terminal is the same JSON, with what could drive the terminal as \\u escapes; --raw leaves it" {
	need jq
	printf '{"payload":"\x7f\xc2\x9b31m \xe2\x80\xae \xf3\xa0\x81\x81 \xc3\xa9","type": \t"x"}\n' >in
	terminal 80 metlog-tail --json in
	never env LC_ALL=C grep -q $'\x7f\|\xc2\x9b\|\xe2\x80\xae\|\xf3\xa0' screen
	expect_in screen '\u007f\u009b31m \u202e \udb40\udc41 é'
	[ "$(jq -c . in)" = "$(jq -c . screen)" ]
	terminal 80 metlog-tail --json --raw in
	expect_same in screen
}

@test "contradicting forms are a usage error" {
	for args in '--json --pretty' '--format x --json' '--oneline --json' '--format x --all'; do
		separately metlog-tail $args </dev/null
		expect_status 64
	done
}

# --- hostile text ---

# Each class of text that could drive a terminal, raw and as JSON escapes, in every place it can stand.
hostile() {
	local text
	for text in '\u001b[31m' '\u001b]0;t\u0007' '\u0000' '\b\b\b' '\r' '\u000e' '\u007f' '\u0085' '\u009b31m' '\u202e' '\u2066' '\u2028' '\u2029' '\u200b' \
		'\ufeff' '\udb40\udc41' '\u061c' "$(printf '\x7f')" "$(printf '\xc2\x9b31m')" "$(printf '\xe2\x80\xae')" "$(printf '\xef\xbb\xbf')" "$(printf '\xc2\x85')"; do
		printf '{"type":"%s","logger":"%s","payload":"a%sb","fields":{"%s":"%s","o":{"%s":["%s"]}},"%s":"%s"}\n' \
			"$text" "$text" "$text" "$text" "$text" "$text" "$text" "$text" "$text"
	done
	printf 'garbage \x1b[31m \x9b \xff \x07\n'
}

@test "text from the input never drives the terminal, in any form but --raw" {
	need python3
	hostile >in
	for form in '--pretty' '--oneline --all' '--all' '--format {type}{logger}{payload}{fields}{fields.o}'; do
		separately metlog-tail $form in
		python3 - "$out" "$err" <<-'END' || fail "with $form"
		import sys, unicodedata
		for name in sys.argv[1:]:
		    text = open(name, "rb").read().decode("utf-8")
		    for c in text:
		        bad = c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs")
		        assert not bad, (name, hex(ord(c)))
		END
	done
	separately metlog-tail --raw --format '{payload}' in
	grep -q $'\033\[31m' "$out"
}

@test "a timestamp that is none is shown as such, whatever the one before began with" {
	stamp() { printf '{"timestamp":"2012-10-05T12:00%s"}\n' "$1"; }
	{ stamp :01.5Z; stamp ":$(printf '\xc2\x9b')1mZ"; stamp ":01.$(printf '\xc2\x9b')1Z"; stamp :61Z; stamp :01.Z; stamp '-01Z'; stamp :02Z; } >in
	separately metlog-tail --pretty in
	cut -c 1-12 "$out" | tail -n +2 >got
	expect_lines got 12:00:01.500 --:--:--.--- --:--:--.--- --:--:--.--- --:--:--.--- --:--:--.--- 12:00:02.000
	separately metlog-tail --format '{@time|none}' in
	expect_lines "$out" 12:00:01.500 none none none none none 12:00:02.000
}

@test "one envelope is one line with --format, whatever is in it" {
	hostile | grep '^{' >in
	envelope '"a\nb\r\nc\u2028d"' >>in
	separately metlog-tail --format '{payload} {type}' in
	[ "$(wc -l <"$out")" = "$(wc -l <in)" ]
}

@test "secrets in fields.dsn are masked, and the user and password of any URL in a field" {
	secrets() { envelope '"x"' ",\"fields\":$1" >in; separately metlog-tail --pretty in; ! grep -q 'se.\?cret\|hunter' "$out" || fail "shown: $(cat "$out")"; }
	secrets '{"dsn":"udp://user:secret@host:9000/2"}'
	expect_in "$out" 'dsn=udp://***@host:9000/2'
	secrets '{"dsn":"https://key:se\u0063ret@host/2?token=hunter"}'
	expect_in "$out" 'dsn=https://***@host/2?***'
	secrets '{"dsn":"https:\/\/key:secret\u0040host\/2"}'
	secrets '{"sentry_dsn":"https://k:secret@h@host/2","DSN":"user:secret@tcp(db)/x","dsn":"host=db password=secret user=x"}'
	secrets '{"o":{"dsn":"udp://u:secret@h"},"list":["http://u:secret@h/"],"url":"postgres://u:secret@db/x"}'
	separately metlog-tail --format '{fields.url} {fields.o} {fields}' in
	never grep -q secret "$out"
	secrets '{"mail":"joe@example.com","dsn":"host"}'
	expect_in "$out" 'mail=joe@example.com dsn=host'
	envelope '"x"' ',"fields":{"dsn":"udp://user:secret@host"}' >in
	separately metlog-tail --json in
	expect_same in "$out"
}

# --- --format ---

@test "--format: paths, nested and dotted; absent is nothing, or what stands behind the bar; {{ }} are braces" {
	envelope '"pay"' ',"fields":{"name":"n","a.b":{"c":1},"n":{"c":[10,20]},"empty":""},"metlog_pid":7' >in
	separately metlog-tail --format '{timestamp} {fields.name}={payload} {{{metlog_pid}}} {fields.n.c.1} {fields.a.b} {nope}|{nope|?}|{fields.empty|none}\t{@date} {@time} {@level} {severity}' in
	expect_lines "$out" "2012-10-05T12:00:01.137911Z n=pay {7} 20 {\"c\":1} |?|none$(printf '\t')2012-10-05 12:00:01.137 WARNING 4"
	echo '{}' >in
	separately metlog-tail --format '{severity} {@level} {@time|never}' in
	expect_lines "$out" '6 INFO never'
}

@test "--format: a fault is a usage error that points at the column" {
	for row in 'a{b:2' 'a}b:2' '{}:2' '{a..b}:2' '{@x}:2' '{a{b}:1'; do
		separately metlog-tail --format "${row%:*}" </dev/null
		expect_status 64
		expect_in "$err" "column ${row##*:}:"
	done
}

# --- choosing envelopes ---

@test "-N: the last envelopes of each FILE, whatever the blocks it is read in" {
	numbered 1 5000 >in
	for n in 0 1 2 999 4999 5000 6000; do
		separately metlog-tail -N "$n" in
		expect_status 0
		expect_empty "$err"
		tail -n "$n" in >wanted
		expect_same wanted "$out"
	done
	separately metlog-tail -N all in
	expect_same in "$out"
	printf '%s' "$(cat in)" >torn
	separately metlog-tail -N 2 torn
	tail -n 2 in >wanted
	expect_same wanted "$out"
	separately metlog-tail -N 2 - <in
	expect_same wanted "$out"
}

@test "-N counts the envelopes that -m and the rest take; blank and malformed lines are not counted" {
	{ numbered 1 100; printf '\nnonsense\n\n'; numbered 101 105; printf 'nonsense\n\n'; } >in
	separately metlog-tail -N 2 -m 'fields.n < 50' --rejects dead in
	expect_status 0
	numbered 48 49 >wanted
	expect_same wanted "$out"
	separately metlog-tail -N 6 --rejects dead in
	numbered 100 105 >wanted
	expect_same wanted "$out"
}

@test "-N reads a large file from its end only, and a long line is no obstacle" {
	need strace
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	sanitized && skip "a sanitizer build cannot be traced"
	{ numbered 1 1000; truncate -s 100M pad; tr '\0' x <pad; printf '\n'; numbered 1001 1100; head -c 400000 pad | tr '\0' x; printf '\n'; numbered 1101 1101; } >in
	strace -f -o trace -e trace=read,pread64 "$(command -v metlog-tail)" -N 1 in >got
	numbered 1101 1101 >wanted
	expect_same wanted got
	[ "$(awk -F'= ' '{ sum += $NF } END { print sum }' trace)" -lt 2000000 ]
	separately metlog-tail --rejects dead -N 102 in
	{ numbered 1000 1000; numbered 1001 1101; } >wanted
	expect_same wanted "$out"
}

@test "-N of a stream keeps the last and shows them at its end; the books balance" {
	numbered 1 100 >in
	separately metlog-tail -N 3 --stats stats < <(cat in)
	expect_status 0
	numbered 98 100 >wanted
	expect_same wanted "$out"
	expect_in stats '"read":100,"passed":3,"dropped":97,"rejected":0'
}

@test "several FILEs are shown one after the other, in the form for people with their names" {
	numbered 1 1 >a
	numbered 2 2 >b
	separately metlog-tail --pretty a b
	expect_lines "$out" '==> a <==' '-- 2012-10-05 UTC --' '12:00:01.137 WARNING app      oldstyle  line 1  n=1' '==> b <==' \
		'12:00:01.137 WARNING app      oldstyle  line 2  n=2'
	separately metlog-tail a b
	cat a b >wanted
	expect_same wanted "$out"
	separately metlog-tail -N 1 a b
	expect_same wanted "$out"
	separately metlog-tail -N 1 a no/such b
	expect_status 66 && expect_in "$err" no/such && expect_same wanted "$out"
}

@test "-m, --since and --until choose envelopes; --count prints how many; --sample takes each Nth" {
	{ numbered 1 10; numbered 11 20 | sed 's/12:00:01/13:00:00/'; } >in
	separately metlog-tail --count -m 'fields.n > 15' in
	expect_lines "$out" 5
	separately metlog-tail --count --since 2012-10-05T12:30 in
	expect_lines "$out" 10
	separately metlog-tail --count --until '2012-10-05 13:00:00.137911' in
	expect_lines "$out" 10
	separately metlog-tail --count in </dev/null
	expect_lines "$out" 20
	separately metlog-tail --sample 10 --stats stats in
	{ numbered 1 1; numbered 11 11 | sed 's/12:00:01/13:00:00/'; } >wanted
	expect_same wanted "$out"
	expect_in stats '"read":20,"passed":2,"dropped":18'
	separately metlog-tail --sample 0 in
	expect_status 64
	separately metlog-tail --count </dev/null
	expect_status 0 && expect_lines "$out" 0
}

@test "with colour it is the same text: a type that ends in blanks keeps them" {
	printf '{"type":"job  "}\n' | metlog-tail --pretty --color=never >plain
	printf '{"type":"job  "}\n' | metlog-tail --pretty --color=always | sed 's/\x1b\[[0-9;]*m//g' >colored
	expect_same plain colored
}

@test "a compressed file is called that, with the program that reads it" {
	echo '{"payload":"x"}' | gzip -c >in.gz
	separately metlog-tail in.gz
	expect_status 65
	expect_in "$err" 'in.gz: this looks compressed; zcat(1) reads it'
	echo '{"payload":"x"}' | metlog-spool write --compress zstd --segment-age 0 spool
	separately metlog-tail spool/*.zst
	expect_status 65
	expect_in "$err" 'this looks compressed; zstdcat(1) reads it'
	printf '{}\n\x1f\x8b\n' >in
	separately metlog-tail in
	expect_status 65
	if grep -q compressed "$err"; then fail "$(cat "$err")"; fi
}
