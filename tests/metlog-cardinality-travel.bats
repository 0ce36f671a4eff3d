# metlog-cardinality-travel.bats - groups and sketches as lines: --map, --reduce, both, and what sort, xargs and Hadoop do in between.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
}

# log LINES [SEED]: envelopes with a few types, forty keys (some without), addresses of which keys have from one to thousands, and a name that is sometimes null.
log() {
	awk -v n="$1" -v seed="${2:-1}" 'BEGIN {
		srand(seed)
		for (i = 0; i < n; i++) {
			key = int(40 * rand() ^ 3)
			pairs = sprintf("\"ip\":\"10.%d.%d.%d\"", key, int(rand() * (key + 1)) % 256, int(256 * rand()))
			if (key) pairs = pairs sprintf(",\"api_key\":\"k %d\"", key)
			if (rand() < 0.3) pairs = pairs (rand() < 0.5 ? ",\"user\":null" : sprintf(",\"user\":\"\\u00e4\\t\\\"%d\"", int(900 * rand())))
			printf "{\"type\":\"%s\",\"fields\":{%s}}\n", rand() < 0.5 ? "locate" : "submit", pairs
		}
	}'
}

# shellcheck disable=SC2054
what=(--of fields.ip,fields.user --by key=fields.api_key,type)

# counts ARGUMENT...: as envelopes, without what differs from run to run.
counts() { metlog-cardinality --format json "$@" | jq -cS '[.payload, .fields]' | sort; }

# parts FILE: cuts it into seven files of different sizes, each line into one of them at random.
parts() {
	awk 'BEGIN { srand(7) } { print >"part." int(7 * rand() ^ 2) }' "$1"
	[ "$(find . -name 'part.?' | wc -l)" -eq 7 ]
}

# map_parts: one process for each part, three at a time, each into a file of its own.
map_parts() {
	find . -name 'part.?' -printf '%f\0' | xargs -0 -P 3 -I {} sh -c 'exec metlog-cardinality --map "$@" {} >map.{}' - "${what[@]}"
}

@test "--map writes a line for each thing counted and group: a key of JSON, a TAB, the sketch, how many values were seen" {
	log 3000 >input
	metlog-cardinality "${what[@]}" --map input >lines
	# jq, from the input: what is counted, the group, the values that are there.
	jq -c '{ip: .fields.ip, user: .fields.user} as $values | {key: .fields.api_key, type: .type} as $group |
		("ip", "user") | select($values[.] != null) | {of: ("fields." + .)} + $group' input | sort | uniq -c | awk '{ n = $1; sub(/^ *[0-9]+ /, ""); print $0 "\t" n }' | sort >expected
	[ "$(wc -l <expected)" -gt 100 ]
	awk -F '[\t ]' '{ print }' lines | sed -E 's/\t[^ ]* /\t/' | sort | cmp - expected
	# A set of up to 256 values is its hashes, so as many as there are different values.
	jq -r 'select(.fields.api_key == "k 1" and .type == "submit") | .fields.ip' input | sort -u | wc -l >different
	[ "$(cat different)" -gt 5 ] && [ "$(cat different)" -le 256 ]
	[ "$(grep -F '{"of":"fields.ip","key":"k 1","type":"submit"}' lines | sed -E 's/.*\t=([^ ]*) .*/\1/' | base64 -d | wc -c)" -eq $((6 * $(cat different))) ]
}

@test "the lines are sorted by their keys as LC_ALL=C sort does it, whatever characters are in them" {
	printf '{"type":"%s","logger":"%s","fields":{"a\\"b":1}}\n' '' '' a a 'a b' b '\u00e9' '\ud83d\ude00' '\u0001' '"' '\"' '\\' '~' '}' ',' ',' '}' '\u007f' zz ' ' >raw
	grep -v '"""' raw >input
	metlog-cardinality --of type,logger,'x"y=fields.a"b' --by type,logger --map input >lines
	metlog-cardinality --of type,'ty=type','t}=logger','ty!=type','ty =type','ty#=type' --map input >>lines.total
	metlog-cardinality --of type --by logger --map --max-memory 0 input >>lines.total
	[ "$(wc -l <lines)" -eq 27 ]
	LC_ALL=C sort -c lines
	LC_ALL=C sort lines.total >sorted
	metlog-cardinality --reduce --map lines.total | cut -f 1 >keys
	cut -f 1 sorted | uniq | cmp - keys
}

