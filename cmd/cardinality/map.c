/* map - counts as count does, and writes each group and its sketch as a line. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "modes.h"

#include "io/diag.h"
#include "lines.h"
#include "show.h"
#include "tally.h"

int map_run(struct filter *filter, const struct cardinality_options *options)
{
	static const struct sketch none;
	struct lines_source source[OPTIONS_FIELDS_MAX];
	struct groups groups;
	struct tally tally;
	struct envelope envelope;
	groups_init(&groups, options->of_count, options->by_count ? options->memory_limit : UINT64_MAX);
	tally_init(&tally, options);
	while (filter_next(filter, &envelope)) {
		tally_envelope(&tally, &groups, &envelope);
		filter_booked_pass(filter);
	}
	tally_settle(&tally, &groups);
	progress_close(&filter->progress);
	if (!options->by_count && !groups_merge(&groups, SPAN("{}"), 0, &none, 0)) die(EXIT_INTERNAL, "no memory for a group"); /* a count of 0 is shown, too */
	for (size_t of = 0; of < options->of_count; of++) source[of] = (struct lines_source){ show_name(&options->of[of]), &groups, of };
	lines_write(filter, source, options->of_count);
	show_warn_of_other(options, &groups);
	tally_release(&tally);
	groups_release(&groups);
	return filter_close(filter);
}
