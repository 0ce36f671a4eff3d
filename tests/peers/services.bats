# services.bats - the units and the supervisord configuration of contrib/: hardened, valid, and they run the durable chain as they say.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load ../helper
	load ../recv
	cd "$BATS_TEST_TMPDIR"
	mkdir -m 700 spool spool/archive spool/security spool/locate
	mkdir delivered state state-cef state-users statsd
}

teardown() {
	local pid
	for pid in ${receiver-} ${drainer-} ${publisher-} ${deliverer-} ${recorder-} ${counter-} ${supervisor-}; do
		kill "$pid" 2>/dev/null || continue
		await 10 gone "$pid" || kill -9 "$pid" 2>/dev/null || true
	done
}
gone() { ! kill -0 "$1" 2>/dev/null; }

# adapted FILE: the file with the paths, ports and user of this test in the place of an installation's.
adapted() {
	sed -E "s,/usr/local/bin/,$TOOLS/,g
		s,/usr/local/share/metlog/,$SOURCE/contrib/examples/,g
		s,/var/spool/metlog-rejects,$PWD/rejects,g
		s,/var/spool/metlog,$PWD/spool,g
		s,/var/lib/metlog-delivered|/srv/metlog,$PWD/delivered,g
		s,/var/lib/metlog,$PWD/state,g
		s,/var/log/,$PWD/,g
		s,ack:tcp://127.0.0.1:5565,ack:tcp://127.0.0.1:* --ready $PWD/where,
		s,udp:127.0.0.1:5565,udp:127.0.0.1:0,
		s,webhdfs://[^ ]*,file:$PWD/hdfs,
		s,syslog[+]tls:siem.example.net,syslog+tcp:127.0.0.1:${siem:-1},
		s,udp:127.0.0.1:8125,udp:127.0.0.1:${statsd:-1},
		s,%i,locate,g
		/^user=/d; /^Documentation=/d" "$1"
}

# command_of UNIT: what its ExecStart runs.
command_of() { adapted "$SOURCE/contrib/systemd/$1" | sed -n 's/^ExecStart=//p'; }

