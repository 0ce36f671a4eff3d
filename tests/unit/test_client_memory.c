/* test_client_memory - once it is open, a client allocates nothing in the threads that call it; and its own memory stays where it was. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "client/metlog.h"
#include "place_fixture.h"

/* The linker leads each call of these here, of the library's as well as the test's; what the C library allocates for itself (the stack of a thread, say) is none of the client's. */
static _Thread_local unsigned long allocations;
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	allocations++;
	return __real_malloc(size);
}
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
	allocations++;
	return __real_calloc(count, size);
}
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
	allocations++;
	return __real_realloc(old, size);
}
void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
	allocations += memory != NULL;
	__real_free(memory);
}
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	allocations++;
	return __real_aligned_alloc(alignment, size);
}

static char long_text[100000];

/* One of each call, each first of its kind in this thread. */
static void call_all(struct metlog *m)
{
	metlog_send(m, "test", METLOG_NOTICE, "text", METLOG_FIELDS(metlog_field_int("n", 1), metlog_field_double("d", 0.1), metlog_field_json("j", "{\"a\":[1,2]}"), metlog_tag("t", "v")));
	metlog_count(m, "login", 1, 1, METLOG_NONE);
	metlog_count(m, "login", 1, 0.5, METLOG_NONE);
	metlog_timing(m, "query", 12.5, 1, METLOG_NONE);
	metlog_gauge(m, "load", 1e300, METLOG_NONE);
	metlog_set(m, "users", "ann", METLOG_NONE);
	struct metlog_timer timer = metlog_timer_begin(m, "block", 1);
	metlog_timer_end(&timer, METLOG_NONE);
	timer = metlog_timer_begin(m, "off", 1);
	metlog_timer_end(&timer, METLOG_NONE);
	metlog_info(m, "%d items of %s", 3, "the shop");
	metlog_info(m, "%s", long_text);
	metlog_send(m, "test", 9, "", METLOG_NONE);
	struct metlog_cef_event event = { .signature = "AuthFail", .name = "Authentication failed", .severity = 5 };
	metlog_cef(m, &event, METLOG_FIELDS(metlog_field_text("suser", "ann")));
	struct metlog_counts c;
	metlog_counts_get(m, &c);
	char reason[100];
	metlog_reason(m, reason, sizeof reason);
}

static void *first_calls(void *client)
{
	unsigned long before = allocations;
	call_all(client);
	return (void *)(allocations - before);
}

static struct place place;

static void calls_allocate_nothing_not_even_the_first_one_of_a_thread(void **state)
{
	void *allocated;
	pthread_t thread;
	(void)state;
	memset(long_text, 'x', sizeof long_text - 1);
	METLOG_OPTIONS(o);
	o.disabled_timers = (const char *const[]){ "off", NULL };
	o.threads = 2;
	struct metlog *m = metlog_open(place.to_file, &o, NULL);
	assert_true(allocations > 0); /* the hook hooks */
	assert_ptr_equal(first_calls(m), NULL);
	for (int i = 0; i < 5; i++) { /* of further threads, too: they share a buffer, or take that of one that has ended */
		assert_int_equal(pthread_create(&thread, NULL, first_calls, m), 0);
		pthread_join(thread, &allocated);
		assert_ptr_equal(allocated, NULL);
	}
	unsigned long before = allocations;
	for (int i = 0; i < 1000; i++) call_all(m);
	assert_int_equal(metlog_flush(m, 60000), 0);
	assert_int_equal(allocations, before);
	metlog_close(m, 60000, NULL);
}

static void a_full_buffer_allocates_nothing(void **state)
{
	struct metlog_counts c;
	(void)state;
	METLOG_OPTIONS(o);
	o.buffer_bytes = 4096;
	struct metlog *m = metlog_open(place.to_socket, &o, NULL);
	unsigned long before = allocations;
	for (int i = 0; i < 1000; i++) call_all(m);
	assert_int_equal(allocations, before);
	metlog_counts_get(m, &c);
	assert_true(c.dropped > 1000);
	metlog_close(m, 0, NULL);
}

static size_t resident_bytes(void)
{
	long size, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	assert_int_equal(fscanf(f, "%ld %ld", &size, &resident), 2);
	fclose(f);
	return (size_t)(resident * sysconf(_SC_PAGESIZE));
}

static void memory_stays_bounded_while_the_far_side_is_away(void **state)
{
	enum { BUFFER = 1 << 20 };
	(void)state;
	METLOG_OPTIONS(o);
	o.buffer_bytes = BUFFER;
	size_t before = resident_bytes();
	struct metlog *m = metlog_open(place.to_socket, &o, NULL);
	size_t open = resident_bytes();
	for (int i = 0; i < 100000; i++) metlog_send(m, "test", 6, "a text of some length, so that it is full soon", METLOG_NONE);
	size_t full = resident_bytes();
	for (int i = 0; i < 100000; i++) metlog_send(m, "test", 6, "a text of some length, so that it is full soon", METLOG_NONE);
	assert_true(open - before < 1 << 20); /* buffers for 64 threads: memory is taken as it is used */
	assert_true(full - open < 2 * BUFFER);
	assert_true(resident_bytes() - full < BUFFER / 2);
	metlog_close(m, 0, NULL);
}

static int setup(void **state)
{
	(void)state;
	place_make(&place);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	place_remove(&place);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(calls_allocate_nothing_not_even_the_first_one_of_a_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_buffer_allocates_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_stays_bounded_while_the_far_side_is_away, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
