/* message_text - the bytes of a message: copied, escaped and numbered into memory that has room, at a few nanoseconds each. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CLIENT_MESSAGE_TEXT_H
#define CLIENT_MESSAGE_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include "base/span.h"

/* Each writes from `at` on, never behind what it returns, and returns the place behind what it wrote. Inline, because most texts of a message have fewer than
 * 16 bytes: a call of memcpy would cost as much as all the rest. */

static inline char *message_copy(char *at, const char *from, size_t length)
{
	char *end = at + length;
	if (length >= 16) {
		for (; length > 16; length -= 16, at += 16, from += 16) memcpy(at, from, 16);
		memcpy(end - 16, from + length - 16, 16); /* the last 16, some of them a second time */
	}
	else if (length >= 8) {
		memcpy(at, from, 8);
		memcpy(end - 8, from + length - 8, 8);
	}
	else if (length >= 4) {
		memcpy(at, from, 4);
		memcpy(end - 4, from + length - 4, 4);
	}
	else
		while (at < end) *at++ = *from++;
	return end;
}

#define MESSAGE_LITERAL(at, literal) (memcpy(at, literal, sizeof(literal) - 1), (at) + sizeof(literal) - 1)

static inline bool message_is_plain(unsigned char c) /* goes out as it is, and alone: no escape, no part of a longer character */
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* A bit (0x80) in each byte that is not plain; those above the first one may be wrong. */
static inline uint64_t message_odd_of_8(uint64_t eight)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t quote = eight ^ ones * '"', backslash = eight ^ ones * '\\';
	return (eight | (eight - ones * 0x20) | (quote - ones) | (backslash - ones)) & ones * 0x80;
}

/* The text with its first odd byte at *text.data + what was written; see message.c. */
char *message_text_odd(char *at, struct span text);

/* The inside of a JSON string. */
static inline char *message_text(char *at, struct span text)
{
	const char *from = text.data;
	size_t left = text.length;
#ifdef __SSE2__
	for (; left >= 16; left -= 16, at += 16, from += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)from);
		/* Signed: bytes from 0x80 on are below 0x20 as well. */
		__m128i odd = _mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(0x20)),
			_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));
		if (_mm_movemask_epi8(odd)) return message_text_odd(at, (struct span){ from, left });
		_mm_storeu_si128((__m128i *)(void *)at, v);
	}
#endif
	uint64_t eight;
	for (; left >= 8; left -= 8, at += 8, from += 8) {
		memcpy(&eight, from, 8);
		if (message_odd_of_8(eight)) return message_text_odd(at, (struct span){ from, left });
		memcpy(at, &eight, 8);
	}
	/* What is left is looked at once: its start and its end, which overlap, or three bytes of which some are the same. */
	if (left >= 4) {
		uint32_t first, last;
		memcpy(&first, from, 4);
		memcpy(&last, from + left - 4, 4);
		if (message_odd_of_8(first | (uint64_t)last << 32)) return message_text_odd(at, (struct span){ from, left });
		memcpy(at, &first, 4);
		memcpy(at + left - 4, &last, 4);
	}
	else if (left) {
		uint64_t first = (unsigned char)from[0], middle = (unsigned char)from[left / 2], last = (unsigned char)from[left - 1];
		if (message_odd_of_8(first | middle << 8 | last << 16 | UINT64_C(0x2020202020000000))) return message_text_odd(at, (struct span){ from, left });
		at[0] = (char)first;
		at[left / 2] = (char)middle;
		at[left - 1] = (char)last;
	}
	return at + left;
}

/* "00" to "99": a load and a store instead of a division. */
extern const char message_pairs[201];

static inline char *message_pair(char *at, unsigned below_100)
{
	memcpy(at, message_pairs + (size_t)2 * below_100, 2);
	return at + 2;
}

static inline char *message_digits_6(char *at, unsigned below_1000000)
{
	at = message_pair(at, below_1000000 / 10000);
	at = message_pair(at, below_1000000 / 100 % 100);
	return message_pair(at, below_1000000 % 100);
}

char *message_uint_long(char *at, uint64_t value);

static inline char *message_uint(char *at, uint64_t value)
{
	if (value >= 1000) return message_uint_long(at, value);
	if (value >= 100) {
		*at = (char)('0' + value / 100);
		return message_pair(at + 1, (unsigned)(value % 100));
	}
	if (value >= 10) return message_pair(at, (unsigned)value);
	*at = (char)('0' + value);
	return at + 1;
}

static inline char *message_int(char *at, int64_t value)
{
	if (value < 0) *at++ = '-';
	return message_uint(at, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

#endif
