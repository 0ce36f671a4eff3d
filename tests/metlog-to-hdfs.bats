# metlog-to-hdfs.bats - files below a directory: layout, formats, names, what is printed, and what is said of a mistake.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load helper
	load family
	load to-hdfs
	to_hdfs_setup
}

teardown() { to_hdfs_teardown; }

@test "envelopes are sorted into directories by type, date and hour, and nothing is lost or changed" {
	need zstd
	envelopes 1 200 3 >in
	publish in
	expect_status 0
	expect_empty "$out"
	expect_empty "$err"
	files | sed 's,/[^/]*$,,' | sort -u >dirs
	for type in t0 t1 t2; do for hour in 06 07 08; do echo "type=$type/dt=2026-11-22/hour=$hour"; done; done >expected
	sed 's,/*$,,' dirs >got
	expect_same expected got
	exactly in
	files | grep -qE '^type=t0/dt=2026-11-22/hour=06/[0-9a-f]{32}\.ndjson\.zst$'
	[ -z "$(left)" ]
	zstd -dcq base/type=t1/dt=2026-11-22/hour=07/*.zst >got
	grep '"type":"t1"' in | grep T07: >expected
	expect_same expected got
}

@test "--layout takes members, fields with defaults, parts of the time, and a name for the file" {
	printf '%s\n' '{"timestamp":"2026-11-22T23:30:00Z","logger":"web","fields":{"region":"eu"}}' \
		'{"timestamp":"2026-11-22T23:30:00Z","logger":"web"}' >in
	publish --compress none --tz Europe/Berlin --layout 'l={logger}/r={fields.region|none}/{year}{month}{day}/{hour}{minute}/part-{name}' --name day1 in
	expect_status 0
	files >got
	printf '%s\n' l=web/r=eu/20261123/0030/part-day1-1.ndjson l=web/r=none/20261123/0030/part-day1-1.ndjson >expected
	expect_same expected got
	publish --compress none --layout '{name}' --name flat in
	expect_status 0
	[ -f base/flat-1.ndjson ]
}

@test "--compress none, gzip and zstd, with levels, are read back by cat, gzip and zstd" {
	need zstd gzip
	envelopes 1 3000 1 >in
	for how in none gzip zstd gzip:9 zstd:12; do
		rm -rf base
		publish --compress "$how" in
		expect_status 0
		exactly in
	done
	for how in lz4 gzip:10 zstd:0 none:1 zstd: ''; do
		publish --compress "$how" in
		expect_status 64
		expect_in "$err" --compress
	done
}

@test "--format hive writes keys once and in lower case, and nested values as text" {
	printf '%s\n' '{"timestamp":"2026-11-22T06:00:00Z","type":"a","Extra":{"a":[1]},"fields":{"N":{"x":1},"n":2}}' >in
	publish --format hive --compress none in
	expect_status 0
	contents >got
	expect_in got '"extra":"{\"a\":[1]}"'
	expect_in got '"n":"{\"x\":1}"'
	expect_in got '"n_2":2'
}

@test "whatever a member holds, its file is below the base, and no deeper than the layout" {
	long=$(printf 'x%.0s' {1..5000})
	values=('../../x' 'a/b' '%2e%2e' '/etc/passwd' '..' '.' '.hidden' '_hidden' '' ' ' 'CON' 'a\\b' 'a\u0000b' 'a\nb' '\u202eabc' '\ud800' '?q=1&x#y' 'a=b' '*' '~' '-rf' '$(x)'
		'é\u00e9' "$long" '\t' '../../../../../../../../tmp/x' '%00' '\u002e\u002e\u002f' 'a:b' '{x}' '\u2028' '\ufeff' '\u007f')
	for value in "${values[@]}"; do
		printf '{"timestamp":"2026-11-22T06:00:00Z","type":"%s","logger":"%s"}\n' "$value" "$value"
	done >in
	mkdir around
	separately metlog-to-hdfs --to file:around/base --compress none --layout 'type={type}/{logger}' in
	expect_status 0
	exactly in around/base
	[ "$(find around -mindepth 1 -maxdepth 1)" = around/base ]
	[ -z "$(find around/base -type f ! -path 'around/base/*/*/*')" ]
	[ -z "$(find around/base -mindepth 4)" ]
	if find around/base -mindepth 1 -printf '%f\n' | grep -E '^[._]' | grep -v '^__HIVE_DEFAULT_PARTITION__$'; then fail "hidden"; fi
	if find around/base -mindepth 1 -printf '%f\n' | LC_ALL=C grep -P '[\x00-\x1f\x7f]|\xe2\x80\xae|\xe2\x80\xa8'; then fail "not plain"; fi
	if find around/base -mindepth 1 -printf '%f\n' | awk 'length > 255' | grep .; then fail "too long"; fi
}

@test "what is late, in the future, or one directory too many stands below _late, _future and _overflow" {
	printf '{"timestamp":"%s","type":"a"}\n' 2026-11-20T06:00:00Z 2026-11-22T06:00:00Z 2026-11-30T06:00:00Z 1999-01-01T00:00:00Z >in
	touch -d 2026-11-22T06:00:00Z in
	publish --compress none --max-age 36h --layout '{date}' in
	expect_status 0
	files | sed 's,/[^/]*$,,' >got
	printf '%s\n' 2026-11-22 _future/2026-11-30 _late/1999-01-01 _late/2026-11-20 >expected
	expect_same expected got
	envelopes 1 50 10 >many
	rm -rf base
	publish --compress none --max-partitions 4 --layout '{type}' --stats stats many
	expect_status 0
	exactly many
	files | sed 's,/.*,,' | sort -u >got
	printf '%s\n' _overflow t1 t2 t3 t4 >expected
	expect_same expected got
	[ "$(count stats overflowed)" = 30 ]
}

@test "a file is finished before it is over --rotate-bytes, and --open files are filled at a time; the cuts are always the same" {
	envelopes 1 300 5 >in
	publish --compress none --rotate-bytes 2000 --layout '{type}' in
	expect_status 0
	exactly in
	[ -z "$(find base -type f -size +2000c)" ]
	[ "$(count_files)" -gt 10 ]
	rm -rf base
	envelopes 1 100 5 >in
	publish --compress none --open 2 --layout '{type}' in
	expect_status 0
	exactly in
	[ "$(count_files)" -gt 50 ]
	state >before
	publish --compress none --open 2 --layout '{type}' in
	expect_status 0
	state >after
	expect_same before after
	publish --compress none --rotate-bytes 1 --layout 'one' --name n in
	expect_status 0
	[ "$(find base/one -type f | wc -l)" = 100 ]
}

@test "equal lines are not one: what the input has twice is published twice" {
	{ envelopes 1 1; envelopes 1 1; envelopes 1 1; } >in
	publish --compress none --rotate-bytes 1 in
	expect_status 0
	exactly in
	[ "$(count_files)" = 3 ]
}

@test "--json tells of each file, and of all" {
	need jq
	envelopes 1 100 2 >in
	publish --json in
	expect_status 0
	[ "$(jq -c 'select(.state == "published") | .path' "$out" | wc -l)" = "$(count_files)" ]
	jq -r 'select(.path) | .path' "$out" | while read -r path; do [ -f "$path" ] || fail "$path is not there"; done
	jq -s -e '[.[] | select(.path) | .records] | add == 100' "$out"
	jq -s -e '([.[] | select(.path) | .bytes] | add) == (.[-1].summary.bytes)' "$out"
	jq -s -e '.[-1].summary | .files == .published and .there == 0 and .kept == 0 and .refused == 0 and .records == 100' "$out"
	publish --json in
	expect_status 0
	jq -s -e '.[-1].summary | .files == .there and .published == 0' "$out"
	status=0
	metlog-to-hdfs --to file:base --json in >/dev/full 2>err || status=$?
	err=err
	expect_status 74
	expect_in err "standard output: No space left"
}

@test "--dry-run prints what would be published, under the very names, and touches nothing" {
	envelopes 1 100 2 >in
	publish --dry-run in
	expect_status 0
	expect_empty "$err"
	[ ! -e base ]
	[ ! -e staging ]
	cp "$out" plan
	publish in
	expect_status 0
	(cd base && find . -type f -printf '%P\t%s\n') | sort >got
	sed 's,^base/,,' plan | cut -f 1,3 | sort >expected
	expect_same expected got
	[ "$(awk -F '\t' '{ sum += $2 } END { print sum }' plan)" = 100 ]
	before=$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'metlog-to-hdfs.*' | wc -l)
	separately timeout 20 metlog-to-hdfs --dry-run --to webhdfs://127.0.0.1:1,127.0.0.1:2/data --json in
	expect_status 0
	expect_in "$out" '"path":"/data/type=t0/dt=2026-11-22/hour=06/'
	[ "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'metlog-to-hdfs.*' | wc -l)" -le "$before" ]
}

@test "--permission holds for the files of a directory, too; without it the umask does" {
	envelopes 1 4 1 >in
	publish --permission 640 --layout one in
	(umask 077 && publish --permission 0644 --layout two in)
	(umask 077 && publish --layout three in)
	[ "$(stat -c %a base/*/*.ndjson.zst | tr '\n' ' ')" = "640 600 644 " ] || fail "$(stat -c '%a %n' base/*/*)"
}

@test "--dry-run contacts nobody" {
	need strace
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	envelopes 1 5 >in
	separately strace -f -o trace -e trace=network metlog-to-hdfs --dry-run --to webhdfs://127.0.0.1:1/data in
	expect_status 0
	if grep -E 'socket\(AF_INET|connect\(' trace; then fail "it did"; fi
}

@test "--explain prints the directory and the line of each envelope" {
	envelopes 1 3 2 >in
	separately metlog-to-hdfs --explain in
	expect_status 0
	expect_empty "$err"
	awk '{ print "type=t" (NR % 2) "/dt=2026-11-22/hour=06/\t" $0 }' in >expected
	expect_same expected "$out"
}

@test "--ddl prints the table, and the partitions of FILEs; --add-partitions appends those of what was published" {
	envelopes 1 3 2 >in
	publish --ddl --table logs.metlog
	expect_status 0
	expect_in "$out" 'CREATE EXTERNAL TABLE IF NOT EXISTS `logs`.`metlog`'
	expect_in "$out" "LOCATION 'file://$PWD/base'"
	if grep 'ADD IF NOT' "$out"; then fail "there were no FILEs"; fi
	publish --ddl in
	grep 'ADD IF NOT' "$out" >expected
	[ "$(wc -l <expected)" = 2 ]
	[ ! -e base ]
	publish --add-partitions statements in
	expect_status 0
	sort expected >one
	sort statements >two
	expect_same one two
	publish --add-partitions statements in
	expect_status 0
	[ "$(wc -l <statements)" = 4 ]
	for stdout in - /dev/stdout; do
		publish --add-partitions "$stdout" in
		expect_status 0
		sort "$out" >two
		expect_same one two
		publish --json --add-partitions "$stdout" in
		expect_status 64
	done
	publish --ddl --layout 'plain/{type}' in
	expect_status 64
	expect_in "$err" 'key={...}'
	publish --add-partitions no/such/place in
	expect_status 73
	expect_in "$err" no/such/place
	separately metlog-to-hdfs --to webhdfs://nn1:9870,nn2/data/metlog --ddl
	expect_in "$out" "LOCATION 'hdfs:///data/metlog'"
}

@test "-m, --since and --until drop by rule, rejects are kept or counted, and the books balance" {
	{ envelopes 1 100 2; echo nonsense; } >in
	publish --compress none --rejects dead -m 'type == "t1"' --until 2026-11-22T06:30:00Z --stats stats in
	expect_status 0
	balanced stats
	[ "$(count stats read)" = 101 ]
	[ "$(count stats passed)" = 15 ]
	[ "$(count stats dropped)" = 85 ]
	[ "$(count stats rejected)" = 1 ]
	[ "$(wc -l <dead)" = 1 ]
	contents | wc -l | grep -qx 15
	publish --compress none in
	expect_status 65
	head -100 in >good
	rm -rf base
	publish --compress none in
	expect_status 65
	exactly good
}

@test "a batch of which a part cannot be read is not published further, and is 66; once it is whole, each line is there once" {
	envelopes 1 50 >one
	envelopes 51 90 >two
	envelopes 91 120 >three
	mv two away
	publish --compress none --rotate-bytes 1000 --stats stats one two three
	expect_status 66
	expect_in "$err" two
	expect_in "$err" "was not read to its end"
	balanced stats
	mv away two
	publish --compress none --rotate-bytes 1000 one two three
	expect_status 0
	cat one two three >all
	exactly all
}

@test "a missing part is seen behind a conflict, too: nothing is cut over the gap" {
	envelopes 1 50 1 >one
	envelopes 91 120 1 >three
	mkdir -p base/plain/n-1.ndjson
	publish --compress none --layout plain --name n --rotate-bytes 1000 one two three
	expect_status 69
	expect_in "$err" "n-1.ndjson: conflict"
	expect_in "$err" "was not read to its end"
	if contents | grep -qF 00000091; then fail "what stands behind the gap was published"; fi
}

@test "wrong options are usage errors, each said by its name" {
	for wrong in "--to ftp://x/" "--to webhdfs:" "--to file:" "--conflict merge" "--rotate-bytes 0" "--rotate-bytes x" "--open 0" "--layout a//b" "--layout {type" \
		"--layout ../x" "--name a/b" "--name .x" "--permission 9" "--format xml" "--replication 0" "--timeout 0" "--key x" "--max-age soon"; do
		# shellcheck disable=SC2086
		publish $wrong </dev/null
		expect_status 64 || fail "$wrong"
		expect_in "$err" "metlog-to-hdfs: ${wrong%% *}"
	done
	separately metlog-to-hdfs </dev/null
	expect_status 64
	expect_in "$err" "--to is missing"
	separately env -u METLOG_STAGING -u HOME metlog-to-hdfs --to file:base </dev/null
	expect_status 78
	expect_in "$err" STATE_DIRECTORY
	publish --ddl --explain </dev/null
	expect_status 64
}

@test "an address that others would take, or a path, is told how to be written here" {
	while read -r to hint; do
		separately metlog-to-hdfs --to "$to" </dev/null
		expect_status 64 || fail "$to"
		expect_in "$err" "metlog-to-hdfs: --to: '$to': $hint"
	done <<-'E'
		hdfs://nn1:8020/data that is how Hadoop's own clients call it: here it is webhdfs://HOST[:PORT]/PATH, with the port of the REST interface, 9870
		http://nn1:9870/data HDFS is webhdfs://HOST[:PORT]/PATH, or swebhdfs:// over TLS
		https://nn1:9871/data HDFS is webhdfs://HOST[:PORT]/PATH, or swebhdfs:// over TLS
		/srv/metlog a directory of this machine is file:PATH
		./metlog a directory of this machine is file:PATH
		nn1:9870/data one of webhdfs://HOST[:PORT]/PATH, swebhdfs:// and file:PATH is expected
		spool:x one of webhdfs://HOST[:PORT]/PATH, swebhdfs:// and file:PATH is expected
		webhdfs://nn1:9870,webhdfs://nn2:9870/data the scheme stands once, in front of all hosts
		webhdfs://nn1:9870/webhdfs/v1/data the path is that of HDFS, without /webhdfs/v1
	E
	for option in --cacert --cert --token-file; do
		separately metlog-to-hdfs --to swebhdfs://127.0.0.1:1/x "$option" missing </dev/null
		expect_in "$err" "metlog-to-hdfs: $option: missing: No such file or directory"
	done
}

@test "the staging directory is by option, METLOG_STAGING, STATE_DIRECTORY, XDG_STATE_HOME or HOME" {
	envelopes 1 3 >in
	mkdir -p home
	status=0
	try() { # ENVIRONMENT... : where it is then
		separately timeout 20 env -u METLOG_STAGING HOME="$PWD/home" "$@" metlog-to-hdfs --to webhdfs://127.0.0.1:1/x --retry-for 0 in
		expect_status 75
		sed -n 's/.*kept in \(.*\) for the next run.*/\1/p' "$err" | grep -oE '.*/[0-9a-f]{16}$'
	}
	[ "$(dirname "$(try A=b)")" = "$PWD/home/.local/state/metlog/to-hdfs" ]
	[ "$(dirname "$(try XDG_STATE_HOME="$PWD/xdg")")" = "$PWD/xdg/metlog/to-hdfs" ]
	[ "$(dirname "$(try XDG_STATE_HOME="$PWD/xdg" STATE_DIRECTORY="$PWD/a:$PWD/b")")" = "$PWD/a/to-hdfs" ]
	[ "$(dirname "$(try STATE_DIRECTORY="$PWD/a" METLOG_STAGING="$PWD/env")")" = "$PWD/env" ]
	[ "$(stat -c %a env/*)" = 700 ]
}

@test "on a terminal the sum is shown, and nothing else on standard output" {
	need script
	envelopes 1 100 >in
	TERM=xterm script -qec "metlog-to-hdfs --to file:base in >plain" typescript >/dev/null
	expect_in typescript "published below $PWD/base: files: 4, envelopes: 100"
	expect_empty plain
	TERM=xterm script -qec "metlog-to-hdfs -q --to file:base in" typescript >/dev/null
	if grep -q 'published below' typescript; then fail "-q"; fi
}

@test "compressing that lasts shows how far it is, of just what there is to be compressed" {
	need script
	metlog-flood -q -c 5000 >in
	TERM=xterm script -qec "metlog-to-hdfs --to file:base --compress zstd:19 in" typescript >/dev/null
	tr '\r' '\n' <typescript | grep -oE 'compressing: [0-9]+ % of [0-9.]+ MB, [0-9.]+ [kM]?B/s, [0-9].* left' >shown || skip "this machine is too fast for it"
	exactly in
	awk -v bytes="$(stat -c %s in)" '{ percent = $2; size = $5 } size * 1e6 > bytes + 1e6 || percent > 100 || percent < last { print; exit 1 } { last = percent }' shown
}
