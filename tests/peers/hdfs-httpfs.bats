# hdfs-httpfs.bats - metlog-to-hdfs through an HttpFS gateway: one host to speak to, other answers, the same promises.
# SPDX-License-Identifier: MPL-2.0

setup_file() { load hdfs; hdfs_setup_file --httpfs; }
teardown_file() { load hdfs; hdfs_teardown_file; }

setup() {
	load ../helper
	load hdfs
	cd "$BATS_TEST_TMPDIR"
	hdfs_setup
	hdfs_at=webhdfs://$hdfs_httpfs
	hdfs_base gateway
}

flood() { metlog-flood -q -c "$@"; }

@test "what is published through the gateway is read back line by line; the same input again changes nothing" {
	flood 8000 >input
	for how in none gzip zstd; do
		publish --layout 'severity={severity}' --compress $how input
		expect_status 0
	done
	expect_all input input input
	hdfs stat "$base" >before
	publish --layout 'severity={severity}' --compress gzip --json input
	expect_status 0
	[ "$(jq -r 'select(.path).state' "$out" | sort -u)" = there ]
	hdfs stat "$base" | cmp - before
	expect_none_kept
}

@test "names with spaces, percents, equal signs, signs of URLs and any letters arrive as they are" {
	base+='/with space/100%41/a=b&c;d+e,f?g#h/é→日本😀'
	hdfs mkdir "$base" 777
	# shellcheck disable=SC2034
	to=$hdfs_at$(sed 's/%/%25/g; s/?/%3F/g; s/#/%23/g' <<<"$base")
	jq -cn '"a b", "100%41", "a=b&c=d", "+;,@!$()", "é→日本😀", "..", "a/b", "a:b" | {type: ., payload: "x"}' >input
	publish --layout 'type={type}' --name a+b@c= input
	expect_status 0
	expect_all input
	hdfs ls "$base" | grep -F "$base/type=+;,@!\$()/a+b@c=-1.ndjson.zst"
}

@test "a file of many blocks, with --verify" {
	flood 6000 >input
	publish --layout all --compress none --verify input
	expect_status 0
	expect_all input
}

@test "permission, quota and conflict are 77, 69 and 69 here, too" {
	flood 100 >input
	hdfs mkdir "$base" 755
	publish input
	expect_status 77
	hdfs mkdir "$base" 777
	hdfs quota "$base" 3 -1
	publish input
	expect_status 69
	expect_in "$err" QuotaExceededException
	hdfs quota "$base" -1 -1
	publish --layout x --name day --compress none input
	expect_status 0
	hdfs rm "$base/x/day-1.ndjson"
	echo '{}' >other
	hdfs put other "$base/x/day-1.ndjson"
	publish --layout x --name day --compress none input
	expect_status 69
	hdfs raw "$base/x/day-1.ndjson" | cmp - other
	publish --layout x --name day --compress none --conflict replace input
	expect_status 0
	hdfs raw "$base/x/day-1.ndjson" | cmp - input
	expect_none_kept
}

@test "safe mode: 75, and the next run goes on" {
	flood 100 >input
	hdfs safemode on
	publish --retry-for 1s input || true
	hdfs safemode off
	expect_status 75
	expect_kept
	publish input
	expect_status 0
	expect_all input
	expect_none_kept
}
