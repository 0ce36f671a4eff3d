/* outlet - hands whole envelopes over to an endpoint, and knows how many it has handed over. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/diag.h"
#include "io/outlet_private.h"
#include "io/signals.h"
#include "io/socket.h"

/* BLOCK: one write's worth. RETRY: between attempts to connect. */
enum { BLOCK_BYTES = 64 * 1024, RETRY_MS = 50, HWM_DEFAULT = 1000 };

enum outlet_result outlet_explain(struct outlet *o, enum outlet_result result, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(o->reason, sizeof o->reason, format, arguments);
	va_end(arguments);
	return result;
}

struct patience patience(int timeout_ms)
{
	return (struct patience){ socket_clock_ms() + timeout_ms, timeout_ms < 0 };
}

int patience_left(const struct patience *p)
{
	if (p->for_ever) return signals_stopping() ? 0 : -1;
	int64_t left = p->end_ms - socket_clock_ms();
	return left > 0 ? (int)left : 0;
}

static void wait_ready(int fd, short events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	signals_poll(&p, 1, timeout_ms);
}

static int at_most(int wanted_ms, int left_ms)
{
	return left_ms < 0 || left_ms > wanted_ms ? wanted_ms : left_ms;
}

/* --- files ---------------------------------------------------------------------- */

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

/* -1, with errno. */
static int open_file(const struct outlet *o)
{
	const char *path = o->endpoint->path;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, o->options.file_mode ? o->options.file_mode : 0644);
	if (fd < 0 || end_torn_line(fd, path)) return fd;
	int kept = errno;
	close(fd);
	errno = kept;
	return -1;
}

/* Takes the start of a line that was cut off the end of a file again, if nobody has written behind it. */
static void mend_file(const struct outlet *o)
{
	struct stat status;
	off_t cut = (off_t)o->offset;
	if (!cut || o->fd < 0 || fstat(o->fd, &status) < 0 || !S_ISREG(status.st_mode) || lseek(o->fd, 0, SEEK_CUR) != status.st_size) return;
	if (ftruncate(o->fd, status.st_size - cut) < 0) diag_warn("%s: its last line is cut: %s", o->endpoint->text, strerror(errno));
}

/* Forgets the first `length` bytes of held, which are written, and counts the lines that end in them. */
static void book_written(struct outlet *o, size_t length)
{
	const char *start = o->held.data, *at = start, *end = start + o->offset + length, *newline;
	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		o->delivered++;
		o->held_lines--;
		if (o->form == OUTLET_STREAM) o->unacknowledged++;
		at = newline + 1;
	}
	o->offset = (size_t)(end - at);
	buffer_drop(&o->held, (size_t)(at - start));
}

static enum outlet_result flush_file(struct outlet *o)
{
	struct patience p = patience(o->options.timeout_ms);
	while (o->held.length > o->offset) {
		ssize_t n = write(o->fd, o->held.data + o->offset, o->held.length - o->offset);
		if (n > 0) book_written(o, (size_t)n);
		else if (n < 0 && errno == EAGAIN) {
			int left = patience_left(&p);
			if (left == 0) return outlet_explain(o, OUTLET_TRY_AGAIN, "its reader does not read");
			wait_ready(o->fd, POLLOUT, left);
		}
		else if (n == 0 || errno != EINTR) return outlet_explain(o, OUTLET_REFUSED, "%s", strerror(n == 0 ? EIO : errno));
	}
	return OUTLET_DELIVERED;
}

/* --- streams -------------------------------------------------------------------- */

/* Closes a connection that has ended; what the far side's kernel had not acknowledged may be lost. */
static void drop_connection(struct outlet *o)
{
	if (o->fd >= 0) close(o->fd);
	o->fd = -1;
	o->offset = 0;
	o->lost += o->unacknowledged;
	o->delivered -= o->unacknowledged;
	o->unacknowledged = 0;
}

