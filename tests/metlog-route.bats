# metlog-route.bats - the route file, matching, files and templates, explain and test, the grep.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
}

# envelopes FROM TO [TYPE]: one envelope a number, with that payload.
envelopes() {
	awk -v i="$1" -v to="$2" -v type="${3-t}" 'BEGIN { for (; i <= to; i++) printf "{\"type\":\"%s\",\"logger\":\"l%d\",\"severity\":%d,\"payload\":\"%d\"}\n", type, i % 3, i % 8, i }'
}

# refute COMMAND...: fails if the command succeeds; a bare ! would not end a test.
refute() { ! "$@"; }

# conf LINE...: writes route.conf.
conf() { printf '%s\n' "$@" >route.conf; }

# stat_of NAME ROUTE: the count NAME of ROUTE in the statistics in the file `books`.
stat_of() { sed -E "s/.*\"$2\":\{([^}]*)\}.*/\1/" books | grep -oE "\"$1\":[0-9]+" | grep -oE '[0-9]+$'; }

@test "every matching route gets the envelope, the default what none took, byte for byte and in order" {
	conf '# all of it' \
		'route odd    payload =~ /[13579]$/ => file:odd   # a comment' \
		'' \
		'route urgent severity <= 2 \' \
		'# a comment among continued lines' \
		'             => "file:with blank"' \
		'default      => -'
	{ envelopes 1 2000; printf '  { "payload" : "\\u0039\\/" , "severity":7 }\t\n'; } >in
	separately metlog-route -c route.conf --stats books in
	expect_status 0
	expect_empty "$err"
	grep -E '[13579]"}$' in >odd.expected
	grep -E '"severity":[012],' in >urgent.expected
	grep -vE '[13579]"}$|"severity":[012],' in >rest.expected
	expect_same odd.expected odd
	expect_same urgent.expected 'with blank'
	expect_same rest.expected "$out"
	[ "$(stat_of matched odd)" = 1000 ]
	[ "$(stat_of lost odd)" = 0 ]
	expect_in books '"read":2001,"passed":2001,"dropped":0'
}

@test "an envelope that only drop takes is dropped; one that something else takes too is passed" {
	envelopes 0 7 | metlog-route -r 'quiet: severity >= 4 => drop' -r 'some: severity == 5 => file:five' -d - --stats books >four
	expect_in books '"read":8,"passed":5,"dropped":3'
	[ "$(wc -l <four)" -eq 4 ]
	[ "$(wc -l <five)" -eq 1 ]
}

@test "routes may share a file: its lines stay in the order of the input" {
	envelopes 1 500 >in
	metlog-route -r 'a: severity <= 3 => file:all' -r 'b: severity > 3 => file:all' -d drop in
	expect_same in all
}

@test "a route without a default is a mistake, 78, and so is a second default" {
	conf 'route a TRUE => -'
	separately metlog-route -c route.conf </dev/null
	expect_status 78
	expect_in "$err" 'no default'
	separately metlog-route -r 'a: TRUE => -' </dev/null
	expect_status 78
	conf 'default => drop' 'default b => -'
	separately metlog-route -c route.conf </dev/null
	expect_status 78
	expect_in "$err" 'route.conf:2:1: '
}

# mistake LINE COLUMN TEXT: --check says TEXT at 1:COLUMN for a file that begins with LINE.
mistake() {
	conf "$1" 'default => drop'
	separately metlog-route -c route.conf --check
	expect_status 78 && expect_in "$err" "route.conf:1:$2: " && expect_in "$err" "$3" && expect_empty "$out" || fail "for: $1"
	[ "$(sed -n 3p "$err" | tr -d ' ')" = '^' ] || fail "no caret: $(cat "$err")"
}

