/* cmocka - as much of cmocka as the unit tests of base and envelope use, for machines (qemu's) where it is not installed. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TESTS_NEON_CMOCKA_H
#define TESTS_NEON_CMOCKA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
	const char *name;
	void (*run)(void **state);
};

#define cmocka_unit_test(function) { #function, function }
#define fail() (fprintf(stderr, "%s:%d: failed\n", __FILE__, __LINE__), exit(1))
#define fail_msg(...) (fprintf(stderr, "%s:%d: ", __FILE__, __LINE__), fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))
#define assert_true(x) ((x) ? (void)0 : fail_msg("%s", #x))
#define assert_false(x) assert_true(!(x))
#define assert_non_null(x) assert_true((x) != NULL)
#define assert_int_equal(a, b) assert_true((unsigned long long)(a) == (unsigned long long)(b))
#define assert_ptr_equal(a, b) assert_true((const void *)(a) == (const void *)(b))
#define assert_string_equal(a, b) assert_true(strcmp((a), (b)) == 0)
#define assert_memory_equal(a, b, length) assert_true(memcmp((a), (b), (length)) == 0)

static inline int run_tests(const struct CMUnitTest *tests, size_t count, int (*setup)(void **), int (*teardown)(void **))
{
	void *state = NULL;
	if (setup && setup(&state)) return 1;
	for (size_t i = 0; i < count; i++) {
		tests[i].run(&state);
		printf("ok %zu - %s\n", i + 1, tests[i].name);
	}
	return teardown && teardown(&state) ? 1 : 0;
}
#define cmocka_run_group_tests(tests, setup, teardown) run_tests(tests, sizeof(tests) / sizeof *(tests), setup, teardown)

#endif
