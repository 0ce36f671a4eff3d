/* outlet_file - the outlet's kinds file: and standard output: whole lines, and what a full disk or a kill has cut mended. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/outlet_private.h"

/* What was killed amid a line has left its start behind: ours is not to become the end of it. */
static bool end_torn_line(int fd, const char *path)
{
	struct stat status;
	char last = '\n';
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || !status.st_size) return true;
	int reader = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (reader < 0) return true; /* we may write it, not read it */
	ssize_t got = pread(reader, &last, 1, status.st_size - 1);
	close(reader);
	return got != 1 || last == '\n' || write(fd, "\n", 1) == 1;
}

/* A signal ends a tool's open(2) of a pipe without a reader, and its write(2) to a full one; nothing would end those of a thread without signals. */
static bool may_block(const struct outlet *o)
{
	return o->options.waits && o->options.waits->keeps_deadlines;
}

/* -1, with errno. */
static int open_file(const struct outlet *o)
{
	const char *path = o->endpoint->path;
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | (may_block(o) ? 0 : O_NONBLOCK);
	int fd = open(path, flags, o->options.file_mode ? o->options.file_mode : 0644);
	if (fd < 0 || end_torn_line(fd, path)) return fd;
	int kept = errno;
	close(fd);
	errno = kept;
	return -1;
}

/* Takes the start of a line that was cut off the end of a file again, if nobody has written behind it. */
void outlet_mend_file(struct outlet *o)
{
	struct stat status;
	off_t cut = (off_t)o->offset;
	if (!cut || o->fd < 0 || fstat(o->fd, &status) < 0 || !S_ISREG(status.st_mode) || lseek(o->fd, 0, SEEK_CUR) != status.st_size) return;
	if (ftruncate(o->fd, status.st_size - cut) < 0) outlet_say(o, true, "%s: its last line is cut: %s", o->endpoint->text, strerror(errno));
}

bool outlet_open_file(struct outlet *o, struct fault *fault)
{
	bool is_named = o->endpoint->kind == ENDPOINT_FILE;
	struct stat status;
	o->form = OUTLET_FILE;
	o->fd = is_named ? open_file(o) : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	outlet_know_descriptor(o);
	o->asks_first = !may_block(o) && o->fd >= 0 && fstat(o->fd, &status) == 0 && !S_ISREG(status.st_mode);
	return o->fd >= 0 || fault_set_errno(fault, EXIT_NO_OUTPUT, "cannot open %s", is_named ? o->endpoint->path : "standard output");
}

/* write(2) that returns EAGAIN instead of blocking, also where the descriptor is shared with others (standard output) and so cannot be set to that: a pipe that
 * poll(2) finds writable has room for PIPE_BUF bytes. */
static ssize_t write_some(const struct outlet *o)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };
	size_t length = o->held.length - o->offset;
	if (o->asks_first && poll(&p, 1, 0) == 0) return errno = EAGAIN, -1;
	if (o->asks_first && length > PIPE_BUF) {
		/* Several processes may have this pipe, as after a fork: what goes in one piece is whole lines where it can be. */
		const char *from = o->held.data + o->offset, *end = memrchr(from, '\n', PIPE_BUF);
		length = end ? (size_t)(end + 1 - from) : PIPE_BUF;
	}
	return write(o->fd, o->held.data + o->offset, length);
}

enum outlet_result outlet_flush_file(struct outlet *o)
{
	struct patience p = patience(o);
	while (o->held.length > o->offset) {
		ssize_t n = write_some(o);
		if (n > 0) outlet_book_written(o, (size_t)n), p = patience(o);
		else if (n < 0 && errno == EAGAIN) {
			int left = patience_left(&p);
			if (left == 0) return outlet_explain(o, OUTLET_TRY_AGAIN, "its reader does not read");
			outlet_wait_writable(o, left);
		}
		else if (n == 0 || errno != EINTR) return outlet_explain(o, OUTLET_REFUSED, "%s", strerror(n == 0 ? EIO : errno));
	}
	return OUTLET_DELIVERED;
}

bool outlet_reopen(struct outlet *o)
{
	if (o->endpoint->kind != ENDPOINT_FILE) return true;
	if (outlet_flush_file(o) != OUTLET_DELIVERED) return false;
	int fd = open_file(o);
	if (fd < 0) {
		outlet_explain(o, OUTLET_REFUSED, "cannot open %s: %s", o->endpoint->path, strerror(errno));
		return false;
	}
	outlet_close_fd(o);
	o->fd = fd;
	outlet_know_descriptor(o);
	return true;
}
