/* test_match - matcher expressions: the tables in tests/data/match, and what a table cannot say. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>

#include "envelope/match.h"

/* A line in hand, parsed: what match_eval wants. */
struct sample {
	struct buffer copy;
	struct scan scan;
	struct envelope envelope;
};

static void sample_open(struct sample *s, const char *line)
{
	struct envelope_fault fault;
	buffer_init(&s->copy, 8 << 20);
	assert_true(scan_init(&s->scan));
	if (envelope_parse_copy(&s->envelope, &s->scan, &s->copy, span_of(line), &fault) != ENVELOPE_GOOD)
		fail_msg("%s: %s", line, fault.reason);
}

static void sample_close(struct sample *s)
{
	scan_release(&s->scan);
	buffer_release(&s->copy);
}

static struct match *compile(const char *expression)
{
	struct match_fault fault;
	struct match *m = match_new(span_of(expression), &fault);
	if (!m) fail_msg("%s: column %zu: %s", expression, fault.column, fault.reason);
	return m;
}

static bool evaluate(const char *expression, const char *line)
{
	struct sample s;
	struct match *m = compile(expression);
	sample_open(&s, line);
	bool answer = match_eval(m, &s.envelope);
	sample_close(&s);
	match_free(m);
	return answer;
}

/* --- the tables: {"envelopes": [object or line], "cases": [{"expr", "expect": true | false | "error", "envelope": 0, "column", "reason"}]} --- */

/* One envelope, or NULL with what is wrong printed. An object is dumped; a string is a line as it is, escapes and all. */
static char *line_of(json_t *table, json_t *one_case)
{
	json_t *envelope = json_array_get(json_object_get(table, "envelopes"), (size_t)json_integer_value(json_object_get(one_case, "envelope")));
	assert_non_null(envelope);
	return json_is_string(envelope) ? strdup(json_string_value(envelope)) : json_dumps(envelope, JSON_COMPACT);
}

static bool check_fault(const char *expression, json_t *one_case, const struct match_fault *fault)
{
	const char *reason = json_string_value(json_object_get(one_case, "reason"));
	json_t *column = json_object_get(one_case, "column");
	bool good = (!reason || strstr(fault->reason, reason)) && fault->reason[0]
	         && (!column || (size_t)json_integer_value(column) == fault->column);
	if (!good) print_error("%s: fault at column %zu: %s\n", expression, fault->column, fault->reason);
	return good;
}

static bool check_case(json_t *table, json_t *one_case)
{
	const char *expression = json_string_value(json_object_get(one_case, "expr"));
	json_t *expect = json_object_get(one_case, "expect");
	struct match_fault fault;
	struct sample s;
	assert_non_null(expression);
	assert_true(json_is_boolean(expect) || (json_is_string(expect) && strcmp(json_string_value(expect), "error") == 0));
	struct match *m = match_new(span_of(expression), &fault);
	if (json_is_string(expect)) {
		if (!m) return check_fault(expression, one_case, &fault);
		print_error("%s: compiles, expected an error\n", expression);
		match_free(m);
		return false;
	}
	if (!m) {
		print_error("%s: column %zu: %s\n", expression, fault.column, fault.reason);
		return false;
	}
	char *line = line_of(table, one_case);
	sample_open(&s, line);
	bool answer = match_eval(m, &s.envelope), again = match_eval(m, &s.envelope);
	if (answer != json_is_true(expect) || again != answer) print_error("%s: is %s on %s\n", expression, answer ? "true" : "false", line);
	sample_close(&s);
	free(line);
	match_free(m);
	return answer == json_is_true(expect) && again == answer;
}

static size_t check_table(const char *path)
{
	json_error_t error;
	json_t *table = json_load_file(path, 0, &error), *one_case;
	if (!table) fail_msg("%s:%d: %s", path, error.line, error.text);
	json_t *cases = json_object_get(table, "cases");
	size_t i, wrong = 0, count = json_array_size(cases);
	json_array_foreach(cases, i, one_case) wrong += !check_case(table, one_case);
	if (wrong) fail_msg("%s: %zu of %zu cases are wrong", path, wrong, count);
	json_decref(table);
	return count;
}

static void every_case_of_the_tables_answers_as_it_says(void **state)
{
	(void)state;
	const char *source = getenv("SOURCE"), *one = getenv("MATCH_TABLE");
	char folder[4096], path[8192];
	size_t count = 0;
	snprintf(folder, sizeof folder, "%s/tests/data/match", source ? source : ".");
	if (one) {
		check_table(one);
		return;
	}
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		size_t length = strlen(entry->d_name);
		if (length < 5 || strcmp(entry->d_name + length - 5, ".json") != 0) continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		count += check_table(path);
	}
	closedir(dir);
	assert_true(count > 200);
}

