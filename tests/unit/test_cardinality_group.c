/* test_cardinality_group - the text of a group: made from an envelope, taken apart, and told from what only looks like one. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "address.h"
#include "group.h"

/* The group of a line by fields.a and fields.b, as text; false if the line is no envelope. */
static bool group_of(struct buffer *out, const char *line)
{
	struct cardinality_field by[2] = { { .name = SPAN("a"), .label = SPAN(",\"a\":") }, { .name = SPAN("b \"x\""), .label = SPAN(",\"b \\\"x\\\"\":") } };
	struct scan scan;
	struct buffer copy, scratch;
	struct envelope envelope;
	struct envelope_fault fault;
	field_path_init(&by[0].path, SPAN("fields.a"));
	field_path_init(&by[1].path, SPAN("fields.b"));
	buffer_init(&copy, 1 << 20);
	buffer_init(&scratch, 1 << 20);
	buffer_init(out, GROUP_MAX);
	assert_true(scan_init(&scan));
	bool good = envelope_parse_copy(&envelope, &scan, &copy, span_of(line), &fault) == ENVELOPE_GOOD && group_append(out, &scratch, &envelope, by, 2);
	buffer_release(&copy);
	buffer_release(&scratch);
	scan_release(&scan);
	return good;
}

static void expect_group(const char *line, const char *group)
{
	struct buffer text;
	assert_true(group_of(&text, line));
	if (!span_equal(buffer_span(&text), span_of(group))) fail_msg("%s became %.*s, not %s", line, (int)text.length, text.data, group);
	assert_true(group_is_good(buffer_span(&text)));
	buffer_release(&text);
}

static void equal_values_make_equal_bytes(void **state)
{
	(void)state;
	expect_group("{\"fields\":{\"a\":\"x\",\"b\":\"y\"}}", "{\"a\":\"x\",\"b \\\"x\\\"\":\"y\"}");
	expect_group("{\"fields\":{\"a\":\"\\u0078\",\"b\":7}}", "{\"a\":\"x\",\"b \\\"x\\\"\":\"7\"}");
	expect_group("{\"fields\":{\"a\":null}}", "{\"a\":null,\"b \\\"x\\\"\":null}");
	expect_group("{\"fields\":{\"a\":{\"k\": \"v\"},\"b\":[1]}}", "{\"a\":\"{\\\"k\\\": \\\"v\\\"}\",\"b \\\"x\\\"\":\"[1]\"}");
	expect_group("{\"fields\":{\"a\":\"\\u0009\\/\\u001b\\u0000\",\"b\":true}}", "{\"a\":\"\\t/\\u001b\\u0000\",\"b \\\"x\\\"\":\"true\"}");
}

static void long_values_are_cut_at_a_character(void **state)
{
	(void)state;
	char line[2048], value[1024] = "";
	for (size_t length = 500; length < 540; length++) {
		struct buffer text;
		memset(value, 'x', length);
		memcpy(value + length, "\xf0\x9d\x84\x9e", 5); /* four bytes, across the cut for some of the lengths */
		snprintf(line, sizeof line, "{\"fields\":{\"a\":\"%s\"}}", value);
		assert_true(group_of(&text, line));
		assert_true(group_is_good(buffer_span(&text)));
		struct span name, inside;
		size_t at = 0;
		assert_true(group_next(buffer_span(&text), &at, &name, &inside));
		if (length + 4 <= GROUP_VALUE_MAX) assert_int_equal(inside.length, length + 4);
		else assert_int_equal(inside.length, (length < GROUP_VALUE_MAX ? length : GROUP_VALUE_MAX) + 17);
		buffer_release(&text);
	}
}

