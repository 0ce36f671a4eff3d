/* clock - the time of day and the date of timestamps, in the zone of --tz. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TAIL_CLOCK_H
#define TAIL_CLOCK_H

#include "base/timestamp.h"

enum { CLOCK_COLUMNS = 12, CLOCK_DATE_COLUMNS = 10, CLOCK_DATE_MAX = 24 };

/* A clock is worked out once a minute, not once an envelope. */
struct clock {
	int64_t minute;          /* the minute in which `hours` is right; INT64_MIN: none */
	struct timestamp_minute last;
	char hours[6];           /* "12:00:" */
	char date[CLOCK_DATE_MAX]; /* "2012-10-05 +02:00" of the timestamp read last, "2012-10-05 UTC"; not terminated */
	size_t date_length;
};

void clock_init(struct clock *);

/* Fills in the time, "12:00:01.137", and `date`. False, with nothing changed, for a timestamp that cannot be read. */
bool clock_read(struct clock *, struct span timestamp, char text[CLOCK_COLUMNS]);

#endif
