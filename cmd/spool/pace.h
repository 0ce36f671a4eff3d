/* pace - when an envelope is due, if a stream is to go by at the pace at which it was stamped. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SPOOL_PACE_H
#define SPOOL_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	double speed;          /* times real time; 0: no pauses at all */
	int64_t max_gap_ns;    /* longest pause */
	bool begun;
	int64_t latest;        /* the latest stamp so far */
	int64_t due_ns;        /* CLOCK_MONOTONIC of the envelope with that stamp */
};

/* CLOCK_MONOTONIC at which an envelope with this stamp is due. Pauses add up from the first one, so being late at one is made good at the next;
 * an envelope that is stamped before one that has gone by is due at once. */
int64_t pace_due(struct pace *, int64_t stamp, int64_t now_ns);

#endif
