/* last - the last so many lines of a stream, kept until it ends. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TAIL_LAST_H
#define TAIL_LAST_H

#include <stdint.h>

#include "base/buffer.h"

/* A ring of owned lines: memory is that of the longest lines each place has held. */
struct last {
	struct buffer *ring;
	size_t size, count, next;   /* next: where the next line goes */
};

void last_init(struct last *, size_t lines);
void last_release(struct last *);
bool last_keep(struct last *, struct span line);  /* true: a line was given up for it (or, with no place at all, it itself) */
bool last_next(struct last *, struct span *line); /* takes the oldest out; false: none left */

#endif