static int connect_once(struct outlet *o, int timeout_ms)
{
	enum socket_type type = SOCKET_STREAM;
	if (o->endpoint->kind == ENDPOINT_UNIX) {
		o->fd = socket_connect_unix(o->endpoint->path, &type, timeout_ms, o->reason);
		o->form = type == SOCKET_STREAM ? OUTLET_STREAM : OUTLET_DATAGRAM;
	} else {
		o->fd = socket_connect(o->endpoint, type, timeout_ms, o->reason);
	}
	if (o->fd >= 0 && o->options.send_buffer_bytes) socket_set_send_buffer(o->fd, o->options.send_buffer_bytes);
	return o->fd;
}

/* True for errors that time does not mend. */
static bool is_final(int error)
{
	return error == EACCES || error == EPERM || error == ENAMETOOLONG || error == ENOTDIR || error == EINVAL || error == ENOTSOCK;
}

static enum outlet_result connect_patiently(struct outlet *o, const struct patience *p)
{
	while (o->fd < 0) {
		int left = patience_left(p);
		if (connect_once(o, left) >= 0) break;
		if (is_final(errno)) return OUTLET_REFUSED;
		left = patience_left(p);
		if (left == 0) return OUTLET_TRY_AGAIN;
		signals_poll(NULL, 0, at_most(RETRY_MS, left));
	}
	return OUTLET_DELIVERED;
}

/* The far side says nothing on these connections, so what can be read is its farewell. */
static bool has_hung_up(int fd)
{
	char ignored[512];
	ssize_t n;
	do n = recv(fd, ignored, sizeof ignored, MSG_DONTWAIT);
	while (n > 0 || (n < 0 && errno == EINTR));
	return n == 0 || errno != EAGAIN;
}

static enum outlet_result flush_stream(struct outlet *o)
{
	struct patience p = patience(o->options.timeout_ms);
	while (o->held.length > o->offset) {
		if (o->fd >= 0 && socket_unsent(o->fd) == 0) o->unacknowledged = 0;
		if (o->fd >= 0 && has_hung_up(o->fd)) drop_connection(o);
		enum outlet_result result = connect_patiently(o, &p);
		if (result != OUTLET_DELIVERED) return result;
		if (o->form == OUTLET_DATAGRAM) return outlet_explain(o, OUTLET_TRY_AGAIN, "the receiver's socket has changed its type");
		size_t sent;
		struct span rest = { o->held.data + o->offset, o->held.length - o->offset };
		int error = socket_send_stream(o->fd, rest, &sent, patience_left(&p));
		if (sent) book_written(o, sent), p = patience(o->options.timeout_ms);
		if (error == ETIMEDOUT) return outlet_explain(o, OUTLET_TRY_AGAIN, "the far side does not read");
		if (error) drop_connection(o), outlet_explain(o, OUTLET_TRY_AGAIN, "%s", strerror(error));
	}
	return OUTLET_DELIVERED;
}

static enum outlet_result close_stream(struct outlet *o)
{
	struct patience p = patience(o->options.timeout_ms);
	if (o->fd < 0) return OUTLET_DELIVERED;
	for (int pause = 1; o->unacknowledged; pause = pause < RETRY_MS ? pause * 2 : RETRY_MS) {
		if (socket_unsent(o->fd) == 0) {
			o->unacknowledged = 0;
			break;
		}
		int left = patience_left(&p);
		int error = 0;
		socklen_t size = sizeof error;
		getsockopt(o->fd, SOL_SOCKET, SO_ERROR, &error, &size);
		if (error || left == 0) {
			drop_connection(o);
			return outlet_explain(o, OUTLET_TRY_AGAIN, "%s", error ? strerror(error) : "the far side has not taken everything");
		}
		signals_poll(NULL, 0, at_most(pause, left));
	}
	return OUTLET_DELIVERED;
}

/* --- datagrams ------------------------------------------------------------------ */

