# metlog-recv-spool.bats - what the manual promises of --spool: kept before it is acknowledged, once, whatever fails in between.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	load recv
	cd "$BATS_TEST_TMPDIR" || return
	need_zmq
}

teardown() {
	local pid
	for pid in ${receiver-} ${sender-}; do kill -9 "$pid" 2>/dev/null || true; done
	[ ! -d "${mounted-}" ] || umount -l "$mounted"
}

# peer ACTION ADDRESS ...: see tests/peers/ack_peer.py. script: a sender in Python; its text is standard input.
peer() { timeout 60 "$python" "$SOURCE/tests/peers/ack_peer.py" "$@"; }
script() { peer script "ipc://$PWD/in.sock"; }
receive_ack() { receive --from "ack:ipc://$PWD/in.sock" --spool kept "$@"; }
killed() {
	kill -9 "$receiver"
	wait "$receiver" || true
}

# stored: the envelopes of the spool, without trailers.
stored() { cat kept/*.ndjson kept/*.open 2>/dev/null | grep -av '"type":"metlog.segment"' || true; }
has_stored() { stored | grep -q "\"$1\""; }
types() { stored | sed 's/{"type":"//; s/"}//' | tr '\n' ' '; }

@test "what comes is kept and acknowledged, the segment is sealed at the end, and the books balance" {
	receive_ack --stats books
	script <<-'P'
		batch(1, 1, b'{"type":"a"}', b'{"type":"b"}'); expect(ACK, 2)
		batch(1, 2, b'{"type":"b"}', b'rubbish', b'{"type":"c"}'); expect(REJECTED, 3); expect(ACK, 4)
	P
	[ "$(types)" = 'a b c ' ]
	stop 65
	expect_empty got
	[ "$(ls kept/*.ndjson | wc -l)" = 1 ]
	[ "$(count books read)" = 4 ]
	[ "$(count books kept)" = 3 ]
	[ "$(count books rejected)" = 1 ]
	[ "$(count books passed)" = 0 ]
	[ "$(count books ack_duplicates)" = 1 ]
	metlog-spool cat kept >all
	[ "$(wc -l <all)" = 3 ]
}

@test "the spool and the notes in it are for their owner alone" {
	umask 0
	receive_ack
	script <<<'batch(1, 1, b"{}"); expect(ACK, 1)'
	stop
	[ "$(stat -c %a kept)" = 700 ]
	[ "$(stat -c %a kept/* | sort -u)" = 600 ]
}

@test "other sources are kept too, after --sync-interval at the latest" {
	receive --from udp:127.0.0.1:0 --from tcp:127.0.0.1:0 --spool kept --sync-interval 20ms --stats books
	printf '{"type":"u"}' >"/dev/udp/127.0.0.1/$(port udp)"
	await 10 has_stored u
	printf '{"type":"t"}\n' >"/dev/tcp/127.0.0.1/$(port tcp)"
	await 10 has_stored t
	stop
	[ "$(types)" = 'u t ' ]
	[ "$(count books kept)" = 2 ]
	[ "$(count books syncs)" -ge 2 ]
	[ ! -e kept/senders ]
}

@test "an acknowledgement leaves after fdatasync, and after senders has been written" {
	need strace
	sanitized && skip "a sanitizer build"
	receive_ack
	strace -f -qqq -p "$receiver" -e trace=write,pwrite64,fdatasync,fsync,sendto,sendmsg -s 64 -o calls &
	sender=$!
	await 10 grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$receiver/status"
	script <<-'P'
		for i in range(1, 4):
		    batch(1, i, b'{"type":"n"}'); expect(ACK, i)
	P
	stop
	wait "$sender" || true
	sender=
	# Of each: the line's write, its fdatasync, the slot in senders, the answer. ZeroMQ's threads wake each other by 8 bytes, which are none of these.
	grep -aoE 'write\([0-9]+, "\{\\"type\\":\\"n\\"|fdatasync|pwrite64|(sendto|write)\([0-9]+, .*METLOG1A' calls |
		sed -E 's/.*METLOG1A/ack/; s/write\(.*type.*/data/; s/pwrite64/note/' | uniq | tr '\n' ' ' >order
	grep -qE '(note )?data fdatasync note ack (note )?data fdatasync note ack (note )?data fdatasync note ack' order || fail "$(cat order)"
}

