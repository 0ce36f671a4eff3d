# faults - what the suites of faults share: how one is run, and how much of it. FAULTS=long: everything a release is held to.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2154

# faults PROGRAM ARGUMENT...: runs it; skips with its reason where it cannot be tried; its last word is shown in any case.
faults() {
	local status=0 log=$BATS_TEST_TMPDIR/log
	need python3
	[ -x "$TOOLS/metlog-flood" ] && [ -x "$TOOLS/metlog-spool" ] || skip "metlog-flood or metlog-spool is not built"
	PYTHONDONTWRITEBYTECODE=1 python3 "$SOURCE/tests/faults/$1.py" "${@:2}" >"$log" 2>&1 || status=$?
	[ "$status" -ne 77 ] || skip "$(sed -n 's/^skipped: //p' "$log")"
	echo "# $(tail -1 "$log")" >&3
	cat "$log"
	return "$status"
}

# short ARGUMENT... -- ARGUMENT...: the first ones in the short set, the others in the long one; into $set.
short() {
	local word long=''
	set=()
	for word; do
		if [ "$word" = -- ]; then long=yes
		elif [ "${FAULTS-}" = long ] && [ -n "$long" ]; then set+=("$word")
		elif [ "${FAULTS-}" != long ] && [ -z "$long" ]; then set+=("$word"); fi
	done
}
