/* metlog-cardinality - counts how many different values there are, and keeps those in bounds that explode. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "cardinality/modes.h"
#include "io/diag.h"

static const struct tool_about about = {
	.name = "metlog-cardinality",
	.usage = "[FILE...]",
	.summary = "Count different values: users by HyperLogLog, and tags about to explode",
	.examples =
		"  metlog-cardinality --of fields.ip --by type day.ndjson\n"
		"  metlog-cardinality --of fields.ip --by key=fields.api_key --ip --now now \\\n"
		"      --name locate.user --interval 1d,7d --state /var/lib/metlog/users |\n"
		"      metlog-to-statsd --tags dogstatsd\n"
		"  metlog-cardinality --report --html report.html day.ndjson\n"
		"  metlog-cardinality --guard --rule 'tag fields.region limit 50 -> other'\n",
	.uses = USES_INPUT | USES_MATCH | USES_TIMES | USES_ZONE | USES_OUTPUT | USES_COLOR,
	.options = cardinality_option_rows,
	.parse = cardinality_option_parse,
};

int main(int argc, char **argv)
{
	static struct filter filter;
	static struct cardinality_options options;
	cardinality_options_init(&options);
	filter_open(&filter, &about, argc, argv, &options);
	cardinality_options_complete(&options, &filter.options);
	switch (options.mode) {
	case MODE_COUNT: return count_run(&filter, &options);
	case MODE_USERS: return users_run(&filter, &options);
	case MODE_MAP: return map_run(&filter, &options);
	case MODE_REDUCE: return reduce_run(&filter, &options);
	case MODE_MERGE: return merge_run(&filter, &options);
	case MODE_REPORT: return report_run(&filter, &options);
	case MODE_GUARD: return guard_run(&filter, &options);
	}
	return EXIT_INTERNAL;
}
