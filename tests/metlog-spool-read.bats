# metlog-spool-read.bats - the verbs of metlog-spool that only read: cat, replay, status.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load family
	load spool
	cd "$BATS_TEST_TMPDIR"
}

teardown() { tidy_up; }

# spool_of_three: the spool `s` of three sealed segments, 1 to 9.
spool_of_three() {
	local from
	for from in 1 4 7; do lines $from $((from + 2)) | metlog-spool write s; done
}
nth() { segments ndjson | sed -n "$1p"; }

# snapshot: names, sizes, times and modes of all that is in the spool.
snapshot() { find s -printf '%p %s %T@ %C@ %m\n' | sort; }

# --- cat ------------------------------------------------------------------------

@test "cat: all envelopes, oldest first, also of the segment that is being written; nothing is changed by it" {
	spool_of_three
	start_writer --segment-age 0 --compress zstd
	feed 10 12
	await 10 stored 1 12
	snapshot >before
	metlog-spool cat s >/dev/null
	metlog-spool status s >/dev/null
	metlog-spool replay s >/dev/null
	snapshot | cmp - before
	end_writer
	expect_stored 1 12
}

@test "cat: -m, --since and --until choose, and the books balance" {
	spool_of_three
	separately metlog-spool cat s -S 2012-10-05T00:00:03Z -U 2012-10-05T00:00:08Z -m 'payload != "5"' --stats stats
	expect_status 0
	{ lines 3 4; lines 6 7; } | cmp - "$out"
	[ "$(count stats read)" = 9 ] && [ "$(count stats passed)" = 4 ] && balanced stats
}

@test "cat --failed and --delivered: the segments of these folders instead, or of both" {
	spool_of_three
	mkdir -m 700 s/failed s/delivered
	mv "$(nth 1)" s/failed
	mv "$(nth 1)" s/delivered
	metlog-spool cat s | cmp - <(lines 7 9)
	metlog-spool cat s --failed | cmp - <(lines 1 3)
	metlog-spool cat s --delivered | cmp - <(lines 4 6)
	metlog-spool cat s --delivered --failed | cmp - <(lines 1 6)
}

@test "cat: of a damaged segment the good lines are written, it is named, and the status is 65" {
	spool_of_three
	damaged=$(nth 2)
	sed -i '2s/payload/pAyload/' "$damaged"
	separately metlog-spool cat s
	expect_status 65
	expect_in "$err" "$damaged"
	expect_in "$err" checksum
	[ "$(wc -l <"$out")" -eq 9 ]
	sed -i 2s/.*/nonsense/ "$damaged"
	separately metlog-spool cat s --stats stats
	expect_status 65
	{ lines 1 4; lines 6 9; } | cmp - "$out"
	expect_in "$err" "$damaged:2"
	balanced stats
	: >"$damaged"
	separately metlog-spool cat s
	expect_status 65
	{ lines 1 3; lines 7 9; } | cmp - "$out"
}

@test "cat: what is no spool is 66, and what lies about in one is not read" {
	separately metlog-spool cat nothing
	expect_status 66
	mkdir empty
	separately metlog-spool cat empty
	expect_status 66
	expect_in "$err" 'no spool'
	: >file
	separately metlog-spool cat file
	expect_status 66
	spool_of_three
	echo nonsense | tee s/note s/.tmp.x s/000000000001.ndjson s/000000000001-20121005T120001Z-8a7b6c5d.gz >/dev/null
	ln -s "$PWD/file" s/000000000099-20121005T120001Z-8a7b6c5d.ndjson
	separately metlog-spool cat s
	expect_status 66
	expect_in "$err" 000000000099
	lines 1 9 | cmp - "$out"
}

@test "cat beside a writer and a drain: everything once at most, in order, no torn line" {
	lines 1 60000 >many
	metlog-spool write s --segment-bytes 64Ki --sync none many &
	children=" $!"
	await 10 test -d s
	await 10 metlog-spool status s
	metlog-spool drain s -- cat >/dev/null 2>&1 &
	drain=$!
	children+=" $drain"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		metlog-spool cat s --strict >found
		grep -o '"payload":"[0-9]*' found | tr -dc '0-9\n' | awk '$1 <= last { print "after " last " comes " $1; exit 1 } { last = $1 }'
	done
	kill -TERM "$drain"
}

@test "cat beside a writer: what is shown has no gap, however segments are sealed meanwhile" {
	lines 1 12000 >many
	metlog-spool write s --segment-bytes 2Ki --sync none many &
	children=" $!"
	await 10 test -e s/lock
	while kill -0 "${children# }" 2>/dev/null; do
		metlog-spool cat s >found
		head -n "$(wc -l <found)" many | cmp - found
	done
}

