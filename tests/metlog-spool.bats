# metlog-spool.bats - the command line of metlog-spool, and its verb write.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load family
	load spool
	cd "$BATS_TEST_TMPDIR"
}

teardown() { tidy_up; }

# --- the command line ---------------------------------------------------------

@test "without a verb, with one that is none, or without a DIR it is wrong usage, and the verbs are listed" {
	for arguments in '' 'wirte s' '--sync none'; do
		# shellcheck disable=SC2086
		separately metlog-spool $arguments
		expect_status 64
		expect_in "$err" 'write, drain, status, cat or replay'
	done
	for verb in write drain status cat replay; do
		separately metlog-spool $verb
		expect_status 64
		expect_in "$err" "$verb: no DIR"
	done
	for verb in status cat replay; do
		separately metlog-spool $verb s t
		expect_status 64
		expect_in "$err" "'t'"
	done
	[ ! -e s ]
}

@test "an option of another verb is wrong usage, and both are named" {
	while read -r option owner verb; do
		# shellcheck disable=SC2086
		separately metlog-spool $verb s ${option//=/ }
		expect_status 64
		expect_in "$err" "${option%%=*}"
		expect_in "$err" "$owner"
		expect_in "$err" "not of ${verb%% *}"
	done <<-'END'
		--tee write status
		--sync=none write cat
		--when-full=fail write replay
		--once drain write
		--keep=1d drain status
		--failed cat replay
		--follow drain status
		--speed=2 replay cat
		--json status cat
		--verify status write
		--match=TRUE write status
		--rejects=dead write status
	END
	[ ! -e s ] && [ ! -e dead ]
}

@test "options stand before the verb or behind it; words behind -- are FILEs, or the drain's COMMAND with its own options" {
	lines 1 1 >-odd
	lines 2 2 >even
	metlog-spool --sync none write -q s -- -odd
	metlog-spool write s --sync each even
	expect_stored 1 2
	separately metlog-spool drain s head
	expect_status 64
	expect_in "$err" 'the command stands behind --: drain DIR -- head'
	separately metlog-spool drain s
	expect_status 64
	separately metlog-spool drain -- s head
	expect_status 64
	expect_in "$err" 'say which spool before --'
	separately metlog-spool drain --once s -- head -n1
	expect_status 0
	[ "$(wc -l <"$out")" -eq 2 ]
}

@test "a wrong value is named with what is allowed" {
	for option in --sync=often --when-full=burst --compress=rar --segment-bytes=many --max-age=old --speed=fast --max-gap=wide --fail-over-age=x --parallel=0; do
		separately metlog-spool write s $option </dev/null
		expect_status 64
		expect_in "$err" "${option#*=}"
	done
	[ ! -e s ]
}

# --- write --------------------------------------------------------------------

@test "what is read is in the spool, byte for byte and in its order, sealed at the end" {
	good_lines >good
	separately metlog-spool write s good - good <good
	expect_status 0
	expect_empty "$out"
	expect_empty "$err"
	cat good good good >thrice
	metlog-spool cat s | cmp - thrice
	sealed 1
	[ -z "$(segments open)" ]
	grep -hv metlog.segment s/*.ndjson | cmp - thrice
}

@test "directory and files are for their owner alone, whatever the umask" {
	(umask 0; lines 1 9 | metlog-spool write s)
	[ "$(stat -c %a s)" = 700 ]
	[ -z "$(find s -type f ! -perm 600)" ] || fail "$(ls -l s)"
}

@test "half of the input malformed: the good half is kept, the rest is in --rejects, and the books balance" {
	lines 1 500 | sed 'p; s/.*/nonsense/' >half
	separately metlog-spool write s --rejects dead --stats stats half
	expect_status 0
	expect_stored 1 500
	[ "$(wc -l <dead)" -eq 500 ]
	[ "$(count stats kept)" = 500 ] && [ "$(count stats rejected)" = 500 ] && balanced stats
	separately metlog-spool write t half
	expect_status 65
}

@test "rejects that cannot be kept are 74, and what was read before is stored" {
	{ lines 1 3; echo nonsense; lines 4 6; } >mixed
	separately metlog-spool write s --rejects /dev/full mixed
	expect_status 74
	expect_stored 1 3
	sealed 1
}

@test "-m, --since and --until choose what is stored" {
	lines 1 100 | metlog-spool write s --stats stats -m 'payload > 0' -S 2012-10-05T00:00:11Z -U 2012-10-05T00:00:21Z
	expect_stored 11 20
	[ "$(count stats dropped)" = 90 ] && balanced stats
}

@test "before it waits, what was read is there for readers, committed or not" {
	start_writer --sync-interval 1h --segment-age 0
	feed 1 3
	await 10 stored 1 3
	kill -USR1 "$writer"
	await 10 grep -q '"uncommitted":3' said
	balanced said
	end_writer
	expect_status 0
}

@test "a segment is sealed by age and by size" {
	start_writer --segment-age 100ms
	feed 1 3
	await 10 sealed 1
	[ -z "$(segments open)" ]
	feed 4 5
	await 10 sealed 2
	end_writer
	expect_status 0
	expect_stored 1 5
	lines 6 2000 | metlog-spool write s --segment-bytes 16Ki
	[ "$(segments ndjson | wc -l)" -gt 8 ]
	expect_stored 1 2000
}

@test "SIGHUP seals the open segment, so that it is drained, and opens --rejects anew" {
	start_writer --segment-age 0 --sync-interval 1h --rejects dead
	feed 1 3
	echo nonsense >&8
	await 10 stored 1 3
	await 10 test -s dead
	mv dead dead.1
	kill -HUP "$writer"
	await 10 sealed 1
	await 10 test -e dead
	echo nonsense >&8
	await 10 test -s dead
	end_writer
	expect_status 0
	[ "$(wc -l <dead.1)" -eq 1 ]
}

@test "SIGTERM: what was read is committed and sealed, and the status is 0" {
	start_writer --segment-age 0 --sync-interval 1h --stats stats
	feed 1 3
	await 10 stored 1 3
	kill -TERM "$writer"
	end_writer
	expect_status 0
	sealed 1
	expect_stored 1 3
	[ "$(count stats kept)" = 3 ] && balanced stats
}

@test "--sync each commits every envelope, batch many at once, none needs no fsync but to seal" {
	for how in each batch none; do lines 1 100 | metlog-spool write "$how" --sync "$how" --stats "$how.stats"; done
	[ "$(count each.stats syncs)" -ge 100 ]
	[ "$(count batch.stats syncs)" -le 10 ]
	[ "$(count none.stats syncs)" -le 2 ]
}

@test "--compress zstd: cat reads it like any other, and so does zstdcat" {
	lines 1 5000 | metlog-spool write s --compress zstd
	[ "$(segments ndjson.zst | wc -l)" -eq 1 ]
	expect_stored 1 5000
	if has zstdcat; then zstdcat s/*.zst | grep -v metlog.segment | cmp - expected; fi
	metlog-spool status s --verify
}

# --- --tee --------------------------------------------------------------------

@test "--tee passes on what is committed, and nothing before that" {
	start_writer --tee --segment-age 0 --sync-interval 1h
	feed 1 3
	await 10 stored 1 3
	[ ! -s teed ] || fail "written before it was committed"
	kill -HUP "$writer"
	await 10 test -s teed
	feed 4 6
	await 10 stored 1 6
	[ "$(wc -l <teed)" -eq 3 ]
	end_writer
	expect_status 0
	metlog-spool cat s | cmp - teed
}

@test "--tee: in the system calls, no line goes to standard output before the fsync that follows its write" {
	need strace
	sanitized && skip "a sanitizer build cannot be traced"
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	lines 1 2000 >many
	strace -f -s 0 -o trace -e trace=write,pwrite64,writev,fsync,fdatasync "$TOOLS/metlog-spool" write s --tee --sync-bytes 8Ki many >teed
	cmp many teed
	# Writes to 1 must be at most one for each sync of a file that came before.
	awk '/f(data)?sync\(/ { synced++ } /write[v64]*\(1,/ { if (++out > synced) { print "line " NR ": " $0; bad = 1 } } END { exit bad || out < 5 }' trace
}

@test "--tee: a reader that goes away ends that leg alone, with one warning" {
	lines 1 20000 >many
	status=0
	metlog-spool write s --tee many 2>said | head -1 >first || status=$?
	[ "$(wc -l <first)" -eq 1 ]
	[ "$(wc -l <said)" -eq 1 ] || fail "$(cat said)"
	expect_in said --tee
	expect_stored 1 20000
}

@test "--tee into a full disk is 74 in the end, and all is stored" {
	status=0
	lines 1 20000 | metlog-spool write s --tee >/dev/full 2>said || status=$?
	err=said expect_status 74
	expect_in said 'No space left'
	expect_stored 1 20000
}

@test "without --tee standard output is of no matter" {
	lines 1 10 | bash -c 'exec metlog-spool write s >&-'
	lines 11 20 | metlog-spool write s >/dev/full
	expect_stored 1 20
}

@test "closed standard streams: no file of the spool takes their place" {
	separately bash -c 'exec metlog-spool write s <&-'
	case $status in 0 | 66) ;; *) expect_status 66 ;; esac
	printf 'nonsense\n' | bash -c 'exec metlog-spool write s >&- 2>&-' || true
	lines 1 3 | bash -c 'exec metlog-spool write s --tee 2>&-' >teed
	expect_stored 1 3
	metlog-spool cat s | cmp - teed
	metlog-spool status s --verify
}

# --- two at once, strange directories -------------------------------------------

@test "a second writer is refused at once with 73, by the first one's number, and the first goes on" {
	start_writer
	feed 1 3
	await 10 stored 1 3
	separately timeout 30 metlog-spool write s </dev/null
	expect_status 73
	expect_in "$err" "$writer"
	feed 4 6
	end_writer
	expect_status 0
	expect_stored 1 6
}

@test "a directory that is a symbolic link, open to others, a file, or without a parent is refused" {
	mkdir -m 700 real
	mkdir -m 755 open
	ln -s real link
	: >file
	for name in link open file; do
		separately metlog-spool write $name </dev/null
		expect_status 73
		expect_in "$err" "$name"
	done
	separately metlog-spool write no/such </dev/null
	case $status in 66 | 73) ;; *) expect_status 73 ;; esac
	[ -z "$(ls -A real)" ]
	mkdir -m 700 s
	: >victim
	ln -s ../victim s/lock
	separately metlog-spool write s </dev/null
	expect_status 73
	[ ! -s victim ]
}
