/* sources - files that are followed by name, their last lines, and live streams from a metlog-recv. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TAIL_SOURCES_H
#define TAIL_SOURCES_H

#include <sys/types.h>

#include "filter/filter.h"
#include "io/child.h"

enum { SOURCES_ALL = -1 };

/* One thing that is read. At any time one source has lent its reader to the filter: `current`. */
struct source {
	char *name;              /* as the user named it; also the reader's, unless reading began in the middle */
	char *reader_name;       /* "app.ndjson, from byte 1234": line numbers count from there */
	bool stream;             /* a pipe, standard input or a child: it ends */
	bool missing, ended;     /* missing: has been reported as not there */
	dev_t device;
	ino_t inode;
	off_t start;             /* where in the file reading began */
	int64_t leave_at;        /* of a file that was rotated away: when to stop waiting for more, monotonic ns; 0: it was not */
	int watch;               /* inotify watch of the file, -1: none */
	struct reader reader;    /* reader.fd is -1 while the file is not there */
	struct child child;
};

struct sources {
	struct source *list;
	size_t count, current;   /* current == count: none has lent its reader */
	struct reader idle;      /* the filter's own reader meanwhile */
	int64_t lines;           /* the last so many of each file; SOURCES_ALL */
	bool follow;
	int inotify;             /* -1: none; then files are looked at more often */
	bool live;               /* at least one --from */
};

void sources_init(struct sources *, struct filter *, int64_t lines, bool follow);
/* A file, or "-" for standard input. One that cannot be opened is reported; while following, it is waited for. */
void sources_add_file(struct sources *, struct filter *, const char *path);
/* Starts `metlog-recv --from ENDPOINT` with further options; dies (71) if it cannot be started. */
void sources_add_endpoint(struct sources *, struct filter *, const char *endpoint, const char *const *options, size_t option_count);

/* As filter_turn and filter_wait, over all sources. */
enum filter_turn sources_turn(struct sources *, struct filter *, struct envelope *);
void sources_wait(struct sources *, struct filter *, bool want_output);

const char *sources_name(const struct sources *); /* of the source the last envelope came from */
void sources_close(struct sources *, struct filter *);

/* Where in a regular file the last `lines` wanted envelopes begin; 0 if there are fewer. Reads backwards, so what stands before
 * them is not read. */
off_t backwards_find(int fd, int64_t lines, struct filter *);

#endif
