# crashpoints.bats - a process is killed in each of its system calls, one after the other: what was acknowledged is there, and whole.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load ../helper
	load faults
	short --records 50 -- --records 200
}

# Those whose runs are long are sampled in the short set.
sampled() {
	short --records 50 --every 4 --seed "$((RANDOM + 1))" -- --records 200
	faults crashpoints "$1" kill "${set[@]}"
}

@test "a writer may be killed in any call that changes the disk" { faults crashpoints batch kill "${set[@]}"; }
@test "a writer that commits each envelope may, too" { sampled each; }
@test "a writer that compresses may, too" { sampled compress; }
@test "the recovery of what a killed writer left may itself be killed in any call" { faults crashpoints recovery kill "${set[@]}"; }
@test "a drain may be killed in any call: at most the segment in hand is delivered again" { faults crashpoints drain kill "${set[@]}"; }
@test "a receiver may be killed in any call: what it has acknowledged is stored, and nothing is stored twice" { faults crashpoints receiver kill "${set[@]}"; }
@test "a sender may be killed in any call: what is sent again comes at most twice" { faults crashpoints sender kill "${set[@]}"; }
@test "a sender with a spool of its own may be killed in any call" { sampled holder; }
