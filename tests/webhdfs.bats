# webhdfs.bats - WebHDFS as sink/webhdfs speaks it, against a scripted server: which fault leads where, redirects, tokens, HttpFS.
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

# drive [OPTION...] ADDRESS WORD...: what the driver says is in $out and, while it waits, in $err.
drive() {
	separately "$driver" "$@"
}

# expect_said TEXT: the whole of what the driver said on standard output.
expect_said() {
	[ "$(cat "$out")" = "$1" ] && return 0
	echo "said: $(cat "$out"); expected: $1" >&2
	return 1
}

# The driver's first word.
expect_verdict() {
	local verdict
	read -r verdict _ <"$out"
	[ "${verdict%:}" = "$1" ] && return 0
	echo "said: $(cat "$out"); expected: $1" >&2
	return 1
}

@test "each exception of the table has its reaction, whatever the HTTP status" {
	fake_start
	while read -r expected name status message; do
		fake_script "nn GETFILESTATUS * exception $name $status $message"
		drive --retry 0 "webhdfs://$nn0/" status /x
		expect_verdict "$expected" || fail "$name"
		[ "$(wc -l <"$fake/log")" = 1 ] || fail "$name: asked more than once: $(cat "$fake/log")"
	done <<-ROWS
		later StandbyException 403 Operation category READ is not supported in state standby
		later SecurityException 403 Failed to obtain user group information: org.apache.hadoop.security.token.SecretManager\$InvalidToken: StandbyException
		later ObserverRetryOnActiveException 403 Observer
		later RetriableException 403 Namenode is in startup mode
		later SafeModeException 403 Cannot create file. Name node is in safe mode.
		later LeaseExpiredException 403 No lease on /x
		later AlreadyBeingCreatedException 403 Failed to CREATE_FILE
		later RecoveryInProgressException 403 Lease recovery is in progress
		later NotReplicatedYetException 403 Not replicated yet
		later IOException 403 File /x could only be written to 0 of the 1 minReplication nodes. There are 0 datanode(s) running
		later IOException 403 not enough replicas
		later IOException 403 All datanodes are bad
		later RemoteException 500 org.apache.hadoop.hdfs.server.namenode.SafeModeException: Cannot create
		refused RemoteException 500 org.apache.hadoop.hdfs.protocol.DSQuotaExceededException: The DiskSpace quota of /x is exceeded
		denied AccessControlException 403 Permission denied: user=x, access=WRITE
		denied AccessControlException 500 Permission denied: user=x, access=WRITE
		denied AuthorizationException 401 User: a is not allowed to impersonate b
		denied InvalidToken 403 token is expired
		denied SecurityException 401 who are you
		refused NSQuotaExceededException 403 The NameSpace quota of /x is exceeded
		refused DSQuotaExceededException 403 The DiskSpace quota of /x is exceeded
		refused QuotaByStorageTypeExceededException 403 Quota by storage type
		refused FileAlreadyExistsException 403 already exists
		refused ParentNotDirectoryException 403 /x (is not a directory)
		refused InvalidPathException 400 Invalid path name
		refused PathComponentTooLongException 403 The maximum path component name limit is exceeded
		refused MaxDirectoryItemsExceededException 403 The directory item limit is exceeded
		refused IllegalArgumentException 400 Invalid value
		refused UnsupportedOperationException 400 op
		absent FileNotFoundException 404 File does not exist: /x
		absent FileNotFoundException 500 File does not exist: /x
		refused NewException 400 of a later Hadoop
		later NewException 403 of a later Hadoop
	ROWS
}

