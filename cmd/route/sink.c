/* sink - opens destinations and writes to them; a slow one is left alone until it can take more. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "command.h"
#include "io/diag.h"
#include "overflow.h"
#include "partition.h"
#include "sink.h"
#include "spooled.h"

enum {
	FILE_BLOCK = 64 * 1024,   /* to four files on tmpfs a tenth less CPU than 256 KiB: the blocks stay in the second-level cache */
	PIPE_BLOCK = 64 * 1024,
	FILE_MODE = 0640,         /* less the umask: log data is not for everybody */
};

int sink_open_file(int folder_fd, const char *path, bool create)
{
	/* O_NONBLOCK: a named pipe nobody reads is an error now and not a silence for ever. Plain files take no notice. */
	int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	return openat(folder_fd, path, create ? flags | O_CREAT : flags, FILE_MODE);
}

static bool is_regular(int fd)
{
	struct stat status;
	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/* A pipe behind standard output is opened once more, so that writing can be made not to wait without changing the pipe end that
 * other programs share with us. Anything else stays as it is. */
static int open_stdout(void)
{
	struct stat status;
	if (fstat(STDOUT_FILENO, &status) != 0 || !S_ISFIFO(status.st_mode)) return STDOUT_FILENO;
	fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1024 * 1024);
	int fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? STDOUT_FILENO : fd;
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Were all that the ring holds in the pipe, and no room left, nothing would tell when the command has read it. Besides a full pipe it may have to
 * keep all of a line that the command has read in part; the other line is the one that is to find room. */
static bool open_command(struct sink *s, const struct destination *d, const struct sink_settings *settings, int *status)
{
	if (d->spool && !overflow_open(s, d, settings, settings->overflow_later, status)) return false;
	ring_init(&s->ring, 2 * PIPE_BLOCK, larger(d->buffer_bytes, COMMAND_PIPE_BYTES + 2 * (settings->line_limit + 1)));
	s->block = settings->unbuffered ? 1 : PIPE_BLOCK;
	s->command = command_new(settings->grace_ms);
	*status = EXIT_SYSTEM;
	return command_start(s);
}

static bool open_kind(struct sink *s, const struct destination *d, const struct sink_settings *settings, int *status)
{
	*status = EXIT_NO_OUTPUT;
	switch (s->kind) {
	case DESTINATION_DROP:
		return true;
	case DESTINATION_STDOUT:
		s->fd = open_stdout();
		break;
	case DESTINATION_FILE:
		s->fd = sink_open_file(AT_FDCWD, s->path, true);
		if (s->fd < 0) {
			const char *reason = errno == ELOOP ? "it is a symbolic link, which is not followed" : errno == ENXIO ? "a pipe nobody reads" : strerror(errno);
			diag_error("route %s: cannot open %s: %s", s->name, s->path, reason);
			return false;
		}
		break;
	case DESTINATION_TEMPLATE:
		return (s->partition = partition_new(s, settings)) != NULL;
	case DESTINATION_SPOOL:
		s->block = settings->unbuffered ? 1 : SIZE_MAX;
		return spooled_open(s, d, settings, status);
	case DESTINATION_COMMAND:
	case DESTINATION_ENDPOINT:
		return open_command(s, d, settings, status);
	}
	s->regular = is_regular(s->fd);
	size_t limit = s->regular ? FILE_BLOCK : d->buffer_bytes;
	ring_init(&s->ring, s->regular ? FILE_BLOCK : 2 * PIPE_BLOCK, larger(limit, settings->line_limit + 1));
	s->block = settings->unbuffered ? 1 : s->regular ? SIZE_MAX : PIPE_BLOCK;
	return true;
}

struct sink *sink_open(const struct destination *d, const char *name, const struct sink_settings *settings, int *status)
{
	struct sink *s = must_alloc(sizeof *s);
	*s = (struct sink){ .kind = d->kind, .fd = -1, .block = SIZE_MAX, .buffer_bytes = d->buffer_bytes };
	s->name = must_copy(span_of(name));
	s->text = must_copy(span_of(d->text));
	s->access = must_copy(span_of(d->access));
	s->path = must_copy(span_of(d->path));
	bool good = open_kind(s, d, settings, status);
	s->apart = s->partition || s->overflow;
	if (good) return s;
	sink_free(s);
	return NULL;
}

void sink_init_file(struct sink *s, const char *name, const char *text, int fd, size_t first_bytes, const struct sink_settings *settings)
{
	*s = (struct sink){ .kind = DESTINATION_FILE, .fd = fd, .regular = true, .block = settings->unbuffered ? 1 : SIZE_MAX };
	s->name = must_copy(span_of(name));
	s->text = must_copy(span_of(text));
	ring_init(&s->ring, first_bytes, larger(first_bytes, settings->line_limit + 1));
}

void sink_release(struct sink *s)
{
	if (s->fd > STDERR_FILENO) close(s->fd);
	partition_free(s->partition);
	spooled_free(s->spooled);
	overflow_free(s->overflow);
	command_free(s->command);
	ring_release(&s->ring);
	free(s->name);
	free(s->text);
	free(s->access);
	free(s->path);
}

void sink_free(struct sink *s)
{
	sink_release(s);
	free(s);
}

void sink_lose(struct sink *s)
{
	/* A line that was cut in the middle counts: its newline was not written. */
	uint64_t from = s->ring.sent;
	if (s->overflow && overflow_first_direct(s) > from) from = overflow_first_direct(s); /* what stands before is in its spool */
	s->undelivered += ring_count_lines(&s->ring, from, s->ring.tail);
	s->ring.sent = s->ring.tail;
	ring_forget(&s->ring, s->ring.tail);
}

/* Takes a line that was cut by a full disk off the end of a file again, if nobody has written behind it. Returns where whole lines end; -1 if
 * it is no file or cannot be told. */
static off_t mend_end(struct sink *s)
{
	struct stat status;
	if (!s->regular || fstat(s->fd, &status) != 0) return -1;
	off_t cut = (off_t)(s->ring.sent - ring_line_start(&s->ring, s->ring.sent));
	if (cut == 0 || cut > status.st_size) return status.st_size;
	if (lseek(s->fd, 0, SEEK_CUR) != status.st_size || ftruncate(s->fd, status.st_size - cut) != 0) return status.st_size;
	return status.st_size - cut;
}

void sink_fail(struct sink *s, int error)
{
	off_t end = mend_end(s);
	if (s->kind == DESTINATION_STDOUT) diag_error("route %s: standard output: %s", s->name, strerror(error));
	else if (end < 0) diag_error("route %s: %s: %s", s->name, s->text, strerror(error));
	else diag_error("route %s: %s: at byte %lld: %s", s->name, s->text, (long long)end, strerror(error));
	s->status = EXIT_IO;
	s->failed = true;
	sink_lose(s);
	s->ring.capacity = 0; /* so that sink_put takes the slow way, which sees that it has failed */
}

void sink_flush(struct sink *s)
{
	struct iovec parts[2];
	if (s->partition) partition_flush(s->partition);
	if (s->spooled) spooled_write(s);
	while (s->fd >= 0 && !s->failed && ring_unsent(&s->ring)) {
		int count = ring_unsent_parts(&s->ring, SIZE_MAX, parts);
		ssize_t written = writev(s->fd, parts, count);
		s->stuck = false;
		if (written > 0) {
			s->ring.sent += (size_t)written;
		} else if (written < 0 && errno == EINTR) {
			continue;
		} else if (written < 0 && errno == EAGAIN) {
			s->stuck = true;
			return;
		} else if (written < 0 && errno == EPIPE && s->command) {
			command_lost_reader(s);
		} else {
			sink_fail(s, written < 0 ? errno : EIO);
		}
	}
	if (!s->command && s->ring.capacity) ring_forget(&s->ring, s->ring.sent);
}

bool sink_put_slowly(struct sink *s, struct span line)
{
	if (!s->failed && !s->spooled) {
		sink_flush(s);
		if (s->command) command_forget_read(s);
	}
	if (s->failed) {
		s->undelivered++;
		return true;
	}
	if (s->spooled) return spooled_put(s, line);
	if (!ring_make_room(&s->ring, line.length)) return false;
	ring_put(&s->ring, line);
	if (ring_unsent(&s->ring) >= s->block && !s->stuck) sink_flush(s);
	return true;
}

bool sink_waits(const struct sink *s)
{
	return !s->failed && ring_unsent(&s->ring) > 0;
}

void sink_forget(struct sink *s, uint64_t position)
{
	if (s->overflow) overflow_forget(s, position);
	ring_forget(&s->ring, position);
}

int64_t sink_wakes_ms(const struct sink *s)
{
	int64_t command = command_wakes_ms(s), spool = INT64_MAX;
	if (s->spooled) spool = spooled_due_ms(s->spooled);
	if (s->overflow) spool = overflow_due_ms(s);
	return command < spool ? command : spool;
}

void sink_attend(struct sink *s)
{
	if (s->spooled) spooled_attend(s);
	if (s->overflow) overflow_attend(s);
}

void sink_finish(struct sink *s)
{
	if (s->partition) partition_close_files(s->partition);
	if (s->spooled) spooled_close(s);
	if (s->overflow) overflow_close(s);
}

bool sink_reopen(struct sink *s)
{
	if (s->spooled) return spooled_reopen(s);
	if (s->partition) {
		partition_close_files(s->partition);
		s->failed = false;
	}
	if (s->kind != DESTINATION_FILE) return true;
	int fd = sink_open_file(AT_FDCWD, s->path, true);
	if (fd < 0) {
		diag_error("route %s: cannot reopen %s: %s", s->name, s->path, strerror(errno));
		return false;
	}
	sink_flush(s);
	if (sink_waits(s)) sink_lose(s); /* a named pipe that is full: what was for its old reader */
	if (s->fd >= 0) close(s->fd);
	s->fd = fd;
	s->regular = is_regular(fd);
	s->stuck = s->failed = false;
	return true;
}
