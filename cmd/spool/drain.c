/* drain - gives sealed segments, oldest first, to a command until it says that they are delivered. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "verbs.h"

#include "io/diag.h"

int drain_run(struct filter *f, const struct verb_options *options)
{
	(void)f;
	(void)options;
	die(EXIT_INTERNAL, "drain: not built yet");
}
