# metlog-to-hdfs-fake.bats - metlog-to-hdfs against a scripted WebHDFS: faults that a real cluster cannot be made to show, and what the user is told.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154,SC2164

setup() {
	load helper
	load family
	load to-hdfs
	load fake_webhdfs
	to_hdfs_setup
}

teardown() {
	fake_stop
	to_hdfs_teardown
}

# to_fake [OPTION...]: publishes below /base.
to_fake() { separately metlog-to-hdfs --to "webhdfs://$nn0/base" --compress none --retry-for 5s --timeout 5s "$@"; }

arrived() { exactly "$1" "$hdfs/base"; }

@test "envelopes are published once, and the same input again changes nothing; what is sent is what a namenode wants" {
	fake_start
	envelopes 1 300 2 >in
	to_fake --user fred in
	expect_status 0
	expect_empty "$err"
	arrived in
	[ "$(grep -c '^dn PUT CREATE' "$fake/log")" -eq "$(count_files "$hdfs/base")" ]
	grep -qE '^nn0 PUT CREATE /base/type=t0/dt=2026-11-22/hour=06/\.[^ ]+\.[0-9a-f]{8}\.tmp -> 307 \| overwrite=true&user.name=fred$' "$fake/log" || fail "$(grep CREATE "$fake/log" | head -1)"
	state "$hdfs" >before
	fake_script
	to_fake --user fred in
	expect_status 0
	[ "$(fake_log | sort -u)" = "nn0 GETFILESTATUS 200" ] || fail "$(fake_log | sort -u)"
	state "$hdfs" >after
	expect_same before after
	[ -z "$(left)" ]
}

@test "through HttpFS it is the same" {
	need gzip
	fake_start --httpfs
	envelopes 1 300 2 >in
	for _ in 1 2; do
		to_fake --verify --compress gzip in
		expect_status 0
		arrived in
	done
}

@test "an upload that is cut in its middle, and a rename whose answer is lost, leave one whole file" {
	fake_start
	envelopes 1 4000 1 "$(printf 'x%.0s' {1..100})" >in
	for rule in "dn CREATE 1 cut 100000" "dn CREATE 1 truncate 100000" "dn CREATE 1 status 503" "dn CREATE 1 lost" "nn RENAME 1 lost" "nn RENAME 1 close" "nn RENAME 1 false" \
		"nn CREATE 1 redirect http://{dead}/webhdfs/v1/x" "nn GETFILESTATUS 1 html 502 Bad Gateway" "nn MKDIRS 1 exception SafeModeException 403 in safe mode"; do
		rm -rf "$hdfs/base"
		fake_script "$rule"
		to_fake in
		expect_status 0 || fail "$rule"
		arrived in || fail "$rule"
	done
}

@test "a cluster that is away: 75, what is kept and why is said, and the next run goes on from there" {
	fake_start
	envelopes 1 200 3 >in
	for rule in "nn * * exception SafeModeException 403 Name node is in safe mode." "dn CREATE * exception IOException 403 could only be written to 0 of the 1 minReplication nodes" \
		"nn * * html 503 Service Unavailable" "nn * * exception StandbyException 403 standby" "dn CREATE * truncate 1"; do
		rm -rf "$hdfs/base"
		fake_script "$rule"
		to_fake --retry-for 0 in
		expect_status 75 || fail "$rule"
		expect_in "$err" "$BATS_TEST_TMPDIR/staging"
		grep -qE 'safe mode|minReplication|Service Unavailable|StandbyException|sent 4 times' "$err" || fail "$(cat "$err")"
		[ "$(find "$hdfs" -type f ! -name '.*' | wc -l)" = 0 ] || fail "$rule: $(find "$hdfs" -type f)"
	done
	fake_script
	to_fake in
	expect_status 0
	arrived in
	[ -z "$(left)" ]
}

@test "quota: 69; permission, an unknown user, a host that is not allowed: 77; and the exception is told" {
	fake_start
	envelopes 1 10 1 >in
	while read -r expected rule; do
		rm -rf "$hdfs/base" staging
		fake_script "$rule"
		to_fake in
		expect_status "$expected" || fail "$rule"
		grep -qE "QuotaExceeded|AccessControl|HTTP 401|evil.example.org:9864.*--datanode" "$err" || fail "$(cat "$err")"
		[ "$(find "$hdfs" -type f | wc -l)" = 0 ] || fail "$rule: $(find "$hdfs" -type f)"
	done <<-ROWS
		69 nn MKDIRS * exception NSQuotaExceededException 403 The NameSpace quota (directories and files) of directory /base is exceeded
		69 dn CREATE * exception DSQuotaExceededException 403 The DiskSpace quota of /base is exceeded
		77 nn * * exception AccessControlException 403 Permission denied: user=fred, access=WRITE
		77 nn * * status 401
		77 nn CREATE * redirect http://evil.example.org:9864/webhdfs/v1/x
	ROWS
}

