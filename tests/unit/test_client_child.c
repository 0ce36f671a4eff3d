/* test_client_child - the first calls in the child of a fork: from any thread, of any kind, cancelled, or where no thread can be started. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "client/metlog.h"
#include "fork_fixture.h"
#include "place_fixture.h"

/* A process that may have no more threads; that this is so may be told only when another thread sleeps. The linker leads the calls here. */
static atomic_bool refuses_threads, is_refusing;
static atomic_int sleeper;
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
	if (!atomic_load(&refuses_threads)) return __real_pthread_create(thread, attributes, run, argument);
	atomic_store(&is_refusing, true);
	while (sleeper && sleeper != gettid() && !is_asleep(sleeper)) usleep(1000);
	return EAGAIN;
}

/* A process where the thread that asks as the fourth which process this is, as the ninth, and so on is held up between what it has seen of the client and what it does with it. */
static bool holds_up;
pid_t __real_getpid(void);
pid_t __wrap_getpid(void);
pid_t __wrap_getpid(void)
{
	static atomic_uint calls;
	if (holds_up && atomic_fetch_add(&calls, 1) % 5 == 3) usleep(1000);
	return __real_getpid();
}

static void *speak_once(void *client)
{
	return say(client, "child's thread") == METLOG_TAKEN ? NULL : client;
}

enum { THREADS = 4 };

/* In a child: its first calls, each in a thread of its own, at once. */
static void call_at_once(struct metlog *m, void *(*const calls[THREADS])(void *))
{
	pthread_t threads[THREADS];
	void *failed;
	for (int t = 0; t < THREADS; t++) CHECK(pthread_create(&threads[t], NULL, calls[t], m) == 0);
	for (int t = 0; t < THREADS; t++) CHECK(pthread_join(threads[t], &failed) == 0 && !failed);
}

static void a_childs_first_calls_may_come_from_several_threads_at_once(void **state)
{
	struct place *p = *state;
	enum { FORKS = 20 };
	void *(*const calls[THREADS])(void *) = { speak_once, speak_once, speak_once, speak_once };
	struct metlog *m = metlog_open(p->to_file, NULL, NULL);
	say(m, "parent");
	calm(m);
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();
		if (!pid) {
			struct metlog_counts c;
			holds_up = true;
			call_at_once(m, calls);
			CHECK(metlog_close(m, 60000, &c) == 0);
			CHECK(c.sent == THREADS);
			_exit(0);
		}
		assert_child(pid);
	}
	assert_int_equal(metlog_close(m, 60000, NULL), 0);
	char *got = place_text(p);
	assert_int_equal(count_in(got, "\"child's thread\""), FORKS * THREADS);
	assert_int_equal(count_in(got, "\"parent\""), 1);
	free(got);
}

static void *flush_once(void *client)
{
	return metlog_flush(client, 60000) == 0 ? NULL : client;
}

static void *ask_once(void *client)
{
	struct metlog_counts c;
	struct metlog_message message;
	char text[512], own[40];
	metlog_counts_get(client, &c);
	metlog_reason(client, text, sizeof text);
	metlog_message_init(&message, sizeof message);
	size_t length = metlog_compose(client, &message, text, sizeof text - 1);
	text[length] = '\0';
	snprintf(own, sizeof own, "\"metlog_pid\":%d,", (int)__real_getpid());
	return c.taken <= 2 && length < sizeof text && strstr(text, own) ? NULL : client;
}

static void *leave_out_once(void *client)
{
	return metlog_count(client, "n", 1, 0, METLOG_NONE) == METLOG_LEFT_OUT ? NULL : client;
}

static void a_childs_first_calls_may_be_of_any_kind(void **state)
{
	struct place *p = *state;
	enum { FORKS = 10 };
	void *(*const calls[THREADS])(void *) = { flush_once, ask_once, leave_out_once, speak_once };
	struct metlog *m = metlog_open(p->to_file, NULL, NULL);
	say(m, "parent");
	calm(m);
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();
		if (!pid) {
			struct metlog_counts c;
			holds_up = i % 2;
			if (i < THREADS) CHECK(!calls[i](m)); /* each of them as the very first, too */
			call_at_once(m, calls);
			CHECK(metlog_close(m, 60000, &c) == 0);
			CHECK(c.sent == 1U + (i == 3) && c.left_out == 1U + (i == 2));
			_exit(0);
		}
		assert_child(pid);
	}
	assert_int_equal(metlog_close(m, 60000, NULL), 0);
}

