/* groups - the sketches of all groups, below a bound of memory: what has no room is counted together, as "other". */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_GROUPS_H
#define CARDINALITY_GROUPS_H

#include "base/sketch.h"
#include "base/table.h"
#include "options.h"

/* table: group's text -> a cell for each --of.
 * When an addition would pass the bound, a new group's values go to the cells of `other`; a group that must grow and may not is folded into `other`
 * (its sketches merged and given back), and from then on its values go there too. So memory stays below the bound (but for `other` itself), nothing
 * is forgotten, and how many groups are in it is known: groups_lost. */
struct groups_cell {
	struct sketch sketch;
	uint64_t seen;           /* values counted, repeats too; GROUPS_FOLDED in the first cell of a group that was folded */
};

struct groups {
	struct table table;
	size_t of_count;
	uint64_t sketch_memory;          /* bytes that the sketches of groups have */
	size_t folded;                   /* groups folded into other */
	uint64_t memory_limit;           /* of these and the table's own */
	struct groups_cell other[OPTIONS_FIELDS_MAX];
	struct sketch lost;              /* the groups counted as other */
	bool full;                       /* a group had no room: no more are made */
	struct span last_group;          /* found last: most lines are of the group of the line before */
	struct groups_cell *last_cells;
};

/* of_count: at most OPTIONS_FIELDS_MAX. Takes no memory yet. */
void groups_init(struct groups *, size_t of_count, uint64_t memory_limit);
void groups_release(struct groups *);

/* Counts a value of the of-th member in the group; the same for a whole sketch that stands for `seen` values. An empty group's text is `other`. False: no memory at all. */
bool groups_add(struct groups *, struct span group, size_t of, uint64_t hash);
bool groups_merge(struct groups *, struct span group, size_t of, const struct sketch *, uint64_t seen);

size_t groups_last(const struct groups *); /* number of the group of the last addition, which did not go to `other` */

/* Walks: groups by number, 0 <= i < groups_count, in order of arrival. One that is folded has empty sketches and nothing seen. */
size_t groups_count(const struct groups *);
struct span groups_key(const struct groups *, size_t i);
bool groups_is_folded(const struct groups *, size_t i);
const struct sketch *groups_sketch(const struct groups *, size_t i, size_t of);
uint64_t groups_seen(const struct groups *, size_t i, size_t of);

/* Those that have no room. */
bool groups_has_other(const struct groups *);
uint64_t groups_lost(const struct groups *);  /* how many groups are in `other`, as far as they were named: counted by a sketch */
size_t groups_kept(const struct groups *);    /* how many are not */
uint64_t groups_memory(const struct groups *); /* what is held against the bound */

#endif
