# metlog-send-ack.bats - metlog-send to ack: and metlog-recv, through a spool and without, with either side killed, away, full or stopped.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load helper
	load recv
	cd "$BATS_TEST_TMPDIR" || exit
	to=ack:ipc://$PWD/socket
	receiver=
	children=
}

teardown() {
	local pid
	for pid in $receiver $children; do kill -9 "$pid" 2>/dev/null || true; done
}

# far_side OPTION...: a receiver that keeps in the spool `kept`.
far_side() { receive --from "$to" --spool kept "$@" 7>&-; } # whoever holds the other end of a fifo keeps its reader waiting
die() { kill -9 "$receiver" && ! wait "$receiver"; rm -f socket; }
kept() { metlog-spool cat kept 2>/dev/null; }
kept_lines() { [ "$(kept | wc -l)" -ge "$1" ]; }
await_kept() { await 20 kept_lines "$1" || fail "expected $1 envelopes, $(kept | wc -l) are kept"; }
payloads() { awk -F '"payload":"' '{ sub(/".*/, "", $2); print $2 }'; }

# is_empty DIR: the spool holds no envelope.
is_empty() { [ -z "$(metlog-spool cat "$1")" ]; }

@test "ack: exit status 0 says that the envelope is on the far side's disk" {
	far_side
	separately metlog-send --to "$to" hello
	expect_status 0
	die
	[ "$(kept | payloads)" = hello ]
}

@test "ack: many envelopes arrive once, in order, byte for byte; through a spool too" {
	seq 50000 | metlog-send >input
	far_side
	separately metlog-send --json --as-is --to "$to" --stats books input
	expect_status 0
	kept | cmp - input
	[ "$(count books passed)" = 50000 ]
	separately metlog-send --json --as-is --to "$to" --spool spool --stats books input
	expect_status 0
	kept | tail -n 50000 | cmp - input
	[ "$(count books forwarded)" = 50000 ]
	is_empty spool
	[ -z "$(find spool -name '*.ndjson*')" ]
	stop
}

@test "ack: the far side is killed again and again, and has each envelope once" {
	count=200000 # so that each of the six comes while there is more to send
	if sanitized; then count=40000; fi
	seq "$count" | metlog-send >input
	far_side
	metlog-send --json --as-is --to "$to" --timeout 30s input 2>errors &
	sender=$!
	for round in 1 2 3 4 5 6; do
		await 20 kept_lines $((round * 500))
		die
		far_side
	done
	wait $sender || fail "$(cat errors)"
	kept | cmp - input
	stop
}

@test "ack: with standard output the far side acknowledges what it has written" {
	seq 1000 | metlog-send >input
	receive --from "$to"
	separately metlog-send --json --as-is --to "$to" input
	expect_status 0
	expect_same got input
	stop
}

@test "ack: an envelope that the far side does not take is a reject on both sides" {
	far_side --max-line 300
	{
		metlog-send short
		head -c 500 /dev/zero | tr '\0' x | metlog-send
		metlog-send last
	} >input
	separately metlog-send --json --as-is --to "$to" --rejects rejects --stats books input
	expect_status 0
	[ "$(count books passed) $(count books rejected)" = '2 1' ]
	grep -q 'longer than --max-line' rejects
	[ "$(kept | payloads | tr '\n' ' ')" = 'short last ' ]
	stop 65
}

@test "--spool: a laptop: what the far side does not take is kept, over three runs, and goes when it is back" {
	for run in 1 2 3; do
		separately metlog-send --to "$to" --spool spool --timeout 100ms --stats books < <(seq "$run"00 "$run"99)
		expect_status 75
		expect_in "$err" "nobody is connected; ${run}00 envelopes are kept in spool and go with the next run"
		[ "$(count books kept) $(count books passed)" = '100 0' ]
	done
	far_side
	separately metlog-send --json --to "$to" --spool spool --stats books </dev/null
	expect_status 0
	expect_empty "$err"
	kept | payloads | cmp - <(seq 100 399)
	[ "$(count books read) $(count books forwarded)" = '0 300' ]
	is_empty spool
	stop
}

@test "--spool: input is taken while the far side is away, and sent when it is back, while the input is silent" {
	mkfifo fifo
	metlog-send --to "$to" --spool spool <fifo 2>errors &
	children=$!
	exec 7>fifo
	seq 1000 >&7
	held() { [ "$(metlog-spool cat spool 2>/dev/null | wc -l)" = 1000 ]; }
	await 10 held
	far_side
	await_kept 1000
	die
	seq 1001 2000 >&7
	far_side
	await_kept 2000
	exec 7>&-
	wait "$children"
	kept | payloads | cmp - <(seq 2000)
	expect_empty errors
	stop
}

