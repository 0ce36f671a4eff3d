/* test_syslog_message - headers for syslog to the letter, whatever bytes they are asked to hold; names of facilities and severities. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "left_out.h"
#include "sink/syslog_message.h"

#define STAMP INT64_C(1349438401137911000) /* 2012-10-05T12:00:01.137911Z */

static struct buffer out;

static const char *print(enum syslog_header header, const struct syslog_message *m)
{
	buffer_clear(&out);
	assert_true(syslog_append(&out, header, m));
	return buffer_text(&out);
}

static struct syslog_message sample(void)
{
	return (struct syslog_message){ .facility = SYSLOG_FACILITY_LOCAL4, .severity = SYSLOG_SEVERITY_INFO, .has_time = true, .time_ns = STAMP,
		.hostname = SPAN("web1"), .ident = SPAN("shop"), .procid = SPAN("4711"), .msgid = SPAN("cef"), .text = SPAN("CEF:0|a|b|c|d|e|1|") };
}

static int set(void **state)
{
	(void)state;
	buffer_init(&out, 1 << 20);
	return !timestamp_set_zone("UTC");
}

static int clear(void **state)
{
	(void)state;
	buffer_release(&out);
	return 0;
}

static void each_header_is_as_its_rfc_has_it(void **state)
{
	struct syslog_message m = sample();
	(void)state;
	assert_string_equal(print(SYSLOG_HEADER_NONE, &m), "CEF:0|a|b|c|d|e|1|");
	assert_string_equal(print(SYSLOG_HEADER_RFC3164, &m), "<166>Oct  5 12:00:01 web1 shop[4711]: CEF:0|a|b|c|d|e|1|");
	assert_string_equal(print(SYSLOG_HEADER_RFC3164_LOCAL, &m), "<166>Oct  5 12:00:01 shop[4711]: CEF:0|a|b|c|d|e|1|");
	assert_string_equal(print(SYSLOG_HEADER_RFC5424, &m), "<166>1 2012-10-05T12:00:01.137911Z web1 shop 4711 cef - CEF:0|a|b|c|d|e|1|");
}

static void what_is_empty_is_left_out_or_a_dash(void **state)
{
	char host[65] = "", expected[200];
	struct syslog_message m = { .facility = 4, .severity = 0, .text = SPAN("CEF:0|x") }, none = { .time_ns = 0, .has_time = true };
	(void)state;
	assert_string_equal(print(SYSLOG_HEADER_RFC5424, &m), "<32>1 - - - - - - CEF:0|x");
	assert_string_equal(print(SYSLOG_HEADER_RFC5424, &none), "<0>1 1970-01-01T00:00:00.000000Z - - - - -");
	m.has_time = true;
	m.time_ns = STAMP;
	gethostname(host, 64);
	snprintf(expected, sizeof expected, "<32>Oct  5 12:00:01 %s CEF:0|x", host);
	assert_string_equal(print(SYSLOG_HEADER_RFC3164, &m), expected);
	assert_string_equal(print(SYSLOG_HEADER_RFC3164_LOCAL, &m), "<32>Oct  5 12:00:01 CEF:0|x");
	m.procid = SPAN("12"); /* of nobody */
	assert_string_equal(print(SYSLOG_HEADER_RFC3164_LOCAL, &m), "<32>Oct  5 12:00:01 CEF:0|x");
	m.ident = SPAN("a");
	m.text = (struct span){ 0 };
	assert_string_equal(print(SYSLOG_HEADER_RFC3164_LOCAL, &m), "<32>Oct  5 12:00:01 a[12]:");
	assert_string_equal(print(SYSLOG_HEADER_RFC3164_LOCAL, &none), "<0>Jan  1 00:00:00");
}

static void without_a_time_rfc_3164_has_the_present_one(void **state)
{
	struct syslog_message m = { .facility = 1, .severity = 6, .text = SPAN("x") }, at = m;
	char first[100];
	(void)state;
	do { /* a second may have begun in between */
		at.has_time = true;
		at.time_ns = timestamp_now();
		snprintf(first, sizeof first, "%s", print(SYSLOG_HEADER_RFC3164_LOCAL, &m));
	} while (timestamp_now() / 1000000000 != at.time_ns / 1000000000);
	assert_string_equal(print(SYSLOG_HEADER_RFC3164_LOCAL, &at), first);
}

static void rfc_3164_is_in_the_chosen_zone_and_rfc_5424_in_utc(void **state)
{
	struct syslog_message m = sample();
	(void)state;
	if (!timestamp_set_zone("Asia/Tokyo")) leave_out("the system does not know the zone Asia/Tokyo");
	assert_string_equal(print(SYSLOG_HEADER_RFC3164_LOCAL, &m), "<166>Oct  5 21:00:01 shop[4711]: CEF:0|a|b|c|d|e|1|");
	assert_string_equal(print(SYSLOG_HEADER_RFC5424, &m), "<166>1 2012-10-05T12:00:01.137911Z web1 shop 4711 cef - CEF:0|a|b|c|d|e|1|");
	m.time_ns += INT64_C(5) * 86400 * 1000000000; /* a day of two digits */
	assert_string_equal(print(SYSLOG_HEADER_RFC3164_LOCAL, &m), "<166>Oct 10 21:00:01 shop[4711]: CEF:0|a|b|c|d|e|1|");
	assert_true(timestamp_set_zone("UTC"));
}

