/* publish - takes sealed files to the store, one by one, and books what becomes of them. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_PUBLISH_H
#define TO_HDFS_PUBLISH_H

#include "filter/filter.h"
#include "staging.h"
#include "store.h"
#include "summary.h"

/*  published, there     removed from the staging; its envelopes are passed
 *  later, stopped, io   stays, and nothing more is tried in this run: 75, 75, 74
 *  denied               the run ends, too: 77
 *  refused, conflict    the next file is tried: 69
 *
 * What is denied, refused or in conflict is kept only if nobody else has it: a stream's. A batch's is removed, for its input is given again; kept, it would
 * come in the way of each later run to the same target. For the same reason what a dead run has left, and is refused, does not make a batch fail. */
struct publish {
	struct filter *filter;
	struct store *store;         /* NULL: a dry run; nothing is published, and all of it booked so */
	struct staging *staging;
	struct summary *summary;
	bool batch;
	bool is_over;                /* no more is published in this run */
	int status;                  /* the worst that happened; booked by publish_keep */
	uint64_t passed;             /* envelopes of this run in files that are published, or were there */
	struct publish_said { char words[1024]; uint64_t more; } said; /* what was refused last, and of how many more files */
	struct progress_task task;
	struct publish_place { uint64_t bytes_before, number, files; } place; /* for the progress line */
};

/* Everything that is sealed, the files of dead runs first. */
void publish_sealed(struct publish *);

/* What is still there stays: synced, listed, and said. Returns the directory where it is, NULL if nothing is left. */
const char *publish_keep(struct publish *);

#endif
