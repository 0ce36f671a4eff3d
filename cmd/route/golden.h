/* golden - tests of a configuration kept as plain files: what goes in, and what each route must get. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_GOLDEN_H
#define ROUTE_GOLDEN_H

#include "routefile.h"

/* For each NAME.in in the folder: its lines go through the routes, and what each route gets must be what NAME.ROUTE.out holds, byte for byte; a
 * route without that file must get nothing. Says "ok" or "FAILED" with the differing lines, on standard output. `write`: makes the .out files instead.
 * Returns the exit status: 0, EXIT_NEGATIVE if anything differs, 66 if a file cannot be read or there is no test. */
int golden_run(const char *folder, const struct routes *, size_t line_limit, bool write);

#endif
