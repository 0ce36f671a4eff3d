/* rows - what metlog-to-mozlog does with --flatten and --bigquery-schema. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_MOZLOG_ROWS_H
#define TO_MOZLOG_ROWS_H

#include "filter/filter.h"
#include "options.h"

/* Takes all of the input: writes a row for each envelope, or with `schema` the columns of all of them at the end. To be followed by filter_close. */
void rows_run(struct filter *, const struct to_mozlog_options *);

#endif
