# fake_webhdfs.bash - starts tests/fake_webhdfs.py for a suite, gives it scripts, asks its log.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034

fake_pids=() fake_count=0

# fake_start [OPTION...]: sets fake (its directory), nn0, nn1, ... (HOST:PORT), dn, dead, and hdfs (the directory that stands for HDFS).
fake_start() {
	need python3
	fake=$BATS_TEST_TMPDIR/fake.$((fake_count += 1))
	hdfs=$fake/hdfs
	mkdir -p "$fake"
	python3 "$SOURCE/tests/fake_webhdfs.py" "$fake" "$@" >"$fake/errors" 2>&1 3>&- &
	fake_pids+=($!)
	await 20 test -e "$fake/ports" || fail "the fake does not start: $(cat "$fake/errors")"
	local who port
	while read -r who port; do
		printf -v "$who" '%s' "127.0.0.1:$port"
	done <"$fake/ports"
}

# In teardown.
fake_stop() {
	local pid
	for pid in "${fake_pids[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	fake_pids=()
}

# fake_script RULE...: these rules, from now on; the log is begun anew.
fake_script() {
	: >"$fake/log"
	printf '%s\n' "$@" >"$fake/script.new"
	mv "$fake/script.new" "$fake/script"
}

# What has been asked since: "nn0 CREATE 307" a line.
fake_log() {
	awk '{ print $1, $3, $6 }' "$fake/log"
}

# expect_log LINE...: just that has been asked, in that order.
expect_log() {
	printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/expected"
	fake_log >"$BATS_TEST_TMPDIR/log"
	expect_same "$BATS_TEST_TMPDIR/expected" "$BATS_TEST_TMPDIR/log"
}
