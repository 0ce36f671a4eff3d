/* report_top - the most frequent values of a stream, with a small fixed number of counters. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_REPORT_TOP_H
#define CARDINALITY_REPORT_TOP_H

#include "base/buffer.h"
#include "report.h"

/* Space-Saving (Metwally, Agrawal, El Abbadi 2005): a value that has no counter takes over the one with the least count, and inherits that count
 * as its possible error. A value that is more than one in TOP_COUNTERS of all always has one. Values are told apart by 64 bits of their hash.
 * Exact as long as there are at most TOP_COUNTERS different ones. */
enum { TOP_COUNTERS = 128, TOP_TEXT_MAX = 120 };

struct top_counter {
	uint64_t hash, count, over;
	uint8_t length;  /* of the text */
	uint8_t next;    /* the next in its chain, its number + 1; 0: none */
};

/* Owned: counter, text. All zero is an empty one. */
struct top {
	struct top_counter *counter;
	char *text;              /* `stride` bytes for each counter */
	uint64_t least;          /* no counter is below it */
	uint32_t used, capacity, stride, cursor;
	uint8_t head[TOP_COUNTERS]; /* chains by hash */
};

void top_release(struct top *);
size_t top_memory(const struct top *);

/* The counter of a value, for the caller to count on; NULL: it has none, and top_put is needed. */
static inline struct top_counter *top_find(struct top *t, uint64_t hash)
{
	for (unsigned i = t->head[hash % TOP_COUNTERS]; i; i = t->counter[i - 1].next)
		if (t->counter[i - 1].hash == hash) return &t->counter[i - 1];
	return NULL;
}

/* Gives a counter to a value that has none. The text is kept up to TOP_TEXT_MAX bytes; a longer one is cut at a character and ends in an ellipsis. False: no memory. */
bool top_put(struct top *, uint64_t hash, struct span text);

/* Adds what another one counted; where there is no counter left, a value takes over the one with the least count. */
bool top_merge(struct top *into, const struct top *from);

/* The first `most` of them, the largest first, then by text; the texts are borrowed. Returns how many. */
size_t top_finish(struct top *, struct report_top *out, size_t most);

#endif
