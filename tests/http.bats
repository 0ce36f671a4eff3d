# http.bats - requests by sink/http, against a server that is scripted by the path it is asked for, plain and by TLS.
# SPDX-License-Identifier: MPL-2.0

bats_require_minimum_version 1.5.0

setup_file() {
	load helper
	load certificates
	if ! has openssl || ! has python3; then return; fi
	cd "$BATS_FILE_TMPDIR"
	head -c 5000000 /dev/urandom >body
	head -c 100 body >small
	server_start plain
	authority
	server_start good cert=good.pem key=key.pem
	server_start wrong-name cert=wrong-name.pem key=key.pem
	server_start expired cert=expired.pem key=key.pem
	server_start self-signed cert=self-signed.pem key=key.pem
	server_start mutual cert=good.pem key=key.pem ca=ca.pem
	server_start old cert=good.pem key=key.pem most=1.1
}

teardown_file() {
	local pid
	while read -r pid; do kill "$pid" 2>/dev/null; done <"$BATS_FILE_TMPDIR/pids"
	return 0
}

setup() {
	load helper
	need openssl python3
	ask=$TOOLS/../tests/unit/http_ask
	[ -x "$ask" ] || skip "tests/unit/http_ask is not built"
	cd "$BATS_FILE_TMPDIR"
	[ ! -e plain ] || plain=http://127.0.0.1:$(cat plain)
}

# server_start NAME OPTION...: leaves its port in the file NAME, what it was asked in NAME.log.
server_start() {
	python3 "$SOURCE/tests/http_server.py" "$@" 3>&- &
	echo $! >>pids
	await 20 test -e "$1"
}

# asked FILE: how many requests it has seen.
asked() { grep -c HTTP/1.1 "$1.log" || true; }

ask() {
	separately timeout 60 "$ask" "$@"
	expect_status 0
	cat "$out"
	if grep -q TOPSECRET "$err"; then fail "the secret is on standard error"; fi
}

says() {
	[ "$(sed -n "${2-1}p" "$out")" = "$1" ] || { printf 'expected: %s\n' "$1"; cat "$out"; return 1; } >&2
}

begins() {
	case $(sed -n "${2-1}p" "$out") in "$1"*) return 0 ;; esac
	{ printf 'expected: %s...\n' "$1"; cat "$out"; return 1; } >&2
}

@test "an answer's status and body come whole, and the connection is kept" {
	before=$(grep -c '' plain.log || true)
	ask show=body GET "$plain/ok" GET "$plain/status/404" DELETE "$plain/ok"
	says "answered 200 body=<ok>"
	says "answered 404 body=<because>" 2
	says "answered 200 body=<ok>" 3
	tail -n "+$((before + 1))" plain.log | grep HTTP/1.1 | cut -d' ' -f1 | sort -u >"$BATS_TEST_TMPDIR/connections"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/connections")" -eq 1 ]
}

@test "a PUT without a body says Content-Length: 0, and nothing of a form or of Expect" {
	server_start "$BATS_TEST_TMPDIR/own"
	ask PUT "http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/own")/ok" POST "http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/own")/ok"
	[ "$(grep -ci '^content-length: 0' "$BATS_TEST_TMPDIR/own.log")" -eq 2 ]
	if grep -qiE '^(content-type|expect|transfer-encoding|cookie|authorization):' "$BATS_TEST_TMPDIR/own.log"; then fail "$(cat "$BATS_TEST_TMPDIR/own.log")"; fi
}

@test "a body goes as it is, by PUT and by POST, with its length, its type and no Expect" {
	server_start "$BATS_TEST_TMPDIR/own"
	url=http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/own")
	ask show=body body=body type=application/octet-stream header='X-One: 1' PUT "$url/put" POST "$url/put"
	sum=$(sha256sum <body | cut -d' ' -f1)
	says "answered 201 sent=5000000 body=<$sum>"
	says "answered 201 sent=5000000 body=<$sum>" 2
	for header in 'Content-Length: 5000000' 'Content-Type: application/octet-stream' 'X-One: 1'; do
		[ "$(grep -c "^$header" "$BATS_TEST_TMPDIR/own.log")" -eq 2 ]
	done
	if grep -qiE '^(expect|transfer-encoding):' "$BATS_TEST_TMPDIR/own.log"; then fail "$(cat "$BATS_TEST_TMPDIR/own.log")"; fi
}

