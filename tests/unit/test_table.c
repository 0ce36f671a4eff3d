/* test_table - the bounded hash table: finding, order, limits, clearing. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/table.h"

static struct span key_of(char out[32], unsigned number)
{
	int length = snprintf(out, 32, "key.%u", number);
	return (struct span){ out, (size_t)length };
}

static void test_put_finds_what_was_put(void **state)
{
	(void)state;
	struct table t;
	char text[32];
	bool fresh;
	table_init(&t, 10000, 1 << 20, sizeof(uint64_t));
	assert_null(table_find(&t, SPAN("key.1")));
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t *value = table_put(&t, key_of(text, i), &fresh);
		assert_non_null(value);
		assert_true(fresh);
		assert_int_equal(*value, 0);
		*value = i * 3ULL;
	}
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t *value = table_put(&t, key_of(text, i), &fresh);
		assert_false(fresh);
		assert_int_equal(*value, i * 3ULL);
		assert_ptr_equal(table_find(&t, key_of(text, i)), value);
	}
	assert_null(table_find(&t, SPAN("key.10000")));
	assert_int_equal(t.count, 10000);
	table_release(&t);
}

static void test_entries_keep_their_order(void **state)
{
	(void)state;
	struct table t;
	char text[32];
	bool fresh;
	table_init(&t, 1000, 1 << 20, sizeof(uint64_t));
	for (unsigned i = 0; i < 500; i++) *(uint64_t *)table_put(&t, key_of(text, 499 - i), &fresh) = i;
	for (unsigned i = 0; i < 500; i++) {
		assert_true(span_equal(table_key(&t, i), key_of(text, 499 - i)));
		assert_int_equal(*(uint64_t *)table_value(&t, i), i);
	}
	table_release(&t);
}

static void test_any_bytes_are_a_key(void **state)
{
	(void)state;
	struct table t;
	bool fresh;
	table_init(&t, 8, 64, 1);
	assert_non_null(table_put(&t, (struct span){ NULL, 0 }, &fresh));
	assert_true(fresh);
	assert_non_null(table_put(&t, SPAN("a\0b"), &fresh));
	assert_true(fresh);
	assert_non_null(table_put(&t, SPAN("a\0c"), &fresh));
	assert_true(fresh);
	assert_non_null(table_put(&t, SPAN("a"), &fresh));
	assert_true(fresh);
	assert_non_null(table_put(&t, SPAN(""), &fresh));
	assert_false(fresh);
	assert_int_equal(t.count, 4);
	table_release(&t);
}

static void test_limits_hold_and_change_nothing(void **state)
{
	(void)state;
	struct table t;
	bool fresh;
	table_init(&t, 3, 10, sizeof(uint64_t));
	assert_non_null(table_put(&t, SPAN("aaaa"), &fresh));
	assert_null(table_put(&t, SPAN("0123456"), &fresh)); /* the bytes of keys */
	assert_false(fresh);
	assert_non_null(table_put(&t, SPAN("bbbb"), &fresh));
	assert_non_null(table_put(&t, SPAN("cc"), &fresh));
	assert_null(table_put(&t, SPAN(""), &fresh));        /* the number of entries */
	assert_int_equal(t.count, 3);
	assert_non_null(table_put(&t, SPAN("aaaa"), &fresh));
	assert_false(fresh);
	assert_null(table_find(&t, SPAN("0123456")));
	table_release(&t);
}

static void test_clear_forgets_and_may_be_filled_again(void **state)
{
	(void)state;
	struct table t;
	char text[32];
	bool fresh;
	table_init(&t, 100, 4096, sizeof(uint64_t));
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < 100; i++) {
			uint64_t *value = table_put(&t, key_of(text, i + round), &fresh);
			assert_non_null(value);
			assert_true(fresh);
			assert_int_equal(*value, 0);
			*value = 7;
		}
		assert_null(table_put(&t, key_of(text, 1000), &fresh));
		table_clear(&t);
		assert_int_equal(t.count, 0);
		assert_null(table_find(&t, key_of(text, round)));
	}
	table_release(&t);
}

static void test_seeds_differ(void **state)
{
	(void)state;
	struct table a, b;
	table_init(&a, 1, 1, 1);
	table_init(&b, 1, 1, 1);
	assert_true(a.seed != b.seed);
}

static void test_what_is_fetched_ahead_is_the_entry_that_is_found(void **state)
{
	(void)state;
	struct table t;
	char text[32];
	bool fresh;
	table_init(&t, 1000, 1 << 20, sizeof(uint64_t));
	table_fetch_slot(&t, table_hash(&t, SPAN("none")));
	assert_true(table_fetch_entry(&t, table_hash(&t, SPAN("none"))) == TABLE_NONE);
	for (unsigned i = 0; i < 1000; i++) assert_non_null(table_put(&t, key_of(text, i), &fresh));
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t hash = table_hash(&t, key_of(text, i));
		table_fetch_slot(&t, hash);
		size_t number = table_fetch_entry(&t, hash);
		assert_int_equal(number, i);
		table_fetch_key(&t, number);
		assert_ptr_equal(table_value(&t, number), table_find(&t, key_of(text, i)));
	}
	table_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_finds_what_was_put),
		cmocka_unit_test(test_entries_keep_their_order),
		cmocka_unit_test(test_any_bytes_are_a_key),
		cmocka_unit_test(test_limits_hold_and_change_nothing),
		cmocka_unit_test(test_clear_forgets_and_may_be_filled_again),
		cmocka_unit_test(test_seeds_differ),
		cmocka_unit_test(test_what_is_fetched_ahead_is_the_entry_that_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
