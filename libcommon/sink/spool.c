/* spool - a directory of segments that holds envelopes until they are delivered: what its one writer does, line by line. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool_private.h"

#include <stdlib.h>
#include <unistd.h>

#include "io/diag.h"
#include "io/socket.h"

/* Full: the open segment is sealed, so that whoever takes out can have it, and the next try comes later and later. */
static enum spool_result found_full(struct spool *s)
{
	char reason[SPOOL_REASON_MAX];
	memcpy(reason, s->reason, sizeof reason);
	if (s->fd >= 0 && s->body.records && spool_segment_seal(s) == SPOOL_FAILED) return SPOOL_FAILED;
	memcpy(s->reason, reason, sizeof reason);
	if (!s->full) {
		s->full = true;
		s->counts.waits++;
		s->backoff_ms = SPOOL_BACKOFF_MIN_MS;
	}
	else if ((s->backoff_ms *= 2) > SPOOL_BACKOFF_MAX_MS) s->backoff_ms = SPOOL_BACKOFF_MAX_MS;
	s->retry_ms = socket_clock_ms() + s->backoff_ms;
	return SPOOL_FULL;
}

/* The pending lines that still belong to the open segment: up to the one with which it is long enough. */
static size_t next_piece(const struct spool *s)
{
	uint64_t there = s->fd >= 0 ? s->body.bytes : 0, most = s->options.segment_bytes;
	size_t length = s->pending.length;
	if (there >= most || length <= most - there) return length;
	size_t from = (size_t)(most - there) - 1;
	const char *newline = memchr(s->pending.data + from, '\n', length - from);
	return newline ? (size_t)(newline + 1 - s->pending.data) : length;
}

static bool is_long_enough(const struct spool *s)
{
	return s->fd >= 0 && s->body.bytes >= s->options.segment_bytes;
}

static enum spool_result write_piece(struct spool *s)
{
	size_t length = spool_limits_room(s, next_piece(s));
	if (!length) return SPOOL_FULL;
	if (s->fd < 0) {
		enum spool_result created = spool_segment_create(s);
		if (created != SPOOL_DONE) return created;
	}
	return spool_segment_write(s, length);
}

static enum spool_result write_pending(struct spool *s)
{
	while (s->pending.length) {
		enum spool_result result = write_piece(s);
		if (result == SPOOL_FULL && !spool_limits_drop(s)) return s->failed ? SPOOL_FAILED : found_full(s);
		/* A segment that cannot be sealed for want of room stays open, and goes on growing when there is some again. */
		if (result != SPOOL_FAILED && is_long_enough(s)) result = spool_segment_seal(s);
		if (result == SPOOL_FAILED) return SPOOL_FAILED;
	}
	s->full = false;
	return SPOOL_DONE;
}

enum spool_result spool_write(struct spool *s)
{
	if (s->failed) return SPOOL_FAILED;
	if (s->full && socket_clock_ms() < s->retry_ms) return SPOOL_FULL;
	return write_pending(s);
}

enum spool_result spool_commit(struct spool *s)
{
	if (s->failed) return SPOOL_FAILED;
	enum spool_result written = write_pending(s);
	if (written == SPOOL_FAILED) return SPOOL_FAILED;
	/* What found room is committed even if the rest did not. */
	enum spool_result synced = spool_segment_sync(s);
	return synced == SPOOL_DONE ? written : synced;
}

enum spool_result spool_seal(struct spool *s)
{
	if (s->failed) return SPOOL_FAILED;
	enum spool_result written = write_pending(s);
	if (written != SPOOL_DONE) return written;
	if (s->fd < 0 || !s->body.records) return SPOOL_DONE;
	enum spool_result sealed = spool_segment_seal(s);
	if (sealed == SPOOL_FULL) s->seal_again_ms = socket_clock_ms() + SPOOL_BACKOFF_MAX_MS; /* its age stays: it would be due at once */
	return sealed;
}

static void take(struct spool *s, struct span line)
{
	if (s->counts.appended == s->counts.committed) s->oldest_line_ms = socket_clock_ms();
	if (!buffer_append_span(&s->pending, line) || !buffer_append_byte(&s->pending, '\n')) die(EXIT_INTERNAL, "no memory for a line of %zu bytes", line.length);
	s->pending_lines++;
	s->counts.appended++;
}

/* Committed at once, or not taken. */
static enum spool_result append_each(struct spool *s, struct span line)
{
	take(s, line);
	enum spool_result result = spool_commit(s);
	if (result == SPOOL_FULL && s->pending.length) {
		s->pending.length -= line.length + 1;
		s->pending_lines--;
		s->counts.appended--;
	}
	return result;
}