/* An error that is waiting on the socket tells of the datagram before. */
static void book_refusals(struct outlet *o, uint64_t count)
{
	if (count > o->delivered) count = o->delivered;
	o->delivered -= count;
	o->lost += count;
}

static enum outlet_result send_datagram(struct outlet *o, struct span line)
{
	struct patience p = patience(o->options.timeout_ms);
	for (;;) {
		enum outlet_result result = connect_patiently(o, &p);
		if (result != OUTLET_DELIVERED) return result;
		uint64_t refused = 0;
		int error = socket_send_datagram(o->fd, line, &refused);
		if (o->endpoint->kind == ENDPOINT_UDP) book_refusals(o, refused);
		if (!error) return o->delivered++, OUTLET_DELIVERED;
		o->refused_line = error == EMSGSIZE;
		if (error == EMSGSIZE) return outlet_explain(o, OUTLET_REFUSED, "%zu bytes are too long for a datagram", line.length);
		outlet_explain(o, OUTLET_TRY_AGAIN, "%s", strerror(error));
		int left = patience_left(&p);
		if (left == 0 || (o->endpoint->kind == ENDPOINT_UDP && error == ECONNREFUSED)) return OUTLET_TRY_AGAIN;
		if (error == EAGAIN) wait_ready(o->fd, POLLOUT, left);
		else if (error == ENOBUFS) signals_poll(NULL, 0, at_most(1, left));
		else if (o->endpoint->kind == ENDPOINT_UNIX) close(o->fd), o->fd = -1, signals_poll(NULL, 0, at_most(RETRY_MS, left));
		else return is_final(error) ? OUTLET_REFUSED : OUTLET_TRY_AGAIN;
	}
}

