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

printf '#include <setjmp.h>\n#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <cmocka.h>\nint main(void) { return 0; }\n' >"$work/try.c"
for CC in ${THREADS_CC:-clang gcc} ''; do
	[ -n "$CC" ] || { echo "threads.sh: skipped: there is no compiler whose ThreadSanitizer works here, or no cmocka"; exit 77; }
	"$CC" -fsanitize=thread -o "$work/try" "$work/try.c" -lcmocka >/dev/null 2>&1 && "$work/try" >/dev/null 2>&1 && break
done
# Fences are not modelled: all that they order here is told by atomics. (gcc warns of them.)
flags="-std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=thread -fno-omit-frame-pointer -I$source/libcommon"
echo "# by $CC"

# What the library is made of stands in the makefile.
files=$(awk '/^client_(sources|needs) =/ { on = 1 } on { for (i = 1; i <= NF; i++) if ($i ~ /\.c$/) print $i } on && !/\\$/ { on = 0 }' "$source/Makefile.am")
[ -n "$files" ]
compile() { "$CC" $flags -c "$source/$1" -o "$work/$(echo "$1" | tr / _).o"; }
for file in $files; do compile "$file"; done
# Other threads than these have been in the parent; that its children start some of their own is what is tried.
# libzmq is not built for this, so how it orders its own threads is not seen; nor is libpgm, which Debian's libzmq begins and ends with each context: a close that did
# not wait for a thread that hangs, as on a machine with much to do, leaves that one to end while the next client begins.
printf 'race:libzmq\nmutex:libzmq\nrace:libpgm\nmutex:libpgm\n' >"$work/suppressions"
export TSAN_OPTIONS="die_after_fork=0 halt_on_error=0 exitcode=66 suppressions=$work/suppressions"
for name in ring tally client client_threads client_close client_fork client_child; do
	wrap=$(sed -n "s/^tests_unit_test_${name}_LDFLAGS = .*-pthread//p" "$source/Makefile.am")
	"$CC" $flags $wrap "$source/tests/unit/test_$name.c" "$work"/libcommon_*.o -o "$work/test_$name" -lcmocka -pthread -ldl -lm
	echo "# test_$name"
	"$work/test_$name"
done
