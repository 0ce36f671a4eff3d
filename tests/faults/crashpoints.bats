# crashpoints.bats - a process is killed in each of its system calls, one after the other: what was acknowledged is there, and whole.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load ../helper
	load faults
}

# sampled PROCESS N: in the short set each N-th call, from one drawn anew each time.
sampled() {
	short --records 50 --every "$2" --seed "$((RANDOM + 1))" -- --records 200
	faults crashpoints "$1" kill "${set[@]}"
}

@test "a writer may be killed in any call that changes the disk" { sampled batch 2; }
@test "a writer that commits each envelope may, too" { sampled each 5; }
@test "a writer that compresses may, too" { sampled compress 4; }
@test "the recovery of what a killed writer left may itself be killed in any call" { sampled recovery 2; }
@test "a drain may be killed in any call: at most the segment in hand is delivered again" { sampled drain 3; }
@test "a receiver may be killed in any call: what it has acknowledged is stored, and nothing is stored twice" { sampled receiver 5; }
@test "a sender may be killed in any call: what is sent again comes at most twice" { sampled sender 4; }
@test "a sender with a spool of its own may be killed in any call" { sampled holder 6; }
