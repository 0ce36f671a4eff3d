# publish.bats - metlog-to-hdfs under kills, errors, full disks, want of memory and hostile input: each envelope is published once, or is still there.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load ../helper
	load faults
	cd "$BATS_TEST_TMPDIR" || return
	mounted=''
	export METLOG_STAGING=$PWD/staging
	mkdir -m 700 staging
}

teardown() {
	[ -z "$mounted" ] || umount -l "$mounted" || true
}

# points FEED STORE MODE EVERY [OPTION...]: each EVERY-th point of the short set, drawn anew each time; all of them in the long one.
points() {
	short --every "$4" --seed "$((RANDOM + 1))" -- --calls all
	if [ "$3" = error ]; then short --every "$4" --seed "$((RANDOM + 1))" -- --errors ENOSPC,EIO,EDQUOT,EMFILE,ENOMEM; fi
	faults publish "$1" "$2" "$3" --records 30 "${set[@]}" "${@:5}"
}

# small SIZE: a filesystem of its own in $PWD/disk.
small() {
	[ "$(id -u)" -eq 0 ] || skip "mounting takes root"
	mkdir -p disk
	mount -t tmpfs -o "size=$1,mode=700" none disk 2>/dev/null || skip "no tmpfs can be mounted here"
	mounted=$PWD/disk
}

publish() { separately metlog-to-hdfs --to "file:$PWD/base" --compress none "$@"; }

# published end|visible INPUT...: judged by the oracle.
published() { PYTHONDONTWRITEBYTECODE=1 python3 "$SOURCE/tests/faults/targets.py" "$1" "${base:-$PWD/base}" "$METLOG_STAGING" "${@:2}" || fail "$(head -c 500 "${err-/dev/null}")"; }

# flood COUNT [OPTION...]: into `in`.
flood() { metlog-flood -c "$1" --mix counter=3,timer=2,log=1 "${@:2}" >in; }

# peak KIB COMMAND...: fails if it takes more memory at any time.
peak() {
	local most=$1
	shift
	[ -x /usr/bin/time ] || skip "/usr/bin/time is not installed"
	separately /usr/bin/time -o peak -f %M "$@"
	expect_status 0
	echo "# $(tail -1 peak) KiB: $BATS_TEST_DESCRIPTION" >&3
	[ "$(tail -1 peak)" -le "$most" ]
}

# --- kills and errors at each system call ---

@test "a publish of files by name may be killed in any call: the next run makes the same files" { points operand file kill 30; }
@test "of a file on standard input, too" { points input file kill 45 --compress none; }
@test "of a segment, too" { points segment file kill 30; }
@test "of a stream: what is sent again is published once" { points stream file kill 30; }
@test "to a WebHDFS server, too: files by name" { points operand fake kill 60; }
@test "to a WebHDFS server: a segment" { points segment fake kill 60; }
@test "to a WebHDFS server: a stream" { points stream fake kill 60 --compress none; }
@test "a publish that meets a full disk or an I/O error in any call does not say that all is well, and does not hang" { points operand file error 60; }
@test "nor does that of a segment to a WebHDFS server" { points segment fake error 80; }
@test "nor does that of a stream" { points stream file error 60; }

@test "system calls that are interrupted change nothing in what is published" {
	short --every 24 -- --every 1
	faults publish operand file error --records 30 --errors EINTR "${set[@]}"
	short --every 48 -- --every 1
	faults publish segment fake error --records 30 --errors EINTR "${set[@]}"
}

@test "random kills, alone and beside another run of the same input: the same files" {
	short --kills 8 --records 2000 -- --kills 200
	faults publish_kills run file "${set[@]}"
}

@test "random kills of a drain and of its metlog-to-hdfs, which may outlive it and meet the next: each envelope once" {
	short --kills 10 -- --kills 200
	faults publish_kills drain file "${set[@]}"
}

# --- full, read-only and vanishing disks ---

@test "a full staging disk is 74: nothing half is published, and with room the next run publishes each envelope once" {
	need python3
	flood 4000
	small 256k
	mkdir -m 700 disk/staging
	export METLOG_STAGING=$PWD/disk/staging
	for how in operand input name; do
		rm -rf base
		mount -o remount,size=256k "$mounted"
		head -c 180k /dev/zero >disk/filler
		one() {
			case $how in
			operand) publish --rotate-bytes 40k in ;;
			input) publish --rotate-bytes 40k <in ;;
			name) publish --rotate-bytes 40k --name n < <(cat in) ;;
			esac
		}
		one
		expect_status 74 || fail "$how"
		expect_in "$err" 'No space left on device'
		mkdir -p base
		published visible in
		rm disk/filler
		mount -o remount,size=64m "$mounted"
		one
		expect_status 0 || fail "$how"
		published end in
	done
}

