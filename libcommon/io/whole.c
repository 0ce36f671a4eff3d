/* whole - reads until there is no more, or too much. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "io/diag.h"

enum { READ_MORE = 64 * 1024 };

int whole_read(struct buffer *text, const char *path, size_t most_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t got = 1;
	buffer_init(text, most_bytes + 2 * READ_MORE);
	if (fd < 0) return errno;
	while (got > 0 && text->length <= most_bytes) {
		if (!buffer_reserve(text, READ_MORE)) die(EXIT_INTERNAL, "no memory for %s", path);
		do got = read(fd, text->data + text->length, READ_MORE);
		while (got < 0 && errno == EINTR);
		if (got > 0) text->length += (size_t)got;
	}
	int error = got < 0 ? errno : 0;
	close(fd);
	return error;
}
