/* cef_text - copies text many bytes at a time, as far as it stands in CEF as it is. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_CEF_TEXT_H
#define TO_CEF_CEF_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Controls (a TAB, too), DEL and the backslash have to be looked at; in a value also '=', in a header '|' and what can begin a C1 control or a line end of Unicode. */
enum cef_place { CEF_IN_VALUE, CEF_IN_HEADER };

/* cef_copy_plain: how many bytes from p on need not be looked at, copied to `at`, where there is room for all of the length. Nothing outside of [p, p + length) is read.
 * What stands behind them needs to be looked at for CEF_LOOK_MAX bytes at most before the next call.
 * cef_skip_plain: the same, without a copy; what it stops at need not be anything. */

#ifdef __SSE2__

enum { CEF_LOOK_MAX = 1 };

/* Bit i: byte i has to be looked at. */
static inline unsigned cef_marks(__m128i v, enum cef_place place)
{
	__m128i marks = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
	marks = _mm_or_si128(marks, _mm_cmpeq_epi8(v, _mm_set1_epi8(place == CEF_IN_VALUE ? '=' : '|')));
	marks = _mm_or_si128(marks, _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')), _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f))));
	if (place == CEF_IN_HEADER) marks = _mm_or_si128(marks, _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8((char)0xc2)), _mm_cmpeq_epi8(v, _mm_set1_epi8((char)0xe2))));
	return (unsigned)_mm_movemask_epi8(marks);
}

/* Both ends of 4 to 15 bytes fill a register, and overlap. With the steps by 16 bytes below it takes 780 instructions to put the values of an envelope, where steps by words took 1300 (callgrind,
 * 20,000 lines of tests/bench/corpus). */
static inline size_t cef_copy_short(char *at, const char *p, size_t length, enum cef_place place)
{
	unsigned marks;
	size_t half;
	if (length >= 8) {
		__m128i first = _mm_loadl_epi64((const __m128i *)(const void *)p), last = _mm_loadl_epi64((const __m128i *)(const void *)(p + length - 8));
		_mm_storel_epi64((__m128i *)(void *)at, first);
		_mm_storel_epi64((__m128i *)(void *)(at + length - 8), last);
		marks = cef_marks(_mm_unpacklo_epi64(first, last), place);
		half = 8;
	} else if (length >= 4) {
		int first, last;
		memcpy(&first, p, 4);
		memcpy(&last, p + length - 4, 4);
		memcpy(at, &first, 4);
		memcpy(at + length - 4, &last, 4);
		marks = cef_marks(_mm_unpacklo_epi32(_mm_cvtsi32_si128(first), _mm_cvtsi32_si128(last)), place) & 0xff;
		half = 4;
	} else if (length) {
		const unsigned middle = (unsigned)(length / 2), last = (unsigned)(length - 1);
		unsigned text = (unsigned char)p[0] | (unsigned)(unsigned char)p[middle] << 8 | (unsigned)(unsigned char)p[last] << 16;
		at[0] = p[0], at[middle] = p[middle], at[last] = p[last];
		marks = cef_marks(_mm_cvtsi32_si128((int)text), place) & 7;
		return marks == 0 ? length : marks & 1 ? 0 : marks & 2 ? middle : last;
	} else {
		return 0;
	}
	if (__builtin_expect(marks == 0, 1)) return length;
	size_t i = (size_t)__builtin_ctz(marks);
	return i < half ? i : length - 2 * half + i;
}

__attribute__((always_inline)) static inline size_t cef_copy_plain(char *at, const char *p, size_t length, enum cef_place place)
{
	if (length < 16) return cef_copy_short(at, p, length, place);
	for (size_t i = 0;; i = length - i < 32 ? length - 16 : i + 16) { /* the last bytes: of some of them it is known */
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		unsigned marks = cef_marks(v, place);
		_mm_storeu_si128((__m128i *)(void *)(at + i), v);
		if (__builtin_expect(marks != 0, 0)) return i + (size_t)__builtin_ctz(marks);
		if (i + 16 == length) return length;
	}
}

static inline const char *cef_skip_plain(const char *p, const char *end, enum cef_place place)
{
	for (; end - p >= 16; p += 16) {
		unsigned marks = cef_marks(_mm_loadu_si128((const __m128i *)(const void *)p), place);
		if (marks) return p + __builtin_ctz(marks);
	}
	return p;
}

#else

enum { CEF_LOOK_MAX = 8 };

/* Eight bytes none of which has to be looked at. */
static inline bool cef_is_plain_word(uint64_t word, enum cef_place place)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t mark = word ^ ones * (place == CEF_IN_VALUE ? '=' : '|'), backslash = word ^ ones * '\\', delete = word ^ ones * 0x7f;
	uint64_t found = ((word - ones * 0x20) & ~word) | ((mark - ones) & ~mark) | ((backslash - ones) & ~backslash) | ((delete - ones) & ~delete);
	if (place == CEF_IN_HEADER) {
		const uint64_t c1 = word ^ ones * 0xc2, line = word ^ ones * 0xe2;
		found |= ((c1 - ones) & ~c1) | ((line - ones) & ~line);
	}
	return !(found & ones * 0x80);
}

/* By words: all of it mostly, else not more than seven bytes short of what has to be looked at. */
__attribute__((always_inline)) static inline size_t cef_copy_plain(char *at, const char *p, size_t length, enum cef_place place)
{
	uint64_t word;
	size_t i = 0;
	for (; length - i >= 8; i += 8) {
		memcpy(&word, p + i, 8);
		if (!cef_is_plain_word(word, place)) return i;
		memcpy(at + i, &word, 8);
	}
	if (i == length) return i;
	if (length >= 8) { /* the last eight bytes: of some of them that was said before */
		memcpy(&word, p + length - 8, 8);
		if (!cef_is_plain_word(word, place)) return i;
		memcpy(at + length - 8, &word, 8);
		return length;
	}
	uint32_t first, last;
	if (length < 4) return 0;
	memcpy(&first, p, 4);
	memcpy(&last, p + length - 4, 4);
	if (!cef_is_plain_word((uint64_t)first << 32 | last, place)) return 0;
	memcpy(at, &first, 4);
	memcpy(at + length - 4, &last, 4);
	return length;
}

static inline const char *cef_skip_plain(const char *p, const char *end, enum cef_place place)
{
	uint64_t word;
	for (; end - p >= 8; p += 8) {
		memcpy(&word, p, 8);
		if (!cef_is_plain_word(word, place)) break;
	}
	return p;
}

#endif

#endif
