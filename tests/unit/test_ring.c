/* test_ring - lines between two threads: whole, in order, each once, in memory that is used again, held against a model and under stress. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "client/ring.h"

enum { CAPACITY = 256 };

struct fixture {
	_Alignas(64) struct ring ring;
	char data[CAPACITY];
};

static struct fixture *made(void)
{
	static struct fixture f;
	ring_init(&f.ring, f.data, sizeof f.data);
	return &f;
}

static bool put(struct ring *r, const char *line)
{
	size_t length = strlen(line);
	char *at = ring_reserve(r, length);
	if (!at) return false;
	memcpy(at, line, length);
	ring_commit(r, length);
	return true;
}

static void assert_peek(struct ring *r, const char *expected)
{
	struct span got = ring_peek(r);
	assert_int_equal(got.length, strlen(expected));
	assert_memory_equal(got.data, expected, got.length);
}

static void test_lines_come_out_as_one_block_in_order(void **state)
{
	struct ring *r = &made()->ring;
	(void)state;
	assert_true(ring_is_empty(r));
	assert_peek(r, "");
	assert_true(put(r, "one\n"));
	assert_true(put(r, "two\n"));
	assert_peek(r, "one\ntwo\n");
	ring_take(r, 4);
	assert_peek(r, "two\n");
	ring_take(r, 4);
	assert_true(ring_is_empty(r));
}

static void test_what_is_not_committed_is_not_there(void **state)
{
	struct ring *r = &made()->ring;
	(void)state;
	assert_non_null(ring_reserve(r, 100));
	assert_peek(r, "");
	assert_true(put(r, "other\n"));
	assert_peek(r, "other\n");
}

static void test_a_ring_that_is_empty_uses_its_first_memory_again(void **state)
{
	struct ring *r = &made()->ring;
	(void)state;
	for (int i = 0; i < 1000; i++) {
		char *at = ring_reserve(r, 40);
		assert_ptr_equal(at, r->data);
		memcpy(at, "x\n", 2);
		ring_commit(r, 2);
		assert_peek(r, "x\n");
		ring_take(r, 2);
	}
}

static void test_an_empty_ring_has_room_for_all_it_holds_before_the_consumer_looks_again(void **state)
{
	struct ring *r = &made()->ring;
	char line[65];
	(void)state;
	assert_true(put(r, "x\n"));
	ring_take(r, ring_peek(r).length);
	memset(line, 'y', 63), memcpy(line + 63, "\n", 2);
	for (int i = 0; i < 4; i++) assert_true(put(r, line)); /* the consumer still stands behind the x */
	assert_false(put(r, "\n"));
	assert_int_equal(ring_peek(r).length, CAPACITY);
}

static void test_a_full_ring_says_so_and_takes_more_once_something_is_taken(void **state)
{
	struct ring *r = &made()->ring;
	char line[101];
	(void)state;
	memset(line, 'z', 99), memcpy(line + 99, "\n", 2);
	assert_true(put(r, line));
	assert_false(ring_is_half_full(r));
	assert_true(put(r, line));
	assert_true(ring_is_half_full(r));
	assert_false(put(r, line)); /* 56 bytes are left, in one piece too few */
	assert_true(put(r, "short\n"));
	ring_take(r, 100);
	assert_true(put(r, line)); /* begins at the next lap */
	assert_int_equal(ring_peek(r).length, 106);
	ring_take(r, 106);
	assert_peek(r, line);
	assert_int_equal(ring_reserve(r, CAPACITY + 1) == NULL, 1);
}

static void test_a_mark_is_passed_when_what_was_there_is_taken(void **state)
{
	struct ring *r = &made()->ring;
	(void)state;
	assert_true(ring_is_past(r, ring_mark(r)));
	put(r, "one\n");
	uint64_t mark = ring_mark(r);
	put(r, "two\n");
	assert_false(ring_is_past(r, mark));
	ring_take(r, 4);
	assert_true(ring_is_past(r, mark));
	ring_take(r, 4);
	assert_true(ring_is_past(r, mark));
}

