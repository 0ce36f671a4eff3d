/* metlog-flood - makes a flood of envelopes from a seed, with what goes wrong in the field, and tells what became of one. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <time.h>

#include "filter/filter.h"
#include "flood/options.h"
#include "flood/oracle.h"
#include "flood/plan.h"
#include "io/diag.h"

enum { LINES_PER_LOOK = 1024 }; /* at the clock and at signals, when nothing paces: a system call for half a megabyte */

struct flood {
	struct filter filter;
	struct flood_options options;
	struct plan plan;
	struct buffer line;
	uint64_t lines;
	int64_t start_ns;
};

static int64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void write_line(struct flood *f, enum plan_line what, uint64_t number)
{
	buffer_clear(&f->line);
	if (what == PLAN_MALFORMED) plan_malformed(&f->plan, number, &f->line);
	else plan_envelope(&f->plan, number, &f->line);
	if (f->line.failed) die(EXIT_INTERNAL, "no memory for an envelope");
	if (!writer_line(&f->filter.out, buffer_span(&f->line))) filter_flush(&f->filter);
	f->lines++;
}

/* How many lines are due by now, and until when to wait for the next. */
static uint64_t due_lines(const struct flood *f, int64_t now, int64_t *next_ns)
{
	double due = (double)(now - f->start_ns) / 1e9 * f->options.rate;
	*next_ns = f->start_ns + (int64_t)((double)(f->lines + 1) / f->options.rate * 1e9);
	return (uint64_t)due;
}

/* False: it is over. Waits as the rate wants it; behind the clock it catches up. */
static bool pace(struct flood *f)
{
	const struct flood_options *o = &f->options;
	if (o->rate <= 0 && f->lines % LINES_PER_LOOK) return true;
	for (;;) {
		int64_t now = clock_ns(), next, end = o->duration ? f->start_ns + o->duration : INT64_MAX;
		if (signals_stopping() || now >= end) return false;
		if (o->rate <= 0) {
			filter_wait(&f->filter, NULL, 0, 0);
			return true;
		}
		if (f->lines < due_lines(f, now, &next)) return true;
		filter_flush(&f->filter);
		if (next > end) next = end;
		int64_t wait_ms = (next - now) / 1000000 + 1;
		filter_wait(&f->filter, NULL, 0, wait_ms < 3600000 ? (int)wait_ms : 3600000);
	}
}

static void bring_up_to_date(void *context)
{
	struct flood *f = context;
	struct stats *s = &f->filter.stats;
	s->read = s->passed = f->lines;
	s->bytes = f->filter.out.bytes;
	*stats_extra(s, "envelopes") = f->plan.envelopes;
	*stats_extra(s, "repeats") = f->plan.repeats;
	*stats_extra(s, "malformed") = f->plan.malformed;
}

static void make_flood(struct flood *f)
{
	uint64_t number;
	plan_init(&f->plan, &f->options.plan);
	buffer_init(&f->line, SIZE_MAX / 2);
	f->filter.before_stats = bring_up_to_date;
	f->filter.before_stats_context = f;
	f->start_ns = clock_ns();
	while (f->plan.envelopes < f->options.count && pace(f)) {
		enum plan_line what = plan_next(&f->plan, &number);
		write_line(f, what, number);
	}
	diag_note(1, "%llu envelopes, %llu repeats, %llu malformed lines in %.3f s", (unsigned long long)f->plan.envelopes, (unsigned long long)f->plan.repeats,
		(unsigned long long)f->plan.malformed, (double)(clock_ns() - f->start_ns) / 1e9);
	buffer_release(&f->line);
	plan_release(&f->plan);
}

int main(int argc, char **argv)
{
	static struct flood flood;
	struct flood *f = &flood;
	options_init(&f->options);
	filter_open(&f->filter, &flood_about, argc, argv, &f->options);
	options_check(&f->options, &f->filter.options);
	if (f->options.verify) oracle_run(&f->filter, &f->options);
	else make_flood(f);
	return filter_close(&f->filter);
}
