# kills.bats - each process of a chain is killed at random moments, again and again: nothing that was acknowledged is lost.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load ../helper
	load faults
	short --kills 50 -- --kills 1000
}

@test "a writer, its drain and its command are killed at random: what --tee has passed on arrives, whole, and once for each kill at most" {
	faults kills spool "${set[@]}"
}

@test "a sender, a receiver with a spool, its drain and its command are killed at random: what was acknowledged arrives" {
	faults kills ack "${set[@]}"
}

@test "a sender with a spool of its own, and all behind it, are killed at random: what the sender's spool has taken arrives" {
	faults kills hold "${set[@]}"
}
