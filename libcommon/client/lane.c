/* lane - the buffers of a client: one for each thread that calls, and one with a lock that all further threads share. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/lane.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A kernel that does not know WIPEONFORK refuses it, as it does this, which is none. An emulator that takes any advice and follows none must not be believed. */
enum { NO_ADVICE = -1 };

static size_t page_bytes(void)
{
	long size = sysconf(_SC_PAGESIZE);
	return size > 0 ? (size_t)size : 4096;
}

static size_t whole_pages(size_t bytes, size_t page)
{
	return (bytes + page - 1) / page * page;
}

/* For each lane its ring and its scratch; in front of them the page with the words. */
static bool map_memory(struct lanes *l, struct fault *fault)
{
	size_t page = page_bytes(), each = l->buffer_bytes + whole_pages(l->scratch_bytes, page);
	if (each < l->buffer_bytes || (SIZE_MAX / 2 - page) / each < l->count + 1)
		return fault_set(fault, EXIT_SYSTEM, "cannot map buffers of %zu bytes for %u threads: they are beyond any memory", l->buffer_bytes, l->count);
	l->memory_bytes = page + each * (l->count + 1);
	void *memory = mmap(NULL, l->memory_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED) return fault_set_errno(fault, EXIT_SYSTEM, "cannot map buffers of %zu bytes for %u threads", l->buffer_bytes, l->count);
	madvise(memory, l->memory_bytes, MADV_NOHUGEPAGE); /* a page of 2 MiB would be cleared in a thread's first call, for a few hundred bytes */
	l->wipes = madvise(memory, l->memory_bytes, MADV_WIPEONFORK) == 0 && madvise(memory, page, NO_ADVICE) != 0;
	l->memory = memory;
	l->wiped = memory;
	return true;
}

static void place_lanes(struct lanes *l)
{
	size_t page = page_bytes(), each = l->buffer_bytes + whole_pages(l->scratch_bytes, page);
	for (unsigned i = 0; i <= l->count; i++) {
		struct lane *lane = &l->list[i];
		char *at = l->memory + page + each * i;
		memset(lane, 0, sizeof *lane);
		ring_init(&lane->ring, at, l->buffer_bytes);
		lane->scratch = at + l->buffer_bytes;
		lane->is_shared = i == l->count;
		if (i < l->count) atomic_store_explicit(&l->owners[i], 0, memory_order_relaxed);
	}
	atomic_store_explicit(&l->used, 0, memory_order_relaxed);
	pthread_mutex_init(&l->lock, NULL);
	pthread_mutex_init(&l->scratch_lock, NULL);
}

bool lanes_init(struct lanes *l, unsigned count, size_t buffer_bytes, size_t scratch_bytes, struct fault *fault)
{
	*l = (struct lanes){ .count = count, .buffer_bytes = buffer_bytes, .scratch_bytes = scratch_bytes };
	l->list = aligned_alloc(_Alignof(struct lane), sizeof *l->list * (count + 1));
	l->owners = calloc(count, sizeof *l->owners);
	if (!l->list || !l->owners) fault_set(fault, EXIT_SYSTEM, "no memory for %u threads", count);
	else if (map_memory(l, fault)) return place_lanes(l), true;
	free(l->list);
	free((void *)l->owners);
	return false;
}

void lanes_release(struct lanes *l)
{
	munmap(l->memory, l->memory_bytes);
	pthread_mutex_destroy(&l->lock);
	pthread_mutex_destroy(&l->scratch_lock);
	free((void *)l->owners);
	free(l->list);
}

void lanes_reset(struct lanes *l)
{
	size_t page = page_bytes();
	if (!l->wipes) madvise(l->memory + page, l->memory_bytes - page, MADV_DONTNEED);
	place_lanes(l);
}

/* --- whose is which ---------------------------------------------------------------- */

/* A thread's number says nothing about when: one that has ended may be seen to have ended, and its number have a new thread that takes this lane, before that is acted on. */
static bool take(struct lanes *l, unsigned i, uint64_t from, uint32_t to)
{
	uint64_t changes = (from >> 32) + 1;
	return atomic_compare_exchange_strong(&l->owners[i], &from, changes << 32 | to);
}

static uint64_t owner(const struct lanes *l, unsigned i)
{
	return atomic_load_explicit(&l->owners[i], memory_order_acquire);
}

/* The thread that had the lane before has ended, and left no word of that but its last line: what it wrote comes before what is written now. */
static struct lane *take_over(struct lane *lane)
{
	(void)ring_mark(&lane->ring);
	return lane;
}

/* Before the first line of the lane: who looks into all lanes used must look into this one. */
static struct lane *book_used(struct lanes *l, unsigned i)
{
	unsigned used = atomic_load(&l->used);
	while (used <= i && !atomic_compare_exchange_weak(&l->used, &used, i + 1)) {}
	return take_over(&l->list[i]);
}

static bool free_lanes_of_the_dead(struct lanes *l)
{
	bool found = false;
	int process = getpid();
	for (unsigned i = 0; i < l->count; i++) {
		uint64_t now = owner(l, i);
		uint32_t thread = (uint32_t)now;
		if (!thread) found = true;
		else if (syscall(SYS_tgkill, process, thread, 0) < 0 && errno == ESRCH && take(l, i, now, 0)) found = true;
	}
	return found;
}

struct lane *lanes_claim(struct lanes *l)
{
	uint32_t self = (uint32_t)syscall(SYS_gettid);
	unsigned used = atomic_load(&l->used);
	uint64_t now;
	/* A thread that uses more clients than it remembers has one already; so may one that has the number of a thread that has ended. */
	for (unsigned i = 0; i < used; i++)
		if ((uint32_t)(now = owner(l, i)) == self && take(l, i, now, self)) return take_over(&l->list[i]);
	do {
		for (unsigned i = 0; i < l->count; i++)
			if (!(uint32_t)(now = owner(l, i)) && take(l, i, now, self)) return book_used(l, i);
	} while (free_lanes_of_the_dead(l));
	return lanes_shared(l);
}

/* --- all of them ------------------------------------------------------------------------ */

struct lane *lanes_next(const struct lanes *l, unsigned *at)
{
	/* The shared one first: others may come to be used meanwhile, and none is to be passed over. */
	unsigned i = (*at)++;
	if (i == 0) return lanes_shared(l);
	return i <= atomic_load(&l->used) ? &l->list[i - 1] : NULL;
}

struct lane_sums lanes_sum(const struct lanes *l)
{
	struct lane_sums sums = { 0 };
	unsigned at = 0;
	for (const struct lane *lane; (lane = lanes_next(l, &at));) {
		const struct lane_counts *c = &lane->counts;
		sums.taken += atomic_load_explicit(&c->taken, memory_order_relaxed);
		sums.left_out += atomic_load_explicit(&c->left_out, memory_order_relaxed);
		sums.dropped += atomic_load_explicit(&c->dropped, memory_order_relaxed);
		sums.refused += atomic_load_explicit(&c->refused, memory_order_relaxed);
	}
	return sums;
}
