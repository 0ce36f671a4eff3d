/* groups - a table of cells; memory is reckoned by what malloc takes for each sketch, and by what of the table is in use. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "groups.h"

static const uint64_t GROUPS_FOLDED = UINT64_MAX;

enum { SHOWN = 64 }; /* bytes that sorting and showing a count takes at the end (show.c) */

void groups_init(struct groups *g, size_t of_count, uint64_t memory_limit)
{
	*g = (struct groups){ .of_count = of_count, .memory_limit = memory_limit };
	table_init(&g->table, SIZE_MAX, SIZE_MAX / 2, of_count * sizeof(struct groups_cell));
}

static void release_cells(struct groups_cell *cells, size_t count)
{
	for (size_t of = 0; of < count; of++) sketch_release(&cells[of].sketch);
}

void groups_release(struct groups *g)
{
	for (size_t i = 0; i < g->table.count; i++) release_cells(table_value(&g->table, i), g->of_count);
	release_cells(g->other, g->of_count);
	sketch_release(&g->lost);
	table_release(&g->table);
	g->last_group = (struct span){ 0 };
	g->last_cells = NULL;
}

/* What malloc takes for a sketch: glibc's own word, in steps of 16, 32 at least. */
static uint64_t memory_of(const struct sketch *s)
{
	uint64_t taken = ((uint64_t)s->capacity + 8 + 15) & ~(uint64_t)15;
	return s->capacity == 0 ? 0 : taken < 32 ? 32 : taken;
}

uint64_t groups_memory(const struct groups *g)
{
	return table_memory(&g->table) + g->sketch_memory + g->table.count * g->of_count * SHOWN;
}

static bool is_folded(const struct groups_cell *cells)
{
	return cells[0].seen == GROUPS_FOLDED;
}

/* A group of two bytes is {}: that one is not even looked at. */
static inline bool is_last(const struct groups *g, struct span group)
{
	return group.length == g->last_group.length && group.length && (group.length == 2 || span_equal(group, g->last_group));
}

/* The cells of the group, made if there is room; *found false: they are those of `other`. NULL: no memory. */
static struct groups_cell *find(struct groups *g, struct span group, bool *found)
{
	bool fresh;
	struct groups_cell *cells;
	*found = false;
	if (!group.length) return g->other;
	/* Once a group had no room none is made any more, for that one may come again when others have left room: it would be shown with a part of its values. */
	if ((!g->full || g->memory_limit == UINT64_MAX) && groups_memory(g) + table_growth(&g->table, group.length) + g->of_count * SHOWN <= g->memory_limit) {
		cells = table_put(&g->table, group, &fresh);
		if (!cells) return NULL;
	} else {
		cells = table_find(&g->table, group);
		g->full |= !cells;
		if (!cells) return sketch_add(&g->lost, sketch_hash(group)) ? g->other : NULL;
	}
	if (is_folded(cells)) return g->other;
	g->last_cells = cells;
	g->last_group = table_key(&g->table, groups_last(g));
	*found = true;
	return cells;
}

/* Lines that were made elsewhere may say any number up to 2^63 - 1: two of them are not to pass for few, nor for the mark of a folded group. */
static uint64_t sum_of(uint64_t seen, uint64_t more)
{
	return more < INT64_MAX - seen ? seen + more : INT64_MAX;
}

/* The group found last, into `other`. */
static bool fold(struct groups *g)
{
	struct groups_cell *cells = g->last_cells;
	for (size_t of = 0; of < g->of_count; of++) {
		if (!sketch_merge(&g->other[of].sketch, &cells[of].sketch)) return false;
		g->other[of].seen = sum_of(g->other[of].seen, cells[of].seen);
		g->sketch_memory -= memory_of(&cells[of].sketch);
		sketch_release(&cells[of].sketch);
		cells[of].seen = 0;
	}
	cells[0].seen = GROUPS_FOLDED;
	g->folded++;
	bool done = sketch_add(&g->lost, sketch_hash(g->last_group));
	g->last_group = (struct span){ 0 };
	return done;
}

/* After a sketch of the group found last has changed. */
static bool grown(struct groups *g, uint64_t before, const struct sketch *s)
{
	g->sketch_memory += memory_of(s) - before;
	return groups_memory(g) <= g->memory_limit || fold(g);
}

bool groups_add(struct groups *g, struct span group, size_t of, uint64_t hash)
{
	bool found = is_last(g, group);
	struct groups_cell *cells = found ? g->last_cells : find(g, group, &found);
	if (!cells) return false;
	struct sketch *s = &cells[of].sketch;
	uint16_t capacity = s->capacity;
	struct sketch before = { .capacity = capacity };
	if (!sketch_add(s, hash)) return false;
	cells[of].seen++;
	return s->capacity == capacity || !found || grown(g, memory_of(&before), s);
}

bool groups_merge(struct groups *g, struct span group, size_t of, const struct sketch *from, uint64_t seen)
{
	bool found = is_last(g, group);
	struct groups_cell *cells = found ? g->last_cells : find(g, group, &found);
	if (!cells) return false;
	struct sketch *s = &cells[of].sketch;
	uint64_t before = memory_of(s);
	if (!sketch_merge(s, from)) return false;
	cells[of].seen = sum_of(cells[of].seen, seen);
	return !found || grown(g, before, s);
}

size_t groups_last(const struct groups *g)
{
	return (size_t)((const char *)g->last_cells - g->table.values) / g->table.value_size;
}

size_t groups_count(const struct groups *g)
{
	return g->table.count;
}

struct span groups_key(const struct groups *g, size_t i)
{
	return table_key(&g->table, i);
}

static const struct groups_cell *cells_at(const struct groups *g, size_t i)
{
	return table_value(&g->table, i);
}

bool groups_is_folded(const struct groups *g, size_t i)
{
	return is_folded(cells_at(g, i));
}

const struct sketch *groups_sketch(const struct groups *g, size_t i, size_t of)
{
	return &cells_at(g, i)[of].sketch;
}

uint64_t groups_seen(const struct groups *g, size_t i, size_t of)
{
	return groups_is_folded(g, i) ? 0 : cells_at(g, i)[of].seen;
}

bool groups_has_other(const struct groups *g)
{
	for (size_t of = 0; of < g->of_count; of++)
		if (g->other[of].seen || g->other[of].sketch.length) return true;
	return false;
}

size_t groups_kept(const struct groups *g)
{
	return g->table.count - g->folded;
}

uint64_t groups_lost(const struct groups *g)
{
	return sketch_count(&g->lost);
}
