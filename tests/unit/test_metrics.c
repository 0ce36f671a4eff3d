/* test_metrics - client/metrics and client/timer: which envelope a call becomes, and which become none. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "client_fixture.h"

static struct metlog client;

static int begin(void **state)
{
	(void)state;
	fixture_init(&client);
	return 0;
}

static void a_counter_has_its_number_as_text_and_its_name_and_rate(void **state)
{
	(void)state;
	fixture_assert_sent(&client, metlog_count(&client, "login", 1, 1, METLOG_NONE), "counter", "\"severity\":6,\"payload\":\"1\",\"fields\":{\"name\":\"login\",\"rate\":1}");
	fixture_assert_sent(&client, metlog_count(&client, "login", -25, 2, METLOG_FIELDS(metlog_field_int("a", 1), metlog_field_text("name", "x"), metlog_tag("b", "c"))), "counter",
		"\"severity\":6,\"payload\":\"-25\",\"fields\":{\"name\":\"login\",\"rate\":2,\"a\":1,\"tags\":{\"b\":\"c\"}}");
	fixture_assert_sent(&client, metlog_count(&client, NULL, INT64_MIN, 1, METLOG_NONE), "counter", "\"severity\":6,\"payload\":\"-9223372036854775808\",\"fields\":{\"name\":\"\",\"rate\":1}");
}

static void a_counter_is_sent_as_often_as_its_rate_says(void **state)
{
	(void)state;
	static const struct { double rate; unsigned least, most; } cases[] = { { 1, 1000, 1000 }, { 7, 1000, 1000 }, { 0.1, 60, 140 }, { 0, 0, 0 }, { -1, 0, 0 }, { 0.0 / 0.0, 0, 0 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		fixture_init(&client);
		for (int j = 0; j < 1000; j++) metlog_count(&client, "n", 1, cases[i].rate, METLOG_NONE);
		assert_in_range(client.sent, cases[i].least, cases[i].most);
		assert_int_equal(client.sent + client.left_out, 1000);
	}
}

static void a_timing_is_never_sampled_and_tells_its_rate(void **state)
{
	(void)state;
	fixture_assert_sent(&client, metlog_timing(&client, "db", 35, 0.001, METLOG_NONE), "timer", "\"severity\":6,\"payload\":\"35\",\"fields\":{\"name\":\"db\",\"rate\":0.001}");
	fixture_assert_sent(&client, metlog_timing(&client, "db", 0.25, 0, METLOG_NONE), "timer", "\"severity\":6,\"payload\":\"0.25\",\"fields\":{\"name\":\"db\",\"rate\":0}");
}

static void a_gauge_has_a_name_and_no_rate_and_is_a_number(void **state)
{
	(void)state;
	fixture_assert_sent(&client, metlog_gauge(&client, "load", -0.5, METLOG_FIELDS(metlog_field_int("rate", 4))), "gauge", "\"severity\":6,\"payload\":\"-0.5\",\"fields\":{\"name\":\"load\",\"rate\":4}");
	fixture_assert_sent(&client, metlog_gauge(&client, "load", 1e21, METLOG_NONE), "gauge", "\"severity\":6,\"payload\":\"1e+21\",\"fields\":{\"name\":\"load\"}");
	assert_int_equal(metlog_gauge(&client, "load", 0.0 / 0.0, METLOG_NONE), METLOG_REFUSED);
	assert_int_equal(metlog_gauge(&client, "load", 1.0 / 0.0, METLOG_NONE), METLOG_REFUSED);
	assert_int_equal(metlog_timing(&client, "db", -1.0 / 0.0, 1, METLOG_NONE), METLOG_REFUSED);
	assert_int_equal(client.refused, 3);
}

static void a_set_has_its_member_as_payload(void **state)
{
	(void)state;
	fixture_assert_sent(&client, metlog_set(&client, "users", "a\"b", METLOG_NONE), "set", "\"severity\":6,\"payload\":\"a\\\"b\",\"fields\":{\"name\":\"users\"}");
	fixture_assert_sent(&client, metlog_set(&client, "users", NULL, METLOG_NONE), "set", "\"severity\":6,\"payload\":\"\",\"fields\":{\"name\":\"users\"}");
}

static void filters_leave_metrics_out_and_count_them(void **state)
{
	(void)state;
	client.rules.is_any = true;
	client.rules.severity_max = 5;
	assert_int_equal(metlog_count(&client, "n", 1, 1, METLOG_NONE), METLOG_LEFT_OUT);
	client.severity = 5;
	assert_int_equal(metlog_count(&client, "n", 1, 1, METLOG_NONE), METLOG_TAKEN);
	assert_int_equal(client.left_out, 1);
}

/* The payload of a timer that took `began_ns_ago`. */
static const char *measured(int64_t began_ns_ago)
{
	static char payload[64];
	struct timespec now;
	struct metlog_timer timer = metlog_timer_begin(&client, "db", 1);
	clock_gettime(CLOCK_MONOTONIC, &now);
	timer.began_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec - began_ns_ago;
	assert_int_equal(metlog_timer_end(&timer, METLOG_NONE), METLOG_TAKEN);
	assert_int_equal(sscanf(strstr(client.line, "payload") + 10, "%63[^\"]", payload), 1);
	return payload;
}

