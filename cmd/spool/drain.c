/* drain - metlog-spool drain: gives sealed segments, oldest first, to a command, and removes each once the command has said that it is delivered. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/diag.h"
#include "io/signals.h"
#include "io/socket.h"
#include "drain_private.h"

/* LOOK: how often the directory is looked at although nothing was said of it; LOOK_BLIND: without inotify. KILL: from SIGTERM to SIGKILL. */
enum { LOOK_MS = 5000, LOOK_BLIND_MS = 500, EXPIRE_MS = 60000, RECOVER_AGAIN_MS = 60000, KILL_MS = 5000 };
static const size_t line_limit_least = 64 * 1024 * 1024; /* what a writer took with a larger --max-line than ours is still no damage */

static bool is_ending(const struct drain *d)
{
	return d->fatal || signals_stopping();
}

static int count_places(const struct drain *d, enum drain_place place)
{
	int count = 0;
	for (int i = 0; i < d->options->parallel; i++) count += d->task[i].place == place;
	return count;
}

/* What a writer that died has left open is sealed, so that it is delivered too. On a full disk that is done later: delivering makes room. */
static void recover(struct drain *d)
{
	int status = EXIT_DONE;
	bool failed = !spool_recover_if_abandoned(d->dir_fd, d->options->dir, &status) && status != EXIT_DONE;
	d->recover_ms = socket_clock_ms() + (failed ? RECOVER_AGAIN_MS : LOOK_MS);
	if (failed && d->options->once) filter_fail(d->filter, status);
}

/* Looks at the directory from its beginning: what has come may sort anywhere (put back from failed/). */
static void look_again(struct drain *d)
{
	int64_t now = socket_clock_ms();
	segment_list_init(&d->list, d->dir_fd);
	d->listed_all = false;
	if (now >= d->recover_ms) recover(d);
	if (d->options->keep_ms && now - d->expired_ms >= EXPIRE_MS) drain_store_expire(d);
}

static void start_what_is_due(struct drain *d)
{
	struct segment segment;
	for (int i = 0; i < d->options->parallel && !is_ending(d); i++) {
		struct drain_task *task = &d->task[i];
		/* A segment that was put away at once leaves its place to the next. */
		while (!is_ending(d)) {
			if (task->place == PLACE_FREE && !d->listed_all && drain_store_take(d, &segment)) drain_task_take(d, task, &segment);
			if (task->place != PLACE_DUE || task->due_ms > socket_clock_ms()) break;
			drain_task_start(d, task);
		}
	}
}

