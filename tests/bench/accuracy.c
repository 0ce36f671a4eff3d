/* accuracy - how far the counts of a sketch lie from the truth, over many sets: a table of standard error and bias. */
/* SPDX-License-Identifier: MPL-2.0 */

/* usage: accuracy [SETS [SETS-OF-TEN-MILLION]]
 * Each set has the values "SET-0", "SET-1", ...: what applications count is as alike as that. The same sets give the same table. Sizes between the powers of ten are
 * where the estimate changes its ways: where a sketch ceases to be exact, becomes dense, and has no empty register left. Exit status 1: more than 0.85 % of standard
 * error or 0.2 % of bias, beyond what so few sets leave to chance (three standard errors). */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/sketch.h"

static const double error_most = 0.85, bias_most = 0.2; /* per cent */
static const uint64_t sizes[] = { 100, 256, 257, 300, 500, 1000, 2000, 5000, 10000, 20000, 40000, 60000, 100000, 200000, 500000, 1000000, 2000000, 5000000, 10000000 };
enum { SIZES = sizeof sizes / sizeof sizes[0] };
static const uint64_t long_from = 1000000; /* beyond it the few long sets are counted */

struct sums { uint64_t sets; double sum, squares, worst; };

static void book(struct sums *s, uint64_t count, uint64_t truth)
{
	double error = 100 * ((double)count - (double)truth) / (double)truth;
	s->sets++;
	s->sum += error;
	s->squares += error * error;
	if (fabs(error) > fabs(s->worst)) s->worst = error;
}

static bool count_set(struct sums sums[SIZES], unsigned set, bool is_long)
{
	struct sketch sketch = { 0 };
	char text[48];
	uint64_t value = 0;
	size_t start = (size_t)snprintf(text, sizeof text, "%u-", set);
	for (size_t i = 0; i < SIZES && (is_long || sizes[i] <= long_from); i++) {
		for (; value < sizes[i]; value++) {
			char digits[20];
			size_t length = 0, at = start;
			uint64_t rest = value;
			do digits[length++] = (char)('0' + rest % 10);
			while (rest /= 10);
			while (length) text[at++] = digits[--length];
			if (!sketch_add(&sketch, sketch_hash((struct span){ text, at }))) return false;
		}
		book(&sums[i], sketch_count(&sketch), sizes[i]);
	}
	sketch_release(&sketch);
	return true;
}

/* False: the goal is missed by more than chance explains. */
static bool show(uint64_t size, const struct sums *s)
{
	double n = (double)s->sets, bias = s->sum / n, error = sqrt(s->squares / n);
	bool is_good = error <= error_most * (1 + 3 / sqrt(2 * n)) && fabs(bias) <= bias_most + 3 * error / sqrt(n);
	printf("%10llu %7llu %12.3f %10.3f %10.2f%s\n", (unsigned long long)size, (unsigned long long)s->sets, error, bias, s->worst, is_good ? "" : "   MISSED");
	return is_good;
}

int main(int argc, char **argv)
{
	unsigned sets = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 200, long_sets = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 10;
	struct sums sums[SIZES] = { 0 };
	bool is_good = true;
	for (unsigned set = 1; set <= sets || set <= long_sets; set++) {
		if (count_set(sums, set, set <= long_sets)) continue;
		fputs("accuracy: no memory\n", stderr);
		return 70;
	}
	printf("%10s %7s %12s %10s %10s\n", "values", "sets", "std error %", "bias %", "worst %");
	for (size_t i = 0; i < SIZES; i++)
		if (sums[i].sets) is_good = show(sizes[i], &sums[i]) && is_good;
	return !is_good;
}
