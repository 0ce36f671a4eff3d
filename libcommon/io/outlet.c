/* outlet - hands whole envelopes over to an endpoint, and knows how many it has handed over. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "io/diag.h"
#include "io/signals.h"
#include "io/socket.h"
#include "io/zeromq.h"

enum outlet_form { OUTLET_FILE, OUTLET_STREAM, OUTLET_DATAGRAM, OUTLET_ZEROMQ };

/* Whole lines wait in `held`; of its first one `offset` bytes are written already. A line counts as delivered once its newline is
 * written. After a broken connection the line that was cut is sent again from its start. */
struct outlet {
	const struct endpoint *endpoint;
	struct outlet_options options;
	enum outlet_form form;
	int fd;
	struct buffer held;
	size_t offset;
	uint64_t delivered, held_lines, lost;
	uint64_t unacknowledged;          /* of the delivered ones: written since the far side's kernel last had them all */
	struct zeromq *zeromq;
	struct zeromq_socket *socket;
	uint64_t disconnected, denied;    /* what the monitor had told when we last looked */
	unsigned until_look;              /* sends until the next look at the monitor and the subscriptions */
	bool had_peer;
	bool refused_line;
	char reason[OUTLET_REASON_MAX];
};

/* BLOCK: one write's worth. LOOK_EVERY: a look costs two system calls, a send next to nothing. RETRY: between attempts to connect. */
enum { BLOCK_BYTES = 64 * 1024, LOOK_EVERY = 256, RETRY_MS = 50, HWM_DEFAULT = 1000 };

static enum outlet_result explain(struct outlet *o, enum outlet_result result, const char *format, ...) __attribute__((format(printf, 3, 4)));
static enum outlet_result explain(struct outlet *o, enum outlet_result result, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(o->reason, sizeof o->reason, format, arguments);
	va_end(arguments);
	return result;
}

/* A wait that goes on until something happens or its time is over; a stop signal ends only one that has no end. */
struct patience {
	int64_t end_ms;
	bool for_ever;
};

static struct patience patience(int timeout_ms)
{
	return (struct patience){ socket_clock_ms() + timeout_ms, timeout_ms < 0 };
}

static int patience_left(const struct patience *p)
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

static int open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
	if (fd < 0) diag_error("cannot open %s: %s", path, strerror(errno));
	return fd;
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
			if (left == 0) return explain(o, OUTLET_TRY_AGAIN, "its reader does not read");
			wait_ready(o->fd, POLLOUT, left);
		}
		else if (n == 0 || errno != EINTR) return explain(o, OUTLET_REFUSED, "%s", strerror(n == 0 ? EIO : errno));
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

/* Bytes that the far side's kernel (tcp) or process (unix) has not taken yet. */
static int bytes_under_way(int fd)
{
	int bytes = 0;
	return ioctl(fd, SIOCOUTQ, &bytes) < 0 ? 0 : bytes;
}

static enum outlet_result flush_stream(struct outlet *o)
{
	struct patience p = patience(o->options.timeout_ms);
	while (o->held.length > o->offset) {
		if (o->fd >= 0 && bytes_under_way(o->fd) == 0) o->unacknowledged = 0;
		if (o->fd >= 0 && has_hung_up(o->fd)) drop_connection(o);
		enum outlet_result result = connect_patiently(o, &p);
		if (result != OUTLET_DELIVERED) return result;
		if (o->form == OUTLET_DATAGRAM) return explain(o, OUTLET_TRY_AGAIN, "the receiver's socket has changed its type");
		size_t sent;
		struct span rest = { o->held.data + o->offset, o->held.length - o->offset };
		int error = socket_send_stream(o->fd, rest, &sent, patience_left(&p));
		if (sent) book_written(o, sent), p = patience(o->options.timeout_ms);
		if (error == ETIMEDOUT) return explain(o, OUTLET_TRY_AGAIN, "the far side does not read");
		if (error) drop_connection(o), explain(o, OUTLET_TRY_AGAIN, "%s", strerror(error));
	}
	return OUTLET_DELIVERED;
}

