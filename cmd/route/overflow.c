/* overflow - moves lines between a full ring and a spool, and back. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include "command.h"
#include "io/diag.h"
#include "io/signals.h"
#include "overflow.h"

enum {
	TURN_BYTES = 1024 * 1024, /* taken back in one turn */
	GIVEN_MOST = 4000,        /* segments, and so lines: with some more than that in hand the reader says that nothing waits, and there may be */
	LOOK_MS = 100,            /* while lines wait: nobody tells that the command has read some */
	COUNT_MS = 500,           /* spent at the end on counting what is left */
};

/* Both locks, or neither. */
static bool open_both(struct overflow *o, int *status)
{
	o->spool = spool_try_open(o->path, &o->options, status);
	if (!o->spool) return false;
	o->reader = spool_reader_try_open(o->path, o->options.line_limit, status);
	if (!o->reader) {
		spool_close(o->spool);
		o->spool = NULL;
		return false;
	}
	o->given = o->done = spool_reader_done_up_to(o->reader);
	o->active = o->more = !spool_reader_is_empty(o->reader);
	return true;
}

bool overflow_open(struct sink *s, const struct destination *d, const struct sink_settings *settings, bool later, int *status)
{
	struct overflow *o = s->overflow = must_alloc(sizeof *o);
	o->path = must_copy(span_of(d->spool));
	o->options = d->spool_options;
	o->options.line_limit = settings->line_limit;
	o->awaited = later;
	buffer_init(&o->held, settings->line_limit + 1);
	buffer_init(&o->wrapped, settings->line_limit + 1);
	if (later || open_both(o, status)) return true;
	diag_error("route %s: cannot open spool:%s", s->name, o->path);
	return false;
}

void overflow_free(struct overflow *o)
{
	if (!o) return;
	if (o->spool) spool_close(o->spool);
	if (o->reader) spool_reader_close(o->reader);
	buffer_release(&o->held);
	buffer_release(&o->wrapped);
	free(o->path);
	free(o);
}

/* Moves the reader over the lines that were appended out of the ring. Of those the ring has forgotten the command has read. */
static void pass_over(struct overflow *o)
{
	struct span line;
	if (o->unpassed && o->spool) spool_write(o->spool); /* if it cannot, the reader finds nothing, and we come again */
	while (o->unpassed && spool_reader_next(o->reader, &line, &o->given) == SPOOL_READER_LINE) {
		o->unpassed--;
		if (o->early == 0) {
			o->copied += line.length + 1;
			continue;
		}
		o->early--;
		spool_reader_done(o->reader, o->done = o->given);
	}
	if (!o->spool) { /* it has failed: the rest never came there, and is in the ring alone */
		o->unpassed = o->early = 0;
		o->appended = o->copied;
	}
}

static void close_writer(struct sink *s)
{
	struct overflow *o = s->overflow;
	if (spool_uncommitted(o->spool)) spool_commit(o->spool);
	uint64_t lost = spool_uncommitted(o->spool), in_ring = s->failed ? 0 : o->unpassed; /* these are delivered from there */
	s->undelivered += lost > in_ring ? lost - in_ring : 0;
	o->dropped = overflow_dropped(o);
	if (spool_close(o->spool) != SPOOL_DONE) s->status = EXIT_IO;
	o->spool = NULL;
}

static void fail(struct sink *s)
{
	struct overflow *o = s->overflow;
	diag_error("route %s: spool:%s: %s; what finds no room is lost", s->name, o->path, spool_reason(o->spool));
	s->status = EXIT_IO;
	close_writer(s);
}

/* SPOOL_FULL: to be waited for. SPOOL_FAILED: it has failed, which was said. */
static enum spool_result judge(struct sink *s, enum spool_result result)
{
	if (result == SPOOL_DONE || (result == SPOOL_FULL && s->overflow->options.when_full != SPOOL_FAIL)) return result;
	fail(s);
	return SPOOL_FAILED;
}

static enum spool_result append_ring(struct sink *s)
{
	struct overflow *o = s->overflow;
	while (o->appended < ring_used(&s->ring)) {
		struct span line = ring_line_at(&s->ring, s->ring.head + o->appended, &o->wrapped);
		enum spool_result result = judge(s, spool_append(o->spool, line));
		if (result != SPOOL_DONE) return result;
		o->appended += line.length + 1;
		o->unpassed++;
		o->stored++;
	}
	return SPOOL_DONE;
}

bool overflow_put(struct sink *s, struct span line)
{
	struct overflow *o = s->overflow;
	if (!o->active && !s->failed && sink_put(s, line)) return true;
	if (o->awaited && !s->failed) return false;
	enum spool_result result = SPOOL_FAILED;
	if (o->spool) {
		o->active = true;
		result = append_ring(s);
		if (result == SPOOL_DONE) result = judge(s, spool_append(o->spool, line));
	}
	if (result == SPOOL_FULL) return false;
	if (result == SPOOL_DONE) o->stored++;
	else s->undelivered++;
	return true;
}

void overflow_forget(struct sink *s, uint64_t position)
{
	struct overflow *o = s->overflow;
	const struct ring *r = &s->ring;
	uint64_t start = ring_line_start(r, position), copied = r->head + o->copied, appended = r->head + o->appended;
	if (copied > start) copied = start;
	if (appended > start) appended = start;
	if (appended == r->head) return;
	if (appended > copied) o->early += ring_count_lines(r, copied, appended);
	o->done += ring_count_lines(r, r->head, copied);
	if (copied > r->head) spool_reader_done(o->reader, o->done);
	o->copied -= (size_t)(copied - r->head);
	o->appended -= (size_t)(appended - r->head);
}

