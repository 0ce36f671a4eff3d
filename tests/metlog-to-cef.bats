# metlog-to-cef.bats - options, books, exit statuses, signals; what stands in the events is in the suites of their kinds.
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

# structured SIGNATURE [MORE-FIELDS [MORE-MEMBERS]]: an envelope that is an event by its fields.
structured() {
	printf '{"type":"cef","timestamp":"2012-10-05T12:00:01.137911Z","severity":4,"logger":"app","metlog_hostname":"web1","metlog_pid":26482%s,"fields":{"signature":"%s","name":"n","vendor":"V","product":"P","version":"1","severity":5%s}}\n' \
		"${3:+,$3}" "$1" "${2:+,$2}"
}

# events COUNT: so many of them, with their numbers as signatures.
events() { seq -f '{"type":"cef","timestamp":"2012-10-05T12:00:01Z","metlog_hostname":"web1","fields":{"signature":"%.0f","name":"n","vendor":"V","product":"P","version":"1","severity":5}}' "$1"; }
event_line() { echo "CEF:0|V|P|1|$1|n|5|rt=1349438401000 dvchost=web1"; }

# record KIND: tests/peers/recorder.py; its port or path is in $at, what arrives in the file recorded.
record() {
	need python3
	python3 "$SOURCE/tests/peers/recorder.py" "$@" 3>&- 7>&- &
	children="$children $!"
	await 10 test -s at || fail "the recorder did not start"
	at=$(cat at)
}
has_lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }

# usage TEXT OPTION...: wrong usage, told with this text and nothing written.
usage() {
	local text=$1
	shift
	separately metlog-to-cef "$@" </dev/null
	expect_status 64 || return
	expect_empty "$out" || return
	expect_in "$err" "metlog-to-cef: $text" || return
}

@test "each envelope becomes a line on standard output" {
	events 2 >in
	separately metlog-to-cef in
	expect_status 0
	{ event_line 1; event_line 2; } >expected
	expect_same expected "$out"
	expect_empty "$err"
}

@test "finished lines, structured events and everything else are told apart by --explain" {
	{
		echo '{"type":"cef","payload":"Oct 05 12:00:00 web1 CEF:0|m|w|3|s|n|5|suser=joe"}'
		echo '{"type":"cef","payload":"","fields":{"logtext":"CEF:0|m|w|3|s|n|5|suser=joe"}}'
		structured s
		echo '{"type":"counter","payload":"1","fields":{"name":"hits"}}'
		echo '{"type":"cef","payload":"no line"}'
		echo '{"type":"log","payload":"CEF:0|m|w|3|s|n|5|suser=joe"}'
	} >in
	separately metlog-to-cef --explain in
	expect_status 0
	printf '# in:%s\n' '1: a finished CEF line' '2: a finished CEF line' '3: structured' '4: event built-in' '5: event built-in' '6: event built-in' >expected
	grep '^#' "$out" >got
	expect_same expected got
	[ "$(grep -c '^CEF:0|' "$out")" -eq 6 ] || fail "not a line each: $(cat "$out")"
	[ "$(grep -c '^CEF:0|m|w|3|s|n|5|suser=joe$' "$out")" -eq 2 ] || fail "finished lines have changed: $(cat "$out")"
}

@test "what is refused or dropped is shown by --explain with its reason, and booked" {
	cat >map <<-'END'
		drop type == "heartbeat"
		event login type == "auth"
		    name = Login
		    src  = {fields.ip}
	END
	printf '%s\n' '{"type":"heartbeat"}' '{"type":"auth","fields":{"ip":"nonsense"}}' '{"type":"auth","fields":{"ip":"10.0.0.1"}}' >in
	separately metlog-to-cef --map map --explain --stats books --rejects dead in
	expect_status 0
	expect_in "$out" '# in:1: event '
	grep -q '^# in:1: .*; dropped$' "$out" || fail "$(cat "$out")"
	grep -q '^# in:2: event login; refused: src: ' "$out" || fail "$(cat "$out")"
	grep -q '^# in:3: event login$' "$out" || fail "$(cat "$out")"
	grep -q 'src=10.0.0.1' "$out" || fail "$(cat "$out")"
	expect_in books '"read":3,"passed":1,"dropped":1,"rejected":1'
	expect_in dead '"reason":"src: '
	expect_in dead '"line":2'
}

