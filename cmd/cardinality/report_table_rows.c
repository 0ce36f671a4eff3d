/* report_table_rows - the rows of the report at a terminal: metrics, their tags, and limits. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>

#include "base/text.h"
#include "report_table.h"

enum {
	NUMBER_MAX = 1024, /* room for any text of a number */
	FULL_TAGS = 20,    /* tags of a metric, and as many members that are none, that are shown without -v */
};

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t count_columns(uint64_t value)
{
	struct buffer text;
	buffer_init(&text, NUMBER_MAX);
	view_append_count(&text, value);
	size_t length = text.length;
	buffer_release(&text);
	return length;
}

/* Numbers have the room that the longest of them needs; names, bars and sparklines share what is left. What tells least goes first where that is too little. */
void table_measure(struct table *t)
{
	uint64_t values = 0, series = 0, pace = 0;
	size_t before = t->out.length, name = 13; /* "not a tag yet" */
	for (size_t i = 0; i < t->report->metric_count; i++) {
		for (size_t k = 0; k < t->report->metric[i].tag_count; k++) {
			const struct report_tag *tag = &t->report->metric[i].tag[k];
			values = tag->values.count > values ? tag->values.count : values;
			series = tag->series.count > series ? tag->series.count : series;
			pace = tag->per_hour > (double)pace ? (uint64_t)tag->per_hour : pace;
			name = larger(name, table_text(t, tag->name, t->columns));
			t->out.length = before;
		}
	}
	t->values = larger(count_columns(values), 6), t->effect = larger(count_columns(series), 10);
	t->pace = t->columns < 56 ? 0 : larger(count_columns(pace) + 1, 6);
	t->error = t->columns < 72 ? 0 : t->utf8 ? 6 : 7;
	t->change = t->columns < 72 ? 0 : 8;
	size_t used = 2 + 1 + t->values + 1 + t->effect;
	used += (t->pace ? t->pace + 1 : 0) + (t->error ? t->error + 1 : 0) + (t->change ? t->change + 1 : 0);
	size_t left = t->columns > used ? t->columns - used : 0;
	t->name = larger(left / 2, 14);
	if (name < t->name) t->name = name;
	left -= t->name < left ? t->name : left;
	t->growth = left >= 58 ? 32 : left >= 34 ? 16 : left >= 14 ? 8 : 0;
	t->bar = left > t->growth + 2 ? left - 2 - t->growth : 0;
	if (t->bar > 60) t->bar = 60;
}

/* --- a row --- */

static void cell_count(struct table *t, uint64_t value, size_t columns, enum table_paint p)
{
	struct buffer text;
	buffer_init(&text, NUMBER_MAX);
	view_append_count(&text, value);
	table_right(t, buffer_span(&text), columns, p);
	buffer_release(&text);
}

/* "+-0.81%": one standard error. Nothing where the number is exact. */
static void cell_error(struct table *t, double error)
{
	char text[32];
	if (error <= 0) {
		table_blanks(t, t->error);
		return;
	}
	int length = snprintf(text, sizeof text, "%.*f%%", error < 0.1 ? 2 : 0, 100 * error);
	size_t sign = t->utf8 ? 1 : 2, used = (size_t)length + sign;
	if (t->error > used) table_blanks(t, t->error - used);
	table_left(t, t->utf8 ? SPAN("\xc2\xb1") : SPAN("+-"), sign, PAINT_DIM);
	table_right(t, (struct span){ text, (size_t)length }, 0, PAINT_DIM);
}

static void cell_pace(struct table *t, double per_hour)
{
	struct buffer text;
	buffer_init(&text, NUMBER_MAX);
	if (per_hour > 0) buffer_append_byte(&text, '+'), view_append_double(&text, per_hour);
	else buffer_append_text(&text, per_hour < 0 ? "?" : "0");
	table_right(t, buffer_span(&text), t->pace, PAINT_PLAIN);
	buffer_release(&text);
}

static void cell_change(struct table *t, uint64_t from, uint64_t to)
{
	struct buffer text;
	buffer_init(&text, NUMBER_MAX);
	view_append_change(&text, from, to);
	bool grave = to < from / 2 || to / 2 >= from;
	table_right(t, buffer_span(&text), t->change, grave ? PAINT_WARN : PAINT_DIM);
	buffer_release(&text);
}

static enum table_paint tag_paint(const struct table *t, const struct report_tag *tag)
{
	if (tag->values.count > t->values_limit) return tag->is_tag ? PAINT_BAD : PAINT_WARN;
	return tag_grows(t->report, tag) || tag->values.count > t->values_limit / 10 ? PAINT_WARN : PAINT_BAR;
}

