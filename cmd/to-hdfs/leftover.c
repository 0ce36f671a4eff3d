/* leftover - the unsealed file of a stream's run that was killed: cut to its last whole line, and known by its checksum. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "staging_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/diag.h"

void leftover_add(struct staging *s, struct staging_run *run, int number)
{
	struct staging_leftover *l = must_alloc(sizeof *l), **end = &s->leftovers;
	*l = (struct staging_leftover){ .run = run, .number = number };
	while (*end) end = &(*end)->next;
	*end = l;
	run->leftovers++;
}

static ssize_t read_block(int fd, char *block, size_t length, off_t at)
{
	ssize_t got;
	do got = pread(fd, block, length, at);
	while (got < 0 && errno == EINTR);
	return got;
}

/* Where its last whole line ends; looked for from behind, a block at a time. Below 0: errno. */
static off_t whole_length(int fd, char *block)
{
	struct stat status;
	if (fstat(fd, &status) < 0) return -1;
	for (off_t end = status.st_size; end > 0;) {
		off_t start = end > STAGING_BLOCK ? end - STAGING_BLOCK : 0;
		ssize_t got = read_block(fd, block, (size_t)(end - start), start);
		if (got < 0) return -1;
		const char *newline = memrchr(block, '\n', (size_t)got);
		if (newline) return start + (newline + 1 - block);
		end = start;
	}
	return 0;
}

static bool sum_up(struct staging_leftover *l, int fd, char *block)
{
	struct checksum *sum = checksum_new();
	ssize_t got = sum ? 1 : -1;
	for (off_t at = 0; got > 0 && (uint64_t)at < l->bytes; at += got) {
		uint64_t rest = l->bytes - (uint64_t)at;
		got = read_block(fd, block, rest < STAGING_BLOCK ? (size_t)rest : STAGING_BLOCK, at);
		if (got == 0) errno = EIO; /* somebody has cut it */
		if (got <= 0) break;
		checksum_add(sum, (struct span){ block, (size_t)got });
		for (const char *p = block, *end = block + got; (p = memchr(p, '\n', (size_t)(end - p))); p++) l->records++;
	}
	if (sum) l->sum = checksum_value_wide(sum);
	checksum_free(sum);
	return got > 0;
}

/* False: errno, or 0: there is nothing in it. */
static bool read_lines(struct staging_leftover *l, char *block)
{
	int fd = staging_open_file(l->run, l->number, STAGING_LINES, O_RDWR);
	if (fd < 0) return false;
	off_t length = whole_length(fd, block);
	bool ok = length >= 0 && ftruncate(fd, length) == 0;
	if (ok) l->bytes = (uint64_t)length;
	ok = ok && length > 0 && sum_up(l, fd, block);
	int error = length == 0 ? 0 : errno;
	close(fd);
	errno = error;
	return ok;
}

static void leave_there(struct staging *s, struct staging_leftover *l, int error)
{
	diag_error("reading %s/%s/%d.ndjson: %s (it stays there)", s->path, l->run->name, l->number, strerror(error));
	l->run->kept_back = true;
	leftover_drop(s, l);
}

void leftover_read_new(struct staging *s)
{
	char *block = NULL;
	for (struct staging_leftover *l = s->leftovers, *next; l; l = next) {
		next = l->next;
		if (l->dir) continue;
		if (!block) block = must_alloc(STAGING_BLOCK);
		int error = staging_read_dir(l->run, l->number, &l->dir, &l->file, &l->before);
		bool empty = !error && !read_lines(l, block) && !(error = errno);
		if (empty) leftover_forget(s, l);
		else if (error) leave_there(s, l, error);
	}
	free(block);
}

void leftover_drop(struct staging *s, struct staging_leftover *l)
{
	struct staging_leftover **at = &s->leftovers;
	while (*at != l) at = &(*at)->next;
	*at = l->next;
	l->run->leftovers--;
	staging_run_leave(s, l->run);
	free(l->dir);
	free(l);
}

void leftover_forget(struct staging *s, struct staging_leftover *l)
{
	staging_unlink(l->run, l->number, STAGING_LINES);
	staging_unlink(l->run, l->number, STAGING_DIR);
	leftover_drop(s, l);
}
