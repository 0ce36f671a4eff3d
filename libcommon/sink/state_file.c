/* state_file - a state in a directory of ours is put in the place of the one before: all of it, or nothing has changed. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "io/writer.h"
#include "sink/spool.h"

static int write_new(int dir_fd, const char *name, struct span text, bool to_disk)
{
	unlinkat(dir_fd, name, 0); /* of a crash, or a pipe that would keep us for ever */
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) return errno;
	int error = write_all(fd, text);
	if (!error && to_disk) error = spool_sync_fd(fd, false);
	if (close(fd) < 0 && !error && errno != EINTR) error = errno;
	return error;
}

int state_file_replace(int dir_fd, const char *name, struct span text, bool to_disk)
{
	char temporary[NAME_MAX + 1];
	if ((size_t)snprintf(temporary, sizeof temporary, ".tmp.%s", name) >= sizeof temporary) return ENAMETOOLONG;
	int error = write_new(dir_fd, temporary, text, to_disk);
	if (!error && renameat(dir_fd, temporary, dir_fd, name) < 0) error = errno;
	if (!error) return to_disk ? spool_sync_fd(dir_fd, false) : 0;
	unlinkat(dir_fd, temporary, 0);
	return error;
}
