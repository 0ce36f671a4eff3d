/* test_backtrace - client/backtrace: where the caller is, as Sentry has exceptions. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "client_fixture.h"

static struct metlog client;
static json_t *envelope; /* of the last message */

static int begin(void **state)
{
	(void)state;
	fixture_init(&client);
	return 0;
}

static int end(void **state)
{
	(void)state;
	json_decref(envelope);
	envelope = NULL;
	return 0;
}

static json_t *sent(void)
{
	json_error_t error;
	json_decref(envelope);
	envelope = json_loads(client.line, JSON_REJECT_DUPLICATES, &error);
	if (!envelope) fail_msg("%s: %s", error.text, client.line);
	return envelope;
}

static json_t *exception(void)
{
	return json_array_get(json_object_get(json_object_get(json_object_get(sent(), "fields"), "exception"), "values"), 0);
}

static json_t *frames(void)
{
	return json_object_get(json_object_get(exception(), "stacktrace"), "frames");
}

/* What the frame `from_end` before the last one says of it; "" if nothing. */
static const char *frame_text(json_t *all, size_t from_end, const char *name)
{
	const char *text = json_string_value(json_object_get(json_array_get(all, json_array_size(all) - 1 - from_end), name));
	return text ? text : "";
}

/* Of external linkage, for the dynamic linker to know them; and no call is the last thing in them, which would leave no frame. */
enum metlog_result trace_here(const char *text);
enum metlog_result trace_below(const char *text);
enum metlog_result trace_deep(unsigned depth);
static volatile int after;

__attribute__((noinline)) enum metlog_result trace_here(const char *text)
{
	enum metlog_result result = metlog_backtrace(&client, METLOG_SEVERITY_DEFAULT, "NullPointer", text, METLOG_FIELDS(metlog_field_text("platform", "x"), metlog_field_int("order", 7)));
	after++;
	return result;
}

__attribute__((noinline)) enum metlog_result trace_below(const char *text)
{
	enum metlog_result result = trace_here(text);
	after++;
	return result;
}

__attribute__((noinline)) enum metlog_result trace_deep(unsigned depth)
{
	enum metlog_result result = depth ? trace_deep(depth - 1) : trace_here("deep");
	after++;
	return result;
}

static void the_last_frame_is_the_caller_and_those_before_it_its_callers(void **state)
{
	(void)state;
	assert_int_equal(trace_below("no order"), METLOG_TAKEN);
	json_t *all = frames();
	assert_true(json_array_size(all) >= 3);
	assert_string_equal(frame_text(all, 0, "function"), "trace_here");
	assert_string_equal(frame_text(all, 1, "function"), "trace_below");
	assert_non_null(strstr(frame_text(all, 0, "package"), "test_backtrace"));
	assert_memory_equal(frame_text(all, 0, "instruction_addr"), "0x", 2);
	uint64_t image = strtoull(frame_text(all, 0, "image_addr"), NULL, 16), symbol = strtoull(frame_text(all, 0, "symbol_addr"), NULL, 16);
	uint64_t instruction = strtoull(frame_text(all, 0, "instruction_addr"), NULL, 16);
	assert_true(image > 0 && image < symbol && symbol < instruction);
	assert_int_equal(symbol, (uintptr_t)trace_here);
}

static void it_is_an_event_of_sentry_with_the_text_as_payload(void **state)
{
	(void)state;
	assert_int_equal(trace_here("no \"order\"\n"), METLOG_TAKEN);
	json_t *whole = sent(), *fields = json_object_get(whole, "fields");
	assert_string_equal(json_string_value(json_object_get(whole, "type")), "sentry");
	assert_int_equal(json_integer_value(json_object_get(whole, "severity")), 3);
	assert_string_equal(json_string_value(json_object_get(whole, "payload")), "no \"order\"\n");
	assert_string_equal(json_string_value(json_object_get(fields, "platform")), "native");
	assert_int_equal(json_integer_value(json_object_get(fields, "order")), 7);
	assert_string_equal(json_string_value(json_object_get(exception(), "type")), "NullPointer");
	assert_string_equal(json_string_value(json_object_get(exception(), "value")), "no \"order\"\n");
	assert_int_equal(metlog_backtrace(&client, METLOG_CRITICAL, NULL, NULL, METLOG_NONE), METLOG_TAKEN);
	assert_int_equal(json_integer_value(json_object_get(sent(), "severity")), 2);
	assert_string_equal(json_string_value(json_object_get(exception(), "type")), "Error");
}

