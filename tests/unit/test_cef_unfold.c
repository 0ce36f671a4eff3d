/* test_cef_unfold - lines of CEF, with the headers syslog gives them, become envelopes, and these the same lines again. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "fixture.h"
#include "left_out.h"
#include "preface.h"
#include "sink/syslog_message.h"
#include "structured.h"
#include "unfold.h"

static const struct map_options no_options = { .severity = { 10, 9, 8, 7, 5, 3, 2, 0 } };

static int64_t instant(const char *text)
{
	int64_t ns;
	if (!timestamp_parse(span_of(text), &ns)) fail_msg("%s is no time", text);
	return ns;
}

/* The envelope of the line as of that moment; or "column: reason". */
static void unfold(struct buffer *out, struct span line, const char *now)
{
	const struct unfold_options options = { .now_ns = instant(now), .severity = no_options.severity };
	struct unfold *u = unfold_new(&options);
	const char *why;
	size_t column;
	char text[200];
	buffer_clear(out);
	if (!unfold_line(u, line, out, &why, &column)) {
		assert_int_equal(out->length, 0);
		buffer_append(out, text, (size_t)snprintf(text, sizeof text, "%zu: %s", column, why));
	}
	unfold_free(u);
}

static void require_at(const char *now, struct span line, const char *wanted)
{
	struct buffer out;
	buffer_init(&out, 1 << 20);
	unfold(&out, line, now);
	if (!span_equal(buffer_span(&out), span_of(wanted))) fail_msg("%.*s\nbecomes %.*s\nnot     %s", (int)line.length, line.data, (int)out.length, out.data, wanted);
	buffer_release(&out);
}

static void require(const char *line, const char *wanted)
{
	require_at("2012-10-06T00:00:00Z", span_of(line), wanted);
}

#define LINE "CEF:0|mozilla|weave|3|AuthFail|Refused|7|"
#define HEADER "\"vendor\":\"mozilla\",\"product\":\"weave\",\"version\":\"3\",\"signature\":\"AuthFail\",\"name\":\"Refused\",\"severity\":7"
#define BEFORE ",\"logger\":\"weave\",\"severity\":3,\"payload\":\"Refused\",\"fields\":{" HEADER
#define END "},\"env_version\":\"0.8\""

static void a_line_alone_says_what_it_says_and_no_more(void **state)
{
	(void)state;
	require(LINE, "{\"type\":\"cef\"" BEFORE END "}");
	require(LINE "act=x=y suser=DOM\\user\r", "{\"type\":\"cef\"" BEFORE ",\"act\":\"x=y\",\"suser\":\"DOM\\\\user\"" END "}");
	require("  " LINE "act=a\\nb", "{\"type\":\"cef\"" BEFORE ",\"act\":\"a\\nb\"" END "}");
	require(LINE "rt=1349438401137", "{\"type\":\"cef\",\"timestamp\":\"2012-10-05T12:00:01.137000Z\"" BEFORE ",\"rt\":1349438401137" END "}");
	require(LINE "rt=Oct 05 2012 12:00:01.137 UTC", "{\"type\":\"cef\",\"timestamp\":\"2012-10-05T12:00:01.137000Z\"" BEFORE ",\"rt\":\"Oct 05 2012 12:00:01.137 UTC\"" END "}");
	require(LINE "rt=Oct 05 12:00:01", "{\"type\":\"cef\",\"timestamp\":\"2012-10-05T12:00:01.000000Z\"" BEFORE ",\"rt\":\"Oct 05 12:00:01\"" END "}");
	require(LINE "rt=today", "{\"type\":\"cef\"" BEFORE ",\"rt\":\"today\"" END "}");
	require(LINE "rt=99999999999999999", "{\"type\":\"cef\"" BEFORE ",\"rt\":\"99999999999999999\"" END "}");
	require(LINE "dvchost=web1 src=192.0.2.7", "{\"type\":\"cef\"" BEFORE ",\"dvchost\":\"web1\",\"src\":\"192.0.2.7\"" END ",\"metlog_hostname\":\"web1\"}");
}

