/* options - the command line of metlog-cardinality: one tool, and what it is asked to do. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_OPTIONS_H
#define CARDINALITY_OPTIONS_H

#include "envelope/field.h"
#include "filter/tool.h"

enum cardinality_mode {
	MODE_COUNT,   /* envelopes -> counts */
	MODE_USERS,   /* envelopes and --state -> gauges by interval */
	MODE_MAP,     /* envelopes -> lines of group and sketch */
	MODE_REDUCE,  /* such lines -> counts */
	MODE_MERGE,   /* files of Redis values -> one count */
	MODE_REPORT,  /* envelopes -> what explodes */
	MODE_GUARD,   /* envelopes -> envelopes with tame tags */
};

enum { OPTIONS_FIELDS_MAX = 32, OPTIONS_INTERVALS_MAX = 16, OPTIONS_RULES_MAX = 256, OPTIONS_DAYS_MAX = 366 };

/* A member of the envelope, and the name it goes by: "fields.api_key" is "api_key"; "key=fields.api_key" is "key". */
struct cardinality_field {
	struct field_path path;
	struct span name;      /* for --of: the path as it was written, unless NAME= says otherwise */
	struct span label;     /* the name as JSON, as a group has it: ,"NAME": */
};

enum cardinality_format { FORMAT_AUTO, FORMAT_TABLE, FORMAT_JSON };

struct cardinality_options {
	enum cardinality_mode mode;
	struct cardinality_field of[OPTIONS_FIELDS_MAX], by[OPTIONS_FIELDS_MAX];
	size_t of_count, by_count;
	bool exact, address;               /* --exact, --ip */
	uint64_t memory_limit;             /* --max-memory, bytes */
	const char *name;                  /* --name; NULL: "cardinality" */
	enum cardinality_format format;    /* --format */
	const char *sketch;                /* --sketch FILE */
	bool lines;                        /* --map: lines are written, of envelopes or (with --reduce) of lines */
	/* users */
	int interval[OPTIONS_INTERVALS_MAX]; /* days, 1..OPTIONS_DAYS_MAX, as given */
	size_t interval_count;
	const char *state;                 /* --state DIR; also of the guard */
	const char *now_text;              /* --now, as given */
	int64_t now;                       /* the same in nanoseconds; INT64_MIN: the newest envelope's time */
	/* report */
	struct cardinality_field tag[OPTIONS_FIELDS_MAX]; /* --tags; none: what is in fields.tags */
	size_t tag_count;
	const char *limit;                 /* --limit */
	int64_t fail_over;                 /* --fail-over; below 0: not given */
	const char *html;                  /* --html FILE */
	int top;                           /* --top: values shown of a tag */
	/* guard */
	const char *rules_file;            /* --rules FILE */
	const char *rule[OPTIONS_RULES_MAX]; /* --rule RULE, in order, behind those of the file */
	size_t rule_count;
};

extern const struct argp_option cardinality_option_rows[];

void cardinality_options_init(struct cardinality_options *);
error_t cardinality_option_parse(int key, char *text, struct argp_state *); /* for tool_about.parse; the context is the options */
void cardinality_options_complete(struct cardinality_options *, const struct tool_options *); /* what they say together; a usage error (64) */

#endif
