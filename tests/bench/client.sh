#!/bin/bash
# client.sh - measures what the client libraries cost the thread that calls them, beside their rivals, and how much gets through them.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2317,SC2329
#
# usage: client.sh RUNS RIVALS-DIRECTORY [BURSTS [MESSAGES]]     TOOLS and PROGRAMS from the environment, as run.sh has them; no RIVALS-DIRECTORY: no rivals
# Rows take turns, a process each; medians of the runs are shown. BURSTS of 1000 calls in each (100); MESSAGES of each of the two threads of a flood (1000000).
set -u
runs=$1 rivals_dir=${2-} bursts=${3:-100} messages=${4:-1000000}
here=$(cd "$(dirname "$0")" && pwd)
source_tree=$(cd "$here/../.." && pwd)
flood=$TOOLS/../tests/client/flood
work=$(mktemp -d "${TMPDIR:-/tmp}/metlog-client.XXXXXX") || exit 73
receiver='' absent=()
clean() {
	[ -z "$receiver" ] || { kill -CONT "$receiver"; kill "$receiver"; } 2>/dev/null
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 71

# receive OUTPUT OPTION...: starts metlog-recv; its endpoint, as a sender names it, is in $endpoint.
receive() {
	local output=$1
	shift
	rm -f where books
	"$TOOLS/metlog-recv" --ready where "$@" >"$output" 2>books &
	receiver=$!
	until [ -s where ]; do kill -0 "$receiver" 2>/dev/null || { cat books >&2; exit 1; }; sleep 0.02; done
	endpoint=$(sed 's/^pull:/push:/' where)
}
release() {
	kill "$receiver"
	wait "$receiver"
	receiver=''
}

# --- what a call costs ------------------------------------------------------------

names=() commands=()
row() { names+=("$1") commands+=("$2"); }
has() { [ -n "$rivals_dir" ] && command -v "$1" >/dev/null; }

bench=$PROGRAMS/bench_client
row 'the clock, read twice' "'$bench' nothing $bursts"
row 'clock_gettime' "'$bench' clock_gettime $bursts"
row 'ring: clock_gettime, memcpy' "'$bench' ring $bursts"
row 'metlog_count to push:' "'$bench' metlog_count $bursts \"\$push\""
row 'metlog_send to push:, 5 fields' "'$bench' metlog_send $bursts \"\$push\""
row 'metlog_info to push:, formatted' "'$bench' metlog_info $bursts \"\$push\""
row 'metlog_timer to push:' "'$bench' metlog_timer $bursts \"\$push\""
row 'metlog_count to push:, with filters' "'$bench' metlog_count-rules $bursts \"\$push\""
row 'metlog_count to file:/dev/null' "'$bench' metlog_count $bursts file:/dev/null"
row 'metlog_count, rate 0' "'$bench' metlog_count-never $bursts file:/dev/null"
row 'metlog_count, rate 0.000001' "'$bench' metlog_count-rarely $bursts file:/dev/null"
row 'metlog_timer, disabled' "'$bench' metlog_timer-disabled $bursts file:/dev/null"
row 'metlog_send, left out by a filter' "'$bench' metlog_send-filtered $bursts file:/dev/null"
if [ -n "$rivals_dir" ]; then
	row 'zmq_send on PUB, text ready' "'$bench' zmq_send $bursts"
	row 'snprintf, ring' "'$bench' snprintf-ring $bursts"
	row 'write(2) to /dev/null, text ready' "'$bench' write $bursts"
	row 'unix datagram, text ready' "'$bench' unix $bursts"
	row 'udp send, text ready' "'$bench' udp $bursts"
	# A /dev of its own, for /dev/log; what it needs of the real one is open before.
	if unshare -Urm sh -c 'mount -t tmpfs tmpfs /dev' 2>/dev/null; then row 'syslog(3), formatted' "unshare -Urm sh -c 'mount -t tmpfs tmpfs /dev && exec \"$bench\" syslog $bursts own-dev'"
	else absent+=('syslog(3): /dev/log cannot be made here, not even in a namespace'); fi
	libraries=$(find "$rivals_dir/root" -name 'libspdlog.so' -printf '%h\n' 2>/dev/null | head -1)
	spdlog=${libraries:+"-isystem $rivals_dir/root/usr/include -L$libraries -Wl,-rpath,$libraries"}
	# shellcheck disable=SC2086
	if g++ -O2 -DSPDLOG_SHARED_LIB -DSPDLOG_COMPILED_LIB -DSPDLOG_FMT_EXTERNAL "$here/bench_spdlog.cc" -o bench_spdlog $spdlog -lspdlog -lfmt -pthread 2>/dev/null; then
		row 'spdlog async to /dev/null, formatted' "./bench_spdlog $bursts"
	else absent+=('spdlog: libspdlog-dev or g++ is not here; rivals.sh fetches the first where there is apt-get'); fi
fi

# The other languages' programs measure their own rows: "name p50 p99 mean", one a line.
python=$rivals_dir/python/bin/python
if [ -n "$rivals_dir" ] && ! "$python" -c 'import statsd, zmq' 2>/dev/null; then
	python=python3
	absent+=("Python's statsd and pyzmq: not here; rivals.sh fetches them from PyPI")
fi
language_rows() {
	[ ! -f "$here/bench_client.py" ] || ! has "$python" || PYTHONPATH=$source_tree/contrib/python "$python" "$here/bench_client.py" 2>>messages | sed 's/^/Python: /'
	[ ! -f "$here/bench_client.js" ] || ! has node || NODE_PATH=$source_tree/contrib/node/node_modules:$rivals_dir/npm/node_modules node "$here/bench_client.js" 2>>messages | sed 's/^/Node: /'
}

receive /dev/null --from 'pull:tcp://127.0.0.1:*'
export push=$endpoint
for turn in $(seq "$runs"); do
	for i in "${!names[@]}"; do
		[ -t 2 ] && printf '\rrun %d of %d: %-50s' "$turn" "$runs" "${names[i]}" >&2
		said=$(eval "${commands[i]}" 2>message) || : >failed
		[ ! -s message ] || sed "s|^|${names[i]}: |" message >>messages
		[ -z "$said" ] || printf '%s\t%s\n' "${names[i]}" "$said" >>costs
	done
	language_rows | sed -E 's/^(.*[^ ]) +([0-9.]+) +([0-9.]+) +([0-9.]+) *$/\1\t\2 \3 - \4 -/' | grep -P '\t' >>costs
done
release
[ ! -t 2 ] || printf '\r%80s\r' '' >&2
echo
echo "clients: $runs runs in turn of $bursts bursts of 1000 calls, an envelope of 240 bytes; nanoseconds in the calling thread, medians of the runs"
touch costs
awk -f "$here/report_client.awk" costs

# --- how much gets through ----------------------------------------------------------

# value NAME: of what the flood has printed.
value() { awk -v "n=$1" '$1 == n { print $2 }' flooded; }
received() {
	kill -USR1 "$receiver"
	sleep 0.02
	grep -aoE '"read": ?[0-9]+' books | tail -1 | grep -oE '[0-9]+$' || echo 0
}
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }
# Until everything has come, or nothing has for a second; the time of the last is in $ended.
await_received() {
	local now last=-1 since=$SECONDS
	while now=$(received) && [ "$now" -lt "$1" ] && [ $((SECONDS - since)) -lt 2 ]; do
		[ "$now" = "$last" ] || since=$SECONDS ended=$EPOCHREALTIME
		last=$now
	done
	[ "$now" = "$last" ] || ended=$EPOCHREALTIME
	got=$now
}

