/* count - counts the different values of members of envelopes, by group. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "modes.h"

#include <stdlib.h>

#include "exact.h"
#include "io/diag.h"
#include "show.h"
#include "sketch_file.h"
#include "tally.h"

static void count_all(struct filter *filter, struct tally *tally, struct groups *groups)
{
	struct envelope envelope;
	while (filter_next(filter, &envelope)) {
		tally_envelope(tally, groups, &envelope);
		filter_booked_pass(filter);
	}
	tally_settle(tally, groups);
}

static void count_exactly(struct filter *filter, struct tally *tally, struct groups *groups)
{
	struct envelope envelope;
	struct exact exact;
	exact_init(&exact, tally->options->memory_limit);
	while (!exact.given_up && filter_next(filter, &envelope)) {
		exact_envelope(&exact, tally, groups, &envelope, filter);
		filter_booked_pass(filter);
	}
	if (exact.given_up) count_all(filter, tally, groups);
	progress_close(&filter->progress);
	uint64_t *counts = exact_counts(&exact, groups);
	show_exact_groups(filter, tally->options, groups, counts, INT64_MIN);
	free(counts);
	exact_release(&exact);
}

/* The one sketch there is, to a file and as the number that Redis will answer for it. */
static void keep_sketch(struct filter *filter, const struct cardinality_options *options, const struct groups *groups)
{
	static const struct sketch none;
	bool any = groups_count(groups) > 0;
	sketch_file_keep(filter, options, show_name(&options->of[0]), any ? groups_sketch(groups, 0, 0) : &none, any ? groups_seen(groups, 0, 0) : 0);
}

static bool was_seen(const struct groups *groups, size_t of)
{
	bool seen = groups->other[of].seen > 0;
	for (size_t i = 0; i < groups_count(groups) && !seen; i++) seen = groups_seen(groups, i, of) > 0;
	return seen;
}

/* A 0 for a member that no envelope has is most often a "fields." forgotten. */
static void warn_of_absent(const struct filter *filter, const struct cardinality_options *options, const struct groups *groups)
{
	for (size_t i = 0; i < options->of_count && filter->stats.passed; i++) {
		const struct field_path *path = &options->of[i].path;
		if (path->depth > 1 || path->member || span_equal(path->whole, SPAN("severity")) || was_seen(groups, i)) continue;
		int length = (int)path->whole.length;
		diag_warn("--of %.*s: no envelope has it; what stands in fields is written as fields.%.*s", length, path->whole.data, length, path->whole.data);
	}
}

int count_run(struct filter *filter, const struct cardinality_options *options)
{
	struct groups groups;
	struct tally tally;
	tally_init(&tally, options);
	groups_init(&groups, options->of_count, options->by_count ? options->memory_limit : UINT64_MAX);
	progress_open_silent(&filter->progress, filter->options.operands, filter->options.operand_count, filter->options.quiet);
	if (options->exact) {
		count_exactly(filter, &tally, &groups);
	} else {
		count_all(filter, &tally, &groups);
		progress_close(&filter->progress);
		if (options->sketch) keep_sketch(filter, options, &groups);
		else show_groups(filter, options, &groups, INT64_MIN);
	}
	warn_of_absent(filter, options, &groups);
	groups_release(&groups);
	tally_release(&tally);
	return filter_close(filter);
}
