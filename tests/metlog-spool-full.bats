# metlog-spool-full.bats - metlog-spool write when there is no room, when it is killed, when the disk fails, when the clock jumps.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load family
	load spool
	cd "$BATS_TEST_TMPDIR"
}

teardown() { tidy_up; }

# --- full ---------------------------------------------------------------------

@test "a full disk with --when-full fail is 74: the spool, the reason and what is not stored are said, and the books balance" {
	small_disk 64k
	lines 1 5000 >many
	separately metlog-spool write disk/s --reserve 0 --when-full fail --stats stats many
	expect_status 74
	expect_in "$err" disk/s
	expect_in "$err" 'No space left on device'
	expect_in "$err" 'not stored: '
	[ "$(wc -l <"$err")" -eq 1 ] || fail "$(cat "$err")"
	kept=$(count stats kept)
	[ "$kept" -gt 0 ]
	[ "$(count stats read)" -eq $((kept + $(count stats unstored))) ]
	metlog-spool cat disk/s >found
	[ "$(wc -l <found)" -eq "$kept" ]
	lines 1 "$kept" | cmp - found
}

@test "a full disk with --when-full block: the writer waits, says so once, goes on when there is room, and loses nothing" {
	small_disk 128k
	head -c 90000 /dev/zero >disk/filler
	lines 1 900 >many
	metlog-spool write disk/s --reserve 0 --tee <many >teed 2>said &
	writer=$! children=$!
	await 10 grep -q 'waiting for room' said
	metlog-spool status disk/s >state
	expect_in state "process $writer"
	metlog-spool cat disk/s >before
	lines 1 "$(wc -l <before)" | cmp - before
	[ "$(wc -l <teed)" -le "$(wc -l <before)" ]
	rm disk/filler
	status=0
	wait "$writer" || status=$?
	err=said expect_status 0
	[ "$(wc -l <said)" -eq 1 ] || fail "$(cat said)"
	metlog-spool cat disk/s | cmp - many
	cmp many teed
	metlog-spool status disk/s --verify
}

@test "SIGTERM while it waits for room is 75, and says how many envelopes were read and are not stored" {
	small_disk 64k
	lines 1 5000 >many
	metlog-spool write disk/s --reserve 0 --stats stats <many 2>said &
	writer=$! children=$!
	await 10 grep -q 'waiting for room' said
	kill -TERM "$writer"
	status=0
	wait "$writer" || status=$?
	err=said expect_status 75
	unstored=$(count stats unstored) kept=$(count stats kept)
	expect_in said "not stored: $unstored"
	[ "$(count stats read)" -eq $((kept + unstored)) ]
	metlog-spool cat disk/s >found
	lines 1 "$kept" | cmp - found
}

@test "a spool at its --max-bytes: fail ends, drop-oldest goes on without the oldest, block waits for the drain" {
	lines 1 4000 >many
	separately metlog-spool write fails --segment-bytes 16Ki --max-bytes 64Ki --when-full fail many
	expect_status 74
	expect_in "$err" fails
	separately metlog-spool write drops --segment-bytes 16Ki --max-bytes 64Ki --when-full drop-oldest --stats stats many
	expect_status 0
	metlog-spool cat drops >found
	tail -n "$(wc -l <found)" many | cmp - found
	[ "$(count stats kept)" = 4000 ]
	[ "$(count stats dropped_oldest)" -eq $((4000 - $(wc -l <found))) ]
	metlog-spool write s --segment-bytes 16Ki --max-bytes 64Ki many 2>said &
	writer=$! children=$!
	await 10 grep -q 'waiting for room' said
	: >drained
	until [ "$(wc -l <drained)" -eq 4000 ]; do
		metlog-spool drain --once s -- cat >>drained
		[ "$SECONDS" -lt 60 ] || fail "after a minute $(wc -l <drained) of 4000"
	done
	wait "$writer"
	cmp many drained
}

# --- killed ---------------------------------------------------------------------

@test "kill -9 at any moment: what --tee had passed on is in the spool, no line is torn, and the next writer goes on" {
	: >accepted
	for round in 1 2 3 4 5 6 7 8; do
		rm -f feed && mkfifo feed
		metlog-spool write s --tee --sync-bytes 4Ki --segment-bytes 32Ki <feed >>accepted 2>said &
		writer=$! children+=" $!"
		lines $((round * 100000)) $((round * 100000 + 90000)) >feed &
		feeder=$! children+=" $!"
		size=$(stat -c %s accepted)
		await 10 bash -c "[ \"\$(stat -c %s accepted)\" -gt $((size + round * 3000)) ]"
		kill -9 "$writer"
		wait "$writer" "$feeder" 2>/dev/null || true
	done
	metlog-spool write s </dev/null
	metlog-spool cat s >found
	metlog-spool status s --verify
	metlog-route --strict -d - found >/dev/null
	# A line that the kill has cut in the pipe to `accepted` is none that was passed on whole.
	grep '}$' accepted | sort >should
	sort found | comm -23 should - >lost
	expect_empty lost
	[ "$(sort found | uniq -d | wc -l)" -eq 0 ]
}

@test "a torn end that a crash left goes to quarantine, whole lines stay, and that is said" {
	start_writer --segment-age 0
	feed 1 3
	await 10 stored 1 3
	kill -9 "$writer"
	wait "$writer" 2>/dev/null || true
	printf '{"type":"to' >>"$(segments open)"
	separately metlog-spool write s <<<'{"type":"n"}'
	expect_status 0
	expect_in "$err" quarantine
	[ "$(metlog-spool cat s | wc -l)" -eq 4 ]
	[ "$(cat s/quarantine/*)" = '{"type":"to' ]
	metlog-spool status s >state
	grep -qE '^quarantine +1 piece' state
}

# --- errors of the disk, the clock ------------------------------------------------

@test "an fsync that fails: 74 at once, nothing more passes --tee, and it is not tried again" {
	need strace
	sanitized && skip "a sanitizer build cannot be traced"
	strace -o /dev/null -e inject=fsync:error=EIO true 2>/dev/null || skip "strace may not trace here"
	lines 1 5000 >many
	status=0
	strace -f -o trace -e trace=fsync,fdatasync -e inject=fdatasync:error=EIO:when=5+ \
		"$TOOLS/metlog-spool" write s --tee --sync-bytes 8Ki --stats stats many >teed 2>said || status=$?
	err=said expect_status 74
	expect_in said 'Input/output error'
	[ "$(grep -c 'fdatasync.*INJECTED' trace)" -eq 1 ]
	[ "$(count stats read)" -eq $(($(count stats kept) + $(count stats unstored))) ]
	[ "$(wc -l <teed)" -eq "$(count stats kept)" ]
	head -n "$(wc -l <teed)" many | cmp - teed
	metlog-spool write s </dev/null
	metlog-spool cat s >found
	[ "$(wc -l <found)" -ge "$(wc -l <teed)" ]
	head -n "$(wc -l <found)" many | cmp - found
}

@test "a clock that jumps back a year: segments keep their order" {
	need faketime
	sanitized && skip "a sanitizer build"
	lines 1 3 | metlog-spool write s
	lines 4 6 | faketime -f -1y metlog-spool write s
	lines 7 9 | metlog-spool write s
	expect_stored 1 9
	lines 1 2 | faketime '2099-01-01 00:00:00' metlog-spool write future
	lines 3 4 | metlog-spool write future
	metlog-spool cat future >found
	lines 1 4 | cmp - found
	metlog-spool status future | grep -q '0 s ago'
}
