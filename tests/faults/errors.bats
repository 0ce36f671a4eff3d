# errors.bats - each system call of a process fails, one after the other, for want of room or with an I/O error: nothing is said to be done that is not.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load ../helper
	load faults
}

sampled() {
	short --records 50 --every "$2" --seed "$((RANDOM + 1))" -- --records 50 --errors ENOSPC,EIO,EDQUOT,EMFILE,ENOMEM
	faults crashpoints "$1" error "${set[@]}"
}

@test "a writer that meets a full disk or an I/O error in any call loses nothing, and does not hang" { sampled batch 6; }
@test "a writer that commits each envelope does neither" { sampled each 14; }
@test "a writer that compresses does neither" { sampled compress 5; }
@test "nor does the recovery" { sampled recovery 3; }
@test "nor does a drain" { sampled drain 4; }
@test "nor does a receiver with a spool" { sampled receiver 9; }
@test "nor does a sender" { sampled sender 5; }
@test "nor does a sender with a spool of its own" { sampled holder 20; }

@test "metlog-to-cef: whichever allocation fails, the status is 70, nothing is refused for it, and what was written is whole lines" {
	need cc
	sanitized && skip "a sanitizer build has an allocator of its own"
	cd "$BATS_TEST_TMPDIR" || return 1
	cc -shared -fPIC -O1 -o nth.so "$SOURCE/tests/faults/nth_malloc.c"
	metlog-flood -q -c 15 >in
	printf '%s\n' '{"type":"cef","payload":"CEF:0|a|b|c|d|e|5|a-b=\u0031 x=\\"}' '{"type":"cef","fields":{"signature":"s","src":"::1","a\u0062":"\n"}}' >>in
	printf 'vendor = V\nevent x type == "counter"\n  signature = {fields.name}-{type}\n  src ?= {fields.id}\n  * = {fields}\n' >map
	metlog-to-cef --map map in >whole
	step=9
	[ "${FAULTS-}" != long ] || step=1
	status=1
	for ((nth = RANDOM % step + 1; status != 0 && nth < 1000; nth += step)); do
		separately timeout 120 env LD_PRELOAD="$PWD/nth.so" FAIL_NTH="$nth" metlog-to-cef --map map in
		[ "$status" -eq 0 ] || expect_status 70 || fail "allocation $nth: $(cat "$err")"
		written=$(wc -l <"$out")
		head -n "$written" whole | cmp - "$out" || fail "allocation $nth: $(cat "$out")"
	done
	[ "$status" -eq 0 ] || fail "none of 1000 allocations was the last"
}