static void numbers_of_the_dictionary_are_numbers_if_their_text_is_that_of_one(void **state)
{
	(void)state;
	require(LINE "cnt=3 dpt=0443 spt=-1 cn1=9007199254740993 cfp1=1.50 act=5 in=-0", "{\"type\":\"cef\"" BEFORE ",\"cnt\":3,\"dpt\":\"0443\",\"spt\":-1,\"cn1\":\"9007199254740993\",\"cfp1\":\"1.50\",\"act\":\"5\",\"in\":\"-0\"" END "}");
}

static void severity_is_of_the_priority_or_the_nearest(void **state)
{
	(void)state;
	require("CEF:0|v|p|1|s|n|Very-High|", "{\"type\":\"cef\",\"logger\":\"p\",\"severity\":0,\"payload\":\"n\",\"fields\":{\"vendor\":\"v\",\"product\":\"p\",\"version\":\"1\",\"signature\":\"s\",\"name\":\"n\",\"severity\":\"Very-High\"},\"env_version\":\"0.8\"}");
	require("<134>CEF:1|v|p|1|s|n|10|", "{\"type\":\"cef\",\"logger\":\"p\",\"severity\":6,\"payload\":\"n\",\"fields\":{\"vendor\":\"v\",\"product\":\"p\",\"version\":\"1\",\"signature\":\"s\",\"name\":\"n\",\"severity\":10,\"cef_version\":1,\"cef_meta\":{\"syslog_facility\":\"LOCAL0\",\"syslog_priority\":\"INFO\"}},\"env_version\":\"0.8\"}");
	require("CEF:0|v|p|1|s|n|11|", "1: the severity is neither 0 to 10 nor a word of CEF");
}

static void keys_whose_names_are_taken_stand_in_an_object_with_all_others(void **state)
{
	(void)state;
	require(LINE "act=x name=n cnt=1 extension=e", "{\"type\":\"cef\"" BEFORE ",\"extension\":{\"act\":\"x\",\"name\":\"n\",\"cnt\":1,\"extension\":\"e\"}" END "}");
}

#define META(more) ",\"cef_meta\":{" more "}" END
#define LOCAL4 "\"syslog_facility\":\"LOCAL4\",\"syslog_priority\":\"NOTICE\""
#define NOTICE ",\"logger\":\"weave\",\"severity\":5,\"payload\":\"Refused\",\"fields\":{" HEADER
#define NOON "{\"type\":\"cef\",\"timestamp\":\"2012-10-05T12:00:00.000000Z\""

static void headers_of_rfc_5424_are_known(void **state)
{
	(void)state;
	require("<165>1 2012-10-05T12:00:00Z web1 weave 26482 cef - " LINE, NOON NOTICE META("\"syslog_options\":\"PID\",\"syslog_facility\":\"LOCAL4\",\"syslog_ident\":\"weave\",\"syslog_priority\":\"NOTICE\"") ",\"metlog_pid\":26482,\"metlog_hostname\":\"web1\"}");
	require("<165>1 2012-10-05T14:00:00.000+02:00 - - - - - " LINE, NOON NOTICE META(LOCAL4) "}");
	require("<165>1 - web1 - worker - [x@1 a=\"]\\\"\\\\ CEF:0|f|o|r|g|ed|9|\"][y] \xef\xbb\xbf" LINE, "{\"type\":\"cef\"" NOTICE META("\"syslog_options\":\"PID\"," LOCAL4) ",\"metlog_hostname\":\"web1\"}");
	require("<165>1 2012-10-05T12:00:00Z web1 - - - [a b=\"c\"] " LINE, NOON NOTICE META(LOCAL4) ",\"metlog_hostname\":\"web1\"}");
	require("<165>1 noon web1 - - - - " LINE, "8: not a time in a header of RFC 5424");
	require("<165>1 - web1 - - - " LINE, "21: no structured data in a header of RFC 5424");
	require("<165>1 - web1 - - - [a b=\"c] " LINE, "71: structured data without its end");
	require("<165>1 - web1", "14: a header of RFC 5424 that ends before its application");
	require("<165>1 - web1 - - - - text " LINE, "23: no CEF line behind the syslog header");
}

