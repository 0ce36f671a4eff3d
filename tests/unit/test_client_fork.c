/* test_client_fork - a client in a process that forks: what each process has taken is sent by it, once. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "client/metlog.h"
#include "fork_fixture.h"
#include "left_out.h"
#include "place_fixture.h"

#if defined(__SANITIZE_THREAD__)
#define BY_THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BY_THREAD_SANITIZER
#endif
#endif

static void a_child_sends_its_own_and_not_what_its_parent_has_taken(void **state)
{
	struct place *p = *state;
	struct metlog_counts c;
	struct metlog *m = metlog_open(p->to_socket, NULL, NULL); /* nobody is there: all of this is still with us at the fork */
	calm(m);
	for (int i = 0; i < 500; i++) assert_int_equal(say(m, "parent"), METLOG_TAKEN);
	pid_t pid = fork();
	if (!pid) {
		metlog_counts_get(m, &c);
		CHECK(c.taken == 0);
		for (int i = 0; i < 300; i++) CHECK(say(m, "child") == METLOG_TAKEN);
		metlog_counts_get(m, &c);
		CHECK(c.taken == 300);
		CHECK(metlog_close(m, 30000, &c) == 0);
		CHECK(c.sent == 300);
		_exit(0);
	}
	for (int i = 0; i < 500; i++) assert_int_equal(say(m, "parent"), METLOG_TAKEN);
	char pids[2][40];
	snprintf(pids[0], sizeof pids[0], "\"metlog_pid\":%d,", (int)getpid());
	snprintf(pids[1], sizeof pids[1], "\"metlog_pid\":%d,", (int)pid);
	place_listen(p);
	struct place_reader readers[2];
	for (int i = 0; i < 2; i++) place_reader_start(&readers[i], place_accept(p));
	assert_int_equal(metlog_close(m, 30000, &c), 0);
	assert_child(pid);
	size_t parents = 0, childs = 0;
	for (int i = 0; i < 2; i++) {
		char *got = place_reader_end(&readers[i]);
		parents += count_in(got, "\"payload\":\"parent\"");
		childs += count_in(got, "\"payload\":\"child\"");
		assert_int_equal(count_in(got, pids[0]), count_in(got, "\"parent\""));
		assert_int_equal(count_in(got, pids[1]), count_in(got, "\"child\""));
		free(got);
	}
	assert_int_equal(parents, 1000);
	assert_int_equal(childs, 300);
}

static void a_pid_that_was_asked_for_stays_in_a_child(void **state)
{
	struct place *p = *state;
	METLOG_OPTIONS(o);
	o.pid = 4711;
	struct metlog *m = metlog_open(p->to_file, &o, NULL);
	calm(m);
	pid_t pid = fork();
	if (!pid) {
		CHECK(say(m, "child") == METLOG_TAKEN);
		CHECK(metlog_close(m, 30000, NULL) == 0);
		_exit(0);
	}
	assert_child(pid);
	assert_int_equal(metlog_close(m, 30000, NULL), 0);
	char *got = place_text(p);
	assert_int_equal(count_in(got, "\"metlog_pid\":4711,"), 1);
	free(got);
}

static void a_child_that_sends_nothing_may_close_flush_or_just_end(void **state)
{
	struct place *p = *state;
	struct metlog_counts c;
	struct metlog *m = metlog_open(p->to_socket, NULL, NULL);
	calm(m);
	say(m, "parent");
	for (int how = 0; how < 3; how++) {
		pid_t pid = fork();
		if (!pid) {
			if (how == 1) CHECK(metlog_flush(m, 30000) == 0);
			if (how < 2) CHECK(metlog_close(m, 30000, &c) == 0 && c.taken == 0);
			_exit(0);
		}
		assert_child(pid);
	}
	assert_int_equal(metlog_close(m, 0, &c), -1);
	assert_int_equal(c.unsent, 1);
}

