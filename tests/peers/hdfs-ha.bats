# hdfs-ha.bats - metlog-to-hdfs and two namenodes of which one is active: whichever it is, and when it becomes the other.
# SPDX-License-Identifier: MPL-2.0

setup_file() { load hdfs; hdfs_setup_file --ha; }
teardown_file() { load hdfs; hdfs_teardown_file; }

setup() {
	load ../helper
	load hdfs
	cd "$BATS_TEST_TMPDIR"
	children=''
	hdfs_setup
	hdfs standby 1
	hdfs active 0
	hdfs_base ha
}

teardown() {
	local pid
	for pid in $children; do kill -9 "$pid" 2>/dev/null || true; done
}

flood() { metlog-flood -q -c "$@"; }

# switch FROM TO: the one becomes standby, the other active.
switch() { hdfs standby "$1"; hdfs active "$2"; }

@test "the active namenode is found, first or last in the list; it is remembered" {
	flood 4000 >input
	gate "${hdfs_nn[1]}"
	to=webhdfs://$gate,${hdfs_nn[0]}$base
	publish input
	expect_status 0
	expect_all input
	[ "$(hdfs ls "$base" | wc -l)" -ge 8 ]
	# Eight files and more, each with four requests: the standby was asked once.
	[ "$(grep -ac HTTP/1.1 asked)" -eq 1 ] || fail "$(grep -a HTTP/1.1 asked)"
}

@test "a fail-over between the namenode's answer and the datanode's: the file is begun anew" {
	flood 2000 >input
	gate "${hdfs_dn[0]}" 0
	metlog-to-hdfs -v --to "$to" --user metlog --staging staging --layout x --map "${hdfs_dn[0]}=$gate" input >out 2>err 3>&- &
	run=$! err=err
	children+=" $run"
	await 30 gate_holds || fail "$(cat err)"
	switch 0 1
	kill -USR1 "$gate_pid"
	ended "$run" 60
	expect_status 0
	expect_all input
	expect_none_kept
}

@test "a fail-over in the middle of an upload: nothing is lost, nothing is twice" {
	flood 8000 >input
	gate "${hdfs_dn[0]}" 1500000
	metlog-to-hdfs -v --to "$to" --user metlog --staging staging --layout x --compress none --map "${hdfs_dn[0]}=$gate" input >out 2>err 3>&- &
	run=$! err=err
	children+=" $run"
	await 30 gate_holds || fail "$(cat err)"
	switch 0 1
	kill -USR1 "$gate_pid"
	ended "$run" 60
	expect_status 0
	expect_all input
	expect_none_kept
}

@test "the active namenode is gone: the other takes over" {
	flood 2000 >input
	hdfs stop-namenode 0
	hdfs active 1
	publish input || true
	gone=$status
	hdfs start-namenode 0
	status=$gone
	expect_status 0
	expect_all input
}

@test "two namenodes in standby: 75, and StandbyException; once one is active the next run goes on" {
	flood 300 >input
	hdfs standby 0
	publish --retry-for 2s input || true
	hdfs active 1
	expect_status 75
	expect_in "$err" StandbyException
	expect_kept
	publish input
	expect_status 0
	expect_all input
	expect_none_kept
}

@test "while no namenode is active it is tried again, for --retry-for" {
	flood 300 >input
	hdfs standby 0
	metlog-to-hdfs -v --to "$to" --user metlog --staging staging input >out 2>err 3>&- &
	run=$! err=err
	children=$run
	await 20 grep -q StandbyException err
	hdfs active 1
	ended "$run" 60
	expect_status 0
	expect_all input
}
