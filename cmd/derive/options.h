/* options - the command line of metlog-derive. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef DERIVE_OPTIONS_H
#define DERIVE_OPTIONS_H

#include "filter/filter.h"

enum { OPTIONS_RULES_MAX = 100 };

struct derive_options {
	const char *rules[OPTIONS_RULES_MAX];
	size_t rules_count;
	bool tee, check, update;
	const char *explain, *test;  /* NULL: not given */
	uint64_t seed;
};

extern const struct argp_option derive_option_rows[];
error_t derive_option_parse(int key, char *arg, struct argp_state *);
void derive_options_init(struct derive_options *);
void derive_options_complete(const struct derive_options *, const struct tool_options *); /* what they say together: a usage error, or nothing */

#endif
