#!/bin/bash
# quickstart.sh - installs what building needs, builds, and sends messages through the whole pipeline on this machine.
# SPDX-License-Identifier: MPL-2.0
#
# usage: contrib/quickstart.sh [--tools DIR]
#   --tools DIR   do not build: show the tools that are in DIR
# It needs no server and no root once the packages are there, and may be run again at any time. Nothing is installed but packages.
set -eu -o pipefail

tools=''
case ${1-} in
'') ;;
--tools) tools=$(cd "${2:?--tools needs a directory}" && pwd) ;;
--help | -h) sed -n '5,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
*) echo "quickstart.sh: unknown option $1; see --help" >&2; exit 64 ;;
esac
top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=contrib/packages.bash
. "$top/contrib/packages.bash"

say() { printf '\n\033[1m%s\033[0m\n' "$*" | if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi; }

# quietly LOG COMMAND...: shows the end of the log if the command fails.
quietly() {
	local log=$1
	shift
	"$@" >"$log" 2>&1 </dev/null && return
	tail -30 "$log" >&2
	echo "quickstart.sh: failed: $* (all of it: $log)" >&2
	return 70
}

if [ -z "$tools" ]; then
	say "1. What building needs"
	# shellcheck disable=SC2154
	packages_install "$packages_build" || exit 69
	echo "All of it is here."

	say "2. Building"
	# A tree that was configured in place is built in place; otherwise everything goes to build/.
	build=$top/build
	[ ! -e "$top/config.status" ] || build=$top
	mkdir -p "$build"
	[ -x "$top/configure" ] && [ ! "$top/configure.ac" -nt "$top/configure" ] || (cd "$top" && quietly "$build/autoreconf.log" autoreconf -fi)
	[ -e "$build/Makefile" ] || (cd "$build" && quietly "$build/configure.log" "$top/configure")
	quietly "$build/make.log" make -C "$build" -j"$(getconf _NPROCESSORS_ONLN)" all
	tools=$build/cmd
	echo "The tools are in $tools; 'make -C $build install' puts them, libmetlog and the manual pages into /usr/local."
fi
PATH=$tools:$PATH

# --- the pipeline --------------------------------------------------------------

demo=$(mktemp -d "${TMPDIR:-/tmp}/metlog-quickstart.XXXXXX")
children=''
# shellcheck disable=SC2317,SC2329
stop() {
	local child
	for child in $children; do kill "$child" 2>/dev/null || true; done
}
trap stop EXIT

cat >"$demo/routes" <<ROUTES
# One route a line. An envelope goes to every route whose expression it matches; default gets what none matched.
route metrics  type in ("counter", "timer", "gauge", "set")  => | metlog-to-statsd --prefix '{logger}' --dry-run >'$demo/statsd.txt'
route urgent   severity <= 3                                 => file:$demo/urgent.ndjson
default archive                                              => file:$demo/archive.ndjson
ROUTES

say "3. A pipeline: metlog-recv | metlog-route -> files and metlog-to-statsd"
echo "The routes, in $demo/routes:"
sed 's/^/    /' "$demo/routes"
from="pull:ipc://$demo/in" to="push:ipc://$demo/in"
mkfifo "$demo/pipe"
metlog-route -c "$demo/routes" --stats "$demo/stats" <"$demo/pipe" &
route=$!
metlog-recv --from "$from" >"$demo/pipe" &
recv=$!
children="$recv $route"

say "4. Sending through ZeroMQ"
echo "The receiver listens at $from; each of these has --to $to as well:"
send() {
	local word
	printf '    $ metlog-send -l shop'
	for word; do
		case $word in *[!A-Za-z0-9_.:=-]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
	done
	echo
	metlog-send --to "$to" -l shop "$@"
}
send --counter orders=3
send --gauge queue.depth=17
send --timer backup -- sleep 0.05
send -T login -f user=ada -f attempts:=2 'password accepted'
send -T payment -s 3 -f order:=4711 'card refused by the bank'
printf 'first line of a script\nand its second\n' | metlog-send --to "$to" -l nightly -T cron
echo '    $ a-script | metlog-send -l nightly -T cron'

