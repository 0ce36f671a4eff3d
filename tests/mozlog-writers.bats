# mozlog-writers.bats - lines recorded from five writers of MozLog become envelopes, MozLog again, and rows. tests/peers/mozlog.bats has the writers write them anew.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load helper
	load mozlog
	cd "$BATS_TEST_TMPDIR"
	recorded=$SOURCE/tests/data/mozlog
}

# from_writer NAME: everything that is asked of its lines.
from_writer() {
	need_jsonschema
	expect_there_and_back "$recorded/$1.ndjson"
}

@test "what python-dockerflow writes arrives, and comes back as it was" {
	from_writer python
}

@test "what npm's mozlog writes arrives, and comes back as it was" {
	from_writer npm
}

@test "what pino-mozlog writes arrives, and comes back as it was" {
	from_writer pino
}

@test "what mozlogrus writes arrives, and comes back as it was" {
	from_writer mozlogrus
}

@test "what slog-mozlog-json writes arrives, and comes back as it was" {
	from_writer slog
}

@test "all five in one stream load into one table" {
	cat "$recorded"/{python,npm,pino,mozlogrus,slog}.ndjson >all
	expect_loads all
}

@test "the lines that writers write are not all valid by the schema; those of metlog-to-mozlog are" {
	need_jsonschema
	run expect_valid "$recorded/pino.ndjson"
	[ "$status" -ne 0 ] || fail 'null, objects and mixed arrays should not be valid'
	metlog-from-mozlog "$recorded/pino.ndjson" | metlog-to-mozlog >again
	expect_valid again
	metlog-from-mozlog "$recorded/pino.ndjson" | metlog-to-mozlog --plain >plain
	expect_valid plain
}
