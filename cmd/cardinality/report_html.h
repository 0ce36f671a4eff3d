/* report_html - the parts of the report as a page. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_REPORT_HTML_H
#define CARDINALITY_REPORT_HTML_H

#include "report.h"
#include "report_view.h"

enum {
	PAGE_NAME_COLUMNS = 80,  /* of a name or value; the envelopes have all of it */
	PAGE_OPEN = 8,           /* so many metrics lie open; of more, the first three, and those with a tag over its limit */
	PAGE_OVERVIEW = 20,      /* metrics in the overview before the rest is folded up */
	PAGE_METRICS = 1000,     /* metrics on the page: 6 KB each */
	PAGE_TAGS = 200,         /* tags of a metric, and as many members that are none */
	PAGE_CHARTS = 50,         /* metrics with a chart and its numbers: 12 KB each */
};

struct page {
	struct buffer out, part;
	const struct report *report;
	struct report_scale scale, series_scale;
	uint64_t values_limit;
};

extern const char report_html_style[], report_html_style_sha256[];

void page_put(struct page *, const char *html);          /* as it stands */
void page_text(struct page *, struct span raw);          /* escaped */
void page_name(struct page *, struct span raw);          /* the same, cut, and on its own whatever way it is written */
void page_count(struct page *, uint64_t);
void page_percent(struct page *, double share);
void page_coordinate(struct page *, double);
void page_metric_name(struct page *, const struct report_metric *);

/* A bar of `share` of its place, with marks at the powers of ten of a logarithmic scale; the numbers stand beside it. */
void page_bar(struct page *, const struct report_scale *, double share, const char *class, uint64_t limit);
void page_axis(struct page *, const struct report_scale *);

void page_metric(struct page *, size_t i); /* its tags, and how it grows */
void page_chart(struct page *, const struct report_metric *);
bool page_tag_is_over(const struct page *, const struct report_tag *);

#endif
