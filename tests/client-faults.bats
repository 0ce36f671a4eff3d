#!/usr/bin/env bats
# client-faults.bats - libmetlog: forks in the midst of a flood, receivers that are killed, stopped and started again, pipes that several processes have.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load recv
	cd "$BATS_TEST_TMPDIR"
	deluge=$TOOLS/../tests/client/deluge
	[ -x "$deluge" ] || fail "tests/client/deluge is not built"
	receiver='' sender=''
	# Under sanitizers, which know every byte that is written, a tenth must do.
	each=10000
	! sanitized || each=1000
}

teardown() {
	local pid
	for pid in $receiver $sender; do
		kill -CONT "$pid" 2>/dev/null || true
		kill -9 "$pid" 2>/dev/null || true
	done
}

# arrived FILE...: the messages of the deluge, by their payloads.
arrived() { grep -ahoE '^\{"type":"flood",.*"payload":"[0-9.]+' "$@" | sed 's/.*"payload":"//'; }
# reported FILE...: the sum of all reports of drops.
reported() { grep -ah '"name":"metlog.client.dropped"' "$@" | sed 's/.*"payload":"\([0-9]*\)".*/\1/' | awk '{ sum += $1 } END { print sum + 0 }'; }
# books COLUMN: its sum over the processes: 2 calls, 3 taken, 5 dropped, 7 sent, 8 unsent.
books() { awk -v "c=$1" '{ sum += $c } END { print sum + 0 }' report; }

# expect_each_once PROCESSES THREADS FILE...: of all messages that were sent each has arrived, once, and what was dropped on the way was told.
expect_each_once() {
	local processes=$1 threads=$2
	shift 2
	arrived "$@" | sort >have
	for ((p = 0; p < processes; p++)); do
		for ((t = 0; t < threads; t++)); do seq -f "$p.$t.%.0f" 0 $((each - 1)); done
	done | sort >want
	expect_same have want
	[ "$(reported "$@")" = "$(books 5)" ] || fail "$(books 5) were dropped, $(reported "$@") told"
	[ "$(wc -l <report)" = "$processes" ]
}

all_are_there() { [ "$(arrived got | wc -l)" -ge $((6 * each)) ]; }
# forks ENDPOINT: a flood of two threads that forks twice; all of them end well.
forks() {
	separately "$deluge" "$1" report count="$each" children=2 threads=2 retry=1 close=60000
	expect_status 0
}

@test "processes that fork in a flood send each message once to a file" {
	! sanitized || skip "a lock of the sanitizer's allocator that another thread has is not given back in a child"
	forks "file:$PWD/got"
	expect_each_once 3 2 got
}

@test "processes that fork share a pipe on standard output, and their lines stay whole" {
	! sanitized || skip "a lock of the sanitizer's allocator that another thread has is not given back in a child"
	{
		"$deluge" - report count="$each" children=2 threads=2 retry=1 close=60000
		echo $? >code
	} | cat >got
	[ "$(cat code)" = 0 ]
	expect_each_once 3 2 got
	[ -z "$(grep -avE '^\{.*\}$' got)" ] || fail "$(grep -avE '^\{.*\}$' got | head -3)"
}

@test "processes that fork in a flood send each message once by unix:, tcp:, push: and ack:" {
	! sanitized || skip "a lock of the sanitizer's allocator that another thread has is not given back in a child"
	for kind in unix tcp pull ack; do
		case $kind in unix) from=unix:$PWD/socket ;; tcp) from=tcp:127.0.0.1:0 ;; *) from="$kind:tcp://127.0.0.1:*" ;; esac
		receive --from "$from"
		rm -f report
		forks "${kind/pull/push}:$(endpoint "$kind")"
		await 20 all_are_there || fail "$kind: $(arrived got | wc -l) have arrived"
		stop
		expect_each_once 3 2 got
	done
}

# --- receivers that come and go ---