static void tag_row(struct table *t, const struct report_metric *m, const struct report_tag *tag)
{
	enum table_paint p = tag_paint(t, tag);
	table_blanks(t, 2);
	table_left(t, tag->name, t->name, tag->is_tag ? PAINT_BOLD : PAINT_PLAIN);
	table_blanks(t, 1);
	cell_count(t, tag->values.count, t->values, p == PAINT_BAR ? PAINT_PLAIN : p);
	table_blanks(t, 1);
	if (t->error) cell_error(t, tag->values.error), table_blanks(t, 1);
	if (t->bar) table_bar(t, scale_share(&t->scale, tag->values.count), t->bar, p), table_blanks(t, 1);
	if (t->growth) table_sparkline(t, tag->growth, t->growth, tag->per_hour > 0 ? PAINT_BAR : PAINT_DIM), table_blanks(t, 1);
	if (t->pace) cell_pace(t, tag->per_hour), table_blanks(t, 1);
	cell_count(t, tag->series.count, t->effect, PAINT_PLAIN);
	table_blanks(t, 1);
	if (t->change) cell_change(t, m->series.count, tag->series.count);
	table_line_end(t);
}

/* The most frequent values, as many as one line holds. Where it is not even known whether one came half as often as counted, it is left out: it does not stand out. */
static void top_row(struct table *t, const struct report_tag *tag)
{
	size_t left = t->columns - 4, limit = t->report->options ? (size_t)t->report->options->top : REPORT_TOP_MAX, shown = 0;
	struct buffer text;
	buffer_init(&text, NUMBER_MAX);
	size_t before = t->out.length;
	table_blanks(t, 4);
	for (size_t i = 0; i < tag->top_count && i < limit; i++) {
		if (tag->top[i].over > tag->top[i].count / 2) continue;
		buffer_clear(&text);
		buffer_append_byte(&text, ' ');
		if (tag->top[i].over) buffer_append_text(&text, t->utf8 ? "\xe2\x89\xa4" : "<=");
		view_append_count(&text, tag->top[i].count);
		buffer_append_text(&text, " (");
		view_append_percent(&text, report_share(tag->top[i].count, tag->seen));
		buffer_append_byte(&text, ')');
		size_t needs = (shown ? 3 : 0) + text_columns(buffer_span(&text)), room = left > needs ? left - needs : 0;
		if (room < 8 && shown) break;
		if (shown) table_left(t, SPAN(" | "), 3, PAINT_DIM);
		size_t used = table_text(t, tag->top[i].text.length ? tag->top[i].text : SPAN("\"\""), room < 32 ? room : 32);
		table_right(t, buffer_span(&text), 0, PAINT_DIM);
		left -= used + needs < left ? used + needs : left;
		shown++;
	}
	if (shown) table_line_end(t);
	else t->out.length = before;
	buffer_release(&text);
}

/* --- a metric --- */

static void headline(struct table *t, const struct report_metric *m)
{
	struct buffer text;
	buffer_init(&text, 64 * 1024);
	view_append_metric(&text, m, t->columns / 2);
	table_line_end(t);
	table_sentence(t, buffer_span(&text), PAINT_BOLD);
	buffer_clear(&text);
	view_append_count(&text, m->series.count);
	if (m->series.error > 0) {
		buffer_append_text(&text, t->utf8 ? " \xc2\xb1" : " +-");
		view_append_percent(&text, m->series.error);
	}
	buffer_append_text(&text, " series of ");
	view_append_double(&text, m->product);
	buffer_append_text(&text, " possible, ");
	view_append_count(&text, m->envelopes);
	buffer_append_text(&text, m->envelopes == 1 ? " envelope" : " envelopes");
	size_t used = 2 + text_columns(buffer_span(&text)), room = t->report->buckets < 16 ? t->report->buckets : 16;
	if (used > t->columns) {
		table_sentence(t, buffer_span(&text), PAINT_PLAIN);
	} else {
		table_blanks(t, 2);
		buffer_append_span(&t->out, buffer_span(&text));
		if (m->series.count > 1 && used + 2 + room <= t->columns) table_blanks(t, 2), table_sparkline(t, m->growth, room, PAINT_BAR);
		table_line_end(t);
	}
	buffer_release(&text);
}

static void column_heads(struct table *t, struct span name, struct span effect)
{
	table_blanks(t, 2);
	table_left(t, name, t->name, PAINT_DIM);
	table_blanks(t, 1);
	table_right(t, SPAN("values"), t->values, PAINT_DIM);
	table_blanks(t, 1 + (t->error ? t->error + 1 : 0));
	if (t->bar) table_left(t, t->scale.logarithmic ? SPAN("log scale") : SPAN(""), t->bar, PAINT_DIM), table_blanks(t, 1);
	if (t->growth) table_left(t, SPAN("growth"), t->growth, PAINT_DIM), table_blanks(t, 1);
	if (t->pace) table_right(t, SPAN("new/h"), t->pace, PAINT_DIM), table_blanks(t, 1);
	table_right(t, effect, t->effect, PAINT_DIM);
	table_line_end(t);
}

