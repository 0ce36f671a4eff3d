/* merge - the union of sketches that are files. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "modes.h"

#include <stdlib.h>

#include "io/diag.h"
#include "sketch_file.h"
#include "show.h"

/* All are read first and united at once, for the bytes of a union of many are those of one PFMERGE, and not of one for each. */
int merge_run(struct filter *filter, const struct cardinality_options *options)
{
	const struct tool_options *tool = &filter->options;
	const char *const input = "-";
	size_t count = tool->operand_count ? (size_t)tool->operand_count : 1;
	struct sketch all = { 0 }, *files = calloc(count, sizeof *files);
	bool good = true;
	if (!files) die(EXIT_INTERNAL, "%zu sketches: no memory", count);
	for (size_t i = 0; i < count; i++) {
		int status = sketch_file_read(&files[i], tool->operand_count ? tool->operands[i] : input);
		if (status) filter_fail(filter, status), good = false; /* every bad one is told */
		if (status == EXIT_LATER) break;
	}
	if (good) {
		if (!sketch_merge_all(&all, files, count)) die(EXIT_INTERNAL, "the union of %zu sketches: no memory", count);
		sketch_file_keep(filter, options, SPAN("union"), &all, SHOW_UNKNOWN);
	}
	for (size_t i = 0; i < count; i++) sketch_release(&files[i]);
	sketch_release(&all);
	free(files);
	return filter_close(filter);
}
