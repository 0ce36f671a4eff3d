/* fuzz_sketch - any bytes through the readers of sketches, then additions, unions and re-reading; an array of registers knows what must come out. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "base/sketch.h"

/* The input is a Redis value or its text as it is; and again as: two bytes of length, little-endian, a value or text of that length, and commands of 9 bytes: a kind, a hash.
 * What must hold after each:
 *   the registers of a sketch's value are the maxima of what was put in; a value covers all of them, and is at most 12,304 bytes;
 *   a sketch is exact if and only if no Redis value was in its union, it has at most 256 different values by their low 48 bits, and none whose rank those do not tell;
 *   then its count is their number, and its text gives it back; every value that is written is read, and gives the same bytes and estimate. */

/* The most of each in one input, so that there are many inputs in a second. */
enum { COMMANDS_MAX = 100, ADDITIONS_MAX = 2500, CHECKS_MAX = 4, VALUES_MAX = SKETCH_SMALL_MAX + 1 };

struct model {
	struct sketch sketch;
	uint8_t registers[SKETCH_REGISTERS];
	uint64_t values[VALUES_MAX];   /* different ones, by 48 bits, while it is exact */
	size_t count;
	bool is_estimate;
};

static void require(bool condition)
{
	if (!condition) abort();
}

static void raise(uint8_t *reg, uint8_t rank)
{
	if (*reg < rank) *reg = rank;
}

static void know(struct model *m, uint64_t value)
{
	size_t i = 0;
	if (m->is_estimate) return;
	while (i < m->count && m->values[i] != value) i++;
	if (i == m->count) m->values[m->count++] = value;
	m->is_estimate = value >> 14 == 0 || m->count > SKETCH_SMALL_MAX;
}

static void model_add(struct model *m, uint64_t hash)
{
	uint8_t rank = 1;
	for (uint64_t bits = hash >> 14; rank < 51 && !(bits & 1); bits >>= 1) rank++;
	raise(&m->registers[hash & 16383], rank);
	know(m, hash & 0xffffffffffff);
	require(sketch_add(&m->sketch, hash));
}

static void model_merge(struct model *m, const struct model *from)
{
	for (size_t i = 0; i < SKETCH_REGISTERS; i++) raise(&m->registers[i], from->registers[i]);
	for (size_t i = 0; i < from->count; i++) know(m, from->values[i]);
	if (from->is_estimate) m->is_estimate = true;
	require(sketch_merge(&m->sketch, &from->sketch));
}

/* What the value says of each register. */
static void decode(uint8_t registers[SKETCH_REGISTERS], struct span value)
{
	const uint8_t *p = (const uint8_t *)value.data + SKETCH_HEADER, *end = (const uint8_t *)value.data + value.length;
	size_t at = 0;
	require(value.length > SKETCH_HEADER && value.length <= SKETCH_DENSE && memcmp(value.data, "HYLL", 4) == 0);
	if (value.data[4] == 0) {
		require(value.length == SKETCH_DENSE);
		for (; at < SKETCH_REGISTERS; at += 4, p += 3) {
			registers[at] = p[0] & 63;
			registers[at + 1] = (uint8_t)((p[0] >> 6 | p[1] << 2) & 63);
			registers[at + 2] = (uint8_t)((p[1] >> 4 | p[2] << 4) & 63);
			registers[at + 3] = p[2] >> 2;
		}
		return;
	}
	while (p < end) {
		size_t length = *p & 0x80 ? (*p & 3) + 1U : (*p & 63) + 1U;
		uint8_t rank = *p & 0x80 ? (uint8_t)((*p >> 2 & 31) + 1) : 0;
		if ((*p & 0xc0) == 0x40) require(p + 1 < end), length = ((*p & 63U) << 8 | p[1]) + 1, p++;
		p++;
		require(at + length <= SKETCH_REGISTERS);
		memset(registers + at, rank, length);
		at += length;
	}
	require(at == SKETCH_REGISTERS);
}

