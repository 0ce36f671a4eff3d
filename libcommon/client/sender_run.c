/* sender_run - what the sender's thread does: hand over, report drops, answer a flush, rest, end. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "client/sender.h"
#include "io/socket.h"

/* ROUND: of one lane before the next one's turn. NAPS: so long after the last line we nap. PAUSE: between
 * attempts that fail at once. REPORT: between reports of drops. BLIND: how long we sleep where the kernel cannot fence for us. DEAF: the same where the pipe is not ours any more. */
enum { ROUND_BYTES = 256 * 1024, NAPS_MS = 100, PAUSE_MS = 10, PAUSE_MAX_MS = 500, REPORT_MS = 1000, BLIND_MS = 100, DEAF_MS = 100, WAIT_FDS = 16 };

static const struct span dropped_name = SPAN("metlog.client.dropped");

/* --- waiting ----------------------------------------------------------------------------- */

static bool is_over(const struct sender *s)
{
	return atomic_load(&s->is_closing) && socket_clock_ms() >= atomic_load(&s->deadline_ms);
}

static bool waits_over(void *context)
{
	return is_over(context);
}

static int before_deadline(const struct sender *s, int timeout_ms)
{
	if (!atomic_load(&s->is_closing)) return timeout_ms;
	int64_t left = atomic_load(&s->deadline_ms) - socket_clock_ms();
	if (left < 0) left = 0;
	return timeout_ms < 0 || left < timeout_ms ? (int)left : timeout_ms;
}

/* Every wait of this thread, those of the outlet too, ends when it is called. */
static int wait_poll(void *context, struct pollfd *fds, size_t count, int timeout_ms)
{
	struct sender *s = context;
	struct pollfd all[WAIT_FDS + 1];
	char calls[64];
	if (count > WAIT_FDS) count = WAIT_FDS;
	if (count) memcpy(all, fds, count * sizeof *fds);
	all[count] = (struct pollfd){ .fd = s->wake[0], .events = POLLIN };
	timeout_ms = before_deadline(s, timeout_ms);
	if (s->wake[0] < 0 && (timeout_ms < 0 || timeout_ms > DEAF_MS)) timeout_ms = DEAF_MS;
	int ready = poll(all, count + 1, timeout_ms);
	if (ready < 0) {
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000 }, NULL); /* no memory in the kernel: not a busy loop */
		for (size_t i = 0; i <= count; i++) all[i].revents = 0;
		ready = 0;
	}
	if (count) memcpy(fds, all, count * sizeof *fds);
	if (!all[count].revents) return ready;
	if (!sender_has_pipe(s, 0)) {
		s->wake[0] = -1; /* closed behind our back: from now on it is looked for what was asked */
		return ready - 1;
	}
	while (read(s->wake[0], calls, sizeof calls) > 0) {}
	return ready - 1;
}

void sender_set_waits(struct sender *s)
{
	s->waits = (struct waits){ .poll = wait_poll, .stopping = waits_over, .stopping_now = waits_over, .context = s };
	s->options.waits = &s->waits;
	s->options.timeout_ms = SENDER_ATTEMPT_MS;
}

/* To those who wait for room, a flush, or the end. */
static void announce(struct sender *s)
{
	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(&s->waiters, memory_order_relaxed)) return;
	pthread_mutex_lock(&s->lock);
	pthread_cond_broadcast(&s->turn);
	pthread_mutex_unlock(&s->lock);
}

static void explain(struct sender *s, const char *reason)
{
	pthread_mutex_lock(&s->lock);
	snprintf(s->reason, sizeof s->reason, "%.*s", (int)sizeof s->reason - 1, reason);
	pthread_mutex_unlock(&s->lock);
}

/* --- handing over ------------------------------------------------------------------------- */

static bool has_outlet(struct sender *s)
{
	struct fault fault;
	if (s->outlet) return true;
	s->outlet = outlet_open(&s->endpoint, &s->options, &fault);
	if (!s->outlet) explain(s, fault.text);
	return s->outlet != NULL;
}

static bool learn(struct sender *s, enum outlet_result result)
{
	bool is_able = result == OUTLET_DELIVERED;
	if (!is_able || s->reason[0]) explain(s, is_able ? "" : outlet_reason(s->outlet));
	if (is_able) s->pause_ms = 0;
	return is_able;
}

/* Whole lines from the block's start, about as much as a lane may hand over at a time. */
static struct span a_round(struct span block)
{
	const char *end;
	if (block.length <= ROUND_BYTES) return block;
	end = memrchr(block.data, '\n', ROUND_BYTES);
	if (!end) end = memchr(block.data + ROUND_BYTES, '\n', block.length - ROUND_BYTES);
	return end ? span_between(block.data, end + 1) : block;
}

