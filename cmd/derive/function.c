/* function - the table of functions, and what is checked of a call before it is made. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/text.h"
#include "function_private.h"

static bool behind_first(size_t at)
{
	return at >= 1;
}

static bool every_second(size_t at)
{
	return at % 2 == 1;
}

/* False: it is no number that stands in the rules. */
static bool read_bound(const struct expr *e, double *bound)
{
	bool negated = e->kind == EXPR_NEGATE && e->count == 1;
	const struct expr *number = negated ? e->arg[0] : e;
	if (number->kind != EXPR_NUMBER) return false;
	*bound = negated ? -number->number : number->number;
	return true;
}

static const char *check_step(const struct expr *call)
{
	double before = 0, bound;
	if (call->count % 2) return "step takes words and numbers in turn, and a word at the end: step(v, low, 10, high)";
	for (size_t i = 1; i < call->count; i += 2)
		if (call->arg[i]->kind != EXPR_TEXT) return "step takes words and numbers in turn: step(v, low, 10, high)";
	for (size_t i = 2; i < call->count; i += 2) {
		if (!read_bound(call->arg[i], &bound)) return "step takes words and numbers in turn: step(v, low, 10, high)";
		if (i > 2 && bound <= before) return "the numbers of step have to grow";
		before = bound;
	}
	return NULL;
}

static const struct function functions[] = {
	{ "tag", 1, 1, NULL, NULL, function_tag },
	{ "tagpath", 1, 1, NULL, NULL, function_tagpath },
	{ "lower", 1, 1, NULL, NULL, function_lower },
	{ "upper", 1, 1, NULL, NULL, function_upper },
	{ "default", 2, SIZE_MAX, NULL, NULL, function_default },
	{ "omit", 2, SIZE_MAX, behind_first, NULL, function_omit },
	{ "keep", 2, SIZE_MAX, behind_first, NULL, function_keep },
	{ "bucket", 3, SIZE_MAX, behind_first, NULL, function_bucket },
	{ "step", 4, SIZE_MAX, every_second, check_step, function_step },
	{ "equal", 3, 4, NULL, NULL, function_equal },
	{ "round", 1, 1, NULL, NULL, function_round },
	{ "floor", 1, 1, NULL, NULL, function_floor },
	{ "ceil", 1, 1, NULL, NULL, function_ceil },
	{ "abs", 1, 1, NULL, NULL, function_abs },
	{ "min", 2, SIZE_MAX, NULL, NULL, function_min },
	{ "max", 2, SIZE_MAX, NULL, NULL, function_max },
	{ "text", 1, 1, NULL, NULL, function_make_text },
	{ "number", 1, 1, NULL, NULL, function_make_number },
};

enum { FUNCTION_COUNT = sizeof functions / sizeof *functions };

const struct function *function_find(struct span name)
{
	for (size_t i = 0; i < FUNCTION_COUNT; i++)
		if (span_equal(span_of(functions[i].name), name)) return &functions[i];
	return NULL;
}

const char *function_guess(struct span name)
{
	const char *best = NULL;
	size_t least = name.length < 4 ? 2 : 3; /* one edit of a short name, two of a longer one */
	for (size_t i = 0; i < FUNCTION_COUNT; i++) {
		size_t edits = text_edits(span_of(functions[i].name), name);
		if (edits < least) least = edits, best = functions[i].name;
	}
	return best;
}
