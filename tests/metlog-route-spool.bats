# metlog-route-spool.bats - routes to a spool: words, order, commits, full disks, signals.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	exec 8>&- || true
	local pid
	for pid in ${children-}; do kill -9 "$pid" 2>/dev/null || true; done
	[ -z "${mounted-}" ] || umount "$mounted" || true
}

envelopes() {
	awk -v i="$1" -v to="$2" 'BEGIN { for (; i <= to; i++) printf "{\"type\":\"t\",\"payload\":\"%d\",\"severity\":%d}\n", i, i % 8 }'
}

# many: 40,000 envelopes, some 1.7 MB.
many() { awk 'BEGIN { for (i = 0; i < 40000; i++) printf "{\"type\":\"t\",\"severity\":%d,\"payload\":\"%d\"}\n", i % 8, i }' >many; }

# count NAME: of the statistics in the file `books`; of all of them, not of a route.
count() { tail -1 books | grep -oE "\"$1\":[0-9]+" | head -1 | grep -oE '[0-9]+$'; }

# start_router ARGUMENT...: the router in the background, its input the descriptor 8.
start_router() {
	[ -p in ] || mkfifo in
	metlog-route "$@" <in >live 2>err 3>&- &
	router=$!
	children+=" $router"
	exec 8>in
}

# end_router: its input ends; $status is its exit status.
end_router() {
	exec 8>&-
	status=0
	wait "$router" || status=$?
}

# stored DIR N: the spool holds N envelopes.
stored() { [ "$(metlog-spool cat "$1" | wc -l)" -eq "$2" ]; }

# sealed DIR: all its segments are.
sealed() { ! compgen -G "$1/*.open" >/dev/null; }

# refute COMMAND...: fails if the command succeeds; a bare ! would not end a test.
refute() { ! "$@"; }

lines() { [ "$(wc -l <"$1")" -eq "$2" ]; }

# small DIR: 64 KiB of disk, or a skip.
small() {
	mkdir "$1"
	mount -t tmpfs -o size=64k none "$1" 2>/dev/null || skip "no tmpfs can be mounted here"
	mounted=$PWD/$1
}

# mistake COLUMN TEXT DESTINATION: --check says TEXT there.
mistake() {
	printf '%s\n' "default => $3" >conf
	separately metlog-route -c conf --check
	expect_status 78 && expect_in "$err" "conf:1:$(($1 + 11)): " && expect_in "$err" "$2" || fail "for: $3"
}

@test "a route's envelopes are in the spool byte for byte and in order, and its segments are sealed at the end" {
	many
	separately metlog-route -r 'low: severity <= 3 => spool:low segment-bytes=128Ki' -d spool:high --stats books many
	expect_status 0
	expect_empty "$err"
	grep -E '"severity":[0-3],' many >low.expected
	grep -E '"severity":[4-7],' many >high.expected
	metlog-spool cat low >low.got
	metlog-spool cat high >high.got
	expect_same low.expected low.got
	expect_same high.expected high.got
	sealed low
	sealed high
	[ "$(compgen -G 'low/*.ndjson' | wc -l)" -gt 4 ]
	expect_in books '"read":40000,"passed":40000,"dropped":0'
	expect_in books '"undelivered":0'
}

@test "each word of a spool is taken behind spool: and behind full=spool" {
	local words='sync=each sync-bytes=64Ki sync-interval=20ms segment-bytes=1Mi segment-age=1m max-bytes=1Gi max-age=7d reserve=0 when-full=fail compress=zstd'
	separately metlog-route --check -d "spool:s $words"
	expect_status 0
	separately metlog-route --check -d "| cat full=spool spool=s $words buffer=8Ki"
	expect_status 0
	separately metlog-route --check -d "udp:127.0.0.1:1 $words spool=s full=spool"
	expect_status 0
	envelopes 1 3 >in.ndjson
	metlog-route -d "\"spool:a b\" compress=zstd" in.ndjson
	metlog-spool cat 'a b' | cmp - in.ndjson
	compgen -G 'a b/*.zst'
}

