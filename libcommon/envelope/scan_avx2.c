/* scan_avx2 - the kernel for x86-64 with AVX2, BMI and PCLMUL: 32 bytes at a time. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <immintrin.h>

#include "envelope/scan_private.h"

struct lanes {
	__m256i v[2];
};

static inline struct lanes lanes_load(const char *block)
{
	return (struct lanes){ { _mm256_loadu_si256((const __m256i *)(const void *)block), _mm256_loadu_si256((const __m256i *)(const void *)(block + 32)) } };
}

static inline uint64_t join(__m256i low, __m256i high)
{
	return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

static inline uint64_t lanes_equal(const struct lanes *l, char c)
{
	__m256i wanted = _mm256_set1_epi8(c);
	return join(_mm256_cmpeq_epi8(l->v[0], wanted), _mm256_cmpeq_epi8(l->v[1], wanted));
}

static inline __m256i control(__m256i v)
{
	return _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v);
}

static inline uint64_t lanes_control(const struct lanes *l)
{
	return join(control(l->v[0]), control(l->v[1]));
}

/* A table by low nibble holds the one character of that nibble that is wanted; '[' and ']' fold onto '{' and '}' by bit 5. */
static inline __m256i punctuation(__m256i v)
{
	const __m256i table = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0));
	return _mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, v), _mm256_or_si256(v, _mm256_set1_epi8(0x20)));
}

static inline uint64_t lanes_operator(const struct lanes *l)
{
	return join(punctuation(l->v[0]), punctuation(l->v[1]));
}

static inline __m256i blank(__m256i v)
{
	const __m256i table = _mm256_broadcastsi128_si256(_mm_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', 1, 1, 1, '\r', 1, 1));
	return _mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, v), v);
}

static inline uint64_t lanes_blank(const struct lanes *l)
{
	return join(blank(l->v[0]), blank(l->v[1]));
}

static inline bool lanes_high(const struct lanes *l)
{
	return _mm256_movemask_epi8(_mm256_or_si256(l->v[0], l->v[1]));
}

static inline uint64_t prefix_xor(uint64_t bits)
{
	__m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)bits), _mm_set1_epi8(-1), 0);
	return (uint64_t)_mm_cvtsi128_si64(product);
}

