# metlog-cardinality-users.bats - users by interval: what is counted for which day, what the state keeps, and what clocks do to it.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load helper
	load users
	cd "$BATS_TEST_TMPDIR" || return
}

# --- what is counted ---

@test "the users of each group on the newest day, and on it and the six before, are gauges that statsd takes" {
	need python3
	calls 1 3000
	users in
	expect_status 0
	expect_empty "$err"
	diff <(sort expected.10) <(gauges)
	grep -q '^{"type":"gauge"' "$out"
	expect_in "$out" '"payload":"3","fields":{"name":"locate.user","rate":1,"key":"a","interval":"7d","error":0,"tags":{"key":"a","interval":"7d"}}'
}

@test "what comes in many runs, in any order, is counted as what comes in one" {
	need python3
	calls 2 2000
	shuf --random-source=in in >shuffled
	split -n l/10 shuffled part.
	for part in part.*; do users "$part"; done
	expect_status 0
	diff <(sort expected.10) <(gauges)
	# Also where there are more than are counted exactly.
	seq 1 3000 | awk '{ printf "{\"timestamp\":\"2012-11-0%dT00:00:00Z\",\"fields\":{\"api_key\":\"big\",\"ip\":\"10.1.%d.%d\"}}\n", 1 + $1 % 5, $1 / 250, $1 % 250 }' >big
	rm -r state
	users big
	gauges >one
	rm -r state
	split -n l/7 big piece.
	for part in piece.*; do users "$part"; done
	expect_status 0
	[ "$(wc -l <one)" -eq 2 ]
	diff one <(gauges)
	sed -nE 's/.*:([0-9]+).g.*interval:7d/\1/p' one | awk '{ exit !($1 > 2925 && $1 < 3075) }'
}

@test "the same input again changes no byte of the state, and gives the same gauges" {
	need python3
	calls 3 3000
	seq 1 3000 | awk '{ printf "{\"timestamp\":\"2012-10-10T00:00:00Z\",\"fields\":{\"api_key\":\"big%d\",\"ip\":\"10.1.%d.%d\"}}\n", $1 % 2, $1 / 250, $1 % 250 }' >>in
	users in
	gauges >first
	all_of state >before
	users in
	expect_status 0
	diff first <(gauges)
	tac in >again
	users again /dev/null in
	expect_status 0
	diff first <(gauges)
	diff before <(all_of state)
}

@test "without any input the state is shown; without a state and input there is nothing to show" {
	users /dev/null
	expect_status 0
	expect_empty "$out"
	expect_empty "$err"
	call 2012-10-05T12:00:00Z k 10.0.0.1 >in
	users in
	users /dev/null
	expect_gauges 'locate.user:1|g|#key:k,interval:1d' 'locate.user:1|g|#key:k,interval:7d'
}

@test "a day is one of UTC, by the envelope's own time, whatever zone it is written in or the machine is in" {
	export TZ=Pacific/Kiritimati
	{
		call 2012-10-04T23:59:59.999999999Z k 10.0.0.1
		call 2012-10-05T00:00:00Z k 10.0.0.2
		call 2012-10-05T01:59:59+02:00 k 10.0.0.3 # the 4th
		call 2012-10-04T22:00:00-02:00 k 10.0.0.4 # the 5th
		call '2012-10-05 23:59:59' k 10.0.0.5
	} >in
	users in
	expect_gauges 'locate.user:3|g|#key:k,interval:1d' 'locate.user:5|g|#key:k,interval:7d'
	users --now 2012-10-04T23:59:59Z --tz Asia/Tokyo /dev/null
	expect_gauges 'locate.user:2|g|#key:k,interval:1d' 'locate.user:2|g|#key:k,interval:7d'
	# A date is one of --tz, wherever that stands: its midnight is on the day before, in UTC.
	for order in '--now 2012-10-05 --tz Asia/Tokyo' '--tz Asia/Tokyo --now 2012-10-05'; do
		users $order /dev/null
		expect_gauges 'locate.user:2|g|#key:k,interval:1d' 'locate.user:2|g|#key:k,interval:7d'
	done
}

@test "days before 1970 are days, too" {
	{ call 1969-12-31T23:59:59Z k 10.0.0.1; call 1970-01-01T00:00:00Z k 10.0.0.2; call 1969-12-26T00:00:00Z k 10.0.0.3; call 1969-12-25T23:59:59Z k 10.0.0.4; } >in
	users in
	expect_gauges 'locate.user:1|g|#key:k,interval:1d' 'locate.user:3|g|#key:k,interval:7d'
	[ -n "$(find state -name '1969-12-31.*')" ]
}

