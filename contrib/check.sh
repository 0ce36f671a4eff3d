#!/bin/bash
# check.sh - builds the project from a copy of this tree and tries everything a release is held to.
# SPDX-License-Identifier: MPL-2.0
#
# usage: contrib/check.sh [--long] [--no-install] [--keep]
#   --long        also all suites from the release tarball, each fuzz target for 60 s (clang), and all faults
#   --no-install  use what is here; what is missing becomes a skip
#   --keep        keep the work directory and say where it is (it is kept when something fails, too)
# Ends with "N passed, N failed, N skipped"; the exit status is 0 if nothing failed. Skips name their reason.
# shellcheck disable=SC2015,SC2016,SC2317,SC2329
set -u

long='' install=yes keep=''
for argument; do
	case $argument in
	--long) long=yes ;;
	--no-install) install='' ;;
	--keep) keep=yes ;;
	--help | -h) sed -n '5,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
	*) echo "check.sh: unknown option $argument; see --help" >&2; exit 64 ;;
	esac
done

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=contrib/packages.bash
. "$top/contrib/packages.bash"
jobs=$(nproc 2>/dev/null || echo 2)
work=$(mktemp -d "${TMPDIR:-/tmp}/metlog-check.XXXXXX") || exit 73
tree=$work/tree build=$work/build asan=$work/asan logs=$work/logs
mkdir -p "$tree" "$build" "$asan" "$logs"
passed=0 failed=0 skipped=0 failures=() skips=()

clean() {
	[ -n "$keep" ] || [ "$failed" -gt 0 ] || { chmod -R u+w "$work"; rm -rf "$work"; }
}
trap clean EXIT
trap 'failed=1; exit 130' INT TERM

say() { printf '\n== %s\n' "$*"; }
pass() { passed=$((passed + 1)); }
failure() { failed=$((failed + 1)); failures+=("$1"); }
skip() { skipped=$((skipped + 1)); skips+=("$1"); echo "   skipped: $1"; }

finish() {
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
	log=$logs/$(printf %s "$1" | tr -c 'A-Za-z0-9.\n-' _).log
	shift 2
	timeout --kill-after=10 "$limit" "$@" >"$log" 2>&1 </dev/null || code=$?
	if [ "$code" -eq 0 ]; then
		pass
		[ $((SECONDS - start)) -lt 3 ] || echo "   $name: $((SECONDS - start)) s"
		return 0
	fi
	failure "$name"
	[ "$code" -ne 124 ] && [ "$code" -ne 137 ] || echo "   $name: stopped after $limit s"
	echo "--- $name failed ($code), the end of its output:"
	tail -40 "$log" | sed 's/^/   | /'
	return 1
}

