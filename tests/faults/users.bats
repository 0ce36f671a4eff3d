# users.bats - users by interval under kills, errors, full disks and want of memory: the state is that of before or that of after.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load ../helper
	load faults
	cd "$BATS_TEST_TMPDIR" || return
	mounted=''
}

teardown() {
	[ -z "$mounted" ] || umount -l "$mounted" || true
}

# points BEGIN MODE EVERY [OPTION...]: each EVERY-th point of the short set, drawn anew each time; all of them in the long one.
points() {
	short --every "$3" --seed "$((RANDOM + 1))" -- --calls all
	if [ "$2" = error ]; then short --every "$3" --seed "$((RANDOM + 1))" -- --errors ENOSPC,EIO,EDQUOT,EMFILE,ENOMEM; fi
	faults users "$1" "$2" "${set[@]}" "${@:4}"
}

# calls DAY FIRST LAST: of that day of October 2012, a key for every other one.
calls() {
	seq "$2" "$3" | awk -v day="$1" '{ printf "{\"timestamp\":\"2012-10-%02dT00:00:00Z\",\"fields\":{\"api_key\":\"k%d\",\"ip\":\"10.0.%d.%d\"}}\n", day, $1 % 2, $1 / 250, $1 % 250 }'
}

users() { separately metlog-cardinality --of fields.ip --by key=fields.api_key --ip --interval 1d,7d --state "${state:-state}" "$@"; }

# counted FILE: what a run has counted, without the time at which it was.
counted() { sed -E 's/"timestamp":"[^"]*",|"metlog_pid":[0-9]+,//g' "$1"; }

# A state of two days in `before`, what a third one adds to it in `in`, and the counts of both in `first` and `second`.
two_runs() {
	{ calls 3 1 500; calls 4 1 30; } >first.in
	{ calls 4 20 60; calls 5 1 5000; } >in
	users first.in
	counted "$out" >first
	cp -r state before
	users in
	expect_status 0
	counted "$out" >second
	mv state after
	if cmp -s first second; then fail "that is no trial"; fi
}

# settled [COUNTS...]: without input the state gives one of these; then the input again leads to `second`.
settled() {
	local one good=''
	users /dev/null
	expect_status 0
	for one; do if counted "$out" | cmp -s - "$one"; then good=yes; fi; done
	[ -n "$good" ] || fail "neither the counts of before nor those of after: $(counted "$out")"
	users in
	expect_status 0
	counted "$out" | cmp - second
}

# --- kills and errors at each system call ---

@test "a run that makes its state may be killed in any call: another one comes to the same bytes" { points fresh kill 2; }
@test "so may one that adds to it, begins days and lets others expire" { points next kill 2; }
@test "a full disk or an I/O error in any call: the state of before or of after, and no 0 where it is not the latter" { points fresh error 4; points next error 4; }

@test "system calls that are interrupted change nothing in a state" {
	short --every 4 -- --every 1
	faults users next error --errors EINTR "${set[@]}"
}

# --- disks ---

@test "a full disk under the state: 74, the state as it was, and no room taken; with room the same input is counted" {
	[ "$(id -u)" -eq 0 ] || skip "mounting takes root"
	two_runs
	mkdir disk
	mount -t tmpfs -o size=1m,mode=700 none disk 2>/dev/null || skip "no tmpfs can be mounted here"
	mounted=$PWD/disk state=disk/state
	cp -r before disk/state
	cat /dev/zero >disk/filler 2>/dev/null || true
	users in
	expect_status 74
	expect_in "$err" 'writing the state disk/state: No space left on device; it is as it was'
	expect_empty "$out"
	diff -r before disk/state
	users /dev/null # reading takes no room
	expect_status 0
	counted "$out" | cmp - first
	rm disk/filler
	settled first
}

@test "a full disk that has never had a state, or one that is read-only, is 73 or 74 with its path" {
	[ "$(id -u)" -eq 0 ] || skip "mounting takes root"
	two_runs
	mkdir disk
	mount -t tmpfs -o size=64k,mode=700 none disk 2>/dev/null || skip "no tmpfs can be mounted here"
	mounted=$PWD/disk state=disk/state
	cat /dev/zero >disk/filler 2>/dev/null || true
	users in
	case $status in 73 | 74) ;; *) expect_status 74 ;; esac
	expect_in "$err" 'disk/state'
	rm -rf disk/filler disk/state
	mount -o remount,size=8m "$mounted"
	cp -r before disk/state
	mount -o remount,ro "$mounted"
	users in
	case $status in 73 | 74) ;; *) expect_status 74 ;; esac
	expect_in "$err" 'Read-only file system'
	expect_empty "$out"
	mount -o remount,rw "$mounted"
	settled first
}

