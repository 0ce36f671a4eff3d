/* test_client_threads - many threads, short ones, more than there are buffers for, signal handlers, and none that has to wait for another. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>

#include "client/metlog.h"
#include "place_fixture.h"

/* A kernel without membarrier(2); a thread that has the number of one that has ended, and lives from the moment on that somebody has seen that end. The linker leads the client's
 * calls of syscall here. */
static bool has_no_membarrier;
static atomic_int ended;
static atomic_bool is_seen_to_have_ended, has_spoken;
static _Thread_local bool is_its_heir;
long __real_syscall(long number, ...);
long __wrap_syscall(long number, long a, long b, long c);
long __wrap_syscall(long number, long a, long b, long c)
{
	if (has_no_membarrier && number == SYS_membarrier) return errno = ENOSYS, -1;
	if (is_its_heir && number == SYS_gettid) return ended;
	if (!ended || number != SYS_tgkill || b != ended) return __real_syscall(number, a, b, c);
	atomic_store(&is_seen_to_have_ended, true);
	while (!atomic_load(&has_spoken)) sched_yield();
	return errno = ESRCH, -1;
}

/* What a thread does: messages numbered from `first`, until each of them is taken. */
struct speaker {
	pthread_t thread;
	struct metlog *client;
	unsigned first, count;
	uint64_t dropped;
};

static void *speak(void *argument)
{
	struct speaker *s = argument;
	for (unsigned i = 0; i < s->count;) {
		enum metlog_result result = metlog_send(s->client, "test", 6, "", METLOG_FIELDS(metlog_field_uint("n", s->first + i)));
		if (result == METLOG_TAKEN) i++;
		else {
			s->dropped++;
			nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
		}
	}
	return NULL;
}

/* Each number from 0 on is there exactly once. */
static void assert_numbers(const struct place *p, unsigned count)
{
	unsigned char *seen = calloc(count, 1);
	char *text = place_text(p);
	unsigned found = 0;
	for (const char *at = text; (at = find_in(at, "\"fields\":{\"n\":")); found++) {
		unsigned long n = strtoul(at += strlen("\"fields\":{\"n\":"), NULL, 10);
		assert_in_range(n, 0, count - 1);
		assert_int_equal(seen[n]++, 0);
	}
	assert_int_equal(found, count);
	free(text);
	free(seen);
}

static void flood(struct place *p, unsigned threads, unsigned buffers, unsigned each, enum metlog_full when_full)
{
	struct speaker speakers[32];
	struct metlog_counts c;
	uint64_t dropped = 0;
	METLOG_OPTIONS(o);
	o.threads = buffers;
	o.buffer_bytes = 16384;
	o.when_full = when_full;
	struct metlog *m = metlog_open(p->to_file, &o, NULL);
	for (unsigned i = 0; i < threads; i++) {
		speakers[i] = (struct speaker){ .client = m, .first = i * each, .count = each };
		assert_int_equal(pthread_create(&speakers[i].thread, NULL, speak, &speakers[i]), 0);
	}
	for (unsigned i = 0; i < threads; i++) pthread_join(speakers[i].thread, NULL), dropped += speakers[i].dropped;
	metlog_close(m, 60000, &c);
	assert_int_equal(c.taken, threads * each);
	assert_int_equal(c.sent, threads * each);
	assert_int_equal(c.dropped, dropped);
	if (when_full == METLOG_BLOCK) assert_int_equal(dropped, 0);
	assert_numbers(p, threads * each);
}

static void threads_with_buffers_of_their_own_lose_nothing(void **state)
{
	flood(*state, 4, 8, 5000, METLOG_DROP);
}

static void threads_beyond_the_number_of_buffers_share_one_and_lose_nothing(void **state)
{
	flood(*state, 8, 2, 3000, METLOG_DROP);
}

static void who_waits_for_room_loses_nothing(void **state)
{
	flood(*state, 6, 2, 4000, METLOG_BLOCK);
}

/* --- short threads ---------------------------------------------------------------------------- */

static void buffers_of_threads_that_have_ended_serve_others(void **state)
{
	struct place *p = *state;
	enum { ROUNDS = 2500, AT_A_TIME = 4 };
	struct metlog_counts c;
	struct speaker speakers[AT_A_TIME];
	struct metlog *m = metlog_open(p->to_file, NULL, NULL);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < AT_A_TIME; i++) {
			speakers[i] = (struct speaker){ .client = m, .first = round * AT_A_TIME + i, .count = 1 };
			assert_int_equal(pthread_create(&speakers[i].thread, NULL, speak, &speakers[i]), 0);
		}
		for (unsigned i = 0; i < AT_A_TIME; i++) pthread_join(speakers[i].thread, NULL);
	}
	assert_int_equal(metlog_close(m, 60000, &c), 0);
	assert_int_equal(c.sent, ROUNDS * AT_A_TIME);
	assert_numbers(p, ROUNDS * AT_A_TIME);
}

static void *speak_and_end(void *client)
{
	return say(client, "first") == METLOG_TAKEN ? (void *)(intptr_t)gettid() : NULL;
}

static void *inherit_number(void *client)
{
	is_its_heir = true;
	while (!atomic_load(&is_seen_to_have_ended)) sched_yield();
	while (say(client, "heir") == METLOG_TAKEN) {}
	atomic_store(&has_spoken, true);
	return NULL;
}

