/* aggregate - folds the metrics of an interval: counters summed, gauges the last, members of sets once, timers packed. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_STATSD_AGGREGATE_H
#define TO_STATSD_AGGREGATE_H

#include "base/table.h"
#include "envelope/metric.h"

/* A context is what differs in type, name, tags, and for a set in its member, for timers in their rate. There is a maximum of contexts
 * and of bytes: when one is reached, everything is to be sent early. */
struct aggregate {
	struct table contexts;
	struct buffer key;
	size_t value_bytes, value_limit; /* of packed timers */
	bool packs_timers;               /* else they cannot be folded */
};

/* What a context amounts to. A timer's value is all its samples, joined by ':'. */
struct aggregate_line {
	enum metric_kind kind;
	struct span head, tail, value, rate; /* borrowed until the next call but aggregate_line */
	uint64_t envelopes;
	char room[NUMBER_FIXED_MAX];
};

enum aggregate_verdict {
	AGGREGATE_TAKEN,
	AGGREGATE_FULL,    /* send what there is, clear, and add again */
	AGGREGATE_NOT,     /* cannot be folded: send it as it is */
};

void aggregate_init(struct aggregate *, size_t limit_contexts, bool packs_timers);
void aggregate_release(struct aggregate *);

/* head: the name, with the tags if they belong to it; tail: tags behind the type; member: of a set, as it is sent. */
enum aggregate_verdict aggregate_add(struct aggregate *, const struct metric *, struct span head, struct span tail, struct span member);

static inline size_t aggregate_count(const struct aggregate *a)
{
	return a->contexts.count;
}
void aggregate_line(const struct aggregate *, size_t i, struct aggregate_line *); /* in order of first arrival */
void aggregate_clear(struct aggregate *);

#endif
