# metlog-cardinality-guard-state.bats - what the guard has let in is remembered: over runs, kills, full disks; and what is damaged is refused.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154,SC2164

setup() {
	load helper
	load family
	cd "$BATS_TEST_TMPDIR"
	guard=''
}

teardown() {
	[ -z "$guard" ] || kill -9 "$guard" 2>/dev/null || true
	[ ! -d "${mounted-}" ] || umount -l "$mounted"
}

# remembers N: that many lines, and more, are in the state.
remembers() { [ "$(wc -l <state/admitted.ndjson)" -gt "$1" ]; }

# values: those in the state, in their order.
values() { grep -o '"value":"[^"]*"' state/admitted.ndjson | cut -d'"' -f4; }

@test "what was let in is remembered: the next run goes on where the last one was" {
	printf '{"fields":{"r":"%s"}}\n' a b >in
	separately metlog-cardinality --guard --rule 'tag fields.r limit 2' --state state in
	expect_status 0
	[ "$(stat -c %a state)" = 700 ]
	[ "$(stat -c %a state/admitted.ndjson)" = 600 ]
	printf '{"fields":{"r":"%s"}}\n' c b a >in
	printf '{"fields":{"r":"%s"}}\n' other b a >expected
	separately metlog-cardinality --guard --rule 'tag fields.r limit 2' --state state in
	expect_same expected "$out"
	# A limit that is raised lets more in, one that is lowered lets the first in; another condition is another rule.
	printf '{"fields":{"r":"%s"}}\n' c b d >expected
	printf '{"fields":{"r":"%s"}}\n' c b d >in
	separately metlog-cardinality --guard --rule 'tag fields.r limit 4 -> x' --state state in
	expect_same expected "$out"
	printf '{"fields":{"r":"%s"}}\n' x x x >expected
	separately metlog-cardinality --guard --rule 'tag fields.r limit 1 -> x' --state state in
	expect_same expected "$out"
	printf '{"fields":{"r":"%s"}}\n' c x x >expected
	separately metlog-cardinality --guard --rule 'tag fields.r limit 1 -> x if TRUE' --state state in
	expect_same expected "$out"
	separately metlog-route -m TRUE state/admitted.ndjson
	expect_status 0
}

@test "odd values are remembered as well as plain ones: long ones by their hash, and with every byte there can be" {
	long=$(printf 'x%.0s' $(seq 257))
	printf '{"fields":{"r":%s}}\n' '""' '"\u0000"' '"\u0000h"' '"\"\\\n\u001f"' '"\ud83d\udd25"' '"\ud800"' "\"$long\"" "\"${long}y\"" "\"${long%x}\"" '{"a":"b"}' >in
	separately metlog-cardinality --guard --rule 'tag fields.r limit 10 per fields.r' --rule 'tag fields.r limit 10' --state state in
	expect_same in "$out"
	[ "$(grep -c value_hash state/admitted.ndjson)" -eq 8 ]
	echo '{"fields":{"r":"new"}}' >>in
	{ head -n 10 in; echo '{"fields":{"r":"other"}}'; } >expected
	cp state/admitted.ndjson before
	separately metlog-cardinality --guard --rule 'tag fields.r limit 10' --state state in
	expect_status 0
	expect_same expected "$out"
	expect_same before state/admitted.ndjson
}

@test "killed in mid-stream and started anew, it has let in what it would have without" {
	awk 'BEGIN { srand(3); for (i = 0; i < 60000; i++) printf "{\"fields\":{\"r\":\"v%d\",\"n\":%d}}\n", int(rand() * 9000), i }' >in
	grep -o '"v[0-9]*"' in | awk '!seen[$0]++' | head -n 3000 | tr -d '"' >first
	mkfifo feed
	for at in 1 700 2500; do
		metlog-cardinality --guard --rule 'tag fields.r limit 3000' --state state <feed >killed &
		guard=$!
		exec 8>feed # held, so that the input has no end before the kill
		cat in >&8 &
		feeder=$!
		await 20 remembers "$at"
		kill -9 "$guard"
		wait "$guard" 2>/dev/null || true
		wait "$feeder" 2>/dev/null || true # it has nobody to write to
		exec 8>&-
		guard=''
		values | sort >known
		grep -o '"v[0-9]*"' killed | tr -d '"' | sort -u >passed
		[ -z "$(comm -13 known passed)" ] || fail "passed, and not remembered: $(comm -13 known passed | head -3)"
	done
	separately metlog-cardinality --guard --rule 'tag fields.r limit 3000' --state state in
	expect_status 0
	values >known
	expect_same first known
	metlog-cardinality --guard --rule 'tag fields.r limit 3000' in >whole
	expect_same whole "$out"
}

