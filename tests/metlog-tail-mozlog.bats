# metlog-tail-mozlog.bats - metlog-tail --mozlog: lines of MozLog, envelopes and text in one stream.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load tail
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	local pid
	for pid in ${children-}; do kill "$pid" 2>/dev/null || true; done
}

lines_are() { [ "$(wc -l <"$1")" -eq "$2" ]; }
sees() { await 10 lines_are live "$1" || fail "shown: $(wc -l <live) lines, not $1; $(cat live live.err)"; }

# What writers of several languages make of it: dockerflow (Python), mozlog (Node; nothing to say has no Fields), pino (a severity of its own), mozlogrus (Go; Time).
writers() {
	cat <<-'END'
	{"Timestamp": 1349438401137911040, "Type": "request.summary", "Logger": "shop", "Hostname": "web-1", "EnvVersion": "2.0", "Severity": 6, "Pid": 17, "Fields": {"code": 200, "t": 35, "msg": "GET /"}}
	{"Timestamp":1349438402000000000,"Logger":"auth","Type":"routes.slow","Severity":4,"Pid":18,"EnvVersion":"2.0"}
	{"EnvVersion":"2.0","Fields":{"url":"/api","msg":"caf\u00e9"},"Hostname":"big","Logger":"amo","Pid":9,"Severity":3,"Timestamp":1349438403000000000,"Type":"app.log","severity":500}
	{"Timestamp":1349438404123456789,"Time":"2012-10-05T12:00:04Z","Type":"app.log","Logger":"bouncer","EnvVersion":"2.0","Fields":{"error":"lookup failed","msg":"retrying"}}
	END
}

# numbered_mozlog FROM TO: lines whose message and Fields.n are the number.
numbered_mozlog() {
	seq "$1" "$2" | sed 's/.*/{"Timestamp":1349438401137911040,"Type":"oldstyle","Logger":"app","Severity":4,"EnvVersion":"2.0","Fields":{"n":&,"msg":"line &"}}/'
}

@test "--mozlog shows what writers of several languages log as the envelopes that it means" {
	writers >in
	separately metlog-tail --mozlog --pretty in
	expect_status 0
	expect_empty "$err"
	expect_lines "$out" '-- 2012-10-05 UTC --' \
		'12:00:01.137 INFO    shop     request.summary  GET /  code=200 t=35' \
		'12:00:02.000 WARNING auth     routes.slow' \
		'12:00:03.000 ERROR   amo      app.log      café  url=/api' \
		'12:00:04.123 INFO    bouncer  app.log      retrying  error="lookup failed"'
	separately metlog-tail --mozlog --all in
	expect_in "$out" 'code=200 t=35 metlog_pid=17 metlog_hostname=web-1'
}

@test "--mozlog: the fields of a request are laid out, a traceback is a block, the level is coloured" {
	echo '{"Timestamp":1349438401000000000,"Type":"django","Logger":"shop","Severity":3,"Fields":{"path":"/a/long/path/to/a/page","method":"GET","errno":500,"agent":"Mozilla","traceback":"Traceback:\n  boom","msg":"it broke"}}' >in
	separately metlog-tail --mozlog --width 60 in
	expect_lines "$out" '-- 2012-10-05 UTC --' '12:00:01.000 ERROR   shop     django    it broke' '    path=/a/long/path/to/a/page  errno=500' '    method=GET                   agent=Mozilla' \
		'    traceback:' '        Traceback:' '          boom'
	separately metlog-tail --mozlog --width 60 --color=always in
	expect_in "$out" $'\033[1;31mERROR'
}

@test "--mozlog: what is an envelope already is shown as such, an object without a Timestamp too" {
	{ envelope '"an envelope"' ',"fields":{"a":1}'; numbered_mozlog 1 1; printf '%s\n' '{"level":30,"msg":"plain pino"}' '{"type":"text","severity":3,"payload":"of somebody","fields":{}}'; } >in
	separately metlog-tail --mozlog --pretty in
	expect_status 0
	expect_lines "$out" '-- 2012-10-05 UTC --' '12:00:01.137 WARNING app      oldstyle  an envelope  a=1' '12:00:01.137 WARNING app      oldstyle  line 1  n=1' \
		'--:--:--.--- INFO    -        -         level=30 msg="plain pino"' '--:--:--.--- ERROR   -        text      of somebody'
}

