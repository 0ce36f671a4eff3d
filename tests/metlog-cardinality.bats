# metlog-cardinality.bats - what metlog-cardinality(1) says of counts: values, groups, addresses, tables, gauges, bounds of memory, how it ends.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load helper
	load cardinality
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	[ -z "${pid-}" ] || kill -9 "$pid" 2>/dev/null || true
}

# counts ARGUMENT...: as JSON, [count, of and group], sorted by text.
counts() { metlog-cardinality --format json "$@" | jq -c '[(.payload | tonumber), .fields.tags]' | sort; }

# expect_lines FILE LINE...: those and no others.
expect_lines() { diff <(printf '%s\n' "${@:2}") "$1"; }

# log LINES: envelopes of five types and a hundred keys (some have none), addresses and names, a few of them strange, drawn with a seed; in "in".
log() {
	python3 - "$1" >in <<-'P'
		import json, random, sys
		rng = random.Random(7)
		odd = ["", "a b", "\u00e4\u6771", "\t\"\\/", "\u0000x", 7, 7.5, True, False, [1, 2], {"b": {}}, "{}", "x" * 600]
		for n in range(int(sys.argv[1])):
		    fields = {"ip": "10.%d.%d.%d" % (rng.randrange(3), rng.randrange(256), rng.randrange(256))}
		    if rng.random() < .9:
		        fields["key"] = odd[n % len(odd)] if rng.random() < .1 else "k%d" % (rng.random() ** 3 * 100)
		    if rng.random() < .5:
		        fields["name"] = None if rng.random() < .2 else "n%d" % rng.randrange(400)
		    print(json.dumps({"type": rng.choice("abcde"), "fields": fields}, ensure_ascii=rng.random() < .5, separators=(",", ":")))
	P
}

# truth OF BY...: [count, tags] of the fields OF of "in" by the members BY, by Python; a member is "type" or a name in fields.
truth() {
	python3 - "$@" <<-'P' | sort
		import json, sys
		def text(value): return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
		def member(e, name): return e["type"] if name == "type" else e["fields"].get(name)
		values = {}
		for line in open("in"):
		    e = json.loads(line)
		    for of in sys.argv[1].split(","):
		        if member(e, of) is None: continue
		        group = (("of", "fields." + of),) + tuple((by, text(member(e, by))) for by in sys.argv[2:] if member(e, by) is not None)
		        values.setdefault(group, set()).add(text(member(e, of)))
		for group, found in values.items():
		    print(json.dumps([len(found), dict(group)], separators=(",", ":"), ensure_ascii=False))
	P
}

# --- what is counted ---------------------------------------------------------------

@test "the different values of a member are counted, exactly while there are few" {
	log 300
	[ "$(total --of fields.ip in)" = "$(jq -r .fields.ip in | sort -u | wc -l)" ]
	[ "$(total --of type in)" = 5 ]
	[ "$(total --of fields.ip <in)" = "$(total --of fields.ip in)" ]
}

@test "for each set of values of --by members on its own, whatever is in them" {
	log 2000
	truth name type key >expected
	counts --of fields.name --by type,fields.key in >got
	diff <(grep -v xxxx expected) <(grep -v xxxx got)
}

@test "a --by value of more than 512 bytes is cut there, and its hash put behind, so that different ones stay apart" {
	python3 - >in <<-'P'
		import json
		for key in ("x" * 512, "x" * 513, "x" * 512 + "y", "\u00e4" * 300, "x" * 511 + "\u00e4"):
		    print(json.dumps({"fields": {"id": 1, "key": key}}))
	P
	metlog-cardinality --of fields.id --by fields.key in | jq -r .fields.key | LC_ALL=C sort >got
	[ "$(wc -l <got)" = 5 ]
	[ "$(grep -cE '^x{512}$' got)" = 1 ]
	[ "$(grep -cE '^x{512}#[0-9a-f]{16}$' got)" = 2 ]
	[ "$(grep -cE '^x{511}#[0-9a-f]{16}$' got)" = 1 ]
	[ "$(LC_ALL=C.UTF-8 grep -cE '^ä{256}#[0-9a-f]{16}$' got)" = 1 ]
}

