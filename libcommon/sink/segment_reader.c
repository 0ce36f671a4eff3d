/* segment_reader - hands out the body of a segment, plain or compressed, sealed or growing, and holds it against its trailer. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checksum.h"
#include "envelope/scan.h"
#include "sink/compress.h"

/*   data         at               filled       capacity + padding
 *    | handed out | lines, a rest   |  free     |
 *
 * Whether a line is the trailer shows at the end of the file, so the last whole line is held back until something follows it. */
struct segment_reader {
	int fd;
	enum segment_form form;
	char stem[SEGMENT_STEM_MAX];
	size_t line_limit;

	char *data;
	size_t at, filled, capacity;
	uint64_t file_at;               /* where the next read begins */

	struct decompress *inflate;     /* of a compressed one: */
	char *packed;
	struct span packed_rest;
	bool between_frames, broken;

	struct checksum *checksum;
	struct segment_trailer sum;     /* of what was handed out or passed over */
	bool unchecked;                 /* the first part was never read */

	uint64_t skipping;              /* bytes so far of a line over the limit; 0: in none */
	const char *damage;             /* NULL: none so far */
	bool at_end;                    /* the last read found no more bytes */
	bool done;                      /* nothing more will come */
	bool sealed;                    /* the trailer stands behind what was read */
	bool no_memory;                 /* to tell whether it does */
	struct segment_trailer trailer; /* once sealed */
};

enum {
	BLOCK = 256 * 1024,             /* as the reader of standard input */
	PACKED_BLOCK = 64 * 1024,
};
static const uint64_t SKIP_MAX = 1 << 30; /* of a line over the limit: what is longer is a bomb, and not read to its end */

/* --- opening ------------------------------------------------------------------ */

/* Root may look into a spool of another user, whose files are those of its directory's owner. */
static bool is_ours(int dir_fd, const struct stat *file)
{
	struct stat dir;
	return file->st_uid == geteuid() || (geteuid() == 0 && fstat(dir_fd, &dir) == 0 && dir.st_uid == file->st_uid);
}

/* -1 with errno. Without O_NONBLOCK a FIFO of that name would keep us for ever. */
static int open_form(int dir_fd, const struct segment *segment, enum segment_form form)
{
	char name[SEGMENT_NAME_MAX];
	struct stat status;
	segment_name(name, segment, form);
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) return -1;
	int error = 0;
	if (fstat(fd, &status) < 0) error = errno;
	else if (!S_ISREG(status.st_mode) || !is_ours(dir_fd, &status)) error = EPERM;
	else if (status.st_nlink == 0) error = ENOENT; /* it was replaced meanwhile */
	else if (status.st_nlink > 1) error = EPERM;
	if (!error) return fd;
	close(fd);
	errno = error;
	return -1;
}

/* Forms only ever go this way, so who looks for them in this order misses none. */
static int open_any(int dir_fd, const struct segment *segment, enum segment_form *form)
{
	for (*form = segment->form; *form <= SEGMENT_COMPRESSED; (*form)++) {
		int fd = open_form(dir_fd, segment, *form);
		if (fd >= 0 || errno != ENOENT) return fd;
	}
	return -1;
}

static bool resize(struct segment_reader *r, size_t capacity)
{
	char *data = calloc(1, capacity + SCAN_PADDING);
	if (!data) return false;
	if (r->filled) memcpy(data, r->data, r->filled);
	free(r->data);
	r->data = data;
	r->capacity = capacity;
	return true;
}

struct segment_reader *segment_reader_open(int dir_fd, const struct segment *segment, size_t line_limit)
{
	enum segment_form form;
	int fd = open_any(dir_fd, segment, &form);
	if (fd < 0) return NULL;
	struct segment_reader *r = calloc(1, sizeof *r);
	if (r) {
		*r = (struct segment_reader){ .fd = fd, .form = form, .line_limit = line_limit, .between_frames = true, .checksum = checksum_new() };
		memcpy(r->stem, segment->stem, sizeof r->stem);
		if (form == SEGMENT_COMPRESSED) r->inflate = decompress_new(), r->packed = malloc(PACKED_BLOCK);
		if (r->checksum && resize(r, BLOCK) && (form != SEGMENT_COMPRESSED || (r->inflate && r->packed))) return r;
		segment_reader_free(r);
	}
	else close(fd);
	errno = ENOMEM;
	return NULL;
}

void segment_reader_free(struct segment_reader *r)
{
	if (!r) return;
	close(r->fd);
	decompress_free(r->inflate);
	checksum_free(r->checksum);
	free(r->packed);
	free(r->data);
	free(r);
}

/* --- bytes -------------------------------------------------------------------- */

static void damaged(struct segment_reader *r, const char *reason)
{
	if (!r->damage) r->damage = reason;
}

/* As read(2). */
static ssize_t read_some(struct segment_reader *r, char *into, size_t room)
{
	ssize_t got;
	do got = pread(r->fd, into, room, (off_t)r->file_at);
	while (got < 0 && errno == EINTR);
	if (got > 0) r->file_at += (uint64_t)got;
	return got;
}