@test "a second receiver of the same spool ends with 73 before it listens" {
	receive_ack
	separately timeout 30 metlog-recv --from "ack:ipc://$PWD/other.sock" --spool kept
	expect_status 73
	expect_in err "is being written by process $receiver"
	[ ! -e other.sock ]
	stop
}

@test "senders are remembered over SIGTERM, SIGKILL and any number of starts" {
	receive_ack
	script <<-'P'
		batch(1, 1, b'{"type":"a"}'); expect(ACK, 1)
		batch(2, 1, b'{"type":"b"}', b'{"type":"c"}'); expect(ACK, 2)
	P
	stop
	receive_ack
	script <<-'P'
		ping(1); expect(ACK, 1); ping(2); expect(ACK, 2)
		batch(1, 1, b'{"type":"a"}', b'{"type":"d"}'); expect(ACK, 2)
	P
	killed
	receive_ack
	script <<<'ping(1); expect(ACK, 2); ping(2); expect(ACK, 2); ping(3); expect(ACK, 0)'
	stop
	[ "$(types)" = 'a b c d ' ]
}

@test "a torn or spoilt slot in senders is ignored alone" {
	receive_ack
	script <<<'batch(1, 1, b"{}"); expect(ACK, 1); batch(2, 1, b"{}"); expect(ACK, 1)'
	stop
	# Slots begin behind 256 records of 64 bytes.
	printf 'x' | dd of=kept/senders bs=1 seek=$((256 * 64 + 20)) conv=notrunc status=none
	receive_ack
	script <<<'ping(1); expect(ACK, 0); ping(2); expect(ACK, 1)'
	stop
	truncate -s 100 kept/senders
	receive_ack
	script <<<'ping(2); expect(ACK, 0); batch(2, 1, b"{}"); expect(ACK, 1)'
	stop
	head -c 20000 /dev/urandom >kept/senders
	receive_ack
	script <<<'ping(2); expect(ACK, 0)'
	stop
}

@test "after another boot senders is believed, unless data was not synced" {
	need xxhsum
	for policy in batch none; do
		rm -rf kept
		receive_ack --sync "$policy"
		script <<<'batch(1, 1, b"{}"); expect(ACK, 1)'
		stop
		"$python" - <<-'P' # another boot: its checksum stands in bytes 8 to 15 of the first record, whose own one is made right again by hand below
			data = bytearray(open("kept/senders", "rb").read())
			data[8:16] = bytes(8)
			open("head", "wb").write(data[:56])
			open("kept/senders", "wb").write(data)
		P
		sum=$(xxhsum -H3 head | awk '{ print $NF }')
		"$python" -c 'import sys; d = bytearray(open("kept/senders", "rb").read()); d[56:64] = int(sys.argv[1], 16).to_bytes(8, sys.byteorder); open("kept/senders", "wb").write(d)' "$sum"
		receive_ack --sync "$policy"
		if [ "$policy" = none ]; then script <<<'ping(1); expect(ACK, 0)'; else script <<<'ping(1); expect(ACK, 1)'; fi
		stop
	done
}

@test "a symbolic or hard link for senders is refused" {
	mkdir -m 700 kept
	echo precious >elsewhere
	ln -s ../elsewhere kept/senders
	separately metlog-recv --from "ack:ipc://$PWD/in.sock" --spool kept
	expect_status 73
	rm kept/senders
	ln elsewhere kept/senders
	separately metlog-recv --from "ack:ipc://$PWD/in.sock" --spool kept
	expect_status 73
	[ "$(cat elsewhere)" = precious ]
}

@test "killed at each of its writes and syncs, nothing that was acknowledged is lost, and nothing comes twice" {
	need strace
	sanitized && skip "a sanitizer build"
	PYTHONPATH=$SOURCE/tests/peers timeout 200 "$python" "$SOURCE/tests/peers/ack_crash.py" pwrite64,write,fdatasync,fsync,ftruncate 50 3 -- metlog-recv >points
	[ "$(cat points)" -gt 10 ]
}

