# hdfs-streaming.bats - the tools as mappers of Hadoop Streaming over what metlog-to-hdfs has published, with Hadoop's local job runner.
# SPDX-License-Identifier: MPL-2.0
#
# On a cluster:
#	hadoop jar hadoop-streaming.jar -D mapreduce.job.reduces=1 -files /usr/local/bin/metlog-tail \
#	    -input '/data/metlog/type=*/dt=2026-11-22/*' -output /tmp/types -mapper 'metlog-tail --format {type}' -reducer 'uniq -c'
# Without one, in a process of this machine, with the jars and a JDK alone (what these tests run):
#	java --add-opens java.base/java.lang=ALL-UNNAMED -cp "$CLASS_PATH" org.apache.hadoop.streaming.HadoopStreaming \
#	    -D mapreduce.framework.name=local -D fs.defaultFS=file:/// ... -input hdfs://nn:8020/data/metlog/... or a path of this machine ...
# A mapper is split into words at blanks; quotes hold words together. It gets lines, and a line without a tab that it writes is a key: Streaming ends it with a
# tab (-D mapreduce.output.textoutputformat.separator= takes it away, and with no reducer nothing sorts).

setup_file() { load hdfs; hdfs_setup_file; }
teardown_file() { load hdfs; hdfs_teardown_file; }

setup() {
	load ../helper
	load hdfs
	cd "$BATS_TEST_TMPDIR"
	hdfs_setup
	hdfs_base jobs
	metlog-flood -q -c 12000 >input
}

# job ARGUMENT...: its result is in the file `result`.
job() {
	rm -rf output
	hdfs_java org.apache.hadoop.streaming.HadoopStreaming -D mapreduce.framework.name=local -D fs.defaultFS=file:/// \
		-D hadoop.tmp.dir="$PWD/tmp" -D mapreduce.job.reduces=1 "$@" -output "$PWD/output" >job.log 2>&1 || fail "$(tail -30 job.log)"
	[ -e output/_SUCCESS ]
	cat output/part-* >result
}

@test "envelopes by type, counted by a mapper and a reducer, are as many as jq counts" {
	publish --compress gzip input
	expect_status 0
	jq -r .type input | sort | uniq -c | awk '{ print $2, $1 }' >expected
	[ "$(wc -l <expected)" -gt 6 ]
	job -input "$hdfs_fs$base/type=*/dt=*/*" -mapper 'metlog-tail --format {type}' -reducer 'uniq -c'
	awk '{ print $2, $1 }' result | cmp - expected
}

@test "a mapper that is a script, over files that are not compressed, sums a timer by name" {
	publish --compress none --layout 'type={type}' --rotate-bytes 1M input
	expect_status 0
	cat >mapper <<-S
		#!/bin/sh
		metlog-route -m 'type == "timer"' | metlog-tail --format '{fields.name}	{payload}'
	S
	cat >reducer <<-'S'
		#!/usr/bin/awk -f
		BEGIN { FS = "\t" }
		{ count[$1]++; sum[$1] += $2 }
		END { for (name in count) printf "%s %d %.3f\n", name, count[name], sum[name] }
	S
	chmod +x mapper reducer
	job -input "$hdfs_fs$base/*" -mapper "$PWD/mapper" -reducer "$PWD/reducer"
	jq -r 'select(.type == "timer") | "\(.fields.name)\t\(.payload)"' input | awk -f reducer | sort >expected
	[ "$(wc -l <expected)" -gt 2 ]
	tr -d '\t' <result | sort | cmp - expected
}

@test "metlog-route as a mapper without a reducer: the envelopes that match, byte for byte; a mapper that fails fails the job" {
	publish --compress gzip --layout 'type={type}' input
	expect_status 0
	job -D mapreduce.job.reduces=0 -D mapreduce.output.textoutputformat.separator= \
		-input "$hdfs_fs$base/*" -mapper 'metlog-route -m severity<=3'
	metlog-route -m 'severity<=3' <input | sort >expected
	[ -s expected ]
	sort result | cmp - expected
	if (job -D mapreduce.job.reduces=0 -input "$hdfs_fs$base/type=timer" -mapper 'metlog-route --strict -m (' 2>/dev/null); then fail "a usage error went unseen"; fi
}
