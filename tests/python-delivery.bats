# python-delivery.bats - the Python client when buffers are full, far sides are away, and processes fork or end.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load python
	python_open
}

@test "what finds no room is dropped, counted and reported, or waits, as was chosen" {
	group test_delivery.FullTest
}

@test "a far side that is away costs the application nothing, and what it gets when it is back is all there" {
	group test_delivery.AwayTest test_delivery.FileTest
}

@test "threads, signal handlers and finalizers may call at any time, and the books balance" {
	group test_delivery.ThreadTest
}

@test "a process that ends hands over what it has, in silence" {
	group test_delivery.ExitTest
}

@test "a child of a fork sends its own messages, and none of its parent's" {
	group test_fork
}

@test "over pub: whoever subscribes gets what is said, whatever else it gives up" {
	group test_zeromq
}
