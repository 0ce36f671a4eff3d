# node.bats - the client for Node.js (contrib/node): the shared vectors, its own tests, and connections into metlog-recv. Over ZeroMQ: peers/node.bats.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load node
	cd "$BATS_TEST_TMPDIR"
	node_need
}

@test "each call of the shared vectors makes the envelope that it makes in C" {
	node_tests vectors
}

@test "what a call makes of what it is given, and that none throws" {
	node_tests calls
}

@test "timers measure functions of every kind, and contexts go with what is said inside" {
	node_tests timers
}

@test "a configuration file is the one of all languages, and its mistakes have their line" {
	node_tests config
}

@test "an error becomes an event of Sentry, with its causes and frames" {
	node_tests exceptions
}

@test "a flush or close ends in time, and full buffers are counted" {
	node_tests ends
}

@test "a process, a worker, a cluster end well, with what they said handed over" {
	node_tests process
}

@test "over tcp, udp and unix everything arrives, and a receiver that was restarted is found again" {
	node_tests transports
}

@test "the programs of its README run, and it names all there is" {
	node_tests readme
}

@test "the package that npm makes holds what is needed, and nothing else" {
	need npm
	cp -r "$SOURCE/contrib/node" package
	rm -rf package/node_modules
	(cd package && npm pack --offline --silent) >packed 2>err || fail "npm pack: $(cat err)"
	mkdir -p node_modules/metlog
	tar -xzf "package/$(tail -1 packed)" -C node_modules/metlog --strip-components=1
	node -e "require('metlog').createClient({ endpoint: '-' }).info('hello')" >out
	expect_in out '"payload":"hello"'
	node --input-type=module -e "import { createClient } from 'metlog'; createClient({ endpoint: '-' }).info('module')" >out
	expect_in out '"payload":"module"'
	for file in README.md index.d.ts index.d.mts; do [ -e "node_modules/metlog/$file" ] || fail "no $file"; done
	[ ! -e node_modules/metlog/test ] || fail "its tests are in it"
}
