/* event - the CEF line of an envelope, whichever of the three kinds it is. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_EVENT_H
#define TO_CEF_EVENT_H

#include "legacy.h"
#include "map.h"
#include "record.h"
#include "structured.h"

/* Type cef with a CEF line in the payload, or in fields.logtext: EVENT_FINISHED (legacy.h). Type cef with fields.signature or fields.name: EVENT_STRUCTURED (structured.h).
 * Everything else, of any type: EVENT_MAPPED (map.h). */
enum event_kind { EVENT_FINISHED, EVENT_STRUCTURED, EVENT_MAPPED };
enum event_verdict { EVENT_MADE, EVENT_DROPPED, EVENT_REFUSED };

struct event {
	enum event_kind kind;
	struct span line;      /* EVENT_MADE: without a newline; it and `host` hold until the next event */
	struct span host;      /* that stood in front of a finished line; empty: none */
	const char *rule;      /* EVENT_MAPPED: the event of the map */
	const char *why;       /* EVENT_REFUSED */
};

struct events;             /* opaque */

/* The map: --map's file, NULL for the built-in one. Dies (66, 78) with the place of the mistake if it cannot be used. The options are borrowed. */
struct event_options { const char *map; const struct map_options *mapping; const struct record_rules *rules; };
struct events *events_new(const struct event_options *);
void events_free(struct events *);
enum event_verdict events_make(struct events *, const struct envelope *, struct event *);

/* Reads the map anew. NULL: nothing was wrong, and events_take puts it into its place. Else what was wrong, on one line, and everything stays as it is. */
const char *events_read(struct events *);
void events_take(struct events *);

struct event_tally { uint64_t repaired, cut, truncated, omitted, replaced, trimmed; };
struct event_tally events_tally(const struct events *);

#endif
