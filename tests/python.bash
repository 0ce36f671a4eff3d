# python.bash - for the suites of the Python client: which Python runs its own tests, and one group of them.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2154

# python_open: in the directory of the tests, with a Python that has pyzmq, if there is one.
python_open() {
	cd "$SOURCE/contrib/python/tests" || return
	export PYTHONDONTWRITEBYTECODE=1
	need python3
	python=python3
	! /usr/bin/python3 -c 'import zmq' 2>/dev/null || python=/usr/bin/python3
}

# group NAME...: all its tests pass; what was skipped, and why, is said.
group() {
	separately "$python" -m unittest -v "$@"
	grep -a ' \.\.\. skipped' "$err" | sed "s/^/# /" >&3 || true
	expect_status 0 || fail "$(grep -aE -A30 '^(ERROR|FAIL):' "$err" | head -150)"
	grep -aqE '^Ran [1-9]' "$err"
}
