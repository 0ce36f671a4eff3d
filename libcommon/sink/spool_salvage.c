/* spool_salvage - what is good and what is not in a segment that a crash has left open. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool_salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "envelope/envelope.h"
#include "io/diag.h"
#include "io/reader.h"
#include "io/writer.h"

enum { BLOCK = 64 * 1024 };

int salvage_open(struct salvage *v, int dir_fd, const char *path, const struct segment *segment)
{
	struct stat status;
	*v = (struct salvage){ .dir_fd = dir_fd, .path = path, .segment = *segment };
	segment_name(v->open_name, segment, SEGMENT_OPEN);
	v->fd = openat(dir_fd, v->open_name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (v->fd < 0) return errno;
	if (!spool_is_plain(v->fd) || fstat(v->fd, &status) < 0) {
		int error = errno;
		close(v->fd);
		return error;
	}
	v->size = (uint64_t)status.st_size;
	v->checksum = checksum_new();
	if (!v->checksum) die(EXIT_INTERNAL, "no memory for a checksum");
	return 0;
}

void salvage_close(struct salvage *v)
{
	close(v->fd);
	checksum_free(v->checksum);
}

static ssize_t read_at(int fd, char *to, size_t length, uint64_t at)
{
	ssize_t got;
	do got = pread(fd, to, length, (off_t)at);
	while (got < 0 && errno == EINTR);
	return got;
}

int salvage_find_end(struct salvage *v)
{
	char *block = must_alloc(BLOCK);
	uint64_t end = v->size;
	int error = 0;
	v->whole = 0;
	while (end && !v->whole && !error) {
		uint64_t from = end > BLOCK ? end - BLOCK : 0;
		ssize_t got = read_at(v->fd, block, (size_t)(end - from), from);
		const char *newline = got > 0 ? memrchr(block, '\n', (size_t)got) : NULL;
		if (got < 0) error = errno;
		if (newline) v->whole = from + (uint64_t)(newline + 1 - block);
		end = from;
	}
	free(block);
	return error;
}

/* --- line by line --- */

struct walk {
	struct reader reader;
	struct scan scan;
	uint64_t next;             /* where the next line begins */
	uint64_t at, length;       /* the line in hand, newline included */
	struct span line;          /* without it; data is NULL if it was too long to be held */
	bool good, trailer;
	struct segment_trailer said; /* of a trailer */
};

static void walk_begin(struct walk *w, const struct salvage *v)
{
	*w = (struct walk){ 0 };
	if (!scan_init(&w->scan)) die(EXIT_INTERNAL, "no memory to scan lines");
	reader_init(&w->reader, SALVAGE_LINE_MAX);
	reader_open(&w->reader, v->fd, v->open_name);
}

static void walk_end(struct walk *w)
{
	reader_release(&w->reader);
	scan_release(&w->scan);
}

static void walk_take(struct walk *w, const struct salvage *v)
{
	struct reader *r = &w->reader;
	struct envelope envelope;
	struct envelope_fault fault;
	size_t length = scan_line(&w->scan, r->data + r->at, r->data + r->lines_end);
	w->line = reader_take(r, length);
	w->length = length + 1;
	w->trailer = segment_trailer_parse(w->line, v->segment.stem, &w->said);
	if (!w->trailer && errno == ENOMEM) die(EXIT_INTERNAL, "no memory for a segment's trailer");
	w->good = !w->trailer && envelope_parse(&envelope, &w->scan, w->line, &fault) == ENVELOPE_GOOD;
}

/* The next line: 1, 0 at the end, -1 with errno. */
static int walk_next(struct walk *w, const struct salvage *v)
{
	struct reader *r = &w->reader;
	w->at = w->next;
	while (!reader_has_line(r)) {
		enum reader_fill fill = reader_fill(r);
		if (fill == READER_END) return 0;
		if (fill == READER_ERROR) {
			errno = r->error ? r->error : EIO;
			return -1;
		}
		if (fill == READER_OVERLONG) {
			reader_overlong(r, &w->length);
			w->length++;
			w->line = (struct span){ NULL, 0 };
			w->good = w->trailer = false;
			w->next += w->length;
			return 1;
		}
	}
	walk_take(w, v);
	w->next += w->length;
	return 1;
}

