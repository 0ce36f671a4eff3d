# metlog-route-overflow.bats - full=spool: commands that are slow, stopped, gone or changed, and routers that are killed.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	# More than the 256 KiB of a pipe and the buffer of a route with short lines.
	awk 'BEGIN { for (i = 0; i < 20000; i++) printf "{\"type\":\"t\",\"severity\":%d,\"payload\":\"%d\"}\n", i % 8, i }' >many
	awk 'BEGIN { for (i = 20000; i < 20500; i++) printf "{\"type\":\"t\",\"severity\":%d,\"payload\":\"%d\"}\n", i % 8, i }' >later
}

teardown() {
	exec 8>&- || true
	touch go
	local pid
	for pid in ${children-}; do kill -9 "$pid" 2>/dev/null || true; done
}

# count NAME: of the statistics in the file `books`.
count() { tail -1 books | grep -oE "\"$1\":[0-9]+" | head -1 | grep -oE '[0-9]+$'; }

# start_router ARGUMENT...: the router in the background, its input the descriptor 8. Short lines, so that its buffers are small.
start_router() {
	[ -p in ] || mkfifo in
	metlog-route --max-line 1000 "$@" <in >live 2>err 3>&- &
	router=$!
	children+=" $router"
	exec 8>in
}

# end_router [SIGNAL]: its input ends, or the signal is sent; $status is its exit status.
end_router() {
	[ -z "${1-}" ] || kill -"$1" "$router"
	exec 8>&-
	status=0
	wait "$router" || status=$?
}

lines() { [ "$(wc -l <"$1")" -eq "$2" ]; }

# waiting DIR N: so many envelopes stand in the spool, whatever was taken out of it.
waiting() { [ "$(metlog-spool cat "$1" | wc -l)" -ge "$2" ]; }

empty() { [ "$(metlog-spool cat "$1" | wc -l)" -eq 0 ]; }

# taken: nothing of what was written to the router's input is left to be read.
taken() { ! read -r -t 0 <in; }

# holds_up: it has more to read, and waits for something else than that.
holds_up() { read -r -t 0 <in && grep -q '^State:.S' "/proc/$router/status"; }

# A command that reads nothing before the file `go` is there, and then all, into the file `got`.
STOPPED='| until [ -e go ]; do sleep 0.02; done; cat >>got full=spool spool=s buffer=4Ki'

@test "a command that reads nothing holds up nobody, and gets all in order once it reads" {
	cat many later >in.ndjson
	start_router -r "slow: TRUE => $STOPPED" -r 'fast: TRUE => | cat >fast' -d drop --stats books
	cat in.ndjson >&8
	await 10 lines fast 20500
	await 10 waiting s 10000
	touch go
	await 10 lines got 20500
	cat later >&8
	await 10 lines got 21000
	end_router
	expect_status 0
	cat in.ndjson later >expected
	expect_same expected got
	expect_empty err
	empty s
	expect_in books '"passed":21000,"dropped":0'
	[ "$(count undelivered)" = 0 ]
	[ "$(count spooled)" -gt 0 ]
}

@test "a command that is just slow gets all in order, whether lines came directly or through the spool" {
	need python3
	cat >slow.py <<-'END'
		import glob, os, sys, time
		def spooled():
		    try: return any(os.path.getsize(one) for one in glob.glob("s/*.open") + glob.glob("s/*.ndjson*"))
		    except OSError: return True # sealed in this moment
		begun = False
		while True:
		    b = os.read(0, 30000)
		    if not b: break
		    # It stops behind its first lines until some stand in the spool.
		    while not begun and not spooled(): time.sleep(0.01)
		    begun = True
		    os.write(1, b)
		    time.sleep(0.001)
	END
	cat many later many later many >in.ndjson
	separately metlog-route --max-line 1000 -d '| exec python3 slow.py >got full=spool spool=s segment-bytes=64Ki compress=zstd' --stats books in.ndjson
	expect_status 0
	expect_same in.ndjson got
	empty s
	[ "$(count spooled)" -gt 0 ]
}

