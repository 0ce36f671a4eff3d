/* test - the tests of a configuration: what goes in, and what each route must get. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_TEST_H
#define ROUTE_TEST_H

#include "routefile.h"

/* filter/golden.h, with an output for each route and the default. Returns the exit status. */
int test_run(const char *folder, const struct routes *, size_t line_limit, bool write);

#endif
