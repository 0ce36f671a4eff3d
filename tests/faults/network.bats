# network.bats - a relay on loopback cuts, resets, stalls, delays and crumbles connections, and doubles datagrams.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load ../helper
	load faults
}

@test "through connections that are cut, reset, refused, stalled, dead, slow or crumbled everything arrives by ack:, once and in order" {
	short --records 200 -- --records 5000
	faults network "${set[@]}"
}