/* The cancellation waits already when the call begins. */
static void *speak_cancelled(void *client)
{
	int old;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	pthread_cancel(pthread_self());
	pthread_setcancelstate(old, NULL);
	say(client, "cancelled");
	return NULL;
}

static void a_thread_that_is_cancelled_in_a_childs_first_call_leaves_the_others_their_client(void **state)
{
	struct place *p = *state;
	struct metlog *m = metlog_open(p->to_file, NULL, NULL);
	say(m, "parent");
	assert_int_equal(metlog_flush(m, 60000), 0);
	pid_t pid = fork();
	if (!pid) {
		pthread_t thread;
		struct metlog_counts c;
		alarm(FOR_EVER_S);
		CHECK(pthread_create(&thread, NULL, speak_cancelled, m) == 0);
		CHECK(pthread_join(thread, NULL) == 0);
		CHECK(say(m, "child") == METLOG_TAKEN);
		CHECK(metlog_close(m, 60000, &c) == 0);
		CHECK(c.sent == 2);
		_exit(0);
	}
	assert_child(pid);
	assert_int_equal(metlog_close(m, 60000, NULL), 0);
}

/* --- where no thread can be started ------------------------------------------------------------------ */

static void without_a_thread_what_is_taken_stays_unsent_and_nobody_waits_for_room(void **state)
{
	struct place *p = *state;
	for (int blocks = 0; blocks < 2; blocks++) {
		METLOG_OPTIONS(o);
		o.when_full = blocks ? METLOG_BLOCK : METLOG_DROP;
		o.buffer_bytes = 4096;
		struct metlog *m = metlog_open(p->to_file, &o, NULL);
		calm(m);
		pid_t pid = fork();
		if (!pid) {
			struct metlog_counts c;
			uint64_t taken = 0;
			atomic_store(&refuses_threads, true);
			for (int i = 0; i < 100; i++) {
				enum metlog_result result = say(m, "child");
				CHECK(result == METLOG_TAKEN || result == METLOG_DROPPED);
				taken += result == METLOG_TAKEN;
			}
			CHECK(taken > 0 && taken < 100);
			CHECK(metlog_flush(m, 30000) == -1);
			CHECK(metlog_close(m, 30000, &c) == -1);
			CHECK(c.taken == taken && c.unsent == taken && c.dropped == 100 - taken);
			_exit(0);
		}
		assert_child(pid);
		assert_int_equal(metlog_close(m, 30000, NULL), 0);
	}
	char *got = place_text(p);
	assert_string_equal(got, "");
	free(got);
}

static void *speak_until_it_is_not_taken(void *client)
{
	enum metlog_result result;
	sleeper = gettid();
	while (!atomic_load(&is_refusing)) {}
	while ((result = say(client, "child")) == METLOG_TAKEN) {}
	return result == METLOG_DROPPED ? NULL : client;
}

static void a_thread_that_cannot_be_started_leaves_nobody_waiting_for_it(void **state)
{
	struct place *p = *state;
	METLOG_OPTIONS(o);
	o.when_full = METLOG_BLOCK;
	o.buffer_bytes = 4096;
	struct metlog *m = metlog_open(p->to_file, &o, NULL);
	calm(m);
	pid_t pid = fork();
	if (!pid) {
		pthread_t thread;
		void *failed;
		alarm(FOR_EVER_S);
		CHECK(pthread_create(&thread, NULL, speak_until_it_is_not_taken, m) == 0);
		while (!sleeper) usleep(1000);
		atomic_store(&refuses_threads, true);
		CHECK(say(m, "child") == METLOG_TAKEN); /* the other one believes meanwhile that a thread will empty its buffer */
		CHECK(pthread_join(thread, &failed) == 0 && !failed);
		_exit(0);
	}
	assert_child(pid);
	assert_int_equal(metlog_close(m, 30000, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_childs_first_calls_may_come_from_several_threads_at_once, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_childs_first_calls_may_be_of_any_kind, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_thread_that_is_cancelled_in_a_childs_first_call_leaves_the_others_their_client, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_thread_that_cannot_be_started_leaves_nobody_waiting_for_it, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(without_a_thread_what_is_taken_stays_unsent_and_nobody_waits_for_room, place_setup, place_teardown),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	refuses_wipe = true;
	return failed | cmocka_run_group_tests_name("by the process's number", tests, NULL, NULL);
}
