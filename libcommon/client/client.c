/* client - the way of a message into the buffer of the thread that calls. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/client.h"

#include <errno.h>

#include "client/client_private.h"

/* REMEMBERED: clients whose lanes a thread knows; it finds those of others again. RETRY: calls after which a thread in the shared lane looks for one of its own again.
 * EXACT: there is no room for a message that may be longer than this: it is worth knowing how long it is. */
enum { REMEMBERED = 4, RETRY = 4096, EXACT = 16384 };

struct known {
	uint64_t key; /* a client's number, complemented, so that 0 is none */
	struct lane *lane;
};

/* What a thread has of its own. It is reached without a call also from a library that was loaded late (which is why it is small: such libraries share a small reserve), and from
 * signal handlers. */
struct thread {
	bool is_busy;              /* in a call; what interrupts it keeps off */
	bool is_blocked;           /* counted in the client's `blocked` */
	bool has_shared_scratch;
	unsigned shared_calls;
	struct known remembered[REMEMBERED]; /* the one used last first: without that, a child, or who opens another client, would have to search in each call */
	struct message_clock clock;
};

static _Thread_local struct thread current __attribute__((tls_model("initial-exec")));
_Thread_local struct client_chance client_chance;

/* The thread sees its own flag in the order of the program, and so do its signal handlers. */
bool client_enter(void)
{
	if (current.is_busy) return false;
	current.is_busy = true;
	atomic_signal_fence(memory_order_seq_cst);
	return true;
}

void client_leave(void)
{
	atomic_signal_fence(memory_order_seq_cst);
	current.is_busy = false;
}

/* A child would choose as its parent does next, and so would all of its children, such as those that serve a request each. */
static void choose_anew(void)
{
	client_chance.is_seeded = false;
}

static __attribute__((constructor)) void watch_forks(void)
{
	pthread_atfork(NULL, NULL, choose_anew);
}

/* --- lanes ------------------------------------------------------------------------------ */

/* NULL: closed. */
static __attribute__((noinline)) struct lane *find_lane(struct metlog *m)
{
	int kept = errno;
	if (client_is_inherited(m)) client_adopt(m), choose_anew();
	uint64_t serial = atomic_load(m->serial);
	if (!m->lanes.wipes && serial != CLIENT_CLOSED) serial = m->number;
	if (serial == CLIENT_CLOSED) return NULL;
	unsigned place = 0;
	while (place < REMEMBERED - 1 && current.remembered[place].key != ~serial) place++;
	struct known found = current.remembered[place];
	if (found.key != ~serial) found = (struct known){ ~serial, lanes_claim(&m->lanes) };
	memmove(current.remembered + 1, current.remembered, place * sizeof found);
	current.remembered[0] = found;
	errno = kept;
	return found.lane;
}

/* NULL: it is not the client that the thread has used last. */
static inline struct lane *known_lane(const struct metlog *m)
{
	uint64_t serial = atomic_load_explicit(m->serial, memory_order_relaxed);
	return current.remembered[0].key == ~serial ? current.remembered[0].lane : NULL;
}

static inline struct lane *lane_of(struct metlog *m)
{
	struct lane *lane = known_lane(m);
	return lane ? lane : find_lane(m);
}

/* In the shared lane: may there be one of our own by now? */
static void forget_lane(const struct lane *lane)
{
	if (++current.shared_calls % RETRY) return;
	for (unsigned i = 0; i < REMEMBERED; i++)
		if (current.remembered[i].lane == lane) current.remembered[i].key = 0;
}

static inline void count_in(const struct lane *lane, _Atomic uint64_t *counter)
{
	if (lane->is_shared) atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
	else atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1, memory_order_relaxed);
}

/* --- calls that bring nothing ---------------------------------------------------------------- */

static _Atomic uint64_t *counter_of(struct lane_counts *counts, enum metlog_result result)
{
	return result == METLOG_LEFT_OUT ? &counts->left_out : result == METLOG_REFUSED ? &counts->refused : &counts->dropped;
}

