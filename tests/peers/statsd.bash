# statsd.bash - npm's statsd for suites: installed once into a cache, started on free loopback ports, asked through its management port.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034

statsd_version=0.9.0
statsd_cache=${XDG_CACHE_HOME:-$HOME/.cache}/metlog-tests/statsd

# Skips the test where statsd cannot be had.
statsd_need() {
	need node npm python3
	local log=$statsd_cache/install.log installed=$statsd_cache/node_modules/statsd/package.json
	grep -qs "\"version\": \"$statsd_version\"" "$installed" && return 0
	mkdir -p "$statsd_cache"
	(
		# Two suites at once would spoil each other's copy.
		flock 8
		cd "$statsd_cache" || exit
		[ -e package.json ] || echo '{"private":true}' >package.json
		npm install --no-audit --no-fund --omit=optional "statsd@$statsd_version" >"$log" 2>&1
	) 8>"$statsd_cache/lock" || skip "npm cannot install statsd: $(tail -1 "$log")"
}

# statsd_start [PROTOCOL]: udp (default), tcp or unix. Sets statsd_at (what --to takes) and statsd_pid.
statsd_start() {
	local protocol=${1:-udp} try ports
	for try in 1 2 3 4 5; do
		# Both ports were free a moment ago; if another process takes one first, statsd ends and the next two are tried.
		read -r -a ports < <(python3 -c '
import socket
one, two = socket.socket(), socket.socket()
one.bind(("127.0.0.1", 0)); two.bind(("127.0.0.1", 0))
print(one.getsockname()[1], two.getsockname()[1])')
		statsd_management=${ports[1]}
		local server=./servers/udp where="\"port\":${ports[0]},\"address\":\"127.0.0.1\""
		statsd_at=$protocol:127.0.0.1:${ports[0]}
		case $protocol in
		tcp) server=./servers/tcp ;;
		unix)
			server=./servers/tcp where="\"socket\":\"$PWD/statsd.socket\""
			statsd_at=unix:$PWD/statsd.socket
			rm -f statsd.socket ;;
		esac
		cat >statsd.json <<-JSON
			{"servers":[{"server":"$server",$where}],"mgmt_address":"127.0.0.1","mgmt_port":$statsd_management,
			"backends":["$SOURCE/tests/peers/statsd_totals.js"],"flushInterval":1000}
		JSON
		node "$statsd_cache/node_modules/statsd/stats.js" statsd.json >statsd.log 2>&1 3>&- &
		statsd_pid=$!
		await 20 statsd_up && statsd_ask health >/dev/null && return 0
		kill -9 "$statsd_pid" 2>/dev/null || true
	done
	fail "statsd does not start: $(cat statsd.log)"
}

# Up, or over.
statsd_up() {
	kill -0 "$statsd_pid" 2>/dev/null || return 0
	(exec 9<>"/dev/tcp/127.0.0.1/$statsd_management") 2>/dev/null && { [ ! -e statsd.socket ] || [ -S statsd.socket ]; }
}

# statsd_ask COMMAND: what the management port answers, up to its END.
statsd_ask() (
	exec 9<>"/dev/tcp/127.0.0.1/$statsd_management" || return
	printf '%s\n' "$1" >&9
	while IFS= read -r -t 10 line <&9; do
		[ "$line" != END ] || return 0
		printf '%s\n' "$line"
		case $line in health:* | ERROR) return 0 ;; esac
	done
	return 1
) 2>/dev/null

# statsd_totals FILE: what has arrived, up to the last flush, as JSON.
statsd_totals() {
	statsd_ask stats | sed -n 's/^peer\.totals: //p' >"$1"
}

# statsd_received: how many lines have arrived, up to the last flush.
statsd_received() {
	statsd_totals totals.json
	node -p 'JSON.parse(require("fs").readFileSync("totals.json")).counters["statsd.metrics_received"] || 0' 2>/dev/null || echo 0
}

# statsd_settle SECONDS COUNT: waits until so many lines have arrived; totals.json holds the totals then.
statsd_settle() {
	await "$1" eval "[ \"\$(statsd_received)\" -ge $2 ]" || { echo "statsd has received $(statsd_received) of $2 lines" >&2; return 1; }
}

# statsd_drops: datagrams that its socket had no room for.
statsd_drops() {
	awk -v port="$(printf ':%04X' "${statsd_at##*:}")" 'index($2, port) { sum += $NF } END { print sum + 0 }' /proc/net/udp
}

# over_udp COMMAND...: with a statsd on UDP. Where the machine was too busy to let it read, and only there, it is tried again.
over_udp() {
	local try
	for try in 1 2 3 4; do
		statsd_start udp
		"$@" && return 0
		[ "$(statsd_drops)" -gt 0 ] || return 1
		echo "statsd's socket has dropped $(statsd_drops) datagrams (try $try)" >&2
		statsd_stop
	done
	return 1
}

statsd_stop() {
	[ -z "${statsd_pid-}" ] || kill -9 "$statsd_pid" 2>/dev/null || true
	statsd_pid=''
}
