/* test_field - values found by their path, walks over objects and arrays, and strings compared as what they mean. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/text.h"
#include "envelope/field.h"
#include "fixture.h"

static const struct envelope *parse(void **state, struct span line)
{
	struct fixture *f = *state;
	struct envelope_fault fault = { "blank", 0 };
	if (envelope_parse_copy(&f->envelope, &f->scan, &f->copy, line, &fault) != ENVELOPE_GOOD) fail_msg("%s: %.*s", fault.reason, (int)line.length, line.data);
	return &f->envelope;
}

static struct value find(const struct envelope *e, const char *text)
{
	struct field_path path;
	assert_true(field_path_init(&path, span_of(text)));
	return field_find(e, &path);
}

static void expect_found(const struct envelope *e, const char *path, enum value_kind kind, const char *text)
{
	struct value value = find(e, path);
	if (value.kind != kind || !span_equal(value.text, span_of(text)))
		fail_msg("%s is \"%.*s\" (kind %d), not \"%s\" (%d)", path, (int)value.text.length, value.text.data, (int)value.kind, text, (int)kind);
}

static void expect_absent(const struct envelope *e, const char *path)
{
	expect_found(e, path, VALUE_ABSENT, "");
}

static void paths_are_taken_apart(void **state)
{
	(void)state;
	struct field_path path;
	assert_true(field_path_init(&path, SPAN("fields.req.headers")));
	assert_int_equal(path.depth, 3);
	assert_true(span_equal(path.segment[1], SPAN("req")));
	assert_true(span_equal(path.whole, SPAN("fields.req.headers")));
	assert_true(field_path_init(&path, SPAN("1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16")));
	assert_int_equal(path.depth, FIELD_DEPTH_MAX);
	static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (field_path_init(&path, span_of(bad[i]))) fail_msg("taken: \"%s\"", bad[i]);
}

static void members_of_the_envelope_are_found(void **state)
{
	const struct envelope *e = parse(state, SPAN("{\"type\":\"a\", \"metlog_pid\" : 12 ,\"x\":null,\"y\":true,\"z\":[ 1 ],\"severity\":3,\"fields\":{}}"));
	expect_found(e, "type", VALUE_STRING, "a");
	expect_found(e, "metlog_pid", VALUE_NUMBER, "12");
	expect_found(e, "x", VALUE_NULL, "null");
	expect_found(e, "y", VALUE_TRUE, "true");
	expect_found(e, "z", VALUE_ARRAY, "[ 1 ]");
	expect_found(e, "severity", VALUE_NUMBER, "3");
	expect_found(e, "fields", VALUE_OBJECT, "{}");
	expect_absent(e, "fields.a");
	expect_absent(e, "typ");
	expect_absent(e, "type.a");
	expect_absent(parse(state, SPAN("{}")), "a");
	expect_absent(parse(state, SPAN("{}")), "fields.a");
}

static void nested_fields_are_found(void **state)
{
	const struct envelope *e = parse(state, SPAN("{\"payload\":{\"a\":1},\"fields\":{\"skip\":{\"a\":[{\"b\":0}]},\"a\":{\"skip\":[],\"b\":{\"c\":\"deep\"}},\"last\":-1.5e3 }}"));
	expect_found(e, "fields.a.b.c", VALUE_STRING, "deep");
	expect_found(e, "fields.a.b", VALUE_OBJECT, "{\"c\":\"deep\"}");
	expect_found(e, "fields.last", VALUE_NUMBER, "-1.5e3");
	expect_found(e, "payload.a", VALUE_NUMBER, "1");
	expect_absent(e, "fields.a.c");
	expect_absent(e, "fields.b");
	expect_absent(e, "fields.last.a");
	expect_absent(e, "fields.a.b.c.d");
}

static void a_key_with_dots_wins_over_the_step(void **state)
{
	const struct envelope *e = parse(state, SPAN("{\"fields\":{\"a\":{\"b\":1,\"c\":2,\"d.e\":3},\"a.b\":4,\"a.x.y\":5},\"p.q\":6,\"p\":{\"q\":7,\"r\":8}}"));
	expect_found(e, "fields.a.b", VALUE_NUMBER, "4");
	expect_found(e, "fields.a.c", VALUE_NUMBER, "2");
	expect_found(e, "fields.a.d.e", VALUE_NUMBER, "3");
	expect_found(e, "fields.a.x.y", VALUE_NUMBER, "5");
	expect_found(e, "p.q", VALUE_NUMBER, "6");
	expect_found(e, "p.r", VALUE_NUMBER, "8");
	e = parse(state, SPAN("{\"fields.a\":1,\"fields\":{\"b\":2}}"));
	expect_found(e, "fields.a", VALUE_NUMBER, "1");
	expect_found(e, "fields.b", VALUE_NUMBER, "2");
	/* What is in fields comes first, so that the usual look-up need not read the whole line. */
	e = parse(state, SPAN("{\"fields.a\":1,\"fields\":{\"a\":2}}"));
	expect_found(e, "fields.a", VALUE_NUMBER, "2");
}

