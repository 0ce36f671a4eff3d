# metlog-send.bats - envelopes from messages, lines of text, metrics and envelopes that lack something.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	need jq
	cd "$BATS_TEST_TMPDIR"
}

# shows FILTER EXPECTED: what jq makes of the envelopes in $out, all on one line.
shows() {
	local got
	got=$(jq -c "$1" <"$out" | tr '\n' ' ')
	[ "${got% }" = "$2" ] || fail "jq '$1' gives ${got% }, expected $2"
}

# refuses TEXT ARGUMENT...: wrong usage, with a message that holds TEXT and nothing sent.
refuses() {
	local text=$1
	shift
	separately metlog-send "$@" </dev/null
	expect_status 64
	expect_in "$err" "$text"
	expect_empty "$out"
}

@test "a message has the nine members in the order of the original clients" {
	separately metlog-send -T deploy -l web --timestamp 2012-10-05T12:00:01.137911Z --pid 17 --hostname h1 -f v=1 in production
	expect_status 0
	printf '%s\n' '{"type":"deploy","timestamp":"2012-10-05T12:00:01.137911Z","logger":"web","severity":6,"payload":"in production","fields":{"v":"1"},"env_version":"0.8","metlog_pid":17,"metlog_hostname":"h1"}' >expected
	expect_same expected "$out"
}

@test "by default a message is an oldstyle one of now, of this process and this host" {
	before=$(date +%s)
	separately metlog-send hello
	after=$(date +%s)
	shows '[.type, .logger, .severity, .fields, .metlog_hostname]' "[\"oldstyle\",\"\",6,{},\"$(uname -n)\"]"
	shows "(.timestamp | sub(\"\\\\.[0-9]{6}\"; \"\") | fromdate) as \$t | (\$t >= $before and \$t <= $after), (.metlog_pid | type)" 'true "number"'
}

@test "fields are text, or JSON that goes out byte for byte, and tags are an object of their own" {
	separately metlog-send -f a=b=c -f 'n:=1.50' -f 'o:={"x": [1, null]}' -f e= -f 'q"=\' --tag k=v --tag b=1 x
	expect_status 0
	expect_in "$out" '"fields":{"a":"b=c","n":1.50,"o":{"x": [1, null]},"e":"","q\"":"\\","tags":{"k":"v","b":"1"}}'
}

@test "newlines between the tokens of a JSON value do not break the line" {
	separately metlog-send -f $'o:={\n"a":\n1}' x
	expect_status 0
	[ "$(wc -l <"$out")" -eq 1 ]
	shows .fields '{"o":{"a":1}}'
}

@test "a JSON value that is none is wrong usage" {
	for value in '' '1,2' '1 2' '{"a":01}' '1],"x":[2' '1}' 'nul' '"a' $'"a\nb"' '{"a":1,}' "'a'" 'NaN' $'"\xff"'; do
		refuses --field -f "a:=$value" x
	done
	refuses 'column 6 of the value' -f 'a:={"a":01}' x
	refuses 'column 4 of the value' -f 'a:=[1,' x
	deep=$(printf '[%.0s' {1..63})$(printf ']%.0s' {1..63})
	refuses nested -f "a:=$deep" x
	separately metlog-send -f "a:=${deep:1:124}" x
	expect_status 0
	metlog-send --json <"$out" >/dev/null
}

@test "one name in two places is wrong usage" {
	refuses twice -f a=1 -f a:=2 x
	refuses twice --tag a=1 --tag a=2 x
	refuses 'set by the metric' --counter c -f name=x
	refuses 'set by the metric' --timer t=1 -f rate:=1
	refuses 'set by --rate' --rate 0.5 -f rate=x y
	refuses 'set by --tag' --tag a=b -f tags=x y
	refuses 'given twice' --to - --to - x
}

@test "severity is a number or a name of syslog, long or short" {
	for pair in 0:0 7:7 emerg:0 Emergency:0 alert:1 crit:2 critical:2 err:3 ERROR:3 warning:4 warn:4 notice:5 info:6 informational:6 debug:7; do
		separately metlog-send -s "${pair%:*}" x
		shows .severity "${pair#*:}"
	done
	for wrong in 8 -1 06 '' nonsense; do refuses --severity "--severity=$wrong" x; done
}

@test "a time is kept as it is if it is RFC 3339, and made so if not" {
	for stamp in 2012-10-05T14:00:01+02:00 2012-10-05T12:00:01 2012-10-05T12:00:01.123456789Z; do
		separately metlog-send --timestamp "$stamp" x
		shows .timestamp "\"$stamp\""
	done
	separately metlog-send --timestamp @1353631447 x
	shows .timestamp '"2012-11-23T00:44:07.000000Z"'
	refuses --timestamp --timestamp never x
}

@test "text that is not UTF-8 is refused in options and rejected in the payload" {
	for option in -T -l --hostname --counter --tag=a --field=a; do
		refuses UTF-8 "$option=$(printf 'caf\xe9')" x
	done
	separately metlog-send "$(printf 'caf\xe9')"
	expect_status 65
	expect_in "$err" 'payload:1: not valid UTF-8: caf\xe9'
	expect_empty "$out"
}

