/* test_backoff - waits double up to a maximum, are not the same for all, and end when we are asked to stop. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "io/signals.h"
#include "io/socket.h"
#include "sink/backoff.h"

static void waits_double_up_to_the_maximum(void **state)
{
	(void)state;
	for (int turn = 0; turn < 100; turn++) {
		struct backoff b = { .first_ms = 500, .most_ms = 15000 };
		static const int64_t whole[] = { 500, 1000, 2000, 4000, 8000, 15000, 15000 };
		for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
			int64_t ms = backoff_next_ms(&b);
			if (ms < whole[i] / 2 || ms > whole[i]) fail_msg("wait %zu is %lld ms", i, (long long)ms);
		}
		backoff_reset(&b);
		assert_true(backoff_next_ms(&b) <= 500);
	}
}

static void waits_differ(void **state)
{
	struct backoff b = { .first_ms = 1000000, .most_ms = 1000000 };
	int64_t first = backoff_next_ms(&b);
	(void)state;
	for (int i = 0; i < 20; i++)
		if (backoff_next_ms(&b) != first) return;
	fail_msg("all waits are the same");
}

static void the_ends_of_the_range_are_safe(void **state)
{
	(void)state;
	struct backoff none = { .first_ms = 0, .most_ms = 0 }, huge = { .first_ms = 1, .most_ms = INT64_MAX, .tries = 200 }, odd = { .first_ms = 9, .most_ms = 5 };
	assert_true(backoff_next_ms(&none) >= 0 && backoff_next_ms(&none) <= 1);
	assert_true(backoff_next_ms(&huge) >= INT64_MAX / 2);
	assert_true(backoff_next_ms(&odd) <= 5);
}

static void a_wait_lasts_as_long_as_it_should(void **state)
{
	int64_t from = socket_clock_ms();
	(void)state;
	assert_true(backoff_wait(30));
	assert_true(socket_clock_ms() - from >= 30);
	assert_true(backoff_wait(0));
	assert_true(backoff_wait(-5));
}

static void a_request_to_stop_ends_a_wait(void **state)
{
	(void)state;
	int64_t from = socket_clock_ms();
	signals_open(SIGNALS_STOP);
	raise(SIGTERM); /* just before: no wait is begun that nothing would end */
	assert_false(backoff_wait(60000));
	assert_true(socket_clock_ms() - from < 30000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_double_up_to_the_maximum),
		cmocka_unit_test(waits_differ),
		cmocka_unit_test(the_ends_of_the_range_are_safe),
		cmocka_unit_test(a_wait_lasts_as_long_as_it_should),
		cmocka_unit_test(a_request_to_stop_ends_a_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
