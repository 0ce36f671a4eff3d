# syslog.bats - the syslog transport of metlog-to-cef against rsyslog and syslog-ng: headers, sizes, certificates, a receiver that is away.
# SPDX-License-Identifier: MPL-2.0

setup_file() {
	load ../helper
	load syslog
	syslog_setup_file
}

setup() {
	load ../helper
	load syslog
	syslog_setup
}

teardown() { syslog_stop; }

# send OPTION...: metlog-to-cef for ./input, its books in ./books.
send() {
	rm -f books
	separately metlog-to-cef --stats books --rejects rejects "$@" <input
}

# event NUMBER [MEMBERS [FIELDS]]: one structured envelope.
event() {
	printf '{"timestamp":"2012-10-05T12:34:56.137911Z","type":"cef","logger":"weave","metlog_pid":4242,"metlog_hostname":"web1.example.com"%s,"fields":{"signature":"sig","name":"event","externalId":"id-%d"%s}}\n' "${2-}" "$1" "${3-}"
}

# read_as: what the server has read, as lines of "id host time facility severity tag procid".
read_as() {
	jq -r '[(.msg | capture("externalId=(?<id>[^ ]+)").id), .host, (.time | .[0:19]), .facility, .severity, (.tag | rtrimstr(" ") | rtrimstr(":")), .procid] | join(" ")' "$syslog_kind/read" | sort
}

# headers: envelopes of every severity and of some facilities, and what a server has to read in them.
headers() {
	local name number=0 meta
	: >input && : >expected.all
	for name in emerg alert crit err warning notice info debug; do
		event "$number" ",\"severity\":$number" >>input
		echo "id-$number web1.example.com 2012-10-05T12:34:56 local4 $name audit 4242" >>expected.all
		number=$((number + 1))
	done
	for name in kern user mail daemon auth syslog lpr news uucp cron authpriv ftp local0 local1 local2 local3 local4 local5 local6 local7; do
		meta=",\"cef_meta\":{\"syslog_facility\":\"LOG_${name^^}\",\"syslog_options\":\"PID\",\"syslog_ident\":null,\"syslog_priority\":\"WARNING\"}"
		event "$number" ',"severity":6' "$meta" >>input
		echo "id-$number web1.example.com 2012-10-05T12:34:56 $name warning audit 4242" >>expected.all
		number=$((number + 1))
	done
	sort expected.all >expected
}

# expect_read TO OPTION...
expect_read() {
	send --to "$@"
	expect_status 0
	await 20 stored_has "$(wc -l <input)"
	await 20 eval 'read_as >found; [ "$(wc -l <found)" -ge "$(wc -l <expected)" ]'
	expect_same expected found
}

@test "rsyslog reads host, time, facility, severity, ident and process of a header of RFC 5424" {
	syslog_start rsyslog
	headers
	# Its tag is what the older header would have been.
	sed -i 's/ audit 4242$/ audit[4242] 4242/' expected
	expect_read "syslog+tcp:127.0.0.1:$syslog_counted" --framing counted --header rfc5424 --ident audit
}

@test "syslog-ng reads host, time, facility, severity, ident and process of a header of RFC 5424" {
	syslog_start syslog-ng
	headers
	sed -i 's/ audit 4242$/ audit[4242] 4242/' expected
	expect_read "syslog+tcp:127.0.0.1:$syslog_counted" --framing counted --header rfc5424 --ident audit
}

# The older header knows no year, and each server guesses one its own way.
@test "rsyslog reads host, time, facility, severity, ident and process of a header of RFC 3164" {
	syslog_start rsyslog
	headers
	# A process stands behind the ident only where cef_meta asks for it.
	sed -i -E '/local4 (emerg|alert|crit|err|warning|notice|info|debug) audit 4242$/{/^id-([0-7]) /s/ audit 4242$/ audit -/;}; s/ audit 4242$/ audit[4242] 4242/' expected
	sed -i -E 's/ [0-9]{4}-10-05/ YYYY-10-05/' expected
	send --to "syslog+tcp:127.0.0.1:$syslog_tcp" --ident audit
	expect_status 0
	read_as | sed -E 's/ [0-9]{4}-10-05/ YYYY-10-05/' >found
	expect_same expected found
}

