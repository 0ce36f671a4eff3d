# node.bats - the client for Node.js over ZeroMQ into metlog-recv, its types, and the oldest Node.js that it is for.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load ../helper
	load ../node
	cd "$BATS_TEST_TMPDIR"
	node_need
}

@test "over push, pub and ack everything arrives, what is acknowledged is kept, and a key lets in" {
	node_install zeromq@6
	export NODE_PATH=$node_cache/node_modules
	node_tests ack
	if grep -q "# SKIP" "$out"; then skip "$(grep -m1 -o "# SKIP.*" "$out")"; fi
	node_tests zeromq
	if grep -q '# SKIP' "$out"; then skip "$(grep -m1 -o '# SKIP.*' "$out")"; fi
}

@test "the types are complete: a program that uses all of the package compiles, strictly" {
	node_install typescript@5 @types/node@18
	mkdir node_modules
	ln -s "$SOURCE/contrib/node" node_modules/metlog
	ln -s "$node_cache/node_modules/@types" node_modules/@types
	cp "$SOURCE/contrib/node/test/types.ts" types.ts
	cp types.ts module.mts
	# What is wrong in it is marked; without the marks each is a mistake, and there is no other.
	sed '/@ts-expect-error/d' types.ts >wrong.ts
	separately "$node_cache/node_modules/.bin/tsc" --noEmit --strict --exactOptionalPropertyTypes --target es2022 --lib es2022,esnext.disposable \
		--module node16 --moduleResolution node16 --types node types.ts module.mts wrong.ts
	expect_status 2 || fail "$(cat "$out")"
	[ -z "$(grep 'error TS' "$out" | grep -v '^wrong\.ts')" ] || fail "$(cat "$out")"
	[ "$(grep -c '^wrong\.ts.*error TS' "$out")" = "$(grep -c '@ts-expect-error' types.ts)" ] || fail "$(cat "$out")"
}

@test "pino writes into a client" {
	node_install pino@9
	export NODE_PATH=$node_cache/node_modules
	node_tests readme
	if grep -q '# SKIP' "$out"; then skip "$(grep -m1 -o '# SKIP.*' "$out")"; fi
}

@test "the oldest Node.js that the package names runs its tests too" {
	node_install node@18
	node=$node_cache/node_modules/node/bin/node
	"$node" --version | grep -q '^v18\.' || skip "npm's package node brings no Node.js for this machine"
	for name in calls timers config exceptions ends; do node_tests "$name"; done
}
