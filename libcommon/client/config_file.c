/* config_file - reads a client's configuration from its file. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buffer.h"
#include "client/config.h"

enum { FILE_MAX = 1 << 20, BLOCK = 4096 };

static bool read_descriptor(struct buffer *text, int fd, const char *path, struct fault *fault)
{
	for (;;) {
		if (!buffer_reserve(text, BLOCK)) {
			if (text->no_memory) return fault_set(fault, EXIT_SYSTEM, "%s: no memory", path);
			return fault_set(fault, EXIT_CONFIGURATION, "%s: longer than 1 MiB", path);
		}
		ssize_t got = read(fd, text->data + text->length, BLOCK);
		if (got == 0) return true;
		if (got > 0) text->length += (size_t)got;
		else if (errno != EINTR) return fault_set_errno(fault, EXIT_NO_INPUT, "%s", path);
	}
}

static bool read_file(struct buffer *text, const char *path, struct fault *fault)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) return fault_set_errno(fault, EXIT_NO_INPUT, "%s", path);
	bool good = read_descriptor(text, fd, path, fault);
	close(fd);
	return good;
}

bool config_read_file(struct config *c, const char *path, struct fault *fault)
{
	struct buffer text;
	*c = (struct config){ 0 };
	buffer_init(&text, FILE_MAX + BLOCK);
	bool good = read_file(&text, path, fault) && config_read(c, buffer_span(&text), path, fault);
	buffer_release(&text);
	return good;
}
