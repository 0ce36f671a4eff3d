# family.bats - every tool through the same misuse: what the manual promises of all of them, tried on each that is built.
# SPDX-License-Identifier: MPL-2.0

GOOD='{"timestamp":"2012-10-05T12:00:01.137911Z","logger":"app","type":"counter","severity":6,"payload":"1","fields":{"name":"hits","rate":1.0},"env_version":"0.8","metlog_pid":7,"metlog_hostname":"web1"}'

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	local pid
	for pid in ${children-}; do kill -9 "$pid" 2>/dev/null || true; done
}

# The table: what makes a tool read envelopes on standard input and write one line for each to standard output, no network in between.
arguments() {
	case $1 in
	metlog-send) echo --json ;;
	metlog-route) echo -d - ;;
	metlog-tail) echo --json ;;
	metlog-to-*) echo --dry-run ;;
	esac
}

# Tools that write a whole envelope as it was read, and tools that take FILE operands.
passes() { case $1 in metlog-send | metlog-route | metlog-tail) true ;; *) false ;; esac; }
takes_files() { "$1" --help 2>/dev/null | sed -n '1,/^$/p' | grep -q FILE; }

programs() {
	find "$TOOLS" -maxdepth 1 -type f -perm -100 -name 'metlog-*' ! -name '*.*' -printf '%f\n' | sort
}

# A filter is a tool that reads envelopes: it knows --rejects.
filters() {
	local tool
	for tool in $(programs); do
		"$tool" --help 2>/dev/null | grep -q -- '--rejects' && [ "$tool" != metlog-recv ] && echo "$tool"
	done
	true
}

# each FUNCTION [filters|programs]: calls it for every tool; says which one failed.
each() {
	local tool any='' list
	list=$("${2:-filters}")
	for tool in $list; do
		any=yes
		mapfile -t -d ' ' args < <(printf '%s' "$(arguments "$tool")")
		"$1" "$tool" || fail "--- $tool failed"
	done
	[ -n "$any" ] || skip "no program is built"
}

# count FILE NAME: the number called NAME in an envelope of type metlog.stats.
count() {
	grep -a 'metlog\.stats' "$1" | tail -1 | grep -oE "\"$2\": ?[0-9]+" | head -1 | grep -oE '[0-9]+$'
}

# stable: without what metlog-send fills in anew in each run.
stable() { sed -E 's/"(timestamp":"[^"]*"|metlog_pid":[0-9]+)//g' "$@"; }

