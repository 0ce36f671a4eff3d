/* show - sorts the counts by number, not by moving them: there may be a million; and writes them as gauges. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/number.h"
#include "base/timestamp.h"
#include "envelope/compose.h"
#include "group.h"
#include "io/diag.h"

/* --- order ---------------------------------------------------------------------- */

static int compare(const void *a, const void *b, void *context)
{
	const struct show_row *rows = context, *x = &rows[*(const uint32_t *)a], *y = &rows[*(const uint32_t *)b];
	bool x_other = x->group.length == 0, y_other = y->group.length == 0;
	if (x_other != y_other) return x_other - y_other;
	if (x->count != y->count) return x->count < y->count ? 1 : -1;
	int order = span_compare(x->of, y->of);
	if (!order) order = span_compare(x->group, y->group);
	return order ? order : x->interval_days - y->interval_days;
}

/* --- gauges --------------------------------------------------------------------- */

struct gauges {
	const struct cardinality_options *options;
	bool names_of;               /* "of" is said */
	struct compose message;
	struct buffer fields, tags, line;
	char host[65], payload[NUMBER_INT_MAX];
};

static void append_pair(struct buffer *out, struct span name, struct span inside)
{
	if (out->length) buffer_append_byte(out, ',');
	buffer_append_byte(out, '"');
	buffer_append_span(out, name);
	buffer_append(out, "\":\"", 3);
	buffer_append_span(out, inside);
	buffer_append_byte(out, '"');
}

static void append_both(struct gauges *g, struct span name, struct span inside)
{
	append_pair(&g->fields, name, inside);
	append_pair(&g->tags, name, inside);
}

static void append_group(struct gauges *g, const struct show_row *row)
{
	struct span name, value;
	size_t at = 0;
	if (!row->group.length) {
		compose_field_json(&g->fields, SPAN("other"), SPAN("true"));
		for (size_t i = 0; i < g->options->by_count; i++) append_both(g, show_name(&g->options->by[i]), SPAN("other"));
		return;
	}
	while (group_next(row->group, &at, &name, &value))
		if (value.data) append_both(g, name, value);
}

static struct span gauge(struct gauges *g, const struct show_row *row)
{
	buffer_clear(&g->fields);
	buffer_clear(&g->tags);
	buffer_clear(&g->line);
	compose_metric(&g->fields, g->options->name ? span_of(g->options->name) : SPAN("cardinality"), 1);
	if (g->names_of) append_both(g, SPAN("of"), row->of);
	append_group(g, row);
	if (row->interval_days) {
		char interval[NUMBER_INT_MAX + 1];
		size_t length = number_print_int(interval, row->interval_days);
		interval[length++] = 'd';
		append_both(g, SPAN("interval"), (struct span){ interval, length });
	}
	if (row->seen != SHOW_UNKNOWN) compose_field_int(&g->fields, SPAN("seen"), (int64_t)row->seen);
	compose_field_number(&g->fields, SPAN("error"), (double)(int)((double)row->error * 10000 + 0.5) / 10000);
	buffer_append(&g->fields, ",\"tags\":{", 9);
	buffer_append_span(&g->fields, buffer_span(&g->tags));
	buffer_append_byte(&g->fields, '}');
	g->message.fields = buffer_span(&g->fields);
	g->message.payload = (struct span){ g->payload, number_print_int(g->payload, (int64_t)row->count) };
	if (g->tags.failed || g->fields.failed || !compose_append(&g->line, &g->message)) die(EXIT_INTERNAL, "no memory to show a count");
	return buffer_span(&g->line);
}