@test "the books tell what was repaired, cut, truncated, omitted, replaced and trimmed" {
	long=$(printf 'x%.0s' {1..1100})
	{
		echo '{"type":"cef","payload":"CEF:0|m|w|3|s|n|5|suser=a\\b"}'
		structured cut "\"suser\":\"$long\""
		structured omitted '"src":"nonsense"'
		structured replaced '"msg":"a\u0001b"'
		structured trimmed '"msg":"a  "'
		structured fine
	} >in
	separately metlog-to-cef --wrong-type omit --stats books in
	expect_status 0
	for name in repaired cut omitted replaced trimmed; do
		[ "$(count books $name)" = 1 ] || fail "$name: $(cat books)"
	done
	expect_in books '"read":6,"passed":6,"dropped":0,"rejected":0'
	separately metlog-to-cef --max-bytes 300 --stats books2 -m 'fields.signature == "cut"' in
	expect_status 0
	[ "$(count books2 truncated)" = 1 ] || fail "$(cat books2)"
	[ "$(wc -c <"$out")" -le 301 ] || fail "longer than --max-bytes: $(cat "$out")"
	balanced books2
}

@test "a value of the wrong type is a reject, is left out, or stays, as --wrong-type says" {
	structured s '"src":"nonsense"' >in
	separately metlog-to-cef in
	expect_status 65
	expect_empty "$out"
	expect_in "$err" 'in:1: src: '
	separately metlog-to-cef --wrong-type omit in
	expect_status 0
	if grep -q nonsense "$out"; then fail "it was not left out"; fi
	separately metlog-to-cef --wrong-type keep in
	expect_status 0
	expect_in "$out" 'src=nonsense'
}

@test "vendor, product, version, CEF's version and the severities can be chosen" {
	echo '{"type":"x","severity":3,"payload":"p","fields":{}}' >in
	separately metlog-to-cef --vendor 'My|Co' --product 'P\x' --device-version 2.1 --cef-version 1 --severity-map 10,9,8,4,3,2,1,0 in
	expect_status 0
	expect_in "$out" 'CEF:1|My\|Co|P\\x|2.1|x|p|4|'
	usage "--severity-map: '1,2,3' is not eight numbers" --severity-map 1,2,3
	usage "--severity-map: '1,2,3,4,5,6,7,11' is not" --severity-map 1,2,3,4,5,6,7,11
	usage "--severity-map: '1,2,3,4,5,6,7,8,' is not" --severity-map 1,2,3,4,5,6,7,8,
	usage "--cef-version: '2' is not 0 or 1" --cef-version 2
}

@test "--print-map prints a map that does the same as none" {
	metlog-to-cef --print-map >map
	[ -s map ] || fail "nothing was printed"
	metlog-flood -c 2000 --seed 3 --unicode 20 >in
	metlog-to-cef in >without
	metlog-to-cef --map map in >with
	expect_same without with
}

@test "a mistake in the map is told with its line and column, and the status is 78" {
	printf 'vendor = V\nevent e type == "x"\n  srcc = {fields.ip}\n' >map
	separately metlog-to-cef --map map </dev/null
	expect_status 78
	grep -q '^metlog-to-cef: map:3:[0-9]*: .*srcc' "$err" || fail "$(cat "$err")"
	separately metlog-to-cef --map nowhere </dev/null
	expect_status 66
	expect_in "$err" 'metlog-to-cef: nowhere: No such file'
}

