/* state_union - the sketches of each group over several days, united as the lines of the days pass. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "state_private.h"

#include <stdlib.h>

struct state_union {
	struct state_reader *reader;   /* one a day; each stands at a line that was not given out yet */
	size_t count;
	struct buffer group;
	bool is_other;
	struct sketch sketch;
};

struct state_union *state_union_open(struct state *s, int64_t from, int64_t to)
{
	struct state_union *u = must_alloc(sizeof *u);
	u->reader = must_alloc((s->count + 1) * sizeof *u->reader);
	buffer_init(&u->group, SIZE_MAX / 2);
	for (size_t i = 0; i < s->count; i++) {
		if (s->entry[i].day < from || s->entry[i].day > to) continue;
		state_reader_open(&u->reader[u->count], s, &s->entry[i]);
		state_reader_next(&u->reader[u->count++]);
	}
	return u;
}

static int compare(const struct state_reader *a, const struct state_reader *b)
{
	return line_compare_keys(SPAN(""), a->line.group, SPAN(""), b->line.group);
}

static const struct state_reader *first(const struct state_union *u)
{
	const struct state_reader *least = NULL;
	for (size_t i = 0; i < u->count; i++)
		if (u->reader[i].live && (!least || compare(&u->reader[i], least) < 0)) least = &u->reader[i];
	return least;
}

bool state_union_next(struct state_union *u, struct span *group, const struct sketch **sketch)
{
	const struct state_reader *least = first(u);
	sketch_release(&u->sketch);
	buffer_clear(&u->group);
	if (!least) return false;
	/* Its own buffers are of the next line as soon as it moves on. */
	buffer_append_span(&u->group, least->line.group);
	*group = buffer_span(&u->group);
	if (!least->line.group.length) group->length = 0;
	bool good = !u->group.failed;
	for (size_t i = 0; i < u->count && good; i++) {
		struct state_reader *r = &u->reader[i];
		if (!r->live || line_compare_keys(SPAN(""), r->line.group, SPAN(""), *group) != 0) continue;
		good = sketch_merge(&u->sketch, &r->sketch);
		state_reader_next(r);
	}
	if (!good) die(EXIT_INTERNAL, "no memory for a sketch");
	*sketch = &u->sketch;
	return true;
}

void state_union_close(struct state_union *u)
{
	for (size_t i = 0; i < u->count; i++) state_reader_close(&u->reader[i]);
	buffer_release(&u->group);
	sketch_release(&u->sketch);
	free(u->reader);
	free(u);
}