@test "maps of parts, sorted and reduced, count what one run counts" {
	log 60000 >input
	parts input
	map_parts
	sort map.part.* >lines
	counts "${what[@]}" input >expected
	[ "$(wc -l <expected)" -gt 100 ]
	counts --reduce lines >got
	expect_same got expected
}

@test "--reduce merges lines in any order, and from any number of files" {
	log 20000 >input
	parts input
	map_parts
	counts "${what[@]}" input >expected
	cat map.part.* | shuf --random-source=input >lines
	counts --reduce lines >got
	expect_same got expected
	counts --reduce map.part.* >got
	expect_same got expected
	counts --reduce <lines >got
	expect_same got expected
}

@test "lines given to three reducers by their keys, as Hadoop does it, count together what one run counts" {
	log 30000 >input
	parts input
	map_parts
	# Java's String.hashCode of the key, without its sign, modulo the reducers.
	sort map.part.* | python3 -c '
import sys
to = [open("in.%d" % i, "w") for i in range(3)]
for line in sys.stdin:
	code = 0
	for c in line.split("\t")[0].encode("utf-16-be")[1::2]:
		code = (31 * code + c) & 0x7fffffff
	to[code % 3].write(line)'
	counts "${what[@]}" input >expected
	for i in 0 1 2; do
		[ -s "in.$i" ]
		counts --reduce "in.$i" >"out.$i"
	done
	sort out.? >got
	expect_same got expected
}

@test "--reduce --map writes lines again: a combiner, before the reducer or between two" {
	log 30000 >input
	parts input
	map_parts
	cat map.part.[0-3] | metlog-cardinality --reduce --map >first
	cat map.part.[4-6] | metlog-cardinality --reduce --map | shuf --random-source=input >second
	[ "$(wc -l <first)" -eq "$(cut -f 1 map.part.[0-3] | sort -u | wc -l)" ]
	counts "${what[@]}" input >expected
	counts --reduce second first >got
	expect_same got expected
	# Lines with nothing to unite come out as they went in.
	metlog-cardinality --reduce --map map.part.2 | cmp - map.part.2
}

@test "an input without a line is an answer too: no lines, no counts, status 0" {
	separately metlog-cardinality "${what[@]}" --map
	expect_status 0
	expect_empty "$out"
	separately metlog-cardinality --reduce --map
	expect_status 0
	expect_empty "$out"
	separately metlog-cardinality --reduce --format json
	expect_status 0
	expect_empty "$out"
}

# bad REASON COLUMN LINE: puts the line among good ones, and what has to be said of it into `expected`.
bad() {
	printf '%s\n%s\t=AgAAAAEA 4\n' "$3" '{"of":"ip","k":"a"}' >>lines
	printf '%s:%s\n' "$2" "$1" >>expected
}