@test "without an exception the status decides: 401, 403 denied; 404, 400 refused; 408, 429, 5xx later" {
	fake_start
	while read -r expected status; do
		fake_script "nn GETFILESTATUS * status $status"
		drive --retry 0 "webhdfs://$nn0/" status /x
		expect_verdict "$expected" || fail "$status"
	done <<-ROWS
		denied 401
		denied 403
		denied 407
		refused 400
		refused 404
		refused 501
		refused 204
		later 408
		later 429
		later 500
		later 502
		later 503
		later 504
	ROWS
	fake_script "nn GETFILESTATUS * html 502 Bad Gateway"
	drive --retry 0 "webhdfs://$nn0/" status /x
	expect_said "later: $nn0: HTTP 502: Bad Gateway"
	fake_script "nn GETFILESTATUS * html 200 Welcome to our hotel"
	drive --retry 0 "webhdfs://$nn0/" status /x
	expect_said "refused: $nn0: HTTP 200, but no answer of WebHDFS to GETFILESTATUS"
}

@test "the text of an exception is in the reason, its first line only" {
	fake_start
	fake_script 'nn GETFILESTATUS * exception AccessControlException 403 Permission denied: user=fred\n\tat java.lang.Thread.run'
	drive --retry 0 "webhdfs://$nn0/" status /x
	expect_said "denied: $nn0: AccessControlException: Permission denied: user=fred"
}

@test "a standby namenode, and one that is down, are passed over, and the one that answered is asked first from then on" {
	fake_start --namenodes 2
	fake_script "nn0 * * exception StandbyException 403 Operation category READ is not supported in state standby"
	drive --times 2 "webhdfs://$nn0,$nn1/" status /
	expect_status 0
	expect_log "nn0 GETFILESTATUS 403" "nn1 GETFILESTATUS 200" "nn1 GETFILESTATUS 200"
	fake_script
	drive --times 2 --retry 0 "webhdfs://$dead,$nn1/" create /f file
	expect_status 0
	expect_log "nn1 CREATE 307" "dn CREATE 201" "nn1 CREATE 307" "dn CREATE 201"
}

@test "a namenode that is cut off, stalls, or stands behind a failing proxy, is passed over as well" {
	fake_start --namenodes 2
	for action in close "stall 3" "html 502 Bad Gateway" "status 503"; do
		fake_script "nn0 * * $action"
		drive --retry 0 --stall 1000 "webhdfs://$nn0,$nn1/" status /
		expect_status 0
	done
}

@test "while all of them are standby, they are asked again and again, with waits" {
	fake_start --namenodes 2
	fake_script "nn GETFILESTATUS 5 exception StandbyException 403 standby"
	drive "webhdfs://$nn0,$nn1/" status /
	expect_status 0
	expect_log "nn0 GETFILESTATUS 403" "nn1 GETFILESTATUS 403" "nn0 GETFILESTATUS 403" "nn1 GETFILESTATUS 403" "nn0 GETFILESTATUS 403" "nn1 GETFILESTATUS 200"
	[ "$(grep -c 'again in' "$err")" = 2 ] || fail "$(cat "$err")"
}

@test "safe mode and a full cluster are waited for at the same namenode" {
	fake_start --namenodes 2
	fake_script "nn0 MKDIRS 2 exception SafeModeException 403 Name node is in safe mode"
	drive "webhdfs://$nn0,$nn1/" mkdirs /a/b
	expect_said "done"
	expect_log "nn0 MKDIRS 403" "nn0 MKDIRS 403" "nn0 MKDIRS 200"
	[ -d "$hdfs/a/b" ]
	fake_script "dn CREATE 1 exception IOException 403 could only be written to 0 of the 1 minReplication nodes"
	drive "webhdfs://$nn0,$nn1/" create /a/f file
	expect_said "done"
	expect_log "nn0 CREATE 307" "dn CREATE 403" "nn0 CREATE 307" "dn CREATE 201"
}

@test "what does not pass within the time that is given ends as later, with the last reason" {
	fake_start
	fake_script "nn * * exception SafeModeException 403 Name node is in safe mode"
	drive --retry 700 "webhdfs://$nn0/" status /
	expect_status 1
	expect_said "later: $nn0: SafeModeException: Name node is in safe mode"
	[ "$(wc -l <"$fake/log")" -ge 3 ] || fail "$(cat "$fake/log")"
}

