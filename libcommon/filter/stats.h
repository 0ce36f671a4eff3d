/* stats - the books: every envelope read is exactly one of passed, dropped by a rule, rejected (or kept). */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef FILTER_STATS_H
#define FILTER_STATS_H

#include <stdint.h>
#include "base/buffer.h"

enum { STATS_EXTRA_MAX = 24 };

struct stats {
	uint64_t read, passed, dropped, rejected, kept, bytes;
	struct stats_extra {
		const char *name;       /* static or owned by the tool: "packets", "late", "truncated" */
		uint64_t value;
	} extra[STATS_EXTRA_MAX]; /* a tool's own counts: shown behind the sum, not part of it */
	int extra_count;
	const char *detail_json;  /* more members for fields, already JSON text: "\"routes\":{...}"; NULL if none */
};

uint64_t *stats_extra(struct stats *, const char *name); /* the named count, made on first use */

/* Appends one envelope of type metlog.stats (no newline): fields tool, read, passed, dropped, rejected, ... */
bool stats_append(struct buffer *out, const struct stats *);

/* Appends the members every envelope of ours begins with, from '{' to the comma before the next member: timestamp (now), type, logger (the
 * program), severity, env_version, metlog_pid, metlog_hostname. */
bool stats_append_head(struct buffer *out, const char *type, int severity);

#endif
