/* staging - what is not published yet, on this machine's disk: a directory a run, which outlives a kill. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_STAGING_H
#define TO_HDFS_STAGING_H

#include <stdint.h>
#include "base/buffer.h"

/*   STAGING/<16 hex of the target's URL and layout>/       0700, ours; one a target, so that two targets never mix
 *       target                  the URL, for people
 *       run-<time>-<8 hex>/     one a run; flock'ed by it
 *           lock  source        `source`: "batch" or "stream"
 *           N.dir  N.ndjson     open: the directory below the base; the lines, each whole but perhaps the last
 *           N.item N.data       sealed: JSON {dir, name, temp, bytes, raw_bytes, records}; the bytes to be published. N.item is renamed into place last, and is what makes it sealed
 *
 * A run takes over what dead runs have left (their flock is free): sealed files are published as they are - their names come from their content or
 * their segment, so whoever publishes them, and how often, makes no difference. Unsealed ones of a batch (FILE, a regular file on standard input, a segment) are removed: that input is
 * given again by contract. Unsealed ones of a stream (a pipe, a socket) are leftovers, cut to their last whole line: see partition.h.
 * Nothing is fsynced until it has to be kept: staging_keep. */
struct staging;
struct staging_options {
	const char *dir;             /* --staging */
	const char *target;          /* what tells one target from another: the base's URL */
	bool batch;
};

/* Takes over what dead runs left. Dies: 73 (cannot be made, not ours, a link), 74. */
struct staging *staging_open(const struct staging_options *);
const char *staging_path(const struct staging *);  /* of this target: what "kept in ..." names */

/* A sealed file: of this run or of a dead one. */
struct staging_item {
	char *dir, *name, *temp;
	uint64_t bytes, raw_bytes, records;
	int number;                  /* in its run */
	struct staging_run *run;
	bool adopted;                /* a dead run's */
	int fd;                      /* open for reading while it is handed out */
};
/* The next sealed file that is not published yet, dead runs' first, then in the order of sealing. NULL: none. */
struct staging_item *staging_next(struct staging *);
void staging_done(struct staging *, struct staging_item *);   /* published: its files are unlinked */
void staging_put_back(struct staging *, struct staging_item *); /* not this time */
bool staging_keep(struct staging *);         /* what is there is going to stay: fsync of all of it and its directories. False: said (74) */
uint64_t staging_left(const struct staging *, uint64_t *records); /* sealed files that are still there */

/* Files being filled. */
struct staging_open_file { int number, fd; };
bool staging_create(struct staging *, struct span dir, struct staging_open_file *);    /* false: errno */
bool staging_seal(struct staging *, struct staging_open_file *, const char *name, struct span dir, int data_fd_or_minus_1, uint64_t bytes, uint64_t raw_bytes, uint64_t records);
void staging_discard(struct staging *, struct staging_open_file *);

/* Closes: an empty run directory is removed; what is sealed stays; what is not sealed is removed if `batch`, else stays. */
void staging_close(struct staging *);

#endif
