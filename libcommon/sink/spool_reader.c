/* spool_reader - the segments of a spool as one sequence of envelopes, given out, gone back over, and done with. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool_reader_private.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/diag.h"
#include "io/socket.h"

/*   held[0]          held[1]      held[at]                      the list
 *   |....done####|   |########|   |####given.....|              segments nobody has looked at yet
 *
 * Only counts of lines are kept, never a line: to go back is to read again. */

enum { SAVE_MS = 1000 };

/* --- segments in hand ----------------------------------------------------------- */

struct spool_reader_held *spool_reader_hold(struct spool_reader *r, const struct segment *segment, uint64_t base)
{
	if (r->count == r->capacity) {
		r->capacity = r->capacity ? r->capacity * 2 : 8;
		r->held = must_resize(r->held, r->capacity * sizeof *r->held);
	}
	r->held[r->count] = (struct spool_reader_held){ .segment = *segment, .base = base };
	return &r->held[r->count++];
}

static bool is_held(const struct spool_reader *r, const struct segment *segment)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->held[i].segment.stem, segment->stem) == 0) return true;
	return false;
}

static enum spool_reader_result fail(struct spool_reader *r)
{
	r->failed = true;
	return SPOOL_READER_FAILED;
}

/* The numbers no longer fit what is in the spool: under these nobody may go on. */
static enum spool_reader_result fail_for_good(struct spool_reader *r, const struct segment *segment, const char *what)
{
	diag_error("%s: segment %s %s; all that is left is sent again under new numbers at the next start", r->path, segment->stem, what);
	spool_reader_forget(r);
	return fail(r);
}

void spool_reader_say_damaged(const struct spool_reader *r, const struct segment *segment, const char *reason)
{
	diag_error("%s: segment %s is damaged: %s; its whole lines are taken, and it is kept in quarantine/", r->path, segment->stem, reason);
}

static void close_file(struct spool_reader *r)
{
	segment_reader_free(r->file);
	r->file = NULL;
	r->rest = (struct span){ "", 0 };
}

/* Segments of which all is done leave the spool, one by one: the state names the one that has just been finished, so that a crash before it
 * is gone does not bring it back. */
static void finish_some(struct spool_reader *r)
{
	while (r->count && r->held[0].ended && r->at > 0 && r->done >= r->held[0].last && !r->failed) {
		bool damaged = r->held[0].damaged;
		memcpy(r->finished, r->held[0].segment.stem, sizeof r->finished);
		memmove(r->held, r->held + 1, --r->count * sizeof *r->held);
		r->at--;
		/* Without the state (a full disk) it goes too: it is done with, and whoever starts anew sends what is left under new numbers. */
		spool_reader_save(r);
		if (!spool_reader_put_away(r, r->finished, damaged)) fail(r);
	}
}

static void end_segment(struct spool_reader *r)
{
	struct spool_reader_held *h = &r->held[r->at++];
	h->ended = true;
	h->last = r->given;
	close_file(r);
	finish_some(r);
}

/* --- the next segment ----------------------------------------------------------- */

/* A segment that is sealed is read through before its first line is given out. */
static enum segment_read check(struct spool_reader *r, struct spool_reader_held *h)
{
	struct segment_trailer sum;
	const char *reason;
	h->segment.form = segment_reader_form(r->file);
	if (h->segment.form == SEGMENT_OPEN) return SEGMENT_END;
	enum segment_read result = segment_check(r->dir_fd, &h->segment, r->line_limit, &sum, &reason);
	h->damaged = result == SEGMENT_DAMAGED;
	if (h->damaged) spool_reader_say_damaged(r, &h->segment, reason);
	return result;
}

