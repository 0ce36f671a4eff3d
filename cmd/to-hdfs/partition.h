/* partition - the open partitions: which file a line goes to, when a file is full, what it is called. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_PARTITION_H
#define TO_HDFS_PARTITION_H

#include "staging.h"

/* Where the cuts are must be a function of the input alone, so that the same input makes the same files:
 *   - a file is sealed when the next line would bring it over rotate_bytes (of lines, before compression); when it is the least recently used of open_limit + 1; and at the end
 *   - by age (rotate_ms, on the wall clock, whether or not lines come) only in a stream
 * Its name: SEGMENT-N for METLOG_SEGMENT or --name (N counts a directory's files from 1), else the 32 hex digits of the XXH3-128 of its lines, as xxhsum -H2 prints it; when
 * a directory gets the same lines once more in a run, -2 stands behind it, and so on: they are other envelopes. The extension: .ndjson, .ndjson.gz, .ndjson.zst.
 *
 * A stream's leftover (an unsealed file of a run that was killed) either comes again or does not: somebody may feed the same input anew, or the stream may just go on. It
 * is a prefix of what this directory's next file would be, if it comes again. So: when a file of the same directory has just as many bytes and the same
 * checksum as the leftover, the leftover is forgotten; when it has passed that length without, or is sealed before, the leftover is sealed as a file of its own.
 * Which file of the directory that is, the leftover knows: it was the directory's Nth in its run, behind files of a certain content, and is held against such a one only.
 * One that no such file comes for is sealed when it has waited rotate_ms, or at the end. */

enum partitions_pack { PACK_NONE, PACK_GZIP, PACK_ZSTD };

struct partitions_options {
	uint64_t rotate_bytes;       /* of lines, before compression */
	int64_t rotate_ms;           /* below 0: never. Only in a stream */
	size_t open_limit;           /* partitions with an open file; at least 1 */
	size_t partition_limit;      /* different directories in a run (in a stream: in a day of the clock); what would make one more goes to "_overflow" */
	enum partitions_pack pack;
	int level;                   /* 0: the library's own default */
	const char *segment;         /* the input's stable name, a part of a file's name; NULL: names are made from the content */
	const char *before, *after;  /* what the last component of --layout has around {name}: BEFORE NAME AFTER.ndjson; NULL or "": nothing */
	bool batch;
	bool (*on_seal)(void *context, uint64_t done, uint64_t of); /* now and then while a file is compressed: bytes of its lines. False: give up, with ECANCELED. NULL: nobody asks */
	void *context;
};

struct partitions;
struct partitions *partitions_new(const struct partitions_options *, struct staging *);
void partitions_free(struct partitions *);                   /* nothing is sealed: staging_close removes open files or leaves them */

/* Stages one line (a newline is added). False: the staging disk took no more (errno; the line is not staged, what was before is whole), or `dir` is no
 * relative path in UTF-8 of plain components (EINVAL). It may be tried again. */
bool partitions_append(struct partitions *, struct span dir, struct span line);
bool partitions_flush(struct partitions *);                  /* what is in memory goes to the staging files: before any wait */
int64_t partitions_due_ms(const struct partitions *);        /* how long until a file is old enough; below 0: none is waiting */
bool partitions_tick(struct partitions *);                   /* seals the ones that are */
bool partitions_seal_all(struct partitions *);               /* the end of the input. False: errno; what could be sealed is, the rest may be tried again */
/* Hands out the lines that are in memory only (of a stream whose staging disk takes no more), without their newlines, and forgets them: they are staged no more. */
void partitions_unstage(struct partitions *, void (*take)(void *context, struct span line), void *context);
uint64_t partitions_staged(const struct partitions *);       /* envelopes that are in open files */
uint64_t partitions_overflowed(const struct partitions *);   /* envelopes that went to "_overflow" */

#endif