@test "--now ends the intervals with its day, and gives the gauges its time; what was not counted in an interval has no gauge" {
	need python3
	calls 4 1500
	users in
	for day in 9 10; do
		users --now "2012-10-$(printf %02d "$day")" /dev/null
		expect_status 0
		diff <(sort "expected.$day") <(gauges)
	done
	expect_in "$out" '"timestamp":"2012-10-10T00:00:00.000000Z"'
	users --now 2012-10-16T23:59:59Z /dev/null
	expect_status 0
	[ "$(gauges | grep -c 'interval:7d')" -eq "$(grep -c 'interval:1d' expected.10)" ]
	if gauges | grep -q 'interval:1d'; then fail "nothing was counted on that day"; fi
	users --now 2012-10-17 /dev/null
	expect_gauges ''
	users --now now /dev/null
	expect_gauges ''
}

@test "groups come and go with the days" {
	call 2012-10-01T00:00:00Z old 10.0.0.1 >in
	users in
	expect_gauges 'locate.user:1|g|#key:old,interval:1d' 'locate.user:1|g|#key:old,interval:7d'
	{ call 2012-10-07T00:00:00Z new 10.0.0.1; call 2012-10-07T00:00:00Z new 10.0.0.1; } >in
	users in
	expect_gauges 'locate.user:1|g|#key:old,interval:7d' 'locate.user:1|g|#key:new,interval:1d' 'locate.user:1|g|#key:new,interval:7d'
	call 2012-10-08T00:00:00Z new 10.0.0.2 >in
	users in
	expect_gauges 'locate.user:1|g|#key:new,interval:1d' 'locate.user:2|g|#key:new,interval:7d'
}

@test "--ip: one user is counted once however the address is written; a missing or bad one is 127.0.0.1" {
	t=2012-10-05T00:00:00Z
	{
		call $t k 2001:DB8:0:0::0:1
		call $t k 2001:db8::1
		call $t k nonsense
		call $t k ''
		printf '{"timestamp":"%s","fields":{"api_key":"k"}}\n{"timestamp":"%s","fields":{"api_key":"k","ip":null}}\n' $t $t
		call $t k 127.0.0.1
	} >in
	users in
	expect_gauges 'locate.user:2|g|#key:k,interval:1d' 'locate.user:2|g|#key:k,interval:7d'
}

@test "any member can be counted, by as many groups as are named, for as many intervals; a person gets a table" {
	seq 1 40 | awk '{ printf "{\"timestamp\":\"2012-10-%02dT00:00:00Z\",\"type\":\"t%d\",\"logger\":\"l\",\"payload\":%d}\n", 1 + $1 % 20, $1 % 2, $1 % 7 }' >in
	separately metlog-cardinality --of payload --by type,logger --interval 1d,3d,20d --state other --format table in
	expect_status 0
	diff - <(sed -E 's/ +/ /g' "$out") <<-'E'
		type logger interval distinct error
		t0 l 20d 7 exact
		t1 l 20d 7 exact
		t1 l 3d 4 exact
		t0 l 3d 2 exact
		t1 l 1d 2 exact
	E
	separately metlog-cardinality --of payload --interval 20d --state none in
	expect_status 0
	expect_in "$out" '"payload":"7","fields":{"name":"cardinality","rate":1,"of":"payload","interval":"20d","error":0,"tags":{"of":"payload","interval":"20d"}}'
}

# --- what the state keeps ---

@test "days expire a day behind the longest interval, and their files are removed" {
	for day in 1 2 3 4 5 6 7 8; do call "2012-10-0${day}T00:00:00Z" k "10.0.0.$day"; done >in
	users in
	[ "$(find state -name '*.sketches' | wc -l)" -eq 8 ]
	call 2012-10-09T00:00:00Z k 10.0.0.9 >in
	users in
	expect_gauges 'locate.user:1|g|#key:k,interval:1d' 'locate.user:7|g|#key:k,interval:7d'
	[ "$(cd state && printf '%s ' *.sketches)" = '2012-10-02.1.sketches 2012-10-03.1.sketches 2012-10-04.1.sketches 2012-10-05.1.sketches 2012-10-06.1.sketches 2012-10-07.1.sketches 2012-10-08.1.sketches 2012-10-09.2.sketches ' ]
	# Older than that, an envelope is dropped, and counted as such.
	call 2012-10-01T23:59:59Z k 10.0.0.77 >in
	users --stats books -v in
	expect_gauges 'locate.user:1|g|#key:k,interval:1d' 'locate.user:7|g|#key:k,interval:7d'
	expect_in books '"read":1,"passed":0,"dropped":1,"rejected":0'
	expect_in books '"expired":1'
	expect_in "$err" '1 envelope of days that are no longer kept'
}

