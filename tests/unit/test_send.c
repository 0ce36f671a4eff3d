/* test_send - client/send, client/log and client/cef: messages of any type, log messages, security events. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client_fixture.h"

static struct metlog client;

static int begin(void **state)
{
	(void)state;
	fixture_init(&client);
	return 0;
}

static void a_message_of_any_type_has_the_severity_and_payload_it_is_given(void **state)
{
	(void)state;
	fixture_assert_sent(&client, metlog_send(&client, "request", METLOG_ERROR, "GET /", METLOG_FIELDS(metlog_field_int("status", 500))), "request",
		"\"severity\":3,\"payload\":\"GET /\",\"fields\":{\"status\":500}");
	fixture_assert_sent(&client, metlog_send(&client, NULL, METLOG_SEVERITY_DEFAULT, NULL, METLOG_NONE), "", "\"severity\":6,\"payload\":\"\",\"fields\":{}");
	assert_int_equal(metlog_send(&client, "a", 8, "", METLOG_NONE), METLOG_REFUSED);
	assert_int_equal(metlog_send(&client, "a", 6, "", METLOG_FIELDS(metlog_field_json("j", "}"))), METLOG_REFUSED);
}

static struct metlog_message message_of(const char *payload)
{
	struct metlog_message m;
	metlog_message_init(&m, sizeof m);
	m.type = "t";
	m.payload = payload;
	m.payload_length = strlen(payload);
	return m;
}

static void a_whole_message_has_everything_of_its_own(void **state)
{
	(void)state;
	struct metlog_message m = message_of("{\"a\":\n[1]}");
	m.payload_is_json = 1;
	m.logger = "other";
	m.severity = 2;
	m.metric = "n";
	m.rate = 0.5;
	m.timestamp = "2012-10-05T12:00:01Z";
	m.pid = 7;
	m.hostname = "web9";
	assert_int_equal(metlog_send_message(&client, &m), METLOG_TAKEN);
	assert_string_equal(client.line, "{\"type\":\"t\",\"timestamp\":\"2012-10-05T12:00:01Z\",\"logger\":\"other\",\"severity\":2,\"payload\":{\"a\": [1]},"
		"\"fields\":{\"name\":\"n\",\"rate\":0.5},\"env_version\":\"0.8\",\"metlog_pid\":7,\"metlog_hostname\":\"web9\"}\n");
	m = message_of("a\0b");
	m.payload_length = 3;
	m.timestamp_ns = 1;
	assert_int_equal(metlog_send_message(&client, &m), METLOG_TAKEN);
	assert_string_equal(client.line, "{\"type\":\"t\",\"timestamp\":\"1970-01-01T00:00:00.000000Z\",\"logger\":\"sync\",\"severity\":6,\"payload\":\"a\\u0000b\","
		"\"fields\":{},\"env_version\":\"0.8\",\"metlog_pid\":26482,\"metlog_hostname\":\"web1\"}\n");
}

static void what_is_no_json_or_no_time_is_refused(void **state)
{
	(void)state;
	struct metlog_message m = message_of("{");
	assert_int_equal(metlog_send_message(&client, &m), METLOG_TAKEN);
	m.payload_is_json = 1;
	assert_int_equal(metlog_send_message(&client, &m), METLOG_REFUSED);
	m = message_of("");
	m.timestamp = "yesterday";
	assert_int_equal(metlog_send_message(&client, &m), METLOG_REFUSED);
	m.timestamp = "2012-10-05T12:00:01Z\",\"x\":\"";
	assert_int_equal(metlog_send_message(&client, &m), METLOG_REFUSED);
	assert_int_equal(client.refused, 3);
}

static void a_message_from_an_older_header_has_defaults_for_the_rest_and_a_newer_one_must_ask_for_nothing_new(void **state)
{
	(void)state;
	struct { struct metlog_message known; char newer[16]; } m = { .known = message_of("p") };
	m.known.hostname = "web9";
	m.known.size = offsetof(struct metlog_message, hostname);
	assert_int_equal(metlog_send_message(&client, &m.known), METLOG_TAKEN);
	assert_non_null(strstr(client.line, "\"metlog_hostname\":\"web1\"}"));
	m.known.size = sizeof m;
	assert_int_equal(metlog_send_message(&client, &m.known), METLOG_TAKEN);
	assert_non_null(strstr(client.line, "\"metlog_hostname\":\"web9\"}"));
	m.newer[15] = 1;
	assert_int_equal(metlog_send_message(&client, &m.known), METLOG_REFUSED);
	m.known.size = 0;
	assert_int_equal(metlog_send_message(&client, &m.known), METLOG_REFUSED);
}

static void an_envelope_is_composed_where_there_is_room_for_it(void **state)
{
	(void)state;
	struct metlog_message m = message_of("p");
	char out[300];
	m.timestamp = "2012-10-05T12:00:01Z";
	static const char expected[] = "{\"type\":\"t\",\"timestamp\":\"2012-10-05T12:00:01Z\",\"logger\":\"sync\",\"severity\":6,\"payload\":\"p\","
		"\"fields\":{},\"env_version\":\"0.8\",\"metlog_pid\":26482,\"metlog_hostname\":\"web1\"}";
	memset(out, '#', sizeof out);
	assert_int_equal(metlog_compose(&client, &m, out, sizeof expected - 2), sizeof expected - 1);
	assert_int_equal(out[0], '#');
	assert_int_equal(metlog_compose(&client, &m, out, sizeof expected - 1), sizeof expected - 1);
	assert_memory_equal(out, expected, sizeof expected - 1);
	assert_int_equal(out[sizeof expected - 1], '#');
	assert_int_equal(metlog_compose(&client, &m, NULL, 0), sizeof expected - 1);
	m.severity = 9;
	assert_int_equal(metlog_compose(&client, &m, out, sizeof out), 0);
	m = message_of("x");
	m.payload_length = sizeof client.line;
	m.payload = calloc(1, m.payload_length);
	assert_int_equal(metlog_compose(&client, &m, out, sizeof out), 0);
	free((void *)(uintptr_t)m.payload);
	assert_int_equal(client.sent + client.left_out + client.refused, 0);
}

static void filters_see_type_and_severity_of_every_call(void **state)
{
	(void)state;
	static const struct span denied[] = { SPAN("t"), SPAN("cef"), SPAN("sentry") };
	struct metlog_message m = message_of("p");
	const struct metlog_cef_event event = { .name = "n" };
	client.rules = (struct rules){ .is_any = true, .severity_max = 6, .denied = denied, .denied_count = 3 };
	assert_int_equal(metlog_send(&client, "t", 1, "", METLOG_NONE), METLOG_LEFT_OUT);
	assert_int_equal(metlog_send_message(&client, &m), METLOG_LEFT_OUT);
	assert_int_equal(metlog_cef(&client, &event, METLOG_NONE), METLOG_LEFT_OUT);
	assert_int_equal(metlog_debug(&client, "%s", "x"), METLOG_LEFT_OUT);
	assert_int_equal(metlog_info(&client, "%s", "x"), METLOG_TAKEN);
}

static void a_log_message_is_of_type_oldstyle_and_formatted(void **state)
{
	(void)state;
	errno = ENOENT;
	fixture_assert_sent(&client, metlog_error(&client, "%s: %m (%d)", "shop.ini", 7), "oldstyle", "\"severity\":3,\"payload\":\"shop.ini: No such file or directory (7)\",\"fields\":{}");
	assert_int_equal(errno, ENOENT);
	static const char *const severities[] = { "0", "1", "2", "3", "4", "5", "6", "7" };
	for (int i = 0; i < 8; i++) {
		assert_int_equal(metlog_log(&client, i, "x"), METLOG_TAKEN);
		assert_memory_equal(fixture_line(&client) + 11, severities[i], 1);
	}
	fixture_assert_sent(&client, metlog_log(&client, METLOG_SEVERITY_DEFAULT, "100%%"), "oldstyle", "\"severity\":6,\"payload\":\"100%\",\"fields\":{}");
}

static void a_log_message_of_any_length_goes_out_whole_or_is_refused(void **state)
{
	(void)state;
	char *text = malloc(40000);
	static const struct { int length; bool sent; } cases[] = { { 1022, true }, { 1023, true }, { 1024, true }, { 1025, true }, { 32000, true }, { 32767, true }, { 32768, false }, { 39000, false } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		memset(text, 'x', 40000);
		text[cases[i].length] = '\0';
		client.line[0] = '\0';
		assert_int_equal(metlog_info(&client, "%s", text), cases[i].sent ? METLOG_TAKEN : METLOG_REFUSED);
		if (cases[i].sent) assert_int_equal(strspn(strstr(client.line, "xxx"), "x"), cases[i].length);
		assert_false(client.scratch_lent);
	}
	client.scratch_size = 0;
	text[2000] = '\0';
	assert_int_equal(metlog_info(&client, "%s", text), METLOG_DROPPED);
	free(text);
}

static void a_security_event_is_its_parts_and_then_the_extension(void **state)
{
	(void)state;
	const struct metlog_cef_event event = { .signature = "AuthFail", .name = "Authentication failed", .severity = 10, .product = "shop" };
	fixture_assert_sent(&client, metlog_cef(&client, &event, METLOG_FIELDS(metlog_field_text("src", "192.0.2.7"), metlog_field_int("spt", 1))), "cef",
		"\"severity\":6,\"payload\":\"\",\"fields\":{\"signature\":\"AuthFail\",\"name\":\"Authentication failed\",\"severity\":10,\"product\":\"shop\",\"src\":\"192.0.2.7\",\"spt\":1}");
}

static void no_key_of_an_extension_takes_the_place_of_a_part(void **state)
{
	(void)state;
	const struct metlog_cef_event event = { .name = "n" };
	fixture_assert_sent(&client, metlog_cef(&client, &event, METLOG_FIELDS(metlog_field_int("severity", 9), metlog_field_text("name", "x"), metlog_field_text("vendor", "v"))), "cef",
		"\"severity\":6,\"payload\":\"\",\"fields\":{\"name\":\"n\",\"severity\":0,\"vendor\":\"v\"}");
}

static void without_a_client_a_call_does_nothing(void **state)
{
	(void)state;
	struct metlog_message m = message_of("p");
	const struct metlog_cef_event event = { .name = "n" };
	assert_int_equal(metlog_send(NULL, "t", 6, "", METLOG_NONE), METLOG_CLOSED);
	assert_int_equal(metlog_send_message(NULL, &m), METLOG_CLOSED);
	assert_int_equal(metlog_info(NULL, "%d", 1), METLOG_CLOSED);
	assert_int_equal(metlog_cef(NULL, &event, METLOG_NONE), METLOG_CLOSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_message_of_any_type_has_the_severity_and_payload_it_is_given, begin),
		cmocka_unit_test_setup(a_whole_message_has_everything_of_its_own, begin),
		cmocka_unit_test_setup(what_is_no_json_or_no_time_is_refused, begin),
		cmocka_unit_test_setup(a_message_from_an_older_header_has_defaults_for_the_rest_and_a_newer_one_must_ask_for_nothing_new, begin),
		cmocka_unit_test_setup(an_envelope_is_composed_where_there_is_room_for_it, begin),
		cmocka_unit_test_setup(filters_see_type_and_severity_of_every_call, begin),
		cmocka_unit_test_setup(a_log_message_is_of_type_oldstyle_and_formatted, begin),
		cmocka_unit_test_setup(a_log_message_of_any_length_goes_out_whole_or_is_refused, begin),
		cmocka_unit_test_setup(a_security_event_is_its_parts_and_then_the_extension, begin),
		cmocka_unit_test_setup(no_key_of_an_extension_takes_the_place_of_a_part, begin),
		cmocka_unit_test_setup(without_a_client_a_call_does_nothing, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
