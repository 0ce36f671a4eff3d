/* test_timestamp - the four forms, each of their prefixes, the edges of the calendar and of zones, and what people type. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/timestamp.h"

#define S INT64_C(1000000000)

static int64_t parsed(const char *text)
{
	int64_t ns = 0;
	if (!timestamp_parse(span_of(text), &ns)) fail_msg("refused \"%s\"", text);
	return ns;
}

static void the_forms_in_the_field_are_read(void **state)
{
	(void)state;
	assert_true(parsed("1970-01-01T00:00:00Z") == 0);
	assert_true(parsed("2012-10-05T12:00:01.137911Z") == 1349438401 * S + 137911000);
	assert_true(parsed("2012-07-18T21:13:25.687518") == 1342646005 * S + 687518000);
	assert_true(parsed("2012-10-25T12:34:56Z") == 1351168496 * S);
	assert_true(parsed("2012-10-25T14:34:56+02:00") == 1351168496 * S);
	assert_true(parsed("2012-10-25T07:04:56-05:30") == 1351168496 * S);
	assert_true(parsed("2012-10-25t12:34:56z") == 1351168496 * S);
	assert_true(parsed("2012-10-25 12:34:56") == 1351168496 * S);
	assert_true(parsed("2012-10-25T12:34:56.1Z") == 1351168496 * S + 100000000);
	assert_true(parsed("2012-10-25T12:34:56.123456789Z") == 1351168496 * S + 123456789);
	assert_true(parsed("2012-10-25T12:34:56.123456789999Z") == 1351168496 * S + 123456789);
	assert_true(parsed("1969-12-31T23:59:59.5Z") == -S / 2);
	assert_true(parsed("2012-12-31T23:59:60Z") == parsed("2013-01-01T00:00:00Z"));
	assert_true(parsed("2261-12-31T23:59:59.999999999-23:59") > 0);
	assert_true(parsed("1678-01-01T00:00:00+23:59") < 0);
	assert_true(parsed("2012-02-29T00:00:00Z") + 86400 * S == parsed("2012-03-01T00:00:00Z"));
	assert_true(parsed("2000-02-29T00:00:00Z") + 86400 * S == parsed("2000-03-01T00:00:00Z"));
}

static void bad_timestamps_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "2012", "12:00:01", "2012-10-05", "2012-13-01T00:00:00Z", "2012-00-01T00:00:00Z", "2012-10-32T00:00:00Z",
		"2012-10-00T00:00:00Z", "2013-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2012-10-05T24:00:00Z", "2012-10-05T12:60:00Z",
		"2012-10-05T12:00:61Z", "2012-10-05T12:00:00.Z", "2012-10-05T12:00:00,5Z", "2012-10-05T12:00Z", "2012-10-05T12:00:00ZZ", "2012-10-05T12:00:00Z ",
		" 2012-10-05T12:00:00Z", "2012-10-05T12:00:00+24:00", "2012-10-05T12:00:00+02:60", "2012-10-05T12:00:00+2", "2012-10-05T12:00:00 +02:00",
		"2012-10-5T12:00:00Z", "+2012-10-05T12:00:00Z", "2012/10/05T12:00:00Z", "1677-12-31T23:59:59Z", "2262-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
		"0001-01-01T00:00:00Z", "2012-10-05T-1:00:00Z", "2012-10-05T12:00:00.12345678X", "Fri Oct  5 12:00:00 2012", "1349438401" };
	int64_t ns;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (timestamp_parse(span_of(bad[i]), &ns)) fail_msg("took \"%s\"", bad[i]);
	assert_false(timestamp_parse((struct span){ "2012-10-05T12:00:00\0", 20 }, &ns));
}

/* A prefix is good only where a shorter form ends. */
static void every_prefix_of_every_form_is_judged(void **state)
{
	(void)state;
	static const struct { const char *text; const char *good_from; } rows[] = {
		/* '1' where the text up to there is a timestamp of its own; "+02" and "-05" are ISO 8601's short offsets */
		{ "2012-10-05T12:00:01.137911Z", "000000000000000000101111111" },
		{ "2012-10-05T12:00:01Z", "00000000000000000011" },
		{ "2012-10-05T12:00:01+02:00", "0000000000000000001001001" },
		{ "2012-10-05T12:00:01.5-0530", "00000000000000000010100101" },
		{ "2012-10-05 12:00:01", "0000000000000000001" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t length = strlen(rows[i].text);
		for (size_t cut = 0; cut <= length; cut++) {
			char *exact = malloc(cut ? cut : 1); /* so that a sanitizer sees a read behind the span */
			memcpy(exact, rows[i].text, cut);
			int64_t ns;
			bool good = timestamp_parse((struct span){ exact, cut }, &ns);
			bool expected = cut && rows[i].good_from[cut - 1] == '1';
			if (good != expected) fail_msg("\"%.*s\" was %s", (int)cut, rows[i].text, good ? "taken" : "refused");
			free(exact);
		}
	}
}

static void days_agree_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t day = -106000; day < 106000; day += 7) {
		time_t instant = (time_t)(day * 86400 + 3661);
		struct tm tm;
		char text[64], out[TIMESTAMP_MAX];
		assert_non_null(gmtime_r(&instant, &tm));
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000000Z", &tm);
		assert_int_equal(timestamp_print(out, (int64_t)instant * S), 27);
		assert_string_equal(out, text);
		if (tm.tm_year + 1900 >= 1678 && tm.tm_year + 1900 <= 2261) assert_true(parsed(out) == (int64_t)instant * S);
	}
}

