# mozlog - programs that log through the real writers of MozLog: fetched or built once into a cache. Each function leaves what its program wrote in `lines`, or skips the test.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2154

writers=$SOURCE/tests/peers/mozlog
writers_cache=${XDG_CACHE_HOME:-$HOME/.cache}/metlog-tests/mozlog

python_writes() {
	python_need dockerflow==2026.3.4
	"$python" "$writers/writer.py" >lines
}

npm_writes() {
	node_need
	node_install mozlog@3.0.2
	NODE_PATH=$node_cache/node_modules node "$writers/writer_npm.js" >lines
}

pino_writes() {
	node_need
	node_install pino@9 pino-mozlog@2.10.0
	NODE_PATH=$node_cache/node_modules node "$writers/writer_pino.js" >records
	node "$node_cache/node_modules/pino-mozlog/index.js" <records >lines
}

# built NAME COMMAND...: runs the command in a copy of that writer's folder, once for each version of it, and leaves the folder in $built; or skips the test.
built() {
	local name=$1 sum
	shift
	sum=$(find "$writers/$name" -type f -exec cat {} + | cksum | tr -s ' ' -)
	built=$writers_cache/$name-$sum
	[ ! -x "$built/writer" ] || return 0
	mkdir -p "$writers_cache"
	(
		# Two suites at once would spoil each other's copy.
		flock 8
		[ ! -x "$built/writer" ] || exit 0
		rm -rf "$writers_cache/$name"-*
		cp -r "$writers/$name" "$built" || exit
		chmod -R u+w "$built"
		cd "$built" && timeout 300 "$@"
	) 8>"$writers_cache/lock" >"$BATS_TEST_TMPDIR/build.log" 2>&1 ||
		skip "the program in $name cannot be built: $(grep -m1 -E '^error|Forbidden|not available|timeout|dial tcp' "$BATS_TEST_TMPDIR/build.log" | tr -d '\t' | grep . || tail -1 "$BATS_TEST_TMPDIR/build.log")"
}

rust_writes() {
	need cargo
	built rust sh -c 'cargo build -q -j2 && cp target/debug/writer writer'
	"$built/writer" >lines
}

go_writes() {
	need go
	built go sh -c 'go mod init writer && go mod tidy && go build -o writer'
	"$built/writer" >lines 2>/dev/null
}
