/* ack - takes batches from ack: senders, each number once, and acknowledges what is kept. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "recv.h"

#include <stdlib.h>

#include "io/diag.h"

/* TURN: messages of one source before the others have their turn. SETTLE: acknowledgements are due after so many bytes, or so long after the
 * first one is owed, even if more keeps coming; if nothing more is there, they are due at once. */
enum { TURN = 64, SETTLE_BYTES = 1024 * 1024, SETTLE_MS = 10 };

void ack_init(struct recv *r)
{
	if (r->senders.entry) return;
	senders_init(&r->senders);
	buffer_init(&r->batch, SIZE_MAX / 2);
	r->filter.on_reject = ack_rejected;
	r->filter.on_reject_context = r;
	store_know_senders(r);
}

void ack_release(struct recv *r)
{
	if (!r->senders.entry) return;
	senders_release(&r->senders);
	buffer_release(&r->batch);
}

/* A peer that is gone or does not read misses the answer. It asks again, or sends again, when it is back: so nothing needs to be kept for it. */
static void answer(struct recv *r, struct source *s, struct span route, const struct ackwire *message)
{
	struct span parts[1 + ACKWIRE_PARTS_MAX] = { route };
	char number[8];
	size_t count = ackwire_write(message, parts + 1, number);
	if (zeromq_send_parts(s->socket, parts, 1 + count) == 0 && message->kind == ACKWIRE_ACK) r->ack.sent++;
	s->more = true; /* sending may have taken the sign that there is something to receive */
}

static void owe(struct recv *r, struct sender *sender)
{
	if (!r->senders.owed_count) r->ack.owed_since_ms = socket_clock_ms();
	sender_owe(&r->senders, sender);
}

/* The filter tells of each reject; while a batch is being fed, it is that batch's. */
void ack_rejected(void *context, const struct reject *what)
{
	struct recv *r = context;
	const struct sender *sender = r->ack.feeding;
	if (!sender) return;
	struct source *s = sender->source;
	struct ackwire message = { .kind = ACKWIRE_REJECTED, .sequence = sender->taken + s->feed.line - r->ack.line_before, .reason = span_of(what->reason) };
	if (message.reason.length > ACKWIRE_REASON_MAX) message.reason.length = ACKWIRE_REASON_MAX;
	answer(r, s, (struct span){ sender->route, sender->route_length }, &message);
}

/* The lines without those whose numbers were taken before. */
static struct span pass_over(struct recv *r, struct span lines, uint64_t known)
{
	for (; known && lines.length; known--) {
		const char *end = memchr(lines.data, '\n', lines.length);
		lines = span_between(end + 1, lines.data + lines.length);
		r->ack.duplicates++;
	}
	return lines;
}

static void end_batch(struct recv *r)
{
	struct sender *sender = r->ack.feeding;
	const struct source *s = sender->source;
	r->ack.feeding = NULL;
	sender->taken += s->feed.line - r->ack.line_before;
	r->store.changed = true; /* also if no line of it was kept: its number has moved */
	owe(r, sender);
}

void ack_break_off(struct recv *r)
{
	if (r->ack.feeding) end_batch(r);
}

static void feed_batch(struct recv *r, struct source *s, struct sender *sender, struct span lines)
{
	buffer_clear(&r->batch);
	if (!buffer_reserve(&r->batch, lines.length + SCAN_PADDING)) die(EXIT_INTERNAL, "no memory for a message of %zu bytes", lines.length);
	memcpy(r->batch.data, lines.data, lines.length);
	r->ack.feeding = sender;
	r->ack.line_before = s->feed.line;
	feed_lines(&r->feed, &s->feed, r->batch.data, r->batch.data + lines.length);
	end_batch(r);
	r->ack.bytes += lines.length;
}

/* Whether the batch goes on where the sender was. A first number that is too high may be what was left in a queue of batches whose beginning is
 * lost, and to begin there would lose it. But on one connection numbers go up, until the sender goes back to the first that is not settled: so if
 * one comes that is not higher than what was refused before, that is where this sender begins, whatever we know of it. */
