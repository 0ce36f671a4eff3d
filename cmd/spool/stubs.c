/* stubs - verbs that stand here until their own files do. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "verbs.h"

#include "io/diag.h"

int write_run(struct filter *f, const struct verb_options *options)
{
	(void)f, (void)options;
	die(EXIT_INTERNAL, "write: not built yet");
}
