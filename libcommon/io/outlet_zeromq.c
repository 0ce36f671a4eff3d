/* outlet_zeromq - the outlet's kinds pub: and push:, with what can be known of messages that libzmq has taken. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <poll.h>

#include "io/diag.h"
#include "io/outlet_private.h"
#include "io/signals.h"
#include "io/zeromq.h"

/* LOOK_EVERY: a look at the monitor and the subscriptions costs two system calls, a send next to nothing. */
enum { LOOK_EVERY = 256, LOOK_AGAIN_MS = 100, LINGER_MORE_MS = 100 };

void outlet_open_zeromq(struct outlet *o)
{
	const struct outlet_options *options = &o->options;
	o->form = OUTLET_ZEROMQ;
	o->zeromq = zeromq_open();
	o->socket = zeromq_socket_open(o->zeromq, o->endpoint, &(struct zeromq_options){
		.hwm = o->options.hwm, .message_limit_bytes = -1, .buffer_bytes = options->send_buffer_bytes, .curve_secret = options->curve_secret,
		.curve_clients = options->curve_clients, .curve_server = options->curve_server, .insecure = options->insecure,
		.await_peers = true, .failure = EXIT_NO_OUTPUT });
	diag_note(1, "%s %s", zeromq_binds(o->socket) ? "sending from" : "sending to", zeromq_address(o->socket));
}

static void book_loss(struct outlet *o, uint64_t most, const char *what)
{
	if (most > o->delivered) most = o->delivered;
	if (!most) return;
	o->lost += most;
	o->delivered -= most;
	diag_warn("%s: %s, and with it up to %llu envelopes that it had not taken yet", o->endpoint->text, what, (unsigned long long)most);
}

static enum outlet_result look(struct outlet *o, bool *ready)
{
	const struct zeromq_events *told = zeromq_events(o->socket);
	bool is_pub = o->endpoint->kind == ENDPOINT_PUB;
	/* What was queued for a connection that has gone went with it. Of the peers of a pub: socket any may leave as it likes, but
	 * what was sent after the last one had left was sent to nobody. */
	if (told->disconnected > o->disconnected && !is_pub) book_loss(o, (uint64_t)o->options.hwm, "the connection was lost");
	/* The monitor tells of a departure before the subscription goes with it. */
	bool just_left = told->disconnected > o->disconnected && !told->peers_now;
	o->disconnected = told->disconnected;
	*ready = !is_pub || (zeromq_subscriptions(o->socket) > 0 && !just_left);
	if (o->heard && !*ready) book_loss(o, o->since_look, "the last subscriber has left");
	o->heard = is_pub && *ready;
	o->until_look = LOOK_EVERY;
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
	if (o->options.timeout_ms < 0) return outlet_explain(o, OUTLET_TRY_AGAIN, "%s", what); /* a signal has ended the wait */
	return outlet_explain(o, OUTLET_TRY_AGAIN, "%s within %.3g s", what, o->options.timeout_ms / 1000.0);
}

void outlet_wait_socket(struct outlet *o, int timeout_ms)
{
	int fds[ZEROMQ_FDS];
	struct pollfd polled[ZEROMQ_FDS];
	zeromq_fds(o->socket, fds);
	for (int i = 0; i < ZEROMQ_FDS; i++) polled[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	signals_poll(polled, ZEROMQ_FDS, timeout_ms);
}

enum outlet_result outlet_send_zeromq(struct outlet *o, struct span line)
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
			if (!error) {
				o->until_look -= o->until_look > 0;
				o->since_look++;
				o->delivered++;
				return OUTLET_DELIVERED;
			}
			if (error != EAGAIN) return outlet_explain(o, OUTLET_REFUSED, "%s", strerror(error));
			if (first) continue; /* a look and a second try empty the event queues, which has to be before any wait */
		}
		int left = patience_left(&p);
		if (left == 0) return nobody_there(o);
		outlet_wait_socket(o, left < 0 || left > LOOK_AGAIN_MS ? LOOK_AGAIN_MS : left);
	}
}

enum outlet_result outlet_flush_zeromq(struct outlet *o)
{
	bool ready;
	enum outlet_result result = look(o, &ready);
	o->until_look = 0; /* who flushes is about to wait, and much may change meanwhile */
	return result;
}

/* Waits until libzmq has written everything to the connections. That its linger ran out, it does not tell: so it gets longer than we wait. */
static enum outlet_result await_written(struct outlet *o, const struct patience *p, uint64_t disconnected, uint64_t peers)
{
	for (;;) {
		const struct zeromq_events *told = zeromq_events(o->socket);
		uint64_t gone = told->disconnected - disconnected;
		int left = patience_left(p);
		if (gone && (o->endpoint->kind == ENDPOINT_PUSH || gone >= peers))
			return outlet_explain(o, OUTLET_TRY_AGAIN, "the connection was lost while the last envelopes were under way");
		if (left == 0) return outlet_explain(o, OUTLET_TRY_AGAIN, "the far side has not taken everything");
		if (told->closed) return OUTLET_DELIVERED;
		outlet_wait_socket(o, left);
	}
}

enum outlet_result outlet_close_zeromq(struct outlet *o)
{
	enum outlet_result result = OUTLET_DELIVERED;
	struct patience p = patience(o->options.timeout_ms);
	if (o->delivered) {
		bool ready;
		look(o, &ready); /* a disconnect before this is booked there */
		const struct zeromq_events *told = zeromq_events(o->socket);
		uint64_t before = told->disconnected, peers = told->peers_now;
		zeromq_close_begin(o->socket, p.for_ever ? -1 : o->options.timeout_ms + LINGER_MORE_MS);
		result = await_written(o, &p, before, peers);
	}
	if (result != OUTLET_DELIVERED) {
		uint64_t most = (uint64_t)o->options.hwm < o->delivered ? (uint64_t)o->options.hwm : o->delivered;
		o->lost += most;
		o->delivered -= most;
	}
	zeromq_socket_close(o->socket);
	/* With an endless linger and a far side that does not read, the context would never end; the process will. */
	if (!p.for_ever || result == OUTLET_DELIVERED) zeromq_close(o->zeromq);
	return result;
}
