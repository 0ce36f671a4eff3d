# metlog-from-mozlog.bats - lines of MozLog become envelopes: five writers' habits, text between them, hostile lines, the books.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load family
	cd "$BATS_TEST_TMPDIR"
	samples=$SOURCE/tests/data/metlog-from-mozlog
}

# from ARGUMENT...: converts standard input; whatever comes of it is a good envelope.
from() {
	separately metlog-from-mozlog "$@"
	[ "$status" -eq 0 ] || return 0
	metlog-route --strict -d - <"$out" | cmp - "$out" >&2 || fail "no envelopes: $(cat "$out")"
}

@test "what five writers and a pipeline print is taken, as it is written" {
	local one
	for one in python node pino go slog; do
		separately metlog-from-mozlog --strict "$samples/$one.mozlog"
		expect_status 0
		expect_empty "$err"
		expect_same "$samples/$one.ndjson" "$out"
	done
}

@test "a line becomes an envelope: the message is the payload, the time has nanoseconds, the fields stay byte for byte" {
	from <<<'{"Timestamp": 1519361465123456789, "Type": "app.log", "Logger": "go", "Hostname": "b1", "EnvVersion": "2.0", "Severity": 4, "Pid": 42, "Fields": {"n":  1e-07, "msg": "retrying", "u": "\u00e9"}}'
	expect_status 0
	[ "$(cat "$out")" = '{"timestamp":"2018-02-23T04:51:05.123456789Z","logger":"go","type":"app.log","severity":4,"payload":"retrying","fields":{"n":  1e-07, "u": "\u00e9"},"env_version":"0.8","metlog_pid":42,"metlog_hostname":"b1"}' ] || fail "$(cat "$out")"
}

@test "an envelope has all of its members, whatever the line tells of: programs of Metlog's days ask for each" {
	from <<-'END'
		{"Timestamp":0}
		{"Timestamp":0,"Type":null,"Logger":7,"Severity":9,"Fields":null}
	END
	expect_status 0
	local all='{"timestamp":"1970-01-01T00:00:00.000000Z","logger":"","type":"","severity":6,"payload":"","fields":{},"env_version":"0.8"'
	printf '%s\n' "$all}" "$all"',"metlog_mozlog_Type":null,"metlog_mozlog_Logger":7,"metlog_mozlog_Severity":9}' >expected
	expect_same expected "$out"
}

@test "text between the lines is a reject, or what --text says: an envelope, as it is, or nothing; the books say which" {
	printf '%s\n' '{"Timestamp":1}' 'Starting "web" ...' '{"Timestamp":2}' >in
	from --stats stats <in
	expect_status 65
	expect_in "$err" 'not a JSON object'
	[ "$(wc -l <"$out")" -eq 2 ]

	from --text=reject --stats stats --rejects dead <in
	expect_status 0
	expect_in dead '"payload":"Starting \"web\" ..."'

	from --text=envelope --stats stats <in
	expect_status 0
	[ "$(sed -n 2p "$out")" = '{"logger":"","type":"text","severity":6,"payload":"Starting \"web\" ...","fields":{},"env_version":"0.8"}' ] || fail "$(cat "$out")"
	[ "$(count stats passed)" = 3 ]

	separately metlog-from-mozlog --text=pass --stats stats <in
	expect_status 0
	[ "$(sed -n 2p "$out")" = 'Starting "web" ...' ] || fail "$(cat "$out")"
	[ "$(count stats passed)" = 3 ]

	from --text=drop --stats stats <in
	expect_status 0
	[ "$(wc -l <"$out")" -eq 2 ] || fail "$(cat "$out")"
	[ "$(count stats passed)" = 2 ]
	[ "$(count stats dropped)" = 1 ]
	balanced stats

	separately metlog-from-mozlog --text=maybe <in
	expect_status 64
	expect_in "$err" maybe
}

@test "text that becomes an envelope is made safe: bytes that are no UTF-8, control characters, a CR at its end" {
	from --text=envelope < <(printf 'caf\351 \033[1m\001\r\n\tindented\n[1, 2]\n')
	expect_status 0
	printf '%s\n' '{"logger":"","type":"text","severity":6,"payload":"caf� \u001b[1m\u0001","fields":{},"env_version":"0.8"}' '{"logger":"","type":"text","severity":6,"payload":"\tindented","fields":{},"env_version":"0.8"}' \
		'{"logger":"","type":"text","severity":6,"payload":"[1, 2]","fields":{},"env_version":"0.8"}' >expected
	expect_same expected "$out"
}

@test "text whose envelope would be longer than --max-line is a reject; as it is it may be as long as that" {
	printf '%s\n' '""""""""""""""""""""""""""""""""""""""""""""""""""""""""""""""""""""""' short >in
	from --text=envelope --max-line 150 <in
	expect_status 65
	expect_in "$err" '-:1: longer than --max-line as an envelope'
	[ "$(cat "$out")" = '{"logger":"","type":"text","severity":6,"payload":"short","fields":{},"env_version":"0.8"}' ] || fail "$(cat "$out")"
	separately metlog-from-mozlog --text=pass --max-line 150 <in
	expect_status 0
	expect_same in "$out"
}

@test "an object that is broken is a reject whatever --text says, for it was meant to be one" {
	local how
	for how in envelope pass drop; do
		separately metlog-from-mozlog --text=$how <<<'{"Timestamp":1,"Fields":{"msg":"half'
		expect_status 65
		expect_empty "$out"
		expect_in "$err" 'string is not closed'
	done
}

