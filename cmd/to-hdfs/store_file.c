/* store_file - publishes below a directory of this machine: a hidden copy, synced, then renamed where nothing is; no link is followed below the base. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/diag.h"
#include "io/signals.h"
#include "io/writer.h"
#include "sink/spool.h"
#include "store.h"

enum { COPY_BYTES = 8 << 20, BLOCK_BYTES = 256 << 10 };

struct store_file_base {
	struct store store;
	int fd;
	char *block;                 /* BLOCK_BYTES, made when it is needed */
};

static void set_reason(struct store *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void set_reason(struct store *s, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(s->reason, sizeof s->reason, format, arguments);
	va_end(arguments);
}

/* The verdict on a call that failed on the base's side. */
static enum store_verdict failed(struct store *s, const char *what, int error)
{
	set_reason(s, "%s: %s", what, strerror(error));
	switch (error) {
	case EACCES: case EPERM: case EROFS: return STORE_DENIED;
	case ELOOP: case ENOTDIR: case EEXIST: case EISDIR: case ENAMETOOLONG: case EINVAL: case EMLINK: case EFBIG: return STORE_REFUSED;
	default: return STORE_IO;
	}
}

/* --- directories below the base ---------------------------------------------- */

static int open_directory(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Opens the directory, component by component, and makes what is missing. With `sync` each on the way is synced, so that what stands in it is not lost with the power: also
 * one that was there, for whoever made it may have been killed before. -1 with errno. */
static int walk(const struct store_file_base *b, const char *dir)
{
	char name[NAME_MAX + 1];
	int at = fcntl(b->fd, F_DUPFD_CLOEXEC, 0);
	while (at >= 0 && *dir) {
		size_t length = strcspn(dir, "/");
		if (length > NAME_MAX) {
			close(at);
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, dir, length);
		name[length] = '\0';
		dir += length + (dir[length] == '/');
		int next = open_directory(at, name), error = 0;
		if (next < 0 && errno == ENOENT) {
			if (mkdirat(at, name, 0777) < 0 && errno != EEXIST) error = errno;
			else next = open_directory(at, name);
		}
		if (next < 0 && !error) error = errno == ENOTDIR ? ELOOP : errno; /* a link to a directory is told as "not a directory" */
		if (!error) error = spool_sync_fd(at, false);
		close(at);
		at = next;
		if (!error) continue;
		if (at >= 0) close(at);
		errno = error;
		return -1;
	}
	return at;
}

/* --- bytes ---------------------------------------------------------------------- */

static char *block(struct store_file_base *b)
{
	if (!b->block) b->block = must_alloc(BLOCK_BYTES);
	return b->block;
}

static int copy_block(struct store_file_base *b, int from, uint64_t at, int to, uint64_t left, size_t *copied)
{
	ssize_t n = pread(from, block(b), left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES, (off_t)at);
	if (n < 0 && errno == EINTR) return *copied = 0, 0;
	if (n <= 0) return *copied = 0, n < 0 ? errno : ENODATA;
	*copied = (size_t)n;
	return write_all(to, (struct span){ b->block, (size_t)n });
}

/* Within the kernel where it can be (two filesystems, or one that cannot, and it is by us). Returns 0 or an errno; ENODATA: ours is shorter than it should be. */
static int copy(struct store_file_base *b, const struct store_file *f, int to)
{
	bool by_kernel = true;
	loff_t at = 0;
	while ((uint64_t)at < f->bytes) {
		uint64_t left = f->bytes - (uint64_t)at;
		if (signals_stopping_now()) return ECANCELED;
		if (by_kernel) {
			ssize_t n = copy_file_range(f->fd, &at, to, NULL, left < COPY_BYTES ? (size_t)left : COPY_BYTES, 0);
			/* 0 is also what some filesystems say that cannot: reading will tell. */
			if (n < 0 && errno != EINTR && errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP && errno != EPERM && errno != EBADF && errno != ETXTBSY) return errno;
			if (n == 0 || (n < 0 && errno != EINTR)) by_kernel = false;
		} else {
			size_t copied;
			int error = copy_block(b, f->fd, (uint64_t)at, to, left, &copied);
			if (error) return error;
			at += (loff_t)copied;
		}
		if (b->store.on_progress) b->store.on_progress(b->store.context, (uint64_t)at);
	}
	return 0;
}

/* Whether the file holds exactly our bytes. Returns 0 or an errno. */
static int compare(struct store_file_base *b, const struct store_file *f, int fd, bool *equal)
{
	char *ours = block(b), *theirs = ours + BLOCK_BYTES / 2;
	*equal = false;
	for (uint64_t at = 0; at < f->bytes;) {
		size_t want = f->bytes - at < BLOCK_BYTES / 2 ? (size_t)(f->bytes - at) : BLOCK_BYTES / 2;
		ssize_t n = pread(f->fd, ours, want, (off_t)at), m = pread(fd, theirs, want, (off_t)at);
		if (n < 0 || m < 0) return errno;
		if (n == 0 || n != m || memcmp(ours, theirs, (size_t)n) != 0) return 0;
		at += (uint64_t)n;
	}
	*equal = true;
	return 0;
}

/* --- the steps ------------------------------------------------------------------ */

enum found { FOUND_NOTHING, FOUND_SAME, FOUND_OTHER, FOUND_ERROR };

/* What stands under the final name. The reason is set if it is another. */
static enum found look(struct store_file_base *b, const struct store_file *f, int dir, int *error)
{
	struct stat status;
	if (fstatat(dir, f->name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
		*error = errno;
		return errno == ENOENT ? FOUND_NOTHING : FOUND_ERROR;
	}
	if (!S_ISREG(status.st_mode)) {
		set_reason(&b->store, "the name is taken, by what is no file");
		return FOUND_OTHER;
	}
	if ((uint64_t)status.st_size != f->bytes) {
		set_reason(&b->store, "the name is taken by a file of %llu bytes, ours has %llu", (unsigned long long)status.st_size, (unsigned long long)f->bytes);
		return FOUND_OTHER;
	}
	if (!b->store.verify) return FOUND_SAME;
	bool equal;
	int fd = openat(dir, f->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	*error = fd < 0 ? errno : compare(b, f, fd, &equal);
	if (fd >= 0) close(fd);
	if (*error) return FOUND_ERROR;
	if (!equal) set_reason(&b->store, "the name is taken by a file of the same length with other bytes");
	return equal ? FOUND_SAME : FOUND_OTHER;
}

static bool may_replace(const struct store_file_base *b, const struct store_file *f, int dir)
{
	struct stat status;
	return b->store.replace && fstatat(dir, f->name, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(status.st_mode);
}

static enum store_verdict write_temp(struct store_file_base *b, const struct store_file *f, int dir)
{
	struct store *s = &b->store;
	if (unlinkat(dir, f->temp, 0) < 0 && errno != ENOENT) return failed(s, "the temporary file", errno);
	int fd = openat(dir, f->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0) return failed(s, "the temporary file", errno);
	int error = s->permission && fchmod(fd, (mode_t)strtol(s->permission, NULL, 8)) < 0 ? errno : 0;
	if (!error) error = copy(b, f, fd);
	if (!error) error = spool_sync_fd(fd, false);
	struct stat status;
	if (!error && (fstat(fd, &status) < 0 || (uint64_t)status.st_size != f->bytes)) error = EIO;
	bool equal = true;
	if (!error && s->verify) error = compare(b, f, fd, &equal);
	if (close(fd) < 0 && !error) error = errno;
	if (!error && equal) return STORE_PUBLISHED;
	unlinkat(dir, f->temp, 0);
	if (error == ECANCELED) {
		set_reason(s, "stopped");
		return STORE_STOPPED;
	}
	if (error == ENODATA) {
		set_reason(s, "the staged file is shorter than it was");
		return STORE_IO;
	}
	if (!error) {
		set_reason(s, "what was written reads back as something else");
		return STORE_IO;
	}
	return failed(s, "cannot write", error);
}

/* To the final name, unless that is taken (EEXIST). Returns 0 or an errno. */
static int rename_new(int dir, const char *temp, const char *name)
{
	struct stat status;
	if (renameat2(dir, temp, dir, name, RENAME_NOREPLACE) == 0) return 0;
	if (errno != EINVAL && errno != ENOSYS) return errno;
	if (linkat(dir, temp, dir, name, 0) == 0) {
		unlinkat(dir, temp, 0);
		return 0;
	}
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK) return errno;
	/* A filesystem with neither (FAT, some network ones): two runs that meet just here write the same bytes. */
	if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0) return EEXIST;
	return renameat(dir, temp, dir, name) < 0 ? errno : 0;
}

static enum store_verdict settle(struct store_file_base *b, const struct store_file *f, int dir, enum found found, int error)
{
	unlinkat(dir, f->temp, 0); /* ours alone: what a run that was killed has left, or what another one was quicker with */
	if (found == FOUND_OTHER) return STORE_CONFLICT;
	if (found == FOUND_ERROR) return failed(&b->store, "cannot look at what has our name", error);
	error = spool_sync_fd(dir, false);
	return error ? failed(&b->store, "cannot sync the directory", error) : STORE_THERE;
}

static enum store_verdict publish_in(struct store_file_base *b, const struct store_file *f, int dir)
{
	struct store *s = &b->store;
	int error = 0;
	enum found found = look(b, f, dir, &error);
	if (found == FOUND_OTHER && may_replace(b, f, dir)) found = FOUND_NOTHING;
	if (found != FOUND_NOTHING) return settle(b, f, dir, found, error);
	enum store_verdict verdict = write_temp(b, f, dir);
	if (verdict != STORE_PUBLISHED) return verdict;
	if (may_replace(b, f, dir)) error = renameat(dir, f->temp, dir, f->name) < 0 ? errno : 0;
	else error = rename_new(dir, f->temp, f->name);
	if (error == EEXIST) {
		found = look(b, f, dir, &error);
		if (found == FOUND_NOTHING) found = FOUND_ERROR;
		return settle(b, f, dir, found, error);
	}
	if (!error) error = spool_sync_fd(dir, false);
	else unlinkat(dir, f->temp, 0);
	return error ? failed(s, "cannot give it its name", error) : STORE_PUBLISHED;
}

static enum store_verdict publish(struct store *s, const struct store_file *f)
{
	struct store_file_base *b = (struct store_file_base *)s;
	s->reason[0] = '\0';
	if (signals_stopping_now()) {
		set_reason(s, "stopped");
		return STORE_STOPPED;
	}
	int dir = walk(b, f->dir);
	if (dir < 0 && errno == ELOOP) {
		set_reason(s, "a link, or what is no directory, is in the way");
		return STORE_REFUSED;
	}
	if (dir < 0) return failed(s, "the directory", errno);
	enum store_verdict verdict = publish_in(b, f, dir);
	close(dir);
	return verdict;
}

static void release(struct store *s)
{
	struct store_file_base *b = (struct store_file_base *)s;
	close(b->fd);
	free(b->block);
	free(s->where);
	free(b);
}

/* A directory that was made is on disk only once its parent is. */
static void sync_parent(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), parent = fd < 0 ? -1 : openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = parent < 0 ? errno : spool_sync_fd(parent, false);
	if (parent >= 0) close(parent);
	if (fd >= 0) close(fd);
	if (error) die(EXIT_IO, "cannot sync what %s is in: %s", path, strerror(error));
}

struct store *store_file_new(const char *path)
{
	struct store_file_base *b = must_alloc(sizeof *b);
	bool made = mkdir(path, 0777) == 0;
	if (!made && errno != EEXIST) die_errno(EXIT_NO_OUTPUT, "cannot make the base %s", path);
	if (made) sync_parent(path);
	b->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->fd < 0) die_errno(EXIT_NO_OUTPUT, "cannot open the base %s", path);
	b->store = (struct store){ .publish = publish, .release = release, .where = realpath(path, NULL) };
	if (!b->store.where) die_errno(EXIT_NO_OUTPUT, "cannot find the base %s", path);
	return &b->store;
}
