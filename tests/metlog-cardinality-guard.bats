# metlog-cardinality-guard.bats - tags that are kept tame: every kind of rule, how rules are read, and what stays byte for byte.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154,SC2164

setup() {
	load helper
	load family
	cd "$BATS_TEST_TMPDIR"
	guard=''
}

teardown() {
	[ -z "$guard" ] || kill -9 "$guard" 2>/dev/null || true
	[ ! -d "${mounted-}" ] || umount -l "$mounted"
}

# makes RULES INPUT OUTPUT: exactly that, and nothing to complain about. RULES has a rule on each line.
makes() {
	printf '%s\n' "$1" >rules
	printf '%s\n' "$2" >in
	printf '%s\n' "$3" >expected
	separately metlog-cardinality --guard --rules rules in
	expect_status 0 || return
	expect_empty "$err" || return
	expect_same expected "$out"
}

# mistaken RULES MESSAGE: the file is refused for it, before anything is read or written.
mistaken() {
	printf '%b' "$1" >rules
	echo '{}' >in
	separately metlog-cardinality --guard --rules rules in
	expect_status 78 || return
	expect_empty "$out" || return
	expect_in "$err" "metlog-cardinality: rules:$2"
}

@test "what no rule bites passes byte for byte, rejects are rejects, and the books balance" {
	{ good_lines; metlog-flood -q -c 2000 --seed 4; } >in
	separately metlog-cardinality --guard --rule 'tag fields.nowhere drop' --rule 'tag fields.name.x limit 1' --rule 'tag nothing.at.all normalise' --stats books in
	expect_status 0
	expect_same in "$out"
	expect_in books '"rule":"tag fields.name.x limit 1 -> other","matched":0,"changed":0,"dropped":0,"admitted":0'
	balanced books
	printf '%s\n' nonsense '{"severity":9}' '{"a":"\x"}' '[]' >>in
	separately metlog-cardinality --guard --rule 'tag fields.nowhere drop' --stats books --rejects rejects in
	expect_status 0
	metlog-route -m TRUE --rejects others in >expected
	expect_same expected "$out"
	[ "$(count books rejected)" -eq "$(wc -l <others)" ]
	balanced books
}

@test "limit lets the first values in, and puts other, or what it says, in the place of the rest" {
	makes 'tag fields.r limit 2' "$(printf '{"fields":{"r":%s}}\n' '"a"' ' "b"' '"c" ' '"other"' '"b"' '"d"')" "$(printf '{"fields":{"r":%s}}\n' '"a"' ' "b"' '"other" ' '"other"' '"b"' '"other"')"
	makes 'tag fields.r limit 1 -> "a \"rest\""' "$(printf '{"fields":{"r":"%s"}}\n' a b)" "$(printf '{"fields":{"r":"%s"}}\n' a 'a \"rest\"')"
	makes 'tag fields.r limit 0' '{"fields":{"r":"a"}}' '{"fields":{"r":"other"}}'
}

@test "a number and its text are one value; true, null, objects and arrays count by their JSON" {
	makes 'tag fields.r limit 2' "$(printf '{"fields":{"r":%s}}\n' 7 '"7"' '"\u0037"' null '"null"' '{"a": [1]}' '[]' true)" "$(printf '{"fields":{"r":%s}}\n' 7 '"7"' '"\u0037"' null '"null"' '"other"' '"other"' '"other"')"
}

@test "with per each value of another field has a set of its own; envelopes without it share one" {
	makes 'tag fields.r limit 1 per fields.m' \
		"$(printf '{"fields":{"m":%s,"r":"%s"}}\n' '"x"' a '"x"' b '"y"' b '"y"' a 7 c '"7"' d null e)
$(printf '{"fields":{"r":"%s"}}\n' f e)" \
		"$(printf '{"fields":{"m":%s,"r":"%s"}}\n' '"x"' a '"x"' other '"y"' b '"y"' other 7 c '"7"' other null e)
$(printf '{"fields":{"r":"%s"}}\n' other e)"
}

@test "beyond 10000 groups the rest share a set, so that groups cannot explode either" {
	seq 1 10010 | sed 's/.*/{"fields":{"m":&,"r":"v&"}}/' >in
	separately metlog-cardinality --guard --rule 'tag fields.r limit 1 per fields.m' --state state in
	expect_status 0
	[ "$(grep -c '"other"' "$out")" -eq 9 ]
	[ "$(grep -c '"rest":true' state/admitted.ndjson)" -eq 1 ]
	cp "$out" first
	separately metlog-cardinality --guard --rule 'tag fields.r limit 1 per fields.m' --state state in
	expect_same first "$out"
}