@test "null and absent are no values; 7 and \"7\" are one; an object is its JSON text" {
	lines '{"v":null}' '{}' '{"v":7}' '{"v":"7"}' '{"v":7.0}' '{"v":{"a":1}}' '{"v":"{\"a\":1}"}' '{"v":true}' '{"v":"\u0074rue"}' '{"v":""}' >in
	[ "$(total --of fields.v in)" = 5 ]
	[ "$(metlog-cardinality --of fields.v in | jq .fields.seen)" = 8 ]
}

@test "as a group, null and absent are one, which the gauge does not name" {
	lines '{"v":1,"k":null}' '{"v":2}' '{"v":3,"k":"null"}' >in
	counts --of fields.v --by fields.k in >got
	expect_lines got '[1,{"of":"fields.v","k":"null"}]' '[2,{"of":"fields.v"}]'
}

@test "several members are counted in one pass, each in its own row" {
	log 1000
	truth name,ip type >expected
	counts --of fields.name --of fields.ip --by type in >got
	expect_same expected got
	diff <(counts --of fields.name,fields.ip --by type in) got
}

@test "NAME=FIELD gives another name; without one a --by field goes by its last segment" {
	lines '{"a":{"b":1},"c":"x"}' >in
	counts --of id=fields.a.b --by fields.c,kind=type in >got
	expect_lines got '[1,{"of":"id","c":"x","kind":"t"}]'
}

@test "a name that would stand twice in a gauge is a usage error" {
	for by in fields.name fields.rate x.tags x=type,fields.x; do
		separately metlog-cardinality --of fields.id --by "$by" </dev/null
		expect_status 64
		expect_in "$err" "=" || return
	done
}

@test "what -m, --since and --until do not take is not counted" {
	printf '{"type":"%s","timestamp":"2012-10-05T12:00:0%dZ","fields":{"id":%d}}\n' a 1 1 a 2 2 b 3 3 a 4 4 >in
	[ "$(total --of fields.id -m 'type == "a"' in)" = 3 ]
	[ "$(total --of fields.id -S 2012-10-05T12:00:02Z -U 2012-10-05T12:00:04Z in)" = 2 ]
}

@test "thousands are estimated within 2.5 percent, and the error is told: 0 while exact, then 0.0081" {
	numbers 1 256 >in
	metlog-cardinality --of fields.id in | jq -c '[.payload, .fields.error]' >got
	expect_lines got '["256",0]'
	for n in 1000 10000 50000; do
		numbers 1 $n >in
		[ "$(metlog-cardinality --of fields.id in | jq .fields.error)" = 0.0081 ]
		near $n "$(total --of fields.id in)"
	done
}

@test "neither repeats nor the order of the input change a count" {
	numbers 1 5000 >in
	first=$(total --of fields.id in)
	[ "$(cat in in | shuf --random-source=in | metlog-cardinality --of fields.id | jq -r .payload)" = "$first" ]
}

@test "without input the total is 0, and by group there is nothing" {
	[ "$(total --of fields.id </dev/null)" = 0 ]
	[ "$(printf '\n \n' | metlog-cardinality --of fields.id,type | jq -r .payload | tr -d '\n')" = 00 ]
	separately metlog-cardinality --of fields.id --by type </dev/null
	expect_status 0
	expect_empty "$out"
}

@test "a member that no envelope has is told of where a \"fields.\" may have been forgotten, and only there" {
	printf '{"type":"a","fields":{"ip":"%s"}}\n' 1 2 >in
	separately metlog-cardinality --of type,ip in
	expect_status 0
	[ "$(cat "$err")" = 'metlog-cardinality: --of ip: no envelope has it; what stands in fields is written as fields.ip' ]
	for quiet in '--of ip --quiet' '--of ip -m type==NIL' '--of fields.address' '--of logger,severity' '--of ip --ip'; do
		# shellcheck disable=SC2086
		separately metlog-cardinality $quiet in
		expect_status 0
		expect_empty "$err" || fail "$quiet"
	done
	echo '{"ip":"here"}' >>in
	separately metlog-cardinality --of ip --by type in
	expect_empty "$err"
}