@test "SIGTERM while the command is stopped: what it has not read stays, is counted, 75, and comes first at the next start" {
	start_router -d "$STOPPED" --grace 0.2s --stats books
	cat many >&8
	await 10 taken
	await 10 waiting s 15000
	end_router TERM
	expect_status 75
	expect_in err '20000 envelopes are kept in spool:s for the next start'
	[ "$(count undelivered)" = 0 ]
	metlog-spool cat s | cmp - many
	touch go
	separately metlog-route --max-line 1000 -d "$STOPPED" later
	expect_status 0
	expect_empty "$err"
	cat many later >expected
	expect_same expected got
	empty s
}

@test "SIGTERM before the buffer was ever full: what the command has not read is kept, too" {
	head -100 many >few
	start_router -d "$STOPPED" --grace 0.2s
	cat few >&8
	await 10 pgrep -P "$router"
	await 10 taken
	end_router TERM
	expect_status 75
	expect_in err '100 envelopes are kept in spool:s'
	metlog-spool cat s | cmp - few
}

@test "a command that read a part before it stopped is not given that part again" {
	need python3
	cat >some.py <<-'END'
		import os, sys, time
		with open("got", "ab") as got:
		    left = 5000
		    line = b""
		    while left:
		        c = os.read(0, 1)
		        line += c
		        if c == b"\n":
		            got.write(line); left -= 1; line = b""
		open("enough", "w")
		time.sleep(60)
	END
	start_router -d '| exec python3 some.py full=spool spool=s buffer=4Ki' --grace 0.2s
	cat many >&8
	await 10 test -e enough
	await 10 taken
	end_router TERM
	expect_status 75
	expect_in err '15000 envelopes are kept'
	touch go
	separately metlog-route -d "$STOPPED" </dev/null
	expect_status 0
	expect_same many got
}

@test "kill -9 of the router: what was in the spool is delivered by the next one, in order" {
	start_router -d "$STOPPED sync-interval=10ms"
	cat many >&8
	await 10 waiting s 20000
	command=$(pgrep -P "$router")
	kill -9 "$router"
	kill -9 -- "-$command"
	wait "$router" || true
	exec 8>&-
	touch go
	separately metlog-route --max-line 1000 -d "$STOPPED" later
	expect_status 0
	cat many later >expected
	expect_same expected got
}

@test "a command that cannot run leaves all of it in the spool, for one that can" {
	separately metlog-route --max-line 1000 -d '| no-such-command full=spool spool=s' --stats books many
	expect_status 69
	expect_in "$err" '20000 envelopes are kept in spool:s'
	[ "$(count undelivered)" = 0 ]
	touch go
	separately metlog-route -d "$STOPPED" </dev/null
	expect_status 0
	expect_same many got
}

@test "a command that dies is started again and gets what it had not read, through the spool" {
	start_router -d '| echo x >>starts; [ "$(wc -l <starts)" -gt 1 ] || exit 9; exec cat >>got full=spool spool=s'
	cat many >&8
	await 10 lines got 20000
	end_router
	expect_status 69
	expect_same many got
	empty s
}

@test "a second router on the same spool, and a drain beside it, are 73" {
	start_router -d "$STOPPED"
	await 10 test -s s/lock
	separately metlog-route -d '| cat full=spool spool=s' </dev/null
	expect_status 73
	run metlog-spool drain --once s -- cat
	expect_status 73
	touch go
	end_router
	expect_status 0
}

@test "SIGHUP: a route that stays keeps its command and its spool; one whose command has changed hands its spool on" {
	printf '%s\n' "default => $STOPPED" >conf
	start_router -c conf
	cat many >&8
	await 10 waiting s 15000
	kill -HUP "$router"
	await 10 grep -q 'was read again' err
	printf '%s\n' 'default => | cat >>new full=spool spool=s' >conf
	: >err
	kill -HUP "$router"
	await 10 grep -q 'was read again' err
	cat later >&8
	touch go
	all_there() { [ $(($(wc -l <got) + $(wc -l <new))) -eq 20500 ]; }
	await 10 all_there
	end_router
	expect_status 0
	sort many later >expected
	sort got new >seen
	expect_same expected seen
	empty s
}

