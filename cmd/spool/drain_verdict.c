/* drain_verdict - what the end of a command means for its segment: delivered, tried again later, given up, or nothing at all. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/wait.h>

#include "base/timestamp.h"
#include "io/diag.h"
#include "io/signals.h"
#include "io/socket.h"
#include "drain_private.h"

/* FIRST: a far side that restarts is back within a second or two. STOP_WAIT: how long a signal for all of a group, or of a control group, may take to
 * reach us after it has reached a command. */
enum { BACKOFF_FIRST_MS = 1000, STOP_WAIT_MS = 100 };

enum meaning { MEANS_DELIVERED, MEANS_REFUSED, MEANS_LATER, MEANS_COMMAND_LINE };

static enum meaning meaning_of(int status)
{
	if (!WIFEXITED(status)) return MEANS_LATER;
	switch (WEXITSTATUS(status)) {
	case EXIT_DONE: return MEANS_DELIVERED;
	case EXIT_REJECTS: case EXIT_REFUSED: case 76 /* EX_PROTOCOL */: case EXIT_PERMISSION: case EXIT_CONFIGURATION: return MEANS_REFUSED;
	case EXIT_USAGE: case 126: case 127: return MEANS_COMMAND_LINE; /* so says sh of what it cannot start */
	default: return MEANS_LATER;
	}
}

static void set_free(struct drain_task *task)
{
	task->place = PLACE_FREE;
}

/* The pause doubles; up to half of it is taken off at random, so that many drains of one far side do not come back in step. */
static int64_t pause_ms(const struct drain *d, int64_t tries)
{
	int64_t pause = BACKOFF_FIRST_MS, most = d->options->backoff_max_ms;
	uint32_t chance = 0;
	for (int64_t i = 1; i < tries && pause < most; i++) pause *= 2;
	if (pause > most) pause = most;
	if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) < 0) chance = 0;
	return pause - pause / 2 * (int64_t)(chance >> 16) / 65536;
}

static void leave(struct drain *d, struct drain_task *task)
{
	task->place = PLACE_LEFT;
	task->trouble.next_attempt = 0;
	drain_state_save(d);
}

/* What is tried again later. With `once`, a temporary failure has so many tries of this run. */
static void put_off(struct drain *d, struct drain_task *task, bool counts)
{
	task->tries++;
	const char *why = task->trouble.reason;
	if (d->fatal || signals_stopping() || (counts && d->options->once && task->tries >= d->options->attempts)) {
		diag_error("%s: segment %s: %s: it stays in the spool", d->options->dir, task->segment.stem, why);
		leave(d, task);
		return;
	}
	int64_t pause = pause_ms(d, task->tries);
	task->place = PLACE_DUE;
	task->due_ms = socket_clock_ms() + pause;
	task->trouble.next_attempt = timestamp_now() + pause * 1000000;
	diag_warn("%s: segment %s: %s: tried again in %.1f s", d->options->dir, task->segment.stem, why, (double)pause / 1000);
	drain_state_save(d);
}

static void cannot_record(struct drain *d, struct drain_task *task)
{
	d->fatal = EXIT_IO; /* why was said; going on would deliver it again and again */
	leave(d, task);
}

static void deliver(struct drain *d, struct drain_task *task)
{
	if (task->stopped_reading && task->sum.bytes && !d->unread_warned) {
		diag_warn("segment %s: the command exited with status 0 without reading all of it; so it counts as delivered (said once)", task->segment.stem);
		d->unread_warned = true;
	}
	switch (drain_store_deliver(d, &task->segment)) {
	case RECORD_FAILED: cannot_record(d, task); return;
	case RECORD_GONE: diag_warn("%s: segment %s was delivered, and removed by others meanwhile", d->options->dir, task->segment.stem); break;
	case RECORD_DONE: diag_note(1, "segment %s: delivered: envelopes: %llu", task->segment.stem, (unsigned long long)task->sum.records); break;
	}
	d->counts.delivered++;
	d->books->passed += task->sum.records;
	bool was_troubled = *task->trouble.reason;
	set_free(task);
	if (was_troubled) drain_state_save(d);
}

