/* forward - envelopes for an ack: endpoint by way of a spool, which holds them while the far side is away. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "forward.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "io/diag.h"
#include "io/signals.h"
#include "io/socket.h"
#include "sink/spool_reader.h"

/* FULL_MS: how often a full spool is looked at, beside each acknowledgement. MEMORY_MS: how often memory that was refused is asked for again.
 * COUNTED: more envelopes than these are not counted at the end. */
enum { FULL_MS = 100, MEMORY_MS = 100, COUNTED = 1000000 };

struct forward {
	struct spool *spool;
	struct spool_reader *reader;
	struct outlet *outlet;
	bool blocks;              /* when the spool is full */
	int timeout_ms;
	uint64_t sync_bytes;
	uint64_t taken, unsynced_bytes; /* unsynced: taken since the last commit */
	bool is_clean;            /* what the reader can see is committed; what is not waits in memory */
	uint64_t begun;           /* the last number that was settled before this run */
	uint64_t acknowledged;
	uint64_t given;           /* number of the last line that the reader has given out */
	bool is_holding;          /* a line that the outlet had no room for */
	struct buffer held;
	char reason[OUTLET_REASON_MAX];
};

struct forward *forward_open(const struct endpoint *to, const struct outlet_options *options, const char *path, const struct spool_options *spool)
{
	struct forward *f = must_alloc(sizeof *f);
	struct outlet_options own = *options;
	f->spool = spool_open(path, spool);
	f->reader = spool_reader_open(path, spool->line_limit);
	f->blocks = spool->when_full == SPOOL_BLOCK;
	f->timeout_ms = options->timeout_ms;
	f->sync_bytes = spool->sync_bytes;
	f->is_clean = true;
	f->begun = f->acknowledged = f->given = spool_reader_done_up_to(f->reader);
	buffer_init(&f->held, SIZE_MAX / 2);
	own.timeout_ms = 0; /* the waiting is done here */
	own.sender = spool_reader_id(f->reader);
	own.acknowledged = f->begun;
	struct fault fault;
	if (!(f->outlet = outlet_open(to, &own, &fault))) die_fault(&fault);
	return f;
}

struct outlet *forward_outlet(struct forward *f)
{
	return f->outlet;
}

const char *forward_reason(const struct forward *f)
{
	return f->reason;
}

static int explain(struct forward *f, int status, const char *reason)
{
	snprintf(f->reason, sizeof f->reason, "%s", reason);
	return status;
}

static int spool_status(struct forward *f, enum spool_result result)
{
	if (result == SPOOL_DONE || (result == SPOOL_FULL && f->blocks)) return 0;
	char reason[OUTLET_REASON_MAX];
	snprintf(reason, sizeof reason, "%s: %s", spool_path(f->spool), spool_reason(f->spool));
	return explain(f, EXIT_IO, reason);
}

/* --- from the spool to the far side ------------------------------------------------------ */

/* Hands a line to the outlet. False: it has no room, and the line is held. */
static bool hand_over(struct forward *f, struct span line)
{
	if (outlet_send(f->outlet, line) == OUTLET_DELIVERED) {
		f->is_holding = false;
		return true;
	}
	if (f->is_holding) return false;
	buffer_clear(&f->held);
	if (!buffer_append_span(&f->held, line)) die(EXIT_INTERNAL, "no memory for an envelope of %zu bytes", line.length);
	return f->is_holding = true, false;
}

/* Only what is committed may go: a number that the far side has seen must never be given to another envelope, which after a loss of power it would be.
 * A full spool commits what it has written, and leaves the rest in memory: so it can empty itself. */
static int commit(struct forward *f)
{
	enum spool_result result = spool_commit(f->spool);
	f->is_clean = result != SPOOL_FAILED;
	f->unsynced_bytes = 0;
	return spool_status(f, result);
}

static int send_more(struct forward *f)
{
	struct span line;
	if (f->is_holding && !hand_over(f, buffer_span(&f->held))) return 0;
	while (f->is_clean) {
		enum spool_reader_result result = spool_reader_next(f->reader, &line, &f->given);
		if (result == SPOOL_READER_FAILED) return explain(f, EXIT_IO, "the spool cannot be read");
		if (result == SPOOL_READER_NOTHING || !hand_over(f, line)) break;
	}
	return 0;
}

static void take_acknowledged(struct forward *f)
{
	uint64_t acknowledged = outlet_acknowledged(f->outlet);
	if (acknowledged == f->acknowledged) return;
	f->acknowledged = acknowledged;
	spool_reader_done(f->reader, acknowledged);
}

static int attend_outlet(struct forward *f)
{
	int status = send_more(f);
	enum outlet_result result = outlet_attend(f->outlet);
	take_acknowledged(f);
	if (result == OUTLET_REFUSED) return explain(f, EXIT_REFUSED, outlet_reason(f->outlet));
	return status;
}

int forward_attend(struct forward *f)
{
	if (socket_clock_ms() >= spool_due_ms(f->spool)) {
		int status = spool_status(f, spool_attend(f->spool));
		if (!status) status = commit(f);
		if (status) return status;
	}
	/* An acknowledgement makes room for more. */
	uint64_t before;
	int status;
	do before = f->acknowledged, status = attend_outlet(f);
	while (!status && f->acknowledged != before);
	return status;
}

