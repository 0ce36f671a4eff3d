# metlog-to-hdfs-once.bats - exactly once: given again, overlapping, stopped, killed, by a drain, on full and broken disks.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load helper
	load family
	load to-hdfs
	to_hdfs_setup
}

teardown() {
	if [ -n "${read_only-}" ]; then umount "$read_only" || true; fi
	to_hdfs_teardown
}

# again COMMAND...: twice more, and nothing changes.
again() {
	state >before
	"$@"
	expect_status 0
	"$@"
	expect_status 0
	state >after
	expect_same before after
	[ -z "$(left)" ]
}

@test "a FILE, a file on standard input, or a stream given again changes nothing" {
	envelopes 1 500 3 >in
	publish --compress none in
	expect_status 0
	exactly in
	again publish --compress none in
	on_stdin() { publish --compress none <in; }
	again on_stdin
	by_pipe() { publish --compress none < <(cat in); }
	again by_pipe
	again publish --compress none --verify in
	exactly in
}

@test "an input with a name, by METLOG_SEGMENT or --name, gives its name to its files, however it comes" {
	envelopes 1 100 2 >in
	by_name() { publish --compress none --name import-7 < <(cat in); }
	by_name
	expect_status 0
	exactly in
	[ "$(files | head -1)" = type=t0/dt=2026-11-22/hour=06/import-7-1.ndjson ]
	again by_name
	rm -rf base
	by_segment() { METLOG_SEGMENT=000000000042-20261122T062825Z-8a7b6c5d publish --compress none < <(cat in); }
	by_segment
	expect_status 0
	[ "$(files | head -1)" = type=t0/dt=2026-11-22/hour=06/000000000042-20261122T062825Z-8a7b6c5d-1.ndjson ]
	again by_segment
	METLOG_SEGMENT=../x publish < <(cat in)
	expect_status 78
}

@test "a segment's envelopes are late by the segment's own time, not by the clock" {
	printf '{"timestamp":"%s","type":"a"}\n' 2019-01-02T00:00:00Z 2019-01-01T00:00:00Z 2019-01-04T00:00:00Z >in
	METLOG_SEGMENT=000000000042-20190102T000000Z-8a7b6c5d publish --compress none --max-age 1h --layout '{date}' < <(cat in)
	expect_status 0
	files | sed 's,/[^/]*$,,' >got
	printf '%s\n' 2019-01-02 _future/2019-01-04 _late/2019-01-01 >expected
	expect_same expected got
}

@test "another file under our name is a conflict: 69, it stays as it is, the others are published; --conflict=replace puts ours there" {
	envelopes 1 100 2 >in
	publish --compress none --name n in
	expect_status 0
	echo other >base/type=t0/dt=2026-11-22/hour=06/n-1.ndjson
	rm base/type=t1/dt=2026-11-22/hour=06/n-1.ndjson
	publish --compress none --name n --stats stats in
	expect_status 69
	expect_in "$err" "type=t0/dt=2026-11-22/hour=06/n-1.ndjson: conflict"
	[ "$(cat base/type=t0/dt=2026-11-22/hour=06/n-1.ndjson)" = other ]
	[ -f base/type=t1/dt=2026-11-22/hour=06/n-1.ndjson ]
	balanced stats
	[ -z "$(left)" ] || fail "what is given again need not be kept"
	publish --compress none --name n --conflict replace in
	expect_status 0
	exactly in
	# The same length is taken for the same file, unless bytes are compared.
	tr 6 7 <base/type=t0/dt=2026-11-22/hour=06/n-1.ndjson >other
	cp other base/type=t0/dt=2026-11-22/hour=06/n-1.ndjson
	publish --compress none --name n in
	expect_status 0
	publish --compress none --name n --verify in
	expect_status 69
	expect_in "$err" "other bytes"
}

@test "runs that overlap do each other no harm" {
	envelopes 1 2000 7 >in
	local pids=()
	for _ in 1 2 3 4 5; do
		metlog-to-hdfs --to file:base --compress none in 2>>err 3>&- &
		pids+=($!)
	done
	for one in "${pids[@]}"; do wait "$one" || fail "status $?: $(cat err)"; done
	exactly in
	[ -z "$(left)" ]
}