static void check(const struct model *m)
{
	uint8_t registers[SKETCH_REGISTERS];
	struct buffer value, again, text;
	struct sketch copy = { 0 };
	bool failed = true;
	buffer_init(&value, 1 << 15);
	buffer_init(&again, 1 << 15);
	buffer_init(&text, 1 << 15);
	require(sketch_append(&value, &m->sketch) && sketch_append_text(&text, &m->sketch));
	decode(registers, buffer_span(&value));
	require(memcmp(registers, m->registers, sizeof registers) == 0);
	require(sketch_is_exact(&m->sketch) == !m->is_estimate);
	if (!m->is_estimate) require(sketch_count(&m->sketch) == m->count);
	uint64_t estimate = sketch_estimate(&m->sketch, &failed);
	require(!failed && estimate <= INT64_MAX);

	require(!sketch_read(&copy, buffer_span(&value)));
	require(sketch_append(&again, &copy) && span_equal(buffer_span(&value), buffer_span(&again)) && sketch_count(&copy) == estimate);
	sketch_release(&copy);
	buffer_clear(&again);
	require(!sketch_read_text(&copy, buffer_span(&text)) && sketch_is_exact(&copy) == !m->is_estimate && sketch_count(&copy) == sketch_count(&m->sketch));
	require(sketch_append_text(&again, &copy) && span_equal(buffer_span(&text), buffer_span(&again)));
	sketch_release(&copy);
	buffer_release(&value);
	buffer_release(&again);
	buffer_release(&text);
}

/* Reads it as what it may be. What is refused leaves the sketch empty. */
static void model_read(struct model *m, struct span bytes)
{
	const char *why = sketch_read(&m->sketch, bytes);
	if (why) require(!m->sketch.data && !m->sketch.length), why = sketch_read_text(&m->sketch, bytes);
	if (why) {
		require(why[0] && !m->sketch.data && !m->sketch.length);
		return;
	}
	struct buffer out;
	buffer_init(&out, 1 << 15);
	m->is_estimate = !sketch_is_exact(&m->sketch);
	require(m->is_estimate ? sketch_append(&out, &m->sketch) : sketch_append_text(&out, &m->sketch));
	if (m->is_estimate) {
		decode(m->registers, buffer_span(&out));
	} else {
		require(span_equal(buffer_span(&out), bytes));
		buffer_clear(&out);
		require(sketch_append(&out, &m->sketch));
		decode(m->registers, buffer_span(&out));
		m->count = (size_t)sketch_count(&m->sketch);
	}
	buffer_release(&out);
}

/* A small set that was read holds values that the model does not know, so it is emptied before commands are tried. */
static void forget(struct model *m)
{
	if (sketch_is_exact(&m->sketch)) {
		sketch_release(&m->sketch);
		memset(m->registers, 0, sizeof m->registers);
		m->count = 0;
	}
}

static void obey(struct model *a, struct model *b, struct span commands)
{
	size_t checks = 0, left = ADDITIONS_MAX;
	for (size_t i = 0; i < COMMANDS_MAX && commands.length >= 9; i++, commands.data += 9, commands.length -= 9) {
		uint64_t hash = 0;
		uint8_t kind = (uint8_t)commands.data[0];
		for (size_t j = 0; j < 8; j++) hash |= (uint64_t)(uint8_t)commands.data[1 + j] << 8 * j;
		struct model *m = kind & 1 ? b : a, *other = kind & 1 ? a : b;
		uint64_t many = kind < 0xc0 ? hash >> 48 & 1023 : hash >> 48 & 255;
		if (many > left) many = left;
		if (kind >= 0xa0 && kind < 0xd0) left -= many;
		if (kind < 0xa0) model_add(m, hash);
		else if (kind < 0xc0) for (uint64_t j = 0; j < many; j++) model_add(m, hash * (2 * j + 1));
		else if (kind < 0xd0) for (uint64_t j = 0; j < many; j++) model_add(m, (hash + j) % SKETCH_REGISTERS | hash >> 20 << 14);
		else if (kind < 0xe0) model_merge(m, other);
		else if (kind < 0xf8) { if (checks++ < CHECKS_MAX) check(m); }
		else sketch_release(&m->sketch), memset(m, 0, sizeof *m);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct model a, b;
	struct span bytes = { (const char *)data, size };
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	model_read(&a, bytes);
	check(&a);
	sketch_release(&a.sketch);
	if (size < 2) return 0;
	memset(&a, 0, sizeof a);
	size_t length = (size_t)data[0] | (size_t)data[1] << 8;
	if (length > size - 2) length = size - 2;
	model_read(&a, (struct span){ bytes.data + 2, length });
	check(&a);
	forget(&a);
	obey(&a, &b, (struct span){ bytes.data + 2 + length, size - 2 - length });
	check(&a);
	check(&b);
	sketch_release(&a.sketch);
	sketch_release(&b.sketch);
	return 0;
}
