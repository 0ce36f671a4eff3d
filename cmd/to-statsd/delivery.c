/* delivery - datagrams by sendmmsg, streams by whole batches. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "delivery.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "filter/tool.h"
#include "io/diag.h"
#include "io/signals.h"
#include "segment.h"

enum { PAUSE_FIRST_MS = 20, PAUSE_MOST_MS = 1000, DRAIN_STEP_MS = 5 };

bool delivery_init(struct delivery *d, const char *endpoint, int timeout_ms, const char **reason)
{
	*d = (struct delivery){ .fd = -1, .timeout_ms = timeout_ms, .away_since_ms = -1, .type = SOCKET_DATAGRAM };
	if (!tool_endpoint(&d->endpoint, span_of(endpoint), reason)) return false;
	if (d->endpoint.kind == ENDPOINT_TCP) d->type = SOCKET_STREAM;
	if (d->endpoint.kind == ENDPOINT_UDP || d->endpoint.kind == ENDPOINT_TCP || d->endpoint.kind == ENDPOINT_UNIX) return true;
	*reason = "statsd is behind udp:HOST:PORT, tcp:HOST:PORT or unix:PATH";
	endpoint_release(&d->endpoint);
	return false;
}

void delivery_reconnect(struct delivery *d)
{
	if (d->fd >= 0) close(d->fd);
	d->fd = -1;
	d->unacknowledged = 0; /* it was given with the connection in order, and is on its way */
}

static int connect_once(struct delivery *d, int timeout_ms)
{
	if (d->endpoint.kind == ENDPOINT_UNIX) return socket_connect_unix(d->endpoint.path, &d->type, timeout_ms, &signals_waits, d->reason);
	return socket_connect(&d->endpoint, d->type, timeout_ms, &signals_waits, d->reason);
}

static void warn_of_loss(struct delivery *d, int error)
{
	if (!d->told) diag_warn("%s: %s; metrics are being lost", d->endpoint.text, strerror(error));
	d->told = true;
}

/* Counts what the network says of packets sent before. Returns how many refusals that were. */
static unsigned take_errors(struct delivery *d)
{
	int error = 0;
	unsigned count = socket_take_errors(d->fd, &error);
	if (count) warn_of_loss(d, error);
	d->refused += count;
	return count;
}

static int left_ms(const struct delivery *d)
{
	int64_t left = d->away_since_ms + d->timeout_ms - socket_clock_ms();
	return left > 0 ? (int)left : 0;
}

/* Connects if need be, again and again until the time-out. The time runs from the first failure after the last success. */
static bool must_connect(struct delivery *d)
{
	int pause_ms = PAUSE_FIRST_MS;
	if (d->fd >= 0) return true;
	if (d->away_since_ms < 0) d->away_since_ms = socket_clock_ms();
	for (;;) {
		d->fd = connect_once(d, left_ms(d));
		if (d->fd >= 0) {
			if (d->endpoint.kind == ENDPOINT_UDP) socket_keep_errors(d->fd);
			return true;
		}
		if (errno == EINVAL || left_ms(d) == 0 || signals_stopping()) break;
		if (!d->told) diag_warn("%s: %s; trying again for %d s", d->endpoint.text, d->reason, (left_ms(d) + 999) / 1000);
		d->told = true;
		signals_poll(NULL, 0, pause_ms < left_ms(d) ? pause_ms : left_ms(d));
		if (pause_ms < PAUSE_MOST_MS) pause_ms *= 2;
	}
	d->is_gone = true;
	return false;
}

/* A connection has died. Of what its kernel had taken nobody knows how much arrived, unless the far side's kernel had all of it. */
static void lose_unacknowledged(struct delivery *d)
{
	if (d->unacknowledged && socket_unsent(d->fd) > 0) {
		diag_warn("%s: the connection was lost, and with it up to %llu envelopes", d->endpoint.text, (unsigned long long)d->unacknowledged);
		d->envelopes -= d->unacknowledged;
		d->lost += d->unacknowledged;
	}
	d->unacknowledged = 0;
}

static void note_reconnect(struct delivery *d, const char *why)
{
	diag_note(1, "%s: %s; connecting again", d->endpoint.text, why);
	lose_unacknowledged(d);
	delivery_reconnect(d);
	d->reconnects++;
	if (d->away_since_ms < 0) d->away_since_ms = socket_clock_ms();
}

