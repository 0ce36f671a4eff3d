/* spool - a directory of segments that holds envelopes until they are delivered: its one writer. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_SPOOL_H
#define SINK_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include "base/span.h"

/*     struct spool *spool = spool_open("/var/spool/metlog", &options);       recovers what a crash left
 *     spool_append(spool, line) ...                                          once a line
 *     if (spool_commit(spool) == SPOOL_DONE) acknowledge();                  now they are on disk
 *     spool_attend(spool) when spool_due_ms(spool) says so                   commits and seals by the clock
 *     spool_close(spool);
 *
 * What is promised: a line that was appended before a spool_commit that returned SPOOL_DONE survives SIGKILL, and with sync batch or each also
 * the loss of power (as far as the disk keeps what fsync(2) was told). With sync none it survives SIGKILL only.
 * The order in which it does things: data before its trailer's rename, the rename before the directory's fsync, that before "done". An
 * fsync that has failed is never tried again on that file: the spool is SPOOL_FAILED from then on, and recovery at the next open decides.
 * When it is full, the open segment is sealed, so that all it holds can be taken out; what found room before is committed, the rest stays in memory.
 * Recovery keeps every good line, and puts every other byte into quarantine/STEM.N, N being where it stood; it may be killed anywhere and begins again. */
enum spool_sync { SPOOL_SYNC_BATCH, SPOOL_SYNC_EACH, SPOOL_SYNC_NONE };
enum spool_when_full { SPOOL_BLOCK, SPOOL_FAIL, SPOOL_DROP_OLDEST };

struct spool_options {
	enum spool_sync sync;
	uint64_t sync_bytes;          /* batch: a commit is due after so many bytes, */
	int64_t sync_ms;              /* and so long after the first line that is not committed */
	uint64_t segment_bytes;       /* a segment is sealed once its body is so long, */
	int64_t segment_ms;           /* and so long after its first line; 0: never by age */
	uint64_t limit_bytes;         /* of all segments together (failed/, delivered/ and quarantine/ not counted); 0: none. An empty spool takes
	                               * one line in any case */
	int64_t limit_ms;             /* age of the oldest segment from which on the spool is full; 0: none */
	uint64_t reserve_bytes;       /* of the filesystem: kept free, so that trailers, state and quarantine still find room. Without it a spool left open on a
	                               * full disk cannot be opened (74) until there is room for a trailer */
	enum spool_when_full when_full;
	bool compress;                /* sealed segments are zstd */
	bool behind;                  /* batch: a full batch is synced by a thread while the next one is taken, so that up to two are not committed.
	                               * For who asks spool_uncommitted, and does not take what can be read for committed */
	uint64_t line_limit;
};
extern const struct spool_options spool_defaults;

/* Sets one option by the name it has on command lines and in route files ("sync", "sync-bytes", "sync-interval", "segment-bytes", "segment-age",
 * "max-bytes", "max-age", "reserve", "when-full", "compress"). False: *reason is static text saying what is allowed, or NULL if there is no
 * such name. */
bool spool_option(struct spool_options *, struct span name, struct span value, const char **reason);

enum spool_result {
	SPOOL_DONE,
	SPOOL_FULL,    /* a limit, the reserve or a full disk; nothing of this call was taken. With SPOOL_BLOCK: try again after spool_due_ms.
	                * With SPOOL_FAIL: give up (74) */
	SPOOL_FAILED,  /* an I/O error: nothing more is taken; end with 74 */
};

struct spool;

/* Makes the directory if there is none (0700; its parent must exist), takes the lock, recovers, and counts. Takes under a second and the same memory
 * whatever the backlog. Dies: 73 if another process writes there ("... is being written by process N"), if it is a symbolic link, not ours,
 * or open to others; 74 if recovery meets an I/O error or a full disk. What recovery found is said on standard error, once. */
struct spool *spool_open(const char *path, const struct spool_options *);

/* The same, but it says why and returns NULL with the exit status instead of dying: for who must go on with what it has (a reload). */
struct spool *spool_try_open(const char *path, const struct spool_options *, int *status);

/* Only recovers, if no writer holds the lock: an .open segment that a crash has left is sealed, so that it can be taken out. True if the lock was
 * free. For who takes out. dir_fd as spool_directory gives it. On an error (a full disk) it says why and returns false with the exit status; *status
 * 0: a writer holds the lock. */
bool spool_recover_if_abandoned(int dir_fd, const char *path, int *status);

/* The directory, checked as above; -1 after saying why, with *status the exit status (66 if there is none and !make, 73, 77). */
int spool_directory(const char *path, bool make, int *status);

/* For who takes out, one process at a time: drain.lock's descriptor, locked until it is closed. -1 after saying why, with *status (73 if another
 * process takes out; 74). */
int spool_drain_lock(int dir_fd, const char *path, int *status);

/* fsync or fdatasync, again when it was interrupted: 0 or an errno. That a filesystem cannot sync (a directory) is no failure. */
int spool_sync_fd(int fd, bool data_only);

/* A new directory is a name in its parent, and that must be on disk before anything in it is promised. 0, or an errno. */
int spool_sync_parent(const char *path);

/* One envelope without its newline, at most line_limit long. Kept in memory until sync_bytes are, so SPOOL_DONE is no promise yet; what is appended
 * is written before the process waits (spool_write). sync each: committed when it returns. Commits by itself when sync_bytes are reached. */
enum spool_result spool_append(struct spool *, struct span line);
enum spool_result spool_write(struct spool *);   /* to the kernel: survives SIGKILL, and readers see it; no fsync */
enum spool_result spool_commit(struct spool *);  /* all that was appended is where the sync policy wants it */
enum spool_result spool_seal(struct spool *);    /* commits and seals the open segment, if it holds a line */

/* When spool_attend must be called next, CLOCK_MONOTONIC in ms as socket_clock_ms; INT64_MAX: nothing is due. */
int64_t spool_due_ms(const struct spool *);
enum spool_result spool_attend(struct spool *);

/* Commits and seals; releases the lock and the memory in any case. What was not committed then is lost to this spool: spool_uncommitted, asked
 * before, says how many lines that is after a failure. */
enum spool_result spool_close(struct spool *);

/* Where the next line will stand, once everything is committed: the number of its segment, and what that holds already. */
struct spool_position {
	uint64_t segment, records, bytes;
};
struct spool_position spool_position(const struct spool *);

/* What the last recovery found in a segment that a killed writer had left open: how many lines were kept, and that writer's process id. It stands in
 * the file `recovered`, for whoever must know what became of lines that the writer had not committed yet. False: nothing is known. */
struct spool_recovered_note {
	uint64_t segment, records, pid;
};
bool spool_recovered_note(int dir_fd, struct spool_recovered_note *);
void spool_note(int dir_fd, const struct spool_recovered_note *); /* the same by a writer that ends before it could commit everything */

uint64_t spool_uncommitted(const struct spool *); /* lines appended and not committed */
const char *spool_reason(const struct spool *);   /* why the last result was not SPOOL_DONE: "No space left on device", "limit of 10 GiB reached" */
const char *spool_path(const struct spool *);
int spool_directory_fd(const struct spool *);

struct spool_counts {
	uint64_t appended, committed;                 /* lines */
	uint64_t segments_sealed, syncs;
	uint64_t recovered, quarantined;              /* at the open: lines kept of an unsealed segment; pieces taken out */
	uint64_t dropped_segments, dropped_records;   /* by drop-oldest */
	uint64_t waits;                               /* times it was found full */
	uint64_t bytes, segments;                     /* in the spool now, as far as known */
};
const struct spool_counts *spool_counts(struct spool *);

#endif
