/* test_crc32 - the vectors of RFC 3720 and zlib's, and parts of every size. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32.h"

static void castagnoli_is_that_of_the_rfc(void **state)
{
	struct crc32 c;
	char bytes[32];
	(void)state;
	crc32_init(&c, CRC32_CASTAGNOLI);
	assert_int_equal(crc32_add(&c, 0, SPAN("123456789")), 0xe3069283);
	assert_int_equal(crc32_add(&c, 0, SPAN("")), 0);
	memset(bytes, 0, sizeof bytes);
	assert_int_equal(crc32_add(&c, 0, (struct span){ bytes, sizeof bytes }), 0x8a9136aa);
	memset(bytes, 0xff, sizeof bytes);
	assert_int_equal(crc32_add(&c, 0, (struct span){ bytes, sizeof bytes }), 0x62a8ab43);
	for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)i;
	assert_int_equal(crc32_add(&c, 0, (struct span){ bytes, sizeof bytes }), 0x46dd794e);
	for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(31 - i);
	assert_int_equal(crc32_add(&c, 0, (struct span){ bytes, sizeof bytes }), 0x113fdb5c);
}

static void the_other_is_that_of_zlib(void **state)
{
	struct crc32 c;
	(void)state;
	crc32_init(&c, CRC32_ZLIB);
	assert_int_equal(crc32_add(&c, 0, SPAN("123456789")), 0xcbf43926);
	assert_int_equal(crc32_add(&c, 0, SPAN("The quick brown fox jumps over the lazy dog")), 0x414fa339);
}

static void parts_of_every_size_give_the_same_value(void **state)
{
	struct crc32 c;
	char bytes[200];
	(void)state;
	crc32_init(&c, CRC32_CASTAGNOLI);
	for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 31);
	uint32_t whole = crc32_add(&c, 0, (struct span){ bytes, sizeof bytes });
	for (size_t part = 1; part < sizeof bytes; part++) {
		uint32_t crc = 0;
		for (size_t at = 0; at < sizeof bytes; at += part) crc = crc32_add(&c, crc, (struct span){ bytes + at, sizeof bytes - at < part ? sizeof bytes - at : part });
		assert_int_equal(crc, whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(castagnoli_is_that_of_the_rfc),
		cmocka_unit_test(the_other_is_that_of_zlib),
		cmocka_unit_test(parts_of_every_size_give_the_same_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