static void printing_cuts_to_microseconds(void **state)
{
	(void)state;
	char out[TIMESTAMP_MAX];
	timestamp_print(out, 1349438401 * S + 137911999);
	assert_string_equal(out, "2012-10-05T12:00:01.137911Z");
	timestamp_print(out, -1);
	assert_string_equal(out, "1969-12-31T23:59:59.999999Z");
	timestamp_print(out, INT64_MAX);
	assert_string_equal(out, "2262-04-11T23:47:16.854775Z");
	timestamp_print(out, INT64_MIN);
	assert_string_equal(out, "1677-09-21T00:12:43.145224Z");
}

/* --- zones --- */

static void expect_local(const char *utc, const char *wanted)
{
	struct timestamp_local at = timestamp_local(parsed(utc));
	char text[64];
	snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d.%03d %+d", at.year, at.month, at.day, at.hour, at.minute, at.second,
	    at.nanosecond / 1000000, at.offset_s);
	assert_string_equal(text, wanted);
}

static void a_zone_shifts_the_day_and_knows_summer_time(void **state)
{
	(void)state;
	assert_true(timestamp_set_zone("UTC"));
	expect_local("2012-10-05T23:30:00.5Z", "2012-10-05 23:30:00.500 +0");
	if (!timestamp_set_zone("Europe/Berlin")) skip();
	expect_local("2012-10-05T23:30:00.5Z", "2012-10-06 01:30:00.500 +7200");
	expect_local("2012-12-31T23:30:00Z", "2013-01-01 00:30:00.000 +3600");
	expect_local("2012-03-25T00:59:59Z", "2012-03-25 01:59:59.000 +3600");
	expect_local("2012-03-25T01:00:00Z", "2012-03-25 03:00:00.000 +7200");
	expect_local("2012-10-28T00:59:59Z", "2012-10-28 02:59:59.000 +7200");
	expect_local("2012-10-28T01:00:00Z", "2012-10-28 02:00:00.000 +3600");
	expect_local("1969-12-31T23:00:00.25Z", "1970-01-01 00:00:00.250 +3600");
	if (timestamp_set_zone("Asia/Kathmandu")) expect_local("2012-10-05T18:15:00Z", "2012-10-06 00:00:00.000 +20700");
	assert_true(timestamp_set_zone("UTC"));
	expect_local("2012-10-05T23:30:00.5Z", "2012-10-05 23:30:00.500 +0");
}

