/* report_take - takes one envelope into the report: its members, their values, and the series that they make. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_REPORT_TAKE_H
#define CARDINALITY_REPORT_TAKE_H

#include "base/timestamp.h"
#include "envelope/field.h"
#include "report_metric.h"

/* A member of the envelope at hand. */
struct take_member {
	enum member_place place;
	struct value key, value;
	struct span name;        /* of a tag that --tags names */
	struct member *member;
	uint64_t hash, pair;     /* of the value; of name and value */
};

struct take {
	struct metrics metrics;
	uint64_t envelopes;
	int64_t when;            /* of the envelope at hand, if the clock is set */
	struct take_member *member;
	size_t count, capacity;
	struct span option_name[OPTIONS_FIELDS_MAX]; /* the tags of --tags as they are shown */
	struct timestamp_minute minute;
	struct series_arrivals arrivals;
	struct series_lately lately;
	struct buffer type, name, key; /* decoded */
};

void take_init(struct take *, const struct cardinality_options *);
void take_release(struct take *);
void take_envelope(struct take *, const struct envelope *);

#endif
