/* table - open addressing with linear probing over numbers of entries; entries, values and keys stand in three arrays. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/table.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#define XXH_INLINE_ALL /* no shared library to load for one function: a tenth of the start of a filter */
#include <xxhash.h>

/* A slot tells most keys apart by itself: half of the hash stands in it, the other half chose its place. */
struct table_slot {
	uint32_t number; /* of the entry, + 1; 0: free */
	uint32_t tag;
};

struct table_entry {
	uint64_t hash;
	size_t key;      /* offset in the arena; it ends where the next one begins */
};

static uint64_t draw_seed(void)
{
	uint64_t seed;
	if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed) return seed;
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return ((uint64_t)now.tv_nsec << 32) ^ (uint64_t)now.tv_sec ^ (uint64_t)(uintptr_t)&seed;
}

void table_init(struct table *t, size_t limit_entries, size_t limit_key_bytes, size_t value_size)
{
	/* A slot holds a number of 32 bits, and 0 means that it is free. */
	if (limit_entries > UINT32_MAX / 4) limit_entries = UINT32_MAX / 4;
	*t = (struct table){ .limit = limit_entries, .value_size = value_size, .seed = draw_seed() };
	buffer_init(&t->keys, limit_key_bytes);
}

void table_release(struct table *t)
{
	free(t->slots);
	free(t->entries);
	free(t->values);
	buffer_release(&t->keys);
	t->slots = NULL;
	t->entries = NULL;
	t->values = NULL;
	t->count = t->capacity = t->slot_count = 0;
}

void table_clear(struct table *t)
{
	if (t->slots) memset(t->slots, 0, t->slot_count * sizeof *t->slots);
	buffer_clear(&t->keys);
	t->count = 0;
}

struct span table_key(const struct table *t, size_t i)
{
	size_t start = t->entries[i].key, end = i + 1 < t->count ? t->entries[i + 1].key : t->keys.length;
	return (struct span){ t->keys.length ? t->keys.data + start : "", end - start }; /* an empty key alone has no memory */
}

void *table_value(const struct table *t, size_t i)
{
	return t->values + i * t->value_size;
}

uint64_t table_hash(const struct table *t, struct span key)
{
	return XXH3_64bits_withSeed(key.data, key.length, t->seed);
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

/* The slot where the key stands, or the free one where it would. There is always a free slot. */
static struct table_slot *probe(const struct table *t, struct span key, uint64_t hash)
{
	size_t mask = t->slot_count - 1, at = (size_t)hash & mask;
	for (; t->slots[at].number; at = (at + 1) & mask) {
		size_t i = t->slots[at].number - 1;
		if (t->slots[at].tag != tag_of(hash)) continue;
		if (span_equal(table_key(t, i), key)) break;
	}
	return &t->slots[at];
}

void table_fetch_slot(const struct table *t, uint64_t hash)
{
	if (t->slot_count) __builtin_prefetch(&t->slots[(size_t)hash & (t->slot_count - 1)]);
}

size_t table_fetch_entry(const struct table *t, uint64_t hash)
{
	size_t mask = t->slot_count - 1, at = (size_t)hash & mask;
	if (!t->slot_count) return TABLE_NONE;
	for (; t->slots[at].number; at = (at + 1) & mask) {
		size_t i = t->slots[at].number - 1;
		if (t->slots[at].tag != tag_of(hash)) continue;
		__builtin_prefetch(&t->entries[i]);
		__builtin_prefetch(table_value(t, i), 1);
		return i;
	}
	return TABLE_NONE;
}

void table_fetch_key(const struct table *t, size_t i)
{
	__builtin_prefetch(t->keys.data + t->entries[i].key);
}

void *table_find(const struct table *t, struct span key)
{
	if (t->count == 0) return NULL;
	const struct table_slot *slot = probe(t, key, table_hash(t, key));
	return slot->number ? table_value(t, slot->number - 1) : NULL;
}

enum { SLOTS_FIRST = 64 };

static bool is_half_full(const struct table *t)
{
	return (t->count + 1) * 2 > t->slot_count;
}

uint64_t table_memory(const struct table *t)
{
	return t->count * (sizeof *t->entries + t->value_size) + t->keys.length + t->slot_count * sizeof *t->slots;
}

uint64_t table_growth(const struct table *t, size_t key_length)
{
	size_t slots = !is_half_full(t) ? 0 : t->slot_count ? t->slot_count * 2 : SLOTS_FIRST;
	return sizeof *t->entries + t->value_size + key_length + slots * sizeof *t->slots;
}

static bool grow_slots(struct table *t)
{
	size_t slot_count = t->slot_count ? t->slot_count * 2 : SLOTS_FIRST;
	struct table_slot *slots = calloc(slot_count, sizeof *slots);
	if (!slots) return false;
	for (size_t i = 0; i < t->count; i++) {
		uint64_t hash = t->entries[i].hash;
		size_t at = (size_t)hash & (slot_count - 1);
		while (slots[at].number) at = (at + 1) & (slot_count - 1);
		slots[at] = (struct table_slot){ (uint32_t)(i + 1), tag_of(hash) };
	}
	free(t->slots);
	t->slots = slots;
	t->slot_count = slot_count;
	return true;
}

static bool grow_entries(struct table *t)
{
	size_t capacity = t->capacity ? t->capacity * 2 : 32;
	if (capacity > t->limit) capacity = t->limit;
	struct table_entry *entries = realloc(t->entries, capacity * sizeof *entries);
	if (!entries) return false;
	t->entries = entries;
	char *values = realloc(t->values, capacity * t->value_size + 1);
	if (!values) return false;
	t->values = values;
	t->capacity = capacity;
	return true;
}

void *table_put(struct table *t, struct span key, bool *fresh)
{
	uint64_t hash = table_hash(t, key);
	*fresh = false;
	if (t->slot_count) {
		const struct table_slot *slot = probe(t, key, hash);
		if (slot->number) return table_value(t, slot->number - 1);
	}
	if (t->count == t->limit) return NULL;
	/* At most half full: probes stay short. */
	if (is_half_full(t) && !grow_slots(t)) return NULL;
	if (t->count == t->capacity && !grow_entries(t)) return NULL;
	size_t offset = t->keys.length;
	if (!buffer_append_span(&t->keys, key)) {
		t->keys.failed = false;
		return NULL;
	}
	*probe(t, key, hash) = (struct table_slot){ (uint32_t)(t->count + 1), tag_of(hash) };
	t->entries[t->count] = (struct table_entry){ hash, offset };
	void *value = table_value(t, t->count++);
	memset(value, 0, t->value_size);
	*fresh = true;
	return value;
}
