/* report_html - the report as one page: self-contained, without a script. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include "report_html.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/html.h"
#include "base/number.h"
#include "base/timestamp.h"
#include "io/diag.h"
#include "io/replace.h"

/* --- text --- */

void page_put(struct page *p, const char *html)
{
	buffer_append_text(&p->out, html);
}

void page_text(struct page *p, struct span raw)
{
	html_append_text(&p->out, raw);
}

void page_name(struct page *p, struct span raw)
{
	buffer_clear(&p->part);
	view_append_cut(&p->part, raw, PAGE_NAME_COLUMNS);
	page_put(p, "<bdi>");
	page_text(p, buffer_span(&p->part));
	page_put(p, "</bdi>");
}

void page_metric_name(struct page *p, const struct report_metric *m)
{
	buffer_clear(&p->part);
	view_append_metric(&p->part, m, PAGE_NAME_COLUMNS);
	page_put(p, "<bdi>");
	page_text(p, buffer_span(&p->part));
	page_put(p, "</bdi>");
}

void page_count(struct page *p, uint64_t value)
{
	view_append_count(&p->out, value);
}

void page_percent(struct page *p, double share)
{
	buffer_clear(&p->part);
	view_append_percent(&p->part, share);
	page_text(p, buffer_span(&p->part));
}

void page_coordinate(struct page *p, double value)
{
	html_append_coordinate(&p->out, value);
}

/* --- bars --- */

static void put_mark(struct page *p, const char *class, double share)
{
	page_put(p, "<line class=\"");
	page_put(p, class);
	page_put(p, "\" x1=\"");
	page_coordinate(p, 100 * share);
	page_put(p, "%\" x2=\"");
	page_coordinate(p, 100 * share);
	page_put(p, "%\" y1=\"0\" y2=\"10\"/>");
}

void page_bar(struct page *p, const struct report_scale *scale, double share, const char *class, uint64_t limit)
{
	page_put(p, "<svg class=\"bar\" aria-hidden=\"true\">");
	if (scale && scale->logarithmic)
		for (uint64_t ten = 10; (double)ten < scale->most; ten *= 10) put_mark(p, "ten", scale_share(scale, ten));
	page_put(p, "<rect class=\"");
	page_put(p, class);
	page_put(p, "\" width=\"");
	page_coordinate(p, 100 * share);
	page_put(p, "%\" height=\"10\"/>");
	if (scale && (double)limit < scale->most) put_mark(p, "limit", scale_share(scale, limit));
	page_put(p, "</svg>");
}

void page_axis(struct page *p, const struct report_scale *scale)
{
	static const char *const names[] = { "10", "100", "1k", "10k", "100k", "1M", "10M", "100M", "1G" };
	if (!scale->logarithmic) return;
	page_put(p, "<svg class=\"axis\" aria-hidden=\"true\">");
	double ten = 10;
	for (size_t i = 0; i < sizeof names / sizeof *names && ten < scale->most; i++, ten *= 10) {
		page_put(p, "<text x=\"");
		page_coordinate(p, 100 * scale_share(scale, (uint64_t)ten));
		page_put(p, "%\" y=\"10\">");
		page_put(p, names[i]);
		page_put(p, "</text>");
	}
	page_put(p, "</svg>");
}

/* --- the head of the page --- */

static void put_verdict(struct page *p)
{
	static const char *const classes[] = { "calm", "grows", "explodes" };
	struct verdict v = report_verdict(p->report);
	page_put(p, "<p class=\"verdict ");
	page_put(p, classes[v.level]);
	page_put(p, "\"><strong>");
	buffer_clear(&p->part);
	verdict_append(&p->part, p->report, &v, PAGE_NAME_COLUMNS);
	page_text(p, buffer_span(&p->part));
	page_put(p, ".</strong>");
	buffer_clear(&p->part);
	verdict_append_detail(&p->part, p->report, &v);
	if (p->part.length) {
		page_put(p, " <span>");
		page_text(p, buffer_span(&p->part));
		page_put(p, ".</span>");
	}
	page_put(p, "</p>\n");
}

static void begin_fact(struct page *p, const char *name)
{
	page_put(p, "<div><dt>");
	page_put(p, name);
	page_put(p, "</dt><dd>");
}

static void end_fact(struct page *p)
{
	page_put(p, "</dd></div>\n");
}

static void put_inputs(struct page *p)
{
	enum { INPUTS_SHOWN = 10 };
	const struct tool_options *tool = p->report->tool;
	if (!tool) return;
	begin_fact(p, "Input");
	if (!tool->operand_count) page_put(p, "standard input");
	for (int i = 0; i < tool->operand_count && i < INPUTS_SHOWN; i++) {
		struct span name = span_of(tool->operands[i]);
		if (i) page_put(p, ", ");
		if (span_equal(name, SPAN("-"))) page_put(p, "standard input");
		else page_name(p, name);
	}
	if (tool->operand_count > INPUTS_SHOWN) {
		page_put(p, " and ");
		page_count(p, (uint64_t)(tool->operand_count - INPUTS_SHOWN));
		page_put(p, " more");
	}
	end_fact(p);
}