static void headers_of_rfc_3164_are_known(void **state)
{
	static const struct { const char *header, *wanted; } cases[] = {
		{ "<165>Oct  5 12:00:00 web1 weave[26482]: ", NOON NOTICE META("\"syslog_options\":\"PID\",\"syslog_facility\":\"LOCAL4\",\"syslog_ident\":\"weave\",\"syslog_priority\":\"NOTICE\"") ",\"metlog_pid\":26482,\"metlog_hostname\":\"web1\"}" },
		{ "<165>Oct 05 12:00:00 web1 weave: ", NOON NOTICE META("\"syslog_facility\":\"LOCAL4\",\"syslog_ident\":\"weave\",\"syslog_priority\":\"NOTICE\"") ",\"metlog_hostname\":\"web1\"}" },
		{ "<165>Oct  5 12:00:00 weave: ", NOON NOTICE META("\"syslog_facility\":\"LOCAL4\",\"syslog_ident\":\"weave\",\"syslog_priority\":\"NOTICE\"") "}" },
		{ "<165>Oct  5 12:00:00 web1 ", NOON NOTICE META(LOCAL4) ",\"metlog_hostname\":\"web1\"}" },
		{ "<165>Oct  5 12:00:00 ", NOON NOTICE META(LOCAL4) "}" },
		{ "<165>Oct  5 2012 12:00:00 web1 ", NOON NOTICE META(LOCAL4) ",\"metlog_hostname\":\"web1\"}" },
		{ "<165>web1 ", "{\"type\":\"cef\"" NOTICE META(LOCAL4) ",\"metlog_hostname\":\"web1\"}" },
		{ "<165>", "{\"type\":\"cef\"" NOTICE META(LOCAL4) "}" },
		{ "Oct  5 12:00:00 web1 weave[26482]: ", NOON BEFORE END ",\"metlog_pid\":26482,\"metlog_hostname\":\"web1\"}" },
		{ "Oct 05 12:00:00 web1 ", NOON BEFORE END ",\"metlog_hostname\":\"web1\"}" },
		{ "2012-10-05T14:00:00+02:00 web1 weave: ", NOON BEFORE END ",\"metlog_hostname\":\"web1\"}" },
	};
	static const char *const refused[] = { "web1 ", "hello world ", "<165>Oct  5 12:00:00 web1 weave: text ", "<192>", "<1650>", "<>", "<01>", "<-1>", "<1", "Oct 05 web1 ", "Oct 32 12:00:00 web1 ", "Foo 05 12:00:00 web1 ", "Oct 05 25:00:00 web1 ", "Oct 05 12:60:00 web1 ", "Oct 05 12.00.00 web1 ", "Oct 05 12:00:00x web1 ", "Oct 05 12:00 web1 ", "Nov 31 12:00:00 web1 " };
	(void)state;
	char text[300];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text, "%s%s", cases[i].header, LINE);
		require(text, cases[i].wanted);
	}
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct buffer out;
		buffer_init(&out, 1 << 16);
		snprintf(text, sizeof text, "%s%s", refused[i], LINE);
		unfold(&out, span_of(text), "2012-10-06T00:00:00Z");
		if (out.data[0] == '{') fail_msg("%s becomes %.*s", text, (int)out.length, out.data);
		buffer_release(&out);
	}
}

static void octet_counts_must_be_right(void **state)
{
	(void)state;
	require("41 " LINE, "{\"type\":\"cef\"" BEFORE END "}");
	require("42 " LINE, "{\"type\":\"cef\"" BEFORE END "}");
	require("46 <165>" LINE, "{\"type\":\"cef\"" NOTICE META(LOCAL4) "}");
	require("40 " LINE, "1: the octet count is not the length of the message behind it");
	require("046 <165>" LINE, "1: the octet count is not the length of the message behind it");
	require("46 <165>" LINE "46 <165>" LINE, "1: the octet count is not the length of the message behind it");
	require("99999999999999999999 " LINE, "1: what stands before \"CEF:\" is neither a syslog header nor a date and a host");
}

