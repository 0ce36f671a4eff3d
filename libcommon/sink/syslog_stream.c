/* syslog_stream - messages over a connection: written in batches, waited for, proved, and sent again when it breaks. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/syslog_private.h"

#include <errno.h>
#include <stdio.h>

#include "io/signals.h"

enum { TURN_MS = 1000, ACKED_STEP_MS = 5 };

static bool is_acked_mode(const struct syslog *s)
{
	return s->options->confirm == SYSLOG_CONFIRM_ACKED;
}

static void release(struct syslog *s, size_t taken)
{
	uint64_t messages = syslog_window_release(&s->window, taken);
	if (messages) syslog_well(s);
	syslog_book_proved(s, messages);
	if (!s->window.messages) s->proof_due_ms = -1;
}

/* Broken: the connection is gone, and the next turn makes another. */
static enum syslog_state take_trouble(struct syslog *s, enum syslog_heard heard)
{
	if (heard == SYSLOG_DISTRUSTED) return syslog_end(s, SYSLOG_UNTRUSTED, s->why);
	if (heard == SYSLOG_ENDED) syslog_break(s);
	return SYSLOG_FINE;
}

/* When bytes last moved: into the connection, or out of our kernel's buffer, which tells of a far side that is only slow. */
struct movement {
	int64_t at_ms;
	int unsent;
};

/* Room to write, something to hear, or step_ms. Fails when for the time-out nothing has moved, or when we are asked to stop. */
static enum syslog_state await(struct syslog *s, short events, int step_ms, struct movement *moved)
{
	struct pollfd p = { .fd = s->fd, .events = (short)(events | POLLIN) };
	int unsent = socket_unsent(s->fd);
	if (unsent < moved->unsent) moved->at_ms = socket_clock_ms();
	moved->unsent = unsent;
	int64_t left = moved->at_ms + s->options->timeout_ms - socket_clock_ms();
	if (left <= 0) return syslog_end(s, SYSLOG_GONE, "it takes no more");
	if (signals_stopping_now()) return syslog_end(s, SYSLOG_GONE, "stopped while it took no more");
	signals_poll(&p, 1, left < step_ms ? (int)left : step_ms);
	return SYSLOG_FINE;
}

/* Gives the window, or what of it is this connection's portion, to a connection, whatever it takes to have one. */
static enum syslog_state write_all(struct syslog *s)
{
	struct movement moved = { .at_ms = socket_clock_ms() };
	for (size_t end; s->window.sent < (end = syslog_window_first(&s->window, s->portion));) {
		bool is_new = s->fd < 0;
		size_t sent = 0;
		enum syslog_state state = syslog_connect(s);
		if (state) return state;
		if (is_new) moved.at_ms = socket_clock_ms();
		enum syslog_heard heard = syslog_hear(s);
		if (heard == SYSLOG_QUIET) heard = syslog_write(s, end, &sent);
		if (sent) {
			moved.at_ms = socket_clock_ms();
			if (s->proof_due_ms < 0) s->proof_due_ms = moved.at_ms + s->proof_ms;
		}
		if (heard != SYSLOG_QUIET) state = take_trouble(s, heard);
		else if (!sent) state = await(s, POLLOUT, TURN_MS, &moved);
		if (state) return state;
	}
	return SYSLOG_FINE;
}

/* One that ends every connection after so many messages is given less, so that there is a proof; by and by the others are given everything again. */
static void grow(struct syslog *s)
{
	if (s->portion) s->portion += s->portion / 8 + 1;
	if (s->portion >= s->options->window_bytes) s->portion = 0;
}

/* By the end of the connection: what was sent before was read, or it would have ended in another way. */
static enum syslog_state prove_by_end(struct syslog *s)
{
	while (s->window.messages) {
		enum syslog_state state = write_all(s);
		if (state) return state;
		enum syslog_heard heard = syslog_close(s);
		if (heard == SYSLOG_QUIET) {
			release(s, s->window.sent);
			grow(s);
			continue;
		}
		if (errno == ETIMEDOUT) snprintf(s->why, sizeof s->why, "it takes no more, or does not end its side of the connection (--confirm acked)");
		if (heard == SYSLOG_ENDED && (errno == ETIMEDOUT || errno == EINTR)) return syslog_end(s, SYSLOG_GONE, s->why);
		if ((state = take_trouble(s, heard))) return state;
	}
	return SYSLOG_FINE;
}

/* By acknowledged bytes, until so many bytes at most are left in the window. */
static enum syslog_state prove_by_acks(struct syslog *s, size_t most)
{
	struct movement moved = { .at_ms = socket_clock_ms() };
	for (;;) {
		bool is_new = s->fd < 0;
		enum syslog_state state = write_all(s);
		if (state) return state;
		size_t before = s->window.bytes.length;
		if (s->fd >= 0) release(s, syslog_taken(s));
		if (s->window.bytes.length <= most) return SYSLOG_FINE;
		if (is_new || s->window.bytes.length < before) moved.at_ms = socket_clock_ms();
		enum syslog_heard heard = syslog_hear(s);
		state = heard == SYSLOG_QUIET ? await(s, 0, ACKED_STEP_MS, &moved) : take_trouble(s, heard);
		if (state) return state;
	}
}

enum syslog_state syslog_stream_prove(struct syslog *s)
{
	return is_acked_mode(s) ? prove_by_acks(s, 0) : prove_by_end(s);
}

static enum syslog_state make_room(struct syslog *s, size_t length)
{
	size_t whole = s->options->window_bytes, rest = whole > length ? whole - length : 0;
	if (!s->window.bytes.length || s->window.bytes.length <= rest) return SYSLOG_FINE;
	return is_acked_mode(s) ? prove_by_acks(s, rest < whole / 2 ? rest : whole / 2) : prove_by_end(s);
}

static enum syslog_state prove_if_due(struct syslog *s)
{
	if (s->proof_due_ms < 0 || socket_clock_ms() < s->proof_due_ms) return SYSLOG_FINE;
	if (!is_acked_mode(s)) return prove_by_end(s);
	if (s->fd >= 0) release(s, syslog_taken(s));
	if (s->proof_due_ms >= 0) s->proof_due_ms = socket_clock_ms() + s->proof_ms;
	return SYSLOG_FINE;
}

enum syslog_state syslog_stream_send(struct syslog *s, struct span message)
{
	bool truncated = false;
	enum syslog_state state = make_room(s, message.length < s->max_bytes ? message.length : s->max_bytes);
	if (state) return state;
	syslog_window_add(&s->window, message, s->max_bytes, &truncated);
	if (truncated) s->counts.truncated++;
	if (!s->options->pace && s->window.bytes.length - s->window.sent < SYSLOG_BATCH) return SYSLOG_FINE;
	return syslog_stream_flush(s);
}

enum syslog_state syslog_stream_flush(struct syslog *s)
{
	enum syslog_state state = write_all(s);
	if (!state && s->window.sent < s->window.bytes.length) state = prove_by_end(s);
	return state ? state : prove_if_due(s);
}

enum syslog_state syslog_stream_tick(struct syslog *s)
{
	enum syslog_heard heard = s->fd >= 0 ? syslog_hear(s) : SYSLOG_QUIET;
	enum syslog_state state = SYSLOG_FINE;
	if (heard != SYSLOG_QUIET && s->window.messages) state = take_trouble(s, heard);
	else if (heard != SYSLOG_QUIET) syslog_disconnect(s);
	return state ? state : syslog_stream_flush(s);
}
