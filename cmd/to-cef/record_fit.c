/* record_fit - a line that is too long, made shorter where that hurts least. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "record_private.h"

#include "base/number.h"

enum { KEPT = 64 }; /* bytes that each value keeps, as long as there is another one to cut */

/* The end of the value if it had `length` bytes at most: not inside a character, nor an escape, nor behind a blank. */
static uint32_t end_at(const char *line, const struct record_pair *pair, size_t length)
{
	const char *value = line + pair->value, *end = value + length;
	while (end > value && ((unsigned char)*end & 0xc0) == 0x80) end--;
	const char *p = end;
	while (p > value && p[-1] == '\\') p--;
	if ((end - p) % 2) end--;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t')) end--;
	return (uint32_t)(end - line);
}

/* Cuts the longest value of the kind, and the next, until `excess` bytes have gone; what is left of them. Ends are moved, bytes not yet. */
static size_t cut_longest(struct record *r, enum record_cutting cutting, size_t excess)
{
	while (excess) {
		struct record_pair *longest = NULL;
		for (size_t i = 0; i < r->pair_count; i++) {
			struct record_pair *pair = &r->pair[i];
			if (pair->cutting == cutting && (!longest || pair->end - pair->value > longest->end - longest->value)) longest = pair;
		}
		if (!longest || longest->end - longest->value <= KEPT) return excess;
		size_t length = longest->end - longest->value, gone = length - KEPT < excess ? length - KEPT : excess;
		uint32_t end = end_at(r->line.data, longest, length - gone);
		gone = longest->end - end;
		longest->end = end;
		excess -= gone < excess ? gone : excess;
	}
	return 0;
}

/* The pair before it is the label of this one. */
static bool has_label_before(const struct record *r, size_t index)
{
	const struct record_pair *pair = &r->pair[index];
	return index > 0 && pair->number != RECORD_NO_NUMBER && dictionary_at(pair->number)->label.length && pair[-1].number == pair->number + 1;
}

static size_t drop_last(struct record *r)
{
	size_t index = r->pair_count - 1, first = has_label_before(r, index) ? index - 1 : index, gone = 0;
	for (; r->pair_count > first; r->pair_count--) gone += r->pair[r->pair_count - 1].end - r->pair[r->pair_count - 1].start;
	return gone;
}

static bool is_empty(const struct record_pair *pair) { return pair->end == pair->value; }

/* Moves what is kept together. A value of which nothing is left (it began with many blanks) goes with its key and label; a label of which nothing is left takes its value with it. */
static void close_gaps(struct record *r, size_t header_length)
{
	uint32_t at = (uint32_t)header_length, before = at;
	for (size_t i = 0; i < r->pair_count; i++) {
		const struct record_pair *pair = &r->pair[i];
		bool has_label = has_label_before(r, i), without_label = has_label && is_empty(pair - 1);
		if (is_empty(pair) || without_label) {
			if (has_label && !without_label) at = before;
			continue;
		}
		before = at;
		uint32_t from = at == header_length ? pair->key : pair->start, length = pair->end - from;
		memmove(r->line.data + at, r->line.data + from, length);
		at += length;
	}
	r->line.length = at;
}

bool record_fit(struct record *r)
{
	static const struct span label = { "cs6Label=truncated cs6=", 23 };
	const struct dictionary_key *cs6 = dictionary_find(SPAN("cs6"));
	bool marked = !record_bit(r->has, cs6->number) && !record_bit(r->has, cs6->number + 1u) && r->pair_count + 2 <= CEF_PAIRS_MAX;
	char was[NUMBER_INT_MAX];
	size_t was_length = number_print_int(was, (int64_t)r->line.length), mark = marked ? 1 + label.length + was_length : 0;
	size_t header_length = r->pair_count ? r->pair[0].start : r->line.length, excess = r->line.length + mark - r->rules.max_bytes;
	r->tally.truncated++;
	excess = cut_longest(r, RECORD_CUT_FIRST, excess);
	excess = cut_longest(r, RECORD_CUT_NEXT, excess);
	size_t gone = 0;
	while (excess > mark + gone && r->pair_count) gone += drop_last(r);
	if (excess > mark + gone) return false;
	close_gaps(r, header_length);
	if (!marked || r->line.length + mark > r->rules.max_bytes) return true;
	if (r->line.length > header_length) buffer_append_byte(&r->line, ' ');
	buffer_append_span(&r->line, label);
	buffer_append(&r->line, was, was_length);
	return !r->line.failed;
}
