/* batch - three rounds that only fetch, and one that adds. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "batch.h"

static struct span text_of(const struct batch *b, const struct batch_item *item)
{
	return (struct span){ b->text + item->text, item->length };
}

static void fetch(const struct batch *b, const struct groups *groups)
{
	uint64_t hash[BATCH_ITEMS];
	size_t number[BATCH_ITEMS];
	for (size_t i = 0; i < b->count; i++) {
		hash[i] = table_hash(&groups->table, text_of(b, &b->item[i]));
		table_fetch_slot(&groups->table, hash[i]);
	}
	for (size_t i = 0; i < b->count; i++) number[i] = table_fetch_entry(&groups->table, hash[i]);
	for (size_t i = 0; i < b->count; i++) {
		if (number[i] == TABLE_NONE) continue;
		table_fetch_key(&groups->table, number[i]);
		sketch_fetch(groups_sketch(groups, number[i], b->item[i].of), b->item[i].hash);
	}
}

bool batch_settle(struct batch *b, struct groups *groups)
{
	bool done = true;
	fetch(b, groups);
	for (size_t i = 0; i < b->count && done; i++) done = groups_add(groups, text_of(b, &b->item[i]), b->item[i].of, b->item[i].hash);
	b->count = b->text_length = 0;
	return done;
}

bool batch_add(struct batch *b, struct groups *groups, struct span group, size_t of, uint64_t hash)
{
	if (b->count == BATCH_ITEMS || group.length > BATCH_TEXT_MAX - b->text_length) {
		if (!batch_settle(b, groups)) return false;
	}
	if (group.length > BATCH_TEXT_MAX) return groups_add(groups, group, of, hash);
	memcpy(b->text + b->text_length, group.data, group.length);
	b->item[b->count++] = (struct batch_item){ b->text_length, group.length, of, hash };
	b->text_length += group.length;
	return true;
}