@test "drop over takes the pair out, and drop takes it out always: one comma goes with it, wherever it stands" {
	makes 'tag fields.k drop over 1' "$(printf '{"fields":{"k":"%s","x":1}}\n' a b a c)" "$(printf '{"fields":%s}\n' '{"k":"a","x":1}' '{"x":1}' '{"k":"a","x":1}' '{"x":1}')"
	makes 'tag fields.k drop' \
		"$(printf '{"fields":%s,"type":"t"}\n' '{"k":1}' '{ "k" : {"a":[1,2]} }' '{"k":1,"x":2}' '{"x":2 , "k":1 }' '{"x":2,"k":1,"y":3}' '{"k":1,"k":2}' '{"k":1,"x":5,"k":2,"k":3}' '{"x":5,"k":2,"k":3,"y":6,"k":4}')" \
		"$(printf '{"fields":%s,"type":"t"}\n' '{}' '{  }' '{"x":2}' '{"x":2  }' '{"x":2,"y":3}' '{}' '{"x":5}' '{"x":5,"y":6}')"
}

@test "several rules on one line take out neighbours, and leave an object of what is left" {
	rules=$(printf 'tag fields.%s drop\n' a b c)
	makes "$rules" "$(printf '{"fields":{%s}}\n' '"a":1,"b":2,"c":3' '"c":3,"b":2,"a":1' '"a":1,"x":0,"b":2,"c":3' '"b":1,"x":0,"c":2' '"x":0,"a":1,"b":2' '"x":0')" \
		"$(printf '{"fields":{%s}}\n' '' '' '"x":0' '"x":0' '"x":0' '"x":0')"
}

@test "bucket makes none, one, many of numbers; a label passes, and what is no count becomes other" {
	makes 'tag fields.w bucket none,one,many' "$(printf '{"fields":{"w":%s}}\n' 0 1 2 '"0"' '"1"' 99 '"1e3"' 1.9 0.0 -0 '"many"' -1 '"x"' '""' null true '[1]')" \
		"$(printf '{"fields":{"w":"%s"}}\n' none one many none one many many one none none many other other other other other other)"
	makes 'tag fields.w bucket 0,1,"2 or more" -> bad' "$(printf '{"fields":{"w":%s}}\n' 0 '"1"' 2 7 x | sed 's/:x/:"x"/')" "$(printf '{"fields":{"w":%s}}\n' 0 '"1"' '"2 or more"' '"2 or more"' '"bad"')"
}

@test "normalise makes what generate_tag makes, normalise path what Ichnaea does; done twice it changes nothing more" {
	long=$(printf 'V%.0s' $(seq 300))
	makes 'tag fields.k normalise' "$(printf '{"fields":{"k":%s}}\n' '"A b"' '"a#b"' '"\u00e9\ud83d\udd25"' '"a:b/c-d_e.f"' 7 -1.5E3 null '" "' '"tab\tx"' "\"$long\"")" \
		"$(printf '{"fields":{"k":%s}}\n' '"a_b"' '"a_b"' '"__"' '"a_b/c-d_e.f"' 7 '"-1.5e3"' null '""' '"tab_x"' "\"$(printf 'v%.0s' $(seq 198))\"")"
	separately metlog-cardinality --guard --rules rules expected
	expect_same expected "$out"
	makes 'tag fields.path normalise path' "$(printf '{"fields":{"path":"%s"}}\n' / /api/ /v2/geosubmit /@ '/caf\u00e9' /a,b /~user '' '\/A=b;c' //x ' ' '/ ')" \
		"$(printf '{"fields":{"path":"%s"}}\n' .homepage api. v2.geosubmit - caf_ a_b _user .homepage a_b_c x .homepage .homepage)"
	separately metlog-cardinality --guard --rules rules expected
	expect_same expected "$out"
}

@test "keep is a list of what may pass" {
	makes 'tag fields.s keep 200,"4 04",other -> "?"' "$(printf '{"fields":{"s":%s}}\n' 200 '"200"' '"4 04"' 404 '"other"' '"?"' null)" "$(printf '{"fields":{"s":%s}}\n' 200 '"200"' '"4 04"' '"?"' '"other"' '"?"' '"?"')"
}

