# metlog-cardinality-report.bats - the numbers of --report: values, series, growth, frequent values, limits, --fail-over and the bound of memory.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR" || exit
}

model() { python3 "$SOURCE/tests/report_model.py" "$@"; }

# report ARGUMENT...: the tool's envelopes in the file `out`.
report() { separately metlog-cardinality --report --format json "$@"; }

# metric NAME SECOND TAGS [MEMBERS]: a counter at that second of 2012-10-05T12.
metric() { printf '{"type":"counter","timestamp":"2012-10-05T%02d:%02d:%02dZ","payload":"1","fields":{"name":"%s","rate":1,"tags":{%s}%s}}\n' $((12 + $2 / 3600)) $(($2 / 60 % 60)) $(($2 % 60)) "$1" "$3" "${4:+,$4}"; }

# numbers JQ: of the envelopes in `out`, those that are about ..., each as one line.
numbers() { jq -rc "select(.fields.about != null) | .fields | $1" out; }

# users LINES: envelopes of three metrics with tags of a few hundred and some thousand values, and members with more.
users() {
	awk -v n="$1" 'BEGIN {
		srand(3)
		for (i = 0; i < n; i++)
			printf "{\"type\":\"timer\",\"timestamp\":\"2012-10-05T%02d:%02d:%02dZ\",\"fields\":{\"name\":\"m%d\",\"url\":\"/%d\",\"tags\":{\"user\":\"u%d\",\"region\":\"r%d\",\"host\":\"h%d\"}}}\n",
				i * 8 / n, i * 480 / n % 60, i * 28800 / n % 60, 3 * rand() ^ 2, 30000 * rand(), 5000 * rand() ^ 2, 250 * rand(), 4 * rand()
	}'
}

@test "small inputs: every number is the one that dictionaries and sets give, whatever stands in the envelopes" {
	run model property 1 45
	expect_status 0
}

@test "series are different sets of tags, whatever their order; the product is what they could become" {
	{ metric hits 0 '"k":"1","l":"1"'; metric hits 1 '"l":"1","k":"1"'; metric hits 2 '"l":"2","k":"1"'; metric hits 3 '"k":"1","l":"3"'; metric hits 4 '"k":"2","l":"1"'; } >in
	report in
	expect_status 0
	[ "$(numbers 'select(.about == "metric") | [.series, .product, .envelopes]')" = '[4,6,5]' ]
}

@test "a tag is shown with the series that would be left without it, another member with those that there would be with it" {
	{ metric hits 0 '"k":"1","l":"1"' '"m":1'; metric hits 1 '"k":"1","l":"2"' '"m":2'; metric hits 2 '"k":"2","l":"2"' '"m":2'; metric hits 3 '"k":"2","l":"2"'; metric hits 4 '"k":"2","l":"2"' '"m":3'; } >in
	report in
	expect_status 0
	numbers 'select(.about == "tag") | [.tag, .is_tag, .values, .series, .series_without // .series_with]' | sort >found
	# with m: 11-1, 12-2, 22-2, 22 without one, 22-3
	printf '%s\n' '["m",false,3,3,5]' '["tags.k",true,2,3,2]' '["tags.l",true,2,3,2]' >expected
	expect_same expected found
}

@test "a tag that comes late: the series before it are series without it, and with it too" {
	{ metric hits 0 '"k":"1"'; metric hits 1 '"k":"2"'; metric hits 2 '"k":"1","late":"a"' '"m":1'; metric hits 3 '"k":"3"' '"m":1'; } >in
	report in
	numbers 'select(.about == "tag") | [.tag, .seen, .values, .series_without // .series_with]' | sort >found
	# without late: 1 2 3; with m: 1, 2, 1a-1, 3-1
	printf '%s\n' '["m",2,1,4]' '["tags.k",4,3,2]' '["tags.late",1,1,3]' >expected
	expect_same expected found
}

@test "a metric without tags is one series; with a member it would be as many as that has values" {
	{ for i in 1 2 3 3; do printf '{"type":"request","fields":{"path":"/%s","status":200}}\n' $i; done; echo '{"type":"request","fields":{"status":200}}'; } >in
	report in
	numbers 'select(.about == "tag" or .about == "metric") | [.tag, .series, .values, .series_with]' | sort >found
	printf '%s\n' '["path",1,3,4]' '["status",1,1,1]' '[null,1,null,null]' >expected
	expect_same expected found
}

