#!/bin/bash
# check.sh - builds the project from a copy of this tree and tries everything a release is held to.
# SPDX-License-Identifier: MPL-2.0
#
# usage: contrib/check.sh [--long] [--only=PATTERN] [--no-install] [--keep] [--record]
#   --long          also all suites by the sanitizers and from the release tarball, each fuzz target for 60 s (clang), and all faults
#   --only=PATTERN  of the jobs only those whose name matches: "peers hdfs", "distcheck|valgrind", "sanitizers (units|http)|build by"
#   --no-install    use what is here; what is missing becomes a skip
#   --keep          keep the work directory and say where it is (it is kept when something fails, too)
#   --record        write down in contrib/durations how long each job took: those that last longest begin first
# Ends with the jobs that took longest, and "N passed, N failed, N skipped"; the exit status is 0 if nothing failed. Skips name their reason.
# Without --long it ends within CHECK_MINUTES (18): what there is no time for then is a skip, the sanitizers first.
# shellcheck disable=SC2015,SC2016,SC2034,SC2317,SC2329
set -u

long='' install=yes keep='' record='' only=''
for argument; do
	case $argument in
	--long) long=yes ;;
	--only=*) only=${argument#*=} ;;
	--no-install) install='' ;;
	--keep) keep=yes ;;
	--record) record=yes ;;
	--help | -h) sed -n '5,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
	*) echo "check.sh: unknown option $argument; see --help" >&2; exit 64 ;;
	esac
done

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=contrib/packages.bash
. "$top/contrib/packages.bash"
# shellcheck source=contrib/pool.bash
. "$top/contrib/pool.bash"
# shellcheck source=contrib/tap.bash
. "$top/contrib/tap.bash"
jobs=$(nproc 2>/dev/null || echo 2)
durations=$top/contrib/durations deadline=$((${CHECK_MINUTES:-18} * 60))
[ -z "$long" ] || deadline=0
work=$(mktemp -d "${TMPDIR:-/tmp}/metlog-check.XXXXXX") || exit 73
tree=$work/tree build=$work/build asan=$work/asan logs=$work/logs
mkdir -p "$tree" "$build" "$asan" "$logs"
passed=0 failed=0 skipped=0 failures=() skips=()

clean() {
	[ -n "$keep" ] || [ "$failed" -gt 0 ] || { chmod -R u+w "$work"; rm -rf "$work"; }
}
trap clean EXIT
trap 'pool_stop; failed=1; exit 130' INT TERM

say() { printf '\n== %s\n' "$*"; }
pass() { passed=$((passed + 1)); }
failure() { failed=$((failed + 1)); failures+=("$1"); }
skip() { skipped=$((skipped + 1)); skips+=("$1"); echo "   skipped: $1"; }

