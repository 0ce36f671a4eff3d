/* modes - the uses of metlog-cardinality: each is called once with the filter open and the options read, and returns the exit status. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_MODES_H
#define CARDINALITY_MODES_H

#include "filter/filter.h"
#include "options.h"

/* Each ends with filter_close. */
int count_run(struct filter *, const struct cardinality_options *);    /* also --exact and --sketch */
int map_run(struct filter *, const struct cardinality_options *);
int reduce_run(struct filter *, const struct cardinality_options *);
int merge_run(struct filter *, const struct cardinality_options *);
int users_run(struct filter *, const struct cardinality_options *);
int report_run(struct filter *, const struct cardinality_options *);
int guard_run(struct filter *, const struct cardinality_options *);

#endif
