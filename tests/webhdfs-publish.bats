# webhdfs-publish.bats - a file comes to HDFS exactly once, whatever the server does between upload and rename.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154,SC2164

setup() {
	load helper
	load fake_webhdfs
	driver=$TOOLS/../tests/unit/webhdfs_driver
	[ -x "$driver" ] || skip "tests/unit/webhdfs_driver is not built: make check builds it"
	cd "$BATS_TEST_TMPDIR"
	seq 20000 >file
}

teardown() {
	fake_stop
}

# publish [OPTION...]: the file as d=1/name, by way of d=1/.name.tmp.
publish() {
	separately "$driver" "$@" "webhdfs://$nn0/base" publish d=1 name .name.tmp file
}

expect_verdict() {
	local verdict
	read -r verdict _ <"$out"
	[ "${verdict%:}" = "$1" ] && return 0
	echo "said: $(cat "$out"); expected: $1; standard error:" >&2
	cat "$err" >&2
	return 1
}

# expect_published: the file is there, whole, and nothing else is.
expect_published() {
	expect_same "$hdfs/base/d=1/name" file
	[ "$(ls -A "$hdfs/base/d=1")" = name ] || fail "left: $(ls -A "$hdfs/base/d=1")"
}

both() {
	for kind in --namenodes=1 --httpfs; do
		fake_start "$kind"
		"$@"
		fake_stop
	done
}

