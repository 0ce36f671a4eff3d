/* admitted - the values that each rule of the guard has let in, below a bound of memory. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_ADMITTED_H
#define CARDINALITY_ADMITTED_H

#include "base/table.h"

/* A set for each rule, by the rule's identity; in it the first values there were, each with its place among those of its group. A rule without "per" has one group.
 * Groups beyond ADMITTED_GROUPS_MAX share one more. Values longer than ADMITTED_TEXT_MAX bytes are kept as their XXH3-128. Sets are never given up: a rule that is
 * taken out of its file and put in again goes on with what it had. */
enum { ADMITTED_GROUPS_MAX = 10000, ADMITTED_TEXT_MAX = 256 };

/* A value, or a group, as it is kept: text, or the hash of one. */
enum admitted_kind { ADMITTED_TEXT, ADMITTED_HASH, ADMITTED_NONE, ADMITTED_SHARED }; /* NONE: a group without a value; SHARED: of those beyond the maximum */
struct admitted_name { enum admitted_kind kind; struct span text; }; /* of a hash: its 32 hex digits */

struct admitted_set {
	char *identity;
	uint32_t number;        /* in the log, from 1; 0: it does not stand there yet */
	struct table values;    /* the group's number (if there are groups) and the name -> uint32_t, the place */
	struct table groups;    /* the name -> struct admitted_group */
	bool has_groups;
};

struct admitted {
	struct admitted_set **set;
	size_t count;
	uint64_t memory, memory_limit;
	uint64_t starved;       /* values that were not let in for want of memory */
	struct checksum *checksum;
	struct buffer key, group;
	/* Writes down what is about to be let in: 0, or the errno with which it failed. NULL: nothing is written. */
	int (*remember)(void *context, struct admitted_set *, const struct admitted_name *group, const struct admitted_name *value);
	void *remember_context;
	int error;              /* of remember, when it failed */
};

void admitted_init(struct admitted *, uint64_t memory_limit_bytes);
void admitted_release(struct admitted *);

/* The set of the rule, made if there is none. */
struct admitted_set *admitted_find(struct admitted *, struct span identity, bool has_groups);

/* Whether the value is among the first `limit` of its group; it is let in if there is room. `group`: of kind ADMITTED_TEXT or ADMITTED_NONE; NULL: the set has none.
 * ADMITTED_FAILED: it would have been, but could not be remembered. */
enum admitted_verdict { ADMITTED_YES, ADMITTED_NO, ADMITTED_FAILED };
enum admitted_verdict admitted_ask(struct admitted *, struct admitted_set *, const struct admitted_name *group, struct span value, uint32_t limit);

/* Puts back what was remembered. False: it is there already, or there is no room for it. */
bool admitted_restore(struct admitted *, struct admitted_set *, const struct admitted_name *group, const struct admitted_name *value);

#endif