static bool is_right_trailer(const struct salvage *v, const struct segment_trailer *said)
{
	return said->records == v->good.records && said->bytes == v->good.bytes && said->checksum == checksum_value(v->checksum);
}

int salvage_judge(struct salvage *v)
{
	struct walk w;
	bool in_bad = false;
	int more;
	if (lseek(v->fd, 0, SEEK_SET) < 0) return errno;
	walk_begin(&w, v);
	while ((more = walk_next(&w, v)) > 0) {
		if (w.good) {
			checksum_add(v->checksum, (struct span){ w.line.data, w.length });
			v->good.records++;
			v->good.bytes += w.length;
			in_bad = false;
			continue;
		}
		if (w.trailer && w.next == v->size && !v->bad_pieces && is_right_trailer(v, &w.said)) {
			v->has_trailer = true;
			continue;
		}
		if (!v->bad_pieces) v->first_bad = w.at;
		v->bad_pieces += !in_bad;
		in_bad = true;
	}
	int error = more < 0 ? errno : 0;
	v->good.checksum = checksum_value(v->checksum);
	walk_end(&w);
	return error;
}

static int copy_range(int from_fd, uint64_t from, uint64_t to, struct writer *out)
{
	char *block = must_alloc(BLOCK);
	int error = 0;
	while (from < to && !error) {
		ssize_t got = read_at(from_fd, block, to - from < BLOCK ? (size_t)(to - from) : BLOCK, from);
		if (got <= 0) error = got < 0 ? errno : EIO;
		else if (!writer_bytes(out, (struct span){ block, (size_t)got })) error = out->error;
		else from += (uint64_t)got;
	}
	free(block);
	return error;
}

static int copy_lines(struct salvage *v, struct writer *out, bool good)
{
	struct walk w;
	int more, error = 0;
	if (lseek(v->fd, 0, SEEK_SET) < 0) return errno;
	walk_begin(&w, v);
	while (!error && (more = walk_next(&w, v)) != 0) {
		if (more < 0) error = errno;
		else if (w.good == good) error = copy_range(v->fd, w.at, w.at + w.length > v->size ? v->size : w.at + w.length, out);
	}
	walk_end(&w);
	return error;
}

/* The writer closes its descriptor, which the caller still wants. */
static int finish(struct writer *out, int error)
{
	bool written = writer_close(out);
	return error ? error : written ? 0 : out->error;
}

int salvage_copy_lines(struct salvage *v, int to, bool good)
{
	struct writer out;
	int copy = fcntl(to, F_DUPFD_CLOEXEC, 0);
	if (copy < 0) return errno;
	writer_open(&out, copy, v->open_name, BLOCK);
	return finish(&out, copy_lines(v, &out, good));
}

/* If the writer ended because an fsync had failed, what we read may be in memory only, and the next fsync would not know: so that it must write
 * everything again, everything is changed, to what it was. Without room for that (some filesystems never write in place) it is left as it is. */
int salvage_rewrite(struct salvage *v)
{
	char *block = must_alloc(BLOCK);
	int error = 0;
	for (uint64_t at = 0; at < v->size && !error;) {
		ssize_t got = read_at(v->fd, block, v->size - at < BLOCK ? (size_t)(v->size - at) : BLOCK, at), put;
		if (got <= 0) error = got < 0 ? errno : EIO;
		if (error) break;
		do put = pwrite(v->fd, block, (size_t)got, (off_t)at);
		while (put < 0 && errno == EINTR);
		if (put <= 0) error = put < 0 ? errno : EIO;
		else at += (uint64_t)put;
	}
	free(block);
	return spool_is_shortage(error) ? 0 : error;
}

int salvage_trailer(struct salvage *v, int to, off_t at)
{
	struct buffer trailer;
	size_t written;
	buffer_init(&trailer, SEGMENT_TRAILER_MAX);
	if (!segment_trailer_append(&trailer, v->segment.stem, &v->good)) die(EXIT_INTERNAL, "no memory for a segment's trailer");
	int error = lseek(to, at, SEEK_SET) < 0 ? errno : spool_write_at_end(to, buffer_span(&trailer), &written);
	/* A part of it would be a torn tail to the next recovery: harmless, but it would be kept for nothing. */
	if (error && ftruncate(to, at) < 0) error = errno;
	buffer_release(&trailer);
	return error;
}

/* --- quarantine/ --- */