send() { seq -f "{\"type\":\"n\",\"payload\":\"$1-%.0f\"}" "$2" | metlog-send --json --as-is --to "ack:$(endpoint ack)"; }
delivered() { cat delivered/*.ndjson 2>/dev/null | wc -l; }
has_delivered() { [ "$(delivered)" -ge "$1" ]; }

# archive FIRST LAST: envelopes in the spool of the router's default route, sealed.
archive() { seq -f '{"type":"n","timestamp":"2026-11-22T06:00:00Z","payload":"%.0f"}' "$1" "$2" | metlog-spool write spool/archive; }
published() { find hdfs -name '*.ndjson.zst' -exec zstdcat {} + 2>/dev/null; }
has_published() { [ "$(published | wc -l)" -ge "$1" ] && [ -z "$(find spool/archive -maxdepth 1 -name '*.ndjson')" ]; }
await_published() { await 30 has_published "$1" || fail "expected $1 published, there are $(published | wc -l): $(cat ./*err* ./*.log 2>/dev/null | head -20)"; }

await_delivered() { await 30 has_delivered "$1" || fail "expected $1 delivered, there are $(delivered): $(cat ./*err* ./*.log 2>/dev/null | head -20)"; }

@test "the exposure of the systemd units is at most 2.0" {
	need systemd-analyze
	for unit in "$SOURCE"/contrib/systemd/*.service; do
		systemd-analyze security --offline=true --threshold=20 "$unit" >report 2>&1 || fail "$unit: $(tail -1 report)"
		grep -q 'Overall exposure level' report || fail "$unit: $(cat report)"
	done
}

@test "systemd finds nothing wrong with the units" {
	need systemd-analyze
	mkdir units
	for unit in "$SOURCE"/contrib/systemd/*.service "$SOURCE"/contrib/systemd/*.timer; do adapted "$unit" >"units/$(basename "$unit")"; done
	systemd-analyze verify units/*.service units/*.timer >report 2>&1 || fail "$(cat report)"
	expect_empty report
}

@test "the commands of the systemd units take, acknowledge, keep and deliver; reload seals; both stop with 0" {
	bash -c "exec $(command_of metlog-recv.service)" 2>err &
	receiver=$!
	bash -c "exec $(command_of metlog-drain.service)" 2>drain.err &
	drainer=$!
	await 10 test -s where || fail "$(cat err)"
	send a 200
	kill -HUP "$receiver"
	await_delivered 200
	send b 100
	kill -TERM "$receiver"
	status=0
	wait "$receiver" || status=$?
	receiver=
	expect_status 0
	await_delivered 300
	kill -TERM "$drainer"
	wait "$drainer" || status=$?
	drainer=
	expect_status 0
	[ "$(cat delivered/*.ndjson | sort -u | wc -l)" -eq 300 ]
	[ -z "$(find spool -name '*.ndjson*' -o -name '*.open')" ] || fail "left in the spool: $(find spool)"
}

@test "the command of metlog-hdfs.service publishes each segment once, from the staging directory of its state; stops with 0 and leaves nothing there" {
	[ -x "$TOOLS/metlog-to-hdfs" ] || skip "metlog-to-hdfs is not built"
	need zstdcat
	archive 1 200
	STATE_DIRECTORY=$PWD/state bash -c "exec $(command_of metlog-hdfs.service)" 2>hdfs.err &
	publisher=$!
	await_published 200
	archive 201 300
	await_published 300
	kill -TERM "$publisher"
	status=0
	wait "$publisher" || status=$?
	publisher=
	expect_status 0
	[ "$(published | sort -u | wc -l)" -eq 300 ]
	[ "$(published | wc -l)" -eq 300 ]
	[ "$(find hdfs -name '.*.tmp' | wc -l)" -eq 0 ]
	[ -d state/to-hdfs ]
	[ -z "$(find state/to-hdfs -name '*.item' -o -name '*.data' -o -name '*.ndjson')" ] || fail "left: $(find state)"
}

# A SIEM: what comes to it is in the file recorded, a line each.
start_siem() {
	python3 "$SOURCE/tests/peers/recorder.py" tcp 3>&- 7>&- &
	recorder=$!
	await 10 test -s at || fail "the recorder did not start"
	siem=$(cat at)
}
events() { seq -f '{"type":"cef","timestamp":"2026-11-22T06:00:00Z","fields":{"signature":"%.0f","name":"n"}}' "$1" "$2" | metlog-spool write spool/security; }
has_recorded() { [ "$(wc -l <recorded)" -ge "$1" ] && [ -z "$(find spool/security -maxdepth 1 -name '*.ndjson')" ]; }
await_recorded() { await 30 has_recorded "$1" || fail "expected $1 events, there are $(wc -l <recorded): $(cat ./*err* 2>/dev/null | head -20)"; }

@test "the command of metlog-cef.service delivers each segment of security events, and stops with 0" {
	start_siem
	events 1 200
	bash -c "exec $(command_of metlog-cef.service)" 2>cef.err &
	deliverer=$!
	await_recorded 200
	events 201 300
	await_recorded 300
	kill -TERM "$deliverer"
	status=0
	wait "$deliverer" || status=$?
	deliverer=
	expect_status 0
	[ "$(sort -u recorded | wc -l)" -eq 300 ]
	[ "$(wc -l <recorded)" -eq 300 ]
}

# A statsd: what comes to it is in the file statsd/recorded, a datagram each.
start_statsd() {
	(cd statsd && exec python3 "$SOURCE/tests/peers/recorder.py" udp) 3>&- 7>&- &
	counter=$!
	await 10 test -s statsd/at || fail "the recorder did not start"
	statsd=$(cat statsd/at)
}
# requests FIRST LAST: envelopes of now in the spool of a route for type locate, sealed; each of its own address.
requests() {
	seq -f "{\"type\":\"locate\",\"timestamp\":\"$(date -u +%FT%TZ)\",\"fields\":{\"ip\":\"10.0.0.%.0f\",\"api_key\":\"k\"}}" "$1" "$2" | metlog-spool write spool/locate
}
was_sent() { grep -qF "$1" statsd/recorded; }

@test "the command of metlog-users@.service counts each segment once, sends the gauges, and makes no system call that its unit forbids" {
	start_statsd
	users=$(command_of metlog-users@.service)
	requests 1 30
	$users 2>users.err || fail "$(cat users.err)"
	await 10 was_sent 'locate.user:30|g|#key:k,interval:1d' || fail "$(cat statsd/recorded)"
	await 10 was_sent 'locate.user:30|g|#key:k,interval:7d' || fail "$(cat statsd/recorded)"
	[ -z "$(find spool/locate -name '*.ndjson*' -o -name '*.open')" ] || fail "left in the spool: $(find spool/locate)"
	# Again without anything new, and again with some of it.
	: >statsd/recorded
	$users
	await 10 was_sent 'locate.user:30|g|#key:k,interval:1d' || fail "$(cat statsd/recorded)"
	requests 21 40
	echo '{"type":"locate","fields":{"ip":"10.9.9.9"}}' | metlog-spool write spool/locate
	if has strace && has systemd-analyze && ! sanitized; then
		strace -f -qq -o trace.users $users 2>users.err || fail "$(cat users.err)"
		allowed 'metlog-users@.service' >allowed
		sed -nE 's/^[0-9]+ +([a-z_0-9]+)\(.*/\1/p' trace.users | sort -u >used
		[ "$(wc -l <used)" -gt 20 ] || fail "the trace is too short: $(cat used)"
		beyond=$(comm -23 used allowed)
		[ -z "$beyond" ] || fail "system calls that are forbidden: $beyond"
	else
		$users
	fi
	await 10 was_sent 'locate.user:40|g|#key:k,interval:7d' || fail "$(cat statsd/recorded)"
	grep -q 'no timestamp' state-users/locate.rejects
}