@test "a stream's file is published --rotate-age after its first line, though no more comes" {
	start --compress none --rotate-age 0.2
	envelopes 1 1 >&8
	await 20 has_files 1 || fail "nothing came: $(cat live.err)"
	envelopes 2 2 >&8
	await 20 has_files 2 || fail "nothing more came: $(cat live.err)"
	finished
	expect_status 0
	envelopes 1 2 >expected
	exactly expected
}

@test "the statement of --add-partitions is there as soon as a file is, once a directory, also when the run is killed" {
	start --compress none --rotate-age 0.1 --add-partitions statements
	envelopes 1 1 1 >&8
	await 20 has_files 1 || fail "nothing came: $(cat live.err)"
	envelopes 2 2 1 >&8
	await 20 has_files 2 || fail "nothing more came: $(cat live.err)"
	told() { [ "$(wc -l <statements)" = 1 ]; }
	await 5 told || fail "$(cat statements)"
	kill -9 "$pid"
	finished
	expect_in statements "LOCATION 'file://$PWD/base/type=t0/dt=2026-11-22/hour=06';"
}

@test "a missing part of a batch is seen, too, when the books could not be shown in between" {
	mkfifo part
	metlog-to-hdfs --to file:base --compress none --name x part missing 2>/dev/full 3>&- 7>&- &
	pid=$!
	children+=" $pid"
	exec 7>part
	envelopes 1 10 1 >&7
	await 10 waits
	kill -USR1 "$pid"
	taken() { grep -q '^SigPnd:.0*$' "/proc/$pid/status" && waits; }
	await 10 taken
	exec 7>&-
	status=0
	wait "$pid" || status=$?
	[ "$status" = 74 ]
	[ "$(count_files)" = 0 ]
}

@test "SIGUSR1 shows the books of a stream, SIGHUP reopens its rejects" {
	start --compress none --rejects dead
	echo nonsense >&8
	envelopes 1 3 >&8
	await 20 staged 3 || fail "not staged"
	kill -USR1 "$pid"
	await 20 grep -q metlog.stats live.err || fail "no books"
	balanced live.err
	[ "$(count live.err kept)" = 3 ]
	[ "$(count live.err read)" = 4 ]
	mv dead older
	kill -HUP "$pid"
	echo nonsense >&8
	await 20 test -s dead || fail "not reopened"
	finished
	expect_status 0
}

@test "a stream that gets SIGTERM publishes what it has read, and exits with 0" {
	start --compress none --stats stats
	envelopes 1 5 >&8
	await 20 staged 5 || fail "not staged"
	[ ! -e base ] || [ "$(count_files)" = 0 ]
	kill -TERM "$pid"
	finished
	expect_status 0
	envelopes 1 5 >expected
	exactly expected
	balanced stats
	[ "$(count stats passed)" = 5 ]
}

@test "a batch that gets SIGTERM publishes nothing of what is open, exits with 75, and is done when given again" {
	envelopes 1 9 >in.all
	start --compress none --name seg --stats stats
	head -5 in.all >&8
	await 20 waits || fail "it does not wait for more"
	kill -TERM "$pid"
	finished
	expect_status 75
	expect_in live.err "give it again"
	[ "$(count_files)" = 0 ]
	balanced stats
	publish --compress none --name seg in.all
	expect_status 0
	exactly in.all
	[ -z "$(left)" ]
}

@test "what a stream has staged is published after SIGKILL, once, by whoever runs next, also if the input comes again" {
	envelopes 1 9 >in.all
	for next in go-on again; do
		rm -rf base
		start --compress none
		head -5 in.all >&8
		await 20 staged 5 || fail "not staged"
		kill -KILL "$pid"
		finished
		expect_status 137
		[ "$(count_files)" = 0 ]
		case $next in
		go-on) publish --compress none < <(tail -4 in.all) ;;
		again) publish --compress none < <(cat in.all) ;;
		esac
		expect_status 0
		exactly in.all
		[ -z "$(left)" ]
	done
}

