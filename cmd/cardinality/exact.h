/* exact - the values themselves, of all groups, as long as memory allows. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_EXACT_H
#define CARDINALITY_EXACT_H

#include "filter/filter.h"
#include "groups.h"
#include "tally.h"

/* Sketches are kept beside the values all along, so that giving up is no more than letting the values go: what was seen before is in the sketches.
 * The bound is that of both together. */
struct exact {
	struct table values;     /* number of the cell (4 bytes) and the value's text; no value behind */
	struct buffer key;
	uint64_t memory_limit;
	bool given_up;
};

void exact_init(struct exact *, uint64_t memory_limit);
void exact_release(struct exact *);

/* Counts all values of the envelope in `groups`, and keeps them while there is room; says so when there is none any more. Dies without memory. */
void exact_envelope(struct exact *, struct tally *, struct groups *, const struct envelope *, const struct filter *);

/* How many there are in each cell, groups_count x of_count numbers for the caller to free; NULL once it has given up. */
uint64_t *exact_counts(const struct exact *, const struct groups *);

#endif
