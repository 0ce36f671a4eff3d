/* test_signals - a signal is told once, ends a wait even if it came before it, and the second request to stop is obeyed at once. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/signals.h"

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What the process keeps of signals cannot be undone, so each test has a process of its own. */
static int in_a_child(int (*body)(void))
{
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) _exit(body());
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static int each_is_told_once(void)
{
	static const struct { int number; unsigned want; } rows[] = { { SIGHUP, SIGNALS_HANGUP }, { SIGUSR1, SIGNALS_STATS }, { SIGCHLD, SIGNALS_CHILD } };
	signals_open(SIGNALS_STOP | SIGNALS_HANGUP | SIGNALS_STATS | SIGNALS_CHILD);
	for (size_t i = 0; i < 3; i++) {
		if (signals_take(rows[i].want)) return 1;
		raise(rows[i].number);
		for (size_t other = 0; other < 3; other++)
			if (other != i && signals_take(rows[other].want)) return 2;
		if (!signals_take(rows[i].want) || signals_take(rows[i].want)) return 3;
	}
	return signals_stopping() ? 4 : 0;
}

static int the_first_stop_stays(void)
{
	signals_open(SIGNALS_STOP);
	if (signals_stopping() || signals_stop_number()) return 1;
	raise(SIGINT);
	return signals_stopping() && signals_stopping() && signals_stop_number() == SIGINT ? 0 : 2;
}

static int stop_twice(void)
{
	signals_open(SIGNALS_STOP);
	raise(SIGINT);
	raise(SIGTERM);
	return 1;
}

static int the_second_stop_is_told(void)
{
	signals_open(SIGNALS_STOP | SIGNALS_STOP_AGAIN);
	if (signals_stopping() || signals_stopping_now()) return 1;
	raise(SIGTERM);
	if (!signals_stopping() || signals_stopping_now()) return 2;
	raise(SIGTERM);
	if (!signals_stopping() || !signals_stopping_now() || signals_stop_number() != SIGTERM) return 3;
	raise(SIGINT);
	return 4;
}

static int a_signal_before_the_wait_ends_it(void)
{
	signals_open(SIGNALS_STATS);
	for (int i = 0; i < 100000; i++) raise(SIGUSR1); /* more than a pipe holds */
	int64_t start = now_ms();
	if (signals_poll(NULL, 0, 10000) != 0 || now_ms() - start > 5000) return 1;
	start = now_ms();
	if (signals_poll(NULL, 0, 30) != 0 || now_ms() - start < 20) return 2; /* it does so once */
	return signals_take(SIGNALS_STATS) ? 0 : 3;
}

static int a_signal_in_the_wait_ends_it(void)
{
	int ends[2];
	signals_open(SIGNALS_STATS);
	if (pipe(ends) < 0) return 1;
	struct pollfd input = { .fd = ends[0], .events = POLLIN };
	pid_t parent = getpid(), child = fork();
	if (child == 0) {
		struct timespec pause = { 0, 50000000 };
		nanosleep(&pause, NULL);
		_exit(kill(parent, SIGUSR1));
	}
	if (signals_poll(&input, 1, 20000) != 0 || input.revents) return 2;
	if (!signals_take(SIGNALS_STATS)) return 3;
	waitpid(child, NULL, 0);
	/* What is ready is told beside a signal. */
	raise(SIGUSR1);
	if (write(ends[1], "x", 1) != 1) return 4;
	if (signals_poll(&input, 1, 20000) != 1 || !(input.revents & POLLIN)) return 5;
	return 0;
}

static int after_a_reset_a_signal_kills(void)
{
	signals_open(SIGNALS_STOP);
	signals_ignore_pipe();
	raise(SIGPIPE);
	signals_reset();
	raise(SIGTERM);
	return 1;
}

static void a_signal_is_told_once(void **state)
{
	(void)state;
	assert_int_equal(in_a_child(each_is_told_once), 0);
}

static void a_request_to_stop_stays(void **state)
{
	(void)state;
	assert_int_equal(in_a_child(the_first_stop_stays), 0);
}

static void the_second_request_to_stop_ends_the_process_by_that_signal(void **state)
{
	(void)state;
	int status = in_a_child(stop_twice);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void who_asks_for_it_is_told_of_the_second_request_and_ended_by_the_third(void **state)
{
	(void)state;
	int status = in_a_child(the_second_stop_is_told);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
}

static void a_wait_ends_by_a_signal_before_it_and_in_it(void **state)
{
	(void)state;
	assert_int_equal(in_a_child(a_signal_before_the_wait_ends_it), 0);
	assert_int_equal(in_a_child(a_signal_in_the_wait_ends_it), 0);
}

static void a_child_starts_with_the_default_actions(void **state)
{
	(void)state;
	int status = in_a_child(after_a_reset_a_signal_kills);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_is_told_once),
		cmocka_unit_test(a_request_to_stop_stays),
		cmocka_unit_test(the_second_request_to_stop_ends_the_process_by_that_signal),
		cmocka_unit_test(who_asks_for_it_is_told_of_the_second_request_and_ended_by_the_third),
		cmocka_unit_test(a_wait_ends_by_a_signal_before_it_and_in_it),
		cmocka_unit_test(a_child_starts_with_the_default_actions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
