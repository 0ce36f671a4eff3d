# ichnaea.bats - contrib/ichnaea: the metrics of Ichnaea, of its log, beside a program of its shape that emits them.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load helper
	need python3
	cd "$BATS_TEST_TMPDIR" || return
	ichnaea=$SOURCE/contrib/ichnaea
}

oracle() { PYTHONDONTWRITEBYTECODE=1 python3 "$SOURCE/tests/ichnaea_oracle.py" "$@"; }

# rules PROFILE: the file of it.
rules() { case $1 in page) echo "$ichnaea/metrics.rules" ;; code) echo "$ichnaea/metrics-code.rules" ;; esac; }

# requests: the same few thousand for all tests of a run, in the test's own folder.
requests() {
	local made=$BATS_FILE_TMPDIR/made mine
	if [ ! -e "$made" ]; then
		seed=$((RANDOM + 1))
		mine=$(mktemp -d "$made.XXXXXX")
		(cd "$mine" && oracle make "$seed" 3000 >said && echo "$seed" >seed && metlog-from-mozlog mozlog >from-mozlog) || fail "seed $seed"
		mv -T "$mine" "$made" 2>/dev/null || [ -e "$made" ] # another test was faster
	fi
	cp "$made"/* .
	read -r seed <seed
}

@test "of thousands of requests both files give the metrics that Ichnaea emitted, in its order, with its tags in theirs, of MozLog and of envelopes" {
	requests
	for profile in page code; do
		for input in from-mozlog envelopes; do
			separately metlog-derive --rules "$(rules $profile)" --stats books "$input"
			expect_status 0
			oracle read "$out" >found
			cmp found expected.$profile || fail "seed $seed, $input, $profile: $(diff found expected.$profile | head -6)"
		done
	done
	echo "# $(cat said) (seed $seed)" >&3
}

@test "the cases worked out by hand are what metlog-to-statsd writes, as the client of the Datadog agent does" {
	oracle cases "$SOURCE/tests/data/ichnaea/requests.ndjson"
	for profile in page code; do
		metlog-from-mozlog mozlog | metlog-derive --rules "$(rules $profile)" | metlog-to-statsd --dry-run --tags dogstatsd --prefix location >found
		expect_same found wire.$profile
	done
	[ "$(wc -l <wire.code)" -gt 150 ]
	expect_in wire.code 'location.request:1|c|#path:.homepage,method:get,status:200'
}

@test "the two files differ in what README.md names, each of it, and in nothing else" {
	requests
	for profile in page code; do head -n 1000 envelopes | metlog-derive --rules "$(rules $profile)" | oracle read >$profile; done
	oracle differ page code >found
	awk -F ' *[|] *' '$2 ~ /^[0-9]+$/ && $5 !~ /^-/ { gsub(/, /, "\n", $5); print $5 }' "$ichnaea/README.md" | sort >named
	expect_same found named
	[ "$(wc -l <named)" = 6 ]
	[ "$(awk -F ' *[|] *' '$2 ~ /^[0-9]+$/' "$ichnaea/README.md" | wc -l)" = 15 ]
}

@test "the catalogue has nothing to say against what either file derives, and finds a slip in a rule" {
	requests
	for profile in page code; do
		metlog-derive --rules "$(rules $profile)" envelopes >metrics
		separately metlog-lint --catalog "$ichnaea/catalog.txt" metrics
		expect_status 0
		expect_empty "$out"
	done
	sed 's/request\.timing/request.timimg/; s/status   = /state   = /' "$ichnaea/metrics.rules" >slip.rules
	metlog-derive --rules slip.rules envelopes >metrics
	separately metlog-lint --catalog "$ichnaea/catalog.txt" metrics
	expect_status 1
	expect_in "$out" request.timimg
	expect_in "$out" state
}

# metric TYPE NAME TAG=VALUE...: an envelope.
metric() {
	local kind=$1 name=$2 tags=''
	shift 2
	[ $# = 0 ] || tags=$(printf ',"%s"' "$@" | sed 's/^,//; s/=/":"/g')
	printf '{"type":"%s","payload":"1","fields":{"name":"%s","rate":1,"tags":{%s}}}\n' "$kind" "$name" "$tags"
}

# Every metric of the page, in each form that it has.
every_metric() {
	while read -r words; do
		# shellcheck disable=SC2086
		metric $words
	done <<-'T'
		counter request path=v1.geolocate method=post status=200
		timer request.timing path=.homepage method=get
		counter locate.request path=v1.geolocate key=none
		counter region.request path=v1.country key=invalid
		counter submit.request path=v2.geosubmit key=test
		counter locate.query key=test geoip=false blue=none cell=one wifi=many
		counter region.query key=test blue=none cell=one wifi=many
		counter locate.source key=test source=fallback accuracy=medium status=miss
		counter region.source key=test source=geoip accuracy=low status=hit
		counter locate.result key=test fallback_allowed=true accuracy=high status=hit source=internal
		counter locate.result key=test accuracy=high status=miss
		counter region.result key=test fallback_allowed=false accuracy=low status=hit source=geoip
		counter region.result key=test accuracy=low status=miss
		counter data.batch.upload key=test
		counter data.batch.upload
		counter locate.fallback.cache fallback_name=none status=inconsistent
		counter locate.fallback.lookup fallback_name=fall status=503
		timer locate.fallback.lookup.timing fallback_name=fall
		gauge api.limit key=test path=v1.submit
		gauge locate.user key=test interval=1d
		gauge region.user key=test interval=7d
		gauge submit.user key=test interval=7d
		counter data.export.batch key=backup
		counter data.export.upload key=backup status=failure
		counter data.export.upload key=tostage status=400
		timer data.export.upload.timing key=tostage
		counter data.report.upload key=test
		counter data.report.drop
		counter data.observation.upload type=blue key=test
		counter data.observation.drop type=cell
		counter data.observation.insert type=wifi
		counter data.station.new type=blue
		counter data.station.confirm type=cell
		counter data.station.blocklist type=wifi
		counter data.station.dberror errno=1213 type=cellarea
		counter datamaps.dberror errno=1205
		timer datamaps func=encode
		timer datamaps count=tile_new
		gauge queue queue=update_wifi_f
		gauge queue queue=update_cellarea
		gauge queue queue=export_queue_backup:abcd-ef-1234
		timer task task=data.update_cell
	T
}

@test "the catalogue has every metric of the page, each in every form that it has" {
	every_metric >metrics
	separately metlog-lint --catalog "$ichnaea/catalog.txt" --unused metrics
	expect_status 0
	expect_empty "$out"
	# And no other: of each line but one there is something to be said if it loses its last tag, or is of another type.
	sed 's/"type":"[a-z]*"/"type":"set"/' metrics >wrong
	separately metlog-lint --catalog "$ichnaea/catalog.txt" --format json wrong
	expect_status 1
	[ "$(jq -s 'map(.fields.count) | add' "$out")" = "$(wc -l <metrics)" ]
}

@test "both tags of datamaps, an unknown value, a tag left out: the catalogue tells" {
	while read -r words; do
		# shellcheck disable=SC2086
		metric $words >one
		separately metlog-lint --catalog "$ichnaea/catalog.txt" one
		expect_status 1 || fail "$words"
	done <<-'T'
		timer datamaps func=encode count=quadtrees
		counter locate.query key=test blue=none cell=two wifi=many
		counter locate.query key=test geoip=true blue=none cell=one wifi=many
		counter locate.source key=test source=geoip accuracy=none status=miss
		counter region.source key=test source=fallback accuracy=low status=hit
		counter request path=x method=get
		counter request path=x method=GET status=200
		counter locate.result key=test accuracy=high status=hit
		counter locate.result key=test accuracy=high status=miss source=geoip
		counter data.station.dberror errno=1 type=cell
		timer request.timing path=x method=get status=200
		gauge locate.user key=test interval=30d
		gauge queue queue=celery
		counter locate.request path=v1.country key=none
		counter regoin.request path=v1.country key=none
	T
}

@test "metrics.rules has tests of its own, for whoever changes it" {
	separately metlog-derive --rules "$ichnaea/metrics.rules" --test "$ichnaea/tests"
	expect_status 0
	cp -r "$ichnaea/tests" copy
	chmod -R u+w copy
	sed -i 's/"payload":"/&9/' copy/*.out
	separately metlog-derive --rules "$ichnaea/metrics.rules" --test copy
	expect_status 1
}

# calls TIME PATH KEY COUNT: a line of the log, as an envelope.
calls() { printf '{"timestamp":"%s","type":"canonical-log-line","logger":"ichnaea","fields":{"api_path":"%s","api_key":"%s","api_key_count":%d,"api_type":"locate"}}\n' "$@"; }

@test "limits.sh: of each key and path the highest count of the day, and none of what was counted the day before" {
	{
		calls 2020-09-20T23:59:59.9Z v1.geolocate busy 80000
		calls 2020-09-21T00:00:00.1Z v1.geolocate busy 80001    # counted before midnight
		calls 2020-09-21T00:00:00.2Z v1.geolocate busy 1
		calls 2020-09-21T00:00:01.2Z v1.geolocate early 3
		calls 2020-09-21T00:00:01.1Z v1.geolocate early 2
		calls 2020-09-21T12:00:00Z v1.geolocate busy 9
		calls 2020-09-21T12:00:00Z v1.geolocate busy 10
		calls 2020-09-21T11:59:59Z v1.geolocate busy 8
		calls 2020-09-21T12:00:00Z v2.geosubmit busy 4
		calls 2020-09-22T00:01:00Z v1.geolocate busy 2
		printf '{"timestamp":"2020-09-21T13:00:00Z","logger":"canonical-log-line","fields":{"api_path":"v1.geolocate","api_key":"page","rate_quota":10,"rate_remaining":7}}\n'
	} >in
	separately "$ichnaea/limits.sh" 2020-09-21 in
	expect_status 0
	metlog-lint --catalog "$ichnaea/catalog.txt" "$out"
	metlog-to-statsd --dry-run --tags dogstatsd "$out" | sort >found
	printf '%s\n' 'api.limit:10|g|#key:busy,path:v1.geolocate' 'api.limit:3|g|#key:early,path:v1.geolocate' 'api.limit:3|g|#key:page,path:v1.geolocate' \
		'api.limit:4|g|#key:busy,path:v2.geosubmit' | sort >wanted
	expect_same found wanted
	separately "$ichnaea/limits.sh" 2020-09-20 in
	expect_in "$out" '"payload":"80000"'
	[ "$(wc -l <"$out")" = 1 ]
}

# cron WORD SED...: the command of the line of users.cron that has this word, with its settings, changed by sed; what would be sent is printed in its place.
cron() {
	local word=$1
	shift
	{
		sed -n 's/^\([A-Z]*\)=\(.*\)/\1='"'"'\2'"'"'/p' "$ichnaea/users.cron" | sed "s|/usr/local/share/metlog/ichnaea:.*bin|$ichnaea:$PATH|"
		printf '%s\n' "LOG=$PWD/log STATE=$PWD"
		grep -e "^[*].*$word" "$ichnaea/users.cron" | sed -e 's/^\([^ ]* \)\{5\} *metlog *//' -e 's/--to "\$STATSD"/--dry-run/' "$@"
	} >job
	separately sh -u job
}