@test "of a stream, too: what was taken before is published, and what is sent again is not doubled" {
	need python3
	flood 4000
	small 256k
	mkdir -m 700 disk/staging
	export METLOG_STAGING=$PWD/disk/staging
	one() { publish --rotate-bytes 100k < <(cat in); }
	one
	expect_status 74
	expect_in "$err" 'No space left on device'
	mkdir -p base
	published visible in
	mount -o remount,size=64m "$mounted"
	one
	expect_status 0
	published end in
}

@test "a staging disk without any room at all, or that is read-only, is 73 or 74 with its path, and the base stays empty" {
	flood 10
	small 64k
	mkdir -m 700 disk/staging
	export METLOG_STAGING=$PWD/disk/staging
	cat /dev/zero >disk/filler 2>/dev/null || true
	publish in
	case $status in 73 | 74) ;; *) expect_status 74 ;; esac
	expect_in "$err" "$METLOG_STAGING"
	rm disk/filler
	mount -o remount,ro "$mounted"
	publish in
	case $status in 73 | 74) ;; *) expect_status 73 ;; esac
	expect_in "$err" 'Read-only file system'
	[ -z "$(find base -type f 2>/dev/null)" ]
}

@test "file: a full disk below the base is 74: no temporary file takes its room, and with room the rest is published" {
	need python3
	flood 4000
	small 300k
	mkdir disk/base
	base=$PWD/disk/base
	one() { separately metlog-to-hdfs --to "file:$base" --compress none --rotate-bytes 40k in; }
	one
	expect_status 74
	expect_in "$err" 'No space left on device'
	expect_in "$err" "$METLOG_STAGING"
	[ -z "$(find disk/base -name '.*')" ]
	published visible in
	[ -n "$(find disk/base -type f)" ]
	mount -o remount,size=64m "$mounted"
	one
	expect_status 0
	published end in
}

@test "file: a base that is read-only, or has gone, is no success; when it is back, the staged files are published" {
	need python3
	flood 300
	small 8m
	mkdir disk/base
	base=$PWD/disk/base
	mount -o remount,ro "$mounted"
	separately metlog-to-hdfs --to "file:$base" in
	case $status in 73 | 74 | 77) ;; *) expect_status 74 ;; esac
	expect_in "$err" 'Read-only file system'
	mount -o remount,rw "$mounted"
	separately metlog-to-hdfs --to "file:$base" in
	expect_status 0
	published end in
}

@test "file: a base that somebody removes while a stream runs loses nothing that was not published before" {
	need python3
	flood 40
	head -20 in >first
	tail -20 in >second
	mkfifo pipe
	METLOG_STAGING=$METLOG_STAGING metlog-to-hdfs --to "file:$PWD/base" --compress none --rotate-age 50ms <pipe 2>err.run 3>&- &
	run=$!
	exec 8>pipe
	cat first >&8
	all_of() { [ "$(find base -name '*.ndjson' ! -name '.*' -exec cat {} + | wc -l)" -eq "$1" ]; }
	await 10 all_of 20
	rm -r base
	cat second >&8
	exec 8>&-
	status=0 err=err.run
	wait "$run" || status=$?
	if [ "$status" -ne 0 ]; then
		case $status in 73 | 74 | 75) ;; *) expect_status 74 ;; esac
		mkdir -p base
		separately metlog-to-hdfs --to "file:$PWD/base" --compress none </dev/null
		expect_status 0
	fi
	published end second
}

@test "EIO of an fsync of a published file, of its directory, or of its rename is 74, and no second try makes it good" {
	need strace python3
	flood 20
	for fault in fsync:1 fsync:2 renameat2:1; do
		rm -rf base staging
		mkdir -m 700 staging
		strace -o /dev/null -e trace="${fault%:*}" -e inject="${fault%:*}:error=EIO:when=${fault#*:}" true 2>/dev/null || skip "strace may not trace here"
		separately strace -o trace -e trace="${fault%:*}" -e inject="${fault%:*}:error=EIO:when=${fault#*:}" metlog-to-hdfs --to "file:$PWD/base" --layout 'a' in
		grep -q INJECTED trace || fail "$fault: there is none"
		expect_status 74 || fail "$fault"
		expect_in "$err" 'Input/output error'
		publish --layout a --compress zstd in
		expect_status 0
		published end in
	done
}

