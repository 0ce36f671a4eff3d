#!/bin/bash
# run.sh - measures the tools and their rivals over one corpus in turn, and prints medians, ratios and how they stand to the goals.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2016,SC2317,SC2329
set -u

usage() {
	cat <<TEXT
usage: make bench [BENCH='OPTIONS']  or  tests/bench/run.sh [OPTIONS]
  --rows LIST       which groups: route,match,tail,statsd,cef,cardinality,guard,derive,mozlog,accuracy,start,memory,scan,durable,hdfs,client (all)
  --backlog BYTES   of the durable and the hdfs rows (10 GiB, where the disk has room)
  --lines N         lines of the corpus (400000; rivals that are slow get the first quarter)
  --runs N          runs of each row, interleaved; medians are shown (5)
  --seed N          of the corpus (1)
  --no-rivals       only the tools, cat and wc
  --rivals DIR      where tests/bench/rivals.sh has put rsyslog, syslog-ng, libjq 1.8 and others (~/.cache/metlog-rivals)
  --fetch           run tests/bench/rivals.sh for that directory first
CPU is user + system time of all processes of a row; MB is 10^6 bytes of input; the corpus lies on tmpfs.
TEXT
}

here=$(cd "$(dirname "$0")" && pwd)
source_tree=$(cd "$here/../.." && pwd)
TOOLS=${TOOLS:-$source_tree/cmd}
PROGRAMS=${PROGRAMS:-$here}
backlog=10737418240 rows=route,match,tail,statsd,cef,cardinality,guard,derive,mozlog,accuracy,start,memory,scan,durable,hdfs,client lines=400000 runs=5 seed=1 rivals=yes fetch=''
rivals_dir=${METLOG_RIVALS:-${XDG_CACHE_HOME:-$HOME/.cache}/metlog-rivals}
while [ $# -gt 0 ]; do
	case $1 in
	--rows) rows=$2; shift ;;
	--lines) lines=$2; shift ;;
	--backlog) backlog=$2; shift ;;
	--runs) runs=$2; shift ;;
	--seed) seed=$2; shift ;;
	--rivals) rivals_dir=$2; shift ;;
	--no-rivals) rivals='' ;;
	--fetch) fetch=yes ;;
	--help) usage; exit 0 ;;
	*) usage >&2; exit 64 ;;
	esac
	shift
done
[ -z "$fetch" ] || bash "$here/rivals.sh" "$rivals_dir" || exit

base=/dev/shm
[ -w "$base" ] || { base=${TMPDIR:-/tmp}; echo "run.sh: no /dev/shm: the corpus lies in $base" >&2; }
work=$(mktemp -d "$base/metlog-bench.XXXXXX") || exit 73
sink=''
clean() {
	[ -z "$sink" ] || kill "$sink" 2>/dev/null
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

big=$work/big small=$work/small hostile=$work/hostile
"$PROGRAMS/corpus" -n "$lines" -s "$seed" >"$big" || exit
head -n $((lines / 4)) "$big" >"$small"

# --- rows: what is measured, and the runs -------------------------------------

names=() inputs=() commands=() p=''
absent=('Fluent Bit and the jq 1.8 program: in none of Debian 12, npm and PyPI')
wants() { case ",$rows," in *",$1,"*) true ;; *) false ;; esac; }

# row NAME INPUT COMMAND: one line of the table; NAME begins with its group.
row() { names+=("$1") inputs+=("$2") commands+=("$3"); }

# tool NAME, rival NAME WHY-NOT: leave the program's path in $p if it is built, if it is here.
tool() { p=$TOOLS/$1 && [ -x "$p" ]; }
rival() {
	[ -n "$rivals" ] || return 1
	local one
	for one in "$(command -v "$1" 2>/dev/null)" "$rivals_dir/root/usr/bin/$1" "$rivals_dir/root/usr/sbin/$1"; do
		[ -n "$one" ] && [ -x "$one" ] && { p=$one; return; }
	done
	absent+=("$1: $2")
	return 1
}
deb_note="not here; rivals.sh fetches it where there is apt-get"
deb_libraries=$(find "$rivals_dir/root" -name '*.so*' -printf '%h\n' 2>/dev/null | sort -u | tr '\n' ':')
libjq="$rivals_dir/python/bin/python"
has_libjq() {
	[ -n "$rivals" ] || return 1
	[ -x "$libjq" ] && "$libjq" -c 'import jq' 2>/dev/null && return
	absent+=("libjq 1.8: not here; rivals.sh fetches it from PyPI")
	return 1
}

