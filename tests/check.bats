# check.bats - what contrib/check.sh makes of the results of a suite: it counts each test once, and names what failed and what was left out.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
}

# counts: what check.sh would say of the TAP stream on standard input; the last line is its sum.
counts() {
	cat >log
	separately bash -c '. "$SOURCE/contrib/tap.bash"
		passed=0 failed=0 skipped=0 failures=()
		skip() { skipped=$((skipped + 1)); echo "skipped: $1"; }
		failure() { failed=$((failed + 1)); failures+=("$1"); }
		count_tap suite log
		printf "FAILED: %s\n" "${failures[@]}"
		echo "$passed passed, $failed failed, $skipped skipped"'
	expect_status 0
}

@test "a test that was left out is a skip with its name and its reason, whichever of ok and not ok stands before it" {
	counts <<'T'
1..5
ok 1 - one
# no room
not ok 2 # SKIP two_of_cmocka
not ok 3 # SKIP three_without_a_reason
ok 4 four of bats # skip no python (3.8)
ok 5 five of an older bats # skip (no node)
# ok - tests
T
	[ "$(tail -1 "$out")" = '1 passed, 0 failed, 4 skipped' ]
	expect_same <(grep '^skipped' "$out") - <<'T'
skipped: suite: two_of_cmocka [no room]
skipped: suite: three_without_a_reason
skipped: suite: four of bats [no python (3.8)]
skipped: suite: five of an older bats [no node]
T
}

@test "a test that failed is counted and named once, with what it said; a skip beside it is not shown as failed" {
	counts <<'T'
1..4
ok 1 one
not ok 2 skips nothing
# the reason of two
not ok 3 # SKIP three
# beside three
not ok 4 - four
T
	[ "$(tail -1 "$out")" = '1 passed, 2 failed, 1 skipped' ]
	expect_same <(grep -E '^FAILED|\|' "$out") - <<'T'
   | not ok 2 skips nothing
   | # the reason of two
   | not ok 4 - four
FAILED: suite: 2 skips nothing
FAILED: suite: 4 - four
T
}

@test "tests that were planned and never ran have failed, and so has a suite without a plan" {
	printf '1..5\nok 1 one\nok 2 two\n1..2\nok 1 one\n' | { counts; tail -1 "$out" >sum; grep FAILED "$out" >>sum; }
	expect_same sum - <<'T'
3 passed, 4 failed, 0 skipped
FAILED: suite: 4 tests did not run to their end
T
	counts <<<'Segmentation fault'
	[ "$(tail -1 "$out")" = '0 passed, 1 failed, 0 skipped' ]
}
