# hdfs.bats - metlog-to-hdfs against Hadoop's own namenode and datanode: what is published is what was read, each envelope once.
# SPDX-License-Identifier: MPL-2.0

setup_file() { load hdfs; hdfs_setup_file --https; }
teardown_file() { load hdfs; hdfs_teardown_file; }

setup() {
	load ../helper
	load hdfs
	cd "$BATS_TEST_TMPDIR"
	children=''
	hdfs_setup
	hdfs_base t
}

teardown() {
	local pid
	for pid in $children; do kill -9 "$pid" 2>/dev/null || true; done
}

flood() { metlog-flood -q -c "$@"; }
files() { hdfs ls "$base" | wc -l; }

@test "what is published is read back, line by line, by Hadoop's own codecs; the ending of the name tells them" {
	flood 8000 >input
	publish --compress gzip input
	expect_status 0
	expect_empty "$err"
	expect_none_kept
	expect_all input
	hdfs ls "$base" | cut -f2 >names
	run grep -vxE "$base/type=[a-z]+/dt=2012-10-05/hour=1[2-9]/[0-9a-f]{32}\.ndjson\.gz" names
	[ "$status" -eq 1 ] || fail "other names: $output"
	for how in none zstd; do
		publish --layout 'dt={date}' --compress $how input
		expect_status 0
	done
	expect_none_kept
	expect_all input input input
	# And as zstd(1) reads it.
	hdfs raw "$(hdfs ls "$base" | cut -f2 | grep '\.zst$')" | zstd -dcq | cmp - input
	hdfs raw "$(hdfs ls "$base" | cut -f2 | grep '\.ndjson$')" | cmp - input
}

@test "the same input again changes nothing" {
	flood 3000 >input
	publish --json input
	expect_status 0
	sort "$out" >first
	hdfs stat "$base" >before
	publish --json input
	expect_status 0
	[ "$(jq -r 'select(.path).state' "$out" | sort -u)" = there ]
	[ "$(jq -s 'map(select(.path)) | length' "$out")" -eq "$(files)" ]
	hdfs stat "$base" | cmp - before
	expect_all input
	expect_none_kept
}

@test "names with spaces, percents, equal signs, signs of URLs and any letters arrive as they are" {
	base+='/with space/100%41/a=b&c;d+e,f?g#h/é→日本😀'
	hdfs mkdir "$base" 777
	to=$hdfs_at$(sed 's/%/%25/g; s/?/%3F/g; s/#/%23/g' <<<"$base")
	jq -cn '"a b", "100%41", "a=b&c=d", "+;,@!$()", "é→日本😀", "..", "a/b", "a:b" | {type: ., payload: "x"}' >input
	publish --layout 'type={type}' --name a+b@c= input
	expect_status 0
	expect_all input
	hdfs ls "$base" | cut -f2 | sort >there
	for one in 'a b' '+;,@!$()' 'é→日本😀' 100%2541; do
		grep -F "$base/type=$one/a+b@c=-1.ndjson.zst" there || fail "no $one in: $(cat there)"
	done
	[ "$(wc -l <there)" -eq 8 ]
	publish --json --layout 'type={type}' --name a+b@c= input
	expect_status 0
	[ "$(jq -r 'select(.path).state' "$out" | sort -u)" = there ]
}

@test "a file of many blocks is whole, and --verify compares the checksum that HDFS has of it" {
	flood 12000 >input
	publish --layout all --compress none --verify input
	expect_status 0
	expect_all input
	[ "$(files)" -eq 1 ]
	file=$(hdfs ls "$base" | cut -f2)
	[ "$(hdfs stat "$file" | jq .blocks)" -gt 4 ]
	publish --layout all --compress none --verify --json input
	expect_status 0
	[ "$(jq -r 'select(.path).state' "$out")" = there ]
	# One byte is another: the length says that it is there, the checksum that it is not.
	sed '$s/}$/ /' input >other
	[ "$(wc -c <input)" -eq "$(wc -c <other)" ]
	hdfs rm "$file"
	hdfs put other "$file"
	publish --layout all --compress none input
	expect_status 0
	publish --layout all --compress none --verify input
	expect_status 69
	hdfs raw "$file" | cmp - other
}

