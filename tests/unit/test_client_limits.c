/* test_client_limits - a process without threads or descriptors to spare, names that nobody knows, and threads that are cancelled amid a call. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client/metlog.h"
#include "place_fixture.h"

static void wait_ms(long milliseconds)
{
	nanosleep(&(struct timespec){ .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000 }, NULL);
}

/* --- limits ---------------------------------------------------------------------------------- */

/* What a process of its own exits with: 0, or what `attempt` has made of it. */
static int in_child(int (*attempt)(int), int argument)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		close(STDERR_FILENO); /* libzmq's last words */
		alarm(60);
		_exit(attempt(argument));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Everything in its place, and a message that nobody takes: the same whether there is a client or, as there is no room, none. */
static int use_client(struct metlog *m, const struct metlog_fault *fault)
{
	struct metlog_counts c;
	if (!m) return fault->status == 71 && strstr(fault->text, "ZeroMQ") ? 0 : 2;
	metlog_count(m, "login", 1, 1, METLOG_NONE);
	metlog_flush(m, 200);
	return metlog_close(m, 100, &c) == -1 && c.taken == 1 && c.unsent == 1 ? 0 : 3;
}

static int with_descriptors(int spare)
{
	struct metlog_fault fault;
	struct rlimit limit = { 64, 64 };
	int first = -1, fd;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return 4;
	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		if (first < 0) first = fd;
	for (int i = 0; i < spare; i++) close(first + i);
	return use_client(metlog_open("push:tcp://127.0.0.1:9", NULL, &fault), &fault);
}

static void without_descriptors_there_is_no_client_and_the_process_goes_on(void **state)
{
	(void)state;
	for (int spare = 0; spare <= 20; spare++) assert_int_equal(in_child(with_descriptors, spare), 0);
}

static int with_threads(int threads)
{
	struct metlog_fault fault;
	struct rlimit limit = { (rlim_t)threads, (rlim_t)threads };
	uid_t nobody = 54321; /* whose threads are counted; root's are not */
	if (geteuid() == 0 && setresuid(nobody, nobody, nobody) < 0) return 4;
	if (setrlimit(RLIMIT_NPROC, &limit) < 0) return 4;
	return use_client(metlog_open("push:tcp://127.0.0.1:9", NULL, &fault), &fault);
}

static bool is_untouched(int fd)
{
	char text[8];
	return lseek(fd, 0, SEEK_CUR) == 0 && read(fd, text, sizeof text) == 4 && memcmp(text, "mine", 4) == 0;
}

/* As a program does that makes a daemon of itself in its own way, and then opens what it needs. */
static int with_descriptors_taken(int unused)
{
	enum { FILES = 24 };
	struct metlog_counts c;
	(void)unused;
	struct metlog *m = metlog_open("unix:/nonexistent/socket", NULL, NULL);
	if (!m) return 2;
	for (int fd = 3; fd < 64; fd++) close(fd);
	int files[FILES];
	for (int i = 0; i < FILES; i++) {
		FILE *file = tmpfile();
		if (!file || fputs("mine", file) == EOF || fflush(file) || (files[i] = fileno(file)) < 0 || lseek(files[i], 0, SEEK_SET) != 0) return 3;
	}
	metlog_count(m, "login", 1, 1, METLOG_NONE);
	metlog_flush(m, 200);
	int result = metlog_close(m, 100, &c) == -1 && c.taken == 1 && c.unsent == 1 ? 0 : 4;
	for (int i = 0; i < FILES; i++)
		if (!is_untouched(files[i])) return 5;
	return result;
}

static void files_that_took_the_numbers_of_closed_descriptors_are_left_alone(void **state)
{
	(void)state;
	assert_int_equal(in_child(with_descriptors_taken, 0), 0);
}

static void without_threads_there_is_no_client_and_the_process_goes_on(void **state)
{
	(void)state;
	for (int threads = 1; threads <= 8; threads++) assert_int_equal(in_child(with_threads, threads), 0);
}

/* --- names ------------------------------------------------------------------------------------ */

static atomic_bool is_name_known, is_name_asked_for, is_waited_for;

/* In the place of the C library's, for libzmq too. */
int getaddrinfo(const char *restrict host, const char *restrict service, const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
	(void)host, (void)service, (void)hints, (void)list;
	atomic_store(&is_name_asked_for, true);
	for (int i = 0; i < 4000 && !atomic_load(&is_name_known); i++) wait_ms(5);
	if (!atomic_load(&is_name_known)) atomic_store(&is_waited_for, true);
	return EAI_AGAIN;
}