@test "what many files are refused for is said once, and how many more there were; with -v and --json, of each" {
	fake_start
	envelopes 1 50 5 >in
	fake_script "dn CREATE * exception DSQuotaExceededException 403 The DiskSpace quota of /base is exceeded"
	to_fake --layout '{type}' in
	expect_status 69
	[ "$(grep -c 'quota of /base' "$err")" = 1 ] || fail "$(cat "$err")"
	expect_in "$err" "metlog-to-hdfs: and so 4 more files (-v names them)"
	to_fake --layout '{type}' -v in
	expect_status 69
	[ "$(grep -c 'refused: .*quota of /base' "$err")" = 5 ] || fail "$(cat "$err")"
	to_fake --layout '{type}' --json in
	[ "$(grep -c '"state":"refused".*quota of /base' "$out")" = 5 ] || fail "$(cat "$out")"
}

@test "another file at a name is a conflict, 69, and is replaced with --conflict=replace; a directory never is" {
	fake_start
	envelopes 1 10 1 >in
	to_fake --name day in
	expect_status 0
	file=$(find "$hdfs/base" -type f)
	echo other >"$file"
	to_fake --name day in
	expect_status 69
	expect_in "$err" "a file of 6 bytes is there"
	[ "$(cat "$file")" = other ]
	to_fake --name day --conflict replace in
	expect_status 0
	arrived in
	rm "$file"
	mkdir "$file"
	to_fake --name day --conflict replace in
	expect_status 69
	expect_in "$err" "a directory is there"
}

@test "the first of several namenodes is standby, the second is down, the third does it" {
	fake_start --namenodes 2
	envelopes 1 10 1 >in
	fake_script "nn0 * * exception StandbyException 403 standby"
	separately metlog-to-hdfs --to "webhdfs://$nn0,$dead,$nn1/base" --compress none --retry-for 0 in
	expect_status 0
	arrived in
	[ "$(fake_log | grep -c '^nn0')" = 1 ] || fail "$(fake_log)"
}

@test "a delegation token is in no message, with -v and in errors, and nowhere on disk" {
	fake_start --token
	echo SeCrEtToKeN0123456789 >"$fake/token"
	cp "$fake/token" token
	envelopes 1 10 1 >in
	to_fake -v --token-file token --json in
	expect_status 0
	arrived in
	cat "$out" "$err" >said
	for rule in "nn * * exception InvalidToken 403 delegation=SeCrEtToKeN0123456789 is expired" "nn CREATE * redirect http://evil/webhdfs/v1/" "nn * * html 500 SeCrEtToKeN0123456789" "dn * * close"; do
		rm -rf "$hdfs/base"
		fake_script "$rule"
		to_fake -vv --retry-for 1s --token-file token --json in
		[ "$status" -ne 0 ]
		cat "$out" "$err" >>said
	done
	grep -q SeCrEt said && fail "$(grep SeCrEt said)"
	[ -s said ]
	grep -rq SeCrEt staging && fail "on disk: $(grep -rl SeCrEt staging)"
	to_fake --token-file missing in
	expect_status 66
	# Where they have no place at all.
	for to in webhdfs://fred:SeCrEt@nn1/x 'webhdfs://nn1/x?delegation=SeCrEt' https://fred:SeCrEt@nn1/x; do
		for how in --json --dry-run --ddl --explain; do
			separately metlog-to-hdfs --to "$to" --layout 't={type}' "$how" in
			expect_status 64
			cat "$out" "$err" >said
			grep -q SeCrEt said && fail "$(cat said)"
		done
	done
	true
}

@test "--ddl names the path in HDFS, decoded, and no host" {
	while read -r to expected; do
		separately metlog-to-hdfs --ddl --layout 't={type}' --to "$to"
		expect_status 0
		grep -qxF "LOCATION '$expected';" "$out" || fail "$(grep LOCATION "$out")"
	done <<-ROWS
		webhdfs://nn1:9870,nn2/data/a%20b/ hdfs:///data/a b
		swebhdfs://nn1 hdfs:///
		webhdfs://nn1/ hdfs:///
	ROWS
}

@test "a proxy in the environment is not asked" {
	fake_start
	envelopes 1 10 1 >in
	http_proxy=http://$dead HTTP_PROXY=http://$dead ALL_PROXY=http://$dead to_fake in
	expect_status 0
	arrived in
}

@test "a datanode that names itself as nobody knows it is reached with --map" {
	fake_start
	envelopes 1 10 1 >in
	fake_script "nn CREATE * redirect http://f3a9c1:9864/webhdfs/v1/base/x"
	to_fake in
	expect_status 77
	expect_in "$err" "redirects to f3a9c1:9864"
	sed -i "s,/base/x,/base/type=t1/dt=2026-11-22/hour=06/none," "$fake/script"
	to_fake --map "f3a9c1:9864=$dn" --retry-for 0 in
	grep -q '^dn PUT CREATE' "$fake/log" || fail "$(cat "$fake/log" "$err")"
}

