/* findings - what does not fit the catalogue: each thing once, with a count and where it was seen first. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef LINT_FINDINGS_H
#define LINT_FINDINGS_H

#include "base/table.h"
#include "envelope/metric.h"

enum finding_kind {
	FINDING_NAME,      /* not in the catalogue; more: what may have been meant */
	FINDING_TYPE,      /* more: the types the catalogue has */
	FINDING_METRIC,    /* no sink would take it; more: why */
	FINDING_TAGS,      /* fields.tags is no object */
	FINDING_TAG,       /* not allowed; more: what may have been meant */
	FINDING_TWICE,     /* the tag is repeated */
	FINDING_MISSING,   /* the tag is */
	FINDING_NO_TEXT,   /* the value is null, an object or an array; more: which */
	FINDING_VALUE,     /* not allowed; more: what is */
	FINDING_LONG,      /* the value is longer than is allowed */
	FINDING_MANY,      /* more different values than allowed; more: how many are; value: one of them */
	FINDING_UNUSED,    /* of the catalogue: never came */
	FINDING_KINDS,
};

enum { FINDINGS_MAX = 10000, FINDINGS_NAMES_MAX = 1000, FINDINGS_TOLD_MAX = 20, FINDINGS_TEXT_MAX = 200 };

/* Kind, type, name, tag and value say which finding it is; the rest is of its first sight. */
struct finding {
	enum finding_kind kind;
	enum metric_kind type;
	struct span name, tag, value, more; /* cut to FINDINGS_TEXT_MAX bytes; empty if there is none */
	const char *source;
	uint64_t line;
	uint32_t *told;    /* counts those told apart of which FINDINGS_TOLD_MAX are; the rest is one finding, without name or value. NULL: all are */
	bool others;       /* it is that one */
	uint64_t count;
};

struct findings {
	struct table table;      /* of struct finding * */
	struct buffer key;
	uint32_t names;          /* told apart that are not in the catalogue */
	uint64_t count;          /* of all findings, repeats included */
	uint64_t left_out;       /* those beyond FINDINGS_MAX */
};

void findings_init(struct findings *);
void findings_release(struct findings *);

/* Counts the finding if it is there already: true. Else it is for findings_add; it may have been made one of the others. */
bool findings_repeats(struct findings *, struct finding *);

/* Adds a finding that findings_repeats has seen last; texts are copied, `source` too. The kept one; NULL: there are too many. Dies without memory. */
const struct finding *findings_add(struct findings *, const struct finding *);

/* Most frequent first, of equal ones that which was seen first. An array for free(), of findings->table.count. */
const struct finding **findings_sorted(const struct findings *);

const char *finding_kind_name(enum finding_kind);

/* A line for people, without its newline: "FILE:LINE: what is wrong [kind, N times]"; safe for a terminal. Without `counted` only "[kind]". */
bool finding_append_text(struct buffer *out, const struct finding *, bool counted);
/* An envelope of type metlog.finding, without its newline. */
bool finding_append_json(struct buffer *out, const struct finding *);

#endif
