/* rows - the loop over envelopes that become rows. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "rows.h"

#include <stdio.h>

#include "base/timestamp.h"
#include "flatten.h"
#include "io/diag.h"
#include "schema.h"

enum { SCHEMA_MAX = 64 * 1024 * 1024, ROW_MAX = 100 * 1024 * 1024 }; /* BigQuery's; only names repeated for each of many leaves make a line so much longer */

static void take(struct filter *filter, const struct envelope *envelope, struct flatten *flatten, const struct to_mozlog_options *o, struct buffer *row)
{
	struct mozlog_options options = { .has_now = o->stamps };
	if (o->stamps && envelope->timestamp.text.length == 0) options.now_ns = timestamp_now();
	buffer_clear(row);
	const char *why = flatten_append(flatten, envelope, &options, row);
	if (row->no_memory) die(EXIT_INTERNAL, "making a row: out of memory");
	if (!why && (row->failed || row->length > ROW_MAX)) why = "its row is longer than 100 MiB, which BigQuery does not take";
	if (why) {
		filter_reject(filter, envelope, why);
		return;
	}
	if (!o->schema) writer_line(&filter->out, buffer_span(row));
	filter_booked_pass(filter);
}

static void print_schema(struct filter *filter, struct columns *columns)
{
	struct buffer text;
	buffer_init(&text, SIZE_MAX / 2);
	if (!schema_append(columns, &text)) die(EXIT_INTERNAL, "printing the schema: out of memory");
	writer_bytes(&filter->out, buffer_span(&text));
	buffer_release(&text);
}

static void read_schema(struct columns *columns, const char *path)
{
	struct buffer text;
	char part[65536];
	size_t got;
	FILE *file = fopen(path, "re");
	if (!file) die_errno(EXIT_CONFIGURATION, "%s", path);
	buffer_init(&text, SCHEMA_MAX);
	while ((got = fread(part, 1, sizeof part, file)) > 0) buffer_append(&text, part, got);
	if (ferror(file)) die_errno(EXIT_CONFIGURATION, "%s", path);
	fclose(file);
	const char *why = text.failed ? "longer than 64 MiB, or no memory" : schema_read(columns, buffer_span(&text));
	if (why) die(EXIT_CONFIGURATION, "%s: no schema of BigQuery: %s", path, why);
	buffer_release(&text);
}

void rows_run(struct filter *filter, const struct to_mozlog_options *o)
{
	struct flatten *flatten = flatten_new(o->form == MOZLOG_FORM_FLAT);
	struct columns *columns = flatten_columns(flatten);
	struct envelope envelope;
	struct buffer row;
	buffer_init(&row, ROW_MAX + 2 * COLUMNS_PADDING); /* some of it is reserved, and not written */
	if (o->columns) read_schema(columns, o->columns);
	while (filter_next(filter, &envelope)) take(filter, &envelope, flatten, o, &row);
	if (o->schema) print_schema(filter, columns);
	*stats_extra(&filter->stats, "columns") = columns_made(columns);
	*stats_extra(&filter->stats, "columns_split") = columns_split(columns);
	buffer_release(&row);
	flatten_free(flatten);
}
