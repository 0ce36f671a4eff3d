/* test_tally - of what an outlet says it has delivered and lost: how much of it was calls, with reports of our own among them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/tally.h"

static void take(struct tally *t, unsigned calls)
{
	while (calls--) tally_take(t, SPAN("{}\n"));
}

static void assert_tally(const struct tally *t, uint64_t sent, uint64_t lost)
{
	assert_int_equal(tally_sent(t), sent);
	assert_int_equal(tally_lost(t), lost);
}

static void a_block_counts_its_lines(void **state)
{
	struct tally t = { 0 };
	(void)state;
	tally_take(&t, SPAN("{}\n{\"a\":1}\n{}\n"));
	tally_take(&t, SPAN(""));
	assert_int_equal(t.taken, 3);
	assert_tally(&t, 0, 0);
	tally_tell(&t, 2, 0);
	assert_tally(&t, 2, 0);
	assert_true(tally_is_settled(&t, 2));
	assert_false(tally_is_settled(&t, 3));
	tally_tell(&t, 2, 1);
	assert_tally(&t, 2, 1);
	assert_true(tally_is_settled(&t, 3));
}

static void lines_of_our_own_are_no_calls(void **state)
{
	struct tally t = { 0 };
	(void)state;
	take(&t, 2);
	tally_take_own(&t);
	take(&t, 2);
	tally_tell(&t, 2, 0);
	assert_tally(&t, 2, 0);
	tally_tell(&t, 3, 0); /* ours has arrived */
	assert_tally(&t, 2, 0);
	tally_tell(&t, 5, 0);
	assert_tally(&t, 4, 0);
}

static void what_is_lost_is_the_last_that_was_delivered(void **state)
{
	struct tally t = { 0 };
	(void)state;
	take(&t, 4);
	tally_take_own(&t);
	take(&t, 1);
	tally_tell(&t, 6, 0);
	assert_tally(&t, 5, 0);
	tally_tell(&t, 5, 1); /* the one behind ours */
	assert_tally(&t, 4, 1);
	take(&t, 3);
	tally_tell(&t, 8, 1);
	assert_tally(&t, 7, 1);
}

static void what_was_lost_with_ours_is_one_call_less(void **state)
{
	struct tally t = { 0 };
	(void)state;
	take(&t, 10);
	tally_take_own(&t);
	tally_tell(&t, 11, 0);
	tally_tell(&t, 8, 3); /* ours and two calls */
	assert_tally(&t, 8, 2);
	tally_tell(&t, 8, 3);
	assert_tally(&t, 8, 2);
	take(&t, 5);
	tally_tell(&t, 13, 3);
	assert_tally(&t, 13, 2);
}

static void old_lines_of_our_own_were_delivered(void **state)
{
	struct tally t = { 0 };
	(void)state;
	for (unsigned i = 0; i < 100; i++) take(&t, 1), tally_take_own(&t);
	tally_tell(&t, 200, 0);
	assert_tally(&t, 100, 0);
	tally_tell(&t, 196, 4);
	assert_tally(&t, 98, 2);
}

static void what_can_never_be_taken_is_lost(void **state)
{
	struct tally t = { 0 };
	(void)state;
	take(&t, 1);
	t.passed_over++;
	tally_tell(&t, 1, 0);
	assert_tally(&t, 1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_counts_its_lines),
		cmocka_unit_test(lines_of_our_own_are_no_calls),
		cmocka_unit_test(what_is_lost_is_the_last_that_was_delivered),
		cmocka_unit_test(what_was_lost_with_ours_is_one_call_less),
		cmocka_unit_test(old_lines_of_our_own_were_delivered),
		cmocka_unit_test(what_can_never_be_taken_is_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