static void a_timer_tells_milliseconds_with_at_most_three_decimals(void **state)
{
	(void)state;
	static const int64_t durations[] = { 0, 412000, 35000000, 1234567890, 90000000000 };
	for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
		const char *payload = measured(durations[i]), *point = strchr(payload, '.');
		assert_true(strspn(payload, "0123456789.") == strlen(payload));
		assert_true(strtod(payload, NULL) * 1e6 >= (double)durations[i] - 1000);
		if (!point) continue;
		assert_in_range(strlen(point + 1), 1, 3);
		assert_true(payload[strlen(payload) - 1] != '0');
	}
}

static void a_timer_is_of_its_name_and_rate_and_ends_once(void **state)
{
	(void)state;
	struct metlog_timer timer = metlog_timer_begin(&client, "db", 3);
	assert_int_equal(metlog_timer_end(&timer, METLOG_FIELDS(metlog_field_int("rows", 7))), METLOG_TAKEN);
	assert_non_null(strstr(client.line, "{\"type\":\"timer\""));
	assert_non_null(strstr(client.line, ",\"fields\":{\"name\":\"db\",\"rate\":3,\"rows\":7},"));
	metlog_timer_end(&timer, METLOG_NONE);
	assert_int_equal(client.sent, 1);
}

static void a_timer_of_rate_0_or_that_is_disabled_sends_nothing(void **state)
{
	(void)state;
	struct metlog_timer timer = metlog_timer_begin(&client, "db", 0);
	assert_int_equal(metlog_timer_end(&timer, METLOG_NONE), METLOG_LEFT_OUT);
	const struct span disabled[] = { SPAN("db"), SPAN("cache.get") };
	client.rules.disabled_timers = disabled;
	client.rules.disabled_count = 2;
	timer = metlog_timer_begin(&client, "cache.get", 1);
	assert_int_equal(metlog_timer_end(&timer, METLOG_NONE), METLOG_LEFT_OUT);
	assert_int_equal(metlog_timing(&client, "db", 1, 1, METLOG_NONE), METLOG_TAKEN);
	timer = metlog_timer_begin(&client, "cache", 1);
	assert_int_equal(metlog_timer_end(&timer, METLOG_NONE), METLOG_TAKEN);
	client.rules.all_timers_disabled = true;
	timer = metlog_timer_begin(&client, "cache", 1);
	assert_int_equal(metlog_timer_end(&timer, METLOG_NONE), METLOG_LEFT_OUT);
	assert_int_equal(client.sent, 2);
	assert_int_equal(client.left_out, 3);
}

/* As a program does that has found it by dlsym(3), and no header. */
static void the_end_of_a_timer_is_a_function_too(void **state)
{
	(void)state;
	enum metlog_result (*end)(struct metlog_timer *, struct metlog_fields) = metlog_timer_end;
	struct metlog_timer timer = metlog_timer_begin(&client, "db", 0);
	assert_int_equal(end(&timer, METLOG_NONE), METLOG_LEFT_OUT);
	timer = metlog_timer_begin(NULL, "db", 1);
	assert_int_equal(end(&timer, METLOG_NONE), METLOG_CLOSED);
	timer = metlog_timer_begin(&client, "db", 1);
	assert_int_equal(end(&timer, METLOG_NONE), METLOG_TAKEN);
	assert_int_equal(end(&timer, METLOG_NONE), METLOG_CLOSED); /* a timer ends once */
	assert_int_equal(client.sent, 1);
}

static void without_a_client_a_call_does_nothing(void **state)
{
	(void)state;
	struct metlog_timer timer = metlog_timer_begin(NULL, "db", 1);
	assert_int_equal(metlog_timer_end(&timer, METLOG_NONE), METLOG_CLOSED);
	assert_int_equal(metlog_count(NULL, "n", 1, 1, METLOG_NONE), METLOG_CLOSED);
	assert_int_equal(metlog_timing(NULL, "n", 1, 1, METLOG_NONE), METLOG_CLOSED);
	assert_int_equal(metlog_gauge(NULL, "n", 1, METLOG_NONE), METLOG_CLOSED);
	assert_int_equal(metlog_set(NULL, "n", "m", METLOG_NONE), METLOG_CLOSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_counter_has_its_number_as_text_and_its_name_and_rate, begin),
		cmocka_unit_test_setup(a_counter_is_sent_as_often_as_its_rate_says, begin),
		cmocka_unit_test_setup(a_timing_is_never_sampled_and_tells_its_rate, begin),
		cmocka_unit_test_setup(a_gauge_has_a_name_and_no_rate_and_is_a_number, begin),
		cmocka_unit_test_setup(a_set_has_its_member_as_payload, begin),
		cmocka_unit_test_setup(filters_leave_metrics_out_and_count_them, begin),
		cmocka_unit_test_setup(a_timer_tells_milliseconds_with_at_most_three_decimals, begin),
		cmocka_unit_test_setup(a_timer_is_of_its_name_and_rate_and_ends_once, begin),
		cmocka_unit_test_setup(a_timer_of_rate_0_or_that_is_disabled_sends_nothing, begin),
		cmocka_unit_test_setup(the_end_of_a_timer_is_a_function_too, begin),
		cmocka_unit_test_setup(without_a_client_a_call_does_nothing, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
