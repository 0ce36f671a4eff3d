/* test_md5 - the vectors of RFC 1321, and parts of every size. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/md5.h"

static void finish_hex(struct md5 *m, char out[33])
{
	unsigned char digest[MD5_BYTES];
	md5_finish(m, digest);
	for (size_t i = 0; i < MD5_BYTES; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static void values_are_those_of_the_rfc(void **state)
{
	static const char *const rows[][2] = {
		{ "", "d41d8cd98f00b204e9800998ecf8427e" },
		{ "a", "0cc175b9c0f1b6a831c399e269772661" },
		{ "abc", "900150983cd24fb0d6963f7d28e17f72" },
		{ "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
		{ "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b" },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f" },
		{ "12345678901234567890123456789012345678901234567890123456789012345678901234567890", "57edf4a22be3c955ac49da2e2107b67a" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct md5 m;
		char hex[33];
		md5_init(&m);
		md5_add(&m, span_of(rows[i][0]));
		finish_hex(&m, hex);
		assert_string_equal(hex, rows[i][1]);
	}
}

/* Lengths around the end of a block, where the padding makes another one. */
static void parts_of_every_size_give_the_same_value(void **state)
{
	char text[300], whole[33], parts[33];
	struct md5 m;
	(void)state;
	for (size_t i = 0; i < sizeof text; i++) text[i] = (char)(i * 7 + i / 64);
	for (size_t length = 0; length <= sizeof text; length++) {
		md5_init(&m);
		md5_add(&m, (struct span){ text, length });
		finish_hex(&m, whole);
		for (size_t part = 1; part < 140; part += 3) {
			md5_init(&m);
			for (size_t at = 0; at < length; at += part) md5_add(&m, (struct span){ text + at, length - at < part ? length - at : part });
			md5_add(&m, (struct span){ NULL, 0 });
			finish_hex(&m, parts);
			assert_string_equal(parts, whole);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_those_of_the_rfc),
		cmocka_unit_test(parts_of_every_size_give_the_same_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
