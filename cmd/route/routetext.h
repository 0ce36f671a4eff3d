/* routetext - a logical line of a route file: comments taken off, continued lines joined, and where each byte came from. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_ROUTETEXT_H
#define ROUTE_ROUTETEXT_H

#include "base/logical.h"

enum { ROUTETEXT_MAX = 256 * 1024 };

struct routetext {
	const char *source;   /* the file, or "-r", for messages */
	struct logical lines; /* its text is the logical line */
	size_t arrow;         /* offset of "=>" in it; SIZE_MAX if there is none */
	unsigned faults;      /* reported so far */
};

void routetext_init(struct routetext *, const char *source, struct span whole);
void routetext_release(struct routetext *);

/* Reads the next logical line that is not empty; false at the end. What is wrong with its quotes is reported, and the line is not given out.
 * only_destination: the text has no expression, it is all behind "=>". */
bool routetext_next(struct routetext *, bool only_destination);

char *routetext_where(const struct routetext *, size_t offset); /* "FILE:LINE" of that byte; to be freed */

/* "FILE:LINE:COLUMN: reason", the line, and a caret below the byte at `offset` of the text. */
void routetext_fault(struct routetext *, size_t offset, const char *reason);

#endif
