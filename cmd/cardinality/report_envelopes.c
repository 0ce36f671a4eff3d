/* report_envelopes - the report as envelopes: every number of the pictures, for the next program. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "envelope/compose.h"
#include "io/diag.h"
#include "report_view.h"

/* One value of a top list can be as long as an envelope; so that the envelope that tells of 32 of them is none that is refused, each is cut. */
enum { VALUE_MAX = 1024, NAME_COLUMNS = 200, FIELDS_MAX = 8 * 1024 * 1024 };

struct maker {
	struct filter *filter;
	const struct report *report;
	struct buffer fields, payload, part, line;
	char hostname[256];
};

/* --- pairs --- */

static void put_count(struct maker *m, struct span name, uint64_t value)
{
	compose_field_int(&m->fields, name, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static void put_bool(struct maker *m, struct span name, bool value)
{
	compose_field_json(&m->fields, name, value ? SPAN("true") : SPAN("false"));
}

/* "values" and, beside it, "values_error". */
static void put_number(struct maker *m, struct span name, struct span error_name, struct report_number n)
{
	put_count(m, name, n.count);
	compose_field_number(&m->fields, error_name, n.error);
}

static void put_time(struct maker *m, struct span name, int64_t when)
{
	char text[TIMESTAMP_MAX];
	size_t length = timestamp_print(text, when);
	compose_field_text(&m->fields, name, (struct span){ text, length });
}

static void put_growth(struct maker *m, const uint64_t growth[REPORT_BUCKETS])
{
	buffer_clear(&m->part);
	buffer_append_byte(&m->part, '[');
	for (size_t i = 0; i < m->report->buckets && i < REPORT_BUCKETS; i++) {
		if (i) buffer_append_byte(&m->part, ',');
		buffer_append_int(&m->part, (int64_t)growth[i]);
	}
	buffer_append_byte(&m->part, ']');
	compose_field_json(&m->fields, SPAN("growth"), buffer_span(&m->part));
}

static void put_top(struct maker *m, const struct report_tag *t)
{
	buffer_clear(&m->part);
	buffer_append_byte(&m->part, '[');
	size_t most = m->report->options ? (size_t)m->report->options->top : REPORT_TOP_MAX;
	for (size_t i = 0; i < t->top_count && i < most; i++) {
		buffer_append_text(&m->part, i ? ",{\"value\":" : "{\"value\":");
		struct span text = t->top[i].text;
		if (text.length > VALUE_MAX)
			for (text.length = VALUE_MAX; text.length && (text.data[text.length] & 0xc0) == 0x80;) text.length--; /* not within a character */
		compose_text(&m->part, text);
		buffer_append_text(&m->part, ",\"count\":");
		buffer_append_int(&m->part, (int64_t)t->top[i].count);
		buffer_append_text(&m->part, ",\"over\":");
		buffer_append_int(&m->part, (int64_t)t->top[i].over);
		buffer_append_byte(&m->part, '}');
	}
	buffer_append_byte(&m->part, ']');
	compose_field_json(&m->fields, SPAN("top"), buffer_span(&m->part));
}

/* --- an envelope --- */

static void begin(struct maker *m, struct span about)
{
	buffer_clear(&m->fields), buffer_clear(&m->payload), buffer_clear(&m->line);
	compose_field_text(&m->fields, SPAN("about"), about);
}

static void finish(struct maker *m, int severity)
{
	struct compose message = {
		.type = SPAN("metlog.cardinality"), .logger = span_of(diag_program()), .hostname = span_of(m->hostname), .timestamp = timestamp_now(),
		.severity = severity, .payload = buffer_span(&m->payload), .fields = buffer_span(&m->fields), .pid = getpid(),
	};
	if (m->fields.failed || m->part.failed || m->payload.failed || !compose_append(&m->line, &message)) die(EXIT_INTERNAL, "cannot write the report: out of memory");
	writer_line(&m->filter->out, buffer_span(&m->line));
}

/* Severities are those of a log: who routes by them is told of what explodes. */
static void put_whole(struct maker *m)
{
	static const int severities[] = { [VERDICT_CALM] = 6, [VERDICT_GROWS] = 5, [VERDICT_EXPLODES] = 4 };
	static const struct span levels[] = { [VERDICT_CALM] = { "calm", 4 }, [VERDICT_GROWS] = { "grows", 5 }, [VERDICT_EXPLODES] = { "explodes", 8 } };
	const struct report *r = m->report;
	struct verdict v = report_verdict(r);
	begin(m, SPAN("report"));
	verdict_append(&m->payload, r, &v, NAME_COLUMNS);
	compose_field_text(&m->fields, SPAN("verdict"), levels[v.level]);
	if (v.tag) {
		compose_field_text(&m->fields, SPAN("metric_type"), v.metric->type);
		compose_field_text(&m->fields, SPAN("metric"), v.metric->name);
		compose_field_text(&m->fields, SPAN("tag"), v.tag->name);
	}
	put_count(m, SPAN("envelopes"), r->envelopes);
	put_count(m, SPAN("metrics"), r->metric_count);
	put_count(m, SPAN("limits_passed"), v.passed);
	put_count(m, SPAN("folded"), r->folded);
	if (r->stats) {
		put_count(m, SPAN("read"), r->stats->read);
		put_count(m, SPAN("dropped"), r->stats->dropped);
		put_count(m, SPAN("rejected"), r->stats->rejected);
	}
	if (r->first <= r->last) put_time(m, SPAN("first"), r->first), put_time(m, SPAN("last"), r->last);
	compose_field_number(&m->fields, SPAN("bucket_s"), (double)r->bucket_ns / 1e9);
	put_count(m, SPAN("buckets"), r->buckets);
	finish(m, severities[v.level]);
}

static void put_metric(struct maker *m, const struct report_metric *metric)
{
	begin(m, SPAN("metric"));
	view_append_count(&m->payload, metric->series.count);
	buffer_append_text(&m->payload, " series of ");
	view_append_metric(&m->payload, metric, NAME_COLUMNS);
	compose_field_text(&m->fields, SPAN("metric_type"), metric->type);
	compose_field_text(&m->fields, SPAN("metric"), metric->name);
	put_count(m, SPAN("envelopes"), metric->envelopes);
	put_number(m, SPAN("series"), SPAN("series_error"), metric->series);
	compose_field_number(&m->fields, SPAN("product"), metric->product);
	put_growth(m, metric->growth);
	finish(m, 6);
}

static void put_tag(struct maker *m, const struct report_metric *metric, const struct report_tag *t)
{
	begin(m, SPAN("tag"));
	view_append_count(&m->payload, t->values.count);
	buffer_append_text(&m->payload, t->values.count == 1 ? " value of " : " values of ");
	view_append_cut(&m->payload, t->name, NAME_COLUMNS);
	buffer_append_text(&m->payload, " of ");
	view_append_metric(&m->payload, metric, NAME_COLUMNS);
	compose_field_text(&m->fields, SPAN("metric_type"), metric->type);
	compose_field_text(&m->fields, SPAN("metric"), metric->name);
	compose_field_text(&m->fields, SPAN("tag"), t->name);
	put_bool(m, SPAN("is_tag"), t->is_tag);
	put_count(m, SPAN("seen"), t->seen);
	put_number(m, SPAN("values"), SPAN("values_error"), t->values);
	put_count(m, SPAN("series"), metric->series.count);
	if (t->is_tag) put_number(m, SPAN("series_without"), SPAN("series_without_error"), t->series);
	else put_number(m, SPAN("series_with"), SPAN("series_with_error"), t->series);
	if (t->per_hour < 0) compose_field_json(&m->fields, SPAN("per_hour"), SPAN("null"));
	else compose_field_number(&m->fields, SPAN("per_hour"), t->per_hour);
	put_bool(m, SPAN("grows"), tag_grows(m->report, t));
	put_growth(m, t->growth);
	put_top(m, t);
	finish(m, 6);
}

static void put_limit(struct maker *m, const struct report_limit *l)
{
	begin(m, SPAN("limit"));
	buffer_append_text(&m->payload, l->passed ? "passed: " : "within: ");
	view_append_count(&m->payload, l->found);
	buffer_append_text(&m->payload, " of ");
	view_append_count(&m->payload, l->limit);
	buffer_append_byte(&m->payload, ' ');
	buffer_append_text(&m->payload, l->unit);
	compose_field_text(&m->fields, SPAN("source"), span_of(l->source));
	compose_field_text(&m->fields, SPAN("setting"), span_of(l->setting));
	compose_field_text(&m->fields, SPAN("unit"), span_of(l->unit));
	put_count(m, SPAN("limit"), l->limit);
	put_count(m, SPAN("found"), l->found);
	compose_field_text(&m->fields, SPAN("where"), l->where);
	put_bool(m, SPAN("passed"), l->passed);
	finish(m, l->passed ? 4 : 6);
}

void report_show_envelopes(struct filter *filter, const struct report *report)
{
	struct maker m = { .filter = filter, .report = report };
	gethostname(m.hostname, sizeof m.hostname - 1);
	buffer_init(&m.fields, FIELDS_MAX), buffer_init(&m.payload, FIELDS_MAX), buffer_init(&m.part, FIELDS_MAX), buffer_init(&m.line, 2 * FIELDS_MAX);
	put_whole(&m);
	for (size_t i = 0; i < report->limit_count; i++) put_limit(&m, &report->limit[i]);
	for (size_t i = 0; i < report->metric_count; i++) {
		put_metric(&m, &report->metric[i]);
		for (size_t k = 0; k < report->metric[i].tag_count; k++) put_tag(&m, &report->metric[i], &report->metric[i].tag[k]);
	}
	buffer_release(&m.fields), buffer_release(&m.payload), buffer_release(&m.part), buffer_release(&m.line);
}