# --- want of descriptors and memory ---

@test "without descriptors it says so, ends, and publishes nothing half; with them the rest follows" {
	need prlimit python3
	sanitized && skip "a sanitizer build has descriptors of its own"
	flood 200
	for most in 6 8 9 10 11 12 14 16; do
		rm -rf base staging
		mkdir -m 700 staging
		separately prlimit --nofile="$most" metlog-to-hdfs --to "file:$PWD/base" --compress none --rotate-bytes 4k in
		case $status in 0) ;; 127) continue ;; 66 | 71 | 73 | 74) expect_in "$err" 'Too many open files' ;; *) fail "$most: $status: $(cat "$err")" ;; esac
		mkdir -p base
		published visible in
		publish --rotate-bytes 4k in
		expect_status 0
		published end in
	done
}

@test "whichever allocation fails: 70 or another status of the table, nothing half is published, and the next run publishes the rest" {
	need cc python3
	sanitized && skip "a sanitizer build has an allocator of its own"
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "valgrind has an allocator of its own"
	cc -shared -fPIC -O1 -o nth.so "$SOURCE/tests/faults/nth_malloc.c"
	flood 60
	step=12 most=100
	[ "${FAULTS-}" != long ] || step=1 most=600
	for nth in $(seq $((RANDOM % step + 1)) "$step" "$most"); do
		rm -rf base staging
		mkdir -m 700 staging base
		separately timeout 120 env LD_PRELOAD="$PWD/nth.so" FAIL_NTH="$nth" metlog-to-hdfs --to "file:$PWD/base" --compress gzip --rotate-bytes 3k --open 2 in
		case $status in 0 | 70 | 73 | 74) ;; *) expect_status 70 || fail "allocation $nth" ;; esac
		if [ "$status" -eq 0 ]; then published end in; continue; fi
		published visible in
		separately metlog-to-hdfs --to "file:$PWD/base" --compress gzip --rotate-bytes 3k --open 2 in
		expect_status 0
		published end in
	done
}

# --- memory ---

@test "64 open partitions take less than 64 MiB, however much is in them" {
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "valgrind takes memory of its own"
	sanitized && skip "a sanitizer build takes memory of its own"
	seq 1 100000 | awk '{ printf "{\"type\":\"p%02d\",\"timestamp\":\"2012-10-05T12:00:00Z\",\"payload\":\"%0200d\"}\n", $1 % 64, $1 }' >in
	for how in zstd gzip none; do
		rm -rf base
		peak 65536 metlog-to-hdfs --to "file:$PWD/base" --compress "$how" --rotate-bytes 512k in
	done
}

