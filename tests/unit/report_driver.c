/* report_driver - shows reports made by hand, so that the views are held to what is known, by tests/metlog-cardinality-view.bats. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "io/diag.h"
#include "report.h"

static const int64_t HOUR = INT64_C(3600000000000), START = INT64_C(1353542400000000000); /* 2012-11-22T00:00:00Z */

/* Up to `most`: early for what is saturated soon (0), evenly (1), or ever faster (2). */
static void grow(uint64_t growth[REPORT_BUCKETS], uint64_t most, int how)
{
	for (size_t i = 0; i < REPORT_BUCKETS; i++) {
		double x = (double)(i + 1) / REPORT_BUCKETS;
		double y = how == 0 ? (i == 0 ? 0.75 : 1) : how == 1 ? x : x * x * x;
		growth[i] = (uint64_t)((double)most * y + 0.5);
	}
	growth[REPORT_BUCKETS - 1] = most;
}

static struct report_tag tag(const char *name, bool is_tag, uint64_t values, uint64_t series, int how)
{
	struct report_tag t = { .name = span_of(name), .is_tag = is_tag, .seen = 100000, .values = { values, values > 256 ? 0.0081 : 0 }, .series = { series, series > 256 ? 0.0081 : 0 } };
	t.top = must_alloc(REPORT_TOP_MAX * sizeof *t.top);
	grow(t.growth, values, how);
	t.per_hour = how == 0 ? 0 : (double)(values - t.growth[23]) / 6;
	return t;
}

static void top(struct report_tag *t, const char *text, uint64_t count, uint64_t over)
{
	if (!t->top) t->top = must_alloc(REPORT_TOP_MAX * sizeof *t->top);
	t->top[t->top_count++] = (struct report_top){ span_of(text), count, over };
}

static void metric(struct report *r, const char *type, const char *name, uint64_t series, double product, int how, size_t tags)
{
	struct report_metric *m = &r->metric[r->metric_count++];
	*m = (struct report_metric){ .type = span_of(type), .name = span_of(name), .envelopes = 120331, .series = { series, series > 256 ? 0.0081 : 0 }, .product = product };
	grow(m->growth, series, how);
	m->tag = must_alloc((tags ? tags : 1) * sizeof *m->tag);
}

static struct report_tag *add(struct report *r, struct report_tag t)
{
	struct report_metric *m = &r->metric[r->metric_count - 1];
	m->tag[m->tag_count] = t;
	return &m->tag[m->tag_count++];
}

static void limit(struct report *r, const char *source, const char *setting, const char *unit, uint64_t most, uint64_t found, const char *where)
{
	r->limit[r->limit_count++] = (struct report_limit){ source, setting, unit, most, found, span_of(where), found > most };
}

static void location(struct report *r)
{
	metric(r, "counter", "location.request", 214530, 6522984, 2, 6);
	struct report_tag *t = add(r, tag("tags.key", true, 181204, 1183, 2));
	top(t, "3f1c-mozilla-firefox", 12034, 0), top(t, "9a8e", 5120, 3), top(t, "test", 960, 12), top(t, "chromium-nightly-build-of-somebody", 402, 100), top(t, "zz", 20, 19);
	t = add(r, tag("tags.path", true, 12, 214100, 0));
	top(t, "v1/geolocate", 80122, 0), top(t, "v1/country", 19001, 0), top(t, "v1/search", 877, 0);
	t = add(r, tag("tags.method", true, 3, 209877, 0));
	top(t, "post", 99120, 0), top(t, "get", 870, 0), top(t, "head", 10, 0);
	t = add(r, tag("ip", false, 899904, 901202, 1));
	top(t, "127.0.0.1", 4020, 0), top(t, "10.0.0.9", 31, 30);
	t = add(r, tag("region", false, 241, 731904, 0));
	top(t, "DE", 20120, 0), top(t, "US", 17444, 0), top(t, "BR", 8033, 0), top(t, "FR", 4033, 0), top(t, "GB", 4032, 0);
	add(r, tag("accurate", false, 2, 220011, 0));
}

