/* outlet_ack - the outlet's kind ack:, which holds every envelope until the far side has said that it keeps it (metlog-wire(5)). */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "io/ackwindow.h"
#include "io/ackwire.h"
#include "io/outlet_private.h"
#include "io/socket.h"
#include "io/zeromq.h"

/* QUEUED: messages in libzmq, a window of whole batches; what is queued for a connection goes with it, and is sent again.
 * PING, UNANSWERED: with something outstanding and silence for PING_MS a ping is sent, and after so many without a word the connection is given
 * up for a new one; each time that fails, the patience doubles up to PING_MAX_MS, so that a far side that is merely stuck does not find
 * a heap of connections. ANSWER: without an acknowledgement that moves, everything is sent again after so long, doubling.
 * CUTS: connections in a row that broke at the same envelope, until that is worth a word. */
enum { QUEUED = ACKWINDOW_BYTES / ACKWIRE_BATCH_BYTES, MESSAGE_MAX = 64 * 1024, PING_MS = 1000, PING_MAX_MS = 16 * PING_MS, UNANSWERED = 3,
	ANSWER_MS = 1000, ANSWER_MAX_MS = 10000, CUTS = 5 };

struct outlet_ack {
	struct ackwindow window;
	char sender[ACKWIRE_SENDER_BYTES];
	bool named;              /* by our caller: others may have sent under this name before */
	uint64_t connected;      /* as the monitor has told it so far */
	uint64_t told;           /* by the last ACK */
	size_t gathered;         /* bytes taken since the last turn */
	int64_t heard_ms, pinged_ms;
	int64_t moved_ms;        /* since when the first envelope held waits for its acknowledgement on this connection */
	int ping_ms, answer_ms;
	unsigned unanswered, cuts;
	bool stands;             /* the connection, when last looked at */
	bool pinged;             /* and no answer came yet: an ACK that says nothing new may be one */
	bool careful;            /* after going back: one batch alone, until an acknowledgement moves */
	bool repeats;            /* what was sent up to `twice` is under way a second time, and will be acknowledged twice */
	uint64_t twice;
	uint64_t rejected;       /* the last number that was rejected */
	struct buffer rejects;   /* struct rejection, reason, line; again and again */
	size_t rejects_at;       /* what of them was handed out */
	char handed[ACKWIRE_REASON_MAX + 1]; /* the reason handed out last, as text */
};

struct rejection {
	uint64_t number;
	size_t reason_length, line_length;
};

/* --- the connection ------------------------------------------------------------------ */

static struct zeromq_socket *open_socket(struct outlet *o, struct fault *fault)
{
	const struct outlet_options *options = &o->options;
	return zeromq_socket_open(o->zeromq, o->endpoint, &(struct zeromq_options){
		.hwm = QUEUED, .message_limit_bytes = MESSAGE_MAX, .buffer_bytes = options->send_buffer_bytes, .curve_secret = options->curve_secret,
		.curve_clients = options->curve_clients, .curve_server = options->curve_server, .insecure = options->insecure,
		.is_trial = options->is_trial, .await_peers = true, .failure = EXIT_NO_OUTPUT }, fault);
}

static bool draw_sender(struct outlet_ack *a)
{
	char sender[sizeof a->sender];
	ssize_t drawn;
	do drawn = getrandom(sender, sizeof sender, 0);
	while (drawn < 0 && errno == EINTR);
	if (drawn != sizeof sender) return false;
	memcpy(a->sender, sender, sizeof sender);
	a->named = false;
	return true;
}

static void release(struct outlet_ack *a)
{
	ackwindow_release(&a->window);
	buffer_release(&a->rejects);
	free(a);
}

static bool open_connection(struct outlet *o, struct fault *fault)
{
	o->zeromq = zeromq_open(fault);
	if (!o->zeromq) return false;
	o->socket = open_socket(o, fault);
	if (!o->socket) zeromq_close(o->zeromq);
	return o->socket != NULL;
}

