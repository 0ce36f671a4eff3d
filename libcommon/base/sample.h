/* sample - which messages of a sampled kind are sent: the rule of the original clients, with numbers that a seed can repeat. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_SAMPLE_H
#define BASE_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

/* A splitmix64 generator: any state is a good one. Not for secrets. */
struct sample {
	uint64_t state;
};

void sample_init(struct sample *);                     /* seeded by the kernel */
void sample_init_seed(struct sample *, uint64_t seed); /* the same seed gives the same choices */

static inline uint64_t sample_next(struct sample *s)
{
	uint64_t z = s->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* True if this message is to be sent. A rate of 1 or more always, of 0 or less never; between them, that share of the calls. Inline, because what is not
 * sent is to cost next to nothing. */
static inline bool sample_take(struct sample *s, double rate)
{
	if (rate >= 1) return true;
	return (double)(int64_t)(sample_next(s) >> 11) * 0x1p-53 < rate; /* 53 bits: every double of [0, 1) has the same chance */
}

#endif
