/* show - counts on their way out: a sorted table for people, gauge envelopes for the next program. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_SHOW_H
#define CARDINALITY_SHOW_H

#include "filter/filter.h"
#include "groups.h"
#include "options.h"

static const uint64_t SHOW_UNKNOWN = UINT64_MAX;

/* One count. */
struct show_row {
	struct span of;        /* the name of what was counted, as the inside of a JSON string: show_name, struct line */
	struct span group;     /* group.h; "{}" without --by; empty: the "other" group */
	uint64_t count, seen;  /* seen: SHOW_UNKNOWN where nobody has counted */
	float error;           /* relative standard error; 0: exact */
	int interval_days;     /* 0: none */
};

/* FORMAT_AUTO: a table if standard output is a terminal. As an envelope, a count is a gauge:
 *   {"type":"gauge","timestamp":...,"logger":"metlog-cardinality","severity":6,"payload":"194281","fields":{"name":"cardinality","rate":1,
 *    "of":"fields.ip","key":"3f1c","interval":"1d","seen":899904,"error":0.0081,"tags":{"of":"fields.ip","key":"3f1c","interval":"1d"}},...}
 * with a pair in fields and one in fields.tags for each --by member that the group has; "of" only among several or without --name; "interval" only
 * where there is one, and no "seen" then: a state knows nothing of repeats. The other group has "other":true, and "other" as the value of each --by member. `when` is the timestamp (INT64_MIN: now).
 * Rows are sorted here: the largest count first, then by of, group and interval; the other group last. Writes to filter->out. */
void show_rows(struct filter *, const struct cardinality_options *, struct show_row *, size_t count, int64_t when);

/* The rows of all groups of `groups`, which counts options->of, and of what is together as "other", of which it warns. Without --by there is a row for each --of, be it 0. */
void show_groups(struct filter *, const struct cardinality_options *, const struct groups *, int64_t when);
/* The same with counts known from elsewhere to be exact: groups_count x of_count of them; NULL: those of the sketches. */
void show_exact_groups(struct filter *, const struct cardinality_options *, const struct groups *, const uint64_t *exact, int64_t when);
void show_warn_of_other(const struct cardinality_options *, const struct groups *);

static inline struct span show_name(const struct cardinality_field *field)
{
	return (struct span){ field->label.data + 2, field->label.length - 4 }; /* of ,"NAME": */
}

bool show_is_table(const struct filter *, const struct cardinality_options *);

/* show_table.c: a table as wide as the terminal; if there is none as wide as COLUMNS says, or as it becomes. `order`: numbers of rows. */
void show_table(struct filter *, const struct cardinality_options *, const struct show_row *, const uint32_t *order, size_t count);

#endif