@test "a mistake in the words is shown at its column, with what is allowed" {
	mistake 7 'a path is missing' 'spool:'
	mistake 14 'batch, each or none' 'spool:x sync=maybe'
	mistake 29 'drop-oldest' 'spool:x sync=none when-full=drop'
	mistake 19 'size' 'spool:x max-bytes=much'
	mistake 9 'these can: sync= sync-bytes=' 'spool:x full=drop'
	mistake 9 'these can: sync=' 'spool:x synk=each sync=none'
	mistake 9 'twice' 'spool:x sync=each sync=each'
	mistake 7 '{type}' 'spool:{type}'
	mistake 8 'these can follow: sync=' 'spool:x y'
	mistake 17 'full=spool spool=DIR' 'udp:127.0.0.1:1 full=spool'
	mistake 7 'full=spool spool=DIR' '| cat full=spool'
	mistake 15 'full=spool spool=DIR' '| cat spool=x full=spool'
	mistake 17 'full=spool' 'udp:127.0.0.1:1 spool=x'
	mistake 34 'spool=DIR' 'udp:127.0.0.1:1 full=spool spool='
	mistake 19 'these can: full= buffer=' 'file:x full=spool spool=y'
	mistake 13 'for commands and endpoints' 'file:x full=spool'
	mistake 26 'block or fail' '| cat full=spool spool=x when-full=drop-oldest'
	mistake 28 'spool=DIR alone' 'ack:tcp://127.0.0.1:1 full=spool spool=x'
	mistake 23 'insecure' 'ack:tcp://127.0.0.1:1 sync=each'
}

@test "words that stand before full=spool belong to the command" {
	envelopes 1 3 >in.ndjson
	metlog-route -d '| cat >got; echo sync=none >words; echo spool=x' in.ndjson
	cmp in.ndjson got
	metlog-route -d '| cat >got; echo >words sync=none full=spool spool=x' in.ndjson
	expect_in words sync=none
}

@test "routes share a spool that they name with the same words; other words are 78, and both lines are named" {
	envelopes 1 100 >in.ndjson
	printf '%s\n' 'route a severity <= 3 => spool:s sync=each' 'default => spool:s/ sync=each' >conf
	separately metlog-route -c conf in.ndjson
	expect_status 0
	metlog-spool cat s | cmp - in.ndjson
	printf '%s\n' 'route a TRUE => spool:s sync=each' 'default => drop' 'route b TRUE => spool:s sync=none' >conf
	separately metlog-route -c conf in.ndjson
	expect_status 78
	expect_in "$err" 'conf:3:17: '
	expect_in "$err" 'route a (conf:1)'
	local other
	for other in '| cat full=spool spool=./s' 'ack:tcp://127.0.0.1:1 spool=s'; do
		printf '%s\n' 'route a TRUE => spool:s' "default => $other" >conf
		separately metlog-route -c conf --check
		expect_status 78
		expect_in "$err" 'conf:2:12: '
		expect_in "$err" 'route a (conf:1)'
	done
	printf '%s\n' 'route a TRUE => | cat full=spool spool=t' 'route b TRUE => | cat full=spool spool=t' 'default => drop' >conf
	separately metlog-route -c conf --check
	expect_status 78
}

@test "--check, --explain and --test make no spool" {
	mkdir t
	envelopes 1 3 | tee t/a.in >t/a.sp.out
	printf '%s\n' 'route sp TRUE => spool:made' 'route cmd severity > 90 => | cat full=spool spool=made2' 'default => drop' >conf
	separately metlog-route -c conf --check
	expect_status 0
	separately metlog-route -c conf --test t
	expect_status 0
	separately metlog-route -c conf --explain t/a.in
	expect_status 0
	grep -qE '^ +3  sp +spool:made$' "$out"
	[ ! -e made ]
	[ ! -e made2 ]
}

# syncs SYNC: how often a route to a spool with sync=SYNC calls fdatasync and fsync for 100 envelopes.
syncs() {
	strace -f -o trace -e trace=fsync,fdatasync metlog-route -d "spool:$1 sync=$1" in.ndjson
	grep -cE '^[0-9]+ +f(data)?sync\(' trace
}

@test "sync=each is an fdatasync for each envelope; batch and none have some for all of them" {
	need strace
	sanitized && skip "a sanitizer build"
	envelopes 1 100 >in.ndjson
	each=$(syncs each) batch=$(syncs batch) none=$(syncs none)
	[ "$each" -ge 100 ]
	[ "$each" -le 108 ]
	[ "$batch" -le 8 ]
	[ "$none" -le "$batch" ]
}

@test "what has been committed survives kill -9, and the next router goes on behind it" {
	start_router -d 'spool:s sync=each'
	envelopes 1 100 >&8
	await 10 stored s 100
	kill -9 "$router"
	wait "$router" || true
	exec 8>&-
	refute sealed s
	envelopes 101 200 >rest
	separately metlog-route -d spool:s rest
	expect_status 0
	envelopes 1 200 >expected
	metlog-spool cat s >got
	expect_same expected got
	sealed s
}

