# metlog-tail-columns.bats - how metlog-tail lays out the fields of an envelope for a terminal's width.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load tail
	cd "$BATS_TEST_TMPDIR"
}

# fields COUNT: that many, k1 to kCOUNT, as the members of an object.
fields() {
	seq "$1" | sed 's/.*/"k&":&/' | paste -sd,
}

# pairs FILE COLUMNS: the key=value of an envelope below its own line, in the order of reading: down a column, then down the next. Fails if a line is wider than that.
pairs() {
	python3 - "$1" "$2" <<-'END'
	import re, sys
	rows = [line.rstrip("\n") for line in open(sys.argv[1], encoding="ascii") if line.startswith("    ")]
	assert all(len(row) <= int(sys.argv[2]) for row in rows), rows
	cells = [[(m.start(), m.group()) for m in re.finditer(r"\S+", row)] for row in rows]
	columns = sorted({start for row in cells for start, _ in row})
	print("\n".join(text for column in columns for row in cells for start, text in row if start == column))
	END
}

@test "on a terminal fields that do not fit on their line stand below it, in columns that are read downwards" {
	envelope '"payload"' ',"fields":{"first":"aaaaaaaaaaaaaaaaaaaa","second":"bbbbbbbbbbbbbbbbbbbb","third":"ccc","fourth":4}' >in
	terminal 77 metlog-tail in
	expect_lines screen '-- 2012-10-05 UTC --' '12:00:01.137 WARNING app      oldstyle  payload' \
		'    first=aaaaaaaaaaaaaaaaaaaa   third=ccc' \
		'    second=bbbbbbbbbbbbbbbbbbbb  fourth=4'
	terminal 140 metlog-tail in
	expect_lines screen '-- 2012-10-05 UTC --' \
		'12:00:01.137 WARNING app      oldstyle  payload  first=aaaaaaaaaaaaaaaaaaaa second=bbbbbbbbbbbbbbbbbbbb third=ccc fourth=4'
}

@test "fields that fill their line to the last column stand on it still, one column more and they do not" {
	envelope '"payload"' ',"fields":{"a":"0123456789012345678901234567"}' >in
	separately metlog-tail --width 79 in
	expect_lines "$out" '-- 2012-10-05 UTC --' '12:00:01.137 WARNING app      oldstyle  payload  a=0123456789012345678901234567'
	separately metlog-tail --width 78 in
	expect_lines "$out" '-- 2012-10-05 UTC --' '12:00:01.137 WARNING app      oldstyle  payload' '    a=0123456789012345678901234567'
}

@test "--width lays out as on a terminal of so many columns; without it a file or pipe gets the fields on one line" {
	envelope '"payload"' ",\"fields\":{$(fields 40)}" >in
	terminal 60 metlog-tail in
	separately metlog-tail --width 60 in
	expect_same screen "$out"
	[ "$(wc -l <"$out")" -gt 3 ] || fail "$(cat "$out")"
	for args in --pretty '--width 0'; do
		separately metlog-tail $args in
		[ "$(wc -l <"$out")" -eq 2 ] || fail "$(cat "$out")"
	done
	separately metlog-tail --width 60 --json in
	expect_status 64
	separately metlog-tail --width x in
	expect_status 64
}

@test "none of 200 fields is hidden, each stands once, in order, whatever the width" {
	need python3
	envelope '"payload"' ",\"fields\":{$(fields 200)}" >in
	seq 200 | sed 's/.*/k&=&/' >wanted
	for width in 20 80 250; do
		separately metlog-tail --width "$width" in
		pairs "$out" "$width" >got
		expect_same wanted got
	done
}

@test "a field too wide for columns has a line of its own, where it stands in the order; the others stay in columns" {
	local wide
	wide=$(printf 'w%.0s' {1..60})
	envelope '"payload"' ",\"fields\":{$(fields 12),\"long\":\"$wide\",\"e\":5,\"f\":6}" >in
	separately metlog-tail --width 80 in
	expect_lines "$out" '-- 2012-10-05 UTC --' '12:00:01.137 WARNING app      oldstyle  payload' \
		'    k1=1  k2=2  k3=3  k4=4  k5=5  k6=6  k7=7  k8=8  k9=9  k10=10  k11=11  k12=12' "    long=$wide" '    e=5  f=6'
}