@test "a line that is none is rejected with its number, the place and the reason, and nothing of it is counted" {
	printf '%s\t=AQAAAAEA 3\n' '{"of":"ip","k":"a"}' >lines
	local good=$'\t=AwAAAAEA 1'
	none='its key is not "of" and a group'
	bad 'no TAB in it' 1 'what is this'
	bad 'no TAB in it' 1 '{"of":"ip","k":"a"} =AwAAAAEA 1'
	bad "$none" 1 "$good"
	bad "$none" 1 "{}$good"
	bad "$none" 1 "{\"k\":\"a\"}$good"
	bad "$none" 1 "{\"k\":\"a\",\"of\":\"ip\"}$good"
	bad "$none" 1 "{\"of\":null,\"k\":\"a\"}$good"
	bad "$none" 1 "{\"of\":\"ip\", \"k\":\"a\"}$good"
	bad "$none" 1 "{\"of\":\"ip\",\"k\":7}$good"
	bad "$none" 1 "{\"of\":\"ip\",\"k\":\"\\u0061\"}$good"
	bad "$none" 1 "{\"of\":\"\\u0069p\",\"k\":\"a\"}$good"
	bad "$none" 1 "{\"of\":\"ip\",\"k\":\"a\"$good"
	bad "$none" 1 "{\"of\":\"ip\",\"k\":\"a\"}}$good"
	bad "$none" 1 "{\"of\":\"ip\",}$good"
	bad "$none" 1 "{\"of\":\"ip\"\"k\":\"a\"}$good"
	bad "$none" 1 "{\"of\":\"ip\",\"k\":\"$(printf '\377')\"}$good"
	bad 'its key has "of" twice' 1 "{\"of\":\"ip\",\"of\":\"ip\"}$good"
	bad 'its key has "other" in it' 1 "{\"of\":\"ip\",\"other\":\"x\"}$good"
	bad 'its key has "other" in it' 1 "{\"of\":\"ip\",\"k\":\"a\",\"other\":\"other\"}$good"
	bad "$none" 1 "{\"of\":\"ip\",\"k\":\"a\",\"k\":\"b\"}$good"
	bad "$none" 1 "{\"of\":\"ip\",\"k\":\"a\",\"l\":null,\"k\":null}$good"
	local taken
	for taken in name rate tags interval seen error; do
		bad 'its key has a name in it that counts have themselves' 1 "{\"of\":\"ip\",\"k\":\"a\",\"$taken\":\"b\"}$good"
	done
	local key='{"of":"ip","k":"a"}'
	bad 'no number of values behind its sketch' 21 "$key"$'\t=AwAAAAEA'
	bad 'no number of values behind its sketch' 21 "$key"$'\t'
	local many
	for many in '' x -1 1.0 99999999999999999999 ' 1' '1 '; do
		bad 'the number of values behind its sketch is none' 31 "$key"$'\t=AwAAAAEA '"$many"
	done
	local sketch
	for sketch in '' =AwAAAA =AwAAAAA* '=AwAAAAA=' AwAAAAEA SFlMTA== "SFlMTA$(printf 'A%.0s' {1..40})" "=AwAAAAEAAwAAAAEA" "SFlMTAEAAAAAAEAAAAAAgA=="; do
		bad '' 21 "$key"$'\t'"$sketch 1"
	done
	separately metlog-cardinality --reduce --map --rejects dead lines
	expect_status 0
	cases=$(wc -l <expected)
	[ "$cases" -gt 30 ]
	printf '%s\t=AQAAAAEAAgAAAAEA %d\n' '{"of":"ip","k":"a"}' $((3 + 4 * cases)) | cmp - "$out" || fail "counted: $(cat "$out")"
	jq -r '"\(.fields.line) \(.fields.column):\(.fields.reason)"' dead | paste -d '|' - expected | awk '{
		split($0, half, "|"); line = half[1] + 0; sub(/^[0-9]+ /, "", half[1])
		if (line != 2 * NR || index(half[1], half[2]) != 1) { print; wrong = 1 }
	} END { exit wrong || NR != '"$cases"' }' || fail "not as expected"
}

@test "rejected lines are kept by --rejects, each with its number, and --strict ends at the first" {
	log 3000 >input
	metlog-cardinality "${what[@]}" --map input >lines
	sed '5s/=/!/; 9s/\t/ /' lines >broken
	separately metlog-cardinality --reduce --map --rejects dead --stats books broken
	expect_status 0
	sed '9d; 5d' lines | cmp - "$out"
	[ "$(jq -c '[.type, .fields.source, .fields.line]' dead | paste -sd ' ')" = '["metlog.reject","broken",5] ["metlog.reject","broken",9]' ]
	jq -r .payload dead >again
	sed -n '5p; 9p' broken | cmp - again
	jq -e '.fields.read == .fields.passed + 2 and .fields.rejected == 2' books
	separately metlog-cardinality --reduce --map --strict broken
	expect_status 65
	expect_in "$err" 'broken:5: '
}