@test "cat -f goes on: with the segment that is written, with those behind it, until a signal" {
	start_writer --segment-age 0
	feed 1 3
	await 10 stored 1 3
	metlog-spool cat -f s >live 2>err 8>&- &
	reader=$!
	children+=" $reader"
	holds() { lines 1 "$1" | cmp -s - live; }
	await 10 holds 3
	feed 4 6
	await 10 holds 6
	kill -HUP "$writer"
	await 10 sealed 1
	feed 7 9
	await 10 holds 9
	end_writer
	lines 10 12 | metlog-spool write s --compress zstd
	await 10 holds 12
	kill -TERM "$reader"
	status=0
	wait "$reader" || status=$?
	expect_status 0
	expect_empty err
}

@test "cat: a reader that goes away ends it quietly, also while it waits" {
	lines 1 50000 | metlog-spool write s
	metlog-spool cat s 2>err | head -1 >/dev/null
	[ "${PIPESTATUS[0]}" -ne 74 ]
	expect_empty err
	timeout 30 metlog-spool cat -f s 2>err | head -1 >/dev/null
	[ "${PIPESTATUS[0]}" -ne 124 ]
	separately metlog-spool cat s >/dev/full
	status=0
	metlog-spool cat s >/dev/full 2>err || status=$?
	err=err expect_status 74
}

# --- replay -----------------------------------------------------------------------

@test "replay: delivered segments that are kept and those of the spool, in one order" {
	for from in 1 4 7 10; do lines $from $((from + 2)) | metlog-spool write s; done
	mkdir -m 700 s/delivered
	mv "$(nth 1)" s/delivered
	mv "$(nth 2)" s/delivered
	metlog-spool replay s | cmp - <(lines 1 12)
	metlog-spool replay s -S 2012-10-05T00:00:03Z -U 2012-10-05T00:00:08Z | cmp - <(lines 3 7)
}

@test "replay --speed keeps the pace of the stamps, and what is due is out before it pauses" {
	lines 1 4 | metlog-spool write s
	# Three seconds of stamps, ten times as fast.
	start=$(date +%s%N)
	metlog-spool replay s --speed 10 >found
	took=$((($(date +%s%N) - start) / 1000000))
	lines 1 4 | cmp - found
	[ "$took" -ge 290 ] || fail "it took $took ms"
	metlog-spool replay s --speed 0.001 >slow &
	reader=$! children=" $!"
	await 10 test -s slow
	kill -TERM "$reader"
	status=0
	wait "$reader" || status=$?
	expect_status 0
	lines 1 1 | cmp - slow
}

@test "replay --max-gap: no pause is longer; without stamps or in disorder there is none" {
	{ lines 1 2; lines 40000 40001; echo '{"payload":"none"}'; lines 3 4; } >odd
	metlog-spool write s odd
	timeout 60 metlog-spool replay s --speed 100 --max-gap 10ms >found
	cmp odd found
}

@test "replay: a pause that is over before the reader has taken what was due is none" {
	need strace
	sanitized && skip "a sanitizer build cannot be traced"
	strace -o /dev/null -e inject=write:delay_exit=1000 true 2>/dev/null || skip "strace may not trace here"
	lines 1 4 | metlog-spool write s
	timeout 60 strace -o trace -P "$PWD/found" -e trace=write -e inject=write:delay_exit=100000 "$TOOLS/metlog-spool" replay s --speed 100 >found
	lines 1 4 | cmp - found
	[ "$(grep -c DELAYED trace)" -ge 2 ]
}

# --- status -------------------------------------------------------------------------

@test "status: how much waits and since when, who works on it, what failed" {
	spool_of_three
	mkdir -m 700 s/failed s/delivered s/quarantine
	mv "$(nth 1)" s/failed
	echo torn >s/quarantine/x.1
	start_writer --segment-age 0
	feed 10 12
	await 10 stored 4 12 # what was moved to failed/ is not among these
	metlog-spool status s >state
	grep -qE '^backlog +3 segments, 1 of them not sealed yet, .* 6 envelopes' state || fail "$(cat state)"
	grep -qE "^writer +process $writer\$" state || fail "$(cat state)"
	grep -qE '^drain +none$' state
	grep -qE '^failed +1 segment,' state
	grep -qE '^delivered +0 segments' state
	grep -qE '^quarantine +1 piece, 5 bytes' state
	grep -q 'drain --retry-failed' state
	grep -q 'metlog-tail DIR/quarantine' state
	grep -q "$(basename "$(nth 1)" .ndjson)" state
	kill -9 "$writer"
	wait "$writer" 2>/dev/null || true
	metlog-spool status s | grep -qE '^writer +none$'
}

