/* report_growth - when the different values came: a count for each of a few buckets of event time, whose width doubles as the time goes on. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_REPORT_GROWTH_H
#define CARDINALITY_REPORT_GROWTH_H

#include "base/sketch.h"
#include "report.h"

/*     width 1 s:  | 0 | 1 | 2 | ... | 31 |        one more second: neighbours are put together, and there is room for as many again
 *     width 2 s:  | 0-1 | 2-3 | ... | 30-31 | 32 |
 *
 * Buckets are numbered from 1970 on (a bucket begins at number x width), so two neighbours always make one of the next width. There is one clock for all;
 * what is counted follows it when it is touched next, not before. */
struct clock {
	int64_t first, last;     /* the earliest and the latest time; first > last: none yet */
	int64_t width;           /* ns */
	int64_t from, to;        /* the numbers of the first and the last bucket in use; to < from: none */
	int64_t bucket;          /* of the envelope at hand; CLOCK_NONE if it has no time */
	unsigned level;          /* how often the width has doubled */
};

#define CLOCK_NONE INT64_MIN

void clock_init(struct clock *);
void clock_set(struct clock *, int64_t time);  /* the envelope at hand is of that time */
static inline void clock_unset(struct clock *c) { c->bucket = CLOCK_NONE; }
size_t clock_buckets(const struct clock *);    /* in use */

/* The different values of one sketch. A value counts in the bucket of the envelope that brought it first; where a bucket is left and come back to
 * after few values (events a little late), those may be counted in the other one of the two. All zero but for `open` (growth_init). */
struct growth {
	int64_t fresh[REPORT_BUCKETS];  /* new values of each bucket, from `from` on */
	int64_t from;                   /* the number of the bucket that fresh[0] is */
	int64_t open;                   /* where the values that came since the last count belong; CLOCK_NONE: not known yet */
	uint64_t counted;               /* values when they were counted last */
	uint32_t added;                 /* additions since */
	unsigned level;                 /* `from` and `open` are numbers of this one */
};

void growth_init(struct growth *);
void growth_turn(struct growth *, const struct clock *, const struct sketch *); /* the other bucket: what growth_touch does where it has something to do */

/* Before a value that may be new is added to the sketch. */
static inline void growth_touch(struct growth *g, const struct clock *c, const struct sketch *s)
{
	g->added++;
	if (c->bucket != CLOCK_NONE && (c->bucket != g->open || c->level != g->level)) growth_turn(g, c, s);
}

/* What `from` counted is counted by `into` from now on. count: the values of into's sketch, of from's, and of both sketches put together. */
void growth_merge(struct growth *into, struct growth *from, const struct clock *, const uint64_t count[3]);

/* Values up to the end of each bucket in use; the last is `count`, that of the sketch. */
void growth_finish(struct growth *, const struct clock *, uint64_t count, uint64_t out[REPORT_BUCKETS]);

/* New values an hour in the last quarter of the buckets, up to the latest time; below 0: fewer than four buckets. */
double growth_per_hour(const struct clock *, const uint64_t values[REPORT_BUCKETS]);

#endif