@test "killed three times while it seals segments, and these taken out before it comes back: the same" {
	need strace
	sanitized && skip "a sanitizer build"
	CRASH_DRAIN=1 CRASH_KILLS=3 timeout 200 "$python" "$SOURCE/tests/peers/ack_crash.py" renameat,pwrite64 50 5 -- metlog-recv --segment-bytes 500 >points
	[ "$(cat points)" -gt 2 ]
}

@test "an fsync that fails ends it with 74, and nothing is acknowledged" {
	need strace
	sanitized && skip "a sanitizer build"
	rm -f where
	strace -f -qqq -o trace -e trace=fdatasync -e inject=fdatasync:error=EIO:when=2 metlog-recv --ready where --from "ack:ipc://$PWD/in.sock" --spool kept 2>err &
	receiver=$!
	await 10 test -e where
	script <<<'batch(1, 1, b"{}"); expect(ACK, 1); batch(1, 2, b"{}"); silence(1)'
	status=0
	wait "$receiver" || status=$?
	receiver=
	expect_status 74
	expect_in err 'kept: fsync: Input/output error: 1 envelopes are not stored, and not acknowledged'
}

small_disk() {
	[ "$(id -u)" = 0 ] || skip "only root can mount a small filesystem"
	mkdir disk
	mount -t tmpfs -o size=128k none disk || skip "tmpfs cannot be mounted here"
	mounted=$PWD/disk
}

