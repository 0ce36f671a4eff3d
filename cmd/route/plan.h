/* plan - legs and sinks for routes that were read: made beside those in force, and put in their place only when all of it is open. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_PLAN_H
#define ROUTE_PLAN_H

#include "router.h"

struct plan {
	struct leg *leg;
	size_t leg_count;
	struct sink **sink;   /* those of the router that go on, and new ones */
	size_t sink_count;
	int status;           /* of a failure, for exit */
};

/* False: something could not be opened, which was said; what had been opened for the plan is closed again. */
bool plan_make(struct plan *, const struct router *, const struct routes *);
bool plan_uses(const struct plan *, const struct sink *);

/* What takes over the spool that this sink, which is leaving, had for full=spool; NULL. */
struct sink *plan_heir(struct sink *const *sink, size_t count, const struct sink *leaving);

#endif