@test "--tags: those are the tags, wherever they stand, and what is in fields.tags is not" {
	model make 77 200 >in
	report --tags fields.a,logger,fields.deep.x,fields.tags.k --top 32 in
	expect_status 0
	model read out >found
	model model --tags fields.a,logger,fields.deep.x,fields.tags.k --top 32 in >expected
	expect_same expected found
	grep -q '"logger", true' found
	grep -q '"deep.x", true' found
	grep -q '"tags.k", true' found
	grep -q '"tags.l", false' found
}

@test "of a repeated key the last one counts, in fields, in fields.tags, and where fields.tags itself comes again" {
	cat >in <<-'IN'
		{"type":"t","fields":{"m":"first","tags":{"k":"1"},"m":"last","name":"x","name":"n","tags":{"k":"2","k":"3"}}}
		{"type":"t","fields":{"m":"gone","m":null,"name":"n","tags":{"k":"3","k":{}}}}
	IN
	report in
	numbers 'select(.about == "tag") | [.metric, .tag, .seen, .values, .top[0].value]' | sort >found
	printf '%s\n' '["n","m",1,1,"last"]' '["n","tags.k",1,1,"3"]' >expected
	expect_same expected found
}

@test "keys, names and values are compared decoded" {
	cat >in <<-'IN'
		{"type":"t","fields":{"name":"caf\u00e9","k\u0065y":"\u0061\t","tags":{"a\u002eb":"\ud83d\ude00"}}}
		{"type":"\u0074","fields":{"n\u0061me":"café","key":"a\u0009","t\u0061gs":{"a.b":"😀"}}}
	IN
	report in
	[ "$(numbers 'select(.about == "metric") | [.metric, .envelopes, .series]')" = '["café",2,1]' ]
	[ "$(numbers 'select(.about == "tag") | [.tag, .seen, .values, .top[0].value]' | sort)" = $'["key",2,1,"a\\t"]\n["tags.a.b",2,1,"😀"]' ]
}

@test "a long value is told from others wholly, and shown cut at a character" {
	python3 - >in <<-'PYTHON'
		import json
		for end in 'abc':
		    print(json.dumps({'type': 't', 'fields': {'v': 'é' * 300 + end}}, ensure_ascii=False))
	PYTHON
	report in
	[ "$(numbers 'select(.about == "tag") | .values')" = 3 ]
	numbers 'select(.about == "tag") | .top[].value' | uniq >shown
	python3 -c 'text = open("shown", encoding="utf-8").read().strip("\n"); n = len(text.encode()); assert text == "é" * (len(text) - 1) + "…" and 100 < n <= 120, (text, n)'
}

@test "long names are told from others wholly, and shown cut, with their hash" {
	python3 - >in <<-'PYTHON'
		import json
		for end in 'abab':
		    long = 'é' * 400 + end
		    print(json.dumps({'type': 't', 'fields': {'name': long, long: '1', 'tags': {long: '2'}}}, ensure_ascii=False))
		    print(json.dumps({'type': 't', 'fields': {long: '1'}}, ensure_ascii=False))
	PYTHON
	report in
	[ "$(numbers 'select(.about == "metric") | [(.metric | length > 100), .envelopes]')" = $'[false,4]\n[true,2]\n[true,2]' ]
	[ "$(numbers 'select(.about == "tag" and .metric == "") | [.seen, .values]')" = $'[2,1]\n[2,1]' ]
	numbers 'select(.about == "tag" and .metric == "") | .tag' | sort >shown
	[ "$(uniq shown | grep -c -E '^(é)+#[0-9a-f]{16}$')" -eq 2 ]
}

@test "thousands of values: values and series are within 2.5 percent of the truth, with the error said" {
	users 20000 >in
	report in
	expect_status 0
	model read out >found
	model model in >expected
	python3 - <<-'PYTHON'
		import json
		read = lambda name: {tuple(row[:4] if row[0] == 'tag' else row[:3]): row for row in map(json.loads, open(name)) if row[0] in ('tag', 'metric')}
		found, expected = read('found'), read('expected')
		assert found.keys() == expected.keys() and len(found) == 15
		def near(f, e, error, what):
		    assert (error == 0 and f == e) if e <= 256 else (error == 0.008125 and abs(f - e) <= 0.025 * e), (what, f, e, error)
		for key, f in found.items():
		    e = expected[key]
		    if key[0] == 'metric':
		        near(f[4], e[4], f[5], key)
		        continue
		    near(f[6], e[6], f[7], key)
		    near(f[8], e[8], f[9] or (0.008125 if e[8] > 256 else 0), key)
		    assert f[11] == sorted(f[11]) and f[11][-1] == f[6] and len(f[11]) == len(e[11])
		    for got, true in zip(f[11], e[11]):
		        assert abs(got - true) <= 0.03 * true + 3, (key, f[11], e[11])
	PYTHON
}

