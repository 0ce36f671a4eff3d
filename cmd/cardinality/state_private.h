/* state_private - what the files of the state share: the list of day files, how one is read. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_STATE_PRIVATE_H
#define CARDINALITY_STATE_PRIVATE_H

#include "base/checksum.h"
#include "io/diag.h"
#include "io/reader.h"
#include "line.h"
#include "state.h"
#include "state_dir.h"

enum { STATE_NAME_MAX = 64, STATE_ENTRIES_MAX = 4096 };

/* A day file that current names. */
struct state_entry {
	int64_t day;
	uint64_t generation, bytes, groups, sum;
};

struct state {
	struct state_dir dir;
	struct buffer of, identity;
	bool has_current;
	int64_t clock;                 /* the latest at which it was written: a clock may have been put back since */
	uint64_t generation;
	int longest, asked;            /* days: kept in mind in current; asked for by this run if that is more */
	struct state_entry *entry;     /* by day */
	size_t count;
};

/* --- state_current.c --- */

void state_entry_name(char name[STATE_NAME_MAX], const struct state_entry *); /* "2026-11-22.17.sketches" */
bool state_entry_parse(const char *name, struct state_entry *);              /* day and generation of such a name; false: it is none */
void state_current_read(struct state *);                                     /* dies */
bool state_current_append(struct buffer *out, const struct state *);         /* as it is to be written. False: no memory */
bool state_current_is(const struct state *, struct span text);               /* whether this is what stands on disk */

/* --- state.c --- */

_Noreturn void state_refuse(const struct state *, const char *name, const char *reason);      /* 78: it is damaged */
_Noreturn void state_die(const struct state *, const char *verb, const char *name, int error); /* 73 or 74 */
int state_open_file(const struct state *, const char *name);  /* to be read: a plain file of ours. -1: errno */

/* --- state_reader.c: a day file, a line at a time, in order and held against its length and checksum. Dies of anything else --- */

struct state_reader {
	const struct state *state;
	const struct state_entry *entry;
	struct reader reader;
	struct checksum *sum;
	struct buffer group, before;   /* before: the group of the line before */
	struct span text;              /* the line last given out; the two below are what it says */
	struct line line;
	struct sketch sketch;
	uint64_t lines;
	bool live;                     /* there is a line */
};
void state_reader_open(struct state_reader *, const struct state *, const struct state_entry *);
bool state_reader_next(struct state_reader *);
void state_reader_close(struct state_reader *);
void state_reader_check(const struct state *, const struct state_entry *); /* the length and the checksum alone */

#endif
