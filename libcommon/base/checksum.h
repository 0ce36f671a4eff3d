/* checksum - a 64-bit checksum (XXH3) of a stream of bytes, a part at a time. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include <stdint.h>
#include "base/span.h"

/* XXH3-64 with seed 0: what `xxhsum -H3` prints for the same bytes, however they were cut into parts. */
struct checksum;

struct checksum *checksum_new(void);  /* of no bytes yet; NULL: no memory */
void checksum_free(struct checksum *);
void checksum_reset(struct checksum *);
void checksum_add(struct checksum *, struct span bytes);
uint64_t checksum_value(const struct checksum *); /* of all bytes since the start or the last reset */

uint64_t checksum_of(struct span bytes);

#endif