static enum outlet_result flush_datagram(struct outlet *o)
{
	int error = 0;
	socklen_t size = sizeof error;
	if (o->fd < 0 || o->endpoint->kind != ENDPOINT_UDP) return OUTLET_DELIVERED;
	if (getsockopt(o->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || !error) return OUTLET_DELIVERED;
	book_refusals(o, 1);
	return outlet_explain(o, OUTLET_TRY_AGAIN, "%s", strerror(error));
}

/* --- all kinds -------------------------------------------------------------------- */

struct outlet *outlet_open(const struct endpoint *endpoint, const struct outlet_options *options)
{
	struct outlet *o = must_alloc(sizeof *o);
	o->endpoint = endpoint;
	o->options = *options;
	if (!o->options.hwm) o->options.hwm = HWM_DEFAULT;
	o->fd = -1;
	buffer_init(&o->held, SIZE_MAX / 2);
	switch (endpoint->kind) {
	case ENDPOINT_STDIO: case ENDPOINT_FILE:
		o->form = OUTLET_FILE;
		o->fd = endpoint->kind == ENDPOINT_FILE ? open_file(o) : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		if (o->fd < 0) die_errno(EXIT_NO_OUTPUT, "cannot open %s", endpoint->kind == ENDPOINT_FILE ? endpoint->path : "standard output");
		return o;
	case ENDPOINT_TCP: case ENDPOINT_UNIX:
		o->form = OUTLET_STREAM; /* unix: until the first connection tells */
		return o;
	case ENDPOINT_UDP:
		o->form = OUTLET_DATAGRAM;
		return o;
	case ENDPOINT_PUB: case ENDPOINT_PUSH:
		outlet_open_zeromq(o);
		return o;
	case ENDPOINT_ACK:
		outlet_open_ack(o);
		return o;
	case ENDPOINT_SPOOL: case ENDPOINT_WEBHDFS: case ENDPOINT_HTTP:
		die(EXIT_CONFIGURATION, "%s: %s endpoints cannot be used yet", endpoint->text, endpoint_kind_name(endpoint->kind));
	default:
		die(EXIT_CONFIGURATION, "%s: nothing can be sent to %s: endpoints", endpoint->text, endpoint_kind_name(endpoint->kind));
	}
}

static enum outlet_result flush(struct outlet *o)
{
	switch (o->form) {
	case OUTLET_FILE: return flush_file(o);
	case OUTLET_STREAM: return flush_stream(o);
	case OUTLET_DATAGRAM: return flush_datagram(o);
	case OUTLET_ZEROMQ: return outlet_flush_zeromq(o);
	case OUTLET_ACK: return outlet_flush_ack(o);
	}
	return OUTLET_DELIVERED;
}

enum outlet_result outlet_flush(struct outlet *o)
{
	enum outlet_result result = flush(o);
	o->failed = result != OUTLET_DELIVERED;
	return result;
}

static enum outlet_result send_line(struct outlet *o, struct span line)
{
	if (o->form == OUTLET_ZEROMQ) return outlet_send_zeromq(o, line);
	if (o->form == OUTLET_ACK) return outlet_send_ack(o, line);
	if (o->endpoint->kind == ENDPOINT_UNIX && o->fd < 0 && !o->held.length) { /* which type it is decides how the line goes */
		struct patience p = patience(o->options.timeout_ms);
		enum outlet_result result = connect_patiently(o, &p);
		if (result != OUTLET_DELIVERED) return result;
	}
	if (o->form == OUTLET_DATAGRAM) return send_datagram(o, line);
	if (o->held.length - o->offset >= BLOCK_BYTES) {
		enum outlet_result result = flush(o);
		if (result != OUTLET_DELIVERED) return result;
	}
	if (!buffer_reserve(&o->held, line.length + 1)) die(EXIT_INTERNAL, "no memory for an envelope of %zu bytes", line.length);
	buffer_append_span(&o->held, line);
	buffer_append_byte(&o->held, '\n');
	o->held_lines++;
	return OUTLET_DELIVERED;
}

enum outlet_result outlet_send(struct outlet *o, struct span line)
{
	o->refused_line = false;
	enum outlet_result result = send_line(o, line);
	o->failed = result != OUTLET_DELIVERED;
	return result;
}

const char *outlet_reason(const struct outlet *o)
{
	return o->reason;
}

bool outlet_refused_line(const struct outlet *o)
{
	return o->refused_line;
}

bool outlet_reopen(struct outlet *o)
{
	if (o->endpoint->kind != ENDPOINT_FILE) return true;
	if (flush_file(o) != OUTLET_DELIVERED) return false;
	int fd = open_file(o);
	if (fd < 0) {
		outlet_explain(o, OUTLET_REFUSED, "cannot open %s: %s", o->endpoint->path, strerror(errno));
		return false;
	}
	close(o->fd);
	o->fd = fd;
	return true;
}

enum outlet_result outlet_close(struct outlet *o, uint64_t *lost, char *reason)
{
	if (o->failed && o->form != OUTLET_ZEROMQ) o->options.timeout_ms = 0; /* the patience is used up */
	enum outlet_result result = o->form == OUTLET_ZEROMQ ? outlet_close_zeromq(o) : o->form == OUTLET_ACK ? outlet_close_ack(o) : flush(o);
	if (result == OUTLET_DELIVERED && o->form == OUTLET_STREAM) result = close_stream(o);
	if (o->form == OUTLET_FILE && result != OUTLET_DELIVERED) mend_file(o);
	if (o->fd >= 0 && close(o->fd) < 0 && o->form == OUTLET_FILE && errno != EINTR && result == OUTLET_DELIVERED)
		result = outlet_explain(o, OUTLET_REFUSED, "%s", strerror(errno));
	o->lost += o->held_lines;
	if (o->lost && result == OUTLET_DELIVERED) {
		result = OUTLET_TRY_AGAIN;
		if (!o->reason[0]) outlet_explain(o, result, "the connection was lost");
	}
	if (lost) *lost = o->lost;
	if (reason) memcpy(reason, o->reason, sizeof o->reason);
	buffer_release(&o->held);
	free(o);
	return result;
}
