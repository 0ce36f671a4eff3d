/* options - what the command line of metlog-to-mozlog says. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "options.h"

#include <string.h>

enum { KEY_PLAIN = TOOL_KEY, KEY_NO_TIMESTAMP, KEY_FLATTEN, KEY_SCHEMA, KEY_COLUMNS };

const struct argp_option to_mozlog_option_rows[] = {
	{ NULL, 0, NULL, 0, "How to write it:", 1 },
	{ "no-timestamp", KEY_NO_TIMESTAMP, "WHAT", 0, "What an envelope without a time is: reject (default), or stamped with now", 1 },
	{ "plain", KEY_PLAIN, NULL, 0, "Write no value as Heka's object: leave null out, and write the text of other values", 1 },
	{ "flatten", KEY_FLATTEN, "FORM", OPTION_ARG_OPTIONAL, "Write rows for BigQuery: record (default), or flat, a column for each leaf", 1 },
	{ "bigquery-schema", KEY_SCHEMA, NULL, 0, "Print only the schema of those rows, at the end", 1 },
	{ "columns", KEY_COLUMNS, "FILE", 0, "Begin with the columns of this schema: names and types stay as they are there", 1 },
	{ 0 },
};

static bool is_now(const char *word)
{
	if (strcmp(word, "now") == 0) return true;
	if (strcmp(word, "reject") != 0) tool_usage_error("--no-timestamp: reject or now, not '%s'", word);
	return false;
}

static enum mozlog_form form_of(const char *word)
{
	if (!word || strcmp(word, "record") == 0) return MOZLOG_FORM_RECORD;
	if (strcmp(word, "flat") != 0) tool_usage_error("--flatten: record or flat, not '%s'", word);
	return MOZLOG_FORM_FLAT;
}

error_t to_mozlog_option_parse(int key, char *arg, struct argp_state *state)
{
	struct to_mozlog_options *o = state->input;
	switch (key) {
	case KEY_PLAIN: o->plain = true; return 0;
	case KEY_NO_TIMESTAMP: o->stamps = is_now(arg); return 0;
	case KEY_FLATTEN: o->form = form_of(arg); return 0;
	case KEY_SCHEMA: o->schema = true; return 0;
	case KEY_COLUMNS: o->columns = arg; return 0;
	case ARGP_KEY_END:
		if (o->schema && o->form == MOZLOG_FORM_LINES) o->form = MOZLOG_FORM_RECORD;
		if (o->columns && o->form == MOZLOG_FORM_LINES) tool_usage_error("--columns goes with --flatten or --bigquery-schema");
		if (o->plain && o->form != MOZLOG_FORM_LINES) tool_usage_error("--plain does not go with --flatten or --bigquery-schema");
		return ARGP_ERR_UNKNOWN;
	default: return ARGP_ERR_UNKNOWN;
	}
}
