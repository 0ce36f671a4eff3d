/* state_file - a state in a directory of ours is put in the place of the one before: all of it, or nothing has changed. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_STATE_FILE_H
#define SINK_STATE_FILE_H

#include "base/span.h"

/* Only for who holds the directory's lock: written as .tmp.NAME, 0600, and renamed; what a kill left of an earlier one is overwritten. (io/replace is for files
 * that a user names.) to_disk: an fsync of the new one before the rename, and of the directory behind it.
 * 0, or an errno: then the file at NAME is the old one, or, if only the last fsync failed, the new one. */
int state_file_replace(int dir_fd, const char *name, struct span text, bool to_disk);

#endif
