/* reduce - reads lines of group and sketch, and counts their union. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "modes.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "group.h"
#include "groups.h"
#include "io/diag.h"
#include "line.h"
#include "lines.h"
#include "show.h"

/* One name of --of that lines came with: which there are is known only from them. */
struct part {
	struct span of;             /* owned; still escaped */
	struct groups groups;
};

struct reduce {
	const struct cardinality_options *options;
	struct part part[OPTIONS_FIELDS_MAX];
	size_t part_count, last;
	struct line line;           /* the line read last, and its sketch */
	struct sketch sketch;
	struct buffer group, regrouped, text;
	char reason[200];
};

/* "fields.key" and "key" both mean the member that goes by the name "key" in the lines. */
static bool append_member(struct reduce *r, struct buffer *out, const struct cardinality_field *by)
{
	struct span name, value, wanted = by->path.segment[by->path.depth - 1];
	buffer_clear(&r->text);
	text_append_escaped(&r->text, wanted);
	for (size_t at = 0; group_next(r->line.group, &at, &name, &value);) {
		if (!span_equal(name, buffer_span(&r->text))) continue;
		text_append_quoted(out, by->name);
		buffer_append_byte(out, ':');
		if (!value.data) return buffer_append_text(out, "null");
		buffer_append_byte(out, '"');
		buffer_append_span(out, value);
		return buffer_append_byte(out, '"');
	}
	return false;
}

/* --by with --reduce: the group of fewer members that the line's group is in. */
static const char *regroup(struct reduce *r)
{
	const struct cardinality_options *o = r->options;
	if (!o->by_count || !r->line.group.length) return NULL;
	buffer_clear(&r->regrouped);
	buffer_append_byte(&r->regrouped, '{');
	for (size_t i = 0; i < o->by_count; i++) {
		if (i) buffer_append_byte(&r->regrouped, ',');
		if (append_member(r, &r->regrouped, &o->by[i])) continue;
		if (r->regrouped.failed) return SKETCH_NO_MEMORY;
		struct span wanted = o->by[i].path.segment[o->by[i].path.depth - 1];
		snprintf(r->reason, sizeof r->reason, "its group has no '%.*s' (--by)", (int)(wanted.length < 100 ? wanted.length : 100), wanted.data);
		return r->reason;
	}
	buffer_append_byte(&r->regrouped, '}');
	r->line.group = buffer_span(&r->regrouped);
	return r->regrouped.failed ? SKETCH_NO_MEMORY : NULL;
}

static struct part *find_part(struct reduce *r)
{
	struct span of = r->line.of;
	for (size_t n = 0; n < r->part_count; n++) {
		size_t i = (r->last + n) % r->part_count;
		if (!span_equal(of, r->part[i].of)) continue;
		r->last = i;
		return &r->part[i];
	}
	return NULL;
}

static struct part *make_part(struct reduce *r)
{
	struct part *p = &r->part[r->part_count];
	p->of = (struct span){ must_copy(r->line.of), r->line.of.length };
	groups_init(&p->groups, 1, 0);
	r->last = r->part_count++;
	return p;
}

/* The envelope that a line is: what the group has are its fields, so that -m can choose among groups. */
static enum translated translate(void *context, struct span text, struct buffer *out, struct envelope_fault *fault)
{
	struct reduce *r = context;
	sketch_release(&r->sketch);
	const char *reason = line_parse(&r->line, &r->sketch, &r->group, text);
	size_t column = reason ? r->line.column : 0;
	if (!reason) reason = regroup(r);
	if (!reason && !find_part(r) && r->part_count == OPTIONS_FIELDS_MAX) reason = "more different names of what is counted than --of can have";
	if (reason == SKETCH_NO_MEMORY) die(EXIT_INTERNAL, "no memory for a line of %zu bytes", text.length);
	*fault = (struct envelope_fault){ reason, column };
	if (reason) return TRANSLATED_BAD;
	buffer_append_text(out, "{\"type\":\"metlog.sketch\",\"fields\":");
	buffer_append(out, text.data, (size_t)((const char *)memchr(text.data, '\t', text.length) - text.data));
	buffer_append_byte(out, '}');
	return TRANSLATED_GOOD;
}