# expand SET...: the names of the system calls in the sets of systemd.
expand() {
	local set
	for set; do
		case $set in @*) ;; *) echo "$set"; continue ;; esac
		systemd-analyze syscall-filter --no-pager "$set" | grep -vE '^ *#|^@' | tr -d ' ' | while read -r name; do
			case $name in '') ;; @*) expand "$name" ;; *) echo "$name" ;; esac
		done
	done
}

# allowed UNIT: the system calls that its filters let through, one after the other as systemd takes them.
allowed() {
	: >known
	sed -n 's/^SystemCallFilter=//p' "$SOURCE/contrib/systemd/$1" | while read -r filter; do
		case $filter in
		~*) expand ${filter#\~} | sort -u | comm -23 known - >known.new ;;
		*) expand $filter | sort -u - known >known.new ;;
		esac
		mv known.new known
	done
	cat known
}

@test "the receiver and the drains make no system call and map no memory that their units forbid" {
	need systemd-analyze strace
	if sanitized; then skip "a sanitized program makes system calls of its own"; fi
	strace -f -qq -o trace.recv bash -c "exec $(command_of metlog-recv.service)" 2>err &
	receiver=$!
	strace -f -qq -o trace.drain bash -c "exec $(command_of metlog-drain.service)" 2>drain.err &
	drainer=$!
	archive 1 50
	STATE_DIRECTORY=$PWD/state strace -f -qq -o trace.hdfs bash -c "exec $(command_of metlog-hdfs.service)" 2>hdfs.err &
	publisher=$!
	start_siem
	events 1 50
	strace -f -qq -o trace.cef bash -c "exec $(command_of metlog-cef.service)" 2>cef.err &
	deliverer=$!
	await 20 test -s where || fail "$(cat err)"
	send a 50
	kill -HUP "$(pgrep -P "$receiver")"
	await_delivered 50
	await_published 50
	await_recorded 50
	kill -TERM "$(pgrep -P "$receiver")" "$(pgrep -P "$drainer")" "$(pgrep -P "$publisher")" "$(pgrep -P "$deliverer")"
	wait "$receiver" "$drainer" "$publisher" "$deliverer"
	receiver='' drainer='' publisher='' deliverer=''
	for one in recv drain hdfs cef; do
		allowed "metlog-$one.service" >allowed
		sed -nE 's/^[0-9]+ +([a-z_0-9]+)\(.*/\1/p' "trace.$one" | sort -u >used
		[ "$(wc -l <used)" -gt 20 ] || fail "the trace is too short: $(cat used)"
		beyond=$(comm -23 used allowed)
		[ -z "$beyond" ] || fail "metlog-$one makes system calls that are forbidden: $beyond"
	done
	run grep -E 'PROT_WRITE[^,]*PROT_EXEC|PROT_READ\|PROT_WRITE\|PROT_EXEC' trace.recv trace.drain trace.hdfs trace.cef
	[ "$status" -eq 1 ] || fail "memory that is writable and executable: $output"
}

@test "supervisord runs the durable chain, starts a receiver that was killed again, and nothing acknowledged is missing" {
	need supervisord supervisorctl
	start_siem
	start_statsd
	requests 1 20
	adapted "$SOURCE/contrib/supervisord/metlog.conf" >programs.conf
	cat >supervisord.conf <<-E
		[supervisord]
		nodaemon=true
		logfile=$PWD/supervisord.log
		pidfile=$PWD/supervisord.pid
		[unix_http_server]
		file=$PWD/control
		[rpcinterface:supervisor]
		supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
		[supervisorctl]
		serverurl=unix://$PWD/control
		[include]
		files=$PWD/programs.conf
	E
	supervisord -c supervisord.conf >supervisord.out 2>&1 &
	supervisor=$!
	await 20 test -s where || fail "$(cat supervisord.out ./*.log)"
	send a 100
	archive 1 100
	events 1 100
	rm where
	kill -9 "$(supervisorctl -c supervisord.conf pid metlog-recv)"
	await 20 test -s where || fail "not started again: $(cat supervisord.log)"
	send b 100
	supervisorctl -c supervisord.conf signal HUP metlog-recv
	await_delivered 200
	await_published 100
	await_recorded 100
	await 20 was_sent 'locate.user:20|g' || fail "$(cat metlog-users.log statsd/recorded)"
	supervisorctl -c supervisord.conf stop all
	run supervisorctl -c supervisord.conf status
	[ "$(grep -c STOPPED <<<"$output")" -eq 5 ] || fail "$output"
	[ "$(cat delivered/*.ndjson | sort -u | wc -l)" -eq 200 ]
	kill "$supervisor"
	wait "$supervisor" || true
	supervisor=
}
