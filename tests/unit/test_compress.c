/* test_compress - the bytes that come out depend on those that go in, and on nothing else. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/checksum.h"
#include "sink/compress.h"

enum { INPUT = 300000, ROOM = 1 << 20 };

static char *make_input(void)
{
	static const char *const words[] = { "{\"type\":\"", "counter", "timer", "\",\"payload\":\"", "\"}\n", "metlog" };
	char *data = malloc(INPUT);
	uint32_t random = 7;
	for (size_t at = 0; at < INPUT;) {
		random = random * 1664525u + 1013904223u;
		for (const char *p = words[(random >> 16) % 6]; *p && at < INPUT;) data[at++] = *p++;
		if (at < INPUT) data[at++] = (char)('0' + (random >> 24) % 10);
	}
	return data;
}

static size_t pack(struct compress *c, struct span input, size_t piece, size_t room, char *out)
{
	size_t length = 0;
	bool done = false;
	for (bool end = false; !end;) {
		struct span in = { input.data, input.length < piece ? input.length : piece };
		input.data += in.length;
		input.length -= in.length;
		end = input.length == 0;
		do {
			size_t written = compress_step(c, &in, end, out + length, room, &done);
			assert_int_not_equal(written, SIZE_MAX);
			length += written;
		} while (!done);
	}
	return length;
}

static void pieces_and_what_was_before_do_not_matter(void **state)
{
	struct compress *(*const makes[])(int) = { compress_new, compress_new_gzip };
	static const size_t pieces[] = { 1000, 131072, INPUT };
	static const int levels[] = { 0, 1, 6, 9 };
	char *input = make_input(), *out = malloc(ROOM);
	(void)state;
	for (size_t make = 0; make < 2; make++) {
		for (size_t level = 0; level < sizeof levels / sizeof *levels; level++) {
			uint64_t expected = 0;
			struct compress *used = makes[make](levels[level]);
			for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
				struct compress *fresh = makes[make](levels[level]);
				assert_true(compress_begin(fresh, INPUT));
				uint64_t sum = checksum_of((struct span){ out, pack(fresh, (struct span){ input, INPUT }, pieces[i], 1 + pieces[i] / 3, out) });
				if (!expected) expected = sum;
				assert_int_equal(sum, expected);
				compress_free(fresh);
				assert_true(compress_begin(used, 300));
				pack(used, (struct span){ input + 1000 * i, 300 }, 70, 100, out);
				assert_true(compress_begin(used, INPUT));
				assert_int_equal(checksum_of((struct span){ out, pack(used, (struct span){ input, INPUT }, pieces[i], ROOM / 4, out) }), expected);
			}
			compress_free(used);
		}
	}
	free(input);
	free(out);
}

static void a_stream_that_was_begun_is_forgotten(void **state)
{
	struct compress *(*const makes[])(int) = { compress_new, compress_new_gzip };
	char *input = make_input(), *out = malloc(ROOM);
	(void)state;
	for (size_t make = 0; make < 2; make++) {
		struct compress *c = makes[make](3);
		bool done;
		assert_true(compress_begin(c, UINT64_MAX));
		uint64_t expected = checksum_of((struct span){ out, pack(c, (struct span){ input, 5000 }, 5000, ROOM, out) });
		assert_true(compress_begin(c, UINT64_MAX));
		struct span in = { input + 7, 200000 };
		while (in.length) compress_step(c, &in, false, out, ROOM, &done);
		assert_true(compress_begin(c, UINT64_MAX));
		assert_int_equal(checksum_of((struct span){ out, pack(c, (struct span){ input, 5000 }, 5000, ROOM, out) }), expected);
		/* Without a word, behind one that has ended. */
		assert_int_equal(checksum_of((struct span){ out, pack(c, (struct span){ input, 5000 }, 5000, ROOM, out) }), expected);
		compress_free(c);
	}
	free(input);
	free(out);
}

static void a_gzip_file_tells_no_time_and_no_name(void **state)
{
	static const unsigned char head[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
	char out[100];
	(void)state;
	struct compress *c = compress_new_gzip(0);
	assert_true(pack(c, SPAN(""), 1, sizeof out, out) > sizeof head);
	assert_memory_equal(out, head, sizeof head);
	compress_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_and_what_was_before_do_not_matter),
		cmocka_unit_test(a_stream_that_was_begun_is_forgotten),
		cmocka_unit_test(a_gzip_file_tells_no_time_and_no_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
