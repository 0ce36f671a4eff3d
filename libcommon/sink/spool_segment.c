/* spool_segment - the open segment of a spool: created, written, synced and sealed, each in the order that a crash may cut anywhere. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "io/diag.h"
#include "io/socket.h"

void spool_set_reason(struct spool *s, const char *what, int error)
{
	snprintf(s->reason, sizeof s->reason, "%s%s%s", what, *what ? ": " : "", strerror(error));
}

enum spool_result spool_fail(struct spool *s, const char *what, int error)
{
	spool_set_reason(s, what, error);
	s->failed = true;
	spool_behind_wait(s);
	/* Never synced again: the kernel may have dropped the pages and would say yes. */
	if (s->fd >= 0) close(s->fd);
	s->fd = -1;
	return SPOOL_FAILED;
}

static enum spool_result fall_short(struct spool *s, const char *what, int error)
{
	if (!spool_is_shortage(error)) return spool_fail(s, what, error);
	spool_set_reason(s, what, error);
	s->room_helps = error == ENOSPC || error == EDQUOT;
	return SPOOL_FULL;
}

uint64_t spool_count_lines(struct span bytes)
{
	uint64_t lines = 0;
	const char *end = bytes.data + bytes.length;
	for (const char *at = bytes.data; at < end && (at = memchr(at, '\n', (size_t)(end - at))); at++) lines++;
	return lines;
}

enum spool_result spool_segment_create(struct spool *s)
{
	char name[SEGMENT_NAME_MAX];
	int fd;
	do {
		segment_make(&s->segment, s->next_number, timestamp_now());
		segment_name(name, &s->segment, SEGMENT_OPEN);
		fd = openat(s->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_APPEND, 0600);
	} while (fd < 0 && (errno == EINTR || errno == EEXIST));
	if (fd < 0) return fall_short(s, "a new segment", errno);
	s->fd = fd;
	spool_lock_recovered(s->lock_fd, ++s->next_number);
	s->body = (struct segment_trailer){ 0 };
	checksum_reset(s->checksum);
	s->name_synced = false;
	s->begun_ms = socket_clock_ms();
	return SPOOL_DONE;
}

/* Cuts what was written behind the last whole line, so that nothing torn is ever seen. */
static int cut_back(struct spool *s)
{
	int result;
	do result = ftruncate(s->fd, (off_t)s->body.bytes);
	while (result < 0 && errno == EINTR);
	return result < 0 ? errno : 0;
}

static void book_written(struct spool *s, size_t length)
{
	struct span lines = { s->pending.data, length };
	uint64_t count = length == s->pending.length ? s->pending_lines : spool_count_lines(lines);
	checksum_add(s->checksum, lines);
	s->body.bytes += length;
	s->body.records += count;
	s->unsynced_bytes += length;
	s->unsynced_lines += count;
	s->pending_lines -= count;
	buffer_drop(&s->pending, length);
}

enum spool_result spool_segment_write(struct spool *s, size_t length)
{
	size_t written;
	int error = spool_write_at_end(s->fd, (struct span){ s->pending.data, length }, &written);
	if (!error) {
		book_written(s, length);
		return SPOOL_DONE;
	}
	const char *last = written ? memrchr(s->pending.data, '\n', written) : NULL;
	size_t whole = last ? (size_t)(last + 1 - s->pending.data) : 0;
	if (whole) book_written(s, whole);
	int cut = whole < written ? cut_back(s) : 0;
	if (cut && spool_is_shortage(error)) return spool_fail(s, "cutting off a line that was written in part", cut);
	return fall_short(s, "writing", error);
}

