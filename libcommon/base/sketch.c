/* sketch - adds values and unites sets, whatever form each has. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/sketch.h"

#include <stdlib.h>

#include "base/sketch_private.h"

const char SKETCH_NO_MEMORY[] = "no memory";

uint64_t sketch_hash(struct span value)
{
	const uint64_t m = 0xc6a4a7935bd1e995;
	uint64_t h = 0xadc83b19 ^ (value.length * m), k;
	const char *p = value.data;
	size_t left = value.length;
	for (; left >= 8; p += 8, left -= 8) {
		memcpy(&k, p, 8);
		k = le64toh(k) * m;
		k ^= k >> 47;
		h = (h ^ (k * m)) * m;
	}
	if (left) {
		k = 0;
		memcpy(&k, p, left);
		h = (h ^ le64toh(k)) * m;
	}
	h ^= h >> 47;
	h *= m;
	return h ^ (h >> 47);
}

void sketch_release(struct sketch *s)
{
	free(s->data);
	*s = (struct sketch){ 0 };
}

bool sketch_raise(struct sketch *s, uint32_t index, uint32_t rank)
{
	if (s->form == SKETCH_SPARSE) return sketch_sparse_raise(s, index, rank);
	sketch_dense_raise(s->data + SKETCH_HEADER, index, rank);
	return true;
}

bool sketch_add(struct sketch *s, uint64_t hash)
{
	if (s->form == SKETCH_SMALL) return sketch_small_add(s, hash);
	return sketch_raise(s, sketch_index(hash), sketch_rank(hash));
}

void sketch_fetch(const struct sketch *s, uint64_t hash)
{
	__builtin_prefetch(s->form == SKETCH_DENSE_FORM ? s->data + SKETCH_HEADER + sketch_index(hash) * 6 / 8 : s->data, 1);
}

bool sketch_dense_new(struct sketch *empty)
{
	size_t capacity = sketch_room(SKETCH_DENSE + 1);
	uint8_t *data = calloc(1, capacity);
	if (!data) return false;
	memcpy(data, "HYLL", 4);
	data[SKETCH_HEADER - 1] = 0x80;
	*empty = (struct sketch){ data, SKETCH_DENSE, (uint16_t)capacity, SKETCH_DENSE_FORM };
	return true;
}

bool sketch_to_dense(struct sketch *s)
{
	struct sketch dense;
	if (s->form == SKETCH_DENSE_FORM) return true;
	if (!sketch_dense_new(&dense)) return false;
	const uint8_t *p = sketch_value(s), *end = p + s->length;
	memcpy(dense.data + SKETCH_CACHE, p + SKETCH_CACHE, SKETCH_HEADER - SKETCH_CACHE);
	uint32_t index = 0;
	for (p += SKETCH_HEADER; p < end;) {
		struct sketch_run run = sketch_run(p);
		p += run.bytes;
		for (uint32_t i = 0; run.value && i < run.registers; i++) sketch_dense_raise(dense.data + SKETCH_HEADER, index + i, run.value);
		index += run.registers;
	}
	sketch_release(s);
	*s = dense;
	return true;
}

static bool add_entries(struct sketch *into, const struct sketch *small)
{
	if (into->length == 0 && into->form == SKETCH_SMALL) return sketch_small_copy(into, small);
	for (size_t i = 0, count = small->length / SKETCH_ENTRY; i < count; i++) {
		if (!sketch_add(into, sketch_small_entry(small, i))) return false;
	}
	return true;
}

/* `into` becomes what it must be before registers are set in it. */
static bool become_registers(struct sketch *into, bool dense)
{
	if (into->form == SKETCH_SMALL) {
		struct sketch promoted = { 0 };
		if (!sketch_promote(&promoted, into)) return false;
		sketch_release(into);
		*into = promoted;
	}
	return !dense || sketch_to_dense(into);
}

/* Dense registers are all set at once; sparse ones in their order, as PFMERGE does, for their bytes depend on it. */
static bool raise_all(struct sketch *into, uint8_t registers[SKETCH_REGISTERS])
{
	if (into->form == SKETCH_DENSE_FORM) {
		sketch_registers(registers, into);
		sketch_dense_set(into->data + SKETCH_HEADER, registers);
		return true;
	}
	for (uint32_t i = 0; i < SKETCH_REGISTERS; i++) {
		if (registers[i] && !sketch_raise(into, i, registers[i])) return false;
	}
	return true;
}

bool sketch_merge_all(struct sketch *into, const struct sketch from[], size_t count)
{
	uint8_t registers[SKETCH_REGISTERS];
	bool any = false, dense = false;
	for (size_t i = 0; i < count; i++) {
		if (from[i].form == SKETCH_SMALL) continue;
		if (!any) memset(registers, 0, sizeof registers);
		any = true;
		dense = dense || from[i].form == SKETCH_DENSE_FORM;
		sketch_registers(registers, &from[i]);
	}
	if (any && (!become_registers(into, dense) || !raise_all(into, registers))) return false;
	for (size_t i = 0; i < count; i++) {
		if (from[i].form == SKETCH_SMALL && !add_entries(into, &from[i])) return false;
	}
	return true;
}

bool sketch_merge(struct sketch *into, const struct sketch *from)
{
	return sketch_merge_all(into, from, 1);
}
