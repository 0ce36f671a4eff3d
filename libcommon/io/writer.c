/* writer - buffered output to a descriptor that survives EINTR and short writes and remembers its first error. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/diag.h"

int write_all(int fd, struct span bytes)
{
	while (bytes.length) {
		ssize_t written = write(fd, bytes.data, bytes.length);
		if (written > 0) {
			bytes.data += written;
			bytes.length -= (size_t)written;
		}
		else if (written == 0) return EIO;
		else if (errno == EAGAIN) poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
		else if (errno != EINTR) return errno;
	}
	return 0;
}

void writer_open(struct writer *w, int fd, const char *name, size_t capacity_bytes)
{
	struct stat status;
	*w = (struct writer){ .fd = fd, .name = name, .capacity = capacity_bytes };
	w->data = malloc(capacity_bytes);
	if (!w->data) die(EXIT_INTERNAL, "no memory for %zu bytes", capacity_bytes);
	if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode)) fcntl(fd, F_SETPIPE_SZ, 1 << 20);
}

bool writer_flush(struct writer *w)
{
	if (w->length && !w->error) w->error = write_all(w->fd, (struct span){ w->data, w->length });
	w->length = 0;
	return !w->error;
}

bool writer_bytes(struct writer *w, struct span bytes)
{
	if (bytes.length > w->capacity - w->length) {
		if (!writer_flush(w)) return false;
		if (bytes.length > w->capacity) {
			w->bytes += bytes.length;
			w->error = write_all(w->fd, bytes);
			return !w->error;
		}
	}
	if (bytes.length) memcpy(w->data + w->length, bytes.data, bytes.length);
	w->length += bytes.length;
	w->bytes += bytes.length;
	return !w->error;
}

bool writer_line(struct writer *w, struct span line)
{
	if (line.length >= w->capacity - w->length) {
		if (!writer_flush(w)) return false;
		if (line.length >= w->capacity) return writer_bytes(w, line) && writer_bytes(w, SPAN("\n")) && writer_flush(w);
	}
	memcpy(w->data + w->length, line.data, line.length);
	w->data[w->length + line.length] = '\n';
	w->length += line.length + 1;
	w->bytes += line.length + 1;
	return w->unbuffered ? writer_flush(w) : !w->error;
}

bool writer_sync(struct writer *w)
{
	if (!writer_flush(w)) return false;
	if (fdatasync(w->fd) < 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP) w->error = errno;
	return !w->error;
}

bool writer_close(struct writer *w)
{
	writer_flush(w);
	if (close(w->fd) < 0 && !w->error && errno != EINTR) w->error = errno;
	free(w->data);
	w->data = NULL;
	w->fd = -1;
	return !w->error;
}
