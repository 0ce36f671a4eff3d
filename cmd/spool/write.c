/* write - the verb that stores what it reads, commits it by the clock, and passes it on if it is asked to. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "verbs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/diag.h"
#include "io/socket.h"
#include "tee.h"

enum {
	LINES_PER_LOOK = 64,   /* of input that never makes us wait: lines between two looks at the clock */
	RETRY_MS = 1000,       /* a full spool is tried again after so long at the latest */
	WARN_AGAIN_MS = 60000, /* that it is full is said so often at most */
};

struct writing {
	struct filter *filter;
	struct spool *spool;
	const struct verb_options *options;
	struct tee tee;
	int64_t warned_ms;     /* when it was said last that the spool is full; 0: never */
	unsigned lines;        /* since the last look at the clock */
	bool given_up;
};

/* For the ways out that do not pass by the end of write_run: rejects that cannot be kept, no memory. What was read before is stored. */
static struct spool *open_spool;

static void close_spool(void)
{
	struct spool *spool = open_spool;
	open_spool = NULL;
	if (spool) spool_close(spool);
}

static void count(void *context)
{
	struct writing *w = context;
	struct stats *s = &w->filter->stats;
	const struct spool_counts *c = spool_counts(w->spool);
	*stats_extra(s, "uncommitted") = w->given_up ? 0 : spool_uncommitted(w->spool);
	*stats_extra(s, "segments_sealed") = c->segments_sealed;
	*stats_extra(s, "syncs") = c->syncs;
	*stats_extra(s, "recovered") = c->recovered;
	*stats_extra(s, "quarantined") = c->quarantined;
	*stats_extra(s, "full") = c->waits;
	*stats_extra(s, "dropped_oldest") = c->dropped_records;
}

/* The filter's wait looks after standard output too, and ends the program when its reader goes; here that ends the tee alone. */
static void wait_ms(struct writing *w, bool for_input, int64_t due_ms, int64_t longest_ms)
{
	struct filter *f = w->filter;
	int out = f->out.fd, in = f->reader.fd;
	int64_t left = due_ms == INT64_MAX ? INT64_MAX : due_ms - socket_clock_ms();
	if (left > longest_ms) left = longest_ms;
	f->out.fd = -1;
	if (!for_input) f->reader.fd = -1;
	filter_wait(f, NULL, 0, left < 0 ? 0 : (int)left);
	f->out.fd = out;
	f->reader.fd = in;
}

static void release(struct writing *w)
{
	if (!tee_release(&w->tee, spool_uncommitted(w->spool))) filter_fail(w->filter, EXIT_IO);
}

/* Nothing more can be stored. What was read and is not known to be on disk is counted, so that the books say what became of each. */
static void give_up(struct writing *w, uint64_t in_hand, int status)
{
	struct filter *f = w->filter;
	struct envelope envelope;
	const char *path = w->options->dir;
	char reason[256];
	snprintf(reason, sizeof reason, "%s", spool_reason(w->spool));
	w->given_up = true;
	uint64_t lost = in_hand;
	if (status == EXIT_LATER)
		while (filter_turn(f, &envelope) == TURN_ENVELOPE) lost++;
	else
		while (filter_take(f, &envelope)) lost++;
	spool_commit(w->spool); /* what had been taken may find room still */
	release(w);
	uint64_t uncommitted = spool_uncommitted(w->spool);
	f->stats.kept -= uncommitted;
	*stats_extra(&f->stats, "unstored") = lost += uncommitted;
	if (status == EXIT_LATER) diag_error("%s: stopped while it was full (%s): envelopes that were read and are not stored: %" PRIu64, path, reason, lost);
	else diag_error("%s: %s: envelopes that were read and are not stored: %" PRIu64 "; the rest of the input was not read", path, reason, lost);
	filter_fail(f, status);
}

