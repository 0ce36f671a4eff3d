# to-statsd - what the suites of metlog-to-statsd share: metrics, the lines that become of them, a statsd that writes down what it gets.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154

# metric TYPE NAME PAYLOAD-JSON [MORE-FIELDS]: one envelope.
metric() {
	printf '{"type":"%s","logger":"app","metlog_hostname":"web1.example.com","metlog_pid":7,"payload":%s,"fields":{"name":"%s"%s}}\n' "$1" "$3" "$2" "${4:+,$4}"
}

# lines [OPTION...]: what would be sent for the envelopes of standard input.
lines() {
	separately metlog-to-statsd --dry-run "$@"
}

expect_lines() {
	printf '%s\n' "$@" >expected
	expect_same expected "$out"
}

# expect_reject REASON: exactly one, with this reason, and nothing sent.
expect_reject() {
	expect_status 0
	expect_empty "$out"
	[ "$(wc -l <rejects)" -eq 1 ] || fail "not one reject: $(cat rejects)"
	expect_in rejects "\"reason\":\"$1\""
	rm rejects
}

# record PROGRAM...: starts tests/peers/recorder.py with these arguments; its port (or path) is in $at.
record() {
	need python3
	python3 "$SOURCE/tests/peers/recorder.py" "$@" 3>&- 7>&- &
	recorder=$!
	children="$children $recorder"
	await 10 test -s at || fail "the recorder did not start"
	at=$(cat at)
}

# has_lines FILE COUNT
has_lines() { [ "$(wc -l <"$1")" -eq "$2" ]; }
