/* summary - what was published, for people and for scripts: a line a file, the sums, HiveQL for the partitions. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_SUMMARY_H
#define TO_HDFS_SUMMARY_H

#include "base/table.h"
#include "ddl.h"
#include "io/writer.h"
#include "staging.h"

enum summary_state { SUMMARY_PUBLISHED, SUMMARY_THERE, SUMMARY_KEPT, SUMMARY_REFUSED, SUMMARY_PLANNED, SUMMARY_STATES };

struct summary_options {
	bool json;                   /* to out_fd, which becomes the summary's own */
	bool plan;                   /* --dry-run: a line a file to out_fd: path, envelopes, bytes, with tabs */
	int out_fd;
	bool for_people;             /* the sums on standard error, at the end */
	const char *where;           /* the base, as struct store has it */
	const char *add_partitions;  /* a file; NULL: none */
	bool add_partitions_to_output; /* it is out_fd */
	const struct ddl *ddl;       /* for that */
};

struct summary {
	struct summary_options options;
	struct writer out;
	struct table dirs;           /* those of published files whose statement is written */
	int dirs_fd, dirs_error;     /* of --add-partitions; the first errno, that was said */
	struct summary_sum { uint64_t files, records, bytes, raw_bytes; } sum[SUMMARY_STATES];
};

void summary_open(struct summary *, const struct summary_options *);          /* dies (73) if the file of add_partitions cannot be had */
/* `reason`: why it is kept or refused; "" if that is not known. */
void summary_file(struct summary *, const struct staging_item *, enum summary_state, const char *reason);
/* Writes what is written at the end; returns 0, or 74 if something could not be written (said). `kept_in`: the staging directory if something is kept, else NULL. */
int summary_close(struct summary *, const char *kept_in);

void summary_append_path(struct buffer *out, const char *where, const char *dir, const char *name); /* the whole path in the store, without scheme and hosts */

#endif