@test "a malformed line is a reject, and the others count" {
	printf '%s\n' '{"fields":{"id":1}}' '{"fields":{"id":' '{"fields":{"id":2}}' >in
	separately metlog-cardinality --of fields.id --stats stats in
	expect_status 65
	expect_in "$err" 'in:2'
	[ "$(jq -r .payload "$out")" = 2 ]
	[ "$(jq -c '[.fields.read, .fields.passed, .fields.rejected]' stats)" = '[3,2,1]' ]
	separately metlog-cardinality --of fields.id --rejects bad in
	expect_status 0
	[ "$(jq -r .type bad)" = metlog.reject ]
}

# --- addresses ---------------------------------------------------------------------

@test "--ip: an address is counted once however it is written, and what is none, or nothing, is 127.0.0.1" {
	lines '{"ip":"2001:DB8:0:0:0:0:0:1"}' '{"ip":"2001:db8::1"}' '{"ip":"2001:0db8::0001"}' '{"ip":"::FFFF:192.0.2.1"}' '{"ip":"::ffff:c000:201"}' \
		'{"ip":"192.0.2.1"}' '{"ip":"127.0.0.1"}' '{"ip":"127.0.0.1 "}' '{"ip":"127.0.0.256"}' '{"ip":"0127.0.0.1"}' '{"ip":"1.2.3"}' '{"ip":"::1%lo"}' \
		'{"ip":"192.0.2.1\u0000"}' '{"ip":""}' '{"ip":7}' '{"ip":null}' '{}' '{"ip":"[::1]"}' >in
	[ "$(total --ip --of fields.ip in)" = 4 ]
	metlog-cardinality --ip --of fields.ip --sketch s in >/dev/null
	lines '{"ip":"2001:db8::1"}' '{"ip":"::ffff:192.0.2.1"}' '{"ip":"192.0.2.1"}' '{"ip":"127.0.0.1"}' | metlog-cardinality --of fields.ip --sketch expected >/dev/null
	diff <(redis registers expected) <(redis registers s)
}

@test "--ip writes IPv6 as Python's ipaddress does" {
	python3 - <<-'P'
		import ipaddress, json, random
		rng = random.Random(3)
		with open("in", "w") as raw, open("canonical", "w") as canonical:
		    for _ in range(3000):
		        groups = [rng.choice([0, 0, 0, 1, rng.randrange(65536)]) for _ in range(8)]
		        if groups[:5] == [0] * 5 or rng.random() < .2: groups[0] = 0x2001
		        text = rng.choice([":".join("%x" % g for g in groups), ":".join("%04X" % g for g in groups), str(ipaddress.IPv6Address(":".join("%x" % g for g in groups)))])
		        print(json.dumps({"fields": {"ip": text}}), file=raw)
		        print(json.dumps({"fields": {"ip": str(ipaddress.ip_address(text))}}), file=canonical)
	P
	metlog-cardinality --ip --of fields.ip --sketch s in >/dev/null
	metlog-cardinality --of fields.ip --sketch expected canonical >/dev/null
	expect_same expected s
}

# --- how it is shown ---------------------------------------------------------------

@test "a gauge has name, rate, of, the group, seen and error; and of and the group as tags" {
	lines '{"id":1,"key":"k"}' '{"id":2,"key":"k"}' '{"id":2,"key":"k"}' >in
	metlog-cardinality --of fields.id --by fields.key in >got
	jq -c '[.type, .payload, .logger, .severity, .env_version, .fields]' got >fields
	expect_lines fields '["gauge","2","metlog-cardinality",6,"0.8",{"name":"cardinality","rate":1,"of":"fields.id","key":"k","seen":3,"error":0,"tags":{"of":"fields.id","key":"k"}}]'
	jq -r .timestamp got | grep -qE '^20[0-9-]*T[0-9:.]*Z$'
}

@test "with --name, \"of\" is said only among several" {
	lines '{"id":1}' >in
	[ "$(metlog-cardinality --name users --of fields.id in | jq -c '[.fields.name, .fields.tags]')" = '["users",{}]' ]
	[ "$(metlog-cardinality --name users --of fields.id,type in | jq -c .fields.tags.of | tr -d '\n')" = '"fields.id""type"' ]
}

