# family - what the suites of all tools share: the table of their arguments, lines that are envelopes, the books.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154

GOOD='{"timestamp":"2012-10-05T12:00:01.137911Z","logger":"app","type":"counter","severity":6,"payload":"1","fields":{"name":"hits","rate":1.0},"env_version":"0.8","metlog_pid":7,"metlog_hostname":"web1"}'

# The table: what makes a tool read envelopes on standard input and write one line for each to standard output, no network in between.
arguments() {
	case $1 in
	metlog-send) echo --json ;;
	metlog-route) echo -d - ;;
	metlog-spool) echo write --tee --sync none "$BATS_TEST_TMPDIR/spool" ;;
	metlog-tail) echo --json ;;
	metlog-cardinality) # a rule that no line meets
		echo 'tag fields.no-such-tag drop' >"$BATS_TEST_TMPDIR/rules"
		echo --guard --rules "$BATS_TEST_TMPDIR/rules"
		;;
	metlog-derive) # likewise
		printf 'when fields.no-such-field == 1\n  counter never\n' >"$BATS_TEST_TMPDIR/derive.rules"
		echo --tee --rules "$BATS_TEST_TMPDIR/derive.rules"
		;;
	metlog-from-mozlog) ;; # a line that is an envelope already passes
	metlog-to-mozlog) echo --no-timestamp=now ;;
	metlog-lint) # any name and tags
		printf "%s\n" "counter * tags ..." "timer * tags ..." >"$BATS_TEST_TMPDIR/catalog"
		echo --tee --catalog "$BATS_TEST_TMPDIR/catalog"
		;;
	metlog-to-hdfs) echo --explain ;; # its --dry-run prints a line a file
	metlog-to-*) echo --dry-run ;;
	esac
}

# Tools that write a whole envelope as it was read, and tools that take FILE operands.
passes() { case $1 in metlog-send | metlog-route | metlog-spool | metlog-tail | metlog-cardinality | metlog-derive | metlog-lint) true ;; *) false ;; esac; }
outlives_its_reader() { [ "$1" = metlog-spool ]; } # what it reads it stores, whoever else wants it
takes_files() { "$1" --help 2>/dev/null | sed -n '1,/^$/p' | grep -q FILE; }

programs() {
	find "$TOOLS" -maxdepth 1 -type f -perm -100 -name 'metlog-*' ! -name '*.*' -printf '%f\n' | sort
}

# A filter is a tool that reads envelopes: it knows --rejects.
filters() {
	local tool
	for tool in $(programs); do
		"$tool" --help 2>/dev/null | grep -q -- '--rejects' && [ "$tool" != metlog-recv ] && echo "$tool"
	done
	true
}

# each FUNCTION [filters|programs]: calls it for every tool; says which one failed.
each() {
	local tool any='' list
	list=$("${2:-filters}")
	for tool in $list; do
		any=yes
		mapfile -t -d ' ' args < <(printf '%s' "$(arguments "$tool")")
		"$1" "$tool" || fail "--- $tool failed"
	done
	[ -n "$any" ] || skip "no program is built"
}

# count FILE NAME: the number called NAME in an envelope of type metlog.stats.
count() {
	grep -a 'metlog\.stats' "$1" | tail -1 | grep -oE "\"$2\": ?[0-9]+" | head -1 | grep -oE '[0-9]+$'
}

# taken FILE: how many were delivered: passed on, or kept by a tool that stores.
taken() {
	local kept
	kept=$(count "$1" kept) || kept=0
	echo $(($(count "$1" passed) + ${kept:-0}))
}

# stable: without what metlog-send and metlog-to-mozlog fill in anew in each run.
stable() { sed -E 's/"(timestamp":"[^"]*"|Timestamp":[0-9]+|metlog_pid":[0-9]+)//g' "$@"; }

# balanced FILE: read = passed + dropped + rejected (+ kept).
balanced() {
	local sum=0 name value
	for name in passed dropped rejected kept; do
		value=$(count "$1" "$name") || value=0
		sum=$((sum + ${value:-0}))
	done
	[ "$(count "$1" read)" = "$sum" ] || fail "the books do not balance: $(cat "$1")"
}

# Lines that are good envelopes though they look odd. A counter each, so that every tool has a use for them.
good_lines() {
	local rest='"type":"counter","payload":"1","fields":{"name":"n"'
	printf '%s\n' "$GOOD" "{$rest}}" "{$rest},\"severity\":0}" "{$rest},\"x\":1e400,\"y\":123456789012345678901234567890}" \
		"{$rest,\"a\":\"\\u0000\",\"b\":\"\\ud800\",\"\\u0000\":1}}" "{$rest,\"a\":1,\"a\":2}}" "{$rest},\"m\":1,\"m\":2}" \
		" { $rest } } " "{$rest},\"\":\"\",\"e\":[],\"o\":{},\"t\":true,\"f\":false,\"n\":null,\"z\":-0,\"r\":-0.0E+10}" \
		"{\"typ\\u0065\":\"counter\",\"payload\":1,\"fields\":{\"name\":\"\\/\\b\\f\\n\\r\\t\\\"\\\\\"}}" \
		"{$rest,\"u\":\"ü€𝄞 �\"},\"timestamp\":\"2012-10-05T12:00:01\"}" "{$rest},\"timestamp\":\"2012-10-05T12:00:01.123456789+02:00\"}" \
		"{$rest},\"timestamp\":\"2012-10-05T12:00:01Z\",\"env_version\":\"0.8\"}" \
		"{$rest,\"deep\":$(printf '[%.0s' {1..62})1$(printf ']%.0s' {1..62})}}" \
		"{$rest,\"del\":\"$(printf '\177\302\205\342\200\256')\"}}"
}
