# family.bats - every tool through the same misuse: what the manual promises of all of them, tried on each that is built.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load family
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	local pid
	for pid in ${children-}; do kill -9 "$pid" 2>/dev/null || true; done
}

help_and_version() {
	separately "$1" --help
	expect_status 0 && expect_empty "$err" && expect_in "$out" "$1" && expect_in "$out" --version || return
	separately "$1" -V
	expect_status 0 && expect_empty "$err" || return
	head -1 "$out" | grep -qE "^$1 \(metlog\) [0-9]+\.[0-9]+" || fail "-V begins with: $(head -1 "$out")" || return
	separately "$1" --help >/dev/full || true
}
@test "--help and -V write to standard output and exit 0; -V begins with the name, (metlog) and the version" { each help_and_version programs; }

help_style() {
	separately "$1" --usage
	expect_status 0 && expect_empty "$err" && expect_in "$out" "Usage: $1 " || return
	separately "$1" --help
	expect_in "$out" ' General:' && expect_in "$out" 'Examples:' || return
	wide=$(expand "$out" | awk 'length > 80')
	[ -z "$wide" ] || fail "wider than 80 columns: $wide" || return
	# What an option does begins like a command to the tool, and is no sentence with a full stop.
	odd=$(grep -E '^ {2,6}-.* {2,}[^ -].*' "$out" | sed -E 's/^ {2,6}-[^ ]*( --[^ ]*)? +//' | grep -vE '^(-|[A-Z])' || true)
	[ -z "$odd" ] || fail "does not begin with a capital: $odd" || return
	[ -z "$(grep -E 'be given|can be|\(default:' "$out")" ] || fail "it is 'may be repeated' and '(default X)'"
}
@test "the helps read alike: 80 columns, the same headings, the same grammar; --usage works too" { each help_style programs; }

wrong_option() {
	local one
	for one in --no-such-option -%; do
		separately "$1" "$one" </dev/null
		expect_status 64 && expect_empty "$out" && expect_in "$err" "$1: " && expect_in "$err" --help || return
	done
}
@test "a wrong option is a usage error: 64, said on standard error, with a pointer to --help" { each wrong_option programs; }

terminal_input() {
	python3 - "$1" "${args[@]}" >out 2>err <<-'END' || fail "status $?: $(cat err)"
	import os, pty, subprocess, sys
	master, slave = pty.openpty()
	os.write(master, b"\x04")
	sys.exit(subprocess.run(sys.argv[1:], stdin=slave, timeout=20).returncode)
	END
	expect_in err "$1: reading what is typed here; Ctrl-D ends it"
}
@test "a tool that reads a terminal says so" {
	need python3
	each terminal_input
}

missing_file() {
	takes_files "$1" || return 0
	separately "$1" "${args[@]}" no/such/file </dev/null
	expect_status 66 && expect_in "$err" "no/such/file" || return
	mkdir -p folder
	separately "$1" "${args[@]}" folder </dev/null
	expect_status 66 && expect_in "$err" folder
}
@test "a FILE that cannot be read is 66, by name" { each missing_file; }

malformed_line() {
	printf '%s\n{"type":\n%s\n' "$GOOD" "$GOOD" >two-good
	if takes_files "$1"; then
		separately "$1" "${args[@]}" --stats "$1.stats" two-good
		expect_in "$err" two-good || return
	else
		separately "$1" "${args[@]}" --stats "$1.stats" <two-good
	fi
	expect_status 65 && expect_in "$err" "$1: " || return
	grep -qE '(line |:)2\b' "$err" || fail "no line number: $(cat "$err")" || return
	[ "$(wc -l <"$out")" -eq 2 ] || fail "the good lines did not pass: $(cat "$out")" || return
	[ "$(count "$1.stats" rejected)" = 1 ] && balanced "$1.stats"
}
@test "a malformed line is reported with its file, line and reason; the rest passes; the exit status is 65" { each malformed_line; }

only_first() {
	for _ in 1 2 3; do printf 'nonsense\n'; done >three-bad
	separately "$1" "${args[@]}" <three-bad
	expect_status 65 || return
	[ "$(wc -l <"$err")" -le 2 ] || fail "more than the first reject and a count: $(cat "$err")" || return
	expect_in "$err" 3
}
@test "the first reject is reported in full, the rest are counted" { each only_first; }