@test "a file is published once; the next time it is there" {
	usual() {
		publish --times 2
		[ "$(cat "$out")" = "published
there" ] || fail "$(cat "$out")"
		expect_published
	}
	both usual
	fake_start
	publish
	expect_log "nn0 GETFILESTATUS 404" "nn0 MKDIRS 200" "nn0 CREATE 307" "dn CREATE 201" "nn0 GETFILESTATUS 200" "nn0 RENAME 200"
}

@test "a file of the same name and length was delivered before: nothing is sent" {
	fake_start
	mkdir -p "$hdfs/base/d=1"
	tr 1 2 <file >"$hdfs/base/d=1/name"
	publish
	expect_verdict there
	expect_log "nn0 GETFILESTATUS 200"
	publish --verify
	expect_verdict conflict
	expect_in "$out" "a file of our length, but with another checksum, is there"
}

@test "another file of that name is a conflict and stays as it is, or is replaced if that was asked for" {
	other() {
		mkdir -p "$hdfs/base/d=1"
		echo other >"$hdfs/base/d=1/name"
		publish
		expect_verdict conflict
		[ "$(cat "$hdfs/base/d=1/name")" = other ] || fail "changed"
		publish --replace
		expect_verdict published
		expect_published
	}
	both other
}

@test "a directory of that name is a conflict, and nothing is moved into it" {
	dir() {
		mkdir -p "$hdfs/base/d=1/name"
		publish
		expect_verdict conflict
		publish --replace
		expect_verdict conflict
		[ -z "$(find "$hdfs" -type f)" ] || fail "$(find "$hdfs" -type f)"
	}
	both dir
}

@test "a rename whose answer is lost has happened: published" {
	lost() {
		fake_script "nn RENAME 1 lost"
		publish
		expect_verdict published
		expect_published
		grep -q 'RENAME.*lost' "$fake/log" || fail "$(cat "$fake/log")"
	}
	both lost
}

@test "a rename that did not happen, with no answer, false or an error of a gateway, is asked for again" {
	again() {
		for action in close false "status 504" "html 200 Welcome"; do
			rm -rf "$hdfs/base"
			fake_script "nn RENAME 1 $action"
			publish
			expect_verdict published || fail "$action"
			expect_published
			[ "$(grep -c RENAME "$fake/log")" -ge 2 ] || fail "$(cat "$fake/log")"
		done
	}
	both again
}

@test "a rename that is never done ends as later, and what was sent stays under its hidden name" {
	fake_start
	fake_script "nn RENAME * false"
	publish
	expect_verdict later
	expect_in "$out" "RENAME says false"
	[ "$(ls -A "$hdfs/base/d=1")" = .name.tmp ] || fail "$(ls -A "$hdfs/base/d=1")"
	fake_script
	publish
	expect_verdict published
	expect_published
}

@test "another run that published the same first makes it there, and our own upload is removed" {
	second() {
		fake_script "nn RENAME 1 slow 1" "nn GETFILESTATUS:base/d=1/name 1 exception FileNotFoundException 404 not yet"
		mkdir -p "$hdfs/base/d=1"
		cp file "$hdfs/base/d=1/name"
		publish
		expect_verdict there
		expect_published
	}
	both second
}

@test "another run that published something else first is a conflict, and our own upload is removed" {
	second() {
		fake_script "nn GETFILESTATUS:base/d=1/name 1 exception FileNotFoundException 404 not yet"
		mkdir -p "$hdfs/base/d=1"
		echo other >"$hdfs/base/d=1/name"
		publish
		expect_verdict conflict
		[ "$(ls -A "$hdfs/base/d=1")" = name ] || fail "left: $(ls -A "$hdfs/base/d=1")"
	}
	both second
}

@test "what has arrived short, although the server said 201, is sent again before it is renamed" {
	short() {
		fake_script "dn CREATE 2 truncate 7000" "nn CREATE:.name.tmp 1 pass" "nn CREATE:.name.tmp 2 pass"
		publish
		expect_verdict published
		expect_published
		rm -rf "$hdfs/base"
		fake_script "nn GETFILESTATUS:.name.tmp 1 length 12"
		publish
		expect_verdict published
		expect_published
		[ "$(grep -c 'CREATE' "$fake/log")" = 4 ] || fail "$(cat "$fake/log")"
	}
	both short
}

@test "what arrives short each time is given up after four times, and never seen under its name" {
	fake_start
	fake_script "dn CREATE * truncate 7000"
	publish
	expect_verdict later
	expect_in "$out" "sent 4 times"
	[ ! -e "$hdfs/base/d=1/name" ]
	[ "$(grep -c '^dn' "$fake/log")" = 4 ] || fail "$(cat "$fake/log")"
}

@test "with verify, an upload of the right length and another checksum is sent again" {
	fake_start
	fake_script "dn GETFILECHECKSUM 1 checksum"
	publish --verify
	expect_verdict published
	expect_published
	[ "$(grep -c '^dn PUT CREATE' "$fake/log")" = 2 ] || fail "$(cat "$fake/log")"
}

@test "what an earlier run left under the hidden name is written over, or removed if the file is there" {
	fake_start
	mkdir -p "$hdfs/base/d=1"
	head -c 500 file >"$hdfs/base/d=1/.name.tmp"
	publish --adopted
	expect_verdict published
	expect_published
	head -c 500 file >"$hdfs/base/d=1/.name.tmp"
	publish --adopted
	expect_verdict there
	expect_published
	head -c 500 file >"$hdfs/base/d=1/.name.tmp"
	echo other >"$hdfs/base/d=1/name"
	publish --adopted
	expect_verdict conflict
	[ "$(ls -A "$hdfs/base/d=1")" = name ] || fail "left: $(ls -A "$hdfs/base/d=1")"
}

@test "an upload that is gone before it is renamed is sent again" {
	fake_start
	fake_script "nn RENAME 1 exception FileNotFoundException 404 rename source is not found" "nn GETFILESTATUS:base/d=1/name 1 pass" "nn GETFILESTATUS:.name.tmp 1 pass" \
		"nn GETFILESTATUS:.name.tmp 1 exception FileNotFoundException 404 gone"
	publish
	expect_verdict published
	expect_published
	[ "$(grep -c '^dn PUT CREATE' "$fake/log")" = 2 ] || fail "$(cat "$fake/log")"
}

@test "quota, permission and safe mode at each step are what they are, and nothing is at the name" {
	fake_start
	for step in GETFILESTATUS MKDIRS CREATE RENAME; do
		while read -r expected name; do
			rm -rf "$hdfs/base"
			fake_script "nn $step * exception $name 403 at $step"
			publish --retry 0
			expect_verdict "$expected" || fail "$name at $step"
			expect_in "$out" "$name: at $step"
			[ ! -e "$hdfs/base/d=1/name" ]
		done <<-ROWS
			refused DSQuotaExceededException
			denied AccessControlException
			later SafeModeException
		ROWS
	done
	# What of an upload went before the quota was met is not left.
	head -c 500 file >"$hdfs/base/d=1/.name.tmp"
	fake_script "dn CREATE * exception DSQuotaExceededException 403 The DiskSpace quota is exceeded"
	publish
	expect_verdict refused
	[ -z "$(find "$hdfs" -type f)" ] || fail "left: $(find "$hdfs" -type f)"
}
