/* report_view - what the views of a report have in common: its verdict, its scale, and numbers as people read them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "report_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/timestamp.h"

/* --- numbers --- */

bool view_append_count(struct buffer *out, uint64_t value)
{
	char digits[32], text[48];
	int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
	size_t used = 0;
	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0) text[used++] = ',';
		text[used++] = digits[i];
	}
	return buffer_append(out, text, used);
}

bool view_append_double(struct buffer *out, double value)
{
	char text[48];
	if (value > 0 && value < 10 && value != floor(value)) snprintf(text, sizeof text, "%.1f", value);
	else if (value < 1e15) return view_append_count(out, value > 0 ? (uint64_t)(value + 0.5) : 0);
	else snprintf(text, sizeof text, "%.2g", value);
	return buffer_append_text(out, text);
}

bool view_append_percent(struct buffer *out, double share)
{
	char text[48];
	double percent = 100 * share, size = fabs(percent);
	bool whole = size >= 10 && !(size > 99 && size < 100);
	snprintf(text, sizeof text, size == 0 ? "0 %%" : whole ? "%.0f %%" : size >= 1 ? "%.1f %%" : size >= 0.01 ? "%.2f %%" : "< 0.01 %%", percent);
	return buffer_append_text(out, text);
}

bool view_append_change(struct buffer *out, uint64_t from, uint64_t to)
{
	char text[48];
	if (from == 0 || to == from) return buffer_append_text(out, to == from ? "0 %" : "new");
	double factor = (double)to / (double)from;
	if (factor >= 1000 || (to && factor < 0.001)) {
		buffer_append_text(out, factor > 1 ? "x " : "/ ");
		return view_append_count(out, (uint64_t)((factor > 1 ? factor : 1 / factor) + 0.5));
	}
	if (fabs(factor - 1) < 0.0005) return buffer_append_text(out, "0 %");
	if (factor >= 2) snprintf(text, sizeof text, factor < 10 ? "x %.1f" : "x %.0f", factor);
	else snprintf(text, sizeof text, "%+.1f %%", 100 * (factor - 1));
	return buffer_append_text(out, text);
}

bool view_append_duration(struct buffer *out, int64_t nanoseconds)
{
	static const struct { const char *unit; double seconds; } units[] = { { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 }, { "ms", 1e-3 } };
	double seconds = (double)nanoseconds / 1e9;
	size_t i = 0;
	while (i + 1 < sizeof units / sizeof *units && seconds < units[i].seconds) i++;
	char text[48];
	snprintf(text, sizeof text, "%.3g %s", seconds / units[i].seconds, units[i].unit);
	return buffer_append_text(out, text);
}

double report_share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

uint64_t view_growth_at(const uint64_t growth[REPORT_BUCKETS], size_t buckets, size_t i, size_t of)
{
	if (!buckets) return 0;
	size_t at = ((i + 1) * buckets + of - 1) / of;
	return growth[at ? at - 1 : 0];
}

/* --- time --- */