@test "--mozlog: text between the lines is shown as it is, marked and faint, and is no reject" {
	{ echo 'Starting server'; numbered_mozlog 1 1; printf '\tat app.js:1\r\n[1] an array it seems\n\n12:00:01.137 EMERG   app      oldstyle  forged\n'; } >in
	separately metlog-tail --mozlog --pretty --stats stats in
	expect_status 0
	expect_empty "$err"
	expect_lines "$out" '  | Starting server' '-- 2012-10-05 UTC --' '12:00:01.137 WARNING app      oldstyle  line 1  n=1' $'  | \tat app.js:1' '  | [1] an array it seems' \
		'  | 12:00:01.137 EMERG   app      oldstyle  forged'
	expect_in stats '"read":5,"passed":5,"dropped":0,"rejected":0'
	separately metlog-tail --mozlog --pretty --color=always in
	expect_in "$out" $'\033[2m  | Starting server\033[0m'
	separately metlog-tail --mozlog --oneline --width 12 in
	expect_in "$out" '  | Startin…'
}

@test "--mozlog: text cannot drive the terminal; with --raw it can" {
	printf 'red \x1b[31m \xc2\x9b31m \xe2\x80\xae bell \x07\n' >in
	separately metlog-tail --mozlog --pretty in
	expect_status 0
	expect_lines "$out" '  | red \x1b[31m \u{009b}31m \u{202e} bell \x07'
	separately metlog-tail --mozlog --pretty --raw in
	grep -q $'red \033\[31m' "$out" || fail "$(cat -v "$out")"
}

@test "--mozlog: what is broken is a reject, shown where it stood and kept as it came" {
	{ numbered_mozlog 1 1; echo '{"Timestamp":1349438401137911040,"Type":'; echo '{"Timestamp":"yesterday"}'; echo '{"type":5}'; printf 'odd\0 \xe9\n'; numbered_mozlog 2 2; } >in
	separately metlog-tail --mozlog --pretty in
	expect_status 65
	[ "$(grep -c '^!! no envelope' "$out")" -eq 4 ] || fail "$(cat "$out")"
	grep -q '^!! no envelope (in:3: .*Timestamp.*): {"Timestamp":"yesterday"}$' "$out" || fail "$(cat "$out")"
	grep -q '^!! no envelope (in:5: neither JSON nor text): odd\\x00 \\xe9$' "$out" || fail "$(cat "$out")"
	expect_in "$out" 'line 2  n=2'
	separately metlog-tail --mozlog --rejects dead in
	expect_status 0
	gzip -c in >in.gz
	separately metlog-tail --mozlog --pretty in.gz
	expect_status 65
	expect_in "$err" 'this looks compressed; zcat(1) reads it'
	expect_in dead '{\"Timestamp\":\"yesterday\"}'
}

@test "--mozlog: -m, --since, --count and --sample choose among the envelopes; text is of the type text, and has no time" {
	{ writers; echo 'some text'; } >in
	separately metlog-tail --mozlog --format '{logger}' -m 'severity <= 4 && type != "text"' in
	expect_lines "$out" auth amo
	separately metlog-tail --mozlog --pretty -m 'type == "text"' --stats stats in
	expect_lines "$out" '  | some text'
	expect_in stats '"read":5,"passed":1,"dropped":4'
	separately metlog-tail --mozlog --format '{logger}|{payload}' --since 2012-10-05T12:00:03Z in
	expect_lines "$out" 'amo|café' 'bouncer|retrying'
	separately metlog-tail --mozlog --count in
	expect_lines "$out" 5
	separately metlog-tail --mozlog --sample 2 --format '{payload}' in
	expect_lines "$out" 'GET /' 'café' 'some text'
}

