# spool - what the suites of metlog-spool share: numbered envelopes, a writer that is fed by hand, a small disk.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154

# lines FROM TO: numbered envelopes, a second apart.
lines() {
	seq "$1" "$2" | awk '{ printf "{\"timestamp\":\"2012-10-05T%02d:%02d:%02dZ\",\"type\":\"n\",\"payload\":\"%d\"}\n", $1 / 3600 % 24, $1 / 60 % 60, $1 % 60, $1 }'
}

# start_writer OPTION...: a writer of the spool `s` that is fed by `feed`; its output is in `teed`, its messages in `said`, its number in $writer.
start_writer() {
	rm -f in && mkfifo in
	metlog-spool write s "$@" <in >teed 2>said &
	writer=$!
	children+=" $writer"
	exec 8>in
}
feed() { lines "$1" "$2" >&8; }
end_writer() { exec 8>&-; status=0; wait "$writer" || status=$?; err=said; }

# stored FIRST LAST: these envelopes are in the spool, in order, and nothing else.
stored() {
	lines "$1" "$2" >expected
	metlog-spool cat s >found || return
	cmp -s expected found
}
expect_stored() { stored "$1" "$2" || { expect_same expected found; fail "not what should be in the spool"; }; }

segments() { find s -maxdepth 1 -name "*.$1" | sort; }
sealed() { [ "$(segments ndjson | wc -l)" -eq "$1" ]; }

# small_disk SIZE: the folder `disk` is a filesystem of that size.
small_disk() {
	mkdir disk
	mount -t tmpfs -o "size=$1,mode=700" none disk 2>/dev/null || skip "a filesystem cannot be mounted here"
}

tidy_up() {
	local pid
	exec 8>&-
	for pid in ${children-}; do kill -9 "$pid" 2>/dev/null || true; done
	for pid in ${children-}; do wait "$pid" 2>/dev/null || true; done
	if [ -d disk ]; then umount -l disk 2>/dev/null || true; fi
}
