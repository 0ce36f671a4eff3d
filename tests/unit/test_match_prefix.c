/* test_match_prefix - expressions and names inside another language: where they end, and what a name means there. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "envelope/match.h"

/* Each text has a $ where its expression ends. */
static void expect_end(const char *with_bar)
{
	struct match_fault fault;
	char text[4096], whole[4096];
	size_t used = 0, end = strcspn(with_bar, "$");
	snprintf(text, sizeof text, "%.*s%s", (int)end, with_bar, with_bar + end + 1);
	snprintf(whole, sizeof whole, "%.*s", (int)end, with_bar);
	struct match *m = match_new_prefix(span_of(text), &used, &fault);
	if (!m) fail_msg("%s: column %zu: %s", text, fault.column, fault.reason);
	if (used != end) fail_msg("%s: ends at %zu, not %zu", text, used, end);
	match_free(m);
	m = match_new(span_of(whole), &fault);
	if (!m) fail_msg("%s: column %zu: %s", whole, fault.column, fault.reason);
	match_free(m);
}

static void an_expression_ends_where_it_cannot_go_on(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"!fields.has_geoip$, blue = 1", "fields.a == \"x\"$ else \"y\"", "fields.n > 3$ tags a", "fields.x$ tags a", "fields.x$\n  counter request", "fields.x$", "fields.x$ \t\r\n",
		"fields.x$)", "(fields.x || fields.y)$)", "type == 'a, b'$, c", "type =~ /a, b\\) c/$, c", "fields[a, b]$, c", "type in ('a', 'b')$, c", "severity in (1,2)$ rate 0.5",
		"TRUE$ tags", "TRUE$, FALSE", "fields.x == NIL$ else 1", "fields.x != TRUE$ else 1", "fields.x == -1.5e3$, x", "fields.x$ + 1", "fields.x$ * 2", "fields.x$ # why",
		"fields.x$ \"text\"", "fields.x$ 5", "fields.x && fields.y$ if fields.z", "fields.x\n&& fields.y$\nwhen TRUE", "fields.x$ inside", "payload$, a", "type == 'a' || logger == 'b'$ counter", "  fields.x$ , a",
		"hostname$ tags", "Fields[x]$, y", "fields.x < 3$}", "fields.x$;", "!!fields.x$ a",
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) expect_end(rows[i]);
}

static void a_mistake_inside_has_its_column(void **state)
{
	(void)state;
	static const struct { const char *text; size_t column; const char *reason; } rows[] = {
		{ "", 1, "empty" }, { "  ", 1, "empty" }, { ", a", 1, "expected a name" }, { "tags a", 1, "unknown name \"tags\"" }, { "fields.x && , a", 13, "expected a name" },
		{ "fields.x &&", 12, "ends here" }, { "fields.x == , a", 13, "expected a value" }, { "(fields.x, a)", 10, "expected &&, || or )" }, { "(fields.x tags", 11, "expected &&, || or )" },
		{ "(fields.x", 1, "no closing )" }, { "fields.x = 3, a", 10, "== compares" }, { "fields.x ~ /a/, b", 10, "expected a relation" }, { "fields.x & fields.y", 10, "expected a relation" },
		{ "severity, a", 9, "expected a relation" }, { "type tags a", 6, "expected a relation" }, { "type == 'a", 9, "no closing '" }, { "fields.a. b", 10, "expected a name after the point" },
		{ "fields[a, b", 7, "no closing ]" }, { "bogus == 1, a", 1, "unknown name \"bogus\"" }, { "type =~ /(/, a", 11, "" }, { "type == 'a\xff', b", 11, "UTF-8" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct match_fault fault;
		size_t used;
		struct match *m = match_new_prefix(span_of(rows[i].text), &used, &fault);
		if (m || fault.column != rows[i].column || !strstr(fault.reason, rows[i].reason)) fail_msg("%s: column %zu: %s", rows[i].text, m ? 0 : fault.column, m ? "taken" : fault.reason);
	}
}

/* `length` bytes of `filler`, then the expression's end and something else: wherever a first guess is cut, the answer is the same. */
static void the_end_is_found_at_any_distance(void **state)
{
	(void)state;
	static const struct { const char *head, *filler, *tail; } rows[] = {
		{ "fields.x", " ", "&& fields.y" }, { "fields.x == '", "a", "'" }, { "fields.", "n", "" }, { "TRUE", "&& TRUE", "" }, { "fields.n in (1", ",1", ")" }, { "payload =~ /^", "b", "c$/" },
		{ "fields.x", " ", "in (1)" }, { "fields.x", " ", ">= 3" }, { "fields.n == 1", "&& fields.n == 10", "e3" }, { "fields[", "k", "]" },
	};
	struct buffer text;
	struct match_fault fault;
	buffer_init(&text, 1 << 20);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t length = 200; length < 1100; length += length == 270 ? 700 : 1) {
			buffer_clear(&text);
			buffer_append_text(&text, rows[i].head);
			while (text.length < length) buffer_append_text(&text, rows[i].filler);
			buffer_append_text(&text, rows[i].tail);
			size_t wanted = text.length, used = 0;
			buffer_append_text(&text, "\n  tags a, b\n");
			for (int more = 0; more < 300; more++) buffer_append_text(&text, "counter x\n");
			struct match *m = match_new_prefix(buffer_span(&text), &used, &fault);
			if (!m || used != wanted) fail_msg("row %zu, length %zu: %s, %zu not %zu", i, length, m ? "" : fault.reason, used, wanted);
			match_free(m);
		}
	buffer_release(&text);
}

