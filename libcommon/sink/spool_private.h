/* spool_private - what the files of the spool's writer share: its state, its open segment, its limits, its recovery. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_SPOOL_PRIVATE_H
#define SINK_SPOOL_PRIVATE_H

#include "base/buffer.h"
#include "base/checksum.h"
#include "io/diag.h"
#include "sink/segment.h"
#include "sink/spool.h"

enum {
	SPOOL_REASON_MAX = 200,
	SPOOL_NAME_MAX = 96,          /* a name of ours in the directory: a segment's, with what a temporary file has before it */
	SPOOL_TRAILER_ROOM = 512,     /* what a trailer takes, and some */
	SPOOL_BACKOFF_MIN_MS = 50,
	SPOOL_BACKOFF_MAX_MS = 1000,
	SPOOL_BEHIND_BYTES = 64 * 1024, /* smaller batches are synced where they are full: handing them over costs more than it brings */
};

/*   pending            written            synced
 *   in memory    ->    in the file   ->   on disk, counts.committed      (sync none: committed once written) */
struct spool {
	struct spool_options options;
	char *path;
	int dir_fd, lock_fd;
	struct spool_counts counts;

	struct buffer pending;                    /* whole lines */
	uint64_t pending_lines;
	uint64_t unsynced_bytes, unsynced_lines;  /* written, not yet synced */
	int64_t oldest_line_ms;                   /* when the first line that is not committed came */

	int fd;                                   /* of the open segment, -1 if there is none */
	struct segment segment;
	struct segment_trailer body;              /* of what is written; its checksum is in `checksum` */
	struct checksum *checksum;
	bool name_synced;                         /* the directory was synced since the segment was created */
	int64_t begun_ms;
	int64_t seal_again_ms;                    /* sealing found no room: by the clock, not before this */
	uint64_t next_number;

	uint64_t sealed_bytes, sealed_segments;   /* in the directory, as the last look and what we did since tell */
	int64_t oldest_begun;                     /* of the oldest sealed one; INT64_MAX if there is none */
	struct spool_behind *behind;              /* options.behind: the batch before this one is being synced; NULL until there is one */
	bool full, failed;
	bool room_helps;                          /* what made it full: whether taking segments out can help */
	int64_t retry_ms, backoff_ms;
	int64_t drop_told_ms;                     /* when drop-oldest was last spoken of; INT64_MIN: never */
	bool compress_told;
	char reason[SPOOL_REASON_MAX];
};

/* --- spool_file.c: what each of us does with files --- */

int spool_write_at_end(int fd, struct span bytes, size_t *written); /* 0 or an errno, *written tells how far it came */
bool spool_is_shortage(int error);                /* of a resource that may come back: room, quota, descriptors, memory */
enum diag_exit spool_exit_status(int error);      /* for something that cannot be made or opened */
bool spool_is_plain(int fd);                      /* a plain file of ours with one name; else errno is EPERM */
int spool_subdirectory(int dir_fd, const char *name); /* made (0700) if there is none; -1 with errno */
void spool_temporary_name(char name[SPOOL_NAME_MAX], const char *stem, const char *what); /* one that only the writer uses */
bool spool_is_temporary(const char *name);

/* --- spool_lock.c --- */

/* To write, or only to recover: for that a busy lock is no fault, -1 with *status 0. Otherwise -1 after saying why, with *status. */
enum spool_lock_use { SPOOL_LOCK_WRITE, SPOOL_LOCK_RECOVER };
int spool_lock(int dir_fd, const char *path, enum spool_lock_use, int *status);
void spool_lock_recovered(int fd, uint64_t next_number); /* the holder is the last writer from now on, and this the next segment's number, for: */
uint64_t spool_lock_next(int fd);                   /* 0: not known */
long spool_lock_writer(int dir_fd);                 /* the process that wrote to the spool last; 0: not known */

/* --- spool_segment.c: the open segment. Each answers FULL for a shortage, FAILED (and the spool has failed) for any other error --- */

enum spool_result spool_segment_create(struct spool *);
enum spool_result spool_segment_write(struct spool *, size_t length); /* whole lines at the start of `pending`; FULL: some may be written */
void spool_segment_hurry(const struct spool *);                       /* the disk may begin with what is written; no promise */
enum spool_result spool_segment_sync(struct spool *);                 /* by the policy; all that is written is committed then */
enum spool_result spool_segment_sync_behind(struct spool *);          /* the same by the thread: committed at the next call of any of these */
enum spool_result spool_segment_seal(struct spool *);                 /* FULL: it is still open, and committed */
enum spool_result spool_fail(struct spool *, const char *what, int error);
void spool_set_reason(struct spool *, const char *what, int error);
uint64_t spool_count_lines(struct span bytes);

/* --- spool_behind.c: a batch is synced by a thread while the next one is taken --- */

/* What is written and not synced is synced by the thread, unless there is none: false then. The one before must have been waited for. */
bool spool_behind_start(struct spool *);
/* Until the thread has done: what it has synced is committed. 0 or the errno of its fsync. Nothing is done if it has no job. */
int spool_behind_wait(struct spool *);
uint64_t spool_behind_bytes(const struct spool *); /* of the job that was not waited for yet */
void spool_behind_free(struct spool_behind *);

/* --- spool_compress.c --- */

/* From the sealed text in `from` to a compressed file of this name, on disk when it returns 0; else an errno. */
int spool_compress_file(int dir_fd, int from, const char *name);

/* --- spool_limits.c --- */

int spool_limits_count(struct spool *);           /* looks through the directory: 0 or an errno */
bool spool_limits_drop(struct spool *);           /* drop-oldest: true if room was made */
/* How many bytes at the start of `pending`, of the `length` wished, the limits let in now, as whole lines; 0 with `reason` set. */
size_t spool_limits_room(struct spool *, size_t length);

/* --- spool_recover.c --- */

struct spool_recovered {
	uint64_t records, pieces, pieces_bytes;
};
/* Seals what a crash has left open. The lock is held. False after saying why, with *status. What was found is said. */
bool spool_recover(int dir_fd, const char *path, struct spool_recovered *, int *status);

#endif