static bool hand_over(struct sender *s, struct lane *lane, struct span block)
{
	size_t taken = 0;
	if (!has_outlet(s)) return false;
	enum outlet_result result = outlet_send_lines(s->outlet, block, &taken);
	tally_take(&s->tally, (struct span){ block.data, taken });
	if (taken) s->is_dirty = true;
	if (result == OUTLET_REFUSED && outlet_refused_line(s->outlet)) {
		const char *end = memchr(block.data + taken, '\n', block.length - taken);
		if (end) taken = (size_t)(end + 1 - block.data), s->tally.passed_over++;
		explain(s, outlet_reason(s->outlet));
		result = OUTLET_DELIVERED;
	} else {
		learn(s, result);
	}
	ring_take(&lane->ring, taken);
	if (taken) announce(s);
	return result == OUTLET_DELIVERED;
}

/* One round over all lanes. False: the far side takes nothing now. */
static bool go_round(struct sender *s, bool *moved)
{
	unsigned at = 0;
	for (struct lane *lane; (lane = lanes_next(s->lanes, &at));) {
		struct span block = ring_peek(&lane->ring);
		if (!block.length) continue;
		*moved = true;
		if (!hand_over(s, lane, a_round(block))) return false;
	}
	return true;
}

static bool flush_outlet(struct sender *s)
{
	if (!s->is_dirty) return true;
	if (!learn(s, outlet_flush(s->outlet))) return false;
	s->is_dirty = false;
	return true;
}

/* Whatever is not taken here the outlet holds for as long as it lives. */
static void take_rejected(struct sender *s)
{
	struct span line;
	const char *why;
	char reason[OUTLET_REASON_MAX];
	while (outlet_take_rejected(s->outlet, &line, &why)) {
		s->tally.rejected++;
		snprintf(reason, sizeof reason, "rejected: %s", why);
		explain(s, reason);
	}
}

static void tell(struct sender *s)
{
	if (!s->outlet) return;
	take_rejected(s);
	tally_tell(&s->tally, outlet_delivered(s->outlet), outlet_lost(s->outlet));
	atomic_store(&s->sent, tally_sent(&s->tally));
	atomic_store(&s->lost, tally_lost(&s->tally));
}

/* --- reports of drops --------------------------------------------------------------------------- */

static uint64_t drops(const struct sender *s)
{
	return lanes_sum(s->lanes).dropped + atomic_load_explicit(&s->interrupted->dropped, memory_order_relaxed);
}

static size_t write_report(struct sender *s, uint64_t count)
{
	char number[24];
	struct timespec now;
	struct message_clock clock = { 0 };
	clock_gettime(CLOCK_REALTIME, &now);
	int digits = snprintf(number, sizeof number, "%llu", (unsigned long long)count);
	struct message report = { .type = SPAN("counter"), .severity = s->severity, .payload = { number, (size_t)digits }, .metric = dropped_name, .rate = 1,
		.timestamp_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec };
	if (message_bound(&report, s->parts) > s->report_bytes) return 0;
	return (size_t)(message_write(s->report, &report, s->parts, &clock) - s->report);
}

/* In how many milliseconds a report is due; -1: none is. */
static int report_due_ms(const struct sender *s)
{
	if (drops(s) == s->reported) return -1;
	int64_t left = s->reported_ms + REPORT_MS - socket_clock_ms();
	return !s->reported || left < 0 || s->flushing || atomic_load(&s->is_closing) ? 0 : (int)left;
}

static bool report_drops(struct sender *s)
{
	uint64_t all = drops(s);
	size_t taken = 0;
	if (report_due_ms(s) != 0) return true;
	size_t length = rules_pass(s->rules, SPAN("counter"), s->severity) ? write_report(s, all - s->reported) : 0;
	if (length) {
		if (!has_outlet(s) || !learn(s, outlet_send_lines(s->outlet, (struct span){ s->report, length }, &taken))) return false;
		tally_take_own(&s->tally);
		s->is_dirty = true;
	}
	s->reported = all;
	s->reported_ms = socket_clock_ms();
	return flush_outlet(s);
}

/* --- a flush ------------------------------------------------------------------------------------- */

static void begin_flush(struct sender *s)
{
	uint64_t wanted = atomic_load(&s->flush_wanted);
	unsigned at = 0;
	if (s->flushing || wanted == atomic_load_explicit(&s->flush_done, memory_order_relaxed)) return;
	for (struct lane *lane; (lane = lanes_next(s->lanes, &at));) lane->mark = ring_mark(&lane->ring);
	s->flushing = wanted;
	s->flush_target = UINT64_MAX;
}

static bool is_past_marks(const struct sender *s)
{
	unsigned at = 0;
	for (struct lane *lane; (lane = lanes_next(s->lanes, &at));)
		if (!ring_is_past(&lane->ring, lane->mark)) return false;
	return true;
}

