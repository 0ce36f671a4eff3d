/* overflow - full=spool: what a command or endpoint does not take in time waits on disk, in order. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_OVERFLOW_H
#define ROUTE_OVERFLOW_H

#include "sink/spool_reader.h"
#include "sink.h"

/*     the ring:   | given out by the spool's reader | in the spool, too | in the ring alone |      the spool:  | done | given out | waits |
 *                  <------------ copied ------------->
 *                  <------------------ appended ----------------------->
 *
 * While the ring finds room and nothing waits in the spool, lines go into the ring as for any route. When it is full, those in it that are in the
 * ring alone are appended to the spool, and from then on (`active`) every new line goes there, and from its reader back into the ring, until nothing
 * waits. A line in the spool is done when the command has read it, that is when the ring forgets it. So what no command has read is in the spool; in
 * the ring alone only as long as that has not been full. */
struct overflow {
	char *path;
	struct spool *spool;          /* NULL: it has failed; lines that find no room are lost */
	struct spool_reader *reader;
	struct spool_options options;
	bool active, closing;         /* closing: nothing is taken back any more */
	bool awaited;                 /* the spool is still in the hands of a sink that is leaving: there is neither spool nor reader */
	bool more;                    /* there was more to take back than one turn takes */
	int64_t looked_ms;            /* when something was taken back last, or was to be */
	size_t copied, appended;      /* bytes from the ring's head on */
	uint64_t unpassed, early;     /* lines appended out of the ring, which the reader has to pass over; those of them that the ring has forgotten already */
	uint64_t given, done;         /* sequence numbers of the spool's lines */
	uint64_t stored, taken_back;  /* lines since the start */
	uint64_t dropped;             /* by drop-oldest, once the spool is closed */
	bool holding;                 /* the line in `held`, of the number given + 1, has found no room yet */
	struct buffer held, wrapped;
};

/* Takes the spool and what is in it. later: another sink holds it; overflow_hand_over will bring it. False: it was said why. */
bool overflow_open(struct sink *, const struct destination *, const struct sink_settings *, bool later, int *status);
void overflow_free(struct overflow *);

bool overflow_put(struct sink *, struct span line);    /* false: the spool is full, too, and is to be waited for */
int64_t overflow_due_ms(const struct sink *);
void overflow_attend(struct sink *);                   /* takes back what finds room; commits by the clock */
void overflow_forget(struct sink *, uint64_t position); /* the ring is about to forget what stands before */
uint64_t overflow_first_direct(const struct sink *);   /* position in the ring from which on lines are in no spool */
void overflow_keep(struct sink *);                     /* the command takes no more: all that is in the ring goes to the spool */
void overflow_refuse(struct sink *);                   /* its spool is full, and is not to be waited for any more: what comes is lost */
void overflow_close(struct sink *);                    /* says how many lines are left there, if any: 75 */
uint64_t overflow_dropped(const struct overflow *);    /* lines taken out of the spool by drop-oldest */
void overflow_hand_over(struct sink *from, struct sink *to);

/* Whether lines wait in the spool that the command is to get before its input may be ended. */
static inline bool overflow_has_more(const struct sink *s)
{
	const struct overflow *o = s->overflow;
	return o && (o->active || o->awaited) && !o->closing && !s->failed;
}

#endif
