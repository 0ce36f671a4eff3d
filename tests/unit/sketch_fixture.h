/* sketch_fixture - elements by range and format, random hashes, and what a sketch says of itself, for its unit tests. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TESTS_UNIT_SKETCH_FIXTURE_H
#define TESTS_UNIT_SKETCH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/sketch.h"

/* A pseudo-random hash: splitmix64's. */
static inline uint64_t hash_of(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static inline void add_text(struct sketch *s, const char *text)
{
	assert_true(sketch_add(s, sketch_hash(span_of(text))));
}

/* "user:" 1 500: user:1, user:2, ... user:500; what stands behind the number is `end`. */
static inline void add_range(struct sketch *s, const char *start, unsigned from, unsigned to, const char *end)
{
	char text[64];
	for (unsigned i = from; i <= to; i++) {
		snprintf(text, sizeof text, "%s%u%s", start, i, end);
		add_text(s, text);
	}
}

static inline uint64_t estimate(const struct sketch *s)
{
	bool failed = true;
	uint64_t count = sketch_estimate(s, &failed);
	assert_false(failed);
	return count;
}

/* The value; the caller releases it. */
static inline struct buffer value_of(const struct sketch *s)
{
	struct buffer out;
	buffer_init(&out, 1 << 16);
	assert_true(sketch_append(&out, s));
	return out;
}

static inline struct buffer text_of(const struct sketch *s)
{
	struct buffer out;
	buffer_init(&out, 1 << 16);
	assert_true(sketch_append_text(&out, s));
	return out;
}

static inline struct sketch reread(const struct sketch *s)
{
	struct sketch again = { 0 };
	struct buffer value = value_of(s);
	assert_null(sketch_read(&again, buffer_span(&value)));
	buffer_release(&value);
	return again;
}

static inline void assert_same_value(const struct sketch *a, const struct sketch *b)
{
	struct buffer x = value_of(a), y = value_of(b);
	assert_int_equal(x.length, y.length);
	assert_memory_equal(x.data, y.data, x.length);
	buffer_release(&x);
	buffer_release(&y);
}

/* The registers of a value, read by nothing of the library: dense or sparse, one byte a register. False: it does not cover them exactly. */
static inline bool registers_of(uint8_t registers[SKETCH_REGISTERS], const struct buffer *value)
{
	const uint8_t *p = (const uint8_t *)value->data, *end = p + value->length;
	size_t at = 0;
	if (value->length < SKETCH_HEADER || memcmp(p, "HYLL", 4) != 0) return false;
	if (p[4] == 0) {
		for (; at < SKETCH_REGISTERS; at++) {
			size_t bit = 6 * at;
			registers[at] = 0;
			for (size_t i = 0; i < 6; i++, bit++) registers[at] |= (uint8_t)((p[SKETCH_HEADER + bit / 8] >> bit % 8 & 1) << i);
		}
		return value->length == SKETCH_DENSE;
	}
	for (p += SKETCH_HEADER; p < end; p++) {
		uint8_t value_here = *p & 0x80 ? (uint8_t)((*p >> 2 & 31) + 1) : 0;
		size_t length = *p & 0x80 ? *p & 3U : *p & 63U;
		if ((*p & 0xc0) == 0x40) length = length << 8 | *++p;
		if (p >= end || at + length + 1 > SKETCH_REGISTERS) return false;
		memset(registers + at, value_here, length + 1);
		at += length + 1;
	}
	return at == SKETCH_REGISTERS;
}

#endif