static void each_month_and_the_ends_of_time_can_be_printed(void **state)
{
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct syslog_message m = { .has_time = true };
	char text[64], expected[64];
	(void)state;
	for (int i = 0; i < 12; i++) {
		snprintf(text, sizeof text, "2023-%02d-09T23:59:58.999999999Z", i + 1);
		assert_true(timestamp_parse(span_of(text), &m.time_ns));
		snprintf(expected, sizeof expected, "<0>%s  9 23:59:58", months[i]);
		assert_string_equal(print(SYSLOG_HEADER_RFC3164_LOCAL, &m), expected);
	}
	m.time_ns = -1;
	assert_string_equal(print(SYSLOG_HEADER_RFC3164_LOCAL, &m), "<0>Dec 31 23:59:59");
	m.time_ns = INT64_MIN;
	assert_string_equal(print(SYSLOG_HEADER_RFC3164_LOCAL, &m), "<0>Sep 21 00:12:43");
	m.time_ns = INT64_MAX;
	assert_string_equal(print(SYSLOG_HEADER_RFC3164_LOCAL, &m), "<0>Apr 11 23:47:16");
}

static void a_cache_changes_nothing(void **state)
{
	struct syslog_cache cache = { 0 };
	static const int64_t steps[] = { 0, 1, 999999999, 1000000000, -1, -1000000000, 86400000000000, 0 };
	(void)state;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		for (int named = 0; named < 2; named++) {
			struct syslog_message m = { .facility = 3, .has_time = true, .time_ns = steps[i], .hostname = named ? SPAN("h") : SPAN(""), .text = SPAN("t") };
			char *plain = strdup(print(SYSLOG_HEADER_RFC3164, &m));
			m.cache = &cache;
			assert_string_equal(print(SYSLOG_HEADER_RFC3164, &m), plain);
			assert_string_equal(print(SYSLOG_HEADER_RFC3164, &m), plain);
			free(plain);
		}
}

/* Between the end of `before` and the start of `behind`. */
static struct span part(const char *text, const char *before, const char *behind)
{
	const char *from = strstr(text, before), *to = from ? strstr(from + strlen(before), behind) : NULL;
	if (!to) fail_msg("no '%s' ... '%s' in '%s'", before, behind, text);
	return span_between(from + strlen(before), to);
}

static void no_byte_of_a_field_can_end_it(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char bytes[3] = { 'a', (char)c, 'b' }, plain[64], tag[64];
		struct span field = { bytes, 3 };
		struct syslog_message m = { .has_time = true, .hostname = field, .ident = field, .procid = field, .msgid = field, .text = SPAN("T") };
		char kept = c > ' ' && c <= '~' ? (char)c : '_', in_tag = strchr("[]:", kept) ? '_' : kept;
		snprintf(plain, sizeof plain, "<0>1 1970-01-01T00:00:00.000000Z a%cb a%cb a%cb a%cb - T", kept, kept, kept, kept);
		assert_string_equal(print(SYSLOG_HEADER_RFC5424, &m), plain);
		snprintf(tag, sizeof tag, "<0>Jan  1 00:00:00 a%cb a%cb[a%cb]: T", kept, in_tag, in_tag);
		assert_string_equal(print(SYSLOG_HEADER_RFC3164, &m), tag);
	}
}

static void a_host_is_no_ident(void **state)
{
	struct syslog_message m = { .has_time = true, .hostname = SPAN("evil:"), .text = SPAN("T") };
	(void)state;
	assert_string_equal(print(SYSLOG_HEADER_RFC3164, &m), "<0>Jan  1 00:00:00 evil_ T");
	m.hostname = SPAN("::1");
	assert_string_equal(print(SYSLOG_HEADER_RFC3164, &m), "<0>Jan  1 00:00:00 ::1 T");
}

