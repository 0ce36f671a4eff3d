/* report - what a report of --report holds: found by the engine, shown by the views (terminal, envelopes, HTML). */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_REPORT_H
#define CARDINALITY_REPORT_H

#include "filter/filter.h"
#include "options.h"

enum { REPORT_BUCKETS = 32, REPORT_TOP_MAX = 32 };

struct report_number { uint64_t count; double error; }; /* error: relative standard error, 0 = exact */

/* A value and how often it came: at least count - over, at most count (Space-Saving; Metwally et al. 2005). */
struct report_top { struct span text; uint64_t count, over; };

/* A tag of a metric, or a scalar member of its fields that could be made one. */
struct report_tag {
	struct span name;               /* "tags.key", "region": the path below fields, as the user would write it behind "fields." */
	bool is_tag;                    /* in fields.tags, or named by --tags */
	uint64_t seen;                  /* envelopes that have it */
	struct report_number values;    /* different values */
	struct report_number series;    /* of the metric without this tag; with it, if it is none yet */
	uint64_t growth[REPORT_BUCKETS]; /* different values up to the end of each bucket of time; the last in use equals values.count */
	double per_hour;                /* new values an hour in the last quarter of the time; below 0: not known */
	struct report_top *top;         /* the most frequent values, --top of them at most, largest first */
	size_t top_count;
};

struct report_metric {
	struct span type, name;         /* name: fields.name; empty: the type has none */
	uint64_t envelopes;
	struct report_number series;    /* different sets of tags */
	double product;                 /* of the tags' values, and one more where a tag is not always there: what the series could become */
	uint64_t growth[REPORT_BUCKETS];
	struct report_tag *tag;         /* the tags first, then the others; each by values, largest first */
	size_t tag_count;
};

struct report_limit {               /* one limit, held against the worst there is */
	const char *source;             /* "InfluxDB 1.x", "Graphite (carbon)", "--limit" */
	const char *setting;            /* "max-series-per-database" */
	const char *unit;               /* "series in all", "values of a tag", "new series a minute" */
	uint64_t limit, found;
	struct span where;              /* the metric, and the tag, that is worst, or the minute; empty: all together */
	bool passed;                    /* found > limit */
};

struct report {
	const struct cardinality_options *options;
	const struct tool_options *tool; /* operands, -m, --since, ...: what was read, for the head of the page; NULL: not said */
	const struct stats *stats;      /* read, rejected, dropped */
	uint64_t envelopes;
	int64_t first, last;            /* event time, nanoseconds; first > last: no timestamp was seen */
	int64_t bucket_ns;              /* width of a bucket of growth */
	int64_t bucket_from;            /* when the first of them begins: `first`, or a little earlier */
	size_t buckets;                 /* in use; 0: no timestamp was seen, and growth says nothing */
	struct report_metric *metric;   /* the most series first, then by type and name */
	size_t metric_count;
	struct report_limit limit[16];
	size_t limit_count;
	uint64_t folded;                /* metrics or tags that had no room and are counted together as "other" */
	bool failed;                    /* --fail-over: something is over */
	struct span failed_where;       /* what, for the message */
	uint64_t failed_found;
};

/* views */
void report_show_table(struct filter *, const struct report *);     /* bars, to a terminal */
void report_show_envelopes(struct filter *, const struct report *); /* one envelope for the whole, one a metric, one a tag, one a limit: type metlog.cardinality */

/* One self-contained page, written beside and renamed. 0, or the exit status (73, 74, 70), having said why. */
int report_write_html(const struct report *, const char *path);

#endif
