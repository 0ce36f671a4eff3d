/* left_out - leaves the test that runs out, and says why: contrib/check.sh lists it with that reason. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TESTS_UNIT_LEFT_OUT_H
#define TESTS_UNIT_LEFT_OUT_H

/* leave_out("no %s", name): a format that is a literal. In TAP a comment, right before what cmocka says of the test. To be included behind cmocka.h. */
#define leave_out(...) \
	do { \
		print_message("# " __VA_ARGS__); \
		print_message("\n"); \
		skip(); \
	} while (0)

#endif