@test "syslog-ng reads host, time, facility, severity, ident and process of a header of RFC 3164" {
	syslog_start syslog-ng
	headers
	sed -i -E '/^id-[0-7] /s/ audit 4242$/ audit /; s/ audit 4242$/ audit[4242] 4242/; s/ [0-9]{4}-10-05/ YYYY-10-05/' expected
	send --to "syslog+tcp:127.0.0.1:$syslog_tcp" --ident audit
	expect_status 0
	await 20 eval 'read_as | sed -E "s/ [0-9]{4}-10-05/ YYYY-10-05/" >found; [ "$(wc -l <found)" -ge "$(wc -l <expected)" ]'
	expect_same expected found
}

@test "what cef_meta says goes before --facility, --priority and --ident, and not with --ignore-meta" {
	local meta=',"cef_meta":{"syslog_facility":"AUTH","syslog_options":null,"syslog_ident":"meta","syslog_priority":"ALERT"}'
	syslog_start rsyslog
	event 1 '' "$meta" >input
	event 2 >>input
	send --to "syslog+tcp:127.0.0.1:$syslog_tcp" --ident audit --facility local2 --priority debug
	expect_status 0
	send --to "syslog+tcp:127.0.0.1:$syslog_tcp" --ident audit --facility local2 --priority debug --ignore-meta
	expect_status 0
	jq -r '[(.msg | capture("externalId=(?<id>[^ ]+)").id), .facility, .severity, .app] | join(" ")' rsyslog/read >found
	printf '%s\n' 'id-1 auth alert meta' 'id-2 local2 debug audit' 'id-1 local2 debug audit' 'id-2 local2 debug audit' >expected
	expect_same expected found
}

@test "behind a unix socket the header has no host, and both servers put their own" {
	local kind
	event 1 >input
	for kind in rsyslog syslog-ng; do
		syslog_start "$kind"
		send --to "syslog+unix:$syslog_unix" --ident audit
		expect_status 0
		await 20 test -s "$kind/read"
		[ "$(jq -r '.app + " " + .facility' "$kind/read")" = 'audit local4' ] || fail "$(cat "$kind/read")"
		[ "$(jq -r '.host | split(".")[0]' "$kind/read")" = "$(hostname | cut -d. -f1)" ] || fail "$(cat "$kind/read")"
		syslog_kill
	done
}

# sizes STEP: envelopes whose messages have every length up to the greatest, and longer ones.
sizes() {
	python3 - "$1" >input <<-'P'
		import json, sys
		for number, size in enumerate(list(range(0, 8200, int(sys.argv[1]))) + [8191, 8192, 8193, 12000, 70000]):
		    text = ('1234567890 ' if number % 2 else '\n77 ') + 'x' * size
		    print(json.dumps({'timestamp': '2012-10-05T12:34:56Z', 'type': 'cef', 'metlog_hostname': 'h', 'fields': {'externalId': 'id-%d' % number, 'signature': 's', 'name': 'n', 'cs%d' % (number % 6 + 1): text[:4000],
		                      'cs%dLabel' % (number % 6 + 1): 'l', 'requestContext': text[4000:6000], 'reason': text[6000:7000], 'msg': text[7000:8000], 'fname': text[8000:]}}))
	P
}

# expect_sizes TO OPTION...: as many as were sent, each as --dry-run prints it, none longer than 8000 bytes.
expect_sizes() {
	separately metlog-to-cef --dry-run --rejects rejects --max-bytes 8000 --to "$@" --framing lf <input
	expect_status 0
	sort "$out" >expected
	local most
	most=$(awk '{ if (length > most) most = length } END { print most }' expected)
	# Room is kept for the longest header there could be.
	[ "$most" -le 8000 ] && [ "$most" -ge 7600 ] || fail "the longest has $most bytes"
	send --to "$@"
	expect_status 0
	expect_rejects_none
	await 20 stored_has "$(wc -l <input)"
	sort "$syslog_kind/stored" >found
	expect_same expected found
}

@test "messages of every length up to 8000 bytes arrive as they are, longer ones shortened" {
	local kind
	sizes 5
	for kind in rsyslog syslog-ng; do
		syslog_start "$kind"
		expect_sizes "syslog+tcp:127.0.0.1:$syslog_tcp"
		: >"$kind/stored"
		expect_sizes "syslog+tcp:127.0.0.1:$syslog_counted" --framing counted
		: >"$kind/stored"
		expect_sizes "syslog+tls:localhost:$syslog_tls" --cacert "$syslog_pki/ca.pem"
		syslog_kill
	done
}

