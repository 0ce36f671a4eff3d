/* store - where what is received is kept: standard output, or a spool; and when it may be relied on. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "recv.h"

#include <stdlib.h>

#include "io/diag.h"

void store_open(struct recv *r)
{
	struct store *st = &r->store;
	st->file.fd = -1;
	if (!r->options.spool) return;
	/* Segments are sealed here and not by the spool itself, so that what `senders` tells of a commit is written before anybody can take its
	 * envelopes out. */
	struct spool_options options = r->options.spool_options;
	st->segment_bytes = options.segment_bytes;
	options.segment_bytes = INT64_MAX;
	options.line_limit = r->filter.options.line_limit;
	st->spool = spool_open(r->options.spool, &options);
	buffer_init(&st->held, SIZE_MAX / 2);
	r->filter.keep = store_keep;
	r->filter.keep_context = r;
}

void store_know_senders(struct recv *r)
{
	if (r->store.spool) senders_file_open(&r->store.file, &r->senders, r->store.spool, r->options.spool_options.sync != SPOOL_SYNC_NONE);
}

bool store_is_blocked(const struct recv *r)
{
	return r->store.blocked || r->store.failed;
}

bool store_has_failed(const struct recv *r)
{
	return r->store.failed;
}

bool store_wants_settling(const struct recv *r)
{
	return senders_file_is_full(&r->store.file);
}

/* --- taking lines in --- */

/* Takes note of what the spool answered; true if it was "done". */
static bool judge(struct recv *r, enum spool_result result)
{
	struct store *st = &r->store;
	if (result == SPOOL_DONE) return true;
	if (result == SPOOL_FAILED || r->options.spool_options.when_full == SPOOL_FAIL) st->failed = true;
	else if (!st->blocked) diag_warn("%s: %s: nothing more is received until there is room", r->options.spool, spool_reason(st->spool));
	st->blocked = true;
	return false;
}

/* The same for `senders`. */
static bool judge_file(struct recv *r, int error)
{
	if (!error) return true;
	diag_error("%s/senders: %s", r->options.spool, strerror(error));
	r->store.failed = true;
	return false;
}

/* What was read when the spool was found full is held until there is room; nothing more is read then, so it is what one read brings. */
static void hold(struct store *st, struct span line)
{
	if (!buffer_append_span(&st->held, line) || !buffer_append_byte(&st->held, '\n')) die(EXIT_INTERNAL, "no memory for what the spool has no room for");
	st->held_lines++;
}

void store_keep(void *context, struct span line)
{
	struct recv *r = context;
	struct store *st = &r->store;
	struct sender *sender = r->ack.feeding;
	if (sender && sender->present) { /* it was kept by a run of ours that was killed before it could say so */
		sender->present--;
		r->ack.duplicates++;
		r->filter.stats.read--;
		r->filter.stats.kept--;
		return;
	}
	if (!st->failed) judge_file(r, senders_file_run(&st->file, &r->senders, sender));
	st->changed = true;
	if (!sender) st->plain++;
	if (store_is_blocked(r) || !judge(r, spool_append(st->spool, line))) hold(st, line);
}

/* Gives the spool what is held. The first lines of it may have found room when the others do not. */
static bool append_held(struct recv *r)
{
	struct store *st = &r->store;
	size_t at = 0;
	bool done = true;
	while (done && at < st->held.length) {
		const char *start = st->held.data + at, *end = memchr(start, '\n', st->held.length - at);
		done = judge(r, spool_append(st->spool, span_between(start, end)));
		if (done) at += (size_t)(end + 1 - start), st->held_lines--;
	}
	buffer_drop(&st->held, at);
	if (done) buffer_release(&st->held), buffer_init(&st->held, SIZE_MAX / 2);
	return done;
}

/* --- making it last --- */

static void unblock(struct recv *r)
{
	if (!r->store.blocked) return;
	r->store.blocked = false;
	diag_warn("%s: there is room again", r->options.spool);
	for (int i = 0; i < r->source_count; i++) r->source[i].more = true; /* nobody has looked since */
}

