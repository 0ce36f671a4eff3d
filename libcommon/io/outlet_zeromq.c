/* outlet_zeromq - the outlet's kinds pub: and push:, with what can be known of messages that libzmq has taken. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/outlet_private.h"
#include "io/socket.h"
#include "io/zeromq.h"

/* LOOK_EVERY, in envelopes: a look at the monitor and the subscriptions costs two system calls, a send next to nothing. */
enum { LOOK_EVERY = 256, LOOK_AGAIN_MS = 100, LINGER_MORE_MS = 10, READ_AGAIN_MS = 16 };

bool outlet_open_zeromq(struct outlet *o, struct fault *fault)
{
	const struct outlet_options *options = &o->options;
	o->form = OUTLET_ZEROMQ;
	if (!(o->zeromq = zeromq_open(fault))) return false;
	o->socket = zeromq_socket_open(o->zeromq, o->endpoint, &(struct zeromq_options){
		.hwm = o->options.hwm, .message_limit_bytes = -1, .buffer_bytes = options->send_buffer_bytes, .curve_secret = options->curve_secret,
		.curve_clients = options->curve_clients, .curve_server = options->curve_server, .insecure = options->insecure,
		.is_trial = options->is_trial, .await_peers = true, .failure = EXIT_NO_OUTPUT }, fault);
	if (!o->socket) {
		zeromq_close(o->zeromq);
		return false;
	}
	outlet_say(o, false, "%s %s", zeromq_binds(o->socket) ? "sending from" : "sending to", zeromq_address(o->socket));
	return true;
}

/* --- how many envelopes are in libzmq's hands --------------------------------------- */

/* The numbers of lines in the last `hwm` messages: libzmq holds no more of them for a peer. Before the first message of several lines there is no such ring:
 * each is one then. */
struct outlet_queue {
	uint64_t sum;
	size_t size, at;
	uint32_t lines[];
};

static uint64_t queued_lines(const struct outlet *o)
{
	uint64_t most = o->queue ? o->queue->sum : (uint64_t)o->options.hwm;
	if (most > o->at_risk) most = o->at_risk;
	return most < o->delivered ? most : o->delivered;
}

static void book_queued(struct outlet *o, uint64_t lines)
{
	struct outlet_queue *q = o->queue;
	o->delivered += lines;
	o->at_risk += lines;
	if (!q) return;
	q->sum += lines - q->lines[q->at];
	q->lines[q->at] = (uint32_t)lines;
	q->at = q->at + 1 < q->size ? q->at + 1 : 0;
}

/* What was queued is booked as lost. With a single peer, which is what connects, it is not to be booked again. */
static void forget_queued(struct outlet *o)
{
	struct outlet_queue *q = o->queue;
	if (zeromq_binds(o->socket)) return;
	o->at_risk = 0;
	if (!q) return;
	memset(q->lines, 0, q->size * sizeof *q->lines);
	q->sum = 0;
}

static bool has_queue(struct outlet *o)
{
	size_t size = (size_t)o->options.hwm;
	if (o->queue) return true;
	struct outlet_queue *q = o->queue = calloc(1, sizeof *q + size * sizeof *q->lines);
	if (!q) return false;
	q->size = size;
	for (size_t i = 0; i < size && i < o->at_risk; i++) q->lines[size - 1 - i] = 1, q->sum++;
	return true;
}

/* --- who is there -------------------------------------------------------------------- */

static void book_loss(struct outlet *o, uint64_t most, const char *what)
{
	if (most > o->delivered) most = o->delivered;
	if (!most) return;
	o->lost += most;
	o->delivered -= most;
	outlet_say(o, true, "%s: %s, and with it up to %llu envelopes that it had not taken yet", o->endpoint->text, what, (unsigned long long)most);
}

static enum outlet_result look(struct outlet *o, bool *ready)
{
	const struct zeromq_events *told = zeromq_events(o->socket);
	bool is_pub = o->endpoint->kind == ENDPOINT_PUB;
	/* What was queued for a connection that has gone went with it. Of the peers of a pub: socket any may leave as it likes, but
	 * what was sent after the last one had left was sent to nobody. */
	if (told->disconnected > o->disconnected && !is_pub) {
		book_loss(o, queued_lines(o), "the connection was lost");
		forget_queued(o);
	}
	/* The monitor tells of a departure before the subscription goes with it. */
	bool just_left = told->disconnected > o->disconnected && !told->peers_now;
	o->disconnected = told->disconnected;
	*ready = !is_pub || (zeromq_subscriptions(o->socket) > 0 && !just_left);
	if (o->heard && !*ready) book_loss(o, o->since_look, "the last subscriber has left");
	o->heard = is_pub && *ready;
	o->until_look = *ready ? LOOK_EVERY : 0; /* libzmq takes for a pub: without subscribers all that it is given, and throws it away */
	o->since_look = 0;
	/* A server that others may still join is not done for by one wrong key. */
	if (told->denied > o->denied && !zeromq_binds(o->socket) && !told->peers_now)
		return outlet_explain(o, OUTLET_REFUSED, "the far side does not let this key in");
	o->denied = told->denied;
	return OUTLET_DELIVERED;
}