@test "a terminal of 20 columns, or of one, gets a field a line, and not one column of blanks" {
	envelope '"payload"' ',"fields":{"first":1,"second":"two","third":"a text that is wider than that"}' >in
	for width in 20 1; do
		terminal "$width" metlog-tail in
		expect_lines screen '-- 2012-10-05 UTC --' '12:00:01.137 WARNING app      oldstyle  payload' '    first=1' '    second=two' '    third="a text that is wider than that"'
	done
}

@test "wide characters count as the two columns they take, combining ones as none" {
	envelope '"payload"' ',"fields":{"name":"エラー","cafe\u0301":"x","fire":"🔥","k4":"0123456789","k5":"0123456789","k6":1}' >in
	separately metlog-tail --width 44 in
	expect_lines "$out" '-- 2012-10-05 UTC --' '12:00:01.137 WARNING app      oldstyle  payload' \
		'    name=エラー  k4=0123456789' \
		$'    cafe\u0301=x       k5=0123456789' \
		'    fire=🔥      k6=1'
}

@test "where there is room, the fields behind payloads of different lengths begin in one column" {
	{ envelope '"a payload of some length"' ',"fields":{"n":1}'; envelope '"short"' ',"fields":{"n":2}'; envelope '"bare"'; metric; } >in
	separately metlog-tail --width 120 in
	expect_lines "$out" '-- 2012-10-05 UTC --' \
		'12:00:01.137 WARNING app      oldstyle  a payload of some length  n=1' \
		'12:00:01.137 WARNING app      oldstyle  short                     n=2' \
		'12:00:01.137 WARNING app      oldstyle  bare' \
		'12:00:01.137 INFO    app      timer     db.query 35ms             host=db1'
}

metric() {
	echo '{"type":"timer","timestamp":"2012-10-05T12:00:01.137Z","logger":"app","payload":"35","fields":{"name":"db.query","host":"db1"}}'
}

@test "one payload that is far too long does not push the fields of those behind it" {
	{ envelope '"a payload so long that fields at its end would stand far out"' ',"fields":{"n":1}'; envelope '"short"' ',"fields":{"n":2}'; } >in
	separately metlog-tail --width 120 in
	expect_in "$out" 'short  n=2'
}

@test "a field of several lines is a block of its own below the others, its lines and tabs kept; secrets are masked in it" {
	envelope '"it broke"' ',"fields":{"traceback":"Traceback:\n\tFile \"app.py\"\r\n12:00:01.137 EMERG forged\nhttp://joe:hunter2@host/\n","errno":28,"dsn":"a:se\ncret@host"}' >in
	for args in --pretty '--width 80'; do
		separately metlog-tail $args in
		expect_lines "$out" '-- 2012-10-05 UTC --' '12:00:01.137 WARNING app      oldstyle  it broke  errno=28 dsn=***@host' \
			'    traceback:' '        Traceback:' "        $(printf '\t')File \"app.py\"" '        12:00:01.137 EMERG forged' '        http://***@host/'
	done
	separately metlog-tail --oneline in
	[ "$(wc -l <"$out")" -eq 1 ] || fail "$(cat "$out")"
	expect_in "$out" 'it broke  traceback="Traceback:\n\tFile \"app.py\"\r\n12:00:01.137 EMERG forged\nhttp://***@host/\n" errno=28'
}

