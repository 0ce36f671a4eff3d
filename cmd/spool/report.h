/* report - how a spool stands, gathered at one time, and shown to people or as an envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SPOOL_REPORT_H
#define SPOOL_REPORT_H

#include <sys/types.h>
#include "base/buffer.h"
#include "tally.h"

struct report {
	const char *path;             /* borrowed */
	int dir_fd;                   /* borrowed */
	int64_t now;
	struct tally spool, failed, delivered, quarantine;
	pid_t writer, drain;          /* 0: none */
	struct buffer waiting;        /* the file drain.json: {"waiting":[{"segment":..,"attempts":..,"status":..,"next_attempt":..,"reason":..},...]};
	                               * empty if there is none, or none that can be read */
	bool verify;                  /* was asked for: */
	uint64_t verified, damaged;
};

bool report_gather(struct report *, const char *path, int dir_fd); /* false with errno */
void report_release(struct report *);

int64_t report_age_ms(const struct report *, int64_t since); /* never below 0, whatever the clock has done */

/* A table of a few lines; one envelope of type metlog.status, with its newline. */
void report_append_text(struct buffer *out, const struct report *);
void report_append_json(struct buffer *out, const struct report *);

#endif
