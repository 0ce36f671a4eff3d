# metlog-derive-tags.bats - whatever the fields hold, the tags and names that metlog-derive makes are safe for every dialect of statsd.
# SPDX-License-Identifier: MPL-2.0

setup_file() {
	load helper
	has python3 || return 0
	PYTHONUTF8=1 python3 "$SOURCE/tests/derive_tags.py" make 7 >"$BATS_FILE_TMPDIR/in"
}

setup() {
	load helper
	need python3
	cd "$BATS_TEST_TMPDIR"
	ln -s "$BATS_FILE_TMPDIR/in" in
	[ "$(wc -l <in)" -eq 2000 ]
	printf '%s\n' 'when type == "t"' '  counter n tags a = fields.v, b.c-d_e = fields.w, f = lower(fields.v), g = tag(fields.w), h = tagpath(fields.v), host = fields.w' \
		'  counter {fields.v}.query tags source = fields.w' '  counter x{fields.v} tags x = upper(fields.v)' '  counter {fields.w} tags y = default(fields.v, fields.w)' >rules
}

# judge VERB...: what the judge says; its locale is not that of the tools.
judge() { PYTHONUTF8=1 python3 "$SOURCE/tests/derive_tags.py" "$@"; }

@test "2000 hostile values as tags and names are safe for DogStatsD, InfluxDB, Graphite, Librato, SignalFx and the statsd of npm" {
	metlog-derive --rules rules in >metrics
	[ "$(wc -l <metrics)" -gt 5000 ]
	judge judge
}

@test "metlog-to-statsd writes exactly these names and tags in each of its styles" {
	metlog-derive --rules rules in >metrics
	for style in none dogstatsd influx graphite librato signalfx; do
		metlog-to-statsd -n --tags "$style" metrics >got
		judge expect "$style" >expected
		expect_same expected got
	done
}

@test "a value becomes its tag as the manual says, character by character" {
	printf '%s\n' 'when type == "t"' '  counter n tags plain = fields.v' >rules
	metlog-derive --rules rules in >plain
	[ "$(wc -l <plain)" -eq 2000 ]
	judge same
}