splitter="BEGIN { FS = \"\\t\"; for (n = split(\"counter timer gauge\", a, \" \"); n; n--) f[a[n]] = \"metrics\"; f[\"request\"] = \"requests\"; f[\"cef\"] = f[\"sentry\"] = \"security\" }
{ o = (\$1 in f) ? f[\$1] : \"rest\"; print \$2 >(D \"/\" o) }"
crude="{ o = \"rest\" } /\"type\": ?\"(counter|timer|gauge)\"/ { o = \"metrics\" } /\"type\": ?\"request\"/ { o = \"requests\" } /\"type\": ?\"(cef|sentry)\"/ { o = \"security\" } { print >(D \"/\" o) }"

route_rows() {
	local out=$work/out
	mkdir -p "$out"
	row 'route cat' "$big" "cat '$big' >'$out/cat'"
	row 'route wc -l' "$big" "wc -l '$big' >/dev/null"
	if tool metlog-route; then
		local table="-r 'metrics: type in (\"counter\", \"timer\", \"gauge\") => file:$out/metrics' -r 'requests: type == \"request\" => file:$out/requests' -r 'security: type in (\"cef\", \"sentry\") => file:$out/security'"
		row 'route metlog-route' "$big" "rm -rf '$out'/[mrs]*; '$p' $table -d 'file:$out/rest' '$big'"
		row 'route metlog-route, pipe' "$big" "rm -rf '$out'/[mrs]*; cat '$big' | '$p' $table -d 'file:$out/rest'"
		row 'route metlog-route, sse2' "$big" "rm -rf '$out'/[mrs]*; METLOG_SCAN=sse2 '$p' $table -d 'file:$out/rest' '$big'"
	fi
	rival grep 'not here' && row 'route grep -E (1 class of 4)' "$big" "LC_ALL=C '$p' -E '\"type\": ?\"(counter|timer|gauge)\"' '$big' >'$out/grep'"
	rival mawk "$deb_note" && row 'route mawk (misroutes)' "$big" "'$p' -v 'D=$out' '$crude' '$big'"
	rival gawk "$deb_note" && row 'route gawk (misroutes)' "$small" "LC_ALL=C '$p' -v 'D=$out' '$crude' '$small'"
	rival python3 'not here' && row 'route python json' "$small" "'$p' '$here/rivals/route.py' '$out' <'$small'"
	rival node 'not here' && row 'route node JSON.parse' "$small" "'$p' '$here/rivals/route.js' '$out' <'$small'"
	rival jq "$deb_note" && row "route $($p --version) + mawk" "$small" "'$p' -Rr '(fromjson.type // \"\") + \"\\t\" + .' '$small' | mawk -v 'D=$out' '$splitter'"
	has_libjq && row 'route libjq 1.8 in Python, type only' "$small" "'$libjq' '$here/rivals/jq18.py' '.type // \"\"' '$small' >/dev/null"
	rival rsyslogd "$deb_note" && row 'route rsyslog' "$small" "rm -rf '$out/rs'; LD_LIBRARY_PATH='$deb_libraries' sh '$here/rivals/rsyslog.sh' '$p' '$(modules_of rsyslog "$p")' '$small' '$out/rs'"
	rival syslog-ng "$deb_note" && row 'route syslog-ng' "$small" "rm -rf '$out/sng'; cat '$small' | LD_LIBRARY_PATH='$deb_libraries' sh '$here/rivals/syslog-ng.sh' '$p' '$(modules_of syslog-ng "$p")' '$out/sng'"
	rival mlr "$deb_note" && row 'route miller' "$small" "'$p' --json --ojsonl put -q 'tee > \"$out/mlr-\".\$type, \$*' '$small'"
}

modules_of() {
	case $2 in
	"$rivals_dir"/*) find "$rivals_dir/root" -name 'libjson-plugin.so' -printf '%h\n' -o -name 'mmjsonparse.so' -printf '%h\n' | grep "$1" | head -1 ;;
	*) find /usr/lib -path "*$1*" \( -name 'libjson-plugin.so' -o -name 'mmjsonparse.so' \) -printf '%h\n' 2>/dev/null | head -1 ;;
	esac
}

match_rows() {
	row 'match cat' "$big" "cat '$big' >'$work/cat'"
	tool metlog-route && row 'match metlog-route -m' "$big" "'$p' -m 'severity <= 3' '$big' >/dev/null"
	tool metlog-route && row 'match metlog-route -m, nothing' "$big" "'$p' -m 'fields.status == 404 && payload =~ /refused/' '$big' >/dev/null"
	tool metlog-tail && row 'match metlog-tail --json -m' "$big" "'$p' --json -m 'severity <= 3' '$big' >/dev/null"
	rival grep 'not here' && row 'match grep -E (text)' "$big" "LC_ALL=C '$p' -E '\"severity\": ?[0-3][,}]' '$big' >/dev/null"
	rival jq "$deb_note" && row "match $($p --version) select" "$small" "'$p' -c 'select(.severity <= 3)' '$small' >/dev/null"
	has_libjq && row 'match libjq 1.8 in Python' "$small" "'$libjq' '$here/rivals/jq18.py' 'select(.severity <= 3) | tojson' '$small' >/dev/null"
	rival mlr "$deb_note" && row 'match miller filter' "$small" "'$p' --json --ojsonl filter '\$severity <= 3' '$small' >/dev/null"
}

tail_rows() {
	if tool metlog-tail; then
		row 'tail metlog-tail' "$big" "'$p' --pretty --color=never '$big' >/dev/null"
		row 'tail metlog-tail --oneline' "$big" "'$p' --oneline --color=never '$big' >/dev/null"
		row 'tail metlog-tail --color' "$big" "'$p' --pretty --color=always '$big' >/dev/null"
	fi
	rival jq "$deb_note" && row "tail $($p --version) ." "$small" "'$p' . '$small' >/dev/null"
	has_libjq && row 'tail libjq 1.8 in Python, one line' "$small" "'$libjq' '$here/rivals/jq18.py' '\"\\(.timestamp) \\(.logger) \\(.type) \\(.payload) \\(.fields)\"' '$small' >/dev/null"
	rival mlr "$deb_note" && row 'tail miller --oxtab' "$small" "'$p' --ijson --oxtab cat '$small' >/dev/null"
	rival python3 'not here' && row 'tail python json.tool' "$small" "'$p' -m json.tool --json-lines '$small' >/dev/null"
}

statsd_rows() {
	local metrics port
	"$PROGRAMS/bench_udp" sink "$work/port" &
	sink=$!
	until [ -s "$work/port" ]; do sleep 0.05; done
	port=$(cat "$work/port")
	metrics=$(grep -cE '"type": ?"(counter|timer|gauge)", ?"(logger|timestamp)"' "$big")
	if tool metlog-to-statsd; then
		row 'statsd metlog-to-statsd, packed' "$big" "'$p' -q --rejects /dev/null --to udp:127.0.0.1:$port '$big'"
		row 'statsd metlog-to-statsd --dry-run' "$big" "'$p' -q --rejects /dev/null --dry-run '$big' >/dev/null"
		row 'statsd metlog-to-statsd, 1 each' "$small" "'$p' -q --rejects /dev/null --one-per-packet --to udp:127.0.0.1:$port '$small'"
	fi
	row 'statsd bare send(2) loop' "$small" "'$PROGRAMS/bench_udp' send $port $((metrics / 4))"
	rival jq "$deb_note" && row "statsd $($p --version) to text" "$small" "'$p' -r '$jq_statsd' '$small' >/dev/null"
	has_libjq && row 'statsd libjq 1.8 in Python' "$small" "'$libjq' '$here/rivals/jq18.py' '$jq_statsd' '$small' >/dev/null"
	rival python3 'not here' && row 'statsd python json, packed' "$small" "'$p' '$here/rivals/statsd.py' $port <'$small'"
}
jq_statsd='{"counter": "c", "timer": "ms", "gauge": "g"}[.type // ""] as $letter | select($letter) | "\(.fields.name):\(.payload)|\($letter)|@\(.fields.rate)"'

cef_rows() {
	local map=$here/rivals/cef.map
	if tool metlog-to-cef; then
		row 'cef metlog-to-cef --map' "$big" "'$p' -q --rejects /dev/null --map '$map' '$big' >/dev/null"
		row 'cef metlog-to-cef, built-in mapping' "$big" "'$p' -q --rejects /dev/null '$big' >/dev/null"
		row 'cef metlog-to-cef, rfc5424 header' "$big" "'$p' -q --rejects /dev/null --map '$map' --header rfc5424 '$big' >/dev/null"
	fi
	rival jq "$deb_note" && row "cef $($p --version)" "$small" "'$p' -r '$jq_cef' '$small' >/dev/null"
	has_libjq && row 'cef libjq 1.8 in Python' "$small" "'$libjq' '$here/rivals/jq18.py' '$jq_cef' '$small' >/dev/null"
	rival python3 'not here' && row 'cef python json' "$small" "'$p' '$here/rivals/cef.py' <'$small' >/dev/null"
}
jq_cef='def text: if type == "string" then . else tojson end; def header: text | gsub("(?<c>[\\\\|])"; "\\" + .c) | gsub("[\r\n]"; " ");
def value: text | .[0:1023] | gsub("(?<c>[\\\\=])"; "\\" + .c) | gsub("\n"; "\\n") | gsub("\r"; "\\r"); def pair($key): if . == null or . == "" then empty else "\($key)=\(value)" end;
if .type == "cef" and (.payload | type == "string" and contains("CEF:")) then .payload | .[index("CEF:"):]
else "CEF:0|Mozilla|\(.logger | header)|1|\(.type | header)|\(.fields.name // "event" | header)|\([10,9,8,7,5,3,2,0][.severity // 6])|" + ([
	((.timestamp[0:19] + "Z" | fromdateiso8601) * 1000 + ((.timestamp[20:23] // "0") | tonumber) | pair("rt")), (.metlog_hostname | pair("dvchost")), (.metlog_pid | pair("dvcpid")),
	(.logger | if . == "" then empty else "cs1Label=logger", pair("cs1") end), (.payload | pair("msg")), (.fields.path | pair("request")), (.fields.remote | pair("src")), (.fields.status | pair("outcome"))] | join(" ")) end'

# As many lines more than the corpus as make a million of its 400,000; with keys, a tenth as many.
distinct_lines=$((lines * 5 / 2)) distinct=$work/distinct keyed=$work/keyed keyed_small=$work/keyed-small
distinct_corpora() {
	[ ! -s "$keyed" ] || return 0
	"$PROGRAMS/corpus" -n "$distinct_lines" -s "$seed" >"$distinct" && "$PROGRAMS/corpus" -n "$distinct_lines" -s "$seed" -g $((distinct_lines / 10)) >"$keyed" &&
		head -n $((lines / 4)) "$keyed" >"$keyed_small"
}
has_duckdb() {
	rival node 'not here' || return
	[ -d "$rivals_dir/npm/node_modules/@duckdb/node-api" ] && return
	absent+=("DuckDB: not here; rivals.sh fetches it from npm")
	return 1
}

cardinality_rows() {
	local duck ours of="--format json --of fields.id"
	distinct_corpora
	row 'cardinality wc -l' "$distinct" "wc -l '$distinct' >/dev/null"
	tool metlog-route && row 'cardinality the same by metlog-route -m, nothing' "$distinct" "'$p' -m 'fields.id == \"none\"' '$distinct' >/dev/null"
	if tool metlog-cardinality; then
		ours=$p
		row 'cardinality metlog-cardinality' "$distinct" "'$ours' $of '$distinct' >/dev/null"
		row 'cardinality metlog-cardinality, pipe' "$distinct" "cat '$distinct' | '$ours' $of >/dev/null"
		row 'cardinality metlog-cardinality, sse2' "$distinct" "METLOG_SCAN=sse2 '$ours' $of '$distinct' >/dev/null"
		row 'cardinality metlog-cardinality, 3 members' "$distinct" "'$ours' $of --of logger,metlog_hostname '$distinct' >/dev/null"
		row 'cardinality metlog-cardinality --by type' "$distinct" "'$ours' $of --by type '$distinct' >/dev/null"
		row 'cardinality metlog-cardinality, groups' "$keyed" "'$ours' $of --by fields.key '$keyed' >/dev/null"
		row 'cardinality metlog-cardinality --exact' "$distinct" "'$ours' $of --exact '$distinct' >/dev/null"
		row 'cardinality metlog-cardinality --interval' "$distinct" "rm -rf '$work/state'; '$ours' --of fields.id --by logger --name users --interval 1d,7d --state '$work/state' '$distinct' >/dev/null"
		row 'cardinality metlog-cardinality --map | --reduce' "$keyed" "'$ours' --map --of fields.id --by fields.key '$keyed' | '$ours' --reduce --format json >/dev/null"
		row 'cardinality metlog-cardinality --report' "$distinct" "'$ours' --report --format json '$distinct' >/dev/null"
		row 'cardinality metlog-cardinality, many groups' $((distinct_lines * 10 * 70)) "'$PROGRAMS/corpus' -n $((distinct_lines * 10)) -g $distinct_lines -t | '$ours' $of --by fields.key >/dev/null"
	fi
	if has_duckdb; then
		duck="NODE_PATH='$rivals_dir/npm/node_modules' '$p' '$here/rivals/duckdb.js'"
		row 'cardinality DuckDB, nothing' "$distinct" "$duck 'SELECT 1' >/dev/null"
		row 'cardinality DuckDB approx_count_distinct' "$distinct" "$duck \"SELECT approx_count_distinct(fields.id) FROM read_ndjson('$distinct', columns = {fields: 'STRUCT(id VARCHAR)'})\" >/dev/null"
		row 'cardinality DuckDB count(DISTINCT)' "$distinct" "$duck \"SELECT count(DISTINCT fields.id) FROM read_ndjson('$distinct', columns = {fields: 'STRUCT(id VARCHAR)'})\" >/dev/null"
		row 'cardinality DuckDB, groups' "$keyed" "$duck \"SELECT count(*), max(n) FROM (SELECT fields.key, approx_count_distinct(fields.id) AS n FROM read_ndjson('$keyed', columns = {fields: 'STRUCT(id VARCHAR, key VARCHAR)'}) GROUP BY 1)\" >/dev/null"
	fi
	rival jq "$deb_note" && row "cardinality $($p --version) | sort -u" "$small" "'$p' -r '.fields.id // empty' '$small' | LC_ALL=C sort -u | wc -l >/dev/null"
	has_libjq && row 'cardinality libjq 1.8 in Python | sort -u' "$small" "'$libjq' '$here/rivals/jq18.py' '.fields.id // empty' '$small' | LC_ALL=C sort -u | wc -l >/dev/null"
	rival grep 'not here' && row 'cardinality grep -o | sort -u (crude)' "$small" "LC_ALL=C '$p' -oE '\"id\": ?\"[^\"]*\"' '$small' | LC_ALL=C sort -u | wc -l >/dev/null"
	rival mlr "$deb_note" && row 'cardinality miller count-distinct -n' "$small" "'$p' --json --ojsonl count-distinct -n -f fields.id '$small' >/dev/null"
}

guard_rows() {
	local calm="--rule 'tag fields.region limit 50 -> other' --rule 'tag fields.status bucket none,one,many' --rule 'tag fields.path normalise' --rule 'tag fields.node drop over 1000'"
	local busy="--rule 'tag fields.id limit 50 -> other' --rule 'tag fields.rate bucket none,one,many' --rule 'tag fields.path normalise' --rule 'tag fields.remote drop over 1000'"
	tool metlog-route && row 'guard metlog-route -m' "$big" "'$p' -m 'severity <= 7' '$big' >/dev/null"
	tool metlog-cardinality || return
	row 'guard metlog-cardinality --guard' "$big" "'$p' --guard $calm '$big' >/dev/null"
	row 'guard metlog-cardinality --guard, most lines change' "$big" "'$p' --guard $busy '$big' >/dev/null"
	row 'guard metlog-cardinality --guard --state' "$big" "rm -rf '$work/guard'; '$p' --guard $calm --state '$work/guard' '$big' >/dev/null"
}

# The request log of Ichnaea, as the oracle of its suite makes it: ten thousand different lines, again and again.
requests=$work/requests requests_small=$work/requests-small mozlog=$work/mozlog mozlog_small=$work/mozlog-small
request_corpora() {
	[ ! -s "$requests" ] || return 0
	command -v python3 >/dev/null || { absent+=('python3: not here: it makes the corpus of the derive and mozlog rows'); return 1; }
	mkdir -p "$work/oracle"
	(cd "$work/oracle" && python3 "$here/../ichnaea_oracle.py" make "$seed" 10000 >/dev/null) || return
	repeat "$work/oracle/envelopes" "$lines" >"$requests" && repeat "$work/oracle/mozlog" "$lines" >"$mozlog"
	head -n $((lines / 4)) "$requests" >"$requests_small" && head -n $((lines / 4)) "$mozlog" >"$mozlog_small"
}
repeat() { while cat "$1" 2>/dev/null; do :; done | head -n "$2"; }

derive_rows() {
	local ichnaea=$here/../../contrib/ichnaea
	request_corpora || return
	row 'derive wc -l' "$requests" "wc -l '$requests' >/dev/null"
	if tool metlog-derive; then
		row 'derive metlog-derive, as the code' "$requests" "'$p' --rules '$ichnaea/metrics-code.rules' '$requests' >/dev/null"
		row 'derive metlog-derive, as the page' "$requests" "'$p' --rules '$ichnaea/metrics.rules' '$requests' >/dev/null"
		row 'derive metlog-derive --tee' "$requests" "'$p' --tee --rules '$ichnaea/metrics-code.rules' '$requests' >/dev/null"
		tool metlog-lint && row 'derive metlog-derive | metlog-lint' "$requests" "'$TOOLS/metlog-derive' --rules '$ichnaea/metrics-code.rules' '$requests' | '$p' --catalog '$ichnaea/catalog.txt' >/dev/null"
	fi
	tool metlog-route && row 'derive metlog-route -m' "$requests" "'$p' -m 'severity <= 7' '$requests' >/dev/null"
	rival jq "$deb_note" && row "derive $($p --version)" "$requests_small" "'$p' -c -f '$here/rivals/ichnaea.jq' '$requests_small' >/dev/null"
	has_libjq && row 'derive libjq 1.8 in Python' "$requests_small" "'$libjq' '$here/rivals/jq18.py' \"\$(cat '$here/rivals/ichnaea.jq') | tojson\" '$requests_small' >/dev/null"
}

mozlog_rows() {
	request_corpora || return
	row 'mozlog cat' "$mozlog" "cat '$mozlog' >'$work/cat'"
	if tool metlog-from-mozlog; then
		row 'mozlog metlog-from-mozlog' "$mozlog" "'$p' '$mozlog' >/dev/null"
		row 'mozlog metlog-from-mozlog -m' "$mozlog" "'$p' -m 'severity <= 7' '$mozlog' >/dev/null"
	fi
	if tool metlog-to-mozlog; then
		row 'mozlog metlog-to-mozlog' "$requests" "'$p' '$requests' >/dev/null"
		row 'mozlog metlog-to-mozlog --flatten' "$requests" "'$p' --flatten '$requests' >/dev/null"
		row 'mozlog metlog-to-mozlog --bigquery-schema' "$requests" "'$p' --bigquery-schema '$requests' >/dev/null"
	fi
	if rival jq "$deb_note"; then
		row "mozlog from by $($p --version)" "$mozlog_small" "'$p' -c -f '$here/rivals/from_mozlog.jq' '$mozlog_small' >/dev/null"
		row "mozlog to by $($p --version)" "$requests_small" "'$p' -c -f '$here/rivals/to_mozlog.jq' '$requests_small' >/dev/null"
	fi
}

start_rows() {
	local one
	row 'start empty C program' '' "$PROGRAMS/empty"
	for one in "$TOOLS"/metlog-*; do
		[ -x "$one" ] && [ -f "$one" ] && case ${one##*/} in *.*) ;; metlog-recv | metlog-send) ;; *) row "start ${one##*/}" '' "$one$([ "${one##*/}" != metlog-route ] || echo ' -m TRUE')" ;; esac
	done
	for one in mawk jq python3; do rival "$one" "$deb_note" && row "start $one" '' "$p"; done
}