@test "a small file, one of exactly a block, and one with --block-size are verified, too" {
	seq -f '{"payload":"%06.0f"}' 49933 >input
	head -c 1048576 input | tail -c 30 >&2
	seq -f '{"payload":"%06.0f"}' 47662 >block
	printf '{"payload":"012"}\n' | head -c $((1048576 - $(wc -c <block))) >>block
	for one in block input; do
		publish --layout "$one" --compress none --verify "$one"
		expect_status 0
	done
	publish --layout small --compress none --block-size 64Ki --verify input
	expect_status 0
	[ "$(hdfs stat "$(hdfs ls "$base/small" | cut -f2)" | jq .blockSize)" -eq 65536 ]
	expect_all block input input
}

@test "replication, permission and block size are those that were asked for" {
	flood 50 >input
	publish --layout x --replication 1 --permission 640 --block-size 8192 input
	expect_status 0
	hdfs stat "$(hdfs ls "$base" | cut -f2)" >stat
	[ "$(jq -c '[.replication, .permission, .blockSize, .owner]' stat)" = '[1,"640",8192,"metlog"]' ]
}

@test "where we may not write the status is 77; once we may, the next run publishes" {
	flood 100 >input
	hdfs mkdir "$base" 755
	publish input
	expect_status 77
	expect_in "$err" AccessControlException
	[ "$(files)" -eq 0 ]
	hdfs mkdir "$base" 777
	publish input
	expect_status 0
	expect_all input
	expect_none_kept
}

@test "over a quota of names or of bytes the status is 69, and says which; once there is room, the next run publishes" {
	flood 100 >input
	hdfs quota "$base" 3 -1
	publish --retry-for 20s input
	expect_status 69
	expect_in "$err" NSQuotaExceededException
	hdfs quota "$base" -1 4096
	publish --retry-for 20s input
	expect_status 69
	expect_in "$err" DSQuotaExceededException
	hdfs quota "$base" -1 -1
	publish input
	expect_status 0
	expect_all input
	expect_none_kept
}

@test "safe mode is waited for; when it lasts longer than --retry-for, 75, and the next run goes on" {
	flood 100 >input
	hdfs safemode on
	publish --retry-for 1s input || true
	[ "$status" -eq 75 ] || { hdfs safemode off; expect_status 75; }
	expect_in "$err" SafeModeException
	expect_kept
	metlog-to-hdfs -v --to "$to" --user metlog --staging staging input >out2 2>err2 3>&- &
	children=$! err=err2
	await 20 grep -q SafeModeException err2 || { hdfs safemode off; fail "$(cat err2)"; }
	hdfs safemode off
	ended "$children" 40
	expect_status 0
	expect_all input
	expect_none_kept
}

@test "without a datanode the status is 75; once there is one, the next run publishes what is kept" {
	flood 100 >input
	flood 120 --seed 2 >input.2
	hdfs stop-datanode 0
	# The namenode does not know it yet, and sends us there.
	publish --retry-for 1s --layout x input || true
	gone=$status
	hdfs start-datanode 0
	hdfs stop-datanode 0 dead
	cp "$err" err.gone
	publish --retry-for 1s --layout x input.2 || true
	dead=$status
	hdfs start-datanode 0
	[ "$gone" -eq 75 ] || fail "$(cat err.gone)"
	[ "$dead" -eq 75 ] || fail "$(cat "$err")"
	[ "$(files)" -eq 0 ]
	expect_kept
	publish --layout x input.2
	expect_status 0
	expect_all input input.2
	expect_none_kept
}

