# cef.bats - metlog-to-cef against rsyslog and syslog-ng over every transport: what two parsers of others read there is what was sent.
# SPDX-License-Identifier: MPL-2.0

setup_file() {
	load ../helper
	load syslog
	syslog_setup_file
	model_setup_file 2000 "${CEF_SEED:-$RANDOM}"
}

setup() {
	load ../helper
	load syslog
	syslog_setup
	model_setup
}

teardown() { syslog_stop; }

# sent: all were taken, and all are called delivered.
sent() {
	expect_status 0
	expect_rejects_none
	expect_books "read=$count" "passed=$count" kept=0 rejected=0
}

# over_stream TO OPTION...: what the tool has seen delivered is in rsyslog's file already; syslog-ng writes behind.
over_stream() {
	cef --to "$@" <"$input"
	sent
	[ "$syslog_kind" = rsyslog ] || await 60 stored_has "$count"
	expect_stored
}

over_udp() {
	local try
	for try in 1 2 3 4; do
		syslog_start "$1"
		cef --to "syslog+udp:127.0.0.1:$syslog_udp" --pace "${CEF_PACE:-4000}" <"$input"
		sent
		await 60 eval '[ $(($(stored_count) + $(syslog_drops))) -ge "$count" ]' || true
		expect_stored && return 0
		# Where the machine was too busy to let the server read, and only there, it is tried again.
		[ "$(syslog_drops)" -gt 0 ] || return 1
		echo "the server's socket has dropped $(syslog_drops) datagrams (try $try)" >&2
		syslog_kill
	done
	return 1
}

over_unix() {
	syslog_start "$1"
	cef --to "syslog+unix:$syslog_unix" <"$input"
	sent
	await 60 stored_has "$count"
	expect_stored
}

@test "on standard output, one record a line, and two parsers read every value as it was" {
	cef <"$input"
	sent
	model compare "$model" "$out" >differences || fail "$(cat differences)"
	cp "$out" "$BATS_FILE_TMPDIR/known"
}

@test "in a file, the same bytes" {
	cef --to file:events <"$input"
	sent
	metlog-to-cef --map "$map" <"$input" >lines
	expect_same events lines
}

@test "rsyslog over UDP has as many records as were sent, and every value" { over_udp rsyslog; }
@test "syslog-ng over UDP has as many records as were sent, and every value" { over_udp syslog-ng; }

@test "rsyslog over TCP, a line each, has as many records as were sent, and every value" {
	syslog_start rsyslog
	over_stream "syslog+tcp:127.0.0.1:$syslog_tcp"
}
@test "syslog-ng over TCP, a line each, has as many records as were sent, and every value" {
	syslog_start syslog-ng
	over_stream "syslog+tcp:127.0.0.1:$syslog_tcp"
}

@test "rsyslog over TCP, counted, has as many records as were sent, and every value" {
	syslog_start rsyslog
	over_stream "syslog+tcp:127.0.0.1:$syslog_counted" --framing counted
}
@test "syslog-ng over TCP, counted, with headers of RFC 5424, has as many records as were sent, and every value" {
	syslog_start syslog-ng
	over_stream "syslog+tcp:127.0.0.1:$syslog_counted" --framing counted --header rfc5424
}

@test "rsyslog over TLS has as many records as were sent, and every value" {
	syslog_start rsyslog
	over_stream "syslog+tls:localhost:$syslog_tls" --cacert "$syslog_pki/ca.pem"
}
@test "rsyslog with GnuTLS has as many records as were sent, and every value" {
	syslog_start rsyslog driver=gtls
	over_stream "syslog+tls:127.0.0.1:$syslog_tls" --cacert "$syslog_pki/ca.pem" --header rfc5424
}
@test "syslog-ng over TLS has as many records as were sent, and every value" {
	syslog_start syslog-ng
	over_stream "syslog+tls:localhost:$syslog_tls" --cacert "$syslog_pki/ca.pem"
}
@test "syslog-ng that demands a client's certificate has as many records as were sent, and every value" {
	syslog_start syslog-ng
	over_stream "syslog+tls:localhost:$syslog_mutual" --cacert "$syslog_pki/ca.pem" --cert "$syslog_pki/client.pem" --key "$syslog_pki/client.key" --header rfc5424
}

@test "rsyslog behind a unix socket has as many records as were sent, and every value" { over_unix rsyslog; }
@test "syslog-ng behind a unix socket has as many records as were sent, and every value" { over_unix syslog-ng; }

@test "a server that does not end its side is asked by --confirm acked, and has everything" {
	syslog_start syslog-ng
	over_stream "syslog+tcp:127.0.0.1:$syslog_tcp" --confirm acked
}

@test "what a server has stored becomes the same events again by --parse" {
	local header
	# An event without a time or a host of its own would get those of the header.
	grep -a '"type": "cef"' "$input" >cef.only
	metlog-to-cef <cef.only >expected
	for header in rfc3164 rfc5424; do
		syslog_start rsyslog
		cef --to "syslog+tcp:127.0.0.1:$syslog_tcp" --header "$header" --ident audit <cef.only
		expect_status 0
		metlog-to-cef --parse --rejects rejects rsyslog/stored >again
		expect_rejects_none
		metlog-to-cef --rejects rejects <again >found
		expect_rejects_none
		expect_same expected found
		syslog_kill
	done
}