@test "counts pipe into metlog-to-statsd" {
	lines '{"id":1,"key":"k"}' '{"id":2,"key":"k"}' | metlog-cardinality --name users --of fields.id --by fields.key >got
	metlog-to-statsd --tags dogstatsd --dry-run got >statsd
	expect_lines statsd 'users:2|g|#key:k'
}

@test "the largest count comes first; of equal ones the order is that of their names" {
	lines '{"id":1,"k":"b"}' '{"id":1,"k":"c"}' '{"id":2,"k":"c"}' '{"id":1,"k":"a"}' >in
	[ "$(metlog-cardinality --of fields.id --by fields.k in | jq -r .fields.k | tr -d '\n')" = cab ]
}

@test "a table has its numbers to the right, and says of each whether it is exact" {
	{ numbers 1 12345 | sed 's/{"id"/{"key":"many","id"/'; lines '{"key":"few","id":1}' '{"id":1}' '{"key":"few","id":1}'; } >in
	metlog-cardinality --of fields.id --by fields.key --format table in >got
	estimate=$(metlog-cardinality --of fields.id --by fields.key in | jq -r 'select(.fields.key == "many").payload')
	expect_lines got 'key   distinct    error    seen' "many    ${estimate%???},${estimate: -3}  ± 0.8 %  12,345" 'few          1    exact       2' '-            1    exact       1'
}

@test "columns are as wide as what is shown, wide characters two and combining ones none" {
	lines '{"id":1,"k":"東京"}' '{"id":1,"k":"e\u0301tat"}' '{"id":1,"k":"x"}' | metlog-cardinality --of fields.id --by fields.k --format table >got
	expect_lines got 'k     distinct  error  seen' $'e\xcc\x81tat         1  exact     1' 'x            1  exact     1' '東京         1  exact     1'
}

@test "it is a table at a terminal, of its width, with long values cut; and gauges elsewhere" {
	need python3
	lines '{"id":1,"k":"'"$(printf 'long%.0s' {1..60})"'","w":"東京東京"}' '{"id":1,"k":"x","w":"y"}' >in
	python3 - "$TOOLS/metlog-cardinality" >got <<-'P'
		import fcntl, os, pty, struct, subprocess, sys, termios
		master, slave = pty.openpty()
		fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
		subprocess.run([sys.argv[1], "--of", "fields.id", "--by", "fields.k,fields.w", "in"], stdout=slave, check=True)
		os.close(slave)
		text = b""
		try:
		    while piece := os.read(master, 65536): text += piece
		except OSError: pass
		sys.stdout.write(text.decode().replace("\r\n", "\n"))
	P
	grep -q '^k  *w  *distinct  error  seen$' got
	grep -q '^long.*long.*…  東京東京  ' got
	python3 -c 'import unicodedata
for line in open("got", encoding="utf-8"):
    width = sum(2 if unicodedata.east_asian_width(c) == "W" else 1 for c in line.rstrip("\n"))
    assert width == 80, (width, line)'
}

@test "what is in a value cannot drive the terminal, and nothing is coloured unless it is wanted" {
	lines '{"id":1,"k":"\u001b[31mred\u009b\u202e\n\ttail"}' >in
	metlog-cardinality --of fields.id --by fields.k --format table in >got
	expect_in got '\x1b[31mred\u{9b}\u{202e}\n\ttail' || expect_in got '\x1b[31mred'
	[ "$(grep -c $'[\001-\011\013-\037]' got)" = 0 ]
	[ "$(wc -l <got)" = 2 ]
	metlog-cardinality --of fields.id --by fields.k --format table --color=always in >colored
	grep -q $'\033\\[1mk' colored
}

@test "LC_ALL changes nothing" {
	numbers 1 5000 >in
	LC_ALL=de_DE.UTF-8 metlog-cardinality --of fields.id --format table in >german
	metlog-cardinality --of fields.id --format table in >expected
	expect_same expected german
	grep -q '± 0.8 %' german
}

# --- exactly -----------------------------------------------------------------------

@test "--exact counts exactly however many there are, by group and several members at once" {
	log 6000
	counts --exact --of fields.ip,fields.name --by type in >got
	truth ip,name type >expected
	expect_same expected got
	[ "$(metlog-cardinality --exact --of fields.ip in | jq .fields.error)" = 0 ]
}