static void usual(struct report *r)
{
	location(r);
	metric(r, "timer", "location.query", 2804, 6400, 1, 3);
	struct report_tag *t = add(r, tag("tags.status", true, 8, 403, 0));
	top(t, "hit", 60001, 0), top(t, "miss", 31, 0);
	add(r, tag("tags.shard", true, 800, 8, 1));
	add(r, tag("ms", false, 9120, 88123, 1));
	metric(r, "oldstyle", "", 1, 1, 0, 1);
	add(r, tag("seq", false, 31204, 31204, 1));
	limit(r, "InfluxDB 1.x", "max-values-per-tag", "values of a tag", 100000, 181204, "counter location.request tags.key");
	limit(r, "InfluxDB 1.x", "max-series-per-database", "series in all", 1000000, 217335, "");
	limit(r, "Graphite (carbon)", "MAX_CREATES_PER_MINUTE", "new series a minute", 50, 1922, "");
}

/* Everything that may not come through as it is. */
static void hostile(struct report *r)
{
	metric(r, "counter", "<script>alert(1)</script>\"'&\x1b[31m", 400, 400, 2, 4);
	struct report_tag *t = add(r, tag("tags.<img src=x onerror=alert(1)>", true, 400, 1, 2));
	top(t, "</td></table><script>alert(2)</script>", 100, 0), top(t, "\x1b]0;owned\x07\x9b", 90, 0), top(t, "\xe2\x80\xaetxt.exe", 80, 0), top(t, "\xff\xfe bad", 70, 0);
	t->top[t->top_count++] = (struct report_top){ { "nul\0byte", 8 }, 60, 0 };
	t = add(r, tag("tags.\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd", true, 47, 400, 0));
	top(t, "\xe6\x9d\xb1\xe4\xba\xac", 51, 0), top(t, "\xc3\xa9t\xc3\xa9", 50, 0), top(t, "", 49, 0), top(t, "a\nb\tc", 48, 0);
	t = add(r, tag("--><!--]]>", false, 2, 800, 0));
	top(t, "javascript:alert(3)", 3, 0), top(t, "http://example.com/x.png", 2, 0), top(t, "&amp;&lt;", 1, 0), top(t, "';}</style>", 1, 0);
	char *name = must_alloc(3001);
	memset(name, 'n', 3000);
	t = add(r, tag(name, false, 3, 1000, 0));
	top(t, name, 5, 0);
	limit(r, "--limit", "values=10", "values of a tag", 10, 400, "counter <script>alert(1)</script> tags.<img src=x onerror=alert(1)>");
}

static void many_of(struct report *r, int count)
{
	r->metric = must_resize(r->metric, 510 * sizeof *r->metric);
	usual(r);
	for (int i = 3; i < count; i++) {
		char *name = must_alloc(64);
		snprintf(name, 64, "app%d.module%d.requests", i % 7, i);
		metric(r, i % 3 ? "counter" : "timer", name, (uint64_t)(1000 - i), 4000 - i, i % 3, 3);
		struct report_tag *t = add(r, tag("tags.host", true, (uint64_t)(300 - i / 2), 9, i % 3));
		top(t, "web1", 812, 0), top(t, "web2", 810, 0);
		add(r, tag("tags.status", true, 9, (uint64_t)(300 - i / 2), 0));
		add(r, tag("user", false, (uint64_t)(20 * i), (uint64_t)(21 * i), 1));
	}
}

static void many(struct report *r)
{
	many_of(r, 500);
}

static void some(struct report *r)
{
	many_of(r, 60);
}

