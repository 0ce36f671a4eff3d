/* modes - what metlog-derive does by its options: a function each. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef DERIVE_MODES_H
#define DERIVE_MODES_H

#include "options.h"
#include "rules.h"

/* The rules of all files; NULL: there is a mistake, and it was said. */
struct rules *load_rules(const struct derive_options *);
void unload_rules(struct rules *);

/* Each takes over the filter (and closes it, if it reads), and returns the exit status. */
int derive_run(struct filter *, const struct derive_options *, struct rules **); /* exchanges the rules on SIGHUP */
int explain_run(struct filter *, const struct derive_options *, struct rules *);
int test_run(const struct filter *, const struct derive_options *, struct rules *);

#endif
