# python-units.bats - the Python client's own tests (contrib/python/tests), a group at a time.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load python
	python_open
}

@test "any Python value goes out as JSON, and never as anything else" {
	group test_json
}

@test "logs, metrics, timers, exceptions, security events and filters are as the manual says" {
	group test_messages test_filters
}

@test "configurations are read, the original client's too, and mistakes are told with their place" {
	group test_config
}

@test "logging and structlog send through a client, and the manual's examples run" {
	group test_adapters
}
