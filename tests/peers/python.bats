# python.bats - the Python client over ZeroMQ into receivers that are killed and come back, under gunicorn and gevent, and as a package.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154

setup() {
	load ../helper
	load ../recv
	load python
	cd "$BATS_TEST_TMPDIR"
	client=$SOURCE/contrib/python
	export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$client
}

teardown() {
	local pid
	for pid in ${receiver-} ${sender-}; do kill -9 "$pid" 2>/dev/null || true; done
}

# kill_receiver: as a crash does.
kill_receiver() {
	kill -9 "$receiver"
	wait "$receiver" 2>/dev/null || true
	receiver=
}

counted() { grep -oE "\"$1\": [0-9]+" counts | grep -oE '[0-9]+$'; }
kept() { metlog-spool cat spool 2>/dev/null; }
numbers() { grep -oE '"payload":"[0-9]+"' | grep -oE '[0-9]+'; }

@test "over ack nothing is lost and nothing comes twice, though the receiver is killed amid it and comes back" {
	need_zmq
	address=ipc://$PWD/socket
	receive --from "ack:$address" --spool spool
	"$python" "$client/tests/send.py" "ack:$address" 6000 when_full=block --await again --close 60 >counts 2>said &
	sender=$!
	await 30 test -e half || fail "$(cat said)"
	kill_receiver
	rm -f socket
	touch again
	receive --from "ack:$address" --spool spool
	wait "$sender" || fail "$(cat said)"
	sender=
	[ "$(counted sent)" = 6000 ] && [ "$(counted unsent)" = 0 ] || fail "$(cat counts)"
	kept | numbers >got
	seq -f %020.0f 0 5999 >want
	expect_same got want
	expect_empty said
}

@test "over ack what the receiver rejects is counted, with its reason" {
	need_zmq
	receive --from "ack:ipc://$PWD/socket" --max-line 500 --rejects rejects
	"$python" "$client/tests/send.py" "ack:ipc://$PWD/socket" 3 --size 600 >counts
	[ "$(counted rejected)" = 3 ] && [ "$(counted sent)" = 3 ] || fail "$(cat counts)"
	expect_in counts '"reason": "rejected: '
}

@test "over ipc nothing is lost at the end, however much the receiver has still to read" {
	need_zmq
	local round kind
	seq -f %020.0f 0 4999 >want
	for kind in pull:push sub:pub; do
		for round in 1 2 3; do
			receive --from "${kind%:*}:ipc://$PWD/socket"
			"$python" "$client/tests/send.py" "${kind#*:}:ipc://$PWD/socket" 5000 when_full=block --close 60 >counts 2>said || fail "$(cat said)"
			[ "$(counted sent)" = 5000 ] && [ "$(counted unsent)" = 0 ] || fail "$(cat counts)"
			await 20 eval '[ "$(numbers <got | wc -l)" -ge 5000 ]' || fail "$kind, round $round: $(numbers <got | wc -l)"
			kill_receiver
			rm -f socket
		done
	done
}

@test "over ipc what a receiver that is stopped has not read is told to be unsent" {
	need_zmq
	local kind
	for kind in pull:push sub:pub; do
		rm -f half again
		receive --from "${kind%:*}:ipc://$PWD/socket"
		"$python" "$client/tests/send.py" "${kind#*:}:ipc://$PWD/socket" 50 --close 1 --await again >counts 2>said &
		sender=$!
		await_lines 25
		await 30 test -e half || fail "$(cat said)"
		kill -STOP "$receiver"
		await 20 sh -c "! grep -h '^State:' /proc/$receiver/task/*/status | grep -qv 'T (stopped)'" || fail 'the receiver does not stop'
		touch again
		wait "$sender" || fail "$(cat said)"
		sender=
		[ "$(counted sent)" = 0 ] && [ "$(counted unsent)" = 50 ] || fail "$kind: $(cat counts)"
		kill_receiver
		rm -f socket
	done
}

@test "over push a receiver that comes back gets what was not under way, and the books still balance" {
	need_zmq
	address=ipc://$PWD/socket
	receive --from "pull:$address"
	"$python" "$client/tests/send.py" "push:$address" 4000 when_full=block --await again --close 60 >counts 2>said &
	sender=$!
	await 30 test -e half || fail "$(cat said)"
	await_lines 2000
	kill_receiver
	mv got first
	rm -f socket
	touch again
	receive --from "pull:$address"
	wait "$sender" || fail "$(cat said)"
	sender=
	await_lines "$(($(counted sent) - 2000))"
	[ "$(counted taken)" = 4000 ] && [ "$(($(counted sent) + $(counted unsent)))" = 4000 ] || fail "$(cat counts)"
	cat first got | numbers | sort | uniq -d >twice
	expect_empty twice
}

@test "a close with nobody there ends in its time, and all of it is told to be lost" {
	need_zmq
	for kind in push pub ack; do
		"$python" "$client/tests/send.py" "$kind:ipc://$PWD/nobody" 50 --close 0.2 >counts
		[ "$(counted unsent)" = 50 ] && [ "$(counted sent)" = 0 ] || fail "$kind: $(cat counts)"
		grep -qE '"reason": "[a-z]' counts || fail "$kind: $(cat counts)"
	done
}

