/* test_sketch_accuracy - counts of sets whose size is known lie as near the truth as the manual says. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/sketch.h"

/* The sets are always the same, and no error of theirs is beyond three standard errors, as one of some hundreds is by chance. tests/bench/accuracy does this for hundreds, and to ten million values. */
enum { SETS = 24 };
static const double three_errors = 0.025;

static void add(struct sketch *s, unsigned set, uint64_t from, uint64_t to)
{
	char text[48];
	for (uint64_t value = from; value < to; value++) {
		int length = snprintf(text, sizeof text, "user-%u-%llu", set, (unsigned long long)value);
		assert_true(sketch_add(s, sketch_hash((struct span){ text, (size_t)length })));
	}
}

static double error_of(const struct sketch *s, uint64_t truth)
{
	return ((double)sketch_count(s) - (double)truth) / (double)truth;
}

static void a_count_is_exact_up_to_256_values(void **state)
{
	(void)state;
	for (unsigned set = 0; set < SETS; set++) {
		struct sketch s = { 0 };
		for (uint64_t size = 1; size <= SKETCH_SMALL_MAX; size++) {
			add(&s, set, size - 1, size);
			add(&s, set, 0, size); /* repeats change nothing */
			assert_int_equal(sketch_count(&s), size);
			assert_true(sketch_error(&s) == 0);
		}
		add(&s, set, SKETCH_SMALL_MAX, SKETCH_SMALL_MAX + 1);
		assert_false(sketch_is_exact(&s));
		sketch_release(&s);
	}
}

static void a_count_is_within_two_and_a_half_per_cent_of_the_truth(void **state)
{
	(void)state;
	static const uint64_t sizes[] = { 257, 500, 1000, 3000, 10000, 40000, 100000 };
	double sum[sizeof sizes / sizeof sizes[0]] = { 0 }, squares[sizeof sizes / sizeof sizes[0]] = { 0 };
	for (unsigned set = 0; set < SETS; set++) {
		struct sketch s = { 0 };
		uint64_t before = 0;
		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; before = sizes[i++]) {
			add(&s, set, before, sizes[i]);
			double error = error_of(&s, sizes[i]);
			assert_true(fabs(error) < three_errors);
			sum[i] += error;
			squares[i] += error * error;
		}
		sketch_release(&s);
	}
	/* what 24 sets leave to chance: three standard errors of the mean, and of the standard error */
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		assert_true(fabs(sum[i] / SETS) < 3 * SKETCH_ERROR / sqrt(SETS));
		assert_true(sqrt(squares[i] / SETS) < SKETCH_ERROR * (1 + 3 / sqrt(2 * SETS)));
	}
}

static void a_million_values_are_counted_within_two_and_a_half_per_cent(void **state)
{
	(void)state;
	struct sketch s = { 0 };
	add(&s, 99, 0, 1000000);
	assert_true(fabs(error_of(&s, 1000000)) < three_errors);
	sketch_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_count_is_exact_up_to_256_values),
		cmocka_unit_test(a_count_is_within_two_and_a_half_per_cent_of_the_truth),
		cmocka_unit_test(a_million_values_are_counted_within_two_and_a_half_per_cent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
