/* tally - what one envelope brings: its group and the values that are counted; the step that counts, --map and users by interval share. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_TALLY_H
#define CARDINALITY_TALLY_H

#include "address.h"
#include "batch.h"
#include "group.h"
#include "groups.h"

struct tally {
	const struct cardinality_options *options;
	struct buffer group, scratch;
	char address[ADDRESS_MAX];
	struct batch batch;
};

void tally_init(struct tally *, const struct cardinality_options *);
void tally_release(struct tally *);

/* The envelope's group; the text of its of-th value, false if there is none to count. Both hold until the next call for another envelope or value. Die without memory. */
struct span tally_group(struct tally *, const struct envelope *);
bool tally_value(struct tally *, const struct envelope *, size_t of, struct span *text);

/* groups_add, but dies without memory. */
void tally_add(struct groups *, struct span group, size_t of, uint64_t hash);

/* Counts the values of the envelope from the of-th on. Dies without memory. */
void tally_rest(struct tally *, struct groups *, const struct envelope *, size_t of);

/* Counts all values of the envelope, or holds them back until tally_settle, which stands before everything else that is done with the groups. Die without memory. */
void tally_envelope(struct tally *, struct groups *, const struct envelope *);
void tally_settle(struct tally *, struct groups *);

#endif