static void book_sent(struct delivery *d, const struct packet *p, size_t count)
{
	for (size_t i = 0; i < count; i++) d->envelopes += p[i].envelopes;
	d->packets += count;
	d->away_since_ms = -1;
	if (d->endpoint.kind != ENDPOINT_UDP) d->told = false;
}

static void book_lost(struct delivery *d, const struct packet *p, size_t count)
{
	for (size_t i = 0; i < count; i++) d->lost += p[i].envelopes;
}

static void set_gone(struct delivery *d, const char *why)
{
	snprintf(d->reason, sizeof d->reason, "%s", why);
	d->is_gone = true;
}

/* Room in the socket's buffer, or in the queue of a unix receiver; false: not within the time-out. */
static bool await_room(struct delivery *d)
{
	int64_t end = socket_clock_ms() + d->timeout_ms;
	struct pollfd p = { .fd = d->fd, .events = POLLOUT };
	for (;;) {
		int64_t left = end - socket_clock_ms();
		if (left <= 0) return false;
		if (signals_poll(&p, 1, (int)left) > 0) return true;
	}
}

/* What to do about a packet that did not go. */
enum remedy { REMEDY_AGAIN, REMEDY_LOSE, REMEDY_GIVE_UP };

static enum remedy remedy_udp(struct delivery *d, int error, unsigned tries)
{
	switch (error) {
	case EAGAIN: return await_room(d) ? REMEDY_AGAIN : REMEDY_LOSE;
	case ENOBUFS:
		signals_poll(NULL, 0, 1);
		return tries < 100 ? REMEDY_AGAIN : REMEDY_LOSE;
	default:
		/* It may tell of a packet before this one, and then this one was not sent. */
		if (take_errors(d) == 0 && error == ECONNREFUSED) d->refused++;
		warn_of_loss(d, error);
		return tries ? REMEDY_LOSE : REMEDY_AGAIN;
	}
}

static enum remedy remedy_unix(struct delivery *d, int error)
{
	switch (error) {
	case EAGAIN:
	case ENOBUFS:
		if (await_room(d)) return REMEDY_AGAIN;
		set_gone(d, "its queue stays full");
		return REMEDY_GIVE_UP;
	case EMSGSIZE:
		diag_warn("%s: a packet is too long for this socket (--mtu)", d->endpoint.text);
		return REMEDY_LOSE;
	default:
		note_reconnect(d, strerror(error));
		if (must_connect(d) && d->type == SOCKET_STREAM) set_gone(d, "a stream socket has taken its place");
		return d->is_gone ? REMEDY_GIVE_UP : REMEDY_AGAIN;
	}
}

static void send_datagrams(struct delivery *d, struct batch *b)
{
	struct segment_plan plan;
	bool is_udp = d->endpoint.kind == ENDPOINT_UDP, runs = is_udp && b->packet_units == 1 && d->may_run && !d->cannot_run;
	uint64_t refused_before = d->refused;
	size_t at = 0, next = 0;
	unsigned tries = 0;
	if (runs) segment_sort(b);
	segment_plan(&plan, b, 0, runs);
	while (next < plan.count && !d->is_gone) {
		int sent = sendmmsg(d->fd, plan.message + next, (unsigned)(plan.count - next), MSG_NOSIGNAL | MSG_DONTWAIT);
		int error = sent < 0 ? errno : 0;
		if (error == EINTR) continue;
		for (; sent > 0; sent--, next++, tries = 0) {
			book_sent(d, b->packet + at, segment_packets(&plan, next));
			at += segment_packets(&plan, next);
		}
		if (!error) continue;
		if (segment_packets(&plan, next) > 1 && segment_is_unable(error)) {
			d->cannot_run = true;
			segment_plan(&plan, b, at, false);
			next = 0;
			continue;
		}
		enum remedy remedy = is_udp ? remedy_udp(d, error, tries++) : remedy_unix(d, error);
		if (remedy == REMEDY_GIVE_UP) break;
		if (remedy == REMEDY_AGAIN) continue;
		book_lost(d, b->packet + at, segment_packets(&plan, next));
		at += segment_packets(&plan, next++);
		tries = 0;
	}
	if (is_udp) take_errors(d);
	d->may_run = d->refused == refused_before;
	if (at < b->count) book_lost(d, b->packet + at, b->count - at);
}

static bool peer_has_closed(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };
	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* Packets that end at or before the offset. */
