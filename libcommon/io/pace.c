/* pace - sleeps on the absolute clock, so that neither rounding nor the time spent in between adds up. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/pace.h"

#include <errno.h>
#include <time.h>

int64_t pace_clock(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void pace_wait(struct pace *p, uint64_t lines)
{
	if (!p->per_second) return;
	int64_t now = pace_clock();
	if (now < p->due_ns) {
		int64_t until = p->due_ns + PACE_SLEEP_NS;
		struct timespec t = { .tv_sec = until / 1000000000, .tv_nsec = until % 1000000000 };
		/* A signal does not end the wait: what was read is sent at the same pace. */
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {}
		now = pace_clock();
	}
	if (p->due_ns < now - PACE_CREDIT_NS) p->due_ns = now - PACE_CREDIT_NS;
	p->due_ns += (int64_t)(lines * 1000000000 / p->per_second);
}