memory_rows() {
	local i
	for i in $(seq 64); do printf '{"type":"x","payload":"'; head -c 1048000 /dev/zero | tr '\0' "$((i % 10))"; printf '"}\n'; done >"$hostile"
	tool metlog-route && row 'memory metlog-route, 1 MiB lines' "$hostile" "'$p' -m 'payload =~ /9999x/' '$hostile' >/dev/null"
	tool metlog-tail && row 'memory metlog-tail, 1 MiB lines' "$hostile" "'$p' --pretty '$hostile' >/dev/null"
	tool metlog-route && row 'memory metlog-route, 8 x corpus' $((8 * $(stat -c %s "$big"))) "cat '$big' '$big' '$big' '$big' '$big' '$big' '$big' '$big' | '$p' -m 'severity <= 3' >/dev/null"
}

for group in route match tail statsd cef cardinality guard derive mozlog start memory; do
	wants "$group" && "${group}_rows"
done

input_size() { case $1 in '' | [0-9]*) echo "$1" ;; *) stat -c %s "$1" ;; esac; }
measure_all() {
	local turn i
	for turn in $(seq "$runs"); do
		for i in "${!names[@]}"; do
			case ${names[i]} in
			start*) set -- 200 "${commands[i]}" ;;
			*) set -- 1 "${commands[i]}" ;;
			esac
			[ -t 2 ] && printf '\rrun %d of %d: %-50s' "$turn" "$runs" "${names[i]}" >&2
			printf '%s\t%s\t%s\n' "${names[i]}" "$(input_size "${inputs[i]}")" \
				"$("$PROGRAMS/measure" "$@" 2>"$work/message" | tail -1)"
			[ ! -s "$work/message" ] || head -2 "$work/message" | sed "s|^|${names[i]}: |" >>"$work/messages"
		done
	done
	[ ! -t 2 ] || printf '\r%80s\r' '' >&2
}

