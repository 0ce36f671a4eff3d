/* spool_open - a spool opened: its directory checked, its lock taken, what a crash left sealed, its segments counted. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/diag.h"

static int refuse(int *status, enum diag_exit with)
{
	*status = (int)with;
	return -1;
}

/* --- the directory --- */

/* The path without slashes at its end: with one, a symbolic link would be followed. */
static char *plain_path(const char *path)
{
	struct span text = span_of(path);
	while (text.length > 1 && text.data[text.length - 1] == '/') text.length--;
	return must_copy(text);
}

int spool_sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *parent = slash ? must_copy((struct span){ path, slash == path ? 1 : (size_t)(slash - path) }) : must_copy(SPAN("."));
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = fd < 0 ? errno : spool_sync_fd(fd, false);
	if (fd >= 0) close(fd);
	free(parent);
	return error == EACCES ? 0 : error; /* a parent that may be written but not read cannot be synced */
}

/* One without a lock may have been made by somebody who was killed before it was synced. */
static int open_or_make(const char *path, int *status)
{
	int error = 0, fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		if (mkdir(path, 0700) < 0 && errno != EEXIST) error = errno;
		else fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd >= 0 && faccessat(fd, "lock", F_OK, AT_SYMLINK_NOFOLLOW) < 0) error = spool_sync_parent(path);
	if (!error) return fd;
	if (fd >= 0) close(fd);
	diag_error("making the spool directory %s: %s", path, strerror(error));
	return refuse(status, spool_exit_status(error));
}

static int open_directory(const char *path, bool make, int *status)
{
	*status = EXIT_DONE;
	int fd = make ? open_or_make(path, status) : open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 || *status != EXIT_DONE) return fd;
	int error = errno;
	struct stat found;
	bool link = (error == ENOTDIR || error == ELOOP) && lstat(path, &found) == 0 && S_ISLNK(found.st_mode);
	if (link) diag_error("opening the spool %s: it is a symbolic link; give the directory that it points to", path);
	else diag_error("opening the spool %s: %s", path, strerror(error));
	return refuse(status, error == EACCES ? EXIT_PERMISSION : !make && error == ENOENT ? EXIT_NO_INPUT : spool_exit_status(error));
}

int spool_directory(const char *path, bool make, int *status)
{
	struct stat found;
	char *plain = plain_path(path);
	int fd = open_directory(plain, make, status);
	if (fd >= 0 && fstat(fd, &found) < 0) {
		diag_error("opening the spool %s: %s", plain, strerror(errno));
		close(fd), fd = refuse(status, EXIT_IO);
	}
	else if (fd >= 0 && found.st_uid != geteuid()) {
		diag_error("opening the spool %s: it belongs to user %u and not to us; run as that user, or chown it", plain, (unsigned)found.st_uid);
		close(fd), fd = refuse(status, EXIT_NO_OUTPUT);
	}
	else if (fd >= 0 && (found.st_mode & 077)) {
		diag_error("opening the spool %s: it is open to other users (mode %04o); chmod 700 it", plain, (unsigned)found.st_mode & 07777);
		close(fd), fd = refuse(status, EXIT_NO_OUTPUT);
	}
	free(plain);
	return fd;
}

/* --- recovery alone --- */

bool spool_recover_if_abandoned(int dir_fd, const char *path, int *status)
{
	struct spool_recovered found;
	int fd = spool_lock(dir_fd, path, SPOOL_LOCK_RECOVER, status);
	if (fd < 0) return false;
	bool recovered = spool_recover(dir_fd, path, &found, status);
	close(fd);
	return recovered;
}

/* --- the number of the next segment --- */

/* Segments, and in quarantine/ the pieces of some: STEM.N. */
static uint64_t number_of(const char *name)
{
	struct segment found;
	if (segment_parse(&found, name)) return found.number;
	char copy[SPOOL_NAME_MAX + 8];
	const char *dot = strrchr(name, '.');
	if (!dot || dot == name || (size_t)(dot - name) >= SPOOL_NAME_MAX) return 0;
	snprintf(copy, sizeof copy, "%.*s.open", (int)(dot - name), name);
	return segment_parse(&found, copy) ? found.number : 0;
}

/* 0, or an errno. A directory that is not there has no numbers. */
static int see_numbers(int dir_fd, const char *name, uint64_t *highest)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) return errno == ENOENT ? 0 : errno;
	DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return ENOMEM;
	}
	errno = 0;
	for (struct dirent *entry; (entry = readdir(dir)); errno = 0) {
		uint64_t number = number_of(entry->d_name);
		if (number > *highest) *highest = number;
	}
	int error = errno;
	closedir(dir);
	return error;
}

static int count_all(struct spool *s)
{
	static const char *const places[] = { ".", "failed", "delivered", "quarantine" };
	uint64_t highest = 0;
	int error = spool_limits_count(s);
	for (size_t i = 0; i < sizeof places / sizeof *places && !error; i++) error = see_numbers(s->dir_fd, places[i], &highest);
	uint64_t noted = spool_lock_next(s->lock_fd);
	s->next_number = noted > highest ? noted : highest + 1;
	spool_lock_recovered(s->lock_fd, s->next_number);
	return error;
}

/* --- all together --- */

static struct spool *make_spool(const char *path, const struct spool_options *options, int dir_fd, int lock_fd)
{
	struct spool *s = must_alloc(sizeof *s);
	s->options = *options;
	s->path = must_copy(span_of(path));
	s->dir_fd = dir_fd;
	s->lock_fd = lock_fd;
	s->fd = -1;
	s->oldest_begun = INT64_MAX;
	s->drop_told_ms = INT64_MIN;
	buffer_init(&s->pending, (size_t)(options->sync_bytes + options->line_limit + 2));
	s->checksum = checksum_new();
	if (!s->checksum) die(EXIT_INTERNAL, "no memory for a checksum");
	return s;
}

struct spool *spool_try_open(const char *path, const struct spool_options *options, int *status)
{
	struct spool_recovered found;
	int dir_fd = spool_directory(path, true, status);
	if (dir_fd < 0) return NULL;
	int lock_fd = spool_lock(dir_fd, path, SPOOL_LOCK_WRITE, status);
	if (lock_fd < 0 || !spool_recover(dir_fd, path, &found, status)) {
		if (lock_fd >= 0) close(lock_fd);
		close(dir_fd);
		return NULL;
	}
	struct spool *s = make_spool(path, options, dir_fd, lock_fd);
	s->counts.recovered = found.records;
	s->counts.quarantined = found.pieces;
	int error = count_all(s);
	if (!error) return s;
	diag_error("counting the segments of %s: %s", path, strerror(error));
	*status = EXIT_IO;
	spool_close(s);
	return NULL;
}

struct spool *spool_open(const char *path, const struct spool_options *options)
{
	int status;
	struct spool *s = spool_try_open(path, options, &status);
	if (!s) exit(status);
	return s;
}