/* A line is held although nothing is under way: it was refused for want of memory, and nothing will tell when there is some. */
static bool lacks_memory(const struct forward *f)
{
	return f->is_holding && f->given - f->acknowledged == 1;
}

size_t forward_polled(struct forward *f, struct pollfd fds[OUTLET_FDS_MAX], int *timeout_ms)
{
	size_t count = outlet_polled(f->outlet, fds, timeout_ms);
	int64_t left = spool_due_ms(f->spool) - socket_clock_ms();
	if (lacks_memory(f) && left > MEMORY_MS) left = MEMORY_MS;
	if (left < 0) left = 0;
	if (left < INT32_MAX && (*timeout_ms < 0 || left < *timeout_ms)) *timeout_ms = (int)left;
	if (outlet_acknowledged(f->outlet) != f->acknowledged) *timeout_ms = 0; /* it has come just now */
	return count;
}

/* Waits for the far side or the clock, and does what is due. */
static int wait_once(struct forward *f, int most_ms)
{
	struct pollfd fds[OUTLET_FDS_MAX];
	int timeout_ms;
	size_t count = forward_polled(f, fds, &timeout_ms);
	if (timeout_ms < 0 || (most_ms >= 0 && most_ms < timeout_ms)) timeout_ms = most_ms;
	signals_poll(fds, count, timeout_ms);
	return forward_attend(f);
}

/* --- into the spool ------------------------------------------------------------------------ */

int forward_take(struct forward *f, struct span line)
{
	enum spool_result result;
	while ((result = spool_append(f->spool, line)) == SPOOL_FULL && f->blocks) {
		if (signals_stopping()) return explain(f, EXIT_LATER, spool_reason(f->spool));
		int status = commit(f);
		if (!status) status = wait_once(f, FULL_MS);
		if (status) return status;
	}
	f->is_clean = false;
	if (result != SPOOL_DONE) return spool_status(f, result);
	f->taken++;
	f->unsynced_bytes += line.length + 1;
	if (f->unsynced_bytes < f->sync_bytes && spool_uncommitted(f->spool)) return 0;
	int status = commit(f);
	return status ? status : attend_outlet(f);
}

int forward_write(struct forward *f)
{
	enum spool_result result = spool_write(f->spool);
	if (spool_uncommitted(f->spool)) f->is_clean = false;
	return spool_status(f, result);
}

/* --- the end ----------------------------------------------------------------------------------- */

static int64_t deadline(const struct forward *f, bool stopping)
{
	int64_t now = socket_clock_ms();
	if (f->timeout_ms < 0) return stopping ? now + FORWARD_STOP_MS : INT64_MAX;
	return now + (stopping && f->timeout_ms > FORWARD_STOP_MS ? FORWARD_STOP_MS : f->timeout_ms);
}

static bool is_settled(const struct forward *f)
{
	return !f->is_holding && f->acknowledged == f->given;
}

static int explain_silence(struct forward *f)
{
	if (outlet_settle(f->outlet) != OUTLET_DELIVERED) return explain(f, EXIT_LATER, outlet_reason(f->outlet));
	return explain(f, EXIT_LATER, spool_reason(f->spool)); /* it is full */
}

int forward_settle(struct forward *f)
{
	bool stopping = signals_stopping(), sealed = false;
	int64_t end_ms = deadline(f, stopping);
	for (;;) {
		uint64_t before = f->acknowledged;
		int status = 0;
		if (!sealed) { /* a sealed segment is removed once all of it is acknowledged */
			enum spool_result result = spool_seal(f->spool);
			sealed = result == SPOOL_DONE;
			status = spool_status(f, result);
			if (!status) status = commit(f);
		}
		if (!status) status = forward_attend(f);
		if (status || (sealed && is_settled(f))) return status;
		if (!stopping && signals_stopping()) stopping = true, end_ms = deadline(f, true);
		else if (f->acknowledged != before && !stopping) end_ms = deadline(f, false);
		int64_t left = end_ms - socket_clock_ms();
		if (left <= 0) return explain_silence(f);
		status = wait_once(f, left < INT32_MAX ? (int)left : -1);
		if (status) return status;
	}
}

/* Reads on to count what stays, but not for ever; those that were taken in this run are the last ones. */
static void count_left(struct forward *f, struct forward_left *left)
{
	struct span line;
	enum spool_reader_result result = SPOOL_READER_LINE;
	uint64_t most = f->taken > COUNTED ? f->taken : COUNTED;
	while (f->given - f->acknowledged <= most && (result = spool_reader_next(f->reader, &line, &f->given)) == SPOOL_READER_LINE) continue;
	left->sent = f->acknowledged - f->begun;
	left->kept = f->given - f->acknowledged;
	left->more = result == SPOOL_READER_LINE;
	left->kept_taken = left->kept < f->taken - left->lost ? left->kept : f->taken - left->lost;
}

void forward_close(struct forward *f, struct forward_left *left)
{
	*left = (struct forward_left){ 0 };
	left->lost = spool_uncommitted(f->spool);
	if (spool_close(f->spool) == SPOOL_DONE) left->lost = 0;
	count_left(f, left);
	outlet_close(f->outlet, NULL, NULL);
	spool_reader_close(f->reader);
	buffer_release(&f->held);
	free(f);
}