@test "what a map had no room for travels as the group other, and stays it in the reduce" {
	log 30000 >input
	parts input
	for i in part.?; do metlog-cardinality --of fields.ip --by key=fields.api_key,type --map --max-memory 20k "$i" >"map.$i" 2>>warnings; done
	expect_in warnings 'no room for'
	grep -cF '{"of":"fields.ip","other":"other"}' map.part.* >counted
	[ "$(grep -c ':1$' counted)" -ge 3 ]
	separately metlog-cardinality --reduce --format json map.part.*
	expect_status 0
	expect_in "$err" 'as other'
	# Every value is in a group or in the other one; and of what is seen nothing is lost.
	jq -s 'map(.fields.seen) | add' "$out" >got
	jq -r '.fields.ip | select(. != null)' input | wc -l | cmp - got
	[ "$(jq -c 'select(.fields.other) | .fields.tags' "$out")" = '{"of":"fields.ip","key":"other","type":"other"}' ]
	metlog-cardinality --reduce --map map.part.* 2>/dev/null | metlog-cardinality --reduce --format json 2>/dev/null | jq -c '[.payload, .fields]' >again
	jq -c '[.payload, .fields]' "$out" | cmp - again
}

@test "--max-memory bounds the reduce over all that is counted, and what has no room is one group other for each" {
	seq 4000 | awk '{ printf "{\"fields\":{\"k\":\"%d\",\"a\":%d,\"b\":%d}}\n", $1 % 2000, $1, $1 % 10 }' >input
	metlog-cardinality --of fields.a,fields.b --by fields.k --map input >lines
	separately metlog-cardinality --reduce --max-memory 100k --format json lines
	expect_status 0
	[ "$(jq -c 'select(.fields.other) | .fields.of' "$out" | sort | paste -sd ' ')" = '"fields.a" "fields.b"' ]
	[ "$(jq -s 'map(.fields.seen) | add' "$out")" -eq 8000 ]
	[ "$(jq -r 'select(.fields.other and .fields.of == "fields.b") | .payload' "$out")" -eq 10 ]
	[ "$(wc -l <"$out")" -lt 2000 ]
	# The bound is that of both together: either alone keeps more groups.
	for of in a b; do metlog-cardinality --reduce --max-memory 100k --format json -m "fields.of == \"fields.$of\"" lines 2>/dev/null; done | wc -l >alone
	[ $(($(wc -l <"$out") * 5)) -le $(($(cat alone) * 4)) ] || fail "$(wc -l <"$out") counts, and $(cat alone) where each had it all"
	# What is counted without groups has no bound, as in one run.
	metlog-cardinality --of fields.a --map input >total
	[ "$(metlog-cardinality --reduce --max-memory 0 --format json total | jq -c '[.fields.other, .fields.seen]')" = '[null,4000]' ]
}

@test "--reduce --by counts again by fewer members of the lines' groups; -m takes lines by what their groups have" {
	log 20000 >input
	parts input
	map_parts
	counts --of fields.ip,fields.user --by key=fields.api_key input >expected
	counts --reduce --by key map.part.* >got
	expect_same got expected
	counts --reduce --by fields.key map.part.* >got
	expect_same got expected
	counts --of fields.ip,fields.user --by kind=type input >expected
	counts --reduce --by kind=type map.part.* >got
	expect_same got expected
	counts --of fields.user --by key=fields.api_key,type -m 'type == "submit"' input >expected
	counts --reduce --name cardinality -m 'fields.of == "fields.user" && fields.type == "submit"' map.part.* >got
	sed -i 's/"of":"fields.user",//g; s/,"of":"fields.user"//g' expected
	expect_same got expected
	separately metlog-cardinality --reduce --by region map.part.0
	expect_status 65
	expect_in "$err" "map.part.0:1: its group has no 'region' (--by)"
	expect_empty "$out"
}