static void wide(struct report *r)
{
	r->metric = must_resize(r->metric, 1300 * sizeof *r->metric);
	metric(r, "counter", "wide", 5000, 5000, 1, 400);
	for (int i = 0; i < 400; i++) {
		char *name = must_alloc(64);
		snprintf(name, 64, "member%03d", i);
		add(r, tag(name, i < 30, (uint64_t)(1000 - i), (uint64_t)(1000 - i), 1));
	}
	for (int i = 0; i < 1200; i++) {
		char *name = must_alloc(64);
		snprintf(name, 64, "metric%04d", i);
		metric(r, "counter", name, 1, 1, 0, 0);
	}
}

static void calm(struct report *r)
{
	metric(r, "counter", "login", 12, 12, 0, 2);
	struct report_tag *t = add(r, tag("tags.result", true, 4, 3, 0));
	top(t, "ok", 99000, 0), top(t, "denied", 900, 0), top(t, "locked", 90, 0), top(t, "error", 10, 0);
	add(r, tag("tags.host", true, 3, 4, 0));
	limit(r, "InfluxDB 1.x", "max-values-per-tag", "values of a tag", 100000, 4, "counter login tags.result");
}

static void growing(struct report *r)
{
	metric(r, "counter", "login", 8121, 32484, 1, 2);
	add(r, tag("tags.session", true, 8120, 4, 2));
	add(r, tag("tags.result", true, 4, 8120, 0));
	limit(r, "InfluxDB 1.x", "max-values-per-tag", "values of a tag", 100000, 8120, "counter login tags.session");
}

static void untagged(struct report *r)
{
	metric(r, "oldstyle", "", 1, 1, 0, 2);
	add(r, tag("session", false, 52000, 52000, 1));
	add(r, tag("result", false, 4, 4, 0));
}

static void empty(struct report *r)
{
	r->first = 1, r->last = 0, r->buckets = 0, r->bucket_ns = 0, r->envelopes = 0;
}

static const struct { const char *name; void (*make)(struct report *); } scenarios[] = {
	{ "usual", usual }, { "hostile", hostile }, { "many", many }, { "some", some }, { "wide", wide }, { "calm", calm }, { "growing", growing }, { "untagged", untagged }, { "empty", empty },
};

static const struct tool_about about = {
	.name = "metlog-cardinality", .usage = "SCENARIO [FILE...]", .summary = "Show a report made by hand", .examples = "",
	.uses = USES_INPUT | USES_MATCH | USES_TIMES | USES_ZONE | USES_OUTPUT | USES_COLOR, .options = cardinality_option_rows, .parse = cardinality_option_parse,
};

int main(int argc, char **argv)
{
	static struct filter filter;
	static struct cardinality_options options;
	static struct report r; /* what it points to is in use to the end */
	const char *scenario = argc > 1 ? argv[1] : "";
	cardinality_options_init(&options);
	filter_open(&filter, &about, argc - 1, argv + 1, &options);
	filter.stats = (struct stats){ .read = 1000045, .passed = 1000000, .dropped = 42, .rejected = 3 };
	r = (struct report){ .options = &options, .tool = &filter.options, .stats = &filter.stats, .envelopes = 1000000, .first = START, .last = START + 24 * HOUR - 1, .bucket_ns = HOUR * 3 / 4, .bucket_from = START, .buckets = REPORT_BUCKETS };
	r.metric = must_alloc(8 * sizeof *r.metric);
	size_t i = 0;
	while (i < sizeof scenarios / sizeof *scenarios && strcmp(scenarios[i].name, scenario) != 0) i++;
	if (i == sizeof scenarios / sizeof *scenarios) die(EXIT_USAGE, "no such scenario: %s", scenario);
	scenarios[i].make(&r);
	int status = options.html ? report_write_html(&r, options.html) : 0;
	if (options.format == FORMAT_JSON) report_show_envelopes(&filter, &r);
	else if (options.format == FORMAT_TABLE) report_show_table(&filter, &r);
	if (status) filter_fail(&filter, status);
	return filter_close(&filter);
}
