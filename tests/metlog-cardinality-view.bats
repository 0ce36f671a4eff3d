# metlog-cardinality-view.bats - a report at a terminal, as envelopes and as a page: the same numbers, safe for where they go.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load helper
	driver=$TOOLS/../tests/unit/report_driver
	[ -x "$driver" ] || skip "tests/unit/report_driver is not built"
	need python3
	cd "$BATS_TEST_TMPDIR" || return
}

# page ARGUMENTS...: tests/report_page.py, whose faults are shown.
page() {
	python3 "$SOURCE/tests/report_page.py" "$@" >faults || { head -c 3000 faults >&2; return 1; }
}

# at COLUMNS SCENARIO [OPTION...]: the report as a terminal so wide that knows UTF-8 shows it.
at() {
	local columns=$1
	shift
	LC_ALL=C.UTF-8 COLUMNS=$columns "$driver" "$@" --format table </dev/null
}

scenarios='usual hostile some calm growing untagged empty'

@test "a page is sound: closed elements, no script, nothing from outside, one style that its policy knows, titles and tables for who cannot see" {
	for one in $scenarios; do
		"$driver" "$one" --html "$one.html" </dev/null
		page check "$one.html" || fail "$one"
	done
}

@test "the terminal, the envelopes and the page hold the same numbers" {
	for one in $scenarios; do
		"$driver" "$one" --html page.html </dev/null
		at 250 "$one" -v >table
		"$driver" "$one" --format json </dev/null >envelopes
		page compare page.html table <envelopes || fail "$one"
	done
}

@test "what was put into a report stands in each of its views" {
	"$driver" usual --html page.html </dev/null
	at 120 usual >table
	"$driver" usual --format json </dev/null >envelopes
	for file in page.html table; do
		for text in 214,530 6,522,984 181,204 1,183 12,034 899,904 901,202 '+17,460' '1,922 of 50' -99.4 'x 4.2'; do expect_in "$file" "$text"; done
	done
	for text in '"series":214530' '"product":6522984' '"values":181204' '"series_without":1183' '"count":12034' '"series_with":901202' '"found":1922'; do expect_in envelopes "$text"; done
	expect_in page.html '1,000,045 lines: 1,000,000 reported on, 42 dropped, <strong class="bad">3 rejected</strong>'
	expect_in page.html '2012-11-22 00:00:00 to 2012-11-22 23:59:59 UTC'
}

@test "the first line says which tag explodes, which one grows and when it is too much, or that none does" {
	[ "$(at 100 usual | head -1)" = "tags.key of counter location.request explodes: 181,204 values, 2 limits passed" ]
	[ "$(at 100 growing | head -1)" = "tags.session of counter login grows: 8,120 values" ]
	at 100 growing | tr '\n' ' ' >text
	expect_in text '; at this pace 100,000 are passed in 4.89 d' # (100000 - 8120) / 782.5 / 24
	[ "$(at 100 calm | head -1)" = "No tag explodes: the most to watch is tags.result of counter login, 4 values" ]
	[ "$(at 100 untagged | head -1)" = "No metric has a tag; session of oldstyle would bring most: 52,000 series" ]
	[ "$(at 100 empty | head -1)" = "There is no envelope to report on" ]
}

@test "limits stand at the end, those that are passed first" {
	at 80 usual | sed '1,/^Limits/d' | grep -oE '^  (PASSED|within)' >states
	[ "$(tr -d '\n' <states)" = "  PASSED  PASSED  within" ]
	"$driver" usual --format json </dev/null | grep '"about":"limit","source".*"passed":true' | grep -c '"severity":4' >count
	[ "$(cat count)" -eq 2 ]
}

@test "what would drive a terminal, or end a line, is shown and not sent" {
	for columns in 60 80 250; do at "$columns" hostile >table && LC_ALL=C at "$columns" hostile >>table; done
	python3 - table <<-'END'
		import re, sys, unicodedata
		text = open(sys.argv[1], encoding='utf-8').read()
		bad = [c for c in text if c != '\n' and (unicodedata.category(c) in ('Cc', 'Cf', 'Zl', 'Zp') or c == '\ufffd')]
		sys.exit(f'{bad}' if bad or '\\x1b]0;' not in text or '\\u{202e}' not in text else 0)
	END
}

@test "a line is as wide as the terminal and not wider" {
	for columns in 40 64 80 120 200; do
		for one in usual hostile growing; do at "$columns" "$one" >"$one.$columns"; done
	done
	python3 - <<-'END'
		import sys, unicodedata
		faults = []
		for columns in (40, 64, 80, 120, 200):
		    widest = 0
		    for one in ('usual', 'hostile', 'growing'):
		        for line in open(f'{one}.{columns}', encoding='utf-8'):
		            width = sum(2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in line.rstrip('\n'))
		            widest = max(width, widest)
		            if width > columns: faults.append(f'{columns}: {width}: {line}')
		    if widest < columns * 0.85 and columns <= 120: faults.append(f'{columns}: only {widest} used')
		sys.exit('\n'.join(faults) or 0)
	END
}

