/* sink - an open destination: the lines waiting for it, its descriptor, and how it has fared. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_SINK_H
#define ROUTE_SINK_H

#include "destination.h"
#include "ring.h"

struct command;   /* of a sink that is a child process: command.h */
struct partition; /* of a sink that is a template: partition.h */
struct spooled;   /* of a sink that is a spool: spooled.h */
struct overflow;  /* of a command or endpoint with full=spool: overflow.h */

struct sink {
	enum destination_kind kind;
	char *name;           /* of the route it was opened for, for messages */
	char *text, *path, *access; /* of its destination */
	int fd;               /* -1: not open, or waiting for its command to be started again */
	struct ring ring;
	size_t block, buffer_bytes; /* written as soon as `block` bytes wait; the buffer= it was opened with */
	bool regular;         /* a write never makes us wait */
	bool stuck;           /* the last write would have waited */
	bool failed;          /* for good, or until the next hangup; lines for it are counted as undelivered */
	bool leaving;         /* no route uses it any more */
	bool apart;           /* sink_put is not for it: it has a partition, or an overflow */
	uint64_t undelivered; /* lines that were for it and are lost */
	int status;           /* what its troubles make of the exit status; 0 */
	struct command *command;
	struct partition *partition;
	struct spooled *spooled;
	struct overflow *overflow;
};

struct sink_settings {
	size_t line_limit;    /* the longest line there can be */
	bool unbuffered;
	int64_t grace_ms;     /* how long a draining endpoint may go without progress */
	bool overflow_later;  /* the spool of full=spool is still held by a sink that this one follows */
};

/* Makes it and opens it: the file, the command. NULL if that failed, which has been said; *status is then the exit status for it. */
struct sink *sink_open(const struct destination *, const char *name, const struct sink_settings *, int *status);
void sink_free(struct sink *);  /* what it still holds is not written: sink_flush first. A command is not waited for */

/* A plain file of its own, opened by the caller; for the files behind a template. */
void sink_init_file(struct sink *, const char *name, const char *text, int fd, size_t first_bytes, const struct sink_settings *);
void sink_release(struct sink *);
int sink_open_file(int folder_fd, const char *path, bool create); /* for appending; no symbolic link at its end; -1 with errno */

void sink_flush(struct sink *);              /* writes what it can without waiting (a file: all) */
bool sink_put_slowly(struct sink *, struct span line);
void sink_fail(struct sink *, int error);    /* says so, counts what waited as undelivered */
void sink_lose(struct sink *);               /* counts what waits as undelivered and forgets it */
bool sink_waits(const struct sink *);        /* there are lines it has not taken yet */

/* The ring may forget the lines before `position`: a command has read them. */
void sink_forget(struct sink *, uint64_t position);

int64_t sink_wakes_ms(const struct sink *);  /* when sink_attend must be called at the latest, CLOCK_MONOTONIC; INT64_MAX */
void sink_attend(struct sink *);             /* what goes by the clock: a spool's commits; lines that are taken back from it */
void sink_finish(struct sink *);             /* the end: files behind a template are closed, spools committed and sealed */

/* The same file anew, after its old self was renamed; a spool is sealed. False, with a message, if it cannot be opened: then the old one stays. */
bool sink_reopen(struct sink *);

/* Adds a line for it. False: its buffer is full; nothing was added. */
static inline bool sink_put(struct sink *s, struct span line)
{
	if (!ring_has_room(&s->ring, line.length)) return sink_put_slowly(s, line);
	ring_put(&s->ring, line);
	if (ring_unsent(&s->ring) >= s->block && !s->stuck) sink_flush(s);
	return true;
}

#endif
