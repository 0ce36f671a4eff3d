/* test_client_close - the end of a client: within its deadline whatever the far side does, with exact books, and with nothing left behind. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "client/metlog.h"
#include "place_fixture.h"

/* A system call that hangs, as on a file server that is away: this one, while it shall. The linker leads all of write here. */
static atomic_bool hangs, is_hanging;
ssize_t __real_write(int fd, const void *data, size_t length);
ssize_t __wrap_write(int fd, const void *data, size_t length);
ssize_t __wrap_write(int fd, const void *data, size_t length)
{
	while (length > 1 && atomic_load(&hangs)) {
		atomic_store(&is_hanging, true);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return __real_write(fd, data, length);
}

static int64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Closes with a short deadline a client whose far side takes nothing (more): it must wait for that, and not for ever. How much longer it takes is the machine's affair;
 * that it is not for ever is seen by its coming back at all. */
static void assert_gives_up(struct metlog *m, uint64_t taken, uint64_t sent_at_most)
{
	struct metlog_counts c;
	int64_t began = clock_ms();
	assert_int_equal(metlog_close(m, 200, &c), -1);
	assert_true(clock_ms() - began >= 200);
	assert_int_equal(c.taken, taken);
	assert_int_equal(c.sent + c.unsent, taken);
	assert_in_range(c.sent, 0, sent_at_most);
}

/* --- far sides that are away, or do not read ------------------------------------------------- */

static void a_close_gives_up_a_far_side_that_was_never_there(void **state)
{
	struct place *p = *state;
	char endpoints[5][160];
	snprintf(endpoints[0], 160, "unix:%s/nobody", p->folder);
	snprintf(endpoints[1], 160, "push:ipc://%s/nobody", p->folder);
	snprintf(endpoints[2], 160, "pub:ipc://%s/nobody", p->folder);
	snprintf(endpoints[3], 160, "ack:ipc://%s/nobody", p->folder);
	snprintf(endpoints[4], 160, "tcp:127.0.0.1:1");
	for (int i = 0; i < 5; i++) {
		struct metlog *m = metlog_open(endpoints[i], NULL, NULL);
		assert_non_null(m);
		for (int k = 0; k < 100; k++) assert_int_equal(say(m, "x"), METLOG_TAKEN);
		assert_gives_up(m, 100, 0);
	}
}

static void a_close_of_nothing_waits_for_nobody(void **state)
{
	struct place *p = *state;
	struct metlog_counts c;
	char endpoints[4][160];
	snprintf(endpoints[0], 160, "unix:%s/nobody", p->folder);
	snprintf(endpoints[1], 160, "push:ipc://%s/nobody", p->folder);
	snprintf(endpoints[2], 160, "ack:ipc://%s/nobody", p->folder);
	snprintf(endpoints[3], 160, "udp:127.0.0.1:9");
	for (int i = 0; i < 4; i++) {
		struct metlog *m = metlog_open(endpoints[i], NULL, NULL);
		assert_non_null(m);
		assert_int_equal(metlog_flush(m, 1000000), 0);
		assert_int_equal(metlog_close(m, 1000000, &c), 0); /* a wait would be long enough to see */
		assert_int_equal(c.taken, 0);
	}
}

static void a_close_gives_up_a_far_side_that_does_not_read(void **state)
{
	struct place *p = *state;
	char text[10000];
	unsigned taken = 0;
	memset(text, 'x', sizeof text - 1), text[sizeof text - 1] = '\0';
	place_listen(p);
	struct metlog *m = metlog_open(p->to_socket, NULL, NULL);
	for (int i = 0; i < 1000; i++) taken += say(m, text) == METLOG_TAKEN;
	int fd = place_accept(p);
	struct metlog_counts c;
	assert_int_equal(metlog_close(m, 300, &c), -1);
	assert_int_equal(c.taken, taken);
	assert_int_equal(c.sent + c.unsent, taken);
	char *got = place_read(fd);
	assert_true(count_in(got, "\"test\"") >= c.sent); /* what it takes later was not known to be taken */
	assert_true(c.unsent > 0);
	free(got);
}

static void a_close_gives_up_a_full_pipe_on_standard_output(void **state)
{
	struct metlog_counts c;
	int pipes[2], standard = dup(STDOUT_FILENO);
	(void)state;
	char text[10000];
	unsigned taken = 0;
	memset(text, 'x', sizeof text - 1), text[sizeof text - 1] = '\0';
	fflush(stdout);
	assert_int_equal(pipe(pipes), 0);
	dup2(pipes[1], STDOUT_FILENO);
	struct metlog *m = metlog_open("-", NULL, NULL);
	for (int i = 0; i < 100; i++) taken += say(m, text) == METLOG_TAKEN;
	int result = metlog_close(m, 300, &c);
	dup2(standard, STDOUT_FILENO);
	close(pipes[1]);
	close(standard);
	assert_int_equal(result, -1);
	assert_int_equal(taken, 100);
	assert_int_equal(c.sent + c.unsent, 100);
	char *got = place_read(pipes[0]);
	assert_int_equal(count_in(got, "\"test\""), c.sent + (got[strlen(got) - 1] != '\n')); /* a line may be cut */
	free(got);
}

static void a_reader_that_goes_does_not_end_the_process(void **state)
{
	int pipes[2], standard = dup(STDOUT_FILENO);
	(void)state;
	signal(SIGPIPE, SIG_DFL);
	fflush(stdout);
	assert_int_equal(pipe(pipes), 0);
	dup2(pipes[1], STDOUT_FILENO);
	struct metlog *m = metlog_open("-", NULL, NULL);
	close(pipes[0]);
	close(pipes[1]);
	say(m, "x");
	int flushed = metlog_flush(m, 200);
	struct metlog_counts c;
	int closed = metlog_close(m, 200, &c);
	dup2(standard, STDOUT_FILENO);
	close(standard);
	assert_int_equal(flushed, -1);
	assert_int_equal(closed, -1);
	assert_int_equal(c.unsent, 1);
}

static void a_close_leaves_a_system_call_that_hangs(void **state)
{
	struct place *p = *state;
	struct metlog_counts c;
	struct metlog *m = metlog_open(p->to_file, NULL, NULL);
	unsigned threads = entries("/proc/self/task");
	atomic_store(&hangs, true);
	say(m, "x");
	while (!atomic_load(&is_hanging)) say(m, "x");
	assert_int_equal(metlog_close(m, 50, &c), -1);
	assert_int_equal(c.sent, 0);
	assert_int_equal(c.unsent, c.taken);
	atomic_store(&hangs, false);
	while (entries("/proc/self/task") >= threads) nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL); /* once it comes back, its thread cleans up */
}