static void the_last_of_repeated_keys_counts(void **state)
{
	const struct envelope *e = parse(state, SPAN("{\"x\":1,\"x\":2,\"fields\":{\"a\":1,\"a\":{\"b\":1},\"a\":{\"b\":2,\"\\u0062\":3},\"c\":{\"d\":1},\"c\":4}}"));
	expect_found(e, "x", VALUE_NUMBER, "2");
	expect_found(e, "fields.a.b", VALUE_NUMBER, "3");
	expect_found(e, "fields.c", VALUE_NUMBER, "4");
	expect_absent(e, "fields.c.d");
}

static void elements_of_arrays_are_numbered_from_0(void **state)
{
	const struct envelope *e = parse(state, SPAN("{\"fields\":{\"a\":[10,{\"b\":[\"x\",[null,\"y\"]]},[] ],\"0\":{\"1\":\"object\"}}}"));
	expect_found(e, "fields.a.0", VALUE_NUMBER, "10");
	expect_found(e, "fields.a.1.b.0", VALUE_STRING, "x");
	expect_found(e, "fields.a.1.b.1.1", VALUE_STRING, "y");
	expect_found(e, "fields.a.2", VALUE_ARRAY, "[]");
	expect_found(e, "fields.0.1", VALUE_STRING, "object");
	expect_absent(e, "fields.a.3");
	expect_absent(e, "fields.a.2.0");
	expect_absent(e, "fields.a.-1");
	expect_absent(e, "fields.a.x");
	expect_absent(e, "fields.a.99999999999999999999");
	expect_absent(e, "fields.a.0.0");
}

static void keys_with_escapes_are_compared_decoded(void **state)
{
	const struct envelope *e = parse(state, SPAN("{\"f\\u0069elds\":{\"caf\\u00e9\":1,\"\xe2\x82\xac\":2,\"\\ud83d\\ude00\":3,\"a\\\"b\":4,\"t\\tb\":5,\"\\u0061.b\":6}}"));
	expect_found(e, "fields.caf\xc3\xa9", VALUE_NUMBER, "1");
	expect_found(e, "fields.\xe2\x82\xac", VALUE_NUMBER, "2");
	expect_found(e, "fields.\xf0\x9f\x98\x80", VALUE_NUMBER, "3");
	expect_found(e, "fields.a\"b", VALUE_NUMBER, "4");
	expect_found(e, "fields.t\tb", VALUE_NUMBER, "5");
	expect_found(e, "fields.a.b", VALUE_NUMBER, "6");
	expect_absent(e, "fields.caf\\u00e9");
}

static void brackets_inside_strings_do_not_mislead(void **state)
{
	const struct envelope *e = parse(state, SPAN("{\"fields\":{\"a\":\"}]{[,:\\\"\",\"b\":{\"}\":\"{\"},\"c\":1},\"type\":\"x\"}"));
	expect_found(e, "fields.c", VALUE_NUMBER, "1");
	expect_found(e, "fields.b", VALUE_OBJECT, "{\"}\":\"{\"}");
	expect_found(e, "fields.a", VALUE_STRING, "}]{[,:\\\"");
}