@test "--spool: messages, metrics and timed commands go through it too" {
	far_side
	metlog-send --to "$to" --spool spool -T note two words
	metlog-send --to "$to" --spool spool --counter hits --gauge level=3
	metlog-send --to "$to" --spool spool --timer job -- true
	[ "$(kept | sed 's/.*"type":"\([^"]*\)".*/\1/' | tr '\n' ' ')" = 'note counter gauge timer ' ]
	stop
	separately metlog-send --to "$to" --spool spool --timeout 100ms --timer job -- sh -c 'exit 3'
	expect_status 3
	[ "$(metlog-spool cat spool | wc -l)" -eq 1 ]
}

@test "--spool: SIGTERM ends it: what was read is kept, 75" {
	mkfifo fifo
	metlog-send --to "$to" --spool spool --timeout 200ms <fifo 2>errors &
	sender=$!
	exec 7>fifo
	seq 10 >&7
	held() { [ "$(metlog-spool cat spool 2>/dev/null | wc -l)" = 10 ]; }
	await 10 held
	kill -TERM $sender
	status=0 err=errors
	wait $sender || status=$?
	expect_status 75
	expect_in errors '10 envelopes are kept in spool'
	metlog-spool cat spool | payloads | cmp - <(seq 10)
}

@test "--spool: two processes cannot use one: the second exits with 73" {
	mkfifo fifo
	metlog-send --to "$to" --spool spool <fifo &
	children=$!
	exec 7>fifo
	await 10 test -s spool/drain.lock # it says who has it
	separately metlog-send --to "$to" --spool spool x
	expect_status 73
	separately metlog-spool drain spool --once -- cat
	expect_status 73
	exec 7>&-
}

@test "--spool: the sender is killed twenty times: what was committed arrives, in order, and nothing twice" {
	far_side
	: >committed
	runs=20
	if sanitized; then runs=6; fi # ten times as slow
	for run in $(seq "$runs"); do
		seq "$run"0000 "$run"9999 | metlog-send --to "$to" --spool spool 2>/dev/null &
		sender=$!
		# At another moment each time: while the first segment begins, while it is full of envelopes, while acknowledgements come.
		await 10 kept_lines $((run * 100 * (run % 4))) || true
		kill -9 $sender 2>/dev/null || true
		wait $sender 2>/dev/null || true
		metlog-spool cat spool 2>/dev/null | payloads >>committed || true
	done
	separately metlog-send --json --to "$to" --spool spool --timeout 20s </dev/null
	expect_status 0
	kept | payloads >arrived
	[ -s arrived ] || fail 'nothing has arrived'
	[ -z "$(sort arrived | uniq -d)" ] || fail "twice: $(sort arrived | uniq -d | wc -l)"
	sort -n -c arrived
	[ -z "$(comm -13 <(sort -u arrived) <(sort -u committed))" ] || fail 'committed, and lost'
	# No hole: each run's arrived ones are its first ones.
	awk '{ run = int($1 / 10000); if ($1 != run * 10000 + seen[run]++) exit 1 }' arrived || fail 'a hole'
	stop
}

@test "--spool: a full one is 74 with --when-full fail, and nothing that it took is lost" {
	seq 20000 | metlog-send >input
	separately metlog-send --json --as-is --to "$to" --spool spool --max-bytes 1Mi --segment-bytes 100k --sync-bytes 50k --when-full fail --timeout 100ms \
		--stats books input
	expect_status 74
	expect_in "$err" 'spool: '
	held=$(metlog-spool cat spool | wc -l)
	[ "$held" -gt 1000 ]
	[ "$(count books kept)" = "$held" ]
	metlog-spool cat spool | cmp -n 500000 - input
	far_side
	separately metlog-send --json --to "$to" --spool spool </dev/null
	expect_status 0
	kept | cmp - <(head -n "$held" input)
	stop
}

@test "--spool: a full one makes the input wait until the far side is back" {
	seq 20000 | metlog-send >input
	metlog-send --json --as-is --to "$to" --spool spool --max-bytes 1Mi --segment-bytes 100k --sync-bytes 50k --timeout 30s input 2>errors &
	sender=$!
	full() { [ "$(metlog-spool cat spool 2>/dev/null | wc -l)" -gt 1000 ]; }
	await 20 full
	far_side
	wait $sender
	kept | cmp - input
	stop
}

@test "--spool: a key that the far side does not let in is 69, and the envelopes are kept" {
	metlog-recv --curve-keygen server.key
	metlog-recv --curve-keygen client.key
	metlog-recv --curve-keygen other.key
	mkdir clients
	cp client.key.pub clients/
	receive --from 'ack:tcp://127.0.0.1:*' --spool kept --curve-secret server.key --curve-clients clients
	at=$(endpoint ack)
	separately metlog-send --to "ack:$at" --spool spool --curve-server server.key.pub --curve-secret other.key hello
	expect_status 69
	expect_in "$err" 'does not let this key in; 1 envelope is kept in spool'
	separately metlog-send --json --to "ack:$at" --spool spool --curve-server server.key.pub --curve-secret client.key </dev/null
	expect_status 0
	[ "$(kept | payloads)" = hello ]
	stop
}

@test "--spool goes with ack: only, and its options with --spool only" {
	for line in '--spool spool' '--spool spool --to file:x' '--spool spool --to push:ipc://./x' '--to ack:ipc://./x --sync each' '--max-bytes 5'; do
		# shellcheck disable=SC2086
		separately metlog-send $line x
		expect_status 64
	done
	separately metlog-send --to "$to" --spool spool --sync sometimes x
	expect_status 64
	[ ! -e spool ]
}

@test "--dry-run touches no spool" {
	separately metlog-send -n --to "$to" --spool spool x
	expect_status 0
	[ ! -e spool ]
	[ "$(payloads <"$out")" = x ]
}
