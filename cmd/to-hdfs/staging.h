/* staging - what is not published yet, on this machine's disk: a directory a run, which outlives a kill. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_STAGING_H
#define TO_HDFS_STAGING_H

#include <stdint.h>
#include "base/buffer.h"

/*   STAGING/<16 hex of the target>/          0700, ours; one a target, so that two targets never mix
 *       target  lock                         the target's text, for people; flock'ed while a run is made, taken over or removed
 *       run-<time>-<8 hex>-batch/            one a run, or -stream
 *           lock                             flock'ed by the process that has it
 *           N.dir  N.ndjson                  open: where it belongs (JSON); the lines, each whole but perhaps the last
 *           N.item N.data                    sealed: JSON {dir, name, temp, data, bytes, raw_bytes, records, checksum}; the bytes to be published. `data` names
 *                                            them: N.data, or, when nothing is compressed, N.ndjson itself
 *
 *   N.dir --> N.ndjson grows --> N.data --> .N.item is renamed to N.item --> N.ndjson, N.dir unlinked --> published --> N.data, N.item unlinked
 *
 * That rename is what makes a file sealed. One whose data have not `bytes` bytes (a power loss) is none.
 *
 * A run takes over what dead runs have left (their flock is free): sealed files are published as they are - their names come from their content or
 * their segment, so whoever publishes them, and how often, makes no difference. Unsealed ones of a batch (FILE, a regular file on standard input, a segment) are removed: that
 * input is given again by contract. Unsealed ones of a stream (a pipe, a socket) are leftovers, cut to their last whole line, for the next stream: partition.h says how
 * they are dealt with; a batch leaves them where they are. Files of other names are left alone.
 * Nothing is fsynced until it has to be kept: staging_keep. */
struct staging;
struct staging_options {
	const char *dir;             /* --staging; made if it is not there, with its parents */
	const char *target;          /* what tells one target from another: the base's URL, without secrets */
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
	bool stream;                 /* of a run whose input nobody gives again */
	int fd;                      /* open for reading while it is handed out */
};
/* The next sealed file that is not published yet, dead runs' first, then in the order of sealing. NULL: none. One is handed out at a time, and given back by one of the two below. */
struct staging_item *staging_next(struct staging *);
void staging_done(struct staging *, struct staging_item *);   /* published: its files are unlinked. Frees the item */
void staging_put_back(struct staging *, struct staging_item *); /* not this time: it stays on disk, and is not handed out again in this run. Frees the item */
bool staging_keep(struct staging *);         /* what is there is going to stay: fsync of all of it and its directories. False: said (74) */

struct staging_sum { uint64_t files, records, bytes; };
struct staging_sum staging_left(struct staging *, bool adopted); /* sealed files that are still there: those of dead runs, or our own */
uint64_t staging_leftover_count(const struct staging *);          /* leftovers of streams that are neither sealed nor forgotten, those that a batch leaves alone too */

/* Closes: an empty run directory is removed; what is sealed stays; what is not sealed is removed if `batch`, else stays. */
void staging_close(struct staging *);

#endif