bool outlet_open_ack(struct outlet *o, struct fault *fault)
{
	struct outlet_ack *a = o->ack = calloc(1, sizeof *a);
	if (!a) return fault_set(fault, EXIT_INTERNAL, "no memory for an outlet");
	o->form = OUTLET_ACK;
	a->ping_ms = PING_MS;
	a->answer_ms = ANSWER_MS;
	ackwindow_init(&a->window, o->options.sender ? o->options.acknowledged : 0);
	buffer_init(&a->rejects, SIZE_MAX / 2);
	if (o->options.sender) memcpy(a->sender, o->options.sender, sizeof a->sender), a->named = true;
	bool is_open = o->options.sender || draw_sender(a) || fault_set_errno(fault, EXIT_SYSTEM, "cannot draw a random number");
	if (!is_open || !open_connection(o, fault)) {
		release(a);
		return false;
	}
	outlet_say(o, false, "sending to %s", zeromq_address(o->socket));
	return true;
}

/* Everything that is not acknowledged is sent again, but carefully: if the far side does not take it now either, one batch is enough to know. */
static void go_back(struct outlet_ack *a)
{
	struct ackwindow *w = &a->window;
	if (w->sent > w->acknowledged) a->repeats = true, a->twice = w->highest;
	ackwindow_go_back(w);
	a->careful = true;
	a->moved_ms = socket_clock_ms();
}

/* A batch that the far side takes for an attack makes it break the connection, each time anew. */
static void book_cut(struct outlet *o)
{
	struct outlet_ack *a = o->ack;
	if (a->window.sent > a->window.acknowledged && ++a->cuts == CUTS)
		outlet_say(o, true, "%s: the connection has broken %d times in a row at a batch of %zu bytes (envelope %llu on): does the far side take so long a one?",
			o->endpoint->text, CUTS, ackwindow_batch(&(struct ackwindow){ .bytes = a->window.bytes, .head = a->window.head, .next = a->window.head },
			ACKWIRE_BATCH_BYTES).length, (unsigned long long)a->window.acknowledged + 1);
}

static enum outlet_result look(struct outlet *o)
{
	struct outlet_ack *a = o->ack;
	const struct zeromq_events *told = zeromq_events(o->socket);
	if (told->disconnected > o->disconnected) book_cut(o);
	if (told->connected > a->connected) {
		bool first = a->window.sent == a->window.acknowledged;
		go_back(a);
		if (first) a->careful = false;
		a->heard_ms = a->moved_ms;
		a->unanswered = 0;
		a->pinged = a->repeats = false; /* what was under way on the old one is gone */
	}
	a->stands = told->peers_now > 0;
	o->disconnected = told->disconnected;
	a->connected = told->connected;
	if (told->denied > o->denied && !told->peers_now) return outlet_explain(o, OUTLET_REFUSED, "the far side does not let this key in");
	o->denied = told->denied;
	return OUTLET_DELIVERED;
}

/* A fresh socket, so that nothing old is queued in it. */
static void give_up_connection(struct outlet *o)
{
	struct outlet_ack *a = o->ack;
	outlet_say(o, false, "%s: nothing was heard for %d s: connecting anew", o->endpoint->text, (a->ping_ms * (UNANSWERED + 1)) / 1000);
	struct fault fault;
	struct zeromq_socket *fresh = open_socket(o, &fault);
	if (fresh) {
		zeromq_socket_close(o->socket);
		o->socket = fresh;
		o->disconnected = o->denied = a->connected = 0;
	} else { /* the old one stays until the next attempt */
		outlet_say(o, true, "%s: cannot connect anew: %s", o->endpoint->text, fault.text);
	}
	if (a->ping_ms < PING_MAX_MS) a->ping_ms *= 2;
	a->unanswered = 0;
}

/* --- what the far side says ------------------------------------------------------------ */

