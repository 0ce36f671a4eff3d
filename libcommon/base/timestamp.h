/* timestamp - instants as nanoseconds since 1970-01-01T00:00:00Z, read from and written as RFC 3339. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include <stdint.h>
#include "base/span.h"

enum { TIMESTAMP_MAX = 48 }; /* room for any text written here, with its NUL */

/* Reads the four forms in the field: 0 to 9 fraction digits (more are cut), then 'Z', an offset +hh:mm, or no zone (= UTC).
 * 'T', 't' or a space between date and time; a leap second 60 counts as the second after 59. The whole span or nothing.
 * Years 1678 to 2261 (the range of 64-bit nanoseconds). */
bool timestamp_parse(struct span text, int64_t *nanoseconds);

/* timestamp_parse for many in a row: a third of the time, for most are of the same minute as the one before. Zeroed at the start. */
struct timestamp_minute { char text[16]; int64_t when; bool set; }; /* "2026-01-02T03:04", and that instant */
bool timestamp_parse_next(struct timestamp_minute *, struct span text, int64_t *nanoseconds);

/* What a person types for --since and --until: RFC 3339, a date alone, "HH:MM[:SS]" today, epoch seconds ("1353631447", "@..."),
 * "-15m", "15m" or "15m ago", "now", "today", "yesterday". Dates without a zone are in `zone` (below). */
bool timestamp_parse_loose(struct span text, int64_t now, int64_t *nanoseconds);

int64_t timestamp_now(void); /* CLOCK_REALTIME */

/* "2012-10-05T12:00:01.137911Z": UTC, always six digits, as the original Python client writes. Returns the length. */
size_t timestamp_print(char out[TIMESTAMP_MAX], int64_t nanoseconds);

/* timestamp_print for many in a row, likewise. */
size_t timestamp_print_next(struct timestamp_minute *, char out[TIMESTAMP_MAX], int64_t nanoseconds);

/* The zone in which timestamp_local works and timestamp_parse_loose reads: "UTC" (the default), "local", or a name from the
 * zone database. It is the process's zone (tzset): call once, when options are read. False if the name is not known. */
bool timestamp_set_zone(const char *name);

/* Broken-down time in the chosen zone; offset_s is the zone's offset from UTC, in seconds. */
struct timestamp_local {
	int year, month, day, hour, minute, second, nanosecond, offset_s;
};
struct timestamp_local timestamp_local(int64_t nanoseconds);

#endif
