/* exact - one table for the values of all groups: a table each would cost more than most groups have values. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "exact.h"

#include <inttypes.h>

#include "io/diag.h"

enum { NUMBER_BYTES = 4, VALUE_MAX = 1 << 30 };

void exact_init(struct exact *x, uint64_t memory_limit)
{
	*x = (struct exact){ .memory_limit = memory_limit };
	table_init(&x->values, SIZE_MAX, SIZE_MAX / 2, 0);
	buffer_init(&x->key, VALUE_MAX);
}

void exact_release(struct exact *x)
{
	table_release(&x->values);
	buffer_release(&x->key);
}

/* Whether there is room for one value more, in whatever group, with all that it could bring about. */
static bool has_room(const struct exact *x, const struct groups *groups, size_t group_length)
{
	uint64_t counts = (groups_count(groups) + 1) * groups->of_count * sizeof(uint64_t);
	uint64_t more = table_growth(&groups->table, group_length) + SKETCH_DENSE + table_growth(&x->values, x->key.length);
	return groups_memory(groups) + table_memory(&x->values) + counts + more <= x->memory_limit;
}

static void give_up(struct exact *x, const struct filter *filter)
{
	diag_warn("--exact: --max-memory is reached with %zu values, at line %" PRIu64 " of %s: the counts are estimates where they are not marked exact", x->values.count, filter->line, filter->reader.name);
	x->given_up = true;
	table_release(&x->values);
}

static void keep(struct exact *x, const struct groups *groups, size_t of)
{
	bool fresh;
	uint32_t number = (uint32_t)(groups_last(groups) * groups->of_count + of);
	memcpy(x->key.data, &number, NUMBER_BYTES);
	if (!table_put(&x->values, buffer_span(&x->key), &fresh)) die(EXIT_INTERNAL, "--exact: no memory for value %zu", x->values.count + 1);
}

void exact_envelope(struct exact *x, struct tally *t, struct groups *groups, const struct envelope *envelope, const struct filter *filter)
{
	struct span text, group = { 0 };
	for (size_t of = 0; of < groups->of_count && !x->given_up; of++) {
		if (!tally_value(t, envelope, of, &text)) continue;
		buffer_clear(&x->key);
		buffer_append(&x->key, "    ", NUMBER_BYTES);
		if (!buffer_append_span(&x->key, text)) die(EXIT_INTERNAL, "--exact: no memory for a value of %zu bytes", text.length);
		uint64_t hash = sketch_hash(text);
		if (!group.length) group = tally_group(t, envelope);
		if (!has_room(x, groups, group.length)) give_up(x, filter);
		tally_add(groups, group, of, hash);
		if (!x->given_up) keep(x, groups, of);
		else tally_rest(t, groups, envelope, of + 1);
	}
}

uint64_t *exact_counts(const struct exact *x, const struct groups *groups)
{
	if (x->given_up) return NULL;
	uint64_t *counts = must_alloc(groups_count(groups) * groups->of_count * sizeof *counts + 1);
	for (size_t i = 0; i < x->values.count; i++) {
		uint32_t number;
		memcpy(&number, table_key(&x->values, i).data, NUMBER_BYTES);
		counts[number]++;
	}
	return counts;
}
