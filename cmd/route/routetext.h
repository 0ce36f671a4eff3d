/* routetext - a logical line of a route file: comments taken off, continued lines joined, and where each byte came from. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_ROUTETEXT_H
#define ROUTE_ROUTETEXT_H

#include "base/buffer.h"

/* The physical lines a logical line was made of. */
struct routetext_piece {
	size_t at;            /* offset in `text` of its first byte */
	size_t line;          /* 1-based */
	struct span physical; /* the whole line as it stands in the file */
};

enum { ROUTETEXT_PIECES_MAX = 200, ROUTETEXT_MAX = 256 * 1024 };

struct routetext {
	const char *source;   /* the file, or "-r", for messages */
	struct span left;     /* of the file, not yet read */
	size_t line;          /* number of the line read last */
	struct buffer text;   /* the logical line */
	size_t arrow;         /* offset of "=>" in it; SIZE_MAX if there is none */
	struct routetext_piece piece[ROUTETEXT_PIECES_MAX];
	size_t count;
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
