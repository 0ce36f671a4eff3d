# vectors.bats - the shared vectors themselves: what the clients are held to is good for the toolkit and for any JSON reader.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	need python3
}

vectors() { python3 "$SOURCE/tests/vectors_check.py" "$SOURCE"/tests/data/vectors/*.json; }

@test "each expected envelope is strict JSON of nine members in their order, with numbers as RFC 8785 has them" {
	separately vectors
	expect_status 0
	[ "$(wc -l <"$out")" -ge 150 ]
}

@test "each expected envelope passes through the toolkit, byte for byte" {
	vectors >expected
	separately metlog-route -m TRUE --rejects rejects expected
	expect_status 0
	expect_empty rejects
	expect_same "$out" expected
}

@test "what the vectors' metrics come to is taken by the statsd sink without a reject" {
	vectors >expected
	metlog-route -m 'type in ("counter", "timer", "gauge") && fields.name != "" && fields.name !~ /[\n\\]/ && (fields.rate == NIL || fields.rate > 0)
		&& !(type == "timer" && payload =~ /^-/)' expected >metrics
	separately metlog-to-statsd --dry-run --rejects rejects metrics
	expect_status 0
	[ -s metrics ] && [ -s "$out" ]
	expect_empty rejects
}

@test "the vectors' security events are taken by the CEF sink without a reject" {
	vectors >expected
	metlog-route -m 'type == "cef"' expected >events
	separately metlog-to-cef --dry-run --rejects rejects events
	expect_status 0
	expect_empty rejects
	[ "$(grep -c '^CEF:0|' "$out")" -eq "$(wc -l <events)" ]
}

@test "metlog-send makes the same of a command line and the clients' configuration file" {
	separately python3 "$SOURCE/tests/vectors_send.py" "$SOURCE"/tests/data/vectors/*.json
	expect_status 0
	read -r ran _ <"$out"
	[ "$ran" -ge 75 ]
}
