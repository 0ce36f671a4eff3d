/* source - what kind of input it is: a batch, which is given again until it is done, or a stream; its name, and its time. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_SOURCE_H
#define TO_HDFS_SOURCE_H

#include "filter/filter.h"

/* A batch: FILE operands that are regular files, a regular file on standard input, METLOG_SEGMENT (without operands), a name that was given. All else is a stream. */
struct source {
	const struct filter *filter;
	bool batch;
	bool timeless;               /* a batch that has no time of its own: pipes under a name */
	const char *name;            /* the input's stable one; NULL: none */
	int64_t segment_ns;          /* the time in the name of the segment; INT64_MIN: none */
	uint64_t segment_bytes;      /* that the drain says it gives us; 0: not said */
	int operand;                 /* whose time now_ns is */
	int64_t now_ns;
};

/* `name`: --name, or NULL. Dies (78) if METLOG_SEGMENT is no name. Call it behind filter_open, before the first turn. */
void source_open(struct source *, const struct filter *, const char *name);

/* What "now" is for the envelope that was handed out last: of a batch the segment's or file's own time, so that it is the same when it is given again. Cheap. */
int64_t source_now(struct source *);
void source_tick(struct source *); /* of a stream: the clock is read */

/* All of it was read, without an error. */
bool source_is_finished(const struct source *);

#endif
