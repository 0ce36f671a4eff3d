/* bench_client_floor - what bounds every client: reading the clock, a copy into a ring, formatting, a system call. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "client_ways.h"

/* The simplest ring there is: slots of one size, one thread that writes and one that reads, which naps where it finds nothing; and it does read, since who writes
 * the same memory again pays for that. */
enum { SLOT = 320, SLOTS = 2048, NAP_NS = 50000 };
struct slots {
	char (*data)[SLOT];
	pthread_t reader;
	_Alignas(64) _Atomic uint64_t tail;
	_Alignas(64) _Atomic uint64_t head;
	_Atomic bool closing;
	int null;
};

static void *slots_read(void *argument)
{
	struct slots *s = argument;
	struct timespec nap = { 0, NAP_NS };
	char out[64 * SLOT];
	for (;;) {
		uint64_t head = atomic_load_explicit(&s->head, memory_order_relaxed), tail = atomic_load_explicit(&s->tail, memory_order_acquire);
		if (head == tail && atomic_load(&s->closing)) return NULL;
		if (head == tail) { nanosleep(&nap, NULL); continue; }
		size_t count = tail - head, until_end = SLOTS - head % SLOTS;
		if (count > until_end) count = until_end;
		for (size_t i = 0; i < count; i++) memcpy(out + i % 64 * SLOT, s->data[(head + i) % SLOTS], SLOT);
		if (write(s->null, out, sizeof out) < 0) abort();
		atomic_store_explicit(&s->head, head + count, memory_order_release);
	}
}

static void *slots_open(const char *where)
{
	(void)where;
	struct slots *s = aligned_alloc(64, sizeof *s);
	if (!s) return NULL;
	memset(s, 0, sizeof *s);
	s->data = malloc((size_t)SLOT * SLOTS);
	s->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return s->data && s->null >= 0 && !pthread_create(&s->reader, NULL, slots_read, s) ? s : NULL;
}

static char *slots_reserve(struct slots *s)
{
	uint64_t tail = atomic_load_explicit(&s->tail, memory_order_relaxed);
	while (tail - atomic_load_explicit(&s->head, memory_order_acquire) == SLOTS) sched_yield();
	return s->data[tail % SLOTS];
}

static void slots_commit(struct slots *s)
{
	atomic_store_explicit(&s->tail, atomic_load_explicit(&s->tail, memory_order_relaxed) + 1, memory_order_release);
}

static void slots_drain(void *state)
{
	struct slots *s = state;
	while (atomic_load(&s->head) != atomic_load(&s->tail)) sched_yield();
}

static void slots_close(void *state)
{
	struct slots *s = state;
	atomic_store(&s->closing, true);
	pthread_join(s->reader, NULL);
	close(s->null);
	free(s->data);
	free(s);
}

static void call_nothing(void *state)
{
	__asm__ volatile("" : : "r"(state) : "memory");
}

static void call_clock(void *state)
{
	(void)state;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	__asm__ volatile("" : : "r"(&now) : "memory");
}

static void call_ring(void *state)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	char *at = slots_reserve(state);
	memcpy(at, BENCH_ENVELOPE, BENCH_ENVELOPE_LENGTH);
	memcpy(at, &now, sizeof now);
	slots_commit(state);
}

static void call_snprintf(void *state)
{
	struct timespec now;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	snprintf(slots_reserve(state), SLOT,
		"{\"type\":\"%s\",\"timestamp\":\"%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ\",\"logger\":\"%s\",\"severity\":%d,\"payload\":\"%d\","
		"\"fields\":{\"name\":\"%s\",\"rate\":%d,\"status\":%d},\"env_version\":\"0.8\",\"metlog_pid\":%d,\"metlog_hostname\":\"%s\"}\n",
		"counter", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, now.tv_nsec / 1000, "sync", 6, 1,
		"request.answer.2xx", 1, 200, 26482, "web1.example.com");
	slots_commit(state);
}

/* --- a file --------------------------------------------------------------------------- */

static void *file_open(const char *where)
{
	int *fd = malloc(sizeof *fd);
	if (!fd) return NULL;
	*fd = open(where ? where : "/dev/null", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (*fd >= 0) return fd;
	perror(where);
	free(fd);
	return NULL;
}

static void call_write(void *state)
{
	if (write(*(int *)state, BENCH_ENVELOPE "\n", BENCH_ENVELOPE_LENGTH + 1) < 0) abort();
}

static void file_close(void *state)
{
	close(*(int *)state);
	free(state);
}

const struct client_way bench_floor[] = {
	{ "nothing", NULL, call_nothing, NULL, NULL },
	{ "clock_gettime", NULL, call_clock, NULL, NULL },
	{ "ring", slots_open, call_ring, slots_drain, slots_close },
	{ "snprintf-ring", slots_open, call_snprintf, slots_drain, slots_close },
	{ "write", file_open, call_write, NULL, file_close },
	{ NULL, NULL, NULL, NULL, NULL }
};
