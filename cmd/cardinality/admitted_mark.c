/* admitted_mark - a file is what this program would write of what it reads in it, or it is damaged. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "admitted_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sink/sealed_line.h"
#include "sink/state_file.h"

enum { MARK_MAX = 256 };

const char admitted_mark_name[] = "admitted.mark";

static bool append_mark(struct buffer *out, const struct admitted_mark *mark)
{
	buffer_append_text(out, "{\"type\":\"metlog.cardinality.guard\",\"fields\":{\"version\":1,\"bytes\":");
	buffer_append_int(out, (int64_t)mark->bytes);
	buffer_append_text(out, ",\"sum\":\"");
	buffer_append(out, mark->sum, ADMITTED_MARK_DIGITS);
	buffer_append_byte(out, '"');
	return sealed_line_end(out, 0);
}

/* False: there is none. All of a file that is longer than a mark is not needed to refuse it. */
static bool read_text(const struct state_dir *dir, char text[MARK_MAX], size_t *text_length)
{
	size_t length = 0;
	ssize_t got = 1;
	int fd = state_dir_file(dir, admitted_mark_name, O_RDONLY), error = fd < 0 ? errno : 0;
	if (error == ENOENT) return false;
	while (!error && got && length < MARK_MAX - 1) {
		got = read(fd, text + length, MARK_MAX - 1 - length);
		if (got > 0) length += (size_t)got;
		else if (got < 0 && errno != EINTR) error = errno;
	}
	if (error) state_dir_die(dir, "reading", admitted_mark_name, error);
	close(fd);
	*text_length = length;
	return true;
}

const char *admitted_mark_read(const struct state_dir *dir, struct admitted_mark *mark)
{
	char text[MARK_MAX] = "";
	struct buffer again;
	size_t length;
	*mark = (struct admitted_mark){ .known = read_text(dir, text, &length) };
	if (!mark->known) return NULL;
	buffer_init(&again, 2 * MARK_MAX);
	bool good = sscanf(text, "{\"type\":\"metlog.cardinality.guard\",\"fields\":{\"version\":1,\"bytes\":%" SCNu64 ",\"sum\":\"%16[0-9a-f]", &mark->bytes, mark->sum) == 2 &&
	            strlen(mark->sum) == ADMITTED_MARK_DIGITS && append_mark(&again, mark) && span_equal(buffer_span(&again), (struct span){ text, length });
	buffer_release(&again);
	return good ? NULL : "it is damaged, or of another version of metlog-cardinality";
}

int admitted_mark_write(const struct state_dir *dir, const struct admitted_mark *mark)
{
	struct buffer text;
	buffer_init(&text, 2 * MARK_MAX);
	int error = append_mark(&text, mark) ? state_file_replace(dir->fd, admitted_mark_name, buffer_span(&text), true) : ENOMEM;
	buffer_release(&text);
	return error;
}