kept_rejects() {
	rm -f dead
	printf '%s\n{"type":"a" "b"}\n\377\376\n%s\n' "$GOOD" "$GOOD" >mixed
	separately "$1" "${args[@]}" --rejects dead <mixed
	expect_status 0 || return
	[ "$(wc -l <"$out")" -eq 2 ] && [ "$(wc -l <dead)" -eq 2 ] || fail "wrong number of lines: $(cat "$out" dead)" || return
	[ "$(stat -c %a dead)" = 600 ] || fail "others can read the rejects: $(stat -c %a dead)" || return
	expect_in dead '"metlog.reject"' && expect_in dead "\"tool\":\"$1\"" && expect_in dead base64 && expect_in dead '\"a\" \"b\"' || return
	separately metlog-route -m 'type == "metlog.reject" && fields.line > 1' --strict dead
	expect_status 0 && expect_same "$out" dead || return
	if has jq; then
		jq -e '.fields | has("tool") and has("reason") and has("source") and has("line")' dead >/dev/null || fail "members are missing" || return
	fi
	separately "$1" "${args[@]}" --rejects dead <mixed
	expect_status 0 || return
	[ "$(wc -l <dead)" -eq 4 ] || fail "--rejects does not append"
}
@test "--rejects keeps each reject as an envelope of its own, private and appended; the exit status is 0" {
	[ -x "$TOOLS/metlog-route" ] || skip "metlog-route is not built"
	each kept_rejects
}

rejects_elsewhere() {
	separately "$1" "${args[@]}" --rejects no/such/folder/dead <<<"$GOOD"
	expect_status 73 && expect_in "$err" no/such/folder/dead || return
	separately "$1" "${args[@]}" --rejects /dev/full <<<nonsense
	expect_status 74
}
@test "rejects that cannot be kept are an error: 73 when the file cannot be made, 74 when it is full" { each rejects_elsewhere; }

strict() {
	printf '%s\nnonsense\n%s\n' "$GOOD" "$GOOD" >strict
	separately "$1" "${args[@]}" --strict <strict
	expect_status 65 || return
	[ "$(wc -l <"$out")" -eq 1 ] || fail "what was read before the reject should be out, and nothing after: $(cat "$out")"
}
@test "--strict makes the first reject fatal" { each strict; }

# Lines that are no envelopes, each with a word of its reason.
bad_lines() {
	printf '%s\t%s\n' \
		'[1]' object '"text"' object 3 object null object \
		'{"a":1} x' '' '{"a":1}{"b":2}' '' '{"a":1,}' '' '{"a" 1}' '' '{a:1}' '' "{'a':1}" '' '{"a":01}' '' '{"a":+1}' '' \
		'{"a":1.}' '' '{"a":.5}' '' '{"a":1e}' '' '{"a":NaN}' '' '{"a":Infinity}' '' '{"a":-}' '' '{"a":tru}' '' '{"a":TRUE}' '' \
		'{"a":"x}' string '{"a":"\x"}' escape '{"a":"\u12g4"}' escape '{"a":[1 2]}' '' '{"a":[1,]}' '' '{"a":{"b":1]}' '' '{' '' '}' '' \
		'{"a":1}//' '' '{"a":1' '' '{"a":0x1}' '' '{,"a":1}' '' '{"a"}' '' '{"a":}' '' \
		'{"timestamp":1}' timestamp '{"timestamp":null}' timestamp \
		'{"logger":1}' logger '{"type":null}' type '{"severity":"6"}' severity '{"severity":8}' severity '{"severity":-1}' severity \
		'{"severity":1.5}' severity '{"fields":[]}' fields '{"fields":"x"}' fields '{"env_version":"0.7"}' version \
		'{"env_version":0.8}' version '{"type":"a","type":"b"}' type '{"payload":1,"payload":1}' payload \
		'{"fields":{},"fields":{}}' fields '{"env_version":"0.8","env_version":"0.8"}' env_version \
		'{"type":"a","typ\u0065":"b"}' type '{"severity":6,"severity":6}' severity
	printf '{"a":"x\tTAB"}\v' | tr '\v' '\t'; echo control
	printf '\357\273\277{"a":1}\t\n'
	printf '{"a":"\300\200"}\tUTF-8\n{"a":"\355\240\200"}\tUTF-8\n{"a":"\364\220\200\200"}\tUTF-8\n{"a":"\342\202"}\tUTF-8\n{"a":"\200"}\tUTF-8\n'
	printf '{"a":%s1%s}\tdeep\n' "$(printf '[%.0s' {1..64})" "$(printf ']%.0s' {1..64})"
}

