# metlog-send-config.bats - the clients' configuration file, metlog-client(5), as metlog-send takes it.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load recv
	need jq
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	local pid
	for pid in ${receiver-}; do kill -9 "$pid" 2>/dev/null || true; done
}

# config LINE...: the file, whose first section is [metlog].
config() { printf '%s\n' '[metlog]' "$@" >shop.ini; }

# shows FILTER EXPECTED [FILE]: what jq makes of the envelopes in the file, all on one line.
shows() {
	local got
	got=$(jq -c "$1" <"${3-$out}" | tr '\n' ' ')
	[ "${got% }" = "$2" ] || fail "jq '$1' gives ${got% }, expected $2; $(head -c 500 "$err")"
}

# wrong STATUS TEXT ARGUMENT...: ends with that status, a message that holds TEXT, and nothing sent.
wrong() {
	local wanted=$1 text=$2
	shift 2
	separately metlog-send "$@" x
	expect_status "$wanted"
	expect_in "$err" "$text"
	expect_empty "$out"
}

@test "the file says where to, who sends, how severe, and from which host" {
	config "endpoint = file:$PWD/sent" 'logger = shop' 'severity = 4' 'hostname = web7' '[other]' 'whatever'
	separately metlog-send --config shop.ini hello --counter c
	expect_status 0
	expect_empty "$out"
	shows '[.type, .logger, .severity, .metlog_hostname]' '["oldstyle","shop",4,"web7"] ["counter","shop",4,"web7"]' sent
}

@test "what the command line says wins" {
	config "endpoint = file:$PWD/sent" 'logger = shop' 'severity = 4' 'hostname = web7'
	separately metlog-send -c shop.ini --to - -l till -s debug --hostname web8 hello
	expect_status 0
	shows '[.logger, .severity, .metlog_hostname]' '["till",7,"web8"]'
	[ ! -e sent ]
	separately metlog-send -n -c shop.ini hello
	shows .logger '"shop"'
	[ ! -e sent ]
}

@test "without an endpoint in the file the envelopes go to standard output" {
	config 'logger = shop'
	separately metlog-send -c shop.ini hello
	expect_status 0
	shows .logger '"shop"'
}

@test "a variable of the environment may say where to" {
	config 'endpoint = ${SHOP_PLACE}/sent'
	SHOP_PLACE=file:$PWD separately metlog-send -c shop.ini hello
	expect_status 0
	shows .payload '"hello"' sent
	wrong 78 'shop.ini:2: no such environment variable: "SHOP_PLACE"' -c shop.ini
}

@test "what a filter does not let pass is dropped, and the books say so: messages, lines, metrics, envelopes" {
	config '[metlog_filter_a]' 'provider = severity_max' 'severity = 5' '[metlog_filter_b]' 'provider = metlog.filters.type_blacklist_provider' 'types = noise gauge'
	for arguments in 'x' '-s 5 -T noise x' '--counter c' '-s 4 --gauge g=1'; do
		# shellcheck disable=SC2086
		separately metlog-send -c shop.ini --stats books $arguments
		expect_status 0
		expect_empty "$out"
		shows '[.fields.read, .fields.passed, .fields.dropped, .fields.rejected]' '[1,0,1,0]' books
		rm books
	done
	separately metlog-send -c shop.ini -s 3 -f a=b < <(seq 3)
	shows .payload '"1" "2" "3"'
	printf '%s\n' '{"type":"a","severity":5}' '{"type":"a"}' '{"type":"noise","severity":1}' '{"type":"no\u0069se","severity":1}' '{"severity":0}' >in
	separately metlog-send -c shop.ini --json --as-is --stats books in
	expect_status 0
	printf '%s\n' '{"type":"a","severity":5}' '{"severity":0}' >want
	expect_same "$out" want
	shows '[.fields.read, .fields.passed, .fields.dropped]' '[5,2,3]' books
}

@test "the envelope of a failure is sent with the severity it has, whatever the file's default, if the filters let it pass" {
	config 'severity = 7' '[metlog_filter_a]' 'provider = severity_max' 'severity = 3'
	separately metlog-send -c shop.ini --timer t --on-failure cron -- false
	expect_status 1
	shows '[.type, .severity]' '["cron",3]'
}

