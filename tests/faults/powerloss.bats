# powerloss.bats - the system calls of a run are recorded, and every state in which a loss of power may leave the disk is recovered from.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load ../helper
	load faults
	short --records 30 --points 60 --seed "$((RANDOM + 1))" -- --records 200 --points 1500
}

@test "the fault tests see it when an fsync is left out, and when a line is lost, torn, altered or there twice" { faults selftest; }
@test "a loss of power beside a writer loses nothing that was acknowledged" { faults powerloss batch "${set[@]}"; }
@test "nor does it beside a writer that commits each envelope" { faults powerloss each "${set[@]}"; }
@test "nor beside a writer that compresses" { faults powerloss compress "${set[@]}"; }
@test "nor beside one that goes on where others were killed" { faults powerloss restart "${set[@]}"; }
@test "nor beside a receiver: what its acknowledgements have told is there, and the next one starts" { faults powerloss receiver "${set[@]}"; }
@test "a loss of power beside a drain loses no segment that is not delivered" { faults powerloss drain "${set[@]}"; }
@test "nor does it with --keep" { faults powerloss keep "${set[@]}"; }
@test "nor when segments go to failed/" { faults powerloss failed "${set[@]}"; }
@test "nor does it beside a publish to a directory: no torn file at a final name, and the next run of a batch publishes each envelope once" {
	short --records 6 --points 40 --seed "$((RANDOM + 1))" -- --records 30 --points 1500
	faults powerloss publish "${set[@]}"
}
@test "nor does it beside users by interval: the state is that of before or of after, and once a run has ended that of after" {
	short --points 80 --seed "$((RANDOM + 1))" -- --points 3000
	faults powerloss users "${set[@]}"
}
@test "nor does it beside a guard: what a run that has ended has let in is known to the next one, which is never refused" {
	short --points 60 --seed "$((RANDOM + 1))" -- --points 3000
	faults powerloss guard "${set[@]}"
}
