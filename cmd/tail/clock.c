/* clock - the time of day and the date of timestamps, in the zone of --tz. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "clock.h"

#include <stdio.h>

static const int64_t minute_ns = INT64_C(60000000000);

void clock_init(struct clock *c)
{
	*c = (struct clock){ .minute = INT64_MIN };
}

static void turn(struct clock *c, int64_t instant, int64_t minute)
{
	struct timestamp_local at = timestamp_local(instant);
	char text[64];
	snprintf(text, sizeof text, "%02d:%02d:", at.hour, at.minute);
	memcpy(c->hours, text, sizeof c->hours);
	int minutes = (at.offset_s < 0 ? -at.offset_s : at.offset_s) / 60;
	int length = at.offset_s == 0 ? snprintf(text, sizeof text, "%04d-%02d-%02d UTC", at.year, at.month, at.day)
	                              : snprintf(text, sizeof text, "%04d-%02d-%02d %c%02d:%02d", at.year, at.month, at.day, at.offset_s < 0 ? '-' : '+', minutes / 60, minutes % 60);
	c->date_length = length > 0 && length < (int)sizeof c->date ? (size_t)length : 0;
	memcpy(c->date, text, c->date_length);
	/* Before zones had whole minutes, a minute of the zone is none of UTC: work out each one anew. */
	c->minute = at.offset_s % 60 ? INT64_MIN : minute;
}

/* `rest`: the nanoseconds of the minute. */
static void print(const struct clock *c, int64_t rest, char text[CLOCK_COLUMNS])
{
	int millis = (int)(rest / 1000000), second = millis / 1000;
	memcpy(text, c->hours, sizeof c->hours);
	text[6] = (char)('0' + second / 10);
	text[7] = (char)('0' + second % 10);
	text[8] = '.';
	text[9] = (char)('0' + millis / 100 % 10);
	text[10] = (char)('0' + millis / 10 % 10);
	text[11] = (char)('0' + millis % 10);
}

bool clock_read(struct clock *c, struct span timestamp, char text[CLOCK_COLUMNS])
{
	int64_t instant;
	if (!timestamp_parse_next(&c->last, timestamp, &instant)) return false;
	int64_t minute = instant / minute_ns, rest = instant - minute * minute_ns;
	if (rest < 0) rest += minute_ns, minute--;
	if (minute != c->minute) turn(c, instant, minute);
	if (c->minute == INT64_MIN) rest = timestamp_local(instant).second * INT64_C(1000000000) + rest % 1000000000;
	print(c, rest, text);
	return true;
}
