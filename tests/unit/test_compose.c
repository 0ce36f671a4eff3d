/* test_compose - envelope/compose and base/sample: what is written reads back as what was given, jansson being the judge. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/sample.h"
#include "envelope/compose.h"

#define SECOND INT64_C(1000000000)

static const struct compose plain = {
	.type = SPAN("oldstyle"), .logger = SPAN("sync"), .hostname = SPAN("web1"), .payload = SPAN("hello"),
	.severity = 6, .pid = 26482, .timestamp = 1349438401 * SECOND + 137911000,
};

static void assert_text(struct buffer *b, const char *expected)
{
	assert_false(b->failed);
	assert_string_equal(buffer_text(b), expected);
}

static void an_envelope_has_nine_members_in_this_order(void **state)
{
	(void)state;
	struct buffer out;
	buffer_init(&out, 4096);
	assert_true(compose_append(&out, &plain));
	assert_text(&out, "{\"type\":\"oldstyle\",\"timestamp\":\"2012-10-05T12:00:01.137911Z\",\"logger\":\"sync\",\"severity\":6,"
		"\"payload\":\"hello\",\"fields\":{},\"env_version\":\"0.8\",\"metlog_pid\":26482,\"metlog_hostname\":\"web1\"}");
	buffer_release(&out);
}

static void a_metric_begins_its_fields_with_name_and_rate(void **state)
{
	(void)state;
	struct buffer fields;
	buffer_init(&fields, 4096);
	compose_metric(&fields, SPAN("login"), 0.1);
	compose_field_int(&fields, SPAN("exit_status"), -3);
	compose_field_json(&fields, SPAN("tags"), SPAN("{\"a\":\"b\"}"));
	compose_field_text(&fields, SPAN("q\""), SPAN("a\\b"));
	assert_text(&fields, "\"name\":\"login\",\"rate\":0.1,\"exit_status\":-3,\"tags\":{\"a\":\"b\"},\"q\\\"\":\"a\\\\b\"");
	buffer_release(&fields);
}

static void numbers_are_the_shortest_that_read_back(void **state)
{
	(void)state;
	static const struct { double value; const char *text; } cases[] = {
		{ 1, "\"n\":1" }, { 0.5, "\"n\":0.5" }, { 0, "\"n\":0" }, { 7, "\"n\":7" }, { 0.30000000000000004, "\"n\":0.30000000000000004" },
		{ 1e-7, "\"n\":1e-7" }, { 1e21, "\"n\":1e+21" }, { 1.0 / 0.0, "\"n\":null" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buffer fields;
		buffer_init(&fields, 4096);
		compose_field_number(&fields, SPAN("n"), cases[i].value);
		assert_text(&fields, cases[i].text);
		buffer_release(&fields);
	}
}

static void bytes_that_are_not_utf8_become_replacement_characters(void **state)
{
	(void)state;
	static const struct { struct span given; const char *text; } cases[] = {
		{ SPAN(""), "\"\"" }, { SPAN("caf\xc3\xa9"), "\"caf\xc3\xa9\"" }, { SPAN("\xff"), "\"\xef\xbf\xbd\"" },
		{ SPAN("eight bytes \xc3( and more than eight"), "\"eight bytes \xef\xbf\xbd( and more than eight\"" },
		{ SPAN("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, { SPAN("cut \xf0\x9f\x98"), "\"cut \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ SPAN("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"" }, { SPAN("a\0b\n\t\x1f\x7f"), "\"a\\u0000b\\n\\t\\u001f\x7f\"" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buffer out;
		buffer_init(&out, 4096);
		assert_true(compose_text(&out, cases[i].given));
		assert_text(&out, cases[i].text);
		buffer_release(&out);
	}
}

/* Random bytes in every text member: jansson takes the line, and the valid UTF-8 among them comes back as it was. */
static void whatever_the_text_the_line_is_json(void **state)
{
	(void)state;
	struct sample random;
	sample_init_seed(&random, 1);
	struct buffer out, fields;
	buffer_init(&out, 1 << 20);
	buffer_init(&fields, 1 << 20);
	for (int round = 0; round < 20000; round++) {
		char text[24];
		for (size_t i = 0; i < sizeof text; i++) {
			random.state = random.state * UINT64_C(6364136223846793005) + 1442695040888963407U;
			text[i] = (char)(random.state >> (round % 3 ? 56 : 57)); /* any byte, and every third round ASCII alone */
		}
		struct span given = { text, random.state % sizeof text };
		struct compose message = plain;
		buffer_clear(&out);
		buffer_clear(&fields);
		compose_field_text(&fields, SPAN("f"), given);
		message.type = message.logger = message.payload = message.hostname = given;
		message.fields = buffer_span(&fields);
		assert_true(compose_append(&out, &message));
		assert_null(memchr(out.data, '\n', out.length));
		json_error_t error;
		json_t *tree = json_loadb(out.data, out.length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
		if (!tree) fail_msg("%s: %.*s", error.text, (int)out.length, out.data);
		json_t *payload = json_object_get(tree, "payload");
		if (round % 3 == 0) {
			assert_int_equal(json_string_length(payload), given.length);
			assert_memory_equal(json_string_value(payload), given.data, given.length);
		}
		assert_true(json_equal(payload, json_object_get(json_object_get(tree, "fields"), "f")));
		assert_int_equal(json_integer_value(json_object_get(tree, "metlog_pid")), 26482);
		json_decref(tree);
	}
	buffer_release(&out);
	buffer_release(&fields);
}

static void the_limit_of_the_buffer_is_kept(void **state)
{
	(void)state;
	struct buffer out;
	buffer_init(&out, 100);
	assert_false(compose_append(&out, &plain));
	assert_true(out.failed);
	assert_true(out.length <= 100);
	buffer_release(&out);
}

static void a_given_timestamp_and_a_json_payload_stand_as_they_are(void **state)
{
	(void)state;
	struct compose message = plain;
	struct buffer out;
	buffer_init(&out, 4096);
	message.timestamp_text = SPAN("2012-10-05T14:00:01+02:00");
	message.payload = SPAN("[1, 2]");
	message.payload_is_json = true;
	assert_true(compose_append(&out, &message));
	assert_non_null(strstr(buffer_text(&out), "\"timestamp\":\"2012-10-05T14:00:01+02:00\""));
	assert_non_null(strstr(buffer_text(&out), "\"payload\":[1, 2],"));
	buffer_release(&out);
}

static void sampling_takes_the_share_that_was_asked_for(void **state)
{
	(void)state;
	struct sample a, b;
	int taken = 0;
	sample_init_seed(&a, 42);
	sample_init_seed(&b, 42);
	for (int i = 0; i < 100000; i++) {
		bool yes = sample_take(&a, 0.1);
		assert_int_equal(yes, sample_take(&b, 0.1));
		taken += yes;
		assert_false(sample_take(&a, 0) || sample_take(&b, -1));
		assert_true(sample_take(&a, 1) && sample_take(&b, 7));
	}
	assert_in_range(taken, 9500, 10500); /* 5 standard deviations */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_envelope_has_nine_members_in_this_order),
		cmocka_unit_test(a_metric_begins_its_fields_with_name_and_rate),
		cmocka_unit_test(numbers_are_the_shortest_that_read_back),
		cmocka_unit_test(bytes_that_are_not_utf8_become_replacement_characters),
		cmocka_unit_test(whatever_the_text_the_line_is_json),
		cmocka_unit_test(the_limit_of_the_buffer_is_kept),
		cmocka_unit_test(a_given_timestamp_and_a_json_payload_stand_as_they_are),
		cmocka_unit_test(sampling_takes_the_share_that_was_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
