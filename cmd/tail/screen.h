/* screen - output to a terminal that may be slow while the stream that is shown cannot wait. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TAIL_SCREEN_H
#define TAIL_SCREEN_H

#include "base/buffer.h"
#include "io/writer.h"

/* A ZeroMQ subscriber that does not read loses messages without a word. So a live stream is read whatever the terminal does:
 * what it has not taken waits here, up to SCREEN_LIMIT, and beyond that envelopes are skipped and counted. */
struct screen {
	int fd;
	struct buffer waiting;
	uint64_t skipped, skipped_in_all;
	int error;
};

enum { SCREEN_LIMIT = 1024 * 1024, SCREEN_CHUNK = 4096 };

bool screen_open(struct screen *, int terminal);      /* false: this descriptor cannot be had without waiting */
bool screen_put(struct screen *, struct span text);   /* false: no room, skipped */
void screen_drain(struct screen *);                   /* writes what the terminal takes without making us wait */
bool screen_close(struct screen *);                   /* writes the rest, waiting for it; false: it could not be written */
bool screen_is_waiting(const struct screen *);

#endif