/* The positions of the set bits of every byte, one a byte, lowest first: that of 0x15 is 0x040200. */
static const uint64_t scan_positions[256] = {
	0x000000000000000, 0x000000000000000, 0x000000000000001, 0x000000000000100, 0x000000000000002, 0x000000000000200, 0x000000000000201, 0x000000000020100,
	0x000000000000003, 0x000000000000300, 0x000000000000301, 0x000000000030100, 0x000000000000302, 0x000000000030200, 0x000000000030201, 0x000000003020100,
	0x000000000000004, 0x000000000000400, 0x000000000000401, 0x000000000040100, 0x000000000000402, 0x000000000040200, 0x000000000040201, 0x000000004020100,
	0x000000000000403, 0x000000000040300, 0x000000000040301, 0x000000004030100, 0x000000000040302, 0x000000004030200, 0x000000004030201, 0x000000403020100,
	0x000000000000005, 0x000000000000500, 0x000000000000501, 0x000000000050100, 0x000000000000502, 0x000000000050200, 0x000000000050201, 0x000000005020100,
	0x000000000000503, 0x000000000050300, 0x000000000050301, 0x000000005030100, 0x000000000050302, 0x000000005030200, 0x000000005030201, 0x000000503020100,
	0x000000000000504, 0x000000000050400, 0x000000000050401, 0x000000005040100, 0x000000000050402, 0x000000005040200, 0x000000005040201, 0x000000504020100,
	0x000000000050403, 0x000000005040300, 0x000000005040301, 0x000000504030100, 0x000000005040302, 0x000000504030200, 0x000000504030201, 0x000050403020100,
	0x000000000000006, 0x000000000000600, 0x000000000000601, 0x000000000060100, 0x000000000000602, 0x000000000060200, 0x000000000060201, 0x000000006020100,
	0x000000000000603, 0x000000000060300, 0x000000000060301, 0x000000006030100, 0x000000000060302, 0x000000006030200, 0x000000006030201, 0x000000603020100,
	0x000000000000604, 0x000000000060400, 0x000000000060401, 0x000000006040100, 0x000000000060402, 0x000000006040200, 0x000000006040201, 0x000000604020100,
	0x000000000060403, 0x000000006040300, 0x000000006040301, 0x000000604030100, 0x000000006040302, 0x000000604030200, 0x000000604030201, 0x000060403020100,
	0x000000000000605, 0x000000000060500, 0x000000000060501, 0x000000006050100, 0x000000000060502, 0x000000006050200, 0x000000006050201, 0x000000605020100,
	0x000000000060503, 0x000000006050300, 0x000000006050301, 0x000000605030100, 0x000000006050302, 0x000000605030200, 0x000000605030201, 0x000060503020100,
	0x000000000060504, 0x000000006050400, 0x000000006050401, 0x000000605040100, 0x000000006050402, 0x000000605040200, 0x000000605040201, 0x000060504020100,
	0x000000006050403, 0x000000605040300, 0x000000605040301, 0x000060504030100, 0x000000605040302, 0x000060504030200, 0x000060504030201, 0x006050403020100,
	0x000000000000007, 0x000000000000700, 0x000000000000701, 0x000000000070100, 0x000000000000702, 0x000000000070200, 0x000000000070201, 0x000000007020100,
	0x000000000000703, 0x000000000070300, 0x000000000070301, 0x000000007030100, 0x000000000070302, 0x000000007030200, 0x000000007030201, 0x000000703020100,
	0x000000000000704, 0x000000000070400, 0x000000000070401, 0x000000007040100, 0x000000000070402, 0x000000007040200, 0x000000007040201, 0x000000704020100,
	0x000000000070403, 0x000000007040300, 0x000000007040301, 0x000000704030100, 0x000000007040302, 0x000000704030200, 0x000000704030201, 0x000070403020100,
	0x000000000000705, 0x000000000070500, 0x000000000070501, 0x000000007050100, 0x000000000070502, 0x000000007050200, 0x000000007050201, 0x000000705020100,
	0x000000000070503, 0x000000007050300, 0x000000007050301, 0x000000705030100, 0x000000007050302, 0x000000705030200, 0x000000705030201, 0x000070503020100,
	0x000000000070504, 0x000000007050400, 0x000000007050401, 0x000000705040100, 0x000000007050402, 0x000000705040200, 0x000000705040201, 0x000070504020100,
	0x000000007050403, 0x000000705040300, 0x000000705040301, 0x000070504030100, 0x000000705040302, 0x000070504030200, 0x000070504030201, 0x007050403020100,
	0x000000000000706, 0x000000000070600, 0x000000000070601, 0x000000007060100, 0x000000000070602, 0x000000007060200, 0x000000007060201, 0x000000706020100,
	0x000000000070603, 0x000000007060300, 0x000000007060301, 0x000000706030100, 0x000000007060302, 0x000000706030200, 0x000000706030201, 0x000070603020100,
	0x000000000070604, 0x000000007060400, 0x000000007060401, 0x000000706040100, 0x000000007060402, 0x000000706040200, 0x000000706040201, 0x000070604020100,
	0x000000007060403, 0x000000706040300, 0x000000706040301, 0x000070604030100, 0x000000706040302, 0x000070604030200, 0x000070604030201, 0x007060403020100,
	0x000000000070605, 0x000000007060500, 0x000000007060501, 0x000000706050100, 0x000000007060502, 0x000000706050200, 0x000000706050201, 0x000070605020100,
	0x000000007060503, 0x000000706050300, 0x000000706050301, 0x000070605030100, 0x000000706050302, 0x000070605030200, 0x000070605030201, 0x007060503020100,
	0x000000007060504, 0x000000706050400, 0x000000706050401, 0x000070605040100, 0x000000706050402, 0x000070605040200, 0x000070605040201, 0x007060504020100,
	0x000000706050403, 0x000070605040300, 0x000070605040301, 0x007060504030100, 0x000070605040302, 0x007060504030200, 0x007060504030201, 0x706050403020100,
};

/* Eight bits a step, through a table, with no branch that depends on the data: a loop over the bits, whose length no predictor
 * guesses, makes the whole index 1.3 times slower (tests/bench/bench_scan.c). */
static inline uint32_t *append_positions(uint32_t *out, uint64_t bits, uint32_t base)
{
	__m256i offset = _mm256_set1_epi32((int)base);
	const __m256i eight = _mm256_set1_epi32(8);
	for (int i = 0; i < 8; i++, bits >>= 8) {
		__m128i bytes = _mm_cvtsi64_si128((long long)scan_positions[bits & 255]);
		_mm256_storeu_si256((__m256i *)(void *)out, _mm256_add_epi32(_mm256_cvtepu8_epi32(bytes), offset));
		out += _mm_popcnt_u64(bits & 255);
		offset = _mm256_add_epi32(offset, eight);
	}
	return out;
}

