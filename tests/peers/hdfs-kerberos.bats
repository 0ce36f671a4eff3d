# hdfs-kerberos.bats - metlog-to-hdfs and a cluster that knows its users by Kerberos and speaks TLS: tickets, keytabs, delegation tokens, certificates.
# SPDX-License-Identifier: MPL-2.0

setup_file() {
	load ../helper
	has kinit && has curl || { mkdir -p "$BATS_FILE_TMPDIR/hdfs"; echo "kinit or curl is not installed" >"$BATS_FILE_TMPDIR/hdfs/skip"; return; }
	load hdfs
	hdfs_setup_file --kerberos --https --httpfs
}
teardown_file() { load hdfs; hdfs_teardown_file; }

setup() {
	load ../helper
	load hdfs
	cd "$BATS_TEST_TMPDIR"
	hdfs_setup
	export KRB5_CONFIG=$hdfs_dir/krb5.conf KRB5CCNAME=FILE:$PWD/cache
	hdfs_at=webhdfs://localhost:${hdfs_nn[0]##*:}
	hdfs_ats=swebhdfs://localhost:${hdfs_nns[0]##*:}
	url=http${hdfs_at#webhdfs}/webhdfs/v1
	hdfs_base kerberos
	metlog-flood -q -c 1000 >input
}

ticket() { kinit -k -t "$hdfs_dir/metlog.keytab" metlog; }

# send ARGUMENT...: no secret is ever said.
send() {
	separately metlog-to-hdfs --to "$to" --layout all --staging "$PWD/staging" --retry-for 1s -vv "$@"
	if grep -aqE 'delegation=|hadoop\.auth|Negotiate [A-Za-z0-9+/]{8}' "$err" "$out"; then fail "a secret is shown: $(cat "$err" "$out")"; fi
}

token() { curl -s --fail --negotiate -u : "$url/?op=GETDELEGATIONTOKEN&renewer=metlog" | jq -r .Token.urlString; }

@test "with a ticket, what is published is read back line by line; the same input again changes nothing" {
	ticket
	send --negotiate --verify --layout 'type={type}' input
	expect_status 0
	expect_all input
	hdfs ls "$base" >before
	send --negotiate --json --layout 'type={type}' input
	expect_status 0
	[ "$(jq -r 'select(.path).state' "$out" | sort -u)" = there ]
	hdfs ls "$base" | cmp - before
	expect_none_kept
	[ "$(hdfs stat "$(head -1 before | cut -f2)" | jq -r .owner)" = metlog ]
}

@test "a file of many blocks goes out in the name of the ticket's owner" {
	ticket
	metlog-flood -q -c 12000 >input
	send --negotiate --compress none --verify input
	expect_status 0
	expect_all input
}

@test "a keytab in KRB5_CLIENT_KTNAME is enough: nobody has to call kinit" {
	KRB5_CLIENT_KTNAME=$hdfs_dir/metlog.keytab send --negotiate input
	expect_status 0
	expect_all input
}

@test "without a ticket it is 77, which says so; once there is one, the same input goes out" {
	send --negotiate input
	expect_status 77
	expect_in "$err" "HTTP 401: no Kerberos ticket: "
	[ -z "$(hdfs ls "$base")" ]
	ticket
	send --negotiate input
	expect_status 0
	expect_all input
	expect_none_kept
}

@test "a name that nobody has proved is not enough" {
	ticket
	send --user metlog input
	expect_status 77
	expect_in "$err" "HTTP 401"
	[ -z "$(hdfs ls "$base")" ]
}

@test "a ticket of somebody who may not write is 77, by the name of the exception" {
	ticket
	hdfs mkdir "$base/closed" 700
	to=$hdfs_at$base/closed
	send --negotiate input
	expect_status 77
	expect_in "$err" "AccessControlException"
	expect_in "$err" "metlog"
}

@test "while nobody gives out tickets it is 75, and the next run goes on" {
	ticket
	sed 's/kdc = localhost:.*/kdc = localhost:1/' "$KRB5_CONFIG" >away.conf
	KRB5_CONFIG=$PWD/away.conf send --negotiate input
	expect_status 75
	expect_in "$err" "no Kerberos ticket: Cannot contact any KDC"
	expect_kept
	send --negotiate input
	expect_status 0
	expect_all input
	expect_none_kept
}

@test "a delegation token in a file stands for the ticket, and is never shown" {
	ticket
	token >token
	rm cache
	chmod 600 token
	send --token-file token input
	expect_status 0
	expect_all input
	run cat "$out" "$err"
	case $output in *"$(cat token)"*) fail "the token is shown" ;; esac
}

