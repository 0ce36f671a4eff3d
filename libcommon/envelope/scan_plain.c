/* scan_plain - the kernel in plain C: runs everywhere, and says what the vector kernels must answer. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/scan_private.h"

/* A class a byte, looked up: one bit each. */
enum { CLASS_CONTROL = 1, CLASS_BLANK = 2, CLASS_OPERATOR = 4, CLASS_QUOTE = 8, CLASS_BACKSLASH = 16, CLASS_NEWLINE = 32, CLASS_HIGH = 64 };

static const unsigned char classes[256] = {
	[0] = 1, 1, 1, 1, 1, 1, 1, 1, 1, ['\t'] = CLASS_CONTROL | CLASS_BLANK, ['\n'] = CLASS_CONTROL | CLASS_NEWLINE, 1, 1,
	['\r'] = CLASS_CONTROL | CLASS_BLANK, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, [' '] = CLASS_BLANK,
	['"'] = CLASS_QUOTE, ['\\'] = CLASS_BACKSLASH, [','] = CLASS_OPERATOR, [':'] = CLASS_OPERATOR, ['['] = CLASS_OPERATOR,
	[']'] = CLASS_OPERATOR, ['{'] = CLASS_OPERATOR, ['}'] = CLASS_OPERATOR,
	[128] = 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
};

struct lanes {
	uint64_t control, blank, punctuation, quote, backslash, newline, high;
};

static inline struct lanes lanes_load(const char *block)
{
	struct lanes l = { 0 };
	for (unsigned i = 0; i < 64; i++) {
		uint64_t class = classes[(unsigned char)block[i]];
		l.control |= (class & 1) << i;
		l.blank |= (class >> 1 & 1) << i;
		l.punctuation |= (class >> 2 & 1) << i;
		l.quote |= (class >> 3 & 1) << i;
		l.backslash |= (class >> 4 & 1) << i;
		l.newline |= (class >> 5 & 1) << i;
		l.high |= class >> 6;
	}
	return l;
}

static inline uint64_t lanes_equal(const struct lanes *l, char c)
{
	return c == '"' ? l->quote : c == '\\' ? l->backslash : l->newline;
}

static inline uint64_t lanes_control(const struct lanes *l) { return l->control; }
static inline uint64_t lanes_operator(const struct lanes *l) { return l->punctuation; }
static inline uint64_t lanes_blank(const struct lanes *l) { return l->blank; }
static inline bool lanes_high(const struct lanes *l) { return l->high; }

#define utf8_valid scan_utf8_valid
#define prefix_xor scan_prefix_xor
#define append_positions scan_append_positions
#define KERNEL_LINE scan_line_plain
size_t scan_line_plain(struct scan *, const char *, const char *);
#include "envelope/scan_index.h"

const struct scan_kernel scan_kernel_plain = { "plain", scan_line_plain };
