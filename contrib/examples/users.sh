#!/bin/sh
# users.sh - how many users each key had, today and in seven days, as gauges for statsd: what Ichnaea's locate.user and submit.user are.
# SPDX-License-Identifier: MPL-2.0
#
# usage: users.sh TYPE SPOOL STATE [ARGUMENT of metlog-to-statsd...]
# Counts what a route of metlog-route has put into the spool, envelopes with fields.ip and fields.api_key:
#     route locate type == "locate" => spool:/var/spool/metlog/locate segment-age=5m
# A segment leaves the spool once the state on disk has it. Whatever is killed on the way, the next run goes on from there, and what is counted twice counts once.
# Envelopes without a timestamp go to STATE.rejects.
set -eu
if [ $# -lt 3 ]; then
	echo 'usage: users.sh TYPE SPOOL STATE [ARGUMENT of metlog-to-statsd...]' >&2
	exit 64
fi
type=$1 spool=$2 state=$3
shift 3
count() {
	set -- --of fields.ip --by key=fields.api_key --ip --now now --name "$type.user" --interval 1d,7d --state "$state" --rejects "$state.rejects" --format json "$@"
	metlog-cardinality "$@"
}
case ${METLOG_SEGMENT-} in
'')
	metlog-spool drain "$spool" --once -- "$0" "$type" "$spool" "$state"
	gauges=$(count /dev/null)
	[ -z "$gauges" ] || printf '%s\n' "$gauges" | metlog-to-statsd --tags dogstatsd "$@"
	;;
*) count >/dev/null ;; # called by the drain, with a segment on standard input
esac
