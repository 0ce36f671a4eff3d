/* oracle - compares what became of a flood with what it was. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "oracle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "envelope/field.h"
#include "io/diag.h"

/* A set of numbers, as bits. */
struct numbers {
	uint64_t *words;
	size_t capacity;
	uint64_t highest;
};

enum { EXAMPLES_MAX = 8, EXAMPLES_TEXT = EXAMPLES_MAX * 48 };
static const uint64_t number_limit = UINT64_C(1) << 33; /* a bitmap of 1 GiB */

/* The first numbers of which something is to be said, as ranges. */
struct examples {
	char text[EXAMPLES_TEXT];
	size_t length;
	uint64_t first, last;
	unsigned ranges;
};

struct oracle {
	const struct flood_options *options;
	struct plan plan;
	struct filter *filter;
	struct numbers seen, acknowledged;
	struct field_path id_path;
	struct buffer expected;
	uint64_t lines, duplicates, altered, foreign, malformed, disordered;
	struct examples altered_examples, missing_examples;
};

static bool contains(const struct numbers *n, uint64_t number)
{
	return number / 64 < n->capacity && (n->words[number / 64] >> number % 64 & 1);
}

static void put(struct numbers *n, uint64_t number)
{
	if (number / 64 >= n->capacity) {
		size_t capacity = n->capacity ? n->capacity : 1024;
		while (number / 64 >= capacity) capacity *= 2;
		n->words = must_resize(n->words, capacity * sizeof *n->words);
		memset(n->words + n->capacity, 0, (capacity - n->capacity) * sizeof *n->words);
		n->capacity = capacity;
	}
	n->words[number / 64] |= UINT64_C(1) << number % 64;
	if (number > n->highest) n->highest = number;
}

static void examples_end_range(struct examples *e)
{
	char range[64] = ", ...";
	if (!e->first || e->ranges > EXAMPLES_MAX) return;
	if (++e->ranges <= EXAMPLES_MAX) {
		if (e->first == e->last) snprintf(range, sizeof range, "%s%" PRIu64, e->ranges > 1 ? ", " : "  ", e->first);
		else snprintf(range, sizeof range, "%s%" PRIu64 "-%" PRIu64, e->ranges > 1 ? ", " : "  ", e->first, e->last);
	}
	int written = snprintf(e->text + e->length, sizeof e->text - e->length, "%s", range);
	e->length += (size_t)written < sizeof e->text - e->length ? (size_t)written : 0;
	e->first = 0;
}

static void examples_add(struct examples *e, uint64_t number)
{
	if (e->first && number == e->last + 1) {
		e->last = number;
		return;
	}
	examples_end_range(e);
	e->first = e->last = number;
}

/* The number in fields.id; 0: it is none of ours. */
static uint64_t number_of(struct oracle *o, const struct envelope *envelope)
{
	struct value id = field_find(envelope, &o->id_path);
	size_t prefix = strlen(o->options->plan.prefix);
	int64_t number;
	if (id.kind != VALUE_STRING || id.text.length < prefix + 2 || memcmp(id.text.data, o->options->plan.prefix, prefix) != 0 || id.text.data[prefix] != '-') return 0;
	struct span digits = { id.text.data + prefix + 1, id.text.length - prefix - 1 };
	if (!number_parse_int(digits, &number) || number < 1 || digits.data[0] == '0') return 0;
	return (uint64_t)number <= o->options->count && (uint64_t)number < number_limit ? (uint64_t)number : 0;
}

/* Of a live run nobody knows the timestamps: there the payload has to be right. */
static bool is_as_made(struct oracle *o, const struct envelope *envelope, uint64_t number)
{
	buffer_clear(&o->expected);
	plan_envelope(&o->plan, number, &o->expected);
	if (o->expected.failed) die(EXIT_INTERNAL, "no memory for an envelope");
	return span_equal(o->options->live ? envelope->payload.text : envelope->line, buffer_span(o->options->live ? &o->plan.maker.payload : &o->expected));
}

static bool is_of_acknowledged(const struct oracle *o, const char *source)
{
	return o->options->acknowledged && source == o->options->acknowledged;
}

static void look_at(struct oracle *o, const struct envelope *envelope)
{
	uint64_t number = number_of(o, envelope);
	if (is_of_acknowledged(o, o->filter->reader.name)) {
		if (number) put(&o->acknowledged, number);
		return;
	}
	o->lines++;
	if (!number) {
		o->foreign++;
		return;
	}
	if (!is_as_made(o, envelope, number)) {
		o->altered++;
		examples_add(&o->altered_examples, number);
	}
	if (contains(&o->seen, number)) o->duplicates++;
	else {
		o->disordered += number < o->seen.highest;
		put(&o->seen, number);
	}
}