@test "a header stands in front with facility, severity, time and host of the envelope" {
	structured s >in
	separately metlog-to-cef --header rfc3164 in
	expect_status 0
	expect_in "$out" '<164>Oct  5 12:00:01 web1 CEF:0|V|P|1|s|n|5|'
	separately metlog-to-cef --header rfc3164 --tz Europe/Berlin --facility auth --priority alert --ident prog in
	expect_in "$out" '<33>Oct  5 14:00:01 web1 prog: CEF:0|'
	separately metlog-to-cef --header rfc5424 in
	expect_in "$out" '<164>1 2012-10-05T12:00:01.137911Z web1 app 26482 - - CEF:0|'
	separately metlog-to-cef --header local in
	expect_in "$out" '<164>Oct  5 12:00:01 CEF:0|'
	structured s | sed 's/"metlog_hostname":"web1",//' >nohost
	separately metlog-to-cef --header rfc3164 --hostname other nohost
	expect_in "$out" '<164>Oct  5 12:00:01 other CEF:0|'
	echo '{"type":"cef","timestamp":"2012-10-05T12:00:01Z","payload":"Oct 05 12:00:00 web9 CEF:0|m|w|3|s|n|5|suser=joe"}' >finished
	separately metlog-to-cef --header rfc3164 --hostname other finished
	expect_in "$out" '<166>Oct  5 12:00:01 web9 CEF:0|m|w|3|s|n|5|suser=joe'
}

@test "fields.cef_meta chooses facility, severity, ident and pid; what is not known there is passed over and counted; --ignore-meta heeds none" {
	structured s '"cef_meta":{"syslog_options":"PID,NDELAY","syslog_facility":"LOCAL0","syslog_ident":"my app","syslog_priority":"EMERG"}' >in
	separately metlog-to-cef --header rfc3164 --facility auth --stats books in
	expect_status 0
	expect_in "$out" '<128>Oct  5 12:00:01 web1 my_app[26482]: CEF:0|'
	[ "$(count books meta_ignored)" = 0 ] || fail "$(cat books)"
	separately metlog-to-cef --header rfc3164 --facility auth --ignore-meta in
	expect_in "$out" '<36>Oct  5 12:00:01 web1 CEF:0|'
	structured s '"cef_meta":{"syslog_options":null,"syslog_facility":null,"syslog_ident":null,"syslog_priority":null}' >in
	separately metlog-to-cef --header rfc3164 --stats books2 in
	expect_in "$out" '<164>Oct  5 12:00:01 web1 CEF:0|'
	[ "$(count books2 meta_ignored)" = 0 ] || fail "$(cat books2)"
	structured s '"cef_meta":{"syslog_options":"PIDD","syslog_facility":"NOWHERE","syslog_ident":7,"syslog_priority":[1]}' >in
	separately metlog-to-cef --header rfc3164 --stats books3 in
	expect_in "$out" '<164>Oct  5 12:00:01 web1 7: CEF:0|'
	[ "$(count books3 meta_ignored)" = 3 ] || fail "$(cat books3)"
	if grep -q cef_meta "$out"; then fail "it is in the event"; fi
}

@test "a dry run prints exactly the bytes that would be sent, with the count where there is one" {
	structured s >in
	separately metlog-to-cef --dry-run --to syslog+tcp:127.0.0.1:1 in
	expect_status 0
	cp "$out" plain
	separately metlog-to-cef --header rfc3164 in
	expect_same plain "$out"
	separately metlog-to-cef -n --to syslog+tcp:127.0.0.1:1 --framing counted in
	echo "$(($(wc -c <plain) - 1)) $(cat plain)" >expected
	expect_same expected "$out"
	separately metlog-to-cef -n --to syslog+tls:127.0.0.1:1 in
	expect_same expected "$out"
	separately metlog-to-cef -n --to syslog+unix:nowhere in
	expect_in "$out" '<164>Oct  5 12:00:01 CEF:0|'
	separately metlog-to-cef -n --to file:nothing in
	[ ! -e nothing ] || fail "a dry run has made a file"
	expect_in "$out" 'CEF:0|V|P|1|s|n|5|'
}

@test "file: appends, to a file that others cannot read" {
	echo before >log
	events 3 | metlog-to-cef --to file:log
	{ echo before; event_line 1; event_line 2; event_line 3; } >expected
	expect_same expected log
	printf torn >log # by somebody who was killed amid a line
	events 1 | metlog-to-cef --to file:log
	{ echo torn; event_line 1; } >expected
	expect_same expected log
	(umask 022; events 1 | metlog-to-cef --to file:new)
	[ "$(stat -c %a new)" = 640 ] || fail "mode $(stat -c %a new)"
	separately metlog-to-cef --to file:no/where </dev/null
	expect_status 73
	expect_in "$err" 'cannot open no/where: No such file'
}