static void only_zones_of_the_database_are_taken(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "Nowhere/City", "../../etc/passwd", "/etc/localtime", "Europe", "zone.tab", "tzdata.zi", "UTC+25x" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (timestamp_set_zone(bad[i])) fail_msg("took \"%s\"", bad[i]);
	assert_true(timestamp_set_zone("utc"));
	assert_true(timestamp_set_zone("local"));
	assert_true(timestamp_set_zone("UTC"));
	expect_local("2012-10-05T23:30:00.5Z", "2012-10-05 23:30:00.500 +0");
}

/* --- what people type --- */

static const char *const now_text = "2012-10-05T12:00:01.5Z";

static void expect_loose(const char *text, const char *wanted)
{
	int64_t ns = 0;
	if (!timestamp_parse_loose(span_of(text), parsed(now_text), &ns)) fail_msg("refused \"%s\"", text);
	char out[TIMESTAMP_MAX];
	timestamp_print(out, ns);
	if (strcmp(out, wanted) != 0) fail_msg("\"%s\" was read as %s, not %s", text, out, wanted);
}

static void people_type_times_in_many_ways(void **state)
{
	(void)state;
	assert_true(timestamp_set_zone("UTC"));
	expect_loose("now", "2012-10-05T12:00:01.500000Z");
	expect_loose("today", "2012-10-05T00:00:00.000000Z");
	expect_loose("yesterday", "2012-10-04T00:00:00.000000Z");
	expect_loose("-15m", "2012-10-05T11:45:01.500000Z");
	expect_loose("15m ago", "2012-10-05T11:45:01.500000Z");
	expect_loose("15m", "2012-10-05T11:45:01.500000Z");
	expect_loose("-2d", "2012-10-03T12:00:01.500000Z");
	expect_loose("-90", "2012-10-05T11:58:31.500000Z");
	expect_loose("-1.5h", "2012-10-05T10:30:01.500000Z");
	expect_loose("08:30", "2012-10-05T08:30:00.000000Z");
	expect_loose("08:30:15.25", "2012-10-05T08:30:15.250000Z");
	expect_loose("2012-10-04", "2012-10-04T00:00:00.000000Z");
	expect_loose("2012-10-04 08:30", "2012-10-04T08:30:00.000000Z");
	expect_loose("2012-10-04T08:30:00+02:00", "2012-10-04T06:30:00.000000Z");
	expect_loose("2012-10-04T08:30:00.125Z", "2012-10-04T08:30:00.125000Z");
	expect_loose("1353631447", "2012-11-23T00:44:07.000000Z");
	expect_loose("@1353631447.25", "2012-11-23T00:44:07.250000Z");
	expect_loose("@0", "1970-01-01T00:00:00.000000Z");
}

static void nonsense_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "noon", "tomorrow-ish", "25:00", "8:30", "08:60", "2012-10", "2012-10-04T", "2012-10-04 ", "2012-10-04x",
		"@", "@x", "-", "-x", "- 5m", " ago", "5 minutes ago", "ago", "1353631447000", "20121004", "99", "12", "now ", "2013-02-29", "-9999999d" };
	int64_t ns;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (timestamp_parse_loose(span_of(bad[i]), parsed(now_text), &ns)) fail_msg("took \"%s\"", bad[i]);
}

