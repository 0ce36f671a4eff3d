# metlog-cardinality-sketch.bats - sketches that are files, as Redis keeps them: what --sketch writes and --merge reads.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load helper
	load cardinality
	cd "$BATS_TEST_TMPDIR" || return
}

@test "--sketch writes the sketch as Redis keeps it, sparse or dense, and the number is the one Redis answers for it" {
	for n in 000000 000001 000100 000240 000257 001000 020000; do
		numbers 1 "$((10#$n))" >in
		metlog-cardinality --of fields.id --sketch "s.$n" in >>gauges
	done
	diff <(redis number s.*) <(jq -r .payload gauges)
	[ "$(jq .fields.error gauges | sort -u)" = 0.0081 ]
	[ "$(stat -c %s s.020000)" = 12304 ]
	[ "$(stat -c %s s.000100)" -lt 600 ]
}

@test "--merge counts the union of such files, and with --sketch writes it" {
	numbers 1 60000 >all
	numbers 1 40000 | metlog-cardinality --of fields.id --sketch a >/dev/null
	numbers 39900 60000 | metlog-cardinality --of fields.id --sketch b >/dev/null
	numbers 59901 60000 | metlog-cardinality --of fields.id --sketch c >/dev/null
	metlog-cardinality --of fields.id --sketch whole all >/dev/null
	{ total --merge a b c && total --merge --sketch union c - b <a && total --merge <a; } >got
	diff <(redis number whole whole a) got
	diff <(redis registers whole) <(redis registers union)
	near 60000 "$(head -1 got)"
}

@test "a newline behind a sketch, as redis-cli leaves it, does no harm" {
	numbers 1 100 | metlog-cardinality --of fields.id --sketch a >/dev/null
	{ cat a; echo; } >b
	[ "$(total --merge b)" = "$(redis number a)" ]
}

@test "a file that is no sketch is told with its name and why; nothing is counted, nothing is written" {
	numbers 1 100 | metlog-cardinality --of fields.id --sketch good >/dev/null
	echo 'HYLL no sketch at all' >bad
	head -c 5000 /dev/urandom >worse
	separately metlog-cardinality --merge --sketch union good bad worse
	expect_status 65
	expect_empty "$out"
	[ ! -e union ]
	expect_in "$err" 'bad: '
	expect_in "$err" 'worse: '
	separately metlog-cardinality --merge good missing
	expect_status 66
	expect_in "$err" missing
	separately metlog-cardinality --merge good . </dev/null
	expect_status 66
	separately metlog-cardinality --merge </dev/null
	expect_status 65
}

@test "a --merge that is stopped before it has read all unites nothing, and says so with 75" {
	numbers 1 100 | metlog-cardinality --of fields.id --sketch one >/dev/null
	mkfifo two
	metlog-cardinality --merge one two --sketch union >out 2>err &
	exec 7>two
	await 10 catches $! 15
	kill -TERM $!
	exec 7>&-
	status=0
	wait $! || status=$?
	expect_status 75
	expect_empty out
	[ ! -e union ]
	expect_in err 'two: stopped before all of it was read'
}

@test "--sketch replaces its file whole: where that fails the old one stands, and the status is 73 or 74" {
	numbers 1 100 | metlog-cardinality --of fields.id --sketch s >/dev/null
	cp s before
	numbers 1 1000 >in
	separately metlog-cardinality --of fields.id --sketch no/such/directory in
	expect_status 73
	expect_empty "$out"
	expect_in "$err" no/such/directory
	separately metlog-cardinality --of fields.id --sketch /dev/full in
	expect_status 74
	(ulimit -f 0 && trap '' XFSZ && separately metlog-cardinality --of fields.id --sketch s in 2>/dev/null) || true
	expect_same before s
	[ "$(find . -name 's?*' | wc -l)" = 0 ]
}