@test "where a value cannot be remembered it does not pass: 74, and the books balance" {
	awk 'BEGIN { for (i = 0; i < 50; i++) printf "{\"fields\":{\"r\":\"v%d\"}}\n", i }' >in
	limited() ( trap '' XFSZ; ulimit -f 1; metlog-cardinality --guard --rule 'tag fields.r limit 100' --state state --stats /dev/fd/7 in 7>&1 1>&6 )
	separately limited 6> >(cat >passed) 7>&1
	expect_status 74
	expect_in "$err" 'state/admitted.ndjson: File too large'
	mv "$out" books
	balanced books
	await 5 test -s passed
	[ "$(tail -c 1 state/admitted.ndjson)" = '' ]
	values >known
	grep -o 'v[0-9]*' passed >out
	expect_same known out
	separately metlog-cardinality --guard --rule 'tag fields.r limit 100' --state state in
	expect_status 0
	expect_same in "$out"
}

@test "the same of a disk that is full" {
	[ "$(id -u)" = 0 ] || skip "only root can mount a small filesystem"
	mkdir disk
	mount -t tmpfs -o size=16k none disk 2>/dev/null || skip "tmpfs cannot be mounted here"
	mounted=$PWD/disk
	awk 'BEGIN { for (i = 0; i < 900; i++) printf "{\"fields\":{\"r\":\"v%d\"}}\n", i }' >in
	separately metlog-cardinality --guard --rule 'tag fields.r limit 1000' --state disk/state --stats books in
	expect_status 74
	expect_in "$err" 'No space left on device'
	balanced books
	grep -o '"value":"[^"]*"' disk/state/admitted.ndjson | cut -d'"' -f4 >known
	grep -o 'v[0-9]*' "$out" >passed
	expect_same known passed
	mount -o remount,size=1m "$mounted"
	separately metlog-cardinality --guard --rule 'tag fields.r limit 1000' --state disk/state in
	expect_status 0
	expect_same in "$out"
}

@test "a last line that was not written whole is taken off with a word; any other damage is refused, and nothing is changed" {
	run_guard() { separately metlog-cardinality --guard --rule 'tag fields.r limit 3' --state state in; }
	printf '{"fields":{"r":"%s"}}\n' a b >in
	run_guard
	cp state/admitted.mark mark
	printf '{"fields":{"r":"%s"}}\n' a b c >in
	run_guard
	cp state/admitted.ndjson good
	for cut in 1 20 40; do
		head -c -"$cut" good >state/admitted.ndjson
		cp mark state/admitted.mark # the last value was not saved yet
		run_guard
		expect_status 0
		expect_in "$err" 'state/admitted.ndjson: its last line was not written whole'
		expect_same in "$out"
		expect_same good state/admitted.ndjson
	done
	for damage in 's/"b"/"B"/' '3d' '4h;3G' 's/sum/sun/' '2s/limit/keep/' '1s/1/2/' '$s/.*/x/' '$s/$/\x00/'; do
		sed "$damage" good >state/admitted.ndjson
		if cmp -s good state/admitted.ndjson; then sed '3{h;d};4G' good >state/admitted.ndjson; fi
		cp state/admitted.ndjson damaged
		run_guard
		expect_status 78 || fail "$damage"
		expect_in "$err" 'the state is not used, and stays as it is'
		expect_empty "$out"
		expect_same damaged state/admitted.ndjson
	done
}

