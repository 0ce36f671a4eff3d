# mozlog.bats - what the real writers of MozLog write becomes envelopes, and MozLog again that is valid by its JSON schema.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load ../helper
	load ../node
	load ../mozlog
	load python
	load mozlog
	cd "$BATS_TEST_TMPDIR"
	need_jsonschema
}

# expect_like_recorded NAME: what was written now has the members and the levels of the lines that the suites have; else those have to be recorded anew.
expect_like_recorded() {
	local file
	for file in lines "$SOURCE/tests/data/mozlog/$1.ndjson"; do
		"$schema_python" - "$file" <<-'PYTHON'
			import json, sys
			for line in open(sys.argv[1], encoding="utf-8"):
			    line = json.loads(line)
			    print(line.get("Severity"), line.get("Type"), sorted(line), sorted(line.get("Fields", {})))
		PYTHON
	done >members
	[ "$(sort members | uniq -c | awk '$1 % 2')" = '' ] || fail "$(sort members | uniq -c | awk '$1 % 2')"
}

from_writer() {
	expect_there_and_back lines
	expect_loads lines
	expect_like_recorded "$1"
}

@test "what python-dockerflow writes arrives, comes back as it was, and loads" {
	python_writes
	from_writer python
}

@test "what npm's mozlog writes arrives, comes back as it was, and loads" {
	npm_writes
	from_writer npm
}

@test "what pino and pino-mozlog write arrives, comes back as it was, and loads" {
	pino_writes
	from_writer pino
}

@test "what slog-mozlog-json writes arrives, comes back as it was, and loads" {
	rust_writes
	from_writer slog
}

@test "what mozlogrus writes arrives, comes back as it was, and loads" {
	go_writes
	from_writer mozlogrus
}
