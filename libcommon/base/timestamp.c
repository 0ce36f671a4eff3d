/* timestamp - instants as nanoseconds since 1970-01-01T00:00:00Z, read from and written as RFC 3339. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/timestamp.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/number.h"

#define SECOND INT64_C(1000000000)

static bool zone_is_utc = true; /* spares a localtime_r per envelope in the usual case; set with the process's zone */

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar (era arithmetic: a year begins in March). */
static int64_t days_from_date(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_from_days(int64_t days, int *year, int *month, int *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t day_of_era = days - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted = (5 * day_of_year + 2) / 153;
	*day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
	*month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
	*year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

/* Takes exactly `count` digits off the front of `text`. */
static bool take_digits(struct span *text, size_t count, int *value)
{
	if (text->length < count) return false;
	*value = 0;
	for (size_t i = 0; i < count; i++) {
		unsigned digit = (unsigned)(unsigned char)text->data[i] - '0';
		if (digit > 9) return false;
		*value = *value * 10 + (int)digit;
	}
	text->data += count;
	text->length -= count;
	return true;
}

/* Inline, and no strchr: for most calls any_of is one byte, known to the compiler. */
static inline bool take_byte(struct span *text, const char *any_of)
{
	if (text->length == 0 || text->data[0] == '\0') return false;
	while (*any_of && *any_of != text->data[0]) any_of++;
	if (!*any_of) return false;
	text->data++;
	text->length--;
	return true;
}

static bool take_date(struct span *text, int *year, int *month, int *day)
{
	return take_digits(text, 4, year) && take_byte(text, "-") && take_digits(text, 2, month) && take_byte(text, "-")
	    && take_digits(text, 2, day) && *year >= 1678 && *year <= 2261 && *month >= 1 && *month <= 12 && *day >= 1
	    && *day <= days_in_month(*year, *month);
}

static bool take_clock(struct span *text, int *seconds, int *nanosecond)
{
	int hour, minute, second = 0;
	if (!take_digits(text, 2, &hour) || !take_byte(text, ":") || !take_digits(text, 2, &minute)) return false;
	if (take_byte(text, ":") && !take_digits(text, 2, &second)) return false;
	if (hour > 23 || minute > 59 || second > 60) return false;
	*seconds = hour * 3600 + minute * 60 + second;
	*nanosecond = 0;
	if (!take_byte(text, ".")) return true;
	int digit, digits = 0;
	for (int unit = 100000000; take_digits(text, 1, &digit); unit /= 10, digits++) *nanosecond += digit * unit;
	return digits > 0;
}

/* 'Z', an offset, or nothing; `zoned` says whether one stood there. */
static bool take_zone(struct span *text, int *offset_s, bool *zoned)
{
	*offset_s = 0;
	*zoned = true;
	if (take_byte(text, "Zz")) return true;
	int sign = text->length && text->data[0] == '-' ? -1 : 1, hours, minutes = 0;
	if (!take_byte(text, "+-")) {
		*zoned = false;
		return true;
	}
	if (!take_digits(text, 2, &hours)) return false;
	bool colon = take_byte(text, ":");
	if ((colon || text->length >= 2) && !take_digits(text, 2, &minutes)) return false;
	if (hours > 23 || minutes > 59) return false;
	*offset_s = sign * (hours * 3600 + minutes * 60);
	return true;
}

bool timestamp_parse(struct span text, int64_t *nanoseconds)
{
	int year, month, day, seconds, nanosecond, offset_s;
	bool zoned;
	if (!take_date(&text, &year, &month, &day) || !take_byte(&text, "Tt ") || text.length < 8) return false;
	if (text.data[5] != ':' || !take_clock(&text, &seconds, &nanosecond)) return false;
	if (!take_zone(&text, &offset_s, &zoned) || text.length) return false;
	*nanoseconds = (days_from_date(year, month, day) * 86400 + seconds - offset_s) * SECOND + nanosecond;
	return true;
}

static bool take_next_digit(const char **p, int64_t *number)
{
	unsigned digit = (unsigned)(unsigned char)**p - '0';
	if (digit > 9) return false;
	*number = *number * 10 + digit;
	++*p;
	return true;
}

/* What stands behind the minute of a timestamp in UTC: ":05.678Z". False: it is in another form. */
static bool read_seconds(struct span rest, int64_t *nanoseconds)
{
	const char *p = rest.data + 1, *end = rest.data + rest.length - 1;
	int64_t seconds = 0, fraction = 0;
	if (rest.length < 4 || rest.data[0] != ':' || *end != 'Z') return false;
	if (!take_next_digit(&p, &seconds) || !take_next_digit(&p, &seconds) || seconds > 59) return false;
	if (p < end) {
		const char *first = ++p;
		if (p[-1] != '.' || end - p < 1 || end - p > 9) return false;
		while (p < end)
			if (!take_next_digit(&p, &fraction)) return false;
		for (long digits = p - first; digits < 9; digits++) fraction *= 10;
	}
	*nanoseconds = seconds * 1000000000 + fraction;
	return true;
}

bool timestamp_parse_next(struct timestamp_minute *last, struct span text, int64_t *nanoseconds)
{
	enum { MINUTE = sizeof last->text };
	int64_t behind;
	if (text.length > MINUTE && last->set && memcmp(last->text, text.data, MINUTE) == 0
		&& read_seconds((struct span){ text.data + MINUTE, text.length - MINUTE }, &behind)) {
		*nanoseconds = last->when + behind;
		return true;
	}
	if (!timestamp_parse(text, nanoseconds)) return false;
	if (text.length > MINUTE && read_seconds((struct span){ text.data + MINUTE, text.length - MINUTE }, &behind)) {
		memcpy(last->text, text.data, MINUTE);
		last->when = *nanoseconds - behind;
		last->set = true;
	}
	return true;
}

int64_t timestamp_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int floor_rest(int64_t a, int64_t b)
{
	return (int)(a % b + (a % b < 0 ? b : 0));
}

struct timestamp_local timestamp_local(int64_t nanoseconds)
{
	struct timestamp_local local = { 0 };
	int64_t seconds = floor_divide(nanoseconds, SECOND);
	local.nanosecond = floor_rest(nanoseconds, SECOND);
	if (!zone_is_utc) {
		struct tm broken;
		time_t instant = (time_t)seconds;
		if (localtime_r(&instant, &broken)) local.offset_s = (int)broken.tm_gmtoff;
	}
	seconds += local.offset_s;
	int64_t days = floor_divide(seconds, 86400);
	int rest = (int)(seconds - days * 86400);
	date_from_days(days, &local.year, &local.month, &local.day);
	local.hour = rest / 3600;
	local.minute = rest / 60 % 60;
	local.second = rest % 60;
	return local;
}

static char *print_two(char *at, int value)
{
	*at++ = (char)('0' + value / 10 % 10);
	*at++ = (char)('0' + value % 10);
	return at;
}

/* What stands behind the minute. */
static char *print_seconds(char *at, int second, int micros)
{
	*at++ = ':', at = print_two(at, second);
	*at++ = '.', at = print_two(print_two(print_two(at, micros / 10000), micros / 100 % 100), micros % 100);
	*at++ = 'Z', *at = '\0';
	return at;
}

size_t timestamp_print(char out[TIMESTAMP_MAX], int64_t nanoseconds)
{
	int64_t seconds = floor_divide(nanoseconds, SECOND), days = floor_divide(seconds, 86400);
	int year, month, day, rest = (int)(seconds - days * 86400), micros = floor_rest(nanoseconds, SECOND) / 1000;
	date_from_days(days, &year, &month, &day);
	char *at = print_two(print_two(out, year / 100), year % 100);
	*at++ = '-', at = print_two(at, month);
	*at++ = '-', at = print_two(at, day);
	*at++ = 'T', at = print_two(at, rest / 3600);
	*at++ = ':', at = print_two(at, rest / 60 % 60);
	return (size_t)(print_seconds(at, rest % 60, micros) - out);
}

size_t timestamp_print_next(struct timestamp_minute *last, char out[TIMESTAMP_MAX], int64_t nanoseconds)
{
	enum { MINUTE = sizeof last->text };
	if (last->set && nanoseconds >= last->when && nanoseconds - last->when < 60 * SECOND) {
		uint64_t behind = (uint64_t)(nanoseconds - last->when) / 1000;
		memcpy(out, last->text, MINUTE);
		return (size_t)(print_seconds(out + MINUTE, (int)(behind / 1000000), (int)(behind % 1000000)) - out);
	}
	size_t length = timestamp_print(out, nanoseconds);
	last->set = nanoseconds >= 0;
	memcpy(last->text, out, MINUTE);
	if (last->set) last->when = nanoseconds - nanoseconds % (60 * SECOND);
	return length;
}

/* tzset takes any nonsense for UTC, so ask first whether the zone database has such a file. */
static bool zone_exists(const char *name)
{
	char path[256], magic[4];
	if (strstr(name, "..") || name[0] == '/' || name[0] == '\0') return false;
	if (snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name) >= (int)sizeof path) return false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return false;
	bool compiled = read(fd, magic, sizeof magic) == (ssize_t)sizeof magic && memcmp(magic, "TZif", sizeof magic) == 0;
	close(fd);
	return compiled;
}

bool timestamp_set_zone(const char *name)
{
	bool utc = strcasecmp(name, "UTC") == 0 || strcmp(name, "Z") == 0;
	if (!utc && strcmp(name, "local") != 0 && (!zone_exists(name) || setenv("TZ", name, 1) != 0)) return false;
	zone_is_utc = utc;
	if (!utc) tzset();
	return true;
}

/* Seconds since the epoch of a wall-clock reading in the chosen zone. */
static int64_t from_local(int year, int month, int day, int seconds)
{
	int64_t as_utc = days_from_date(year, month, day) * 86400 + seconds;
	if (zone_is_utc) return as_utc;
	/* In hours and minutes: mktime would count a large tm_sec from midnight on, through a change of the clock. */
	struct tm broken = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = seconds / 3600, .tm_min = seconds / 60 % 60,
		.tm_sec = seconds % 60, .tm_isdst = -1 };
	return (int64_t)mktime(&broken);
}

