/* reader - reads a descriptor in large blocks and hands out whole lines in place. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_READER_H
#define IO_READER_H

#include <stdint.h>
#include "base/span.h"

/*   data                 at              lines_end        filled          capacity + padding
 *    | lines given out    | whole lines   | start of a line |  free          |
 *                                         ^ just behind the last newline read
 * [at, lines_end) is what scan_line may be given: it ends with a newline, and READER_PADDING readable bytes follow. */
struct reader {
	int fd;
	const char *name;     /* of the source, for messages and rejects: a path, "-" or "sub:tcp://..." */
	char *data;
	size_t at, lines_end, filled, capacity;
	size_t line_limit;    /* --max-line */
	uint64_t lines;       /* lines given out from this source; the number of the line last given out */
	uint64_t bytes;       /* read from this source */
	size_t skipped;       /* bytes so far of the line over the limit */
	bool skipping, told;  /* in such a line; its end was told by the last reader_fill */
	bool ended, polls;    /* end of input seen; the descriptor may make us wait (not a regular file) */
	bool follows;         /* set after reader_open: end of file is READER_NOTHING, more may be appended; unset it to finish */
	bool careful;         /* set by the caller: read a byte at a time from now on, so as to stop right behind a newline */
	bool cut;             /* set by the caller: the next reader_fill ends the source with what it has of a last line */
	int error;            /* errno of the read that failed */
};

enum { READER_BLOCK = 256 * 1024, READER_PADDING = 64 };

enum reader_fill { READER_LINES, READER_NOTHING, READER_OVERLONG, READER_END, READER_ERROR };

/* Memory: READER_BLOCK, and up to line_limit more while a line longer than a block is being read. Dies without it. */
void reader_init(struct reader *, size_t line_limit_bytes);
void reader_release(struct reader *);
void reader_open(struct reader *, int fd, const char *name); /* begins a source; the buffer is kept from the one before. That a terminal is read is said: who forgot the FILE would wait for nothing */

/* One read(2). READER_LINES: [at, lines_end) is not empty now. READER_NOTHING: no newline yet (or EINTR, EAGAIN): call again
 * when the descriptor is readable. READER_OVERLONG: a line over the limit has ended; reader_overlong tells of it.
 * READER_END: the source has ended and all was given out; a last line without a newline was given one. */
enum reader_fill reader_fill(struct reader *);

/* Of the line that was too long: its first bytes (as many as are kept), and its whole length. */
struct span reader_overlong(const struct reader *, uint64_t *length);

static inline bool reader_has_line(const struct reader *r)
{
	return r->at < r->lines_end;
}

/* Whether a line has begun whose newline has not been read. Only when no whole line is left. */
static inline bool reader_in_line(const struct reader *r)
{
	return r->filled > r->at || (r->skipping && !r->told);
}

/* Marks a line of `length` bytes (without its newline) as given out. */
static inline struct span reader_take(struct reader *r, size_t length)
{
	struct span line = { r->data + r->at, length };
	r->at += length + 1;
	r->lines++;
	return line;
}

#endif