static void a_date_without_a_year_is_the_nearest(void **state)
{
	static const struct { const char *now, *date, *wanted; } cases[] = {
		{ "2026-11-22T12:00:00Z", "Nov 22 12:00:00", "2026-11-22" },
		{ "2026-11-22T12:00:00Z", "Nov 23 13:00:00", "2026-11-23" },
		{ "2026-01-01T00:00:05Z", "Dec 31 23:59:59", "2025-12-31" },
		{ "2025-12-31T23:59:55Z", "Jan  1 00:00:01", "2026-01-01" },
		{ "2026-06-30T00:00:00Z", "Jan  1 00:00:00", "2026-01-01" },
		{ "2026-07-15T00:00:00Z", "Jan  1 00:00:00", "2027-01-01" },
		{ "2026-03-01T00:00:00Z", "Feb 29 12:00:00", "2024-02-29" },
		{ "2027-03-01T00:00:00Z", "Feb 29 12:00:00", "2028-02-29" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[100], time[TIMESTAMP_MAX];
		struct preface preface;
		struct span line;
		const char *why;
		size_t column;
		snprintf(text, sizeof text, "%s web1 CEF:0|", cases[i].date);
		int64_t now = instant(cases[i].now);
		assert_true(preface_read(&preface, span_of(text), &now, &line, &why, &column));
		timestamp_print(time, preface.time_ns);
		if (strncmp(time, cases[i].wanted, 10)) fail_msg("%s as of %s is %s", cases[i].date, cases[i].now, time);
	}
}

static void a_date_without_a_zone_is_in_the_zone_of_tz(void **state)
{
	(void)state;
	if (!timestamp_set_zone("Europe/Berlin")) leave_out("the system does not know the zone Europe/Berlin");
	require("Oct 05 14:00:00 web1 " LINE, NOON BEFORE END ",\"metlog_hostname\":\"web1\"}");
	require(LINE "rt=Oct 05 2012 12:00:00 GMT", NOON BEFORE ",\"rt\":\"Oct 05 2012 12:00:00 GMT\"" END "}");
	require("2012-10-05T12:00:00Z web1 " LINE, NOON BEFORE END ",\"metlog_hostname\":\"web1\"}");
	timestamp_set_zone("UTC");
}

static void what_is_not_utf_8_is_refused(void **state)
{
	(void)state;
	require("CEF:0|v|p|1|s|n|5|act=caf\xe9", "26: not valid UTF-8");
	require("\xff", "1: not valid UTF-8");
	require_at("2012-10-06T00:00:00Z", (struct span){ LINE "act=a\0b", sizeof LINE + 6 }, "{\"type\":\"cef\"" BEFORE ",\"act\":\"a\\u0000b\"" END "}");
}

static void what_is_no_line_is_refused_with_its_column(void **state)
{
	(void)state;
	require("", "1: what stands before \"CEF:\" is neither a syslog header nor a date and a host");
	require("CEF:0|v|p|1|s", "14: the header ends before its name");
	require("  Oct 05 12:00:00 web1 CEF:0|v", "31: the header ends before its product");
	require(LINE "act=x act=y", "48: key given twice");
	require(LINE "text", "46: no key and '=' behind the header");
}

/* Every start of it, in memory of exactly that size. */
static void a_line_cut_anywhere_is_an_envelope_or_a_reason(void **state)
{
	static const char *const whole[] = {
		"123 <165>1 2012-10-05T12:00:00.123Z web1 weave 26482 cef [a@1 b=\"\\\"]\"][c] \xef\xbb\xbf" LINE "act=x\\\\ rt=Oct 05 2012 12:00:01.137 UTC",
		"<165>Oct  5 2012 12:00:00.5 web1 weave[26482]: " LINE "src=192.0.2.7 name=\xd0\xbf",
		("2012-10-05T14:00:00+02:00 web1 weave: " LINE),
	};
	struct fixture *f = *state;
	struct buffer out;
	buffer_init(&out, 1 << 20);
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		for (size_t length = 0; length <= strlen(whole[i]); length++) {
			char *exact = malloc(length + 1);
			memcpy(exact, whole[i], length);
			unfold(&out, (struct span){ exact, length }, "2012-10-06T00:00:00Z");
			if (out.data[0] == '{' && envelope_parse_copy(&f->envelope, &f->scan, &f->copy, buffer_span(&out), &f->fault) != ENVELOPE_GOOD) fail_msg("%.*s: %s", (int)out.length, out.data, f->fault.reason);
			free(exact);
		}
	buffer_release(&out);
}

/* --- there and back --- */

static uint32_t seed = 5;

static unsigned draw(unsigned below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static struct span draw_text(struct buffer *room)
{
	static const char *const pieces[] = { "a", "Z", "0", " ", "=", "\\", "|", "\n", "\r", "\t", " src=", " x=1", "\\n", "\xd0\xbf", "\xe2\x80\xa8", "\xf0\x9f\x98\x80", "\xc2\x85", "CEF:0|", "\"", "{", "<1>", "]" };
	buffer_clear(room);
	for (unsigned n = 1 + draw(10); n; n--) buffer_append_text(room, pieces[draw(sizeof pieces / sizeof *pieces)]);
	return buffer_span(room);
}

static struct span draw_value(struct buffer *room, const struct dictionary_key *key)
{
	static const char *const values[] = {
		[DICTIONARY_INTEGER] = "-21", [DICTIONARY_LONG] = "9223372036854775807", [DICTIONARY_FLOAT] = "1.50", [DICTIONARY_TIME] = "1349438401137", [DICTIONARY_IPV4] = "192.0.2.7",
		[DICTIONARY_IPV6] = "2001:db8::1", [DICTIONARY_IP] = "2001:db8::1", [DICTIONARY_MAC] = "00:11:22:33:44:55",
	};
	return key->type == DICTIONARY_STRING ? draw_text(room) : span_of(values[key->type]);
}

struct bench { struct record *record; struct structured *structured; struct unfold *unfold; struct buffer room[5], first, envelope; };

static void draw_line(struct bench *b)
{
	static const char *const severities[] = { "0", "5", "10", "High", "Unknown", "Very-High" };
	static const char *const names[] = { "own_key", "name", "severity", "vendor", "extension", "cef_meta", "x", "b c" };
	struct cef_header header = { .vendor = draw_text(&b->room[0]), .product = draw_text(&b->room[1]), .device_version = draw_text(&b->room[2]), .signature = draw_text(&b->room[3]), .name = draw_text(&b->room[4]) };
	const char *why;
	if (draw(8) == 0) header.signature.length = 0;
	if (draw(8) == 0) header.vendor.length = 0;
	header.severity = span_of(severities[draw(6)]);
	assert_null(record_begin(b->record, &header));
	for (unsigned n = draw(12); n; n--) {
		if (draw(4) == 0) assert_null(record_put_named(b->record, span_of(names[draw(8)]), draw_text(&b->room[0])));
		size_t count = 0;
		while (dictionary_at(count)) count++;
		const struct dictionary_key *key = dictionary_at(draw((unsigned)count));
		assert_null(record_put(b->record, key, draw_value(&b->room[0], key)));
	}
	struct span line = record_end(b->record, &why);
	assert_non_null(line.data);
	buffer_clear(&b->first);
	buffer_append_span(&b->first, line);
}

static struct span there_and_back(struct bench *b, struct fixture *f, struct span line)
{
	const char *why;
	size_t column;
	buffer_clear(&b->envelope);
	if (!unfold_line(b->unfold, line, &b->envelope, &why, &column)) fail_msg("%.*s: %zu: %s", (int)line.length, line.data, column, why);
	if (envelope_parse_copy(&f->envelope, &f->scan, &f->copy, buffer_span(&b->envelope), &f->fault) != ENVELOPE_GOOD) fail_msg("%.*s: %s", (int)b->envelope.length, b->envelope.data, f->fault.reason);
	assert_true(structured_is(b->structured, &f->envelope));
	why = structured_put(b->structured, &f->envelope, b->record);
	if (why) fail_msg("%.*s: %s", (int)b->envelope.length, b->envelope.data, why);
	return record_end(b->record, &why);
}

static void an_envelope_of_parse_becomes_the_same_line_again(void **state)
{
	struct fixture *f = *state;
	for (int version = 0; version < 2; version++) {
		struct record_rules rules = { .version = version, .wrong = RECORD_WRONG_REJECT };
		struct unfold_options options = { .severity = no_options.severity };
		struct bench b = { .record = record_new(&rules), .structured = structured_new(&no_options), .unfold = unfold_new(&options) };
		for (int i = 0; i < 5; i++) buffer_init(&b.room[i], 1 << 16);
		buffer_init(&b.first, 1 << 20);
		buffer_init(&b.envelope, 1 << 20);
		for (int round = 0; round < 5000; round++) {
			draw_line(&b);
			struct span again = there_and_back(&b, f, buffer_span(&b.first));
			if (!span_equal(buffer_span(&b.first), again)) fail_msg("%.*s\nbecomes %.*s\nthen    %.*s", (int)b.first.length, b.first.data, (int)b.envelope.length, b.envelope.data, (int)again.length, again.data);
		}
		for (int i = 0; i < 5; i++) buffer_release(&b.room[i]);
		buffer_release(&b.first);
		buffer_release(&b.envelope);
		record_free(b.record);
		structured_free(b.structured);
		unfold_free(b.unfold);
	}
}

static void every_header_that_is_sent_is_read(void **state)
{
	static const enum syslog_header kinds[] = { SYSLOG_HEADER_NONE, SYSLOG_HEADER_RFC3164, SYSLOG_HEADER_RFC3164_LOCAL, SYSLOG_HEADER_RFC5424 };
	static const char *const idents[] = { "", "weave", "a b:[c]", "\xd0\xbf", "123" };
	struct buffer text;
	const int64_t now = instant("2012-12-24T12:00:00Z");
	(void)state;
	buffer_init(&text, 1 << 16);
	for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
		for (size_t ident = 0; ident < sizeof idents / sizeof *idents; ident++)
			for (int code = 0; code < 192; code++) {
				struct syslog_message message = { .facility = code / 8, .severity = code % 8, .has_time = true, .time_ns = instant("2012-10-05T12:00:00Z"), .hostname = SPAN("web1"), .ident = span_of(idents[ident]), .procid = code & 1 ? SPAN("7") : SPAN(""), .msgid = SPAN("cef"), .text = SPAN(LINE "act=x") };
				struct preface preface;
				struct span line;
				const char *why;
				size_t column;
				buffer_clear(&text);
				assert_true(syslog_append(&text, kinds[kind], &message));
				if (!preface_read(&preface, buffer_span(&text), &now, &line, &why, &column)) fail_msg("%.*s: %zu: %s", (int)text.length, text.data, column, why);
				assert_true(span_equal(line, SPAN(LINE "act=x")));
				if (kinds[kind] == SYSLOG_HEADER_NONE) continue;
				assert_int_equal(preface.facility * 8 + preface.severity, code);
				assert_int_equal(preface.time_ns, instant("2012-10-05T12:00:00Z"));
				if (kinds[kind] != SYSLOG_HEADER_RFC3164_LOCAL) assert_true(span_equal(preface.host, SPAN("web1")));
			}
	buffer_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_alone_says_what_it_says_and_no_more),
		cmocka_unit_test(numbers_of_the_dictionary_are_numbers_if_their_text_is_that_of_one),
		cmocka_unit_test(severity_is_of_the_priority_or_the_nearest),
		cmocka_unit_test(keys_whose_names_are_taken_stand_in_an_object_with_all_others),
		cmocka_unit_test(headers_of_rfc_5424_are_known),
		cmocka_unit_test(headers_of_rfc_3164_are_known),
		cmocka_unit_test(octet_counts_must_be_right),
		cmocka_unit_test(a_date_without_a_year_is_the_nearest),
		cmocka_unit_test(a_date_without_a_zone_is_in_the_zone_of_tz),
		cmocka_unit_test(what_is_not_utf_8_is_refused),
		cmocka_unit_test(what_is_no_line_is_refused_with_its_column),
		cmocka_unit_test(a_line_cut_anywhere_is_an_envelope_or_a_reason),
		cmocka_unit_test(an_envelope_of_parse_becomes_the_same_line_again),
		cmocka_unit_test(every_header_that_is_sent_is_read),
	};
	return cmocka_run_group_tests_name("unfold", tests, open_fixture, close_fixture);
}
