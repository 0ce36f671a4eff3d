/* rules - the rules of metlog-derive, compiled: which metrics an envelope becomes. Language: metlog-rules(5). */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef DERIVE_RULES_H
#define DERIVE_RULES_H

#include "base/buffer.h"
#include "base/logical.h"
#include "envelope/field_set.h"
#include "envelope/match.h"

/*     # a comment: at the start of a line, or behind a blank
 *     let service = lower(logger)                                        before the first `when`: for all blocks
 *
 *     when type == "canonical-log-line" && fields.http_path != NIL       EXPR as in metlog-match(7)
 *       let key = "invalid" if fields.api_key_allowed == FALSE else fields.api_key
 *       counter request         tags path = tagpath(fields.http_path), method = tag(lower(fields.http_method)), status = fields.http_status
 *       timer   request.timing  = round(fields.duration_s * 1000)   tags path, method
 *       counter {fields.api_type}.query  tags key = key, geoip = "false" if !fields.has_geoip, blue = bucket(fields.blue, none, one, many)
 *       counter {fields.api_type}.source  for s in internal, geoip  if fields.source_${s}_status != NIL
 *               tags key, source = "${s}", status = fields.source_${s}_status
 *
 *     block     = "when" EXPR { statement }                               to the next `when`
 *     statement = "let" WORD "=" value | metric
 *     metric    = ( "counter" | "timer" | "gauge" | "set" ) NAME [ "=" value ] [ "for" WORD "in" WORD { "," WORD } ]
 *                 [ "if" EXPR ] [ "rate" value ] [ "sample" NUMBER ] [ "tags" tag { "," tag } ]      a counter without "=" counts 1
 *     tag       = WORD [ "=" value ]                                      a WORD alone: the tag of that name that this block has had last
 *     value     = sum [ "if" EXPR [ "else" value ] ]
 *     sum       = product { ( "+" | "-" ) product }         product = factor { ( "*" | "/" ) factor }
 *     factor    = "-" factor | "(" value ")" | FUNCTION "(" value { "," value } ")" | number | text in '' or "" | a name of metlog-match(7) | WORD of a let
 *
 * A statement goes to the next line that begins with `when`, `let` or the name of a kind as its first word; so lines may be broken where blanks may stand. NAME has no blanks; between its braces stand values.
 * "for" repeats the metric for each WORD, which stands in the place of ${WORD OF FOR} anywhere in it. Where a function takes words (the classes of bucket), they need no quotes.
 * Nothing there is not an error: what is computed of it is not there either; a tag whose value is not there is left out; a metric without its value, or a part of its name, is not made. */

enum { RULES_BYTES_MAX = LOGICAL_BYTES_MAX, RULES_METRICS_MAX = 4096, RULES_TAGS_MAX = 32, RULES_DEPTH_MAX = 64, RULES_NAME_MAX = 200 };

enum expr_kind {
	EXPR_TEXT, EXPR_NUMBER, EXPR_FIELD, EXPR_LET, EXPR_CALL,
	EXPR_CHOICE,  /* arg[0] if condition, else arg[1] if there is one */
	EXPR_NEGATE, EXPR_ADD, EXPR_SUBTRACT, EXPR_MULTIPLY, EXPR_DIVIDE,
};

struct function; /* function.h */

struct expr {
	enum expr_kind kind;
	struct span text;                /* EXPR_TEXT; valid UTF-8 */
	double number;                   /* EXPR_NUMBER */
	uint32_t field;                  /* EXPR_FIELD: its number in rules.fields */
	struct span path;                /* EXPR_FIELD: "fields.http_path" */
	uint32_t let;                    /* EXPR_LET: its number in rules.let */
	const struct function *function; /* EXPR_CALL */
	struct match *condition;         /* EXPR_CHOICE; its fields are looked up in rules.fields */
	struct expr **arg;
	size_t count;
	uint32_t height;                 /* one more than the highest of arg, or than the value of the let: at most RULES_DEPTH_MAX, so that who walks over it may recurse */
};

struct rules_let { struct span name; struct expr *value; };

struct rules_tag {
	struct span name;         /* [A-Za-z][A-Za-z0-9_.-]*, at most 100 bytes */
	struct expr *value;
};

enum metric_kind { METRIC_COUNTER, METRIC_TIMER, METRIC_GAUGE, METRIC_SET };

struct rules_metric {
	enum metric_kind kind;
	struct rules_part { struct span literal; struct expr *value; } *part; /* of the name: a literal, or a value if that is not NULL */
	size_t part_count;
	struct expr *value;       /* NULL: 1 */
	struct expr *rate;        /* NULL: 1 */
	double sample;            /* 1: all */
	struct match *condition;  /* NULL: always */
	uint32_t tag[RULES_TAGS_MAX]; /* numbers in rules.tag, in the order of the file */
	size_t tag_count;
	size_t line;              /* of its first word, in the file */
	struct span text;         /* as it stands in the file (its "for" said), blanks made one: for --explain and the books */
	struct metric_books { uint64_t made, unmade, left_out; } books; /* unmade: without a value, a name, or no number; left_out: by sample */
};

struct rules_block {
	struct match *condition;
	size_t metric, metric_count;  /* its stretch of rules.metric */
	size_t line;
	struct span text;             /* "when ...", as metric.text */
	const char *source;           /* the file */
	uint64_t matched;
};

struct rules {
	struct field_set *fields;     /* of all expressions and conditions */
	struct rules_block *block;
	size_t block_count;
	struct rules_metric *metric;
	size_t metric_count;
	struct rules_tag *tag;
	size_t tag_count;
	struct rules_let *let;
	size_t let_count;
	/* and what rules*.c own: the texts and expressions */
	struct rules_store *store;
};

bool rules_init(struct rules *);   /* false: no memory */
void rules_release(struct rules *);

/* Adds the rules of a file's text, behind those that are there. False: `fault` is filled, and the rules are only good for rules_release. `source` is borrowed, the text is copied. */
bool rules_add(struct rules *, const char *source, struct span text, struct logical_fault *);

#endif
