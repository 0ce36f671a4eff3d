#!/bin/bash
# hdfs.sh - measures metlog-to-hdfs against doing the same by hand: zstd or gzip, then curl -T to the same cluster, or cp and fsync.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2317,SC2329
#
# usage: hdfs.sh CORPUS RUNS [FLAT-BYTES]     TOOLS and PROGRAMS from the environment, as run.sh has them
# The cluster is Hadoop's own mini cluster (tests/peers/hdfs.bash), or METLOG_BENCH_HDFS=HOST:PORT, a namenode; without one those rows are left out,
# visibly. On a real disk: METLOG_BENCH_DISK, or TMPDIR, or /tmp. Rows take turns; medians of wall time are compared, because both wait for others.
set -u
corpus=$1 runs=$2 flat=${3:-10737418240}
here=$(cd "$(dirname "$0")" && pwd)
PATH=$TOOLS:$PATH
[ -x "$TOOLS/metlog-to-hdfs" ] || { echo "hdfs: metlog-to-hdfs is not built"; exit 0; }
work=$(mktemp -d "${METLOG_BENCH_DISK:-${TMPDIR:-/tmp}}/metlog-hdfs.XXXXXX") || exit 73
export METLOG_STAGING=$work/staging
cluster=''
clean() {
	[ -z "$cluster" ] || { hdfs_stop "$cluster"; wait 2>/dev/null; }
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 71

size=$(stat -c %s "$corpus") lines=$(wc -l <"$corpus")
echo
echo "to HDFS: $lines lines, $size bytes, staged on $(stat -f -c %T .); medians of $runs runs taking turns"

# clock COMMAND...: prints wall seconds, user + system seconds and peak KiB of a command that succeeds.
clock() {
	local said
	sync -f .
	said=$("$PROGRAMS/measure" 1 "$1" 2>message | tail -1)
	case $said in *' 0') set -- $said; echo "$1 $(awk "BEGIN { print $2 + $3 }") $4" ;; *) echo "failed: $1: $said: $(head -1 message)" >&2; return 1 ;; esac
}
median() { sort -g | awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
names=()
take() {
	local name=$1
	case " ${names[*]-} " in *" [$name] "*) ;; *) names+=("[$name]") ;; esac
	set -- "$(clock "$2")"
	[ -z "$1" ] || printf '%s\t%s\n' "$name" "$1" >>"$work/times"
}
column() { awk -F '\t' -v n="$1" -v c="$2" '$1 == n { split($2, t, " "); print t[c] }' "$work/times" | median; }
peak() { awk -F '\t' -v n="$1" '$1 == n { split($2, t, " "); if (t[3] > m) m = t[3] } END { printf "%.1f", m / 1024 }' "$work/times"; }
show() {
	local wall
	wall=$(column "$1" 1)
	[ -z "$wall" ] || printf '  %-50s %8.3f s %7.0f MB/s %8.3f s cpu %8s MiB\n' "$1" "$wall" "$(awk "BEGIN { print $size / $wall / 1e6 }")" "$(column "$1" 2)" "$(peak "$1")"
}
compare() {
	local ours theirs cpu
	ours=$(column "$2" 1) theirs=$(column "$3" 1) cpu="$(column "$2" 2) / $(column "$3" 2)"
	if [ -n "$ours" ] && [ -n "$theirs" ]; then printf '  %-66s %8.2f   %-7s  cpu %.2f\n' "$1" "$(awk "BEGIN { print $ours / $theirs }")" "$4" "$(awk "BEGIN { print $cpu }")"; else printf '  %-66s %8s\n' "$1" 'not measured'; fi
}

# --- the cluster ---------------------------------------------------------------

namenode=${METLOG_BENCH_HDFS-} absent=''
if [ -z "$namenode" ]; then
	# shellcheck source=tests/peers/hdfs.bash
	. "$here/../peers/hdfs.bash"
	if ! hdfs_classes; then absent=$hdfs_reason
	elif cluster=$work/cluster && hdfs_start "$cluster" 2>absent; then
		hdfs_setup "$cluster"
		namenode=${hdfs_nn[0]}
	else absent=$(tail -1 absent)
	fi
fi

