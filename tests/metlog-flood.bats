# metlog-flood.bats - the flood: the same bytes for the same seed, what is wrong with them, its pace, and the oracle.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load family
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	local pid
	for pid in ${children-}; do kill -9 "$pid" 2>/dev/null || true; done
}

everything=(--seed 42 -c 3000 --corrupt 10 --duplicates 5.5 --unicode 20% --skew 2h --size 0-300 --id-prefix a:b.c_d-e --rate 1e6
	--mix 'counter=3,timer=3,gauge=2,set=1,request=3,log=6,cef=2,sentry=1')

# table NAME: the number in that row of what the oracle has printed.
table() { awk -v name="$1" '{ row = $0; sub(/^ /, "", row) } index(row, name " ") == 1 { row = substr(row, length(name) + 1); split(row, word, " "); print word[1]; exit }' "$out"; }

expect_row() { [ "$(table "$1")" = "$2" ] || fail "$1 is $(table "$1"), not $2: $(cat "$out")"; }

@test "the same options give the same bytes, another seed others" {
	metlog-flood "${everything[@]}" >one
	metlog-flood "${everything[@]}" >two
	expect_same one two
	METLOG_SCAN=plain LC_ALL=de_DE.UTF-8 TZ=Asia/Kathmandu metlog-flood "${everything[@]}" | cmp - one
	metlog-flood "${everything[@]}" --seed 43 >two
	if cmp -s one two; then fail "two seeds, one flood"; fi
}

@test "the bytes of a seed stay the same from release to release" {
	[ "$(metlog-flood -c 1000 | cksum)" = "2406623674 557504" ]
	[ "$(metlog-flood "${everything[@]}" | cksum)" = "1401051993 1750800" ]
}

@test "every envelope is good, whatever is asked for, and numbered without a gap" {
	metlog-flood "${everything[@]}" --corrupt 0 --duplicates 0 >flood
	separately metlog-route -m TRUE --strict flood
	expect_status 0
	expect_same flood "$out"
	grep -oE '"a:b\.c_d-e-[0-9]+"' flood | grep -oE '[0-9]+' >numbers
	seq 3000 >expected
	expect_same expected numbers
}

@test "--corrupt makes so many lines that are no envelopes, one line each" {
	metlog-flood -c 20000 --corrupt 20 >flood
	separately metlog-route -m TRUE -q --rejects /dev/null --stats stats flood
	expect_status 0
	[ "$(count stats passed)" = 20000 ]
	share=$(($(count stats rejected) * 1000 / $(wc -l <flood)))
	[ "$share" -ge 185 ] && [ "$share" -le 215 ] || fail "$share of a thousand"
	metlog-flood -c 20000 | cmp - "$out"
}

@test "--duplicates repeats earlier lines byte for byte" {
	metlog-flood -c 20000 --duplicates 10 >flood
	share=$((($(wc -l <flood) - 20000) * 1000 / $(wc -l <flood)))
	[ "$share" -ge 90 ] && [ "$share" -le 110 ] || fail "$share of a thousand"
	awk '!seen[$0]++' flood | cmp - <(metlog-flood -c 20000)
}