@test "a file of another length under our name is left, with 69; --conflict replace puts ours there" {
	flood 100 >input
	publish --layout x --name day --compress none input
	expect_status 0
	hdfs rm "$base/x/day-1.ndjson"
	echo '{}' >other
	hdfs put other "$base/x/day-1.ndjson"
	publish --layout x --name day --compress none input
	expect_status 69
	expect_in "$err" x/day-1.ndjson
	hdfs raw "$base/x/day-1.ndjson" | cmp - other
	publish --layout x --name day --compress none --conflict replace input
	expect_status 0
	expect_all input
	expect_none_kept
	# A directory is not replaced, and nothing gets into it.
	hdfs rm "$base/x/day-1.ndjson"
	hdfs mkdir "$base/x/day-1.ndjson" 777
	publish --layout x --name day --compress none --conflict replace input
	expect_status 69
	[ "$(files)" -eq 0 ]
}

@test "a run that was killed in the middle of an upload leaves no file under its name; the next one writes over the hidden one" {
	flood 8000 >input
	gate "${hdfs_dn[0]}" 1000000
	metlog-to-hdfs --to "$to" --user metlog --staging staging --layout x --compress none --map "${hdfs_dn[0]}=$gate" input >out 2>err 3>&- &
	run=$!
	children+=" $run" err=err
	await 30 gate_holds || fail "$(cat err)"
	kill -9 "$run"
	wait "$run" || true
	kill "$gate_pid"
	hidden() { hdfs ls "$base" | grep -F /.; }
	await 10 hidden
	[ "$(hidden | wc -l)" -eq "$(files)" ]
	publish --layout x --compress none input
	expect_status 0
	expect_all input
	expect_none_kept
}

@test "a connection that breaks in the middle of an upload leaves a file that looks whole; it does not get the name" {
	flood 8000 >input
	python3 "$SOURCE/tests/faults/relay.py" --cut 1500000 --faults 2 "${hdfs_dn[0]}" >port 3>&- &
	children=$!
	disown
	await 20 test -s port
	publish -v --layout x --compress none --map "${hdfs_dn[0]}=127.0.0.1:$(cat port)" input
	expect_status 0
	[ -s "$err" ] || fail "nothing was cut"
	expect_all input
	expect_none_kept
}

@test "under metlog-spool drain, segment after segment into three partitions; again changes nothing" {
	flood 6000 >input
	mkdir -m 700 spool
	metlog-spool write spool --segment-bytes 1Mi -q <input
	command=(metlog-to-hdfs --to "$to" --user metlog --staging "$PWD/staging" --layout 'severity={severity}' -m 'severity in (3, 5, 6)' --compress gzip)
	separately metlog-spool drain spool --once --keep 1h -- "${command[@]}"
	expect_status 0
	metlog-route -m 'severity in (3, 5, 6)' <input >wanted
	expect_all wanted
	expect_none_kept
	hdfs ls "$base" | cut -f2 | sort >names
	segments=$(find spool/delivered -name '*.ndjson*' | wc -l)
	[ "$segments" -gt 1 ]
	[ "$(wc -l <names)" -eq $((3 * segments)) ] || fail "$(cat names)"
	# The oldest segment comes again, as after a power loss.
	one=$(find spool/delivered -name '*.ndjson*' | sort | head -1)
	mv "$one" spool/
	separately metlog-spool drain spool --once -- "${command[@]}"
	expect_status 0
	hdfs ls "$base" | cut -f2 | sort | cmp - names
	expect_all wanted
}

# cron_line FILE: its line for cron, without times and user, as cron gives it to sh; the spool, the cluster and the staging directory are this test's.
cron_line() {
	sed -nE 's/^7 \* \* \* \* +(metlog +)?metlog-spool/metlog-spool/p' "$1" | sed "s,/var/spool/metlog,$PWD,; s,webhdfs://[^ ]*,$to,"
}