finish() {
	say "what took longest"
	pool_slowest 10
	[ -z "$record" ] || [ "$failed" -gt 0 ] || pool_record
	say "summary after $((SECONDS / 60)) min $((SECONDS % 60)) s"
	[ ${#skips[@]} -eq 0 ] || printf 'skipped: %s\n' "${skips[@]}" | sort | uniq -c | sed 's/^ *1 //; s/^ *\([0-9]*\) \(.*\)$/\2 (\1 times)/'
	[ ${#failures[@]} -eq 0 ] || printf 'FAILED: %s\n' "${failures[@]}"
	[ -n "$keep" ] || [ "$failed" -gt 0 ] && echo "everything is kept in $work"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}

# step NAME SECONDS COMMAND...: one test: the command must succeed in time. What it said is shown if it did not.
step() {
	local name=$1 limit=$2 log start=$SECONDS code=0
	log=$(pool_log "$1").log
	shift 2
	timeout --kill-after=10 "$limit" "$@" >"$log" 2>&1 </dev/null || code=$?
	step_ended "$name" "$log" "$code" $((SECONDS - start))
}

step_ended() {
	if [ "$3" -eq 0 ]; then
		pass
		[ "$4" -lt 3 ] || echo "   $1: $4 s"
		return 0
	fi
	failure "$1"
	[ "$3" -ne 124 ] && [ "$3" -ne 137 ] || echo "   $1: stopped after $4 s"
	echo "--- $1 failed ($3), the end of its output:"
	tail -40 "$2" | sed 's/^/   | /'
	return 1
}

# tap_ended NAME LOG CODE SECONDS: a suite.
tap_ended() {
	case $3 in 124 | 137) echo "   $1: stopped after $4 s" ;; esac
	count_tap "$@"
	[ -z "$long" ] || sed -n 's/^# \(.* wrong\)$/   \1/p' "$2"
}

# units_ended NAME LOG CODE SECONDS: `make check` of the unit tests, in the directory that its name is for.
units_ended() {
	local log directory=$build
	[ "$1" = "check units" ] || directory=$asan
	if ! ls "$directory"/tests/unit/*.log >/dev/null 2>&1; then step_ended "$@"; return; fi
	case $3 in 124 | 137) failure "$1: stopped after $4 s" ;; esac
	for log in "$directory"/tests/unit/*.log; do count_tap "${1% units} $(basename "$log" .log)" "$log"; done
}

# threads_ended NAME LOG CODE SECONDS: where it cannot be tried, it says so; so does a test that cannot.
threads_ended() {
	local line
	[ "$3" -ne 77 ] || { skip "$1: $(tail -1 "$2" | sed 's/^threads.sh: skipped: //')"; return; }
	step_ended "$@"
	while IFS= read -r line; do skip "$1: $line"; done < <(awk '/^# / { reason = substr($0, 3) } /^\[  SKIPPED \] [^ ]*$/ { print $4 " [" reason "]" }' "$2" | sort -u)
}

# suites NAME TOOLS SECONDS SUITE...: these suites for the pool, tried on these tools. SECONDS are for each.
suites() {
	local name=$1 tools=$2 limit=$3 suite
	for suite in "${@:4}"; do
		[ -e "$suite" ] || continue
		pool_add tap "$name $(basename "$suite" .bats)" "$limit" env TOOLS="$tools" bats --tap "$suite"
	done
}

# --- a copy of the tree: the one it stands in stays as it is, whether it was configured or not ---

if [ -n "$install" ]; then
	say "what is needed"
	# shellcheck disable=SC2154
	packages_install "$packages_build" "$packages_test" ${long:+"$packages_long"} || echo "Going on with what is here."
fi
missing=$(packages_missing "$packages_build")
[ -z "${missing// /}" ] || { echo "check.sh: cannot build without: $missing" >&2; exit 69; }
missing=$(packages_missing "$packages_test")
[ -z "${missing// /}" ] || skip "tests that need: $missing"

say "building"
if git -C "$top" rev-parse --git-dir >/dev/null 2>&1; then
	(cd "$top" && git ls-files -z --cached --others --exclude-standard | xargs -0 sh -c 'for f; do [ -e "$f" ] && printf "%s\0" "$f"; done' - |
		tar -cf - --null --no-recursion -T -) | tar -xf - -C "$tree"
else
	(cd "$top" && tar -cf - --exclude='*.o' --exclude='*.a' --exclude=config.status --exclude='./build' .) | tar -xf - -C "$tree"
fi
cd "$work" || exit 71
export SOURCE=$tree TOOLS=$build/cmd FAULTS=${long:+long}
# Python is started some thousand times: by its own name, not by a wrapper of a version manager.
if python=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null) && [ -x "$python" ]; then PATH=$(dirname "$python"):$PATH; fi
# What Hadoop's suites need is fetched meanwhile, and before any of them runs in its time; one that cannot have it says why.
(. "$tree/tests/peers/hdfs.bash" && { hdfs_classes || echo "   ${hdfs_reason-}"; }) >"$logs/hdfs" 2>&1 </dev/null &
fetching=$!
step autoreconf 180 autoreconf -fi "$tree" || finish
step configure 180 sh -c "cd '$build' && '$tree/configure' --enable-werror" || finish
step build 400 make -C "$build" -j"$jobs" all || finish
step "build of the tests" 400 make -C "$build" -j"$jobs" check TESTS= || finish
wait "$fetching"
cat "$logs/hdfs"

say "manual pages"
for page in "$tree"/man/*.[0-9]; do
	if command -v mandoc >/dev/null; then step "mandoc $(basename "$page")" 20 mandoc -T lint -W warning "$page"
	else skip "mandoc $(basename "$page"): mandoc is not installed"; fi
done

# --- the jobs, in three parts: what is worth most comes first; in the first two what lasts longest begins first ---

pool_add units "check units" 300 make -C "$build" -k check TESTS='$(unit_tests)'
if command -v bats >/dev/null; then
	suites check "$build/cmd" 300 "$tree"/tests/*.bats
	pool_sort
	suites peers "$build/cmd" 420 "$tree"/tests/peers/*.bats
	# Kills, crash points, errors, broken connections and losses of power: a short set, drawn anew each time; with --long all there is.
	suites faults "$build/cmd" "$([ -n "$long" ] && echo 3600 || echo 420)" "$tree"/tests/faults/*.bats
else skip "tests/*.bats, tests/peers, tests/faults: bats is not installed"; fi

pool_add step "quickstart" 120 bash "$tree/contrib/quickstart.sh" --tools "$build/cmd"

while IFS= read -r script; do
	# In a suite a failed cd ends the test, and what tests/helper.bash sets is not seen to come from there.
	case $script in *.bats) but=SC2154,SC2164 ;; *) but=SC1000 ;; esac
	if command -v shellcheck >/dev/null; then pool_add step "shellcheck ${script#"$tree"/}" 60 shellcheck -x -P "$tree" -S warning -e "$but" "$script"
	else skip "shellcheck ${script#"$tree"/}: shellcheck is not installed"; fi
done < <(find "$tree/contrib" "$tree/tests" "$tree/.ci" -type f \( -name '*.sh' -o -name '*.bash' -o -name '*.bats' -o -path '*/.ci/run' \) ! -path '*/node_modules/*' | sort)

# Of the campaigns of faults only a part runs here; what the rest would stumble over, such as a name that is not there, is found unrun.
if command -v pylint >/dev/null; then pool_add step "pylint tests/faults" 120 sh -c 'cd "$1" && exec pylint -E --disable=import-error ./*.py' - "$tree/tests/faults"
else skip "pylint tests/faults: pylint is not installed"; fi

# Each filter over good and bad lines, to its end and through its reject path, in a directory of its own.
make -s -C "$build" tests/bench/corpus >/dev/null 2>&1 && "$build/tests/bench/corpus" -n 1500 -b 30 >"$work/corpus"
under_valgrind() {
	local name=$1 place
	shift
	[ -x "$TOOLS/$1" ] || return 0
	place=$(mktemp -d "$work/valgrind.XXXXXX")
	pool_add step "valgrind $name" 120 sh -c 'cd "$1" && input=$2 && shift 2; exec valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect --child-silent-after-fork=yes "$@" <"$input"' \
		- "$place" "$work/corpus" "$TOOLS/$1" "${@:2}"
}
if command -v valgrind >/dev/null && [ -s "$work/corpus" ]; then
	under_valgrind "metlog-route" metlog-route -r 'a: type in ("counter", "timer") && fields.rate < 1 => file:routed-{type}' -r 'b: payload =~ /refused/ => | cat >/dev/null' -d file:rest --rejects dead
	under_valgrind "metlog-route -m" metlog-route -m 'severity <= 3 || fields.name =~ /^auth/' --rejects dead --stats stats
	under_valgrind "metlog-to-statsd" metlog-to-statsd --dry-run --rejects dead
	under_valgrind "metlog-to-cef" metlog-to-cef --header rfc5424 --max-bytes 1000 --rejects dead
	under_valgrind "metlog-to-hdfs --dry-run" metlog-to-hdfs --dry-run --format hive --rejects dead
	under_valgrind "metlog-to-hdfs" metlog-to-hdfs --to "file:$work/valgrind-out" --staging "$work/valgrind-staging" --compress gzip --open 2 --rotate-bytes 20k --rejects dead
	under_valgrind "metlog-tail" metlog-tail --rejects dead --color=always --oneline
	under_valgrind "metlog-tail --json" metlog-tail --json --rejects dead -m 'type == "cef"'
	under_valgrind "metlog-flood" metlog-flood -c 500 --corrupt 20 --duplicates 5 --unicode 30 --skew 1h
	under_valgrind "metlog-send --json" metlog-send --json --rejects dead
else
	skip "valgrind: it is not installed, or there is no corpus"
fi

pool_add threads "thread sanitizer" 400 "$tree/tests/threads.sh"

if command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null; then pool_add step "unit tests on aarch64" 400 "$tree/tests/neon.sh"
else skip "unit tests on aarch64: gcc-aarch64-linux-gnu and qemu-user are not installed (--long installs them)"; fi

if [ -n "$long" ]; then pool_add step "distcheck, all suites" 1800 make -C "$build" -j"$jobs" distcheck
else pool_add step "distcheck" 400 make -C "$build" -j"$jobs" distcheck TESTS=tests/tree.bats check_PROGRAMS= DISTCHECK_CONFIGURE_FLAGS=CFLAGS=-O0; fi

pool_add step "build by the sanitizers" 600 sh -c "cd '$asan' && '$tree/configure' --enable-werror --enable-sanitizers CFLAGS='-g -O0' && make -j$jobs all && make -j$jobs check TESTS="
pool_sort

# The third part, in the order of what it is worth. Left out are suites that take long and go through the same code as others, or hold what a sanitizer
# build cannot show.
but=(check client-faults family-streams ichnaea libmetlog metlog-flood metlog-recv-spool metlog-send-timed metlog-spool-drain-crash metlog-spool-full metlog-spool-read metlog-tail-live
	metlog-to-statsd-broken mozlog-writers tree webhdfs-publish)
first=(family envelope metlog-to-cef metlog-tail metlog-to-hdfs http webhdfs metlog-recv metlog-recv-ack metlog-send metlog-route metlog-to-statsd metlog-spool)
if [ -n "$long" ]; then but=(); else skip "sanitizers: ${but[*]}: they are left to --long"; fi
pool_needs "build by the sanitizers"
pool_add units "sanitizers units" 300 make -C "$asan" -k check TESTS='$(unit_tests)'
while read -r suite; do
	case " ${but[*]} " in *" $suite "*) continue ;; esac
	! command -v bats >/dev/null || suites sanitizers "$asan/cmd" 400 "$tree/tests/$suite.bats"
done < <({ printf '%s\n' "${first[@]}"; find "$tree/tests" -maxdepth 1 -name '*.bats' -printf '%f\n' | sed 's/\.bats$//' | sort; } | awk '!seen[$0]++')
pool_needs ''

say "suites, real servers, faults, scripts, the release tarball, sanitizers"
export LSAN_OPTIONS="suppressions=$tree/tests/lsan.supp:print_suppressions=0"
pool_run

if [ -n "$long" ]; then
	say "fuzzing, 60 s each"
	mkdir -p "$work/fuzz"
	if ! command -v clang >/dev/null; then skip "fuzz targets: clang is not installed"
	elif step "configure --enable-fuzz" 180 sh -c "cd '$work/fuzz' && '$tree/configure' --enable-fuzz CC=clang" &&
		step "build --enable-fuzz" 400 make -C "$work/fuzz" -j"$jobs" all; then
		found=''
		for target in "$work"/fuzz/tests/fuzz/fuzz_*; do
			[ -x "$target" ] && [ -f "$target" ] || continue
			case $target in *.*[co]) continue ;; esac
			found=yes name=$(basename "$target")
			mkdir -p "$work/seeds/$name"
			corpus=$tree/tests/fuzz/corpus/${name#fuzz_}
			[ -d "$corpus" ] || corpus=''
			words=$tree/tests/fuzz/$name.dict
			[ -e "$words" ] || words=''
			step "$name" 120 "$target" ${words:+-dict="$words"} -max_total_time=60 -timeout=5 -rss_limit_mb=1024 "$work/seeds/$name" ${corpus:+"$corpus"}
		done
		[ -n "$found" ] || failure "no fuzz target was built"
	fi
fi
finish