@test "lines of 1 MiB in 64 partitions take less than 64 MiB" {
	need python3
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "valgrind takes memory of its own"
	sanitized && skip "a sanitizer build takes memory of its own"
	python3 -c '
for i in range(130):
    line = "{\"type\":\"p%d\",\"payload\":\"" % (i % 64)
    print(line + "%03d" % i + "\\n\\u0001" * ((1048560 - len(line)) // 8) + "\"}")' >in
	peak 65536 metlog-to-hdfs --to "file:$PWD/base" in
	published end in
	rm -rf base
	peak 65536 metlog-to-hdfs --to "file:$PWD/base" --format hive in
}

@test "100,000 different values: a partition each up to the limit, the others in _overflow, in less than 64 MiB" {
	need python3
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "valgrind takes memory of its own"
	sanitized && skip "a sanitizer build takes memory of its own"
	seq 1 100000 | awk '{ printf "{\"type\":\"t%d\",\"payload\":\"%d\"}\n", $1, $1 }' >in
	limit=200
	[ "${FAULTS-}" != long ] || limit=1024
	peak 65536 metlog-to-hdfs --to "file:$PWD/base" --compress none --layout 'type={type}' --max-partitions "$limit" in
	published end in
	[ "$(find base -mindepth 1 -maxdepth 1 -name 'type=*' | wc -l)" -eq "$limit" ]
	[ "$(find base/_overflow -name '*.ndjson' -exec cat {} + | wc -l)" -eq $((100000 - limit)) ]
}

@test "values of half a megabyte, with slashes, dots and controls, stay below the base, in names that are short" {
	need python3
	python3 -c '
import json
hostile = ["../" * 150000, "a" * 500000, "..", ".", "/etc/passwd", "%2e%2e", "a\u0000b", "\u202e" * 80000, "\n" * 80000, "=" * 80000, "\u00e9" * 80000, "CON", ".hidden", "_late", "~"]
for value in hostile:
    print(json.dumps({"type": value, "fields": {"n": value}, "payload": "x"}))' >in
	separately metlog-to-hdfs --to "file:$PWD/base" --compress none --layout 'type={type}/n={fields.n}' in
	expect_status 0
	published end in
	[ "$(ls)" = "$(printf '%s\n' base err in out staging)" ]
	[ -z "$(find base | awk -F/ '{ for (i = 1; i <= NF; i++) if (length($i) > 255) print }')" ]
	[ "$(find base -type f | wc -l)" -eq 15 ]
}

@test "half of the lines malformed, and one of 1 GiB: the others are published, in bounded memory, and the books balance" {
	need python3
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "too slow under valgrind"
	metlog-flood -c 500 --corrupt 50 --seed 3 >all
	metlog-route -d - --rejects /dev/null all >in
	one() { { cat all; head -c 1G /dev/zero | tr '\0' x; echo; } | metlog-to-hdfs --to "file:$PWD/base" --rejects dead --stats books --name n; }
	if sanitized; then separately one; else peak 32768 bash -c "$(declare -f one); one"; fi
	expect_status 0
	published end in
	[ "$(sed -E 's/.*"read":([0-9]+).*/\1/' books)" -eq $((500 + $(wc -l <dead))) ]
	[ "$(sed -E 's/.*"rejected":([0-9]+).*/\1/' books)" -eq "$(wc -l <dead)" ]
}

# --- odd surroundings ---

@test "closed standard streams, another locale, zone and umask: the same files, and a staging directory for its owner alone" {
	need python3
	flood 100
	publish --name n in
	expect_status 0
	mv base expected
	separately sh -c 'umask 0; export LC_ALL=de_DE.UTF-8 TZ=Asia/Kathmandu; exec metlog-to-hdfs --to "file:$0/base" --compress none --name n in <&- >&- 2>&-' "$PWD"
	expect_status 0
	diff -r expected base
	umask 0
	separately metlog-to-hdfs --to webhdfs://127.0.0.1:1/x --retry-for 0 in
	expect_status 75
	[ -n "$(find staging -name '*.item')" ]
	wrong=$(find staging -type f ! -perm 600 -o -type d ! -perm 700)
	[ -z "$wrong" ] || fail "$wrong"
}

@test "a staging directory that is a symbolic link is 73, and nothing is written where it leads" {
	flood 10
	mkdir elsewhere
	rmdir staging
	ln -s elsewhere staging
	publish in
	expect_status 73
	expect_in "$err" 'symbolic link'
	[ -z "$(ls -A elsewhere)" ]
}

@test "a wall clock that jumps a year makes no other file of a batch, and keeps no attempt from being made" {
	need faketime python3
	sanitized && skip "a sanitizer build cannot be preloaded into"
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "valgrind has a clock of its own"
	flood 100
	publish in
	expect_status 0
	for jump in +365d -365d; do
		separately faketime -f "$jump" metlog-to-hdfs --to "file:$PWD/base" --compress none --json in
		expect_status 0
		if grep -q '"state":"published"' "$out"; then fail "$jump: $(cat "$out")"; fi
		published end in
	done
	separately timeout 120 faketime -f +365d metlog-to-hdfs --to webhdfs://127.0.0.1:1/x --retry-for 300ms in
	expect_status 75
}

@test "while the cluster is away it sleeps between its attempts, and ends with 75 when --retry-for is over" {
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "valgrind works"
	[ -x /usr/bin/time ] || skip "/usr/bin/time is not installed"
	flood 100
	separately /usr/bin/time -o used -f '%U %S' metlog-to-hdfs --to webhdfs://127.0.0.1:1/x --retry-for 2s in
	expect_status 75
	expect_in "$err" "$METLOG_STAGING"
	tail -1 used | awk '{ exit !($1 + $2 < 0.3) }' || fail "seconds of work: $(cat used)"
}

@test "10 GB in one run stay flat" {
	[ "${FAULTS-}" = long ] || skip "FAULTS=long only"
	peak 65536 sh -c 'metlog-flood --seed 1 | head -c 10G | metlog-to-hdfs --to "file:$0/base" --compress zstd --rotate-bytes 64M' "$PWD"
}