@test "the README's recipe for cron, as it stands, publishes each envelope once, and says nothing; so does metlog-hdfs.cron" {
	flood 3000 >input
	sed -nE '/^default archive +=> spool:/p' "$SOURCE/README.md" | sed "s,/var/spool/metlog,$PWD,; s/segment-age=1h/segment-age=0.1s/" >routes
	grep -q "spool:$PWD/archive segment-bytes=" routes || fail "$(cat routes)"
	for file in "$SOURCE/README.md" "$SOURCE/man/metlog-to-hdfs.1" "$SOURCE/contrib/examples/metlog-hdfs.cron"; do
		recipe=$(cron_line "$file")
		[[ $recipe = metlog-spool\ drain\ * ]] || fail "$file: $recipe"
		metlog-route -c routes input
		for _ in 1 2; do
			separately env -i PATH="$PATH" HOME="$PWD" METLOG_STAGING="$PWD/staging" sh -c "$recipe"
			expect_status 0 || fail "$file: $recipe"
			expect_empty "$out"
			expect_empty "$err"
		done
		[ -z "$(find archive -name '*.ndjson*')" ]
		cat input >>all
	done
	hdfs ls "$base" >listed
	grep -qE "$base/type=counter/dt=[-0-9]+/hour=[0-9]+/[0-9]+-[0-9TZ]+-[0-9a-f]+-1\.ndjson\.zst" listed || fail "$(cat listed)"
	mkdir got
	while read -r _ path; do
		hdfs raw "$path" | zstdcat
	done <listed | sort >got/lines
	sort all | cmp - got/lines
	expect_none_kept
}

@test "runs that overlap, with the same staging or their own, publish each envelope once" {
	flood 6000 >input
	runs=''
	for i in 1 2 3 4; do
		metlog-to-hdfs --to "$to" --user metlog --staging "staging$((i / 3))" --layout 'dt={date}/type={type}' input >/dev/null 2>err.$i 3>&- &
		runs+=" $!"
	done
	for one in $runs; do
		wait "$one" || fail "$(cat err.*)"
	done
	expect_all input
	[ -z "$(find staging0 staging1 -name '*.item')" ]
}

@test "a stream: a pipe is published at its end, and on SIGTERM" {
	flood 500 >input
	publish --layout x < <(cat input)
	expect_status 0
	expect_all input
	mkfifo pipe
	metlog-to-hdfs --to "$to" --user metlog --staging staging --layout y <pipe >out 2>err 3>&- &
	children=$! err=err
	exec 7>pipe
	flood 300 --seed 2 >input.2
	cat input.2 >&7
	staged() { [ "$(find staging -name '*.ndjson' -exec cat {} + | wc -l)" -eq 300 ]; }
	await 20 staged
	kill -TERM "$children"
	ended "$children" 20
	exec 7>&-
	expect_status 0
	expect_all input input.2
	expect_none_kept
}

@test "where nobody listens the status is 75, after --retry-for and not much later" {
	flood 10 >input
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	start=$SECONDS
	separately metlog-to-hdfs --to "webhdfs://127.0.0.1:$port$base" --staging "$PWD/staging" --retry-for 2s input
	expect_status 75
	[ $((SECONDS - start)) -lt 30 ] # and not after a minute, the default
	expect_kept
	expect_in "$err" "127.0.0.1:$port"
}

@test "a redirect to a host that --to does not name is refused, unless --datanode or --map allows it" {
	flood 10 >input
	to=webhdfs://nn.example.net:${hdfs_nn[0]#*:}$base
	publish --map nn.example.net=127.0.0.1 input
	expect_status 77
	expect_in "$err" 127.0.0.1
	[ "$(files)" -eq 0 ]
	publish --map nn.example.net=127.0.0.1 --datanode 127.0.0.1 input
	expect_status 0
	expect_all input
}

@test "swebhdfs: TLS to both nodes, with their authority; without it 77 and nothing is sent" {
	flood 200 >input
	to=swebhdfs://${hdfs_nns[0]}$base
	publish input
	expect_status 77
	[ "$(files)" -eq 0 ]
	publish --cacert "$hdfs_dir/conf/ca.pem" input
	expect_status 0
	expect_all input
}