static bool same_content(int a_fd, int b_fd)
{
	struct stat a, b;
	if (fstat(a_fd, &a) < 0 || fstat(b_fd, &b) < 0 || a.st_size != b.st_size) return false;
	char *blocks = must_alloc(2 * (size_t)BLOCK);
	bool same = true;
	for (uint64_t at = 0; same && at < (uint64_t)a.st_size; at += BLOCK) {
		ssize_t got = read_at(a_fd, blocks, BLOCK, at);
		same = got > 0 && read_at(b_fd, blocks + BLOCK, BLOCK, at) == got && memcmp(blocks, blocks + BLOCK, (size_t)got) == 0;
	}
	free(blocks);
	return same;
}

/* The name for a piece: a free one from number `n` on; true if the one with the same content as `fd` is there already. */
static bool find_name(struct salvage *v, int quarantine_fd, int fd, uint64_t n)
{
	struct stat there;
	for (;; n++) {
		snprintf(v->last_piece, sizeof v->last_piece, "%s.%" PRIu64, v->segment.stem, n);
		if (fstatat(quarantine_fd, v->last_piece, &there, AT_SYMLINK_NOFOLLOW) < 0) return false;
		int other = openat(quarantine_fd, v->last_piece, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		bool same = other >= 0 && same_content(fd, other);
		if (other >= 0) close(other);
		if (same) return true;
	}
}

static void book_piece(struct salvage *v, uint64_t pieces, uint64_t bytes)
{
	v->pieces += pieces;
	v->pieces_bytes += bytes;
}

static int fill_piece(struct salvage *v, int fd, uint64_t from, uint64_t to)
{
	struct writer out;
	if (from == UINT64_MAX) return salvage_copy_lines(v, fd, false);
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0) return errno;
	writer_open(&out, copy, v->open_name, BLOCK);
	return finish(&out, copy_range(v->fd, from, to, &out));
}

/* Fills the temporary file, and gives it its name there. */
static int place_piece(struct salvage *v, int quarantine_fd, int fd, const char *temporary, uint64_t from, uint64_t to)
{
	int error = fill_piece(v, fd, from, to);
	if (!error) error = spool_sync_fd(fd, false);
	if (error) return error;
	bool there = find_name(v, quarantine_fd, fd, from == UINT64_MAX ? v->first_bad : from);
	if (!there && renameat(v->dir_fd, temporary, quarantine_fd, v->last_piece) < 0) return errno;
	error = spool_sync_fd(quarantine_fd, false);
	if (!error) error = spool_sync_fd(v->dir_fd, false);
	off_t length = lseek(fd, 0, SEEK_END);
	if (!error) book_piece(v, from == UINT64_MAX ? v->bad_pieces : 1, length > 0 ? (uint64_t)length : 0);
	return error;
}

int salvage_quarantine(struct salvage *v, uint64_t from, uint64_t to)
{
	char temporary[SPOOL_NAME_MAX];
	int quarantine_fd = spool_subdirectory(v->dir_fd, "quarantine");
	if (quarantine_fd < 0) return errno;
	spool_temporary_name(temporary, v->segment.stem, "piece");
	int fd = openat(v->dir_fd, temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), error = fd < 0 ? errno : 0;
	if (!error) {
		error = place_piece(v, quarantine_fd, fd, temporary, from, to);
		close(fd);
		unlinkat(v->dir_fd, temporary, 0); /* still there if it failed, or if the piece was there */
	}
	close(quarantine_fd);
	return error;
}

int salvage_quarantine_file(struct salvage *v, const char *name)
{
	struct stat status;
	int quarantine_fd = spool_subdirectory(v->dir_fd, "quarantine");
	if (quarantine_fd < 0) return errno;
	uint64_t n = 0;
	do snprintf(v->last_piece, sizeof v->last_piece, "%s.%" PRIu64, v->segment.stem, n++);
	while (fstatat(quarantine_fd, v->last_piece, &status, AT_SYMLINK_NOFOLLOW) == 0);
	int error = 0;
	if (fstatat(v->dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || renameat(v->dir_fd, name, quarantine_fd, v->last_piece) < 0) error = errno;
	if (!error) error = spool_sync_fd(quarantine_fd, false);
	if (!error) error = spool_sync_fd(v->dir_fd, false);
	if (!error) book_piece(v, 1, (uint64_t)status.st_size);
	close(quarantine_fd);
	return error;
}