@test "a full disk behind a file is 74, with the number of envelopes written, and leaves whole lines" {
	events 1000 >in
	separately metlog-to-cef --to file:/dev/full --stats books in
	expect_status 74
	expect_in "$err" 'file:/dev/full: No space left on device: of the envelopes read 0 were written, '
	balanced books
	[ "$(count books passed)" = 0 ] || fail "$(cat books)"
	separately bash -c 'trap "" XFSZ; ulimit -f 9; exec metlog-to-cef --to file:short in'
	expect_status 74
	written=$(wc -l <short)
	expect_in "$err" "of the envelopes read $written were written, $((1000 - written)) were not"
	event_line "$written" >expected
	tail -n 1 short >got
	expect_same expected got
}

@test "a full disk behind standard output is 74" {
	status=0 err=err
	events 1 | metlog-to-cef >/dev/full 2>err || status=$?
	expect_status 74
}

@test "over TCP events arrive, each once, and are booked as passed" {
	record tcp
	events 5000 >in
	separately metlog-to-cef --to "syslog+tcp:127.0.0.1:$at" --stats books in
	expect_status 0
	expect_in books '"read":5000,"passed":5000,"dropped":0,"rejected":0,"bytes"'
	separately metlog-to-cef --dry-run --to syslog+tcp:127.0.0.1:1 in
	await 10 has_lines recorded 5000 || fail "$(wc -l <recorded) lines came"
	expect_same "$out" recorded
	[ "$(count books sent_bytes)" = "$(($(wc -c <recorded) - 5000))" ] || fail "$(cat books)"
}

@test "over UDP and a unix socket each event is a datagram" {
	events 50 >in
	record udp
	separately metlog-to-cef --to "syslog+udp:127.0.0.1:$at" --header none in
	expect_status 0
	await 10 has_lines recorded 50 || fail "$(wc -l <recorded) came"
	metlog-to-cef in >expected
	expect_same expected recorded
	rm recorded at
	record dgram
	separately metlog-to-cef --to "syslog+unix:$at" in
	expect_status 0
	await 10 has_lines recorded 50 || fail "$(wc -l <recorded) came"
	metlog-to-cef --header local in >expected
	expect_same expected recorded
}

@test "a receiver that is away is 75, and what was read and not delivered is counted" {
	events 7 >in
	separately metlog-to-cef --to syslog+tcp:127.0.0.1:1 --retry-for 100ms --stats books in
	expect_status 75
	n=$(count books kept)
	[ "$n" -ge 1 ] || fail "$(cat books)"
	balanced books
	grep -q "^metlog-to-cef: 127.0.0.1:1: Connection refused: $n of the $n envelopes read w.* not delivered" "$err" || fail "$(cat "$err")"
}

@test "a segment of the spool stays there until it is delivered, and then is gone" {
	events 300 | metlog-spool write spool --sync none
	separately metlog-spool drain spool --once --attempts 1 -- metlog-to-cef --to syslog+tcp:127.0.0.1:1 --retry-for 50ms
	[ "$status" -ne 0 ] || fail "it was drained to nowhere"
	record tcp
	separately metlog-spool drain spool --once -- metlog-to-cef --to "syslog+tcp:127.0.0.1:$at"
	expect_status 0
	await 10 has_lines recorded 300 || fail "$(wc -l <recorded) lines came"
	[ -z "$(find spool -maxdepth 1 -name '*.ndjson*')" ] || fail "a segment is left: $(ls spool)"
}

@test "asked to stop amid a segment it ends with 75; amid a stream with what it has read delivered, and 0" {
	mkfifo pipe
	METLOG_SEGMENT=000000000001-20121005T120000 metlog-to-cef <pipe >got 2>err 3>&- 7>&- &
	one=$! children="$children $!"
	exec 9>pipe
	events 3 >&9
	await 10 has_lines got 3
	kill -TERM "$one"
	status=0
	wait "$one" || status=$?
	expect_status 75
	exec 9>&-
	{ echo nonsense; events 3; } >in
	METLOG_SEGMENT=000000000001-20121005T120000 separately metlog-to-cef --strict <in
	expect_status 65
	record tcp
	metlog-to-cef --to "syslog+tcp:127.0.0.1:$at" --stats books <pipe 2>err 3>&- 7>&- &
	one=$! children="$children $!"
	exec 9>pipe
	events 3 >&9
	await 10 has_lines recorded 3
	kill -TERM "$one"
	status=0
	wait "$one" || status=$?
	expect_status 0
	exec 9>&-
	expect_in books '"read":3,"passed":3'
}

