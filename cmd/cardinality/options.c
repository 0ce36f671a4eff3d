/* options - the command line of metlog-cardinality: its rows, and what they say together. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "options.h"

#include <stdlib.h>

#include "base/number.h"
#include "base/timestamp.h"
#include "envelope/compose.h"
#include "group.h"
#include "io/diag.h"

enum {
	KEY_OF = TOOL_KEY, KEY_BY, KEY_EXACT, KEY_IP, KEY_MEMORY, KEY_NAME, KEY_FORMAT, KEY_SKETCH, KEY_MERGE, KEY_MAP, KEY_REDUCE, KEY_INTERVAL, KEY_STATE, KEY_NOW,
	KEY_REPORT, KEY_TAGS, KEY_LIMIT, KEY_FAIL_OVER, KEY_HTML, KEY_TOP, KEY_GUARD, KEY_RULES, KEY_RULE,
};

enum { TOP_DEFAULT = 5 };

const struct argp_option cardinality_option_rows[] = {
	{ NULL, 0, NULL, 0, "Count:", 1 },
	{ "of", KEY_OF, "[NAME=]FIELD,...", 0, "Count the different values of FIELD (fields.ip, logger, ...); may be repeated", 1 },
	{ "by", KEY_BY, "[NAME=]FIELD,...", 0, "Count for each value of FIELD, or set of values, on its own; may be repeated", 1 },
	{ "exact", KEY_EXACT, NULL, 0, "Keep every value and count exactly, as long as --max-memory allows", 1 },
	{ "ip", KEY_IP, NULL, 0, "Take the values for addresses: in canonical form, and 127.0.0.1 for what is none", 1 },
	{ "max-memory", KEY_MEMORY, "SIZE", 0, "Count what would need more memory together, as other (default 1Gi)", 1 },
	{ "format", KEY_FORMAT, "FORMAT", 0, "Write a table or json, which is envelopes (default table on a terminal, else json)", 1 },
	{ "name", KEY_NAME, "NAME", 0, "Name the gauges NAME (default cardinality)", 1 },
	{ NULL, 0, NULL, 0, "Users by interval:", 2 },
	{ "interval", KEY_INTERVAL, "Nd,...", 0, "Count over the last N days, today included, with what --state keeps", 2 },
	{ "state", KEY_STATE, "DIR", 0, "Keep a sketch for each group and day (with --guard: the values let through) in DIR", 2 },
	{ "now", KEY_NOW, "TIME", 0, "End the intervals with the day of TIME (default that of the newest envelope)", 2 },
	{ NULL, 0, NULL, 0, "Sketches that travel:", 3 },
	{ "sketch", KEY_SKETCH, "FILE", 0, "Write the sketch to FILE, as Redis keeps it", 3 },
	{ "merge", KEY_MERGE, NULL, 0, "Read each FILE as such a sketch, and count their union", 3 },
	{ "map", KEY_MAP, NULL, 0, "Write each group and its sketch as a line (with --reduce too: a combiner)", 3 },
	{ "reduce", KEY_REDUCE, NULL, 0, "Read such lines, and count their union", 3 },
	{ NULL, 0, NULL, 0, "Find what explodes:", 4 },
	{ "report", KEY_REPORT, NULL, 0, "Tell, of each metric and tag, its values, series, growth and most frequent values", 4 },
	{ "tags", KEY_TAGS, "FIELD,...", 0, "Take FIELD for a tag (default what is in fields.tags)", 4 },
	{ "top", KEY_TOP, "N", 0, "Show the N most frequent values of each tag (default 5)", 4 },
	{ "limit", KEY_LIMIT, "LIMIT,...", 0, "Hold it against influxdb, graphite, or values=N, series=N, total=N (default influxdb,graphite)", 4 },
	{ "fail-over", KEY_FAIL_OVER, "N", 0, "Exit 1 if a tag has more than N values or a metric more than N series", 4 },
	{ "html", KEY_HTML, "FILE", 0, "Write the report as one page to FILE", 4 },
	{ NULL, 0, NULL, 0, "Guard:", 5 },
	{ "guard", KEY_GUARD, NULL, 0, "Pass envelopes on, and keep their tags tame by the rules", 5 },
	{ "rules", KEY_RULES, "FILE", 0, "Read rules from FILE, one a line: tag FIELD limit N -> VALUE; see metlog-guard(5)", 5 },
	{ "rule", KEY_RULE, "RULE", 0, "Add this rule; may be repeated", 5 },
	{ 0 },
};

void cardinality_options_init(struct cardinality_options *o)
{
	*o = (struct cardinality_options){ .mode = MODE_COUNT, .memory_limit = (uint64_t)1 << 30, .now = INT64_MIN, .fail_over = -1, .top = -1 };
}

static struct span label_of(struct span name)
{
	struct buffer label;
	buffer_init(&label, SIZE_MAX / 2);
	buffer_append_byte(&label, ',');
	compose_text(&label, name);
	buffer_append_byte(&label, ':');
	if (label.failed) die(EXIT_INTERNAL, "no memory for the options");
	return buffer_span(&label);
}

/* "NAME=PATH" or "PATH", several of them with commas between. last_segment: without a name it goes by the last segment of its path. */
static void add_fields(const char *option, const char *text, struct cardinality_field *field, size_t *count, bool last_segment)
{
	struct span rest = span_of(text);
	do {
		const char *comma = rest.length ? memchr(rest.data, ',', rest.length) : NULL;
		struct span one = comma ? span_between(rest.data, comma) : rest, path = one, name = { 0 };
		rest = comma ? span_between(comma + 1, rest.data + rest.length) : (struct span){ 0 };
		const char *equals = one.length ? memchr(one.data, '=', one.length) : NULL;
		if (equals) {
			name = span_between(one.data, equals);
			path = span_between(equals + 1, one.data + one.length);
		}
		if (*count == OPTIONS_FIELDS_MAX) tool_usage_error("%s: more than %d fields", option, OPTIONS_FIELDS_MAX);
		struct cardinality_field *f = &field[*count];
		if (!field_path_init(&f->path, path) || (equals && !name.length)) tool_usage_error("%s: '%.*s' is not FIELD or NAME=FIELD, as in fields.ip", option, (int)one.length, one.data);
		f->name = name.length ? name : last_segment ? f->path.segment[f->path.depth - 1] : path;
		if (strcmp(option, "--by") == 0 && group_name_is_taken(f->name)) tool_usage_error("%s: the name '%.*s' is taken: give the field another, as in NAME=%.*s", option, (int)f->name.length, f->name.data, (int)path.length, path.data);
		for (size_t i = 0; i < *count; i++)
			if (span_equal(field[i].name, f->name)) tool_usage_error("%s: two fields go by the name '%.*s': give one another name, as in NAME=%.*s", option, (int)f->name.length, f->name.data, (int)path.length, path.data);
		f->label = label_of(f->name);
		(*count)++;
		if (!comma) return;
	} while (true);
}