void spool_segment_hurry(const struct spool *s)
{
	if (s->fd >= 0 && s->options.sync == SPOOL_SYNC_BATCH) sync_file_range(s->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static void book_committed(struct spool *s)
{
	s->counts.committed += s->unsynced_lines;
	s->unsynced_bytes = s->unsynced_lines = 0;
}

/* fsync of the directory: the names in it are on disk. */
static enum spool_result sync_directory(struct spool *s)
{
	int error = spool_sync_fd(s->dir_fd, false);
	if (error) return spool_fail(s, "fsync of the directory", error);
	s->name_synced = true;
	return SPOOL_DONE;
}

static enum spool_result sync_data(struct spool *s)
{
	int error = spool_sync_fd(s->fd, true);
	if (error) return spool_fail(s, "fsync", error);
	s->counts.syncs++;
	return SPOOL_DONE;
}

static enum spool_result wait_behind(struct spool *s)
{
	int error = spool_behind_wait(s);
	return error ? spool_fail(s, "fsync", error) : SPOOL_DONE;
}

enum spool_result spool_segment_sync_behind(struct spool *s)
{
	if (wait_behind(s) != SPOOL_DONE) return SPOOL_FAILED;
	if (s->fd < 0 || !s->unsynced_lines) return SPOOL_DONE;
	return spool_behind_start(s) ? SPOOL_DONE : spool_segment_sync(s);
}

enum spool_result spool_segment_sync(struct spool *s)
{
	if (wait_behind(s) != SPOOL_DONE) return SPOOL_FAILED;
	if (s->options.sync != SPOOL_SYNC_NONE && s->fd >= 0 && s->unsynced_lines) {
		if (sync_data(s) != SPOOL_DONE) return SPOOL_FAILED;
		if (!s->name_synced && sync_directory(s) != SPOOL_DONE) return SPOOL_FAILED;
	}
	book_committed(s);
	return SPOOL_DONE;
}

/* The trailer could not be written, or the sealed name not be made: back to an open segment, whose lines are committed at least. */
static enum spool_result stay_open(struct spool *s, const char *what, int error)
{
	int cut = cut_back(s);
	if (cut) return spool_fail(s, "cutting off a trailer", cut);
	if (spool_segment_sync(s) != SPOOL_DONE) return SPOOL_FAILED;
	return fall_short(s, what, error);
}

static int write_trailer(struct spool *s)
{
	struct buffer trailer;
	size_t written;
	s->body.checksum = checksum_value(s->checksum);
	buffer_init(&trailer, SEGMENT_TRAILER_MAX);
	if (!segment_trailer_append(&trailer, s->segment.stem, &s->body)) die(EXIT_INTERNAL, "no memory for a segment's trailer");
	int error = spool_write_at_end(s->fd, buffer_span(&trailer), &written);
	buffer_release(&trailer);
	return error;
}

/* The .open file goes only once the compressed one has its name on disk: at each moment one of the two is there and whole. Whoever has taken
 * that out meanwhile has removed the .open one with it. */
static int seal_compressed(struct spool *s, const char *open_name)
{
	char temporary[SPOOL_NAME_MAX], name[SEGMENT_NAME_MAX];
	spool_temporary_name(temporary, s->segment.stem, "zst");
	segment_name(name, &s->segment, SEGMENT_COMPRESSED);
	int error = spool_compress_file(s->dir_fd, s->fd, temporary);
	if (!error && renameat(s->dir_fd, temporary, s->dir_fd, name) < 0) error = errno;
	if (error) {
		unlinkat(s->dir_fd, temporary, 0);
		return error;
	}
	if (sync_directory(s) == SPOOL_DONE && unlinkat(s->dir_fd, open_name, 0) < 0 && errno != ENOENT)
		spool_fail(s, "removing a segment that was compressed", errno);
	return 0;
}

/* Gives it its sealed name, compressed if so wished; what cannot be compressed is sealed as it is. */
static enum spool_result rename_sealed(struct spool *s)
{
	char open_name[SEGMENT_NAME_MAX], name[SEGMENT_NAME_MAX];
	segment_name(open_name, &s->segment, SEGMENT_OPEN);
	segment_name(name, &s->segment, SEGMENT_SEALED);
	if (s->options.compress) {
		int error = seal_compressed(s, open_name);
		if (!error) return s->failed ? SPOOL_FAILED : SPOOL_DONE;
		if (!s->compress_told) diag_warn("%s: compressing a segment: %s (it stays as it is)", s->path, strerror(error));
		s->compress_told = true;
	}
	if (renameat(s->dir_fd, open_name, s->dir_fd, name) < 0) return stay_open(s, "sealing a segment", errno);
	return SPOOL_DONE;
}

enum spool_result spool_segment_seal(struct spool *s)
{
	if (wait_behind(s) != SPOOL_DONE) return SPOOL_FAILED;
	int error = write_trailer(s);
	if (error) return stay_open(s, "sealing a segment", error);
	if (sync_data(s) != SPOOL_DONE) return SPOOL_FAILED;
	enum spool_result renamed = rename_sealed(s);
	if (renamed != SPOOL_DONE) return renamed;
	if (sync_directory(s) != SPOOL_DONE) return SPOOL_FAILED;
	book_committed(s);
	off_t length = lseek(s->fd, 0, SEEK_END);
	close(s->fd);
	s->fd = -1;
	s->counts.segments_sealed++;
	if (!s->sealed_segments++) s->oldest_begun = s->segment.begun;
	s->sealed_bytes += length > 0 ? (uint64_t)length : s->body.bytes;
	return SPOOL_DONE;
}