@test "the wait is what Retry-After asks for, where that is longer" {
	fake_start
	fake_script "nn GETFILESTATUS 1 retry 1"
	drive "webhdfs://$nn0/" status /
	expect_status 0
	expect_in "$err" "again in 1.0 s"
}

@test "a request to stop ends the waiting" {
	fake_start
	fake_script "nn * * exception SafeModeException 403 Name node is in safe mode"
	"$driver" --retry 600000 "webhdfs://$nn0/" status / >said 2>&1 3>&- &
	pid=$!
	await 10 grep -q "again in" said
	kill -TERM "$pid"
	await 10 grep -q "^stopped" said || fail "$(cat said)"
	wait "$pid" || true
}

@test "an upload that a datanode cuts, refuses or leaves is begun anew at the namenode, and whole then" {
	fake_start
	for action in "cut 5000" close "status 503" "exception LeaseExpiredException 403 No lease" "exception FileNotFoundException 404 File does not exist: Holder has no open files" "stall 3"; do
		fake_script "dn CREATE 1 $action"
		drive --stall 1000 "webhdfs://$nn0/" create /f file
		expect_said "done" || fail "$action"
		expect_same "$hdfs/f" file
		[ "$(grep -c '^nn0 PUT CREATE' "$fake/log")" = 2 ] || fail "$action: $(cat "$fake/log")"
	done
	fake_script "nn CREATE 1 redirect http://{dead}/webhdfs/v1/f"
	drive "webhdfs://$nn0/" create /f file
	expect_said "done"
	expect_log "nn0 CREATE 307" "nn0 CREATE 307" "dn CREATE 201"
}

@test "a datanode whose namenode has become standby sends us to the other one, from step one" {
	fake_start --namenodes 2
	fake_script "dn CREATE 1 exception StandbyException 403 standby"
	drive --retry 0 "webhdfs://$nn0,$nn1/" create /f file
	expect_said "done"
	expect_log "nn0 CREATE 307" "dn CREATE 403" "nn1 CREATE 307" "dn CREATE 201"
}

@test "a last answer that is slow in coming is waited for" {
	fake_start
	fake_script "dn CREATE 1 slow 1.5"
	drive --stall 4000 --retry 0 "webhdfs://$nn0/" create /f file
	expect_said "done"
	expect_log "nn0 CREATE 307" "dn CREATE 201"
}

@test "an upload counts only with the status 201" {
	fake_start
	fake_script "dn CREATE * status 200"
	drive --retry 0 "webhdfs://$nn0/" create /f file
	expect_said "refused: $dn: HTTP 200, which is not what WebHDFS answers"
}

@test "step one has no body, and asks for what was asked for" {
	fake_start
	drive --permission 640 --replication 2 --block 1048576 --user fred "webhdfs://$nn0/" create /f file
	expect_said "done"
	expect_in "$fake/log" "nn0 PUT CREATE /f -> 307 | overwrite=true&permission=640&replication=2&blocksize=1048576&user.name=fred"
	drive "webhdfs://$nn0/" create /g file
	expect_in "$fake/log" "nn0 PUT CREATE /g -> 307 | overwrite=true
"
}

@test "each byte of a path arrives" {
	fake_start
	name='/a b%41+&;=é#?"<>^|[]@'"'"'/x\y~'
	drive "webhdfs://$nn0/" create "$name" file
	expect_said "done"
	expect_same "$hdfs$name" file
	drive "webhdfs://$nn0/" rename "$name" "$name+z &%25"
	expect_said "done"
	expect_same "$hdfs$name+z &%25" file
	drive "webhdfs://$nn0/" status "$name+z &%25"
	expect_said "done file $(wc -c <file)"
}

