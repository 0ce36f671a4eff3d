/* test_checksum - XXH3-64 and XXH3-128 as xxhsum prints them, however the bytes are cut. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/checksum.h"

/* What `seq 1 N | head -c LENGTH` prints. */
static void count_up(struct buffer *out, unsigned n, size_t length)
{
	char text[16];
	buffer_init(out, 1 << 20);
	for (unsigned i = 1; i <= n; i++) buffer_append(out, text, (size_t)snprintf(text, sizeof text, "%u\n", i));
	if (out->length > length) out->length = length;
}

/* By xxhsum -H3, version 0.8.1; the first one is the published value of no bytes. */
static void values_are_those_of_xxhsum(void **state)
{
	(void)state;
	struct buffer numbers;
	assert_int_equal(checksum_of((struct span){ NULL, 0 }), 0x2d06800538d394c2);
	assert_int_equal(checksum_of(SPAN("a")), 0xe6c632b61e964e1f);
	assert_int_equal(checksum_of(SPAN("metlog")), 0xb20badd2347807c0);
	count_up(&numbers, 100, 200);
	assert_int_equal(checksum_of(buffer_span(&numbers)), 0x3c35402a301ad4ee);
	buffer_release(&numbers);
	count_up(&numbers, 100000, SIZE_MAX);
	assert_int_equal(checksum_of(buffer_span(&numbers)), 0x2881c59907229fa4);
	buffer_release(&numbers);
}

static void is_wide(struct checksum *sum, struct span bytes, const char *expected)
{
	char text[CHECKSUM_WIDE_MAX];
	struct checksum_wide again;
	checksum_reset(sum);
	checksum_add(sum, bytes);
	checksum_print_wide(text, checksum_value_wide(sum));
	assert_string_equal(text, expected);
	assert_true(checksum_parse_wide(span_of(text), &again) && checksum_equal_wide(again, checksum_value_wide(sum)));
}

/* By xxhsum -H2. */
static void wide_values_are_those_of_xxhsum(void **state)
{
	(void)state;
	struct buffer numbers;
	struct checksum *sum = checksum_new();
	struct checksum_wide value;
	is_wide(sum, SPAN(""), "99aa06d3014798d86001c324468d497f");
	is_wide(sum, SPAN("a"), "a96faf705af16834e6c632b61e964e1f");
	is_wide(sum, SPAN("metlog"), "d2b31595bfe893df3fd5a9fa7f0a8c04");
	count_up(&numbers, 100, 200);
	is_wide(sum, buffer_span(&numbers), "45d2cc04f482c901c2485ff6dc0d51a1");
	buffer_release(&numbers);
	count_up(&numbers, 100000, SIZE_MAX);
	is_wide(sum, buffer_span(&numbers), "a6bb1ae3f57b6a512881c59907229fa4");
	assert_int_equal(checksum_value(sum), checksum_of(buffer_span(&numbers))); /* one state, both values */
	buffer_release(&numbers);
	assert_false(checksum_parse_wide(SPAN("a6bb1ae3f57b6a512881c59907229fa"), &value));
	assert_false(checksum_parse_wide(SPAN("A6bb1ae3f57b6a512881c59907229fa4"), &value));
	assert_false(checksum_parse_wide(SPAN("a6bb1ae3f57b6a512881c59907229fa4 "), &value));
	checksum_free(sum);
}

static void parts_of_every_size_give_the_same_value(void **state)
{
	(void)state;
	struct buffer all;
	struct checksum *sum = checksum_new();
	count_up(&all, 2000, SIZE_MAX);
	for (size_t part = 1; part < 700; part++) {
		checksum_reset(sum);
		assert_int_equal(checksum_value(sum), checksum_of(SPAN("")));
		for (size_t at = 0; at < all.length; at += part) {
			checksum_add(sum, (struct span){ all.data + at, all.length - at < part ? all.length - at : part });
			if (at < 2000) assert_int_equal(checksum_value(sum), checksum_of((struct span){ all.data, at + part })); /* a value on the way changes nothing */
		}
		checksum_add(sum, (struct span){ NULL, 0 });
		assert_int_equal(checksum_value(sum), checksum_of(buffer_span(&all)));
	}
	checksum_free(sum);
	buffer_release(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_those_of_xxhsum),
		cmocka_unit_test(wide_values_are_those_of_xxhsum),
		cmocka_unit_test(parts_of_every_size_give_the_same_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