@test "a socket that binds sends to whoever connects" {
	need_zmq
	address=ipc://$PWD/socket
	for kinds in push:pull pub:sub; do
		rm -f socket half again
		receive --from "${kinds#*:}:>$address"
		# What a publisher that binds has written last, libzmq may lose when it ends; so it ends when the first half is there.
		"$python" "$client/tests/send.py" "${kinds%:*}:@$address" 500 --close 60 --await again >counts 2>said &
		sender=$!
		await_lines 250
		[ "$(stat -c %a socket)" = 600 ]
		touch again
		wait "$sender" || fail "$(cat said)"
		sender=
		[ "$(counted sent)" = 500 ] || fail "$(cat counts)"
		stop
	done
}

@test "with CURVE a key that is known is let in, and another is not" {
	need_zmq
	metlog-recv --curve-keygen server.key
	metlog-recv --curve-keygen shop.key
	metlog-recv --curve-keygen stranger.key
	mkdir clients
	cp shop.key.pub clients/
	receive --from 'ack:tcp://127.0.0.1:*' --from 'pull:tcp://127.0.0.1:*' --curve-secret server.key --curve-clients clients
	for kind in ack pull; do
		name=${kind/pull/push}
		"$python" "$client/tests/send.py" "$name:$(endpoint $kind)" 20 curve_server=server.key.pub curve_secret=shop.key >counts
		[ "$(counted sent)" = 20 ] || fail "$(cat counts)"
		"$python" "$client/tests/send.py" "$name:$(endpoint $kind)" 20 --close 1 curve_server=server.key.pub curve_secret=stranger.key >counts
		[ "$(counted unsent)" = 20 ] || fail "$(cat counts)"
		"$python" "$client/tests/send.py" "$name:$(endpoint $kind)" 20 --close 1 >counts
		[ "$(counted unsent)" = 20 ] || fail "$(cat counts)"
	done
	chmod 644 shop.key
	! "$python" "$client/tests/send.py" "ack:$(endpoint ack)" 1 --close 0.2 curve_server=server.key.pub curve_secret=shop.key 2>said || fail "sent with it"
	expect_in said 'open to others'
	[ "$(wc -l <got)" = 40 ]
}

@test "a client that was made before gunicorn forked its workers sends from each of them" {
	python_need gunicorn
	cat >shop.py <<-'PYTHON'
		import os
		import metlog
		client = metlog.MetlogClient("unix:in.sock", "shop")
		client.info("loaded")
		def application(environ, start_response):
		    with client.timer("request"):
		        client.incr("hits")
		    start_response("200 OK", [("Content-Length", "0")])
		    return [b""]
	PYTHON
	receive --from unix:in.sock
	"$python" -m gunicorn --preload -w 3 --bind "unix:$PWD/http.sock" shop:application >gunicorn.log 2>&1 &
	sender=$!
	await 30 test -S http.sock || fail "$(cat gunicorn.log)"
	for _ in $(seq 40); do curl -sf --unix-socket http.sock http://shop/ || fail "$(cat gunicorn.log)"; done
	kill -TERM "$sender"
	wait "$sender" || true
	sender=
	await_lines 81
	[ "$(grep -c '"name":"hits"' got)" = 40 ]
	[ "$(grep -c '"type":"timer"' got)" = 40 ]
	[ "$(grep -c '"payload":"loaded"' got)" = 1 ]
	if grep -qi 'traceback\|exception' gunicorn.log; then fail "$(cat gunicorn.log)"; fi
}

@test "under gevent the client's thread is one of the system, and greenlets are not held up" {
	python_need gevent
	cat >green.py <<-'PYTHON'
		from gevent import monkey; monkey.patch_all()
		import gevent, metlog
		client = metlog.MetlogClient("unix:in.sock", "shop", buffer=8192, when_full="block")
		def work(name):
		    for number in range(200):
		        with client.timer("t"):
		            gevent.sleep(0)
		        client.info("%s %d", name, number)
		gevent.joinall([gevent.spawn(work, name) for name in "abc"])
		counts = client.close(60)
		assert (counts.sent, counts.dropped) == (1200, 0), counts
	PYTHON
	receive --from unix:in.sock
	separately "$python" green.py
	expect_status 0
	expect_empty "$err"
	await_lines 1200
}

@test "logs go through structlog, and the types are strict for mypy" {
	python_need structlog
	python_need mypy
	cd "$client/tests"
	separately "$python" -m unittest test_adapters
	expect_status 0
	if grep -q skipped "$err"; then fail "$(cat "$err")"; fi
}

@test "the package is built, installed, and has the toolkit's version" {
	python_need build
	mkdir package
	cp -r "$client/metlog" "$client/pyproject.toml" "$client/README.md" package/
	"$python" -m build -o dist package >build.log 2>&1 || fail "$(tail -20 build.log)"
	"$python" -m venv --without-pip clean
	"$python" -m pip -q --python clean/bin/python install --no-index dist/metlog-*.whl 2>install.log || "$python" -m zipfile -e dist/metlog-*.whl clean/lib/package
	cd /
	separately env PYTHONPATH="$BATS_TEST_TMPDIR/clean/lib/package" "$BATS_TEST_TMPDIR/clean/bin/python" -c 'import metlog, os; c = metlog.MetlogClient("-"); c.incr("n"); c.close(60); print(metlog.__version__, os.path.exists(os.path.dirname(metlog.__file__) + "/py.typed"))'
	expect_status 0
	expect_in "$out" "$(sed -nE 's/^AC_INIT\(\[metlog\], \[([^]]*)\].*/\1/p' "$SOURCE/configure.ac") True"
	expect_in "$out" '"name":"n"'
}
