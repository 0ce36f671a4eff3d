/* partition_private - what the two files of the partitions share: open files, known directories. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_PARTITION_PRIVATE_H
#define TO_HDFS_PARTITION_PRIVATE_H

#include "base/table.h"
#include "staging_private.h"

/* A directory that has had a line: the value in `known`. */
struct known {
	uint64_t files;                /* sealed ones of this run */
	struct checksum_wide before;   /* of them all, in their order */
	uint64_t slot;                 /* of the open file, + 1; 0: none is open */
};

/* An open file: its first `written` bytes are in N.ndjson, the rest is in memory. */
struct slot {
	struct slot *newer, *older;    /* by last use */
	char *dir;
	size_t dir_length;
	uint64_t file;                 /* the how manyeth of its directory */
	struct checksum_wide before;
	int number;                    /* 0: nothing of it is on disk yet */
	uint64_t written, bytes, records;
	int64_t begun_ms;
	char *data;                    /* of partitions.buffer_bytes */
	size_t length, hashed;         /* in it; how much of it is in `sum` */
	struct checksum *sum;
	bool is_open, is_watched;      /* a leftover may be what it begins with */
};

struct partitions {
	struct partitions_options options;
	struct staging *staging;
	struct seal *seal;
	struct table known, names;     /* names: of sealed files, with how often; names made from content only */
	struct slot *slots, *newest, *oldest;
	size_t slot_count, open_count; /* slots that were ever used; those that are */
	size_t buffer_bytes;
	uint64_t staged, overflowed, sealed;
	int64_t started_ms;
	int64_t day;                   /* in which `known` was begun */
	int64_t retry_ms;              /* when a leftover that could not be sealed is tried again */
};

/* --- partition.c --- */

int partition_flush(struct partitions *, struct slot *);  /* 0, or an errno */
void partition_hash(struct slot *);                       /* all that is in memory is in `sum` */
/* Seals lines of `dir` under the name that is theirs. */
int partition_seal_lines(struct partitions *, struct seal_lines *, uint64_t file);

/* --- partition_leftover.c --- */

void partition_leftovers_begin(struct partitions *, struct slot *);   /* the file has just been opened */
void partition_leftovers_check(struct partitions *, struct slot *);   /* it has grown by a line */
void partition_leftovers_sealed(struct partitions *, const struct slot *); /* it is sealed: what was not in it by then does not come */
int partition_leftovers_seal(struct partitions *, bool all);          /* those that are due; 0, or an errno: some stay */
int64_t partition_leftovers_due_ms(const struct partitions *, int64_t now_ms);
void partition_leftovers_tick(struct partitions *, int64_t now_ms);   /* those that have waited long enough are due */

#endif
