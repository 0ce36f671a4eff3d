/* sketch_file - read with a byte more than the longest sketch has, so that a file of whatever length costs no more. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sketch_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "io/diag.h"
#include "io/replace.h"
#include "io/signals.h"
#include "show.h"

void sketch_file_keep(struct filter *filter, const struct cardinality_options *options, struct span of, const struct sketch *sketch, uint64_t seen)
{
	struct buffer bytes;
	bool failed = false;
	struct show_row row = { .of = of, .group = SPAN("{}"), .count = sketch_estimate(sketch, &failed), .seen = seen, .error = (float)SKETCH_ERROR };
	buffer_init(&bytes, SKETCH_DENSE);
	if (failed || !sketch_append(&bytes, sketch)) die(EXIT_INTERNAL, "no memory to write the sketch");
	int status = options->sketch ? replace_file(options->sketch, 0644, buffer_span(&bytes)) : 0;
	buffer_release(&bytes);
	if (status) filter_fail(filter, status);
	else show_rows(filter, options, &row, 1, INT64_MIN);
}

/* What there is, up to the room there is; below 0 with errno. */
static ssize_t read_some(int fd, char *data, size_t room)
{
	size_t length = 0;
	while (length < room) {
		ssize_t got = read(fd, data + length, room - length);
		if (got < 0 && errno == EINTR && !signals_stopping()) continue;
		if (got < 0) return -1;
		if (got == 0) break;
		length += (size_t)got;
	}
	return (ssize_t)length;
}

int sketch_file_read(struct sketch *sketch, const char *path)
{
	char data[SKETCH_DENSE + 3]; /* a line's end may stand behind it */
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 || signals_stopping() ? -1 : read_some(fd, data, sizeof data);
	int error = errno;
	if (fd > STDIN_FILENO) close(fd);
	if (signals_stopping()) {
		diag_error("%s: stopped before all of it was read: nothing is united", path);
		return EXIT_LATER;
	}
	if (length < 0) {
		diag_error("%s: %s", path, strerror(error));
		return EXIT_NO_INPUT;
	}
	const char *why = sketch_read(sketch, (struct span){ data, (size_t)length });
	if (!why) return EXIT_DONE;
	diag_error("%s: no sketch of Redis: %s", path, why);
	return why == SKETCH_NO_MEMORY ? EXIT_INTERNAL : EXIT_REJECTS;
}