@test "each metric is an envelope, in the order given, with the fields given" {
	separately metlog-send --counter a --counter b=-2 --timer t=3.5 --gauge g=+17 --set s=x=y -f u=v
	expect_status 0
	shows '[.type, .payload, .fields]' '["counter","1",{"name":"a","rate":1,"u":"v"}] ["counter","-2",{"name":"b","rate":1,"u":"v"}] ["timer","3.5",{"name":"t","rate":1,"u":"v"}] ["gauge","17",{"name":"g","u":"v"}] ["set","x=y",{"name":"s","u":"v"}]'
}

@test "a payload goes before the metrics, and standard input is not read for metrics alone" {
	separately metlog-send --counter a -T t text
	shows '[.type, .payload]' '["t","text"] ["counter","1"]'
	printf 'line\n' >input
	separately metlog-send --counter a <input
	shows .type '"counter"'
}

@test "a metric without what it needs is wrong usage" {
	refuses 'not a number' --counter a=x
	refuses 'not a number' --gauge a=
	refuses 'no value' --gauge a
	refuses 'no value' --set a
	refuses 'no name' --counter =1
	refuses 'missing' --timer a
	refuses 'metric has its own' -T x --counter a
	refuses 'needs a command' --on-failure x --counter a
}

@test "a rate leaves out what it says, tells it in fields.rate, and the books balance" {
	seq 10000 | metlog-send --rate 0.1 --seed 7 --stats stats >some
	count=$(wc -l <some)
	[ "$count" -gt 850 ] && [ "$count" -lt 1150 ] || fail "$count of 10000 at a rate of 0.1"
	seq 10000 | metlog-send --rate 0.1 --seed 7 >again
	[ "$(jq .payload <some)" = "$(jq .payload <again)" ]
	[ "$(jq -c .fields <some | sort -u)" = '{"rate":0.1}' ]
	[ "$(jq -c '[.fields.read, .fields.passed, .fields.dropped] | .[0] - .[1] - .[2], .[0]' <stats | tr '\n' ' ')" = '0 10000 ' ]
}

@test "a rate holds over many runs, too: each run chooses anew" {
	for _ in {1..300}; do metlog-send --counter a --rate 0.5; done >some
	count=$(wc -l <some)
	[ "$count" -gt 95 ] && [ "$count" -lt 205 ] || fail "$count of 300 at a rate of 0.5"
}

@test "a rate of 0 sends nothing and is no failure, and one of 1 or more sends everything" {
	separately metlog-send --rate 0 --counter a
	expect_status 0
	expect_empty "$out"
	for rate in 1 7 1.0; do
		separately metlog-send --rate $rate --counter a
		shows .fields.rate "${rate%.0}"
	done
	refuses --rate --rate -1 --counter a
	refuses --rate --rate x --counter a
}

@test "gauges and sets cannot be sampled" {
	refuses 'a gauge cannot be sampled' --rate 0.5 --gauge g=1
	refuses 'a set cannot be sampled' --counter c --set s=1 --rate 0.5
	separately metlog-send --rate 1 --gauge g=1
	expect_status 0
}

@test "each line of standard input is a payload" {
	printf 'one\r\n\n \t \n two\rthree \nnul\0byte\nlast' >input
	separately metlog-send -l app -s err <input
	expect_status 0
	shows '[.logger, .severity, .payload]' '["app",3,"one"] ["app",3," two\rthree "] ["app",3,"nul\u0000byte"] ["app",3,"last"]'
}

@test "a line that is no text, or too long as an envelope, is a reject with its number" {
	{ echo good; printf 'b\xffd\n'; head -c 500 /dev/zero; echo; printf '%0600d\n' 0; echo fine; } >input
	separately metlog-send --max-line 550 --rejects rejects --stats stats <input
	expect_status 0
	shows .payload '"good" "fine"'
	[ "$(jq -c '[.fields.line, .fields.reason, .fields.encoding]' <rejects | tr '\n' ' ')" = \
		'[2,"not valid UTF-8","base64"] [3,"longer than --max-line as an envelope",null] [4,"longer than --max-line as an envelope",null] ' ] || fail "$(cut -c 1-200 rejects)"
	[ "$(jq -c '.fields | [.read, .passed, .rejected]' <stats)" = '[5,2,3]' ]
	separately metlog-send --max-line 550 <input
	expect_status 65
	shows .payload '"good" "fine"'
	separately metlog-send --max-line 550 --strict --stats strict <input
	expect_status 65
	shows .payload '"good"'
	expect_in strict '"read":2,"passed":1,"dropped":0,"rejected":1,'
}

@test "a line that had begun when SIGTERM came is sent" {
	mkfifo pipe
	metlog-send --stats stats <pipe >sent 2>err &
	local sender=$!
	exec 8>pipe
	printf 'whole\nhal' >&8
	await 10 test -s sent
	printf 'f' >&8
	kill -TERM "$sender"
	status=0
	wait "$sender" || status=$?
	exec 8>&-
	err=err expect_status 0
	[ "$(jq -c .payload <sent | tr '\n' ' ')" = '"whole" "half" ' ] || fail "$(cat sent)"
}