@test "a batch that is killed leaves nothing behind that counts, and is done when given again" {
	envelopes 1 900 3 >in.all
	start --compress none --name seg --rotate-bytes 3000
	head -500 in.all >&8
	await 20 has_files 3 || fail "nothing was published: $(cat live.err)"
	kill -KILL "$pid"
	finished
	expect_status 137
	publish --compress none --name seg --rotate-bytes 3000 in.all
	expect_status 0
	exactly in.all
	[ -z "$(left)" ]
}

@test "a target that is away is 75; what is kept is named, and published by the next run, once" {
	need jq
	envelopes 1 100 2 >in
	mkdir away
	separately timeout 30 metlog-to-hdfs --to webhdfs://127.0.0.1:1/x --retry-for 0 --json --stats stats in
	expect_status 75
	expect_in "$err" "kept in $PWD/staging/"
	expect_in "$err" "refused by 127.0.0.1:1"
	jq -s -e '.[-1].summary | .kept == 4 and .published == 0 and (.staging | test("staging"))' "$out"
	balanced stats
	[ "$(count stats kept)" = 100 ]
	[ "$(find staging -name '*.item' | wc -l)" = 4 ]
	# Another run meets it at once, and takes no more from its input.
	separately timeout 30 metlog-to-hdfs --to webhdfs://127.0.0.1:1/x --retry-for 0 --stats stats2 in
	expect_status 75
	[ "$(count stats2 read)" = 0 ]
	[ "$(find staging -name '*.item' | wc -l)" = 4 ]
}

@test "as the command of metlog-spool drain it publishes each segment exactly once, also when the drain is killed" {
	envelopes 1 2000 3 >in
	metlog-spool write spool --sync none --segment-bytes 20000 <in
	drain() { separately metlog-spool drain spool --once --backoff-max 0.02 -- metlog-to-hdfs --to file:base --compress none; }
	for _ in 1 2 3; do
		metlog-spool drain spool --once -- metlog-to-hdfs --to file:base --compress none 2>drain.err 3>&- &
		pid=$!
		children+=" $pid"
		await 20 has_files 1 || true
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" || true
	done
	drain
	expect_status 0
	# The last one's command may still be about to see that nobody feeds it.
	quiet() { [ -z "$(hidden)" ]; }
	await 20 quiet || fail "left: $(hidden)"
	exactly in
	drain
	expect_status 0
	exactly in
}

@test "the drain's death is seen by its command: a piece of a segment is not taken for the whole" {
	need python3
	envelopes 1 100 1 >in
	cat >cut.py <<-'E'
	import os, socket, struct, subprocess, sys
	ours, theirs = socket.socketpair()
	env = dict(os.environ, METLOG_SEGMENT="000000000001-20261122T000000Z-00000000", METLOG_SEGMENT_BYTES=str(os.path.getsize("in")))
	p = subprocess.Popen(["metlog-to-hdfs", "--to", "file:base", "--compress", "none"], stdin=theirs, env=env)
	theirs.close()
	ours.sendall(open("in", "rb").read()[:3000].rsplit(b"\n", 1)[0] + b"\n")
	ours.close()
	sys.exit(p.wait())
	E
	separately python3 cut.py
	expect_status 75
	[ "$(count_files)" = 0 ]
}

@test "a full staging disk is 74; nothing half is published, and with room the same input is published once" {
	envelopes 1 20000 2 "$(printf 'x%.0s' {1..80})" >in
	need_mount 512k
	METLOG_STAGING=$PWD/disk/s publish --compress none --stats stats in
	expect_status 74
	expect_in "$err" "No space left"
	balanced stats
	[ "$(count_files)" = 0 ]
	publish --compress none in
	expect_status 0
	exactly in
}

