/* draw - seeded numbers for metlog-flood: the same everywhere, and any envelope's without those before it. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef FLOOD_DRAW_H
#define FLOOD_DRAW_H

#include <stddef.h>
#include <stdint.h>

/* splitmix64: any state is a good one. */
struct draw {
	uint64_t state;
};

static inline uint64_t draw_next(struct draw *d)
{
	uint64_t z = d->state += UINT64_C(0x9E3779B97F4A7C15);
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* 0 <= result < limit; limit > 0 */
static inline unsigned draw_below(struct draw *d, unsigned limit)
{
	return (unsigned)(((draw_next(d) >> 32) * limit) >> 32);
}

static inline size_t draw_between(struct draw *d, size_t least, size_t most)
{
	return least + (size_t)(draw_next(d) % (most - least + 1));
}

/* A generator of its own for the thing of that number. */
static inline struct draw draw_of(uint64_t seed, uint64_t number)
{
	struct draw outer = { seed * UINT64_C(0xD1342543DE82EF95) + number };
	return (struct draw){ draw_next(&outer) ^ number };
}

#endif
