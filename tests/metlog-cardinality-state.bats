# metlog-cardinality-state.bats - the state of users by interval: when it is refused, and what other processes and odd places do to it.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load helper
	load users
	cd "$BATS_TEST_TMPDIR" || return
	children=''
}

teardown() {
	local pid
	exec 8>&-
	for pid in $children; do kill -9 "$pid" 2>/dev/null || true; done
}

# --- what is refused ---

@test "an envelope without a time, or with one that is none, is a reject; the others are counted" {
	{
		call 2012-10-05T00:00:00Z k 10.0.0.1
		echo '{"fields":{"api_key":"k","ip":"10.0.0.2"}}'
		call yesterday k 10.0.0.3
		call 2012-10-05T00:00:00Z k 10.0.0.4
	} >in
	users --rejects dead in
	expect_gauges 'locate.user:2|g|#key:k,interval:1d' 'locate.user:2|g|#key:k,interval:7d'
	[ "$(grep -oE '"reason":"[^"]*","[a-z]*":"[^"]*","line":[0-9]' dead | sed 's/"source.*"line"/"line"/')" = "$(printf '%s\n' '"reason":"no timestamp","line":2' '"reason":"timestamp is not RFC 3339","line":3')" ]
	users in
	expect_status 65
	[ "$(gauges | wc -l)" -eq 2 ]
}

@test "--strict: the first reject ends the run, which shows nothing and leaves the state as it was" {
	call 2012-10-05T00:00:00Z k 10.0.0.1 >in
	users in
	all_of state >before
	{ call 2012-10-05T00:00:00Z k 10.0.0.2; echo rubbish; } >in
	users --strict in
	expect_status 65
	expect_empty "$out"
	diff before <(all_of state)
}

@test "a state of other members, or of another choice of envelopes, is refused: 78, both are named, and nothing changes" {
	call 2012-10-05T00:00:00Z k 10.0.0.1 >in
	users in
	all_of state >before
	other() { separately metlog-cardinality --interval 1d --state state "$@" in; expect_status 78 && expect_in "$err" 'state/current: it counts {"of":"fields.ip","by":{"key":"fields.api_key"},"ip":true,"match":null}, and this run {' && expect_empty "$out"; }
	other --of fields.ip --by key=fields.api_key
	other --of fields.ip --by fields.api_key --ip
	other --of fields.ip --ip
	other --of fields.ip --by key=fields.api_key,type --ip
	other --of ip=fields.ip2 --by key=fields.api_key --ip
	other --of user=fields.ip --by key=fields.api_key --ip
	expect_in "$err" 'and this run {"of":{"user":"fields.ip"},"by":'
	other --of fields.ip --by key=fields.api_key --ip -m 'type == "x"'
	diff before <(all_of state)
}

@test "a damaged state is refused: 78 and the file's name, whichever byte it is, and nothing is touched" {
	need python3
	{ call 2012-10-04T00:00:00Z k 10.0.0.1; call 2012-10-05T00:00:00Z k 10.0.0.2; } >in
	users in
	python3 - <<-'P' || fail "$(cat wrong)"
		import os, random, shutil, subprocess, sys
		rng, wrong = random.Random(), []
		command = "metlog-cardinality --of fields.ip --by key=fields.api_key --ip --name locate.user --interval 1d,7d --state broken".split()
		for name in sorted(os.listdir("state")):
		    with open("state/" + name, "rb") as file:
		        good = file.read()
		    if not good:
		        continue
		    damages = [good[:at] + bytes([good[at] ^ 1 << rng.randrange(8)]) + good[at + 1:] for at in rng.sample(range(len(good)), len(good) if os.environ.get("FAULTS") == "long" else min(30, len(good)))]
		    damages += [b"", good[:-1], good + b"\n", good[:len(good) // 2], good + good, None]
		    for damaged in damages:
		        shutil.rmtree("broken", ignore_errors=True)
		        shutil.copytree("state", "broken")
		        os.remove("broken/" + name)
		        if damaged is not None:
		            with open("broken/" + name, "wb") as file:
		                file.write(damaged)
		            os.chmod("broken/" + name, 0o600)
		        before = sorted((f, open("broken/" + f, "rb").read()) for f in os.listdir("broken"))
		        done = subprocess.run(command + ["in"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
		        after = sorted((f, open("broken/" + f, "rb").read()) for f in os.listdir("broken"))
		        if done.returncode != 78 or done.stdout or ("broken/" + name).encode() not in done.stderr or before != after:
		            wrong.append("%s %r: %d %r" % (name, damaged, done.returncode, done.stderr))
		open("wrong", "w").write("\n".join(wrong[:5]))
		sys.exit(bool(wrong))
	P
}

@test "a state of a later release is refused by its version" {
	need python3
	call 2012-10-05T00:00:00Z k 10.0.0.1 >in
	users in
	# Its own checksum is made anew by the only means there is: a release that would write another version.
	has xxhsum || skip "xxhsum is not installed"
	python3 - <<-'P'
		import re, subprocess
		body = open("state/current").read().replace('"version":1', '"version":2')
		head = body[:body.rindex(',"line":"xxh3:')]
		said = subprocess.run(["xxhsum", "-H3", "-"], input=head.encode(), stdout=subprocess.PIPE).stdout.decode()
		open("state/current", "w").write(head + ',"line":"xxh3:%s"}}\n' % re.search(r"[0-9a-f]{16}", said).group(0))
	P
	users in
	expect_status 78
	expect_in "$err" 'state/current: it is of another version of metlog-cardinality'
}

# --- other processes, and odd places ---

@test "a second run on the same state ends with 73 at once, and names the first, which goes on" {
	mkfifo in
	metlog-cardinality --of fields.ip --by key=fields.api_key --ip --name locate.user --interval 1d,7d --state state <in >first 2>first.err 3>&- &
	children=$!
	exec 8>in
	call 2012-10-05T00:00:00Z k 10.0.0.1 >&8
	await 10 catches "$children" 10
	await 10 eval 'kill -USR1 "$children" && grep -q "\"read\":1" first.err' # it has the state by then
	locked() { users /dev/null && [ "$status" -eq 73 ]; }
	await 10 locked
	expect_in "$err" "opening the state state: process $children works with it"
	expect_empty "$out"
	exec 8>&-
	wait "$children"
	children=''
	out=first
	status=0
	expect_gauges 'locate.user:1|g|#key:k,interval:1d' 'locate.user:1|g|#key:k,interval:7d'
	users /dev/null
	expect_status 0
}

# stop_when_read: gives a call to the run in the background, whose input is the pipe `in`, and asks it to stop once it has read that.
stop_when_read() {
	was_read() { kill -USR1 "$children" && grep -q '"read":1' first.err; }
	exec 8>in
	call 2012-10-05T00:00:00Z k 10.0.0.1 >&8
	await 10 test -e state/lock # it hears signals by then
	await 10 catches "$children" 10
	await 10 was_read
	kill "$children"
}

@test "SIGTERM: what was read is kept and shown, and the status is 0" {
	mkfifo in
	metlog-cardinality --of fields.ip --by key=fields.api_key --ip --name locate.user --interval 1d,7d --state state --stats books <in >first 2>first.err 3>&- &
	children=$!
	stop_when_read
	wait "$children"
	children=''
	out=first
	status=0
	expect_gauges 'locate.user:1|g|#key:k,interval:1d' 'locate.user:1|g|#key:k,interval:7d'
	users /dev/null
	expect_gauges 'locate.user:1|g|#key:k,interval:1d' 'locate.user:1|g|#key:k,interval:7d'
}

@test "SIGTERM within a segment of a drain is 75, so that it is given again; what was read is counted" {
	mkfifo in
	METLOG_SEGMENT=000000000007-20121005T120000Z-0a1b2c3d metlog-cardinality --of fields.ip --by key=fields.api_key --ip --name locate.user --interval 1d,7d --state state <in >first 2>first.err 3>&- &
	children=$!
	stop_when_read
	status=0 err=first.err
	wait "$children" || status=$?
	children=''
	expect_status 75
	expect_in first.err 'stopped within the segment 000000000007-20121005T120000Z-0a1b2c3d'
	users /dev/null
	expect_gauges 'locate.user:1|g|#key:k,interval:1d' 'locate.user:1|g|#key:k,interval:7d'
}

@test "a spool drained into a state is counted once each, whoever is stopped or killed on the way" {
	calls_of_day() { seq 1 3000 | awk '{ printf "{\"timestamp\":\"2012-10-05T00:00:00Z\",\"fields\":{\"api_key\":\"k%d\",\"ip\":\"10.0.%d.%d\"}}\n", $1 % 20, $1 / 250, $1 % 250 }'; }
	calls_of_day | metlog-spool write --segment-bytes 8k spool
	drain() { metlog-spool drain --once --backoff-max 10ms spool -- sh -c "$1"; }
	job='metlog-cardinality --of fields.ip --by key=fields.api_key --ip --name locate.user --interval 1d,7d --state state >/dev/null'
	separately drain "[ -e once ] || { touch once; head -20 | METLOG_SEGMENT= $job; kill -9 \$\$; }; exec $job"
	expect_status 0
	[ -z "$(metlog-spool cat spool)" ]
	users /dev/null
	expect_status 0
	[ "$(gauges | grep -c ':150|g|#key:k[0-9]*,interval:[17]d$')" -eq 40 ]
}

@test "a symbolic link, a second name, a directory or a pipe in the place of the state or a file of it is 73, and nothing is written where it leads" {
	call 2012-10-05T00:00:00Z k 10.0.0.1 >in
	mkdir elsewhere
	ln -s elsewhere state
	for path in state state/; do
		separately metlog-cardinality --of fields.ip --interval 1d --state "$path" in
		expect_status 73
		expect_in "$err" 'opening the state state: it is a symbolic link or no directory'
	done
	[ -z "$(ls -A elsewhere)" ]
	rm state
	users in
	cp -r state good
	for name in lock current 2012-10-05.1.sketches; do
		for how in 'ln -s ../good/NAME state/NAME' 'ln good/NAME state/NAME' 'mkdir state/NAME' 'mkfifo -m 600 state/NAME'; do
			rm -rf state
			cp -r good state
			rm "state/$name"
			${how//NAME/$name}
			separately timeout 10 metlog-cardinality --of fields.ip --by key=fields.api_key --ip --interval 1d --state state in
			expect_status 73 || fail "$how $name"
			expect_in "$err" "state/$name: it is a link or no plain file of ours; remove it"
		done
	done
	separately metlog-cardinality --of fields.ip --interval 1d --state in in
	expect_status 73
	separately metlog-cardinality --of fields.ip --interval 1d --state no/such/place in
	expect_status 73
	expect_in "$err" 'making the directory of the state, no/such/place: No such file or directory'
}

@test "--max-memory: groups that have no room are counted together as other, in the state and in the gauges, with a warning" {
	seq 1 20000 | awk '{ printf "{\"timestamp\":\"2012-10-0%dT00:00:00Z\",\"fields\":{\"api_key\":\"k%d\",\"ip\":\"10.0.%d.%d\"}}\n", 1 + $1 % 2, $1, $1 / 250, $1 % 250 }' >in
	users --max-memory 256k in
	expect_status 0
	expect_in "$err" '--max-memory: no room for'
	other=$(gauges | grep -c 'key:other,') groups=$(gauges | wc -l)
	[ "$other" -eq 2 ]
	[ "$groups" -lt 10000 ]
	grep -q '"other":true' "$out"
	# Each has one user, and each user one group: none is lost, but for the error of the estimate.
	gauges | grep 'interval:7d' | awk -F'[:|]' '{ sum += $2 } END { exit !(sum > 19600 && sum < 20400) }'
	cut -f1 state/*.sketches | grep -c '"other":"other"' | grep -qx 2
	users --max-memory 256k /dev/null
	expect_status 0
	[ "$(gauges | grep -c 'key:other,')" -eq 2 ]
}
