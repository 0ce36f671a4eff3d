/* metlog-derive - makes metrics of structured logs, by rules. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "derive/modes.h"
#include "io/diag.h"

static const struct tool_about about = {
	.name = "metlog-derive",
	.usage = "--rules FILE [FILE...]",
	.summary = "Make metrics of structured logs, by rules",
	.examples =
		"  metlog-derive --rules metrics.rules requests.ndjson |\n"
		"      metlog-to-statsd --tags dogstatsd\n"
		"  metlog-derive --rules metrics.rules --tee | metlog-route -c route.conf\n"
		"  metlog-derive --rules metrics.rules --explain - sample.ndjson\n"
		"  metlog-derive --rules metrics.rules --test tests/\n",
	.uses = USES_INPUT | USES_MATCH | USES_TIMES | USES_ZONE | USES_OUTPUT | USES_COLOR,
	.options = derive_option_rows,
	.parse = derive_option_parse,
};

int main(int argc, char **argv)
{
	static struct filter filter;
	static struct derive_options options;
	int status = EXIT_DONE;
	derive_options_init(&options);
	filter_open(&filter, &about, argc, argv, &options);
	derive_options_complete(&options, &filter.options);
	struct rules *rules = load_rules(&options);
	if (!rules) return EXIT_CONFIGURATION;
	if (options.check) diag_note(1, "%zu block%s, %zu metric%s: good", rules->block_count, rules->block_count == 1 ? "" : "s", rules->metric_count, rules->metric_count == 1 ? "" : "s");
	else if (options.explain) status = explain_run(&filter, &options, rules);
	else if (options.test) status = test_run(&filter, &options, rules);
	else status = derive_run(&filter, &options, &rules);
	unload_rules(rules);
	return status;
}