@test "a rule with if bites only what its expression matches" {
	makes 'tag fields.s drop if type == "a" && fields.s =~ /^x #/ # really' "$(printf '{"type":"%s","fields":{"s":"%s"}}\n' a 'x #1' a y b 'x #2')" \
		"$(printf '%s\n' '{"type":"a","fields":{}}' '{"type":"a","fields":{"s":"y"}}' '{"type":"b","fields":{"s":"x #2"}}')"
}

@test "rules are applied in their order, and each sees what those before it have made" {
	makes "$(printf '%s\n' 'tag fields.p normalise' 'tag fields.p limit 1' 'tag fields.q drop if fields.p == "other"' 'tag fields.q limit 1 per fields.p -> o')" \
		"$(printf '{"fields":{"q":"%s","p":"%s"}}\n' 1 A 2 a 3 'b c' 4 A)" \
		"$(printf '%s\n' '{"fields":{"q":"1","p":"a"}}' '{"fields":{"q":"o","p":"a"}}' '{"fields":{"p":"other"}}' '{"fields":{"q":"o","p":"a"}}')"
}

@test "a path takes whatever it can mean: repeated keys, escaped ones, names with dots, elements of arrays" {
	makes 'tag fields.a.b keep x' \
		"$(printf '%s\n' '{"fields":{"a":{"b":1,"b":"x","c":2}},"z":1}' '{"fields":{"a.b":1,"a":{"b":2},"\u0061":{"\u0062":3}}}' '{"fields.a.b":1,"fields":{"a":[{"b":1}],"b":1}}' '{"fi\u0065lds":{"a":{"b":"y"}}}')" \
		"$(printf '%s\n' '{"fields":{"a":{"b":"other","b":"x","c":2}},"z":1}' '{"fields":{"a.b":"other","a":{"b":"other"},"\u0061":{"\u0062":"other"}}}' '{"fields.a.b":"other","fields":{"a":[{"b":1}],"b":1}}' '{"fi\u0065lds":{"a":{"b":"other"}}}')"
	makes 'tag fields.r keep x' "$(printf '%s\n' '{"fields":{"\u0072":1}}' '{"fields.r":1,"fields":{"x":1}}' '{"fields\u002er":1}' '{"fields":{"s":{"r":1}},"r":2}')" \
		"$(printf '%s\n' '{"fields":{"\u0072":"other"}}' '{"fields.r":"other","fields":{"x":1}}' '{"fields\u002er":"other"}' '{"fields":{"s":{"r":1}},"r":2}')"
	makes 'tag fields.a.1 drop' "$(printf '{"fields":{"a":%s}}\n' '[1,2,3]' '[1]' '{"1":2,"2":1}' '[1,{"x":[]}]')" "$(printf '{"fields":{"a":%s}}\n' '[1,null,3]' '[1]' '{"2":1}' '[1,null]')"
	makes 'tag logger limit 1' "$(printf '{"logger":"%s","payload":"p"}\n' a b)" "$(printf '{"logger":"%s","payload":"p"}\n' a other)"
}

@test "a stream of all kinds comes out as a model over parsed JSON has it" {
	need python3
	python3 - >in <<-'TEXT'
		import json, random
		draw = random.Random(6)
		some = lambda *of: draw.choice(of)
		for n in range(4000):
		    f = {"name": some("a", "b", "c c", "d", "é", 7, None), "status": some(0, 1, 2.5, "3", "-1", "many", "x", True), "path": some("/", "/A/b@c", "x y", "/é/", ".homepage"),
		         "id": some("", f"u{draw.randrange(60)}", draw.randrange(9)), "method": some("GET", "PUT", "other"), "referer": some("r", 1), "rest": some("x", [1, {"name": "q"}])}
		    keys = draw.sample(list(f), draw.randrange(len(f) + 1))
		    keys += draw.sample(keys, draw.randrange(len(keys) + 1)) if draw.random() < 0.2 else []
		    inside = ", ".join(json.dumps(k) + ": " + json.dumps(f[k], ensure_ascii=some(True, False)) for k in keys)
		    print('{"type": "%s", "severity": %d, "fields": {%s}, "n": %d}' % (some("a", "b"), draw.randrange(8), inside, n))
	TEXT
	printf 'tag fields.%s\n' 'name limit 3 -> rare' 'status bucket none,one,many' 'path normalise path' 'id drop over 20 per type' 'method keep GET,POST' 'referer drop if severity <= 6' >rules
	separately metlog-cardinality --guard --rules rules --state state in
	expect_status 0
	python3 "$SOURCE/tests/guard_model.py" in "$out"
}