/* Nothing runs, and nothing will. */
static bool is_finished(const struct drain *d)
{
	if (count_places(d, PLACE_RUNNING)) return false;
	if (is_ending(d)) return true;
	if (!d->options->once || count_places(d, PLACE_DUE)) return false;
	return d->listed_all || !count_places(d, PLACE_FREE);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int wait_ms(const struct drain *d)
{
	int64_t now = socket_clock_ms(), due = INT64_MAX;
	for (int i = 0; i < d->options->parallel && !is_ending(d); i++)
		if (d->task[i].place == PLACE_DUE) due = earlier(due, d->task[i].due_ms);
	if (d->listed_all && !d->options->once && !is_ending(d) && count_places(d, PLACE_FREE))
		due = earlier(due, now + (d->watch_fd < 0 ? LOOK_BLIND_MS : LOOK_MS));
	if (d->kill_ms) due = earlier(due, d->kill_ms);
	else if (d->term_ms) due = earlier(due, d->term_ms);
	if (due == INT64_MAX) return -1;
	return due <= now ? 0 : (int)earlier(due - now, 3600000);
}

/* A new name in the directory; all of them are read, so that the next one wakes us again. */
static void take_news(struct drain *d)
{
	char events[4096];
	while (read(d->watch_fd, events, sizeof events) > 0) {}
	look_again(d);
}

static void wait_for_something(struct drain *d)
{
	struct pollfd fds[DRAIN_PARALLEL_MAX + 1];
	struct drain_task *feeding[DRAIN_PARALLEL_MAX];
	size_t count = 0;
	for (int i = 0; i < d->options->parallel; i++) {
		struct drain_task *task = &d->task[i];
		if (!drain_task_has_to_send(task)) continue;
		feeding[count] = task;
		fds[count++] = (struct pollfd){ .fd = task->child.in, .events = POLLOUT };
	}
	bool watches = d->listed_all && !d->options->once && d->watch_fd >= 0;
	fds[count] = (struct pollfd){ .fd = watches ? d->watch_fd : -1, .events = POLLIN };
	int timeout = wait_ms(d), ready = signals_poll(fds, count + 1, timeout);
	if (ready <= 0 && d->listed_all && timeout >= 0 && !d->options->once) look_again(d); /* due, or time to look; it costs a reading of the directory */
	if (ready <= 0) return;
	for (size_t i = 0; i < count; i++)
		if (fds[i].revents) drain_task_feed(feeding[i]);
	if (fds[count].revents) take_news(d);
}

static void attend_commands(struct drain *d)
{
	while (signals_take(SIGNALS_CHILD))
		for (int i = 0; i < d->options->parallel; i++)
			if (d->task[i].place == PLACE_RUNNING) drain_task_attend(d, &d->task[i]);
}

static void stop_commands(struct drain *d, int number)
{
	for (int i = 0; i < d->options->parallel; i++)
		if (d->task[i].place == PLACE_RUNNING) drain_task_stop(&d->task[i], number);
}

static void attend_signals(struct drain *d)
{
	int64_t now = socket_clock_ms();
	if (signals_take(SIGNALS_STATS)) filter_show_stats(d->filter);
	if (signals_take(SIGNALS_HANGUP))
		for (int i = 0; i < d->options->parallel; i++) d->task[i].due_ms = 0;
	if (!signals_stopping()) return;
	if (!d->term_ms) {
		d->term_ms = now + d->options->grace_ms;
		if (count_places(d, PLACE_RUNNING)) diag_note(1, "stopping: commands still running: %d", count_places(d, PLACE_RUNNING));
	}
	if (!d->kill_ms && (now >= d->term_ms || signals_stopping_now())) {
		d->kill_ms = now + KILL_MS;
		stop_commands(d, SIGTERM);
	}
	if (d->kill_ms && now >= d->kill_ms) {
		d->kill_ms = INT64_MAX;
		stop_commands(d, SIGKILL);
	}
}

/* The kept ones of the books: those in hand that were not delivered. */
static void count_kept(void *context)
{
	struct drain *d = context;
	d->books->kept = 0;
	for (int i = 0; i < d->options->parallel; i++)
		if (d->task[i].place != PLACE_FREE) d->books->kept += d->task[i].sum.records;
	*stats_extra(d->books, "segments_delivered") = d->counts.delivered;
	*stats_extra(d->books, "segments_failed") = d->counts.failed;
	*stats_extra(d->books, "segments_quarantined") = d->counts.quarantined;
	if (d->counts.gone) *stats_extra(d->books, "segments_gone") = d->counts.gone;
}

static void find_last(struct drain *d)
{
	struct segment_list list;
	struct segment segment;
	int more;
	segment_list_init(&list, d->dir_fd);
	while ((more = segment_list_next(&list, &segment)) > 0)
		if (segment.form != SEGMENT_OPEN) memcpy(d->last, segment.stem, sizeof d->last);
	if (more < 0) die_errno(EXIT_IO, "%s", d->options->dir);
}

static void begin(struct drain *d)
{
	signals_open(SIGNALS_STOP | SIGNALS_STOP_AGAIN | SIGNALS_HANGUP | SIGNALS_STATS | SIGNALS_CHILD);
	signals_ignore_pipe();
	drain_store_open(d);
	drain_store_expire(d); /* also what an earlier run has recorded and not removed any more */
	if (d->options->retry_failed) drain_store_retry_failed(d);
	drain_state_load(d);
	recover(d);
	if (d->options->once) find_last(d);
}

/* What is left matters to a run with --once; one that follows was told to leave the rest, but not what it had in hand. */
static void conclude(struct drain *d)
{
	uint64_t left = (uint64_t)(count_places(d, PLACE_DUE) + count_places(d, PLACE_LEFT));
	if (d->options->once) left = drain_store_left(d);
	drain_state_save(d);
	if (d->fatal) filter_fail(d->filter, d->fatal);
	if (left) {
		diag_error("%s: segments left, to be delivered later: %llu", d->options->dir, (unsigned long long)left);
		filter_fail(d->filter, EXIT_LATER);
	}
	if (d->options->once && d->counts.failed) filter_fail(d->filter, EXIT_REFUSED);
	if (d->options->once && d->counts.quarantined) filter_fail(d->filter, EXIT_REJECTS);
	diag_note(1, "%s: segments delivered: %llu, envelopes: %llu", d->options->dir, (unsigned long long)d->counts.delivered, (unsigned long long)d->books->passed);
}

int drain_run(struct filter *f, const struct verb_options *options)
{
	static struct drain d; /* static: its lists are large */
	if (options->once && options->follow) tool_usage_error("--once and --follow exclude each other");
	d = (struct drain){ .options = options, .filter = f, .books = &f->stats, .line_limit = f->options.line_limit };
	if (d.line_limit < line_limit_least) d.line_limit = line_limit_least;
	begin(&d);
	f->before_stats = count_kept;
	f->before_stats_context = &d;
	for (;;) {
		attend_commands(&d);
		attend_signals(&d); /* second: a verdict may have waited for signals */
		start_what_is_due(&d);
		if (is_finished(&d)) break;
		wait_for_something(&d);
	}
	conclude(&d);
	int status = filter_close(f);
	drain_store_close(&d);
	return status;
}
