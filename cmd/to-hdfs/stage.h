/* stage - an envelope on its way into the staging: its directory, its line, its book. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_STAGE_H
#define TO_HDFS_STAGE_H

#include "layout.h"
#include "options.h"
#include "partition.h"
#include "source.h"

struct stage {
	struct filter *filter;
	struct source *source;
	struct layout *layout;
	struct partitions *partitions; /* NULL: nothing is staged */
	const char *where;             /* the staging directory, for messages */
	struct layout_bounds bounds;
	bool hive;
	bool failed;                   /* the staging disk takes no more; said, and 74 booked */
	struct buffer dir, line;
	uint64_t late, future, overflowed;
	unsigned since_tick;           /* envelopes of a stream */
	struct progress_task task;     /* compressing */
	bool ends;                     /* all that is open is being sealed */
	uint64_t open_bytes, packed_bytes; /* lines that are not compressed yet, and that were in this task */
};

void stage_init(struct stage *, struct filter *, struct source *, struct layout *, const struct hdfs_options *); /* `partitions` is set later, if something is to be staged */
bool stage_on_seal(void *context, uint64_t done, uint64_t of); /* for partitions_options; the context is the stage */
void stage_release(struct stage *);

/* The directory and line of an envelope: in s->dir, *line. Dies (70) without memory. */
void stage_place(struct stage *, const struct envelope *, struct span *line);

void stage_take(struct stage *, const struct envelope *); /* stages it: kept, until it is published */
void stage_flush(struct stage *);                         /* before any wait */
void stage_tick(struct stage *);                          /* what is old enough is sealed */
bool stage_seal_all(struct stage *);                      /* false: not all could be; may be tried again. Nothing is said */
void stage_fail(struct stage *);                          /* says errno, and books it */
void stage_give_up(struct stage *);                       /* of a stream: what is in memory only is a reject now, and so in --rejects or said */

#endif
