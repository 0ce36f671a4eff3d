# syslog-tls.bats - messages over TLS by sink/syslog: who is trusted, and that nothing is lost.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154,SC2164

bats_require_minimum_version 1.5.0

setup_file() {
	load helper
	load certificates
	has openssl || return 0
	cd "$BATS_FILE_TMPDIR"
	authority
}

setup() {
	load fake_syslog
	syslog_setup
	need openssl
	pems=$BATS_FILE_TMPDIR
	trusting=(--cacert "$pems/ca.pem")
}

teardown() { syslog_teardown; }

# tls_receiver NAME CERTIFICATE OPTION...
tls_receiver() {
	local name=$1 certificate=$2
	shift 2
	receiver "$name" "cert=$pems/$certificate.pem" "key=$pems/key.pem" "$@"
}

# distrusted TEXT: the driver has refused, or was refused, for that reason, and nothing has arrived.
distrusted() {
	expect_status 77
	books proved=0
	grep -qE "^untrusted .* localhost:$port: .*$1" "$out" || fail "not '$1': $(cat "$out")"
	cat r.*[0-9] >got 2>/dev/null || true # nor is a connection needed
	expect_empty got
}

@test "over TLS messages are counted, and proved by close_notify" {
	for most in 1.2 1.3; do
		tls_receiver "r$most" good "most=$most"
		deliver "${trusting[@]}" --count 5000 --bytes 300 --window 300000 "syslog+tls:localhost:$port"
		expect_status 0
		books taken=5000 proved=5000 reconnects=0
		all_arrived "r$most" counted 5000
		[ "$(wc -l <arrived)" -eq 5000 ]
		if grep -v -e connected -e 'read ended' "r$most.log"; then fail "not ended as it should be"; fi
	done
}

@test "over TLS LF-framing can be had, and an address is verified too" {
	tls_receiver r good
	deliver "${trusting[@]}" --framing lf --count 10 "syslog+tls:127.0.0.1:$port"
	expect_status 0
	all_arrived r lf 10
}

@test "over TLS a slow receiver makes the sender wait" {
	tls_receiver r good do=slow:20000
	deliver "${trusting[@]}" --count 6000 --bytes 1000 --timeout 20000 "syslog+tls:localhost:$port"
	expect_status 0
	books proved=6000 reconnects=0
	all_arrived r counted 6000
}

@test "over TLS a connection that is cut or reset is made again, from the start of a message" {
	tls_receiver r good do=cut:10007,reset:20000,cut:0,read
	deliver "${trusting[@]}" --count 5000 --bytes 300 --retry 20000 "syslog+tls:localhost:$port"
	expect_status 0
	books taken=5000 proved=5000 'reconnects=[23]' # the last may be noticed as a connection that was not made
	all_arrived r counted 5000
}

@test "over TLS one that takes no more, or does not end its side, is gone after the time-out" {
	tls_receiver r good do=stall:1000,never
	deliver "${trusting[@]}" --count 40000 --bytes 1000 --window 40000000 --timeout 700 "syslog+tls:localhost:$port"
	expect_status 75
	expect_in "$out" "localhost:$port: it takes no more"
	deliver "${trusting[@]}" --count 10 --timeout 500 "syslog+tls:localhost:$port"
	expect_status 75
	expect_in "$out" "(--confirm acked)"
	deliver "${trusting[@]}" --count 10000 --bytes 300 --window 100000 --confirm acked "syslog+tls:localhost:$port"
	expect_status 0
	books taken=10000 proved=10000 reconnects=0
}

@test "over TLS one that does not finish the handshake is away" {
	receiver r do=read
	deliver "${trusting[@]}" --count 10 --timeout 300 --retry 600 "syslog+tls:localhost:$port"
	expect_status 75
	books proved=0
}

@test "a certificate of another authority, or of none, is refused" {
	tls_receiver r good
	deliver --cacert "$pems/other-ca.pem" --count 10 "syslog+tls:localhost:$port"
	distrusted "certificate"
	deliver --count 10 "syslog+tls:localhost:$port"
	distrusted "certificate"
	tls_receiver r.own self-signed
	deliver "${trusting[@]}" --count 10 "syslog+tls:localhost:$port"
	distrusted "certificate"
}

@test "a certificate for another name is refused" {
	tls_receiver r wrong-name
	deliver "${trusting[@]}" --count 10 "syslog+tls:localhost:$port"
	distrusted "localhost"
}

@test "a certificate that has expired is refused" {
	tls_receiver r expired
	deliver "${trusting[@]}" --count 10 "syslog+tls:localhost:$port"
	distrusted "expired"
}

@test "one that speaks no TLS, or too old a one, is refused" {
	receiver r do=plain
	deliver "${trusting[@]}" --count 10 "syslog+tls:localhost:$port"
	expect_status 77
	expect_in "$out" "localhost:$port: it does not speak TLS"
	tls_receiver old good most=1.1
	deliver "${trusting[@]}" --count 10 "syslog+tls:localhost:$port"
	expect_status 77
	expect_in "$out" "version"
}

@test "a certificate of our own is shown where one is asked for; without it we are refused" {
	tls_receiver r good "ca=$pems/ca.pem"
	deliver "${trusting[@]}" --cert "$pems/client.pem" --key "$pems/key.pem" --count 10 "syslog+tls:localhost:$port"
	expect_status 0
	books proved=10
	tls_receiver older good "ca=$pems/ca.pem" most=1.2
	deliver "${trusting[@]}" --count 10 "syslog+tls:localhost:$port"
	expect_status 77
	expect_in "$out" "it refuses us: "
}

@test "by TLS 1.3 it is heard after the handshake that our certificate is missed, or refused" {
	tls_receiver r good "ca=$pems/ca.pem"
	deliver "${trusting[@]}" --count 10 --retry 30000 "syslog+tls:localhost:$port"
	distrusted "it asks for a certificate of ours"
	deliver "${trusting[@]}" --cert "$pems/client-expired.pem" --key "$pems/key.pem" --count 10 --retry 30000 "syslog+tls:localhost:$port"
	distrusted "it refuses us: .*expired"
}

@test "a file that cannot be read, or a key that does not fit, is said before anything is sent" {
	tls_receiver r good
	deliver --cacert /nonexistent --count 10 "syslog+tls:localhost:$port"
	distrusted "--cacert: the file cannot be read"
	deliver "${trusting[@]}" --cert "$pems/client.pem" --key /nonexistent --count 10 "syslog+tls:localhost:$port"
	distrusted "--key: the file cannot be read"
	deliver "${trusting[@]}" --cert "$pems/client.pem" --key "$pems/locked.pem" --count 10 "syslog+tls:localhost:$port"
	distrusted "private key"
}

@test "no memory is lost or misused on these ways" {
	need valgrind
	if sanitized; then skip "the sanitizers look for themselves"; fi
	tls_receiver r good do=cut:1000,read
	run valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect "$driver" "${trusting[@]}" --timeout 60000 --retry 60000 --count 1000 --bytes 100 --window 50000 "syslog+tls:localhost:$port"
	[ "$status" -eq 0 ] || fail "$output"
	receiver plain do=cut:1000,read
	run valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect "$driver" --timeout 60000 --retry 60000 --count 1000 --bytes 100 --window 50000 "syslog+tcp:127.0.0.1:$port"
	[ "$status" -eq 0 ] || fail "$output"
}
