# hdfs-kills.bats - metlog-to-hdfs is killed while it publishes to Hadoop's mini cluster: in each system call, and at random; each envelope is published once.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup_file() {
	load ../helper
	load hdfs
	hdfs_setup_file
}

setup() {
	load ../helper
	load ../faults/faults
	load hdfs
	hdfs_setup
	at=webhdfs://${hdfs_nn[0]}/kills
	hdfs mkdir /kills 777
}

teardown_file() {
	load hdfs
	hdfs_teardown_file
}

points() {
	short --every "$2" --seed "$((RANDOM + 1))" -- --every 1
	faults publish "$1" "$at" kill "${set[@]}" "${@:3}"
}

@test "HDFS: a publish of files by name may be killed in any call: the next run makes the same files" { points operand 300; }
@test "HDFS: of a segment, too" { points segment 300; }
@test "HDFS: of a stream: what is sent again is published once" { points stream 300; }

@test "HDFS: random kills of a larger publish, alone and beside another run: no torn file at a final name, each envelope once" {
	short --kills 15 --records 3000 -- --kills 200
	faults publish_kills run "$at" "${set[@]}"
}

@test "HDFS: random kills of a drain and of its metlog-to-hdfs: each envelope once" {
	short --kills 8 -- --kills 200
	faults publish_kills drain "$at" "${set[@]}"
}
