# guard.bats - the guard's state under kills and errors: no value passes that it does not know, and none that it knows is forgotten.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load ../helper
	load faults
}

# points BEGIN MODE EVERY: each EVERY-th point of the short set, drawn anew each time; all of them in the long one.
points() {
	short --every "$3" --seed "$((RANDOM + 1))" -- --calls all
	if [ "$2" = error ]; then short --every "$3" --seed "$((RANDOM + 1))" -- --errors ENOSPC,EIO,EDQUOT,EMFILE,ENOMEM; fi
	faults guard "$1" "$2" "${set[@]}"
}

@test "a guard that makes its state may be killed in any call: another run comes to the same bytes" { points fresh kill 2; }
@test "so may one that goes on with it" { points next kill 2; }
@test "a full disk or an I/O error in any call: what passes is remembered, and no 0 where not all has passed" { points fresh error 4; points next error 4; }

@test "system calls that are interrupted change nothing in what is let in" {
	short --every 2 -- --every 1
	faults guard fresh error --errors EINTR "${set[@]}"
	faults guard next error --errors EINTR "${set[@]}"
}

@test "EIO of an fsync is 74, and it is not tried again: what the next run finds is held against what was safe before" {
	need strace
	sanitized && skip "a sanitizer build cannot be traced"
	strace -o /dev/null -e trace=fdatasync -e inject=fdatasync:error=EIO:when=1 true 2>/dev/null || skip "strace may not trace here"
	cd "$BATS_TEST_TMPDIR"
	printf '{"fields":{"r":"%s"}}\n' a b >in
	metlog-cardinality --guard --rule 'tag fields.r limit 3' --state state in >/dev/null
	cp state/admitted.mark before
	printf '{"fields":{"r":"%s"}}\n' a c >in
	separately strace -o trace -e trace=fdatasync -e inject=fdatasync:error=EIO:when=1 metlog-cardinality --guard --rule 'tag fields.r limit 3' --state state in
	expect_status 74
	expect_in "$err" 'state/admitted.ndjson: Input/output error'
	[ "$(grep -c '^fdatasync' trace)" -eq 1 ]
	expect_same before state/admitted.mark
	separately metlog-cardinality --guard --rule 'tag fields.r limit 3' --state state in
	expect_status 0
	expect_same in "$out"
}

@test "where there is always input, what was let in is made safe again and again" {
	need strace
	sanitized && skip "a sanitizer build cannot be traced"
	strace -o /dev/null -e trace=fdatasync true 2>/dev/null || skip "strace may not trace here"
	cd "$BATS_TEST_TMPDIR"
	seq 1 8000 | sed 's/.*/{"fields":{"r":"v&"}}/' >in
	strace -o trace -e trace=fdatasync metlog-cardinality --guard --rule 'tag fields.r limit 8000' --state state in >out
	expect_same in out
	most=$(($(stat -c %s state/admitted.ndjson) / 65536))
	[ "$(grep -c '^fdatasync' trace)" -ge "$most" ]
	[ "$most" -ge 5 ]
}