messages=4
# A program in C, by the library that lies beside the tools.
if library=$tools/../libmetlog.a && [ -e "$library" ] && cc -I "$top/libcommon/client" -o "$demo/shop" "$top/contrib/examples/shop.c" "$library" -pthread -ldl -lm 2>"$demo/cc.log"; then
	echo "    \$ cc shop.c \$(pkg-config --cflags --libs metlog) && ./a.out shop.ini    # contrib/examples; in Python and Node.js: README.md"
	sed "s,^endpoint = .*,endpoint = $to," "$top/contrib/examples/shop.ini" >"$demo/shop.ini"
	"$demo/shop" "$demo/shop.ini"
	messages=6
fi

arrived() { cat "$demo"/*.ndjson 2>/dev/null | wc -l; }
for _ in $(seq 100); do
	[ "$(arrived)" -lt "$messages" ] || break
	sleep 0.05
done
# The end, as a supervisor makes it: the receiver stops, the pipe drains, the router waits for its statsd and exits.
kill -TERM "$recv"
wait "$recv" || { echo "quickstart.sh: metlog-recv ended with $?" >&2; exit 70; }
wait "$route" || { echo "quickstart.sh: metlog-route ended with $?" >&2; exit 70; }
children=''

say "5. What arrived"
echo "For statsd, the lines it would get (without --dry-run they leave as UDP packets):"
sed 's/^/    /' "$demo/statsd.txt"
[ "$(grep -c . "$demo/statsd.txt")" -ge 3 ] || { echo "quickstart.sh: three metrics were sent, fewer came out" >&2; exit 70; }
echo "In files, shown by metlog-tail:"
for file in urgent archive; do
	[ -s "$demo/$file.ndjson" ] || { echo "quickstart.sh: nothing came into $file.ndjson" >&2; exit 70; }
	echo "    $ metlog-tail $demo/$file.ndjson"
	metlog-tail --pretty "$demo/$file.ndjson" | sed 's/^/      /'
done
echo "The router's books, $demo/stats:"
sed 's/^/    /' "$demo/stats"

say "6. The archive as files for Hive, each envelope once however often this is run (--to webhdfs://... for HDFS)"
echo "    $ metlog-to-hdfs --compress gzip --to file:$demo/hive $demo/archive.ndjson"
for _ in 1 2; do metlog-to-hdfs --compress gzip --to "file:$demo/hive" --staging "$demo/staging" "$demo/archive.ndjson"; done
find "$demo/hive" -type f | sort | sed 's/^/    /'
[ "$(find "$demo/hive" -type f -exec gzip -dc {} + | wc -l)" -eq "$(wc -l <"$demo/archive.ndjson")" ] || { echo "quickstart.sh: not every envelope was published once" >&2; exit 70; }

say "7. The archive as security events, in the Common Event Format (--to syslog+tls:HOST for a SIEM)"
echo "    $ metlog-to-cef $demo/archive.ndjson"
metlog-to-cef "$demo/archive.ndjson" | sed 's/^/    /'

say "8. How many different values there are: of users, or of anything else"
echo "    $ metlog-cardinality --of logger,fields.user --by type $demo/archive.ndjson"
metlog-cardinality --format table --of logger,fields.user --by type "$demo/archive.ndjson" | sed 's/^/    /'

say "Where to look next"
cat <<NEXT
    PATH=$tools:\$PATH
    man $top/man/metlog.7    # the family, the envelope, exit statuses
    less $top/README.md    # recipes
    $top/contrib/check.sh    # all tests
A live stream, from one terminal to another:
    metlog-tail --from sub:tcp://127.0.0.1:5565
    metlog-send --to pub:tcp://127.0.0.1:5565 -l shop "hello"
The demonstration's files stay in $demo; remove them when you like.
NEXT
