/* lookup - finds, in one walk over an envelope, which of many paths it has members for. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_LOOKUP_H
#define CARDINALITY_LOOKUP_H

#include "hits.h"

enum { LOOKUP_BUCKETS = 64, LOOKUP_FOUND_MAX = 64 };

/* What hits_find would find for each path. Most envelopes have a member for few of the paths: one walk over the keys says for which; what is more than a plain member
 * of the envelope or of fields is left to hits_find. */
struct lookup {
	struct lookup_level {
		uint64_t buckets;                 /* those in use */
		uint32_t first[LOOKUP_BUCKETS];   /* number of a name + 1; 0: none */
	} envelope, fields;
	bool members;                         /* a path begins with a member that the view of an envelope has, other than fields */
	struct lookup_name { struct span text; uint32_t path, next; bool plain; } *names;
	uint32_t name_count;
	const struct envelope *of;            /* the envelope walked last */
	struct lookup_found { uint32_t path, key; bool plain; } found[LOOKUP_FOUND_MAX];
	uint32_t found_count;
	uint64_t seen;                        /* bits of the numbers of paths found, modulo 64 */
	bool all;                             /* hits_find is to be asked for every path */
};

void lookup_init(struct lookup *);
void lookup_release(struct lookup *);
void lookup_add(struct lookup *, const struct field_path *, uint32_t number); /* the path is borrowed; dies without memory */

void lookup_walk(struct lookup *, const struct envelope *);

/* False: the envelope walked last has no member for that path. */
static inline bool lookup_has(const struct lookup *l, uint32_t number) { return l->all || (l->seen >> number % 64 & 1); }

/* The hits of that path in the envelope walked last. */
void lookup_hits(const struct lookup *, uint32_t number, const struct field_path *, struct hits *);

#endif
