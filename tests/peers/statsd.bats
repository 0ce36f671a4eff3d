# statsd.bats - metlog-to-statsd against npm's statsd: what it knows afterwards is what was sent.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load ../helper
	load statsd
	cd "$BATS_TEST_TMPDIR"
	children=''
	statsd_need
}

teardown() {
	local pid
	statsd_stop
	for pid in $children; do kill -9 "$pid" 2>/dev/null || true; done
}

model() { python3 "$SOURCE/tests/peers/statsd_model.py" "$@"; }
of_model() { node -p "JSON.parse(require('fs').readFileSync('model')).$1"; }
total() { node -p "JSON.parse(require('fs').readFileSync('totals.json'))$1"; }

# settled [SECONDS]: all lines of the model have arrived, and the totals are the model's.
settled() {
	statsd_settle "${1-15}" "$(of_model lines)" && model compare model totals.json
}

all_over_udp() {
	rm -f books rejects
	separately metlog-to-statsd --to "$statsd_at" --pace 30000 --stats books --rejects rejects <input
	expect_status 0 && settled
}

@test "120,000 random envelopes over UDP, paced: equal sums, gauges, sets and timers" {
	model make 120000 1 model >input
	over_udp all_over_udp
	[ "$(wc -l <rejects)" -eq "$(of_model rejects)" ]
	expect_in books "\"read\":120000,\"passed\":$((120000 - $(of_model others) - $(of_model rejects))),\"dropped\":$(of_model others),\"rejected\":$(of_model rejects),"
	expect_in books '"refused":0,"lost":0'
}

@test "100,000 random envelopes over TCP, at full speed, arrive completely" {
	statsd_start tcp
	model make 100000 2 model >input
	separately metlog-to-statsd --to "$statsd_at" --rejects rejects <input
	expect_status 0
	settled
}

@test "a unix stream socket takes them too" {
	statsd_start unix
	model make 20000 3 model >input
	separately metlog-to-statsd --to "$statsd_at" --rejects rejects <input
	expect_status 0
	settled
}

@test "aggregated, the sums are the same and the server gets fewer lines" {
	statsd_start tcp
	model make 50000 4 model >input
	separately metlog-to-statsd --to "$statsd_at" --aggregate 1h --rejects rejects <input
	expect_status 0
	metlog-to-statsd --dry-run --aggregate 1h --rejects /dev/null <input >lines
	local count
	count=$(wc -l <lines)
	[ "$count" -lt $(($(of_model lines) / 2)) ] || fail "$count lines"
	statsd_settle 60 "$count"
	model compare model totals.json
}

paced() {
	local start=$EPOCHREALTIME
	metlog-to-statsd --to "$statsd_at" --pace 60000 <input
	took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print int((b - a) * 1000) }')
	statsd_settle 15 199800
}

@test "of 200,000 metrics at a steady pace the server counts at least 99.9 %" {
	local took
	awk 'BEGIN { for (i = 0; i < 200000; i++) print "{\"type\":\"counter\",\"payload\":\"1\",\"fields\":{\"name\":\"paced.metric." i % 100 "\",\"rate\":1.0}}" }' >input
	over_udp paced
	# The cap holds: 3.3 s, but for what goes out at once at the start.
	[ "$took" -ge 3200 ] || fail "200000 metrics at 60000/s took $took ms"
	[ "$(total '.counters["statsd.bad_lines_seen"]')" -eq 0 ]
}

fuzz_over_udp() {
	metlog-to-statsd --to "$statsd_at" --pace 10000 <input && statsd_settle 15 20000
}

@test "no name, tag or member, however hostile, changes the number of metrics that arrive" {
	local style
	model fuzz 20000 5 >input
	for style in none dogstatsd graphite; do
		statsd_start tcp
		separately metlog-to-statsd --to "$statsd_at" --tags "$style" --stats books --rejects rejects <input
		expect_status 0
		expect_in books '"read":20000,"passed":20000'
		statsd_settle 60 20000
		[ "$(total '.counters["statsd.metrics_received"]')" -eq 20000 ]
		[ "$(total '.counters["statsd.bad_lines_seen"]')" -eq 0 ]
		kill -0 "$statsd_pid"
		statsd_stop
	done
	over_udp fuzz_over_udp
	[ "$(total '.counters["statsd.metrics_received"]')" -eq 20000 ]
	[ "$(total '.counters["statsd.bad_lines_seen"]')" -eq 0 ]
}

@test "a gauge is what was sent last, below zero too" {
	statsd_start udp
	for value in 10 5 -20 0 -7; do
		printf '{"type":"gauge","payload":"%s","fields":{"name":"g"}}\n' "$value"
	done | metlog-to-statsd --to "$statsd_at"
	statsd_settle 20 7
	[ "$(total '.gauges.g')" = -7 ]
	statsd_ask gauges | grep -q 'g: -7'
}

@test "a statsd that is started again in the middle gets the rest over TCP" {
	statsd_start tcp
	mkfifo input
	metlog-to-statsd --to "$statsd_at" --timeout 30s --stats books <input 2>errors &
	local tool=$! port=${statsd_at##*:}
	children="$children $tool"
	exec 7>input
	printf '{"type":"counter","payload":"1","fields":{"name":"before"}}\n' >&7
	statsd_settle 20 1
	statsd_stop
	await 10 eval "! (exec 9<>/dev/tcp/127.0.0.1/$port)"
	printf '{"type":"counter","payload":"2","fields":{"name":"after"}}\n' >&7
	await 10 grep -q 'trying again' errors
	node "$statsd_cache/node_modules/statsd/stats.js" statsd.json >statsd.log 2>&1 3>&- 7>&- &
	statsd_pid=$!
	await 20 statsd_up
	exec 7>&-
	wait "$tool"
	statsd_settle 20 1
	[ "$(total '.counters.after')" -eq 2 ]
	expect_in books '"read":2,"passed":2'
	expect_in books '"lost":0,"reconnects":1'
}

@test "metlog-send, metlog-recv, metlog-route and metlog-to-statsd in a row: equal sums for 100,000 envelopes" {
	local tool
	for tool in metlog-send metlog-recv metlog-route; do [ -x "$TOOLS/$tool" ] || skip "$tool is not built"; done
	statsd_start tcp
	model make 100000 6 model >input
	mkfifo one two
	metlog-recv --from 'pull:tcp://127.0.0.1:*' --ready ready >one 3>&- &
	local recv=$!
	children="$children $recv"
	metlog-route -r 'metrics: type in ("counter", "timer", "gauge", "set") => -' -d drop <one >two 3>&- &
	children="$children $!"
	metlog-to-statsd --to "$statsd_at" --rejects rejects --stats books <two 3>&- &
	local last=$!
	children="$children $last"
	await 20 test -s ready
	metlog-send --json --to "$(sed 's/^pull:/push:/; q' ready)" <input
	settled 60
	kill -TERM "$recv"
	wait "$last"
	expect_in books "\"passed\":$((100000 - $(of_model others) - $(of_model rejects))),\"dropped\":0,\"rejected\":$(of_model rejects),"
}