@test "status --json: one envelope of type metlog.status" {
	spool_of_three
	separately metlog-spool status s --json
	expect_status 0
	[ "$(wc -l <"$out")" -eq 1 ]
	metlog-spool status s >state
	if grep -qE 'retry-failed|quarantine/' state; then fail "there is nothing to take back: $(cat state)"; fi
	metlog-route --strict -m 'type == "metlog.status" && fields.segments == 3 && fields.open == 0 && fields.records == 9 && fields.uncounted == 0 &&
		fields.failed.segments == 0 && fields.delivered.bytes == 0 && fields.quarantine.pieces == 0 && fields.oldest_age >= 0' "$out" | cmp - "$out"
	need jq
	[ "$(jq '.fields.writer, .fields.drain' "$out")" = "$(printf 'null\nnull')" ]
	[ "$(jq .fields.bytes "$out")" = "$(cat s/*.ndjson | wc -c)" ]
	printf '{"waiting":[{"segment":"x","attempts":3,"status":75,"next_attempt":"2012-10-05T12:00:01Z","reason":"it said \\u001b[31mno"}]}\n' >s/drain.json
	[ "$(metlog-spool status s --json | jq -c '.fields.waiting[0] | .attempts, .status')" = "$(printf '3\n75')" ]
	metlog-spool status s >state
	grep -qE '^waiting +x: 3 attempts, it said .*; next attempt 2012-10-05T12:00:01Z' state || fail "$(cat state)"
	! grep -q "$(printf '\033')" state || fail "it drives the terminal"
	echo nonsense >s/drain.json
	separately metlog-spool status s --json
	expect_status 0
	expect_in "$err" drain.json
	jq -e '.fields.waiting == []' "$out" >/dev/null
}

@test "status --verify: 65 and the name of each damaged segment, in failed/ and delivered/ too" {
	spool_of_three
	mkdir -m 700 s/failed
	metlog-spool status s --verify
	mv "$(nth 1)" s/failed
	sed -i '1s/1/2/' s/failed/*
	separately metlog-spool status s --verify
	expect_status 65
	expect_in "$err" s/failed/0
	grep -qE '^verified +3 sealed segments, 1 damaged' "$out"
}

@test "status --fail-over-age and --fail-over-bytes: exit 1, for monitoring" {
	spool_of_three
	metlog-spool status s --fail-over-age 1h --fail-over-bytes 1Mi
	separately metlog-spool status s --fail-over-bytes 100
	expect_status 1
	mv "$(nth 1)" s/000000000001-20121005T120001Z-8a7b6c5d.ndjson
	separately metlog-spool status s --fail-over-age 1h
	expect_status 1
	expect_in "$err" 000000000001-20121005T120001Z-8a7b6c5d
	metlog-spool drain --once -q s -- cat >/dev/null || true
	rm -f s/*.ndjson
	metlog-spool status s --fail-over-age 0 --fail-over-bytes 0
}

@test "status does not turn away a writer that starts meanwhile" {
	lines 1 1 | metlog-spool write s
	(until [ -e finished ]; do metlog-spool status s >/dev/null || exit; done) &
	children=" $!"
	for _ in {1..60}; do metlog-spool write s </dev/null; done
	touch finished
}

@test "a backlog of 1,000 segments: status, cat and a writer's start take under 16 MiB" {
	sanitized && skip "a sanitizer build"
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "valgrind has memory of its own"
	[ -x /usr/bin/time ] || skip "/usr/bin/time is not installed"
	lines 1 40000 | metlog-spool write s --sync none --segment-bytes 2k
	[ "$(segments ndjson | wc -l)" -ge 1000 ]
	for arguments in 'status s' 'cat s' 'replay s' 'write s'; do
		# shellcheck disable=SC2086
		/usr/bin/time -f 'peak %M' -o peak metlog-spool $arguments </dev/null >/dev/null
		[ "$(sed -n 's/^peak //p' peak)" -lt 16384 ] || fail "$arguments: $(cat peak)"
	done
}

@test "root may look into another user's spool" {
	[ "$(id -u)" = 0 ] || skip "not root"
	spool_of_three
	chown -R nobody s
	metlog-spool cat s | cmp - <(lines 1 9)
	metlog-spool status s --verify | grep -q '3 sealed segments, 0 damaged'
	separately metlog-spool write s </dev/null
	expect_status 73
}