static void the_child_of_a_child_goes_on_too(void **state)
{
	struct place *p = *state;
#ifdef BY_THREAD_SANITIZER
	leave_out("the sender of the child begins as it forks: a lock that it had in ThreadSanitizer's allocator is never given back in the child's child");
#endif
	struct metlog *m = metlog_open(p->to_file, NULL, NULL);
	assert_int_equal(say(m, "g0"), METLOG_TAKEN);
	calm(m);
	pid_t pid = fork();
	if (!pid) {
		CHECK(say(m, "g1") == METLOG_TAKEN);
		calm(m);
		pid = fork();
		if (!pid) {
			pid = fork(); /* whose parent has not used it */
			if (!pid) {
				CHECK(say(m, "g3") == METLOG_TAKEN);
				CHECK(metlog_close(m, 30000, NULL) == 0);
				_exit(0);
			}
			int status;
			CHECK(waitpid(pid, &status, 0) == pid && status == 0);
			CHECK(say(m, "g2") == METLOG_TAKEN);
			CHECK(metlog_close(m, 30000, NULL) == 0);
			_exit(0);
		}
		int status;
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
		CHECK(metlog_close(m, 30000, NULL) == 0);
		_exit(0);
	}
	assert_child(pid);
	assert_int_equal(metlog_close(m, 30000, NULL), 0);
	char *got = place_text(p);
	for (int i = 0; i < 4; i++) {
		char text[8];
		snprintf(text, sizeof text, "\"g%d\"", i);
		assert_int_equal(count_in(got, text), 1);
	}
	free(got);
}

static void what_is_left_out_by_chance_is_not_the_same_in_all_children(void **state)
{
	struct place *p = *state;
	enum { FORKS = 60 };
	unsigned taken = 0;
	struct metlog *m = metlog_open(p->to_file, NULL, NULL);
	metlog_count(m, "n", 1, 0.5, METLOG_NONE); /* of the parent's own choices none follows */
	calm(m);
	for (int i = 0; i < FORKS; i++) {
		int status;
		pid_t pid = fork();
		if (!pid) _exit(metlog_count(m, "n", 1, 0.5, METLOG_NONE) == METLOG_TAKEN);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		taken += WEXITSTATUS(status) == 1;
	}
	assert_in_range(taken, 1, FORKS - 1);
	metlog_close(m, 30000, NULL);
}

/* --- threads, of the parent and of the child ---------------------------------------------------- */

static atomic_bool is_over;

static struct metlog *exiting;
static void close_exiting(void)
{
	if (metlog_close(exiting, 30000, NULL)) _exit(99);
}

static void a_client_may_be_closed_when_the_process_exits(void **state)
{
	struct place *p = *state;
	pid_t pid = fork();
	if (!pid) {
		exiting = metlog_open(p->to_file, NULL, NULL);
		CHECK(exiting && atexit(close_exiting) == 0);
		for (int i = 0; i < 1000; i++) CHECK(say(exiting, "exit") == METLOG_TAKEN);
		exit(0);
	}
	assert_child(pid);
	char *got = place_text(p);
	assert_int_equal(count_in(got, "\"exit\""), 1000);
	free(got);
}

static void *speak_on(void *client)
{
	while (!atomic_load(&is_over)) say(client, "thread");
	return NULL;
}

static void a_fork_may_come_while_other_threads_are_in_their_calls(void **state)
{
	struct place *p = *state;
#ifdef __SANITIZE_ADDRESS__
	leave_out("a lock that another thread had in the sanitizer's allocator when the fork came is never given back in the child");
#endif
	enum { FORKS = 40, THREADS = 3 };
	pthread_t threads[THREADS];
	struct metlog_counts c;
	METLOG_OPTIONS(o);
	o.threads = 2; /* so that one of them has the lock of the shared buffer */
	o.buffer_bytes = 65536;
	struct metlog *m = metlog_open(p->to_file, &o, NULL);
	atomic_store(&is_over, false);
	for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, speak_on, m), 0);
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();
		if (!pid) {
			CHECK(say(m, "child") == METLOG_TAKEN);
			CHECK(metlog_close(m, 60000, &c) == 0);
			CHECK(c.sent == 1);
			_exit(0);
		}
		assert_child(pid);
		say(m, "parent");
	}
	atomic_store(&is_over, true);
	for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
	metlog_close(m, 60000, &c);
	assert_int_equal(c.unsent, 0);
	char *got = place_text(p);
	assert_int_equal(count_in(got, "\"child\""), FORKS);
	assert_int_equal(count_in(got, "\"thread\"") + count_in(got, "\"parent\""), c.sent);
	free(got);
}

