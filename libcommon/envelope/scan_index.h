/* scan_index - the body of every kernel: from bit masks of 64 bytes to the index of a line. */
/* SPDX-License-Identifier: MPL-2.0 */

/* Included once by each scan_NAME.c, which defines before it:
 *     struct lanes                                        64 bytes in registers
 *     struct lanes lanes_load(const char *)
 *     uint64_t lanes_equal(const struct lanes *, char)    bit i: byte i equals the character
 *     uint64_t lanes_control(const struct lanes *)        bit i: byte i is below 0x20
 *     uint64_t lanes_operator(const struct lanes *)       bit i: byte i is one of { } [ ] : ,   (control characters may show as well)
 *     uint64_t lanes_blank(const struct lanes *)          bit i: byte i is space, TAB or CR
 *     bool lanes_high(const struct lanes *)               any byte is 0x80 or above
 *     uint64_t prefix_xor(uint64_t)                       bit i: parity of bits 0..i
 *     uint32_t *append_positions(uint32_t *out, uint64_t bits, uint32_t base)
 *                                                         appends base + the position of each set bit, returns the end; may
 *                                                         write up to 8 entries too far
 *     bool utf8_valid(const char *, size_t)
 *     KERNEL_LINE                                         the name of the function defined here
 */

#include "envelope/scan_private.h"

/* The bytes behind a backslash. Escapes are few in most lines: one step each, and each is checked on the way.
 * `carry` says that byte 0 is itself behind a backslash of the block before. */
static inline uint64_t find_escaped(const char *block, uint64_t backslash, uint64_t *carry, unsigned *flags)
{
	uint64_t escaped = *carry;
	backslash &= ~*carry;
	*carry = 0;
	if (backslash) *flags |= SCAN_ESCAPES;
	while (backslash) {
		unsigned at = (unsigned)__builtin_ctzll(backslash);
		if (!scan_escape_is_good(block + at + 1)) *flags |= SCAN_BAD_ESCAPE;
		if (at == 63) {
			*carry = 1;
			break;
		}
		uint64_t behind = UINT64_C(2) << at;
		escaped |= behind;
		backslash &= (backslash - 1) & ~behind;
	}
	return escaped;
}

size_t KERNEL_LINE(struct scan *s, const char *start, const char *end)
{
	uint64_t escape_carry = 0, string_carry = 0, scalar_carry = 0, bad_control = 0, newline = 0;
	unsigned flags = 0;
	bool high = false;
	uint32_t *out = s->index;
	const char *block = start;
	for (;; block += 64) {
		if (__builtin_expect((size_t)(out - s->index) + SCAN_INDEX_SLACK > s->capacity, 0)) {
			out = scan_grow(s, out);
			if (!out) return scan_without_memory(s, start, end);
		}
		struct lanes lanes = lanes_load(block);
		uint64_t valid = ~UINT64_C(0), control = lanes_control(&lanes), blank = lanes_blank(&lanes);
		if (control) {
			newline = lanes_equal(&lanes, '\n');
			if (newline) valid = (newline & (0 - newline)) - 1; /* the bits below the first newline */
		}
		uint64_t escaped = 0, backslash = lanes_equal(&lanes, '\\') & valid;
		if (backslash | escape_carry) escaped = find_escaped(block, backslash, &escape_carry, &flags);
		uint64_t quote = lanes_equal(&lanes, '"') & ~escaped & valid;
		uint64_t inside = prefix_xor(quote) ^ string_carry; /* the opening quote is inside, the closing one is not */
		uint64_t punctuation = lanes_operator(&lanes) & ~inside & valid;
		uint64_t scalar = ~(punctuation | blank | inside | quote) & valid;
		uint64_t first = scalar & ~(scalar << 1 | scalar_carry);
		bad_control |= control & (inside | ~blank) & valid;
		high |= lanes_high(&lanes);
		out = append_positions(out, quote | punctuation | first, (uint32_t)(block - start));
		if (newline) {
			if (inside & (valid + 1)) flags |= SCAN_OPEN_STRING;
			break;
		}
		string_carry = (uint64_t)((int64_t)inside >> 63);
		scalar_carry = scalar >> 63;
	}
	size_t length = (size_t)(block - start) + (unsigned)__builtin_ctzll(newline);
	s->count = (size_t)(out - s->index) + 1;
	/* Repeated, so that a reader of the index may look a few tokens ahead of any other. */
	for (int i = 0; i < SCAN_SENTINELS; i++) out[i] = (uint32_t)length;
	if (bad_control) flags |= SCAN_CONTROL;
	if (high && !utf8_valid(start, length)) flags |= SCAN_NOT_UTF8;
	s->flags = flags;
	return length;
}