static void add_intervals(struct cardinality_options *o, const char *text)
{
	struct span rest = span_of(text);
	do {
		const char *comma = rest.length ? memchr(rest.data, ',', rest.length) : NULL;
		struct span one = comma ? span_between(rest.data, comma) : rest;
		int64_t days = 0;
		if (one.length > 1 && one.data[one.length - 1] == 'd' && number_parse_int((struct span){ one.data, one.length - 1 }, &days) && days >= 1 && days <= OPTIONS_DAYS_MAX) {
			for (size_t i = 0; i < o->interval_count; i++)
				if (o->interval[i] == (int)days) tool_usage_error("--interval: %dd is given twice", (int)days);
			if (o->interval_count == OPTIONS_INTERVALS_MAX) tool_usage_error("--interval: more than %d of them", OPTIONS_INTERVALS_MAX);
			o->interval[o->interval_count++] = (int)days;
		} else {
			tool_usage_error("--interval: '%.*s' is not a number of days from 1d to %dd", (int)one.length, one.data, OPTIONS_DAYS_MAX);
		}
		if (!comma) return;
		rest = span_between(comma + 1, rest.data + rest.length);
	} while (true);
}

static void set_mode(struct cardinality_options *o, enum cardinality_mode mode)
{
	if (o->mode != MODE_COUNT && o->mode != mode) tool_usage_error("--map, --reduce, --merge, --report and --guard: only one of them at a time");
	o->mode = mode;
}

static enum cardinality_format format_of(const char *text)
{
	if (strcmp(text, "table") == 0) return FORMAT_TABLE;
	if (strcmp(text, "json") == 0) return FORMAT_JSON;
	tool_usage_error("--format: '%s' is not table or json", text);
}

