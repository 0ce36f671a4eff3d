/* sketch_estimate - how many values a sketch has seen: exactly while it is small, by Ertl's estimator behind. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <math.h>

#include "base/sketch_private.h"

static void raise(uint8_t *reg, uint32_t rank)
{
	*reg = *reg < rank ? (uint8_t)rank : *reg;
}

/* Four registers are three bytes. */
static void dense_registers(uint8_t registers[SKETCH_REGISTERS], const uint8_t *p)
{
	for (uint8_t *r = registers; r < registers + SKETCH_REGISTERS; r += 4, p += 3) {
		uint32_t four = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
		raise(r, four & 63), raise(r + 1, four >> 6 & 63), raise(r + 2, four >> 12 & 63), raise(r + 3, four >> 18);
	}
}

void sketch_dense_set(uint8_t *p, const uint8_t registers[SKETCH_REGISTERS])
{
	for (const uint8_t *r = registers; r < registers + SKETCH_REGISTERS; r += 4, p += 3) {
		uint32_t four = (uint32_t)r[0] | (uint32_t)r[1] << 6 | (uint32_t)r[2] << 12 | (uint32_t)r[3] << 18;
		p[0] = (uint8_t)four;
		p[1] = (uint8_t)(four >> 8);
		p[2] = (uint8_t)(four >> 16);
	}
}

void sketch_registers(uint8_t registers[SKETCH_REGISTERS], const struct sketch *s)
{
	if (s->form == SKETCH_DENSE_FORM) {
		dense_registers(registers, s->data + SKETCH_HEADER);
		return;
	}
	if (s->form == SKETCH_SMALL) {
		for (size_t i = 0, count = s->length / SKETCH_ENTRY; i < count; i++) {
			uint64_t entry = sketch_small_entry(s, i);
			raise(&registers[sketch_index(entry)], sketch_rank(entry));
		}
		return;
	}
	const uint8_t *p = sketch_value(s) + SKETCH_HEADER, *end = sketch_value(s) + s->length;
	for (uint32_t index = 0; p < end;) {
		struct sketch_run run = sketch_run(p);
		for (uint32_t i = 0; run.value && i < run.registers; i++) raise(&registers[index + i], run.value);
		index += run.registers;
		p += run.bytes;
	}
}

static double sigma(double x)
{
	double y = 1, z = x, before;
	if (x >= 1) return INFINITY;
	do {
		x *= x;
		before = z;
		z += x * y;
		y += y;
	} while (before < z || before > z);
	return z;
}

static double tau(double x)
{
	if (x <= 0 || x >= 1) return 0;
	double y = 1, z = 1 - x, before;
	do {
		x = sqrt(x);
		before = z;
		y *= 0.5;
		z -= (1 - x) * (1 - x) * y;
	} while (before < z || before > z);
	return z / 3;
}

/* A table for each of four neighbours: they often are equal, and one counter would wait for itself. */
static void dense_counts(uint32_t counts[64], const uint8_t *p)
{
	uint32_t each[4][64] = { 0 };
	for (size_t i = 0; i < SKETCH_REGISTERS; i += 4, p += 3) {
		uint32_t four = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
		each[0][four & 63]++, each[1][four >> 6 & 63]++, each[2][four >> 12 & 63]++, each[3][four >> 18]++;
	}
	for (size_t k = 0; k < 64; k++) counts[k] = each[0][k] + each[1][k] + each[2][k] + each[3][k];
}

static void sparse_counts(uint32_t counts[64], const uint8_t *p, const uint8_t *end)
{
	for (struct sketch_run run; p < end; p += run.bytes) {
		run = sketch_run(p);
		counts[run.value] += run.registers;
	}
}

static void small_counts(uint32_t counts[64], const struct sketch *s)
{
	uint8_t registers[SKETCH_REGISTERS] = { 0 };
	sketch_registers(registers, s);
	for (size_t i = 0; i < SKETCH_REGISTERS; i++) counts[registers[i]]++;
}

uint64_t sketch_estimate(const struct sketch *s, bool *failed)
{
	const double m = SKETCH_REGISTERS, alpha = 0.721347520444481703680;
	uint32_t counts[64] = { 0 };
	*failed = false;
	if (s->form == SKETCH_DENSE_FORM) dense_counts(counts, s->data + SKETCH_HEADER);
	else if (s->form == SKETCH_SPARSE) sparse_counts(counts, sketch_value(s) + SKETCH_HEADER, sketch_value(s) + s->length);
	else small_counts(counts, s);
	double z = m * tau(1 - counts[SKETCH_RANK_MAX] / m);
	for (size_t k = SKETCH_RANK_MAX - 1; k >= 1; k--) z = (z + counts[k]) * 0.5;
	z += m * sigma(counts[0] / m);
	double estimate = alpha * m * m / z;
	return estimate < 9.2e18 ? (uint64_t)llround(estimate) : INT64_MAX;
}

uint64_t sketch_count(const struct sketch *s)
{
	bool failed;
	return sketch_is_exact(s) ? s->length / SKETCH_ENTRY : sketch_estimate(s, &failed);
}