@test "sync=batch commits by the clock while the router waits for more" {
	start_router -d 'spool:s sync-interval=10ms'
	envelopes 1 5 >&8
	await 10 stored s 5
	envelopes 6 7 >&8
	await 10 stored s 7
	end_router
	expect_status 0
}

@test "a second router on the same spool exits 73 at once" {
	start_router -d spool:s
	await 10 test -s s/lock
	envelopes 1 1 >&8
	await 10 stored s 1
	separately metlog-route -d spool:s </dev/null
	expect_status 73
	expect_in "$err" "process $router"
	end_router
	expect_status 0
}

@test "a spool that is a symbolic link, open to others, or cannot be made is 73 or 77, and nothing is started" {
	mkdir -m 777 wide
	chmod 777 wide
	mkdir -m 700 real
	ln -s real link
	local dir
	for dir in wide link no/such/dir; do
		separately metlog-route -r 'a: TRUE => | touch started' -d "spool:$dir" </dev/null
		case $status in 73 | 77) ;; *) fail "$dir: status $status: $(cat "$err")" ;; esac
		expect_in "$err" "$dir"
	done
}

@test "when-full=fail: a full spool is 74 and names route and spool; the others go on, and the books tell what is missing" {
	many
	separately metlog-route -r 'sp: TRUE => spool:s max-bytes=200Ki when-full=fail' -r 'good: TRUE => file:good' -d drop --stats books many
	expect_status 74
	expect_in "$err" 'route sp: spool:s: limit of'
	cmp many good
	metlog-spool cat s >got
	head -c "$(stat -c %s got)" many | cmp - got
	[ $(($(wc -l <got) + $(count undelivered))) -eq 40000 ]
	expect_in "$err" "$(count undelivered) envelopes were not stored"
}

@test "when-full=drop-oldest goes on with the newest, and is no failure" {
	many
	separately metlog-route -d 'spool:s max-bytes=300Ki segment-bytes=64Ki when-full=drop-oldest' --stats books many
	expect_status 0
	metlog-spool cat s >got
	tail -c "$(stat -c %s got)" many | cmp - got
	full=$(grep -oE '"full":[0-9]+' books | grep -oE '[0-9]+$')
	[ $((full + $(wc -l <got))) -eq 40000 ]
}

@test "when-full=block waits until a drain has made room, and loses nothing" {
	many
	metlog-route -d 'spool:s max-bytes=300Ki segment-bytes=64Ki' <many >live 2>err 3>&- &
	router=$!
	children+=" $router"
	ended() { refute kill -0 "$router" 2>/dev/null; }
	full() { metlog-spool drain --once s -- sh -c 'cat >>taken' || true; ended; }
	await 30 full
	status=0
	wait "$router" || status=$?
	expect_status 0
	full || true
	expect_same many taken
}

@test "when-full=block answers SIGTERM after --grace, and says how many envelopes were not stored" {
	many
	start_router -r 'sp: TRUE => spool:s max-bytes=100Ki segment-bytes=32Ki sync-bytes=64Ki' -r 'good: TRUE => file:good' -d drop --grace 0.2s --stats books
	cat many >&8 &
	children+=" $!"
	is_full() { [ "$(metlog-spool cat s | wc -c)" -gt 60000 ]; }
	await 10 is_full
	# It has more to read, and waits for something else than that.
	holds_up() { read -r -t 0 <in && grep -q '^State:.S' "/proc/$router/status"; }
	await 10 holds_up
	kill -TERM "$router"
	status=0
	wait "$router" || status=$?
	expect_status 74
	expect_in err 'route sp: spool:s: '
	grep -qE 'spool:s: [0-9]+ envelopes were not stored' err
	[ $(($(metlog-spool cat s | wc -l) + $(count undelivered))) -eq "$(count read)" ]
	lines good "$(count read)"
}

