/* report_table - the report for people at a terminal: a verdict, bars and sparklines, and the limits. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/number.h"
#include "base/text.h"
#include "io/diag.h"
#include "report_table.h"

/* Metrics that are shown tag by tag; of the others, which come behind, there is a line each. -v shows all. */
enum { FULL_METRICS = 20 };

/* --- what the terminal is --- */

static bool is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *value = getenv(names[i]);
		if (value && *value) return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

static size_t terminal_columns(void)
{
	struct winsize size;
	int64_t columns = 0;
	const char *text = getenv("COLUMNS");
	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col) columns = size.ws_col;
	else if (!text || !number_parse_int(span_of(text), &columns) || columns < 1) columns = 80;
	return columns < TABLE_COLUMNS_LEAST ? TABLE_COLUMNS_LEAST : columns > TABLE_COLUMNS_MOST ? TABLE_COLUMNS_MOST : (size_t)columns;
}

/* --- text --- */

static bool paint(struct table *t, enum table_paint p)
{
	static const char *const codes[] = { "", "\033[1m", "\033[2m", "\033[1;31m", "\033[33m", "\033[32m", "\033[36m" };
	return t->colors && p != PAINT_PLAIN && buffer_append_text(&t->out, codes[p]);
}

static void unpaint(struct table *t, bool painted)
{
	if (painted) buffer_append_text(&t->out, "\033[0m");
}

/* A terminal of another character set would take the bytes of UTF-8 for other characters, and for controls. */
static void append_ascii(struct buffer *out, struct span visible)
{
	char hex[16];
	while (visible.length) {
		uint32_t c = 0;
		size_t length = text_decode_utf8(visible, &c);
		if (length == 0) length = 1;
		if (length == 1) buffer_append(out, visible.data, 1);
		else buffer_append(out, hex, (size_t)snprintf(hex, sizeof hex, "\\u{%04x}", (unsigned)c));
		visible.data += length, visible.length -= length;
	}
}

/* Appends raw text as it may be seen, in at most `columns`; returns how many it took. */
size_t table_text(struct table *t, struct span raw, size_t columns)
{
	buffer_clear(&t->cell), buffer_clear(&t->shown);
	text_append_visible(&t->cell, raw);
	if (t->utf8) buffer_append_span(&t->shown, buffer_span(&t->cell));
	else append_ascii(&t->shown, buffer_span(&t->cell));
	struct span shown = buffer_span(&t->shown);
	size_t width = text_columns(shown);
	if (width <= columns) {
		buffer_append_span(&t->out, shown);
		return width;
	}
	size_t mark = t->utf8 ? 1 : 2;
	if (columns <= mark) return 0;
	shown.length = text_fit(shown, columns - mark);
	buffer_append_span(&t->out, shown);
	buffer_append_text(&t->out, t->utf8 ? "\xe2\x80\xa6" : "..");
	return text_columns(shown) + mark;
}

void table_blanks(struct table *t, size_t count)
{
	while (count--) buffer_append_byte(&t->out, ' ');
}

void table_left(struct table *t, struct span raw, size_t columns, enum table_paint p)
{
	bool painted = paint(t, p);
	size_t used = table_text(t, raw, columns);
	unpaint(t, painted);
	table_blanks(t, columns - used);
}

/* Text of ours, ASCII; wider than its column it is not cut: a number cut is another number. */
void table_right(struct table *t, struct span text, size_t columns, enum table_paint p)
{
	if (text.length < columns) table_blanks(t, columns - text.length);
	bool painted = paint(t, p);
	buffer_append_span(&t->out, text);
	unpaint(t, painted);
}

void table_line_end(struct table *t)
{
	while (t->out.length && t->out.data[t->out.length - 1] == ' ') t->out.length--;
	buffer_append_byte(&t->out, '\n');
}

/* A sentence, broken between words where it would pass the edge. */
void table_sentence(struct table *t, struct span raw, enum table_paint p)
{
	size_t used = 0;
	bool painted = paint(t, p);
	while (raw.length) {
		const char *blank = memchr(raw.data, ' ', raw.length);
		struct span word = blank ? span_between(raw.data, blank) : raw;
		size_t before = t->out.length;
		if (used) buffer_append_byte(&t->out, ' ');
		size_t width = table_text(t, word, t->columns);
		if (used && used + 1 + width > t->columns) {
			t->out.length = before;
			buffer_append_byte(&t->out, '\n');
			used = table_text(t, word, t->columns);
		} else {
			used += (used ? 1 : 0) + width;
		}
		raw.data += word.length + (blank ? 1 : 0), raw.length -= word.length + (blank ? 1 : 0);
	}
	unpaint(t, painted);
	table_line_end(t);
}

/* --- bars --- */

