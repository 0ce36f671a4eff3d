# redis.bats - sketches against a Redis server: the bytes that GET returns, the numbers of PFCOUNT, the unions of PFMERGE.
# SPDX-License-Identifier: MPL-2.0

# One server for the suite, on a socket in a short directory, for a unix socket's path has at most 107 bytes.
setup_file() {
	load ../helper
	has redis-server || return 0
	redis_dir=$(mktemp -d "${TMPDIR:-/tmp}/metlog-redis.XXXXXX")
	export redis_dir
	redis-server --port 0 --unixsocket "$redis_dir/socket" --dir "$redis_dir" --save '' --appendonly no --daemonize no >"$redis_dir/log" 2>&1 &
	export redis_pid=$!
	await 10 redis-cli -s "$redis_dir/socket" ping
}

teardown_file() {
	[ -z "${redis_pid-}" ] || kill "$redis_pid" || true
	[ -z "${redis_pid-}" ] || wait "$redis_pid" || true
	[ -z "${redis_dir-}" ] || rm -rf "$redis_dir"
}

setup() {
	load ../helper
	need redis-server redis-cli python3 jq
	cd "$BATS_TEST_TMPDIR"
	driver=$TOOLS/../tests/unit/sketch_driver
	[ -x "$driver" ] || skip "tests/unit/sketch_driver is not built: make check builds it"
	redis flushall
}

redis() { redis-cli -s "$redis_dir/socket" "$@"; }
compare() { python3 "$SOURCE/tests/peers/redis_compare.py" "$redis_dir/socket" "$driver" "$@"; }
# compares KIND WHAT: and that is what is told of it.
compares() {
	compare "$1" >report || { cat report; false; }
	expect_in report "$2"
}

@test "the same elements in the same order have the bytes of Redis while they are sparse" { compares sparse '120 values, forms [1], 0 wrong'; }

@test "they become dense with the same element" { compares promoted '60 values, forms [0, 1], 0 wrong'; }

@test "dense sketches have the bytes of Redis, and PFCOUNT's number" { compares dense '12 values, forms [0], 0 wrong'; }

@test "runs that are split and joined in any order have the bytes of Redis" { compares crowded '90 values, forms [1], 0 wrong'; }

@test "values that PFADD would not have made are changed as Redis changes them" { compares odd '150 values, forms [], 0 wrong'; }

@test "unions have the bytes of PFMERGE, into a fresh key and into one that has values" { compares merge '60 values, forms [], 0 wrong'; }

@test "a file travels to Redis and back by redis-cli: the same number, the same bytes" {
	local size
	for size in 3 400 9000; do
		seq "$size" | "$driver" add >there
		redis -x set key <there >/dev/null
		[ "$(redis pfcount key)" = "$("$driver" count there)" ]
		redis get key >back                       # with a newline behind it, and PFCOUNT's number in its cache
		"$driver" into back >again
		[ "$("$driver" count back)" = "$("$driver" count there)" ]
		redis pfadd key >/dev/null
		redis -x set again <again >/dev/null
		[ "$(redis pfcount again)" = "$(redis pfcount key)" ]
		"$driver" merge back there >union
		[ "$("$driver" count union)" = "$("$driver" count there)" ]
	done
}

@test "what Redis refuses as corrupt is refused, with its reason" {
	local bytes
	for bytes in '\177\376' '\177\376\203' '\177\377\200' '\177'; do
		printf 'HYLL\001\000\000\000\000\000\000\000\000\000\000\200'"$bytes" >bad
		redis -x set bad <bad >/dev/null
		redis pfcount bad other >answer 2>&1 || true
		separately "$driver" count bad
		expect_status 65
		expect_in "$err" 'sketch_driver: bad: '
		# Redis does not look behind the last register when it counts
		[ "$bytes" = '\177\377\200' ] || expect_in answer INVALIDOBJ
	done
}

envelopes() { awk '{ printf "{\"type\":\"counter\",\"fields\":{\"ip\":\"%s\"}}\n", $0 }'; }
printed() { jq -r .payload "$@"; }

@test "metlog-cardinality --sketch writes the bytes of PFADD in the same order, and prints PFCOUNT's number" {
	local size
	for size in 1 200 256 257 1500 1700 30000; do
		seq "$size" | awk '{ print "10." $1 % 7 "." $1 * 37 % 40000 }' >addresses
		redis del key >/dev/null
		awk 'NR % 500 == 1 { printf "%spfadd key", (NR > 1 ? "\n" : "") } { printf " %s", $0 } END { print "" }' addresses | redis >/dev/null
		redis get key >got
		envelopes <addresses | metlog-cardinality --of fields.ip --sketch file --format json >count
		head -c -1 got | cmp - file
		[ "$(printed count)" -eq "$(redis pfcount key)" ]
		redis -x set there <file >/dev/null
		[ "$(printed count)" -eq "$(redis pfcount there)" ]
	done
}

@test "keys got by redis-cli are merged: PFCOUNT's number of all of them, PFMERGE's bytes" {
	local size
	for size in 20 900 5000; do
		redis flushall >/dev/null
		seq "$size" | sed 's/^/pfadd a x/' | redis >/dev/null
		seq $((size / 2)) $((size * 2)) | sed 's/^/pfadd b x/' | redis >/dev/null
		seq 1 7 "$size" | sed 's/^/pfadd c y/' | redis >/dev/null
		redis get a >a && redis get b >b && redis get c >c
		metlog-cardinality --merge a b c --sketch union --format json >count
		redis pfmerge all a b c >/dev/null
		redis get all >all
		head -c -1 all | cmp - union
		[ "$(printed count)" -eq "$(redis pfcount a b c)" ]
		# merged one after the other the number is the same
		metlog-cardinality --merge a b --sketch two --format json >/dev/null
		[ "$(metlog-cardinality --merge c two --format json | printed)" -eq "$(printed count)" ]
	done
}
