/* report_html_metric - a metric on the page of a report: a row a tag, and a chart of how they grow. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>

#include "base/html.h"
#include "report_html.h"

bool page_tag_is_over(const struct page *p, const struct report_tag *t)
{
	return t->is_tag && t->values.count > p->values_limit;
}

static void put_error(struct page *p, double error)
{
	if (error <= 0) return;
	page_put(p, " <span class=\"dim\">\xc2\xb1");
	page_percent(p, error);
	page_put(p, "</span>");
}

/* --- the cells of a tag --- */

static const char *bar_class(const struct page *p, const struct report_tag *t)
{
	if (page_tag_is_over(p, t)) return "bad";
	if (t->is_tag && (tag_grows(p->report, t) || t->values.count > p->values_limit / 10)) return "warn";
	return t->is_tag ? "plain" : "other";
}

static void put_sparkline(struct page *p, const uint64_t growth[REPORT_BUCKETS])
{
	size_t count = p->report->buckets;
	if (count < 2) return;
	page_put(p, "<svg class=\"spark\" viewBox=\"0 0 100 24\" preserveAspectRatio=\"none\" role=\"img\"><title>from ");
	page_count(p, growth[0]);
	page_put(p, " to ");
	page_count(p, growth[count - 1]);
	page_put(p, "</title><path d=\"");
	html_append_curve(&p->out, &(struct html_curve){ growth, count, (double)growth[count - 1] * 1.04, 100, 24 });
	page_put(p, "\"/></svg>");
}

static void put_pace(struct page *p, double per_hour)
{
	page_put(p, "<span class=\"dim\">");
	if (per_hour > 0) page_put(p, "+"), view_append_double(&p->out, per_hour), page_put(p, " an hour");
	else page_put(p, per_hour < 0 ? "pace not known" : "none new");
	page_put(p, "</span>");
}

static void put_effect(struct page *p, const struct report_metric *m, const struct report_tag *t)
{
	page_count(p, t->series.count);
	put_error(p, t->series.error);
	buffer_clear(&p->part);
	view_append_change(&p->part, m->series.count, t->series.count);
	bool grave = t->series.count < m->series.count / 2 || t->series.count / 2 >= m->series.count;
	page_put(p, grave ? "<br><strong>" : "<br><span class=\"dim\">");
	page_text(p, buffer_span(&p->part));
	page_put(p, grave ? "</strong>" : "</span>");
}

/* Values of which it is not even known that they came half as often as counted do not stand out. */
static void put_top(struct page *p, const struct report_tag *t)
{
	size_t limit = p->report->options ? (size_t)p->report->options->top : REPORT_TOP_MAX, shown = 0;
	for (size_t i = 0; i < t->top_count && i < limit; i++) {
		const struct report_top *top = &t->top[i];
		if (top->over > top->count / 2) continue;
		page_put(p, shown++ ? "</li><li>" : "<tr class=\"top\"><td colspan=\"4\"><ul><li>");
		if (top->text.length) page_name(p, top->text);
		else page_put(p, "<i>empty</i>");
		page_put(p, top->over ? " <span class=\"dim\">\xe2\x89\xa4 " : " <span class=\"dim\">");
		page_count(p, top->count);
		page_put(p, " (");
		page_percent(p, report_share(top->count, t->seen));
		page_put(p, ")</span>");
	}
	if (shown) page_put(p, "</li></ul></td></tr>\n");
}

static void put_tag(struct page *p, const struct report_metric *m, const struct report_tag *t)
{
	page_put(p, page_tag_is_over(p, t) ? "<tr class=\"tag over\"><th scope=\"row\">" : "<tr class=\"tag\"><th scope=\"row\">");
	page_name(p, t->name);
	page_put(p, "</th><td>");
	page_count(p, t->values.count);
	put_error(p, t->values.error);
	page_bar(p, &p->scale, scale_share(&p->scale, t->values.count), bar_class(p, t), t->is_tag ? p->values_limit : UINT64_MAX);
	page_put(p, "</td><td>");
	put_sparkline(p, t->growth);
	put_pace(p, t->per_hour);
	page_put(p, "</td><td>");
	put_effect(p, m, t);
	page_put(p, "</td></tr>\n");
	put_top(p, t);
}

static void put_table_head(struct page *p, bool is_tag)
{
	page_put(p, is_tag ? "<thead><tr><th scope=\"col\">Tag</th>" : "<thead><tr><th scope=\"col\">Not a tag yet</th>");
	page_put(p, "<th scope=\"col\">Values");
	page_axis(p, &p->scale);
	page_put(p, "</th><th scope=\"col\">Growth</th>");
	page_put(p, is_tag ? "<th scope=\"col\">Series without it</th></tr></thead>\n<tbody>\n" : "<th scope=\"col\">Series with it</th></tr></thead>\n<tbody>\n");
}

/* Tags and what could be made one are two tables: what a number means is said at its head. */
static void put_tables(struct page *p, const struct report_metric *m)
{
	size_t shown = 0, left_out = 0;
	for (size_t k = 0; k < m->tag_count; k++) {
		bool first = k == 0 || m->tag[k].is_tag != m->tag[k - 1].is_tag, last = k + 1 == m->tag_count || m->tag[k].is_tag != m->tag[k + 1].is_tag;
		if (first) {
			shown = left_out = 0;
			page_put(p, "<div class=\"scroll\"><table class=\"tags\">\n<caption>");
			page_put(p, m->tag[k].is_tag ? "Tags of " : "Members of fields of ");
			page_metric_name(p, m);
			page_put(p, "</caption>\n");
			put_table_head(p, m->tag[k].is_tag);
		}
		if (shown++ < PAGE_TAGS) put_tag(p, m, &m->tag[k]);
		else left_out++;
		if (last) page_put(p, "</tbody>\n</table></div>\n");
		if (last && left_out) page_put(p, "<p class=\"dim\">And "), page_count(p, left_out), page_put(p, " more, none with more values.</p>\n");
	}
}

/* --- the metric --- */

static bool is_open(const struct page *p, size_t i)
{
	const struct report_metric *m = &p->report->metric[i];
	if (p->report->metric_count <= PAGE_OPEN || i < 3) return true;
	for (size_t k = 0; k < m->tag_count && i < PAGE_OVERVIEW; k++)
		if (page_tag_is_over(p, &m->tag[k])) return true;
	return false;
}

void page_metric(struct page *p, size_t i)
{
	const struct report_metric *m = &p->report->metric[i];
	char anchor[80];
	page_put(p, is_open(p, i) ? "<details class=\"metric\" open>" : "<details class=\"metric\">");
	page_put(p, "<summary><h3>");
	page_metric_name(p, m);
	page_put(p, "</h3> <span>");
	page_count(p, m->series.count);
	put_error(p, m->series.error);
	page_put(p, " series <span class=\"dim\">of ");
	view_append_double(&p->out, m->product);
	page_put(p, " possible, ");
	page_count(p, m->envelopes);
	page_put(p, m->envelopes == 1 ? " envelope" : " envelopes");
	page_put(p, "</span></span></summary>\n");
	/* Inside: a link to it opens what is folded up. */
	snprintf(anchor, sizeof anchor, "<div id=\"m%zu\">\n", i + 1);
	page_put(p, anchor);
	put_tables(p, m);
	if (!m->tag_count) page_put(p, "<p>It has no tag, and no member of fields that could be one.</p>\n");
	if (i < PAGE_CHARTS && p->report->buckets > 1) page_chart(p, m);
	page_put(p, "</div></details>\n");
}