/* All parts together have the memory that one run would have; what one run counts without --by is not bounded there either. */
static uint64_t memory_left(const struct reduce *r, const struct part *p)
{
	uint64_t left = r->options->memory_limit;
	if (span_equal(r->line.group, SPAN("{}"))) return UINT64_MAX;
	for (size_t i = 0; i < r->part_count; i++) {
		uint64_t taken = &r->part[i] == p ? 0 : groups_memory(&r->part[i].groups);
		left -= taken < left ? taken : left;
	}
	return left;
}

static void merge_line(struct reduce *r)
{
	struct part *p = find_part(r);
	if (!p) p = make_part(r);
	p->groups.memory_limit = memory_left(r, p);
	if (!groups_merge(&p->groups, r->line.group, 0, &r->sketch, r->line.seen)) die(EXIT_INTERNAL, "no memory for one more group");
}

/* Lines may come from where nobody has counted how many values there were. */
static struct show_row row_of(const struct part *p, struct span group, const struct sketch *sketch, uint64_t seen)
{
	uint64_t count = sketch_count(sketch);
	bool known = seen || !count;
	return (struct show_row){ .of = p->of, .group = group, .count = count, .seen = known ? seen : SHOW_UNKNOWN, .error = (float)sketch_error(sketch) };
}

static size_t append_rows(struct show_row *row, const struct part *p)
{
	const struct groups *g = &p->groups;
	size_t n = 0;
	for (size_t i = 0; i < groups_count(g); i++) {
		uint64_t seen = groups_seen(g, i, 0);
		struct span group = groups_key(g, i);
		const struct sketch *sketch = groups_sketch(g, i, 0);
		if (seen || sketch->length || span_equal(group, SPAN("{}"))) row[n++] = row_of(p, group, sketch, seen);
	}
	if (groups_has_other(g)) row[n++] = row_of(p, (struct span){ 0 }, &g->other[0].sketch, g->other[0].seen);
	return n;
}

/* The members by which the lines were counted, for the group other, which does not say them. */
static void find_members(struct cardinality_options *shown, const struct groups *groups)
{
	struct span name, value;
	if (shown->by_count || !groups_count(groups)) return;
	for (size_t at = 0; shown->by_count < OPTIONS_FIELDS_MAX && group_next(groups_key(groups, 0), &at, &name, &value);)
		shown->by[shown->by_count++].label = (struct span){ name.data - 2, name.length + 4 }; /* ,"NAME": but for the first comma */
}

static void show(struct filter *filter, struct reduce *r)
{
	struct cardinality_options *shown = must_alloc(sizeof *shown);
	size_t most = 1, n = 0;
	*shown = *r->options;
	for (size_t i = 0; i < r->part_count; i++) most += groups_count(&r->part[i].groups) + 1;
	struct show_row *row = must_alloc(most * sizeof *row);
	for (size_t i = 0; i < r->part_count; i++) {
		n += append_rows(row + n, &r->part[i]);
		find_members(shown, &r->part[i].groups);
		show_warn_of_other(r->options, &r->part[i].groups);
	}
	show_rows(filter, shown, row, n, INT64_MIN);
	free(row);
	free(shown);
}

static void write_lines(struct filter *filter, struct reduce *r)
{
	struct lines_source source[OPTIONS_FIELDS_MAX];
	for (size_t i = 0; i < r->part_count; i++)
		source[i] = (struct lines_source){ r->part[i].of, &r->part[i].groups, 0 };
	lines_write(filter, source, r->part_count);
}

static void release(struct reduce *r)
{
	for (size_t i = 0; i < r->part_count; i++) {
		groups_release(&r->part[i].groups);
		free((char *)r->part[i].of.data);
	}
	sketch_release(&r->sketch);
	buffer_release(&r->group);
	buffer_release(&r->regrouped);
	buffer_release(&r->text);
	free(r);
}

int reduce_run(struct filter *filter, const struct cardinality_options *options)
{
	struct reduce *r = must_alloc(sizeof *r);
	struct envelope envelope;
	r->options = options;
	buffer_init(&r->group, GROUP_MAX);
	buffer_init(&r->regrouped, GROUP_MAX);
	buffer_init(&r->text, GROUP_MAX);
	filter->translate = translate;
	filter->translate_context = r;
	while (filter_next(filter, &envelope)) {
		merge_line(r);
		filter_booked_pass(filter);
	}
	progress_close(&filter->progress);
	if (options->lines) write_lines(filter, r);
	else show(filter, r);
	release(r);
	return filter_close(filter);
}