# line TYPE KEY ADDRESS MORE: of a log with addresses, stamped now.
line() { printf '{"Timestamp":%s000000000,"Type":"canonical-log-line","Logger":"ichnaea","Fields":{"api_type":"%s","api_key":"%s","ip":"%s","http_path":"/x"%s}}\n' "$now" "$1" "$2" "$3" "${4-}"; }

@test "users.cron counts the users of keys that may call, and what the text between the lines of the log says is of no consequence" {
	now=$(date +%s)
	{
		echo 'Starting web application'
		for n in 1 2 3 1 2 3; do line locate one "10.0.0.$n"; done
		line locate two 2001:DB8:0::1
		line locate two 2001:db8::1
		line locate two nonsense ',"rate_allowed":false'
		line submit two 10.0.0.1
		line locate none 10.0.0.1
		line submit invalid 10.0.0.1
		line locate banned 10.0.0.1 ',"api_key_allowed":false'
		line locate lost 10.0.0.1 ',"api_key_db_fail":true'
		line region one 10.0.0.9
	} >log
	for again in once twice; do
		cron name.locate.user
		expect_status 0
		expect_empty "$err"
		printf '%s\n' 'location.locate.user:3|g|#key:one,interval:1d' 'location.locate.user:3|g|#key:one,interval:7d' \
			'location.locate.user:2|g|#key:two,interval:1d' 'location.locate.user:2|g|#key:two,interval:7d' | sort >wanted
		diff <(sort "$out") wanted || fail "$again"
	done
	cron name.submit.user
	printf '%s\n' 'location.submit.user:1|g|#key:two,interval:1d' 'location.submit.user:1|g|#key:two,interval:7d' | sort >wanted
	diff <(sort "$out") wanted
}

