/* scan_utf8 - the tables by which the vector kernels check UTF-8. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_SCAN_UTF8_H
#define ENVELOPE_SCAN_UTF8_H

/* UTF-8 by three table look-ups a byte (Keiser and Lemire, "Validating UTF-8 in less than one instruction per byte", 2020): the high
 * and low nibble of the byte before and the high nibble of the byte itself each name the faults they allow; a fault that all three
 * allow is one. A bit a fault: */
enum {
	TOO_SHORT = 1,      /* a lead byte without a continuation */
	TOO_LONG = 2,       /* a continuation behind an ASCII byte */
	OVERLONG_3 = 4,     /* e0 before 80..9f */
	TOO_LARGE = 8,      /* f4 and above before 90..bf */
	SURROGATE = 16,     /* ed before a0..bf */
	OVERLONG_2 = 32,    /* c0, c1 */
	OVERLONG_4 = 64,    /* f0, and f5 and above, before 80..8f */
	TWO_CONTS = 128,    /* two continuations: right only as third or fourth byte of a sequence */

	ANY_LOW = TOO_SHORT | TOO_LONG | TWO_CONTS, /* what does not depend on the low nibble */
	BIG_LOW = ANY_LOW | TOO_LARGE | OVERLONG_4,
	CONTINUATION = TOO_LONG | OVERLONG_2 | TWO_CONTS,
};

static const unsigned char utf8_first_high[16] = {
	TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TWO_CONTS, TWO_CONTS, TWO_CONTS, TWO_CONTS,
	TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | OVERLONG_4,
};

static const unsigned char utf8_first_low[16] = {
	ANY_LOW | OVERLONG_3 | OVERLONG_2 | OVERLONG_4, ANY_LOW | OVERLONG_2, ANY_LOW, ANY_LOW, ANY_LOW | TOO_LARGE, BIG_LOW, BIG_LOW, BIG_LOW, BIG_LOW,
	BIG_LOW, BIG_LOW, BIG_LOW, BIG_LOW, BIG_LOW | SURROGATE, BIG_LOW, BIG_LOW,
};

static const unsigned char utf8_second_high[16] = {
	TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, CONTINUATION | OVERLONG_3 | OVERLONG_4,
	CONTINUATION | OVERLONG_3 | TOO_LARGE, CONTINUATION | SURROGATE | TOO_LARGE, CONTINUATION | SURROGATE | TOO_LARGE, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
};

#endif
