/* report_limit - which limits there are, what is worst for each, and the check of --fail-over. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "report_limit.h"

#include <stdlib.h>

#include "base/number.h"
#include "base/timestamp.h"
#include "base/text.h"
#include "io/diag.h"

static const struct { const char *name; struct limit_rule rule; } known[] = {
	{ "influxdb", { "InfluxDB 1.x", "max-series-per-database", LIMIT_TOTAL, 1000000 } },
	{ "influxdb", { "InfluxDB 1.x", "max-values-per-tag", LIMIT_TAG_VALUES, 100000 } },
	{ "graphite", { "Graphite (carbon)", "MAX_CREATES_PER_MINUTE", LIMIT_ARRIVALS, 50 } },
	{ "values=", { "--limit", "values", LIMIT_VALUES, 0 } },
	{ "series=", { "--limit", "series", LIMIT_SERIES, 0 } },
	{ "total=", { "--limit", "total", LIMIT_TOTAL, 0 } },
};
enum { KNOWN = sizeof known / sizeof *known };

static const char *const units[] = {
	[LIMIT_VALUES] = "values of a tag", [LIMIT_TAG_VALUES] = "values of a tag", [LIMIT_SERIES] = "series of a metric", [LIMIT_TOTAL] = "series in all",
	[LIMIT_ARRIVALS] = "new series a minute",
};

static void add_one(struct limits *l, struct span text)
{
	size_t before = l->count;
	for (size_t i = 0; i < KNOWN; i++) {
		struct span name = span_of(known[i].name);
		int64_t number = (int64_t)known[i].rule.limit;
		if (name.data[name.length - 1] != '=') {
			if (!span_equal(text, name)) continue;
		} else if (!span_starts(text, name) || !number_parse_int((struct span){ text.data + name.length, text.length - name.length }, &number) || number < 0) {
			continue;
		}
		if (l->count == LIMITS_MAX) tool_usage_error("--limit: more than %d limits", LIMITS_MAX);
		l->rule[l->count] = known[i].rule;
		l->rule[l->count++].limit = (uint64_t)number;
	}
	if (l->count == before) tool_usage_error("--limit: '%.*s' is not influxdb, graphite, values=N, series=N or total=N", (int)text.length, text.data);
}

void limits_parse(struct limits *l, const char *text)
{
	struct span rest = span_of(text ? text : "influxdb,graphite");
	*l = (struct limits){ 0 };
	for (;;) {
		const char *comma = rest.length ? memchr(rest.data, ',', rest.length) : NULL;
		add_one(l, comma ? span_between(rest.data, comma) : rest);
		if (!comma) return;
		rest = span_between(comma + 1, rest.data + rest.length);
	}
}

/* --- what is worst ------------------------------------------------------------------------- */

/* "counter request.hits, tag region". */
static struct span where(const struct report_metric *metric, const struct report_tag *tag)
{
	struct buffer text;
	buffer_init(&text, SIZE_MAX / 2);
	buffer_append_span(&text, metric->type);
	if (metric->name.length) buffer_append_text(&text, metric->type.length ? " " : ""), buffer_append_span(&text, metric->name);
	if (tag) {
		if (text.length) buffer_append_text(&text, ", ");
		buffer_append_text(&text, tag->is_tag ? "tag " : "member ");
		buffer_append_span(&text, tag->name);
	}
	struct span copy = { must_copy(buffer_span(&text)), text.length };
	buffer_release(&text);
	return copy;
}

/* Tags stand first, the one with the most values first; so do the other members behind them. */
const struct report_tag *limits_worst_tag(const struct report_metric *metric)
{
	return metric->tag_count ? &metric->tag[0] : NULL;
}