@test "--check points at line and column of each mistake" {
	mistake 'rout a TRUE => -' 1 'begins with'
	mistake 'route  TRUE => -' 13 'expression'
	mistake 'route a,b TRUE => -' 8 'name'
	mistake 'route a TRUE' 13 '=>'
	mistake 'route a TRUE =>' 16 'destination is missing'
	mistake 'route a nonsense == 1 => -' 9 'nonsense'
	mistake 'route a type == "x => -' 17 'not closed'
	mistake 'route a type =~ /x => -' 17 'pattern is not closed'
	mistake 'route a type =~ /(/ => -' 19 'parenthesis'
	mistake 'route a TRUE => frob:x' 17 'unknown'
	mistake 'route a TRUE => spool:' 23 'path is missing'
	mistake 'route a TRUE => sub:tcp://127.0.0.1:5565' 17 'receives'
	mistake 'route a TRUE => udp:localhost' 17 ''
	mistake 'route a TRUE => file:' 22 'path is missing'
	mistake 'route a TRUE => file:x/{nope}' 24 '{type}'
	mistake 'route a TRUE => file:{type' 22 'without'
	mistake 'route a TRUE => file:x/{type}/../y' 24 '..'
	mistake 'route a TRUE => - full=maybe' 24 'block or drop'
	mistake 'route a TRUE => - buffer=1' 26 'size'
	mistake 'route a TRUE => a b' 18 'blank'
	mistake 'route a TRUE => |' 17 'command is missing'
	mistake 'default = -' 9 '=>'
	mistake "$(printf 'route a TRUE => \033[2J')" 17 '[2J'
	refute grep -q "$(printf '\033')" "$err"
}

@test "--check shows all mistakes, opens nothing and starts nothing" {
	conf 'route a TRUE => file:made' 'route b TRUE => | touch started' 'default => drop'
	separately metlog-route -c route.conf --check
	expect_status 0
	expect_in "$out" '2 routes'
	[ ! -e made ]
	[ ! -e started ]
	conf 'route a bogus => -' 'route a TRUE => -' 'route a TRUE => -' 'x' 'default => drop'
	separately metlog-route -c route.conf --check
	expect_status 78
	expect_in "$err" conf:1:9:
	expect_in "$err" conf:3:7:
	expect_in "$err" conf:4:1:
}

@test "a mistake in a continued line is shown where it stands; on the command line, by column" {
	conf 'route a type == "x" && \' '  bogus == 1 \' '  => -' 'default => drop'
	separately metlog-route -c route.conf --check
	expect_status 78
	expect_in "$err" 'route.conf:2:3: '
	separately metlog-route -r 'a: bogus => -' -d - --check
	expect_status 78
	expect_in "$err" '-r:1:4: '
	separately metlog-route -r 'a TRUE => -' -d - --check
	expect_status 78
	expect_in "$err" "':'"
}

@test "=> and # inside strings, patterns and commands are not the file's own" {
	conf 'route a payload == "x => # y"  => file:a' \
		'route b payload =~ /[=]>#\/|"/ => file:b' \
		"route c type == \"c\"           => | sed 's/#//' >c # not ours" \
		'default                        => file:d'
	printf '%s\n' '{"payload":"x => # y"}' '{"payload":"=>#/"}' '{"type":"c","payload":"#"}' '{}' >in
	separately metlog-route -c route.conf in
	expect_status 0
	expect_empty "$err"
	sed -n 1p in | cmp - a
	sed -n 2p in | cmp - b
	sed -n 3p in | sed 's/#//' | cmp - c
	sed -n 4p in | cmp - d
}

@test "no file of routes, a folder, or NUL bytes in it is 78" {
	separately metlog-route -c no/such/file </dev/null
	expect_status 78
	expect_in "$err" no/such/file
	separately metlog-route -c . </dev/null
	expect_status 78
	printf 'default => drop\0\n' >route.conf
	separately metlog-route -c route.conf </dev/null
	expect_status 78
}

@test "wrong combinations of options are 64" {
	local args
	for args in '' '--check' '--count' '-i -d -' '-e -d -' '--update -d -' '--check --explain -d -' '-c a -c b'; do
		# shellcheck disable=SC2086
		separately metlog-route $args </dev/null
		expect_status 64 || fail "for: $args"
	done
}