error_t cardinality_option_parse(int key, char *text, struct argp_state *state)
{
	struct cardinality_options *o = state->input;
	switch (key) {
	case KEY_OF: add_fields("--of", text, o->of, &o->of_count, false); return 0;
	case KEY_BY: add_fields("--by", text, o->by, &o->by_count, true); return 0;
	case KEY_TAGS: add_fields("--tags", text, o->tag, &o->tag_count, true); return 0;
	case KEY_EXACT: o->exact = true; return 0;
	case KEY_IP: o->address = true; return 0;
	case KEY_MEMORY: o->memory_limit = tool_size("--max-memory", text); return 0;
	case KEY_NAME: o->name = text; return 0;
	case KEY_FORMAT: o->format = format_of(text); return 0;
	case KEY_SKETCH: o->sketch = text; return 0;
	case KEY_MERGE: set_mode(o, MODE_MERGE); return 0;
	case KEY_MAP: o->lines = true; return 0;
	case KEY_REDUCE: set_mode(o, MODE_REDUCE); return 0;
	case KEY_INTERVAL: add_intervals(o, text); return 0;
	case KEY_STATE: o->state = text; return 0;
	case KEY_NOW: o->now_text = text; return 0;
	case KEY_REPORT: set_mode(o, MODE_REPORT); return 0;
	case KEY_LIMIT: o->limit = text; return 0;
	case KEY_FAIL_OVER: o->fail_over = tool_integer("--fail-over", text, 0, INT64_MAX); return 0;
	case KEY_HTML: o->html = text; return 0;
	case KEY_TOP: o->top = (int)tool_integer("--top", text, 0, 32); return 0;
	case KEY_GUARD: set_mode(o, MODE_GUARD); return 0;
	case KEY_RULES: o->rules_file = text; return 0;
	case KEY_RULE:
		if (o->rule_count == OPTIONS_RULES_MAX) tool_usage_error("--rule: more than %d of them", OPTIONS_RULES_MAX);
		o->rule[o->rule_count++] = text;
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

/* An option that has no meaning in this use is a mistake, not a thing to pass over. */
static void refuse(bool given, const char *option, const char *needs)
{
	if (given) tool_usage_error("%s: only with %s", option, needs);
}

/* "-" is none: what is counted goes to standard output. */
static void need_name(const char *name, const char *option, const char *of)
{
	if (name && !*name) tool_usage_error("%s: needs the name of a %s", option, of);
}

static void need_file(const char *name, const char *option)
{
	need_name(name, option, "file");
	if (name && strcmp(name, "-") == 0) tool_usage_error("%s: needs the name of a file; one that is called - is ./-", option);
}

void cardinality_options_complete(struct cardinality_options *o, const struct tool_options *tool)
{
	if (o->lines && o->mode != MODE_REDUCE) set_mode(o, MODE_MAP);
	if (o->mode == MODE_COUNT && o->interval_count) o->mode = MODE_USERS;
	bool counts = o->mode == MODE_COUNT || o->mode == MODE_USERS || o->mode == MODE_MAP;
	if (counts && !o->of_count) tool_usage_error("--of FIELD is needed, or one of --merge, --reduce, --report and --guard");
	refuse(!counts && o->of_count, "--of", "counts, --map and --interval");
	refuse(!counts && o->mode != MODE_REDUCE && o->by_count, "--by", "counts, --map, --reduce and --interval");
	refuse(!counts && o->address, "--ip", "--of");
	refuse(!counts && o->mode != MODE_REPORT && o->mode != MODE_GUARD && (tool->since != INT64_MIN || tool->until != INT64_MAX), "--since and --until", "envelopes, which have a time");
	refuse(o->lines && (o->name || o->format != FORMAT_AUTO), "--name and --format", "counts, not with --map, which writes lines");
	refuse(o->exact && o->mode != MODE_COUNT, "--exact", "counts");
	refuse(o->exact && o->sketch, "--sketch", "counts that are not --exact");
	refuse(o->sketch && o->mode != MODE_COUNT && o->mode != MODE_MERGE, "--sketch", "counts and --merge");
	if (o->sketch && (o->by_count || o->of_count > 1)) tool_usage_error("--sketch: one file holds one sketch: of one --of and without --by; --map writes them all");
	bool merges = o->mode == MODE_MERGE;
	refuse(merges && tool->match, "--match", "envelopes: --merge reads sketches");
	refuse(merges && (tool->since != INT64_MIN || tool->until != INT64_MAX), "--since, --until", "envelopes: --merge reads sketches");
	if (o->mode == MODE_USERS && !o->state) tool_usage_error("--interval: needs --state DIR");
	if (o->mode == MODE_USERS && o->of_count > 1) tool_usage_error("--interval: takes one --of");
	refuse(o->state && o->mode != MODE_USERS && o->mode != MODE_GUARD, "--state", "--interval and --guard");
	refuse(o->interval_count && o->mode != MODE_USERS, "--interval", "counts");
	/* Only now is the zone known, wherever it stood. */
	if (o->now_text && !timestamp_parse_loose(span_of(o->now_text), timestamp_now(), &o->now)) tool_usage_error("--now: '%s' is not a time", o->now_text);
	refuse(o->now_text && o->mode != MODE_USERS, "--now", "--interval");
	bool report = o->mode == MODE_REPORT;
	refuse(!report && o->tag_count, "--tags", "--report");
	refuse(!report && o->limit, "--limit", "--report");
	refuse(!report && o->fail_over >= 0, "--fail-over", "--report");
	refuse(!report && o->html, "--html", "--report");
	refuse(!report && o->top >= 0, "--top", "--report");
	if (o->top < 0) o->top = TOP_DEFAULT;
	bool guard = o->mode == MODE_GUARD;
	refuse((report || guard) && o->name, "--name", "counts, which are gauges");
	refuse(guard && o->format != FORMAT_AUTO, "--format", "counts and --report");
	if (o->name && !*o->name) tool_usage_error("--name: a gauge without a name is none");
	refuse(!guard && o->rules_file, "--rules", "--guard");
	refuse(!guard && o->rule_count, "--rule", "--guard");
	need_file(o->sketch, "--sketch");
	need_file(o->html, "--html");
	need_name(o->rules_file, "--rules", "file");
	need_name(o->state, "--state", "directory");
	if (guard && !o->rules_file && !o->rule_count) tool_usage_error("--guard: needs --rules FILE or --rule RULE");
}