static void show_gauges(struct filter *f, const struct cardinality_options *options, const struct show_row *rows, const uint32_t *order, size_t count, int64_t when)
{
	struct gauges g = { .options = options, .names_of = !options->name };
	for (size_t i = 1; i < count && !g.names_of; i++) g.names_of = !span_equal(rows[0].of, rows[i].of);
	gethostname(g.host, sizeof g.host - 1);
	g.message = (struct compose){ .type = SPAN("gauge"), .logger = span_of(diag_program()), .hostname = span_of(g.host), .severity = 6, .pid = getpid(),
		.timestamp = when == INT64_MIN ? timestamp_now() : when };
	buffer_init(&g.fields, SIZE_MAX / 2);
	buffer_init(&g.tags, SIZE_MAX / 2);
	buffer_init(&g.line, SIZE_MAX / 2);
	for (size_t i = 0; i < count; i++)
		if (!writer_line(&f->out, gauge(&g, &rows[order[i]]))) filter_flush(f);
	buffer_release(&g.fields);
	buffer_release(&g.tags);
	buffer_release(&g.line);
}

/* --- what the uses call --------------------------------------------------------- */

bool show_is_table(const struct filter *f, const struct cardinality_options *options)
{
	return options->format == FORMAT_TABLE || (options->format == FORMAT_AUTO && isatty(f->out.fd));
}

void show_rows(struct filter *f, const struct cardinality_options *options, struct show_row *rows, size_t count, int64_t when)
{
	uint32_t *order = must_alloc(count * sizeof *order + 1);
	for (size_t i = 0; i < count; i++) order[i] = (uint32_t)i;
	qsort_r(order, count, sizeof *order, compare, rows);
	if (show_is_table(f, options)) show_table(f, options, rows, order, count);
	else show_gauges(f, options, rows, order, count, when);
	free(order);
}

static struct show_row row_of(const struct cardinality_options *o, size_t of, struct span group, const struct sketch *sketch, uint64_t seen)
{
	return (struct show_row){ .of = show_name(&o->of[of]), .group = group, .count = sketch_count(sketch), .seen = seen, .error = (float)sketch_error(sketch) };
}

void show_groups(struct filter *f, const struct cardinality_options *o, const struct groups *groups, int64_t when)
{
	show_exact_groups(f, o, groups, NULL, when);
}

void show_exact_groups(struct filter *f, const struct cardinality_options *o, const struct groups *groups, const uint64_t *exact, int64_t when)
{
	static const struct sketch none;
	size_t count = 0, of_count = o->of_count, group_count = groups_count(groups);
	struct show_row *rows = must_alloc((group_count + 1) * of_count * sizeof *rows);
	for (size_t i = 0; i < group_count; i++)
		for (size_t of = 0; of < of_count; of++) {
			uint64_t seen = groups_seen(groups, i, of);
			if (!seen) continue;
			rows[count] = row_of(o, of, groups_key(groups, i), groups_sketch(groups, i, of), seen);
			if (exact) rows[count].count = exact[i * of_count + of], rows[count].error = 0;
			count++;
		}
	for (size_t of = 0; of < of_count; of++)
		if (groups->other[of].seen) rows[count++] = row_of(o, of, (struct span){ 0 }, &groups->other[of].sketch, groups->other[of].seen);
	for (size_t of = 0; of < of_count && o->by_count == 0; of++)
		if (group_count == 0 || groups_seen(groups, 0, of) == 0) rows[count++] = row_of(o, of, SPAN("{}"), &none, 0);
	show_warn_of_other(o, groups);
	show_rows(f, o, rows, count, when);
	free(rows);
}

void show_warn_of_other(const struct cardinality_options *o, const struct groups *groups)
{
	uint64_t lost = groups_lost(groups);
	if (!groups_has_other(groups)) return;
	if (!lost) diag_warn("what an earlier run had no room for is counted together, as other");
	else diag_warn("--max-memory: no room for %s%llu group%s beside %zu: counted together, as other; give more than %llu bytes", lost > SKETCH_SMALL_MAX ? "about " : "",
		       (unsigned long long)lost, lost == 1 ? "" : "s", groups_kept(groups), (unsigned long long)o->memory_limit);
}
