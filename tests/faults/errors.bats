# errors.bats - each system call of a process fails, one after the other, for want of room or with an I/O error: nothing is said to be done that is not.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load ../helper
	load faults
}

sampled() {
	short --records 50 --every "$2" --seed "$((RANDOM + 1))" -- --records 50 --errors ENOSPC,EIO,EDQUOT,EMFILE,ENOMEM
	faults crashpoints "$1" error "${set[@]}"
}

@test "a writer that meets a full disk or an I/O error in any call loses nothing, and does not hang" { sampled batch 6; }
@test "a writer that commits each envelope does neither" { sampled each 14; }
@test "a writer that compresses does neither" { sampled compress 5; }
@test "nor does the recovery" { sampled recovery 3; }
@test "nor does a drain" { sampled drain 4; }
@test "nor does a receiver with a spool" { sampled receiver 9; }
@test "nor does a sender" { sampled sender 5; }
@test "nor does a sender with a spool of its own" { sampled holder 20; }