static void take_ack(struct outlet *o, uint64_t number)
{
	struct outlet_ack *a = o->ack;
	struct ackwindow *w = &a->window;
	bool asked = a->pinged;
	a->told = number;
	a->pinged = false;
	if (number > w->highest && !a->named) {
		outlet_say(o, true, "%s: acknowledges envelope %llu, but only %llu were sent", o->endpoint->text, (unsigned long long)number, (unsigned long long)w->highest);
		return;
	}
	/* Under this name more may have been sent by an earlier run than it lived to write down. */
	if (number > w->highest) number = w->highest;
	if (ackwindow_acknowledge(w, number)) {
		a->moved_ms = socket_clock_ms();
		a->answer_ms = ANSWER_MS;
		a->careful = false;
		a->repeats = a->repeats && number <= a->twice;
		a->cuts = 0;
	} else if (number <= w->acknowledged && w->sent > w->acknowledged && !asked && !a->repeats) {
		go_back(a); /* Nobody asked, and it says nothing new: what was sent did not fit behind what it has. */
	}
}

static bool keep_rejection(struct outlet_ack *a, uint64_t number, struct span reason, struct span line)
{
	struct rejection r = { number, reason.length, line.length };
	if (!buffer_reserve(&a->rejects, sizeof r + reason.length + line.length)) {
		a->rejects.failed = a->rejects.no_memory = false;
		return false;
	}
	buffer_append(&a->rejects, &r, sizeof r);
	buffer_append_span(&a->rejects, reason);
	return buffer_append_span(&a->rejects, line);
}

static void take_rejected(struct outlet *o, uint64_t number, struct span reason)
{
	struct outlet_ack *a = o->ack;
	struct span line = ackwindow_line(&a->window, number);
	if (!line.data || number > a->window.highest || number <= a->rejected) return; /* told before */
	if (reason.length > ACKWIRE_REASON_MAX) reason.length = ACKWIRE_REASON_MAX;
	a->rejected = number;
	/* Without memory for the line it is at least counted. */
	if (keep_rejection(a, number, reason, line) || keep_rejection(a, number, reason, SPAN(""))) return;
	outlet_say(o, true, "%s: no memory for a rejected envelope of %zu bytes", o->endpoint->text, line.length);
}

static void listen(struct outlet *o)
{
	struct span parts[ZEROMQ_PARTS_MAX];
	size_t count;
	struct outlet_ack *a = o->ack;
	while ((count = zeromq_receive_parts(o->socket, parts, ZEROMQ_PARTS_MAX)) > 0) {
		a->heard_ms = socket_clock_ms();
		a->unanswered = 0;
		a->ping_ms = PING_MS;
		if (count > ZEROMQ_PARTS_MAX) continue;
		struct ackwire said = ackwire_read(parts, count);
		if (said.kind == ACKWIRE_ACK) take_ack(o, said.sequence);
		if (said.kind == ACKWIRE_REJECTED) take_rejected(o, said.sequence, said.reason);
	}
}

/* --- what we say --------------------------------------------------------------------------- */

static int say(struct outlet *o, const struct ackwire *message)
{
	struct span parts[ACKWIRE_PARTS_MAX];
	char number[8];
	return zeromq_send_parts(o->socket, parts, ackwire_write(message, parts, number));
}

static void speak(struct outlet *o)
{
	struct outlet_ack *a = o->ack;
	struct ackwindow *w = &a->window;
	while (a->stands && ackwindow_unsent(w)) {
		bool idle = w->sent == w->acknowledged;
		if (a->careful && !idle) return;
		struct span batch = ackwindow_batch(w, ACKWIRE_BATCH_BYTES);
		if (say(o, &(struct ackwire){ ACKWIRE_BATCH, { a->sender, sizeof a->sender }, w->sent + 1, batch, { 0 } }) != 0) return;
		ackwindow_sent(w, batch);
		if (idle) a->moved_ms = a->heard_ms = socket_clock_ms();
	}
}

static void watch_answer(struct outlet *o, int64_t now)
{
	struct outlet_ack *a = o->ack;
	if (now - a->moved_ms < a->answer_ms) return;
	/* It knows less of this sender than it once acknowledged, and going back has not helped: nothing will ever fit, for what it does not know is
	 * settled and gone from here. (0 is well: it knows nothing, and takes what comes.) */
	if (a->told && a->told < a->window.acknowledged && a->answer_ms > ANSWER_MS && draw_sender(a)) {
		outlet_say(o, true, "%s: has forgotten envelopes that it had acknowledged (%llu of %llu): going on under another name", o->endpoint->text,
			(unsigned long long)a->told, (unsigned long long)a->window.acknowledged);
		a->told = 0;
	}
	go_back(a);
	a->answer_ms = a->answer_ms * 2 < ANSWER_MAX_MS ? a->answer_ms * 2 : ANSWER_MAX_MS;
}