@test "the most frequent values: none is missed that is more than one in 128, and each is within its stated error" {
	python3 - >in <<-'PYTHON'
		import random
		draw = random.Random(5)
		for i in range(40000):
		    value = int(20 * draw.random() ** 3) if draw.random() < 0.5 else draw.randrange(20, 20000)
		    print('{"type":"t","fields":{"v":%d}}' % value)
	PYTHON
	report --top 32 in
	numbers 'select(.about == "tag") | .top' >top
	python3 - <<-'PYTHON'
		import collections, json
		true = collections.Counter(json.loads(line)['fields']['v'] for line in open('in'))
		top = json.load(open('top'))
		assert len(top) == 32
		for t in top:
		    assert t['count'] - t['over'] <= true[int(t['value'])] <= t['count'], t
		shown = {int(t['value']) for t in top}
		often = [value for value, count in true.items() if count > 40000 / 128]
		assert len(often) > 10 and set(often) <= shown, set(often) - shown
	PYTHON
	report --top 2 in
	[ "$(numbers 'select(.about == "tag") | .top | length')" = 2 ]
}

@test "growth: the buckets double until the time has room in 32 of them" {
	# 12:00:00 is 64 s behind a multiple of 128 s
	for last in 31:1:32 32:2:17 63:2:32 64:4:17 3000:128:24; do
		IFS=: read -r seconds width buckets <<<"$last"
		{ metric hits 0 '"k":"a"'; metric hits $((seconds / 2)) '"k":"b"'; metric hits "$seconds" '"k":"c"'; } >in
		report in
		[ "$(numbers 'select(.about == "report") | [.bucket_s, .buckets]')" = "[$width,$buckets]" ]
	done
	[ "$(numbers 'select(.about == "tag") | .growth')" = '[1,1,1,1,1,1,1,1,1,1,1,1,2,2,2,2,2,2,2,2,2,2,2,3]' ]
}

@test "growth: values an hour are those of the last quarter of the time" {
	{ metric hits 0 '"k":"a"'; for i in 1 2 3 4; do metric hits 7 "\"k\":\"v$i\""; done; } >in
	report in
	# 8 buckets of 1 s, of which the last two: from second 6 to the last event, 1 s and 1 ns later
	[ "$(numbers 'select(.about == "tag") | .per_hour | round')" = 14400 ]
	{ metric hits 0 '"k":"a"'; metric hits 2 '"k":"b"'; } >in
	report in
	[ "$(numbers 'select(.about == "tag") | .per_hour')" = null ]
}

@test "time that goes back: a value counts from the envelope that brought it first" {
	{ metric hits 40 '"k":"a"'; metric hits 41 '"k":"b"'; metric hits 10 '"k":"c"'; metric hits 11 '"k":"a"'; metric hits 30 '"k":"d"'; } >in
	report in
	# 31 s from 10 on: a bucket for each second
	numbers 'select(.about == "tag") | .growth' >found
	python3 -c 'print([1] * 20 + [2] * 10 + [3, 4])' | tr -d ' ' >expected
	expect_same expected found
}

@test "a large file read backwards grows as it does forwards" {
	users 20000 >forwards
	tac forwards >backwards
	report backwards
	numbers 'select(.about == "tag" and .metric == "m0" and .tag == "tags.user") | .growth' >growth
	python3 - <<-'PYTHON'
		import json
		first, total = {}, set()
		growth = json.load(open('growth'))
		for line in open('backwards'):
		    e = json.loads(line)
		    if e['fields']['name'] != 'm0':
		        continue
		    h, m, s = e['timestamp'][11:19].split(':')
		    first.setdefault(e['fields']['tags']['user'], int(h) * 3600 + int(m) * 60 + int(s))
		for i, got in enumerate(growth):
		    true = sum(1 for at in first.values() if at + 768 < (i + 1) * 1024)  # midnight is 768 s behind a multiple of 1024 s
		    assert abs(got - true) <= 0.05 * len(first), (i, got, true)
		assert len(growth) == 29 and growth[0] < 0.2 * growth[-1] and growth[-1] - growth[-2] > 0.1 * growth[-1]
	PYTHON
}

