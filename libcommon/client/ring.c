/* ring - whole lines on their way from one thread to another, without a lock. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/ring.h"

/* No lap has ended early yet: a place that is never reached. */
#define NO_WRAP UINT64_MAX

static uint64_t get(const _Atomic uint64_t *place)
{
	return atomic_load_explicit(place, memory_order_relaxed);
}

static void set(_Atomic uint64_t *place, uint64_t value)
{
	atomic_store_explicit(place, value, memory_order_relaxed);
}

static uint64_t lap_end(const struct ring *r, uint64_t place)
{
	return (place | (r->capacity - 1)) + 1;
}

void ring_init(struct ring *r, char *data, size_t capacity_bytes)
{
	r->data = data;
	r->capacity = capacity_bytes;
	set(&r->tail, 0);
	set(&r->wrap, NO_WRAP);
	set(&r->reserved, 0);
	set(&r->head, 0);
}

/* --- the producer ------------------------------------------------------------------- */

/* Where the oldest byte in use is. A consumer that stands where a lap has ended early has yet to step over the rest of it, of which nothing is in use.
 * Acquired, since what was read before it is about to be overwritten. */
static uint64_t oldest(const struct ring *r)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
	return head == get(&r->wrap) ? lap_end(r, head) : head;
}

char *ring_reserve(struct ring *r, size_t most)
{
	uint64_t at = get(&r->tail), head = oldest(r);
	size_t offset = (size_t)at & (r->capacity - 1);
	bool empty = head == at;
	if (most > r->capacity - offset || (empty && offset)) at = lap_end(r, at);
	if (empty ? most > r->capacity : at + most - head > r->capacity) return NULL;
	set(&r->reserved, at);
	return r->data + (at & (r->capacity - 1));
}

void ring_commit(struct ring *r, size_t length)
{
	uint64_t at = get(&r->reserved), tail = get(&r->tail);
	if (at != tail) set(&r->wrap, tail);
	atomic_store_explicit(&r->tail, at + length, memory_order_release);
}

bool ring_is_half_full(const struct ring *r)
{
	return get(&r->tail) - oldest(r) > r->capacity / 2;
}

/* --- the consumer ------------------------------------------------------------------- */

struct span ring_peek(struct ring *r)
{
	uint64_t head = get(&r->head), tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	if (head == tail) return (struct span){ NULL, 0 };
	/* The tail was published behind the wrap, so a wrap that lies before it is seen here; one that lies behind it, or in a lap before, does not matter. */
	uint64_t wrap = get(&r->wrap), end = lap_end(r, head);
	if (wrap == head) {
		head = end;
		atomic_store_explicit(&r->head, head, memory_order_release);
		end = lap_end(r, head);
		wrap = NO_WRAP; /* the next one is set only after the head is seen in this lap, with a later tail */
	}
	if (wrap - head < end - head) end = wrap;
	if (tail - head < end - head) end = tail;
	return (struct span){ r->data + (head & (r->capacity - 1)), (size_t)(end - head) };
}

void ring_take(struct ring *r, size_t length)
{
	atomic_store_explicit(&r->head, get(&r->head) + length, memory_order_release);
}

/* --- anybody ------------------------------------------------------------------------------- */

uint64_t ring_mark(const struct ring *r)
{
	return atomic_load_explicit(&r->tail, memory_order_acquire);
}

bool ring_is_past(const struct ring *r, uint64_t mark)
{
	return (int64_t)(get(&r->head) - mark) >= 0;
}

bool ring_is_empty(const struct ring *r)
{
	return get(&r->head) == ring_mark(r);
}