/* Of a batch that grows, pieces are written before its commit is due, and the disk works on them while the next lines come: an fdatasync of 1 MiB
 * took 0.7 ms instead of 1.2. */
enum { PIECE_BYTES = 256 * 1024 };

static enum spool_result write_ahead(struct spool *s)
{
	enum spool_result written = write_pending(s);
	if (written == SPOOL_DONE) spool_segment_hurry(s);
	return written == SPOOL_FAILED ? SPOOL_FAILED : SPOOL_DONE; /* what finds no room now is taken all the same, and waits in memory */
}

/* A full batch: the one before is committed now, and this one is being synced. */
static enum spool_result commit_behind(struct spool *s)
{
	if (s->options.sync != SPOOL_SYNC_BATCH || write_pending(s) != SPOOL_DONE) return spool_commit(s);
	s->oldest_line_ms = socket_clock_ms();
	return spool_segment_sync_behind(s);
}

enum spool_result spool_append(struct spool *s, struct span line)
{
	if (s->failed) return SPOOL_FAILED;
	if (line.length > s->options.line_limit || (line.length && memchr(line.data, '\n', line.length)))
		die(EXIT_INTERNAL, "a line for the spool %s is longer than %llu bytes or has a newline in it", s->path, (unsigned long long)s->options.line_limit);
	if (s->full && socket_clock_ms() < s->retry_ms) return SPOOL_FULL;
	uint64_t uncommitted = s->unsynced_bytes - spool_behind_bytes(s) + s->pending.length;
	bool each = s->options.sync == SPOOL_SYNC_EACH;
	if (uncommitted && (each || s->full || uncommitted + line.length + 1 > s->options.sync_bytes)) {
		enum spool_result result = s->options.behind && !s->full ? commit_behind(s) : spool_commit(s);
		if (result != SPOOL_DONE) return result;
	}
	if (each) return append_each(s, line);
	take(s, line);
	return s->pending.length < PIECE_BYTES ? SPOOL_DONE : write_ahead(s);
}

/* --- by the clock --- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t seal_due_ms(const struct spool *s)
{
	if (s->fd < 0 || !s->body.records || !s->options.segment_ms) return INT64_MAX;
	int64_t due = s->begun_ms + s->options.segment_ms;
	return due > s->seal_again_ms ? due : s->seal_again_ms;
}

int64_t spool_due_ms(const struct spool *s)
{
	if (s->failed) return INT64_MAX;
	if (s->full) return s->retry_ms;
	int64_t due = seal_due_ms(s);
	return s->counts.appended > s->counts.committed ? earlier(due, s->oldest_line_ms + s->options.sync_ms) : due;
}

enum spool_result spool_attend(struct spool *s)
{
	if (s->failed) return SPOOL_FAILED;
	int64_t now = socket_clock_ms();
	if (now < spool_due_ms(s)) return s->full ? SPOOL_FULL : SPOOL_DONE;
	return now >= seal_due_ms(s) ? spool_seal(s) : spool_commit(s);
}

/* --- the end --- */

enum spool_result spool_close(struct spool *s)
{
	enum spool_result result = spool_seal(s);
	if (result == SPOOL_FULL && !spool_uncommitted(s)) {
		diag_warn("%s: the last segment could not be sealed (%s): all in it is on disk, and who opens the spool next seals it", s->path, s->reason);
		result = SPOOL_DONE;
	}
	if (s->counts.dropped_segments > 1)
		diag_warn("%s: %llu segments with %llu envelopes were dropped in all", s->path, (unsigned long long)s->counts.dropped_segments,
			(unsigned long long)s->counts.dropped_records);
	spool_behind_free(s->behind);
	if (s->fd >= 0) close(s->fd);
	close(s->lock_fd);
	close(s->dir_fd);
	checksum_free(s->checksum);
	buffer_release(&s->pending);
	free(s->path);
	free(s);
	return result;
}

struct spool_position spool_position(const struct spool *s)
{
	if (s->fd < 0) return (struct spool_position){ .segment = s->next_number };
	return (struct spool_position){ s->segment.number, s->body.records, s->body.bytes };
}

uint64_t spool_uncommitted(const struct spool *s)
{
	return s->counts.appended - s->counts.committed;
}

const char *spool_reason(const struct spool *s)
{
	return s->reason;
}

const char *spool_path(const struct spool *s)
{
	return s->path;
}

int spool_directory_fd(const struct spool *s)
{
	return s->dir_fd;
}

const struct spool_counts *spool_counts(struct spool *s)
{
	s->counts.bytes = s->sealed_bytes + (s->fd >= 0 ? s->body.bytes : 0);
	s->counts.segments = s->sealed_segments + (s->fd >= 0);
	return &s->counts;
}