/* --- what a table cannot say --- */

static void the_last_of_repeated_fields_counts(void **state)
{
	(void)state;
	assert_true(evaluate("fields.a == 2", "{\"fields\":{\"a\":1,\"a\":2}}"));
	assert_false(evaluate("fields.a == 1", "{\"fields\":{\"a\":1,\"a\":2}}"));
}

static void one_match_serves_many_envelopes(void **state)
{
	(void)state;
	struct match *m = compile("fields.a == 'x\ny' && fields.a =~ /^x/ || Fields[b][0][1] == 2");
	struct sample s[4];
	const char *lines[] = { "{\"fields\":{\"a\":\"x\\ny\"}}", "{\"fields\":{\"a\":\"x\\n\"}}", "{\"fields\":{\"b\":[1,2]}}", "{\"fields\":{\"b\":[1]}}" };
	for (size_t i = 0; i < 4; i++) sample_open(&s[i], lines[i]);
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < 4; i++) assert_int_equal(match_eval(m, &s[i].envelope), i == 0 || i == 2);
	for (size_t i = 0; i < 4; i++) sample_close(&s[i]);
	match_free(m);
}

static void a_pattern_that_costs_too_much_does_not_match_and_is_counted(void **state)
{
	(void)state;
	static const char *const patterns[] = { "payload =~ /(a+)+$/", "payload !~ /(a+)+$/", "payload =~ /a.*a.*a.*bc/", "payload !~ /(x+x+)+c/" };
	struct buffer line;
	buffer_init(&line, 2 << 20);
	buffer_append_text(&line, "{\"payload\":\"b");
	for (int i = 0; i < 100000; i++) buffer_append_text(&line, i % 40 ? "a" : "x");
	for (int i = 0; i < 100000; i++) buffer_append_text(&line, "x");
	buffer_append_text(&line, "!c\"}");
	struct sample s;
	sample_open(&s, buffer_text(&line));
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		struct match *m = compile(patterns[i]);
		assert_false(match_eval(m, &s.envelope));
		assert_int_equal(match_limit_hits(m), 1);
		match_free(m);
	}
	sample_close(&s);
	buffer_release(&line);
}

static void a_short_text_cannot_hide_a_costly_pattern(void **state)
{
	(void)state;
	struct match *m = compile("payload =~ /^(a+)+$/");
	struct sample s;
	sample_open(&s, "{\"payload\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"}");
	assert_false(match_eval(m, &s.envelope));
	assert_int_equal(match_limit_hits(m), 1);
	sample_close(&s);
	match_free(m);
}

static void no_length_of_text_makes_a_search_long(void **state)
{
	(void)state;
	static const char *const patterns[] = { "payload =~ /a.*bZ/", "payload =~ /a.*b.*cZ/", "payload =~ /a.*b.*c.*dZ/", "payload =~ /(a|a)*cZ/", "payload =~ /(x+x+)+yZ/", "payload =~ /\\w+@Z/",
		"payload =~ /(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)bZ/",
		"payload =~ /(a(?1)b|a)cZ/" };
	struct buffer line;
	buffer_init(&line, 2 << 20);
	for (size_t length = 16; length <= 1 << 20; length *= 4)
		for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
			struct match *m = compile(patterns[i]);
			struct sample s;
			buffer_clear(&line);
			buffer_append_text(&line, "{\"payload\":\"");
			for (size_t at = 0; at < length; at++) buffer_append_byte(&line, "abcx"[at * 4 / length]);
			buffer_append_text(&line, "Z\"}");
			sample_open(&s, buffer_text(&line));
			clock_t start = clock();
			assert_false(match_eval(m, &s.envelope));
			/* 0.04 s without sanitizers or valgrind; without a limit some would take years. */
			assert_true(clock() - start < 20 * CLOCKS_PER_SEC);
			sample_close(&s);
			match_free(m);
		}
	buffer_release(&line);
}

static void long_texts_match_as_short_ones_do(void **state)
{
	(void)state;
	struct buffer line;
	buffer_init(&line, 4 << 20);
	buffer_append_text(&line, "{\"payload\":\"first ");
	for (int i = 0; i < 100000; i++) buffer_append_text(&line, "word \\u00e9 ");
	buffer_append_text(&line, "code=4711 last\"}");
	assert_true(evaluate("payload =~ /code=\\d{4} last$/ && payload =~ /^first (word|x)/ && payload =~ /last$/ && payload =~ /é/", buffer_text(&line)));
	assert_false(evaluate("payload =~ /code=\\d{5}/ || payload =~ /code=47$/", buffer_text(&line)));
	buffer_release(&line);
}