static void of_many_frames_those_in_the_middle_are_left_out(void **state)
{
	(void)state;
	assert_int_equal(trace_deep(300), METLOG_TAKEN);
	json_t *all = frames();
	assert_int_equal(json_array_size(all), 100);
	assert_string_equal(frame_text(all, 0, "function"), "trace_here");
	assert_string_equal(frame_text(all, 49, "function"), "trace_deep");
	assert_string_not_equal(frame_text(all, 99, "function"), "trace_deep"); /* what has called the outermost one of all */
}

static void a_long_text_is_cut_between_characters_in_the_event_and_whole_as_payload(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		char text[10000]; /* the fixture's memory is 32 KiB, of which a text has a quarter, and may become six times as long */
		size_t length = shift;
		memset(text, 'x', shift);
		for (; length < 9000; length += 3) memcpy(text + length, "\xe2\x82\xac", 3);
		text[length] = '\0';
		assert_int_equal(trace_here(text), METLOG_TAKEN);
		assert_string_equal(json_string_value(json_object_get(sent(), "payload")), text);
		const char *value = json_string_value(json_object_get(exception(), "value"));
		assert_in_range(strlen(value), sizeof client.scratch / 24 - 3, sizeof client.scratch / 24);
		assert_memory_equal(value, text, strlen(value));
	}
}

static void with_little_room_there_are_fewer_frames_and_with_less_it_is_refused(void **state)
{
	(void)state;
	size_t before = 0;
	for (client.scratch_size = 1; client.scratch_size < 12000; client.scratch_size += client.scratch_size < 2000 ? 1 : 101) {
		memset(client.scratch, '#', client.scratch_size + 100);
		enum metlog_result result = trace_deep(40);
		for (size_t i = 0; i < 100; i++) assert_int_equal(client.scratch[client.scratch_size + i], '#');
		assert_false(client.scratch_lent);
		if (client.scratch_size < 200) assert_int_equal(result, METLOG_REFUSED);
		if (result == METLOG_REFUSED) continue;
		json_t *all = frames();
		assert_true(json_array_size(all) >= before);
		before = json_array_size(all);
		assert_string_equal(frame_text(all, 0, "function"), "trace_here");
	}
	assert_true(before >= 12);
}

static void from_a_signal_handler_that_has_interrupted_a_call_it_is_dropped(void **state)
{
	(void)state;
	client.scratch_size = 0;
	assert_int_equal(trace_here("text"), METLOG_DROPPED);
	assert_int_equal(metlog_backtrace(NULL, 3, "a", "b", METLOG_NONE), METLOG_CLOSED);
	assert_int_equal(metlog_backtrace(&client, 8, "a", "b", METLOG_NONE), METLOG_DROPPED);
}

static void filters_see_it(void **state)
{
	(void)state;
	static const struct span denied[] = { SPAN("sentry") };
	client.rules = (struct rules){ .is_any = true, .severity_max = 7, .denied = denied, .denied_count = 1 };
	assert_int_equal(trace_here("text"), METLOG_LEFT_OUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_last_frame_is_the_caller_and_those_before_it_its_callers, begin, end),
		cmocka_unit_test_setup_teardown(it_is_an_event_of_sentry_with_the_text_as_payload, begin, end),
		cmocka_unit_test_setup_teardown(of_many_frames_those_in_the_middle_are_left_out, begin, end),
		cmocka_unit_test_setup_teardown(a_long_text_is_cut_between_characters_in_the_event_and_whole_as_payload, begin, end),
		cmocka_unit_test_setup_teardown(with_little_room_there_are_fewer_frames_and_with_less_it_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(from_a_signal_handler_that_has_interrupted_a_call_it_is_dropped, begin, end),
		cmocka_unit_test_setup_teardown(filters_see_it, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