@test "a full disk stops the reading and the acknowledgements, and room lets all go on: nothing is lost, nothing comes twice" {
	small_disk
	receive --from "ack:ipc://$PWD/in.sock" --spool disk/kept --reserve 8k --stats books
	seq -f '{"type":"n","payload":"%.0f and some more to fill the disk with"}' 5000 >want
	peer send "ipc://$PWD/in.sock" <want >told &
	sender=$!
	await 20 grep -q 'nothing more is received until there is room' err
	mount -o remount,size=8m "$mounted"
	wait "$sender"
	sender=
	expect_in err 'there is room again'
	stop
	[ "$(tail -1 told)" = 5000 ]
	cat disk/kept/*.ndjson | grep -v metlog.segment >all
	expect_same all want
	[ "$(count books kept)" = 5000 ]
	[ "$(count books waits)" -ge 1 ]
}

@test "stopped while the spool is full: 75, and what was stored and not acknowledged is not taken again" {
	receive_ack --max-bytes 10k --stats books
	seq -f '{"type":"n","payload":"%.0f and some more to fill it with"}' 1000 >want
	peer send "ipc://$PWD/in.sock" 000102030405060708090a0b0c0d0e0f 1 1000 <want >told 2>&1 3>&- &
	sender=$!
	await 20 grep -q 'nothing more is received until there is room' err
	[ ! -s told ] || fail "it was acknowledged: $(cat told)"
	stop 75
	expect_in err 'envelopes are not stored, and not acknowledged'
	[ "$(count books read)" = 1000 ]
	[ "$(count books unkept)" = $((1000 - $(count books kept))) ]
	[ "$(stored | wc -l)" = "$(count books kept)" ]
	[ "$(count books kept)" -gt 0 ]
	receive_ack
	peer send "ipc://$PWD/in.sock" 000102030405060708090a0b0c0d0e0f 1 1000 <want >told
	stop
	stored >all
	expect_same all want
}

@test "a full spool with --when-full fail ends with 74; what came by UDP is told as lost" {
	receive --from udp:127.0.0.1:0 --spool kept --max-bytes 1k --when-full fail
	for _ in $(seq 40); do printf '{"type":"a datagram of some length, so that it is full"}' >"/dev/udp/127.0.0.1/$(port udp)"; done
	status=0
	wait "$receiver" || status=$?
	receiver=
	expect_status 74
	expect_in err 'came from sources that do not send again, and are lost'
}

@test "senders that flood a full spool with the longest lines take bounded memory" {
	sanitized && skip "a sanitizer build"
	receive_ack --max-bytes 3Mi
	echo "$receiver" >pid
	script <<-'P'
		import re, time, zmq
		memory = lambda: int(re.search(r"VmHWM:\s*(\d+)", open("/proc/%s/status" % open("pid").read().strip()).read()).group(1))
		line = b'{"payload":"' + b"x" * (1024 * 1024 - 14) + b'"}'
		peers, sent = [Peer(address, hwm=5) for _ in range(3)], [0] * 3
		for one in peers: one.socket.sndtimeo = 0
		idle = time.monotonic()
		while time.monotonic() < idle + 1:
		    for i, one in enumerate(peers):
		        try: one.batch(i, sent[i] + 1, line); sent[i] += 1; idle = time.monotonic()
		        except zmq.Again: time.sleep(0.01)
		for one in peers: one.socket.close(0)
		assert memory() < 64 * 1024, memory()
	P
	stop 75
}

@test "SIGHUP seals the open segment" {
	receive_ack
	script <<<'batch(1, 1, b"{}"); expect(ACK, 1)'
	[ "$(ls kept/*.open | wc -l)" = 1 ]
	kill -HUP "$receiver"
	await 10 compgen -G 'kept/*.ndjson'
	script <<<'batch(1, 2, b"{}"); expect(ACK, 2)'
	stop
	[ "$(ls kept/*.ndjson | wc -l)" = 2 ]
}

@test "segments are sealed by length and by age, and compressed if so wished" {
	receive_ack --segment-bytes 1k --segment-age 50ms --compress zstd --stats books
	seq -f '{"type":"n","payload":"%.0f"}' 500 >want
	peer send "ipc://$PWD/in.sock" <want >told
	await 10 eval '! compgen -G "kept/*.open"'
	stop
	[ "$(count books segments_sealed)" -ge 2 ]
	metlog-spool cat kept >all
	expect_same all want
}

@test "the first reject of --strict leaves what came before it in the spool" {
	receive --from udp:127.0.0.1:0 --spool kept --strict --sync-interval 1h
	printf '{"type":"a"}\nrubbish\n' >message
	cat message >"/dev/udp/127.0.0.1/$(port udp)"
	status=0
	wait "$receiver" || status=$?
	receiver=
	expect_status 65
	[ "$(types)" = 'a ' ]
}

@test "standard output is not touched: it may be closed, or its reader gone" {
	metlog-recv --from "ack:ipc://$PWD/in.sock" --spool kept --ready where >&- 2>err &
	receiver=$!
	await 10 test -e where
	script <<<'batch(1, 1, b"{}"); expect(ACK, 1)'
	kill -TERM "$receiver"
	wait "$receiver"
	mkfifo pipe
	rm where
	metlog-recv --from "ack:ipc://$PWD/in.sock" --spool kept --ready where >pipe 2>err &
	receiver=$!
	exec 7<pipe
	await 10 test -e where
	exec 7<&-
	script <<<'batch(1, 2, b"{}"); expect(ACK, 2)'
	stop
}

@test "options of a spool without one are wrong usage" {
	separately metlog-recv --from udp:127.0.0.1:0 --sync none
	expect_status 64
	expect_in err -- '--spool'
}

@test "--strict within a batch: what came before the reject is stored, acknowledged or not, and does not come twice" {
	receive_ack --strict
	script <<<"batch(1, 1, b'{\"type\":\"a\"}', b'rubbish', b'{\"type\":\"b\"}'); hear(500)"
	status=0
	wait "$receiver" || status=$?
	receiver=
	expect_status 65
	receive_ack
	script <<<"ping(1); expect(ACK, 2); batch(1, 1, b'{\"type\":\"a\"}', b'rubbish', b'{\"type\":\"b\"}'); expect(ACK, 3)"
	stop
	[ "$(types)" = 'a b ' ]
}

@test "after a batch of nothing but rejects a killed receiver knows where its sender is" {
	receive_ack --rejects bad
	script <<<"batch(1, 1, b'{\"type\":\"a\"}', b'rubbish'); until(2); batch(1, 3, b'rubbish', b''); until(4)"
	killed
	receive_ack --rejects bad
	script <<<"ping(1); expect(ACK, 4); batch(1, 5, b'{\"type\":\"b\"}'); expect(ACK, 5)"
	stop
	[ "$(types)" = 'a b ' ]
}
