/* test_sketch_union - the union of parts is what one run over everything would have counted, in any order, however it was parted. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sketch_fixture.h"

static uint64_t seed;

static uint64_t below(uint64_t n)
{
	return hash_of(seed++) % n;
}

static void raise(uint8_t registers[SKETCH_REGISTERS], uint64_t hash)
{
	uint8_t rank = 1;
	for (uint64_t bits = hash >> 14; rank < 51 && !(bits & 1); bits >>= 1) rank++;
	if (registers[hash & 16383] < rank) registers[hash & 16383] = rank;
}

static void assert_registers(const struct sketch *s, const uint8_t expected[SKETCH_REGISTERS])
{
	uint8_t registers[SKETCH_REGISTERS];
	struct buffer value = value_of(s);
	assert_true(registers_of(registers, &value));
	assert_memory_equal(registers, expected, SKETCH_REGISTERS);
	buffer_release(&value);
}

/* Registers at both sides of those the marks stand for, every 512th: runs are joined across them, away from them, before them. */
static uint64_t at_marks(uint64_t near)
{
	return ((1 + below(3)) * 512 - near + below(2 * near)) | 1ULL << (14 + (below(8) ? below(2) : below(4)));
}

/* Hashes of few values near each other, where runs are split and joined; some of a rank that a run, or an entry, cannot say. */
static uint64_t crowded(uint64_t most_indexes, bool high)
{
	uint64_t rank = 1 + below(below(4) ? 3 : 30);
	if (high && !below(300)) rank = 31 + below(21);
	return below(most_indexes) * (SKETCH_REGISTERS / most_indexes) | 1ULL << (13 + (rank > 50 ? 50 : rank));
}

static void every_step_keeps_the_registers(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		struct sketch s = { 0 };
		uint8_t expected[SKETCH_REGISTERS] = { 0 };
		for (unsigned i = 0; i < 2500; i++) {
			uint64_t hash = round >= 24 ? at_marks(1 + round - 24) : round & 1 ? crowded(round & 2 ? 64 : 2048, round & 4) : hash_of(below(3000) << 32 | round);
			raise(expected, hash);
			assert_true(sketch_add(&s, hash));
			assert_true(s.form != SKETCH_SPARSE || s.length <= SKETCH_SPARSE_MAX);
			assert_true(s.length <= s.capacity);
			if (i % 16 == 0 || i > 2400 || (round >= 24 && i < 300)) assert_registers(&s, expected);
		}
		sketch_release(&s);
	}
}

/* Registers from the last to the first, in steps of all sizes: the marks in front of the runs follow. */
static void runs_are_found_wherever_they_stand(void **state)
{
	(void)state;
	for (unsigned step = 1; step < 700; step = step * 3 / 2 + 1) {
		for (unsigned backward = 0; backward < 2; backward++) {
			struct sketch s = { 0 }, empty = { 0 };
			uint8_t expected[SKETCH_REGISTERS] = { 0 };
			s = reread(&empty);
			for (unsigned i = 0; i < SKETCH_REGISTERS && s.form == SKETCH_SPARSE; i += step) {
				uint64_t hash = (backward ? SKETCH_REGISTERS - 1 - i : i) | 1ULL << (14 + below(2));
				raise(expected, hash);
				assert_true(sketch_add(&s, hash));
				if (i / step % 64 == 0) assert_registers(&s, expected);
			}
			assert_registers(&s, expected);
			sketch_release(&s);
		}
	}
}

/* Six, seven, eight neighbours of one value around register 512, the first of a mark; one of them is raised, and what is left of its run joins the next. Then
 * the registers behind are looked for from that mark. */
static void a_mark_follows_the_runs_that_are_joined(void **state)
{
	(void)state;
	for (uint64_t start = 496; start <= 514; start++) {
		for (uint64_t which = 0; which < 8 * 3; which++) {
			struct sketch s = { 0 }, empty = { 0 };
			uint8_t expected[SKETCH_REGISTERS] = { 0 };
			s = reread(&empty);
			uint64_t hashes[32], count = 0;
			for (uint64_t i = 0; i < 6 + which / 8; i++) hashes[count++] = (start + i) | 1 << 14;
			hashes[count++] = (start + which % 8) | 1 << 15;
			for (uint64_t i = 512; i < 524; i += 3) hashes[count++] = i | 1 << 16;
			for (uint64_t i = 0; i < count; i++) {
				raise(expected, hashes[i]);
				assert_true(sketch_add(&s, hashes[i]));
				assert_registers(&s, expected);
			}
			sketch_release(&s);
		}
	}
}