uint64_t overflow_first_direct(const struct sink *s)
{
	return s->ring.head + s->overflow->appended;
}

static void stop_taking(struct sink *s, const char *why)
{
	diag_error("route %s: spool:%s: %s; what waits there is kept", s->name, s->overflow->path, why);
	s->status = EXIT_IO;
	s->overflow->closing = true;
}

/* The next line that waits; what was appended and is still in memory is written first. */
static bool next_line(struct sink *s, struct span *line, uint64_t *sequence)
{
	struct overflow *o = s->overflow;
	enum spool_reader_result result = spool_reader_next(o->reader, line, sequence);
	if (result == SPOOL_READER_NOTHING && o->spool) {
		if (judge(s, spool_write(o->spool)) == SPOOL_FULL) return false;
		result = spool_reader_next(o->reader, line, sequence);
	}
	if (result == SPOOL_READER_LINE) return true;
	if (result == SPOOL_READER_NOTHING) {
		if (o->given - o->done < GIVEN_MOST || !o->spool || spool_counts(o->spool)->segments < GIVEN_MOST) o->active = false;
		return false;
	}
	stop_taking(s, "nothing more can be read");
	return false;
}

/* False: there is no room. */
static bool give(struct sink *s, struct span line, uint64_t sequence)
{
	struct overflow *o = s->overflow;
	if (!ring_make_room(&s->ring, line.length)) return false;
	ring_put(&s->ring, line);
	o->appended = o->copied += line.length + 1;
	o->given = sequence;
	o->taken_back++;
	if (ring_unsent(&s->ring) >= s->block && !s->stuck) sink_flush(s);
	return true;
}

static bool give_held(struct sink *s)
{
	struct overflow *o = s->overflow;
	if (o->holding) o->holding = !give(s, buffer_span(&o->held), o->given + 1);
	return !o->holding;
}

static void take_back(struct sink *s)
{
	struct overflow *o = s->overflow;
	struct span line;
	uint64_t sequence;
	size_t bytes = 0;
	o->more = false;
	o->looked_ms = command_now_ms();
	if (o->spool) append_ring(s);
	pass_over(o);
	/* What is in the ring alone stands before all that waits, and nothing is written behind it that the spool has. */
	if (o->unpassed || o->appended < ring_used(&s->ring) || !give_held(s)) return;
	while (bytes < TURN_BYTES) {
		if (!next_line(s, &line, &sequence)) return;
		bytes += line.length + 1;
		if (give(s, line, sequence)) continue;
		buffer_clear(&o->held);
		o->holding = true;
		if (!buffer_append_span(&o->held, line)) stop_taking(s, "a line is longer than --max-line");
		return;
	}
	o->more = true;
}

int64_t overflow_due_ms(const struct sink *s)
{
	const struct overflow *o = s->overflow;
	int64_t due = o->spool ? spool_due_ms(o->spool) : INT64_MAX;
	if (o->awaited || !overflow_has_more(s)) return due;
	int64_t look = o->more ? 0 : o->looked_ms + LOOK_MS;
	return look < due ? look : due;
}

void overflow_attend(struct sink *s)
{
	struct overflow *o = s->overflow;
	if (signals_stopping()) o->closing = true;
	if (o->awaited) return;
	command_forget_read(s);
	if (o->spool) {
		int64_t due = spool_due_ms(o->spool);
		if (due != INT64_MAX && due <= command_now_ms()) judge(s, spool_attend(o->spool));
	}
	if (overflow_has_more(s)) {
		take_back(s);
		if (!s->stuck) sink_flush(s);
	} else if (o->spool) {
		judge(s, spool_write(o->spool));
	}
}

void overflow_keep(struct sink *s)
{
	struct overflow *o = s->overflow;
	o->active = o->closing = true;
	if (o->spool) append_ring(s);
}

void overflow_refuse(struct sink *s)
{
	if (s->overflow->spool) fail(s);
}

/* Lines in the spool that are not done; *all: it was not too much to count. */
static uint64_t count_left(struct overflow *o, bool *all)
{
	uint64_t left = o->given - o->done + o->holding, sequence;
	int64_t end = command_now_ms() + COUNT_MS;
	struct span line;
	*all = true;
	while (spool_reader_next(o->reader, &line, &sequence) == SPOOL_READER_LINE)
		if (++left % 1024 == 0 && command_now_ms() > end) {
			*all = false;
			break;
		}
	return left;
}

void overflow_close(struct sink *s)
{
	struct overflow *o = s->overflow;
	bool all;
	if (o->spool) close_writer(s);
	if (!o->reader) return;
	pass_over(o);
	uint64_t left = count_left(o, &all);
	spool_reader_close(o->reader);
	o->reader = NULL;
	if (!left) return;
	if (!s->status) s->status = EXIT_LATER;
	diag_warn("route %s: %s%llu envelope%s kept in spool:%s for the next start", s->name, all ? "" : "more than ", (unsigned long long)left,
		left == 1 && all ? " is" : "s are", o->path);
}

uint64_t overflow_dropped(const struct overflow *o)
{
	return o->dropped + (o->spool ? spool_counts(o->spool)->dropped_records : 0);
}

void overflow_hand_over(struct sink *from, struct sink *to)
{
	struct overflow *old = from->overflow, *o = to->overflow;
	int status;
	o->awaited = false;
	o->stored = old->stored;
	o->taken_back = old->taken_back;
	if (old->spool) close_writer(from);
	spool_reader_close(old->reader);
	old->reader = NULL;
	if (open_both(o, &status)) return;
	diag_error("route %s: cannot open spool:%s", to->name, o->path);
	to->status = status;
}
