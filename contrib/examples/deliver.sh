#!/bin/sh
# deliver.sh - a command for metlog-spool drain that may be run twice for a segment and still delivers it once: a file for each segment.
# SPDX-License-Identifier: MPL-2.0
#
# usage: metlog-spool drain /var/spool/metlog -- deliver.sh /srv/metlog
# The segment's name (METLOG_SEGMENT) never changes, so a file of that name means that it was delivered before. Written beside, synced, renamed;
# 75 says "try again later" of whatever goes wrong here, and the segment stays in the spool.
set -u
# 64 says that the command line is wrong: the drain then ends, and nothing is moved.
if [ $# -ne 1 ] || [ -z "${METLOG_SEGMENT-}" ]; then
	echo 'usage: metlog-spool drain SPOOL -- deliver.sh DIRECTORY' >&2
	exit 64
fi
target=$1 name=$METLOG_SEGMENT
final=$target/$name.ndjson part=$target/.$name.part
umask 027
if [ -e "$final" ]; then
	cat >/dev/null
	exit 0
fi
cat >"$part" && sync "$part" && mv "$part" "$final" && sync "$target" && exit 0
rm -f "$part"
exit 75
