# syslog-restart.bats - metlog-to-cef while its receiver is killed, started again, stopped: nothing that it calls delivered is missing.
# SPDX-License-Identifier: MPL-2.0

setup_file() {
	load ../helper
	load syslog
	syslog_setup_file
	model_setup_file 3000 "${CEF_SEED:-$RANDOM}"
}

setup() {
	load ../helper
	load syslog
	syslog_setup
	model_setup
}

teardown() { syslog_stop; }

# to PROTOCOL: the address of what runs.
to() {
	case $1 in
	tcp) echo "--to syslog+tcp:127.0.0.1:$syslog_tcp" ;;
	counted) echo "--to syslog+tcp:127.0.0.1:$syslog_counted --framing counted" ;;
	tls) echo "--to syslog+tls:localhost:$syslog_tls --cacert $syslog_pki/ca.pem" ;;
	unix) echo "--to syslog+unix:$syslog_unix" ;;
	esac
}

# port PROTOCOL
port() {
	case $1 in
	tcp) echo "$syslog_tcp" ;;
	counted) echo "$syslog_counted" ;;
	tls) echo "$syslog_tls" ;;
	esac
}

# cef_start OPTION...: in the background: $tool; its books in ./books, its messages in ./said.
cef_start() {
	metlog-to-cef --map "$map" --rejects rejects --stats books --max-bytes 65000 "$@" <"$input" 2>said 3>&- &
	tool=$!
	children+=" $tool"
}
# mid_stream COUNT: so many are stored, and the tool (or what runs it) still works.
mid_stream() {
	await 60 eval "stored_has $1 || over"
	stored_has "$1" || fail "$(stored_count) of $count are stored; $(cat said)"
}
over() { ! kill -0 "$tool" || grep -q '^State:.*zombie' "/proc/$tool/status"; }

# cef_ended: waits for it; its exit status is in $status.
cef_ended() {
	# shellcheck disable=SC2034
	status=0 err=said
	await 120 over || fail "still running: $(cat said)"
	wait "$tool" || status=$?
}

# restarted PROTOCOL: rsyslog is killed three times in mid-stream.
restarted() {
	local at
	syslog_start rsyslog
	# shellcheck disable=SC2046
	cef_start $(to "$1") --pace $((count / 4)) --retry-for 60s --window 128k
	for at in 1 2 3; do
		mid_stream $((count * at / 5))
		syslog_kill_reading "$(port "$1")"
		syslog_again || fail "$(cat "$syslog_kind/errors")"
	done
	cef_ended
	expect_status 0
	expect_rejects_none
	expect_books "read=$count" "passed=$count" kept=0
	expect_stored --again
}

@test "rsyslog that is killed and started again three times over TCP misses nothing" { restarted tcp; }
@test "rsyslog that is killed and started again three times over TLS misses nothing" { restarted tls; }
# Not syslog-ng: what it has read when SIGTERM comes, and not handled yet, it forgets. If our side of the connection is over by then, its end looks like that of one that has handled everything.

# gone PROTOCOL: rsyslog is killed in mid-stream and stays away.
gone() {
	syslog_start rsyslog
	# shellcheck disable=SC2046
	cef_start $(to "$1") --pace $((count / 4)) --retry-for 0.5s --window 128k
	mid_stream $((count / 3))
	syslog_kill_reading "$(port "$1")"
	cef_ended
	expect_status 75
	local passed kept read
	passed=$(books passed) kept=$(books kept) read=$(books read)
	[ $((passed + kept)) -eq "$read" ] || fail "$(cat books)"
	[ "$kept" -gt 0 ] || fail "$(cat books)"
	grep -qE "(^|[^0-9])$kept " said || fail "not $kept: $(cat said)"
	# What it calls delivered are the first ones, and they are there.
	model ids rsyslog/stored | sort -un >found
	seq 0 $((passed - 1)) | sort -n >expected
	[ -z "$(comm -23 <(sort expected) <(sort found))" ] || fail "called delivered, and not there: $(comm -23 <(sort expected) <(sort found) | wc -l) of $passed"
}

