# metlog-to-mozlog.bats - envelopes become lines of MozLog that its schema allows, and come back.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load family
	cd "$BATS_TEST_TMPDIR"
	samples=$SOURCE/tests/data/metlog-from-mozlog
}

# to ARGUMENT...: converts standard input; whatever comes of it the schema allows.
to() {
	separately metlog-to-mozlog "$@"
	python3 "$SOURCE/tests/mozlog_model.py" schema "$out"
}

T='"timestamp":"2012-10-05T12:00:01.137911Z"'
S='{"Timestamp":1349438401137911000'

@test "an envelope becomes a line: the members by name, the payload as msg, last, and what says nothing is left out" {
	need python3
	to <<-END
		{$T,"logger":"app","type":"order","severity":3,"payload":"paid","fields":{"total": 12.50,"items":["a","b"]},"env_version":"0.8","metlog_pid":7,"metlog_hostname":"web1"}
		{$T,"logger":"","type":"","payload":"","fields":{}}
	END
	expect_status 0
	cat >expected <<-END
		$S,"Type":"order","Logger":"app","Hostname":"web1","EnvVersion":"2.0","Severity":3,"Pid":7,"Fields":{"total": 12.50,"items":["a","b"],"msg":"paid"}}
		$S,"EnvVersion":"2.0","Severity":6}
	END
	expect_same expected "$out"
}

@test "a value that MozLog's schema does not allow is written as JSON text in Heka's object; with --plain as text alone, and null not at all" {
	need python3
	echo "{$T,\"payload\":5,\"fields\":{\"a\":null,\"b\":{\"c\":[1,\"x\"]},\"d\":[],\"e\":[1,2],\"f\":[null],\"g\":true}}" >in
	to <in
	expect_status 0
	[ "$(cat "$out")" = "$S"',"EnvVersion":"2.0","Severity":6,"Fields":{"a":{"value":"null","representation":"json"},"b":{"value":"{\"c\":[1,\"x\"]}","representation":"json"},"d":{"value":"[]","representation":"json"},"e":[1,2],"f":{"value":"[null]","representation":"json"},"g":true,"msg":{"value":"5","representation":"json"}}}' ] || fail "$(cat "$out")"
	to --plain <in
	expect_status 0
	[ "$(cat "$out")" = "$S"',"EnvVersion":"2.0","Severity":6,"Fields":{"b":"{\"c\":[1,\"x\"]}","d":"[]","e":[1,2],"f":"[null]","g":true,"msg":5}}' ] || fail "$(cat "$out")"
}

@test "a host and a process that the schema does not allow go into the fields, and so does what MozLog had in the place of another type" {
	need python3
	to <<-END
		{$T,"metlog_hostname":"no host","metlog_pid":"x","metlog_mozlog_Type":null,"metlog_mozlog_EnvVersion":"1.1"}
	END
	expect_status 0
	[ "$(cat "$out")" = "$S"',"EnvVersion":"1.1","Severity":6,"Fields":{"metlog_hostname":"no host","metlog_pid":"x","metlog_mozlog_Type":{"value":"null","representation":"json"}}}' ] || fail "$(cat "$out")"
}

@test "members that envelopes do not have are members of the line: MozLog's own by their name, others behind metlog_" {
	need python3
	to <<-END
		{$T,"metlog_mozlog_Time":"2012","metlog_mozlog_severity":200,"trace":{"id":null}}
	END
	expect_status 0
	[ "$(cat "$out")" = "$S"',"EnvVersion":"2.0","Severity":6,"Time":"2012","severity":200,"metlog_trace":{"id":null}}' ] || fail "$(cat "$out")"
}

@test "an envelope without a time is a reject, or stamped with now; a time that MozLog cannot have is a reject" {
	need python3
	local before after
	printf '%s\n' '{"payload":"x"}' '{"timestamp":""}' '{"timestamp":"1969-12-31T23:59:59Z"}' '{"timestamp":"soon"}' >in
	to --rejects dead <in
	expect_status 0
	expect_empty "$out"
	[ "$(grep -c '"reason":"no timestamp"' dead)" = 2 ]
	expect_in dead '"reason":"a timestamp before 1970"'
	expect_in dead '"reason":"a timestamp that cannot be read"'
	rm dead
	before=$(date +%s%N)
	to --no-timestamp=now --rejects dead <in
	after=$(date +%s%N)
	[ "$(wc -l <dead)" = 2 ]
	[ "$(wc -l <"$out")" = 2 ]
	sed -E 's/^\{"Timestamp":([0-9]+),.*/\1/' "$out" >stamps
	while read -r stamp; do
		[ "$stamp" -ge "$before" ]
		[ "$stamp" -le "$after" ]
	done <stamps
	separately metlog-to-mozlog --no-timestamp=never <in
	expect_status 64
	expect_in "$err" never
}

@test "a time is cut below nanoseconds, an offset is applied, no zone is UTC, a leap second is the next" {
	need python3
	to <<-'END'
		{"timestamp":"2012-10-05T12:00:01.1379119999Z"}
		{"timestamp":"2012-10-05T14:00:01.5+02:00"}
		{"timestamp":"2012-10-05T12:00:01"}
		{"timestamp":"2016-12-31T23:59:60Z"}
	END
	expect_status 0
	sed -E 's/^\{"Timestamp":([0-9]+),.*/\1/' "$out" >stamps
	printf '%s\n' 1349438401137911999 1349438401500000000 1349438401000000000 1483228800000000000 >expected
	expect_same expected stamps
}

@test "what five writers have written comes back as the same values, but for what the schema does not allow" {
	need python3
	local one
	for one in python node pino go slog; do
		metlog-from-mozlog --strict "$samples/$one.mozlog" >envelopes
		to --strict <envelopes
		expect_status 0
		python3 "$SOURCE/tests/mozlog_model.py" back "$samples/$one.mozlog" "$out"
	done
}

@test "whatever stands in an envelope, the line is one that the schema allows, and comes back as the manual says" {
	need python3
	local seed
	for seed in 8 ${METLOG_SEED-}; do
		python3 "$SOURCE/tests/mozlog_model.py" envelopes "$seed" 400 >envelopes
		to --strict <envelopes
		expect_status 0
		metlog-from-mozlog --strict "$out" >back
		python3 "$SOURCE/tests/mozlog_model.py" returned envelopes back
		to --strict --plain <envelopes
		expect_status 0
		if grep -q representation "$out" && ! grep -q representation envelopes; then fail "there is something of Heka"; fi
	done
}

@test "-m chooses, and the books balance" {
	printf '%s\n' "{$T,\"severity\":0}" "{$T}" '{}' 'nonsense' >in
	separately metlog-to-mozlog -m 'severity == 0' --rejects dead --stats stats <in
	expect_status 0
	[ "$(wc -l <"$out")" = 1 ]
	[ "$(count stats passed)" = 1 ]
	[ "$(count stats dropped)" = 2 ]
	[ "$(count stats rejected)" = 1 ]
	balanced stats
}

@test "a pipe through both tools and back keeps up with a stream: a line is out before the next is there" {
	mkfifo in out
	metlog-from-mozlog <in | metlog-to-mozlog >out &
	exec 8>in 9<out
	echo '{"Timestamp":1,"Fields":{"msg":"first"}}' >&8
	read -r -t 60 line <&9
	[ "$line" = '{"Timestamp":1,"EnvVersion":"2.0","Severity":6,"Fields":{"msg":"first"}}' ] || fail "$line"
	exec 8>&-
	wait
	exec 9<&-
}