@test "without any timestamp there is no growth, and new series a minute are not known" {
	printf '{"type":"t","fields":{"tags":{"k":"%s"}}}\n' a b c >in
	report in
	expect_status 0
	expect_empty err
	[ "$(numbers 'select(.about == "tag") | [.values, .growth, .per_hour]')" = '[3,[],null]' ]
	[ "$(numbers 'select(.about == "limit") | .setting')" = $'max-series-per-database\nmax-values-per-tag' ]
	report --limit graphite in
	expect_status 0
	expect_in err 'no envelope has a timestamp'
}

@test "a tag with a value of its own for nearly each envelope grows, even where no time is known" {
	awk 'BEGIN { for (i = 0; i < 3000; i++) printf "{\"type\":\"counter\",\"fields\":{\"name\":\"hits\",\"tags\":{\"id\":\"%d\"}}}\n", i % 2990 }' >in
	separately metlog-cardinality --report --format table in
	head -1 "$out" | grep -qxE 'tags.id of counter hits grows: (2,9|3,0)[0-9]{2} values' # 2,990 within 2.5 %
	report in
	[ "$(numbers 'select(.about == "tag") | .grows')" = true ]
	awk 'BEGIN { for (i = 0; i < 3000; i++) printf "{\"type\":\"counter\",\"fields\":{\"name\":\"hits\",\"tags\":{\"id\":\"%d\"}}}\n", i % 1000 }' >in
	report in
	[ "$(numbers 'select(.about == "tag") | .grows')" = false ]
}

@test "new series a minute are those of the worst minute of event time" {
	{
		for i in $(seq 20); do metric hits $((i % 60)) "\"k\":\"$i\""; done
		for i in $(seq 10 40); do metric hits $((600 + i)) "\"k\":\"$i\""; done
		for i in $(seq 51); do metric lat $((1200 + i)) "\"k\":\"$i\""; done
		for i in $(seq 41 60); do metric hits $((300 + i % 30)) "\"k\":\"$i\""; done
	} >in
	report --limit graphite in
	[ "$(numbers 'select(.about == "limit") | [.source, .setting, .limit, .found, .where, .passed]')" = '["Graphite (carbon)","MAX_CREATES_PER_MINUTE",50,51,"2012-10-05T12:20Z",true]' ]
}

@test "new series a minute beyond a hundred thousand known ones are estimated" {
	awk 'BEGIN { for (i = 0; i < 200000; i++) printf "{\"type\":\"t\",\"timestamp\":\"2012-10-05T12:%02d:00Z\",\"fields\":{\"tags\":{\"k\":\"%d\"}}}\n", i / 20000, i }' >in
	report --limit graphite in
	found=$(numbers 'select(.about == "limit") | .found')
	[ "$found" -ge 20000 ]
	[ "$found" -lt 21500 ]
}