@test "a state that was cut, emptied, exchanged or taken away since it was saved is refused, wherever that was; it says how to go on with the rest" {
	run_guard() { separately metlog-cardinality --guard --rule 'tag fields.r limit 2' --state state in; }
	printf '{"fields":{"r":"%s"}}\n' x y >in
	run_guard
	mv state other
	printf '{"fields":{"r":"%s"}}\n' a b >in
	run_guard
	cp -r state good
	for lines in 3 2 1 0; do
		head -n "$lines" good/admitted.ndjson >state/admitted.ndjson
		cp state/admitted.ndjson damaged
		run_guard
		expect_status 78
		expect_in "$err" "state/admitted.ndjson: it has $(stat -c %s damaged) bytes, and had $(stat -c %s good/admitted.ndjson) when it was last saved"
		expect_in "$err" 'remove state/admitted.mark'
		expect_empty "$out"
		expect_same damaged state/admitted.ndjson
		expect_same good/admitted.mark state/admitted.mark
	done
	cp other/admitted.ndjson state/admitted.ndjson
	run_guard
	expect_status 78
	expect_in "$err" 'state/admitted.ndjson: it is not the file that was last saved'
	rm state/admitted.ndjson
	run_guard
	expect_status 78
	expect_in "$err" 'state/admitted.ndjson: it is not there'
	[ ! -e state/admitted.ndjson ]
	for damage in d 's/bytes":/&1/' 's/"sum":"./&g/' 's/}}//' 's/version":1/version":2/' 's/$/ /'; do
		cp good/admitted.ndjson state
		sed "$damage" good/admitted.mark >state/admitted.mark
		run_guard
		expect_status 78 || fail "$damage"
		expect_in "$err" 'state/admitted.mark: it is damaged'
		expect_same good/admitted.ndjson state/admitted.ndjson
	done
	# One of before there were marks is taken as it is, and has one from then on.
	head -n 3 good/admitted.ndjson >state/admitted.ndjson
	rm state/admitted.mark
	printf '{"fields":{"r":"%s"}}\n' c a b >in
	printf '{"fields":{"r":"%s"}}\n' c a other >expected
	run_guard
	expect_status 0
	expect_same expected "$out"
	[ "$(sed 's/.*"bytes":\([0-9]*\).*/\1/' state/admitted.mark)" -eq "$(stat -c %s state/admitted.ndjson)" ]
	# What the mark tells of is there, and more: a run was killed before it could save.
	cp good/admitted.mark state/admitted.mark
	cp good/admitted.ndjson state/admitted.ndjson
	printf '{"fields":{"r":"%s"}}\n' a c >in
	separately metlog-cardinality --guard --rule 'tag fields.r limit 3' --state state in
	cp good/admitted.mark state/admitted.mark
	separately metlog-cardinality --guard --rule 'tag fields.r limit 3' --state state in
	expect_status 0
	expect_same in "$out"
}

@test "what was not safe yet when the power failed may be torn: it is taken off with a word, and what stands before it is known" {
	run_guard() { separately metlog-cardinality --guard --rule 'tag fields.r limit 4' --state state in; }
	printf '{"fields":{"r":"%s"}}\n' a b >in
	run_guard
	cp state/admitted.mark mark
	printf '{"fields":{"r":"%s"}}\n' c d >in
	run_guard
	cp state/admitted.ndjson good
	printf '{"fields":{"r":"%s"}}\n' d e a b c >in
	printf '{"fields":{"r":"%s"}}\n' d e a b other >expected
	for torn in '5s/c/C/' '5s/.*/rubbish/' '5s/c.*/\x00\x00/' 5d; do
		sed "$torn" good >state/admitted.ndjson
		cp mark state/admitted.mark
		run_guard
		expect_status 0 || fail "$torn"
		expect_in "$err" 'state/admitted.ndjson:5: from here on it was not safe on disk yet when the power failed ('
		expect_same expected "$out"
		separately metlog-cardinality --guard --rule 'tag fields.r limit 4' --state state expected
		expect_empty "$err"
		expect_same expected "$out"
	done
	sed '4s/b/B/' good >state/admitted.ndjson # what was safe is another matter
	cp mark state/admitted.mark
	run_guard
	expect_status 78
}

@test "a state has one owner, and a link in its place is refused" {
	mkfifo pipe
	metlog-cardinality --guard --rule 'tag fields.r limit 3' --state state <pipe >/dev/null &
	guard=$!
	exec 8>pipe
	await 5 test -s state/admitted.ndjson
	echo '{}' >in
	separately metlog-cardinality --guard --rule 'tag fields.r limit 3' --state state in
	expect_status 73
	expect_in "$err" "opening the state state: process $guard works with it"
	exec 8>&-
	wait "$guard"
	guard=''
	ln -s state link
	separately metlog-cardinality --guard --rule 'tag fields.r limit 3' --state link in
	expect_status 73
	mv state/admitted.ndjson elsewhere
	ln -s ../elsewhere state/admitted.ndjson
	separately metlog-cardinality --guard --rule 'tag fields.r limit 3' --state state in
	expect_status 73
}
