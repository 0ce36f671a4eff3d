/* syslog_datagram - a message a datagram: over UDP, where errors come late, and to a unix socket, whose queue is waited for. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/syslog_private.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "io/diag.h"
#include "io/signals.h"

enum { NO_BUFFER_TRIES = 100 };

static void lose(struct syslog *s, int error)
{
	s->counts.lost++;
	s->counts.waiting--;
	if (s->told_loss) return;
	s->told_loss = true;
	diag_warn("%s: %s%s; messages are being lost", s->place, strerror(error), error == EMSGSIZE ? " (--max-bytes)" : "");
}

/* Room in the socket's buffer, or in the queue of a unix receiver. False: not within the time-out. */
static bool await_room(struct syslog *s, int error, int64_t since_ms)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };
	int64_t left = since_ms + s->options->timeout_ms - socket_clock_ms();
	if (left <= 0 || signals_stopping_now()) return false;
	if (error == ENOBUFS) signals_poll(NULL, 0, 1);
	else signals_poll(&p, 1, left > 1000 ? 1000 : (int)left);
	return true;
}

/* 0 or an errno. */
static int send_once(const struct syslog *s, struct span message)
{
	ssize_t n;
	do n = send(s->fd, message.data, message.length, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? errno : 0;
}

/* --- UDP -------------------------------------------------------------------------- */

/* Each refusal is one datagram that was given to the network and did not arrive. */
static uint64_t take_refusals(struct syslog *s)
{
	int error = 0;
	uint64_t count = socket_take_errors(s->fd, &error);
	s->counts.refused += count;
	if (count > s->counts.proved) count = s->counts.proved;
	for (uint64_t i = 0; i < count; i++) {
		s->counts.proved--;
		s->counts.waiting++;
		lose(s, error);
	}
	return count;
}

/* The one sent last goes once more: most likely it was about that. */
static void repeat_last(struct syslog *s)
{
	if (!s->last.length || s->last_is_again) return;
	s->last_is_again = true;
	if (send_once(s, buffer_span(&s->last))) return;
	s->counts.resent++;
	s->counts.lost--;
	s->counts.proved++;
}

enum syslog_state syslog_datagram_hear(struct syslog *s, int timeout_ms)
{
	struct pollfd p = { .fd = s->fd };
	if (s->fd < 0) return s->state;
	if (s->transport == SYSLOG_UNIX) {
		if (signals_poll(&p, 1, 0) > 0) syslog_disconnect(s); /* the next message finds out what became of it */
		return s->state;
	}
	for (int turn = 0; turn < 2; turn++) {
		if (timeout_ms) signals_poll(&p, 1, timeout_ms);
		if (!take_refusals(s)) break;
		repeat_last(s);
	}
	return s->state;
}

static void keep_last(struct syslog *s, struct span message)
{
	buffer_clear(&s->last);
	if (!buffer_append_span(&s->last, message)) die(EXIT_INTERNAL, "out of memory");
	s->last_is_again = false;
}

static enum syslog_state send_udp(struct syslog *s, struct span message)
{
	int64_t since_ms = -1;
	for (int tries = 0, buffers = 0;;) {
		int error = send_once(s, message);
		if (!error) break;
		if (since_ms < 0) since_ms = socket_clock_ms();
		if ((error == EAGAIN || (error == ENOBUFS && buffers++ < NO_BUFFER_TRIES)) && await_room(s, error, since_ms)) continue;
		if (error != EMSGSIZE && error != EAGAIN && error != ENOBUFS) {
			syslog_datagram_hear(s, 0); /* it may tell of an earlier one, and then this one was not sent */
			if (tries++ < 2) continue;
			if (error == ECONNREFUSED) s->counts.refused++;
		}
		lose(s, error);
		return SYSLOG_FINE;
	}
	syslog_book_proved(s, 1);
	keep_last(s, message);
	return SYSLOG_FINE;
}

/* --- a unix socket ------------------------------------------------------------------ */

static enum syslog_state send_unix(struct syslog *s, struct span message)
{
	int64_t since_ms = -1;
	for (;;) {
		enum syslog_state state = syslog_connect(s);
		if (state) return state;
		if (s->type == SOCKET_STREAM) return syslog_stream_send(s, message);
		int error = send_once(s, message);
		if (!error) break;
		if (error == EMSGSIZE) {
			lose(s, error);
			return SYSLOG_FINE;
		}
		if (error != EAGAIN && error != ENOBUFS) {
			snprintf(s->why, sizeof s->why, "%s", strerror(error));
			syslog_break(s);
			since_ms = -1;
			continue;
		}
		if (since_ms < 0) since_ms = socket_clock_ms();
		if (!await_room(s, error, since_ms)) return syslog_end(s, SYSLOG_GONE, "its queue stays full");
	}
	syslog_well(s);
	syslog_book_proved(s, 1);
	return SYSLOG_FINE;
}

enum syslog_state syslog_datagram_send(struct syslog *s, struct span message)
{
	struct span cut = syslog_cut(message, s->max_bytes);
	enum syslog_state state;
	if (cut.length < message.length) s->counts.truncated++;
	if (s->transport == SYSLOG_UNIX) return send_unix(s, cut);
	return (state = syslog_connect(s)) ? state : send_udp(s, cut);
}
