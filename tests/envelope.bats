# envelope.bats - what is an envelope and what is not, as every tool sees it (here through metlog-route -m): every rule, each kernel, other parsers.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154,SC2164

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	any='type == NIL || type != NIL' # every envelope
}

# expect_refused REASON COLUMN (or "" for none) LINE: by itself exit 65 and a message with place and reason; with --rejects 0 and a record.
expect_refused() {
	local place=${2:+column $2: }
	printf '{"a":1}\n%s\n{"b":2}\n' "$3" >input
	printf '{"a":1}\n{"b":2}\n' >wanted
	separately metlog-route -m "$any" input
	expect_status 65
	expect_same wanted "$out"
	expect_in "$err" "metlog-route: input:2: $place$1"
	rm -f dead
	separately metlog-route -q -m "$any" --rejects dead input
	expect_status 0
	expect_same wanted "$out"
	expect_in dead '"type":"metlog.reject"'
	expect_in dead "\"reason\":\"$(printf %s "$1" | sed 's/"/\\"/g')\""
	expect_in dead '"source":"input","line":2'
	[ -z "$2" ] || expect_in dead "\"column\":$2,"
	[ "$(wc -l <dead)" -eq 1 ] || fail "not one record: $(cat dead)"
}

@test "each kind of line that is no envelope is refused, with its reason and its column" {
	local deep
	expect_refused 'not a JSON object' 1 '[1]'
	expect_refused 'not a JSON object' 1 'plain text'
	expect_refused "expected ',' or '}'" 8 '{"a":1 "b":2}'
	expect_refused "expected ',' or '}'" 7 '{"a":1'
	expect_refused 'expected a value' 6 '{"a":01}'
	expect_refused 'expected a value' 6 '{"a":NaN}'
	expect_refused 'expected a name in double quotes' 8 '{"a":1,}'
	expect_refused 'more behind the object' 3 '{}{}'
	expect_refused 'string is not closed' '' '{"a":"b}'
	expect_refused 'bad escape in a string' 7 '{"a":"\x41"}'
	expect_refused 'control character' 8 "$(printf '{"a":"x\ty"}')"
	expect_refused 'not valid UTF-8' 7 "$(printf '{"a":"\xff"}')"
	expect_refused 'not valid UTF-8' 7 "$(printf '{"a":"\xed\xa0\x80"}')"
	expect_refused 'byte order mark' 1 "$(printf '\xef\xbb\xbf{"a":1}')"
	expect_refused 'type is repeated' 13 '{"type":"x","t\u0079pe":"y"}'
	expect_refused 'timestamp is not a string' 2 '{"timestamp":1}'
	expect_refused 'fields is not an object' 2 '{"fields":[]}'
	expect_refused 'severity is not an integer from 0 to 7' 2 '{"severity":8}'
	expect_refused 'env_version is not "0.8"' 2 '{"env_version":"0.9"}'
	deep=$(printf '[%.0s' {1..64})
	expect_refused 'nested deeper than 64' 69 "{\"a\":$deep"
}

@test "a NUL byte is refused, and its record keeps it" {
	printf '{"a":"x\0y"}\n{"v":123}\0\n' >input
	separately metlog-route -q -m "$any" --rejects dead input
	expect_status 0
	expect_empty "$out"
	expect_in dead '"payload":"{\"a\":\"x\u0000y\"}"'
	expect_in dead '"payload":"{\"v\":123}\u0000"'
	[ "$(grep -c 'NUL byte' dead)" -eq 2 ]
}

@test "blank lines are skipped, CRLF is taken, and every byte of an envelope stays" {
	printf '\n  \n\r\n\t\n{"a" : 1}\r\n { } \n{"n":1e400,"i":123456789012345678901234567890,"z":"\\u0000\\ud800"}\n{"last":1}' >input
	printf '{"a" : 1}\r\n { } \n{"n":1e400,"i":123456789012345678901234567890,"z":"\\u0000\\ud800"}\n{"last":1}\n' >wanted
	separately metlog-route -m "$any" input
	expect_status 0
	expect_same wanted "$out"
}

# lines_at_random: 6,000 of them in `input`; the good ones in `good`, the bad ones in `bad`, as Python's json judges.
lines_at_random() {
	need python3
	python3 "$SOURCE/tests/oracle.py" generate "${1:-1}" 6000 >input
	python3 "$SOURCE/tests/oracle.py" judge input good bad
}

@test "good and bad are what Python's json says, byte for byte, and nothing is lost" {
	local seed
	for seed in 1 2; do
		rm -f dead
		lines_at_random $seed
		separately metlog-route -q -m "$any" --rejects dead --stats stats input
		expect_status 0
		expect_same good "$out"
		python3 "$SOURCE/tests/oracle.py" rejects dead >refused
		expect_same bad refused
		expect_in stats "\"read\":$(($(wc -l <good) + $(wc -l <bad))),\"passed\":$(wc -l <good),\"dropped\":0,\"rejected\":$(wc -l <bad)"
		rm -f stats
	done
}