@test "the example of the original back end is a good file of routes" {
	separately metlog-route -c "$SOURCE/contrib/examples/route.conf" --check
	expect_status 0
}

@test "--test compares what each route gets with its .out file" {
	cp "$SOURCE"/tests/data/route/legacy.* .
	separately metlog-route -c "$SOURCE/tests/data/route/golden.conf" --test .
	expect_status 0
	expect_in "$out" 'ok legacy'
	sed -i '1d' legacy.statsd.out
	sed -i 's/it broke/it works/' legacy.urgent.out
	separately metlog-route -c "$SOURCE/tests/data/route/golden.conf" --test .
	expect_status 1
	expect_in "$out" 'FAILED legacy: route statsd'
	expect_in "$out" '+ {"type": "counter"'
	expect_in "$out" '- {"type": "oldstyle"'
	metlog-route -c "$SOURCE/tests/data/route/golden.conf" --test . --update
	for one in *.out; do expect_same "$SOURCE/tests/data/route/$one" "$one"; done
}

@test "--test: a route without a file must get nothing, a file without a route is a mistake, and no test at all is 66" {
	cp "$SOURCE"/tests/data/route/legacy.* .
	rm legacy.cef.out
	separately metlog-route -c "$SOURCE/tests/data/route/golden.conf" --test .
	expect_status 1
	expect_in "$out" 'route cef'
	cp "$SOURCE/tests/data/route/legacy.cef.out" .
	touch legacy.nobody.out
	separately metlog-route -c "$SOURCE/tests/data/route/golden.conf" --test .
	expect_status 1
	expect_in "$out" legacy.nobody.out
	mkdir empty
	separately metlog-route -d - --test empty
	expect_status 66
	separately metlog-route -d - --test nowhere
	expect_status 66
}

@test "--explain names the routes of each envelope, delivers nothing, and ends with a table of all routes" {
	conf 'route all TRUE => file:made' 'route three payload == "3" => | touch made' 'route none severity > 90 => -' 'default rest => -'
	envelopes 1 3 >in
	separately metlog-route -c route.conf --explain in
	expect_status 0
	expect_empty "$err"
	expect_in "$out" 'in:1: t l1 -> all'
	expect_in "$out" 'in:3: t l0 -> all, three'
	grep -qE '^ +3  all +file:made$' "$out"
	grep -qE '^ +0  none +-  \(never\)$' "$out"
	grep -qE '^ +0  rest .*never' "$out"
	[ ! -e made ]
	separately metlog-route -c route.conf --explain -v in
	expect_in "$out" 'in:1: t l1 -> all; not three, none'
	printf '{"type":"\\u001b[2J\\n","logger":"\xc2\x9b"}\n' | metlog-route -d drop --explain >shown
	refute grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2\x9b' shown
}

@test "a mistake in -m is pointed at, behind other alphabets and on the line of several where it is" {
	separately metlog-route -m 'hostname == "é" && pid ~ 3'
	expect_status 64
	[ "$(sed -n 3p "$err")" = "$(printf '%26s' '^')" ] || fail "$(cat "$err")"
	separately metlog-route -m $'type == "x" &&\n  sevrity == 1'
	[ "$(sed -n 2,3p "$err")" = $'    sevrity == 1\n    ^' ] || fail "$(cat "$err")"
}

@test "-m is a grep for envelopes: --invert, --count, --exit-status" {
	envelopes 0 15 >in
	metlog-route -m 'severity <= 2' in >got
	grep -E '"severity":[012]' in | cmp - got
	metlog-route -i -m 'severity <= 2' in >got
	grep -vE '"severity":[012]' in | cmp - got
	[ "$(metlog-route -m 'severity <= 2' --count in)" = 6 ]
	[ "$(metlog-route -m 'severity <= 2' -i --count in)" = 10 ]
	separately metlog-route -m 'type == "none"' --stats books in
	expect_status 0
	expect_empty "$out"
	expect_in books '"passed":0,"dropped":16'
	separately metlog-route -em 'type == "none"' in
	expect_status 1
	separately metlog-route -em 'type == "t"' in
	expect_status 0
}

