/* md5 - four rounds of sixteen steps over blocks of 64 bytes, as RFC 1321 has them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/md5.h"

#include <endian.h>

/* floor(2^32 * |sin(i + 1)|) */
static const uint32_t sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static const unsigned char turns[4][4] = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 } };

static inline uint32_t mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
	switch (round) {
	case 0: return (b & c) | (~b & d);
	case 1: return (d & b) | (~d & c);
	case 2: return b ^ c ^ d;
	default: return c ^ (b | ~d);
	}
}

static inline unsigned word_of(unsigned round, unsigned i)
{
	switch (round) {
	case 0: return i;
	case 1: return (5 * i + 1) % 16;
	case 2: return (3 * i + 5) % 16;
	default: return (7 * i) % 16;
	}
}

static void take_block(uint32_t state[4], const unsigned char *bytes)
{
	uint32_t words[16], a = state[0], b = state[1], c = state[2], d = state[3];
	memcpy(words, bytes, sizeof words);
	for (unsigned i = 0; i < 16; i++) words[i] = le32toh(words[i]);
	for (unsigned i = 0; i < 64; i++) {
		unsigned round = i / 16, turn = turns[round][i % 4];
		uint32_t sum = a + mix(round, b, c, d) + sines[i] + words[word_of(round, i)];
		a = d;
		d = c;
		c = b;
		b += (sum << turn) | (sum >> (32 - turn));
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

void md5_init(struct md5 *m)
{
	*m = (struct md5){ .state = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 } };
}

void md5_add(struct md5 *m, struct span bytes)
{
	const unsigned char *at = (const unsigned char *)bytes.data;
	size_t left = bytes.length, held = m->length % sizeof m->block;
	m->length += left;
	if (held) {
		size_t room = sizeof m->block - held, part = left < room ? left : room;
		if (part) memcpy(m->block + held, at, part);
		if (part < room) return;
		take_block(m->state, m->block);
		at += part;
		left -= part;
	}
	for (; left >= sizeof m->block; at += sizeof m->block, left -= sizeof m->block) take_block(m->state, at);
	if (left) memcpy(m->block, at, left);
}

void md5_finish(struct md5 *m, unsigned char digest[MD5_BYTES])
{
	static const char padding[64] = { '\x80' };
	uint64_t bits = htole64(m->length * 8);
	size_t held = m->length % sizeof m->block;
	md5_add(m, (struct span){ padding, held < 56 ? 56 - held : 120 - held });
	md5_add(m, (struct span){ (const char *)&bits, sizeof bits });
	for (size_t i = 0; i < 4; i++) m->state[i] = htole32(m->state[i]);
	memcpy(digest, m->state, MD5_BYTES);
}
