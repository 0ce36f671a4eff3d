/* checksum - a checksum (XXH3, of 64 or 128 bits) of a stream of bytes, a part at a time. */
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

/* XXH3-128, what `xxhsum -H2` prints: wide enough to name a file by its content. The same state gives both. */
struct checksum_wide { uint64_t high, low; };
enum { CHECKSUM_WIDE_MAX = 33 };      /* 32 hex digits and a NUL */
struct checksum_wide checksum_value_wide(const struct checksum *);
void checksum_print_wide(char out[CHECKSUM_WIDE_MAX], struct checksum_wide);
bool checksum_parse_wide(struct span text, struct checksum_wide *); /* exactly 32 lower-case digits */
static inline bool checksum_equal_wide(struct checksum_wide a, struct checksum_wide b) { return a.high == b.high && a.low == b.low; }

#endif
