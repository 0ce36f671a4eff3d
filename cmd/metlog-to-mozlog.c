/* metlog-to-mozlog - turns envelopes into lines of MozLog 2.0, or into rows for BigQuery. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/timestamp.h"
#include "envelope/mozlog.h"
#include "filter/filter.h"
#include "io/diag.h"
#include "to-mozlog/options.h"
#include "to-mozlog/rows.h"

static const struct tool_about about = {
	.name = "metlog-to-mozlog",
	.usage = "[FILE...]",
	.summary = "Turn envelopes into lines of MozLog 2.0, or into rows for BigQuery",
	.examples =
		"  metlog-to-mozlog messages.ndjson >messages.mozlog\n"
		"  metlog-route -m 'logger == \"shop\"' messages.ndjson | metlog-to-mozlog --plain\n"
		"  metlog-to-mozlog --flatten messages.ndjson >rows.json\n"
		"  metlog-to-mozlog --bigquery-schema messages.ndjson >schema.json\n",
	.uses = USES_INPUT | USES_MATCH | USES_TIMES | USES_ZONE | USES_OUTPUT,
	.options = to_mozlog_option_rows,
	.parse = to_mozlog_option_parse,
};

struct run {
	struct filter filter;
	struct to_mozlog_options options;
	struct mozlog_options how;
	struct mozlog_writer *writer;
	struct buffer line;
};

static void take(struct run *r, const struct envelope *e)
{
	const char *why;
	buffer_clear(&r->line);
	if (r->how.has_now && e->timestamp.text.length == 0) r->how.now_ns = timestamp_now();
	if (!mozlog_write(r->writer, e, &r->line, &why)) {
		filter_reject(&r->filter, e, why);
		return;
	}
	if (r->line.failed) die(EXIT_INTERNAL, "no memory for the line of an envelope of %zu bytes", e->line.length);
	if (!writer_line(&r->filter.out, buffer_span(&r->line))) filter_flush(&r->filter);
	filter_booked_pass(&r->filter);
}

static void write_lines(struct run *r)
{
	struct envelope envelope;
	r->how = (struct mozlog_options){ .plain = r->options.plain, .has_now = r->options.stamps };
	r->writer = mozlog_writer_new(&r->how);
	if (!r->writer) die(EXIT_INTERNAL, "no memory to write MozLog");
	buffer_init(&r->line, SIZE_MAX / 2);
	while (filter_next(&r->filter, &envelope)) take(r, &envelope);
	buffer_release(&r->line);
	mozlog_writer_free(r->writer);
}

int main(int argc, char **argv)
{
	static struct run r;
	filter_open(&r.filter, &about, argc, argv, &r.options);
	if (r.options.form == MOZLOG_FORM_LINES) write_lines(&r);
	else rows_run(&r.filter, &r.options);
	return filter_close(&r.filter);
}