static void typed_times_are_in_the_zone(void **state)
{
	(void)state;
	if (!timestamp_set_zone("Europe/Berlin")) skip();
	expect_loose("today", "2012-10-04T22:00:00.000000Z");
	expect_loose("08:30", "2012-10-05T06:30:00.000000Z");
	expect_loose("2012-12-24 08:30", "2012-12-24T07:30:00.000000Z");
	expect_loose("2012-12-24T08:30:00Z", "2012-12-24T08:30:00.000000Z");
	/* Days on which the clock changes: the reading on the wall counts, not the hours since midnight. */
	expect_loose("2012-03-25 00:30", "2012-03-24T23:30:00.000000Z");
	expect_loose("2012-03-25 12:00", "2012-03-25T10:00:00.000000Z");
	expect_loose("2012-03-25 03:00", "2012-03-25T01:00:00.000000Z");
	expect_loose("2012-10-28 01:59", "2012-10-27T23:59:00.000000Z");
	expect_loose("2012-10-28 12:00", "2012-10-28T11:00:00.000000Z");
	/* A reading that comes twice is one of the two, one that never comes is next to the gap. */
	int64_t ns;
	assert_true(timestamp_parse_loose(SPAN("2012-10-28 02:30"), 0, &ns));
	assert_true(ns == parsed("2012-10-28T00:30:00Z") || ns == parsed("2012-10-28T01:30:00Z"));
	assert_true(timestamp_parse_loose(SPAN("2012-03-25 02:30"), 0, &ns));
	assert_true(ns == parsed("2012-03-25T00:30:00Z") || ns == parsed("2012-03-25T01:30:00Z"));
	assert_true(timestamp_set_zone("UTC"));
}

static void many_in_a_row_are_read_as_each_alone(void **state)
{
	static const char *const texts[] = {
		"2026-01-02T03:04:05.678Z", "2026-01-02T03:04:59Z", "2026-01-02T03:04:60Z", "2026-01-02T03:04:05.1234567890Z", "2026-01-02T03:04:05", "2026-01-02T03:04:5Z",
		"2026-01-02T03:04", "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05+02:00", "2026-01-02T03:04:05.123456789Z", "2026-01-02t03:04:06Z", "2026-01-02 03:04:06z", "2026-01-02T03:05:00Z",
		"1969-12-31T23:59:59.999Z", "nonsense", "", "2026-01-02T03:04:0xZ", "2026-01-02T03:04:07Z",
	};
	enum { COUNT = sizeof texts / sizeof *texts };
	struct timestamp_minute last = { .set = false };
	(void)state;
	for (size_t i = 0; i < COUNT * COUNT; i++) {
		struct span text = span_of(texts[i % 2 ? i / COUNT : i % COUNT]);
		int64_t alone = 1, in_a_row = 1;
		bool good = timestamp_parse(text, &alone);
		assert_int_equal(timestamp_parse_next(&last, text, &in_a_row), good);
		if (good) assert_int_equal(alone, in_a_row);
	}
}

static void many_in_a_row_are_printed_as_each_alone(void **state)
{
	(void)state;
	static const int64_t steps[] = { 0, 1, 999, 1000, 59 * S + 999999999, 60 * S, 60 * S - 1, -1, -60 * S, 3599 * S, 86400 * S, -86400 * S };
	static const int64_t starts[] = { 0, -1, 1, 1349438401 * S + 137911999, 1795300020 * S, -60 * S, INT64_MAX, INT64_MIN };
	struct timestamp_minute last = { .set = false };
	for (size_t start = 0; start < sizeof starts / sizeof *starts; start++)
		for (size_t step = 0; step < 2 * sizeof steps / sizeof *steps; step++) {
			char alone[TIMESTAMP_MAX], in_a_row[TIMESTAMP_MAX];
			int64_t when;
			if (__builtin_add_overflow(starts[start], steps[step / 2], &when)) continue;
			size_t length = timestamp_print(alone, when);
			assert_int_equal(timestamp_print_next(&last, in_a_row, when), length);
			assert_string_equal(in_a_row, alone);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_forms_in_the_field_are_read),
		cmocka_unit_test(bad_timestamps_are_refused),
		cmocka_unit_test(every_prefix_of_every_form_is_judged),
		cmocka_unit_test(days_agree_with_the_c_library),
		cmocka_unit_test(printing_cuts_to_microseconds),
		cmocka_unit_test(a_zone_shifts_the_day_and_knows_summer_time),
		cmocka_unit_test(only_zones_of_the_database_are_taken),
		cmocka_unit_test(people_type_times_in_many_ways),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(typed_times_are_in_the_zone),
		cmocka_unit_test(many_in_a_row_are_read_as_each_alone),
		cmocka_unit_test(many_in_a_row_are_printed_as_each_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