static void a_path_may_be_relative_to_an_object(void **state)
{
	const struct envelope *e = parse(state, SPAN("{\"fields\":{\"req\":{\"a\":1,\"b\":[5,6]},\"s\":\"x\"}}"));
	struct field_path path;
	assert_true(field_path_init(&path, SPAN("b.1")));
	assert_true(span_equal(field_find_in(e, find(e, "fields.req"), &path).text, SPAN("6")));
	assert_int_equal(field_find_in(e, find(e, "fields.s"), &path).kind, VALUE_ABSENT);
	assert_int_equal(field_find_in(e, e->payload, &path).kind, VALUE_ABSENT);
	assert_true(field_path_init(&path, SPAN("1")));
	assert_true(span_equal(field_find_in(e, find(e, "fields.req.b"), &path).text, SPAN("6")));
}

static void walks_go_in_the_order_of_the_line(void **state)
{
	static const struct { const char *key, *text; enum value_kind kind; } rows[] = {
		{ "z", "1", VALUE_NUMBER }, { "a", "x\\ny", VALUE_STRING }, { "o", "{ \"i\":[1,{}] }", VALUE_OBJECT }, { "z", "[]", VALUE_ARRAY },
		{ "", "true", VALUE_TRUE }, { "f", "false", VALUE_FALSE }, { "n", "null", VALUE_NULL },
	};
	const struct envelope *e = parse(state, SPAN("{\"fields\":{\"z\":1 , \"a\" : \"x\\ny\",\"o\":{ \"i\":[1,{}] },\"z\":[],\"\":true,\"f\":false ,\"n\":null }}"));
	struct value key, value;
	size_t i = 0;
	for (struct field_walk walk = field_walk(e, e->fields); field_next(&walk, &key, &value); i++) {
		assert_int_equal(key.kind, VALUE_STRING);
		if (!span_equal(key.text, span_of(rows[i].key)) || !span_equal(value.text, span_of(rows[i].text)) || value.kind != rows[i].kind)
			fail_msg("pair %zu: %.*s = %.*s", i, (int)key.text.length, key.text.data, (int)value.text.length, value.text.data);
		assert_int_equal(value.escaped, i == 1);
	}
	assert_int_equal(i, sizeof rows / sizeof *rows);
}

static void arrays_are_walked_likewise(void **state)
{
	static const char *const rows[] = { "1", "x", "[2,[3]]", "{}", "-1e5" };
	const struct envelope *e = parse(state, SPAN("{\"payload\":[1, \"x\" ,[2,[3]],{},-1e5 ]}"));
	struct value value;
	size_t i = 0;
	for (struct field_walk walk = field_walk_array(e, e->payload); field_next_element(&walk, &value); i++) assert_true(span_equal(value.text, span_of(rows[i])));
	assert_int_equal(i, 5);
}

static void what_is_empty_or_something_else_has_no_pairs(void **state)
{
	const struct envelope *e = parse(state, SPAN("{\"fields\":{ },\"a\":[ ],\"s\":\"x\",\"n\":1}"));
	struct value key, value;
	const struct value all[] = { e->fields, find(e, "a"), find(e, "s"), find(e, "n"), e->type };
	for (size_t i = 0; i < 5; i++) {
		struct field_walk walk = field_walk(e, all[i]), elements = field_walk_array(e, all[i]);
		assert_false(field_next(&walk, &key, &value));
		assert_false(field_next(&walk, &key, &value));
		assert_false(field_next_element(&elements, &value));
	}
}

