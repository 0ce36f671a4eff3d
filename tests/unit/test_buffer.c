/* test_buffer - owned bytes: growth, the limit, and failure that stays until it is cleared. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buffer.h"

static void appends_keep_what_was_there(void **state)
{
	(void)state;
	struct buffer b;
	buffer_init(&b, 1 << 20);
	for (int i = 0; i < 10000; i++) assert_true(buffer_append_int(&b, i % 10));
	assert_int_equal(b.length, 10000);
	for (int i = 0; i < 10000; i++) assert_int_equal(b.data[i], '0' + i % 10);
	assert_true(b.length <= b.capacity && b.capacity <= b.limit);
	buffer_release(&b);
	assert_null(b.data);
	assert_int_equal(b.limit, 1 << 20);
}

static void the_limit_itself_is_reached_and_not_passed(void **state)
{
	(void)state;
	struct buffer b;
	buffer_init(&b, 1000);
	for (int i = 0; i < 1000; i++) assert_true(buffer_append_byte(&b, 'x'));
	assert_false(buffer_append_byte(&b, 'y'));
	assert_true(b.failed);
	assert_int_equal(b.length, 1000);
	assert_int_equal(b.data[999], 'x');
	buffer_release(&b);
}

static void a_failure_stays_until_clear(void **state)
{
	(void)state;
	struct buffer b;
	buffer_init(&b, 4);
	assert_true(buffer_append_text(&b, "abc"));
	assert_false(buffer_append_text(&b, "de"));
	assert_false(buffer_append_byte(&b, 'd')); /* would fit, but the series has failed */
	assert_true(span_equal(buffer_span(&b), SPAN("abc")));
	buffer_clear(&b);
	assert_true(buffer_append_text(&b, "defg"));
	buffer_release(&b);
}

static void huge_requests_do_not_wrap(void **state)
{
	(void)state;
	struct buffer b;
	buffer_init(&b, 64);
	assert_true(buffer_append_text(&b, "abc"));
	assert_false(buffer_reserve(&b, SIZE_MAX));
	buffer_clear(&b);
	assert_false(buffer_reserve(&b, SIZE_MAX - 2));
	buffer_release(&b);
}

static void nothing_appended_to_nothing_is_no_error(void **state)
{
	(void)state;
	struct buffer b;
	buffer_init(&b, 0);
	assert_true(buffer_append(&b, NULL, 0));
	assert_true(buffer_append_span(&b, (struct span){ NULL, 0 }));
	assert_false(buffer_append_byte(&b, 'x'));
	buffer_release(&b);
}

static void dropping_moves_the_rest_to_the_front(void **state)
{
	(void)state;
	struct buffer b;
	buffer_init(&b, 100);
	buffer_append_text(&b, "hello world");
	buffer_drop(&b, 6);
	assert_true(span_equal(buffer_span(&b), SPAN("world")));
	buffer_drop(&b, 0);
	assert_int_equal(b.length, 5);
	buffer_drop(&b, 99);
	assert_int_equal(b.length, 0);
	buffer_release(&b);
}

static void text_ends_with_a_nul_that_is_not_counted(void **state)
{
	(void)state;
	struct buffer b;
	buffer_init(&b, 4);
	assert_string_equal(buffer_text(&b), "");
	buffer_append_text(&b, "abc");
	assert_string_equal(buffer_text(&b), "abc");
	assert_int_equal(b.length, 3);
	buffer_append_byte(&b, 'd');
	assert_null(buffer_text(&b)); /* no room for the NUL within the limit */
	buffer_release(&b);
}

static void spans_compare_trim_and_start(void **state)
{
	(void)state;
	assert_true(span_equal(span_trim(SPAN(" \t a b\r\n")), SPAN("a b")));
	assert_int_equal(span_trim(SPAN(" \n ")).length, 0);
	assert_true(span_equal(span_trim((struct span){ "\0x ", 3 }), (struct span){ "\0x", 2 }));
	assert_true(span_compare(SPAN("ab"), SPAN("abc")) < 0);
	assert_true(span_compare(SPAN("b"), SPAN("abc")) > 0);
	assert_true(span_compare(SPAN("\xff"), SPAN("a")) > 0);
	assert_int_equal(span_compare(SPAN("abc"), SPAN("abc")), 0);
	assert_true(span_starts(SPAN("abc"), SPAN("ab")));
	assert_true(span_starts(SPAN("abc"), SPAN("")));
	assert_false(span_starts(SPAN("ab"), SPAN("abc")));
	assert_int_equal(span_of(NULL).length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_keep_what_was_there),
		cmocka_unit_test(the_limit_itself_is_reached_and_not_passed),
		cmocka_unit_test(a_failure_stays_until_clear),
		cmocka_unit_test(huge_requests_do_not_wrap),
		cmocka_unit_test(nothing_appended_to_nothing_is_no_error),
		cmocka_unit_test(dropping_moves_the_rest_to_the_front),
		cmocka_unit_test(text_ends_with_a_nul_that_is_not_counted),
		cmocka_unit_test(spans_compare_trim_and_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
