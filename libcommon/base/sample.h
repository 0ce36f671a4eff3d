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

/* True if this message is to be sent. A rate of 1 or more always, of 0 or less never; between them, that share of the calls. */
bool sample_take(struct sample *, double rate);

#endif
