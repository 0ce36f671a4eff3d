/* show_table - counts for people: columns by the width of what is shown, long values cut so that a line stays a line. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/number.h"
#include "base/text.h"
#include "group.h"
#include "io/diag.h"

enum { COLUMNS_MAX = OPTIONS_FIELDS_MAX + 2, GAP = 2, NARROWEST = 6, FIGURE_MAX = 32 };
enum figure { FIGURE_COUNT, FIGURE_ERROR, FIGURE_SEEN, FIGURES };

struct table_view {
	struct filter *filter;
	bool colors;
	struct span name[COLUMNS_MAX];   /* of members of groups: insides of JSON strings */
	size_t width[COLUMNS_MAX];
	size_t names;                    /* how many there are */
	size_t figure_width[FIGURES];
	enum figure figures;             /* how many are shown: of intervals, "seen" is not known */
	bool shows_of, shows_interval;
	size_t of_width, interval_width;
	struct buffer decoded, visible, line;
};

/* --- what stands in a cell -------------------------------------------------------- */

/* 1,234,567 whatever the locale. Returns the length. */
static size_t print_grouped(char out[FIGURE_MAX], uint64_t value)
{
	char digits[NUMBER_INT_MAX + 4];
	size_t length = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value), at = 0;
	for (size_t i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0) out[at++] = ',';
		out[at++] = digits[i];
	}
	return at;
}

static struct span figure_text(char out[FIGURE_MAX], const struct show_row *row, enum figure figure)
{
	if (figure == FIGURE_ERROR) {
		if (row->error <= 0) return SPAN("exact");
		int tenths = (int)((double)row->error * 1000 + 0.5);
		return (struct span){ out, (size_t)snprintf(out, FIGURE_MAX, "\xc2\xb1 %d.%d %%", tenths / 10, tenths % 10) };
	}
	if (figure == FIGURE_SEEN && row->seen == SHOW_UNKNOWN) return SPAN("-");
	return (struct span){ out, print_grouped(out, figure == FIGURE_COUNT ? row->count : row->seen) };
}

static const char *const figure_heads[FIGURES] = { "distinct", "error", "seen" };

/* The inside of a JSON string as it is shown. */
static struct span shown(struct table_view *v, struct span inside)
{
	buffer_clear(&v->decoded);
	buffer_clear(&v->visible);
	text_append_unescaped(&v->decoded, inside);
	text_append_visible(&v->visible, buffer_span(&v->decoded));
	return buffer_span(&v->visible);
}

/* The member's value in the row's group; *is_text false for what stands for a value that is not there. */
static struct span member_shown(struct table_view *v, const struct show_row *row, size_t column, bool *is_text)
{
	struct span name, value;
	size_t at = 0;
	*is_text = false;
	if (!row->group.length) return column == 0 ? SPAN("(other)") : (struct span){ 0 };
	while (group_next(row->group, &at, &name, &value)) {
		if (!span_equal(name, v->name[column])) continue;
		*is_text = value.data != NULL;
		return value.data ? shown(v, value) : SPAN("-");
	}
	return SPAN("-");
}

/* --- widths ----------------------------------------------------------------------- */

static void widen(size_t *width, size_t columns)
{
	if (columns > *width) *width = columns;
}

static void add_names(struct table_view *v, struct span group)
{
	struct span name, value;
	size_t at = 0;
	for (size_t i = 0; group.length && group_next(group, &at, &name, &value); i++) {
		bool known = i < v->names && span_equal(v->name[i], name);
		for (size_t k = 0; k < v->names && !known; k++) known = span_equal(v->name[k], name);
		if (!known && v->names < COLUMNS_MAX) v->name[v->names++] = name;
	}
}

static void measure(struct table_view *v, const struct show_row *rows, size_t count)
{
	char text[FIGURE_MAX];
	bool is_text;
	for (size_t i = 0; i < count; i++) {
		const struct show_row *row = &rows[i];
		add_names(v, row->group);
		v->shows_of |= !span_equal(row->of, rows[0].of);
		v->shows_interval |= row->interval_days > 0;
		widen(&v->of_width, text_columns(shown(v, row->of)));
		for (enum figure f = 0; f < FIGURES; f++) widen(&v->figure_width[f], text_columns(figure_text(text, row, f)));
		for (size_t c = 0; c < v->names; c++) widen(&v->width[c], text_columns(member_shown(v, row, c, &is_text)));
	}
	v->shows_of |= v->names == 0;
	v->figures = v->shows_interval ? FIGURE_SEEN : FIGURES;
	if (v->shows_interval) v->interval_width = strlen("interval");
	widen(&v->of_width, strlen("of"));
	for (enum figure f = 0; f < FIGURES; f++) widen(&v->figure_width[f], strlen(figure_heads[f]));
	for (size_t c = 0; c < v->names; c++) widen(&v->width[c], text_columns(shown(v, v->name[c])));
}

