/* sink - envelopes in, packets for statsd out: formatting, aggregation, pacing and delivery put together. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_STATSD_SINK_H
#define TO_STATSD_SINK_H

#include "aggregate.h"
#include "batch.h"
#include "delivery.h"
#include "filter/filter.h"
#include "io/pace.h"
#include "prefix.h"
#include "tags.h"

struct sink {
	struct filter *filter;
	struct prefix prefix;
	struct tags tags;
	struct delivery delivery;
	struct pace pace;
	struct batch batch;
	struct aggregate aggregate;
	int64_t interval_ns, next_ns;   /* of the aggregation; 0: none */
	unsigned until_clock;           /* envelopes until the clock is looked at again */
	uint64_t early;                 /* flushes before their time because a limit was reached */
	struct text_map names;
	struct metric metric;
	struct buffer decoded;
	char *key, *member;             /* name and tags; a set's member: as they are sent */
};

/* What the command line says; prefix, tags (style and options) and delivery are initialised already. */
struct sink_options {
	size_t packet_bytes;
	bool one_per_packet;
	uint64_t pace;
	int64_t aggregate_ns;
	size_t contexts;
};

void sink_open(struct sink *, struct filter *, const struct sink_options *);
void sink_take(struct sink *, const struct envelope *);  /* books it, now or when it has been sent */
void sink_flush(struct sink *);                          /* sends what is packed; aggregates stay until their time */
void sink_tick(struct sink *);                           /* sends the aggregates if it is time */
int sink_timeout_ms(const struct sink *);                /* until then; -1: never */
bool sink_is_gone(const struct sink *);
void sink_close(struct sink *);                          /* sends everything, tells the filter of what failed */

#endif