@test "a full disk: fail is 74, drop-oldest goes on, and what the spool holds is whole lines" {
	small disk
	many
	separately metlog-route -r 'sp: TRUE => spool:disk/a reserve=0 when-full=fail' -r 'good: TRUE => file:good' -d drop --stats books many
	expect_status 74
	expect_in "$err" 'route sp: spool:disk/a: '
	cmp many good
	metlog-spool cat disk/a >got
	[ -s got ]
	head -c "$(stat -c %s got)" many | cmp - got
	[ $(($(wc -l <got) + $(count undelivered))) -eq 40000 ]
	rm -r disk/a
	separately metlog-route -d 'spool:disk/b reserve=0 segment-bytes=8Ki sync-bytes=4Ki when-full=drop-oldest' many
	expect_status 0
	metlog-spool cat disk/b >got
	[ -s got ]
	tail -c "$(stat -c %s got)" many | cmp - got
}

@test "a disk that is full and then is not: block loses nothing" {
	small disk
	many
	head -5000 many >in.ndjson
	dd if=/dev/zero of=disk/ballast bs=1k count=40 2>/dev/null
	metlog-route -d 'spool:disk/s reserve=0 segment-bytes=8Ki sync-bytes=4Ki' <in.ndjson >live 2>err 3>&- &
	router=$!
	children+=" $router"
	ended() { refute kill -0 "$router" 2>/dev/null; }
	some() { [ "$(metlog-spool cat disk/s | wc -l)" -gt 10 ]; }
	await 10 some
	rm disk/ballast
	drained() { metlog-spool drain --once disk/s -- sh -c 'cat >>taken' || true; ended; }
	await 30 drained
	status=0
	wait "$router" || status=$?
	expect_status 0
	drained || true
	expect_same in.ndjson taken
}

@test "an I/O error at an fsync is 74 at once: what was committed before stays, and the rest is counted as not stored" {
	need strace
	sanitized && skip "a sanitizer build"
	envelopes 1 10 >in.ndjson
	separately strace -f -o trace -e trace=fdatasync -e inject=fdatasync:error=EIO:when=5+ metlog-route -r 'sp: TRUE => spool:s sync=each' -r 'good: TRUE => file:good' -d drop --stats books in.ndjson
	expect_status 74
	expect_in "$err" 'route sp: spool:s: '
	expect_in "$err" "$(count undelivered) envelopes were not stored"
	cmp in.ndjson good
	stored=$((10 - $(count undelivered)))
	[ "$stored" -ge 3 ]
	metlog-spool cat s | head -n "$stored" | cmp - <(head -n "$stored" in.ndjson)
	[ "$(grep -c 'INJECTED' trace)" -eq 1 ]
}

@test "SIGHUP seals the open segment, so that a drain gets it, and the spool goes on" {
	start_router -d 'spool:s sync=each segment-age=0'
	envelopes 1 5 >&8
	await 10 stored s 5
	refute sealed s
	kill -HUP "$router"
	await 10 sealed s
	metlog-spool drain --once s -- sh -c 'cat >taken'
	lines taken 5
	envelopes 6 9 >&8
	await 10 stored s 4
	end_router
	expect_status 0
}

@test "SIGHUP: a spool that stays keeps running, one that goes is sealed and let go, and words that have changed hold from then on" {
	printf '%s\n' 'route keep TRUE => spool:keep sync=each' 'route gone TRUE => spool:gone sync=none' 'default => drop' >conf
	start_router -c conf --stats books
	envelopes 1 5 >&8
	await 10 stored gone 5
	printf '%s\n' 'route keep TRUE => spool:keep sync=each compress=zstd' 'route new TRUE => spool:new sync=each' 'default => drop' >conf
	kill -HUP "$router"
	await 10 grep -q 'conf was read again: 2 routes' err
	sealed gone
	separately metlog-route -d spool:gone </dev/null
	expect_status 0
	envelopes 6 9 >&8
	await 10 stored new 4
	end_router
	expect_status 0
	stored keep 9
	stored gone 5
	compgen -G 'keep/*.zst'
	[ "$(count undelivered)" = 0 ]
}

@test "SIGHUP with a spool that another process writes keeps all old routes" {
	start_router -d spool:taken
	other=$router
	exec 9>&8
	await 10 test -s taken/lock
	rm in
	printf '%s\n' 'route a TRUE => spool:a sync=each' 'default => drop' >conf
	start_router -c conf
	envelopes 1 1 >&8
	await 10 stored a 1
	printf '%s\n' 'route b TRUE => file:b' 'default => spool:taken' >conf
	kill -HUP "$router"
	await 10 grep -q 'stay as they were' err
	expect_in err "process $other"
	envelopes 2 3 >&8
	await 10 stored a 3
	end_router
	exec 9>&-
	expect_status 0
	[ ! -s b ]
}