/* Of a segment that cannot be read: whether the others can. */
static bool pass_over(struct spool_reader *r, const struct segment *segment, int error)
{
	if (error == ENOENT) {
		diag_note(1, "%s: segment %s is gone", r->path, segment->stem);
		return true;
	}
	bool strange = error == EPERM || error == ELOOP;
	if (!strange || !r->strange_told) diag_error("%s: segment %s: %s", r->path, segment->stem, strange ? "a link, or no plain file of ours; it is left alone" : strerror(error));
	r->strange_told |= strange;
	return strange;
}

/* A new one is in the state before the first of its lines is given out: a restart then knows which ones must still be as they were. */
static enum spool_reader_result begin_segment(struct spool_reader *r, const struct segment *segment)
{
	struct spool_reader_held *h = spool_reader_hold(r, segment, r->given);
	r->file = segment_reader_open(r->dir_fd, segment, r->line_limit);
	int error = r->file ? 0 : errno;
	if (r->file && check(r, h) == SEGMENT_ERROR) error = errno;
	if (!error) {
		spool_reader_save(r);
		return SPOOL_READER_LINE;
	}
	close_file(r);
	r->count--;
	return pass_over(r, segment, error) ? SPOOL_READER_LINE : fail(r);
}

static enum spool_reader_result next_segment(struct spool_reader *r)
{
	struct segment segment;
	int more;
	if (r->count == SPOOL_READER_HELD_MAX) return SPOOL_READER_NOTHING;
	/* A list that has come to its end is begun anew, from the first name on: a spool that was empty counts from 1 again. One that was begun at an
	 * earlier call may not have seen what has come since, so its end says nothing yet. */
	bool anew;
	do {
		anew = !r->listing;
		if (anew) segment_list_init(&r->list, r->dir_fd);
		r->listing = true;
		while ((more = segment_list_next(&r->list, &segment)) > 0) {
			if (is_held(r, &segment)) continue;
			enum spool_reader_result begun = begin_segment(r, &segment);
			if (begun != SPOOL_READER_LINE || r->file) return begun; /* else it was passed over, and must not make this list look like an earlier one */
		}
		r->listing = false;
	} while (more == 0 && !anew);
	if (more == 0) return SPOOL_READER_NOTHING;
	diag_error("reading the spool %s: %s", r->path, strerror(errno));
	return fail(r);
}

/* One that was read before, in part or wholly. */
static enum spool_reader_result open_again(struct spool_reader *r)
{
	struct spool_reader_held *h = &r->held[r->at];
	r->file = segment_reader_open(r->dir_fd, &h->segment, r->line_limit);
	if (r->file) return SPOOL_READER_LINE;
	if (errno == ENOENT) return fail_for_good(r, &h->segment, "is gone, and was not delivered");
	diag_error("%s: segment %s: %s", r->path, h->segment.stem, strerror(errno));
	return fail(r);
}

/* --- lines ---------------------------------------------------------------------- */

static bool is_good(struct spool_reader *r, struct span line)
{
	struct envelope envelope;
	struct envelope_fault fault;
	return envelope_parse_copy(&envelope, &r->scan, &r->copy, line, &fault) == ENVELOPE_GOOD;
}

/* Takes the next line of the block that counts as one. */
static bool take_line(struct spool_reader *r)
{
	while (r->rest.length) {
		const char *newline = memchr(r->rest.data, '\n', r->rest.length);
		struct span line = span_between(r->rest.data, newline);
		r->rest.data += line.length + 1;
		r->rest.length -= line.length + 1;
		if (!line.length || (r->held[r->at].damaged && !is_good(r, line))) continue;
		if (r->to_skip) {
			r->to_skip--;
			continue;
		}
		r->line = line;
		return true;
	}
	return false;
}

static void note_damage(struct spool_reader *r, struct spool_reader_held *h)
{
	if (!h->damaged) spool_reader_say_damaged(r, &h->segment, segment_reader_reason(r->file));
	h->damaged = true;
}