# throughput NAME OUTPUT FROM...: messages a second until the receiver has them all, and processor time a message on both sides.
throughput() {
	local name=$1 all=$((2 * messages)) busy
	shift
	receive "$@"
	"$flood" --count="$messages" "$endpoint" >flooded 2>>messages || true
	[ -s flooded ] || { release; return; }
	await_received "$all"
	busy=$(ticks "$receiver")
	release
	rm -f received
	awk -v "name=$name" -v "all=$all" -v "got=$got" -v "began=$(value began)" -v "ended=$ended" -v "cpu=$(value cpu_s)" -v "caller=$(value caller_cpu_s)" \
		-v "busy=$busy" -v "hertz=$(getconf CLK_TCK)" -v "peak=$(value peak_kib)" 'BEGIN {
		print name "\t" got / (ended - began) / 1e6, caller * 1e9 / all, (cpu - caller) * 1e9 / all, busy / hertz * 1e9 / all, all - got, peak / 1024 }' >>floods
}

# The receiver is stopped by a signal, and goes on when the last call has returned.
stopped_receiver() {
	local application reported arrived
	mkfifo steps
	receive received --from 'pull:tcp://127.0.0.1:*'
	"$flood" --steps --full=drop --count="$messages" "$endpoint" <steps >flooded 2>>messages &
	application=$!
	exec 7<>steps
	until grep -q '^connected' flooded || ! kill -0 "$application" 2>/dev/null; do sleep 0.02; done
	kill -STOP "$receiver"
	echo >&7
	until grep -q '^called' flooded || ! kill -0 "$application" 2>/dev/null; do sleep 0.02; done
	kill -CONT "$receiver"
	echo >&7
	exec 7>&-
	wait "$application"
	[ "$(value calls)" ] || { release; return; }
	await_received "$(value taken)"
	release
	reported=$(grep -a '"name":"metlog.client.dropped"' received | grep -aoE '"payload":"[0-9]+"' | grep -oE '[0-9]+' | awk '{ n += $1 } END { print n + 0 }')
	arrived=$(grep -ac -v '"name":"metlog.client.dropped"' received)
	echo
	awk -v "calls=$(value calls)" -v "taken=$(value taken)" -v "dropped=$(value dropped)" -v "s=$(value call_s)" -v "cpu=$(value caller_cpu_s)" -v "peak=$(value peak_kib)" \
		-v "reported=$reported" -v "arrived=$arrived" 'BEGIN {
		printf "the receiver stopped, two threads that drop: %.2f million calls a second, %.0f ns of cpu a call, peak %.1f MiB\n", calls / s / 1e6, cpu * 1e9 / calls, peak / 1024
		printf "  %-62s %10d\n  %-62s %10d\n  %-62s %10d   %s\n  %-62s %10d   %s\n", "calls", calls, "dropped, as the calls returned", dropped,
			"    as the counters that came later add up", reported, reported == dropped ? "ok" : "MISSED", "arrived, of " taken " taken", arrived, arrived == taken ? "ok" : "MISSED" }'
}

touch floods
if [ -x "$flood" ]; then
	for _ in $(seq "$((runs < 3 ? runs : 3))"); do
		throughput 'push: to /dev/null' /dev/null --from 'pull:tcp://127.0.0.1:*'
		throughput 'push: to a file' received --from 'pull:tcp://127.0.0.1:*'
		throughput 'push: by ipc: to /dev/null' /dev/null --from "pull:ipc://$work/ipc"
		throughput 'ack: to /dev/null' /dev/null --from 'ack:tcp://127.0.0.1:*'
		throughput 'tcp: to /dev/null' /dev/null --from tcp:127.0.0.1:0
		throughput 'unix: to /dev/null' /dev/null --from "unix:$work/socket"
		throughput 'udp: to /dev/null' /dev/null --from udp:127.0.0.1:0
	done
	echo
	echo "two threads, $messages messages each, a call that waits where there is no room, into metlog-recv; until it has them all"
	awk -f "$here/report_flood.awk" floods

	stopped_receiver
fi

[ ${#absent[@]} -eq 0 ] || { echo; printf 'not compared: %s\n' "${absent[@]}" | sort -u; }
[ ! -s messages ] || { echo; echo "messages of the programs:"; sort messages | uniq -c; }
exit 0