@test "a cancelled token is 77; with a new one in the same file the same input goes out" {
	ticket
	token >token
	curl -s --fail --negotiate -u : -X PUT "$url/?op=CANCELDELEGATIONTOKEN&token=$(cat token)"
	send --token-file token input
	expect_status 77
	expect_in "$err" "InvalidToken"
	run cat "$err"
	case $output in *"$(cat token)"*) fail "the token is shown" ;; esac
	token >token
	rm cache
	send --token-file token input
	expect_status 0
	expect_all input
	expect_none_kept
}

@test "a token that is exchanged in its file while we run is taken up" {
	ticket
	token >token
	mkfifo pipe
	metlog-to-hdfs --to "$to" --layout all --staging "$PWD/staging" --token-file token --rotate-age 100ms --retry-for 20s <pipe 2>said 3>&- &
	pid=$!
	exec 8>pipe
	head -500 input >&8
	arrived() { [ "$(hdfs count "$base")" -eq "$1" ]; }
	await 30 arrived 500
	token >fresh
	curl -s --fail --negotiate -u : -X PUT "$url/?op=CANCELDELEGATIONTOKEN&token=$(cat token)"
	mv fresh token
	tail -n +501 input >&8
	await 30 arrived 1000
	exec 8>&-
	wait "$pid"
	expect_all input
}

@test "by TLS: with a ticket, to the namenode and to the datanode, and only with the authority that signed for both" {
	ticket
	to=$hdfs_ats$base
	send --negotiate input
	expect_status 77
	expect_in "$err" "cannot be trusted"
	[ -z "$(hdfs ls "$base")" ]
	send --negotiate --cacert "$hdfs_dir/conf/ca.pem" --verify input
	expect_status 0
	expect_all input
	expect_none_kept
}

@test "by TLS: a name that the certificate does not have is not trusted, whoever it is mapped to" {
	ticket
	to=swebhdfs://nn.example:9871$base
	send --negotiate --cacert "$hdfs_dir/conf/ca.pem" --map "nn.example=localhost:${hdfs_nns[0]##*:}" input
	expect_status 77
	expect_in "$err" "nn.example:9871 (mapped to localhost:${hdfs_nns[0]##*:})"
	[ -z "$(hdfs ls "$base")" ]
}

@test "a token does not go to a host that is not allowed" {
	ticket
	token >token
	to=webhdfs://nn.example:9870$base
	send --token-file token --map "nn.example=localhost:${hdfs_nn[0]##*:}" input
	expect_status 77
	expect_in "$err" "redirects to ${hdfs_dn[0]}: that host is not allowed (--datanode allows it)"
	[ -z "$(hdfs ls "$base")" ]
	send --token-file token --map "nn.example=localhost:${hdfs_nn[0]##*:}" --datanode 127.0.0.1 input
	expect_status 0
	expect_all input
}

@test "through an HttpFS gateway, too, every request and every body goes with a ticket" {
	to=webhdfs://localhost:${hdfs_httpfs##*:}$base
	send --negotiate input
	expect_status 77
	expect_in "$err" "no Kerberos ticket"
	ticket
	send --negotiate --layout 'type={type}' input
	expect_status 0
	expect_all input
	hdfs ls "$base" >before
	send --negotiate --layout 'type={type}' input
	expect_status 0
	hdfs ls "$base" | cmp - before
	[ "$(hdfs stat "$(head -1 before | cut -f2)" | jq -r .owner)" = metlog ]
}
