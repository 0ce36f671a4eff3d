/* lines - all groups on their way to another run, as lines sorted by key. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_LINES_H
#define CARDINALITY_LINES_H

#include "filter/filter.h"
#include "groups.h"

/* One thing that is counted: its name, as line.h wants it, and where its groups are. */
struct lines_source {
	struct span of;
	const struct groups *groups;
	size_t index;               /* which of the sketches of each group */
};

/* Writes a line for each group of each source that has a value in it, and for {} in any case, sorted by key over all of them. Dies without memory. */
void lines_write(struct filter *, const struct lines_source *, size_t count);

#endif