@test "EIO of an fsync is 74, and it is not tried again" {
	need strace
	sanitized && skip "a sanitizer build cannot be traced"
	two_runs
	strace -o /dev/null -e trace=fsync -e inject=fsync:error=EIO:when=1 true 2>/dev/null || skip "strace may not trace here"
	cp -r before state
	for number in 1 2 3; do
		separately strace -o trace -e trace=fsync -e inject=fsync:error=EIO:when="$number" metlog-cardinality --of fields.ip --by key=fields.api_key --ip --interval 1d,7d --state state in
		expect_status 74 || fail "$number"
		expect_in "$err" 'Input/output error'
		[ "$(grep -c '^fsync' trace)" -eq "$number" ]
		diff -r before state
	done
	settled first
}

@test "standard output that is full is 74: the state is that of after, for the input has been counted" {
	[ -c /dev/full ] || skip "there is no /dev/full"
	two_runs
	cp -r before state
	status=0 err=said
	metlog-cardinality --of fields.ip --by key=fields.api_key --ip --interval 1d,7d --state state in >/dev/full 2>said || status=$?
	expect_status 74
	settled second
}

# --- want of descriptors and memory ---

@test "without descriptors it says so, ends, and the state is as it was" {
	need prlimit
	sanitized && skip "a sanitizer build has descriptors of its own"
	two_runs
	wanting=''
	for most in 4 5 6 7 8 9 10; do
		rm -rf state
		cp -r before state
		separately prlimit --nofile="$most" metlog-cardinality --of fields.ip --by key=fields.api_key --ip --interval 1d,7d --state state in
		case $status in
		0) counted "$out" | cmp - second ;;
		127) continue ;;
		66 | 71 | 73 | 74)
			expect_in "$err" 'Too many open files'
			wanting+=" $most" ;;
		*) fail "$most: $status: $(cat "$err")" ;;
		esac
		settled first second
	done
	[ -n "$wanting" ]
}

@test "whichever allocation of a run fails, its status is 70 and the state that of before or of after" {
	need cc
	sanitized && skip "a sanitizer build has an allocator of its own"
	[ "${METLOG_UNDER_VALGRIND-}" != yes ] || skip "valgrind has an allocator of its own"
	cc -shared -fPIC -O1 -o nth.so "$SOURCE/tests/faults/nth_malloc.c"
	two_runs
	step=12 status=1
	[ "${FAULTS-}" != long ] || step=1
	for ((nth = RANDOM % step + 1; status != 0 && nth < 3000; nth += step)); do
		rm -rf state
		cp -r before state
		separately timeout 120 env LD_PRELOAD="$PWD/nth.so" FAIL_NTH="$nth" metlog-cardinality --of fields.ip --by key=fields.api_key --ip --interval 1d,7d --state state in
		[ "$status" -eq 0 ] || expect_status 70 || fail "allocation $nth"
		failed=$status
		settled first second
		status=$failed
	done
	[ "$status" -eq 0 ] || fail "none of 3000 allocations was the last"
}

# --- input and surroundings ---

@test "half of the lines malformed: the others are counted, and the books balance" {
	calls 5 1 400 | awk '{ print; print NR % 4 == 0 ? "rubbish" : NR % 4 == 1 ? "[1]" : NR % 4 == 2 ? substr($0, 1, 30) : "{\"type\":1}" }' >in
	users --rejects dead --stats books in
	expect_status 0
	expect_in books '"read":800,"passed":400,"dropped":0,"rejected":400'
	[ "$(wc -l <dead)" -eq 400 ]
	[ "$(grep -c '"payload":"200"' "$out")" -eq 4 ]
}

@test "closed standard streams: no file of the state takes their place, and lost gauges are 74" {
	two_runs
	cp -r before state
	separately sh -c 'exec metlog-cardinality --of fields.ip --by key=fields.api_key --ip --interval 1d,7d --state state in <&- >&- 2>&-'
	expect_status 74
	diff <(cd after && sha256sum ./*.sketches) <(cd state && sha256sum ./*.sketches)
	if grep -l '^metlog-cardinality:' state/*; then fail "a message stands in a file of the state"; fi
	settled second
}

@test "locale, zone and umask change no byte of a day, and files are for their owner alone" {
	two_runs
	(
		umask 0
		export LC_ALL=de_DE.UTF-8 TZ=Asia/Kathmandu
		users first.in
		users in
	)
	diff <(cd after && sha256sum ./*.sketches) <(cd state && sha256sum ./*.sketches)
	[ -z "$(find state -type f ! -perm 600 -o -type d ! -perm 700)" ]
}

@test "a reader that goes away ends the run quietly; what was read is in the state" {
	two_runs
	cp -r before state
	set +o pipefail
	metlog-cardinality --of fields.ip --by key=fields.api_key --ip --interval 1d,7d --state state in 2>said | true
	[ ! -s said ]
	settled second
}
