/* report_html_chart - how a metric and its tags grow, as a chart and as the table of its numbers. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <math.h>
#include <stdio.h>

#include "base/html.h"
#include "base/timestamp.h"
#include "report_html.h"

enum { LINES_MAX = 6, PLOT_HEIGHT = 180, GRID_STEPS = 5 };

/* A line of the chart: the series of the metric first, then its tags (where there is none, the members that could be one). */
struct line_of {
	const char *label;       /* NULL: the tag's name */
	const struct report_tag *tag;
	const uint64_t *growth;
};

static size_t find_lines(const struct report_metric *m, struct line_of line[LINES_MAX])
{
	size_t count = 0;
	bool tags = m->tag_count && m->tag[0].is_tag;
	if (tags || m->series.count > 1) line[count++] = (struct line_of){ "series", NULL, m->growth };
	for (size_t k = 0; k < m->tag_count && count < LINES_MAX; k++)
		if (m->tag[k].is_tag == tags && m->tag[k].values.count > 1) line[count++] = (struct line_of){ NULL, &m->tag[k], m->tag[k].growth };
	return count;
}

static void put_label(struct page *p, const struct line_of *l)
{
	if (l->label) page_put(p, l->label);
	else page_name(p, l->tag->name);
}

static void put_grid(struct page *p, double most, double step)
{
	for (double y = step; y <= most; y += step) {
		page_put(p, "<line x1=\"0\" x2=\"1000\" y1=\"");
		page_coordinate(p, 1000 * (1 - y / most));
		page_put(p, "\" y2=\"");
		page_coordinate(p, 1000 * (1 - y / most));
		page_put(p, "\"/>");
	}
}

static void put_heights(struct page *p, double most, double step)
{
	for (double y = step; y <= most; y += step) {
		page_put(p, "<text x=\"2\" y=\"");
		page_coordinate(p, 14 + PLOT_HEIGHT * (1 - y / most) - 4);
		page_put(p, "\">");
		page_count(p, (uint64_t)(y + 0.5));
		page_put(p, "</text>");
	}
}

/* "11-22 13:30", in the zone of --tz, which stands at the top of the page. */
static void put_time(struct page *p, int64_t when)
{
	char text[64];
	struct timestamp_local at = timestamp_local(when);
	snprintf(text, sizeof text, "%02d-%02d %02d:%02d", at.month, at.day, at.hour, at.minute);
	page_put(p, text);
}

static int64_t bucket_end(const struct report *r, size_t i)
{
	int64_t end = r->bucket_from + (int64_t)(i + 1) * r->bucket_ns;
	return i + 1 == r->buckets || end > r->last ? r->last : end;
}

static void put_times(struct page *p)
{
	static const char *const anchors[] = { "start", "middle", "end" };
	const struct report *r = p->report;
	const int64_t first = bucket_end(r, 0), when[] = { first, first + (r->last - first) / 2, r->last };
	for (int i = 0; i < 3; i++) {
		char text[80];
		snprintf(text, sizeof text, "<text x=\"%d%%\" y=\"%d\" text-anchor=\"%s\">", 50 * i, 14 + PLOT_HEIGHT + 16, anchors[i]);
		page_put(p, text);
		put_time(p, when[i]);
		page_put(p, "</text>");
	}
}

static void put_legend(struct page *p, const struct line_of *line, size_t count)
{
	page_put(p, "<ul class=\"legend\">");
	for (size_t i = 0; i < count; i++) {
		char text[120];
		snprintf(text, sizeof text, "<li><svg class=\"key\" aria-hidden=\"true\"><line class=\"l%zu\" x1=\"0\" x2=\"24\" y1=\"6\" y2=\"6\"/></svg>", i);
		page_put(p, text);
		put_label(p, &line[i]);
		page_put(p, " <span class=\"dim\">");
		page_count(p, line[i].growth[p->report->buckets - 1]);
		page_put(p, "</span></li>");
	}
	page_put(p, "</ul>\n");
}

static void put_numbers(struct page *p, const struct line_of *line, size_t count)
{
	const struct report *r = p->report;
	page_put(p, "<details class=\"twin\"><summary>These lines as numbers</summary>\n<div class=\"scroll\"><table class=\"numbers\">\n<thead><tr><th scope=\"col\">Until</th>");
	for (size_t i = 0; i < count; i++) page_put(p, "<th scope=\"col\">"), put_label(p, &line[i]), page_put(p, "</th>");
	page_put(p, "</tr></thead>\n<tbody>\n");
	for (size_t b = 0; b < r->buckets; b++) {
		page_put(p, "<tr><th scope=\"row\">");
		put_time(p, bucket_end(r, b));
		page_put(p, "</th>");
		for (size_t i = 0; i < count; i++) page_put(p, "<td>"), page_count(p, line[i].growth[b]), page_put(p, "</td>");
		page_put(p, "</tr>\n");
	}
	page_put(p, "</tbody>\n</table></div></details>\n");
}

static void put_plot(struct page *p, const struct line_of *line, size_t count, double most)
{
	char text[160];
	snprintf(text, sizeof text, "<svg y=\"14\" width=\"100%%\" height=\"%d\" viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\"><g class=\"grid\">", PLOT_HEIGHT);
	page_put(p, text);
	put_grid(p, most, html_axis_step(most, GRID_STEPS));
	page_put(p, "<line class=\"base\" x1=\"0\" x2=\"1000\" y1=\"1000\" y2=\"1000\"/></g>");
	for (size_t i = 0; i < count; i++) { /* the thick line of all series lies below the others */
		snprintf(text, sizeof text, "<path class=\"l%zu\" d=\"", i);
		page_put(p, text);
		html_append_curve(&p->out, &(struct html_curve){ line[i].growth, p->report->buckets, most, 1000, 1000 });
		page_put(p, "\"><title>");
		if (line[i].label) page_put(p, line[i].label);
		else buffer_clear(&p->part), view_append_cut(&p->part, line[i].tag->name, PAGE_NAME_COLUMNS), page_text(p, buffer_span(&p->part));
		page_put(p, "</title></path>");
	}
	page_put(p, "</svg>");
}

void page_chart(struct page *p, const struct report_metric *m)
{
	struct line_of line[LINES_MAX];
	size_t count = find_lines(m, line);
	double most = 0;
	for (size_t i = 0; i < count; i++) most = fmax(most, (double)line[i].growth[p->report->buckets - 1]);
	if (!count || most < 2) return;
	page_put(p, "<figure>\n<figcaption>Different values so far, by event time; one point every ");
	view_append_duration(&p->out, p->report->bucket_ns);
	page_put(p, "</figcaption>\n<svg class=\"chart\" role=\"img\"><title>How the values of the tags of ");
	buffer_clear(&p->part);
	view_append_metric(&p->part, m, PAGE_NAME_COLUMNS);
	page_text(p, buffer_span(&p->part));
	page_put(p, " grow; the numbers stand in the table below</title>");
	put_plot(p, line, count, most * 1.05);
	put_heights(p, most * 1.05, html_axis_step(most * 1.05, GRID_STEPS));
	put_times(p);
	page_put(p, "</svg>\n");
	put_legend(p, line, count);
	put_numbers(p, line, count);
	page_put(p, "</figure>\n");
}