@test "a redirect leads only to the namenodes' hosts and to those that are allowed, and its query is not told" {
	fake_start
	fake_script "nn CREATE * redirect http://evil.example.org:9864/webhdfs/v1/f"
	drive --user fred "webhdfs://$nn0/" create /f file
	expect_said "denied: $nn0: redirects to evil.example.org:9864: that host is not allowed (--datanode allows it)"
	grep -q fred "$err" && fail "$(cat "$err")"
	fake_script "nn CREATE * redirect http://dn7.example.org:${dn##*:}/webhdfs/v1/f"
	drive --map "dn7.example.org=127.0.0.1" "webhdfs://$nn0/" create /f file
	expect_said "done"
	fake_script "nn CREATE * redirect http://localhost.:${dn##*:}/webhdfs/v1/f"
	drive --retry 0 "webhdfs://$nn0/" create /f file
	expect_verdict denied
	for url in "ftp://$dn/f" "file:///etc/passwd" "http://fred:secret@$dn/webhdfs/v1/f" "//evil.example.org/f" "http:///f" "nonsense"; do
		fake_script "nn CREATE * redirect $url"
		drive --retry 0 --datanode '*' "webhdfs://$nn0/" create /f file
		case $url in
		http:///f | //evil*) [ "$status" = 1 ] ;;
		*) expect_verdict denied || fail "$url" ;;
		esac
		grep -q secret "$out" "$err" && fail "$(cat "$out" "$err")"
		[ "$(wc -l <"$fake/log")" -le 1 ] || fail "$url: $(cat "$fake/log")"
	done
}

@test "a redirect that is none of step one's is not followed" {
	fake_start
	fake_script "nn GETFILESTATUS * redirect http://{dn}/webhdfs/v1/f" "nn CREATE * status 302" "dn CREATE * redirect http://{dn}/webhdfs/v1/f"
	drive "webhdfs://$nn0/" status /f
	expect_said "refused: $nn0: HTTP 307, a redirect that WebHDFS does not make"
	drive "webhdfs://$nn0/" create /f file
	expect_said "refused: $nn0: HTTP 302, a redirect that WebHDFS does not make"
	fake_script "dn CREATE * redirect http://{dn}/webhdfs/v1/f"
	drive "webhdfs://$nn0/" create /f file
	expect_said "refused: $dn: HTTP 307, a redirect that WebHDFS does not make"
}

@test "where to may also stand in JSON, or be a path on the same host" {
	fake_start
	fake_script "nn CREATE 1 location"
	drive --retry 0 "webhdfs://$nn0/" create /f file
	expect_said "done"
	expect_log "nn0 CREATE 200" "dn CREATE 201"
	fake_start --httpfs
	fake_script "nn CREATE:/f 1 redirect /webhdfs/v1/f"
	# The same again, but as a path it lacks data=true, so step two is answered as step one is.
	drive --retry 0 "webhdfs://$nn0/" create /f file
	expect_verdict refused
	expect_log "nn0 CREATE 307" "nn0 CREATE 400"
}

@test "with TLS, a redirect from https to http is not followed, and a certificate that nobody vouches for ends it" {
	need openssl
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>openssl.log || fail "$(cat openssl.log)"
	fake_start --cert cert.pem --key key.pem
	drive --cacert cert.pem --retry 0 "swebhdfs://$nn0/" create /f file
	expect_said "done"
	expect_same "$hdfs/f" file
	fake_script "nn CREATE * redirect http://{dn}/webhdfs/v1/f"
	drive --cacert cert.pem --retry 0 "swebhdfs://$nn0/" create /f file
	expect_said "denied: $nn0: redirects to $dn: it leads from https to http"
	fake_script
	drive --retry 600000 "swebhdfs://$nn0/" status /f
	expect_verdict denied
	expect_empty "$fake/log"
}