@test "the columns of numbers are aligned, whatever is written in front of them" {
	at 100 hostile | grep -E '^  (tags|-->|nnn)' >rows
	python3 - <<-'END'
		import sys, unicodedata
		wide = lambda text: sum(2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in text)
		ends = set()
		for line in open('rows', encoding='utf-8'):
		    value = {'tags.<': '400', 'tags.東': '47', '--><!-': '2', 'nnnnnn': '3'}[line[2:8] if line[2:7] != 'tags.東' else 'tags.東']
		    ends.add(wide(line[:line.index(f' {value} ') + 1 + len(value)]))
		sys.exit(len(ends) != 1 and f'{ends}')
	END
}

@test "in a locale without UTF-8 there is only ASCII, with the same numbers" {
	for one in usual hostile; do
		COLUMNS=250 "$driver" "$one" --format table </dev/null >ascii
		if LC_ALL=C grep -m 3 '[^ -~]' ascii; then fail "not ASCII"; fi
		at 250 "$one" >table
		grep -oE '[0-9,.]+ %|[0-9]{1,3}(,[0-9]{3})+' ascii | sort >one
		grep -oE '[0-9,.]+ %|[0-9]{1,3}(,[0-9]{3})+' table | sort >other
		expect_same one other
	done
	COLUMNS=80 "$driver" usual --format table </dev/null >ascii
	expect_in ascii ' ####'
	LANG=de_DE.utf8 LC_ALL='' COLUMNS=80 "$driver" usual --format table </dev/null >table
	expect_in table '███'
}

@test "colours are for terminals that want them: --color, NO_COLOR and TERM say so" {
	need script
	escape=$(printf '\033')
	seen() { script -qec "$*" typescript >/dev/null </dev/null && grep -q "$escape" typescript; }
	unset NO_COLOR
	TERM=xterm seen "$driver" usual --format table || fail "no colour at a terminal"
	if NO_COLOR=1 TERM=xterm seen "$driver" usual --format table; then fail "colour in spite of NO_COLOR"; fi
	if TERM=dumb seen "$driver" usual --format table; then fail "colour at a dumb terminal"; fi
	if TERM=xterm seen "$driver" usual --format table --color=never; then fail "colour in spite of --color=never"; fi
	TERM=xterm "$driver" usual --format table </dev/null >table
	if grep -q "$escape" table; then fail "colour in a file"; fi
	"$driver" usual --format table --color=always </dev/null >table
	grep -q "$escape" table || fail "no colour in spite of --color=always"
	sed "s/$escape\[[0-9;]*m//g" table >plain
	"$driver" usual --format table --color=never </dev/null >never
	expect_same plain never
}

@test "a terminal's own width is taken, not that of COLUMNS" {
	need script
	COLUMNS=200 LC_ALL=C.UTF-8 script -qec "stty cols 64; '$driver' usual --format table" typescript >/dev/null </dev/null
	sed '1d;$d' typescript | tr -d '\r' | python3 -c '
import sys
widest = max(len(line.rstrip("\n")) for line in sys.stdin if not line.startswith("Script"))
sys.exit(not 56 <= widest <= 64 and f"{widest} columns")'
}

@test "the envelopes are good ones, and can be asked for" {
	for one in $scenarios; do "$driver" "$one" --format json </dev/null; done >envelopes
	metlog-route --strict -m TRUE <envelopes >through
	expect_same envelopes through
	metlog-route -m 'type == "metlog.cardinality" && fields.about == "tag" && fields.is_tag == TRUE && fields.values > 100000' <envelopes >found
	[ "$(wc -l <found)" -eq 2 ] # in usual and some
	expect_in found '"tag":"tags.key"'
}

@test "the same report makes the same page, byte for byte, when SOURCE_DATE_EPOCH says when" {
	for one in usual hostile; do
		SOURCE_DATE_EPOCH=1700000000 "$driver" "$one" --html a.html </dev/null
		SOURCE_DATE_EPOCH=1700000000 TZ=Asia/Tokyo LC_ALL=C.UTF-8 COLUMNS=40 "$driver" "$one" --html b.html </dev/null
		expect_same a.html b.html
	done
	expect_in a.html '2023-11-14 22:13:20 UTC'
	SOURCE_DATE_EPOCH=1700000000 "$driver" usual --tz Asia/Tokyo --html a.html </dev/null
	expect_in a.html '2023-11-15 07:13:20 +09:00'
	expect_in a.html '2012-11-22 09:00:00 to 2012-11-23 08:59:59 +09:00'
	SOURCE_DATE_EPOCH=soon separately "$driver" usual --html a.html </dev/null
	expect_in "$err" "SOURCE_DATE_EPOCH: 'soon' is not a number of seconds"
}