/* As read(2), but that it fills the room if there is enough to fill it. */
static ssize_t inflate_some(struct segment_reader *r, char *into, size_t room)
{
	size_t filled = 0;
	while (filled < room && !r->broken) {
		if (!r->packed_rest.length) {
			ssize_t got = read_some(r, r->packed, PACKED_BLOCK);
			if (got < 0) return -1;
			r->packed_rest = (struct span){ r->packed, (size_t)got };
		}
		bool no_more = r->packed_rest.length == 0;
		if (no_more && r->between_frames) break;
		size_t written = 0;
		const char *reason;
		r->broken = !decompress_step(r->inflate, &r->packed_rest, into + filled, room - filled, &written, &r->between_frames, &reason);
		if (r->broken && !reason) {
			errno = ENOMEM;
			return -1;
		}
		filled += written;
		if (no_more && !written) r->broken = true, reason = "the compressed data end in the middle";
		if (r->broken) damaged(r, reason);
	}
	return (ssize_t)filled;
}

/* Makes room for a block behind what is not handed out yet, and fills some of it. False with errno. */
static bool fill(struct segment_reader *r)
{
	if (r->at) memmove(r->data, r->data + r->at, r->filled - r->at);
	r->filled -= r->at;
	r->at = 0;
	if (r->capacity - r->filled < BLOCK / 2 && !resize(r, r->capacity * 2)) {
		errno = ENOMEM;
		return false;
	}
	char *into = r->data + r->filled;
	size_t room = r->capacity - r->filled;
	ssize_t got = r->inflate ? inflate_some(r, into, room) : read_some(r, into, room);
	if (got < 0) return false;
	r->at_end = got == 0;
	r->filled += (size_t)got;
	return true;
}

/* --- lines -------------------------------------------------------------------- */

/* Books the next bytes of the body: handed out, or passed over. */
static struct span take(struct segment_reader *r, size_t length)
{
	struct span taken = { r->data + r->at, length };
	if (!r->unchecked) checksum_add(r->checksum, taken);
	for (const char *p = taken.data, *end = p + length; (p = memchr(p, '\n', (size_t)(end - p))); p++) r->sum.records++;
	r->sum.bytes += length;
	r->at += length;
	return taken;
}

/* Passes over what has been read of a line over the limit. */
static void skip_line(struct segment_reader *r)
{
	const char *start = r->data + r->at, *newline = memchr(start, '\n', r->filled - r->at);
	size_t length = newline ? (size_t)(newline - start) + 1 : r->filled - r->at;
	damaged(r, "a line is longer than the limit");
	take(r, length);
	r->skipping = newline ? 0 : r->skipping + length;
	if (r->skipping > SKIP_MAX && r->form != SEGMENT_OPEN) r->done = true;
}

/* Where the lines that may be handed out end: none of them is over the limit, and the last whole line is held back if `hold`. *overlong: the line
 * at `at` is over it; *more: the one at the end is. */
static size_t find_end(const struct segment_reader *r, bool hold, bool *overlong, bool *more)
{
	size_t start = r->at, last = r->at;
	const char *newline;
	while ((newline = memchr(r->data + start, '\n', r->filled - start))) {
		size_t end = (size_t)(newline - r->data) + 1;
		if (end - start - 1 > r->line_limit) break;
		last = start;
		start = end;
	}
	*more = (newline ? (size_t)(newline - r->data) : r->filled) - start > r->line_limit;
	*overlong = *more && start == r->at;
	return hold && !*more ? last : start;
}

/* The last of the whole lines that end before `end`; empty if there is none. */
static struct span last_line(const struct segment_reader *r, size_t end)
{
	if (end == r->at) return (struct span){ r->data + end, 0 };
	const char *before = memrchr(r->data + r->at, '\n', end - r->at - 1);
	return span_between(before ? before + 1 : r->data + r->at, r->data + end);
}

static bool is_trailer(const struct segment_reader *r, struct span line, struct segment_trailer *trailer)
{
	uint64_t before = r->sum.bytes + (uint64_t)(line.data - (r->data + r->at));
	return line.length && segment_trailer_parse(line, r->stem, trailer) && trailer->bytes == before;
}

