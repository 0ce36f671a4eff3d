/* backoff - how long to wait before the next try: doubling, with jitter, up to a maximum. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_BACKOFF_H
#define SINK_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff {
	int64_t first_ms, most_ms;
	unsigned tries;       /* since the last backoff_reset */
};

/* The next wait: drawn evenly from half to the whole of first_ms * 2^tries, at most most_ms, so that many who failed together do not come back together. */
int64_t backoff_next_ms(struct backoff *);
static inline void backoff_reset(struct backoff *b) { b->tries = 0; }

/* Waits so long, or until signals_stopping_now: false. */
bool backoff_wait(int64_t ms);

#endif