static void answer_flush(struct sender *s)
{
	if (!s->flushing) return;
	if (s->flush_target == UINT64_MAX && is_past_marks(s) && flush_outlet(s)) s->flush_target = s->tally.taken;
	if (s->flush_target == UINT64_MAX) return;
	tell(s);
	if (!tally_is_settled(&s->tally, s->flush_target)) return;
	atomic_store(&s->flush_done, s->flushing);
	s->flushing = 0;
	announce(s);
}

/* --- resting --------------------------------------------------------------------------------------- */

static bool has_work(const struct sender *s)
{
	unsigned at = 0;
	if (atomic_load(&s->is_closing) || atomic_load(&s->flush_wanted) != atomic_load(&s->flush_done)) return true;
	for (const struct lane *lane; (lane = lanes_next(s->lanes, &at));)
		if (!ring_is_empty(&lane->ring)) return true;
	return false;
}

static int sooner(int one_ms, int other_ms)
{
	return one_ms < 0 || (other_ms >= 0 && other_ms < one_ms) ? other_ms : one_ms;
}

/* All that was handed over before is seen, and each message from now on sees that we sleep. */
static bool fence_all(const struct sender *s)
{
	atomic_thread_fence(memory_order_seq_cst);
	return s->is_fenced || syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

/* After an attempt that failed. One that has waited for the far side itself has waited enough. */
static void pause_since(struct sender *s, int64_t began_ms)
{
	s->pause_ms = s->pause_ms ? s->pause_ms * 2 : PAUSE_MS;
	if (s->pause_ms > PAUSE_MAX_MS) s->pause_ms = PAUSE_MAX_MS;
	int64_t left = began_ms + s->pause_ms - socket_clock_ms();
	if (left > 0) wait_poll(s, NULL, 0, (int)left);
}

static void rest(struct sender *s)
{
	struct pollfd fds[OUTLET_FDS_MAX];
	int due = -1;
	size_t count = s->outlet ? outlet_polled(s->outlet, fds, &due) : 0;
	due = sooner(due, report_due_ms(s));
	if (socket_clock_ms() - s->worked_ms < NAPS_MS) {
		atomic_store(&s->state, SENDER_NAPPING);
		wait_poll(s, fds, count, sooner(due, SENDER_NAP_MS));
	} else {
		atomic_store(&s->state, SENDER_SLEEPING);
		bool is_seen = fence_all(s);
		if (!has_work(s)) wait_poll(s, fds, count, is_seen ? due : sooner(due, BLIND_MS));
	}
	atomic_store(&s->state, SENDER_AWAKE);
	/* What refuses us (a key, say) would be told again at once. */
	if (count && !learn(s, outlet_attend(s->outlet))) pause_since(s, socket_clock_ms());
}

/* --- the thread ---------------------------------------------------------------------------------------- */

/* False: it is time to end. */
static bool turn(struct sender *s)
{
	bool moved = false, is_closing = atomic_load(&s->is_closing); /* asked first: all that was taken before it is found by this round */
	int64_t began = socket_clock_ms();
	begin_flush(s);
	bool is_able = go_round(s, &moved) && (moved || (flush_outlet(s) && report_drops(s)));
	if (moved) s->worked_ms = socket_clock_ms();
	tell(s);
	answer_flush(s);
	if (is_over(s)) return false;
	if (!is_able) pause_since(s, began);
	else if (!moved && is_closing) return false;
	else if (!moved) rest(s);
	return true;
}

static void close_outlet(struct sender *s)
{
	uint64_t lost = 0;
	char reason[OUTLET_REASON_MAX] = "";
	if (!s->outlet) return;
	outlet_set_timeout(s->outlet, before_deadline(s, -1));
	outlet_settle(s->outlet); /* what is rejected at the very end can be asked for before the close only */
	take_rejected(s);
	outlet_close(s->outlet, &lost, reason);
	s->outlet = NULL;
	tally_tell(&s->tally, s->tally.taken - lost, lost);
	atomic_store(&s->sent, tally_sent(&s->tally));
	atomic_store(&s->lost, tally_lost(&s->tally));
	explain(s, reason);
}

void *sender_run(void *argument)
{
	struct sender *s = argument;
	pthread_setname_np(pthread_self(), "metlog");
	while (turn(s)) {}
	close_outlet(s);
	pthread_mutex_lock(&s->lock);
	s->has_ended = true;
	bool is_orphan = s->is_orphan;
	pthread_cond_broadcast(&s->turn);
	pthread_mutex_unlock(&s->lock);
	if (!is_orphan) return NULL;
	pthread_detach(pthread_self());
	s->release(s->client);
	return NULL;
}