@test "what is an envelope already passes byte for byte; an object that is neither is a reject" {
	good_lines >envelopes
	from --stats stats <envelopes
	expect_status 0
	expect_same envelopes "$out"
	from --rejects dead <<<'{"level":"info","message":"hello"}'
	expect_status 0
	expect_empty "$out"
	expect_in dead '"reason":"no Timestamp"'
	from --rejects dead <<<'{"severity":9,"payload":"x"}'
	expect_in dead 'severity is not an integer from 0 to 7'
}

@test "-m, --since and --until choose among the envelopes" {
	printf '%s\n' '{"Timestamp":1519361465000000000,"Severity":3,"Fields":{"msg":"a","n":1}}' '{"Timestamp":1519361466000000000,"Severity":6,"Fields":{"msg":"b","n":2}}' >in
	from -m 'severity <= 3 && payload == "a" && fields.n == 1' --stats stats <in
	expect_status 0
	[ "$(grep -c '"payload":"a"' "$out")" = 1 ]
	[ "$(wc -l <"$out")" = 1 ]
	[ "$(count stats dropped)" = 1 ]
	from --since 2018-02-23T04:51:06Z <in
	[ "$(wc -l <"$out")" = 1 ]
	expect_in "$out" '"payload":"b"'
	from --until 2018-02-23T04:51:06Z <in
	[ "$(wc -l <"$out")" = 1 ]
	expect_in "$out" '"payload":"a"'
}

@test "a Timestamp keeps each digit: integers only, whatever their notation, or their digits as a text" {
	from <<-'END'
		{"Timestamp":1612950421902130927}
		{"Timestamp":1.612950421902130927e18}
		{"Timestamp":"1612950421902130927"}
		{"Timestamp":1612950421902130927.000}
	END
	expect_status 0
	[ "$(grep -c '"timestamp":"2021-02-10T09:47:01.902130927Z"' "$out")" = 4 ] || fail "$(cat "$out")"
	from --rejects dead <<-'END'
		{"Timestamp":1.5}
		{"Timestamp":"now"}
		{"Timestamp":null}
		{"Timestamp":99999999999999999999}
	END
	[ "$(grep -c 'Timestamp is not an integer' dead)" = 3 ]
	[ "$(grep -c 'Timestamp is outside the years 1678 to 2261' dead)" = 1 ]
}

@test "hostile lines: repeated and escaped names, lone surrogates, BOM, CRLF, NUL, 64 deep, 1 MiB of fields, half a line at the end" {
	from <<-'END'
		{"\u0054imestamp":1,"Timestamp":2,"Fields":{"a":1,"a":2,"\ud800":"\udfff","msg":"x","msg":"y"}}
	END
	expect_status 0
	[ "$(cat "$out")" = '{"timestamp":"1970-01-01T00:00:00.000000002Z","logger":"","type":"","severity":6,"payload":"y","fields":{"a":1,"a":2,"\ud800":"\udfff","msg":"x"},"env_version":"0.8"}' ] || fail "$(cat "$out")"

	from --stats stats < <(printf '{"Timestamp":1}\r\n\r\n{"Timestamp":2}')
	expect_status 0
	[ "$(wc -l <"$out")" = 2 ]
	[ "$(count stats read)" = 2 ]

	from < <(printf '{"Timestamp":1,"Fields":{"a":"x\0y"}}\n')
	expect_status 65
	expect_in "$err" NUL
	from < <(printf '\357\273\277{"Timestamp":1}\n')
	expect_status 65
	expect_in "$err" 'byte order mark'
	from < <(printf '{"Timestamp":1,"Fields":{"a":"half')
	expect_status 65
	expect_empty "$out"

	from < <(printf '{"Timestamp":1,"Fields":{"a":%s1%s}}\n' "$(printf '[%.0s' {1..62})" "$(printf ']%.0s' {1..62})")
	expect_status 0
	from < <(printf '{"Timestamp":1,"Fields":{"a":%s1%s}}\n' "$(printf '[%.0s' {1..63})" "$(printf ']%.0s' {1..63})")
	expect_status 65
	expect_in "$err" deeper

	{ printf '{"Timestamp":1,"Fields":{"msg":"'; head -c 1048400 /dev/zero | tr '\0' x; printf '"}}\n'; } >long
	from --stats stats <long
	expect_status 0
	[ "$(wc -c <"$out")" -gt 1048400 ]
	# The envelope is longer than the line: one that no tool would take is not made.
	{ printf '{"Timestamp":1,"Fields":{"msg":"'; head -c 1048540 /dev/zero | tr '\0' x; printf '"}}\n'; } >longer
	[ "$(wc -c <longer)" -le 1048577 ]
	separately metlog-from-mozlog <longer
	expect_status 65
	expect_in "$err" 'longer than --max-line as an envelope'
}

@test "whatever stands in a line of MozLog, it becomes a good envelope, and comes back as the manual says" {
	need python3
	local seed
	for seed in 8 ${METLOG_SEED-}; do
		python3 "$SOURCE/tests/mozlog_model.py" lines "$seed" 400 >lines
		separately metlog-from-mozlog --strict lines
		expect_status 0
		mv "$out" envelopes
		metlog-route --strict -d - envelopes | cmp - envelopes
		separately metlog-to-mozlog --strict envelopes
		expect_status 0
		mv "$out" back
		python3 "$SOURCE/tests/mozlog_model.py" schema back
		python3 "$SOURCE/tests/mozlog_model.py" back lines back
		metlog-from-mozlog --strict back >again
		python3 "$SOURCE/tests/mozlog_model.py" returned envelopes again
	done
}
