/* stage - an envelope on its way into the staging: its directory, its line, its book. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "stage.h"

#include <errno.h>

#include "hive.h"
#include "io/diag.h"

enum { TICK_EVERY = 256 }; /* envelopes: far below a millisecond's worth */

void stage_init(struct stage *s, struct filter *filter, struct source *source, struct layout *layout, const struct hdfs_options *o)
{
	*s = (struct stage){ .filter = filter, .source = source, .layout = layout, .hive = o->hive };
	s->bounds = (struct layout_bounds){ .late_ns = o->late_ns, .future_ns = o->future_ns };
	/* There is no time that would be the same when it is given again: only bounds that somebody has asked for. */
	if (source->timeless && !o->future_given) s->bounds.future_ns = -1;
	buffer_init(&s->dir, 2 * LAYOUT_PATH_MAX);
	buffer_init(&s->line, SIZE_MAX / 2);
}

void stage_release(struct stage *s)
{
	buffer_release(&s->dir);
	buffer_release(&s->line);
}

bool stage_on_seal(void *context, uint64_t done, uint64_t of)
{
	struct stage *s = context;
	if (!s->task.total_bytes) s->task.total_bytes = s->ends && s->open_bytes > of ? s->open_bytes : of;
	progress_task_tick(&s->filter->progress, &s->task, "compressing", s->packed_bytes + done);
	if (done == of) {
		s->packed_bytes += of;
		s->open_bytes -= of < s->open_bytes ? of : s->open_bytes;
	}
	return !signals_stopping_now();
}

static void end_task(struct stage *s)
{
	if (!s->task.total_bytes) return;
	progress_task_end(&s->filter->progress, &s->task);
	s->packed_bytes = 0;
}

void stage_place(struct stage *s, const struct envelope *e, struct span *line)
{
	s->bounds.now_ns = source_now(s->source);
	buffer_clear(&s->dir);
	enum layout_place place = layout_append(&s->dir, s->layout, e, &s->bounds);
	if (s->dir.failed) die(EXIT_INTERNAL, "no memory for a directory's name"); /* not the envelope's fault: the next run takes up what is staged */
	*line = e->line;
	if (s->hive) {
		buffer_clear(&s->line);
		if (!hive_append(&s->line, e)) die(EXIT_INTERNAL, "no memory for a line of %zu bytes", e->line.length);
		*line = buffer_span(&s->line);
	}
	s->late += place == LAYOUT_LATE;
	s->future += place == LAYOUT_FUTURE;
}

void stage_fail(struct stage *s)
{
	bool is_stop = errno == ECANCELED;
	if (!s->failed && !is_stop) diag_error("staging in %s: %s", s->where, strerror(errno));
	s->failed = true;
	filter_fail(s->filter, is_stop ? EXIT_LATER : EXIT_IO);
}

void stage_take(struct stage *s, const struct envelope *e)
{
	struct span line;
	stage_place(s, e, &line);
	/* Behind a gap nothing more of a stream is staged: what is there must stay the beginning of what it would be if all of it was sent again. */
	if (s->failed || !partitions_append(s->partitions, buffer_span(&s->dir), line)) {
		if (!s->failed) stage_fail(s);
		/* A batch is given again. Of a stream this one is gone, unless rejects are kept. */
		if (s->source->batch) s->filter->stats.kept++;
		else filter_reject(s->filter, e, "the staging disk took no more");
		return;
	}
	s->filter->stats.kept++;
	s->open_bytes += line.length + 1;
	end_task(s);
	if (!s->source->batch && ++s->since_tick == TICK_EVERY) stage_tick(s); /* the lines that -m drops are not counted: every 256th may be one of them, always */
}

static void take_back(void *context, struct span line)
{
	struct stage *s = context;
	s->filter->stats.kept--;
	filter_reject(s->filter, &(struct envelope){ .line = line }, "the staging disk took no more");
}

void stage_give_up(struct stage *s)
{
	if (!s->source->batch) partitions_unstage(s->partitions, take_back, s);
}

void stage_flush(struct stage *s)
{
	if (!s->failed && !partitions_flush(s->partitions)) stage_fail(s);
}

void stage_tick(struct stage *s)
{
	s->since_tick = 0;
	source_tick(s->source);
	if (!s->failed && !partitions_tick(s->partitions)) stage_fail(s);
}

bool stage_seal_all(struct stage *s)
{
	s->ends = true;
	bool all = partitions_seal_all(s->partitions);
	int error = errno;
	end_task(s);
	errno = error;
	return all;
}