/* The file has no more bytes, and the whole lines end at `end`: how far they may be handed out. */
static size_t end_of_body(struct segment_reader *r, size_t end)
{
	struct stat status;
	struct span line = last_line(r, end);
	errno = 0;
	r->sealed = end == r->filled && is_trailer(r, line, &r->trailer);
	r->no_memory = !r->sealed && errno == ENOMEM;
	if (r->no_memory) return r->at; /* which is no damage: the same question again, in the next call */
	if (r->sealed) end -= line.length;
	if (r->form == SEGMENT_OPEN) {
		/* A line that is being written is read again, and so is a trailer: either may be cut off meanwhile, by a recovery, or by a writer that
		 * cannot rename the file. What was handed out they leave alone. */
		r->file_at -= r->filled - end;
		r->filled = end;
		if (fstat(r->fd, &status) == 0 && (uint64_t)status.st_size < r->file_at) r->done = true, damaged(r, "it is shorter than what was read of it");
		return end;
	}
	r->done = true;
	if (r->sealed) return end;
	if (end < r->filled) damaged(r, "it ends in a torn line");
	else if (line.length && segment_trailer_is_remains(line, r->stem)) {
		damaged(r, "its trailer is damaged, or of another body");
		return end - line.length;
	}
	damaged(r, "it has no trailer");
	return end;
}

static enum segment_read verdict(struct segment_reader *r)
{
	/* bytes are right, or it would not have counted as the trailer. */
	if (r->sealed && !r->unchecked) {
		if (checksum_value(r->checksum) != r->trailer.checksum) damaged(r, "its checksum is not that of its trailer");
		else if (r->sum.records != r->trailer.records) damaged(r, "its number of lines is not that of its trailer");
	}
	return (r->done || r->sealed) && r->damage ? SEGMENT_DAMAGED : SEGMENT_END;
}

/* SEGMENT_LINES: [at, *end) may be handed out. */
static enum segment_read prepare(struct segment_reader *r, size_t *end)
{
	bool overlong, more;
	if (r->form == SEGMENT_OPEN) r->at_end = r->sealed = false;
	while (!r->done) {
		if (r->skipping) skip_line(r);
		*end = find_end(r, !r->at_end, &overlong, &more);
		if (overlong) skip_line(r);
		else if (*end > r->at && (more || !r->at_end)) return SEGMENT_LINES;
		else if (r->at_end) {
			*end = end_of_body(r, *end);
			if (r->no_memory) {
				errno = ENOMEM;
				return SEGMENT_ERROR;
			}
			if (*end > r->at) return SEGMENT_LINES;
			break;
		}
		else if (!fill(r)) return SEGMENT_ERROR;
	}
	return verdict(r);
}

enum segment_read segment_reader_next(struct segment_reader *r, struct span *lines)
{
	size_t end;
	enum segment_read result = prepare(r, &end);
	*lines = result == SEGMENT_LINES ? take(r, end - r->at) : (struct span){ "", 0 };
	return result;
}

const char *segment_reader_reason(const struct segment_reader *r)
{
	return r->damage ? r->damage : "";
}

const struct segment_trailer *segment_reader_sum(const struct segment_reader *r)
{
	return &r->sum;
}

enum segment_form segment_reader_form(const struct segment_reader *r)
{
	return r->form;
}

bool segment_reader_is_sealed(const struct segment_reader *r)
{
	return r->sealed;
}

/* --- going on from an earlier place --------------------------------------------- */

/* The place must be the start of a line, and if the file is sealed, the trailer must stand behind it. */
static bool seek(struct segment_reader *r, uint64_t bytes)
{
	struct stat status;
	char before = '\n';
	if (fstat(r->fd, &status) < 0) return false;
	uint64_t size = (uint64_t)status.st_size;
	if (bytes > size || (bytes == size && r->form == SEGMENT_SEALED)) return false;
	if (bytes && (pread(r->fd, &before, 1, (off_t)(bytes - 1)) != 1 || before != '\n')) return false;
	r->at = r->filled = 0;
	r->file_at = bytes;
	r->sum = (struct segment_trailer){ .bytes = bytes };
	r->unchecked = bytes > 0;
	checksum_reset(r->checksum);
	return true;
}

bool segment_reader_skip(struct segment_reader *r, uint64_t bytes)
{
	size_t end;
	if (r->form != SEGMENT_COMPRESSED) return seek(r, bytes);
	while (r->sum.bytes < bytes) {
		if (prepare(r, &end) != SEGMENT_LINES) return false;
		uint64_t wanted = bytes - r->sum.bytes;
		size_t length = end - r->at;
		if (wanted < length) length = (size_t)wanted;
		if (r->data[r->at + length - 1] != '\n') return false;
		take(r, length);
	}
	return r->sum.bytes == bytes;
}

enum segment_read segment_check(int dir_fd, const struct segment *segment, size_t line_limit, struct segment_trailer *sum, const char **reason)
{
	struct span lines;
	enum segment_read result;
	struct segment_reader *r = segment_reader_open(dir_fd, segment, line_limit);
	*reason = "";
	if (!r) return SEGMENT_ERROR;
	do result = segment_reader_next(r, &lines);
	while (result == SEGMENT_LINES);
	*sum = result == SEGMENT_END && r->sealed ? r->trailer : r->sum;
	if (result == SEGMENT_END && !r->sealed) damaged(r, "it is not sealed"), result = SEGMENT_DAMAGED;
	*reason = segment_reader_reason(r); /* static text */
	int error = errno;
	segment_reader_free(r);
	errno = error;
	return result;
}
