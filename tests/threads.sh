#!/bin/sh
# threads.sh - builds the client for ThreadSanitizer and runs its unit tests by it: no two threads may touch the same without an order between them.
# SPDX-License-Identifier: MPL-2.0
#
# usage: tests/threads.sh [DIRECTORY]     (for what is built; a temporary one by default)
# Exit 77, saying why, where it cannot be tried: clang or gcc with ThreadSanitizer and cmocka are needed, and a kernel that lets it have its addresses.
set -eu

source=$(cd "$(dirname "$0")/.." && pwd)
if [ $# -gt 0 ]; then
	work=$1
	mkdir -p "$work"
else
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
fi

# It works if a program runs, and all of it if a child of a fork may start threads: by gcc 12 that ends with "dup thread with used id", since the number is still
# that of a thread of the parent.
cat >"$work/try.c" <<'end'
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
static void *wait_in(void *argument) { return pause(), argument; }
static void *end_in(void *argument) { return argument; }
int main(int count, char **arguments)
{
	int status;
	pthread_t thread;
	if (count < 2) return 0;
	(void)arguments;
	pthread_create(&thread, NULL, wait_in, NULL);
	pid_t child = fork();
	if (!child) _exit(pthread_create(&thread, NULL, end_in, NULL) || pthread_join(thread, NULL));
	_exit(waitpid(child, &status, 0) != child || status);
}
end
export TSAN_OPTIONS="die_after_fork=0 halt_on_error=0 exitcode=66 suppressions=$work/suppressions"
# libzmq is not built for this, so how it orders its own threads is not seen; nor is libpgm, which Debian's libzmq begins and ends with each context: a close that did
# not wait for a thread that hangs, as on a machine with much to do, leaves that one to end while the next client begins.
printf 'race:libzmq\nmutex:libzmq\nrace:libpgm\nmutex:libpgm\n' >"$work/suppressions"
for CC in ${THREADS_CC:-clang gcc} ''; do
	[ -n "$CC" ] || { echo "threads.sh: skipped: there is no compiler whose ThreadSanitizer works here, or no cmocka"; exit 77; }
	"$CC" -fsanitize=thread -o "$work/try" "$work/try.c" -lcmocka >/dev/null 2>&1 && "$work/try" >/dev/null 2>&1 && break
done
forking='client_fork client_child'
if ! timeout 20 "$work/try" fork >/dev/null 2>&1; then
	echo "# a thread that is started in the child of a fork ends a program by this compiler's ThreadSanitizer"
	for name in $forking; do echo "[  SKIPPED ] test_$name"; done
	forking=''
fi
# Fences are not modelled: all that they order here is told by atomics. (gcc warns of them.)
flags="-std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=thread -fno-omit-frame-pointer -I$source/libcommon"
echo "# by $CC"

# What the library is made of stands in the makefile.
files=$(awk '/^client_(sources|needs) =/ { on = 1 } on { for (i = 1; i <= NF; i++) if ($i ~ /\.c$/) print $i } on && !/\\$/ { on = 0 }' "$source/Makefile.am")
[ -n "$files" ]
compile() { "$CC" $flags -c "$source/$1" -o "$work/$(echo "$1" | tr / _).o"; }
for file in $files; do compile "$file"; done
for name in ring tally client client_threads client_close $forking; do
	wrap=$(sed -n "s/^tests_unit_test_${name}_LDFLAGS = .*-pthread//p" "$source/Makefile.am")
	"$CC" $flags $wrap "$source/tests/unit/test_$name.c" "$work"/libcommon_*.o -o "$work/test_$name" -lcmocka -pthread -ldl -lm
	echo "# test_$name"
	"$work/test_$name"
done
