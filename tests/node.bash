# node - what the suites of the client for Node.js share.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154

node_cache=${XDG_CACHE_HOME:-$HOME/.cache}/metlog-tests/node

# node_need: skips the test where Node.js is missing, or is older than what the package asks for.
node_need() {
	need node
	local version
	version=$(node -p 'process.versions.node')
	[ "${version%%.*}" -ge 18 ] || skip "Node.js is $version, and 18 is needed"
	export METLOG_VECTORS=$SOURCE/tests/data/vectors METLOG_TEST_FOLDER=$BATS_TEST_TMPDIR
}

# node_install NAME@VERSION...: has these packages in $node_cache/node_modules, or skips the test. They stay for the next run.
node_install() {
	need npm
	local log=$node_cache/install.log one missing=()
	for one; do
		grep -qs "\"version\": \"${one##*@}" "$node_cache/node_modules/${one%@*}/package.json" || missing+=("$one")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	mkdir -p "$node_cache"
	(
		# Two suites at once would spoil each other's copy.
		flock 8
		cd "$node_cache" || exit
		[ -e package.json ] || echo '{"private":true}' >package.json
		npm install --no-audit --no-fund "${missing[@]}" >"$log" 2>&1
	) 8>"$node_cache/lock" || skip "npm cannot install ${missing[*]}: $(grep -m1 'npm error' "$log" || tail -1 "$log")"
}

# node_tests NAME: runs the tests of contrib/node/test/NAME.test.js; one that skips itself says why in the log of this test.
node_tests() {
	separately "${node:-node}" --test --test-reporter=tap "$SOURCE/contrib/node/test/$1.test.js"
	grep -E '# SKIP' "$out" || true
	[ "$status" -eq 0 ] || fail "$(grep -A25 -E '^ *not ok' "$out" | head -120)$(head -c 2000 "$err")"
	grep -qE '^# pass [1-9]' "$out" || fail "nothing was tested: $(tail -20 "$out")"
}
