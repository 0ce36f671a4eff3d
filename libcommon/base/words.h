/* words - a short text as two words, by which it is told from others and hashed. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stdint.h>
#include "base/span.h"

/* The first and the last eight bytes of a text: with its length, all there is of it up to WORDS_BYTES. */
enum { WORDS_BYTES = 16, WORDS_PADDING = 8 /* bytes behind the text that may be read */ };

struct words {
	uint64_t first, last;
};

static inline uint64_t words_load(const void *p)
{
	uint64_t word;
	memcpy(&word, p, sizeof word);
	return word;
}

/* Without a branch: keys have any length. */
static inline struct words words_of(const char *text, size_t length)
{
	static const unsigned char kept[16] = { 255, 255, 255, 255, 255, 255, 255, 255 };
	size_t some = length < 8 ? length : 8;
	uint64_t mask = words_load(kept + 8 - some);
	return (struct words){ words_load(text) & mask, words_load(text + length - some) & mask };
}

/* The best bits are the highest. It is no secret: who can choose texts can make them collide. */
static inline uint64_t words_hash(struct words w, size_t length)
{
	uint64_t hash = w.first * UINT64_C(0x9e3779b97f4a7c15) + (w.last + length) * UINT64_C(0xc2b2ae3d27d4eb4f);
	return (hash ^ hash >> 32) * UINT64_C(0xd6e8feb86659fd93);
}

/* Whether both are of the same text, if that is no longer than WORDS_BYTES and the lengths are equal. */
static inline bool words_equal(struct words a, struct words b)
{
	return ((a.first ^ b.first) | (a.last ^ b.last)) == 0;
}

#endif