@test "what would become longer than --max-line is a reject, not a line that the next program refuses" {
	printf '{"fields":{"a":1}}\n{"fields":{"a":2}}\n{"fields":{"bb":"12345678"}}\n' >in
	separately metlog-cardinality --guard --rule 'tag fields.a limit 1 -> "0123456789012345"' --max-line 31 --stats books in
	expect_status 65
	expect_in "$err" 'in:2: longer than --max-line with what the rules put in'
	sed -n '1p;3p' in >expected
	expect_same expected "$out"
	balanced books
}

@test "a mistake in a rule is shown with line and column, before anything is read" {
	mistaken 'tag fields.x limt 3\n' '1:14: limit, drop, bucket, normalise or keep is expected here'
	expect_in "$err" '             ^'
	mistaken '# a\n\ntag fields.x limit\n' '3:19: a number is missing'
	mistaken 'tag fields.x limit x\n' '1:20: a number from 0 to'
	mistaken 'tag fields.x limit 5 other\n' '1:22: expected here: "per" and a field, "if" and an expression'
	mistaken 'tag fields.x limit 5 -> \n' '1:25: a value is missing'
	mistaken 'tag fields..x drop\n' '1:5: this is no field'
	mistaken 'tag severity drop\n' '1:5: severity cannot be changed'
	mistaken 'tag fields.x drop -> y\n' '1:19: this kind of rule puts nothing in place'
	mistaken 'tag fields.x keep a,b,a\n' '1:23: this value stands there twice'
	mistaken 'tag fields.x keep a,,b\n' '1:21: a value is missing'
	mistaken 'tag fields.x \\\n  drop if type =~ /(/\n' '2:21: missing closing parenthesis'
	mistaken 'tag fields.x drop if type == "a\n' '1:30: the quote is not closed'
	mistaken 'tag fields.x limit 5\ntag fields.x limit 6 -> y\n' '2:1: this rule stands there already: rules:1'
	mistaken 'route x TRUE\n' '1:1: a rule begins with "tag"'
	mistaken 'tag fields.\0377 drop\n' '1:12: not valid UTF-8'
	separately metlog-cardinality --guard --rule 'tag fields.x drop over' in
	expect_status 78
	expect_in "$err" '--rule:1:'
	separately metlog-cardinality --guard --rules nowhere in
	expect_status 78
	expect_in "$err" 'nowhere: No such file'
}

@test "comments, lines joined by a backslash and words in quotes are read as in metlog-route(5)" {
	makes "$(printf '%s\n' '# first' '' '  tag fields.a keep \' '# between' '  "x, #y",z -> "b # c"   # behind' 'tag "fields.s p" drop')" \
		"$(printf '{"fields":{"a":"%s","s p":1}}\n' 'x, #y' z q)" "$(printf '{"fields":{"a":"%s"}}\n' 'x, #y' z 'b # c')"
}

@test "-v and --stats tell what each rule did, which never matched, and whom they hit most" {
	for i in 1 2 3 4 5 6; do printf '{"fields":{"r":"v%s","w":"x"}}\n' $((i % 4)); done >in
	separately metlog-cardinality --guard --rule 'tag fields.r limit 2' --rule 'tag fields.w bucket a,b' --rule 'tag fields.no drop' --rule 'tag fields.w drop' -v --stats books in
	expect_status 0
	expect_in books '"changed":6,"rules":[{"rule":"tag fields.r limit 2 -> other","matched":6,"changed":2,"dropped":0,"admitted":2},{"rule":"tag fields.w bucket a,b -> other","matched":6,"changed":6,"dropped":0,"bad":6},{"rule":"tag fields.no drop","matched":0,"changed":0,"dropped":0},{"rule":"tag fields.w drop","matched":6,"changed":0,"dropped":6}]'
	expect_in "$err" 'tag fields.no drop: never matched'
	expect_in "$err" 'tag fields.r limit 2 -> other: matched 6, changed 2, dropped 0, admitted 2'
	expect_in "$err" 'tag fields.w bucket a,b -> other: matched 6, changed 6, dropped 0, bad 6'
	expect_in "$err" "6 x 'x'"
	expect_in "$err" "1 x 'v3'"
	balanced books
}

@test "more values than --max-memory has room for are not let in, with a word" {
	seq 1 5000 | sed 's/.*/{"fields":{"r":"v&"}}/' >in
	separately metlog-cardinality --guard --rule 'tag fields.r limit 5000' --max-memory 64k in
	expect_status 0
	expect_in "$err" 'no more values are let in: they fill --max-memory'
	kept=$(grep -vc other "$out")
	[ "$kept" -gt 500 ] && [ "$kept" -lt 1100 ] || fail "$kept"
}