static void fields_are_cut_at_their_limits(void **state)
{
	static char long_one[1000];
	(void)state;
	memset(long_one, 'x', sizeof long_one);
	for (size_t length = 1; length < sizeof long_one; length += length < 300 ? 1 : 100) {
		struct span field = { long_one, length };
		struct syslog_message m = { .has_time = true, .hostname = field, .ident = SPAN("i"), .procid = SPAN("p"), .msgid = SPAN("m"), .text = SPAN("T") };
		assert_int_equal(part(print(SYSLOG_HEADER_RFC5424, &m), "000Z ", " i ").length, length < 255 ? length : 255);
		assert_int_equal(part(print(SYSLOG_HEADER_RFC3164, &m), "00:00 ", " i[").length, length < 255 ? length : 255);
		m.hostname = SPAN("h"), m.ident = field;
		assert_int_equal(part(print(SYSLOG_HEADER_RFC5424, &m), " h ", " p ").length, length < 48 ? length : 48);
		assert_int_equal(part(print(SYSLOG_HEADER_RFC3164, &m), " h ", "[p]: ").length, length < 32 ? length : 32);
		m.ident = SPAN("i"), m.procid = field;
		assert_int_equal(part(print(SYSLOG_HEADER_RFC5424, &m), " i ", " m ").length, length < 128 ? length : 128);
		assert_int_equal(part(print(SYSLOG_HEADER_RFC3164, &m), " i[", "]: ").length, length < 128 ? length : 128);
		m.procid = SPAN("p"), m.msgid = field;
		assert_int_equal(part(print(SYSLOG_HEADER_RFC5424, &m), " p ", " - T").length, length < 32 ? length : 32);
	}
}

static void a_priority_is_within_its_range(void **state)
{
	(void)state;
	for (int facility = -1; facility <= 24; facility++)
		for (int severity = -1; severity <= 8; severity++) {
			struct syslog_message m = { .facility = facility, .severity = severity, .has_time = true };
			char expected[32];
			int f = facility < 0 || facility > 23 ? 1 : facility, s = severity < 0 || severity > 7 ? 6 : severity;
			snprintf(expected, sizeof expected, "<%d>Jan  1 00:00:00", f * 8 + s);
			assert_string_equal(print(SYSLOG_HEADER_RFC3164_LOCAL, &m), expected);
		}
}

static void a_full_buffer_is_told(void **state)
{
	struct syslog_message m = sample();
	(void)state;
	for (enum syslog_header header = SYSLOG_HEADER_NONE; header <= SYSLOG_HEADER_RFC5424; header++) {
		size_t whole = strlen(print(header, &m));
		for (size_t limit = 0; limit <= whole; limit++) {
			struct buffer small;
			buffer_init(&small, limit);
			assert_int_equal(syslog_append(&small, header, &m), limit == whole);
			buffer_release(&small);
		}
	}
}

static void names_are_found_in_any_case_with_prefix_and_as_numbers(void **state)
{
	(void)state;
	for (int i = 0; i < 24; i++) {
		char text[32];
		assert_int_equal(syslog_facility_find(span_of(syslog_facility_name(i))), i);
		snprintf(text, sizeof text, "LOG_%s", syslog_facility_name(i));
		assert_int_equal(syslog_facility_find(span_of(text)), i);
		snprintf(text, sizeof text, "%d", i);
		assert_int_equal(syslog_facility_find(span_of(text)), i);
	}
	for (int i = 0; i < 8; i++) assert_int_equal(syslog_severity_find(span_of(syslog_severity_name(i))), i);
	assert_int_equal(syslog_facility_find(SPAN("Local4")), 20);
	assert_int_equal(syslog_facility_find(SPAN("log_security")), 4);
	assert_int_equal(syslog_severity_find(SPAN("LOG_WARN")), 4);
	assert_int_equal(syslog_severity_find(SPAN("Error")), 3);
	assert_int_equal(syslog_severity_find(SPAN("panic")), 0);
	assert_int_equal(syslog_severity_find(SPAN("7")), 7);
}

static void names_that_are_none_are_not_found(void **state)
{
	static const char *const bad[] = { "", "LOG_", "local8", "kern ", "24", "-1", "4x", "emergency", "LOG_LOG_KERN", "99999999999999999999" };
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (syslog_facility_find(span_of(bad[i])) >= 0 || syslog_severity_find(span_of(bad[i])) >= 0) fail_msg("'%s' was found", bad[i]);
	assert_int_equal(syslog_severity_find(SPAN("8")), -1);
	assert_null(syslog_facility_name(24));
	assert_null(syslog_facility_name(-1));
	assert_null(syslog_severity_name(8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_header_is_as_its_rfc_has_it),
		cmocka_unit_test(what_is_empty_is_left_out_or_a_dash),
		cmocka_unit_test(without_a_time_rfc_3164_has_the_present_one),
		cmocka_unit_test(rfc_3164_is_in_the_chosen_zone_and_rfc_5424_in_utc),
		cmocka_unit_test(each_month_and_the_ends_of_time_can_be_printed),
		cmocka_unit_test(a_cache_changes_nothing),
		cmocka_unit_test(no_byte_of_a_field_can_end_it),
		cmocka_unit_test(a_host_is_no_ident),
		cmocka_unit_test(fields_are_cut_at_their_limits),
		cmocka_unit_test(a_priority_is_within_its_range),
		cmocka_unit_test(a_full_buffer_is_told),
		cmocka_unit_test(names_are_found_in_any_case_with_prefix_and_as_numbers),
		cmocka_unit_test(names_that_are_none_are_not_found),
	};
	return cmocka_run_group_tests(tests, set, clear);
}