/* The count, whether it is exact, and the registers: all are those of one run. */
static void assert_like_one_run(uint64_t distinct, bool high, bool through_text)
{
	struct sketch whole = { 0 }, parts[7] = { { 0 } }, all = { 0 };
	uint8_t expected[SKETCH_REGISTERS] = { 0 };
	for (uint64_t i = 0; i < 2 * distinct; i++) {
		uint64_t hash = hash_of(below(distinct) ^ distinct << 40);
		if (high && !below(distinct)) hash &= 0xffff000000003fff;
		raise(expected, hash);
		assert_true(sketch_add(&whole, hash));
		assert_true(sketch_add(&parts[below(below(6) + 1)], hash));
	}
	for (size_t i = 0; i < 7; i++) {
		struct sketch copy = { 0 };
		struct buffer text = text_of(&parts[(i + distinct) % 7]);
		if (through_text) assert_null(sketch_read_text(&copy, buffer_span(&text)));
		assert_true(sketch_merge(&all, through_text ? &copy : &parts[(i + distinct) % 7]));
		assert_true(sketch_merge(&all, &all));
		buffer_release(&text);
		sketch_release(&copy);
	}
	assert_int_equal(sketch_is_exact(&all), sketch_is_exact(&whole));
	assert_int_equal(sketch_count(&all), sketch_count(&whole));
	assert_int_equal(estimate(&all), estimate(&whole));
	assert_registers(&all, expected);
	for (size_t i = 0; i < 7; i++) sketch_release(&parts[i]);
	sketch_release(&whole);
	sketch_release(&all);
}

static void the_union_of_any_parts_is_one_run(void **state)
{
	static const uint64_t sizes[] = { 1, 2, 7, 100, 255, 256, 257, 258, 300, 900, 1600, 1700, 4000, 20000 };
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		for (unsigned kind = 0; kind < 8; kind++) assert_like_one_run(sizes[i], kind & 1, kind & 2);
	}
}

/* Two sets of 200 that have 144 in common are 256; with one less in common they are 257. */
static void a_union_is_exact_as_long_as_its_set_is_small(void **state)
{
	(void)state;
	for (uint64_t common = 143; common <= 145; common++) {
		struct sketch a = { 0 }, b = { 0 };
		for (uint64_t i = 0; i < 200; i++) {
			assert_true(sketch_add(&a, hash_of(i)));
			assert_true(sketch_add(&b, hash_of(i + 200 - common)));
		}
		assert_true(sketch_merge(&a, &b));
		assert_int_equal(sketch_is_exact(&a), 400 - common <= 256);
		if (sketch_is_exact(&a)) assert_int_equal(sketch_count(&a), 400 - common);
		assert_int_equal(sketch_count(&b), 200);
		sketch_release(&a);
		sketch_release(&b);
	}
}

/* What comes out of Redis has no hashes any more: its union is an estimate, even of one value. */
static void a_union_with_a_redis_value_is_an_estimate(void **state)
{
	struct sketch small = { 0 }, none = { 0 };
	(void)state;
	assert_true(sketch_add(&small, hash_of(1)));
	struct sketch read = reread(&small), empty = reread(&none);
	assert_true(sketch_merge(&small, &empty));
	assert_false(sketch_is_exact(&small));
	assert_same_value(&small, &read);
	assert_true(sketch_merge(&none, &empty));
	assert_false(sketch_is_exact(&none));
	assert_int_equal(sketch_count(&none), 0);
	sketch_release(&small);
	sketch_release(&read);
	sketch_release(&empty);
	sketch_release(&none);
}

/* As PFMERGE: dense as soon as one of them is. */
static void a_union_with_a_dense_sketch_is_dense(void **state)
{
	static char zeros[SKETCH_DENSE] = "HYLL";
	struct sketch dense = { 0 }, sparse = { 0 }, small = { 0 };
	(void)state;
	assert_null(sketch_read(&dense, (struct span){ zeros, sizeof zeros }));
	assert_true(sketch_add(&dense, 5 | 1 << 14));
	for (uint64_t i = 0; i < 300; i++) assert_true(sketch_add(&sparse, hash_of(i)));
	assert_int_equal(sparse.form, SKETCH_SPARSE);
	assert_true(sketch_merge(&sparse, &dense));
	assert_int_equal(sparse.form, SKETCH_DENSE_FORM);
	assert_true(sketch_add(&small, hash_of(7)));
	assert_true(sketch_merge(&small, &dense));
	assert_int_equal(small.form, SKETCH_DENSE_FORM);
	assert_int_equal(sketch_count(&small), 2);
	sketch_release(&dense);
	sketch_release(&sparse);
	sketch_release(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step_keeps_the_registers),
		cmocka_unit_test(runs_are_found_wherever_they_stand),
		cmocka_unit_test(a_mark_follows_the_runs_that_are_joined),
		cmocka_unit_test(the_union_of_any_parts_is_one_run),
		cmocka_unit_test(a_union_is_exact_as_long_as_its_set_is_small),
		cmocka_unit_test(a_union_with_a_redis_value_is_an_estimate),
		cmocka_unit_test(a_union_with_a_dense_sketch_is_dense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