@test "InfluxDB's limits: a million series in all, a hundred thousand values of a tag" {
	awk 'BEGIN { for (i = 0; i < 110000; i++) printf "{\"type\":\"counter\",\"fields\":{\"name\":\"hits\",\"url\":%d,\"tags\":{\"user\":\"%d\",\"k\":\"1\"}}}\n", i, i }' >in
	report --limit influxdb in
	expect_status 0
	[ "$(numbers 'select(.about == "limit") | [.source, .setting, .limit, .where, .passed]')" = '["InfluxDB 1.x","max-series-per-database",1000000,"",false]
["InfluxDB 1.x","max-values-per-tag",100000,"counter hits, tag tags.user",true]' ]
	report --limit influxdb --tags fields.tags.k in
	[ "$(numbers 'select(.about == "limit") | [.setting, .found, .passed]')" = '["max-series-per-database",1,false]
["max-values-per-tag",1,false]' ]
}

@test "own limits: values of a tag, series of a metric, series in all; passed is more than the limit" {
	{ for i in 1 2 3; do metric hits "$i" "\"k\":\"$i\",\"l\":\"1\""; done; for i in 1 2; do metric lat "$i" "\"k\":\"$i\""; done; } >in
	report --limit values=3,series=3,total=5 in
	[ "$(numbers 'select(.about == "limit") | [.source, .setting, .limit, .found, .where, .passed]')" = '["--limit","values",3,3,"counter hits, tag tags.k",false]
["--limit","series",3,3,"counter hits",false]
["--limit","total",5,5,"",false]' ]
	report --limit values=2,series=2,total=4 in
	expect_status 0
	[ "$(numbers 'select(.about == "limit") | .passed' | uniq)" = true ]
	report --limit influxdb,graphite,total=7 in
	[ "$(numbers 'select(.about == "limit") | .setting' | tr '\n' ' ')" = 'max-series-per-database max-values-per-tag MAX_CREATES_PER_MINUTE total ' ]
}

@test "a limit that is none is a usage error" {
	for limit in '' prometheus values values= values=x values=-1 influxdb=1 'influxdb,' series=1,,total=2; do
		report --limit "$limit" /dev/null
		expect_status 64
		expect_in err '--limit'
	done
}

@test "--fail-over: exit status 1, and what is over on standard error, if a tag has more values or a metric more series" {
	{ for i in 1 2 3; do metric hits "$i" "\"k\":\"$i\",\"l\":\"1\"" "\"other\":$i$i$i"; done; metric hits 4 '"k":"3","l":"2"' '"other":4'; } >in
	report --fail-over 4 in
	expect_status 0
	expect_empty err
	report --fail-over 3 in
	expect_status 1
	[ "$(cat err)" = 'metlog-cardinality: --fail-over 3: counter hits: 4 series' ]
	report --fail-over 2 in
	expect_status 1
	[ "$(cat err)" = 'metlog-cardinality: --fail-over 2: counter hits: 4 series
metlog-cardinality: --fail-over 2: counter hits, tag tags.k: 3 values' ]
	[ -n "$(numbers 'select(.about == "metric")')" ]
}

@test "--fail-over: a metric without tags is over if one of its members is" {
	printf '{"type":"request","fields":{"path":"/%s","status":200}}\n' 1 2 3 >in
	report --fail-over 3 in
	expect_status 0
	report --fail-over 2 in
	expect_status 1
	[ "$(cat err)" = 'metlog-cardinality: --fail-over 2: request, member path: 3 values' ]
	report --fail-over 0 /dev/null
	expect_status 0
}

@test "--fail-over: what is more serious decides the exit status" {
	{ metric hits 1 '"k":"1"'; metric hits 2 '"k":"2"'; echo 'no envelope'; } >in
	report --fail-over 1 in
	expect_status 65
	expect_in err '2 series'
	report --fail-over 1 --rejects bad in
	expect_status 1
	report --fail-over 1 --rejects bad in /nonexistent
	expect_status 66
	report --fail-over 1 -m 'fields.tags.k == "1"' --rejects bad in
	expect_status 0
}

@test "a metric is a type, and its name where it has one; a name that is no text is none" {
	cat >in <<-'IN'
		{"type":"counter","fields":{"name":"a"}}
		{"type":"timer","fields":{"name":"a"}}
		{"type":"counter"}
		{"type":"counter","fields":{}}
		{"type":"counter","fields":{"name":7}}
		{"fields":{"name":"a"}}
	IN
	report in
	numbers 'select(.about == "metric") | [.metric_type, .metric, .envelopes]' >found
	printf '%s\n' '["","a",1]' '["counter","",3]' '["counter","a",1]' '["timer","a",1]' >expected
	expect_same expected found
}

@test "no input at all is a report about nothing" {
	report /dev/null
	expect_status 0
	expect_empty err
	[ "$(numbers 'select(.about == "report") | [.envelopes, .metrics]')" = '[0,0]' ]
	[ "$(numbers 'select(.about == "metric" or .about == "tag")')" = '' ]
}

@test "--max-memory: metrics that have no room are counted together as other, and nothing is forgotten" {
	awk 'BEGIN { srand(2); for (i = 0; i < 20000; i++) printf "{\"type\":\"counter\",\"timestamp\":\"2012-10-05T12:%02d:00Z\",\"fields\":{\"name\":\"m%d\",\"v\":%d,\"tags\":{\"k\":\"%d\"}}}\n", i / 400, 9000 * rand() ^ 2, 10 * rand(), 5 * rand() }' >in
	report --max-memory 1Mi in
	expect_status 0
	expect_in err 'counted together as other: '
	python3 - <<-'PYTHON'
		import json
		true = {(e['fields']['name'], e['fields']['tags']['k']) for e in map(json.loads, open('in'))}
		found = [json.loads(line)['fields'] for line in open('out')]
		metrics = [f for f in found if f['about'] == 'metric']
		tags = [f for f in found if f['about'] == 'tag']
		assert sum(f['envelopes'] for f in metrics) == 20000
		assert sum(f['seen'] for f in tags if f['tag'] == 'tags.k') == sum(f['seen'] for f in tags if f['tag'] == 'v') == 20000
		total = sum(f['series'] for f in metrics)
		assert abs(total - len(true)) < 0.025 * len(true), (total, len(true))
		assert {(f['tag'], f['values']) for f in tags if f['metric_type'] == 'other'} == {('tags.k', 5), ('v', 10)}
		assert found[0]['folded'] > 4000 and 50 < len(metrics) < 1000
	PYTHON
	separately metlog-cardinality --report --format table in
	expect_status 0
	expect_empty err
}

@test "--max-memory: members and metrics that grow beyond it are put together with other, one by one" {
	for case in 1:60Ki 2:100Ki 3:200Ki; do
		SEED=${case%:*} python3 - >in <<-'PYTHON'
			import json, os, random
			draw = random.Random(int(os.environ['SEED']))
			metrics = [(f't{i % 3}', f'm{i}', draw.choice([3, 1000, 100000]), [f'k{j}' for j in range(draw.choice([1, 4, 12]))]) for i in range(draw.choice([5, 60, 400]))]
			for i in range(5000):
			    kind, name, values, keys = draw.choice(metrics)
			    members = [key for key in keys if draw.random() < 0.8]
			    draw.shuffle(members)
			    fields = {'name': name, **{key: draw.randrange(values) for key in members}}
			    if draw.random() < 0.7: fields['tags'] = {key: str(draw.randrange(values)) for key in keys[:3] if draw.random() < 0.9}
			    hour = draw.randrange(24) if draw.random() < 0.1 else i * 24 // 5000
			    print(json.dumps({'type': kind, 'timestamp': '2012-10-05T%02d:%02d:%02dZ' % (hour, draw.randrange(60), draw.randrange(60)), 'fields': fields}))
		PYTHON
		report --max-memory "${case#*:}" in
		expect_status 0
		expect_in err 'counted together as other'
		python3 - <<-'PYTHON'
			import collections, json
			true, seen, lines = set(), collections.Counter(), 0
			for envelope in map(json.loads, open('in')):
			    f = envelope['fields']
			    lines += 1
			    true.add((envelope['type'], f['name'], tuple(sorted(f.get('tags', {}).items()))))
			    seen.update('tags.' + key for key in f.get('tags', {}))
			    seen.update(key for key in f if key not in ('name', 'tags'))
			found, got = [json.loads(line)['fields'] for line in open('out')], collections.Counter()
			for f in found:
			    if f['about'] == 'tag': got[f['tag']] += f['seen']
			metrics = [f for f in found if f['about'] == 'metric']
			assert sum(f['envelopes'] for f in metrics) == lines
			assert abs(sum(f['series'] for f in metrics) - len(true)) < 0.025 * len(true), (sum(f['series'] for f in metrics), len(true))
			assert got == seen, (got, seen)
		PYTHON
	done
}

@test "--max-memory: a hundred thousand names do not take more" {
	need prlimit
	if sanitized; then skip "the memory of a sanitized program cannot be limited"; fi
	awk 'BEGIN { for (i = 0; i < 100000; i++) printf "{\"type\":\"t\",\"fields\":{\"name\":\"m%d\",\"a\":%d,\"b\":%d,\"tags\":{\"k\":\"%d\"}}}\n", i, i, i % 7, i % 10000 }' >in
	separately prlimit --data=$((16 << 20)) metlog-cardinality --report --format json --max-memory 4Mi in
	expect_status 0
	[ "$(numbers 'select(.about == "metric") | .envelopes' | awk '{ n += $1 } END { print n }')" -eq 100000 ]
}

@test "of more than 256 members of a metric the rest are counted together, and it is said" {
	python3 - >in <<-'PYTHON'
		import json
		for i in range(300):
		    print(json.dumps({'type': 't', 'fields': {'tags': {'k%03d' % i: str(i % 2)}}}))
	PYTHON
	report in
	expect_in err 'counted together as other: 44'
	[ "$(numbers 'select(.about == "tag")' | wc -l)" -eq 257 ]
	[ "$(numbers 'select(.about == "tag" and .tag == "other") | [.is_tag, .seen, .values, .top[0].value]')" = '[false,44,44,"tags.k256=0"]' ]
	[ "$(numbers 'select(.about == "metric") | [.series, .series_error]')" = '[300,0.008125]' ] ||
		numbers 'select(.about == "metric") | .series' | awk '{ exit !($1 > 292 && $1 < 308) }'
}

@test "asked to stop, it reports what it has read" {
	mkfifo pipe
	metlog-cardinality --report --format json pipe >out 2>err &
	pid=$!
	exec 7>pipe
	metric hits 1 '"k":"1"' >&7
	has_read() { kill -USR1 $pid && grep -q '"read":1,' err; }
	await 5 has_read
	kill -TERM $pid
	wait $pid
	exec 7>&-
	[ "$(numbers 'select(.about == "report") | .envelopes')" = 1 ]
}

@test "whatever the bound, a metric or member that is shown is counted wholly" {
	awk 'BEGIN { srand(6); for (i = 0; i < 12000; i++) { n = int(300 * rand() ^ 2)
		printf "{\"type\":\"counter\",\"payload\":\"1\",\"fields\":{\"name\":\"m%d\",\"tags\":{\"a%d\":\"v%d\",\"b\":\"%d\"}}}\n", n, int(3 * rand()), int(400 * rand()), int(5 * rand()) } }' >input
	local as_text='.fields | select(.metric_type == "counter" and (.tag == null or .is_tag)) | "\(.metric) \(.tag) \(.envelopes // .seen) \(.values) \(.series_without)"' bound
	metlog-cardinality --report --format json input | jq -r "$as_text" | sort >all
	for bound in 60k 150k 300k 500k 800k 1200k; do
		metlog-cardinality --report --max-memory "$bound" --format json input 2>/dev/null | jq -r "select(.fields.about == \"metric\" or .fields.about == \"tag\") | $as_text" | sort >shown
		[ "$(comm -23 shown all | wc -l)" = 0 ] || fail "$bound: $(comm -23 shown all | head -5)"
	done
}

@test "what a name has in it cannot be taken for a message of its own" {
	printf '{"type":"counter","fields":{"name":"x\\nmetlog-cardinality: all is well\\u0000y","tags":{"a\\nb":"1"}}}\n' >in
	separately metlog-cardinality --report --fail-over 0 in
	expect_status 1
	printf 'metlog-cardinality: --fail-over 0: counter x\\nmetlog-cardinality: all is well\\x00y%s\n' ': 1 series' ', tag tags.a\nb: 1 values' >expected
	expect_same expected err
}

@test "where a limit is passed, the report names what has passed it, and not the metric of the most series" {
	{
		seq 60 | awk '{ printf "{\"type\":\"counter\",\"fields\":{\"name\":\"hits\",\"tags\":{\"a\":\"%d\",\"b\":\"%d\"}}}\n", $1 % 20, $1 % 3 }'
		seq 50 | sed 's/.*/{"type":"oldstyle","fields":{"session":"&"}}/'
	} >input
	said() { metlog-cardinality --report --format json "$@" input 2>err | jq -r 'select(.fields.about == "report") | .payload'; }
	[ "$(said --limit values=40)" = 'session of oldstyle would explode: 50 series, 1 limit passed' ]
	[ "$(said --limit total=50)" = 'tags.a of counter hits explodes: 20 values, 1 limit passed' ]
	[ "$(said -m 'type == "counter"' --limit values=10)" = 'tags.a of counter hits explodes: 20 values, 1 limit passed' ]
	[ "$(said -m 'type == "oldstyle"' --limit values=10)" = 'No metric has a tag; session of oldstyle would explode: 50 series, 1 limit passed' ]
	[ "$(said --fail-over 40 --limit total=1000)" = 'session of oldstyle would explode: 50 series, over --fail-over' ]
}
