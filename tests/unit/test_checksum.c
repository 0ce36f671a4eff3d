/* test_checksum - XXH3-64 as xxhsum prints it, however the bytes are cut. */
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
		cmocka_unit_test(parts_of_every_size_give_the_same_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