@test "exactly as many bytes are sent as were asked for, and a body of none is one" {
	ask show=body body=body bytes=123456 PUT "$plain/put"
	says "answered 201 sent=123456 body=<$(head -c 123456 body | sha256sum | cut -d' ' -f1)>"
	ask show=body body=body bytes=0 PUT "$plain/put"
	says "answered 201 sent=0 body=<$(sha256sum </dev/null | cut -d' ' -f1)>"
}

@test "a file that has become shorter, and one that cannot be read, are our own fault" {
	ask body=small bytes=200000 PUT "$plain/put"
	begins "body 0 (cannot read what is to be sent: the file is shorter than it was)"
	ask body=. bytes=200000 PUT "$plain/put"
	begins "body 0 (cannot read what is to be sent: Is a directory)"
}

@test "an answer is kept up to its limit, the rest is read and forgotten" {
	ask show=length limit=1000 GET "$plain/big/3000000" GET "$plain/ok"
	says "answered 200 length=1000"
	says "answered 200 length=2" 2
	ask show=length GET "$plain/big/3000000"
	says "answered 200 length=65536"
}

@test "an answer without an end fails" {
	ask GET "$plain/endless"
	says "cut 200 (the answer of ${plain#http://} does not end)"
}

@test "a redirect is not followed, and where it leads comes as it was sent" {
	ask show=location PUT "$plain/redirect?delegation=TOPSECRET"
	printf 'answered 307 location=<http://elsewhere.example:1/a%%20b%%zz?delegation=TOPSECRET&x=\303\274>\n' | cmp - "$out"
	ask show=location GET "$plain/long-location"
	says "answered 307 location=<>"
}

@test "Retry-After is told" {
	ask GET "$plain/retry"
	says "answered 503 retry-after=17"
}

@test "what was refused or cut says which, names the host, and nothing of the query" {
	for what in cut-head cut-reset stall-head; do
		ask stall=500 PUT "$plain/$what?delegation=TOPSECRET"
		begins "cut 0 ("
		expect_in "$out" "${plain#http://}"
		if grep -q TOPSECRET "$out"; then fail "$(cat "$out")"; fi
	done
	ask GET "$plain/cut-answer?delegation=TOPSECRET"
	says "cut 200 (${plain#http://} broke off in the middle of its answer)"
	ask stall=500 GET "$plain/stall-answer?delegation=TOPSECRET"
	says "cut 200 (nothing was heard of ${plain#http://} for 0.5 s)"
	ask body=body PUT "$plain/cut-reset?TOPSECRET"
	begins "cut 0 (${plain#http://} broke the connection without an answer, after "
	ask GET "$plain/garbage?TOPSECRET"
	says "cut 0 (what ${plain#http://} answered is no HTTP)"
	ask GET "http://127.0.0.1:1/?TOPSECRET"
	says "unreachable 0 (connection refused by 127.0.0.1:1)"
	ask GET "http://no-such-host.invalid:70/?TOPSECRET"
	says "unreachable 0 (there is no address for the host of no-such-host.invalid:70)"
	if grep -q TOPSECRET "$out"; then fail "$(cat "$out")"; fi
}

@test "an upload that stalls is cut, one that creeps is not, and there is no limit to the whole" {
	ask stall=600 body=body PUT "$plain/stall-upload"
	begins "cut 0 (nothing was heard of ${plain#http://} for 0.6 s, after "
	ask stall=2500 show=length GET "$plain/slow"
	says "answered 200 length=12"
	ask stall=2500 body=body PUT "$plain/slow-upload"
	says "answered 201 sent=5000000"
}

@test "an answer that comes before the body is over counts" {
	for kind in stay drain; do
		ask stall=5000 show=location,body body=body PUT "$plain/early-$kind/307"
		begins "answered 307 sent="
		expect_in "$out" "location=<http://dn.example/?delegation=TOPSECRET>"
	done
	ask stall=5000 show=body body=body PUT "$plain/early-drain/403"
	begins "answered 403 sent="
	expect_in "$out" "body=<not you>"
}