void table_bar(struct table *t, double share, size_t columns, enum table_paint p)
{
	static const char eighths[][4] = { "", "\xe2\x96\x8f", "\xe2\x96\x8e", "\xe2\x96\x8d", "\xe2\x96\x8c", "\xe2\x96\x8b", "\xe2\x96\x8a", "\xe2\x96\x89", "\xe2\x96\x88" };
	size_t steps = t->utf8 ? 8 : 1, length = (size_t)(share * (double)(columns * steps) + 0.5), used = 0;
	if (length == 0 && share > 0) length = 1;
	bool painted = paint(t, p);
	for (; length >= steps && used < columns; length -= steps, used++) buffer_append_text(&t->out, t->utf8 ? eighths[8] : "#");
	if (length && used < columns) buffer_append_text(&t->out, eighths[length]), used++;
	unpaint(t, painted);
	table_blanks(t, columns - used);
}

/* Of its own height: a line that still climbs at its end is what matters. */
void table_sparkline(struct table *t, const uint64_t growth[REPORT_BUCKETS], size_t columns, enum table_paint p)
{
	static const char levels[][4] = { "\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83", "\xe2\x96\x84", "\xe2\x96\x85", "\xe2\x96\x86", "\xe2\x96\x87", "\xe2\x96\x88" };
	size_t buckets = t->report->buckets < REPORT_BUCKETS ? t->report->buckets : REPORT_BUCKETS, points = columns < buckets ? columns : buckets;
	uint64_t most = buckets ? growth[buckets - 1] : 0;
	bool painted = paint(t, p);
	for (size_t i = 0; i < points; i++) {
		double share = report_share(view_growth_at(growth, buckets, i, points), most);
		size_t level = share >= 1 ? 7 : (size_t)(share * 8);
		if (t->utf8) buffer_append_text(&t->out, levels[level]);
		else buffer_append_byte(&t->out, "_.,:-=+#"[level]);
	}
	unpaint(t, painted);
	table_blanks(t, columns - points);
}

/* --- the whole --- */

static void show_head(struct table *t)
{
	const struct report *r = t->report;
	struct verdict v = report_verdict(r);
	static const enum table_paint paints[] = { PAINT_GOOD, PAINT_WARN, PAINT_BAD };
	struct buffer text;
	buffer_init(&text, 64 * 1024);
	verdict_append(&text, r, &v, t->columns / 2);
	table_sentence(t, buffer_span(&text), paints[v.level]);
	buffer_clear(&text);
	if (verdict_append_detail(&text, r, &v) && text.length) table_sentence(t, buffer_span(&text), PAINT_PLAIN);
	buffer_clear(&text);
	view_append_count(&text, r->envelopes);
	buffer_append_text(&text, r->envelopes == 1 ? " envelope, " : " envelopes, ");
	view_append_count(&text, r->metric_count);
	buffer_append_text(&text, r->metric_count == 1 ? " metric, " : " metrics, ");
	view_append_period(&text, r);
	if (r->stats && r->stats->rejected) {
		buffer_append_text(&text, ", ");
		view_append_count(&text, r->stats->rejected);
		buffer_append_text(&text, " rejected");
	}
	if (r->folded) {
		buffer_append_text(&text, ", ");
		view_append_count(&text, r->folded);
		buffer_append_text(&text, " without room counted as other");
	}
	table_sentence(t, buffer_span(&text), PAINT_DIM);
	buffer_release(&text);
}

/* What was made so far goes out; the buffer stays small. */
static void hand_out(struct table *t)
{
	if (t->out.failed || t->cell.failed || t->shown.failed) die(EXIT_INTERNAL, "cannot show the report: out of memory");
	writer_bytes(&t->filter->out, buffer_span(&t->out));
	buffer_clear(&t->out);
}

void report_show_table(struct filter *filter, const struct report *report)
{
	enum { OUT_MAX = 16 * 1024 * 1024, CELL_MAX = 4 * 1024 * 1024 };
	struct table t = { .filter = filter, .report = report, .columns = terminal_columns(), .utf8 = is_utf8(), .colors = tool_colors(&filter->options, STDOUT_FILENO) };
	buffer_init(&t.out, OUT_MAX), buffer_init(&t.cell, CELL_MAX), buffer_init(&t.shown, CELL_MAX);
	t.scale = report_scale(report);
	t.values_limit = report_values_limit(report);
	show_head(&t);
	table_measure(&t);
	size_t full = filter->options.verbose ? report->metric_count : FULL_METRICS;
	for (size_t i = 0; i < report->metric_count && i < full; i++) {
		table_metric(&t, &report->metric[i]);
		hand_out(&t);
	}
	if (full < report->metric_count) table_rest(&t, full);
	table_limits(&t);
	hand_out(&t);
	buffer_release(&t.out), buffer_release(&t.cell), buffer_release(&t.shown);
}