/* UTF-8 by three table look-ups a byte (Keiser and Lemire, "Validating UTF-8 in less than one instruction per byte", 2020): the high
 * and low nibble of the byte before and the high nibble of the byte itself each name the faults they allow; a fault that all three
 * allow is one. A bit a fault: */
enum {
	TOO_SHORT = 1,      /* a lead byte without a continuation */
	TOO_LONG = 2,       /* a continuation behind an ASCII byte */
	OVERLONG_3 = 4,     /* e0 before 80..9f */
	TOO_LARGE = 8,      /* f4 before 90.., f5.. */
	SURROGATE = 16,     /* ed before a0.. */
	OVERLONG_2 = 32,    /* c0, c1 */
	OVERLONG_4 = 64,    /* f0 before 80..8f; with TOO_LARGE's bit apart, f5.. before 80..8f */
	TWO_CONTS = 128,    /* two continuations: right only as third or fourth byte of a sequence */
	CARRY = TOO_SHORT | TOO_LONG | TWO_CONTS,
};

static inline __m256i table16(char a, char b, char c, char d, char e, char f, char g, char h, char i, char j, char k, char l, char m, char n, char o, char p)
{
	return _mm256_broadcastsi128_si256(_mm_setr_epi8(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p));
}

static inline __m256i high_nibble(__m256i v)
{
	return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15));
}

static inline __m256i utf8_faults(__m256i before3, __m256i before2, __m256i before1, __m256i now)
{
	const char L = TOO_LONG, C = (char)TWO_CONTS, S = TOO_SHORT, K = (char)CARRY;
	const __m256i first_high = table16(L, L, L, L, L, L, L, L, C, C, C, C, S | OVERLONG_2, S, S | OVERLONG_3 | SURROGATE,
	                                   S | TOO_LARGE | OVERLONG_4);
	const char big = (char)(CARRY | TOO_LARGE | OVERLONG_4);
	const __m256i first_low = table16(K | OVERLONG_3 | OVERLONG_2 | OVERLONG_4, K | OVERLONG_2, K, K, K | TOO_LARGE, big, big, big, big, big, big, big, big,
	                                  (char)(big | SURROGATE), big, big);
	const __m256i second_high = table16(S, S, S, S, S, S, S, S, L | OVERLONG_2 | C | OVERLONG_3 | OVERLONG_4, L | OVERLONG_2 | C | OVERLONG_3 | TOO_LARGE,
	                                    L | OVERLONG_2 | C | SURROGATE | TOO_LARGE, L | OVERLONG_2 | C | SURROGATE | TOO_LARGE, S, S, S, S);
	__m256i special = _mm256_and_si256(_mm256_and_si256(_mm256_shuffle_epi8(first_high, high_nibble(before1)),
	                                                    _mm256_shuffle_epi8(first_low, _mm256_and_si256(before1, _mm256_set1_epi8(15)))),
	                                   _mm256_shuffle_epi8(second_high, high_nibble(now)));
	/* Where the byte must be a third or fourth one, two continuations are right, and anything else is not. */
	__m256i third = _mm256_subs_epu8(before2, _mm256_set1_epi8((char)(0xe0 - 0x80)));
	__m256i fourth = _mm256_subs_epu8(before3, _mm256_set1_epi8((char)(0xf0 - 0x80)));
	__m256i must = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
	return _mm256_xor_si256(must, special);
}

/* `text` lies in a scanned region, so at least its newline and SCAN_PADDING bytes can be read behind it; before it nothing can. */
static inline bool utf8_valid(const char *text, size_t length)
{
	char edge[64] = { 0 };
	__m256i faults = _mm256_setzero_si256(), last = _mm256_setzero_si256();
	for (size_t at = 0; at <= length; at += 32) {
		const char *from = text + at;
		if (length - at < 32) { /* the last bytes, then zeros, so that a sequence cut at the end shows */
			memcpy(edge, from, length - at);
			from = edge;
		}
		__m256i now = _mm256_loadu_si256((const __m256i *)(const void *)from);
		__m256i joint = _mm256_permute2x128_si256(last, now, 0x21);
		__m256i before1 = _mm256_alignr_epi8(now, joint, 15), before2 = _mm256_alignr_epi8(now, joint, 14), before3 = _mm256_alignr_epi8(now, joint, 13);
		faults = _mm256_or_si256(faults, utf8_faults(before3, before2, before1, now));
		last = now;
	}
	return _mm256_testz_si256(faults, faults);
}

#define KERNEL_LINE scan_line_avx2
size_t scan_line_avx2(struct scan *, const char *, const char *);
#include "envelope/scan_index.h"

const struct scan_kernel scan_kernel_avx2 = { "avx2", scan_line_avx2 };
