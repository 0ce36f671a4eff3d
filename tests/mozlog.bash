# mozlog - what the suites about MozLog share: lines as writers write them are held against what they become.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2154

mozlog_check=$SOURCE/tests/mozlog_check.py
mozlog_schema=$SOURCE/tests/data/mozlog/schema.json
export PYTHONDONTWRITEBYTECODE=1 PYTHONUTF8=1

# need_jsonschema: leaves a Python that has it in $schema_python, or skips the test.
need_jsonschema() {
	for schema_python in python3 /usr/bin/python3; do
		! "$schema_python" -W ignore -c 'import jsonschema' 2>/dev/null || return 0
	done
	skip "python3-jsonschema is not installed"
}

# expect_valid LINES: each is valid by MozLog's JSON schema.
expect_valid() {
	"$schema_python" -W ignore "$mozlog_check" valid "$mozlog_schema" "$1"
}

# expect_there_and_back LINES: all are taken, every value arrives in an envelope, and what is written again is valid and the same, but for what the manual lists.
expect_there_and_back() {
	local lines
	lines=$(wc -l <"$1")
	[ "$lines" -gt 0 ] || fail "no lines"
	separately metlog-from-mozlog --stats books "$1"
	expect_status 0
	expect_empty "$err"
	expect_in books "\"read\":$lines,\"passed\":$lines,"
	mv "$out" envelopes
	python3 "$mozlog_check" arrived "$1" envelopes
	separately metlog-to-mozlog --stats books envelopes
	expect_status 0
	expect_empty "$err"
	mv "$out" again
	expect_valid again
	python3 "$mozlog_check" back "$1" again
	# What was written is read as what it was made of.
	metlog-from-mozlog again | metlog-to-mozlog >once_more
	expect_same again once_more
}

# expect_loads LINES: their rows load into a table with the schema for them, and no value is lost.
expect_loads() {
	local form
	metlog-from-mozlog "$1" >envelopes
	for form in record flat; do
		metlog-to-mozlog -q --flatten="$form" envelopes >rows
		metlog-to-mozlog -q --flatten="$form" --bigquery-schema envelopes >schema
		python3 "$SOURCE/tests/bigquery_model.py" load schema rows envelopes
	done
}
