# drain - for the suites of metlog-spool drain: spools of so many segments, drains in the foreground and behind.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154

LINE=48 # bytes of a line with its newline: all are equal, so that segments hold what they are told to

# lines FIRST LAST: envelopes that say their number.
lines() { seq -f '{"type":"n","payload":"%010.0f","fields":{}}' "$1" "$2"; }

# fill SEGMENTS RECORDS [OPTION...]: a new spool of so many sealed segments; line numbers go on with fill_more.
fill() {
	rm -rf spool
	last=0
	fill_more "$@"
}

fill_more() {
	local segments=$1 records=$2 from=$((last + 1))
	shift 2
	last=$((last + segments * records))
	lines "$from" "$last" | metlog-spool write spool --sync none --segment-bytes $((LINE * records)) "$@"
}

# fill_bytes SEGMENTS BYTES: more in a segment than socket buffers hold.
fill_bytes() { fill "$1" $(($2 / LINE)); }

segments() { find spool -maxdepth 1 -name '*.ndjson*' | wc -l; }
segment() { find spool -maxdepth 1 -name "*$(printf %012d "$1")-2*" ! -name '*.open'; }
has_lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }
open_has() { [ "$(cat spool/*.open | wc -l)" -ge "$1" ]; }

# flip FILE: another byte in its middle.
flip() {
	local at=$(($(stat -c %s "$1") / 3)) byte
	byte=$(od -An -tu1 -j "$at" -N 1 "$1")
	# shellcheck disable=SC2059
	printf "\\$(printf %o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

# drain_once SCRIPT [OPTION...]: with sh -c SCRIPT for the command, and pauses that a test can wait for.
drain_once() {
	local script=$1
	shift
	separately metlog-spool drain spool --once --backoff-max 0.02 "$@" -- sh -c "$script"
}

# drain_start SCRIPT [OPTION...]: one that follows, in the background: its process is $drain.
drain_start() {
	local script=$1
	shift
	metlog-spool drain spool --backoff-max 0.02 "$@" -- sh -c "$script" 2>drain.err 3>&- 7>&- &
	drain=$!
}

drain_wait() {
	status=0
	err=drain.err
	wait "$drain" || status=$?
	drain=
}

drain_stop() {
	kill -"$1" "$drain"
	drain_wait
}

drain_teardown() {
	local pid
	for pid in ${drain-} ${writer-}; do
		kill -9 "$pid" 2>/dev/null || continue
		wait "$pid" 2>/dev/null || true
	done
}