/* --- what a daemon does ----------------------------------------------------------------------------- */

static void a_child_that_has_closed_all_descriptors_keeps_those_it_has_opened_since(void **state)
{
	struct place *p = *state;
	struct metlog *m = metlog_open(p->to_file, NULL, NULL);
	say(m, "parent");
	assert_int_equal(metlog_flush(m, 30000), 0);
	pid_t pid = fork();
	if (!pid) {
		int mine[32], pipes[2];
		struct stat before[32], after;
		for (int fd = 3; fd < 256; fd++) close(fd);
		CHECK(pipe(pipes) == 0);
		for (int i = 0; i < 32; i++) {
			mine[i] = i % 2 ? dup(pipes[0]) : open("/dev/null", O_RDONLY);
			CHECK(fstat(mine[i], &before[i]) == 0);
		}
		CHECK(say(m, "child") == METLOG_TAKEN);
		CHECK(metlog_close(m, 30000, NULL) == 0);
		for (int i = 0; i < 32; i++) CHECK(fstat(mine[i], &after) == 0 && after.st_ino == before[i].st_ino);
		CHECK(fcntl(pipes[0], F_SETFL, O_NONBLOCK) == 0);
		CHECK(read(pipes[0], before, 1) < 0 && errno == EAGAIN);
		_exit(0);
	}
	assert_child(pid);
	assert_int_equal(metlog_close(m, 30000, NULL), 0);
	char *got = place_text(p);
	assert_int_equal(count_in(got, "\"child\""), 1);
	free(got);
}

static void standard_descriptors_that_are_closed_stay_closed(void **state)
{
	struct place *p = *state;
	pid_t pid = fork();
	if (!pid) {
		for (int fd = 0; fd < 3; fd++) close(fd);
		struct metlog *m = metlog_open(p->to_file, NULL, NULL);
		CHECK(m && say(m, "closed") == METLOG_TAKEN);
		CHECK(metlog_flush(m, 30000) == 0);
		for (int fd = 0; fd < 3; fd++) CHECK(fcntl(fd, F_GETFD) < 0);
		CHECK(metlog_close(m, 30000, NULL) == 0);
		CHECK(!metlog_open("-", NULL, NULL));
		_exit(0);
	}
	assert_child(pid);
	char *got = place_text(p);
	assert_int_equal(count_in(got, "\"closed\""), 1);
	free(got);
}

static int descriptors_after_exec(void)
{
	int count = 0;
	FILE *ls = popen("ls /proc/self/fd | wc -l", "re");
	assert_int_equal(fscanf(ls, "%d", &count), 1);
	pclose(ls);
	return count;
}

static void an_exec_takes_no_descriptor_along(void **state)
{
	struct place *p = *state;
	int before = descriptors_after_exec();
	struct metlog *m = metlog_open(p->to_file, NULL, NULL);
	say(m, "parent");
	assert_int_equal(metlog_flush(m, 30000), 0);
	assert_int_equal(descriptors_after_exec(), before);
	assert_int_equal(metlog_close(m, 30000, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_child_sends_its_own_and_not_what_its_parent_has_taken, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_pid_that_was_asked_for_stays_in_a_child, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_child_that_sends_nothing_may_close_flush_or_just_end, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(the_child_of_a_child_goes_on_too, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(what_is_left_out_by_chance_is_not_the_same_in_all_children, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_fork_may_come_while_other_threads_are_in_their_calls, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_client_may_be_closed_when_the_process_exits, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_child_that_has_closed_all_descriptors_keeps_those_it_has_opened_since, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(standard_descriptors_that_are_closed_stay_closed, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(an_exec_takes_no_descriptor_along, place_setup, place_teardown),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	refuses_wipe = true;
	return failed | cmocka_run_group_tests_name("by the process's number", tests, NULL, NULL);
}