static enum outlet_result close_stream(struct outlet *o)
{
	struct patience p = patience(o->options.timeout_ms);
	if (o->fd < 0) return OUTLET_DELIVERED;
	for (int pause = 1; o->unacknowledged; pause = pause < RETRY_MS ? pause * 2 : RETRY_MS) {
		if (bytes_under_way(o->fd) == 0) {
			o->unacknowledged = 0;
			break;
		}
		int left = patience_left(&p);
		int error = 0;
		socklen_t size = sizeof error;
		getsockopt(o->fd, SOL_SOCKET, SO_ERROR, &error, &size);
		if (error || left == 0) {
			drop_connection(o);
			return explain(o, OUTLET_TRY_AGAIN, "%s", error ? strerror(error) : "the far side has not taken everything");
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
		if (error == EMSGSIZE) return explain(o, OUTLET_REFUSED, "%zu bytes are too long for a datagram", line.length);
		explain(o, OUTLET_TRY_AGAIN, "%s", strerror(error));
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
	return explain(o, OUTLET_TRY_AGAIN, "%s", strerror(error));
}

/* --- ZeroMQ --------------------------------------------------------------------- */

static enum outlet_result look(struct outlet *o, bool *ready)
{
	const struct zeromq_events *told = zeromq_events(o->socket);
	o->until_look = LOOK_EVERY;
	if (told->peers_now) o->had_peer = true;
	/* What was queued for a connection that has gone went with it; of a pub: socket's peers any may leave as it likes. */
	if (told->disconnected > o->disconnected && o->endpoint->kind == ENDPOINT_PUSH && o->delivered) {
		uint64_t most = (uint64_t)o->options.hwm < o->delivered ? (uint64_t)o->options.hwm : o->delivered;
		o->lost += most;
		o->delivered -= most;
		diag_warn("%s: the connection was lost; up to %llu envelopes under way may be lost with it", o->endpoint->text, (unsigned long long)most);
	}
	o->disconnected = told->disconnected;
	*ready = o->endpoint->kind != ENDPOINT_PUB || zeromq_subscriptions(o->socket) > 0;
	/* A server that others may still join is not done for by one wrong key. */
	if (told->denied > o->denied && !zeromq_binds(o->socket) && !told->peers_now)
		return explain(o, OUTLET_REFUSED, "the far side does not let this key in");
	o->denied = told->denied;
	return OUTLET_DELIVERED;
}

static enum outlet_result nobody_there(struct outlet *o)
{
	const struct zeromq_events *told = zeromq_events(o->socket);
	const char *what = told->peers_now == 0 && told->handshake_failed ? "the handshake fails (does one side use CURVE, or another key?)"
		: told->peers_now == 0 ? "nobody is connected"
		: o->endpoint->kind == ENDPOINT_PUB && zeromq_subscriptions(o->socket) == 0 ? "nobody subscribes" : "the far side does not read";
	return explain(o, OUTLET_TRY_AGAIN, "%s within %.3g s", what, o->options.timeout_ms / 1000.0);
}

static void wait_socket(struct outlet *o, int timeout_ms)
{
	int fds[ZEROMQ_FDS];
	struct pollfd polled[ZEROMQ_FDS];
	zeromq_fds(o->socket, fds);
	for (int i = 0; i < ZEROMQ_FDS; i++) polled[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	signals_poll(polled, ZEROMQ_FDS, timeout_ms);
}

static enum outlet_result send_zeromq(struct outlet *o, struct span line)
{
	struct patience p = patience(o->options.timeout_ms);
	bool ready = true;
	for (bool first = true;; first = false) {
		if (!first || o->until_look == 0) {
			enum outlet_result result = look(o, &ready);
			if (result != OUTLET_DELIVERED) return result;
		}
		if (ready) {
			int error = zeromq_send(o->socket, line);
			if (!error) return o->until_look -= o->until_look > 0, o->delivered++, OUTLET_DELIVERED;
			if (error != EAGAIN) return explain(o, OUTLET_REFUSED, "%s", strerror(error));
			if (first) continue; /* a look and a second try empty the event queues, which has to be before any wait */
		}
		int left = patience_left(&p);
		if (left == 0) return nobody_there(o);
		wait_socket(o, left);
	}
}

static enum outlet_result close_zeromq(struct outlet *o)
{
	struct patience p = patience(o->options.timeout_ms);
	enum outlet_result result = OUTLET_DELIVERED;
	uint64_t peers, most = (uint64_t)o->options.hwm < o->delivered ? (uint64_t)o->options.hwm : o->delivered;
	const struct zeromq_events *told = zeromq_events(o->socket);
	bool ready;
	if (o->delivered) look(o, &ready); /* a disconnect before this is booked there */
	uint64_t before = told->disconnected;
	peers = told->peers_now;
	zeromq_close_begin(o->socket, o->delivered ? o->options.timeout_ms : 0);
	for (; o->delivered; told = zeromq_events(o->socket)) {
		if (told->disconnected > before && (o->endpoint->kind == ENDPOINT_PUSH || told->disconnected - before >= peers)) {
			result = explain(o, OUTLET_TRY_AGAIN, "the connection was lost while the last envelopes were under way");
			break;
		}
		if (told->closed) break;
		int left = patience_left(&p);
		/* A linger that has run out ends in `closed` too: whoever comes so late was cut off. */
		if (left == 0) {
			result = explain(o, OUTLET_TRY_AGAIN, "the far side has not taken everything within %.3g s", o->options.timeout_ms / 1000.0);
			break;
		}
		wait_socket(o, left);
	}
	if (result != OUTLET_DELIVERED) o->lost += most, o->delivered -= most;
	zeromq_socket_close(o->socket);
	zeromq_close(o->zeromq);
	return result;
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
		o->fd = endpoint->kind == ENDPOINT_FILE ? open_file(endpoint->path) : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		if (o->fd < 0) exit(EXIT_NO_OUTPUT);
		return o;
	case ENDPOINT_TCP: case ENDPOINT_UNIX:
		o->form = OUTLET_STREAM; /* unix: until the first connection tells */
		return o;
	case ENDPOINT_UDP:
		o->form = OUTLET_DATAGRAM;
		return o;
	case ENDPOINT_PUB: case ENDPOINT_PUSH:
		o->form = OUTLET_ZEROMQ;
		o->zeromq = zeromq_open();
		o->socket = zeromq_socket_open(o->zeromq, endpoint, &(struct zeromq_options){
			.hwm = o->options.hwm, .message_limit_bytes = -1, .buffer_bytes = options->send_buffer_bytes, .curve_secret = options->curve_secret,
			.curve_clients = options->curve_clients, .curve_server = options->curve_server, .insecure = options->insecure,
			.await_peers = true, .failure = EXIT_NO_OUTPUT });
		diag_note(1, "%s %s", zeromq_binds(o->socket) ? "sending from" : "sending to", zeromq_address(o->socket));
		return o;
	case ENDPOINT_SPOOL: case ENDPOINT_ACK: case ENDPOINT_WEBHDFS: case ENDPOINT_HTTP:
		die(EXIT_CONFIGURATION, "%s: %s endpoints cannot be used yet", endpoint->text, endpoint_kind_name(endpoint->kind));
	default:
		die(EXIT_CONFIGURATION, "%s: nothing can be sent to %s: endpoints", endpoint->text, endpoint_kind_name(endpoint->kind));
	}
}

enum outlet_result outlet_flush(struct outlet *o)
{
	bool ready;
	switch (o->form) {
	case OUTLET_FILE: return flush_file(o);
	case OUTLET_STREAM: return flush_stream(o);
	case OUTLET_DATAGRAM: return flush_datagram(o);
	case OUTLET_ZEROMQ: return look(o, &ready);
	}
	return OUTLET_DELIVERED;
}

enum outlet_result outlet_send(struct outlet *o, struct span line)
{
	o->refused_line = false;
	if (o->form == OUTLET_ZEROMQ) return send_zeromq(o, line);
	if (o->endpoint->kind == ENDPOINT_UNIX && o->fd < 0 && !o->held.length) { /* which type it is decides how the line goes */
		struct patience p = patience(o->options.timeout_ms);
		enum outlet_result result = connect_patiently(o, &p);
		if (result != OUTLET_DELIVERED) return result;
	}
	if (o->form == OUTLET_DATAGRAM) return send_datagram(o, line);
	if (o->held.length - o->offset >= BLOCK_BYTES) {
		enum outlet_result result = outlet_flush(o);
		if (result != OUTLET_DELIVERED) return result;
	}
	if (!buffer_reserve(&o->held, line.length + 1)) die(EXIT_INTERNAL, "no memory for an envelope of %zu bytes", line.length);
	buffer_append_span(&o->held, line);
	buffer_append_byte(&o->held, '\n');
	o->held_lines++;
	return OUTLET_DELIVERED;
}

void outlet_count(const struct outlet *o, uint64_t *delivered, uint64_t *pending)
{
	*delivered = o->delivered;
	*pending = o->held_lines;
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
	int fd = open_file(o->endpoint->path);
	if (fd < 0) return false;
	close(o->fd);
	o->fd = fd;
	return true;
}

enum outlet_result outlet_close(struct outlet *o, uint64_t *lost, char *reason)
{
	enum outlet_result result = o->form == OUTLET_ZEROMQ ? close_zeromq(o) : outlet_flush(o);
	if (result == OUTLET_DELIVERED && o->form == OUTLET_STREAM) result = close_stream(o);
	if (o->fd >= 0 && close(o->fd) < 0 && o->form == OUTLET_FILE && errno != EINTR && result == OUTLET_DELIVERED)
		result = explain(o, OUTLET_REFUSED, "%s", strerror(errno));
	o->lost += o->held_lines;
	if (o->lost && result == OUTLET_DELIVERED) {
		result = OUTLET_TRY_AGAIN;
		if (!o->reason[0]) explain(o, result, "the connection was lost");
	}
	if (lost) *lost = o->lost;
	if (reason) memcpy(reason, o->reason, sizeof o->reason);
	buffer_release(&o->held);
	free(o);
	return result;
}
