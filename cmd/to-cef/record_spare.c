/* record_spare - values for which the dictionary has no key: into custom keys that nobody has used. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "record_private.h"

#include "base/number.h"

/* A kind of custom keys: in the dictionary each stands with its label behind it, so the next is two further. */
struct family { struct span first; size_t count; };
static const struct family strings = { { "cs1", 3 }, 6 }, integers = { { "cn1", 3 }, 3 }, floats = { { "cfp1", 4 }, 4 }, addresses = { { "c6a1", 4 }, 4 };

static const struct dictionary_key *free_key(const struct record *r, const struct family *family)
{
	size_t first = dictionary_find(family->first)->number;
	for (size_t number = first; number < first + 2 * family->count; number += 2)
		if (!record_bit(r->has, number) && !record_bit(r->has, number + 1)) return dictionary_at(number);
	return NULL;
}

bool record_put_spare(struct record *r, struct span label, struct span value, bool is_number)
{
	int64_t integer;
	double number;
	const struct dictionary_key *key = NULL;
	if (cef_trimmed(value).length == 0) return true;
	if (r->pair_count + 2 > CEF_PAIRS_MAX) return false;
	if (is_number && number_parse_int(value, &integer)) key = free_key(r, &integers);
	else if (is_number && number_parse_double(value, &number)) key = free_key(r, &floats);
	if (!key) key = free_key(r, &strings);
	if (!key) return false;
	record_put_labelled(r, key, cef_trimmed(label).length ? label : SPAN("unnamed"), value);
	if (!record_has(r, key)) return false;
	record_bit_set(r->lent, key->number);
	record_bit_set(r->lent, key->number + 1u);
	return true;
}

static const struct family *family_of(size_t number)
{
	static const struct family *const families[] = { &strings, &integers, &floats, &addresses };
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		size_t first = dictionary_find(families[i]->first)->number;
		if (number >= first && number < first + 2 * families[i]->count) return families[i];
	}
	return NULL;
}

static void remove_pair(struct record *r, size_t index)
{
	struct record_pair *pair = &r->pair[index];
	/* The first pair has no blank before it; without it the next one's goes. */
	uint32_t from = pair->start, to = index == 0 && r->pair_count > 1 ? pair[1].key : pair->end;
	memmove(r->line.data + from, r->line.data + to, r->line.length - to);
	r->line.length -= to - from;
	record_bit_clear(r->has, pair->number);
	memmove(pair, pair + 1, (--r->pair_count - index) * sizeof *pair);
	for (size_t i = index; i < r->pair_count; i++) {
		r->pair[i].start = i == 0 ? from : r->pair[i].start - (to - from);
		r->pair[i].key -= to - from;
		r->pair[i].value -= to - from;
		r->pair[i].end -= to - from;
	}
}

void record_give_way(struct record *r, size_t number)
{
	const struct family *family = family_of(number);
	size_t first = dictionary_find(family->first)->number, key = number - (number - first) % 2;
	const struct dictionary_key *other = free_key(r, family);
	for (size_t i = r->pair_count; i-- > 0;) {
		struct record_pair *pair = &r->pair[i];
		if (pair->number != key && pair->number != key + 1) continue;
		if (!other) {
			remove_pair(r, i);
			continue;
		}
		/* The names differ in one digit only. */
		size_t moved = other->number + (pair->number - key), digit = family->first.length - 1;
		r->line.data[pair->key + digit] = other->name.data[digit];
		pair->number = (uint16_t)moved;
		record_bit_set(r->has, moved);
		record_bit_set(r->lent, moved);
	}
	for (size_t i = key; i < key + 2; i++) record_bit_clear(r->has, i), record_bit_clear(r->lent, i);
	if (!other) r->tally.omitted++;
}