/* 0: as it becomes. */
static size_t line_width(const struct filter *f)
{
	struct winsize size;
	int64_t columns;
	if (ioctl(f->out.fd, TIOCGWINSZ, &size) == 0) return size.ws_col ? size.ws_col : 80;
	const char *text = getenv("COLUMNS");
	return text && number_parse_int(span_of(text), &columns) && columns > 0 ? (size_t)columns : 0;
}

/* Takes from the widest, a column at a time, until the line fits. */
static void narrow(struct table_view *v, size_t limit)
{
	size_t used = v->shows_of ? v->of_width + GAP : 0;
	for (size_t c = 0; c < v->names; c++) used += v->width[c] + GAP;
	if (v->shows_interval) used += v->interval_width + GAP;
	for (enum figure f = 0; f < v->figures; f++) used += v->figure_width[f] + (f ? GAP : 0);
	while (limit && used > limit) {
		size_t *widest = &v->of_width;
		if (!v->shows_of && v->names) widest = &v->width[0];
		for (size_t c = 0; c < v->names; c++)
			if (v->width[c] > *widest) widest = &v->width[c];
		if (*widest <= NARROWEST) return;
		size_t less = *widest - NARROWEST < used - limit ? 1 : used - limit;
		if (v->names + v->shows_of > 1) less = 1;
		*widest -= less;
		used -= less;
	}
}

/* --- lines ------------------------------------------------------------------------ */

static void style(struct table_view *v, const char *code)
{
	if (v->colors) buffer_append_text(&v->line, code);
}

static void pad(struct table_view *v, size_t columns)
{
	for (; columns; columns--) buffer_append_byte(&v->line, ' ');
}

static void left(struct table_view *v, struct span text, size_t width, const char *code)
{
	size_t columns = text_columns(text);
	bool is_cut = columns > width;
	if (is_cut) {
		text.length = text_fit(text, width - 1);
		columns = text_columns(text) + 1;
	}
	if (code) style(v, code);
	buffer_append_span(&v->line, text);
	if (is_cut) buffer_append_text(&v->line, "\xe2\x80\xa6");
	if (code) style(v, "\033[0m");
	pad(v, width - columns + GAP);
}

static void right(struct table_view *v, struct span text, size_t width, const char *code)
{
	pad(v, width - text_columns(text));
	if (code) style(v, code);
	buffer_append_span(&v->line, text);
	if (code) style(v, "\033[0m");
}

static void end_line(struct table_view *v)
{
	if (v->line.failed || v->visible.failed || v->decoded.failed) die(EXIT_INTERNAL, "no memory to show a count");
	if (!writer_line(&v->filter->out, buffer_span(&v->line))) filter_flush(v->filter);
	buffer_clear(&v->line);
}

static const char bold[] = "\033[1m", dim[] = "\033[2m";

static void show_head(struct table_view *v)
{
	if (v->shows_of) left(v, SPAN("of"), v->of_width, bold);
	for (size_t c = 0; c < v->names; c++) left(v, shown(v, v->name[c]), v->width[c], bold);
	if (v->shows_interval) left(v, SPAN("interval"), v->interval_width, bold);
	for (enum figure f = 0; f < v->figures; f++) {
		if (f) pad(v, GAP);
		right(v, span_of(figure_heads[f]), v->figure_width[f], bold);
	}
	end_line(v);
}

static void show_line(struct table_view *v, const struct show_row *row)
{
	char text[FIGURE_MAX];
	if (v->shows_of) left(v, shown(v, row->of), v->of_width, NULL);
	for (size_t c = 0; c < v->names; c++) {
		bool is_text;
		struct span value = member_shown(v, row, c, &is_text);
		left(v, value, v->width[c], is_text ? NULL : dim);
	}
	if (v->shows_interval) {
		int length = snprintf(text, sizeof text, "%dd", row->interval_days);
		left(v, (struct span){ text, row->interval_days ? (size_t)length : 0 }, v->interval_width, NULL);
	}
	for (enum figure f = 0; f < v->figures; f++) {
		if (f) pad(v, GAP);
		right(v, figure_text(text, row, f), v->figure_width[f], f == FIGURE_ERROR ? dim : NULL);
	}
	end_line(v);
}

void show_table(struct filter *filter, const struct cardinality_options *options, const struct show_row *rows, const uint32_t *order, size_t count)
{
	struct table_view v = { .filter = filter, .colors = tool_colors(&filter->options, filter->out.fd) };
	buffer_init(&v.decoded, SIZE_MAX / 2);
	buffer_init(&v.visible, SIZE_MAX / 2);
	buffer_init(&v.line, SIZE_MAX / 2);
	for (size_t i = 0; i < options->by_count; i++) v.name[v.names++] = show_name(&options->by[i]);
	measure(&v, rows, count);
	narrow(&v, line_width(filter));
	show_head(&v);
	for (size_t i = 0; i < count; i++) show_line(&v, &rows[order[i]]);
	buffer_release(&v.decoded);
	buffer_release(&v.visible);
	buffer_release(&v.line);
}
