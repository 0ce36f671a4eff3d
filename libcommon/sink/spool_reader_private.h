/* spool_reader_private - what the files of the spool's reader share: the segments in hand, the state, and what each file does. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_SPOOL_READER_PRIVATE_H
#define SINK_SPOOL_READER_PRIVATE_H

#include "envelope/envelope.h"
#include "sink/segment.h"
#include "sink/spool_reader.h"

/* A segment of which lines were given out that are not all done. Sequences are those of the lines: base is that of the line before its first. */
struct spool_reader_held {
	struct segment segment;
	uint64_t base, last;      /* last: once it has ended */
	bool ended;               /* sealed, and read to its end */
	bool damaged;
};

enum { SPOOL_READER_HELD_MAX = 4096, SPOOL_READER_BOOT_MAX = 40 };

struct spool_reader {
	char *path;
	int dir_fd, lock_fd;
	size_t line_limit;

	char id[SPOOL_READER_ID_BYTES];
	char boot[SPOOL_READER_BOOT_MAX]; /* of this run of the kernel; "" if it cannot be known */
	uint64_t done, given, furthest;   /* sequences; furthest: given out before a rewind */
	uint64_t generation;              /* of the state */
	char finished[SEGMENT_STEM_MAX];  /* the last segment that was finished; "" if none */

	struct spool_reader_held *held;   /* in the order of their sequences */
	size_t count, capacity;
	size_t at;                        /* the one that is read; == count: a new one is needed */
	struct segment_reader *file;      /* of held[at]; NULL: not open */
	struct span rest;                 /* of its lines, what was not given out */
	uint64_t to_skip;                 /* of its lines, those that are done */
	bool ready;                       /* `line` is the next one to give out */
	struct span line;
	struct segment_list list;
	bool listing;                     /* `list` has not come to its end */

	struct scan scan;                 /* for lines of damaged segments */
	struct buffer copy;
	int64_t saved_ms;
	bool failed, save_told, strange_told;
	bool closing;
	bool forgotten;                   /* the state was removed for good reason: it is not written again */
};

/* --- spool_reader_state.c: forward.state --- */

struct spool_reader_state {
	char id[SPOOL_READER_ID_BYTES];
	char boot[SPOOL_READER_BOOT_MAX];
	uint64_t done, generation;
	char finished[SEGMENT_STEM_MAX];  /* "": none; its file may still be there */
	char segment[SEGMENT_STEM_MAX];   /* of which `lines` lines are done; "": none */
	uint64_t lines;
	bool clean;                       /* it was closed, and nothing was on its way */
	struct buffer held;               /* stems of the segments behind it that were begun, SEGMENT_STEM_MAX bytes each */
};
enum spool_reader_load { SPOOL_READER_LOADED, SPOOL_READER_NO_STATE, SPOOL_READER_UNREADABLE };

enum spool_reader_load spool_reader_load(int dir_fd, struct spool_reader_state *, const char **reason); /* reason: static text, of UNREADABLE */
bool spool_reader_save(struct spool_reader *);   /* on disk when it returns true; false was said, once in a row */
void spool_reader_forget(struct spool_reader *); /* removes it: the next run begins anew */

/* --- spool_reader_store.c: files of the spool --- */

/* Out of the spool: a damaged one to quarantine/, others are removed by way of delivered/. False after saying why. */
bool spool_reader_put_away(struct spool_reader *, const char *stem, bool damaged);
void spool_reader_clear_delivered(struct spool_reader *, const char *stem); /* what a crash on that way has left */
bool spool_reader_exists(const struct spool_reader *, const struct segment *, enum segment_form);
bool spool_reader_find(const struct spool_reader *, const char *stem, struct segment *); /* false: none of its names is there */

/* --- spool_reader.c --- */

struct spool_reader_held *spool_reader_hold(struct spool_reader *, const struct segment *, uint64_t base); /* behind the others */
void spool_reader_say_damaged(const struct spool_reader *, const struct segment *, const char *reason);

#endif