@test "-m before routes lets them have only what matches" {
	envelopes 0 7 >in
	metlog-route -m 'severity < 4' -r 'a: severity == 3 => file:a' -d file:rest --stats books in
	[ "$(wc -l <a)" -eq 1 ]
	[ "$(wc -l <rest)" -eq 3 ]
	expect_in books '"read":8,"passed":4,"dropped":4'
	metlog-route -i -m 'severity < 4' -d file:other in
	[ "$(wc -l <other)" -eq 4 ]
}

@test "a template makes a file for each value; date and hour are the envelope's own, in --tz" {
	printf '%s\n' '{"type":"a","logger":"x","timestamp":"2012-10-05T23:30:00Z"}' '{"type":"a","logger":"x","timestamp":"2012-10-06T01:30:00+02:00","severity":3}' \
		'{"type":"b","timestamp":"2012-10-05T22:59:59.9"}' '{"type":"b"}' >in
	mkdir log
	metlog-route -d 'file:log/{type}/{date}/{hour}.{logger}.{severity}' in
	(cd log && find . -type f | sort) >got
	printf '%s\n' ./a/2012-10-05/23.x.3 ./a/2012-10-05/23.x.6 ./b/2012-10-05/22._.6 ./b/_/_._.6 | cmp - got
	metlog-route --tz Asia/Kathmandu -d 'file:log/{date}T{hour}' in
	[ "$(cat log/2012-10-06T05)" = "$(head -2 in)" ]
	[ "$(cat log/2012-10-06T04)" = "$(sed -n 3p in)" ]
}

@test "no value of a message leaves the folder of a template" {
	python3 - >in <<-'END'
		import json
		for t in ("../../x", "a/b", "%2e%2e", "/etc/passwd", "a\0b", ".", "..", "", "CON", "\u202egnp", "\u00fc" * 3000, "x" * 5000, "x" * 4999 + "y", "a b\n"):
		    print(json.dumps({"type": t, "logger": t}))
	END
	mkdir -p deep/log
	separately metlog-route -d 'file:deep/log/{type}/{logger}.{type}' in
	expect_status 0
	[ "$(find . -type f ! -path './deep/log/*' | sort | tr '\n' ' ')" = './err ./in ./out ' ]
	[ "$(find deep -type f | wc -l)" -eq 12 ] # ".", ".." and "" are one
	[ -z "$(find deep -printf '%f\n' | LC_ALL=C grep -vE '^[A-Za-z0-9%._=-]+$')" ]
	[ "$(find deep -printf '%f\n' | awk '{ if (length($0) > m) m = length($0) } END { print m }')" -le 255 ]
	find deep -type f -exec cat {} + | sort | cmp - <(sort in)
}

@test "below a template's folder symbolic links are not followed; for a plain file neither" {
	mkdir log elsewhere
	ln -s "$PWD/elsewhere" log/evil
	ln -s "$PWD/stolen" log/direct
	printf '%s\n' '{"type":"evil/"}' '{"type":"direct"}' '{"type":"good"}' >in
	separately metlog-route -d 'file:log/{type}' in
	expect_status 73
	expect_in "$err" 'symbolic link'
	[ ! -e stolen ]
	[ -s log/good ]
	ln -s "$PWD/elsewhere" log/evilgood
	separately metlog-route -d 'file:log/evil{type}/x' --stats books in
	expect_status 73
	[ -z "$(ls elsewhere)" ]
	separately metlog-route -d file:log/direct in
	expect_status 73
	expect_in "$err" 'symbolic link'
	separately metlog-route -d 'file:nowhere/{type}' in
	expect_status 73
	expect_in "$err" nowhere
}

