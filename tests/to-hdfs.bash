# to-hdfs - for the suites of metlog-to-hdfs: inputs, runs into a directory, what was published.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034,SC2120,SC2154

to_hdfs_setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export METLOG_STAGING=$BATS_TEST_TMPDIR/staging ASAN_OPTIONS=detect_leaks=0
	unset METLOG_SEGMENT STATE_DIRECTORY XDG_STATE_HOME
}

to_hdfs_teardown() {
	local pid
	for pid in ${children-}; do kill -9 "$pid" 2>/dev/null || true; done
	if [ -n "${mounted-}" ]; then umount "$mounted" || true; fi
}

# envelopes FIRST LAST [TYPES [PAD]]: numbered ones, of so many types in turn, a minute apart from 2026-11-22T06:00Z on.
envelopes() {
	awk -v first="$1" -v last="$2" -v types="${3:-2}" -v pad="${4-}" 'BEGIN {
		for (i = first; i <= last; i++)
			printf "{\"timestamp\":\"2026-11-22T%02d:%02d:00Z\",\"type\":\"t%d\",\"payload\":\"%08d%s\",\"fields\":{}}\n",
				6 + int(i / 60) % 3, i % 60, i % types, i, pad
	}'
}

# publish [OPTION...]: into the directory `base`; status, $out and $err as `separately` leaves them.
publish() { separately metlog-to-hdfs --to file:base "$@"; }

# files [DIR]: what stands at final names, as paths below it.
files() { (cd "${1:-base}" && find . -type f ! -name '.*' | sed 's,^\./,,' | LC_ALL=C sort); }
count_files() { files "$@" | wc -l; }
hidden() { find "${1:-base}" -mindepth 1 -name '.*'; }
left() { find staging -name '*.item' -o -name '*.ndjson' 2>/dev/null; }

# contents [DIR]: all lines of all files, uncompressed by the tools that everybody has.
contents() {
	find "${1:-base}" -type f ! -name '.*' \( -name '*.ndjson' -exec cat {} + -o -name '*.gz' -exec gzip -dc {} + -o -name '*.zst' -exec zstd -dcq {} + \
		-o -printf 'what is %p?\n' \)
}

# exactly FILE [DIR]: each line of FILE is published once, and nothing else; nothing hidden is left.
exactly() {
	LC_ALL=C sort "$1" >exactly.in
	contents "${2:-base}" | LC_ALL=C sort >exactly.out
	expect_same exactly.in exactly.out && [ -z "$(hidden "${2:-base}")" ] || fail "not exactly once: $(hidden "${2:-base}")"
}

# state [DIR]: names and bytes, to be compared with a later state. Times too: nothing was even touched.
state() { (cd "${1:-base}" && find . -type f -printf '%p %s %i %T@\n' | LC_ALL=C sort); }

# start INPUT [OPTION...]: a run in the background on the FIFO `in`, which descriptor 8 writes to; $pid, its streams in live.out and live.err.
start() {
	rm -f in
	mkfifo in
	metlog-to-hdfs --to file:base "$@" <in >live.out 2>live.err 3>&- 7>&- 8>&- &
	pid=$!
	children+=" $pid"
	exec 8>in
}

# finished: closes the input, if it is open still; the status of the run that was started.
finished() {
	exec 8>&-
	status=0 err=live.err
	wait "$pid" || status=$?
}

has_files() { [ "$(count_files)" -ge "$1" ]; }
staged() { [ "$(cat staging/*/run-*/*.ndjson 2>/dev/null | wc -l)" -ge "$1" ]; }
waits() { compgen -G 'staging/*/run-*' >/dev/null && grep -q '^State:.S' "/proc/$pid/status"; }

# need_mount: skips the test where a small disk cannot be made.
need_mount() {
	[ "$(id -u)" = 0 ] || skip "only root may mount a small disk"
	mkdir -p disk
	mount -t tmpfs -o size="$1" tmpfs disk 2>/dev/null || skip "mounting is not possible here"
	mounted=$BATS_TEST_TMPDIR/disk
}
