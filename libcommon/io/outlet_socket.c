/* outlet_socket - the outlet's kinds tcp: udp: and unix:, streams that connect again and datagrams. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/outlet_private.h"
#include "io/socket.h"

/* RETRY: between attempts to connect. */
enum { RETRY_MS = 50 };

static int at_most(int wanted_ms, int left_ms)
{
	return left_ms < 0 || left_ms > wanted_ms ? wanted_ms : left_ms;
}

/* --- streams -------------------------------------------------------------------- */

/* Closes a connection that has ended; what the far side's kernel had not acknowledged may be lost. */
static void drop_connection(struct outlet *o)
{
	outlet_close_fd(o);
	o->offset = 0;
	o->lost += o->unacknowledged;
	o->delivered -= o->unacknowledged;
	o->unacknowledged = 0;
}

static int connect_once(struct outlet *o, int timeout_ms)
{
	enum socket_type type = SOCKET_STREAM;
	if (o->endpoint->kind == ENDPOINT_UNIX) {
		o->fd = socket_connect_unix(o->endpoint->path, &type, timeout_ms, o->options.waits, o->reason);
		o->form = type == SOCKET_STREAM ? OUTLET_STREAM : OUTLET_DATAGRAM;
	} else {
		o->fd = socket_connect(o->endpoint, type, timeout_ms, o->options.waits, o->reason);
	}
	outlet_know_descriptor(o);
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
		outlet_pause(o, at_most(RETRY_MS, left));
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

enum outlet_result outlet_flush_stream(struct outlet *o)
{
	struct patience p = patience(o);
	while (o->held.length > o->offset) {
		if (o->fd >= 0 && socket_unsent(o->fd) == 0) o->unacknowledged = 0;
		if (o->fd >= 0 && has_hung_up(o->fd)) drop_connection(o);
		enum outlet_result result = connect_patiently(o, &p);
		if (result != OUTLET_DELIVERED) return result;
		if (o->form == OUTLET_DATAGRAM) return outlet_explain(o, OUTLET_TRY_AGAIN, "the receiver's socket has changed its type");
		size_t sent;
		struct span rest = { o->held.data + o->offset, o->held.length - o->offset };
		int error = socket_send_stream(o->fd, rest, &sent, patience_left(&p), o->options.waits);
		if (sent) outlet_book_written(o, sent), p = patience(o);
		if (error == ETIMEDOUT) return outlet_explain(o, OUTLET_TRY_AGAIN, "the far side does not read");
		if (error) drop_connection(o), outlet_explain(o, OUTLET_TRY_AGAIN, "%s", strerror(error));
	}
	return OUTLET_DELIVERED;
}

enum outlet_result outlet_close_stream(struct outlet *o)
{
	struct patience p = patience(o);
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
		outlet_pause(o, at_most(pause, left));
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

enum outlet_result outlet_send_datagram(struct outlet *o, struct span line)
{
	struct patience p = patience(o);
	for (;;) {
		enum outlet_result result = connect_patiently(o, &p);
		if (result != OUTLET_DELIVERED || o->form != OUTLET_DATAGRAM) return result;
		uint64_t refused = 0;
		int error = socket_send_datagram(o->fd, line, &refused);
		if (o->endpoint->kind == ENDPOINT_UDP) book_refusals(o, refused);
		if (!error) return o->delivered++, OUTLET_DELIVERED;
		o->refused_line = error == EMSGSIZE;
		if (error == EMSGSIZE) return outlet_explain(o, OUTLET_REFUSED, "%zu bytes are too long for a datagram", line.length);
		outlet_explain(o, OUTLET_TRY_AGAIN, "%s", strerror(error));
		int left = patience_left(&p);
		if (left == 0 || (o->endpoint->kind == ENDPOINT_UDP && error == ECONNREFUSED)) return OUTLET_TRY_AGAIN;
		if (error == EAGAIN) outlet_wait_writable(o, left);
		else if (error == ENOBUFS) outlet_pause(o, at_most(1, left));
		else if (o->endpoint->kind == ENDPOINT_UNIX) outlet_close_fd(o), outlet_pause(o, at_most(RETRY_MS, left));
		else return is_final(error) ? OUTLET_REFUSED : OUTLET_TRY_AGAIN;
	}
}

enum outlet_result outlet_flush_datagram(struct outlet *o)
{
	int error = 0;
	socklen_t size = sizeof error;
	if (o->fd < 0 || o->endpoint->kind != ENDPOINT_UDP) return OUTLET_DELIVERED;
	if (getsockopt(o->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || !error) return OUTLET_DELIVERED;
	book_refusals(o, 1);
	return outlet_explain(o, OUTLET_TRY_AGAIN, "%s", strerror(error));
}

/* Which type a unix socket has decides how lines go. */
enum outlet_result outlet_learn_form(struct outlet *o)
{
	if (o->endpoint->kind != ENDPOINT_UNIX || o->fd >= 0 || o->held.length) return OUTLET_DELIVERED;
	struct patience p = patience(o);
	return connect_patiently(o, &p);
}
