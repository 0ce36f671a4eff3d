/* sink - an open destination: the lines waiting for it, its descriptor, and how it has fared. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_SINK_H
#define ROUTE_SINK_H

#include "destination.h"
#include "ring.h"

struct command;   /* of a sink that is a child process: command.h */
struct partition; /* of a sink that is a template: partition.h */

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
	uint64_t undelivered; /* lines that were for it and are lost */
	int status;           /* what its troubles make of the exit status; 0 */
	struct command *command;
	struct partition *partition;
};

struct sink_settings {
	size_t line_limit;    /* the longest line there can be */
	bool unbuffered;
	int64_t grace_ms;     /* how long a draining endpoint may go without progress */
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

/* The same file anew, after its old self was renamed. False, with a message, if it cannot be opened: then the old one stays. */
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
