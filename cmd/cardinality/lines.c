/* lines - all groups on their way to another run, as lines sorted by key. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "lines.h"

#include <stdlib.h>

#include "group.h"
#include "io/diag.h"
#include "line.h"

/* A line to come: 8 bytes, for there may be millions. */
struct entry { uint32_t source, group; };

enum { ENTRY_OTHER = UINT32_MAX };

static struct span entry_group(const struct lines_source *source, const struct entry *e)
{
	return e->group == ENTRY_OTHER ? (struct span){ 0 } : groups_key(source[e->source].groups, e->group);
}

static int compare_entries(const void *a, const void *b, void *context)
{
	const struct lines_source *source = context;
	const struct entry *left = a, *right = b;
	return line_compare_keys(source[left->source].of, entry_group(source, left), source[right->source].of, entry_group(source, right));
}

/* Lines may come from where nobody has counted how many values there were: a sketch of some, and none seen. */
static bool has_line(const struct groups *g, size_t i, size_t of)
{
	return groups_seen(g, i, of) || groups_sketch(g, i, of)->length || span_equal(groups_key(g, i), SPAN("{}"));
}

static struct entry *sorted_entries(const struct lines_source *source, size_t count, size_t *entry_count)
{
	size_t most = 0, n = 0;
	for (size_t s = 0; s < count; s++) most += groups_count(source[s].groups) + 1;
	struct entry *entry = must_alloc(most * sizeof *entry);
	for (uint32_t s = 0; s < count; s++) {
		const struct groups *g = source[s].groups;
		for (uint32_t i = 0; i < groups_count(g); i++)
			if (has_line(g, i, source[s].index)) entry[n++] = (struct entry){ s, i };
		if (g->other[source[s].index].seen || g->other[source[s].index].sketch.length) entry[n++] = (struct entry){ s, ENTRY_OTHER };
	}
	qsort_r(entry, n, sizeof *entry, compare_entries, (void *)source);
	*entry_count = n;
	return entry;
}

void lines_write(struct filter *filter, const struct lines_source *source, size_t count)
{
	size_t entry_count;
	struct entry *entry = sorted_entries(source, count, &entry_count);
	struct buffer text;
	buffer_init(&text, 2 * GROUP_MAX + 4 * SKETCH_DENSE);
	for (size_t i = 0; i < entry_count; i++) {
		const struct lines_source *s = &source[entry[i].source];
		uint32_t group = entry[i].group;
		bool other = group == ENTRY_OTHER;
		buffer_clear(&text);
		if (!line_append(&text, s->of, entry_group(source, &entry[i]), other ? &s->groups->other[s->index].sketch : groups_sketch(s->groups, group, s->index),
		                 other ? s->groups->other[s->index].seen : groups_seen(s->groups, group, s->index)))
			die(EXIT_INTERNAL, "no memory for a line");
		if (!writer_line(&filter->out, buffer_span(&text))) filter_flush(filter);
	}
	buffer_release(&text);
	free(entry);
}