@test "an envelope with nothing but a block, and one whose payload has several lines" {
	envelope '""' ',"fields":{"stack":"a\nb"}' >in
	separately metlog-tail --width 80 in
	expect_lines "$out" '-- 2012-10-05 UTC --' '12:00:01.137 WARNING app      oldstyle' '    stack:' '        a' '        b'
	envelope '"it\nbroke"' ',"fields":{"first":"aaaaaaaaaaaaaaa","second":"bbbbbbbbbbbbbbb","third":3,"stack":"a\nb"}' >in
	separately metlog-tail --width 60 in
	expect_lines "$out" '-- 2012-10-05 UTC --' '12:00:01.137 WARNING app      oldstyle  it' '    broke' '    first=aaaaaaaaaaaaaaa second=bbbbbbbbbbbbbbb third=3' \
		'    stack:' '        a' '        b'
	separately metlog-tail --width 48 in
	expect_lines "$out" '-- 2012-10-05 UTC --' '12:00:01.137 WARNING app      oldstyle  it' '    broke' '    first=aaaaaaaaaaaaaaa   third=3' '    second=bbbbbbbbbbbbbbb' \
		'    stack:' '        a' '        b'
}

@test "text from the input cannot drive the terminal from a column or a block, nor begin a line as an envelope does" {
	need python3
	envelope '"x"' ',"fields":{"k\u001b[2J":"v\u202e\u0007","two words\n12:00:00 EMERG":"\r","b\n\u001b]0;t":"l\u009b31m\n12:00:01.137 EMERG forged\u0000\u2028","plain":1,"wide":"'"$(printf 'x%.0s' {1..90})"'"}' >in
	for args in '--width 60' '--width 60 --color=always' --pretty; do
		separately metlog-tail $args in
		python3 - "$out" <<-'END' || fail "with $args: $(cat "$out")"
		import re, sys, unicodedata
		text = re.sub("\x1b\\[[0-9;]*m", "", open(sys.argv[1], encoding="utf-8", newline="").read())
		for c in text:
		    assert c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp", "Cs"), hex(ord(c))
		assert all(line.startswith("    ") for line in text.splitlines()[2:]), text
		END
	done
}

@test "with colour the layout is the same text; a key is faint, and so is null; NO_COLOR turns that off" {
	{ envelope '"payload"' ",\"fields\":{\"none\":null,$(fields 30),\"stack\":\"a\\nb\"}"; envelope '"x"' ',"fields":{"none":null,"a":1}'; } >in
	separately metlog-tail --width 70 --color=always in
	expect_in "$out" $'\033[2mk1=\033[0m1'
	expect_in "$out" $'\033[2mnone=null\033[0m'
	sed 's/\x1b\[[0-9;]*m//g' "$out" >bare
	separately metlog-tail --width 70 in
	expect_same "$out" bare
	terminal 70 env NO_COLOR=1 TERM=xterm metlog-tail in
	expect_same "$out" screen
}

@test "--oneline is one line whatever the width, cut and not laid out" {
	{ envelope '"payload"' ",\"fields\":{$(fields 40)}"; envelope '"x"' ',"fields":{"a":"b\nc"}'; } >in
	separately metlog-tail --oneline --width 80 in
	[ "$(wc -l <"$out")" -eq 2 ] || fail "$(cat "$out")"
	grep -q '^2012-10-05 12:00:01.137 WARNING app      oldstyle  payload  k1=1 k2=2 k3=3 .*…$' "$out" || fail "$(cat "$out")"
	expect_in "$out" 'x  a="b\nc"'
}

@test "the picture in the manual is what is shown" {
	echo '{"timestamp":"2012-10-05T12:00:12.654Z","logger":"web","type":"canonical-log-line","payload":"POST /v1/geolocate - 500","fields":{"http_status":500,"duration_s":0.003,"http_path":"/v1/geolocate","api_key":"fb97c8fb9af14d319b4290c20fc8fbcc","http_method":"POST","api_type":"locate","region":"GB","error":"no such key","traceback":"Traceback (most recent call last):\n  File \"app.py\", line 187, in locate"}}' >in
	separately metlog-tail --width 80 in
	tail -n +2 "$out" >got
	sed -n '/^12:00:12.654 INFO    web/,/^\.Ed/p' "$SOURCE/man/metlog-tail.1" | grep -v '^\.Ed' >wanted
	expect_same wanted got
}