@test "SIGHUP reads the map again and opens the file anew: all of it or nothing, and one line says which" {
	mkfifo pipe
	echo 'signature = one' >map
	printf 'event e type == "x"\n  name = old\n' >map
	metlog-to-cef --map map --to file:log <pipe 2>err 3>&- 7>&- &
	one=$! children="$children $!"
	exec 9>pipe
	echo '{"type":"x"}' >&9
	await 10 has_lines log 1
	mv log log.1
	printf 'event e type == "x"\n  nonsense = new\n' >map
	kill -HUP "$one"
	await 10 has_lines err 1
	grep -q '^metlog-to-cef: SIGHUP: map:2:[0-9]*: .*: everything stays as it was$' err || fail "$(cat err)"
	echo '{"type":"x"}' >&9
	await 10 has_lines log.1 2 || fail "the file was opened anew though the map was wrong"
	printf 'event e type == "x"\n  name = new\n' >map
	kill -HUP "$one"
	await 10 has_lines err 2
	tail -n 1 err >last
	expect_in last 'metlog-to-cef: SIGHUP: map was read again, file:log was opened anew'
	echo '{"type":"x"}' >&9
	await 10 has_lines log 1
	[ "$(grep -c '|old|' log.1)" -eq 2 ] || fail "$(cat log.1)"
	expect_in log '|new|'
	exec 9>&-
	wait "$one"
	[ "$(wc -l <err)" -eq 2 ] || fail "$(cat err)"
}

@test "SIGUSR1 prints the books as they are" {
	mkfifo pipe
	metlog-to-cef --to file:log <pipe 2>err 3>&- 7>&- &
	one=$! children="$children $!"
	exec 9>pipe
	events 3 >&9
	await 10 has_lines log 3
	kill -USR1 "$one"
	await 10 has_lines err 1
	expect_in err '"read":3,"passed":3,"dropped":0,"rejected":0,"bytes"'
	exec 9>&-
	wait "$one"
}

@test "--parse makes envelopes of CEF lines, from which the same lines become again" {
	metlog-flood -c 500 --seed 5 --mix cef=1 >in
	metlog-to-cef in >lines
	metlog-to-cef --parse lines >back
	[ "$(wc -l <back)" -eq 500 ] || fail "$(wc -l <back) envelopes"
	metlog-to-cef back >again
	expect_same lines again
	separately metlog-to-cef --parse -m 'fields.signature == "x"' --stats books <<-'END'
		<134>Oct  5 12:00:01 web1 CEF:0|v|p|1|x|n|5|src=10.0.0.1
		CEF:0|v|p|1|y|n|5|src=10.0.0.1
	END
	expect_status 0
	[ "$(wc -l <"$out")" -eq 1 ] || fail "$(cat "$out")"
	expect_in "$out" '"metlog_hostname":"web1"'
	expect_in books '"read":2,"passed":1,"dropped":1,"rejected":0'
}

@test "--parse rejects what is no CEF line, with the reason and the line's number" {
	printf '%s\n' 'CEF:0|v|p|1|x|n|5|src=10.0.0.1' '' 'hello' 'CEF:0|v|p|1|x' >in
	separately metlog-to-cef --parse --rejects dead --stats books in
	expect_status 0
	[ "$(wc -l <"$out")" -eq 1 ] || fail "$(cat "$out")"
	[ "$(grep -c '"source":"in","line":[34]' dead)" -eq 2 ] || fail "$(cat dead)"
	expect_in books '"read":3,"passed":1,"dropped":0,"rejected":2'
	separately metlog-to-cef --parse in
	expect_status 65
	expect_in "$err" 'metlog-to-cef: in:3: '
}