# again FROM...: a receiver at the address of the one before; what it writes goes behind what is in `got`.
again() {
	metlog-recv "$@" >>got 2>>err &
	receiver=$!
}
gone() { ! kill -0 "$receiver" 2>/dev/null; }
# More has arrived than so many bytes, or all calls have returned.
grown() { [ "$(stat -c %s got)" -gt "$1" ] || [ -e called ]; }
# A flood in the background that lasts until there is a file `enough`.
flood() {
	"$deluge" "$1" report count="$each" threads=2 block=1 buffer=65536 close=60000 slow=enough mark=called 2>flood.err &
	sender=$!
}
ended() {
	status=0
	wait "$sender" || status=$?
	sender=''
	[ "$status" = 0 ] || fail "exit status $status: $(cat flood.err)"
}

# kill_in_a_loop FROM TO: the receiver is killed three times in the flood, and started again.
kill_in_a_loop() {
	: >got
	rm -f report enough called
	again --from "$1"
	flood "$2"
	for _ in 1 2 3; do
		local size
		size=$(stat -c %s got)
		await 20 grown "$size" || fail "nothing arrives"
		kill -9 "$receiver"
		await 20 gone
		again --from "$1"
	done
	: >enough
}

@test "a receiver that is killed again and again gets nothing twice by push:, unix: and tcp:, and all that comes when it is back" {
	free_port() { metlog-recv --from 'tcp:127.0.0.1:0' --ready free >/dev/null & await 10 test -s free; kill $!; wait $! 2>/dev/null || true; sed 's/.*://' free; rm free; }
	for kind in unix push tcp; do
		case $kind in
		unix) from="unix:$PWD/socket" to=$from ;;
		push) from="pull:ipc://$PWD/ipc" to="push:ipc://$PWD/ipc" ;;
		tcp) from="tcp:127.0.0.1:$(free_port)" to=$from ;;
		esac
		kill_in_a_loop "$from" "$to"
		ended
		await 20 sh -c "arrived=\$(grep -ac '\"payload\":\"0.[01].$((each - 1))\"' got); [ \"\$arrived\" = 2 ]" || fail "$kind: the last messages have not arrived"
		kill "$receiver"
		wait "$receiver" || true
		arrived got | sort >have
		[ -z "$(uniq -d have)" ] || fail "$kind: twice: $(uniq -d have | head -3)"
		[ "$(books 3)" = $((2 * each)) ]
		[ $(($(books 7) + $(books 8))) = $((2 * each)) ]
	done
}

@test "a receiver of ack: that is killed again and again misses nothing" {
	: >got
	spool() { metlog-recv --from "ack:ipc://$PWD/ipc" --spool spool >>out 2>>err & receiver=$!; }
	held() { [ "$(cat spool/* spool/*/* 2>/dev/null | wc -l)" -gt "$1" ] || [ -e called ]; }
	spool
	flood "ack:ipc://$PWD/ipc"
	for part in 4 3 2; do
		await 20 held $((each / part)) || fail "nothing arrives"
		kill -9 "$receiver"
		await 20 gone
		spool
	done
	: >enough
	ended
	kill "$receiver"
	wait "$receiver" || true
	metlog-spool cat spool >got
	expect_each_once 1 2 got
	[ "$(books 8)" = 0 ]
}

# --- receivers that stand still ---

@test "while the receiver stands still every call returns, memory stays bounded, and the number of drops is exact" {
	receive --from 'pull:tcp://127.0.0.1:*'
	kill -STOP "$receiver"
	"$deluge" "push:$(endpoint pull)" report count=$((10 * each)) threads=2 buffer=1048576 close=60000 mark=called wait=enough size=500 2>flood.err &
	sender=$!
	await 60 test -e called || fail "a call has not returned"
	peak=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$sender/status")
	kill -CONT "$receiver"
	: >enough
	ended
	[ "$(books 2)" = $((20 * each)) ]
	[ "$(books 5)" -gt 0 ] || fail "nothing was dropped"
	[ "$(books 8)" = 0 ]
	await_lines $(($(books 3) + 1))
	stop
	arrived got | sort >have
	[ "$(wc -l <have)" = "$(books 3)" ]
	[ -z "$(uniq -d have)" ]
	[ "$(reported got)" = "$(books 5)" ]
	sanitized || [ "$peak" -lt 40960 ] || fail "$peak KiB"
}
