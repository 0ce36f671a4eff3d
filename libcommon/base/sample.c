/* sample - which messages of a sampled kind are sent: the rule of the original clients, with numbers that a seed can repeat. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/sample.h"

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

void sample_init_seed(struct sample *s, uint64_t seed)
{
	s->state = seed;
}

void sample_init(struct sample *s)
{
	if (getrandom(&s->state, sizeof s->state, GRND_NONBLOCK) == (ssize_t)sizeof s->state) return;
	struct timespec now; /* early in the boot of a machine: better than the same choices everywhere */
	clock_gettime(CLOCK_REALTIME, &now);
	s->state = (uint64_t)now.tv_sec * 1000000007U + (uint64_t)now.tv_nsec + ((uint64_t)getpid() << 32);
}
