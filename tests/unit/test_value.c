/* test_value - client/value: a JSON value is judged as the envelope with it would be. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/sample.h"
#include "client/value.h"
#include "envelope/envelope.h"

enum { PAYLOAD_DEPTH = 1 };

static void assert_judged(const char *text, bool good)
{
	size_t length = strlen(text);
	char *exactly = malloc(length + 1); /* one byte too many would be seen */
	memcpy(exactly, text, length);
	if (value_is_good((struct span){ exactly, length }, PAYLOAD_DEPTH) != good) fail_msg("%s is %s", text, good ? "good" : "bad");
	free(exactly);
}

static void values_of_rfc_8259_are_good(void **state)
{
	(void)state;
	static const char *const good[] = {
		"0", "-0", "12", "-1.5e+10", "1E5", "1e-5", "123456789012345678901234567890", "true", "false", "null", "\"\"", "\"a\\u00e9\\n\\/\"", "\"\\ud800\"", "\"\xe2\x82\xac\x7f\"",
		"[]", "{}", "[[]]", "[1,2]", "{\"a\":1}", "{\"a\":{},\"b\":[{}]}", " [ 1 , { \"a\" : null } ] ", "\n{\r\n\t\"a\":\n1\n}\n", "{\"a\":1,\"a\":2}",
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_judged(good[i], true);
}

static void anything_else_is_bad(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", " ", "+1", "01", "1.", ".5", "1e", "1e+", "-", "tru", "truex", "True", "nan", "NaN", "Infinity", "\"", "\"a", "\"\\x\"", "\"\\u12g4\"", "\"\\u123\"", "\"\n\"", "\"\x01\"", "\"\xff\"",
		"\"\xed\xa0\x80\"", "[", "]", "[1", "[1,]", "[,1]", "[1 2]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\":1 \"b\":2}", "[}", "{]", "[1]]", "1 2", "1,2", "{}{}", "'a'", ("\xef\xbb\xbf" "1"),
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_judged(bad[i], false);
	assert_false(value_is_good((struct span){ "1\0", 2 }, PAYLOAD_DEPTH));
	assert_false(value_is_good((struct span){ "\"\0\"", 3 }, PAYLOAD_DEPTH));
}

static void a_value_nests_as_deep_as_an_envelope_may(void **state)
{
	(void)state;
	char text[200];
	for (unsigned depth = 1; depth <= 2; depth++)
		for (size_t nested = 1; nested <= 70; nested++) {
			memset(text, '[', nested);
			memset(text + nested, ']', nested);
			assert_int_equal(value_is_good((struct span){ text, 2 * nested }, depth), depth + nested <= ENVELOPE_DEPTH_MAX);
		}
}

static unsigned below(struct sample *random, unsigned bound)
{
	unsigned low = 0, high = bound;
	while (high - low > 1) {
		unsigned middle = low + (high - low) / 2;
		if (sample_take(random, 0.5)) low = middle;
		else high = middle;
	}
	return low;
}

/* Tokens in any order are values now and then; a byte less, more or other makes near misses of them. */
static size_t some_text(struct sample *random, char *text)
{
	static const char *const tokens[] = { "{", "}", "[", "]", ",", ":", "\"a\"", "1", "-2.5e3", "true", "null", " ", "\"\\u00e9\\\\\"", "\"\xc3\xa9\"", "{\"a\":1}", "[1,2]", "{\"k\":[", "]}", "[{\"x\":", "}]" };
	size_t length = 0;
	for (unsigned count = 1 + below(random, 8); count; count--) {
		const char *token = tokens[below(random, sizeof tokens / sizeof *tokens)];
		memcpy(text + length, token, strlen(token));
		length += strlen(token);
	}
	if (below(random, 4) == 0) text[below(random, (unsigned)length)] = (char)(1 + below(random, 255));
	for (size_t i = 0; i < length; i++)
		if (text[i] == '\n') text[i] = ' '; /* which the envelope is not asked about: it would be two lines */
	return length;
}

static void a_value_is_judged_as_the_envelope_that_has_it_as_its_payload(void **state)
{
	(void)state;
	struct sample random;
	struct scan scan;
	struct buffer copy;
	struct envelope e;
	struct envelope_fault fault;
	unsigned goods = 0;
	sample_init_seed(&random, 3);
	assert_true(scan_init(&scan));
	buffer_init(&copy, 1 << 16);
	for (int i = 0; i < 20000; i++) {
		char text[400], line[500];
		size_t length = some_text(&random, text);
		size_t whole = (size_t)snprintf(line, sizeof line, "{\"payload\":%.*s}", (int)length, text);
		bool good = value_is_good((struct span){ text, length }, PAYLOAD_DEPTH);
		bool accepted = envelope_parse_copy(&e, &scan, &copy, (struct span){ line, whole }, &fault) == ENVELOPE_GOOD;
		/* A text that closes the object and opens members of its own is no value, though the line is an envelope. */
		bool smuggled = accepted && e.payload.text.length + 2 < length && !good;
		if (good != accepted && !smuggled) fail_msg("%s is %s", line, good ? "good" : "bad");
		goods += good;
	}
	assert_true(goods > 1000);
	buffer_release(&copy);
	scan_release(&scan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_rfc_8259_are_good),
		cmocka_unit_test(anything_else_is_bad),
		cmocka_unit_test(a_value_nests_as_deep_as_an_envelope_may),
		cmocka_unit_test(a_value_is_judged_as_the_envelope_that_has_it_as_its_payload),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