@test "users.cron tells what each key has called today" {
	now=$(date +%s)
	{
		line locate one 10.0.0.1 ',"api_path":"v1.geolocate","api_key_count":41'
		line locate one 10.0.0.1 ',"api_path":"v1.geolocate","api_key_count":42'
		echo 'not a line of MozLog'
	} >log
	cron limits.sh -e "s/limits.sh today/limits.sh $(date -u -d "@$now" +%F)/"
	expect_status 0
	expect_empty "$err"
	[ "$(cat "$out")" = 'location.api.limit:42|g|#key:one,path:v1.geolocate' ]
}

@test "users.cron tells how long each queue is, those that are empty and those of exports too, as Ichnaea does" {
	need redis-server redis-cli
	server='' socket=$(mktemp -d /tmp/redis.XXXXXX)/s
	redis-server --port 0 --unixsocket "$socket" --save '' --appendonly no --dir "$PWD" >redis.log 2>&1 3>&- &
	server=$!
	await 10 redis-cli -s "$socket" ping || fail "$(tail -5 redis.log)"
	redis-cli -s "$socket" rpush update_wifi_c 1 2 3 >/dev/null
	redis-cli -s "$socket" rpush queue_export_backup:gnss:test 1 2 >/dev/null
	cron queues.sh -e "s|-h \"\$REDIS\"|-s $socket|"
	expect_status 0
	expect_empty "$err"
	expect_in "$out" 'location.queue:3|g|#queue:update_wifi_c'
	expect_in "$out" 'location.queue:2|g|#queue:queue_export_backup:gnss:test'
	expect_in "$out" 'location.queue:0|g|#queue:celery_export'
	[ "$(wc -l <"$out")" = 51 ]
	"$ichnaea/queues.sh" -s "$socket" >metrics
	separately metlog-lint --catalog "$ichnaea/catalog.txt" metrics
	expect_status 0
	redis-cli -s "$socket" set celery_blue text >/dev/null
	separately "$ichnaea/queues.sh" -s "$socket"
	[ "$status" != 0 ]
}

teardown() {
	[ -z "${server-}" ] || kill "$server" 2>/dev/null || true
	[ -z "${socket-}" ] || rm -rf "${socket%/s}"
}

@test "lines of users.cron are lines of a crontab: five fields, a user, and no per cent sign, which cron would take for a newline" {
	grep -v -e '^#' -e '^$' -e '^[A-Z]*=' "$ichnaea/users.cron" >lines
	[ "$(wc -l <lines)" = 4 ]
	grep -cE '^([*0-9/,-]+ ){5} *metlog  ' lines | grep -qx 4
	if grep -q % lines; then fail 'a per cent sign'; fi
	# What it calls is there.
	for script in limits.sh queues.sh; do
		expect_in lines "$script"
		[ -x "$ichnaea/$script" ]
		sh -n "$ichnaea/$script"
	done
}
