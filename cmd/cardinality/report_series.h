/* report_series - sets of tags as numbers that do not depend on the order of the tags, and from which one tag is taken off or added in a step. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_REPORT_SERIES_H
#define CARDINALITY_REPORT_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of tags is the sum, modulo 2^64, of the mixed hashes of its pairs, begun with the hash of its metric. So {"a":"1","b":"2"} and {"b":"2","a":"1"}
 * are one; without a pair it is the sum less that pair; and sets of several metrics stay different where they are counted together. */
static inline uint64_t series_mix(uint64_t x) /* every bit in depends on every bit out: MurmurHash3's last step */
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccd;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53;
	return x ^ (x >> 33);
}

static inline uint64_t series_pair(uint64_t name_hash, uint64_t value_hash)
{
	return series_mix(name_hash * 0x9e3779b97f4a7c15 + value_hash);
}

/* What is counted of a sum. */
static inline uint64_t series_hash(uint64_t sum)
{
	return series_mix(sum + 0x2545f4914f6cdd1d);
}

/* Things that were there lately: most envelopes bring a set of tags that came a moment ago, and for them nothing is left to count. Forgets; never claims
 * what was not there (but for one in 2^64). */
enum { SERIES_LATELY = 1 << 14 };
struct series_lately { uint64_t hash[SERIES_LATELY]; };

static inline bool series_was_lately(struct series_lately *l, uint64_t hash)
{
	uint64_t *slot = &l->hash[hash >> 50];
	if (*slot == hash) return true;
	*slot = hash;
	return false;
}

/* New series a minute of event time. The series known are kept, exactly up to SERIES_KNOWN_MAX; beyond that a half of the hashes is let go of each time,
 * and what is left stands for twice as many. */
enum { SERIES_KNOWN_MAX = 1 << 17, SERIES_MINUTES = 1 << 12 };

struct series_arrivals {
	uint64_t *known;         /* open addressing; 0 is free */
	size_t capacity, count;
	unsigned level;          /* hashes are kept whose lowest `level` bits are 0 */
	struct series_minute { int64_t minute; uint64_t count; } recent[SERIES_MINUTES]; /* at minute mod SERIES_MINUTES */
	int64_t worst_minute;    /* since 1970 */
	uint64_t worst;          /* 0: none yet */
};

void series_arrivals_release(struct series_arrivals *);

/* A series was seen, in that minute (INT64_MIN: at a time that is not known, so it is none of any minute). False: no memory. */
bool series_arrivals_add(struct series_arrivals *, uint64_t hash, int64_t minute);

#endif
