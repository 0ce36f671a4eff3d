# python.bash - a virtual environment for the Python client's suites: what PyPI has is installed once into a cache.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154

# python_need PACKAGE...: leaves a Python that has them in $python, or skips the test with the reason.
python_need() {
	need python3
	local cache=${XDG_CACHE_HOME:-$HOME/.cache}/metlog-tests/python base=python3 one
	! /usr/bin/python3 -c 'import ensurepip' 2>/dev/null || base=/usr/bin/python3
	python=$cache/venv/bin/python
	mkdir -p "$cache"
	(
		# Two suites at once would spoil each other's copy.
		flock 8
		[ -x "$python" ] || "$base" -m venv --clear "$cache/venv" || exit
		for one; do
			[ -e "$cache/venv/has-$one" ] || { timeout 120 "$cache/venv/bin/pip" -q install "$one" && touch "$cache/venv/has-$one"; } || exit
		done
	) 8>"$cache/lock" >"$BATS_TEST_TMPDIR/install.log" 2>&1 || skip "pip cannot install $*: $(tail -1 "$BATS_TEST_TMPDIR/install.log")"
}
