# original-consumers.bats - what the clients of today send is understood by a receiver as the original Metlog router was one, over UDP and PUB.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load ../helper
	need_zmq
	cd "$BATS_TEST_TMPDIR"
	EMIT=${EMIT:-${TOOLS%/*}/tests/client/emit}
}

teardown() {
	local pid
	for pid in ${consumer-}; do kill -9 "$pid" 2>/dev/null || true; done
}

# consume KIND COUNT: the receiver; $to is where to send for it.
consume() {
	rm -f port
	"$python" "$SOURCE/tests/peers/original_consumer.py" "$1" port "$2" >seen 2>err &
	consumer=$!
	await 20 test -s port || fail "the consumer does not start: $(cat err)"
	case $1 in
	udp) to=udp:127.0.0.1:$(cat port) ;;
	sub) to=pub:tcp://127.0.0.1:$(cat port) ;;
	esac
}

# understood: it has had as many messages as it was told of, and all were good.
understood() {
	rm port
	status=0
	wait "$consumer" || status=$?
	consumer=
	[ "$status" -eq 0 ] || fail "$(cat err)"
}

# each_kind TEXT: it has had one message of each kind of call; TEXT is the payload of the exception. What the timer took is nobody's business.
each_kind() {
	grep -qE '^emit\.timer:[0-9.]+\|ms$' seen || fail "no timer: $(cat seen)"
	grep -vE '^emit\.timer:' seen >got
	cat >want <<-T
		request 5 "GET /\\n"
		emit.count:3.0|c
		emit.odd_count:-1.0|c
		emit.timing:35.5|ms|@0.1
		gauge 6 "-2.5"
		set 6 "gr\\u00fc\\u00df \\"dich\\""
		oldstyle 4 "disk sda is 91% full"
		cef 6 ""
		sentry 3 "$1"
	T
	expect_same got want
}

@test "libmetlog: each kind of call" {
	[ -x "$EMIT" ] || skip "tests/client/emit is not built"
	for kind in udp sub; do
		consume "$kind" 10
		timeout 60 "$EMIT" "$to" 1 --kinds
		understood
		each_kind 'no such thing'
	done
}

@test "the Python client: each kind of call" {
	for kind in udp sub; do
		consume "$kind" 10
		PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$SOURCE/contrib/python timeout 60 "$python" - "$to" <<-'P'
			import sys
			import metlog
			client = metlog.MetlogClient(sys.argv[1], "emit")
			with client.timer("emit.timer"):
			    client.metlog("request", severity=5, payload="GET /\n", fields={"number": 1, "list": [1, {}]})
			    client.incr("emit.count", 3, fields={"share": 0.25})
			    client.incr("emit::odd|count", -1, tags={"host": "web1"})
			    client.timer_send("emit.timing", 35.5, rate=0.1)
			    client.gauge("emit.gauge", -2.5)
			    client.set("emit.set", 'gr\xfc\xdf "dich"')
			    client.warning("disk %s is %d%% full", "sda", 91)
			    client.cef_event("AuthFail", "Bad password", 5, "mozilla", "weave", "3", {"suser": "ada|=\\"})
			    try:
			        raise ValueError("no such thing")
			    except ValueError:
			        client.capture_exception()
			assert client.close(30).unsent == 0
		P
		understood
		each_kind 'ValueError: no such thing'
	done
}

@test "the Node.js client: each kind of call" {
	load ../node
	node_need
	node_install zeromq@6
	for kind in udp sub; do
		consume "$kind" 10
		cat >send.js <<-'J'
			const { createClient } = require(process.argv[2]);
			const client = createClient({ endpoint: process.argv[3], logger: 'emit' });
			const timer = client.timer('emit.timer');
			client.metlog('request', { severity: 5, payload: 'GET /\n', fields: { number: 1, list: [1, {}] } });
			client.incr('emit.count', { count: 3, fields: { share: 0.25 } });
			client.incr('emit::odd|count', { count: -1, tags: { host: 'web1' } });
			client.timerSend('emit.timing', 35.5, { rate: 0.1 });
			client.gauge('emit.gauge', -2.5);
			client.set('emit.set', 'gr\u00fc\u00df "dich"');
			client.warning('disk %s is %d% full', 'sda', 91);
			client.cef({ signature: 'AuthFail', name: 'Bad password', severity: 5, vendor: 'mozilla', product: 'weave', version: '3', extension: { suser: 'ada|=\\' } });
			client.captureException(new TypeError('no such thing'));
			timer.end();
			client.close({ timeout: '30s' }).then(({ unsent, reason }) => { if (unsent) throw new Error(reason); });
		J
		NODE_PATH=$node_cache/node_modules timeout 60 node send.js "$SOURCE/contrib/node" "$to"
		understood
		each_kind 'TypeError: no such thing'
	done
}

@test "libmetlog: many messages in a row, each in a message of its own" {
	[ -x "$EMIT" ] || skip "tests/client/emit is not built"
	for kind in udp sub; do
		consume "$kind" 200
		timeout 60 "$EMIT" "$to" 200
		understood
		seq -f 'number 6 "%.0f"' 200 >want
		expect_same seen want
	done
}

@test "metlog-send: messages and metrics" {
	for kind in udp sub; do
		consume "$kind" 4
		metlog-send --to "$to" -T deploy -l shop -s notice -f version=3.1 -f n:=2 "in production" --counter logins=2 --timer db::query=0.5 --gauge queue=17
		understood
		printf '%s\n' 'deploy 5 "in production"' 'logins:2.0|c' 'db.query:0.5|ms' 'gauge 5 "17"' >want
		expect_same seen want
	done
}

@test "the receiver of this suite itself tells what the original would have misread" {
	local wrong
	consume udp 6
	for wrong in '{"type":"x"}' '[]' \
		'{"type":"x","timestamp":"2012-10-05T12:00:01Z","logger":"","severity":6,"payload":"","fields":{},"env_version":"0.8","metlog_pid":1,"metlog_hostname":"h"}' \
		'{"type":"x","timestamp":"2012-10-05T12:00:01.000000Z","logger":"","severity":8,"payload":"","fields":{},"env_version":"0.8","metlog_pid":1,"metlog_hostname":"h"}' \
		'{"type":"x","timestamp":"2012-10-05T12:00:01.000000Z","logger":"","severity":6,"payload":"","fields":{"a":NaN},"env_version":"0.8","metlog_pid":1,"metlog_hostname":"h"}' \
		'{"type":"counter","timestamp":"2012-10-05T12:00:01.000000Z","logger":"","severity":6,"payload":"1","fields":{"name":"n"},"env_version":"0.8","metlog_pid":1,"metlog_hostname":"h"}'; do
		printf '%s' "$wrong" >"/dev/udp/127.0.0.1/$(cat port)"
	done
	await 20 eval '[ "$(wc -l <err)" -eq 6 ]'
	rm port
	status=0
	wait "$consumer" || status=$?
	consumer=
	expect_status 1
	[ "$(wc -l <err)" -eq 6 ]
	expect_empty seen
}