static void put_choice(struct page *p)
{
	const struct tool_options *tool = p->report->tool;
	bool since = tool && tool->since != INT64_MIN, until = tool && tool->until != INT64_MAX;
	if (!tool || (!tool->match && !since && !until)) return;
	begin_fact(p, "Only");
	if (tool->match) page_put(p, "<code>"), page_text(p, span_of(tool->match)), page_put(p, "</code>");
	if (since) page_put(p, " since "), view_append_time(&p->out, tool->since);
	if (until) page_put(p, " until "), view_append_time(&p->out, tool->until);
	end_fact(p);
}

static void put_books(struct page *p)
{
	const struct stats *s = p->report->stats;
	if (!s) return;
	begin_fact(p, "Read");
	page_count(p, s->read);
	page_put(p, " lines: ");
	page_count(p, p->report->envelopes);
	page_put(p, " reported on, ");
	page_count(p, s->dropped);
	page_put(p, " dropped, ");
	page_put(p, s->rejected ? "<strong class=\"bad\">" : "");
	page_count(p, s->rejected);
	page_put(p, s->rejected ? " rejected</strong>" : " rejected");
	end_fact(p);
}

/* When the page was made; for pages that shall be the same byte for byte, when SOURCE_DATE_EPOCH says. */
static int64_t page_time(void)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	int64_t seconds = 0;
	if (!text || !*text) return timestamp_now();
	if (number_parse_int(span_of(text), &seconds) && llabs(seconds) < INT64_MAX / 1000000000) return seconds * 1000000000;
	diag_warn("SOURCE_DATE_EPOCH: '%s' is not a number of seconds: the page has the time of now", text);
	return timestamp_now();
}

static void put_facts(struct page *p)
{
	const struct report *r = p->report;
	page_put(p, "<dl class=\"facts\">\n");
	begin_fact(p, "Period");
	view_append_period(&p->out, r);
	end_fact(p);
	put_inputs(p);
	put_choice(p);
	put_books(p);
	begin_fact(p, "Metrics");
	page_count(p, r->metric_count);
	if (r->folded) {
		page_put(p, "; <strong class=\"bad\">");
		page_count(p, r->folded);
		page_put(p, " metrics or tags had no room and are counted as other</strong>");
	}
	end_fact(p);
	begin_fact(p, "Made");
	view_append_time(&p->out, page_time());
	page_put(p, " by metlog-cardinality " PACKAGE_VERSION);
	end_fact(p);
	page_put(p, "</dl>\n");
}

/* --- limits --- */

/* What was found is all of the bar; a mark stands where the limit was. */
static void put_passed_bar(struct page *p, double limit_share)
{
	page_put(p, "<svg class=\"bar\" aria-hidden=\"true\"><rect class=\"bad\" width=\"100%\" height=\"10\"/>");
	put_mark(p, "limit", limit_share);
	page_put(p, "</svg>");
}

static void put_limit(struct page *p, const struct report_limit *l)
{
	double share = report_share(l->found, l->limit);
	const char *class = share > 0.5 ? "warn" : "good";
	page_put(p, l->passed ? "<tr class=\"passed\"><td><strong class=\"bad\">passed</strong></td><td>" : "<tr><td><span class=\"good\">within</span></td><td>");
	page_count(p, l->found);
	page_put(p, " of ");
	page_count(p, l->limit);
	page_put(p, " <span class=\"dim\">(");
	page_percent(p, share);
	page_put(p, ")</span> ");
	page_text(p, span_of(l->unit));
	if (l->passed) put_passed_bar(p, 1 / share);
	else page_bar(p, NULL, share, class, UINT64_MAX);
	page_put(p, "</td><th scope=\"row\">");
	page_text(p, span_of(l->source));
	page_put(p, " <code>");
	page_text(p, span_of(l->setting));
	page_put(p, "</code>");
	if (l->where.length) page_put(p, "<div class=\"dim\">"), page_name(p, l->where), page_put(p, "</div>");
	page_put(p, "</th></tr>\n");
}

static void put_limits(struct page *p)
{
	const struct report *r = p->report;
	if (!r->limit_count) return;
	page_put(p, "<section aria-labelledby=\"limits\">\n<h2 id=\"limits\">Limits</h2>\n<div class=\"scroll\"><table class=\"limits\">\n"
		"<thead><tr><th scope=\"col\">State</th><th scope=\"col\">Found</th><th scope=\"col\">Limit, and where it is worst</th></tr></thead>\n<tbody>\n");
	for (int passed = 1; passed >= 0; passed--)
		for (size_t i = 0; i < r->limit_count; i++)
			if (r->limit[i].passed == (passed == 1)) put_limit(p, &r->limit[i]);
	page_put(p, "</tbody>\n</table></div>\n</section>\n");
}