# count_tap NAME LOG: adds the results of one TAP stream to the sum, and shows what failed. Tests that were planned but never ran failed.
count_tap() {
	local sums ok not skip missing
	sums=$(awk '
		/^1\.\.[0-9]+/ { planned += substr($1, 4); next }
		/^not ok / && !/# *[Tt][Oo][Dd][Oo]/ { not++; next }
		/^ok / { if (tolower($0) ~ /# *skip/) skip++; else ok++ }
		END { missing = planned - ok - not - skip; printf "%d %d %d %d", ok, not, skip, (missing > 0 || !planned) ? (missing > 1 ? missing : 1) : 0 }' "$2")
	read -r ok not skip missing <<<"$sums"
	passed=$((passed + ok)) failed=$((failed + not + missing)) skipped=$((skipped + skip))
	if [ "$not" -gt 0 ]; then
		while IFS= read -r line; do failures+=("$1: ${line#not ok }"); done < <(grep '^not ok ' "$2")
		echo "--- $1:"
		awk '/^(ok |1\.\.)/ { show = 0 } /^not ok / { show = 1 } show' "$2" | head -150 | sed 's/^/   | /'
	fi
	if [ "$missing" -gt 0 ]; then
		failures+=("$1: $missing tests did not run to their end")
		echo "--- $1: the end of its output:"
		tail -15 "$2" | sed 's/^/   | /'
	fi
	while IFS= read -r line; do
		[ -z "$line" ] || { skips+=("$line"); echo "   skipped: $line"; }
	done < <(grep -iE '^ok .*# *skip' "$2" | sed -E "s,^ok [0-9]+ ?-? ?(.*)# *[Ss][Kk][Ii][Pp] *\(?(.*)\$,$1: \1[\2]," | sed 's/)\]$/]/')
	printf '   %-28s %4d passed, %d failed, %d skipped\n' "$1" "$ok" "$((not + missing))" "$skip"
}

# make_check NAME DIRECTORY SECONDS [SUITE...]: `make check` without those suites, then the TAP of each other one.
make_check() {
	local log suite but='' tests=()
	for suite in "${@:4}"; do but+=" tests/$suite.bats"; done
	[ -z "$but" ] || tests=(TESTS="\$(filter-out$but,\$(unit_tests) \$(bats_tests))")
	# One more at a time than there are processors: suites wait more than they work.
	timeout --kill-after=10 "$3" make -C "$2" -k -j$((jobs + 1)) check "${tests[@]}" >"$logs/$1.log" 2>&1 </dev/null
	case $? in 124 | 137) echo "   $1: stopped after $3 s"; failure "$1: stopped after $3 s" ;; esac
	if ! ls "$2"/tests/*.log "$2"/tests/unit/*.log >/dev/null 2>&1; then
		failure "$1: no suite ran"
		tail -40 "$logs/$1.log" | sed 's/^/   | /'
	fi
	for log in "$2"/tests/unit/*.log "$2"/tests/*.log; do
		[ -e "$log" ] || continue
		suite=$(basename "$log" .log)
		count_tap "$1 $suite" "$log"
	done
}

# suites DIRECTORY SECONDS: each suite of tests/DIRECTORY, several at a time: they wait for servers more than they work. SECONDS are for each.
suites() {
	local suite name running=0
	if ! command -v bats >/dev/null; then
		found=yes
		skip "tests/$1: bats is not installed"
		return
	fi
	for suite in "$tree/tests/$1"/*.bats; do
		[ -e "$suite" ] || continue
		found=yes name="$1 $(basename "$suite" .bats)"
		if [ "$running" -ge "$jobs" ]; then wait -n; else running=$((running + 1)); fi
		timeout --kill-after=10 "$2" bats --tap "$suite" >"$logs/$name.log" 2>&1 </dev/null &
	done
	wait
	for suite in "$tree/tests/$1"/*.bats; do
		[ -e "$suite" ] || continue
		name="$1 $(basename "$suite" .bats)"
		count_tap "$name" "$logs/$name.log"
		[ -z "$long" ] || sed -n 's/^# \(.* wrong\)$/   \1/p' "$logs/$name.log"
	done
}

# --- a copy of the tree: the one it stands in stays as it is, whether it was configured or not ---

if [ -n "$install" ]; then
	say "what is needed"
	# shellcheck disable=SC2154
	packages_install "$packages_build" "$packages_test" ${long:+"$packages_long"} || exit 69
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
step autoreconf 180 autoreconf -fi "$tree" || finish
step configure 180 sh -c "cd '$build' && '$tree/configure' --enable-werror" || finish
step build 400 make -C "$build" -j"$jobs" all || finish
export TOOLS=$build/cmd SOURCE=$tree

say "make check"
make_check check "$build" 800

say "against real servers"
# What Hadoop's suites need is fetched before any of them runs in its time; one that cannot have it says why.
(. "$tree/tests/peers/hdfs.bash" && { hdfs_classes || echo "   ${hdfs_reason-}"; }) 2>&1
found=''
[ ! -d "$tree/tests/peers" ] || suites peers 420
[ -n "$found" ] || skip "tests/peers: no suite is there"

say "faults"
# Kills, crash points, errors, broken connections and losses of power: a short set, drawn anew each time; with --long all there is.
export FAULTS=${long:+long}
suites faults "$([ -n "$long" ] && echo 3600 || echo 420)"
unset FAULTS

say "quick start"
step "quickstart" 120 bash "$tree/contrib/quickstart.sh" --tools "$build/cmd"

say "manual pages and scripts"
for page in "$tree"/man/*.[0-9]; do
	if command -v mandoc >/dev/null; then step "mandoc $(basename "$page")" 20 mandoc -T lint -W warning "$page"
	else skip "mandoc $(basename "$page"): mandoc is not installed"; fi
done
while IFS= read -r script; do
	# In a suite a failed cd ends the test, and what tests/helper.bash sets is not seen to come from there.
	case $script in *.bats) but=SC2154,SC2164 ;; *) but=SC1000 ;; esac
	if command -v shellcheck >/dev/null; then step "shellcheck ${script#"$tree"/}" 60 shellcheck -x -P "$tree" -S warning -e "$but" "$script"
	else skip "shellcheck ${script#"$tree"/}: shellcheck is not installed"; fi
done < <(find "$tree/contrib" "$tree/tests" "$tree/.ci" -type f \( -name '*.sh' -o -name '*.bash' -o -name '*.bats' -o -path '*/.ci/run' \) ! -path '*/node_modules/*' | sort)

say "valgrind"
# Each filter over good and bad lines, to its end and through its reject path.
make -s -C "$build" tests/bench/corpus >/dev/null 2>&1 && "$build/tests/bench/corpus" -n 1500 -b 30 >"$work/corpus"
under_valgrind() {
	local name=$1
	shift
	[ -x "$TOOLS/$1" ] || return 0
	step "valgrind $name" 120 sh -c 'input=$1; shift; exec valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect --child-silent-after-fork=yes "$@" <"$input"' \
		- "$work/corpus" "$TOOLS/$1" "${@:2}"
}
if command -v valgrind >/dev/null && [ -s "$work/corpus" ]; then
	cd "$work" || exit 71
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
	cd - >/dev/null || exit 71
else
	skip "valgrind: it is not installed, or there is no corpus"
fi

say "aarch64"
if command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null; then step "unit tests on aarch64" 400 "$tree/tests/neon.sh"
else skip "unit tests on aarch64: gcc-aarch64-linux-gnu and qemu-user are not installed (--long installs them)"; fi

say "the release tarball"
if [ -n "$long" ]; then step "distcheck, all suites" 900 make -C "$build" -j"$jobs" distcheck
else step "distcheck" 400 make -C "$build" -j"$jobs" distcheck TESTS=tests/tree.bats; fi

say "sanitizers"
# Suites that take long and go through the same code as others, or hold what a sanitizer build cannot show.
but=(family-streams metlog-flood metlog-recv-spool metlog-send-timed metlog-spool-drain-crash metlog-spool-full metlog-spool-read metlog-tail-live
	metlog-to-statsd-broken tree webhdfs-publish)
if [ -n "$long" ]; then but=(); else skip "sanitizers: ${but[*]}: they are left to --long"; fi
# The short set keeps to 20 minutes; on a machine that is that slow it ends here, and says so.
if [ -z "$long" ] && [ "$SECONDS" -gt 720 ]; then skip "sanitizers: no time is left after $((SECONDS / 60)) min: --long takes its time"
else
	step "configure --enable-sanitizers" 180 sh -c "cd '$asan' && '$tree/configure' --enable-werror --enable-sanitizers" &&
		step "build --enable-sanitizers" 400 make -C "$asan" -j"$jobs" all &&
		TOOLS=$asan/cmd make_check sanitizers "$asan" 800 "${but[@]}"
fi

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
