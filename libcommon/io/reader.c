/* reader - reads a descriptor in large blocks and hands out whole lines in place. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/diag.h"

enum { OVERLONG_KEPT = 64 * 1024 + 4 }; /* of a line over the limit: what its reject record holds, and the rest of a character cut there */

/* The new memory is zeroed by the kernel, page by page as it is used: the scanner may look (harmlessly) at what was never read. */
static void resize(struct reader *r, size_t capacity)
{
	char *data = must_alloc(capacity + 1 + READER_PADDING);
	if (r->filled) memcpy(data, r->data, r->filled);
	free(r->data);
	r->data = data;
	r->capacity = capacity;
}

void reader_init(struct reader *r, size_t line_limit_bytes)
{
	*r = (struct reader){ .fd = -1, .name = "", .line_limit = line_limit_bytes, .ended = true };
	resize(r, READER_BLOCK);
}

void reader_release(struct reader *r)
{
	free(r->data);
	r->data = NULL;
}

void reader_open(struct reader *r, int fd, const char *name)
{
	struct stat status;
	r->fd = fd;
	r->name = name;
	r->at = r->lines_end = r->filled = 0;
	r->lines = r->bytes = r->skipped = 0;
	r->skipping = r->told = r->ended = r->follows = r->careful = r->cut = false;
	r->error = 0;
	r->polls = fstat(fd, &status) < 0 || !S_ISREG(status.st_mode);
	if (r->polls && S_ISFIFO(status.st_mode)) fcntl(fd, F_SETPIPE_SZ, 1 << 20);
	else if (!r->polls) posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (fd == STDIN_FILENO && r->polls && isatty(fd)) diag_warn("reading what is typed here; Ctrl-D ends it");
}

/* Moves the start of the last, unfinished line to the front, and makes room behind it. */
static void make_room(struct reader *r)
{
	if (r->at) {
		r->filled -= r->at;
		if (r->filled) memmove(r->data, r->data + r->at, r->filled);
		r->at = r->lines_end = 0;
	}
	if (r->capacity - r->filled < READER_BLOCK / 2) resize(r, r->capacity * 2);
}

/* A line has passed the limit: from now on only its first bytes are kept, at the front, and the rest is counted. */
static enum reader_fill begin_skipping(struct reader *r)
{
	r->skipping = true;
	r->skipped = r->filled - r->at;
	if (r->at) memmove(r->data, r->data + r->at, r->skipped < OVERLONG_KEPT ? r->skipped : OVERLONG_KEPT);
	r->at = r->lines_end = 0;
	r->filled = r->skipped < OVERLONG_KEPT ? r->skipped : OVERLONG_KEPT;
	return READER_NOTHING;
}

static enum reader_fill tell_overlong(struct reader *r)
{
	r->told = true;
	r->lines++;
	return READER_OVERLONG;
}

struct span reader_overlong(const struct reader *r, uint64_t *length)
{
	*length = r->skipped;
	return (struct span){ r->data, r->skipped < OVERLONG_KEPT ? r->skipped : OVERLONG_KEPT };
}

/* What was just read lies behind the kept bytes, at [filled, filled + got). */
static enum reader_fill skip_some(struct reader *r, size_t got)
{
	char *start = r->data + r->filled, *newline = memchr(start, '\n', got);
	if (!newline) {
		r->skipped += got;
		r->filled += got;
		if (r->filled > OVERLONG_KEPT) r->filled = OVERLONG_KEPT;
		return READER_NOTHING;
	}
	size_t of_line = (size_t)(newline - start);
	r->skipped += of_line;
	r->at = r->filled + of_line + 1;
	r->filled += got;
	char *last = memrchr(r->data + r->at, '\n', r->filled - r->at);
	r->lines_end = last ? (size_t)(last - r->data) + 1 : r->at;
	return tell_overlong(r);
}

static enum reader_fill finish(struct reader *r)
{
	r->ended = true;
	if (r->skipping) {
		r->at = r->lines_end = r->filled = 0;
		return tell_overlong(r);
	}
	if (r->filled == r->at) return READER_END;
	r->data[r->filled++] = '\n';
	r->lines_end = r->filled;
	return READER_LINES;
}

enum reader_fill reader_fill(struct reader *r)
{
	if (r->told) r->told = r->skipping = false;
	if (r->at < r->lines_end) return READER_LINES;
	if (r->ended) return READER_END;
	if (r->cut) return finish(r);
	if (!r->skipping) make_room(r);
	ssize_t got = read(r->fd, r->data + r->filled, r->careful ? 1 : r->capacity - r->filled);
	if (got < 0) {
		if (errno == EINTR || errno == EAGAIN) return READER_NOTHING;
		r->error = errno;
		return READER_ERROR;
	}
	if (got == 0) return r->follows ? READER_NOTHING : finish(r);
	r->bytes += (uint64_t)got;
	if (r->skipping) return skip_some(r, (size_t)got);
	char *newline = memrchr(r->data + r->filled, '\n', (size_t)got);
	r->filled += (size_t)got;
	if (newline) {
		r->lines_end = (size_t)(newline - r->data) + 1;
		return READER_LINES;
	}
	return r->filled - r->at > r->line_limit ? begin_skipping(r) : READER_NOTHING;
}