@test "SIGHUP: a route that goes leaves what its command has not read in the spool, and says so" {
	printf '%s\n' "default => $STOPPED" >conf
	start_router -c conf --grace 0.2s
	cat many >&8
	await 10 waiting s 15000
	printf '%s\n' 'default => file:rest' >conf
	kill -HUP "$router"
	await 10 grep -q 'was read again' err
	cat later >&8
	await 10 grep -qF "$(tail -1 later)" rest
	end_router TERM
	expect_status 75
	# A slow router may still have had some of `many` to read when the signal came: these go the new way.
	cat many later >in.ndjson
	kept=$((20500 - $(wc -l <rest)))
	[ "$kept" -ge 15000 ]
	expect_in err "$kept envelopes are kept in spool:s"
	tail -n +$((kept + 1)) in.ndjson | cmp - rest
}

@test "when its spool is full, too: block holds up the input and loses nothing, fail is 74 and counts what is lost" {
	start_router -r "slow: TRUE => $STOPPED max-bytes=100Ki segment-bytes=32Ki sync-bytes=32Ki" -d drop
	cat many many many many >in.ndjson
	{ cat in.ndjson >&8; touch all_in; } &
	children+=" $!"
	await 10 waiting s 1000
	[ ! -e all_in ]
	touch go
	await 10 lines got 80000
	end_router
	expect_status 0
	expect_same in.ndjson got
	rm go got
	separately metlog-route --max-line 1000 -r "slow: TRUE => $STOPPED max-bytes=100Ki segment-bytes=32Ki sync-bytes=32Ki when-full=fail" -r 'fast: TRUE => | cat >fast; touch go' -d drop --stats books many
	expect_status 74
	expect_in "$err" 'route slow: spool:s: limit of'
	expect_same many fast
	[ "$(count undelivered)" -gt 0 ]
	[ $(($(wc -l <got) + $(count undelivered))) -eq 20000 ]
	head -"$(wc -l <got)" many | cmp - got
}

@test "when its spool is full, too, SIGTERM is answered after --grace, and what found no room is counted" {
	start_router -d "$STOPPED max-bytes=100Ki segment-bytes=32Ki sync-bytes=32Ki" --grace 0.2s --stats books
	{ cat many many many many >&8 || true; } &
	children+=" $!"
	await 10 waiting s 2200 # there is room for some 2300
	await 10 holds_up
	end_router TERM
	expect_status 74
	expect_in err 'route default: spool:s: limit of'
	expect_in err 'are kept in spool:s'
	[ "$(count undelivered)" -gt 0 ]
	kept=$(metlog-spool cat s | wc -l)
	[ $((kept + $(count undelivered))) -eq "$(count read)" ]
	metlog-spool cat s | cmp - <(cat many many many many | head -n "$kept")
}

@test "an endpoint whose far side is away: what its metlog-send has not taken is kept, 75, and delivered when it is back" {
	[ -x "$TOOLS/metlog-send" ] || skip "metlog-send is not built"
	separately metlog-route --max-line 1000 -d "unix:$PWD/sock full=spool spool=s" --grace 0.3s many
	expect_status 75
	expect_in "$err" 'are kept in spool:s'
	kept=$(metlog-spool cat s | wc -l)
	[ "$kept" -gt 0 ]
	metlog-spool cat s >expected
	metlog-recv --from "unix:$PWD/sock" --ready ready >got 3>&- &
	children+=" $!"
	await 10 test -e ready
	separately metlog-route --max-line 1000 -d "unix:$PWD/sock full=spool spool=s" --grace 60s </dev/null
	expect_status 0
	await 10 lines got "$kept"
	expect_same expected got
}

@test "ack: sends through metlog-send until all is acknowledged; with spool= what the far side has not taken is kept and sent later" {
	[ -x "$TOOLS/metlog-recv" ] || skip "metlog-recv is not built"
	metlog-recv --from 'ack:tcp://127.0.0.1:*' --ready ready >got 2>recv.err 3>&- &
	receiver=$!
	children+=" $receiver"
	await 10 test -s ready
	address=$(cat ready)
	separately metlog-route -d "$address" many
	expect_status 0
	expect_same many got
	kill "$receiver"
	wait "$receiver" || true
	start_router -d "$address spool=k" --grace 0.3s
	cat later >&8
	await 10 waiting k 500 # its metlog-send is up, and has taken them
	end_router
	expect_status 75
	metlog-spool cat k | cmp - later
	metlog-recv --from "$address" --ready again >got.again 2>recv.err 3>&- &
	children+=" $!"
	await 10 test -s again
	separately metlog-route -d "$address spool=k" </dev/null
	expect_status 0
	expect_same later got.again
	empty k
}
