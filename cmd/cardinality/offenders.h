/* offenders - the values that a rule has changed or dropped most, in little memory. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_OFFENDERS_H
#define CARDINALITY_OFFENDERS_H

#include <stdint.h>
#include "base/span.h"

/* Space-Saving (Metwally et al. 2005) over hashes: a value that is not among those kept takes the place of the rarest, and its count, which `over` tells. */
enum { OFFENDERS_KEPT = 32, OFFENDERS_TEXT = 64 };
struct offenders {
	uint64_t hash[OFFENDERS_KEPT], count[OFFENDERS_KEPT]; /* apart from the texts, for every addition reads all of them */
	struct offender {
		uint64_t count, over;     /* it came at least count - over times, at most count (which is told by offenders_sort) */
		uint32_t length, shown;   /* of the value; of what is kept of it, whole characters */
		char text[OFFENDERS_TEXT];
	} kept[OFFENDERS_KEPT];
	uint32_t used;
};

struct offenders *offenders_new(void); /* dies without memory */
void offenders_free(struct offenders *);
void offenders_add(struct offenders *, struct span value);
void offenders_sort(struct offenders *);  /* the most frequent first */

#endif
