# hdfs-streaming.bats - the tools as mappers, combiners and reducers of Hadoop Streaming over what metlog-to-hdfs has published, with Hadoop's local job runner.
# SPDX-License-Identifier: MPL-2.0
#
# On a cluster:
#	hadoop jar hadoop-streaming.jar -D mapreduce.job.reduces=1 -files /usr/local/bin/metlog-tail \
#	    -input '/data/metlog/type=*/dt=2026-11-22/*' -output /tmp/types -mapper 'metlog-tail --format {type}' -reducer 'uniq -c'
# Without one, in a process of this machine, with the jars and a JDK alone (what these tests run):
#	java -cp "$CLASS_PATH" org.apache.hadoop.streaming.HadoopStreaming \
#	    -D mapreduce.framework.name=local -D fs.defaultFS=file:/// ... -input hdfs://nn:8020/data/metlog/... or a path of this machine ...
# The class path is that of hadoop-streaming and of what it depends on, with hadoop-mapreduce-client-common for the local runner (tests/peers/hdfs/pom.xml).
# A mapper's command is split into words at blanks; quotes hold words together; no shell, no pipe. A line without a tab is a key without a value: Streaming ends
# it with a tab. An envelope with a tab behind it is still that envelope.

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

@test "envelopes by type, counted by a mapper that -files brings along and a reducer, are as many as jq counts" {
	publish --compress gzip input
	expect_status 0
	jq -r .type input | sort | uniq -c | awk '{ print $2, $1 }' >expected
	[ "$(wc -l <expected)" -gt 6 ]
	cp "$TOOLS/metlog-tail" brought-along
	job -files "$PWD/brought-along" -input "$hdfs_fs$base/type=*/dt=*/*" -mapper 'brought-along --format {type}' -reducer 'uniq -c'
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

@test "metlog-route as a mapper without a reducer: the envelopes that match, and a tab; a mapper that fails fails the job" {
	publish --compress gzip --layout 'type={type}' input
	expect_status 0
	metlog-route -m 'severity<=3' <input | sort >expected
	[ -s expected ]
	job -D mapreduce.job.reduces=0 -input "$hdfs_fs$base/*" -mapper 'metlog-route -m severity<=3'
	tr -d '\t' <result | sort | cmp - expected
	# As they are they can be read again.
	metlog-route -m TRUE <result >again
	[ "$(wc -l <again)" -eq "$(wc -l <expected)" ]
	if (job -D mapreduce.job.reduces=0 -input "$hdfs_fs$base/type=timer" -mapper 'metlog-route -m (' 2>/dev/null); then fail "a usage error went unseen"; fi
	expect_in job.log 'subprocess failed with code 64'
}

# A log of 20,000 lines: forty keys with from one to some thousand addresses.
addresses() {
	awk 'BEGIN {
		srand(1)
		for (i = 0; i < 20000; i++) {
			key = int(40 * rand() ^ 3)
			printf "{\"type\":\"%s\",\"fields\":{\"ip\":\"10.%d.%d.%d\",\"api_key\":\"k%d\"}}\n", rand() < 0.5 ? "locate" : "submit", key, int(rand() * (key + 1)), int(256 * rand()), key
		}
	}'
}

# without_time FILE...: counts, without what differs from run to run.
without_time() { jq -cS '[.payload, .fields]' "$@" | sort; }

@test "different values counted by a mapper, a combiner and three reducers are those that one run counts" {
	addresses >log
	local count=(--of fields.ip --by 'key=fields.api_key,type') file
	split -n l/3 log log.
	metlog-cardinality --format json "${count[@]}" log | without_time >expected
	[ "$(wc -l <expected)" -gt 70 ]
	printf '#!/bin/sh\necho >>%q\nexec metlog-cardinality --reduce --map\n' "$PWD/combined" >combiner
	chmod +x combiner
	job -D mapreduce.job.reduces=3 -input "$PWD/log.*" -mapper "metlog-cardinality ${count[*]} --map" \
		-combiner "$PWD/combiner" -reducer 'metlog-cardinality --reduce --format json'
	[ "$(find output -name 'part-*' -size +0 | wc -l)" -eq 3 ]
	[ "$(wc -l <combined)" -ge 3 ]
	for file in output/part-*; do without_time "$file"; done | sort | cmp - expected
}