@test "the page says what was read: files by name, and what was left out" {
	: >"a<b>.ndjson"
	"$driver" usual --html page.html -m 'type == "<i>"' --since 2012-11-22 "a<b>.ndjson" -
	expect_in page.html '<bdi>a&lt;b&gt;.ndjson</bdi>, standard input'
	expect_in page.html '<code>type == &quot;&lt;i&gt;&quot;</code> since 2012-11-22 00:00:00 UTC'
	page check page.html
}

@test "a page of 500 metrics folds up all but a few, and a page of one none" {
	"$driver" many --html many.html </dev/null
	[ "$(grep -c '<details class="metric"' many.html)" -eq 500 ]
	[ "$(grep -c '<details class="metric" open>' many.html)" -eq 3 ]
	[ "$(wc -c <many.html)" -lt 4000000 ]
	"$driver" calm --html calm.html </dev/null
	[ "$(grep -c '<details class="metric" open>' calm.html)" -eq 1 ]
	at 80 many >table
	expect_in table '480 more metrics (-v shows them as above)'
	[ "$(wc -l <table)" -lt 800 ]
}

@test "of very many metrics or members the least are left out, and that is said" {
	"$driver" wide --html wide.html </dev/null
	page check wide.html
	expect_in wide.html 'Not on this page: 201 more metrics'
	expect_in wide.html 'And 170 more, none with more values.' # 370 members that are no tags, 200 shown
	expect_in wide.html '<bdi>member229</bdi>'
	if grep -q '<bdi>member230</bdi>' wide.html; then fail "member230 is there"; fi
	at 100 wide >table
	grep -A 1 '^  member019 ' table | grep -q '^  and 10 more, none with more values (-v shows them)'
	grep -A 1 '^  member049 ' table | grep -q '^  and 350 more, none with more values (-v shows them)'
	expect_in table '1,181 more metrics (-v shows them as above)'
	at 100 wide -v >table
	[ "$(grep -c '^  member' table)" -eq 400 ]
	[ "$(grep -c '^counter metric' table)" -eq 1200 ]
}

@test "a page that cannot be written is said, and the one before stays" {
	echo before >page.html
	chmod 640 page.html
	separately bash -c "trap '' XFSZ; ulimit -f 4; '$driver' usual --html page.html </dev/null"
	expect_status 74
	expect_in "$err" "cannot write page.html: File too large"
	[ "$(cat page.html)" = before ]
	[ "$(find . -name '*page.html*')" = ./page.html ]
	"$driver" usual --html page.html </dev/null
	expect_in page.html '</html>'
	[ "$(stat -c %a page.html)" = 640 ]
	separately "$driver" usual --html /dev/full </dev/null
	expect_status 74
	expect_in "$err" "cannot write /dev/full: No space left on device"
	separately "$driver" usual --html there/is/none.html </dev/null
	expect_status 73
	expect_in "$err" "there/is/none.html: No such file or directory"
	separately "$driver" usual --html . </dev/null
	expect_status 73
	expect_in "$err" "Is a directory"
	for format in table json; do
		status=0
		"$driver" many --format $format </dev/null >/dev/full 2>full || status=$?
		[ "$status" -eq 74 ]
	done
}

@test "a page goes through a link to its file, and to what is no file as it is" {
	mkdir real
	echo before >real/page.html
	ln -s real/page.html link.html
	"$driver" calm --html link.html </dev/null
	[ -L link.html ]
	expect_in real/page.html '</html>'
	mkfifo pipe
	cat pipe >piped &
	"$driver" calm --html pipe </dev/null
	wait $!
	page check piped
	[ -p pipe ]
}

@test "a report of real envelopes says in all views what the envelopes hold" {
	python3 - >in <<-'END'
		import json
		for i in range(6000):
		    print(json.dumps({'timestamp': f'2012-11-22T{i // 250:02d}:00:00Z', 'type': 'counter', 'payload': '1', 'fields': {
		        'name': 'hits & <b>', 'ip': f'10.0.{i % 200}.1', 'tags': {'key': f'k{i % 60}', 'path': f'/{i % 4}', 'zürich\x1b': 'x'}}}))
	END
	metlog-cardinality --report --format json --html page.html in >envelopes
	LC_ALL=C.UTF-8 COLUMNS=250 metlog-cardinality --report --format table in >table
	page check page.html
	page compare page.html table <envelopes
	# 60 keys, 4 paths: i % 60 says i % 4, so 60 series of 240; without the key 4, without the path 60; with 200 addresses lcm(60, 200) = 600.
	grep -qE '^  tags.key +60 .* 4 +-93.3 %$' table
	grep -qE '^  tags.path +4 .* 60 +0 %$' table
	grep -oE '^  ip +200 .* x 1?[0-9.]+$' table | awk '{ found = $(NF - 2); exit !(found >= 585 && found <= 615) } END { if (!found) exit 1 }' # 2.5 % of 600
	expect_in page.html '<h3><bdi>counter hits &amp; &lt;b&gt;</bdi></h3> <span>60 series <span class="dim">of 240 possible, 6,000 envelopes</span>'
}