bad_classes() {
	bad_lines >bad-table
	sed 's/\t[^\t]*$//' bad-table >bad
	rm -f dead
	separately "$1" "${args[@]}" <bad
	expect_status 65 && expect_empty "$out" || return
	separately "$1" "${args[@]}" --rejects dead <bad
	expect_status 0 && expect_empty "$out" || return
	[ "$(wc -l <dead)" -eq "$(wc -l <bad)" ] || fail "$(wc -l <dead) of $(wc -l <bad) are rejects" || return
	# Behind each line the word of its reason, and the reason.
	sed -E 's/.*"reason":"(([^"\\]|\\.)*)".*/\1/' dead | paste bad-table - |
		awk -F '\t' 'index(tolower($NF), tolower($(NF - 1))) == 0 { print NR ": no reason with " $(NF - 1) ": " $0 }' >wrong
	[ ! -s wrong ] || fail "$(cat wrong)" || return
	printf '{"a":"x\0y"}\n' >nul
	separately "$1" "${args[@]}" <nul
	expect_status 65 && expect_in "$err" NUL
}
@test "every class of bad line is a reject with its reason" { each bad_classes; }

good_classes() {
	good_lines >good
	separately "$1" "${args[@]}" <good
	expect_status 0 && expect_empty "$err" || return
	if [ "$1" = metlog-send ]; then
		[ "$(wc -l <"$out")" -eq "$(wc -l <good)" ] || fail "lines are missing"
	elif passes "$1"; then
		expect_same good "$out"
	fi
}
@test "what RFC 8259 allows is allowed, and a tool that passes it on writes the very bytes" { each good_classes; }

blank_lines() {
	printf '\n  \n%s\n\t\r\n%s\r\n\n' "$GOOD" "$GOOD" >blank
	separately "$1" "${args[@]}" --stats stats <blank
	expect_status 0 || return
	[ "$(count stats read)" = 2 ] || fail "read $(count stats read), not 2" || return
	separately "$1" "${args[@]}" --stats stats < <(printf '%s' "$GOOD")
	expect_status 0 || return
	[ "$(wc -l <"$out")" -eq 1 ] || fail "a last line without a newline is not written as a line" || return
	separately "$1" "${args[@]}" </dev/null
	expect_status 0 && expect_empty "$out" && expect_empty "$err"
}
@test "blank lines are skipped, a last line needs no newline, and no input at all is no error" { each blank_lines; }

