/* spool_limits - when a spool is full: by its own size and age, by what its filesystem has left; and what drop-oldest takes out. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "io/diag.h"
#include "io/socket.h"

enum { PIECE_LEAST = 64 * 1024, DROP_TOLD_EVERY_MS = 60000 };

/* Adds one directory entry to the count. The open segment is counted by what we know of it. */
static void count_entry(struct spool *s, const char *name, uint64_t *oldest)
{
	struct segment found;
	struct stat status;
	if (!segment_parse(&found, name) || found.form == SEGMENT_OPEN) return;
	if (fstatat(s->dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return; /* taken out meanwhile */
	s->sealed_segments++;
	s->sealed_bytes += (uint64_t)status.st_size;
	if (found.number < *oldest) *oldest = found.number, s->oldest_begun = found.begun;
}

int spool_limits_count(struct spool *s)
{
	int fd = openat(s->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int error = errno;
		if (fd >= 0) close(fd);
		return error;
	}
	uint64_t oldest = UINT64_MAX;
	s->sealed_bytes = s->sealed_segments = 0;
	s->oldest_begun = INT64_MAX;
	errno = 0;
	for (struct dirent *entry; (entry = readdir(dir)); errno = 0)
		if (entry->d_name[0] != '.') count_entry(s, entry->d_name, &oldest);
	int error = errno;
	closedir(dir);
	return error;
}

/* --- drop-oldest --- */

/* How many records a sealed segment holds, by its trailer; 0 if that cannot be told. */
static uint64_t records_of(const struct spool *s, const struct segment *segment, const char *name)
{
	struct segment_trailer trailer = { 0 };
	const char *reason;
	if (segment->form == SEGMENT_COMPRESSED)
		return segment_check(s->dir_fd, segment, s->options.line_limit, &trailer, &reason) == SEGMENT_END ? trailer.records : 0;
	char end[SEGMENT_TRAILER_MAX];
	int fd = openat(s->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	ssize_t got = -1;
	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
		off_t from = status.st_size > (off_t)sizeof end ? status.st_size - (off_t)sizeof end : 0;
		got = pread(fd, end, sizeof end, from);
	}
	if (fd >= 0) close(fd);
	if (got < 2 || end[got - 1] != '\n') return 0;
	const char *before = memrchr(end, '\n', (size_t)got - 1);
	const char *line = before ? before + 1 : end;
	return segment_trailer_parse(span_between(line, end + got - 1), segment->stem, &trailer) ? trailer.records : 0;
}

static void tell_drop(struct spool *s, const char *name, uint64_t records)
{
	int64_t now = socket_clock_ms();
	bool told = s->drop_told_ms != INT64_MIN && now - s->drop_told_ms < DROP_TOLD_EVERY_MS;
	s->drop_told_ms = now;
	if (told) return;
	diag_warn("%s: the spool is full (%s): the oldest segments are dropped, first %s with %" PRIu64 " envelopes", s->path, s->reason, name, records);
}

/* True if room was made, or is being made by somebody else: it was gone already. */
static bool drop_segment(struct spool *s, const struct segment *segment)
{
	char name[SEGMENT_NAME_MAX];
	struct stat status = { 0 };
	segment_name(name, segment, segment->form);
	uint64_t records = records_of(s, segment, name);
	bool there = fstatat(s->dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
	if (there && unlinkat(s->dir_fd, name, 0) < 0 && errno != ENOENT) {
		spool_set_reason(s, "dropping the oldest segment", errno);
		return false;
	}
	if (there) {
		tell_drop(s, name, records);
		s->counts.dropped_segments++;
		s->counts.dropped_records += records;
	}
	spool_limits_count(s);
	return true;
}

bool spool_limits_drop(struct spool *s)
{
	struct segment_list list;
	struct segment segment;
	if (s->options.when_full != SPOOL_DROP_OLDEST || !s->room_helps) return false;
	for (int round = 0; round < 2; round++) {
		segment_list_init(&list, s->dir_fd);
		while (segment_list_next(&list, &segment) > 0)
			if (segment.form != SEGMENT_OPEN) return drop_segment(s, &segment);
		/* Nothing but the open one: it has had its turn too. */
		if (s->fd < 0 || !s->body.records || spool_segment_seal(s) != SPOOL_DONE) return false;
	}
	return false;
}

/* --- what fits --- */

static size_t first_line(const struct spool *s)
{
	const char *newline = memchr(s->pending.data, '\n', s->pending.length);
	return newline ? (size_t)(newline + 1 - s->pending.data) : s->pending.length;
}

/* Of `room` bytes, those that whole lines fill; nothing rather than a small piece, which would make many small segments. */
static size_t whole_lines(const struct spool *s, uint64_t room, size_t length, uint64_t piece_least)
{
	if (room >= length) return length;
	if (room < piece_least) return 0;
	const char *last = memrchr(s->pending.data, '\n', (size_t)room);
	return last ? (size_t)(last + 1 - s->pending.data) : 0;
}

static uint64_t beyond(uint64_t have, uint64_t need)
{
	return have > need ? have - need : 0;
}

/* A limit is said in the unit that its writer would have chosen. */
static void say_limit(struct spool *s)
{
	static const char *const units[] = { " bytes", " KiB", " MiB", " GiB", " TiB" };
	uint64_t number = s->options.limit_bytes;
	size_t unit = 0;
	while (unit < 4 && number >= 1024 && number % 1024 == 0) number /= 1024, unit++;
	snprintf(s->reason, sizeof s->reason, "limit of %" PRIu64 "%s reached", number, units[unit]);
}

static size_t room_by_size(struct spool *s, size_t length)
{
	uint64_t limit = s->options.limit_bytes, least = limit / 4 < PIECE_LEAST ? limit / 4 : PIECE_LEAST;
	if (!limit) return length;
	uint64_t used = s->sealed_bytes + (s->fd >= 0 ? s->body.bytes : 0);
	size_t fits = whole_lines(s, beyond(limit, used + SPOOL_TRAILER_ROOM), length, least);
	if (fits) return fits;
	if (!used) return first_line(s); /* a limit smaller than a line must not stop everything for ever */
	say_limit(s);
	return 0;
}

static size_t room_by_age(struct spool *s, size_t length)
{
	if (!s->options.limit_ms || !s->sealed_segments || s->oldest_begun == INT64_MAX) return length;
	int64_t now = timestamp_now();
	if (now < s->oldest_begun || (now - s->oldest_begun) / 1000000 < s->options.limit_ms) return length;
	snprintf(s->reason, sizeof s->reason, "the oldest segment is %" PRId64 " s old, and the limit %.3g s", (now - s->oldest_begun) / 1000000000,
		(double)s->options.limit_ms / 1e3);
	return 0;
}

static size_t room_by_reserve(struct spool *s, size_t length)
{
	struct statvfs disk;
	if (!s->options.reserve_bytes || fstatvfs(s->dir_fd, &disk) < 0 || !disk.f_blocks) return length; /* some filesystems have no size */
	uint64_t available = (uint64_t)disk.f_bavail * disk.f_frsize;
	size_t fits = whole_lines(s, beyond(available, s->options.reserve_bytes), length, PIECE_LEAST);
	if (!fits) snprintf(s->reason, sizeof s->reason, "%" PRIu64 " KiB are free on its filesystem, and of these %" PRIu64 " KiB are the reserve", available / 1024,
		s->options.reserve_bytes / 1024);
	return fits;
}

size_t spool_limits_room(struct spool *s, size_t length)
{
	/* What others have taken out is not known until we look, and we look only when it matters. */
	for (bool looked = false;; looked = true) {
		size_t fits = room_by_size(s, length);
		if (fits) fits = room_by_age(s, fits);
		if (fits) fits = room_by_reserve(s, fits);
		if (fits || looked) return fits;
		int error = spool_limits_count(s);
		s->room_helps = !error;
		if (!error) continue;
		spool_set_reason(s, "counting the segments", error);
		return 0;
	}
}