@test "a message that is not told its end by a header is not taken for a count by rsyslog" {
	sizes 400
	syslog_start rsyslog
	expect_sizes "syslog+tcp:127.0.0.1:$syslog_tcp" --header none
}

# --- certificates ---

# expect_untrusted REASON OPTION...: 77, with the reason, the server's name, and the count; the server has stored nothing.
expect_untrusted() {
	local reason=$1
	shift
	send "$@"
	expect_status 77
	grep -aqiE -- "$reason" "$err" || fail "not $reason: $(cat "$err")"
	expect_books read=3 passed=0 kept=3
	[ ! -s "$syslog_kind/stored" ] || fail "stored: $(cat "$syslog_kind/stored")"
}
three() { for number in 1 2 3; do event "$number"; done >input; }

@test "a certificate for another host is refused: 77, and nothing is sent" {
	local kind
	three
	for kind in rsyslog syslog-ng; do
		syslog_start "$kind" certificate=wrong
		expect_untrusted 'localhost:[0-9]*: .*(name|host)' --to "syslog+tls:localhost:$syslog_tls" --cacert "$syslog_pki/ca.pem"
		syslog_kill
	done
}

@test "a certificate that has expired is refused: 77, and nothing is sent" {
	local kind
	three
	for kind in rsyslog syslog-ng; do
		syslog_start "$kind" certificate=expired
		expect_untrusted 'localhost:[0-9]*: .*expired' --to "syslog+tls:localhost:$syslog_tls" --cacert "$syslog_pki/ca.pem"
		syslog_kill
	done
}

@test "a certificate that signs itself, or is of an authority that is not ours, is refused: 77, and nothing is sent" {
	three
	syslog_start rsyslog certificate=self
	expect_untrusted 'localhost:[0-9]*: .*self.signed' --to "syslog+tls:localhost:$syslog_tls" --cacert "$syslog_pki/ca.pem"
	syslog_kill
	syslog_start syslog-ng
	expect_untrusted 'localhost:[0-9]*: .*(issuer|self.signed)' --to "syslog+tls:localhost:$syslog_tls"
}

@test "a server that demands a certificate refuses a client without one, and one of another authority: 77" {
	local kind
	three
	for kind in rsyslog syslog-ng; do
		syslog_start "$kind"
		# By TLS 1.3 it refuses us after it may have read what we sent.
		for _ in 1 2 3 4 5; do expect_untrusted "localhost:$syslog_mutual: " --to "syslog+tls:localhost:$syslog_mutual" --cacert "$syslog_pki/ca.pem" --retry-for 60s; done
		expect_untrusted "localhost:$syslog_mutual: " --to "syslog+tls:localhost:$syslog_mutual" --cacert "$syslog_pki/ca.pem" --cert "$syslog_pki/self.pem" --key "$syslog_pki/self.key" --retry-for 60s
		send --to "syslog+tls:localhost:$syslog_mutual" --cacert "$syslog_pki/ca.pem" --cert "$syslog_pki/client.pem" --key "$syslog_pki/client.key"
		expect_status 0
		await 20 stored_has 3
		syslog_kill
	done
}

# --- a receiver that is away ---

@test "nobody listens: 75, and how many were not delivered is on standard error and in the books" {
	local to
	syslog_start rsyslog
	syslog_kill
	three
	for to in "syslog+tcp:127.0.0.1:$syslog_tcp" "syslog+tls:localhost:$syslog_tls" "syslog+unix:$syslog_unix"; do
		send --to "$to" --retry-for 0.3s
		expect_status 75
		expect_in "$err" "${to#syslog+*:}"
		# What it has not read is left to the next.
		expect_books passed=0
		[ "$(books kept)" -gt 0 ] && [ "$(books kept)" -eq "$(books read)" ] || fail "$(cat books)"
		expect_in "$err" ": $(books kept) of the $(books read) envelopes read "
	done
}

@test "a server that takes TCP where TLS is expected, or the other way, is told as that, and nothing is called delivered" {
	three
	syslog_start rsyslog
	send --to "syslog+tls:localhost:$syslog_tcp" --cacert "$syslog_pki/ca.pem" --retry-for 0.3s --timeout 1s
	[ "$status" -eq 75 ] || [ "$status" -eq 77 ] || expect_status 75
	expect_books passed=0 kept=3
}