@test "a delegation token is sent in the place of the user, and shown to nobody, whatever the server says" {
	fake_start --token
	echo JAAFbWV0bG9nBm1ldGxvZwCKAY > "$fake/token"
	cp "$fake/token" token
	drive --user fred --token-file token "webhdfs://$nn0/" create /f file
	expect_said "done"
	grep -q "delegation=JAAFbWV0bG9nBm1ldGxvZwCKAY" "$fake/log"
	grep -q "user.name" "$fake/log" && fail "$(cat "$fake/log")"
	echo another > "$fake/token"
	drive --token-file token "webhdfs://$nn0/" status /f
	expect_verdict denied
	expect_in "$out" "InvalidToken: token (owner=metlog, renewer=cron) delegation=**"
	fake_script "nn * * html 500 delegation=JAAFbWV0bG9nBm1ldGxvZwCKAY&op=x JAAFbWV0bG9nBm1ldGxvZwCKAY"
	drive --retry 0 --token-file token "webhdfs://$nn0/" status /f
	expect_verdict later
	fake_script "nn * * redirect http://JAAFbWV0bG9nBm1ldGxvZwCKAY/"
	drive --retry 0 --token-file token "webhdfs://$nn0/" create /f file
	grep -q JAAF "$out" "$err" && fail "$(cat "$out" "$err")"
	true
}

@test "a token that has become invalid is read again, and a new one used at once" {
	fake_start --token
	echo first >token
	echo second >"$fake/token"
	fake_script "nn GETFILESTATUS 1 retry 2"
	"$driver" --token-file token "webhdfs://$nn0/" status / >said 2>&1 3>&- &
	pid=$!
	await 10 grep -q "again in" said
	echo '{"Token":{"urlString":"second"}}' >token.new
	mv token.new token
	wait "$pid" || fail "$(cat said)"
	grep -q '^done' said || fail "$(cat said)"
	[ "$(sed 's/.*delegation=//' "$fake/log")" = "first
first
second" ] || fail "$(cat "$fake/log")"
}

@test "a token file that is not there, empty or not a token ends the program with 66" {
	fake_start
	: >empty
	echo "two words" >words
	for file in missing empty words /; do
		drive --token-file "$file" "webhdfs://$nn0/" status /
		expect_status 66
		expect_in "$err" "$file: "
	done
}

@test "a rename says done, exists or absent; what nobody knows is unknown, and it is not asked twice" {
	fake_start --namenodes 2
	cp file "$hdfs/a"
	drive "webhdfs://$nn0,$nn1/" rename /a /b
	expect_said "done"
	drive "webhdfs://$nn0,$nn1/" rename /a /c
	expect_verdict absent
	cp file "$hdfs/a"
	drive "webhdfs://$nn0,$nn1/" rename /a /b
	expect_verdict exists
	drive --replace "webhdfs://$nn0,$nn1/" rename /a /b
	expect_said "done"
	for action in lost close "stall 3" "status 504" false "html 200 Welcome"; do
		cp file "$hdfs/a"
		fake_script "nn RENAME 1 $action"
		drive --stall 1000 "webhdfs://$nn0,$nn1/" rename /a "/to.${action%% *}"
		expect_verdict unknown || fail "$action"
		[ "$(grep -c RENAME "$fake/log")" = 1 ] || fail "$action"
	done
	fake_script "nn0 RENAME 1 exception StandbyException 403 standby" "nn1 RENAME 1 exception RetriableException 403 starting"
	drive "webhdfs://$nn0,$nn1/" rename /a /z
	expect_said "done"
}

@test "HttpFS is spoken to: it redirects to itself, wants a content type, and renames by true and false" {
	fake_start --httpfs
	drive --retry 0 --user fred "webhdfs://$nn0/" create /f file
	expect_said "done"
	expect_same "$hdfs/f" file
	expect_log "nn0 CREATE 307" "nn0 CREATE 201"
	drive "webhdfs://$nn0/" rename /f /g
	expect_said "done"
	drive "webhdfs://$nn0/" rename /f /g
	expect_said "unknown: $nn0: RENAME says false"
	drive --retry 0 "webhdfs://$nn0/" verify /g file
	expect_said "done equal"
}
