#!/bin/sh
# limits.sh - how many calls each key has made on a day of UTC to each path of the API, of the request log, as gauges: Ichnaea's api.limit.
# SPDX-License-Identifier: MPL-2.0
#
# usage: limits.sh DAY [FILE...]           DAY is today, or 2020-09-21; FILE holds envelopes, those of metlog-from-mozlog for instance
#
# Of each key and path the highest count of the day. A call that was counted before midnight and logged after it has the number of the day before: so the day's
# first minute counts only for keys that did not call after it.
set -eu
if [ $# -lt 1 ]; then
	echo 'usage: limits.sh DAY [FILE...]' >&2
	exit 64
fi
day=$1
shift
[ "$day" != today ] || day=$(date -u +%Y-%m-%d)
# The members of a metric are those of metlog-derive, compact, and its tags are safe: a pattern finds them.
metlog-derive --rules "$(dirname "$0")/limits.rules" -m "timestamp =~ /^$day/" "$@" | awk '
	match($0, /"tags":\{[^{}]*\}/) {
		tags = substr($0, RSTART, RLENGTH)
		match($0, /"payload":"[0-9]+"/)
		count = substr($0, RSTART + 11, RLENGTH - 12) + 0
		early = /"timestamp":"[^"]*T00:00:/
		if (!(tags in line) || early < first[tags] || (early == first[tags] && count > most[tags])) {
			first[tags] = early
			most[tags] = count
			line[tags] = $0
		}
	}
	END { for (tags in line) print line[tags] }' | LC_ALL=C sort
