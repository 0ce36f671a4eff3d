/* scan_sse2 - the kernel for every x86-64: 16 bytes at a time. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <emmintrin.h>

#include "envelope/scan_private.h"

struct lanes {
	__m128i v[4];
};

static inline struct lanes lanes_load(const char *block)
{
	struct lanes l;
	for (int i = 0; i < 4; i++) l.v[i] = _mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i));
	return l;
}

static inline uint64_t join(__m128i a, __m128i b, __m128i c, __m128i d)
{
	uint64_t low = (unsigned)_mm_movemask_epi8(a) | (unsigned)_mm_movemask_epi8(b) << 16;
	uint64_t high = (unsigned)_mm_movemask_epi8(c) | (unsigned)_mm_movemask_epi8(d) << 16;
	return low | high << 32;
}

static inline uint64_t lanes_equal(const struct lanes *l, char c)
{
	__m128i wanted = _mm_set1_epi8(c);
	return join(_mm_cmpeq_epi8(l->v[0], wanted), _mm_cmpeq_epi8(l->v[1], wanted), _mm_cmpeq_epi8(l->v[2], wanted), _mm_cmpeq_epi8(l->v[3], wanted));
}

static inline __m128i control(__m128i v)
{
	return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
}

static inline uint64_t lanes_control(const struct lanes *l)
{
	return join(control(l->v[0]), control(l->v[1]), control(l->v[2]), control(l->v[3]));
}

/* '[' and '{', ']' and '}' differ in bit 5 only; setting it turns no other printable character into one of them. */
static inline __m128i punctuation(__m128i v)
{
	__m128i folded = _mm_or_si128(v, _mm_set1_epi8(0x20));
	__m128i brackets = _mm_or_si128(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{')), _mm_cmpeq_epi8(folded, _mm_set1_epi8('}')));
	return _mm_or_si128(brackets, _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(':')), _mm_cmpeq_epi8(v, _mm_set1_epi8(','))));
}

static inline uint64_t lanes_operator(const struct lanes *l)
{
	return join(punctuation(l->v[0]), punctuation(l->v[1]), punctuation(l->v[2]), punctuation(l->v[3]));
}

static inline __m128i blank(__m128i v)
{
	return _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')), _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\t')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\r'))));
}

static inline uint64_t lanes_blank(const struct lanes *l)
{
	return join(blank(l->v[0]), blank(l->v[1]), blank(l->v[2]), blank(l->v[3]));
}

static inline bool lanes_high(const struct lanes *l)
{
	return _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(l->v[0], l->v[1]), _mm_or_si128(l->v[2], l->v[3])));
}

/* SSE2 has no byte shuffle, which the vector check of UTF-8 needs. */
#define utf8_valid scan_utf8_valid
#define prefix_xor scan_prefix_xor
#define append_positions scan_append_positions
#define KERNEL_LINE scan_line_sse2
size_t scan_line_sse2(struct scan *, const char *, const char *);
#include "envelope/scan_index.h"

const struct scan_kernel scan_kernel_sse2 = { "sse2", scan_line_sse2 };
