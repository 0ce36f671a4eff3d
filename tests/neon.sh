#!/bin/sh
# neon.sh - builds base, envelope and what the client writes for aarch64 and runs their unit tests there, under qemu where this machine is another.
# SPDX-License-Identifier: MPL-2.0
#
# usage: tests/neon.sh [DIRECTORY]     (for what is built; a temporary one by default)
# Exit 77, saying what is missing, where it cannot be tried: gcc-aarch64-linux-gnu and qemu-user (Debian's names) are needed.
set -eu

source=$(cd "$(dirname "$0")/.." && pwd)
CC=${NEON_CC:-aarch64-linux-gnu-gcc}
QEMU=${NEON_QEMU:-qemu-aarch64}
for tool in "$CC" "$QEMU"; do
	command -v "$tool" >/dev/null || { echo "neon.sh: skipped: $tool is not installed"; exit 77; }
done
if [ $# -gt 0 ]; then
	work=$1
	mkdir -p "$work"
else
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
fi

# What needs other libraries (xxHash, PCRE2) is left out: none of it differs by machine.
objects=
for file in "$source"/libcommon/base/*.c "$source"/libcommon/envelope/*.c "$source"/libcommon/client/message.c "$source"/libcommon/client/value.c; do
	name=$(basename "$file" .c)
	case $name in table | match* | scan_sse2 | scan_avx2) continue ;; esac
	"$CC" -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wshadow -Wconversion -Werror -I"$source/libcommon" -c "$file" -o "$work/$name.o"
	objects="$objects $work/$name.o"
done
for name in scan envelope envelope_number field text message value; do
	wrap=
	[ $name != scan ] || wrap=-Wl,--wrap=realloc
	# shellcheck disable=SC2086
	"$CC" -std=c11 -D_GNU_SOURCE -O2 -static $wrap -I"$source/libcommon" -I"$source/tests/neon" "$source/tests/unit/test_$name.c" $objects -lm -o "$work/test_$name"
	echo "# test_$name"
	"$QEMU" "$work/test_$name"
done