line_limit() {
	local head="${GOOD%\}},\"x\":\"" tail='"}'
	{ printf %s "$head"; head -c $((1048576 - ${#head} - ${#tail})) /dev/zero | tr '\0' x; printf '%s\n' "$tail"; } >fits
	{ printf %s "$head"; head -c $((1048577 - ${#head} - ${#tail})) /dev/zero | tr '\0' x; printf '%s\n%s\n' "$tail" "$GOOD"; } >over
	separately "$1" "${args[@]}" <fits
	expect_status 0 || return
	rm -f dead
	separately "$1" "${args[@]}" --rejects dead <over
	expect_status 0 || return
	[ "$(wc -l <dead)" -eq 1 ] && [ "$(wc -l <"$out")" -eq 1 ] || fail "one reject and one line expected" || return
	# A line of nothing but quotes doubles when it is escaped; the record must still be an envelope within the limit.
	head -c 1500000 /dev/zero | tr '\0' '"' >quotes
	rm -f dead
	separately "$1" "${args[@]}" --rejects dead <quotes
	expect_status 0 || return
	if [ -x "$TOOLS/metlog-route" ]; then
		separately metlog-route --strict -m 'fields.truncated == TRUE && fields.length == 1500000' dead
		expect_status 0 && expect_same dead "$out" || return
	fi
	separately "$1" "${args[@]}" --max-line 100 <<<"$GOOD"
	expect_status 65 || return
	separately "$1" "${args[@]}" --max-line 2Mi <over
	expect_status 0
}
@test "a line of --max-line bytes is taken, one byte more is a reject, and the next line is read again" { each line_limit; }

endless_line() {
	local limit=unlimited length=33554432 peak
	sanitized || limit=131072 length=201326592
	rm -f dead
	separately bash -c 'ulimit -v "$0"; { head -c "$1" /dev/zero | tr "\0" x; printf "\n%s\n" "$2"; } | { shift 2; if [ -x /usr/bin/time ]; then exec /usr/bin/time -f "peak %M" "$@"; else exec "$@"; fi; }' \
		"$limit" "$length" "$GOOD" "$1" "${args[@]}" --rejects dead --stats stats
	expect_status 0 || return
	[ "$(count stats rejected)" = 1 ] && [ "$(taken stats)" = 1 ] || fail "one reject expected: $(cat stats)" || return
	[ "$(wc -c <dead)" -le 3000000 ] || fail "the reject has $(wc -c <dead) bytes" || return
	sanitized && return
	peak=$(sed -n 's/^peak //p' "$err")
	[ "${peak:-0}" -le 32768 ] || fail "peak memory $peak KiB"
}
@test "a line that is longer than its memory may be is one reject, in bounded memory" {
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "too slow under valgrind"
	each endless_line
}

flat_memory() {
	local pid peak
	rm -f in && mkfifo in
	"$1" "${args[@]}" <in >/dev/null 2>err &
	pid=$!
	children+=" $pid"
	exec 8>in
	yes "$GOOD" 2>/dev/null | head -400000 >&8
	peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status")
	exec 8>&-
	wait "$pid" || fail "exit status $?: $(cat err)" || return
	[ "${peak:-9999}" -lt 8192 ] || fail "peak memory $peak KiB"
}
@test "memory is flat: under 8 MiB whatever the length of the input" {
	sanitized && skip "a sanitizer build"
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "valgrind has memory of its own"
	each flat_memory
}

books() {
	{ good_lines; printf 'nonsense\n{}\n{"severity":9}\n'; good_lines; } >mixed
	separately "$1" "${args[@]}" -q --rejects /dev/null --stats stats <mixed
	expect_status 0 || return
	balanced stats || return
	[ "$(count stats read)" = "$(grep -c . mixed)" ] || fail "read $(count stats read) of $(grep -c . mixed)" || return
	"$1" --help | grep -q -- '--match' || return 0
	separately "$1" "${args[@]}" -q --rejects /dev/null --stats stats -m 'severity == 0' <mixed
	expect_status 0 || return
	balanced stats || return
	[ "$(taken stats)" = 2 ] || fail "-m passed $(taken stats), not 2" || return
	separately "$1" "${args[@]}" -m 'severity ==' <mixed
	expect_status 64
}
@test "the books balance: read = passed + dropped + rejected; -m drops by rule; a wrong expression is 64" { each books; }

hostile_message() {
	printf '{"type":"\033]0;owned\007\302\233","x\n' >hostile
	separately "$1" "${args[@]}" <hostile
	expect_status 65 || return
	! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2\x9b' "$err" || fail "control characters on standard error: $(od -c "$err" | head)"
}
@test "text of the input that is shown on standard error cannot drive a terminal" { each hostile_message; }

locales() {
	good_lines >good
	separately env LC_ALL=C "$1" "${args[@]}" <good
	stable "$out" >plain
	separately env LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8 TZ=Asia/Kathmandu METLOG_SCAN=plain "$1" "${args[@]}" <good
	expect_status 0 || return
	stable "$out" >other
	expect_same plain other
}
@test "locale, time zone and scanner kernel change no byte of the output" { each locales; }