static int64_t ping_due_ms(const struct outlet_ack *a)
{
	return (a->unanswered ? a->pinged_ms : a->heard_ms) + a->ping_ms;
}

static void watch_silence(struct outlet *o, int64_t now)
{
	struct outlet_ack *a = o->ack;
	if (now < ping_due_ms(a)) return;
	if (a->unanswered == UNANSWERED) {
		give_up_connection(o);
		return;
	}
	say(o, &(struct ackwire){ .kind = ACKWIRE_PING, .sender = { a->sender, sizeof a->sender } });
	a->pinged = true;
	a->pinged_ms = now;
	a->unanswered++;
}

static bool is_waiting(const struct outlet *o)
{
	return o->ack->window.sent > o->ack->window.acknowledged && o->ack->stands;
}

/* Takes note of everything that has happened, and does what is due. Afterwards ZeroMQ's descriptors can be waited for. */
static enum outlet_result turn(struct outlet *o)
{
	enum outlet_result result = look(o);
	if (result != OUTLET_DELIVERED) return result;
	listen(o);
	if (is_waiting(o)) {
		int64_t now = socket_clock_ms();
		watch_answer(o, now);
		watch_silence(o, now);
	}
	o->ack->gathered = 0;
	/* A connection that is only seen at the end is spoken to all the same: nothing more would tell of it. */
	for (uint64_t before; result == OUTLET_DELIVERED;) {
		speak(o);
		listen(o);
		before = o->ack->connected;
		result = look(o);
		if (o->ack->connected == before) break;
	}
	return result;
}

/* --- waiting ------------------------------------------------------------------------------- */

static int sooner(int one_ms, int other_ms)
{
	return one_ms < 0 || (other_ms >= 0 && other_ms < one_ms) ? other_ms : one_ms;
}

/* Until something is due here; -1: nothing is. */
static int due_in_ms(const struct outlet *o)
{
	const struct outlet_ack *a = o->ack;
	if (!is_waiting(o)) return -1;
	int64_t answer = a->moved_ms + a->answer_ms, ping = ping_due_ms(a), left = (answer < ping ? answer : ping) - socket_clock_ms();
	return left > 0 ? (int)left : 0;
}

static enum outlet_result explain_silence(struct outlet *o)
{
	const struct zeromq_events *told = zeromq_events(o->socket);
	bool alone = told->peers_now == 0;
	const char *what = alone && told->handshake_failed ? "the handshake fails (does one side use CURVE, or another key?)"
		: alone ? "nobody is connected" : "the far side has not acknowledged";
	if (o->options.timeout_ms <= 0 || waits_are_over(o->options.waits, true)) return outlet_explain(o, OUTLET_TRY_AGAIN, "%s", what);
	return outlet_explain(o, OUTLET_TRY_AGAIN, "%s %s %.3g s", what, alone ? "within" : "for", o->options.timeout_ms / 1000.0);
}

/* Until there is room for a line, or (length SIZE_MAX) nothing is outstanding; the timeout begins anew with each acknowledgement. */
static enum outlet_result await_room(struct outlet *o, size_t length)
{
	const struct ackwindow *w = &o->ack->window;
	struct patience p = patience(o);
	for (;;) {
		uint64_t before = w->acknowledged;
		enum outlet_result result = turn(o);
		if (result != OUTLET_DELIVERED) return result;
		if (length == SIZE_MAX ? ackwindow_is_empty(w) : ackwindow_has_room(w, length)) return OUTLET_DELIVERED;
		if (w->acknowledged != before) p = patience(o);
		int left = patience_left(&p);
		if (left == 0) return explain_silence(o);
		outlet_wait_socket(o, sooner(left, due_in_ms(o)));
	}
}

/* --- the outlet's calls ------------------------------------------------------------------------ */