static bool goes_on(struct recv *r, struct sender *sender, uint64_t first)
{
	if (first <= sender->taken + 1) return true;
	if (sender->refused && first <= sender->refused) {
		/* What it passes over was acknowledged, maybe by a run of ours that did not live to note it, of lines that were present then. */
		uint64_t passed = first - 1 - sender->taken;
		sender->present = sender->present > passed ? sender->present - passed : 0;
		sender->taken = first - 1;
		sender->moved = true;
		return true;
	}
	r->ack.gaps++;
	if (!sender->refused) sender->gap = true, owe(r, sender); /* one answer to all that follow */
	sender->refused = first;
	return false;
}

static bool take_batch(struct recv *r, struct source *s, const struct ackwire *m, struct span route)
{
	if (m->sequence > INT64_MAX) return false;
	struct sender *sender = senders_get(&r->senders, m->sender);
	if (!sender && ack_settle(r)) sender = senders_get(&r->senders, m->sender);
	if (!sender) return true; /* it will ask again */
	if (!sender_heard(&r->senders, sender, s, route)) return false;
	if (!goes_on(r, sender, m->sequence)) return true;
	struct span lines = pass_over(r, m->lines, sender->taken + 1 - m->sequence);
	sender->refused = 0;
	if (lines.length) feed_batch(r, s, sender, lines);
	else owe(r, sender);
	return true;
}

static bool take_ping(struct recv *r, struct source *s, const struct ackwire *m, struct span route)
{
	struct sender *sender = senders_find(&r->senders, m->sender);
	if (!sender) answer(r, s, route, &(struct ackwire){ .kind = ACKWIRE_ACK });
	else if (!sender_heard(&r->senders, sender, s, route)) return false;
	else owe(r, sender); /* so the answer speaks for all that came before the question */
	return true;
}

bool ack_read(struct recv *r, struct source *s)
{
	struct span parts[2 + ACKWIRE_PARTS_MAX];
	size_t have;
	int count = 0;
	zeromq_events(s->socket);
	s->more = false;
	for (; count < TURN && !store_is_blocked(r) && (have = zeromq_receive_parts(s->socket, parts, 2 + ACKWIRE_PARTS_MAX)); count++) {
		struct ackwire m = ackwire_read(parts + 1, have - 1);
		bool good = m.kind == ACKWIRE_BATCH ? take_batch(r, s, &m, parts[0]) : m.kind == ACKWIRE_PING && take_ping(r, s, &m, parts[0]);
		if (!good) r->ack.malformed++;
		if (r->ack.bytes >= SETTLE_BYTES || store_wants_settling(r)) ack_settle(r);
	}
	if (count == TURN || store_is_blocked(r)) s->more = true;
	return count > 0;
}

bool ack_is_due(const struct recv *r)
{
	return r->senders.owed_count && socket_clock_ms() - r->ack.owed_since_ms >= SETTLE_MS;
}

static void acknowledge(struct recv *r, struct sender *sender)
{
	struct ackwire message = { .kind = ACKWIRE_ACK, .sequence = sender->taken };
	bool twice = sender->gap && sender->taken > sender->durable; /* the first says what is new, the second that something is missing behind it */
	sender->durable = sender->taken;
	sender->owed = sender->gap = false;
	for (int i = 0; i <= twice; i++) answer(r, sender->source, (struct span){ sender->route, sender->route_length }, &message);
}

bool ack_settle(struct recv *r)
{
	r->ack.bytes = 0;
	if (!r->senders.owed_count || !store_settle(r)) return false;
	while (r->senders.owed_count) acknowledge(r, &r->senders.entry[r->senders.owed[--r->senders.owed_count]]);
	return true;
}

void ack_count(struct recv *r)
{
	struct stats *stats = &r->filter.stats;
	*stats_extra(stats, "acknowledgements") = r->ack.sent;
	*stats_extra(stats, "ack_senders") = r->senders.count;
	*stats_extra(stats, "ack_duplicates") = r->ack.duplicates;
	*stats_extra(stats, "ack_gaps") = r->ack.gaps;
	*stats_extra(stats, "ack_malformed") = r->ack.malformed;
}