static enum outlet_result nobody_there(struct outlet *o)
{
	const struct zeromq_events *told = zeromq_events(o->socket);
	const char *what = told->peers_now == 0 && told->handshake_failed ? "the handshake fails (does one side use CURVE, or another key?)"
		: told->peers_now == 0 ? "nobody is connected"
		: o->endpoint->kind == ENDPOINT_PUB && zeromq_subscriptions(o->socket) == 0 ? "nobody subscribes" : "the far side does not read";
	bool is_timed = o->options.timeout_ms >= 0;
	if (!is_timed || waits_are_over(o->options.waits, is_timed)) return outlet_explain(o, OUTLET_TRY_AGAIN, "%s", what); /* a stop has ended the wait */
	return outlet_explain(o, OUTLET_TRY_AGAIN, "%s within %.3g s", what, o->options.timeout_ms / 1000.0);
}

void outlet_wait_socket(struct outlet *o, int timeout_ms)
{
	int fds[ZEROMQ_FDS];
	struct pollfd polled[ZEROMQ_FDS];
	zeromq_fds(o->socket, fds);
	for (int i = 0; i < ZEROMQ_FDS; i++) polled[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	waits_poll(o->options.waits, polled, ZEROMQ_FDS, timeout_ms);
}

static enum outlet_result send_message(struct outlet *o, struct span message, uint64_t lines)
{
	struct patience p = patience(o);
	bool ready = true;
	for (bool first = true;; first = false) {
		if (!first || o->until_look == 0) {
			enum outlet_result result = look(o, &ready);
			if (result != OUTLET_DELIVERED) return result;
		}
		if (ready) {
			int error = zeromq_send(o->socket, message);
			if (!error) {
				o->until_look -= lines < o->until_look ? (unsigned)lines : o->until_look;
				o->since_look += (unsigned)lines;
				book_queued(o, lines);
				return OUTLET_DELIVERED;
			}
			if (error != EAGAIN) return outlet_explain(o, error == ENOMEM ? OUTLET_TRY_AGAIN : OUTLET_REFUSED, "%s", strerror(error));
			if (first) continue; /* a look and a second try empty the event queues, which has to be before any wait */
		}
		int left = patience_left(&p);
		if (left == 0) return nobody_there(o);
		outlet_wait_socket(o, left < 0 || left > LOOK_AGAIN_MS ? LOOK_AGAIN_MS : left);
	}
}

enum outlet_result outlet_send_zeromq(struct outlet *o, struct span line)
{
	return send_message(o, line, 1);
}

enum outlet_result outlet_send_block_zeromq(struct outlet *o, struct span block, uint64_t lines)
{
	if (lines > 1 && !has_queue(o)) return outlet_explain(o, OUTLET_TRY_AGAIN, "no memory to count what is sent");
	return send_message(o, (struct span){ block.data, block.length - 1 }, lines);
}

enum outlet_result outlet_flush_zeromq(struct outlet *o)
{
	bool ready;
	enum outlet_result result = look(o, &ready);
	o->until_look = 0; /* who flushes is about to wait, and much may change meanwhile */
	return result;
}

/* Waits until libzmq has written everything to the connections, and, where that can be known, the far sides have read it; of the latter no event tells. That its linger ran
 * out, libzmq does not tell: so it gets longer than we wait: who finds it closed with time left knows that all was written. */
static enum outlet_result await_taken(struct outlet *o, const struct patience *p, uint64_t disconnected, uint64_t peers)
{
	for (int pause_ms = 1;; pause_ms = pause_ms < READ_AGAIN_MS ? 2 * pause_ms : READ_AGAIN_MS) {
		const struct zeromq_events *told = zeromq_events(o->socket);
		size_t lost = 0, unread = told->closed ? zeromq_unread(o->socket, &lost) : 0;
		uint64_t gone = told->disconnected - disconnected + lost;
		int left = patience_left(p);
		if (gone && (o->endpoint->kind == ENDPOINT_PUSH || gone >= peers))
			return outlet_explain(o, OUTLET_TRY_AGAIN, "the connection was lost while the last envelopes were under way");
		if (left == 0) return outlet_explain(o, OUTLET_TRY_AGAIN, "the far side has not taken everything");
		if (told->closed && !unread) return OUTLET_DELIVERED;
		if (told->closed) outlet_pause(o, left < 0 || left > pause_ms ? pause_ms : left);
		else outlet_wait_socket(o, left);
	}
}

/* With nothing to send it is at once. */
static bool is_closed_soon(struct outlet *o)
{
	int64_t end = socket_clock_ms() + LINGER_MORE_MS, left;
	if (!o->delivered) return true;
	while (!zeromq_events(o->socket)->closed && (left = end - socket_clock_ms()) > 0) outlet_wait_socket(o, (int)left);
	return zeromq_events(o->socket)->closed;
}

enum outlet_result outlet_close_zeromq(struct outlet *o)
{
	enum outlet_result result = OUTLET_DELIVERED;
	struct patience p = patience(o);
	if (o->delivered) {
		bool ready;
		look(o, &ready); /* a disconnect before this is booked there */
		const struct zeromq_events *told = zeromq_events(o->socket);
		uint64_t before = told->disconnected, peers = told->peers_now;
		zeromq_close_begin(o->socket, p.for_ever ? -1 : o->options.timeout_ms + LINGER_MORE_MS);
		result = await_taken(o, &p, before, peers);
	}
	if (result != OUTLET_DELIVERED) {
		uint64_t most = queued_lines(o);
		o->lost += most;
		o->delivered -= most;
	}
	/* Of a linger that a stop leaves much of, the rest is not waited for. */
	bool ends_soon = (!p.for_ever && socket_clock_ms() >= p.end_ms) || is_closed_soon(o);
	zeromq_socket_close(o->socket);
	if (ends_soon) zeromq_close(o->zeromq);
	else zeromq_leave(o->zeromq);
	return result;
}