@test "SIGHUP reads the rules again: all new or all old, and rules that are still there go on with their values" {
	mkfifo pipe
	printf 'tag fields.r limit 1\ntag fields.s limit 1\n' >rules
	metlog-cardinality --guard --rules rules --rule 'tag fields.x drop' --stats books <pipe >got 2>err &
	guard=$!
	exec 8>pipe
	say() { printf '{"fields":{"r":"%s","s":"%s","x":1}}\n' "$@" >&8; }
	say a a b b
	await 5 eval '[ "$(wc -l <got)" -eq 2 ]'
	printf 'tag fields.r limit 1\ntag fields.s keep q\n' >rules
	kill -HUP "$guard"
	await 5 grep -q 'SIGHUP: rules was read again: 3 rules' err
	say c q a a
	await 5 eval '[ "$(wc -l <got)" -eq 4 ]'
	echo 'tag fields.r limt 1' >rules
	kill -HUP "$guard"
	await 5 grep -q 'SIGHUP: rules cannot be used as it is now: all rules stay as they were' err
	grep -q 'rules:1:14' err
	say d q
	await 5 eval '[ "$(wc -l <got)" -eq 5 ]'
	printf 'tag fields.s limit 1\n' >rules
	kill -HUP "$guard"
	await 5 grep -q 'SIGHUP: rules was read again: 2 rules' err
	say d a d b
	exec 8>&-
	wait "$guard"
	guard=''
	printf '{"fields":{"r":"%s","s":"%s"}}\n' a a other other other q a other other q d a d other >expected
	expect_same expected got
	expect_in books '"read":7,"passed":7,"dropped":0,"rejected":0'
}

@test "a file without a rule is told of; on SIGHUP it takes no rule away, for it may just be being written" {
	mkfifo pipe
	echo 'tag fields.r limit 1' >rules
	metlog-cardinality --guard --rules rules --rule 'tag fields.x drop' <pipe >got 2>err &
	guard=$!
	exec 8>pipe
	echo '{"fields":{"r":"a"}}' >&8
	await 20 test -s got
	echo '# soon' >rules
	kill -HUP "$guard"
	await 20 grep -q 'SIGHUP: rules cannot be used as it is now: all rules stay as they were' err
	expect_in err 'rules: there is no rule in it'
	echo '{"fields":{"r":"b","x":1}}' >&8
	exec 8>&-
	wait "$guard"
	guard=''
	[ "$(tail -n 1 got)" = '{"fields":{"r":"other"}}' ]
	separately metlog-cardinality --guard --rules rules got
	expect_status 0
	expect_in "$err" 'rules: there is no rule in it'
	expect_same got "$out"
}

@test "SIGTERM lets out what was read, and ends well" {
	mkfifo pipe
	metlog-cardinality --guard --rule 'tag fields.r limit 1' --state state --stats books <pipe >got &
	guard=$!
	exec 8>pipe
	printf '{"fields":{"r":"%s"}}\n' a b >&8
	await 5 eval '[ "$(wc -l <got)" -eq 2 ]'
	kill "$guard"
	wait "$guard"
	guard=''
	exec 8>&-
	printf '{"fields":{"r":"%s"}}\n' a other >expected
	expect_same expected got
	balanced books
}

@test "what a value has in it cannot be taken for a message of its own" {
	printf '{"fields":{"a":"x\\nmetlog-cardinality: all is well"}}\n' >in
	separately metlog-cardinality --guard -v --rule 'tag fields.a limit 0' in
	expect_status 0
	expect_in "$err" "    1 x 'x\nmetlog-cardinality: all is well'"
	[ "$(grep -c '^metlog-cardinality: all' "$err")" = 0 ]
}

@test "the example's rules are good, and keep the tags of requests tame" {
	printf '{"type":"counter","payload":"1","fields":{"name":"request","rate":1,"tags":{"path":"%s","method":"%s","status":200,"wifi":7,"ip":"10.0.0.1"}}}\n' /Api/ GET '/x@y z' '<b>' >in
	separately metlog-cardinality --guard --rules "$SOURCE/contrib/examples/guard.rules" in
	expect_status 0
	printf '{"type":"counter","payload":"1","fields":{"name":"request","rate":1,"tags":{"path":"%s","method":"%s","status":200,"wifi":"many"}}}\n' api. get x-y_z other >expected
	expect_same expected "$out"
}