@test "--size is the length of each payload that is text" {
	metlog-flood -c 300 --size 100 --unicode 50 --mix log=1,cef=1,sentry=1,request=1 >flood
	[ "$(sed -E 's/.*"payload": ?"(([^"\\]|\\.)*)".*/\1/' flood | awk '{ print length($0) }' | sort -u)" = 100 ]
	separately metlog-flood -c 3 --size 2Mi-3Mi --mix log=1
	[ "$(wc -l <"$out")" -eq 3 ]
	[ "$(wc -c <"$out")" -gt 6291456 ]
	metlog-flood -c 3 --size 2Mi-3Mi --mix log=1 --verify <"$out" >table
}

@test "--mix weighs the kinds, and what is not named does not come" {
	metlog-flood -c 8000 --mix counter=3,timer=1 >flood
	[ "$(grep -cE '"type": ?"counter",? ?"(logger|payload)"|"type": ?"counter", "timestamp"' flood)" -gt 0 ]
	separately metlog-route --count -m 'type == "counter"' flood
	counters=$(cat "$out")
	[ "$counters" -gt 5800 ] && [ "$counters" -lt 6200 ] || fail "$counters counters"
	separately metlog-route --count -m 'type == "timer"' flood
	[ $((counters + $(cat "$out"))) -eq 8000 ]
}

@test "fields.check is the checksum of the payload" {
	need xxhsum
	metlog-flood -c 1 --mix log=1 --unicode 100 >one
	sed -E 's/.*"payload": ?"(([^"\\]|\\.)*)".*/\1/' one | tr -d '\n' >payload
	grep -q "xxh3:$(xxhsum -H3 - <payload | grep -oE '[0-9a-f]{16}' | head -1)" one
}

@test "timestamps begin at --start, follow the pace, and jump with --skew" {
	[ "$(metlog-flood -c 1 --mix log=1 --start 2020-02-29 | grep -oE '2020-02-29T00:00:00.000000Z')" ]
	metlog-flood -c 3 --rate 100/s >paced
	grep -q '2012-10-05T12:00:00.020000Z' paced
	metlog-flood -c 5000 --skew 1h | grep -oE '2012-10-05T1[0-9]:[0-9:.]+Z' >stamps
	if sort -c stamps 2>/dev/null; then fail "no clock jumped back"; fi
	[ "$(sort stamps | head -1 | cut -c 12-13)" = 11 ]
}

@test "--rate paces by the clock, catches up, and writes lines out before it waits" {
	local before seen
	us() { echo "${EPOCHREALTIME/./}"; }
	before=$(us)
	metlog-flood --rate 200/s >flood &
	children=$!
	await 10 test -s flood
	seen=$(us)
	kill -STOP "$children"
	sleep 0.3
	kill -CONT "$children"
	# As many as are due, but for 20: it has begun before its first line was seen, and after it was called.
	caught_up() { local due=$((($(us) - seen) / 5000)); [ "$(wc -l <flood)" -ge $((due - 20)) ]; }
	await 10 caught_up || fail "$(wc -l <flood) lines in $((($(us) - seen) / 1000)) ms"
	made=$(wc -l <flood)
	[ "$made" -le $((($(us) - before) / 5000 + 1)) ] || fail "$made lines in $((($(us) - before) / 1000)) ms"
	kill -TERM "$children"
	wait "$children"
	metlog-flood --rate 200/s --duration 200ms >flood
	[ "$(wc -l <flood)" -ge 1 ] && [ "$(wc -l <flood)" -le 40 ] || fail "$(wc -l <flood) lines in 200 ms"
}

@test "SIGUSR1 tells how much was made, SIGTERM ends the flood behind a whole line" {
	metlog-flood --rate 1000 --corrupt 10 >flood 2>err &
	children=$!
	await 10 test -s flood
	kill -USR1 "$children"
	await 10 grep -q metlog.stats err
	balanced err
	kill -TERM "$children"
	wait "$children"
	[ "$(tail -c 1 flood | od -An -c | tr -d ' ')" = '\n' ]
	separately metlog-flood --rate 1000 --corrupt 10 --verify flood
	expect_status 0
}

@test "a reader that goes away ends the flood quietly; a full disk is 74" {
	metlog-flood 2>err | head -1 >one
	expect_empty err
	[ "$(wc -l <one)" -eq 1 ]
	metlog-flood --rate 50 2>err | head -1 >one
	expect_empty err
	status=0
	metlog-flood -c 10 >/dev/full 2>err || status=$?
	expect_status 74
	status=0
	metlog-flood >/dev/full 2>err || status=$?
	expect_status 74
	[ "$(wc -l <err)" -eq 1 ]
}

@test "--verify finds a whole flood whole, and what is missing, altered, doubled, torn or out of order" {
	metlog-flood "${everything[@]}" >flood
	separately metlog-flood "${everything[@]}" --verify --in-order flood
	expect_status 0
	expect_row issued 3000 && expect_row seen 3000 && expect_row missing 0 && expect_row altered 0
	[ "$(table lines)" -eq "$(wc -l <flood)" ]
	metlog-flood -c 100 >small
	sed 17,19d small >less
	separately metlog-flood -c 100 --verify less
	expect_status 1
	expect_row missing 3
	expect_in "$out" '3  17-19'
	sed '50s/web/wab/' small >changed
	separately metlog-flood -c 100 --verify changed
	expect_status 1
	expect_row altered 1
	expect_in "$out" '1  50'
	separately metlog-flood -c 100 --verify small - < <(sed -n 5p small)
	expect_status 1
	expect_row duplicates 1
	separately metlog-flood -c 100 --verify --allow-duplicates 1 small - < <(sed -n 5p small)
	expect_status 0
	tail -1 small | cut -c 1-40 >torn
	separately metlog-flood -c 100 --verify small torn
	expect_status 1
	expect_row malformed 1
	{ sed -n 2p small; sed 2d small; } >swapped
	separately metlog-flood -c 100 --verify swapped
	expect_status 0
	expect_row 'out of order' 1
	separately metlog-flood -c 100 --verify --in-order swapped
	expect_status 1
	separately metlog-flood -c 100 --verify small - <<<"$GOOD"
	expect_status 0
	expect_row foreign 1
	separately metlog-flood -c 101 --verify small
	expect_status 1
	separately metlog-flood --seed 2 -c 100 --verify small
	expect_status 1
}

@test "--acknowledged: only what was acknowledged has to be there, and a torn line is not" {
	metlog-flood -c 100 >flood
	{ head -20 flood; sed -n 21p flood | cut -c 1-50 | tr -d '\n'; } >acknowledged
	head -20 flood >seen
	separately metlog-flood -c 100 --verify --acknowledged acknowledged seen
	expect_status 0
	expect_row acknowledged 20
	separately metlog-flood -c 100 --verify --acknowledged acknowledged < <(sed 7d flood)
	expect_status 1
	expect_row missing 1
	separately metlog-flood -c 100 --verify --acknowledged no/such/file seen
	expect_status 66
}

@test "of a live flood the payload is verified" {
	metlog-flood --start now -c 50 --mix log=1 >flood
	separately metlog-flood --start now -c 50 --mix log=1 --verify flood
	expect_status 0
	sed -i '3s/\("payload": *".\{10\}\)./\1#/' flood
	separately metlog-flood --start now -c 50 --mix log=1 --verify flood
	expect_status 1
}

@test "wrong values are usage errors, by name" {
	wrong=('--rate 0' '--rate x' '--rate 5/y' '--size 9-3' '--size x' '--mix counter' '--mix nothing=3' '--mix counter=0' '--mix counter=-1' '--corrupt 101'
		'--corrupt -1' '--duplicates x' '--corrupt 60 --duplicates 40' '--skew -5' '--start someday' '--id-prefix a"b' '--seed 1.5' '--count -1' '--duration 0'
		'--acknowledged x' '--in-order' 'FILE')
	for one in "${wrong[@]}"; do
		read -ra words <<<"$one"
		separately metlog-flood "${words[@]}" </dev/null
		expect_status 64 || fail "$one"
		expect_in "$err" "${words[0]}" || fail "$one"
		expect_empty "$out"
	done
}

@test "a million envelopes take memory for a few" {
	sanitized && skip "a sanitizer build"
	has /usr/bin/time || skip "GNU time is not installed"
	/usr/bin/time -f 'peak %M' -o made metlog-flood -c 300000 >flood
	/usr/bin/time -f 'peak %M' -o verified metlog-flood -c 300000 --verify flood >table
	for run in made verified; do
		peak=$(sed -n 's/^peak //p' "$run")
		[ "$peak" -lt 8192 ] || fail "$run: peak memory $peak KiB"
	done
}
