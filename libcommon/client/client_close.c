/* client_close - what is asked of a client beside messages: its counts, a flush, why the far side does not take anything, its end. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <pthread.h>
#include <stdio.h>

#include "client/client_private.h"
#include "io/socket.h"

/* How long those that wait for room have to come back: what they have to do for that takes no time. */
enum { TURN_OUT_MS = 1000 };

/* --- counts -------------------------------------------------------------------------------- */

void metlog_counts_get(struct metlog *m, struct metlog_counts *counts)
{
	*counts = (struct metlog_counts){ 0 };
	if (!m || client_is_inherited(m)) return;
	counts->sent = atomic_load(&m->sender.sent); /* first: what is sent was taken before */
	struct lane_sums sums = lanes_sum(&m->lanes);
	counts->taken = sums.taken;
	counts->left_out = sums.left_out + atomic_load(&m->interrupted.left_out);
	counts->dropped = sums.dropped + atomic_load(&m->interrupted.dropped);
	counts->refused = sums.refused + atomic_load(&m->interrupted.refused);
	if (counts->sent > counts->taken) counts->sent = counts->taken;
	counts->unsent = counts->taken - counts->sent;
}

void metlog_reason(struct metlog *m, char *text, size_t size)
{
	bool entered = client_enter();
	if (size) text[0] = '\0';
	if (m && size && entered && !client_is_inherited(m)) {
		pthread_mutex_lock(&m->sender.lock);
		snprintf(text, size, "%s", m->sender.reason);
		pthread_mutex_unlock(&m->sender.lock);
	}
	if (entered) client_leave();
}

/* --- a flush --------------------------------------------------------------------------------- */

static bool are_empty(const struct lanes *lanes)
{
	unsigned at = 0;
	for (const struct lane *lane; (lane = lanes_next(lanes, &at));)
		if (!ring_is_empty(&lane->ring)) return false;
	return true;
}

static int flush(struct metlog *m, int timeout_ms)
{
	struct sender *s = &m->sender;
	struct metlog_counts counts;
	int64_t deadline = socket_clock_ms() + timeout_ms;
	if (atomic_load(&s->state) == SENDER_ABSENT) {
		if (are_empty(&m->lanes)) return 0;
		sender_wake(s);
		if (atomic_load(&s->state) == SENDER_ABSENT) return -1;
	}
	uint64_t wanted = atomic_fetch_add(&s->flush_wanted, 1) + 1;
	sender_call(s);
	sender_lock(s);
	bool is_done;
	while (!(is_done = atomic_load(&s->flush_done) >= wanted) && !s->has_ended && atomic_load(&s->state) != SENDER_ABSENT && socket_clock_ms() < deadline) sender_await(s, deadline);
	sender_unlock(s);
	if (!is_done) metlog_counts_get(m, &counts); /* the time was too short to be told of it; but it may all have been handed over before */
	return is_done ? (atomic_load(&s->lost) ? -1 : 0) : counts.unsent ? -1 : 0;
}

int metlog_flush(struct metlog *m, int timeout_ms)
{
	if (!m) return 0;
	if (!client_enter()) return -1;
	if (client_is_inherited(m)) client_adopt(m);
	int result = flush(m, timeout_ms < 0 ? m->close_ms : timeout_ms);
	client_leave();
	return result;
}

/* --- the end ------------------------------------------------------------------------------------ */

static void release_orphan(void *client)
{
	struct metlog *m = client;
	if (atomic_load(&m->blocked)) return; /* somebody is in a call still: rather some memory than his life */
	sender_release(&m->sender);
	client_release(m);
}

/* Those who wait for room see that there will be none. */
static void turn_out(struct metlog *m)
{
	struct sender *s = &m->sender;
	sender_lock(s);
	pthread_cond_broadcast(&s->turn);
	for (int64_t end = socket_clock_ms() + TURN_OUT_MS; atomic_load(&m->blocked) && socket_clock_ms() < end;) sender_await(s, socket_clock_ms() + SENDER_NAP_MS);
	sender_unlock(s);
}

static int close_client(struct metlog *m, int timeout_ms, struct metlog_counts *counts)
{
	struct sender *s = &m->sender;
	atomic_store(m->serial, CLIENT_CLOSED);
	turn_out(m);
	s->release = release_orphan;
	bool has_ended = sender_end(s, timeout_ms);
	metlog_counts_get(m, counts);
	if (has_ended || sender_leave(s)) release_orphan(m);
	return counts->unsent || counts->dropped || counts->refused ? -1 : 0;
}

int metlog_close(struct metlog *m, int timeout_ms, struct metlog_counts *counts)
{
	struct metlog_counts own;
	if (!counts) counts = &own;
	*counts = (struct metlog_counts){ 0 };
	if (!m) return 0;
	int cancels;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels); /* half a close would be none */
	bool entered = client_enter();
	if (client_is_inherited(m)) client_adopt(m);
	int result = close_client(m, timeout_ms < 0 ? m->close_ms : timeout_ms, counts);
	if (entered) client_leave();
	pthread_setcancelstate(cancels, NULL);
	return result;
}
