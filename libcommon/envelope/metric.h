/* metric - what an envelope of type counter, timer, gauge or set says, checked, with its numbers as text that statsd reads. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_METRIC_H
#define ENVELOPE_METRIC_H

#include "base/number.h"
#include "envelope/field.h"

enum metric_kind { METRIC_COUNTER, METRIC_TIMER, METRIC_GAUGE, METRIC_SET };

/* Numbers are fixed-notation decimal text: statsd's rate knows no exponent, and a sign means something for its gauges, so
 * there is no '+' and no "-0". A number that is written so already goes through as it is: no digit is lost. */
struct metric {
	enum metric_kind kind;
	struct value name;      /* fields.name, a string that is not empty */
	struct value tags;      /* fields.tags, if it is an object; else absent */
	struct value member;    /* a set's: the payload */
	struct span value;      /* the others' */
	struct span rate;       /* of counters and timers, between 0 and 1; empty if it is 1, and then it is not sent */
	char value_room[NUMBER_FIXED_MAX];
	char rate_room[NUMBER_FIXED_MAX];
};

enum metric_verdict { METRIC_GOOD, METRIC_OTHER, METRIC_BAD };

/* METRIC_OTHER: the envelope is of another type. METRIC_BAD: *reason says what is wrong with it. Spans point into the envelope's line or
 * into the metric itself. */
enum metric_verdict metric_read(struct metric *, const struct envelope *, const char **reason);

double metric_number(struct span text); /* of a value or rate above */

#endif
