/* cat - the verbs that only read: all envelopes of a spool, oldest first, as they are or at the pace of their stamps. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "verbs.h"

#include <errno.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "io/diag.h"
#include "pace.h"
#include "walk.h"

enum { LOOK_MS = 1000, LOOK_WITHOUT_INOTIFY_MS = 250, NAME_MAX_BYTES = 4096 + 128 };

struct reading {
	struct filter *filter;
	struct walk walk;
	struct pace pace;
	char name[NAME_MAX_BYTES];    /* of the segment, for messages and rejects */
	uint64_t lines;               /* of it, so far */
	int inotify;                  /* -1: none */
};

static bool is_ending(const struct reading *r)
{
	return signals_stopping() || r->filter->rejects.fatal;
}

/* Signals are answered and a reader that has gone is noticed here; there is no input of the filter's to wait for. */
static void wait_ms(struct reading *r, int64_t ms)
{
	struct pollfd event = { .fd = r->inotify, .events = POLLIN };
	char drained[4096];
	filter_wait(r->filter, &event, 1, ms > INT32_MAX ? INT32_MAX : (int)ms);
	if (event.revents)
		while (read(r->inotify, drained, sizeof drained) > 0) {}
}

static int64_t clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* False: stopped before it was due. */
static bool keep_pace(struct reading *r, const struct envelope *envelope)
{
	enum { MS = 1000000 };
	int64_t stamp, due;
	if (r->pace.speed <= 0 || envelope->timestamp.escaped || !timestamp_parse(envelope->timestamp.text, &stamp)) return true;
	for (due = pace_due(&r->pace, stamp, clock_ns()); due - clock_ns() >= MS;) {
		if (signals_stopping()) return false;
		filter_flush(r->filter);
		int64_t left = due - clock_ns(); /* a slow reader may have held us up beyond it, and below 0 would be for ever */
		if (left > 0) wait_ms(r, left / MS);
	}
	return true;
}

/* The lines become those of the filter's reader, which judges, chooses and books them as it does what it has read itself. */
static void take_lines(struct reading *r, struct span lines)
{
	struct filter *f = r->filter;
	struct reader own = f->reader;
	struct envelope envelope;
	f->reader = (struct reader){ .fd = -1, .name = r->name, .data = (char *)(uintptr_t)lines.data, .lines_end = lines.length, .filled = lines.length,
		.capacity = lines.length, .line_limit = own.line_limit, .lines = r->lines };
	while (!signals_stopping() && filter_take(f, &envelope)) {
		if (!keep_pace(r, &envelope)) {
			f->stats.read--; /* stopped in the pause before it: as if it had not been read */
			f->stats.bytes -= envelope.line.length + 1;
			break;
		}
		filter_pass(f, &envelope);
	}
	r->lines = f->reader.lines;
	f->reader = own;
}

/* To the end of what is there now. False: nothing more will come of it, whatever its writer does. */
static bool read_lines(struct reading *r, struct segment_reader *reader)
{
	struct span lines;
	while (!is_ending(r)) switch (segment_reader_next(reader, &lines)) {
	case SEGMENT_LINES:
		take_lines(r, lines);
		wait_ms(r, 0);
		break;
	case SEGMENT_END: return true;
	case SEGMENT_DAMAGED:
		diag_error("%s: damaged: %s", r->name, segment_reader_reason(reader));
		filter_fail(r->filter, EXIT_REJECTS);
		return false;
	case SEGMENT_ERROR:
		diag_error("%s: %s", r->name, strerror(errno));
		filter_fail(r->filter, EXIT_NO_INPUT);
		return false;
	}
	return false;
}

static bool is_still_open(const struct walk_found *found)
{
	char name[SEGMENT_NAME_MAX];
	segment_name(name, &found->segment, SEGMENT_OPEN);
	return faccessat(found->dir_fd, name, F_OK, 0) == 0;
}

static bool is_growing(const struct segment_reader *reader)
{
	return segment_reader_form(reader) == SEGMENT_OPEN && !segment_reader_is_sealed(reader);
}

/* Waits until something happens in the spool, having shown what there is. */
static void wait_for_more(struct reading *r)
{
	filter_flush(r->filter);
	wait_ms(r, r->inotify < 0 ? LOOK_WITHOUT_INOTIFY_MS : LOOK_MS);
}

/* True: go on with the next one. */
static bool read_segment(struct reading *r, const struct walk_found *found, bool follow)
{
	char name[SEGMENT_NAME_MAX];
	struct segment_reader *reader = walk_open(&r->walk, found, r->filter->options.line_limit);
	segment_name(name, &found->segment, reader ? segment_reader_form(reader) : found->segment.form);
	snprintf(r->name, sizeof r->name, "%s/%s%s", r->walk.path, walk_folder(found->where), name);
	r->lines = 0;
	if (!reader && errno == ENOENT) {
		diag_note(1, "%s: delivered meanwhile", r->name);
		return true;
	}
	if (!reader) {
		diag_error("%s: %s", r->name, strerror(errno));
		filter_fail(r->filter, EXIT_NO_INPUT);
		return true;
	}
	bool more = read_lines(r, reader), last = false;
	while (more && follow && is_growing(reader) && !last) {
		if (is_still_open(found)) wait_for_more(r);
		else last = true; /* what stands in it by now is all there will be */
		more = read_lines(r, reader);
	}
	/* What is begun behind one that grows is begun after we had read that to its end: lines between would be missing. */
	bool go_on = follow || !is_growing(reader);
	segment_reader_free(reader);
	return go_on;
}

static void read_all(struct reading *r, bool follow)
{
	struct walk_found found;
	while (!is_ending(r)) {
		int more = walk_next(&r->walk, &found);
		if (more < 0) {
			diag_error("%s: %s", r->walk.path, strerror(errno));
			filter_fail(r->filter, EXIT_NO_INPUT);
			return;
		}
		if (more ? !read_segment(r, &found, follow) : !follow) return;
		if (!more) wait_for_more(r);
	}
}

static int read_run(struct filter *f, const struct verb_options *options, unsigned where)
{
	static struct reading r; /* static: the lists of its walk are large */
	int status, fd = walk_directory(options->dir, &status);
	if (fd < 0) {
		filter_fail(f, status);
		return filter_close(f);
	}
	r.filter = f;
	f->reopens = true;
	r.inotify = -1;
	r.pace = (struct pace){ .speed = options->speed, .max_gap_ns = options->max_gap_ms < INT64_MAX / 1000000 ? options->max_gap_ms * 1000000 : INT64_MAX };
	f->progress.wanted = false;
	if (options->follow && (r.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) >= 0)
		inotify_add_watch(r.inotify, options->dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE);
	walk_init(&r.walk, options->dir, fd, where);
	read_all(&r, options->follow);
	walk_release(&r.walk);
	close(fd);
	return filter_close(f);
}

int cat_run(struct filter *f, const struct verb_options *options)
{
	unsigned where = (options->failed ? (unsigned)WALK_FAILED : 0) | (options->delivered ? (unsigned)WALK_DELIVERED : 0);
	return read_run(f, options, where ? where : (unsigned)WALK_SPOOL);
}

int replay_run(struct filter *f, const struct verb_options *options)
{
	return read_run(f, options, WALK_SPOOL | WALK_DELIVERED);
}