@test "the longest of groups travels, and so do values that are cut because they are too long" {
	python3 -c '
import json
for payload, last in (1, "y"), (2, "z"), (2, "z"):
	print(json.dumps({"payload": payload, "fields": {"f%d" % i: "x\u00e9\"" * 400 + last * (i == 32) for i in range(1, 33)}}))' >input
	by=$(seq -f fields.f%.0f 32 | paste -sd ,)
	metlog-cardinality --of payload --by "$by" --map input >lines
	[ "$(wc -l <lines)" -eq 2 ]
	metlog-cardinality --reduce --map lines | cmp - lines
	[ "$(metlog-cardinality --reduce --format json lines | jq -c '[.payload, .fields.seen]' | sort | paste -sd ' ')" = '["1",1] ["1",2]' ]
}

@test "without --by a map of no value travels as a count of 0" {
	echo '{}' | metlog-cardinality --of fields.ip,logger --map >lines
	[ "$(wc -l <lines)" -eq 2 ]
	[ "$(metlog-cardinality --reduce --format json lines | jq -c '[.fields.of, .payload]' | paste -sd ' ')" = '["fields.ip","0"] ["logger","0"]' ]
}

@test "the files of a state are such lines: their union over any days is a reduce" {
	awk 'BEGIN { for (i = 0; i < 3000; i++) printf "{\"timestamp\":\"2026-11-%02dT12:00:00Z\",\"fields\":{\"ip\":\"10.0.%d.%d\",\"k\":\"%d\"}}\n", 20 + i % 3, i % 7, i * i % 61, i % 5 }' >input
	metlog-cardinality --of fields.ip --by fields.k --interval 7d --state state input >/dev/null
	jq -r 'select(.timestamp < "2026-11-22") | "\(.fields.k) \(.fields.ip)"' input | sort -u | cut -d ' ' -f 1 | uniq -c | awk '{ print $2, $1 }' >expected
	metlog-cardinality --reduce --format json state/2026-11-2[01].*.sketches | jq -r '"\(.fields.k) \(.payload)"' | sort >got
	expect_same got expected
	cat state/*.sketches | metlog-cardinality --reduce --map | metlog-cardinality --reduce --by k --format json | jq -r '"\(.fields.k) \(.payload)"' | sort >got
	jq -r '"\(.fields.k) \(.fields.ip)"' input | sort -u | cut -d ' ' -f 1 | uniq -c | awk '{ print $2, $1 }' >expected
	expect_same got expected
}

@test "a line that says 0 values were seen stands for a number that nobody knows" {
	printf '%s\t=AQAAAAEAAgAAAAEA 0\n' '{"of":"ip"}' '{"of":"ip","k":"a"}' '{"of":"ip","other":"other"}' >lines
	sort lines >sorted
	metlog-cardinality --reduce --map lines | cmp - sorted || fail "$(metlog-cardinality --reduce --map lines)"
	[ "$(metlog-cardinality --reduce --format json lines | jq -c '[.payload, .fields.seen]' | paste -sd ' ')" = '["2",null] ["2",null] ["2",null]' ]
}

@test "as many values seen as a line can say, and more of them, are never a small number, and the group stays what it is" {
	printf '{"of":"fields.ip","key":"%s"}\t%s\n' a '=dzLiTJ2m 9223372036854775807' a '=dzLiTJ2m 9223372036854775807' a '=dzLiTJ2m 1' b '=dzLiTJ2m 3' a '=AAAAAAEA 5' >lines
	metlog-cardinality --reduce --format json lines >counts
	sed -E 's/.*"payload":"([0-9]*)".*"key":"(.)","seen":(-?[0-9]*),.*/\1 \2 \3/' counts >got
	printf '%s\n' '2 a 9223372036854775807' '1 b 3' >expected
	expect_same got expected
}

@test "--map goes with --reduce, and with no other use; the options of counts are refused with it" {
	for bad in '--map --report' '--map --merge x' '--guard --map' '--map' '--map --of type --exact' '--map --of type --name n' '--map --of type --format json' \
		'--map --of type --interval 1d --state s' '--reduce --of type' '--reduce --ip' '--reduce --since 2026-11-22' '--reduce --map --format table' '--reduce --sketch f'; do
		# shellcheck disable=SC2086
		separately metlog-cardinality $bad </dev/null
		[ "$status" -eq 64 ] || fail "$bad: $status, expected 64: $(cat "$err")"
	done
}
