# tap - reads what a suite or a unit test has said of its tests (TAP), and adds it to the sums of check.sh. Sourced by check.sh.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
#   count_tap NAME LOG [CODE SECONDS]   adds the results of one stream, and shows what failed; tests that were planned but never ran failed
#
# check.sh sets: passed, failed, failures, and has skip, failure.

# tap_results LOG: a line for each test and each plan: "planned N", "ok", "not NUMBER NAME" or "skip NAME [REASON]", with a tab behind the first word.
# "# skip" and "# todo" excuse a test whichever of ok and not ok precedes: cmocka up to 1.1.5 has "not ok 5 # SKIP name"; its reason stands in the line before.
tap_results() {
	awk '
		/^1\.\.[0-9]+/ { print "planned\t" substr($1, 4) }
		/^(not )?ok / {
			text = $0
			sub(/^(not )?ok /, "", text)
			if (match(tolower(text), /# *(skip|todo)/)) {
				why = substr(text, RSTART + RLENGTH)
				text = substr(text, 1, RSTART - 1)
				sub(/^[0-9]+ *(- )?/, "", text)
				sub(/ +$/, "", text)
				sub(/^ +/, "", why)
				if (why ~ /^\(.*\)$/) why = substr(why, 2, length(why) - 2)
				if (text == "") { text = why; why = comment }
				print "skip\t" text (why == "" ? "" : " [" why "]")
			} else print ($1 == "not" ? "not\t" text : "ok")
		}
		{ comment = /^# / ? substr($0, 3) : "" }' "$1"
}

count_tap() {
	local ok=0 not=0 skips_here=0 planned=0 missing kind text
	while IFS=$'\t' read -r kind text; do
		case $kind in
		planned) planned=$((planned + text)) ;;
		ok) ok=$((ok + 1)) ;;
		not) not=$((not + 1)); failure "$1: $text" ;;
		skip) skips_here=$((skips_here + 1)); skip "$1: $text" ;;
		esac
	done < <(tap_results "$2")
	missing=$((planned - ok - not - skips_here))
	[ "$missing" -ge 0 ] || missing=0
	[ "$planned" -gt 0 ] || missing=1
	passed=$((passed + ok)) failed=$((failed + missing))
	if [ "$not" -gt 0 ]; then
		echo "--- $1:"
		awk '/^(ok |1\.\.)/ { show = 0 } /^not ok / { show = tolower($0) !~ /# *(skip|todo)/ } show' "$2" | head -150 | sed 's/^/   | /'
	fi
	if [ "$missing" -gt 0 ]; then
		failures+=("$1: $missing tests did not run to their end")
		echo "--- $1: the end of its output:"
		tail -15 "$2" | sed 's/^/   | /'
	fi
	printf '   %-34s %4d passed, %d failed, %d skipped%s\n' "$1" "$ok" "$((not + missing))" "$skips_here" "${4:+, $4 s}"
}
