/* sketch_sparse - a HyperLogLog as runs of equal registers, changed exactly as Redis changes it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>

#include "base/sketch_private.h"

/* A run is found by walking from the first one, which takes microseconds in a long value. So marks stand in front of the value: mark k names a run that ends
 * before register k*512 (or the first run of all), from where that register and those behind it are walked to.
 * The run before the one that changes is needed too, which is why a mark is one run early. They never decrease. */
struct place {
	uint32_t offset;   /* of a run, from the first one */
	uint32_t first;    /* its first register */
};

enum { MARK_REGISTERS = SKETCH_REGISTERS / SKETCH_MARKS, SPARSE_LOOKS = 5, SPARSE_TOUCHED_MAX = 8 };

struct marks { uint16_t offsets[SKETCH_MARKS], firsts[SKETCH_MARKS]; };

static struct marks *marks_of(const struct sketch *s) { return (struct marks *)(void *)s->data; }

static void mark_set(struct marks *marks, size_t k, struct place at)
{
	marks->offsets[k] = (uint16_t)at.offset;
	marks->firsts[k] = (uint16_t)at.first;
}

static uint8_t *runs_of(const struct sketch *s) { return s->data + SKETCH_MARKS_SIZE + SKETCH_HEADER; }
static size_t runs_length(const struct sketch *s) { return (size_t)s->length - SKETCH_HEADER; }

static struct place behind(struct place at, struct sketch_run run)
{
	return (struct place){ at.offset + run.bytes, at.first + run.registers };
}

/* behind() of the run at p. The one branch is on its length, which is mostly guessed right: then the next byte is fetched before this one is understood. */
static inline struct place next(const uint8_t *p, struct place at)
{
	const uint32_t byte = *p;
	if (byte >> 6 == 1) return (struct place){ at.offset + 2, at.first + ((byte & 63) << 8 | p[1]) + 1 };
	return (struct place){ at.offset + 1, at.first + (byte & (byte & 0x80 ? 3 : 63)) + 1 };
}

bool sketch_sparse_new(struct sketch *empty, size_t length)
{
	size_t capacity = sketch_room(SKETCH_MARKS_SIZE + length);
	uint8_t *data = calloc(1, capacity);
	if (!data) return false;
	memcpy(data + SKETCH_MARKS_SIZE, "HYLL\1\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff", SKETCH_HEADER + 2);
	*empty = (struct sketch){ data, SKETCH_HEADER + 2, (uint16_t)capacity, SKETCH_SPARSE };
	return true;
}

void sketch_sparse_mark(struct sketch *s)
{
	struct place at = { 0 }, before = { 0 };
	size_t k = 0;
	while (at.offset < runs_length(s)) {
		struct place end = behind(at, sketch_run(runs_of(s) + at.offset));
		for (; k < SKETCH_MARKS && k * MARK_REGISTERS < end.first; k++) mark_set(marks_of(s), k, before);
		before = at;
		at = end;
	}
}

/* After a change that left everything up to the start of the run `from` as it was, and moved by `delta` what stands behind the runs it touched. */
static void marks_follow(struct sketch *s, struct place from, int delta)
{
	struct marks *marks = marks_of(s);
	struct place at = from, before = { 0 };
	size_t k = (from.first + MARK_REGISTERS - 1U) / MARK_REGISTERS, length = runs_length(s);
	for (int i = 0; i < SPARSE_TOUCHED_MAX && at.offset < length; i++) {
		struct place end = next(runs_of(s) + at.offset, at);
		for (; k < SKETCH_MARKS && k * MARK_REGISTERS < end.first; k++) {
			if (i) mark_set(marks, k, before);
			else if (marks->offsets[k] >= from.offset && from.offset) mark_set(marks, k, (struct place){ marks->offsets[k - 1], marks->firsts[k - 1] });
		}
		before = at;
		at = end;
	}
	for (; k < SKETCH_MARKS && marks->firsts[k] < at.first; k++) mark_set(marks, k, before);
	for (k = 0; k < SKETCH_MARKS; k++) marks->offsets[k] = (uint16_t)(marks->offsets[k] + (marks->firsts[k] >= at.first ? delta : 0));
}

static bool reserve(struct sketch *s, size_t more)
{
	size_t needed = (size_t)SKETCH_MARKS_SIZE + s->length + more;
	if (needed <= s->capacity) return true;
	size_t most = sketch_room(SKETCH_MARKS_SIZE + SKETCH_SPARSE_MAX), capacity = sketch_room(needed + needed / 4);
	if (capacity > most) capacity = needed > most ? sketch_room(needed) : most;
	uint8_t *data = realloc(s->data, capacity);
	if (!data) return false;
	s->data = data;
	s->capacity = (uint16_t)capacity;
	return true;
}

static uint8_t *write_value(uint8_t *out, uint32_t value, uint32_t registers)
{
	*out = (uint8_t)(0x80 | (value - 1) << 2 | (registers - 1));
	return out + 1;
}

static uint8_t *write_run(uint8_t *out, uint32_t value, uint32_t registers)
{
	if (registers == 0) return out;
	if (value) return write_value(out, value, registers);
	if (registers > 64) *out++ = (uint8_t)(0x40 | (registers - 1) >> 8);
	*out = (uint8_t)(registers - 1);
	return out + 1;
}

/* Neighbours of one value become one run where it is not too long; five looks, as Redis takes. */
static void join_runs(struct sketch *s, size_t offset)
{
	uint8_t *p = runs_of(s) + offset, *end = runs_of(s) + runs_length(s);
	for (int looks = 0; looks < SPARSE_LOOKS && p < end; looks++) {
		struct sketch_run run = sketch_run(p);
		if (run.value && p + 1 < end && p[1] & 0x80) {
			struct sketch_run next = sketch_run(p + 1);
			if (next.value == run.value && next.registers + run.registers <= 4) {
				write_value(p + 1, run.value, next.registers + run.registers);
				memmove(p, p + 1, (size_t)(end - p - 1));
				end--;
				s->length--;
				continue;
			}
		}
		p += run.bytes;
	}
}

bool sketch_sparse_raise(struct sketch *s, uint32_t index, uint32_t rank)
{
	if (rank > SKETCH_SPARSE_RANK_MAX) return sketch_to_dense(s) && sketch_raise(s, index, rank);
	const uint8_t *runs = runs_of(s);
	const struct marks *marks = marks_of(s);
	struct place end = { marks->offsets[index / MARK_REGISTERS], marks->firsts[index / MARK_REGISTERS] }, at = end, before;
	do {
		before = at;
		at = end;
		end = next(runs + at.offset, at);
	} while (end.first <= index);
	struct sketch_run run = sketch_run(runs + at.offset);
	if (run.value >= rank) return true;
	uint8_t parts[5], *p = write_run(parts, run.value, index - at.first);
	p = write_value(p, rank, 1);
	p = write_run(p, run.value, at.first + run.registers - index - 1);
	size_t bytes = (size_t)(p - parts), old_length = s->length;
	if (bytes > run.bytes) {
		size_t growth = bytes - run.bytes;
		if (s->length + growth > SKETCH_SPARSE_MAX) return sketch_to_dense(s) && sketch_raise(s, index, rank);
		if (!reserve(s, growth)) return false;
	}
	uint8_t *target = runs_of(s) + at.offset;
	memmove(target + bytes, target + run.bytes, runs_length(s) - at.offset - run.bytes);
	memcpy(target, parts, bytes);
	s->length = (uint16_t)(s->length + bytes - run.bytes);
	join_runs(s, before.offset);
	marks_follow(s, before, (int)s->length - (int)old_length);
	return true;
}
