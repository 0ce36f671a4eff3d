/* report_metric - what the report keeps of each metric and of each member of its fields, below a bound of memory. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_REPORT_METRIC_H
#define CARDINALITY_REPORT_METRIC_H

#include "base/sketch.h"
#include "base/table.h"
#include "report_growth.h"
#include "report_series.h"
#include "report_top.h"

enum {
	METRIC_MEMBERS_MAX = 256,  /* of one metric; what comes beyond is counted together in one more, named "other" */
	METRIC_NAME_MAX = 512,     /* longer names are hashed wholly, and kept cut */
};

/* Where a member stands: two of one name in two places are two. */
enum member_place { PLACE_FIELDS, PLACE_TAGS, PLACE_OPTION, PLACE_REST };

/* A member of the fields of a metric. Owned: name. */
struct member {
	struct span name;        /* as it is shown: in fields.tags "tags." is put before its key */
	uint64_t name_hash;      /* of the place and the whole key */
	enum member_place place;
	bool is_tag;
	bool is_skipped;         /* --tags names it: it is counted there */
	bool is_folded;          /* had no room: it is counted in the metric `other` */
	bool is_of_other;        /* is one of `other` */
	uint64_t seen;
	struct sketch values, series; /* series: of the metric without it, if it is a tag; else with it */
	struct growth growth;    /* of values */
	struct top top;
	uint64_t envelope;       /* the number of the envelope that had it last; and there, which of its members it is: */
	size_t slot;
	struct member *next;     /* the one that followed it last: most envelopes of a metric have the same members in the same order */
};

/* Owned: type, name, member. */
struct metric {
	struct span type, name;
	uint64_t hash;           /* of type and name */
	bool is_folded;          /* had no room: all of it is in `other`, and nothing is left here but its names */
	bool has_sets;           /* an envelope had a tag: members' series are counted; before, they are their values (and one more where a member is not there) */
	uint64_t envelopes;
	struct sketch series;
	struct growth growth;    /* of series */
	struct member **member;
	uint16_t *index;         /* open addressing by name_hash: number + 1; 0 is free */
	size_t count, capacity;  /* members; the index has twice the capacity */
	size_t tag_count;
	struct member *first;    /* which member came first in the last envelope */
	struct member *rest;     /* what there are too many of; NULL: none */
};

struct metrics {
	const struct cardinality_options *options;
	struct table table;      /* type and name -> struct metric * */
	struct metric **metric;
	size_t count, capacity;
	struct metric *other;    /* those for which there is no room, counted together; NULL: none */
	struct sketch folded;    /* which those were */
	uint64_t memory;         /* bytes taken */
	bool is_full;            /* a metric or a member had no room: no more are made */
	struct clock clock;
	struct buffer key, scratch;
};

void metrics_init(struct metrics *, const struct cardinality_options *);
void metrics_release(struct metrics *);

/* The metric of that type and name, made if need be; or `other`. *hash is its own in any case: its series' sums begin with that. Dies without memory at all, as all of
 * these do. */
struct metric *metrics_find(struct metrics *, struct span type, struct span name, uint64_t *hash);

/* The member of the metric, made if need be. `guess`: what may be it, or NULL. Never NULL; may be one of the metric `other`, or the rest. */
struct member *metrics_member(struct metrics *, struct metric *, enum member_place, struct span key, struct member *guess);

bool metrics_has(const struct metric *, enum member_place, struct span key); /* whether the metric has it already */
uint64_t metrics_name_hash(enum member_place, struct span key);              /* member.name_hash of it */

void metrics_count_value(struct metrics *, struct member *, struct span text, uint64_t hash);
void metrics_count_series(struct metrics *, struct metric *, uint64_t hash);
void metrics_count_member_series(struct metrics *, struct member *, uint64_t hash);
void metrics_series_from_values(struct metrics *, struct member *); /* each value it has is a series with it */

/* After each envelope of the metric: what grew beyond the bound is put together with `other`. */
static inline bool metrics_is_full(const struct metrics *m) { return m->memory > m->options->memory_limit; }
void metrics_fold(struct metrics *, struct metric *);

#endif
