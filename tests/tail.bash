# tail - what the suites of metlog-tail share: envelopes by the number, a terminal, followers in the background.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154

# envelope PAYLOAD [MEMBERS]: one line; the payload is JSON text.
envelope() {
	printf '{"type":"oldstyle","timestamp":"2012-10-05T12:00:01.137911Z","logger":"app","severity":4,"payload":%s%s}\n' "$1" "${2-}"
}

# numbered FROM TO: envelopes whose payload and fields.n are the number.
numbered() {
	seq "$1" "$2" | sed "s/.*/$(envelope '"line &"' ',"fields":{"n":&}')/"
}

# never COMMAND...: fails if the command succeeds (a bare ! does not fail a test).
never() {
	! "$@"
}

# expect_lines FILE LINE...: the file is exactly these lines.
expect_lines() {
	local file=$1
	shift
	printf '%s\n' "$@" >wanted
	expect_same wanted "$file"
}

# background COMMAND...: started with its output in the files live and live.err; what one before it wrote there is gone.
background() {
	rm -f live live.err
	"$@" >live 2>live.err 3>&- &
	pid=$!
	children+=" $pid"
}

# terminal COLUMNS COMMAND...: runs it with a terminal for standard output; what it writes is in the file screen.
terminal() {
	need python3
	python3 - "$@" <<-'END' >screen
	import fcntl, os, pty, struct, sys, termios
	pid, fd = pty.fork()
	if pid == 0: # the terminal is as it should be before the command looks at it
	    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
	    attributes = termios.tcgetattr(1)
	    attributes[1] &= ~termios.OPOST
	    termios.tcsetattr(1, termios.TCSANOW, attributes)
	    os.execvp(sys.argv[2], sys.argv[2:])
	while True:
	    try:
	        data = os.read(fd, 65536)
	    except OSError:
	        break
	    if not data:
	        break
	    os.write(1, data)
	sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	END
}
