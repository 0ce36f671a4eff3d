/* report_view - what the views of a report have in common: its verdict, its scale, and numbers as people read them. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_REPORT_VIEW_H
#define CARDINALITY_REPORT_VIEW_H

#include "report.h"

/* How bad it is: nothing to see; a tag grows and will pass a limit; a limit is passed, or --fail-over. */
enum verdict_level { VERDICT_CALM, VERDICT_GROWS, VERDICT_EXPLODES };

/* The tag that matters most: the one without which most series would go; where no metric has a tag, the member that would bring most. */
struct verdict {
	enum verdict_level level;
	const struct report_metric *metric; /* NULL: there is nothing to name */
	const struct report_tag *tag;
	size_t passed;                      /* limits passed */
};

struct verdict report_verdict(const struct report *);

/* One sentence each, as raw text: names are as they came, but cut to `name_columns`; make it safe for where it goes. The second says what can be done, and may be empty. */
bool verdict_append(struct buffer *out, const struct report *, const struct verdict *, size_t name_columns);
bool verdict_append_detail(struct buffer *out, const struct report *, const struct verdict *);

/* How long a bar is: from 0 to 1 of its place. Logarithmic as soon as a linear one would hide the small ones. */
struct report_scale { double most; bool logarithmic; };
struct report_scale report_scale(const struct report *);
double scale_share(const struct report_scale *, uint64_t value);

uint64_t report_values_limit(const struct report *); /* the least limit of a tag's values, --fail-over too; UINT64_MAX: none */
bool tag_grows(const struct report *, const struct report_tag *); /* new values in the last quarter of the time are a tenth of all, and all a hundred at least; or most values come only once or twice, and there are a thousand at least */
double report_share(uint64_t part, uint64_t whole);  /* 0 if whole is 0 */

bool view_append_count(struct buffer *out, uint64_t);              /* 1,234,567 */
bool view_append_double(struct buffer *out, double);               /* the same of a product, 1.2e+21 where it is longer; "1.5" below 10 */
bool view_append_percent(struct buffer *out, double share);        /* "12 %", "0.81 %": two digits that tell */
bool view_append_change(struct buffer *out, uint64_t from, uint64_t to); /* "-99.4 %"; "+12.5 %", "x 4.2" from twice on; "/ 2,030" from a thousandth down; "0 %" */
bool view_append_duration(struct buffer *out, int64_t nanoseconds); /* "1 h", "30 min", "2 d" */
bool view_append_time(struct buffer *out, int64_t nanoseconds);    /* "2026-11-22 13:30:00 +01:00", in the zone of --tz */
bool view_append_period(struct buffer *out, const struct report *); /* "2026-11-22 13:30:00 to 2026-11-22 15:00:00 UTC" */
bool view_append_cut(struct buffer *out, struct span text, size_t columns); /* at most so many columns of it, "..." at its end if there is more */
bool view_append_metric(struct buffer *out, const struct report_metric *, size_t columns); /* "counter location.request", raw */
uint64_t view_growth_at(const uint64_t growth[REPORT_BUCKETS], size_t buckets, size_t i, size_t of); /* the growth in `of` steps: at the end of the i-th */

#endif