@test "an early answer counts, as a rule, even if its sender goes away at once, with a reset under what we send" {
	requests=()
	for ((i = 0; i < 40; i++)); do requests+=(PUT "$plain/early-close/403"); done
	ask show=body body=body "${requests[@]}"
	# Between the last look and the send there is still a moment, in which the answer may be lost; then the whole is tried again.
	[ "$(grep -c '^answered 403 .*body=<not you>$' "$out")" -ge 20 ]
	if grep -vE '^(answered 403|cut 0) ' "$out"; then fail "$(cat "$out")"; fi
}

@test "an address that is none is not asked" {
	for url in 'ftp://127.0.0.1/' 'file:///etc/passwd' 'http://user:TOPSECRET@127.0.0.1/' 'http://127.0.0.1:99999/' "http://127.0.0.1/a b" 'nothing' 'http:///x'; do
		ask GET "$url"
		begins "internal 0 ("
		if grep -q TOPSECRET "$out"; then fail "$(cat "$out")"; fi
	done
}

@test "proxies of the environment are not used" {
	http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1 all_proxy=http://127.0.0.1:1 HTTP_PROXY=http://127.0.0.1:1 ask GET "$plain/ok"
	says "answered 200"
}

@test "a map says who is spoken to, for a host or for one of its ports" {
	port=${plain##*:}
	ask map="nn1.example=127.0.0.1:$port" GET "http://NN1.example:9870/ok" GET "http://nn1.example/ok"
	says "answered 200"
	says "answered 200" 2
	ask map="nn1.example:9870=127.0.0.1:1" GET "http://nn1.example:9870/ok"
	says "unreachable 0 (connection refused by nn1.example:9870 (mapped to 127.0.0.1:1))"
	for map in nn1 =x x= x=y=z 'x:=y' 'x:70000=y' 'x=y:0' 'x =y' '[::1=y'; do
		separately "$ask" map="$map" GET http://127.0.0.1:1/
		expect_status 64
		expect_in "$err" "--map: must be HOST[:PORT]=HOST[:PORT]"
	done
}

@test "IPv6 is spoken" {
	server_start "$BATS_TEST_TMPDIR/six" host=::1 2>/dev/null || skip "there is no IPv6 here"
	ask show=body GET "http://[::1]:$(cat "$BATS_TEST_TMPDIR/six")/ok" GET 'http://[::1]:1/'
	says "answered 200 body=<ok>"
	says "unreachable 0 (connection refused by [::1]:1) body=<>" 2
	ask map="x=[::1]:$(cat "$BATS_TEST_TMPDIR/six")" GET "http://x/ok"
	says "answered 200"
}

@test "a kept connection that the far side has closed is opened again" {
	ask show=body GET "$plain/ok-then-gone" GET "$plain/ok" PUT "$plain/ok-then-gone" PUT "$plain/ok"
	[ "$(grep -c '^answered 200 body=<ok>$' "$out")" -eq 4 ]
}

@test "a request to stop ends a request soon, and the next one is not begun" {
	seen() { [ "$(asked plain)" -gt "$before" ]; }
	before=$(asked plain)
	"$ask" stall=60000 GET "$plain/stall-head" GET "$plain/ok" >"$BATS_TEST_TMPDIR/said" 3>&- &
	pid=$!
	await 10 seen
	kill -TERM "$pid"
	wait "$pid"
	[ "$(grep -c "^stopped 0 (stopped while speaking to ${plain#http://})" "$BATS_TEST_TMPDIR/said")" -eq 2 ]
}

@test "by TLS: a certificate of the authority that we name is trusted, for its names and addresses" {
	ask ca=ca.pem show=body body=body PUT "https://localhost:$(cat good)/put"
	says "answered 201 sent=5000000 body=<$(sha256sum <body | cut -d' ' -f1)>"
	ask ca=ca.pem GET "https://127.0.0.1:$(cat good)/ok"
	says "answered 200"
}

@test "by TLS: nobody else is trusted, and nothing is said to him" {
	ask GET "https://localhost:$(cat good)/ok?TOPSECRET"
	begins "untrusted 0 (localhost:$(cat good) cannot be trusted, or does not trust us: SSL certificate problem: "
	ask ca=other-ca.pem GET "https://localhost:$(cat good)/ok?TOPSECRET"
	begins "untrusted 0 ("
	for name in expired wrong-name self-signed; do
		ask ca=ca.pem body=small PUT "https://localhost:$(cat $name)/put?TOPSECRET"
		begins "untrusted 0 (localhost:$(cat $name) cannot be trusted, or does not trust us: SSL"
		if grep -q TOPSECRET "$out" "$name.log"; then fail "$(cat "$out")"; fi
	done
	if grep -q TOPSECRET good.log; then fail "it was asked"; fi
}

@test "by TLS: a map does not change the name that is checked" {
	ask ca=ca.pem map="other.example=127.0.0.1:$(cat wrong-name)" GET "https://other.example/ok"
	says "answered 200"
	ask ca=ca.pem map="other.example=127.0.0.1:$(cat good)" GET "https://other.example/ok"
	begins "untrusted 0 (other.example:443 (mapped to 127.0.0.1:$(cat good)) cannot be trusted"
}

@test "by TLS: an old version, and one who does not speak it, are refused" {
	ask ca=ca.pem GET "https://localhost:$(cat old)/ok"
	begins "untrusted 0 ("
	ask ca=ca.pem GET "https${plain#http}/ok"
	says "untrusted 0 (${plain#http://} does not speak TLS)"
	ask GET "http://127.0.0.1:$(cat good)/ok"
	begins "cut 0 ("
}

@test "by TLS: a certificate of our own is shown where one is asked for" {
	ask ca=ca.pem cert=client.pem key=key.pem GET "https://localhost:$(cat mutual)/ok"
	says "answered 200"
	url="https://localhost:$(cat mutual)/ok" # its alert may be lost in the reset behind it
	ask ca=ca.pem GET "$url" GET "$url" GET "$url" GET "$url" GET "$url" GET "$url" GET "$url" GET "$url"
	if grep -vE '^(untrusted|cut|unreachable) 0 ' "$out"; then fail "$(cat "$out")"; fi
	ask ca=ca.pem cert=client.pem key=other-ca.pem GET "https://localhost:$(cat mutual)/ok"
	begins "untrusted 0 ("
	ask ca=ca.pem cert=client.pem key=locked.pem GET "https://localhost:$(cat mutual)/ok"
	begins "untrusted 0 ("
	separately "$ask" ca=/nonexistent GET "https://localhost:$(cat good)/ok"
	expect_status 64
	expect_in "$err" "--cacert: the file cannot be read"
}

@test "by TLS: a cut answer is not taken for a whole one" {
	ask ca=ca.pem GET "https://localhost:$(cat good)/cut-answer"
	says "cut 200 (localhost:$(cat good) broke off in the middle of its answer)"
	ask ca=ca.pem stall=600 body=body PUT "https://localhost:$(cat good)/stall-upload"
	begins "cut 0 (nothing was heard of localhost:$(cat good) for 0.6 s, after "
	ask ca=ca.pem body=body PUT "https://localhost:$(cat good)/early-drain/403"
	begins "answered 403 sent="
}

@test "cookies go to nobody but who was negotiated with" {
	server_start "$BATS_TEST_TMPDIR/own"
	url=http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/own")
	ask GET "$url/cookie" GET "$url/ok"
	if grep -qi '^cookie:' "$BATS_TEST_TMPDIR/own.log"; then fail "a cookie was kept"; fi
	ask negotiate=1 GET "$url/cookie" GET "$url/ok"
	grep -q '^Cookie: hadoop.auth="u=x&s=y"' "$BATS_TEST_TMPDIR/own.log"
}

@test "no memory is lost or misused on any of these ways" {
	need valgrind
	if sanitized; then skip "the sanitizers look for themselves"; fi
	run valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect "$ask" ca=ca.pem stall=3000 body=body show=body,location \
		map=nn=127.0.0.1:1 GET "$plain/big/100000" PUT "$plain/put" PUT "$plain/early-stay/307" PUT "$plain/early-drain/403" PUT "$plain/cut-reset" GET "$plain/redirect" \
		PUT "https://localhost:$(cat good)/put" GET "https://localhost:$(cat expired)/ok" GET "http://nn/" GET nonsense GET "$plain/garbage"
	echo "$output" | grep -v '^answered.*xxx' | tail -40
	[ "$status" -eq 0 ]
}