@test "rsyslog that is killed over TCP and stays away: 75, and what is called delivered is there" { gone tcp; }
@test "rsyslog that is killed over TLS and stays away: 75, and what is called delivered is there" { gone tls; }

# position: how far the tool has read its input.
position() { sed -n 's/^pos:[^0-9]*//p' "/proc/$tool/fdinfo/0"; }
resting() {
	local before
	before=$(position)
	sleep 0.3
	[ "$(position)" = "$before" ]
}

# held PROTOCOL: rsyslog is stopped before there is anything, and goes on later.
held() {
	local size
	syslog_start rsyslog
	for _ in 1 2 3 4 5 6 7 8; do cat "$input"; done >much
	input=much
	size=$(stat -c %s much)
	kill -STOP "$syslog_pid"
	# shellcheck disable=SC2046
	cef_start $(to "$1") --window 256k --timeout 60s
	await 60 eval '[ "$(position)" -gt 0 ]'
	await 60 resting
	[ "$(position)" -lt "$size" ] || fail "all $size bytes were read, and nobody took them"
	kill -CONT "$syslog_pid"
	cef_ended
	expect_status 0
	expect_books "passed=$((count * 8))" kept=0
	await 20 stored_has $((count * 8))
	[ "$(stored_count)" -eq $((count * 8)) ] || fail "$(stored_count) records of $((count * 8))"
}

@test "a receiver that is stopped holds back what is read over TCP, and has everything once when it goes on" { held tcp; }
@test "a receiver that is stopped holds back what is read over TLS, and has everything once when it goes on" { held tls; }
@test "a receiver that is stopped holds back what is read over a unix socket, and has everything once when it goes on" { held unix; }

# --- behind a spool ---

# drained PROTOCOL: segments are removed exactly when rsyslog has what was in them, through three kills.
drained() {
	local at
	[ -x "$TOOLS/metlog-spool" ] || skip "metlog-spool is not built"
	metlog-spool write spool --sync none --segment-bytes $(($(stat -c %s "$input") / 12)) <"$input"
	syslog_start rsyslog
	# shellcheck disable=SC2046
	metlog-spool drain spool --keep 1h --backoff-max 0.1 -- metlog-to-cef --map "$map" --max-bytes 65000 --rejects rejects $(to "$1") --retry-for 0.2s --pace $((count / 4)) >drained 2>said 3>&- &
	tool=$!
	children+=" $tool"
	for at in 1 2 3; do
		mid_stream $((count * at / 5))
		syslog_kill_reading "$(port "$1")"
		expect_delivered
		syslog_again
	done
	await 60 none_left || fail "left: $(ls spool); $(cat said)"
	kill -TERM "$tool"
	cef_ended
	expect_status 0
	expect_delivered
	expect_stored --again
}
none_left() { [ -z "$(find spool -maxdepth 1 -name '*.ndjson*')" ]; }

# expect_delivered: each envelope of each segment that counts as delivered is in the server's file.
expect_delivered() {
	find spool/delivered -name '*.ndjson*' -exec cat {} + 2>/dev/null | grep -ao '"\(externalId\|id\)": "id-[0-9]*"' | grep -o '[0-9]*' | sort -u >delivered.ids || true
	cp "$syslog_kind/stored" stored.now
	model ids <(grep -a CEF: stored.now) | sort -u >stored.ids
	[ -z "$(comm -23 delivered.ids stored.ids)" ] || fail "delivered, and not there: $(comm -23 delivered.ids stored.ids | wc -l) of $(wc -l <delivered.ids)"
}

@test "under metlog-spool drain, over TCP: a segment is delivered exactly when rsyslog, killed three times, has it" { drained tcp; }
@test "under metlog-spool drain, over TLS: a segment is delivered exactly when rsyslog, killed three times, has it" { drained tls; }
