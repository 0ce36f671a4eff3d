/* router - routes and their open destinations: who gets an envelope, waiting for slow ones, reloading, the end. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_ROUTER_H
#define ROUTE_ROUTER_H

#include "filter/filter.h"
#include "routefile.h"
#include "sink.h"

/* A route and where it leads. */
struct leg {
	struct route *route;
	struct sink *sink;    /* NULL: drop. Legs to the same file share one */
	uint64_t matched;
	uint64_t refused;     /* dropped because the buffer was full and full=drop */
};

struct router {
	struct filter *filter;
	struct routes routes;
	struct leg *leg;      /* in the order of the routes; the default is the last */
	size_t leg_count;
	struct sink **sink;
	size_t sink_count;
	uint64_t undelivered_before; /* by sinks that are gone since a reload */
	struct sink_settings settings;
	struct buffer detail; /* the counts of the routes, as JSON */
	int64_t grace_ms;     /* how long destinations may take after SIGTERM */
	int64_t deadline_ms;  /* CLOCK_MONOTONIC; 0: none yet */
	bool alone;           /* standard output is the only destination: then this is a filter, and SIGPIPE ends it */
};

/* Opens what the routes name; `routes` is the router's from now on. Dies if something cannot be opened. */
void router_open(struct router *, struct filter *, struct routes *routes, int64_t grace_ms);

void router_take(struct router *, const struct envelope *); /* hands it to every route that matches, and books it */
void router_attend(struct router *);    /* children, restarts, destinations that can take more: called every now and then */
void router_rest(struct router *);      /* writes all that can be written, then waits for input, destinations, children and signals */

/* All new or all old: opens what `routes` needs beyond what is open, reopens files, then lets go of what is not used any more.
 * On failure everything stays as it was, and `routes` is released. */
bool router_reload(struct router *, struct routes *routes);
void router_reopen(struct router *);    /* files anew, under the same names */

void router_drain(struct router *);     /* all is written, the commands end and are reaped; the troubles there were go to filter_fail */
void router_release(struct router *);   /* after filter_close, which asks for the counts */

#endif