/* The last one of its kind: those between have the fewest values. */
static size_t more_tags(struct table *t, const struct report_metric *m, size_t k)
{
	size_t last = k;
	struct buffer text;
	while (last + 1 < m->tag_count && m->tag[last + 1].is_tag == m->tag[k].is_tag) last++;
	buffer_init(&text, NUMBER_MAX);
	buffer_append_text(&text, "  and ");
	view_append_count(&text, last - k + 1);
	buffer_append_text(&text, " more, none with more values (-v shows them)");
	table_right(t, buffer_span(&text), 0, PAINT_DIM);
	table_line_end(t);
	buffer_release(&text);
	return last;
}

void table_metric(struct table *t, const struct report_metric *m)
{
	size_t shown = 0;
	headline(t, m);
	for (size_t k = 0; k < m->tag_count; k++) {
		bool first = k == 0 || m->tag[k].is_tag != m->tag[k - 1].is_tag;
		if (first) shown = 0;
		if (shown++ == FULL_TAGS && !t->filter->options.verbose) {
			k = more_tags(t, m, k);
			continue;
		}
		if (first && m->tag[k].is_tag) column_heads(t, SPAN("tag"), SPAN("without it"));
		else if (first) column_heads(t, SPAN("not a tag yet"), SPAN("with it"));
		tag_row(t, m, &m->tag[k]);
		top_row(t, &m->tag[k]);
	}
}

void table_rest(struct table *t, size_t from)
{
	struct buffer text;
	buffer_init(&text, 64 * 1024);
	table_line_end(t);
	view_append_count(&text, t->report->metric_count - from);
	buffer_append_text(&text, " more metrics (-v shows them as above)");
	table_sentence(t, buffer_span(&text), PAINT_BOLD);
	for (size_t i = from; i < t->report->metric_count; i++) {
		const struct report_metric *m = &t->report->metric[i];
		buffer_clear(&text);
		view_append_metric(&text, m, t->columns / 2);
		table_blanks(t, 2);
		table_left(t, buffer_span(&text), t->columns - 2 - 30, PAINT_PLAIN);
		cell_count(t, m->series.count, 13, PAINT_PLAIN);
		buffer_append_text(&t->out, " series");
		table_line_end(t);
	}
	buffer_release(&text);
}

/* --- limits --- */

static void limit_rows(struct table *t, bool passed, struct buffer *text)
{
	for (size_t i = 0; i < t->report->limit_count; i++) {
		const struct report_limit *l = &t->report->limit[i];
		double share = report_share(l->found, l->limit);
		if (l->passed != passed) continue;
		table_blanks(t, 2);
		table_left(t, passed ? SPAN("PASSED") : SPAN("within"), 7, passed ? PAINT_BAD : PAINT_GOOD);
		table_bar(t, share > 1 ? 1 : share, 10, passed ? PAINT_BAD : share > 0.5 ? PAINT_WARN : PAINT_GOOD);
		buffer_clear(text);
		if (share < 10) view_append_percent(text, share);
		else view_append_change(text, l->limit, l->found);
		table_right(t, buffer_span(text), 8, passed ? PAINT_BAD : PAINT_PLAIN);
		buffer_clear(text);
		view_append_count(text, l->found);
		buffer_append_text(text, " of ");
		view_append_count(text, l->limit);
		buffer_append_byte(text, ' ');
		buffer_append_text(text, l->unit);
		if (29 + text->length > t->columns) table_line_end(t);
		table_blanks(t, 2);
		table_right(t, buffer_span(text), 0, passed ? PAINT_BOLD : PAINT_PLAIN);
		table_line_end(t);
		buffer_clear(text);
		buffer_append_text(text, l->source);
		buffer_append_byte(text, ' ');
		buffer_append_text(text, l->setting);
		if (l->where.length) buffer_append_text(text, ": "), buffer_append_span(text, l->where);
		table_blanks(t, 9);
		table_left(t, buffer_span(text), t->columns - 9, PAINT_DIM);
		table_line_end(t);
	}
}

void table_limits(struct table *t)
{
	struct buffer text;
	if (!t->report->limit_count) return;
	buffer_init(&text, 4 * 1024 * 1024);
	table_line_end(t);
	table_sentence(t, SPAN("Limits"), PAINT_BOLD);
	limit_rows(t, true, &text);
	limit_rows(t, false, &text);
	buffer_release(&text);
}