static void hang_up(struct writing *w)
{
	if (!signals_take(SIGNALS_HANGUP)) return;
	if (w->filter->options.rejects) rejects_reopen(&w->filter->rejects);
	spool_seal(w->spool); /* if that fails, the next call of the spool says so again */
}

static void wait_for_room(struct writing *w)
{
	int64_t now = socket_clock_ms();
	if (!w->warned_ms || now - w->warned_ms > WARN_AGAIN_MS) {
		diag_warn("%s: full: %s; waiting for room", w->options->dir, spool_reason(w->spool));
		w->warned_ms = now;
	}
	release(w);
	wait_ms(w, false, spool_due_ms(w->spool), RETRY_MS);
	hang_up(w);
}

/* True: try again. False: done, or given up. */
static bool again(struct writing *w, enum spool_result result, uint64_t in_hand)
{
	if (result == SPOOL_DONE) return false;
	if (result == SPOOL_FAILED || w->options->spool.when_full != SPOOL_BLOCK) {
		give_up(w, in_hand, EXIT_IO);
		return false;
	}
	if (!signals_stopping()) wait_for_room(w);
	if (!signals_stopping()) return true;
	give_up(w, in_hand, EXIT_LATER);
	return false;
}

static void attend(struct writing *w)
{
	w->lines = 0;
	if (spool_due_ms(w->spool) > socket_clock_ms()) return;
	enum spool_result result = spool_attend(w->spool);
	if (result == SPOOL_FAILED || (result == SPOOL_FULL && w->options->spool.when_full != SPOOL_BLOCK)) give_up(w, 0, EXIT_IO);
	else release(w); /* full: the spool says by its due time when to try again */
}

static void store(struct writing *w, struct span line)
{
	enum spool_result result;
	do result = spool_append(w->spool, line);
	while (again(w, result, 1));
	if (w->given_up) return;
	w->filter->stats.kept++;
	tee_add(&w->tee, line);
	if (w->filter->options.unbuffered) {
		do result = spool_write(w->spool);
		while (again(w, result, 0));
	}
	if (w->given_up) return;
	release(w);
	if (++w->lines >= LINES_PER_LOOK) attend(w);
	hang_up(w);
}

/* Before we wait: readers see what there is, and with sync none it is as committed as it will be. */
static void settle(struct writing *w)
{
	enum spool_result result;
	do result = w->options->spool.sync == SPOOL_SYNC_NONE ? spool_commit(w->spool) : spool_write(w->spool);
	while (again(w, result, 0));
	if (w->given_up) return;
	release(w);
	wait_ms(w, true, spool_due_ms(w->spool), INT32_MAX);
	attend(w);
	hang_up(w);
}

static void finish(struct writing *w)
{
	enum spool_result result;
	if (!w->given_up) {
		do result = spool_commit(w->spool);
		while (again(w, result, 0));
	}
	if (!w->given_up) {
		release(w);
		if (spool_seal(w->spool) == SPOOL_FAILED) give_up(w, 0, EXIT_IO);
	}
	count(w);
	w->filter->before_stats = NULL;
	close_spool();
	tee_close(&w->tee);
}

int write_run(struct filter *f, const struct verb_options *options)
{
	struct writing w = { .filter = f, .options = options };
	struct spool_options spool = options->spool;
	struct envelope envelope;
	signals_open(SIGNALS_HANGUP);
	signals_ignore_pipe();
	spool.line_limit = f->options.line_limit;
	spool.behind = true;
	w.spool = open_spool = spool_open(options->dir, &spool);
	atexit(close_spool);
	if (options->tee) tee_open(&w.tee);
	f->before_stats = count;
	f->before_stats_context = &w;
	while (!w.given_up) {
		enum filter_turn turn = filter_turn(f, &envelope);
		if (turn == TURN_END) break;
		if (turn == TURN_ENVELOPE) store(&w, envelope.line);
		else settle(&w);
	}
	finish(&w);
	return filter_close(f);
}