/* --- callers that wait ------------------------------------------------------------------------------ */

struct waiter {
	pthread_t thread;
	struct metlog *client;
	enum metlog_result result;
	_Atomic int id;
	_Atomic unsigned taken;
};

static void *wait_for_room(void *argument)
{
	struct waiter *w = argument;
	w->id = gettid();
	while ((w->result = say(w->client, "a text of some length, so that it is full soon")) == METLOG_TAKEN) w->taken++;
	return NULL;
}

static void a_close_ends_the_wait_for_room(void **state)
{
	struct place *p = *state;
	struct metlog_counts c;
	struct waiter waiters[4];
	METLOG_OPTIONS(o);
	o.when_full = METLOG_BLOCK;
	o.buffer_bytes = 4096;
	o.threads = 2;
	struct metlog *m = metlog_open(p->to_socket, &o, NULL);
	for (int i = 0; i < 4; i++) {
		waiters[i] = (struct waiter){ .client = m };
		assert_int_equal(pthread_create(&waiters[i].thread, NULL, wait_for_room, &waiters[i]), 0);
	}
	for (int i = 0; i < 4; i++) /* two have buffers of their own, two share one */
		while (!is_asleep(waiters[i].id)) nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	metlog_close(m, 100, &c);
	unsigned taken = 0;
	for (int i = 0; i < 4; i++) {
		pthread_join(waiters[i].thread, NULL);
		assert_int_equal(waiters[i].result, METLOG_CLOSED);
		taken += waiters[i].taken;
	}
	assert_int_equal(c.taken, taken);
	assert_int_equal(c.unsent, taken);
	assert_int_equal(c.dropped, 0);
}

/* --- nothing is left ---------------------------------------------------------------------------------- */

static long mapped_pages(void)
{
	long size, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	assert_int_equal(fscanf(f, "%ld %ld", &size, &resident), 2);
	fclose(f);
	return size;
}

static void opening_and_closing_leaves_nothing_behind(void **state)
{
	struct place *p = *state;
	enum { TIMES = 3000 };
	unsigned descriptors = 0, threads = 0;
	long pages = 0;
	for (int i = 0; i < TIMES; i++) {
		struct metlog *m = metlog_open(p->to_file, NULL, NULL);
		assert_non_null(m);
		assert_int_equal(say(m, "x"), METLOG_TAKEN);
		assert_int_equal(metlog_close(m, 60000, NULL), 0);
		if (i == 100) descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task"), pages = mapped_pages();
	}
	assert_int_equal(entries("/proc/self/fd"), descriptors);
	assert_int_equal(entries("/proc/self/task"), threads);
	assert_true(mapped_pages() - pages < 5000); /* one client left behind each time would be a hundred times as much */
	char *got = place_text(p);
	assert_int_equal(count_in(got, "\n"), TIMES);
	free(got);
}

static void a_client_that_could_not_be_opened_leaves_nothing_behind(void **state)
{
	(void)state;
	unsigned descriptors = 0, threads = 0;
	for (int i = 0; i < 200; i++) {
		assert_null(metlog_open("file:/nowhere/at/all", NULL, NULL));
		assert_null(metlog_open("push:tcp://192.0.2.1:1", NULL, NULL));
		if (i == 0) descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task");
	}
	assert_int_equal(entries("/proc/self/fd"), descriptors);
	assert_int_equal(entries("/proc/self/task"), threads);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_close_gives_up_a_far_side_that_was_never_there, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_close_of_nothing_waits_for_nobody, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_close_gives_up_a_far_side_that_does_not_read, place_setup, place_teardown),
		cmocka_unit_test(a_close_gives_up_a_full_pipe_on_standard_output),
		cmocka_unit_test(a_reader_that_goes_does_not_end_the_process),
		cmocka_unit_test_setup_teardown(a_close_leaves_a_system_call_that_hangs, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_close_ends_the_wait_for_room, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(opening_and_closing_leaves_nothing_behind, place_setup, place_teardown),
		cmocka_unit_test(a_client_that_could_not_be_opened_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