@test "more files than may be open at a time are closed and opened again: same output, same order" {
	awk 'BEGIN { srand(1); for (i = 0; i < 5000; i++) printf "{\"type\":\"t%d\",\"payload\":\"%d\"}\n", int(rand() * 200), i }' >in
	mkdir log
	(ulimit -n 24 && metlog-route -d 'file:log/{type}' in)
	cat log/* | sort | cmp - <(sort in)
	grep '"t7"' in | cmp - log/t7
}

@test "files are not for everybody, and are appended to" {
	(umask 0; envelopes 1 1 | metlog-route -d file:made; envelopes 1 1 | metlog-route -d file:made)
	[ "$(stat -c %a made)" = 640 ]
	[ "$(wc -l <made)" -eq 2 ]
}

@test "a line longer than any buffer goes through whole, to a file, a template and a command" {
	{ envelopes 1 1000; printf '{"type":"t","payload":"'; head -c 1000000 /dev/zero | tr '\0' x; printf '"}\n'; envelopes 1 1000; } >in
	mkdir log
	metlog-route -r 'a: TRUE => file:a' -r 'b: TRUE => file:log/{type}' -r 'c: TRUE => | cat >c buffer=4Ki' -d drop in
	expect_same in a
	expect_same in log/t
	expect_same in c
}

@test "SIGTERM between the halves of a line: the rest is read if it is there, and not a byte behind it" {
	mkfifo in
	exec 5<>in
	metlog-route -m TRUE <in >out &
	pid=$!
	printf '{"n":1}\n{"n":' >&5
	await 10 test -s out
	kill -STOP $pid
	printf '2}\n{"n":3}\n' >&5
	kill -TERM $pid
	kill -CONT $pid
	status=0
	wait $pid || status=$?
	expect_status 0
	printf '{"n":1}\n{"n":2}\n' >expected
	expect_same expected out
	IFS= read -r -t 5 left <&5
	[ "$left" = '{"n":3}' ] || fail "left in the pipe: $left"
	exec 5<&-
}

@test "SIGTERM in the middle of a line whose rest does not come: what came is a reject" {
	mkfifo in
	exec 5<>in
	metlog-route -m TRUE --rejects rejects --stats stats <in >out &
	pid=$!
	printf '{"n":1}\n{"n":' >&5
	await 10 test -s out
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	exec 5<&-
	expect_status 0
	expect_in rejects '"payload":"{\"n\":"'
	expect_in stats '"read":2,"passed":1,"dropped":0,"rejected":1'
}

@test "work that lasts shows how far it is, on a terminal, and cleans up behind itself; not with -q" {
	need python3
	envelopes 10001 50000 >input
	cat >watch.py <<-'END'
	# The command's standard error is a terminal, its output a pipe that is read slowly until the terminal shows enough.
	import os, pty, select, subprocess, sys, time
	terminal, other = pty.openpty()
	command = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, stderr=other)
	os.close(other)
	shown, deadline = b"", time.monotonic() + float(sys.argv[1])
	while b" left" not in shown and time.monotonic() < deadline:
	    if select.select([terminal], [], [], 0.02)[0]:
	        shown += os.read(terminal, 4096)
	    os.read(command.stdout.fileno(), 4096)
	command.stdout.read()
	command.wait()
	try:
	    while True:
	        piece = os.read(terminal, 4096)
	        shown += piece
	        if not piece: break
	except OSError: pass
	sys.stdout.buffer.write(shown)
	END
	TERM=xterm python3 watch.py 20 metlog-route -m TRUE input >shown
	grep -aqE $'^\r\e\\[Kmetlog-route: [0-9]+ % of 2\\.[0-9] MB, [0-9.]+ .?B/s, .* left' shown || fail "$(cat -v shown)"
	[ "$(tail -c 4 shown)" = $'\r\e[K' ] || fail "left on the screen: $(cat -v shown)"
	TERM=xterm python3 watch.py 3 metlog-route -q -m TRUE input >shown
	expect_empty shown
}
