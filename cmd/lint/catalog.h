/* catalog - which metrics there are, with their tags and values. Language: metlog-catalog(5). */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef LINT_CATALOG_H
#define LINT_CATALOG_H

#include "base/logical.h"
#include "base/table.h"
#include "envelope/match_regex.h"
#include "envelope/metric.h"

/*     # a comment, at the start of a line or behind a blank
 *     tag path = *500
 *     prefix location.
 *     counter request  "requests answered"  tags path, method = get|post, status = /[1-5][0-9][0-9]/
 *     timer   request.timing ms
 *             tags path, method? = get|post, ...                 a line that begins with a blank goes on with the one before
 *
 *     line    = "tag" WORD "=" values | "prefix" WORD | kind NAME { "," NAME } [ WORD ] [ TEXT ] [ "tags" tag { "," tag } ]
 *     tag     = WORD [ "?" ] [ "=" values ] | "..."              a WORD alone: the values of the last line "tag WORD"
 *     values  = value { "|" value }
 *     value   = WORD | TEXT | "/" PATTERN "/" [ "*" N ] | "*" N | "*" */
enum {
	CATALOG_BYTES_MAX = LOGICAL_BYTES_MAX, CATALOG_NAMES_MAX = 10000, CATALOG_TAGS_MAX = 64, CATALOG_WORDS_MAX = 10000,
	CATALOG_LIMIT_MAX = 1000000, CATALOG_LIMIT_DEFAULT = 1000, CATALOG_NAME_MAX = 200, CATALOG_VALUE_MAX = 200,
};

struct catalog_values {
	struct table words;
	struct match_regex *pattern;     /* NULL: none; matches whole values */
	bool any;                        /* "*" */
	uint32_t limit;                  /* how many different values pattern or any lets in; 0: without a bound */
	struct span text;                /* as it stands in the file, without blanks */
};

struct catalog_tag {
	struct span name;
	bool optional;
	const struct catalog_values *values;
	struct table seen;               /* the values let in by pattern or any */
	uint32_t told;                   /* how many findings there are about values of this tag */
};

/* A line of the file; its names share it. */
struct catalog_line {
	enum metric_kind kind;
	struct catalog_tag *tag;
	size_t count;
	bool open;                       /* "...": other tags are allowed */
	struct span tags;                /* as they stand in the file */
	const char *source;              /* borrowed */
	size_t number;
	uint32_t told;                   /* how many findings there are about tags that it does not have */
};

/* A name in a line. */
struct catalog_form {
	struct span name;                /* with its prefix */
	struct catalog_line *line;
	uint32_t next;                   /* of the same name: its number + 1; 0: no more */
	uint64_t came;                   /* metrics; counted by whoever uses the catalogue */
};

struct catalog {
	struct catalog_form *form;
	size_t form_count;
	struct catalog_line **line;
	size_t line_count;
	struct catalog_values **values;  /* all there are */
	size_t values_count;
	struct table names;              /* a name: its first form, by number (uint32_t) */
	uint32_t *glob;                  /* first forms of the names with a '*', in order */
	size_t glob_count;
	struct table tags;               /* of lines "tag": values by number (uint32_t), the last counts */
	struct span prefix;
};

void catalog_init(struct catalog *);
void catalog_release(struct catalog *);

/* Adds the lines of a file's text; its `tag` and `prefix` lines hold to its end. `source` must outlive the catalogue, the text need not. False: `fault` is filled (release the catalogue).
 * Dies without memory. */
bool catalog_add(struct catalog *, const char *source, struct span text, struct logical_fault *);

/* The first form of the name; of names with a '*' the first that fits. NULL: none. */
struct catalog_form *catalog_find(const struct catalog *, struct span name);
struct catalog_form *catalog_next(const struct catalog *, const struct catalog_form *);

/* A name of the catalogue that may have been meant; empty if none is near. */
struct span catalog_guess(const struct catalog *, struct span name);
struct span catalog_guess_tag(const struct catalog_line *, struct span name);

const char *catalog_kind_name(enum metric_kind);

#endif