/* A commit, a seal if `seal` says so or the segment is long enough, and `senders` in between, where a crash finds it right. */
static bool commit(struct recv *r, bool seal)
{
	struct store *st = &r->store;
	if (st->failed || !append_held(r) || !judge(r, spool_commit(st->spool))) return false;
	if (!judge_file(r, senders_file_slots(&st->file, &r->senders))) return false;
	/* No room for the trailer: the segment stays open. */
	if ((seal || spool_position(st->spool).bytes >= st->segment_bytes) && spool_seal(st->spool) == SPOOL_FAILED) return judge(r, SPOOL_FAILED);
	if (!judge_file(r, senders_file_base(&st->file, st->spool))) return false;
	st->changed = false;
	st->plain = 0;
	unblock(r);
	return true;
}

bool store_settle(struct recv *r)
{
	struct store *st = &r->store;
	if (!st->spool) {
		filter_flush(&r->filter);
		return true;
	}
	if (!st->changed) return !store_is_blocked(r);
	/* Full: the spool says when it is worth another try. */
	if (st->blocked && socket_clock_ms() < spool_due_ms(st->spool)) return false;
	return commit(r, false);
}

int64_t store_due_ms(const struct recv *r)
{
	return r->store.spool ? spool_due_ms(r->store.spool) : INT64_MAX;
}

/* What is due may be a commit, a seal, or another try. Of those ack_settle does the first and the last. */
void store_attend(struct recv *r)
{
	struct store *st = &r->store;
	if (!st->spool || st->failed || socket_clock_ms() < spool_due_ms(st->spool)) return;
	if (!store_settle(r)) return;
	ack_settle(r);
	if (socket_clock_ms() < spool_due_ms(st->spool)) return;
	enum spool_result result = spool_attend(st->spool);
	if (result == SPOOL_FAILED) judge(r, result);
	else judge_file(r, senders_file_base(&st->file, st->spool));
}

void store_seal(struct recv *r)
{
	if (r->store.spool && commit(r, true)) ack_settle(r);
}

/* --- the end --- */

static void tell_unkept(struct recv *r)
{
	struct store *st = &r->store;
	uint64_t unkept = st->held_lines + spool_uncommitted(st->spool), plain = st->plain < unkept ? st->plain : unkept;
	const char *reason = spool_reason(st->spool);
	if (unkept) diag_error("%s: %s: %llu envelopes are not stored, and not acknowledged", r->options.spool, reason, (unsigned long long)unkept);
	else if (st->failed) diag_error("%s: %s", r->options.spool, reason);
	if (plain) diag_error("%s: up to %llu of them came from sources that do not send again, and are lost", r->options.spool, (unsigned long long)plain);
	r->filter.stats.kept -= unkept;
	if (unkept) *stats_extra(&r->filter.stats, "unkept") = unkept;
	if (st->failed || plain) filter_fail(&r->filter, EXIT_IO);
	else if (unkept) filter_fail(&r->filter, EXIT_LATER);
}

void store_close(struct recv *r)
{
	struct store *st = &r->store;
	if (!st->spool) return;
	struct spool *spool = st->spool;
	if (commit(r, true)) ack_settle(r);
	else if (!st->failed && spool_seal(spool) == SPOOL_FULL) senders_file_leave(&st->file, spool);
	store_count(r);
	tell_unkept(r);
	st->spool = NULL;
	senders_file_close(&st->file);
	if (spool_close(spool) == SPOOL_FAILED && !st->failed) filter_fail(&r->filter, EXIT_IO);
	buffer_release(&st->held);
}

void store_count(struct recv *r)
{
	if (!r->store.spool) return;
	const struct spool_counts *counts = spool_counts(r->store.spool);
	struct stats *stats = &r->filter.stats;
	*stats_extra(stats, "segments_sealed") = counts->segments_sealed;
	*stats_extra(stats, "syncs") = counts->syncs;
	*stats_extra(stats, "waits") = counts->waits;
	*stats_extra(stats, "dropped_segments") = counts->dropped_segments;
	*stats_extra(stats, "dropped_envelopes") = counts->dropped_records;
}
