/* hits - all members of an envelope that a path can mean. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_HITS_H
#define CARDINALITY_HITS_H

#include "edit.h"
#include "envelope/field.h"

struct hit {
	struct value value;
	uint32_t pair, next;   /* entries of the index: where the pair (or element) begins, and the one behind the comma that follows; 0: none does */
	bool element;          /* of an array: it has no key, and cannot be taken out without moving others */
};

struct hits { struct hit *hit; size_t count, capacity; };

void hits_release(struct hits *);

/* Where it stands in the line. */
struct edit_place hit_place(const struct envelope *, const struct hit *);

/* Adds the pair whose key is this entry of the index. */
void hits_add(struct hits *, const struct envelope *, uint32_t key);

/* In the order of the line. Dies without memory. */
void hits_find(struct hits *, const struct envelope *, const struct field_path *);

#endif
