# fake_syslog - starts tests/fake_syslog.py for the suites, sends through the driver, and looks at what came of it.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2164

syslog_setup() {
	load helper
	need python3
	driver=$TOOLS/../tests/unit/syslog_driver
	[ -x "$driver" ] || skip "tests/unit/syslog_driver is not built"
	cd "$BATS_TEST_TMPDIR"
}

syslog_teardown() {
	local pid
	[ ! -e "$BATS_TEST_TMPDIR/pids" ] || while read -r pid; do kill "$pid" 2>/dev/null; done <"$BATS_TEST_TMPDIR/pids"
	return 0
}

# receiver NAME OPTION...: starts one; $port is its port then, or its path.
receiver() {
	python3 "$SOURCE/tests/fake_syslog.py" "$@" 3>&- 7>&- 2>"$1.err" &
	echo $! >>"$BATS_TEST_TMPDIR/pids"
	await 20 test -e "$1" || fail "no receiver: $(cat "$1.err")"
	port=$(cat "$1")
}

# deliver OPTION... TO: by the driver, from standard input; its exit status is in $status, what it said in $out and $err.
deliver() {
	separately timeout 60 "$driver" "$@"
	cat "$out" "$err"
}

# books WORD=N...: what the driver counted.
books() {
	local one
	for one; do
		grep -qE " $one( |\$)" "$out" || fail "not $one: $(cat "$out")"
	done
}

# arrived NAME FRAMING: the whole messages that it has got, in order, into the file `arrived`.
arrived() {
	python3 "$SOURCE/tests/fake_syslog.py" frames "$1" "$2" >arrived || fail "$1: cannot be read"
}

# all_arrived NAME FRAMING COUNT: each of the driver's made messages, at least once; none that was not sent.
all_arrived() {
	arrived "$1" "$2"
	sed -nE 's/^<134>([0-9]+) x*$/\1/p' arrived | sort -nu >numbers
	seq 0 $(($3 - 1)) >all
	cmp -s numbers all || fail "of $3 messages these differ: $(diff numbers all | head -5)"
	if grep -qvE '^<134>[0-9]+ x*$' arrived; then fail "a message that was not sent: $(grep -vE '^<134>[0-9]+ x*$' arrived | head -3 | cut -c1-200)"; fi
}

happened() { grep -qF "$2" "$1.log"; }
