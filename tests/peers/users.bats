# users.bats - users by interval beside a real redis-server that does Ichnaea's job.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load ../helper
	need redis-server redis-cli python3
	cd "$BATS_TEST_TMPDIR" || return
	# A socket's name is short: the directory of a test may not be.
	socket=$(mktemp -d /tmp/redis.XXXXXX)/s
	redis-server --port 0 --unixsocket "$socket" --save '' --appendonly no --dir "$PWD" >redis.log 2>&1 3>&- &
	server=$!
	await 10 redis-cli -s "$socket" ping || fail "$(tail -5 redis.log)"
}

teardown() {
	[ -z "${server-}" ] || kill "$server" 2>/dev/null || true
	[ -z "${socket-}" ] || rm -rf "${socket%/s}"
}

redis() { redis-cli -s "$socket" "$@"; }

@test "over twelve days of rounds the gauges are those of Ichnaea's PFADD and PFCOUNT: locate.user and submit.user, by key, for one day and seven" {
	seed=$((RANDOM + 1))
	PYTHONDONTWRITEBYTECODE=1 python3 "$SOURCE/tests/peers/ichnaea.py" "$socket" --seed "$seed" >said || fail "seed $seed: $(cat said)"
	echo "# $(tail -1 said) (seed $seed)" >&3
}

@test "what the state keeps of a group and a day is a value that Redis takes, and counts the same" {
	need jq
	seq 1 9000 | awk '{ printf "{\"timestamp\":\"2012-10-05T00:00:00Z\",\"fields\":{\"api_key\":\"k%d\",\"ip\":\"10.0.%d.%d\"}}\n", $1 % 3 % 2, $1 / 250, $1 % 250 }' >in
	separately metlog-cardinality --of fields.ip --by key=fields.api_key --ip --interval 1d --state state in
	expect_status 0
	for key in k0 k1; do
		grep -F "\"key\":\"$key\"" state/*.sketches | cut -f2 | cut -d' ' -f1 | base64 -d | redis -x SET "$key" >answer
		[ "$(cat answer)" = OK ]
		[ "$(redis --raw PFCOUNT "$key")" = "$(jq -r "select(.fields.key == \"$key\").payload" "$out")" ]
	done
	[ "$(jq -s 'map(.payload | tonumber > 2900) | all' "$out")" = true ]
}