static void a_thread_that_has_the_number_of_one_that_has_ended_shares_its_buffer_with_nobody(void **state)
{
	struct place *p = *state;
	pthread_t first, heir;
	void *number;
	METLOG_OPTIONS(o);
	o.threads = 1;
	o.buffer_bytes = 4096;
	struct metlog *m = metlog_open(p->to_socket, &o, NULL); /* nobody is there: what is full stays full */
	atomic_store(&is_seen_to_have_ended, false);
	atomic_store(&has_spoken, false);
	assert_int_equal(pthread_create(&first, NULL, speak_and_end, m), 0);
	pthread_join(first, &number);
	assert_non_null(number);
	ended = (int)(intptr_t)number;
	assert_int_equal(pthread_create(&heir, NULL, inherit_number, m), 0);
	assert_int_equal(say(m, "last"), METLOG_TAKEN); /* there is room in the shared one; the heir has filled its own */
	ended = 0;
	pthread_join(heir, NULL);
	metlog_close(m, 0, NULL);
}

/* --- signals ------------------------------------------------------------------------------------ */

static struct metlog *handlers_client;
static atomic_uint handled, handled_taken, handled_dropped, handled_left_out;
static atomic_bool is_over;

static void handle(int number)
{
	(void)number;
	enum metlog_result result = metlog_send(handlers_client, "signal", 6, "", METLOG_NONE);
	atomic_fetch_add(&handled, 1);
	if (metlog_send(handlers_client, "noise", 6, "", METLOG_NONE) == METLOG_LEFT_OUT) atomic_fetch_add(&handled_left_out, 1);
	atomic_fetch_add(result == METLOG_TAKEN ? &handled_taken : &handled_dropped, 1);
}

static void *shoot(void *target)
{
	while (!atomic_load(&is_over)) {
		pthread_kill(*(pthread_t *)target, SIGUSR1);
		nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
	}
	return NULL;
}

static void a_signal_handler_may_log_whatever_it_interrupts(void **state)
{
	struct place *p = *state;
	struct metlog_counts c;
	pthread_t self = pthread_self(), shooter;
	uint64_t calls = 0, dropped = 0, left_out = 0;
	METLOG_OPTIONS(o);
	o.types_denied = (const char *const[]){ "noise", NULL };
	handlers_client = metlog_open(p->to_file, &o, NULL);
	atomic_store(&is_over, false);
	handled = handled_taken = handled_dropped = handled_left_out = 0;
	signal(SIGUSR1, handle);
	assert_int_equal(pthread_create(&shooter, NULL, shoot, &self), 0);
	while (calls < 200000 || atomic_load(&handled) < 200) {
		calls++;
		if (calls % 3 == 0) left_out += metlog_send(handlers_client, "noise", 6, "", METLOG_NONE) == METLOG_LEFT_OUT;
		else dropped += metlog_send(handlers_client, "test", 6, "", METLOG_NONE) == METLOG_DROPPED;
	}
	atomic_store(&is_over, true);
	pthread_join(shooter, NULL);
	metlog_close(handlers_client, 60000, &c);
	assert_int_equal(c.taken + c.left_out + c.dropped, calls + 2 * handled);
	assert_int_equal(c.left_out, left_out + handled_left_out);
	assert_int_equal(handled_left_out, handled);
	assert_int_equal(c.dropped, dropped + handled_dropped);
	assert_int_equal(c.sent, c.taken);
	char *text = place_text(p);
	assert_int_equal(count_in(text, "\"type\":\"signal\""), handled_taken);
	assert_int_equal(count_in(text, "\"type\":\"test\""), c.taken - handled_taken);
	assert_int_equal(drops_reported(text), c.dropped);
	free(text);
}

/* --- nothing to do --------------------------------------------------------------------------------- */

/* How often the sender's thread has gone to sleep so far; 0: it has not yet. */
static unsigned long sleeps(void)
{
	char path[300], line[100];
	unsigned long count = 0;
	DIR *dir = opendir("/proc/self/task");
	for (struct dirent *entry; (entry = readdir(dir));) {
		bool is_sender = false;
		snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
		FILE *f = fopen(path, "re");
		while (f && fgets(line, sizeof line, f)) {
			if (!strcmp(line, "Name:\tmetlog\n")) is_sender = true;
			if (is_sender) sscanf(line, "voluntary_ctxt_switches: %lu", &count);
		}
		if (f) fclose(f);
	}
	closedir(dir);
	return count;
}

static void pause_ms(long milliseconds)
{
	nanosleep(&(struct timespec){ .tv_nsec = milliseconds * 1000000 }, NULL);
}

static void a_client_with_nothing_to_do_sleeps_and_each_message_wakes_it(void **state)
{
	struct place *p = *state;
	struct metlog *m = metlog_open(p->to_file, NULL, NULL);
	struct stat status;
	for (off_t length = 0, round = 0; round < 3; round++) {
		assert_int_equal(metlog_send(m, "test", 6, "", METLOG_NONE), METLOG_TAKEN);
		do pause_ms(1); /* until it is there: no call but the message has been made */
		while (stat(p->file, &status) < 0 || status.st_size == length);
		length = status.st_size;
		bool is_quiet = false; /* it looks again for a while; and where there is much to do, it may be a while until it does */
		for (int tries = 0; !is_quiet && tries < 200; tries++) {
			unsigned long before = sleeps();
			pause_ms(300);
			is_quiet = before && sleeps() == before;
		}
		assert_true(is_quiet);
	}
	assert_int_equal(metlog_close(m, 60000, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(threads_with_buffers_of_their_own_lose_nothing, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(threads_beyond_the_number_of_buffers_share_one_and_lose_nothing, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(who_waits_for_room_loses_nothing, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(buffers_of_threads_that_have_ended_serve_others, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_thread_that_has_the_number_of_one_that_has_ended_shares_its_buffer_with_nobody, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_signal_handler_may_log_whatever_it_interrupts, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_client_with_nothing_to_do_sleeps_and_each_message_wakes_it, place_setup, place_teardown),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	has_no_membarrier = true;
	return failed | cmocka_run_group_tests_name("without membarrier", tests, NULL, NULL);
}
