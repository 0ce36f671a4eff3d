/* tally - what lies in a folder of a spool: how many segments, how long, since when. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "tally.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The trailer of a sealed segment that is not compressed: its last line. */
static bool read_trailer(int fd, uint64_t size, const char *stem, struct segment_trailer *trailer)
{
	char end[SEGMENT_TRAILER_MAX];
	size_t length = size < sizeof end ? (size_t)size : sizeof end;
	if (length < 2 || pread(fd, end, length, (off_t)(size - length)) != (ssize_t)length || end[length - 1] != '\n') return false;
	const char *before = memrchr(end, '\n', length - 1), *start = before ? before + 1 : end;
	return segment_trailer_parse(span_between(start, end + length), stem, trailer);
}

/* False: it is gone by now. */
static bool add(struct tally *t, int dir_fd, const struct segment *segment)
{
	char name[SEGMENT_NAME_MAX];
	struct stat status;
	struct segment_trailer trailer;
	segment_name(name, segment, segment->form);
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) return false;
	bool known = fd >= 0 && fstat(fd, &status) == 0;
	t->segments++;
	t->open += segment->form == SEGMENT_OPEN;
	if (known) t->bytes += (uint64_t)status.st_size;
	if (known && segment->form == SEGMENT_SEALED && read_trailer(fd, (uint64_t)status.st_size, segment->stem, &trailer)) t->records += trailer.records;
	else t->uncounted++;
	if (fd >= 0) close(fd);
	return true;
}

/* A segment that was listed may be sealed, compressed or delivered by now. */
static void add_any_form(struct tally *t, int dir_fd, struct segment segment)
{
	bool found = add(t, dir_fd, &segment);
	while (!found && segment.form < SEGMENT_COMPRESSED) {
		segment.form++;
		found = add(t, dir_fd, &segment);
	}
	if (!found || *t->first) return;
	memcpy(t->first, segment.stem, sizeof t->first);
	t->oldest = segment.begun;
}

bool tally_count(struct tally *t, int dir_fd, enum walk_where where)
{
	struct segment_list list;
	struct segment segment;
	int more = 0, fd = walk_folder_open(dir_fd, where);
	*t = (struct tally){ .oldest = INT64_MIN };
	if (fd < 0) return errno == ENOENT;
	segment_list_init(&list, fd);
	while ((more = segment_list_next(&list, &segment)) > 0) add_any_form(t, fd, segment);
	int error = errno;
	close(fd);
	errno = error;
	return more == 0;
}

void tally_quarantine(struct tally *t, int dir_fd)
{
	struct dirent *entry;
	struct stat status;
	int fd = openat(dir_fd, "quarantine", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	*t = (struct tally){ .oldest = INT64_MIN };
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0) continue;
		t->segments++;
		t->bytes += (uint64_t)status.st_size;
	}
	if (dir) closedir(dir);
	else if (fd >= 0) close(fd);
}
