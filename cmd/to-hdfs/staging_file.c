/* staging_file - the files of a run: their names, made, written, cut back, synced. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "staging_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/number.h"
#include "io/writer.h"

static const char *const endings[STAGING_KINDS] = {
	[STAGING_DIR] = ".dir", [STAGING_LINES] = ".ndjson", [STAGING_DATA] = ".data", [STAGING_ITEM] = ".item", [STAGING_TEMPORARY] = ".item",
};

void staging_name(char name[STAGING_NAME_MAX], int number, enum staging_kind kind)
{
	snprintf(name, STAGING_NAME_MAX, "%s%d%s", kind == STAGING_TEMPORARY ? "." : "", number, endings[kind]);
}

bool staging_parse_name(const char *name, int *number, enum staging_kind *kind)
{
	char again[STAGING_NAME_MAX];
	int64_t value;
	const char *digits = name + (*name == '.');
	if (!number_parse_int((struct span){ digits, strspn(digits, "0123456789") }, &value) || value < 1 || value > INT32_MAX) return false;
	for (int i = 0; i < STAGING_KINDS; i++) {
		*number = (int)value;
		*kind = (enum staging_kind)i;
		staging_name(again, *number, *kind);
		if (strcmp(again, name) == 0) return true;
	}
	return false;
}

bool staging_is_plain(int fd)
{
	struct stat status;
	if (fstat(fd, &status) < 0) return false;
	errno = EPERM;
	return S_ISREG(status.st_mode) && status.st_uid == geteuid() && status.st_nlink == 1;
}

int staging_open_file(const struct staging_run *run, int number, enum staging_kind kind, int flags)
{
	char name[STAGING_NAME_MAX];
	staging_name(name, number, kind);
	int fd = openat(run->dir_fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0 || staging_is_plain(fd)) return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

void staging_unlink(const struct staging_run *run, int number, enum staging_kind kind)
{
	char name[STAGING_NAME_MAX];
	staging_name(name, number, kind);
	unlinkat(run->dir_fd, name, 0);
}

void staging_unlink_all(const struct staging_run *run, int number)
{
	staging_unlink(run, number, STAGING_LINES);
	staging_unlink(run, number, STAGING_DIR);
	staging_unlink(run, number, STAGING_DATA);
	staging_unlink(run, number, STAGING_ITEM);
}

int staging_make_file(const struct staging_run *run, int number, enum staging_kind kind)
{
	int fd = staging_open_file(run, number, kind, O_WRONLY | O_CREAT | O_EXCL);
	if (fd >= 0 || errno != EEXIST) return fd;
	staging_unlink(run, number, kind);
	return staging_open_file(run, number, kind, O_WRONLY | O_CREAT | O_EXCL);
}

int staging_write_file(const struct staging_run *run, int number, enum staging_kind kind, struct span text)
{
	int fd = staging_make_file(run, number, kind);
	if (fd < 0) return errno;
	int error = write_all(fd, text);
	if (close(fd) < 0 && !error && errno != EINTR) error = errno;
	if (error) staging_unlink(run, number, kind);
	return error;
}

/* Where the last line that was written whole ends. */
static size_t whole_lines(struct span lines, size_t written)
{
	const char *newline = written ? memrchr(lines.data, '\n', written) : NULL;
	return newline ? (size_t)(newline + 1 - lines.data) : 0;
}

static int write_at(int fd, uint64_t at, struct span bytes, size_t *written)
{
	for (*written = 0; *written < bytes.length;) {
		ssize_t n = pwrite(fd, bytes.data + *written, bytes.length - *written, (off_t)(at + *written));
		if (n > 0) *written += (size_t)n;
		else if (n == 0) return EIO;
		else if (errno != EINTR) return errno;
	}
	return 0;
}

/* Opened each time: 64 KiB at once make that cheap, and thousands of open partitions need no descriptors. */
int staging_write_lines(const struct staging_run *run, int number, uint64_t *at, struct span lines)
{
	struct stat status;
	size_t written = 0;
	bool begin = *at == 0;
	int error = 0, fd = staging_open_file(run, number, STAGING_LINES, begin ? O_WRONLY | O_CREAT | O_EXCL : O_WRONLY);
	if (fd < 0) return errno;
	if (fstat(fd, &status) < 0) error = errno;
	else if ((uint64_t)status.st_size < *at) error = EIO; /* somebody has cut our file */
	else if ((uint64_t)status.st_size > *at && ftruncate(fd, (off_t)*at) < 0) error = errno;
	if (!error) error = write_at(fd, *at, lines, &written);
	if (error) written = whole_lines(lines, written);
	if (error && ftruncate(fd, (off_t)(*at + written)) < 0) written = 0; /* the next one cuts it */
	if (close(fd) < 0 && !error && errno != EINTR) error = errno, written = 0;
	*at += written;
	if (error && begin && *at == 0) staging_unlink(run, number, STAGING_LINES);
	return error;
}
