#!/usr/bin/env bats
# client-flood.bats - libmetlog: threads that send as fast as they can.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load recv
	cd "$BATS_TEST_TMPDIR"
	flood=$TOOLS/../tests/client/flood
	[ -x "$flood" ] || fail "tests/client/flood is not built"
	receiver=''
	# Under sanitizers, which know every byte that is written, a tenth must do.
	each=500000
	! sanitized || each=50000
}

teardown() { [ -z "$receiver" ] || { kill -CONT "$receiver"; kill "$receiver"; wait "$receiver"; } 2>/dev/null || true; }

# said NAME: of what the flood has printed.
said() { awk -v "n=$1" '$1 == n { print $2 }' "$out"; }
expect_said() { [ "$(said "$1")" = "$2" ] || fail "$1 is $(said "$1"), not $2; $(cat "$err")"; }

# What each of two threads has sent stands in `got` once, in the order of its calls.
expect_each_once() {
	awk -F '"thread":|,"number":|}' -v "each=$each" '/"payload":"1","fields":{"name":"flood",/ && $3 == next_of[$2] + 0 { next_of[$2]++; next }
		wrong++ < 5 { print "line " NR ": number " next_of[$2] + 0 " of its thread is expected: " $0 }
		END { if (next_of[0] != each || next_of[1] != each) print "of thread 0 " next_of[0] + 0 ", of thread 1 " next_of[1] + 0 ", not " each }' got >wrong
	[ ! -s wrong ] || fail "$(cat wrong)"
}

@test "two threads that wait for room send a million messages by push:, and each arrives once, in the order of its thread's calls" {
	receive --from 'pull:tcp://127.0.0.1:*'
	separately "$flood" --count="$each" "push:$(endpoint pull)"
	expect_status 0
	expect_said calls $((2 * each))
	expect_said taken $((2 * each))
	expect_said dropped 0
	expect_said sent $((2 * each))
	expect_said unsent 0
	await_lines $((2 * each))
	stop
	expect_each_once
}
