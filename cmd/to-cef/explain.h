/* explain - for people who try a map out: what an envelope was taken for, and what was changed to make a line of it. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_EXPLAIN_H
#define TO_CEF_EXPLAIN_H

#include "event.h"
#include "filter/filter.h"

/* Writes a line that begins with '#' to the filter's output; an event's own line, if there is one, comes behind it:
 *     # auth.ndjson:3: event refused-login; cut 1, omitted 2
 *     # auth.ndjson:4: dropped by the map
 *     # auth.ndjson:5: refused: src: not an IPv4 address */
void explain_event(struct filter *, enum event_verdict, const struct event *, const struct event_tally *before, const struct event_tally *after);

#endif