/* A call that has interrupted another one of its thread finds all of that thread's in disorder. */
static enum metlog_result interrupted(struct metlog *m, enum metlog_result result)
{
	if (atomic_load_explicit(m->serial, memory_order_relaxed) == CLIENT_CLOSED) return METLOG_CLOSED;
	atomic_fetch_add_explicit(counter_of(&m->interrupted, result), 1, memory_order_relaxed);
	return result;
}

static enum metlog_result book(struct metlog *m, enum metlog_result result)
{
	struct lane *lane = lane_of(m);
	if (!lane) return METLOG_CLOSED;
	count_in(lane, counter_of(&lane->counts, result));
	return result;
}

static __attribute__((noinline)) enum metlog_result count_call(struct metlog *m, enum metlog_result result)
{
	if (!m) return METLOG_CLOSED;
	if (!client_enter()) return interrupted(m, result);
	enum metlog_result booked = book(m, result);
	client_leave();
	return booked;
}

/* --- rules and rates ------------------------------------------------------------------------------ */

void client_seed(void)
{
	int cancels;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels); /* getrandom(2) ends a thread that is to be cancelled */
	sample_init(&client_chance.sample);
	pthread_setcancelstate(cancels, NULL);
	client_chance.is_seeded = true;
}

/* For the client that the thread has used last it saves no register: that would cost as much again as the rest. */
enum metlog_result client_leave_out(struct metlog *m)
{
	if (m && client_enter()) {
		struct lane *lane = known_lane(m);
		if (lane) count_in(lane, &lane->counts.left_out);
		client_leave();
		if (lane) return METLOG_LEFT_OUT;
	}
	return count_call(m, METLOG_LEFT_OUT);
}

enum metlog_result client_refuse(struct metlog *m)
{
	return count_call(m, METLOG_REFUSED);
}

enum metlog_result client_drop(struct metlog *m)
{
	return count_call(m, METLOG_DROPPED);
}

/* --- messages ---------------------------------------------------------------------------------- */

/* A call that may wait: a close waits for it to come back. */
static void be_awaited(struct metlog *m)
{
	if (current.is_blocked) return;
	current.is_blocked = true;
	atomic_fetch_add(&m->blocked, 1);
}

/* Waits for room. In the shared lane with its lock held: those behind would only wait, too. NULL: there will be none. */
static __attribute__((noinline)) char *await_room(struct metlog *m, struct lane *lane, size_t most)
{
	struct sender *s = &m->sender;
	char *at = NULL;
	be_awaited(m);
	for (bool is_over = false; !at && !is_over;) {
		sender_wake(s);
		sender_lock(s);
		is_over = atomic_load(m->serial) == CLIENT_CLOSED || atomic_load(&s->state) == SENDER_ABSENT;
		if (!is_over && !(at = ring_reserve(&lane->ring, most))) sender_await(s, -1);
		sender_unlock(s);
	}
	return at;
}

/* The sender has read this memory last, on another processor: that it is to be written next is told while the caller still does other things. A message of 240 bytes touches
 * four lines of the cache. In bursts of 1,000 with a pause behind each, libraries taking turns: 0.89 of the time (227 ns to 203, of which 49 are the clock's), and as much with 5, 9 or 25 in
 * the place of AHEAD. */
static inline void fetch_ahead(const char *end)
{
	enum { LINE = 64, AHEAD = 4, LINES = 4 };
	for (int i = AHEAD; i < AHEAD + LINES; i++) __builtin_prefetch(end + LINE * i, 1);
}

/* What the compiler takes for that, where it may: in all but the first of the processors of 64 bits, a plain prefetch would bring it for reading. */
#ifdef __x86_64__
#define FETCHES __attribute__((target("prfchw")))
#else
#define FETCHES
#endif

