/* spool_compress - a sealed segment made a zstd file. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "sink/compress.h"

enum { LEVEL = 3, BLOCK = 128 * 1024 };

static int compress_all(struct compress *c, int from, int to, char *in, char *out)
{
	off_t at = 0;
	for (bool done = false, end = false; !end;) {
		ssize_t got = pread(from, in, BLOCK, at);
		if (got < 0 && errno == EINTR) continue;
		if (got < 0) return errno;
		struct span rest = { in, (size_t)got };
		at += got;
		end = got == 0;
		do {
			size_t written, length = compress_step(c, &rest, end, out, BLOCK, &done);
			int error = spool_write_at_end(to, (struct span){ out, length }, &written);
			if (error) return error;
		} while (!done);
	}
	return 0;
}

int spool_compress_file(int dir_fd, int from, const char *name)
{
	int to = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0) return errno;
	struct compress *c = compress_new(LEVEL);
	char *blocks = malloc(2 * (size_t)BLOCK);
	int error = c && blocks ? compress_all(c, from, to, blocks, blocks + BLOCK) : ENOMEM;
	if (!error) error = spool_sync_fd(to, false);
	if (close(to) < 0 && !error && errno != EINTR) error = errno;
	free(blocks);
	compress_free(c);
	return error;
}
