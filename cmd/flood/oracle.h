/* oracle - compares what became of a flood with what it was. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef FLOOD_ORACLE_H
#define FLOOD_ORACLE_H

#include "filter/filter.h"
#include "options.h"

/* Reads the FILEs or standard input, prints a table to standard output, and books EXIT_NEGATIVE with the filter if something is missing, altered, or
 * there too often. Memory: two bits for each envelope. */
void oracle_run(struct filter *, const struct flood_options *);

#endif
