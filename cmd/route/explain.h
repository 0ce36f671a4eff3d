/* explain - says of each envelope which routes take it, and at the end how often each route did. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_EXPLAIN_H
#define ROUTE_EXPLAIN_H

#include "filter/filter.h"
#include "routefile.h"

/* Reads all input of the filter; nothing is delivered and no command is started. One line an envelope on standard output,
 *     -:12: counter syncstorage -> metrics, everything
 * and with -v the routes that were tried in vain behind it; then a table of all routes. Returns the exit status. */
int explain_run(struct filter *, const struct routes *);

#endif