/* --- the metrics --- */

static void put_overview_row(struct page *p, size_t i)
{
	const struct report_metric *m = &p->report->metric[i];
	char anchor[80];
	snprintf(anchor, sizeof anchor, "<tr><th scope=\"row\"><a href=\"#m%zu\">", i + 1);
	page_put(p, anchor);
	page_metric_name(p, m);
	page_put(p, "</a></th><td>");
	page_count(p, m->series.count);
	if (p->series_scale.most > 1) page_bar(p, &p->series_scale, scale_share(&p->series_scale, m->series.count), "plain", UINT64_MAX);
	page_put(p, "</td><td>");
	if (m->tag_count) {
		page_name(p, m->tag[0].name);
		page_put(p, m->tag[0].is_tag ? " <span class=\"dim\">" : " <span class=\"dim\">(not a tag) ");
		page_count(p, m->tag[0].values.count);
		page_put(p, "</span>");
	}
	page_put(p, "</td></tr>\n");
}

static void put_overview(struct page *p, size_t from, size_t to)
{
	page_put(p, "<div class=\"scroll\"><table class=\"overview\">\n<thead><tr><th scope=\"col\">Metric</th><th scope=\"col\">Series");
	page_axis(p, &p->series_scale);
	page_put(p, "</th><th scope=\"col\">Most values</th></tr></thead>\n<tbody>\n");
	for (size_t i = from; i < to; i++) put_overview_row(p, i);
	page_put(p, "</tbody>\n</table></div>\n");
}

static void put_metrics(struct page *p)
{
	size_t all = p->report->metric_count, count = all < PAGE_METRICS ? all : PAGE_METRICS, shown = count < PAGE_OVERVIEW ? count : PAGE_OVERVIEW;
	if (!count) return;
	if (count > 1) {
		page_put(p, "<section aria-labelledby=\"metrics\">\n<h2 id=\"metrics\">Metrics</h2>\n");
		put_overview(p, 0, shown);
		if (count > shown) {
			page_put(p, "<details class=\"more\"><summary>");
			page_count(p, count - shown);
			page_put(p, " more</summary>\n");
			put_overview(p, shown, count);
			page_put(p, "</details>\n");
		}
		if (all > count) {
			page_put(p, "<p>Not on this page: ");
			page_count(p, all - count);
			page_put(p, " more metrics, none with more series; the envelopes of <code>--format json</code> have them.</p>\n");
		}
		page_put(p, "</section>\n");
	}
	page_put(p, "<section aria-labelledby=\"tags\">\n<h2 id=\"tags\">Tags of each metric</h2>\n<p class=\"dim\">");
	if (p->scale.logarithmic) page_put(p, "Bars are on a logarithmic scale, the same for all: each thin line is ten times the one before. ");
	if ((double)p->values_limit < p->scale.most) page_put(p, "The mark is the least limit for the values of a tag, "), page_count(p, p->values_limit), page_put(p, ". ");
	page_put(p, "\xc2\xb1 is the relative standard error of an estimate; without it a number is exact. A growth line has its own height: one that still climbs at its end has not seen all values yet.</p>\n");
	for (size_t i = 0; i < count; i++) page_metric(p, i);
	page_put(p, "</section>\n");
}

static void make_page(struct page *p)
{
	const struct html_page page = { .title = SPAN("Cardinality report"), .generator = "metlog-cardinality " PACKAGE_VERSION, .style = report_html_style, .style_sha256 = report_html_style_sha256 };
	html_append_head(&p->out, &page);
	page_put(p, "<header>\n<h1>Cardinality: which tag explodes</h1>\n");
	put_verdict(p);
	put_facts(p);
	page_put(p, "</header>\n<main>\n");
	put_limits(p);
	put_metrics(p);
	page_put(p, "</main>\n");
	html_append_foot(&p->out);
}

int report_write_html(const struct report *report, const char *path)
{
	enum { PAGE_MAX = 1 << 30, PART_MAX = 1 << 24 };
	struct page p = { .report = report, .scale = report_scale(report), .values_limit = report_values_limit(report) };
	uint64_t most = 1;
	for (size_t i = 0; i < report->metric_count; i++)
		if (report->metric[i].series.count > most) most = report->metric[i].series.count;
	p.series_scale = (struct report_scale){ (double)most, most > 100 };
	buffer_init(&p.out, PAGE_MAX), buffer_init(&p.part, PART_MAX);
	make_page(&p);
	int status = EXIT_INTERNAL;
	if (p.out.failed || p.part.failed) diag_error("cannot make %s: out of memory", path);
	else status = replace_file(path, 0666, buffer_span(&p.out));
	buffer_release(&p.out), buffer_release(&p.part);
	return status;
}