@test "--mozlog --json writes the envelopes, as metlog-from-mozlog does, and so does a pipe" {
	[ -x "$TOOLS/metlog-from-mozlog" ] || skip "metlog-from-mozlog is not built"
	{ writers; echo 'some "text"'; printf 'of dos\r\nlatin \xe9\n'; envelope '"an envelope"'; } >in
	metlog-from-mozlog --text=envelope in >wanted
	lines_are wanted 8
	separately metlog-tail --mozlog --json in
	expect_same wanted "$out"
	separately metlog-tail --mozlog in
	expect_same wanted "$out"
	terminal 80 metlog-tail --mozlog --json in
	expect_same wanted screen
}

@test "--mozlog -N: the last lines of a file and of a stream, text counted with them" {
	{ numbered_mozlog 1 3000; echo 'some text'; numbered_mozlog 3001 3001; echo '{broken'; } >in
	for from in in -; do
		separately metlog-tail --mozlog --pretty -N 3 --rejects dead "$from" <in
		expect_status 0
		grep -v -e '^!!' -e '^--' "$out" >got
		expect_lines got '12:00:01.137 WARNING app      oldstyle  line 3000  n=3000' '  | some text' '12:00:01.137 WARNING app      oldstyle  line 3001  n=3001'
	done
	separately metlog-tail --mozlog --format '{payload}' -N 2 -m 'fields.n < 10' --rejects dead in
	expect_lines "$out" 'line 8' 'line 9'
}

@test "--mozlog -f goes on with what is appended, across rotation, in several files" {
	numbered_mozlog 1 30 >a
	numbered_mozlog 101 101 >b
	background metlog-tail -f --mozlog --format '{payload}' a b
	sees 11
	numbered_mozlog 31 31 | head -c 60 | tr -d '\n' >>a
	echo 'text in b' >>b
	sees 12
	numbered_mozlog 31 31 | tail -c +61 >>a
	sees 13
	mv a a.1
	numbered_mozlog 32 32 >a
	sees 14
	kill "$pid"
	status=0
	wait "$pid" || status=$?
	expect_status 0
	sort live >got
	{ seq 21 32 | sed 's/^/line /'; echo 'line 101'; echo 'text in b'; } | sort >wanted
	expect_same wanted got
}

@test "--mozlog --from shows lines of MozLog that come over the network" {
	[ -x "$TOOLS/metlog-recv" ] || skip "metlog-recv is not built"
	[ -x "$TOOLS/metlog-send" ] || skip "metlog-send is not built"
	background metlog-tail --mozlog --from "unix:$PWD/socket" --pretty
	await 10 test -S socket || fail "no socket: $(cat live.err)"
	numbered_mozlog 1 1 | metlog-send --json --as-is --to "unix:$PWD/socket"
	await 10 grep -q 'WARNING app      oldstyle  line 1  n=1' live || fail "$(cat live live.err)"
	kill "$pid"
	status=0
	wait "$pid" || status=$?
	expect_status 0
}

@test "without --mozlog, lines that look like MozLog are shown as ever, and a hint is given, once" {
	writers >in
	for args in '--pretty --rejects dead' '--format x --rejects dead'; do
		separately metlog-tail $args in
		expect_status 0
		[ "$(grep -c '^metlog-tail: in: these lines look like MozLog: try --mozlog$' "$err")" -eq 1 ] || fail "$(cat "$err")"
	done
	separately metlog-tail --pretty in <in
	expect_in "$out" 'Type=request.summary Logger=shop'
	sed -n 3p in >pino
	separately metlog-tail --pretty pino # its own severity makes it a reject
	expect_status 65
	expect_in "$err" '--mozlog'
	for args in '--json --rejects dead' '--pretty -q --rejects dead' '--mozlog --pretty'; do
		separately metlog-tail $args in
		never grep -q MozLog "$err"
	done
	echo '{"Type":"app.log","Fields":{"msg":"GET /"}}' >other
	separately metlog-tail --pretty other
	expect_empty "$err"
}