static void print_zone(char out[16], int offset_s)
{
	int minutes = abs(offset_s) / 60;
	if (offset_s == 0) snprintf(out, 16, "UTC");
	else snprintf(out, 16, "%c%02d:%02d", offset_s < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
}

static void append_clock(struct buffer *out, const struct timestamp_local *at)
{
	char text[96];
	snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d", at->year, at->month, at->day, at->hour, at->minute, at->second);
	buffer_append_text(out, text);
}

bool view_append_time(struct buffer *out, int64_t nanoseconds)
{
	struct timestamp_local at = timestamp_local(nanoseconds);
	char zone[16];
	print_zone(zone, at.offset_s);
	append_clock(out, &at);
	buffer_append_byte(out, ' ');
	return buffer_append_text(out, zone);
}

bool view_append_period(struct buffer *out, const struct report *r)
{
	if (r->first > r->last) return buffer_append_text(out, "no time known");
	struct timestamp_local from = timestamp_local(r->first), to = timestamp_local(r->last);
	if (from.offset_s != to.offset_s) view_append_time(out, r->first);
	else append_clock(out, &from);
	buffer_append_text(out, " to ");
	return view_append_time(out, r->last);
}

/* --- names --- */

bool view_append_cut(struct buffer *out, struct span text, size_t columns)
{
	/* A name of the application may be anything; counting its columns as visible text is right for all but hostile ones, and those are only cut elsewhere. */
	if (text.length <= columns || text_columns(text) <= columns) return buffer_append_span(out, text);
	size_t kept = text_fit(text, columns > 3 ? columns - 3 : 0);
	buffer_append(out, text.data, kept);
	return buffer_append_text(out, "...");
}

bool view_append_metric(struct buffer *out, const struct report_metric *m, size_t columns)
{
	if (!m->type.length && !m->name.length) return buffer_append_text(out, "(no type)");
	view_append_cut(out, m->type, columns);
	if (m->type.length && m->name.length) buffer_append_byte(out, ' ');
	return view_append_cut(out, m->name, columns);
}

/* --- the scale of the bars --- */

struct report_scale report_scale(const struct report *r)
{
	uint64_t most = 1;
	for (size_t i = 0; i < r->metric_count; i++)
		for (size_t k = 0; k < r->metric[i].tag_count; k++)
			if (r->metric[i].tag[k].values.count > most) most = r->metric[i].tag[k].values.count;
	return (struct report_scale){ (double)most, most > 100 };
}

double scale_share(const struct report_scale *s, uint64_t value)
{
	double share = s->logarithmic ? log1p((double)value) / log1p(s->most) : (double)value / s->most;
	return share > 1 ? 1 : share;
}

/* --- the verdict --- */

uint64_t report_values_limit(const struct report *r)
{
	uint64_t least = r->options && r->options->fail_over >= 0 ? (uint64_t)r->options->fail_over : UINT64_MAX;
	for (size_t i = 0; i < r->limit_count; i++)
		if (strcmp(r->limit[i].unit, "values of a tag") == 0 && r->limit[i].limit < least) least = r->limit[i].limit;
	return least;
}

/* No bound is in sight, over whatever time: a value comes twice at most, on average. */
static bool is_boundless(const struct report_tag *t)
{
	return t->values.count >= 1000 && t->values.count >= t->seen / 2;
}

bool tag_grows(const struct report *r, const struct report_tag *t)
{
	if (is_boundless(t)) return true;
	if (t->values.count < 100 || r->buckets < 4 || t->per_hour <= 0) return false;
	uint64_t before = t->growth[r->buckets - 1 - r->buckets / 4];
	return before < t->values.count && t->values.count - before >= t->values.count / 10;
}

static uint64_t saved(const struct report_metric *m, const struct report_tag *t)
{
	return m->series.count > t->series.count ? m->series.count - t->series.count : 0;
}

static bool is_worse(const struct report_metric *m, const struct report_tag *t, const struct verdict *than)
{
	if (!than->tag) return true;
	if (t->is_tag != than->tag->is_tag) return t->is_tag;
	uint64_t one = t->is_tag ? saved(m, t) : t->series.count, other = t->is_tag ? saved(than->metric, than->tag) : than->tag->series.count;
	return one != other ? one > other : t->values.count > than->tag->values.count;
}

/* A member of too many values is what has exploded, whichever tag has the most series; of a metric without tags any member, as the limits take it. */
static void find_passed(const struct report *r, struct verdict *v)
{
	uint64_t most = report_values_limit(r);
	for (size_t i = 0; i < r->metric_count; i++) {
		const struct report_metric *m = &r->metric[i];
		if (!m->tag_count || m->tag[0].values.count <= most) continue;
		most = m->tag[0].values.count;
		v->metric = m, v->tag = &m->tag[0];
	}
}

static bool has_tags(const struct report *r)
{
	for (size_t i = 0; i < r->metric_count; i++)
		if (r->metric[i].tag_count && r->metric[i].tag[0].is_tag) return true;
	return false;
}

struct verdict report_verdict(const struct report *r)
{
	struct verdict v = { 0 };
	for (size_t i = 0; i < r->metric_count; i++)
		for (size_t k = 0; k < r->metric[i].tag_count; k++)
			if (is_worse(&r->metric[i], &r->metric[i].tag[k], &v)) v.metric = &r->metric[i], v.tag = &r->metric[i].tag[k];
	size_t hard = 0;
	for (size_t i = 0; i < r->limit_count; i++) {
		v.passed += r->limit[i].passed;
		/* Where all series are new, in the first minute of an input, many come at once, and nothing has exploded. */
		hard += r->limit[i].passed && strcmp(r->limit[i].unit, "new series a minute") != 0;
	}
	if (hard || r->failed) v.level = VERDICT_EXPLODES, find_passed(r, &v);
	else if (v.passed || (v.tag && v.tag->is_tag && tag_grows(r, v.tag))) v.level = VERDICT_GROWS;
	return v;
}

static void append_name(struct buffer *out, const struct verdict *v, size_t columns)
{
	view_append_cut(out, v->tag->name, columns);
	buffer_append_text(out, " of ");
	view_append_metric(out, v->metric, columns);
}

static void append_passed(struct buffer *out, const struct report *r, const struct verdict *v)
{
	if (v->passed) {
		buffer_append_text(out, ", ");
		view_append_count(out, v->passed);
		buffer_append_text(out, v->passed == 1 ? " limit passed" : " limits passed");
	} else if (r->failed) {
		buffer_append_text(out, ", over --fail-over");
	}
}

bool verdict_append(struct buffer *out, const struct report *r, const struct verdict *v, size_t columns)
{
	if (!r->metric_count) return buffer_append_text(out, "There is no envelope to report on");
	if (!v->tag) return buffer_append_text(out, v->level == VERDICT_EXPLODES ? "No metric has a tag, but a limit is passed" : "No tag explodes: there is none");
	if (v->tag->is_tag) {
		bool grows = v->level == VERDICT_GROWS && tag_grows(r, v->tag);
		if (v->level != VERDICT_EXPLODES && !grows) buffer_append_text(out, "No tag explodes: the most to watch is ");
		append_name(out, v, columns);
		buffer_append_text(out, v->level == VERDICT_EXPLODES ? " explodes: " : grows ? " grows: " : ", ");
		view_append_count(out, v->tag->values.count);
		buffer_append_text(out, v->tag->values.count == 1 ? " value" : " values");
	} else {
		if (!has_tags(r)) buffer_append_text(out, "No metric has a tag; ");
		append_name(out, v, columns);
		buffer_append_text(out, v->level == VERDICT_EXPLODES ? " would explode: " : " would bring most: ");
		view_append_count(out, v->tag->series.count);
		buffer_append_text(out, " series");
	}
	append_passed(out, r, v);
	return !out->failed;
}

/* When the nearest limit of a tag's values will be passed, if it goes on like this; said up to a year ahead. */
static void append_forecast(struct buffer *out, const struct report *r, const struct report_tag *t)
{
	uint64_t limit = report_values_limit(r);
	if (limit == UINT64_MAX || t->values.count >= limit) return;
	double hours = (double)(limit - t->values.count) / t->per_hour;
	if (hours > 24 * 365) return;
	buffer_append_text(out, "; at this pace ");
	view_append_count(out, limit);
	buffer_append_text(out, " are passed in ");
	view_append_duration(out, (int64_t)(hours * 3600e9));
}

bool verdict_append_detail(struct buffer *out, const struct report *r, const struct verdict *v)
{
	if (!v->tag || !v->tag->is_tag) return !out->failed;
	buffer_append_text(out, "Without it ");
	view_append_count(out, v->tag->series.count);
	buffer_append_text(out, " of the metric's ");
	view_append_count(out, v->metric->series.count);
	buffer_append_text(out, " series would be left");
	if (v->tag->per_hour > 0) {
		buffer_append_text(out, "; ");
		view_append_double(out, v->tag->per_hour);
		buffer_append_text(out, " new values an hour");
		append_forecast(out, r, v->tag);
	}
	return !out->failed;
}