# by_hand ENDING COMPRESS...: compresses the corpus, then the two requests of WebHDFS with curl, and the look at the length that we take, too.
cat >by_hand.sh <<'HAND'
set -e
corpus=$1 base=$2 packed=$3
shift 3
"$@" <"$corpus" >"$packed"
name=$base/by-hand-$$.$packed
to=$(curl -sS -o /dev/null -w '%{redirect_url}' -X PUT -H 'Content-Length: 0' "$name?op=CREATE&overwrite=true&user.name=root")
[ "$(curl -sS -T "$packed" -H 'Content-Type: application/octet-stream' -H 'Expect:' -o answer -w '%{http_code}' "$to")" = 201 ]
curl -sS "$name?op=GETFILESTATUS" | grep -q "\"length\":$(stat -c %s "$packed"),"
HAND

# What the cluster does first is slow, for whoever comes first.
[ -z "$namenode" ] || for _ in 1 2 3 4 5; do sh by_hand.sh "$corpus" "http://$namenode/webhdfs/v1/bench/$$-warm" packed zstd -c -1; done

# --- the rows -------------------------------------------------------------------

ours() { echo "metlog-to-hdfs -q --rejects rejects --to $1 --compress $2 --layout $3 '$corpus'"; }
one=all parts='type={type}/dt={date}/hour={hour}'
for _ in $(seq "$runs"); do
	for how in zstd:3 gzip:6; do
		pack=${how%:*} level=-${how#*:}
		rm -rf file && mkdir file
		take "$pack $level, cp, fsync" "$pack -c $level <'$corpus' >packed && cp packed file/name && sync file/name file"
		take "metlog-to-hdfs to file:, $pack, one file" "$(ours file:file $how $one)"
		rm -rf file && mkdir file
		take "metlog-to-hdfs to file:, $pack, by type and hour" "$(ours file:file $how "'$parts'")"
		rm -rf file
		[ -n "$namenode" ] || continue
		base=/bench/$$-$pack-$RANDOM$RANDOM
		take "$pack $level, curl -T to HDFS" "sh by_hand.sh '$corpus' http://$namenode/webhdfs/v1$base packed $pack -c $level"
		take "metlog-to-hdfs to HDFS, $pack, one file" "$(ours "webhdfs://$namenode$base/one --user root" $how $one)"
		take "metlog-to-hdfs to HDFS, $pack, by type and hour" "$(ours "webhdfs://$namenode$base/parts --user root" $how "'$parts'")"
		curl -s -o answer -X DELETE "http://$namenode/webhdfs/v1$base?op=DELETE&recursive=true&user.name=root"
	done
done
for name in "${names[@]}"; do name=${name#[}; show "${name%]}"; done

echo
for how in zstd:3 gzip:6; do
	pack=${how%:*} level=-${how#*:}
	compare "to file:, wall, in multiples of $pack $level + cp + fsync" "metlog-to-hdfs to file:, $pack, one file" "$pack $level, cp, fsync" ''
	if [ -n "$namenode" ]; then
		compare "to HDFS, wall, in multiples of $pack $level + curl -T" "metlog-to-hdfs to HDFS, $pack, one file" "$pack $level, curl -T to HDFS" '<= 1.5'
		compare "    by type and hour" "metlog-to-hdfs to HDFS, $pack, by type and hour" "$pack $level, curl -T to HDFS" ''
	fi
done
[ -n "$namenode" ] || echo "  to HDFS: not measured: $absent"

# --- memory ---------------------------------------------------------------------

awk '{ sub(/"metlog_pid": ?[0-9]+/, "\"metlog_pid\":" NR % 64); print }' "$corpus" >parted
for to in file:file ${namenode:+"webhdfs://$namenode/bench/$$-parted --user root"}; do
	for pack in zstd gzip; do
		take "$to $pack" "metlog-to-hdfs -q --rejects rejects --to $to --compress $pack --layout 'pid={metlog_pid}' parted"
		printf '  %-66s %8s   %s\n' "peak with 64 open partitions, to ${to%%:*}, $pack, MiB" "$(peak "$to $pack")" '< 64'
	done
	rm -rf file
done
[ -z "$namenode" ] || curl -s -o answer -X DELETE "http://$namenode/webhdfs/v1/bench/$$-parted?op=DELETE&recursive=true&user.name=root"

# Staged lines and compressed ones lie there together.
free=$(($(stat -f -c '%a * %S' .)))
[ "$free" -gt $((2 * flat)) ] || flat=$((free / 4))
copies=$((flat / size + 1))
take flat "for i in \$(seq $copies); do cat '$corpus'; done | metlog-to-hdfs -q --rejects rejects --name flat --rotate-bytes 128M --to file:file"
printf '  %-66s %8s   %s\n' "peak with $(awk "BEGIN { printf \"%.1f\", $copies * $size / 1e9 }") GB in one run, MiB" "$(peak flat)" '< 64'
