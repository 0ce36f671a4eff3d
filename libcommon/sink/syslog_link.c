/* syslog_link - the connection of syslog: made, lost, made again, heard, ended. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/syslog_private.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/diag.h"
#include "io/signals.h"

enum { LISTEN_MS = 1000 };

enum syslog_state syslog_end(struct syslog *s, enum syslog_state state, const char *why)
{
	char saved[SYSLOG_REASON_MAX];
	snprintf(saved, sizeof saved, "%s", why);
	memcpy(s->why, saved, sizeof saved);
	snprintf(s->reason, sizeof s->reason, "%.200s: %.300s", s->place, saved);
	syslog_disconnect(s);
	return s->state = state;
}

/* What was not proved goes again; a far side that still has it unread, and we with it on the way, would have it twice. Where an acknowledged byte counts as proved, it must not be taken back. */
static void forget_unread(const struct syslog *s)
{
	struct linger at_once = { .l_onoff = 1 };
	if (s->window.sent && s->type == SOCKET_STREAM && s->options->confirm == SYSLOG_CONFIRM_CLOSE) setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void syslog_disconnect(struct syslog *s)
{
	if (s->fd >= 0) forget_unread(s);
	if (s->tls) tls_drop(s->tls);
	else if (s->fd >= 0) close(s->fd);
	s->tls = NULL;
	s->fd = -1;
	s->window.sent = 0;
}

void syslog_break(struct syslog *s)
{
	diag_note(1, "%s: %s; connecting again", s->place, s->why);
	s->counts.reconnects++;
	s->counts.resent += syslog_window_begun(&s->window);
	if (s->away_since_ms < 0) s->away_since_ms = socket_clock_ms();
	if (s->window.sent && s->options->confirm == SYSLOG_CONFIRM_CLOSE) s->portion = s->window.sent / 2 + 1;
	syslog_disconnect(s);
}

void syslog_well(struct syslog *s)
{
	if (s->told) diag_note(1, "%s: is there again", s->place);
	s->away_since_ms = -1;
	s->told = false;
	backoff_reset(&s->backoff);
}

static int left_ms(const struct syslog *s)
{
	int64_t left = s->away_since_ms + s->options->retry_ms - socket_clock_ms();
	return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* After a handshake that was followed by a break the far side is heard first: if it misses our certificate, its alert comes before anything else, and sent bytes could have destroyed it. */
static enum tls_verdict listen_first(struct syslog *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	if (!s->counts.reconnects || s->counts.proved) return TLS_DONE;
	signals_poll(&p, 1, LISTEN_MS);
	enum tls_verdict verdict = tls_hear(s->tls);
	if (verdict != TLS_DONE) snprintf(s->why, sizeof s->why, "%s", tls_reason(s->tls));
	return verdict;
}

static enum tls_verdict open_tls(struct syslog *s, int64_t timeout_ms)
{
	enum tls_verdict verdict = tls_open(&s->tls, s->endpoint.host, (uint16_t)atoi(s->endpoint.port), &s->options->tls, timeout_ms, s->why);
	if (verdict != TLS_DONE) return verdict;
	s->fd = tls_fd(s->tls);
	verdict = listen_first(s);
	if (verdict != TLS_DONE) syslog_disconnect(s);
	return verdict;
}

/* Once. */
static enum tls_verdict open_link(struct syslog *s, int timeout_ms)
{
	if (s->transport == SYSLOG_TLS) return open_tls(s, timeout_ms);
	if (s->transport == SYSLOG_UNIX) s->fd = socket_connect_unix(s->endpoint.path, &s->type, timeout_ms, &signals_waits, s->why);
	else s->fd = socket_connect(&s->endpoint, s->type, timeout_ms, &signals_waits, s->why);
	if (s->fd >= 0 && s->transport == SYSLOG_UDP) socket_keep_errors(s->fd);
	if (s->fd >= 0) return TLS_DONE;
	if (errno == EINTR && signals_stopping_now()) return TLS_STOPPED;
	return TLS_AWAY;
}

/* A name that does not exist is a misspelt one, unless it was there before. */
static bool is_worth_trying(const struct syslog *s, int error)
{
	return s->was_there || error != EINVAL;
}

static enum syslog_state connected(struct syslog *s)
{
	s->was_there = true;
	if (s->transport == SYSLOG_UDP) syslog_well(s); /* nothing else will say so */
	if (s->type == SOCKET_STREAM || !s->window.bytes.length) return SYSLOG_FINE;
	return syslog_end(s, SYSLOG_GONE, "a datagram socket has taken the place of a stream");
}

enum syslog_state syslog_connect(struct syslog *s)
{
	int64_t timeout_ms = s->options->timeout_ms > INT_MAX ? INT_MAX : s->options->timeout_ms;
	while (s->fd < 0) {
		bool is_away = s->away_since_ms >= 0;
		if (is_away) {
			int64_t pause_ms = backoff_next_ms(&s->backoff);
			if (!left_ms(s)) return syslog_end(s, SYSLOG_GONE, s->why);
			if (!backoff_wait(pause_ms < left_ms(s) ? pause_ms : left_ms(s))) return syslog_end(s, SYSLOG_GONE, s->why);
			if (timeout_ms > left_ms(s)) timeout_ms = left_ms(s) + 1;
		} else {
			s->away_since_ms = socket_clock_ms();
		}
		errno = 0;
		enum tls_verdict verdict = open_link(s, (int)timeout_ms);
		int error = s->transport == SYSLOG_TLS ? 0 : errno; /* libcurl leaves anything there */
		if (verdict == TLS_DONE) {
			if (!is_away) s->away_since_ms = -1;
			break;
		}
		if (verdict == TLS_UNTRUSTED) return syslog_end(s, SYSLOG_UNTRUSTED, s->why);
		if (verdict == TLS_STOPPED || !is_worth_trying(s, error)) return syslog_end(s, SYSLOG_GONE, s->why);
		if (!s->told && left_ms(s)) diag_warn("%s: %s; trying again for %d s", s->place, s->why, (left_ms(s) + 999) / 1000);
		s->told = true;
	}
	return connected(s);
}

/* --- one connection --------------------------------------------------------------- */

static enum syslog_heard heard(struct syslog *s, enum tls_verdict verdict)
{
	if (verdict != TLS_DONE) snprintf(s->why, sizeof s->why, "%s", tls_reason(s->tls));
	return verdict == TLS_DONE ? SYSLOG_QUIET : verdict == TLS_UNTRUSTED ? SYSLOG_DISTRUSTED : SYSLOG_ENDED;
}

static enum syslog_heard ended(struct syslog *s, int error)
{
	snprintf(s->why, sizeof s->why, "%s", error ? strerror(error) : "the far side has ended the connection");
	return SYSLOG_ENDED;
}

enum syslog_heard syslog_hear(struct syslog *s)
{
	char forgotten[4096];
	if (s->tls) return heard(s, tls_hear(s->tls));
	for (int turn = 0; turn < 64; turn++) {
		ssize_t n = recv(s->fd, forgotten, sizeof forgotten, MSG_DONTWAIT);
		if (n == 0) return ended(s, 0);
		if (n < 0 && errno == EAGAIN) break;
		if (n < 0 && errno != EINTR) return ended(s, errno);
	}
	return SYSLOG_QUIET;
}

enum syslog_heard syslog_write(struct syslog *s, size_t end, size_t *sent)
{
	struct syslog_window *w = &s->window;
	struct span rest = { w->bytes.data + w->sent, end - w->sent };
	*sent = 0;
	if (s->tls) {
		enum tls_verdict verdict = tls_write(s->tls, rest, sent);
		w->sent += *sent;
		return heard(s, verdict);
	}
	ssize_t n = send(s->fd, rest.data, rest.length, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0) return errno == EAGAIN || errno == EINTR ? SYSLOG_QUIET : ended(s, errno);
	w->sent += *sent = (size_t)n;
	return SYSLOG_QUIET;
}

enum syslog_heard syslog_close(struct syslog *s)
{
	enum tls_verdict verdict;
	if (s->tls) {
		verdict = tls_close(s->tls, s->options->timeout_ms, s->counts.proved > 0, s->why);
		s->tls = NULL;
		s->fd = -1; /* gone in any case */
		return verdict == TLS_DONE ? SYSLOG_QUIET : verdict == TLS_UNTRUSTED ? SYSLOG_DISTRUSTED : SYSLOG_ENDED;
	}
	if (syslog_hear(s) != SYSLOG_QUIET) { /* it ended before we did: for a reason of its own */
		errno = ECONNRESET;
		return SYSLOG_ENDED;
	}
	if (socket_end(s->fd, s->options->timeout_ms, &signals_waits, s->why) < 0) return SYSLOG_ENDED;
	close(s->fd);
	s->fd = -1;
	return SYSLOG_QUIET;
}

/* A unix receiver that went away takes with it what it had not read: nothing waits then, but there is an error. */
static bool is_broken(int fd)
{
	int error = 0;
	socklen_t size = sizeof error;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error;
}

/* Of TLS it is counted with its wrapping, of a unix socket in the kernel's own measure: both are more than our bytes, so at most less counts as taken than was. Of a TLS record that is not whole
 * over there nothing can be read. */
size_t syslog_taken(const struct syslog *s)
{
	size_t waiting = (size_t)socket_unsent(s->fd);
	if (s->transport == SYSLOG_TLS && waiting) waiting += TLS_RECORD_MAX;
	if (s->transport == SYSLOG_UNIX && is_broken(s->fd)) return 0;
	return s->window.sent > waiting ? s->window.sent - waiting : 0;
}
