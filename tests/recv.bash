# recv - what the suites of metlog-recv share: starting it, awaiting what it writes, stopping it, reading its books.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154

# receive OPTION...: starts metlog-recv and waits until its endpoints are open; what it writes goes to `got`.
receive() {
	rm -f where
	metlog-recv --ready where "$@" >got 2>err &
	receiver=$!
	await 10 ready_or_gone || fail "metlog-recv is not ready"
	[ -e where ] || fail "metlog-recv has ended: $(cat err)"
}
ready_or_gone() { [ -e where ] || ! kill -0 "$receiver" 2>/dev/null; }

# endpoint KIND: the address of that kind, as it was really opened.
endpoint() { sed -n "s/^$1://p" where; }
port() { endpoint "$1" | sed 's/.*://'; }

# has_lines N [FILE]: true once N lines have been written.
has_lines() { [ "$(wc -l <"${2-got}")" -ge "$1" ]; }
await_lines() { await 20 has_lines "$@" || fail "expected $1 lines, there are $(wc -l <"${2-got}"); $(head -c 1000 err)"; }

# stop [STATUS]: SIGTERM, then its exit status.
stop() {
	kill -TERM "$receiver"
	err=err status=0
	wait "$receiver" || status=$?
	receiver=
	expect_status "${1-0}"
}

# count FILE NAME: the count in the last books of the file.
count() { grep -a 'metlog\.stats' "$1" | tail -1 | grep -oE "\"$2\": ?[0-9]+" | grep -oE '[0-9]+$'; }
