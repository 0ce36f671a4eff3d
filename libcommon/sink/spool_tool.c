/* spool_tool - the options of a spool's writer on a command line. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool_tool.h"

bool spool_tool_parse(int key, const char *arg, struct spool_options *options)
{
	static const struct argp_option rows[] = { SPOOL_TOOL_ROWS(0), { 0 } };
	const char *reason;
	for (const struct argp_option *row = rows; row->name; row++)
		if (row->key == key) {
			if (!spool_option(options, span_of(row->name), span_of(arg), &reason)) tool_usage_error("--%s '%s': %s", row->name, arg, reason);
			return true;
		}
	return false;
}