static void a_group_is_taken_apart(void **state)
{
	(void)state;
	struct span name, value, group = SPAN("{\"a\":\"x\\\"\",\"b\":null,\"\\\\\":\"\"}");
	size_t at = 0;
	assert_true(group_next(group, &at, &name, &value));
	assert_true(span_equal(name, SPAN("a")) && span_equal(value, SPAN("x\\\"")));
	assert_true(group_next(group, &at, &name, &value));
	assert_true(span_equal(name, SPAN("b")) && value.data == NULL);
	assert_true(group_next(group, &at, &name, &value));
	assert_true(span_equal(name, SPAN("\\\\")) && value.data && value.length == 0);
	assert_false(group_next(group, &at, &name, &value));
	assert_true(at != SIZE_MAX);
	at = 0;
	assert_false(group_next(SPAN("{}"), &at, &name, &value));
	assert_true(at != SIZE_MAX);
}

static void what_is_no_group_is_told(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "{", "}", "[]", "{}}", "{} ", " {}", "{\"a\"}", "{\"a\":}", "{\"a\":\"x\"", "{\"a\":\"x\",}", "{\"a\":\"x\"}x", "{\"a\":\"x\" }", "{\"a\": \"x\"}",
		"{\"a\":7}", "{\"a\":nul}", "{\"a\":\"x\"\"b\":\"y\"}", "{,\"a\":\"x\"}", "{\"\":\"x\"}", "{\"a\":\"\t\"}", "{\"a\":\"\\u0041\"}", "{\"a\":\"\\/\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u00\"}",
		"{\"a\":\"\\", "{\"a\":\"\\\"}", "{\"a\":\"\xff\"}", "{\"a\":\"\\u001B\"}", "{\"a\":\"\\u0009\"}" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (group_is_good(span_of(bad[i]))) fail_msg("taken for a group: %s", bad[i]);
	char text[1024];
	for (int length = 0; length < 600; length++) {
		snprintf(text, sizeof text, "{\"a\":\"%0*d\"}", length ? length : 1, 0);
		assert_int_equal(group_is_good(span_of(text)), length <= GROUP_VALUE_MAX);
	}
	size_t used = 0;
	for (int i = 0; i <= OPTIONS_FIELDS_MAX; i++) used += (size_t)snprintf(text + used, sizeof text - used, "%c\"%d\":\"\"", i ? ',' : '{', i);
	snprintf(text + used, sizeof text - used, "}");
	assert_false(group_is_good(span_of(text))); /* a member more than --by can have */
}

static void an_address_has_one_text(void **state)
{
	(void)state;
	static const char *const pairs[][2] = { { "192.0.2.1", "192.0.2.1" }, { "0.0.0.0", "0.0.0.0" }, { "255.255.255.255", "255.255.255.255" }, { "256.0.0.1", "127.0.0.1" }, { "01.2.3.4", "127.0.0.1" },
		{ "1.2.3", "127.0.0.1" }, { "1.2.3.4.5", "127.0.0.1" }, { "1.2.3.", "127.0.0.1" }, { "1..2.3", "127.0.0.1" }, { "1.2.3.4 ", "127.0.0.1" }, { "1.2.3.0004", "127.0.0.1" }, { "", "127.0.0.1" },
		{ "2001:DB8::1", "2001:db8::1" }, { "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" }, { "::", "::" }, { "::FFFF:192.0.2.1", "::ffff:192.0.2.1" }, { "fe80::1%lo", "127.0.0.1" },
		{ "1:2:3:4:5:6:7:8:9", "127.0.0.1" }, { "0000:0000:0000:0000:0000:ffff:255.255.255.255", "::ffff:255.255.255.255" }, { "[::1]", "127.0.0.1" } };
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		char room[ADDRESS_MAX];
		struct span text = address_canonical(span_of(pairs[i][0]), room);
		if (!span_equal(text, span_of(pairs[i][1]))) fail_msg("%s became %.*s, not %s", pairs[i][0], (int)text.length, text.data, pairs[i][1]);
	}
	char room[ADDRESS_MAX];
	assert_true(span_equal(address_canonical((struct span){ "::1\0", 4 }, room), SPAN("127.0.0.1")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_values_make_equal_bytes),
		cmocka_unit_test(long_values_are_cut_at_a_character),
		cmocka_unit_test(a_group_is_taken_apart),
		cmocka_unit_test(what_is_no_group_is_told),
		cmocka_unit_test(an_address_has_one_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