# balanced FILE: read = passed + dropped + rejected (+ kept).
balanced() {
	local sum=0 name value
	for name in passed dropped rejected kept; do
		value=$(count "$1" "$name") || value=0
		sum=$((sum + ${value:-0}))
	done
	[ "$(count "$1" read)" = "$sum" ] || fail "the books do not balance: $(cat "$1")"
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
	local row line word failed=''
	while IFS= read -r row; do
		line=${row%$'\t'*} word=${row##*$'\t'}
		printf '%s\n' "$line" >bad-line
		rm -f dead
		separately "$1" "${args[@]}" <bad-line
		[ "$status" -eq 65 ] || { failed+="$status, not 65: $line"$'\n'; continue; }
		[ ! -s "$out" ] || failed+="written all the same: $line"$'\n'
		grep -aqiF -- "$word" "$err" || failed+="reason without '$word': $line: $(cat "$err")"$'\n'
	done <bad-table
	printf '{"a":"x\0y"}\n' >nul
	separately "$1" "${args[@]}" <nul
	[ "$status" -eq 65 ] && grep -q NUL "$err" || failed+="NUL byte: $status: $(cat "$err")"$'\n'
	[ -z "$failed" ] || fail "$failed"
}
@test "every class of bad line is a reject with its reason" { each bad_classes; }

# Lines that are good envelopes though they look odd. A counter each, so that every tool has a use for them.
good_lines() {
	local rest='"type":"counter","payload":"1","fields":{"name":"n"'
	printf '%s\n' "$GOOD" "{$rest}}" "{$rest},\"severity\":0}" "{$rest},\"x\":1e400,\"y\":123456789012345678901234567890}" \
		"{$rest,\"a\":\"\\u0000\",\"b\":\"\\ud800\",\"\\u0000\":1}}" "{$rest,\"a\":1,\"a\":2}}" "{$rest},\"m\":1,\"m\":2}" \
		" { $rest } } " "{$rest},\"\":\"\",\"e\":[],\"o\":{},\"t\":true,\"f\":false,\"n\":null,\"z\":-0,\"r\":-0.0E+10}" \
		"{\"typ\\u0065\":\"counter\",\"payload\":1,\"fields\":{\"name\":\"\\/\\b\\f\\n\\r\\t\\\"\\\\\"}}" \
		"{$rest,\"u\":\"ü€𝄞 �\"},\"timestamp\":\"2012-10-05T12:00:01\"}" "{$rest},\"timestamp\":\"2012-10-05T12:00:01.123456789+02:00\"}" \
		"{$rest},\"timestamp\":\"2012-10-05T12:00:01Z\",\"env_version\":\"0.8\"}" \
		"{$rest,\"deep\":$(printf '[%.0s' {1..62})1$(printf ']%.0s' {1..62})}}" \
		"{$rest,\"del\":\"$(printf '\177\302\205\342\200\256')\"}}"
}

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
	local limit=unlimited peak
	sanitized || limit=262144
	rm -f dead
	separately bash -c 'ulimit -v "$0"; { head -c 1073741824 /dev/zero | tr "\0" x; printf "\n%s\n" "$1"; } | { shift; if [ -x /usr/bin/time ]; then exec /usr/bin/time -f "peak %M" "$@"; else exec "$@"; fi; }' \
		"$limit" "$GOOD" "$1" "${args[@]}" --rejects dead --stats stats
	expect_status 0 || return
	[ "$(count stats rejected)" = 1 ] && [ "$(count stats passed)" = 1 ] || fail "one reject expected: $(cat stats)" || return
	[ "$(wc -c <dead)" -le 3000000 ] || fail "the reject has $(wc -c <dead) bytes" || return
	sanitized && return
	peak=$(sed -n 's/^peak //p' "$err")
	[ "${peak:-0}" -le 32768 ] || fail "peak memory $peak KiB"
}
@test "a line of 1 GiB without a newline is one reject, in bounded memory" {
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

closed_streams() {
	separately bash -c 'exec "$@" <&-' - "$1" "${args[@]}"
	case $status in 0 | 66 | 74) ;; *) expect_status 66 || return ;; esac
	expect_empty "$out" || return
	printf '%s\n' "$GOOD" >one
	rm -f dead
	separately bash -c 'exec "$@" >&-' - "$1" "${args[@]}" --rejects dead <one
	expect_status 74 || return
	[ ! -s dead ] || fail "output landed in the rejects: $(cat dead)" || return
	printf 'nonsense\n%s\n' "$GOOD" >one-bad
	separately bash -c 'exec "$@" 2>&-' - "$1" "${args[@]}" <one-bad
	expect_status 65 || return
	[ "$(wc -l <"$out")" -eq 1 ] || fail "messages landed in the output: $(cat "$out")"
}
@test "closed standard streams do no harm: no file of ours takes their place, and lost output is 74" { each closed_streams; }

full_disk() {
	for _ in {1..20000}; do printf '%s\n' "$GOOD"; done >many
	status=0
	"$1" "${args[@]}" <<<"$GOOD" >/dev/full 2>err || status=$?
	err=err
	expect_status 74 && expect_in err "$1: " || return
	status=0
	"$1" "${args[@]}" <many >/dev/full 2>err || status=$?
	expect_status 74 || return
	[ "$(wc -l <err)" -le 2 ] || fail "one message is enough: $(head -5 err)"
}
@test "a full disk behind standard output is 74, for one line and for many" { each full_disk; }

dead_reader() {
	yes "$GOOD" 2>/dev/null | { timeout 20 "$1" "${args[@]}" 2>err; echo $? >code; } | head -1 >first
	[ "$(wc -l <first)" -eq 1 ] || fail "nothing came" || return
	case $(cat code) in 0 | 141) ;; *) fail "status $(cat code): $(cat err)" || return ;; esac
	expect_empty err
}
@test "a reader that goes away ends the tool, quietly" { each dead_reader; }

# A service manager may ignore SIGPIPE for what it starts; the pipe is open for reading and writing, so its end never comes.
dead_reader_unheard() {
	rm -f idle && mkfifo idle
	# shellcheck disable=SC2094
	(trap '' PIPE; exec timeout 5 "$1" "${args[@]}" <>idle 2>err) | true
	[ "${PIPESTATUS[0]}" -ne 124 ] || fail "it waits for input with nobody to write to" || return
	expect_empty err
}
@test "a reader that goes away while the tool waits ends it, too, where SIGPIPE is ignored" { each dead_reader_unheard; }