static void find_values(struct report_limit *out, const struct report *r, bool tags_only)
{
	const struct report_metric *worst = NULL;
	for (size_t i = 0; i < r->metric_count; i++) {
		const struct report_tag *tag = limits_worst_tag(&r->metric[i]);
		if (!tag || (tags_only && !tag->is_tag) || (worst && tag->values.count <= out->found)) continue;
		worst = &r->metric[i];
		out->found = tag->values.count;
	}
	if (worst) out->where = where(worst, limits_worst_tag(worst));
}

static void find_series(struct report_limit *out, const struct report *r)
{
	if (!r->metric_count) return;
	out->found = r->metric[0].series.count;
	out->where = where(&r->metric[0], NULL);
}

static uint64_t total(const struct report *r)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < r->metric_count; i++) sum += r->metric[i].series.count;
	return sum;
}

static void find_arrivals(struct report_limit *out, const struct series_arrivals *a)
{
	char text[TIMESTAMP_MAX];
	if (!a->worst) return;
	timestamp_print(text, a->worst_minute * 60 * 1000000000);
	memcpy(text + sizeof "2012-10-05T12:00" - 1, "Z", 2); /* to the minute */
	out->found = a->worst;
	out->where = (struct span){ must_copy(span_of(text)), sizeof "2012-10-05T12:00Z" - 1 };
}

void limits_apply(const struct limits *l, struct report *r, const struct series_arrivals *a)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct limit_rule *rule = &l->rule[i];
		if (rule->kind == LIMIT_ARRIVALS && !r->buckets && r->envelopes) {
			if (r->options->limit) diag_warn("--limit: no envelope has a timestamp, so new series a minute (%s) are not known", rule->setting);
			continue;
		}
		struct report_limit *out = &r->limit[r->limit_count++];
		*out = (struct report_limit){ .source = rule->source, .setting = rule->setting, .unit = units[rule->kind], .limit = rule->limit };
		switch (rule->kind) {
		case LIMIT_VALUES: find_values(out, r, false); break;
		case LIMIT_TAG_VALUES: find_values(out, r, true); break;
		case LIMIT_SERIES: find_series(out, r); break;
		case LIMIT_TOTAL: out->found = total(r); break;
		case LIMIT_ARRIVALS: find_arrivals(out, a); break;
		}
		out->passed = out->found > out->limit;
	}
}

/* --- --fail-over ---------------------------------------------------------------------------- */

enum { TOLD_MAX = 10 };

struct failure { struct report *report; uint64_t most, count; };

static void over(struct failure *f, const struct report_metric *metric, const struct report_tag *tag, uint64_t found)
{
	if (found <= f->most) return;
	struct span at = where(metric, tag);
	if (f->count++ < TOLD_MAX) {
		struct buffer shown; /* a newline in a name would begin a message of its own */
		buffer_init(&shown, SIZE_MAX / 2);
		text_append_visible(&shown, at);
		diag_error("--fail-over %llu: %s: %llu %s", (unsigned long long)f->most, buffer_text(&shown), (unsigned long long)found, tag ? "values" : "series");
		buffer_release(&shown);
	}
	if (!f->report->failed || found > f->report->failed_found) {
		free((char *)(uintptr_t)f->report->failed_where.data);
		f->report->failed_where = at;
		f->report->failed_found = found;
	} else {
		free((char *)(uintptr_t)at.data);
	}
	f->report->failed = true;
}

void limits_fail_over(struct report *r, uint64_t most)
{
	struct failure f = { r, most, 0 };
	for (size_t i = 0; i < r->metric_count; i++) {
		const struct report_metric *metric = &r->metric[i];
		bool has_tags = metric->tag_count && metric->tag[0].is_tag;
		over(&f, metric, NULL, metric->series.count);
		for (size_t j = 0; j < metric->tag_count && metric->tag[j].is_tag == has_tags; j++) over(&f, metric, &metric->tag[j], metric->tag[j].values.count);
	}
	if (f.count > TOLD_MAX) diag_error("--fail-over %llu: %llu more", (unsigned long long)most, (unsigned long long)(f.count - TOLD_MAX));
}