static void count_malformed(void *context, const struct reject *reject)
{
	struct oracle *o = context;
	if (is_of_acknowledged(o, reject->source)) return; /* cut by the end of who wrote it: it was not acknowledged */
	o->lines++;
	o->malformed++;
}

static uint64_t count_missing(struct oracle *o)
{
	uint64_t missing = 0, last = o->options->count == UINT64_MAX ? o->seen.highest : o->options->count;
	if (o->options->acknowledged) last = o->acknowledged.highest;
	for (uint64_t number = 1; number <= last; number++) {
		if (contains(&o->seen, number) || (o->options->acknowledged && !contains(&o->acknowledged, number))) continue;
		missing++;
		examples_add(&o->missing_examples, number);
	}
	examples_end_range(&o->missing_examples);
	examples_end_range(&o->altered_examples);
	return missing;
}

static uint64_t count_set(const struct numbers *n)
{
	uint64_t count = 0;
	for (size_t i = 0; i < n->capacity; i++) count += (uint64_t)__builtin_popcountll(n->words[i]);
	return count;
}

static void row(struct oracle *o, const char *name, uint64_t value, const char *note)
{
	char line[80 + EXAMPLES_TEXT];
	int length = snprintf(line, sizeof line, "%-13s%12" PRIu64 "%s\n", name, value, note);
	writer_bytes(&o->filter->out, (struct span){ line, (size_t)length });
}

/* How many lines of the other sorts went out with the envelopes. */
static void replay_plan(struct oracle *o)
{
	bool endless = o->options->count == UINT64_MAX;
	uint64_t number, last = endless ? o->seen.highest : o->options->count;
	while (o->plan.envelopes < last) plan_next(&o->plan, &number);
	/* One that was stopped may have gone on up to the next envelope. */
	for (struct plan ahead = o->plan; endless && plan_next(&ahead, &number) != PLAN_ENVELOPE;) o->plan = ahead;
}

static void report(struct oracle *o)
{
	uint64_t missing = count_missing(o);
	replay_plan(o);
	row(o, "issued", o->plan.envelopes, "");
	if (o->options->plan.repeats) row(o, " repeated", o->plan.repeats, "");
	if (o->options->plan.malformed) row(o, " malformed", o->plan.malformed, "");
	if (o->options->acknowledged) row(o, "acknowledged", count_set(&o->acknowledged), "");
	row(o, "lines", o->lines, "");
	row(o, "seen", count_set(&o->seen), "");
	row(o, "missing", missing, o->missing_examples.text);
	row(o, "altered", o->altered, o->altered_examples.text);
	row(o, "duplicates", o->duplicates, "");
	row(o, "out of order", o->disordered, "");
	row(o, "malformed", o->malformed, "");
	row(o, "foreign", o->foreign, "");
	if (missing || o->altered || o->malformed > o->plan.malformed || (o->options->in_order && o->disordered) ||
		(o->duplicates > o->plan.repeats && o->duplicates - o->plan.repeats > o->options->allow_duplicates))
		filter_fail(o->filter, EXIT_NEGATIVE);
}

/* The acknowledged ones are read first. */
static void add_acknowledged(struct tool_options *options, const char *path)
{
	static char standard_input[] = "-";
	int count = options->operand_count ? options->operand_count : 1;
	char **operands = must_alloc((size_t)(count + 1) * sizeof *operands);
	operands[0] = (char *)(uintptr_t)path;
	operands[1] = standard_input;
	for (int i = 0; i < options->operand_count; i++) operands[i + 1] = options->operands[i];
	options->operands = operands;
	options->operand_count = count + 1;
}

void oracle_run(struct filter *filter, const struct flood_options *options)
{
	struct oracle o = { .options = options, .filter = filter };
	struct envelope envelope;
	plan_init(&o.plan, &options->plan);
	buffer_init(&o.expected, SIZE_MAX / 2);
	field_path_init(&o.id_path, SPAN("fields.id"));
	filter->on_reject = count_malformed;
	filter->on_reject_context = &o;
	filter->rejects.shown = true;
	/* Whatever was made has to be read. */
	if (filter->reader.line_limit < options->plan.payload_most * 2 + MAKER_REST_MAX) filter->reader.line_limit = options->plan.payload_most * 2 + MAKER_REST_MAX;
	if (options->acknowledged) add_acknowledged(&filter->options, options->acknowledged);
	while (filter_next(filter, &envelope)) {
		look_at(&o, &envelope);
		filter_booked_pass(filter);
	}
	filter->rejects.count = 0; /* they stand in the table */
	report(&o);
	if (options->acknowledged) free(filter->options.operands);
	free(o.seen.words);
	free(o.acknowledged.words);
	buffer_release(&o.expected);
	plan_release(&o.plan);
}