@test "a staging file that may grow no more is 74, and what a stream has staged before is published by the next run" {
	envelopes 1 2000 1 "$(printf 'x%.0s' {1..80})" >in
	separately bash -c 'ulimit -f 64; exec metlog-to-hdfs --to file:base --compress none in'
	expect_status 74
	[ "$(count_files)" = 0 ]
	rm -rf base
	by_pipe() { cat in | bash -c 'ulimit -f 64; exec metlog-to-hdfs --to file:base --compress none --stats stats'; }
	separately by_pipe
	expect_status 74
	balanced stats
	publish --compress none < <(true)
	expect_status 0
	contents >got
	[ "$(wc -l <got)" -gt 300 ]
	[ -z "$(sort got | uniq -d)" ]
	[ -z "$(sort got in in | uniq -u)" ] || fail "what was never read"
	rm -rf base
	publish --compress none in
	expect_status 0
	exactly in
}

@test "what a stream has brought when its staging disk is full is with the next run or in --rejects, and the books say which" {
	envelopes 1 20000 2 "$(printf 'x%.0s' {1..80})" >in
	need_mount 512k
	by_pipe() { cat in | METLOG_STAGING=$PWD/disk/s metlog-to-hdfs --to file:base --compress none --stats stats --rejects rejects; }
	separately by_pipe
	expect_status 74
	balanced stats
	mount -o remount,size=4m disk
	METLOG_STAGING=$PWD/disk/s publish --compress none < <(true)
	expect_status 0
	contents >got
	[ "$(wc -l <got)" = "$(jq '.fields | .passed + .kept' stats)" ]
	[ "$(wc -l <rejects)" -gt 1 ]
	[ "$(wc -l <rejects)" = "$(jq .fields.rejected stats)" ]
	[ -z "$(jq -r .payload rejects | sort - got | uniq -d)" ]
	[ "$(jq -r .payload rejects | sort - got in | uniq -d | wc -l)" = "$(jq .fields.read stats)" ]
}

@test "a full or read-only base is 74 or 77: what could not be published is kept, and no piece of it is left" {
	envelopes 1 5000 1 "$(printf 'x%.0s' {1..80})" >in
	need_mount 256k
	separately metlog-to-hdfs --to file:disk/base --compress none in
	expect_status 74
	expect_in "$err" "No space left"
	[ "$(find disk/base -type f | wc -l)" = 0 ]
	mount -o remount,size=8m disk
	separately metlog-to-hdfs --to file:disk/base --compress none in
	expect_status 0
	exactly in disk/base
	envelopes 5001 5010 1 >in2
	mount -o remount,ro disk
	separately metlog-to-hdfs --to file:disk/base --compress none in2
	expect_status 77
	expect_in "$err" "Read-only"
}

@test "no link below the base is followed, and none in its place" {
	envelopes 1 10 2 >in
	mkdir -p base elsewhere
	ln -s ../elsewhere base/type=t0
	publish --compress none --name n in
	expect_status 69
	expect_in "$err" "a link"
	[ -z "$(ls elsewhere)" ]
	[ -f base/type=t1/dt=2026-11-22/hour=06/n-1.ndjson ]
	rm base/type=t0
	mkdir -p base/type=t0/dt=2026-11-22/hour=06
	ln -s ../../../../elsewhere/x base/type=t0/dt=2026-11-22/hour=06/n-1.ndjson
	publish --compress none --name n in
	expect_status 69
	[ -z "$(ls elsewhere)" ]
	: >file
	separately metlog-to-hdfs --to file:file in
	expect_status 73
}

@test "what is refused of a stream is kept, is in no batch's way, and is published once the cause is gone" {
	envelopes 1 10 2 >in
	envelopes 11 20 2 >in2
	mkdir -p base elsewhere
	ln -s ../elsewhere base/type=t0
	publish --compress none < <(cat in)
	expect_status 69
	expect_in "$err" "kept in"
	publish --compress none -m 'type == "t1"' in2
	expect_status 0
	expect_in "$err" "type=t0/dt=2026-11-22/hour=06/"
	publish --compress none < <(true)
	expect_status 69
	rm base/type=t0
	publish --compress none in2
	expect_status 0
	cat in in2 | sort >all
	exactly all
	[ -z "$(left)" ]
}

@test "a base that is not there is made, but not its parents" {
	envelopes 1 2 >in
	separately metlog-to-hdfs --to file:new --compress none in
	expect_status 0
	exactly in new
	separately metlog-to-hdfs --to file:no/such in
	expect_status 73
	expect_in "$err" no/such
}
