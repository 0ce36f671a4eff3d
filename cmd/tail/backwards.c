/* backwards - finds where the last envelopes of a file begin, reading from its end. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/diag.h"
#include "sources.h"

enum { BACKWARDS_BLOCK = 256 * 1024 };

/*  file:   ......[ block just read ][ carry: start of a line whose beginning is still before us ]
 *          ^ offset                                                                                    */
struct backwards {
	char *data;
	size_t filled, capacity;
	off_t offset;         /* in the file, of data[0] */
	bool overlong;        /* the carry has been cut: its line is over --max-line, no envelope */
};

static bool read_block(struct backwards *b, int fd)
{
	size_t size = b->offset < BACKWARDS_BLOCK ? (size_t)b->offset : BACKWARDS_BLOCK;
	memmove(b->data + size, b->data, b->filled);
	for (size_t got = 0; got < size;) {
		ssize_t more = pread(fd, b->data + got, size - got, b->offset - (off_t)(size - got));
		if (more <= 0) return false;
		got += (size_t)more;
	}
	b->filled += size;
	b->offset -= (off_t)size;
	return true;
}

/* Judges the whole lines in the buffer, the last one first; each but an overlong one ends with a newline at `end`. What is left
 * is the carry. True when enough were found; `*at` is then where the last one judged begins. */
static bool judge(struct backwards *b, struct filter *f, int64_t *lines, off_t *at)
{
	while (b->filled) {
		size_t end = b->filled - 1; /* its newline */
		const char *before = memrchr(b->data, '\n', end);
		if (!before && b->offset) break;
		size_t start = before ? (size_t)(before - b->data) + 1 : 0;
		bool wanted = !b->overlong && end - start <= f->options.line_limit && filter_would_take(f, (struct span){ b->data + start, end - start });
		b->overlong = false;
		b->filled = start;
		if (!wanted) continue;
		*at = b->offset + (off_t)start;
		if (--*lines == 0) return true;
	}
	if (b->filled > f->options.line_limit + 1) {
		b->data[BACKWARDS_BLOCK] = '\n';
		b->filled = BACKWARDS_BLOCK + 1;
		b->overlong = true;
	}
	return false;
}

off_t backwards_find(int fd, int64_t lines, struct filter *f)
{
	struct stat status;
	off_t at = 0;
	char last = '\n';
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) return 0;
	if (lines == 0 || status.st_size == 0) return status.st_size;
	struct backwards b = { .offset = status.st_size, .capacity = f->options.line_limit + 3 * (size_t)BACKWARDS_BLOCK };
	b.data = must_alloc(b.capacity + READER_PADDING);
	if (pread(fd, &last, 1, status.st_size - 1) == 1 && last != '\n') b.data[b.filled++] = '\n'; /* a last line without one */
	bool found = false;
	while (!found && b.offset && read_block(&b, fd)) found = judge(&b, f, &lines, &at);
	free(b.data);
	return found ? at : 0;
}