static bool parse_relative(struct span text, int64_t now, int64_t *nanoseconds)
{
	int64_t distance;
	if (text.length > 4 && span_equal((struct span){ text.data + text.length - 4, 4 }, SPAN(" ago"))) text.length -= 4;
	else if (text.length && text.data[0] == '-') text.data++, text.length--;
	else if (text.length < 2 || !strchr("smhd", text.data[text.length - 1])) return false;
	if (!number_parse_duration(text, &distance) || distance > now) return false;
	*nanoseconds = now - distance;
	return true;
}

bool timestamp_parse_loose(struct span text, int64_t now, int64_t *nanoseconds)
{
	struct timestamp_local today = timestamp_local(now);
	int year = today.year, month = today.month, day = today.day, seconds = 0, nanosecond = 0, offset_s;
	bool zoned = false;
	double epoch;
	if (span_equal(text, SPAN("now"))) return *nanoseconds = now, true;
	if (span_equal(text, SPAN("today"))) return *nanoseconds = from_local(year, month, day, 0) * SECOND, true;
	if (span_equal(text, SPAN("yesterday"))) return *nanoseconds = from_local(year, month, day - 1, 0) * SECOND, true;
	if (parse_relative(text, now, nanoseconds)) return true;
	struct span number = text;
	bool marked = take_byte(&number, "@");
	if ((marked || number.length >= 9) && number_parse_double(number, &epoch) && epoch >= 0 && epoch < 9.2e9)
		return *nanoseconds = (int64_t)(epoch * 1e6 + 0.5) * 1000, true;
	struct span rest = text;
	if (take_date(&rest, &year, &month, &day)) {
		if (rest.length && !(take_byte(&rest, "Tt ") && take_clock(&rest, &seconds, &nanosecond))) return false;
	} else {
		rest = text;
		year = today.year, month = today.month, day = today.day;
		if (!take_clock(&rest, &seconds, &nanosecond)) return false;
	}
	if (!take_zone(&rest, &offset_s, &zoned) || rest.length) return false;
	int64_t instant = zoned ? days_from_date(year, month, day) * 86400 + seconds - offset_s : from_local(year, month, day, seconds);
	*nanoseconds = instant * SECOND + nanosecond;
	return true;
}
