/* test_ackwindow - what a sender of ack: holds: batches, acknowledgements in every place, going back, and that its memory stays. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/ackwindow.h"

static struct ackwindow made(const char *const lines[], size_t count)
{
	struct ackwindow w;
	ackwindow_init(&w, 0);
	for (size_t i = 0; i < count; i++) assert_true(ackwindow_add(&w, span_of(lines[i])));
	return w;
}

static const char *const three[] = { "a", "bb", "ccc" };

static void assert_batch(const struct ackwindow *w, size_t most, const char *expected)
{
	struct span batch = ackwindow_batch(w, most);
	assert_int_equal(batch.length, strlen(expected));
	assert_memory_equal(batch.data, expected, batch.length);
}

static void test_batches_are_whole_lines(void **state)
{
	struct ackwindow w = made(three, 3);
	(void)state;
	assert_batch(&w, 100, "a\nbb\nccc\n");
	assert_batch(&w, 9, "a\nbb\nccc\n");
	assert_batch(&w, 8, "a\nbb\n");
	assert_batch(&w, 2, "a\n");
	assert_batch(&w, 1, "a\n"); /* longer than asked for: alone */
	ackwindow_sent(&w, ackwindow_batch(&w, 5));
	assert_int_equal(w.sent, 2);
	assert_batch(&w, 2, "ccc\n");
	ackwindow_sent(&w, ackwindow_batch(&w, 2));
	assert_int_equal(ackwindow_unsent(&w), 0);
	assert_int_equal(w.highest, 3);
	ackwindow_release(&w);
}

static void test_acknowledgements_move_in_one_direction(void **state)
{
	struct ackwindow w = made(three, 3);
	(void)state;
	assert_false(ackwindow_acknowledge(&w, 1)); /* not sent yet */
	ackwindow_sent(&w, ackwindow_batch(&w, 5));
	assert_false(ackwindow_acknowledge(&w, 3));
	assert_true(ackwindow_acknowledge(&w, 1));
	assert_false(ackwindow_acknowledge(&w, 1));
	assert_false(ackwindow_acknowledge(&w, 0));
	assert_batch(&w, 100, "ccc\n");
	assert_true(ackwindow_acknowledge(&w, 2));
	assert_batch(&w, 100, "ccc\n");
	ackwindow_sent(&w, ackwindow_batch(&w, 5));
	assert_true(ackwindow_acknowledge(&w, 3));
	assert_true(ackwindow_is_empty(&w));
	ackwindow_release(&w);
}

static void test_going_back_begins_at_the_first_not_acknowledged(void **state)
{
	struct ackwindow w = made(three, 3);
	(void)state;
	ackwindow_sent(&w, ackwindow_batch(&w, 100));
	assert_true(ackwindow_acknowledge(&w, 1));
	ackwindow_go_back(&w);
	assert_batch(&w, 100, "bb\nccc\n");
	assert_int_equal(w.sent, 1);
	assert_true(ackwindow_acknowledge(&w, 2)); /* of the first time */
	assert_batch(&w, 100, "ccc\n");
	assert_int_equal(w.sent, 2);
	assert_true(ackwindow_acknowledge(&w, 3));
	assert_true(ackwindow_is_empty(&w));
	ackwindow_release(&w);
}

static void test_a_line_is_found_by_its_number(void **state)
{
	struct ackwindow w = made(three, 3);
	(void)state;
	ackwindow_sent(&w, ackwindow_batch(&w, 100));
	ackwindow_acknowledge(&w, 1);
	assert_null(ackwindow_line(&w, 1).data);
	assert_true(span_equal(ackwindow_line(&w, 2), SPAN("bb")));
	assert_true(span_equal(ackwindow_line(&w, 3), SPAN("ccc")));
	assert_null(ackwindow_line(&w, 4).data);
	ackwindow_release(&w);
}

static void test_numbers_go_on_from_those_of_an_earlier_run(void **state)
{
	struct ackwindow w;
	(void)state;
	ackwindow_init(&w, 1000);
	ackwindow_add(&w, SPAN("x"));
	ackwindow_sent(&w, ackwindow_batch(&w, 100));
	assert_int_equal(w.sent, 1001);
	assert_true(ackwindow_acknowledge(&w, 1001));
	ackwindow_release(&w);
}

/* A model: an array of lengths. A million lines through a window that is never empty leave its memory at a few times of what is held. */
static void test_memory_is_a_few_windows(void **state)
{
	static char line[2000];
	struct ackwindow w;
	uint64_t random = 7;
	(void)state;
	memset(line, 'x', sizeof line);
	ackwindow_init(&w, 0);
	for (int i = 0; i < 300000; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		struct span one = { line, (size_t)(random >> 33) % sizeof line };
		while (!ackwindow_has_room(&w, one.length)) {
			struct span batch = ackwindow_batch(&w, 65536);
			if (batch.length) ackwindow_sent(&w, batch);
			if (random >> 63) ackwindow_go_back(&w);
			else ackwindow_acknowledge(&w, w.acknowledged + (w.highest - w.acknowledged + 1) / 2);
			random = random * 6364136223846793005u + 1442695040888963407u;
		}
		assert_true(ackwindow_add(&w, one));
		assert_true(w.acknowledged <= w.sent && w.sent <= w.highest && w.highest <= w.taken);
		assert_true(w.head <= w.next && w.next <= w.bytes.length);
	}
	assert_true(w.bytes.capacity <= 4 * (size_t)ACKWINDOW_BYTES);
	ackwindow_release(&w);
}

static void test_a_line_longer_than_the_window_goes_when_it_is_empty(void **state)
{
	struct ackwindow w = made(three, 1);
	(void)state;
	assert_false(ackwindow_has_room(&w, ACKWINDOW_BYTES));
	ackwindow_sent(&w, ackwindow_batch(&w, 10));
	ackwindow_acknowledge(&w, 1);
	assert_true(ackwindow_has_room(&w, 10 * (size_t)ACKWINDOW_BYTES));
	ackwindow_release(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batches_are_whole_lines),
		cmocka_unit_test(test_acknowledgements_move_in_one_direction),
		cmocka_unit_test(test_going_back_begins_at_the_first_not_acknowledged),
		cmocka_unit_test(test_a_line_is_found_by_its_number),
		cmocka_unit_test(test_numbers_go_on_from_those_of_an_earlier_run),
		cmocka_unit_test(test_memory_is_a_few_windows),
		cmocka_unit_test(test_a_line_longer_than_the_window_goes_when_it_is_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