@test "options that make no sense are wrong usage, and a hint says what was meant" {
	usage "--to: 'udp:host:514': syslog goes there by syslog+udp:" --to udp:host:514
	usage "--to: 'https://siem': events go by syslog" --to https://siem
	usage "--to: '/var/log/x': a file is file:PATH" --to /var/log/x
	usage "--to: '/dev/log': a socket of this machine is syslog+unix:PATH" --to /dev/log
	usage "--to: 'nonsense': one of -, file:PATH, syslog+udp:" --to nonsense
	usage "--to: 'syslog+tcp:': " --to syslog+tcp:
	usage "--to: 'syslog+tcp:h:99999': " --to syslog+tcp:h:99999
	usage "--framing: only for syslog+tcp: and syslog+tls:" --to syslog+udp:h --framing lf
	usage "--framing: only for --to syslog+" --framing lf
	usage "--window: only for --to syslog+" --window 4M
	usage "--window: not for syslog+udp:" --to syslog+udp:h --window 4M
	usage "--window: is less than a message may have" --to syslog+tcp:h --window 4000
	usage "--confirm: not for syslog+udp:" --to syslog+udp:h --confirm acked
	usage "--confirm: 'yes' is not close or acked" --to syslog+tcp:h --confirm yes
	usage "--cacert: only for syslog+tls:" --to syslog+tcp:h --cacert x
	usage "--cert: only for --to syslog+" --cert x
	: >pem
	usage "--cert: needs --key" --to syslog+tls:h --cert pem
	usage "--key: needs --cert" --to syslog+tls:h --key pem
	usage "--cacert: nowhere: No such file" --to syslog+tls:h --cacert nowhere
	usage "--facility: there is no header" --facility auth
	usage "--ident: there is no header" --to syslog+tcp:h --header none --ident x
	usage "--facility: 'local8' is no facility of syslog" --header rfc3164 --facility local8
	usage "--priority: 'urgent' is no severity of syslog" --header rfc3164 --priority urgent
	usage "--header: 'rfc3195' is not none, rfc3164, local or rfc5424" --header rfc3195
	usage "--max-bytes: '100' is not between 256 and 16Mi" --max-bytes 100
	usage "--max-bytes: a datagram has at most 65507" --to syslog+udp:h --max-bytes 100k
	usage "--pace: 'fast' is not a number of messages a second" --to syslog+tcp:h --pace fast
	usage "--parse writes envelopes to standard output" --parse --to file:x
	usage "--parse writes envelopes to standard output" --parse --vendor x
	usage "--parse writes envelopes to standard output" --parse --wrong-type keep
	usage "one of --dry-run and --explain, not both" --dry-run --explain
}

@test "on a terminal nothing in an event can drive it, but --dry-run prints the bytes" {
	need script
	printf '%s\n' '{"type":"cef","payload":"CEF:0|a|b|1|s|n|5|msg=x\u009b31m\u202ey"}' >in
	script -qec "metlog-to-cef --explain in; metlog-to-cef in" typescript >/dev/null
	[ "$(grep -c 'msg=x\\u{009b}31m\\u{202e}y' typescript)" = 2 ] || fail "$(cat -v typescript)"
	script -qec "metlog-to-cef --dry-run in" typescript >/dev/null
	grep -q $'msg=x\u009b31m\u202ey' typescript || fail "$(cat -v typescript)"
	metlog-to-cef in | grep -q $'msg=x\u009b31m\u202ey' || fail "not as it was"
}

@test "a host, an ident or a logger cannot look like an event in front of the event" {
	local name='CEF:0|a|b|1|s|n|5|x=y'
	structured s "\"cef_meta\":{\"syslog_ident\":\"$name\"}" | sed "s/\"web1\"/\"$name\"/; s/\"app\"/\"$name\"/" >in
	for header in rfc3164 rfc5424 local; do
		metlog-to-cef --header "$header" in >out
		metlog-to-cef --header "$header" --ignore-meta in >>out
		if sed -E 's/ CEF:0[|]V[|].*//' out | grep -F '|'; then fail "$(cat out)"; fi
		[ "$(grep -c 'CEF:0|V|P|1|s|n|5|' out)" = 2 ] || fail "$(cat out)"
	done
	metlog-to-cef --header rfc5424 in | grep -q ' CEF:0_a_b_1_s_n_5_x=y CEF:0_a_b_1_s_n_5_x=y 26482 - - CEF:0|V|' || fail "$(cat out)"
}