prompt_output() {
	rm -f in live && mkfifo in
	"$1" "${args[@]}" <in >live 2>err &
	local pid=$!
	children+=" $pid"
	exec 8>in
	printf '%s\n' "$GOOD" >&8
	await 10 test -s live || fail "the line was not written while the input was open" || return
	kill -USR1 "$pid"
	await 10 grep -q metlog.stats err || fail "no statistics on SIGUSR1" || return
	[ "$(count err read)" = 1 ] && balanced err || return
	printf '%s\n' "$GOOD" >&8
	exec 8>&-
	wait "$pid" || fail "exit status $?"
}
@test "a line is out before the tool waits for the next; SIGUSR1 shows the books and the work goes on" { each prompt_output; }

stopped_midstream() {
	local signal pid
	for signal in TERM INT; do
		rm -f in stats stopped && mkfifo in
		yes "$GOOD" >in 2>/dev/null &
		children+=" $!"
		# bash starts background jobs with SIGINT ignored; the tool must see it as on a terminal.
		env --default-signal=INT "$1" "${args[@]}" --stats stats <in >stopped 2>err &
		pid=$!
		children+=" $pid"
		await 10 test -s stopped || fail "nothing came" || return
		kill -"$signal" "$pid"
		status=0
		wait "$pid" || status=$?
		case $status in 0 | 130 | 143) ;; *) expect_status 0 || return ;; esac
		balanced stats || return
		[ "$(count stats passed)" = "$(wc -l <stopped)" ] || fail "SIG$signal: passed $(count stats passed), written $(wc -l <stopped)" || return
		[ "$(count stats read)" = "$(count stats passed)" ] || fail "SIG$signal lost something: $(cat stats)" || return
		[ "$(tail -c 1 stopped | od -An -c | tr -d ' ')" = '\n' ] || fail "SIG$signal left a torn line" || return
	done
}
@test "SIGTERM and SIGINT in the middle of a stream lose nothing that was read" { each stopped_midstream; }

second_signal() {
	local pid
	rm -f out && mkfifo out
	exec 9<>out # a reader that does not read; a pipe takes up to 1 MiB
	yes "${GOOD/hits/$(printf 'hits%.0s' {1..50})}" 2>/dev/null | head -20000 >many
	"$1" "${args[@]}" many <many >out 2>err 9>&- &
	pid=$!
	children+=" $pid"
	await 10 read -t 0 -u 9 || fail "nothing came" || return
	await 10 grep -q '^State:.S' "/proc/$pid/status" || fail "it does not wait for its reader" || return
	kill -TERM "$pid"
	for _ in 1 2 3 4 5; do
		sleep 0.02
		kill -0 "$pid" 2>/dev/null || fail "it did not stay to write what it had read" || return
	done
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	exec 9>&-
	expect_status 143
}
@test "after SIGTERM what was read is still written, however long that takes; a second SIGTERM ends the tool at once" { each second_signal; }

dash_operand() {
	takes_files "$1" || return 0
	printf '%s\n' "$GOOD" >one
	separately "$1" "${args[@]}" one - one <one
	expect_status 0 || return
	[ "$(wc -l <"$out")" -eq 3 ] || fail "not the three lines of: one - one"
}
@test "FILEs are read in their order, and - is standard input" { each dash_operand; }

interrupted() {
	good_lines >good
	for _ in 1 2 3 4 5 6 7 8; do cat good; done >longer
	"$1" "${args[@]}" <longer 2>/dev/null | stable >expected
	status=0
	strace -f -o trace -e trace=read,write,writev -e inject=read:error=EINTR:when=20+2 -e inject=write,writev:error=EINTR:when=1+2 "$(command -v "$1")" "${args[@]}" \
		< <(while IFS= read -r line; do printf '%s\n' "$line"; done <longer) 2>err | stable >got
	grep -q 'write.*INJECTED' trace || fail "no call was interrupted" || return
	expect_same expected got
}
@test "system calls that are interrupted change nothing" {
	need strace
	strace -o /dev/null -e inject=write:error=EINTR:when=1 true 2>/dev/null || skip "strace may not trace here"
	sanitized && skip "a sanitizer build cannot be traced"
	each interrupted
}

short_writes() {
	good_lines >good
	for _ in {1..400}; do cat good; done >longer
	"$1" "${args[@]}" <longer 2>/dev/null | stable >expected
	python3 -c 'import os, sys; os.set_blocking(1, False); os.execvp(sys.argv[1], sys.argv[1:])' "$1" "${args[@]}" <longer 2>err |
		{ sleep 0.2; stable; } >got
	expect_same expected got && expect_empty err
}
@test "short writes and a full pipe that does not block lose and tear nothing" {
	need python3
	each short_writes
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
	[ "$(count stats passed)" = 2 ] || fail "-m passed $(count stats passed), not 2" || return
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
