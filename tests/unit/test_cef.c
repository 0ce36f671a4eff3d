/* test_cef - events written as lines of CEF, and lines read by the book and as they are found. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/text.h"
#include "cef.h"

static void require_text(struct buffer *got, const char *wanted)
{
	if (!span_equal(buffer_span(got), span_of(wanted))) fail_msg("\"%.*s\", not \"%s\"", (int)got->length, got->data, wanted);
}

/* --- writing --- */

static void require_value(struct span value, const char *wanted, uint64_t replaced, uint64_t trimmed)
{
	struct buffer out;
	struct cef_tally tally = { 0 };
	buffer_init(&out, 1 << 20);
	assert_true(cef_append_value(&out, value, &tally));
	require_text(&out, wanted);
	assert_int_equal(tally.replaced, replaced);
	assert_int_equal(tally.trimmed, trimmed);
	buffer_release(&out);
}

static void a_value_has_backslash_equals_and_line_ends_escaped_and_nothing_else(void **state)
{
	(void)state;
	require_value(SPAN(""), "", 0, 0);
	require_value(SPAN("a|b\"c'\t{d}[e]"), "a|b\"c'\t{d}[e]", 0, 0);
	require_value(SPAN("a=b\\c\nd\re\r\n"), "a\\=b\\\\c\\nd\\re\\r\\n", 0, 0);
	require_value(SPAN("\\n\\"), "\\\\n\\\\", 0, 0);
	require_value(SPAN("\xc2\x85\xe2\x80\xa8\xf0\x9f\x92\xa9"), "\xc2\x85\xe2\x80\xa8\xf0\x9f\x92\xa9", 0, 0);
}

static void a_control_becomes_a_space_and_a_blank_at_the_end_is_left_out(void **state)
{
	(void)state;
	require_value(SPAN("a\0b\x1f" "c\x7f" "d"), "a b c d", 3, 0);
	require_value(SPAN(" \ta"), " \ta", 0, 0);
	require_value(SPAN("a \t "), "a", 0, 1);
	require_value(SPAN("a\x01 \0"), "a", 0, 1);
	require_value(SPAN(" \t"), "", 0, 1);
	require_value(SPAN("a \n"), "a \\n", 0, 0);
}

static void a_header_has_pipe_and_backslash_escaped_and_never_a_line_end(void **state)
{
	(void)state;
	struct buffer out;
	struct cef_tally tally = { 0 };
	buffer_init(&out, 1 << 20);
	struct cef_header header = { 1, SPAN("a|b"), SPAN("c\\d"), SPAN("e=f"), SPAN("g\r\nh\ni\r"), SPAN("\xc2\x85j\xe2\x80\xa8k\xe2\x80\xa9l\xc2\x9b\t\x7f\xc2\xa0\xe2\x80\xa7"), SPAN("Very-High") };
	assert_true(cef_append_header(&out, &header, &tally));
	require_text(&out, "CEF:1|a\\|b|c\\\\d|e=f|g h i | j k l   \xc2\xa0\xe2\x80\xa7|Very-High|");
	assert_int_equal(tally.replaced, 9);
	buffer_release(&out);
}

