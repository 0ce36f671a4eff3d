/* spool_file - files of a spool: synced, written, checked and named. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int spool_sync_fd(int fd, bool data_only)
{
	int result;
	/* An interrupted one has lost nothing and is the only one that is called again. */
	do result = data_only ? fdatasync(fd) : fsync(fd);
	while (result < 0 && errno == EINTR);
	/* Not EROFS: what we write to is no pipe, and so says a filesystem that has given up on an error, and thrown away what was not on disk. */
	if (result == 0 || errno == EINVAL || errno == ENOTSUP) return 0;
	return errno;
}

int spool_write_at_end(int fd, struct span bytes, size_t *written)
{
	*written = 0;
	while (*written < bytes.length) {
		ssize_t n = write(fd, bytes.data + *written, bytes.length - *written);
		if (n > 0) *written += (size_t)n;
		else if (n == 0) return EIO;
		else if (errno != EINTR) return errno;
	}
	return 0;
}

bool spool_is_shortage(int error)
{
	return error == ENOSPC || error == EDQUOT || error == EMFILE || error == ENFILE || error == ENOMEM;
}

enum diag_exit spool_exit_status(int error)
{
	return error == EIO || error == ENOSPC || error == EDQUOT ? EXIT_IO : EXIT_NO_OUTPUT;
}

bool spool_is_plain(int fd)
{
	struct stat status;
	if (fstat(fd, &status) < 0) return false;
	errno = EPERM;
	return S_ISREG(status.st_mode) && status.st_uid == geteuid() && status.st_nlink == 1;
}

int spool_subdirectory(int dir_fd, const char *name)
{
	if (mkdirat(dir_fd, name, 0700) < 0 && errno != EEXIST) return -1;
	/* Also if it was there: who made it may have been killed before this. */
	int error = spool_sync_fd(dir_fd, false);
	if (!error) return openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	errno = error;
	return -1;
}

/* Whoever takes out has temporary files too, and works at the same time: a writer knows its own, and leaves the others alone. */
static const char writers[] = ".tmp.writer.";

void spool_temporary_name(char name[SPOOL_NAME_MAX], const char *stem, const char *what)
{
	snprintf(name, SPOOL_NAME_MAX, "%s%s.%s", writers, stem, what);
}

bool spool_is_temporary(const char *name)
{
	return span_starts(span_of(name), span_of(writers));
}
