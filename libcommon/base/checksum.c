/* checksum - the state of XXH3 wants an alignment of 64 bytes, which is all there is to this. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/checksum.h"

#include <stdlib.h>
#define XXH_INLINE_ALL /* as in table.c: no shared library for one function */
#include <xxhash.h>

struct checksum {
	XXH3_state_t state;
};

struct checksum *checksum_new(void)
{
	struct checksum *c = aligned_alloc(_Alignof(struct checksum), sizeof *c); /* malloc's memory is aligned to 16 only */
	if (c) checksum_reset(c);
	return c;
}

void checksum_free(struct checksum *c)
{
	free(c);
}

void checksum_reset(struct checksum *c)
{
	XXH3_INITSTATE(&c->state);
	XXH3_64bits_reset(&c->state);
}

void checksum_add(struct checksum *c, struct span bytes)
{
	if (bytes.length) XXH3_64bits_update(&c->state, bytes.data, bytes.length);
}

uint64_t checksum_value(const struct checksum *c)
{
	return XXH3_64bits_digest(&c->state);
}

uint64_t checksum_of(struct span bytes)
{
	return XXH3_64bits(bytes.length ? bytes.data : "", bytes.length);
}