@test "what is passed is JSON to jq, but for lone surrogates, which jq 1.6 refuses" {
	need jq
	lines_at_random
	metlog-route -q -m "$any" --rejects dead input | grep -avP '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]' >passed
	[ "$(jq -c . passed | wc -l)" -eq "$(wc -l <passed)" ]
	[ "$(wc -l <passed)" -gt 1000 ]
}

@test "the records of rejects are envelopes, and replaying what they hold gives the same verdicts" {
	lines_at_random
	metlog-route -q -m "$any" --rejects dead input >/dev/null
	separately metlog-route -m 'type == "metlog.reject"' dead
	expect_status 0
	expect_same dead "$out"
	python3 "$SOURCE/tests/oracle.py" rejects dead | python3 -c '
import base64, sys
for line in sys.stdin: sys.stdout.buffer.write(base64.b64decode(line.split()[1]) + b"\n")' >replay
	separately metlog-route -q -m "$any" --rejects again replay
	expect_empty "$out"
	[ "$(wc -l <again)" -eq "$(wc -l <dead)" ]
	diff <(grep -o '"reason":.*"source"' dead) <(grep -o '"reason":.*"source"' again)
}

@test "every kernel gives the same bytes and the same rejects" {
	local kernel
	lines_at_random 3
	METLOG_SCAN=plain metlog-route -q -m 'severity <= 3 || fields.name =~ /a/' --rejects dead.plain input >plain
	[ -s plain ]
	[ -s dead.plain ]
	for kernel in sse2 avx2 neon; do # one that this machine lacks is not chosen: then it is the default that is tried
		METLOG_SCAN=$kernel metlog-route -q -m 'severity <= 3 || fields.name =~ /a/' --rejects "dead.$kernel" input >"$kernel"
		expect_same plain "$kernel"
		sed -E 's/"timestamp":"[^"]*"//; s/"metlog_pid":[0-9]+//' dead.plain >one
		sed -E 's/"timestamp":"[^"]*"//; s/"metlog_pid":[0-9]+//' "dead.$kernel" >two
		expect_same one two
	done
}

@test "how the input is cut into reads changes nothing" {
	local size
	need python3
	lines_at_random 4
	{
		printf '{"payload": "%s"}\n' "$(printf 'é%.0s' {1..60000})" # cut at an odd place
		head -c 100000 input
		printf '{"payload":"%s"}\n' "$(printf 'x%.0s' {1..120000})"
	} >short
	printf '{"type":"last"}' >>short
	metlog-route -q -m "$any" --max-line 100k --rejects dead short >wanted
	sed -E 's/"timestamp":"[^"]*"//; s/"metlog_pid":[0-9]+//; s/"source":"short"//' dead >dead.wanted
	for size in 7 997 65536; do
		rm -f dead
		python3 -c '
import os, sys
with open("short", "rb") as file:
	while piece := file.read(int(sys.argv[1])): os.write(1, piece)' $size | metlog-route -q -m "$any" --max-line 100k --rejects dead >got
		expect_same wanted got
		sed -E 's/"timestamp":"[^"]*"//; s/"metlog_pid":[0-9]+//; s/"source":"-"//' dead >dead.got
		expect_same dead.wanted dead.got
	done
}

@test "the limit of a line is exact, and a line over it costs no other" {
	need python3
	python3 -c '
for length in (999, 1000, 1001, 5000): print("{\"payload\":\"" + "x" * (length - 14) + "\"}")
print("{}")' >input
	separately metlog-route -q -m "$any" --max-line 1000 --rejects dead input
	expect_status 0
	[ "$(awk '{ print length }' "$out" | paste -sd' ')" = "999 1000 2" ]
	[ "$(grep -c '"reason":"longer than --max-line"' dead)" -eq 2 ]
	python3 -c '
print("{\"payload\":\"" + "x" * (2**20 - 14) + "\"}")
print("{\"payload\":\"" + "x" * (2**20 - 13) + "\"}")' >input
	separately metlog-route -m "$any" input # 1 MiB by default
	expect_status 65
	[ "$(wc -c <"$out")" -eq $((1048576 + 1)) ]
	expect_in "$err" 'input:2: longer than --max-line'
}

@test "a line of 1 GiB is one reject and little memory" {
	sanitized || ulimit -v 65536
	separately sh -c '{ head -c 1073741824 /dev/zero; printf "\n{\"after\":1}\n"; } | metlog-route -q -m "$1" --rejects dead' - "$any"
	expect_status 0
	[ "$(cat "$out")" = '{"after":1}' ]
	[ "$(wc -l <dead)" -eq 1 ]
	[ "$(wc -c <dead)" -lt 1000000 ]
	expect_in dead '"truncated":true,"length":1073741824'
}

@test "a kernel that METLOG_SCAN names and this machine has not is said, and the best one does the work" {
	printf '{"n":1}\n' >input
	METLOG_SCAN=abacus metlog-route -m TRUE input >out 2>err
	expect_same input out
	expect_in err "no kernel 'abacus'"
	METLOG_SCAN=plain metlog-route -m TRUE input >out 2>err
	expect_empty err
}