static void strings_are_compared_as_what_they_mean(void **state)
{
	static const struct { const char *text; struct span means; } rows[] = {
		{ "plain", SPAN("plain") }, { "", SPAN("") }, { "a\\nb", SPAN("a\nb") }, { "\\u00e9", SPAN("\xc3\xa9") }, { "\\ud83d\\ude00", SPAN("\xf0\x9f\x98\x80") },
		{ "\\ud83d", SPAN("\xef\xbf\xbd") }, { "\\ude00x", SPAN("\xef\xbf\xbdx") }, { "\\ud83d\\u0041", SPAN("\xef\xbf\xbd" "A") }, { "a\\u0000b", SPAN("a\0b") },
		{ "\\ud800\\ud83d\\ude00", SPAN("\xef\xbf\xbd\xf0\x9f\x98\x80") }, { "\\ud83d\\n", SPAN("\xef\xbf\xbd\n") }, { "\\\\u0041", SPAN("\\u0041") },
		{ "\\\"\\\\\\/\\b\\f\\n\\r\\t", SPAN("\"\\/\b\f\n\r\t") }, { "\\uD83D\\uDE00\\uD83D\\uDE00", SPAN("\xf0\x9f\x98\x80\xf0\x9f\x98\x80") },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char line[200];
		struct buffer text;
		int length = snprintf(line, sizeof line, "{\"payload\":\"%s\"}", rows[i].text);
		const struct envelope *e = parse(state, (struct span){ line, (size_t)length });
		buffer_init(&text, 1000);
		assert_true(field_append_text(&text, e->payload));
		if (!span_equal(buffer_span(&text), rows[i].means)) fail_msg("row %zu decodes to %.*s", i, (int)text.length, text.data);
		if (!field_equals(e->payload, rows[i].means)) fail_msg("row %zu is not equal to itself", i);
		buffer_append_byte(&text, 'x');
		assert_false(field_equals(e->payload, buffer_span(&text)));
		if (text.length > 1) assert_false(field_equals(e->payload, (struct span){ text.data, text.length - 2 }));
		text.data[0] ^= 1;
		assert_false(field_equals(e->payload, (struct span){ text.data, text.length - 1 }) && rows[i].means.length);
		buffer_release(&text);
	}
	const struct envelope *e = parse(state, SPAN("{\"payload\":1}"));
	assert_false(field_equals(e->payload, SPAN("1")));
	assert_false(field_equals(e->type, SPAN("")));
}

static void numbers_are_read_from_numbers_and_their_text(void **state)
{
	static const struct { const char *json; bool is; double number; } rows[] = {
		{ "1", true, 1 }, { "-2.5e3", true, -2500 }, { "\"17\"", true, 17 }, { "\"0.25\"", true, 0.25 }, { "\"\"", false, 0 }, { "\" 1\"", false, 0 }, { "\"1 \"", false, 0 },
		{ "\"1ms\"", false, 0 }, { "\"0x10\"", false, 0 }, { "\"nan\"", false, 0 }, { "\"inf\"", false, 0 }, { "true", false, 0 }, { "null", false, 0 }, { "[1]", false, 0 },
		{ "{}", false, 0 }, { "1e400", false, 0 }, { "12345678901234567890", true, 12345678901234567890.0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char line[100];
		double number = 0;
		int length = snprintf(line, sizeof line, "{\"payload\":%s}", rows[i].json);
		const struct envelope *e = parse(state, (struct span){ line, (size_t)length });
		if (field_number(e->payload, &number) != rows[i].is) fail_msg("row %zu: %s", i, rows[i].json);
		if (rows[i].is) assert_true(number == rows[i].number);
	}
	double number;
	assert_false(field_number(parse(state, SPAN("{}"))->payload, &number));
}

static void text_of_a_value_is_its_string_or_its_json(void **state)
{
	const struct envelope *e = parse(state, SPAN("{\"payload\":\"a\\nb\",\"fields\":{\"o\":{ \"a\":1 }}}"));
	struct buffer text;
	buffer_init(&text, 1000);
	assert_true(field_append_text(&text, e->payload));
	assert_true(field_append_text(&text, find(e, "fields.o")));
	assert_true(field_append_text(&text, e->logger));
	assert_true(span_equal(buffer_span(&text), SPAN("a\nb{ \"a\":1 }")));
	buffer_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_taken_apart),
		cmocka_unit_test(members_of_the_envelope_are_found),
		cmocka_unit_test(nested_fields_are_found),
		cmocka_unit_test(a_key_with_dots_wins_over_the_step),
		cmocka_unit_test(the_last_of_repeated_keys_counts),
		cmocka_unit_test(elements_of_arrays_are_numbered_from_0),
		cmocka_unit_test(keys_with_escapes_are_compared_decoded),
		cmocka_unit_test(brackets_inside_strings_do_not_mislead),
		cmocka_unit_test(a_path_may_be_relative_to_an_object),
		cmocka_unit_test(walks_go_in_the_order_of_the_line),
		cmocka_unit_test(arrays_are_walked_likewise),
		cmocka_unit_test(what_is_empty_or_something_else_has_no_pairs),
		cmocka_unit_test(strings_are_compared_as_what_they_mean),
		cmocka_unit_test(numbers_are_read_from_numbers_and_their_text),
		cmocka_unit_test(text_of_a_value_is_its_string_or_its_json),
	};
	return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
