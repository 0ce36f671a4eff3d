#!/bin/bash
# durable.sh - measures what durability costs: the spool against cat with fsync, ack: against push:, the acknowledgement's time, a large backlog.
# SPDX-License-Identifier: MPL-2.0
#
# usage: durable.sh CORPUS RUNS [BACKLOG-BYTES]     TOOLS and PROGRAMS from the environment, as run.sh has them
# On a real disk: METLOG_BENCH_DISK, or TMPDIR, or /tmp. Rows take turns; medians of wall time are compared, because waiting for the disk is the point.
set -u
corpus=$1 runs=$2 backlog=${3:-10737418240}
here=$(cd "$(dirname "$0")" && pwd)
PATH=$TOOLS:$PATH
work=$(mktemp -d "${METLOG_BENCH_DISK:-${TMPDIR:-/tmp}}/metlog-durable.XXXXXX") || exit 73
receiver=''
clean() { [ -z "$receiver" ] || kill "$receiver" 2>/dev/null; rm -rf "$work"; }
trap clean EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 71

size=$(stat -c %s "$corpus") lines=$(wc -l <"$corpus")
sync_bytes=1048576 sync_ms=50
echo
echo "durability: $lines lines, $size bytes, on $(stat -f -c %T .), fsync at $sync_bytes bytes or $sync_ms ms; medians of $runs runs taking turns"

# clock COMMAND...: prints wall seconds, user + system seconds and peak KiB of a command that succeeds.
# What others left to be written must not be waited for in its fsyncs.
clock() {
	local said
	sync
	said=$("$PROGRAMS/measure" 1 "$1" 2>message | tail -1)
	case $said in *' 0') set -- $said; echo "$1 $(awk "BEGIN { print $2 + $3 }") $4" ;; *) echo "failed: $said: $(head -1 message)" >&2; return 1 ;; esac
}
median() { sort -g | awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
take() { printf '%s\t%s\n' "$1" "$2" >>"$work/times"; }
wall() { awk -F '\t' -v n="$1" '$1 == n { split($2, t, " "); print t[1] }' "$work/times" | median; }
cpu() { awk -F '\t' -v n="$1" '$1 == n { split($2, t, " "); print t[2] }' "$work/times" | median; }
peak() { awk -F '\t' -v n="$1" '$1 == n { split($2, t, " "); if (t[3] > m) m = t[3] } END { printf "%.1f", m / 1024 }' "$work/times"; }
ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }
show() { local w; w=$(wall "$1"); [ -z "$w" ] || printf '  %-44s %8.3f s %8.0f MB/s %8.3f s cpu %8s MiB\n' "$1" "$w" "$(awk "BEGIN { print $size / $w / 1e6 }")" "$(cpu "$1")" "$(peak "$1")"; }

receive() {
	rm -f where
	metlog-recv --ready where "$@" >received 2>recv.err &
	receiver=$!
	until [ -s where ]; do kill -0 "$receiver" 2>/dev/null || { cat recv.err >&2; exit 1; }; sleep 0.02; done
	address=$(sed 's/^[a-z]*://' where)
}
stop() { kill "$receiver"; wait "$receiver"; receiver=''; }

for _ in $(seq "$runs"); do
	rm -rf spool file received
	take 'cat' "$(clock "cat '$corpus' >file")"
	rm -f file
	take 'cat, fsync' "$(clock "'$PROGRAMS/bench_fsync' $sync_bytes $sync_ms <'$corpus' >file")"
	take 'metlog-spool write --sync batch' "$(clock "metlog-spool write spool <'$corpus'")"
	rm -rf spool
	take 'metlog-spool write --sync none' "$(clock "metlog-spool write --sync none spool <'$corpus'")"
	rm -rf spool
	take 'metlog-spool write --compress zstd' "$(clock "metlog-spool write --compress zstd spool <'$corpus'")"
	rm -rf spool
	for kind in push ack 'ack --spool'; do
		case $kind in
		push) receive --from 'pull:tcp://127.0.0.1:*' ;;
		ack) receive --from 'ack:tcp://127.0.0.1:*' ;;
		*) receive --from 'ack:tcp://127.0.0.1:*' --spool spool ;;
		esac
		take "metlog-send to ${kind%% *}:${kind#"${kind%% *}"}" "$(clock "metlog-send --json --as-is --timeout 60 --to ${kind%% *}:$address '$corpus' && kill $receiver && tail --pid=$receiver -f /dev/null")"
		wait "$receiver"
		receiver=''
	done
done
for name in 'cat' 'cat, fsync' 'metlog-spool write --sync batch' 'metlog-spool write --sync none' 'metlog-spool write --compress zstd' \
	'metlog-send to push:' 'metlog-send to ack:' 'metlog-send to ack: --spool'; do show "$name"; done
echo "  (metlog-send: until the receiver has written everything and ended; its processor time is not counted)"

echo
printf '  %-62s %8s   %s\n' 'spool write, wall, in multiples of cat with fsync' "$(ratio "$(wall 'metlog-spool write --sync batch')" "$(wall 'cat, fsync')")" '<= 2'
printf '  %-62s %8s   %s\n' 'ack: to standard output, rate in parts of push:' "$(ratio "$(wall 'metlog-send to push:')" "$(wall 'metlog-send to ack:')")" '>= 0.5'
printf '  %-62s %8s\n' 'ack: to a spool, rate in parts of push:' "$(ratio "$(wall 'metlog-send to push:')" "$(wall 'metlog-send to ack: --spool')")"

for python in python3 /usr/bin/python3 ''; do [ -z "$python" ] || ! "$python" -c 'import zmq' 2>/dev/null || break; done
if [ -n "$python" ]; then
	rm -rf spool received
	sync
	receive --from 'ack:tcp://127.0.0.1:*' --spool spool
	read -r count p50 p99 most <<<"$("$python" "$here/ack_latency.py" "$address" 1000 6)"
	stop
	printf '  %-62s %8s   %s\n' "acknowledgement at 1000/s, spool with fsync: p99, ms" "$p99" '< 20'
	printf '  %-62s %8s   %s\n' "    p50; longest; of $count" "$p50" "$most"
else
	echo "  the acknowledgement's time: not measured, python3-zmq is not here"
fi

rm -rf spool
free=$(($(stat -f -c '%a * %S' .)))
[ "$free" -gt $((backlog + backlog / 5)) ] || { echo "  backlog: only $free bytes are free here; a fifth of that is used"; backlog=$((free / 5)); }
copies=$((backlog / size + 1))
for _ in $(seq "$copies"); do cat "$corpus"; done | metlog-spool write --sync none spool || exit
rm -f "$work/times"
take open "$(clock "metlog-spool write spool </dev/null")"
take status "$(clock "metlog-spool status spool >/dev/null")"
take cat "$(clock "metlog-spool cat spool | wc -c >/dev/null")"
printf '  %-62s %8.3f   %s\n' "a backlog of $(awk "BEGIN { printf \"%.1f\", $copies * $size / 1073741824 }") GiB, $(find spool -name '*.ndjson' | wc -l) segments: open, s" "$(wall open)" '< 1'
printf '  %-62s %8s   %s\n' '    peak of open, MiB' "$(peak open)" '< 16'
printf '  %-62s %8.3f   peak %s MiB\n' '    status, s' "$(wall status)" "$(peak status)"
printf '  %-62s %8.3f   peak %s MiB\n' '    cat, s' "$(wall cat)" "$(peak cat)"
