# metlog-spool-order.bats - in which order metlog-spool write syncs, names and acknowledges, as its system calls tell.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2154

load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	need strace
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	# LeakSanitizer cannot work under strace.
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	for i in 1 2 3; do printf '{"type":"t","payload":"%s"}\n' "$i"; done >in
}

# traced ARGUMENT...: writes the file in to the spool; leaves in the file calls one line a call: its name, and what it was done to: segment, tmp, lock,
# spool, parent or stdout.
traced() {
	separately strace -f -y -o trace -e trace=write,fsync,fdatasync,mkdir,rename,renameat,renameat2,unlinkat metlog-spool write "$@" spool <in
	expect_status 0
	awk -v here="$PWD" '
	function what(text) {
		if (text ~ /\.tmp\./) return "tmp"
		if (text ~ /\.open/) return "segment"
		if (text ~ /\/lock>/) return "lock"
		if (index(text, "<" here "/spool>")) return "spool"
		if (index(text, "<" here ">")) return "parent"
		if (index(text, "<" here "/out>")) return "stdout"
		return "other"
	}
	{ sub(/^[0-9]+ +/, ""); call = $0; sub(/\(.*/, "", call); first = $0; sub(/^[a-z0-9]*\(/, "", first) }
	call ~ /^rename/ { print "rename", what(first) " to " (first ~ /\.zst"/ ? "compressed" : "sealed"); next }
	call == "unlinkat" { print call, what(first); next }
	call == "mkdir" { print call; next }
	call ~ /^(write|fsync|fdatasync)$/ { sub(/>.*/, ">", first); print call, what(first) }' trace >calls
}

# expect_order CALL...: these calls, one behind the other, and nothing between them.
expect_order() {
	printf '%s\n' "$@" >wanted
	awk 'NR == FNR { w[++n] = $0; next } { c[++m] = $0 } END { for (i = 0; i + n <= m; i++) { for (j = 1; j <= n && c[i + j] == w[j]; j++); if (j > n) exit 0 } exit 1 }' wanted calls && return 0
	echo 'not in this order:' >&2
	cat wanted >&2
	echo 'but:' >&2
	cat calls >&2
	return 1
}

@test "the first batch is passed on only once its segment is on disk, and the segment's name too" {
	traced --tee
	expect_order 'write segment' 'fdatasync segment' 'fsync spool' 'write stdout'
	expect_same in "$out"
}

@test "the name of a new spool is on disk before anything in it" {
	traced
	expect_order 'mkdir' 'fsync parent' 'write segment'
}

@test "a segment is sealed by its trailer, fsync, its sealed name, and fsync of the directory" {
	traced
	expect_order 'write segment' 'fdatasync segment' 'rename segment to sealed' 'fsync spool'
	[ "$(tail -n 1 calls)" = 'fsync spool' ]
}

@test "with --sync none sealing alone syncs" {
	traced --sync none
	[ "$(grep -c sync calls)" -eq 3 ] # the new directory in its parent, the segment, its name
	expect_order 'write segment' 'write segment' 'fdatasync segment' 'rename segment to sealed' 'fsync spool'
}

@test "with --sync each every envelope is synced before the next" {
	traced --sync each --tee
	[ "$(grep -c '^fdatasync segment' calls)" -eq 4 ] # the trailer too
	[ "$(awk '/^write segment/ { if (open) bad++; open = 1 } /^fdatasync segment/ { open = 0 } END { print bad + 0 }' calls)" -eq 0 ]
}

@test "an uncompressed segment goes only once the compressed one and its name are on disk" {
	traced --compress zstd
	expect_order 'write segment' 'fdatasync segment' 'write tmp' 'fsync tmp' 'rename tmp to compressed' 'fsync spool' 'unlinkat segment' 'fsync spool'
}

@test "each segment is sealed, name and all, before a line is written to the next" {
	traced --segment-bytes 1
	expect_order 'rename segment to sealed' 'fsync spool' 'write segment'
	[ "$(grep -c '^rename segment to sealed' calls)" -eq 3 ]
	[ "$(awk '/^rename/ { named = 1 } /^fsync spool/ { named = 0 } /^write segment/ { bad += named } END { print bad + 0 }' calls)" -eq 0 ]
}

@test "what is left beside a sealed segment goes only once the sealed one's name is on disk" {
	metlog-spool write --compress zstd spool <in
	sealed=$(echo spool/*.ndjson.zst)
	(umask 077 && cat in >"${sealed%.ndjson.zst}.open")
	: >in
	traced
	expect_order 'fsync spool' 'unlinkat segment' 'fsync spool'
	[ -e "$sealed" ]
}

# flood: 8,000 envelopes, some 2 MiB, in the file in: batches of 64 KiB are synced by a thread while the next one is taken.
flood() { metlog-flood --seed 5 -c 8000 >in; }

@test "while the next batch is taken, too, no line is passed on before the fsync that began behind its write has ended" {
	flood
	separately strace -f -y -o trace -e trace=write,fdatasync metlog-spool write --tee --sync-bytes 64Ki spool <in
	expect_status 0
	expect_same in "$out"
	awk '
	{ pid = $1; sub(/^[0-9]+ +/, "") }
	/^(write|fdatasync)\(/ {
		of[pid] = $0 ~ /^fdatasync/ ? "sync" : $0 ~ /^write\(1</ ? "out" : $0 ~ /\.open>/ ? "segment" : "other"
		if (of[pid] == "sync") covers[pid] = written
		if (of[pid] == "out" && $0 !~ /unfinished/) { split($0, part, " = "); if (passed + part[2] > covered) bad = bad NR " " }
	}
	/unfinished/ { next }
	/resumed|\) *= / {
		n = $0; sub(/.* = /, "", n)
		if (of[pid] == "sync") { syncs++; if (covers[pid] > covered) covered = covers[pid]; by[pid]++ }
		if (of[pid] == "segment") written += n
		if (of[pid] == "out") passed += n
	}
	END {
		for (pid in by) threads++
		print syncs " syncs by " threads " threads, passed " passed
		if (bad != "") print "passed on too early in the lines " bad
		exit bad != "" || syncs < 20 || threads < 2 || passed < 1000000
	}' trace >judged || fail "$(cat judged)"
}

@test "an fsync that fails while the next batch is taken is 74, is not called again, and what was passed on is stored" {
	flood
	for n in 1 2 3 5; do
		rm -rf spool
		separately strace -f -o trace -e trace=fdatasync,fsync -e inject=fdatasync:error=EIO:when=$n metlog-spool write --tee --sync-bytes 64Ki spool <in
		expect_status 74
		expect_in "$err" 'fsync: Input/output error'
		awk '/INJECTED/ { hit = 1; next } hit && /fdatasync/ { exit 1 } END { exit !hit }' trace || fail "called again: $(cat trace)"
		metlog-spool cat spool >stored
		[ "$(wc -c <"$out")" -lt "$(wc -c <in)" ]
		cmp -n "$(wc -c <"$out")" "$out" stored || fail "passed on and not stored"
	done
}

@test "killed while a batch is being synced, everything that was passed on is stored" {
	flood
	for n in 1 2 4 8 16; do
		rm -rf spool
		separately strace -f -o trace -e trace=fdatasync -e inject=fdatasync:signal=KILL:when=$n metlog-spool write --tee --sync-bytes 64Ki spool <in
		[ "$status" -ne 0 ] || fail "not killed at $n"
		metlog-spool write spool </dev/null
		metlog-spool cat spool >stored
		cmp -n "$(wc -c <"$out")" "$out" stored || fail "passed on and not stored"
		cmp -n "$(wc -c <stored)" stored in || fail "not what was sent"
	done
}