static void give_up(struct drain *d, struct drain_task *task)
{
	enum drain_record recorded = drain_store_fail(d, &task->segment);
	if (recorded == RECORD_FAILED) {
		cannot_record(d, task);
		return;
	}
	if (recorded == RECORD_DONE)
		diag_error("%s: segment %s: %s, refusal %lld of %lld: moved to failed/ (drain --retry-failed takes it back)", d->options->dir, task->segment.stem,
			task->trouble.reason, (long long)task->trouble.refusals, (long long)d->options->attempts);
	d->counts.failed++;
	d->books->rejected += task->sum.records;
	set_free(task);
	drain_state_save(d);
}

void drain_verdict_gone(struct drain *d, struct drain_task *task)
{
	diag_warn("%s: segment %s was removed by others before it was delivered", d->options->dir, task->segment.stem);
	d->counts.gone++;
	d->books->dropped += task->sum.records;
	bool was_troubled = *task->trouble.reason;
	set_free(task);
	if (was_troubled) drain_state_save(d);
}

void drain_verdict_damaged(struct drain *d, struct drain_task *task, const char *reason)
{
	enum drain_record recorded = drain_store_quarantine(d, &task->segment);
	if (recorded == RECORD_FAILED) {
		cannot_record(d, task);
		return;
	}
	if (recorded == RECORD_DONE) diag_error("%s: segment %s is damaged: %s: moved to quarantine/", d->options->dir, task->segment.stem, reason);
	d->counts.quarantined++;
	d->books->rejected += task->sum.records;
	bool was_troubled = *task->trouble.reason;
	set_free(task);
	if (was_troubled) drain_state_save(d);
}

void drain_verdict_unreadable(struct drain *d, struct drain_task *task, const char *reason)
{
	task->trouble.status = EXIT_NO_INPUT;
	snprintf(task->trouble.reason, sizeof task->trouble.reason, "cannot be read: %.*s", (int)sizeof task->trouble.reason - 32, reason);
	put_off(d, task, true);
}

void drain_verdict_unstartable(struct drain *d, struct drain_task *task, int error)
{
	bool for_now = error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
	task->trouble.status = for_now ? EXIT_SYSTEM : 127;
	snprintf(task->trouble.reason, sizeof task->trouble.reason, "the command cannot be started: %s", strerror(error));
	if (for_now) {
		put_off(d, task, true);
		return;
	}
	diag_error("'%s' cannot be started: %s: nothing was moved", d->options->command[0], strerror(error));
	d->fatal = EXIT_CONFIGURATION;
	leave(d, task);
}

/* SIGTERM of a service manager reaches the command too, and a filter then reads no more, and exits with 0. That is no delivery. */
static bool was_stopped(const struct drain_task *task)
{
	if (task->told_to_stop) return true;
	if (!task->stopped_reading) return false;
	int64_t end = socket_clock_ms() + STOP_WAIT_MS, left;
	while (!signals_stopping() && (left = end - socket_clock_ms()) > 0) signals_poll(NULL, 0, (int)left);
	return signals_stopping();
}

void drain_verdict(struct drain *d, struct drain_task *task)
{
	char text[CHILD_TEXT_MAX];
	struct drain_trouble *t = &task->trouble;
	enum meaning meaning = meaning_of(task->child.status);
	if (task->fault == SEGMENT_DAMAGED) {
		drain_verdict_damaged(d, task, task->fault_text);
		return;
	}
	if (task->fault == SEGMENT_ERROR) {
		drain_verdict_unreadable(d, task, task->fault_text);
		return;
	}
	if (meaning == MEANS_DELIVERED && !was_stopped(task)) {
		deliver(d, task);
		return;
	}
	t->status = child_exit_status(task->child.status);
	snprintf(t->reason, sizeof t->reason, "the command %s%s", child_describe(task->child.status, text), meaning == MEANS_DELIVERED ? " when it was stopped" : "");
	if (meaning == MEANS_COMMAND_LINE && !task->told_to_stop) {
		diag_error("'%s' exited with status %d, which speaks of the command line and not of segment %s: nothing was moved", d->options->command[0], t->status,
			task->segment.stem);
		d->fatal = EXIT_CONFIGURATION;
		leave(d, task);
	} else if (meaning == MEANS_REFUSED && !task->told_to_stop && ++t->refusals >= d->options->attempts)
		give_up(d, task);
	else
		put_off(d, task, meaning != MEANS_REFUSED);
}