/* --- a model: numbers that went in, in a queue ------------------------------------------------ */

/* Line `number`: as many letters as it says, at most `most`; its first is the lowest digit of the number. */
static size_t line_length(uint64_t number, size_t most)
{
	return (size_t)((number * 2654435761U) >> 7) % most + 1;
}

static void write_line(char *at, uint64_t number, size_t length)
{
	memset(at, (int)('a' + number % 26), length);
	at[length - 1] = '\n';
}

/* Takes up to `lines` lines off the block's front and holds them against their numbers; how many bytes they have. */
static size_t check_lines(struct span block, uint64_t *number, size_t lines, size_t most)
{
	size_t at = 0;
	while (at < block.length && lines--) {
		size_t length = line_length(*number, most);
		assert_true(length <= block.length - at);
		assert_int_equal(block.data[at + length - 1], '\n');
		if (length > 1) {
			assert_int_equal(block.data[at], 'a' + (int)(*number % 26));
			assert_int_equal(block.data[at + length - 2], 'a' + (int)(*number % 26));
		}
		at += length;
		++*number;
	}
	return at;
}

static void test_any_order_of_calls_keeps_the_lines(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 60; seed++) {
		struct ring *r = &made()->ring;
		uint64_t in = 0, out = 0;
		size_t most = seed % 3 == 0 ? 3 : seed % 3 == 1 ? 60 : 200;
		srand(seed);
		for (int step = 0; step < 4000; step++) {
			if (rand() % 5 < 3) {
				size_t length = line_length(in, most), wanted = length + (size_t)(rand() % 9);
				char *at = ring_reserve(r, wanted);
				if (!at) {
					assert_false(in == out); /* an empty one has room for all of this */
					continue;
				}
				assert_true(at >= r->data && at + wanted <= r->data + CAPACITY);
				write_line(at, in++, length);
				ring_commit(r, length);
			} else {
				struct span block = ring_peek(r);
				assert_int_equal(block.length == 0, in == out);
				ring_take(r, check_lines(block, &out, (size_t)(rand() % 4), most));
			}
			assert_int_equal(ring_is_empty(r), in == out);
		}
	}
}

/* --- two threads ------------------------------------------------------------------------------------ */

enum { LINES = 300000, MOST = 90 };

static void *produce(void *argument)
{
	struct ring *r = argument;
	for (uint64_t number = 0; number < LINES;) {
		size_t length = line_length(number, MOST);
		char *at = ring_reserve(r, length + number % 5);
		if (!at) {
			sched_yield();
			continue;
		}
		write_line(at, number++, length);
		ring_commit(r, length);
	}
	return NULL;
}

static void test_two_threads_lose_nothing(void **state)
{
	struct ring *r = &made()->ring;
	pthread_t producer;
	uint64_t number = 0;
	(void)state;
	assert_int_equal(pthread_create(&producer, NULL, produce, r), 0);
	while (number < LINES) {
		struct span block = ring_peek(r);
		if (!block.length) sched_yield();
		ring_take(r, check_lines(block, &number, number % 7 + 1, MOST));
	}
	pthread_join(producer, NULL);
	assert_true(ring_is_empty(r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_come_out_as_one_block_in_order),
		cmocka_unit_test(test_what_is_not_committed_is_not_there),
		cmocka_unit_test(test_a_ring_that_is_empty_uses_its_first_memory_again),
		cmocka_unit_test(test_an_empty_ring_has_room_for_all_it_holds_before_the_consumer_looks_again),
		cmocka_unit_test(test_a_full_ring_says_so_and_takes_more_once_something_is_taken),
		cmocka_unit_test(test_a_mark_is_passed_when_what_was_there_is_taken),
		cmocka_unit_test(test_any_order_of_calls_keeps_the_lines),
		cmocka_unit_test(test_two_threads_lose_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