/* Inline, once for the way of nearly all messages and once for that of the others: the calls between would cost as much as all that is asked here. */
static inline __attribute__((always_inline)) enum metlog_result put(struct metlog *m, struct lane *lane, const struct message *message)
{
	size_t most = message_bound(message, &m->parts);
	if (most > client_line_max(m) && most != SIZE_MAX) most = message_length(message, &m->parts);
	if (most > client_line_max(m)) return METLOG_REFUSED;
	char *at = ring_reserve(&lane->ring, most);
	if (!at && most > EXACT) at = ring_reserve(&lane->ring, most = message_length(message, &m->parts));
	if (!at && m->blocks) at = await_room(m, lane, most);
	if (!at) return atomic_load(m->serial) == CLIENT_CLOSED ? METLOG_CLOSED : METLOG_DROPPED;
	char *end = message_write(at, message, &m->parts, &current.clock);
	count_in(lane, &lane->counts.taken);
	ring_commit(&lane->ring, (size_t)(end - at));
	fetch_ahead(end);
	return METLOG_TAKEN;
}

static inline void tell_sender(struct metlog *m, const struct lane *lane)
{
	struct sender *s = &m->sender;
	atomic_signal_fence(memory_order_seq_cst); /* the kernel's barrier makes this a full fence; the compiler is to keep the order, too */
	if (s->is_fenced) atomic_thread_fence(memory_order_seq_cst);
	int state = atomic_load_explicit(&s->state, memory_order_relaxed);
	if (state == SENDER_SLEEPING || state == SENDER_ABSENT || (state == SENDER_NAPPING && ring_is_half_full(&lane->ring))) sender_wake(s);
}

static __attribute__((noinline)) enum metlog_result put_shared(struct metlog *m, struct lane *lane, const struct message *message)
{
	if (m->blocks) be_awaited(m);
	pthread_mutex_lock(&m->lanes.lock);
	enum metlog_result result = put(m, lane, message);
	if (result == METLOG_TAKEN) tell_sender(m, lane);
	pthread_mutex_unlock(&m->lanes.lock);
	forget_lane(lane);
	return result;
}

static inline __attribute__((always_inline)) enum metlog_result send(struct metlog *m, const struct message *message)
{
	struct lane *lane = lane_of(m);
	if (!lane) return METLOG_CLOSED;
	enum metlog_result result = lane->is_shared ? put_shared(m, lane, message) : put(m, lane, message);
	if (result == METLOG_TAKEN && !lane->is_shared) tell_sender(m, lane);
	else if (result == METLOG_DROPPED || result == METLOG_REFUSED) count_in(lane, counter_of(&lane->counts, result));
	if (current.is_blocked) {
		current.is_blocked = false;
		atomic_fetch_sub(&m->blocked, 1); /* a close waits for this */
	}
	return result;
}

FETCHES enum metlog_result client_send(struct metlog *m, const struct message *message)
{
	if (!m) return METLOG_CLOSED;
	if (!client_enter()) return interrupted(m, METLOG_DROPPED);
	enum metlog_result result = send(m, message);
	client_leave();
	return result;
}

/* --- long texts ------------------------------------------------------------------------------------ */

char *client_scratch(struct metlog *m, size_t *size)
{
	struct lane *lane;
	*size = 0;
	if (!m || !client_enter()) return NULL;
	lane = lane_of(m);
	if (!lane) {
		client_leave();
		return NULL;
	}
	current.has_shared_scratch = lane->is_shared;
	if (lane->is_shared) pthread_mutex_lock(&m->lanes.scratch_lock);
	*size = m->lanes.scratch_bytes;
	return lane->scratch;
}

static enum metlog_result give_back(struct metlog *m, enum metlog_result result)
{
	if (current.has_shared_scratch) pthread_mutex_unlock(&m->lanes.scratch_lock);
	current.has_shared_scratch = false;
	client_leave();
	return result;
}

FETCHES enum metlog_result client_send_scratch(struct metlog *m, const struct message *message)
{
	return give_back(m, send(m, message));
}

enum metlog_result client_refuse_scratch(struct metlog *m)
{
	return give_back(m, book(m, METLOG_REFUSED));
}

/* --- what the other parts ask ------------------------------------------------------------------------ */

int client_default_severity(const struct metlog *m)
{
	return m->severity;
}

size_t client_line_max(const struct metlog *m)
{
	return m->line_bytes + 1;
}

const struct message_parts *client_parts(struct metlog *m)
{
	if (!client_is_inherited(m)) return &m->parts;
	if (!client_enter()) return NULL;
	client_adopt(m);
	client_leave();
	return &m->parts;
}