/* What one that was opened as .open holds so far is read. It has ended once it has its sealed name. */
static enum spool_reader_result end_of_open(struct spool_reader *r, struct spool_reader_held *h)
{
	bool open = spool_reader_exists(r, &h->segment, SEGMENT_OPEN); /* asked first: names change in this order */
	bool sealed = spool_reader_exists(r, &h->segment, SEGMENT_SEALED) || spool_reader_exists(r, &h->segment, SEGMENT_COMPRESSED);
	if (open && !sealed) return SPOOL_READER_NOTHING;
	/* What was written between the last look and the sealing is there now. */
	enum segment_read result = segment_reader_next(r->file, &r->rest);
	if (result == SEGMENT_LINES) return SPOOL_READER_LINE;
	if (r->to_skip) return fail_for_good(r, &h->segment, "holds less than was taken from it");
	if (result == SEGMENT_DAMAGED) note_damage(r, h);
	end_segment(r);
	return SPOOL_READER_LINE;
}

static enum spool_reader_result read_file(struct spool_reader *r)
{
	struct spool_reader_held *h = &r->held[r->at];
	enum segment_read result = segment_reader_next(r->file, &r->rest);
	if (result == SEGMENT_LINES) return SPOOL_READER_LINE;
	if (result == SEGMENT_ERROR) {
		diag_error("reading segment %s of %s: %s", h->segment.stem, r->path, strerror(errno));
		return fail(r);
	}
	if (segment_reader_form(r->file) == SEGMENT_OPEN) {
		bool shrunk = result == SEGMENT_DAMAGED && !segment_reader_is_sealed(r->file);
		return shrunk ? fail_for_good(r, &h->segment, "is shorter than what was read of it") : end_of_open(r, h);
	}
	if (r->to_skip) return fail_for_good(r, &h->segment, "holds less than was taken from it");
	if (result == SEGMENT_DAMAGED) note_damage(r, h);
	end_segment(r);
	return SPOOL_READER_LINE;
}

/* LINE: the next line is ready. */
static enum spool_reader_result make_ready(struct spool_reader *r)
{
	enum spool_reader_result result = SPOOL_READER_LINE;
	while (!r->ready && result == SPOOL_READER_LINE) {
		if (r->failed) return SPOOL_READER_FAILED;
		if (r->file) r->ready = take_line(r);
		if (r->ready) break;
		if (r->file) result = read_file(r);
		else result = r->at == r->count ? next_segment(r) : open_again(r);
	}
	return result;
}

static void give(struct spool_reader *r)
{
	r->ready = false;
	if (++r->given > r->furthest) r->furthest = r->given;
}

enum spool_reader_result spool_reader_next(struct spool_reader *r, struct span *line, uint64_t *sequence)
{
	enum spool_reader_result result = make_ready(r);
	if (result != SPOOL_READER_LINE) return result;
	*line = r->line;
	give(r);
	*sequence = r->given;
	return SPOOL_READER_LINE;
}

void spool_reader_rewind(struct spool_reader *r)
{
	if (r->given == r->done) return;
	close_file(r);
	r->ready = false;
	r->given = r->done;
	r->at = 0;
	r->to_skip = r->count ? r->done - r->held[0].base : 0;
}

void spool_reader_done(struct spool_reader *r, uint64_t sequence)
{
	if (sequence > r->furthest) sequence = r->furthest;
	if (sequence <= r->done) return;
	/* Of lines gone back over: the answer came after all. */
	while (r->given < sequence && make_ready(r) == SPOOL_READER_LINE) give(r);
	r->done = sequence < r->given ? sequence : r->given;
	finish_some(r);
	if (r->done == r->given) make_ready(r); /* the end of a segment shows when one reads on */
	if (socket_clock_ms() - r->saved_ms >= SAVE_MS) spool_reader_save(r);
}

bool spool_reader_is_empty(struct spool_reader *r)
{
	return r->done == r->given && make_ready(r) == SPOOL_READER_NOTHING;
}

const char *spool_reader_id(const struct spool_reader *r)
{
	return r->id;
}

uint64_t spool_reader_done_up_to(const struct spool_reader *r)
{
	return r->done;
}
