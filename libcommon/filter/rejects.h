/* rejects - lines that are no envelopes: reported, counted, and kept as envelopes of type metlog.reject. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef FILTER_REJECTS_H
#define FILTER_REJECTS_H

#include <stdint.h>
#include "base/buffer.h"

struct rejects {
	const char *path;   /* --rejects; NULL: report the first, count the rest */
	int fd;
	bool strict;        /* the first reject is fatal */
	bool fatal;         /* it has come: read no more, finish what was read, exit 65. filter_turn sees to that */
	bool shown;         /* set by a tool that shows rejects itself: the first is not reported once more */
	uint64_t count;
	struct buffer record;
};

struct reject {
	struct span raw;        /* the line as it came */
	uint64_t length;        /* its whole length, if it is over --max-line (of such a line the record holds the start); else 0 */
	const char *reason;     /* static text */
	size_t column;          /* 1-based; 0 if it is about the whole line */
	const char *source;     /* file name, "-", endpoint */
	uint64_t line;          /* 1-based line of the source */
};

void rejects_open(struct rejects *, const char *path, bool strict); /* appends to path, mode 0600; dies (73) if it cannot */
void rejects_reopen(struct rejects *); /* SIGHUP: by its name again, for it may have been rotated; keeps the old file if that fails, and says which */
void rejects_add(struct rejects *, const struct reject *);          /* written at once; dies (74) if it cannot */
int rejects_close(struct rejects *);                                /* says how many; returns 0 or EXIT_REJECTS */

#endif
