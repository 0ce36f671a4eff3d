/* scan_neon - the kernel for aarch64: 16 bytes at a time. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <arm_neon.h>

#include "envelope/scan_private.h"
#include "envelope/scan_utf8.h"

struct lanes {
	uint8x16_t v[4];
};

static inline struct lanes lanes_load(const char *block)
{
	const uint8_t *from = (const uint8_t *)block;
	return (struct lanes){ { vld1q_u8(from), vld1q_u8(from + 16), vld1q_u8(from + 32), vld1q_u8(from + 48) } };
}

/* NEON has no movemask. Of four vectors at once: each byte keeps the bit of its place among eight, and three pairwise additions bring the eight
 * bytes of a group together. */
static inline uint64_t join(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d)
{
	const uint8x16_t place = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };
	uint8x16_t low = vpaddq_u8(vandq_u8(a, place), vandq_u8(b, place));
	uint8x16_t high = vpaddq_u8(vandq_u8(c, place), vandq_u8(d, place));
	low = vpaddq_u8(low, high);
	return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(low, low)), 0);
}

static inline uint64_t lanes_equal(const struct lanes *l, char c)
{
	uint8x16_t wanted = vdupq_n_u8((uint8_t)c);
	return join(vceqq_u8(l->v[0], wanted), vceqq_u8(l->v[1], wanted), vceqq_u8(l->v[2], wanted), vceqq_u8(l->v[3], wanted));
}

static inline uint64_t lanes_control(const struct lanes *l)
{
	uint8x16_t space = vdupq_n_u8(0x20);
	return join(vcltq_u8(l->v[0], space), vcltq_u8(l->v[1], space), vcltq_u8(l->v[2], space), vcltq_u8(l->v[3], space));
}

/* A table by low nibble holds the one character of that nibble that is wanted; '[' and ']' fold onto '{' and '}' by bit 5. */
static inline uint8x16_t punctuation(uint8x16_t v)
{
	const uint8x16_t table = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0 };
	return vceqq_u8(vqtbl1q_u8(table, vandq_u8(v, vdupq_n_u8(15))), vorrq_u8(v, vdupq_n_u8(0x20)));
}

static inline uint64_t lanes_operator(const struct lanes *l)
{
	return join(punctuation(l->v[0]), punctuation(l->v[1]), punctuation(l->v[2]), punctuation(l->v[3]));
}

static inline uint8x16_t blank(uint8x16_t v)
{
	const uint8x16_t table = { ' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', 1, 1, 1, '\r', 1, 1 };
	return vceqq_u8(vqtbl1q_u8(table, vandq_u8(v, vdupq_n_u8(15))), v);
}

static inline uint64_t lanes_blank(const struct lanes *l)
{
	return join(blank(l->v[0]), blank(l->v[1]), blank(l->v[2]), blank(l->v[3]));
}

static inline bool lanes_high(const struct lanes *l)
{
	return vmaxvq_u8(vorrq_u8(vorrq_u8(l->v[0], l->v[1]), vorrq_u8(l->v[2], l->v[3]))) >= 0x80;
}

static inline uint8x16_t utf8_faults(uint8x16_t before3, uint8x16_t before2, uint8x16_t before1, uint8x16_t now)
{
	uint8x16_t first_high = vqtbl1q_u8(vld1q_u8(utf8_first_high), vshrq_n_u8(before1, 4));
	uint8x16_t first_low = vqtbl1q_u8(vld1q_u8(utf8_first_low), vandq_u8(before1, vdupq_n_u8(15)));
	uint8x16_t second_high = vqtbl1q_u8(vld1q_u8(utf8_second_high), vshrq_n_u8(now, 4));
	uint8x16_t special = vandq_u8(vandq_u8(first_high, first_low), second_high);
	/* Where the byte must be a third or fourth one, two continuations are right, and anything else is not. */
	uint8x16_t third = vqsubq_u8(before2, vdupq_n_u8(0xe0 - 0x80)), fourth = vqsubq_u8(before3, vdupq_n_u8(0xf0 - 0x80));
	return veorq_u8(vandq_u8(vorrq_u8(third, fourth), vdupq_n_u8(0x80)), special);
}

static inline bool utf8_valid(const char *text, size_t length)
{
	uint8_t edge[16] = { 0 };
	uint8x16_t faults = vdupq_n_u8(0), last = faults;
	for (size_t at = 0; at <= length; at += 16) {
		const uint8_t *from = (const uint8_t *)text + at;
		if (length - at < 16) { /* the last bytes, then zeros, so that a sequence cut at the end shows */
			memcpy(edge, from, length - at);
			from = edge;
		}
		uint8x16_t now = vld1q_u8(from);
		faults = vorrq_u8(faults, utf8_faults(vextq_u8(last, now, 13), vextq_u8(last, now, 14), vextq_u8(last, now, 15), now));
		last = now;
	}
	return vmaxvq_u8(faults) == 0;
}

#define prefix_xor scan_prefix_xor
#define append_positions scan_append_positions
#define KERNEL_LINE scan_line_neon
size_t scan_line_neon(struct scan *, const char *, const char *);
#include "envelope/scan_index.h"

const struct scan_kernel scan_kernel_neon = { "neon", scan_line_neon };