static size_t packets_before(const struct batch *b, size_t offset)
{
	size_t n = 0;
	while (n < b->count && b->packet[n].from + b->packet[n].length + 1 <= offset) n++;
	return n;
}

/* Books the packets that lie before the offset and were not booked yet; returns how many are now. */
static size_t book_given(struct delivery *d, const struct batch *b, size_t booked, size_t offset)
{
	uint64_t before = d->envelopes;
	size_t done = packets_before(b, offset);
	book_sent(d, b->packet + booked, done - booked);
	d->unacknowledged += d->envelopes - before;
	return done;
}

/* Of a packet that is cut at `offset` the lines before that are given, and share the fate of the connection. */
static void book_cut(struct delivery *d, const struct batch *b, struct packet *packet, size_t offset)
{
	uint64_t lines = 0;
	for (size_t i = packet->from; i < offset; i++) lines += b->data[i] == '\n';
	if (lines > packet->envelopes) lines = packet->envelopes;
	packet->envelopes -= lines;
	d->envelopes += lines;
	d->unacknowledged += lines;
}

static void send_stream(struct delivery *d, struct batch *b)
{
	size_t at = 0, booked = 0;
	if (d->fd >= 0 && d->unacknowledged && socket_unsent(d->fd) == 0) d->unacknowledged = 0;
	while (at < b->length && must_connect(d)) {
		size_t sent = 0;
		if (peer_has_closed(d->fd)) {
			note_reconnect(d, "closed by the far side");
			continue;
		}
		int error = socket_send_stream(d->fd, (struct span){ b->data + at, b->length - at }, &sent, d->timeout_ms, &signals_waits);
		at += sent;
		if (sent) d->away_since_ms = -1;
		booked = book_given(d, b, booked, at);
		if (!error) break;
		/* What was begun goes again from the start of its line. */
		while (at && b->data[at - 1] != '\n') at--;
		if (booked < b->count) book_cut(d, b, &b->packet[booked], at);
		if (error == ETIMEDOUT) set_gone(d, "it takes no more");
		else note_reconnect(d, strerror(error));
		if (d->is_gone) break;
	}
	book_lost(d, b->packet + booked, b->count - booked);
}

bool delivery_send(struct delivery *d, struct batch *b)
{
	if (d->is_gone || !must_connect(d)) book_lost(d, b->packet, b->count);
	else if (d->type == SOCKET_DATAGRAM) send_datagrams(d, b);
	else send_stream(d, b);
	return !d->is_gone;
}

bool delivery_drain(struct delivery *d)
{
	int64_t end = socket_clock_ms() + d->timeout_ms;
	if (d->fd < 0 || d->type == SOCKET_DATAGRAM || d->is_gone) return !d->is_gone;
	shutdown(d->fd, SHUT_WR);
	for (;;) {
		int waiting, error = 0;
		socklen_t size = sizeof error;
		if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error) {
			snprintf(d->reason, sizeof d->reason, "%s", strerror(error));
			return false;
		}
		if ((waiting = socket_unsent(d->fd)) == 0) return true;
		if (socket_clock_ms() >= end) {
			snprintf(d->reason, sizeof d->reason, "%d bytes were not acknowledged", waiting);
			return false;
		}
		signals_poll(NULL, 0, DRAIN_STEP_MS);
	}
}

bool delivery_close(struct delivery *d)
{
	bool fine = delivery_drain(d);
	if (!fine && d->fd >= 0 && d->type == SOCKET_STREAM) lose_unacknowledged(d);
	if (d->fd >= 0 && d->endpoint.kind == ENDPOINT_UDP) take_errors(d);
	if (!fine) diag_error("%s: %s: %llu of the envelopes read %s not delivered", d->endpoint.text, d->reason, (unsigned long long)d->lost, d->lost == 1 ? "was" : "were");
	if (d->refused)
		diag_error("%s: %llu packet%s refused (nobody listens there)", d->endpoint.text, (unsigned long long)d->refused, d->refused == 1 ? " was" : "s were");
	if (fine && d->lost) diag_error("%s: %llu envelope%s could not be sent", d->endpoint.text, (unsigned long long)d->lost, d->lost == 1 ? "" : "s");
	if (d->fd >= 0) close(d->fd);
	d->fd = -1;
	endpoint_release(&d->endpoint);
	return fine && !d->lost && !d->refused;
}
