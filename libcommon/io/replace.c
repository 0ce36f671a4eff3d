/* replace - a whole file, written beside its name and renamed: nobody ever finds half of it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/diag.h"
#include "io/writer.h"

static int fail(int status, const char *what, const char *path)
{
	diag_error("%s %s: %s", what, path, strerror(errno));
	return status;
}

/* Returns 0 or an errno; the descriptor is closed either way. */
static int write_and_close(int fd, struct span bytes, bool sync)
{
	int error = write_all(fd, bytes);
	/* Some file systems tell of a full disk only here. */
	if (!error && sync && fsync(fd) < 0 && errno != EINVAL && errno != EROFS) error = errno;
	if (close(fd) < 0 && !error) error = errno;
	return error;
}

static int write_in_place(const char *path, struct span bytes)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) return fail(EXIT_NO_OUTPUT, "cannot open", path);
	errno = write_and_close(fd, bytes, false);
	return errno ? fail(EXIT_IO, "cannot write", path) : 0;
}

/* ".NAME.PID.N", in the directory of the file: a rename does not leave a file system. */
static int open_beside(char beside[PATH_MAX], const char *target, mode_t mode)
{
	const char *slash = strrchr(target, '/'), *name = slash ? slash + 1 : target;
	for (int n = 0; n < 100; n++) {
		int length = snprintf(beside, PATH_MAX, "%.*s.%s.%ld.%d", (int)(name - target), target, name, (long)getpid(), n);
		if (length < 0 || length >= PATH_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (fd >= 0 || errno != EEXIST) return fd;
	}
	return -1;
}

/* The rename itself is on disk once the directory is; where a directory cannot be synced nothing more can be done. */
static void sync_directory(const char *target)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(target, '/');
	int length = snprintf(directory, sizeof directory, "%.*s", slash ? (int)(slash - target) + 1 : 1, slash ? target : ".");
	int fd = length > 0 && length < PATH_MAX ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0) return;
	fsync(fd);
	close(fd);
}

int replace_file(const char *path, mode_t mode, struct span bytes)
{
	struct stat there;
	char target[PATH_MAX], beside[PATH_MAX];
	bool exists = stat(path, &there) == 0;
	if (exists && S_ISDIR(there.st_mode)) {
		errno = EISDIR;
		return fail(EXIT_NO_OUTPUT, "cannot create", path);
	}
	if (exists && !S_ISREG(there.st_mode)) return write_in_place(path, bytes);
	const char *name = exists && realpath(path, target) ? target : path;
	int fd = open_beside(beside, name, mode);
	if (fd < 0) return fail(EXIT_NO_OUTPUT, "cannot create a file beside", path);
	if (exists) (void)!fchmod(fd, there.st_mode & 07777);
	int error = write_and_close(fd, bytes, true);
	if (!error && rename(beside, name) == 0) {
		sync_directory(name);
		return 0;
	}
	int status = error ? EXIT_IO : EXIT_NO_OUTPUT;
	error = error ? error : errno;
	unlink(beside);
	errno = error;
	return fail(status, status == EXIT_IO ? "cannot write" : "cannot rename to", path);
}
