/* spooled - a sink that is a spool, written by the router itself. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_SPOOLED_H
#define ROUTE_SPOOLED_H

#include "sink.h"

/* Lines do not pass through the ring: the spool has its own buffer, and its own policy of when they are on disk. */
struct spooled {
	struct spool *spool;          /* NULL once it has failed */
	struct spool_options options; /* as the routes that are in force want them */
	bool changed;                 /* it was opened with others */
	uint64_t taken;               /* lines it took since it was opened; those it has not committed when it fails are undelivered */
	uint64_t dropped;             /* by drop-oldest, before it was opened anew */
};

bool spooled_open(struct sink *, const struct destination *, const struct sink_settings *, int *status); /* false: it was said why */
void spooled_free(struct spooled *);                /* without a commit, if spooled_close was not called */

bool spooled_put(struct sink *, struct span line);  /* false: it is full, and is to be waited for */
void spooled_write(struct sink *);                  /* to the kernel, before the router waits */
bool spooled_waits(struct sink *);                  /* commits; true if it is full, and to be waited for */
int64_t spooled_due_ms(const struct spooled *);     /* when spooled_attend must be called; INT64_MAX */
void spooled_attend(struct sink *);
void spooled_give_up(struct sink *, const char *why);
void spooled_want(struct sink *, const struct destination *); /* the words that stand behind it now; they hold from spooled_reopen on */
bool spooled_reopen(struct sink *);                 /* seals; one that has failed, or whose words are others now, is closed and opened again. False: it cannot be */
void spooled_close(struct sink *);                  /* commits, seals, and says how many lines were not stored */
uint64_t spooled_dropped(const struct spooled *);   /* lines taken out by drop-oldest */

#endif
