/* drain_task - one segment and its command: checked, started, fed through a socket that tells our death from the end, awaited. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "io/diag.h"
#include "io/signals.h"
#include "drain_private.h"

enum { SEND_BYTES = 256 * 1024 };

void drain_task_take(struct drain *d, struct drain_task *task, const struct segment *segment)
{
	*task = (struct drain_task){ .place = PLACE_DUE, .segment = *segment, .fault = SEGMENT_END, .child = { .in = -1, .out = -1, .err = -1 } };
	drain_state_recall(d, task);
}

static void cannot_read(struct drain *d, struct drain_task *task)
{
	if (errno == ENOENT) drain_verdict_gone(d, task);
	/* It will not get better by itself, and must not hold up what stands behind it. */
	else if (errno == ELOOP || errno == EPERM) drain_verdict_damaged(d, task, "a link, or no plain file of ours with one name only");
	else drain_verdict_unreadable(d, task, strerror(errno));
}

/* Nothing is given out of a segment that is not what was written: a command could not take it back. */
static bool check(struct drain *d, struct drain_task *task)
{
	const char *reason = "";
	struct segment_trailer sum = { 0 };
	enum segment_read result = segment_check(d->dir_fd, &task->segment, d->line_limit, &sum, &reason);
	if (result == SEGMENT_ERROR) {
		cannot_read(d, task);
		return false;
	}
	task->sum = sum;
	d->books->read += sum.records;
	d->books->bytes += sum.bytes;
	task->checked = result == SEGMENT_END;
	if (!task->checked) drain_verdict_damaged(d, task, reason);
	return task->checked;
}

static void set_number(const char *name, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	setenv(name, text, 1);
}

static void set_environment(const struct drain *d, const struct drain_task *task)
{
	char checksum[32];
	snprintf(checksum, sizeof checksum, "xxh3:%016llx", (unsigned long long)task->sum.checksum);
	setenv("METLOG_SEGMENT", task->segment.stem, 1);
	set_number("METLOG_SEGMENT_RECORDS", task->sum.records);
	set_number("METLOG_SEGMENT_BYTES", task->sum.bytes);
	setenv("METLOG_SEGMENT_CHECKSUM", checksum, 1);
	set_number("METLOG_ATTEMPT", (uint64_t)task->trouble.attempts + 1);
	setenv("METLOG_SPOOL", d->options->dir, 1);
}

void drain_task_start(struct drain *d, struct drain_task *task)
{
	if (!task->checked && !check(d, task)) return;
	task->reader = segment_reader_open(d->dir_fd, &task->segment, d->line_limit);
	if (!task->reader) {
		cannot_read(d, task);
		return;
	}
	set_environment(d, task);
	/* A group of its own: Ctrl-C reaches us only, and we let it finish. */
	if (!child_start(&task->child, d->options->command, CHILD_SOCKET_IN | CHILD_OWN_GROUP)) {
		int error = errno;
		segment_reader_free(task->reader);
		task->reader = NULL;
		drain_verdict_unstartable(d, task, error);
		return;
	}
	task->place = PLACE_RUNNING;
	task->trouble.attempts++;
	task->rest = (struct span){ 0 };
	task->stopped_reading = task->ended_input = task->told_to_stop = false;
	task->fault = SEGMENT_END;
	diag_note(2, "%s: attempt %lld begins", task->segment.stem, (long long)task->trouble.attempts);
}

static void drop_reader(struct drain_task *task)
{
	segment_reader_free(task->reader);
	task->reader = NULL;
	task->rest = (struct span){ 0 };
}

bool drain_task_has_to_send(const struct drain_task *task)
{
	return task->place == PLACE_RUNNING && task->reader;
}

/* The next lines of the segment into `rest`. False: there are none; the end has been told, or the input was cut because the segment cannot be
 * read to its end: the command then meets an error and not an end. */
static bool read_more(struct drain_task *task)
{
	enum segment_read got = segment_reader_next(task->reader, &task->rest);
	if (got == SEGMENT_LINES) return true;
	if (got == SEGMENT_END && segment_reader_is_sealed(task->reader)) {
		child_end_in(&task->child);
		task->ended_input = true;
	} else {
		const char *reason = got == SEGMENT_ERROR ? strerror(errno) : segment_reader_reason(task->reader);
		task->fault = got == SEGMENT_ERROR ? got : SEGMENT_DAMAGED;
		snprintf(task->fault_text, sizeof task->fault_text, "%s", reason);
		child_close(&task->child);
	}
	drop_reader(task);
	return false;
}

void drain_task_feed(struct drain_task *task)
{
	while (task->reader && (task->rest.length || read_more(task))) {
		size_t part = task->rest.length < SEND_BYTES ? task->rest.length : SEND_BYTES;
		ssize_t sent = send(task->child.in, task->rest.data, part, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent > 0) {
			task->rest.data += sent, task->rest.length -= (size_t)sent;
			continue;
		}
		if (errno == EINTR) continue;
		if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) return;
		task->stopped_reading = true; /* its word follows with its exit status */
		drop_reader(task);
	}
}

bool drain_task_attend(struct drain *d, struct drain_task *task)
{
	if (!child_wait(&task->child, 0)) return false;
	if (!task->ended_input || child_left_input(&task->child)) task->stopped_reading = true;
	if (task->reader) drop_reader(task);
	child_close(&task->child);
	drain_verdict(d, task);
	return true;
}

void drain_task_stop(struct drain_task *task, int number)
{
	task->told_to_stop = true;
	child_signal(&task->child, number);
}
