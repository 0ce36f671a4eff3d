/* walk - the segments of a spool and its folders in one order, for who only reads: no lock, nothing is changed. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SPOOL_WALK_H
#define SPOOL_WALK_H

#include "sink/segment.h"

/* Where segments stand; the names of their folders are in walk_folder. */
enum walk_where { WALK_SPOOL = 1, WALK_FAILED = 2, WALK_DELIVERED = 4 };
enum { WALK_PLACES = 3 };

struct walk_place {
	enum walk_where where;
	int fd;                       /* -1: there is no such folder (yet) */
	bool has;                     /* `next` is one that was found and not handed out */
	struct segment next;
	struct segment_list list;
};

struct walk {
	const char *path;
	int fd;
	size_t count;
	struct walk_place place[WALK_PLACES];
	char last[SEGMENT_STEM_MAX];  /* handed out last */
};

struct walk_found {
	struct segment segment;
	enum walk_where where;
	int dir_fd;
};

/* Whether somebody has written a spool here. */
bool walk_is_spool(int dir_fd);

/* Opens a spool's directory; unlike its writer it may be another user's. -1 after saying why, with the exit status: 66 if it is none. */
int walk_directory(const char *path, int *status);

/* A folder of it: "" is the directory itself. -1: there is none. */
int walk_folder_open(int dir_fd, enum walk_where);
const char *walk_folder(enum walk_where); /* "", "failed/", "delivered/" */

/* `where`: the sum of one or several. Borrows path and dir_fd. */
void walk_init(struct walk *, const char *path, int dir_fd, unsigned where);
void walk_release(struct walk *);

/* The next segment in the order of the stems, wherever it stands: 1; 0: no more now (a later call may find more); -1 with errno.
 * One that moves from the spool to another place during the walk is handed out once. */
int walk_next(struct walk *, struct walk_found *);

/* Opens the segment, in whatever of the walk's places it stands by now. NULL with errno; ENOENT: it was delivered, or moved elsewhere. */
struct segment_reader *walk_open(struct walk *, const struct walk_found *, size_t line_limit);

#endif