@test "SIGTERM while the cluster is away ends a run at once, with 75 and nothing lost" {
	fake_start
	envelopes 1 10 1 >in
	fake_script "nn * * exception SafeModeException 403 in safe mode"
	metlog-to-hdfs -v --to "webhdfs://$nn0/base" --compress none --retry-for 10m in >said 2>&1 3>&- &
	pid=$!
	children+=" $pid"
	await 10 grep -q "again in" said
	kill -TERM "$pid"
	status=0 err=said
	wait "$pid" || status=$?
	expect_status 75
	fake_script
	to_fake in
	expect_status 0
	arrived in
}

@test "a stream that ends early, with 75 or 77, leaves nothing behind that it has taken from its input" {
	fake_start
	envelopes 1 600 2 >in
	mkfifo fifo
	while read -r expected rule; do
		rm -rf "$hdfs/base"
		fake_script "$rule"
		exec 8<>fifo
		cat in >&8
		to_fake --retry-for 0 --rotate-bytes 4000 --stats stats <&8
		exec 8>&-
		expect_status "$expected" || fail "$rule"
		[ "$(grep -o '"read":[0-9]*,"passed":0,"dropped":0,"rejected":0,"kept":[0-9]*' stats)" = '"read":600,"passed":0,"dropped":0,"rejected":0,"kept":600' ] || fail "$rule: $(cat stats)"
		rm stats
		fake_script
		to_fake < <(true)
		expect_status 0 || fail "$rule"
		arrived in || fail "$rule"
		[ -z "$(left)" ]
	done <<-ROWS
		75 nn * * exception SafeModeException 403 Name node is in safe mode.
		77 nn CREATE * exception AccessControlException 403 Permission denied: user=fred, access=WRITE
	ROWS
}

@test "a run that was killed in an upload is gone on with, and its hidden file does not stay" {
	fake_start
	envelopes 1 200 1 >in
	fake_script "dn CREATE 1 slow 60"
	metlog-to-hdfs --to "webhdfs://$nn0/base" --compress none in >said 2>&1 3>&- &
	pid=$!
	children+=" $pid"
	hidden_there() { [ -n "$(hidden "$hdfs/base")" ]; }
	await 10 hidden_there
	kill -9 "$pid"
	wait "$pid" || true
	to_fake in
	expect_status 0
	arrived in
}

@test "what a run had sent wholly when it was killed is not sent again: it is renamed, before or after the rename that was on its way" {
	fake_start
	envelopes 1 200 1 >in
	fake_script "nn0 RENAME 1 stall 60"
	metlog-to-hdfs --to "webhdfs://$nn0/base" --compress none --layout a in >said 2>&1 3>&- &
	pid=$!
	children+=" $pid"
	await 10 grep -q stalled "$fake/log"
	kill -9 "$pid"
	wait "$pid" || true
	[ "$(grep -c '^dn PUT CREATE' "$fake/log")" -eq 1 ]
	fake_script
	to_fake --layout a in
	expect_status 0
	arrived in
	if grep -q CREATE "$fake/log"; then fail "$(cat "$fake/log")"; fi
}

@test "on a terminal it shows which file of how many is published, how much of all bytes, the rate and the time that is left" {
	need script
	fake_start
	envelopes 1 400 4 "$(printf 'x%.0s' {1..500})" >in
	fake_script "dn CREATE * slow 0.8"
	TERM=xterm script -qec "metlog-to-hdfs --to webhdfs://$nn0/base --compress none --layout {type} in" typescript >/dev/null
	tr '\r' '\n' <typescript >shown
	grep -qE 'metlog-to-hdfs: publishing 1 of 4$' shown || fail "$(cat -v shown)"
	grep -qE 'metlog-to-hdfs: publishing 4 of 4: 75 % of 23. kB, [0-9.]+ kB/s, [0-9]+ s left$' shown || fail "$(cat -v shown)"
	grep -qE "metlog-to-hdfs: published below webhdfs://$nn0/base: files: 4, envelopes: 400, 23. kB" shown || fail "$(cat -v shown)"
	arrived in
}

@test "two runs over the same input at a time: both succeed, and there is one file of each name" {
	fake_start
	envelopes 1 300 1 >in
	fake_script "dn CREATE * slow 0.3"
	METLOG_STAGING=$PWD/other metlog-to-hdfs --to "webhdfs://$nn0/base" --compress none in >said 2>&1 3>&- &
	pid=$!
	children+=" $pid"
	to_fake in
	expect_status 0
	wait "$pid" || fail "$(cat said)"
	arrived in
}
