/* scan - finds and checks the structure of a line of JSON, 64 bytes at a time, with the best vector kernel of the machine. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_SCAN_H
#define ENVELOPE_SCAN_H

#include <stdint.h>
#include "base/span.h"

/* A kernel turns bytes into an index: the offsets (from the start of the line) of every quote that opens or closes a
 * string, of every { } [ ] : , outside strings, and of the first byte of every other token; last comes the offset of the
 * newline that ends the line. Between two neighbouring quotes of the index lies the inside of a string.
 *
 *      {"a": [1, "x\"y"]}\n
 *      ^^ ^^ ^^^ ^     ^^^^        the index: 0 1 3 4 6 7 8 10 15 16 17 18
 *
 * In the same pass it notes what would make the line bad: control characters or a bad escape inside a string, a string
 * that is still open at the newline, bytes that are not UTF-8. It does not check the grammar: that is envelope_parse. */

enum { SCAN_PADDING = 64 }; /* bytes behind the region that must be readable; their value does not matter */

enum scan_flag {
	SCAN_ESCAPES = 1,      /* there is a backslash in the line */
	SCAN_BAD_ESCAPE = 2,   /* a backslash in a string before something RFC 8259 does not allow */
	SCAN_CONTROL = 4,      /* a byte below 0x20 inside a string */
	SCAN_OPEN_STRING = 8,  /* the line ends inside a string */
	SCAN_NOT_UTF8 = 16,    /* anywhere in the line */
	SCAN_NO_MEMORY = 64,   /* the index could not grow; the line's length is still right */
};

struct scan {
	uint32_t *index;  /* of the line scanned last */
	size_t count;     /* entries in it, the newline's included: at least 1 */
	size_t capacity;
	unsigned flags;   /* enum scan_flag of that line */
	const struct scan_kernel *kernel;
};

struct scan_kernel {
	const char *name; /* "avx2", "sse2", "neon", "plain" */
	size_t (*line)(struct scan *, const char *start, const char *end);
};

/* Chooses the kernel: METLOG_SCAN from the environment if it names one this machine can run, else the fastest.
 * The allocation starts small; the index grows to 4 bytes per byte of the longest line. False: no memory. */
bool scan_init(struct scan *);
bool scan_choose(struct scan *, const char *kernel); /* by name; false if it is unknown or this machine cannot run it */
void scan_release(struct scan *);
const struct scan_kernel *const *scan_kernels(void); /* all that this machine can run, NULL-terminated, plain last */

/* Whether RFC 8259 allows what stands behind a backslash: one of the eight letters, or u and four hexadecimal digits. Up to five
 * bytes are read. */
bool scan_escape_is_good(const char *behind);

/* Scans the line that starts at `start`. [start, end) must hold a newline, be followed by SCAN_PADDING readable bytes, and
 * be at most 4 GiB long. Returns the line's length without its newline; index, count and flags describe it. */
static inline size_t scan_line(struct scan *s, const char *start, const char *end)
{
	return s->kernel->line(s, start, end);
}

#endif
