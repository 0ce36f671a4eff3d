/* state_dir - the directory of a state: made, opened and locked for one process. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_STATE_DIR_H
#define CARDINALITY_STATE_DIR_H

#include "io/diag.h"

struct state_dir {
	char *path;
	int fd, lock_fd;      /* of DIR/lock */
};

/* Makes the directory (0700) if it is not there. Dies: 73 if it is a link or no directory, belongs to somebody else, or another process works with it; 74, 71 or 70 if that is why it cannot
 * be had. */
void state_dir_open(struct state_dir *, const char *path);
void state_dir_close(struct state_dir *);

int state_dir_file(const struct state_dir *, const char *name, int flags); /* 0600; a plain file of ours. -1: errno */
_Noreturn void state_dir_die(const struct state_dir *, const char *verb, const char *name, int error);
enum diag_exit state_dir_status(int error); /* the exit status that tells of it */

#endif