static void a_key_is_letters_digits_and_underscores(void **state)
{
	(void)state;
	static const char *const good[] = { "a", "src", "cs1Label", "_", "0", "a_b" }, *const bad[] = { "", "a b", "a-b", "a.b", "a=", "a|", "a[0]", "\xc3\xa4" };
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_true(cef_key_is(span_of(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(cef_key_is(span_of(bad[i])));
	char most[CEF_KEY_MAX + 1];
	memset(most, 'k', sizeof most);
	assert_true(cef_key_is((struct span){ most, CEF_KEY_MAX }));
	assert_false(cef_key_is((struct span){ most, CEF_KEY_MAX + 1 }));
}

static void a_severity_is_0_to_10_or_one_of_five_words(void **state)
{
	(void)state;
	static const char *const good[] = { "0", "9", "10", "Unknown", "Low", "Medium", "High", "Very-High" }, *const bad[] = { "", "11", "00", "01", "-1", "low", "Very High", "5 ", "5.0" };
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_true(cef_severity_is(span_of(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(cef_severity_is(span_of(bad[i])));
}

static void the_line_is_found_behind_what_syslog_and_old_clients_put_before_it(void **state)
{
	(void)state;
	struct span before, line;
	assert_true(cef_find(SPAN("Oct 05 12:00:00 web1 CEF:0|a|"), &before, &line));
	assert_true(span_equal(before, SPAN("Oct 05 12:00:00 web1 ")));
	assert_true(span_equal(line, SPAN("CEF:0|a|")));
	assert_true(cef_find(SPAN("CEF:1|"), &before, &line));
	assert_int_equal(before.length, 0);
	assert_true(cef_find(SPAN("xCEF:0| CEF:x| CEF:\tCEF:0.1|y"), &before, &line));
	assert_true(span_equal(line, SPAN("CEF:0.1|y")));
	static const char *const none[] = { "", "CEF:", "CEF:0", "CEF:|", "CEF:123|", "aCEF:0|", "CEF: 0|", "cef:0|", "CEF:0.|" };
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_false(cef_find(span_of(none[i]), &before, &line));
}

/* --- reading --- */

struct found { struct cef_event event; struct buffer decoded; const char *why; size_t column; };

static bool read_line(struct found *f, struct span line, enum cef_reading how)
{
	buffer_init(&f->decoded, 1 << 20);
	return cef_read(&f->event, line, how, &f->decoded, &f->why, &f->column);
}

/* What is read, as "vendor/product/version/signature/name/severity key<value>...". */
static void require_read(const char *line, enum cef_reading how, const char *wanted)
{
	static struct found f;
	struct buffer shown;
	buffer_init(&shown, 1 << 20);
	if (!read_line(&f, span_of(line), how)) fail_msg("%s: %s at %zu", line, f.why, f.column);
	const struct cef_header *h = &f.event.header;
	const struct span fields[] = { h->vendor, h->product, h->device_version, h->signature, h->name, h->severity };
	buffer_append_int(&shown, h->version);
	for (size_t i = 0; i < 6; i++) buffer_append_byte(&shown, '/'), buffer_append_span(&shown, fields[i]);
	for (size_t i = 0; i < f.event.pair_count; i++) {
		buffer_append_byte(&shown, ' ');
		buffer_append_span(&shown, f.event.pair[i].key);
		buffer_append_byte(&shown, '<');
		buffer_append_span(&shown, f.event.pair[i].value);
		buffer_append_byte(&shown, '>');
	}
	require_text(&shown, wanted);
	buffer_release(&shown);
	buffer_release(&f.decoded);
}

static void require_fault(const char *line, enum cef_reading how, const char *why, size_t column)
{
	static struct found f;
	if (read_line(&f, span_of(line), how)) fail_msg("%s is read", line);
	if (strcmp(f.why, why) != 0 || f.column != column) fail_msg("%s: %s at %zu", line, f.why, f.column);
	buffer_release(&f.decoded);
}

static void the_book_is_read(void **state)
{
	(void)state;
	require_read("CEF:0|v|p|1|s|n|5|", CEF_STRICT, "0/v/p/1/s/n/5");
	require_read("CEF:12||||||Very-High|a=b", CEF_STRICT, "12//////Very-High a<b>");
	require_read("CEF:1|\\||\\\\|=|\\\\\\||n\\\\|10|a=\\=\\\\\\n\\r| b=x y_z c_1=", CEF_STRICT, "1/|/\\/=/\\|/n\\/10 a<=\\\n\r|> b<x y_z> c_1<>");
	/* Blanks: those in front belong to the value, those behind to nobody. */
	require_read("CEF:0|v|p|1|s|n|5|a=  b  c=d\t e= f= ", CEF_STRICT, "0/v/p/1/s/n/5 a<  b> c<d> e<> f<>");
	require_read("CEF:0| v |p|1|s|n|5|a=b c d\\=e f=g", CEF_STRICT, "0/ v /p/1/s/n/5 a<b c d=e> f<g>");
}

static void what_is_not_by_the_book_is_refused_with_its_column(void **state)
{
	(void)state;
	require_fault("", CEF_STRICT, "no \"CEF:\" at the start", 1);
	require_fault(" CEF:0|v|p|1|s|n|5|", CEF_STRICT, "no \"CEF:\" at the start", 1);
	require_fault("CEF:x|v|p|1|s|n|5|", CEF_STRICT, "no version behind \"CEF:\"", 5);
	require_fault("CEF:01|v|p|1|s|n|5|", CEF_STRICT, "not a version", 5);
	require_fault("CEF:0.1|v|p|1|s|n|5|", CEF_STRICT, "not a version", 5);
	require_fault("CEF:0|v|p|1|s|n", CEF_STRICT, "the header ends before its severity", 16);
	require_fault("CEF:0|v|p|1|s|n|5", CEF_STRICT, "the header ends before the pipe behind its severity", 18);
	require_fault("CEF:0|v|p|1|s|n|11|", CEF_STRICT, "not a severity", 17);
	require_fault("CEF:0|v\\a|p|1|s|n|5|", CEF_STRICT, "unknown escape in the header", 8);
	require_fault("CEF:0|v\\=|p|1|s|n|5|", CEF_STRICT, "unknown escape in the header", 8);
	require_fault("CEF:0|v|p\t|1|s|n|5|", CEF_STRICT, "control character in the header", 10);
	require_fault("CEF:0|v|p\xc2\x9b|1|s|n|5|", CEF_STRICT, "control character in the header", 10);
	require_fault("CEF:0|v|p|1|s|n|5| a=b", CEF_STRICT, "no key and '=' behind the header", 19);
	require_fault("CEF:0|v|p|1|s|n|5|a.b=c", CEF_STRICT, "no key and '=' behind the header", 20);
	require_fault("CEF:0|v|p|1|s|n|5|abc", CEF_STRICT, "no key and '=' behind the header", 22);
	require_fault("CEF:0|v|p|1|s|n|5|a=b=c", CEF_STRICT, "'=' in a value without a backslash", 22);
	require_fault("CEF:0|v|p|1|s|n|5|a=b\tc=d", CEF_STRICT, "'=' in a value without a backslash", 24);
	require_fault("CEF:0|v|p|1|s|n|5|a=b x.y=d", CEF_STRICT, "'=' in a value without a backslash", 26);
	require_fault("CEF:0|v|p|1|s|n|5|a=\\|", CEF_STRICT, "unknown escape in a value", 21);
	require_fault("CEF:0|v|p|1|s|n|5|a=b\\", CEF_STRICT, "unknown escape in a value", 22);
	require_fault("CEF:0|v|p|1|s|n|5|a=b\nc=d", CEF_STRICT, "control character in a value", 22);
	require_fault("CEF:0|v|p|1|s|n|5|a=\x7f", CEF_STRICT, "control character in a value", 21);
	require_fault("CEF:0|v|p|1|s|n|5|a=b c=d a=e", CEF_STRICT, "key given twice", 27);
}

static void what_is_in_the_field_is_read_too(void **state)
{
	(void)state;
	require_read("CEF:0|a\\b\\|\tc|p|1|s|n|High|  x=1", CEF_LENIENT, "0/a\\b|\tc/p/1/s/n/High x<1>");
	require_read("CEF:0.1|v|p|1|s|n| 5 |", CEF_LENIENT, "0/v/p/1/s/n/5");
	require_read("CEF:0|v|p|1|s|n|hIGH|", CEF_LENIENT, "0/v/p/1/s/n/High");
	require_read("CEF:1.2|v|p|1|s|n|very high|", CEF_LENIENT, "1/v/p/1/s/n/Very-High");
	require_read("CEF:0|v|p|1|s|n|panic|", CEF_LENIENT, "0/v/p/1/s/n/panic");
	require_read("CEF:0|v|p|1|s|n|5|cat=C:\\dir\\name act=x\\", CEF_LENIENT, "0/v/p/1/s/n/5 cat<C:\\dir\name> act<x\\>");
	require_read("CEF:0|v|p|1|s|n|5|url=http://h/?a=b&c=d ad.x[0]=1 a-b=2", CEF_LENIENT, "0/v/p/1/s/n/5 url<http://h/?a=b&c=d> ad.x[0]<1> a-b<2>");
	require_read("CEF:0|v|p|1|s|n|5|a=b\\=c\\|d\tkey=e", CEF_LENIENT, "0/v/p/1/s/n/5 a<b=c\\|d> key<e>");
	require_read("CEF:0|v|p|1|s|n|5|msg=one\r\ntwo x=y", CEF_LENIENT, "0/v/p/1/s/n/5 msg<one\r\ntwo> x<y>");
	require_read("CEF:0|v|p|1|s|n|5|  ", CEF_LENIENT, "0/v/p/1/s/n/5");
	require_read("CEF:0|v|p|1|s|n|5|a==", CEF_LENIENT, "0/v/p/1/s/n/5 a<=>");
	require_fault("CEF:0|v|p|1|s|n|5|a=b a=c", CEF_LENIENT, "key given twice", 23);
	require_fault("CEF:0|v|p|1|s|n|5|just text", CEF_LENIENT, "no key and '=' behind the header", 23);
	require_fault("CEF:0|v|p|1|s|n\\|5|", CEF_LENIENT, "the header ends before its severity", 20);
}

static void at_most_512_keys_are_read(void **state)
{
	(void)state;
	static struct found f;
	struct buffer line;
	buffer_init(&line, 1 << 20);
	buffer_append_text(&line, "CEF:0|v|p|1|s|n|5|");
	for (int i = 0; i < CEF_PAIRS_MAX; i++) {
		buffer_append_text(&line, i ? " k" : "k");
		buffer_append_int(&line, i);
		buffer_append_text(&line, "=x");
	}
	assert_true(read_line(&f, buffer_span(&line), CEF_STRICT));
	assert_int_equal(f.event.pair_count, CEF_PAIRS_MAX);
	buffer_release(&f.decoded);
	buffer_append_text(&line, " more=x");
	assert_false(read_line(&f, buffer_span(&line), CEF_LENIENT));
	assert_string_equal(f.why, "more than 512 keys");
	buffer_release(&f.decoded);
	buffer_release(&line);
}

/* --- what is written is read back --- */

static uint64_t seed;

static unsigned draw(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((seed >> 33) % below);
}

/* A character: often one that CEF minds, else any of Unicode. */
static void append_character(struct buffer *out)
{
	static const char minded[] = "|=\\\n\r\t \x01\x7f\0nr\"<[key";
	char utf8[4];
	if (draw(3)) buffer_append_byte(out, minded[draw(sizeof minded - 1)]);
	else buffer_append(out, utf8, text_encode_utf8(utf8, draw(4) ? draw(0x2100) : draw(0x110000)));
}

static struct span draw_text(struct buffer *arena, unsigned most)
{
	size_t from = arena->length;
	for (unsigned length = draw(8) ? draw(12) : draw(16) ? draw(100) : draw(most); length > 0; length--) append_character(arena);
	return (struct span){ arena->data + from, arena->length - from };
}

/* What the header comment of cef.h says a reader gets, character by character. */
static struct span normal(struct buffer *arena, struct span text, bool is_header)
{
	size_t from = arena->length;
	uint32_t c;
	for (size_t at = 0, length; at < text.length; at += length) {
		length = text_decode_utf8((struct span){ text.data + at, text.length - at }, &c);
		assert_true(length > 0);
		bool gone = is_header ? c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 : (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
		if (is_header && c == '\r' && at + 1 < text.length && text.data[at + 1] == '\n') length = 2;
		if (gone) buffer_append_byte(arena, ' ');
		else buffer_append(arena, text.data + at, length);
	}
	while (!is_header && arena->length > from && (arena->data[arena->length - 1] == ' ' || arena->data[arena->length - 1] == '\t')) arena->length--;
	return (struct span){ arena->data + from, arena->length - from };
}

static void draw_event(struct cef_event *event, struct buffer *arena)
{
	static const char *const severities[] = { "0", "5", "10", "Unknown", "Very-High" };
	struct cef_header *h = &event->header;
	struct span *fields[] = { &h->vendor, &h->product, &h->device_version, &h->signature, &h->name };
	buffer_clear(arena);
	h->version = (int)draw(2);
	for (size_t i = 0; i < 5; i++) *fields[i] = draw_text(arena, 500);
	h->severity = span_of(severities[draw(5)]);
	event->pair_count = draw(8);
	for (size_t i = 0; i < event->pair_count; i++) {
		char *key = arena->data + arena->length;
		buffer_append(arena, (char[]){ 'k', (char)('0' + i), '_' }, 1 + draw(3) % 3);
		buffer_append_int(arena, (int64_t)i);
		event->pair[i].key = span_between(key, arena->data + arena->length);
		event->pair[i].value = draw_text(arena, 4000);
	}
}

static void print_event(struct buffer *line, const struct cef_event *event)
{
	struct cef_tally tally = { 0 };
	buffer_clear(line);
	assert_true(cef_append_header(line, &event->header, &tally));
	for (size_t i = 0; i < event->pair_count; i++) {
		if (i) buffer_append_byte(line, ' ');
		buffer_append_span(line, event->pair[i].key);
		buffer_append_byte(line, '=');
		assert_true(cef_append_value(line, event->pair[i].value, &tally));
	}
}

static void require_same(struct buffer *scratch, struct span got, struct span put, bool is_header)
{
	buffer_clear(scratch);
	struct span wanted = normal(scratch, put, is_header);
	if (!span_equal(got, wanted)) fail_msg("\"%.*s\" is read as \"%.*s\"", (int)put.length, put.data, (int)got.length, got.data);
}

static void require_read_back(const struct cef_event *put, struct span line, enum cef_reading how, struct buffer *decoded, struct buffer *scratch)
{
	static struct cef_event got;
	const char *why;
	size_t column;
	if (!cef_read(&got, line, how, decoded, &why, &column)) fail_msg("%s at %zu: %.*s", why, column, (int)line.length, line.data);
	const struct cef_header *g = &got.header, *p = &put->header;
	const struct span gots[] = { g->vendor, g->product, g->device_version, g->signature, g->name, g->severity };
	const struct span puts[] = { p->vendor, p->product, p->device_version, p->signature, p->name, p->severity };
	assert_int_equal(g->version, p->version);
	for (size_t i = 0; i < 6; i++) require_same(scratch, gots[i], puts[i], true);
	assert_int_equal(got.pair_count, put->pair_count);
	for (size_t i = 0; i < got.pair_count; i++) {
		assert_true(span_equal(got.pair[i].key, put->pair[i].key));
		require_same(scratch, got.pair[i].value, put->pair[i].value, false);
	}
}

static void every_event_that_is_written_is_one_line_and_is_read_back_as_it_was(void **state)
{
	(void)state;
	static struct cef_event event;
	struct buffer arena, line, decoded, scratch;
	buffer_init(&arena, 1 << 20);
	buffer_reserve(&arena, 1 << 19); /* spans point into it */
	buffer_init(&line, 1 << 20);
	buffer_init(&decoded, 1 << 20);
	buffer_init(&scratch, 1 << 20);
	seed = 5;
	for (int turn = 0; turn < 20000; turn++) {
		draw_event(&event, &arena);
		assert_false(arena.failed);
		print_event(&line, &event);
		for (size_t i = 0; i < line.length; i++)
			if ((unsigned char)line.data[i] < 0x20 && line.data[i] != '\t') fail_msg("byte %u at %zu", (unsigned char)line.data[i], i);
		require_read_back(&event, buffer_span(&line), CEF_STRICT, &decoded, &scratch);
		require_read_back(&event, buffer_span(&line), CEF_LENIENT, &decoded, &scratch);
	}
	buffer_release(&arena);
	buffer_release(&line);
	buffer_release(&decoded);
	buffer_release(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_has_backslash_equals_and_line_ends_escaped_and_nothing_else),
		cmocka_unit_test(a_control_becomes_a_space_and_a_blank_at_the_end_is_left_out),
		cmocka_unit_test(a_header_has_pipe_and_backslash_escaped_and_never_a_line_end),
		cmocka_unit_test(a_key_is_letters_digits_and_underscores),
		cmocka_unit_test(a_severity_is_0_to_10_or_one_of_five_words),
		cmocka_unit_test(the_line_is_found_behind_what_syslog_and_old_clients_put_before_it),
		cmocka_unit_test(the_book_is_read),
		cmocka_unit_test(what_is_not_by_the_book_is_refused_with_its_column),
		cmocka_unit_test(what_is_in_the_field_is_read_too),
		cmocka_unit_test(at_most_512_keys_are_read),
		cmocka_unit_test(every_event_that_is_written_is_one_line_and_is_read_back_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
