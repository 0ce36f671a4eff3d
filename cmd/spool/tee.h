/* tee - the second way of what is stored: to standard output, but not before it is committed. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SPOOL_TEE_H
#define SPOOL_TEE_H

#include "base/buffer.h"

struct tee {
	bool open;
	struct buffer waiting; /* lines that are not committed yet: at most a batch, and a line */
	uint64_t lines;        /* in it */
};

void tee_open(struct tee *);
void tee_add(struct tee *, struct span line);

/* Writes out all but the last `uncommitted` lines. A reader that has gone closes the tee, with a warning; any other error does so with a message,
 * and false. */
bool tee_release(struct tee *, uint64_t uncommitted);
void tee_close(struct tee *);

#endif