static enum outlet_result make_room(struct outlet *o, size_t length)
{
	const struct outlet_ack *a = o->ack;
	if (!ackwindow_has_room(&a->window, length)) return await_room(o, length);
	return a->gathered + length >= ACKWIRE_BATCH_BYTES ? turn(o) : OUTLET_DELIVERED;
}

static enum outlet_result book_taken(struct outlet *o, bool is_taken, size_t length)
{
	if (!is_taken) return outlet_explain(o, OUTLET_TRY_AGAIN, "no memory for %zu bytes", length);
	o->ack->gathered += length;
	return OUTLET_DELIVERED;
}

enum outlet_result outlet_send_ack(struct outlet *o, struct span line)
{
	enum outlet_result result = make_room(o, line.length);
	return result == OUTLET_DELIVERED ? book_taken(o, ackwindow_add(&o->ack->window, line), line.length + 1) : result;
}

enum outlet_result outlet_send_block_ack(struct outlet *o, struct span block, uint64_t lines)
{
	enum outlet_result result = make_room(o, block.length);
	return result == OUTLET_DELIVERED ? book_taken(o, ackwindow_add_lines(&o->ack->window, block, lines), block.length) : result;
}

uint64_t outlet_delivered_ack(const struct outlet *o)
{
	return o->ack->window.acknowledged - (o->options.sender ? o->options.acknowledged : 0);
}

enum outlet_result outlet_flush_ack(struct outlet *o)
{
	return turn(o);
}

enum outlet_result outlet_settle(struct outlet *o)
{
	if (o->form != OUTLET_ACK) return OUTLET_DELIVERED;
	enum outlet_result result = await_room(o, SIZE_MAX);
	o->failed = result != OUTLET_DELIVERED;
	return result;
}

enum outlet_result outlet_close_ack(struct outlet *o)
{
	struct outlet_ack *a = o->ack;
	enum outlet_result result = o->failed ? OUTLET_TRY_AGAIN : await_room(o, SIZE_MAX); /* after a failure the patience is used up */
	if (ackwindow_is_empty(&a->window)) result = OUTLET_DELIVERED;
	o->lost = a->window.taken - a->window.acknowledged;
	zeromq_socket_close(o->socket);
	zeromq_close(o->zeromq);
	release(a);
	return result;
}

size_t outlet_polled(struct outlet *o, struct pollfd fds[OUTLET_FDS_MAX], int *timeout_ms)
{
	*timeout_ms = -1;
	if (o->form != OUTLET_ACK) return 0;
	int sockets[ZEROMQ_FDS];
	/* What it would refuse is told by the next outlet_attend. */
	*timeout_ms = turn(o) == OUTLET_DELIVERED ? due_in_ms(o) : 0;
	zeromq_fds(o->socket, sockets);
	for (int i = 0; i < ZEROMQ_FDS; i++) fds[i] = (struct pollfd){ .fd = sockets[i], .events = POLLIN };
	return ZEROMQ_FDS;
}

enum outlet_result outlet_attend(struct outlet *o)
{
	return o->form == OUTLET_ACK ? turn(o) : OUTLET_DELIVERED;
}

uint64_t outlet_acknowledged(const struct outlet *o)
{
	return o->form == OUTLET_ACK ? o->ack->window.acknowledged : 0;
}

bool outlet_take_rejected(struct outlet *o, struct span *line, const char **reason)
{
	struct outlet_ack *a = o->ack;
	struct rejection r;
	if (o->form != OUTLET_ACK) return false;
	if (a->rejects_at == a->rejects.length) {
		a->rejects_at = 0;
		buffer_clear(&a->rejects);
		return false;
	}
	const char *at = a->rejects.data + a->rejects_at;
	memcpy(&r, at, sizeof r);
	if (r.number > a->window.acknowledged) return false; /* until then it counts as outstanding */
	memcpy(a->handed, at + sizeof r, r.reason_length);
	a->handed[r.reason_length] = '\0';
	*reason = a->handed;
	*line = (struct span){ at + sizeof r + r.reason_length, r.line_length };
	a->rejects_at += sizeof r + r.reason_length + r.line_length;
	return true;
}