/* The expression `head`, then `part` so many times, then `tail`. */
static struct match *compile_repeated(const char *head, const char *part, size_t times, const char *tail, struct match_fault *fault)
{
	struct buffer text;
	buffer_init(&text, 8 << 20);
	buffer_append_text(&text, head);
	for (size_t i = 0; i < times; i++) buffer_append_text(&text, part);
	buffer_append_text(&text, tail);
	struct match *m = match_new(buffer_span(&text), fault);
	buffer_release(&text);
	return m;
}

static void expressions_have_bounds(void **state)
{
	(void)state;
	static const struct { const char *head, *part; size_t times; const char *tail, *reason; } rows[] = {
		{ "", "(", MATCH_DEPTH_MAX, "TRUE", "closing )" },
		{ "", "(", MATCH_DEPTH_MAX + 1, "TRUE", "levels" },
		{ "", "!", MATCH_DEPTH_MAX, "TRUE", NULL },
		{ "", "!", MATCH_DEPTH_MAX + 1, "TRUE", "levels" },
		{ "TRUE", " ", MATCH_TEXT_MAX - 4, "", NULL },
		{ "TRUE", " ", MATCH_TEXT_MAX - 3, "", "longer than" },
		{ "type =~ /", "(", 200, "/", "nested" },
		{ "type =~ /[ab]", "c", 9000, "/", "longer than" },
		{ "type =~ /", "c", 9000, "/", NULL },
		{ "severity == 1", "0", 100, "", "longer than" },
		{ "pid<1", "||pid<1", 9000, "", NULL },
		{ "pid in (1", ",1", 32000, ")", NULL },
		{ "type in ('b'", ",'a'", 16000, ")", NULL },
		{ "Pid<1", "&&Fields[a]<1", 4000, "", NULL },
		{ "TRUE", "&&(FALSE)", 7000, "", NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct match_fault fault;
		struct match *m = compile_repeated(rows[i].head, rows[i].part, rows[i].times, rows[i].tail, &fault);
		if (!m != !!rows[i].reason || (!m && !strstr(fault.reason, rows[i].reason))) fail_msg("row %zu: %s", i, fault.reason);
		match_free(m);
	}
}

static void a_long_in_finds_each_of_its_values(void **state)
{
	(void)state;
	struct buffer text;
	struct sample s;
	buffer_init(&text, MATCH_TEXT_MAX);
	buffer_append_text(&text, "fields.v in (-1");
	for (int i = 0; i < 1000; i++) {
		buffer_append_text(&text, ",");
		buffer_append_int(&text, (i * 7919) % 1000 * 2);
		buffer_append_text(&text, ",'s");
		buffer_append_int(&text, (i * 7919) % 1000 * 2);
		buffer_append_text(&text, "'");
	}
	buffer_append_text(&text, ")");
	struct match *m = compile(buffer_text(&text));
	for (int i = 0; i < 2000; i++) {
		char line[64];
		snprintf(line, sizeof line, i % 3 ? "{\"fields\":{\"v\":%d}}" : "{\"fields\":{\"v\":\"s%d\"}}", i);
		sample_open(&s, line);
		assert_int_equal(match_eval(m, &s.envelope), i % 2 == 0);
		sample_close(&s);
	}
	match_free(m);
	buffer_release(&text);
}

static void an_expression_that_is_not_text_is_refused(void **state)
{
	(void)state;
	struct match_fault fault;
	assert_null(match_new(SPAN("type == 'a\0b'"), &fault));
	assert_int_equal(fault.column, 11);
	assert_null(match_new(SPAN("type == '\xff'"), &fault));
	assert_int_equal(fault.column, 10);
	assert_null(match_new((struct span){ NULL, 0 }, &fault));
	assert_int_equal(fault.column, 1);
	match_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_of_the_tables_answers_as_it_says),
		cmocka_unit_test(the_last_of_repeated_fields_counts),
		cmocka_unit_test(one_match_serves_many_envelopes),
		cmocka_unit_test(a_pattern_that_costs_too_much_does_not_match_and_is_counted),
		cmocka_unit_test(a_short_text_cannot_hide_a_costly_pattern),
		cmocka_unit_test(no_length_of_text_makes_a_search_long),
		cmocka_unit_test(long_texts_match_as_short_ones_do),
		cmocka_unit_test(expressions_have_bounds),
		cmocka_unit_test(a_long_in_finds_each_of_its_values),
		cmocka_unit_test(an_expression_that_is_not_text_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
