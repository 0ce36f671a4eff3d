/* report - finds what explodes: reads everything, puts the report together, and has it shown. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "report.h"

#include <stdlib.h>

#include "io/diag.h"
#include "modes.h"
#include "report_limit.h"
#include "report_take.h"
#include "show.h"

static struct report_number number_of(const struct sketch *s)
{
	return (struct report_number){ sketch_count(s), sketch_error(s) };
}

static int by_values(const void *a, const void *b)
{
	const struct report_tag *x = a, *y = b;
	if (x->is_tag != y->is_tag) return x->is_tag ? -1 : 1;
	if (x->values.count != y->values.count) return x->values.count > y->values.count ? -1 : 1;
	return span_compare(x->name, y->name);
}

static int by_series(const void *a, const void *b)
{
	const struct report_metric *x = a, *y = b;
	if (x->series.count != y->series.count) return x->series.count > y->series.count ? -1 : 1;
	int order = span_compare(x->type, y->type);
	return order ? order : span_compare(x->name, y->name);
}

/* Estimates err each for itself; but there are never more series without a tag than with it. */
static struct report_number series_of(const struct member *member, const struct metric *metric)
{
	struct report_number all = number_of(&metric->series), one = number_of(&member->series);
	if (member->place == PLACE_REST) return all;
	if (!member->is_tag && !metric->has_sets) {
		one = number_of(&member->values);
		one.count += member->seen < metric->envelopes;
	}
	if (member->is_tag ? one.count > all.count : one.count < all.count) one.count = all.count;
	return one;
}

static void fill_tag(struct report_tag *out, struct member *member, const struct metric *metric, const struct metrics *all)
{
	struct report_top top[REPORT_TOP_MAX];
	*out = (struct report_tag){ .name = member->name, .is_tag = member->is_tag, .seen = member->seen, .values = number_of(&member->values) };
	out->series = series_of(member, metric);
	growth_finish(&member->growth, &all->clock, out->values.count, out->growth);
	out->per_hour = growth_per_hour(&all->clock, out->growth);
	size_t wanted = (size_t)all->options->top < REPORT_TOP_MAX ? (size_t)all->options->top : REPORT_TOP_MAX;
	out->top_count = top_finish(&member->top, top, wanted);
	if (!out->top_count) return;
	out->top = must_alloc(out->top_count * sizeof *top);
	memcpy(out->top, top, out->top_count * sizeof *top);
}

static void fill_metric(struct report_metric *out, struct metric *metric, const struct metrics *all)
{
	*out = (struct report_metric){ .type = metric->type, .name = metric->name, .envelopes = metric->envelopes, .series = number_of(&metric->series), .product = 1 };
	growth_finish(&metric->growth, &all->clock, out->series.count, out->growth);
	out->tag = must_alloc((metric->count + 1) * sizeof *out->tag);
	for (size_t i = 0; i < metric->count; i++)
		if (metric->member[i]->seen) fill_tag(&out->tag[out->tag_count++], metric->member[i], metric, all);
	if (metric->rest) fill_tag(&out->tag[out->tag_count++], metric->rest, metric, all);
	qsort(out->tag, out->tag_count, sizeof *out->tag, by_values);
	for (size_t i = 0; i < out->tag_count && out->tag[i].is_tag; i++)
		out->product *= (double)(out->tag[i].values.count + (out->tag[i].seen < out->envelopes));
}

static void fill(struct report *r, struct take *take)
{
	struct metrics *all = &take->metrics;
	const struct clock *clock = &all->clock;
	r->envelopes = take->envelopes;
	r->first = clock->first, r->last = clock->last;
	r->bucket_ns = clock->width, r->bucket_from = clock->from * clock->width;
	r->buckets = clock_buckets(clock);
	r->folded = sketch_count(&all->folded);
	r->metric = must_alloc((all->count + 1) * sizeof *r->metric);
	for (size_t i = 0; i < all->count; i++)
		if (!all->metric[i]->is_folded) fill_metric(&r->metric[r->metric_count++], all->metric[i], all);
	if (all->other) fill_metric(&r->metric[r->metric_count++], all->other, all);
	qsort(r->metric, r->metric_count, sizeof *r->metric, by_series);
}

static void release(struct report *r)
{
	for (size_t i = 0; i < r->metric_count; i++) {
		for (size_t j = 0; j < r->metric[i].tag_count; j++) free(r->metric[i].tag[j].top);
		free(r->metric[i].tag);
	}
	for (size_t i = 0; i < r->limit_count; i++) free((char *)(uintptr_t)r->limit[i].where.data);
	free((char *)(uintptr_t)r->failed_where.data);
	free(r->metric);
}

static void show(struct filter *filter, struct report *r)
{
	if (show_is_table(filter, r->options)) report_show_table(filter, r);
	else report_show_envelopes(filter, r);
	filter_flush(filter);
	if (r->options->html) {
		int status = report_write_html(r, r->options->html);
		if (status) filter_fail(filter, status);
	}
}

int report_run(struct filter *filter, const struct cardinality_options *options)
{
	static struct take take;
	struct report report = { .options = options, .tool = &filter->options, .stats = &filter->stats };
	struct limits limits;
	struct envelope envelope;
	limits_parse(&limits, options->limit);
	take_init(&take, options);
	while (filter_next(filter, &envelope)) {
		take_envelope(&take, &envelope);
		filter_booked_pass(filter);
	}
	fill(&report, &take);
	if (report.folded) diag_warn("metrics and members of them for which there was no room, and which are counted together as other: %llu", (unsigned long long)report.folded);
	limits_apply(&limits, &report, &take.arrivals);
	if (options->fail_over >= 0) limits_fail_over(&report, (uint64_t)options->fail_over);
	show(filter, &report);
	if (report.failed) filter_fail(filter, EXIT_NEGATIVE);
	release(&report);
	take_release(&take);
	return filter_close(filter);
}