@test "--exact says when it must give up, and goes on with estimates that are marked" {
	{ lines '{"k":"small","id":1}'; numbers 1 20000 | sed 's/{"id"/{"k":"big","id"/'; } >in
	separately metlog-cardinality --exact --max-memory 1M --of fields.id --by fields.k in
	expect_status 0
	at=$(sed -nE 's/.*--exact: --max-memory is reached with ([0-9]+) values, at line ([0-9]+) of in.*/\1 \2/p' "$err")
	[ -n "$at" ]
	[ "$((${at% *} + 1))" = "${at#* }" ] # the values kept are those of the lines before
	jq -c '[.fields.k, .fields.error]' "$out" >got
	expect_lines got '["big",0.0081]' '["small",0]'
	near 20000 "$(jq -r 'select(.fields.k == "big").payload' "$out")"
	[ "$(jq -r 'select(.fields.k == "big").payload' "$out")" = "$(total --of fields.id -m 'fields.k == "big"' in)" ]
}

# --- memory ------------------------------------------------------------------------

# peak COMMAND...: its standard output to "got", and its peak memory in KiB.
peak() { python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=open("got", "w"), stderr=open("err", "w"), check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@"; }

@test "what has no room is counted together as other, with a warning that says how many groups that is" {
	awk 'BEGIN { for (i = 0; i < 60000; i++) printf "{\"fields\":{\"key\":\"k%05d\",\"id\":\"%d\"}}\n", i % 20000, i }' >in
	separately metlog-cardinality --max-memory 500k --name n --of fields.id --by fields.key in
	expect_status 0
	kept=$(jq -c 'select(.fields.other | not)' "$out" | wc -l)
	lost=$(sed -nE 's/.*--max-memory: no room for about ([0-9]+) groups beside ([0-9]+):.*/\1 \2/p' "$err")
	[ "${lost#* }" = "$kept" ]
	near $((20000 - kept)) "${lost% *}"
	jq -c 'select(.fields.other) | [.fields.tags, .fields.seen]' "$out" >other
	[ "$(jq -c '.[0]' other)" = '{"key":"other"}' ]
	# Nothing is lost: what was seen adds up, and the other row counts what the groups do not.
	[ "$(jq .fields.seen "$out" | paste -sd+ | bc)" = 60000 ]
	near $((60000 - $(jq -r 'select(.fields.other | not).payload' "$out" | paste -sd+ | bc))) "$(jq -r 'select(.fields.other).payload' "$out")"
	# Those that are shown are whole.
	[ "$(jq -r 'select(.fields.other | not).payload' "$out" | sort -u)" = 3 ]
}

@test "a group that must grow and may not is folded into other with all it has" {
	awk 'BEGIN { for (i = 0; i < 40000; i++) printf "{\"fields\":{\"key\":\"k%02d\",\"id\":\"%d\"}}\n", i % 40, i }' >in
	separately metlog-cardinality --max-memory 40k --of fields.id --by fields.key in
	expect_status 0
	kept=$(jq -c 'select(.fields.other | not)' "$out" | wc -l)
	[ "$kept" -gt 2 ] && [ "$kept" -lt 38 ] || fail "$kept kept"
	expect_in "$err" "no room for $((40 - kept)) groups beside $kept:"
	[ "$(jq .fields.seen "$out" | paste -sd+ | bc)" = 40000 ]
	[ "$(jq 'select(.fields.other).fields.seen' "$out")" = $(((40 - kept) * 1000)) ]
	near $(((40 - kept) * 1000)) "$(jq -r 'select(.fields.other).payload' "$out")"
}

@test "--max-memory is what it says" {
	sanitized && skip "a sanitizer has memory of its own"
	awk 'BEGIN { for (i = 0; i < 150000; i++) printf "{\"fields\":{\"key\":\"k%05d\",\"id\":\"%d\"}}\n", i % 15000, i }' >in
	least=$(peak metlog-cardinality --of fields.id in)
	small=$(peak metlog-cardinality --max-memory 100k --of fields.id --by fields.id in)
	[ "$((small - least))" -lt 1024 ] || fail "100k: $small KiB, one sketch: $least KiB"
	small=$(peak metlog-cardinality --max-memory 100k --of fields.id --by fields.key in)
	large=$(peak metlog-cardinality --max-memory 2M --of fields.id --by fields.key in)
	[ "$((large - small))" -lt 2600 ] || fail "2M: $large KiB, 100k: $small KiB"
	# Ten values a group, and as many groups as that: 400 MiB for a million of them.
	all=$(peak metlog-cardinality --of fields.id --by fields.key in)
	[ "$((all - small))" -lt $((15000 * 400 * 1024 / 1000000)) ] || fail "all: $all KiB, 100k: $small KiB"
}

@test "a line of 50 MB is one reject and little memory" {
	sanitized && skip "a sanitizer has memory of its own"
	{ lines '{"id":1}'; head -c 50000000 /dev/zero | tr '\0' x; echo; lines '{"id":2}'; } >in
	[ "$(peak metlog-cardinality --rejects bad --of fields.id in)" -lt 16384 ]
	[ "$(jq -r .payload got)" = 2 ]
}

# --- how it ends -------------------------------------------------------------------

@test "SIGTERM: what there is so far is shown, and the status is 0" {
	mkfifo pipe
	metlog-cardinality --stats stats --of fields.id <pipe >got 2>err &
	pid=$!
	exec 7>pipe
	numbers 1 100 >&7
	await 10 catches "$pid" 10
	await 10 eval 'kill -USR1 $pid && grep -q "\"read\":100" err'
	kill -TERM "$pid"
	wait "$pid" || fail "status $?: $(cat err)"
	exec 7>&-
	pid=''
	[ "$(jq -r .payload got)" = 100 ]
}

@test "a full disk behind standard output is 74" {
	numbers 1 3 >in
	run metlog-cardinality --of fields.id in >/dev/full
	separately sh -c 'metlog-cardinality --of fields.id in >/dev/full'
	expect_status 74
	expect_in "$err" 'standard output'
}

@test "closed standard streams: no input is 66, no output 74" {
	numbers 1 3 >in
	separately sh -c 'metlog-cardinality --of fields.id <&-'
	expect_status 66
	separately sh -c 'metlog-cardinality --of fields.id in >&-'
	expect_status 74
}

@test "whatever the bound, a group that is shown is counted wholly, and other is the union of all that are not" {
	awk 'BEGIN { srand(5); for (i = 0; i < 12000; i++) printf "{\"fields\":{\"ip\":\"v%d\",\"key\":\"g%d\"}}\n", int(600 * rand()), int(400 * rand() ^ 2) }' >input
	local as_text='"\(.fields.key) \(.payload) \(.fields.seen)"' bound
	metlog-cardinality --of fields.ip --by fields.key --format json input | jq -r "$as_text" | sort >all
	for bound in 10k 25k 40k 50k 60k 75k 90k 120k; do
		metlog-cardinality --of fields.ip --by fields.key --max-memory "$bound" --format json input 2>/dev/null >rows
		jq -r "select(.fields.other | not) | $as_text" rows | sort >shown
		[ "$(comm -23 shown all | wc -l)" = 0 ] || fail "$bound: $(comm -23 shown all | head -5)"
		[ "$(jq '.fields.seen' rows | awk '{ n += $1 } END { print n }')" = 12000 ]
	done
}

@test "options that make no sense together are usage errors" {
	for wrong in '' '--by type' '--of fields.id --sketch s --by type' '--of fields.id,type --sketch s' '--exact --of fields.id --sketch s' '--merge --of fields.id' \
		'--merge -m type==NIL' '--merge --reduce' '--of fields.id --format xml' '--of fields..id' '--of =fields.id' '--of fields.id,fields.id' \
		'--of fields.id --interval 1d,1d --state s' '--of fields.id --top 3' '--of fields.id --sketch -' '--of fields.id --name=' '--report --name x' '--report --html -' \
		'--of fields.id --sketch=' '--report --html=' '--of fields.id --interval 1d --state=' '--guard --rules=' '--guard --rule tag --format json'; do
		# shellcheck disable=SC2086
		separately metlog-cardinality $wrong </dev/null
		expect_status 64 || fail "$wrong"
	done
}