echo "metlog bench: $(uname -m), $(nproc) processors, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), load $(cut -d' ' -f1 /proc/loadavg)"
echo "corpus: $lines lines, $(stat -c %s "$big") bytes, seed $seed; medians of $runs interleaved runs; slow rivals read the first $((lines / 4)) lines"
[ ${#names[@]} -eq 0 ] || { measure_all >"$work/times"; awk -v "lines=$lines" -v "groups=$((distinct_lines / 10))" -f "$here/report.awk" "$work/times"; }

# --- how far the counts lie from the truth -------------------------------------

if wants accuracy; then
	echo
	echo "Counts of sets of known size (goal: 0.85 % standard error, 0.2 % bias):"
	"$PROGRAMS/accuracy" || echo "the goal is missed"
fi

# --- the scanner alone --------------------------------------------------------

scan_all() {
	local turn kernel
	if [ -n "$rivals" ]; then
		g++ -O3 "$here/bench_simdjson.cc" -lsimdjson -o "$work/bench_simdjson" 2>/dev/null ||
			absent+=("simdjson: libsimdjson-dev or g++ is not here")
	fi
	for turn in $(seq "$runs"); do
		for kernel in $("$PROGRAMS/bench_scan" --list); do "$PROGRAMS/bench_scan" "$kernel" "$big"; done
		if [ -x "$work/bench_simdjson" ]; then
			"$work/bench_simdjson" "$big"
			"$work/bench_simdjson" "$big" haswell 2>/dev/null
		fi
	done
}
if wants scan; then
	echo
	echo "The scanner alone, in memory (full: grammar, UTF-8, types of the members; simdjson: DOM, parse_many):"
	scan_all >"$work/scan"
	awk -f "$here/report_scan.awk" "$work/scan"
fi

! wants durable || bash "$here/durable.sh" "$big" "$runs" "$backlog" || echo "the durable rows failed"
! wants hdfs || bash "$here/hdfs.sh" "$big" "$runs" "$backlog" || echo "the hdfs rows failed"
! wants client || bash "$here/client.sh" "$runs" "${rivals:+$rivals_dir}" || echo "the client rows failed"

[ ${#absent[@]} -eq 0 ] || { echo; printf 'not compared: %s\n' "${absent[@]}" | sort -u; }
[ ! -s "$work/messages" ] || { echo; echo "messages of the programs:"; sort "$work/messages" | uniq -c; }
exit 0
