# helper - what every suite shares: where the tools are, runs with their streams apart, waiting without sleeping blindly.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034

SOURCE=${SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
TOOLS=${TOOLS:-$SOURCE/cmd}
PATH=$TOOLS:$PATH
export SOURCE TOOLS PATH LC_ALL=C TZ=UTC NO_COLOR=1

# separately COMMAND...: runs it and leaves its exit status in $status, its streams in the files $out and $err.
# `run` of bats mixes the two streams and loses NUL bytes.
separately() {
	out=$BATS_TEST_TMPDIR/out err=$BATS_TEST_TMPDIR/err status=0
	"$@" >"$out" 2>"$err" || status=$?
}

# fail MESSAGE...: ends the test, with the message in its report.
fail() {
	printf '%s\n' "$*" >&2
	return 1
}

# expect_status N: the status that `separately` or `run` left; shows what standard error held if it is another.
expect_status() {
	[ "$status" -eq "$1" ] && return 0
	echo "exit status $status, expected $1; standard error:" >&2
	[ ! -e "${err-}" ] || head -c 2000 "$err" >&2
	return 1
}

# expect_in FILE TEXT: the file holds the text, literally.
expect_in() {
	grep -aqF -- "$2" "$1" && return 0
	printf 'not found: %s\nin:\n' "$2" >&2
	head -c 2000 "$1" >&2
	return 1
}

expect_empty() {
	[ ! -s "$1" ] && return 0
	echo "should be empty, but holds:" >&2
	head -c 2000 "$1" >&2
	return 1
}

expect_same() {
	cmp -- "$1" "$2" >&2 || { diff -a -- "$1" "$2" | head -20 >&2; return 1; }
}

# await SECONDS COMMAND...: true as soon as the command is true, false when the time has passed; a busy machine is given three times as much.
await() {
	local deadline=$((SECONDS + 3 * $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.02
	done
}

# catches PID NUMBER: the program has a handler for that signal, which would end it before it has.
catches() {
	local mask
	mask=$(awk '$1 == "SigCgt:" { print $2 }' "/proc/$1/status") && [ -n "$mask" ] && [ $((0x$mask >> ($2 - 1) & 1)) = 1 ]
}

has() { command -v "$1" >/dev/null 2>&1; }

# need COMMAND...: skips the test, saying why, where one of them is not installed.
need() {
	local one
	for one; do has "$one" || skip "$one is not installed"; done
}

# need_zmq: leaves a Python that has ZeroMQ in $python, or skips the test. It is looked for once in a run of bats.
need_zmq() {
	local found=${BATS_RUN_TMPDIR-$BATS_TEST_TMPDIR}/python-zmq
	if [ ! -e "$found" ]; then
		for python in python3 /usr/bin/python3 ''; do
			[ -z "$python" ] || ! "$python" -c 'import zmq' 2>/dev/null || break
		done
		printf '%s\n' "$python" >"$found.$$"
		mv "$found.$$" "$found"
	fi
	read -r python <"$found"
	[ -n "$python" ] || skip "python3-zmq is not installed"
}

# sanitized: true if the tools were built with --enable-sanitizers (their memory cannot be limited then).
sanitized() {
	local one
	for one in "$TOOLS"/metlog-*; do
		[ -x "$one" ] && [ ! -d "$one" ] || continue
		grep -aq __asan_init "$one"
		return
	done
	return 1
}