@test "a line is sent as soon as no more input is there" {
	mkfifo fifo
	metlog-send <fifo >received &
	exec 7>fifo
	echo first >&7
	await 10 grep -q first received
	echo second >&7
	await 10 grep -q second received
	exec 7>&-
	wait $!
}

@test "SIGTERM in mid-stream sends what was read" {
	mkfifo fifo
	metlog-send <fifo >received &
	pid=$!
	exec 7>fifo
	echo first >&7
	await 10 grep -q first received
	kill -TERM $pid
	wait $pid
	exec 7>&-
	[ "$(wc -l <received)" -eq 1 ]
}

@test "keys for an endpoint that has none are wrong usage" {
	refuses 'for ZeroMQ endpoints' --curve-server key --to udp:127.0.0.1:9 x
	refuses 'for ZeroMQ endpoints' --curve-secret key x
}

@test "an empty payload is an argument, and the null device is no input" {
	separately metlog-send -T restart '' </dev/null
	shows '[.type, .payload]' '["restart",""]'
	separately metlog-send -f a=b </dev/null
	shows '[.type, .payload, .fields]' '["oldstyle","",{"a":"b"}]'
	refuses 'nothing to send'
	refuses '--json </dev/null sends what is kept' --to ack:ipc://nobody --spool s
	: >empty
	separately metlog-send -T t <empty
	expect_status 0
	expect_empty "$out"
}

@test "words after -- are payload whatever they begin with, and - is standard input" {
	separately metlog-send -- -x --to
	shows .payload '"-x --to"'
	separately metlog-send -l a - <<<text
	shows .payload '"text"'
}

@test "--json puts in what is missing and keeps every other byte" {
	given=(--timestamp 2012-10-05T12:00:01Z -l L --pid 5 --hostname H --json)
	t='"timestamp":"2012-10-05T12:00:01Z"' l='"logger":"L"' v='"env_version":"0.8"' p='"metlog_pid":5' h='"metlog_hostname":"H"'
	cat >input <<-'END'
	{}
	 { } 
	{"type" : "a\u0000", "fields":{"metlog_pid":1,"x":1e999}}	
	{"metlog_pid":null,"payload":[1, 2],"logger":"x","metlog_hostname":{}}
	{"metlog\u005fpid":1,"\u0074imestamp":"t"}
	END
	cat >expected <<-END
	{$t,$l,$v,$p,$h}
	 { $t,$l,$v,$p,$h} 
	{"type" : "a\\u0000", "fields":{"metlog_pid":1,"x":1e999},$t,$l,$v,$p,$h}	
	{"metlog_pid":null,"payload":[1, 2],"logger":"x","metlog_hostname":{},$t,$v}
	{"metlog\\u005fpid":1,"\\u0074imestamp":"t",$l,$v,$h}
	END
	separately metlog-send "${given[@]}" <input
	expect_status 0
	expect_same expected "$out"
	metlog-send --json <expected >twice
	head -4 expected >complete
	head -4 twice | cmp - complete
	separately metlog-send --json --as-is <input
	expect_same input "$out"
}

@test "--json takes files, rejects what is no envelope, and says which line of which file" {
	printf '{"type":"a"}\n{"type":1}\n' >one
	printf 'nonsense\n\n{"type":"b"}\n' >two
	separately metlog-send --json --rejects rejects one two
	expect_status 0
	shows .type '"a" "b"'
	[ "$(jq -c '.fields | [.source, .line]' <rejects | tr '\n' ' ')" = '["one",2] ["two",1] ' ]
	separately metlog-send --json absent one
	expect_status 66
	shows .type '"a"'
}

@test "what an envelope has is not for options to change" {
	for option in -Tx -s3 -fa=b --tag=a=b --counter=a --rate=1; do refuses 'not go with --json' --json "$option"; done
	refuses --as-is --as-is x
}

@test "an envelope that grows over --max-line is a reject" {
	printf '{"payload":"%0400d"}\n{}\n' 0 >input
	separately metlog-send --json --max-line 420 --rejects rejects <input
	[ "$(wc -l <"$out")" -eq 1 ] && [ "$(wc -l <rejects)" -eq 1 ]
}

@test "whatever the text, the envelope is one that every tool takes" {
	need python3
	python3 - >input <<-'END'
	import random, sys
	random.seed(3)
	points = list(range(1, 0x250)) + [0x2028, 0xfeff, 0xfffd, 0xffff, 0x1f600, 0x10ffff]
	for _ in range(3000):
	    text = ''.join(chr(random.choice(points)) for _ in range(random.randrange(1, 40)))
	    sys.stdout.buffer.write(text.replace('\n', ' ').encode() + b'\n')
	END
	metlog-send <input >made
	metlog-send --json <made | cmp - made
	python3 - input made <<-'END'
	import json, sys
	given = [line[:-1] if line.endswith('\r') else line for line in open(sys.argv[1], newline='\n').read().split('\n')]
	given = [line for line in given if line.strip(' \t\r')]
	made = [json.loads(line)['payload'] for line in open(sys.argv[2], newline='\n')]
	assert given == made
	END
}