@test "a disabled timer: the command is run, and its duration is not sent; one that is given as a number is" {
	config 'disabled_timers = db backup'
	separately metlog-send -c shop.ini --timer backup --on-failure cron --stats books -- sh -c 'exit 3'
	expect_status 3
	shows .type '"cron"'
	shows '[.fields.read, .fields.passed, .fields.dropped]' '[2,1,1]' books
	separately metlog-send -c shop.ini --timer backup=17
	shows .payload '"17"'
	config 'disabled_timers = *'
	separately metlog-send -c shop.ini --timer anything -- true
	expect_status 0
	expect_empty "$out"
}

@test "--json puts in what the file says" {
	config 'logger = shop' 'hostname = web7'
	separately metlog-send -c shop.ini --json < <(echo '{"type":"a"}')
	expect_status 0
	shows '[.logger, .metlog_hostname]' '["shop","web7"]'
}

@test "line is the longest envelope, and close how long the far side may be away" {
	config 'line = 1Ki' 'close = 50ms' "endpoint = unix:$PWD/nobody"
	separately metlog-send -c shop.ini "$(printf '%01000d' 0)"
	expect_status 65
	expect_in "$err" 'longer than --max-line'
	separately timeout 60 metlog-send -c shop.ini x
	expect_status 75
}

@test "keys come with the endpoint they are for" {
	mkdir clients
	metlog-recv --curve-keygen hub.key
	metlog-recv --curve-keygen app.key
	cp app.key.pub clients
	receive --from 'pull:tcp://127.0.0.1:*' --curve-secret hub.key --curve-clients clients
	config "endpoint = push:$(endpoint pull)" 'logger = shop' "curve_secret = $PWD/app.key" "curve_server = $PWD/hub.key.pub"
	separately metlog-send -c shop.ini hello
	expect_status 0
	await_lines 1
	stop
	shows .payload '"hello"' got
	separately metlog-send -c shop.ini --to "file:$PWD/sent" hello
	expect_status 0
	shows .logger '"shop"' sent
}

@test "a file that cannot be read, or says what cannot be, sends nothing and is named with the line" {
	wrong 66 nowhere.ini -c nowhere.ini
	config 'loger = shop'
	wrong 78 'shop.ini:2: unknown key: "loger"' -c shop.ini
	config 'severity = 8'
	wrong 78 'shop.ini:2: not from 0 to 7: "8"' -c shop.ini
	config 'endpoint = sub:tcp://127.0.0.1:5565'
	wrong 78 "shop.ini: endpoint: 'sub:tcp://127.0.0.1:5565': it is not something metlog-send can send to" -c shop.ini
	config 'endpoint = tcp:localhost'
	wrong 78 'shop.ini: endpoint' -c shop.ini
	config 'logger = shop' '[metlog_filter_a]' 'provider = nonsense'
	wrong 78 'shop.ini:4: not a provider' -c shop.ini
	wrong 64 'given twice' -c shop.ini -c shop.ini
}

@test "a command is not run if the file is wrong" {
	config 'loger = shop'
	separately metlog-send -c shop.ini --timer t -- touch ran
	expect_status 78
	[ ! -e ran ]
}

@test "an application and metlog-send take the same file, and make the same of it" {
	EMIT=${EMIT:-${TOOLS%/*}/tests/client/emit}
	[ -x "$EMIT" ] || skip "tests/client/emit is not built"
	config "endpoint = file:$PWD/sent" 'severity = 5' 'hostname = web7'
	"$EMIT" --config shop.ini --counts counts
	metlog-send --config shop.ini -l emit -T number -f thread:=0 1
	sed -E 's/"timestamp":"[^"]*"//; s/"metlog_pid":[0-9]+//' sent >same
	[ "$(wc -l <same)" -eq 2 ]
	[ "$(sort -u same | wc -l)" -eq 1 ] || fail "$(cat sent)"
}
