/* pace - a cap on lines or messages per second, kept by an absolute schedule. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_PACE_H
#define IO_PACE_H

#include <stdint.h>

/* The schedule says when the next line is due. Being late builds up credit of PACE_CREDIT_NS at most, so that after a pause no burst follows that
 * would overrun the receiver's socket buffer; being early sleeps for at least PACE_SLEEP_NS at once, so that timers are cheap. */
enum { PACE_CREDIT_NS = 2000000, PACE_SLEEP_NS = 1000000 };

struct pace {
	uint64_t per_second;  /* 0: no cap */
	int64_t due_ns;       /* CLOCK_MONOTONIC */
};

/* Sleeps until `lines` more may go out. */
void pace_wait(struct pace *, uint64_t lines);

int64_t pace_clock(void); /* CLOCK_MONOTONIC in nanoseconds */

#endif