static void a_prefix_has_the_bounds_of_an_expression(void **state)
{
	(void)state;
	struct buffer text;
	struct match_fault fault;
	size_t used;
	buffer_init(&text, 1 << 20);
	buffer_append_text(&text, "TRUE");
	while (text.length < 60000) buffer_append_text(&text, "&& TRUE");
	size_t wanted = text.length;
	while (text.length < 200000) buffer_append_text(&text, ", a");
	struct match *m = match_new_prefix(buffer_span(&text), &used, &fault);
	assert_non_null(m);
	assert_int_equal(used, wanted);
	match_free(m);
	buffer_clear(&text);
	buffer_append_text(&text, "TRUE");
	while (text.length < 70000) buffer_append_text(&text, "&& TRUE");
	assert_null(match_new_prefix(buffer_span(&text), &used, &fault));
	assert_non_null(strstr(fault.reason, "longer than"));
	buffer_release(&text);
}

/* --- names --- */

static void a_name_means_a_path(void **state)
{
	(void)state;
	static const struct { const char *text; size_t used; const char *path; } rows[] = {
		{ "fields.a.b", 10, "fields.a.b" }, { "fields[a].b, x", 11, "fields.a.b" }, { "fields[a b].c)", 13, "fields.a b.c" }, { "fields[a.b] * 3", 11, "fields.a.b" }, { "fields.list[0]\n", 14, "fields.list.0" },
		{ "pid", 3, "metlog_pid" }, { "hostname if TRUE", 8, "metlog_hostname" }, { "hostname.x", 10, "metlog_hostname.x" }, { "metlog_extra.zone", 17, "metlog_extra.zone" }, { "uuid", 4, "uuid" },
		{ "severity", 8, "severity" }, { "type,", 4, "type" }, { "logger", 6, "logger" }, { "payload", 7, "payload" }, { "payload.a[0]", 12, "payload.a.0" }, { "timestamp", 9, "timestamp" },
		{ "env_version", 11, "env_version" }, { "fields", 6, "fields" }, { "fields.na\xc3\xafve", 13, "fields.na\xc3\xafve" }, { "fields[a..b]", 12, "fields.a..b" },
	};
	struct buffer path;
	buffer_init(&path, 100);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct match_fault fault;
		size_t used = 0;
		buffer_clear(&path);
		if (!match_read_path(span_of(rows[i].text), &used, &path, &fault)) fail_msg("%s: column %zu: %s", rows[i].text, fault.column, fault.reason);
		assert_int_equal(used, rows[i].used);
		assert_string_equal(buffer_text(&path), rows[i].path);
	}
	buffer_release(&path);
}

static void a_name_that_means_nothing_is_refused(void **state)
{
	(void)state;
	static const struct { const char *text; size_t column; const char *reason; } rows[] = {
		{ "bogus", 1, "a field is written fields.bogus" }, { "sevrity", 1, "did you mean severity" }, { "Fields[x]", 1, "here it is fields" }, { "Type", 1, "Type is Heka's spelling; here it is type" },
		{ "Pid", 1, "here it is pid" }, { "Hostname", 1, "here it is hostname" }, { "Uuid", 1, "here it is uuid" }, { "Payload", 1, "here it is payload" }, { "EnvVersion", 1, "here it is env_version" },
		{ "fields.", 8, "expected a name after the point" }, { "fields[]", 8, "expected a name before ]" }, { "fields[x", 7, "no closing ]" }, { "type.x", 5, "nothing below it" },
		{ "", 1, "expected a name" }, { "\"x\"", 1, "expected a name" }, { "fields.1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17", 1, "16 parts" },
	};
	struct buffer path;
	buffer_init(&path, 100);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct match_fault fault;
		size_t used;
		bool good = match_read_path(span_of(rows[i].text), &used, &path, &fault);
		if (good || fault.column != rows[i].column || !strstr(fault.reason, rows[i].reason)) fail_msg("%s: column %zu: %s", rows[i].text, good ? 0 : fault.column, good ? "taken" : fault.reason);
		assert_int_equal(path.length, 0);
	}
	buffer_release(&path);
}

static void a_name_has_the_bounds_of_an_expression(void **state)
{
	(void)state;
	struct buffer text, path;
	struct match_fault fault;
	size_t used;
	buffer_init(&text, 1 << 20);
	buffer_init(&path, 1 << 20);
	buffer_append_text(&text, "fields.");
	while (text.length < 60000) buffer_append_byte(&text, 'n');
	buffer_append_text(&text, ", ");
	while (text.length < 70000) buffer_append_byte(&text, 'x');
	assert_true(match_read_path(buffer_span(&text), &used, &path, &fault));
	assert_int_equal(used, 60000);
	text.data[60000] = 'n', text.data[60001] = 'n';
	assert_false(match_read_path(buffer_span(&text), &used, &path, &fault));
	assert_non_null(strstr(fault.reason, "longer than"));
	buffer_release(&text);
	buffer_release(&path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_expression_ends_where_it_cannot_go_on),
		cmocka_unit_test(a_mistake_inside_has_its_column),
		cmocka_unit_test(the_end_is_found_at_any_distance),
		cmocka_unit_test(a_prefix_has_the_bounds_of_an_expression),
		cmocka_unit_test(a_name_means_a_path),
		cmocka_unit_test(a_name_that_means_nothing_is_refused),
		cmocka_unit_test(a_name_has_the_bounds_of_an_expression),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
