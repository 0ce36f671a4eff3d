/* state_dir - who may not be trusted with a state is not let near it: links, other users' directories, a second process. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink/spool.h"

enum diag_exit state_dir_status(int error)
{
	if (error == EMFILE || error == ENFILE) return EXIT_SYSTEM;
	if (error == ENOMEM) return EXIT_INTERNAL;
	return error == EIO || error == ENOSPC || error == EDQUOT ? EXIT_IO : EXIT_NO_OUTPUT;
}

void state_dir_die(const struct state_dir *d, const char *verb, const char *name, int error)
{
	bool strange = error == ELOOP || error == EPERM || error == EISDIR;
	die(state_dir_status(error), "%s %s/%s: %s", verb, d->path, name, strange ? "it is a link or no plain file of ours; remove it" : strerror(error));
}

static bool is_plain(int fd)
{
	struct stat status;
	if (fstat(fd, &status) < 0) return false;
	errno = EPERM;
	return S_ISREG(status.st_mode) && status.st_uid == geteuid() && status.st_nlink == 1;
}

int state_dir_file(const struct state_dir *d, const char *name, int flags)
{
	int fd = openat(d->fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0 || is_plain(fd)) return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void open_directory(struct state_dir *d)
{
	struct stat found;
	int error = mkdir(d->path, 0700) == 0 ? spool_sync_parent(d->path) : errno == EEXIST ? 0 : errno;
	if (error) die(state_dir_status(error), "making the directory of the state, %s: %s", d->path, strerror(error));
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	error = d->fd < 0 || fstat(d->fd, &found) < 0 ? errno : 0;
	if (error == ELOOP || error == ENOTDIR) die(EXIT_NO_OUTPUT, "opening the state %s: it is a symbolic link or no directory", d->path);
	if (error) die(state_dir_status(error), "opening the state %s: %s", d->path, strerror(error));
	if (found.st_uid != geteuid()) die(EXIT_NO_OUTPUT, "opening the state %s: it belongs to user %u and not to us", d->path, (unsigned)found.st_uid);
}

/* A lock of the kind that tells who has it: nothing need be written into the file. */
static void lock(struct state_dir *d)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	d->lock_fd = state_dir_file(d, "lock", O_RDWR | O_CREAT);
	if (d->lock_fd < 0) state_dir_die(d, "opening", "lock", errno);
	int result;
	do result = fcntl(d->lock_fd, F_SETLK, &whole);
	while (result < 0 && errno == EINTR);
	if (result == 0) return;
	if (errno != EAGAIN && errno != EACCES) state_dir_die(d, "locking", "lock", errno);
	if (fcntl(d->lock_fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK && whole.l_pid > 0)
		die(EXIT_NO_OUTPUT, "opening the state %s: process %ld works with it", d->path, (long)whole.l_pid);
	die(EXIT_NO_OUTPUT, "opening the state %s: another process works with it", d->path);
}

void state_dir_open(struct state_dir *d, const char *path)
{
	struct span name = span_of(path);
	while (name.length > 1 && name.data[name.length - 1] == '/') name.length--; /* with one at its end, a link would be followed */
	*d = (struct state_dir){ .path = must_copy(name), .fd = -1, .lock_fd = -1 };
	open_directory(d);
	lock(d);
}

void state_dir_close(struct state_dir *d)
{
	close(d->lock_fd);
	close(d->fd);
	free(d->path);
}