static void neither_open_nor_close_waits_for_the_name_of_a_host(void **state)
{
	static const char *const endpoints[] = { "push:tcp://collector.invalid:5565", "ack:tcp://collector.invalid:5565", "pub:tcp://collector.invalid:5565", "tcp:collector.invalid:5565", "udp:collector.invalid:5565" };
	struct metlog_counts c;
	METLOG_OPTIONS(o);
	o.insecure = 1;
	(void)state;
	for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
		atomic_store(&is_name_asked_for, false);
		struct metlog *m = metlog_open(endpoints[i], &o, NULL);
		assert_non_null(m);
		metlog_count(m, "login", 1, 1, METLOG_NONE);
		while (!atomic_load(&is_name_asked_for)) wait_ms(5);
		assert_int_equal(metlog_close(m, 100, &c), -1);
		assert_int_equal(c.unsent, 1);
		assert_false(atomic_load(&is_waited_for));
	}
	atomic_store(&is_name_known, true);
}

/* --- cancellation ---------------------------------------------------------------------------- */

/* The cancellation waits already when the call begins. */
static void *call_cancelled(void *client)
{
	int old;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	pthread_cancel(pthread_self());
	pthread_setcancelstate(old, NULL);
	metlog_count(client, "cancelled", 1, 1e-300, METLOG_NONE); /* its first choice by chance */
	metlog_close(metlog_open("file:/dev/null", NULL, NULL), 60000, NULL);
	metlog_send(client, "cancelled", 6, "", METLOG_NONE);
	return NULL;
}

static void a_cancelled_thread_leaves_the_others_their_client(void **state)
{
	struct place *p = *state;
	struct metlog_counts c = { 0 };
	pthread_t thread;
	struct metlog *m = metlog_open(p->to_file, NULL, NULL);
	wait_ms(400); /* until the library's thread sleeps, most likely: only then the call has to wake it */
	assert_int_equal(pthread_create(&thread, NULL, call_cancelled, m), 0);
	pthread_join(thread, NULL);
	metlog_send(m, "other", 6, "", METLOG_NONE);
	for (int i = 0; i < 3000 && c.sent < 2; i++) {
		wait_ms(10);
		metlog_counts_get(m, &c);
	}
	assert_int_equal(c.sent, 2);
	assert_int_equal(c.left_out, 1);
	assert_int_equal(metlog_close(m, 60000, NULL), 0);
}

static void *call_until_closed(void *client)
{
	while (metlog_send(client, "test", 6, "", METLOG_NONE) != METLOG_CLOSED) continue;
	return NULL;
}

static void a_thread_that_is_cancelled_while_it_waits_for_room_holds_up_no_close(void **state)
{
	struct metlog_counts c = { 0 };
	uint64_t before = 1;
	pthread_t thread;
	METLOG_OPTIONS(o);
	o.buffer_bytes = 4096;
	o.when_full = METLOG_BLOCK;
	(void)state;
	struct metlog *m = metlog_open("unix:/nonexistent/socket", &o, NULL);
	assert_int_equal(pthread_create(&thread, NULL, call_until_closed, m), 0);
	while (c.taken != before) { /* until there is no room */
		before = c.taken ? c.taken : 1;
		wait_ms(50);
		metlog_counts_get(m, &c);
	}
	pthread_cancel(thread);
	wait_ms(50);
	alarm(60);
	assert_int_equal(metlog_close(m, 500, &c), -1);
	alarm(0);
	pthread_join(thread, NULL);
	assert_int_equal(c.unsent, c.taken);
}

/* --- nothing to wait for, nothing given --------------------------------------------------------- */

static void a_flush_without_time_tells_that_all_is_handed_over(void **state)
{
	struct place *p = *state;
	struct metlog *m = metlog_open(p->to_file, NULL, NULL);
	metlog_count(m, "login", 1, 1, METLOG_NONE);
	assert_int_equal(metlog_flush(m, 60000), 0);
	for (int i = 0; i < 100; i++) assert_int_equal(metlog_flush(m, 0), 0);
	metlog_close(m, 60000, NULL);
}

static void a_value_that_is_null_becomes_null_of_whatever_kind(void **state)
{
	struct place *p = *state;
	struct metlog *m = metlog_open(p->to_file, NULL, NULL);
	metlog_send(m, "test", 6, NULL, METLOG_FIELDS(metlog_field_text("a", NULL), metlog_field_json("b", NULL), metlog_field_bytes("c", NULL, 3), metlog_field_int(NULL, 4)));
	assert_int_equal(metlog_close(m, 60000, NULL), 0);
	char *text = place_text(p);
	assert_non_null(strstr(text, "\"fields\":{\"a\":null,\"b\":null,\"c\":null,\"\":4}"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_descriptors_there_is_no_client_and_the_process_goes_on),
		cmocka_unit_test(files_that_took_the_numbers_of_closed_descriptors_are_left_alone),
		cmocka_unit_test(without_threads_there_is_no_client_and_the_process_goes_on),
		cmocka_unit_test(neither_open_nor_close_waits_for_the_name_of_a_host),
		cmocka_unit_test_setup_teardown(a_cancelled_thread_leaves_the_others_their_client, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_thread_that_is_cancelled_while_it_waits_for_room_holds_up_no_close, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_flush_without_time_tells_that_all_is_handed_over, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_value_that_is_null_becomes_null_of_whatever_kind, place_setup, place_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