@test "an archive of years takes the memory and the state of its last days" {
	seq 0 3000 | awk '{ printf "{\"timestamp\":\"%s\",\"fields\":{\"api_key\":\"k\",\"ip\":\"10.0.%d.%d\"}}\n", strftime("%Y-%m-%dT%H:%M:%SZ", $1 * 43200, 1), $1 / 250, $1 % 250 }' 2>/dev/null >in || skip "this awk has no strftime"
	[ -s in ] || skip "this awk has no strftime"
	users in
	expect_gauges 'locate.user:1|g|#key:k,interval:1d' 'locate.user:13|g|#key:k,interval:7d'
	[ "$(find state -name '*.sketches' | wc -l)" -eq 8 ]
}

@test "a run with a shorter interval forgets nothing that a longer one has asked for" {
	for day in 1 2 3 4 5 6 7 8; do call "2012-10-0${day}T00:00:00Z" k "10.0.0.$day"; done >in
	users in
	call 2012-10-08T00:00:00Z k 10.0.0.9 >in
	separately metlog-cardinality --of fields.ip --by key=fields.api_key --ip --name locate.user --interval 2d --state state in
	expect_gauges 'locate.user:3|g|#key:k,interval:2d'
	users /dev/null
	expect_gauges 'locate.user:2|g|#key:k,interval:1d' 'locate.user:8|g|#key:k,interval:7d'
}

@test "directory and files are for their owner alone, whatever the umask, and hold lines that sort and jq read" {
	need jq
	call 2012-10-05T00:00:00Z k 10.0.0.1 >in
	call 2012-10-05T00:00:00Z j 10.0.0.1 >>in
	(umask 0; users in)
	[ -z "$(find state -type f ! -perm 600 -o -type d ! -perm 700)" ]
	[ "$(jq -r '.type, .fields.days[0].file, .fields.days[0].groups' state/current)" = "$(printf '%s\n' metlog.cardinality.state 2012-10-05.1.sketches 2)" ]
	LC_ALL=C sort -c state/*.sketches
	cut -f1 state/*.sketches | jq -c . | diff - <(printf '%s\n' '{"of":"fields.ip","key":"j"}' '{"of":"fields.ip","key":"k"}')
}

@test "a day of the state is what --map writes: --reduce counts it" {
	need python3
	calls 5 500
	users in
	separately metlog-cardinality --reduce --name locate.user state/2012-10-10.*.sketches
	expect_status 0
	diff <(sed -n 's/,interval:1d//p' expected.10 | sort) <(gauges)
}

# --- clocks ---

@test "what is stamped more than a day later than the clock is not counted: said once, and in the books" {
	{
		call "$(date -u -d '+23 hours' +%FT%TZ)" k 10.0.0.1
		call "$(date -u -d '+25 hours' +%FT%TZ)" k 10.0.0.2
		call "$(date -u -d '+2 years' +%FT%TZ)" k 10.0.0.3
	} >in
	users --stats books in
	expect_gauges 'locate.user:1|g|#key:k,interval:1d' 'locate.user:1|g|#key:k,interval:7d'
	expect_in books '"passed":1,"dropped":2,"rejected":0'
	expect_in books '"future":2'
	[ "$(grep -c 'in:2: stamped more than a day later than the clock' "$err")" -eq 1 ]
	[ "$(wc -l <"$err")" -eq 1 ]
}

@test "a clock that jumps has no effect: on the state, on what is counted, or on the gauges" {
	need faketime
	sanitized && skip "a sanitizer build cannot be preloaded into"
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "valgrind has a clock of its own"
	at() { separately faketime -f "$1" metlog-cardinality --of fields.ip --by key=fields.api_key --ip --name locate.user --interval 1d,7d --state state "${@:2}"; }
	for day in 1 2 3 4; do call "2012-10-0${day}T00:00:00Z" k "10.0.0.$day" >"in.$day"; done
	at '@2012-10-01 12:00:00' in.1
	at '@2013-10-02 12:00:00' in.2
	expect_gauges 'locate.user:1|g|#key:k,interval:1d' 'locate.user:2|g|#key:k,interval:7d'
	at '@2011-10-02 12:00:00' in.3
	expect_gauges 'locate.user:1|g|#key:k,interval:1d' 'locate.user:3|g|#key:k,interval:7d'
	at '@1970-01-02 00:00:00' in.4
	expect_gauges 'locate.user:1|g|#key:k,interval:1d' 'locate.user:4|g|#key:k,interval:7d'
	expect_empty "$err"
	all_of state >before
	at '@2030-01-01 00:00:00' in.1 in.2 in.3 in.4
	diff before <(all_of state)
}
