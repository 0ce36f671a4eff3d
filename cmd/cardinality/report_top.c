/* report_top - Space-Saving, with the least counter found by a hand that goes round. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "report_top.h"

#include <stdlib.h>

enum { STRIDE_FIRST = 24, CAPACITY_FIRST = 2 };

void top_release(struct top *t)
{
	free(t->counter);
	free(t->text);
	*t = (struct top){ 0 };
}

size_t top_memory(const struct top *t)
{
	return t->capacity * (sizeof *t->counter + t->stride);
}

static bool grow(struct top *t)
{
	uint32_t capacity = t->capacity ? t->capacity * 2 : CAPACITY_FIRST, stride = t->stride ? t->stride : STRIDE_FIRST;
	struct top_counter *counter = realloc(t->counter, capacity * sizeof *counter);
	if (!counter) return false;
	t->counter = counter;
	char *text = realloc(t->text, (size_t)capacity * stride);
	if (!text) return false;
	t->text = text;
	t->capacity = capacity;
	t->stride = stride;
	return true;
}

/* Room for longer texts. */
static bool widen(struct top *t, size_t length)
{
	uint32_t stride = t->stride;
	while (stride < length) stride *= 2;
	if (stride > TOP_TEXT_MAX) stride = TOP_TEXT_MAX;
	char *text = malloc((size_t)t->capacity * stride);
	if (!text) return false;
	for (uint32_t i = 0; i < t->used; i++) memcpy(text + (size_t)i * stride, t->text + (size_t)i * t->stride, t->counter[i].length);
	free(t->text);
	t->text = text;
	t->stride = stride;
	return true;
}

/* How much of a text is shown: all of it, or whole characters with room for the ellipsis. */
static size_t shown_length(struct span text)
{
	static const size_t ellipsis = 3;
	if (text.length <= TOP_TEXT_MAX) return text.length;
	size_t length = TOP_TEXT_MAX - ellipsis;
	while (length && ((unsigned char)text.data[length] & 0xc0) == 0x80) length--;
	return length;
}

static bool put_text(struct top *t, uint32_t i, struct span text)
{
	size_t length = shown_length(text);
	bool cut = length < text.length;
	if (length + (cut ? 3 : 0) > t->stride && !widen(t, length + (cut ? 3 : 0))) return false;
	char *at = t->text + (size_t)i * t->stride;
	if (length) memcpy(at, text.data, length);
	if (cut) memcpy(at + length, "\xe2\x80\xa6", 3);
	t->counter[i].length = (uint8_t)(length + (cut ? 3 : 0));
	return true;
}

static void unlink_counter(struct top *t, uint32_t i)
{
	uint8_t *link = &t->head[t->counter[i].hash % TOP_COUNTERS];
	while (*link != i + 1) link = &t->counter[*link - 1].next;
	*link = t->counter[i].next;
}

static void link_counter(struct top *t, uint32_t i)
{
	uint8_t *head = &t->head[t->counter[i].hash % TOP_COUNTERS];
	t->counter[i].next = *head;
	*head = (uint8_t)(i + 1);
}

/* A counter that has the least count. One round finds all that have it, so a turn costs little where many values come once. */
static uint32_t find_least(struct top *t)
{
	for (;;) {
		for (; t->cursor < t->used; t->cursor++)
			if (t->counter[t->cursor].count == t->least) return t->cursor++;
		t->least = UINT64_MAX;
		t->cursor = 0;
		for (uint32_t i = 0; i < t->used; i++)
			if (t->counter[i].count < t->least) t->least = t->counter[i].count;
	}
}

bool top_put(struct top *t, uint64_t hash, struct span text)
{
	if (t->used < TOP_COUNTERS) {
		if (t->used == t->capacity && !grow(t)) return false;
		t->counter[t->used] = (struct top_counter){ .hash = hash, .count = 1 };
		if (!put_text(t, t->used, text)) return false;
		link_counter(t, t->used++);
		return true;
	}
	uint32_t i = find_least(t);
	if (!put_text(t, i, text)) return false;
	unlink_counter(t, i);
	t->counter[i].hash = hash;
	t->counter[i].over = t->counter[i].count++;
	link_counter(t, i);
	return true;
}

bool top_merge(struct top *into, const struct top *from)
{
	for (uint32_t i = 0; i < from->used; i++) {
		const struct top_counter *c = &from->counter[i];
		struct top_counter *there = top_find(into, c->hash);
		if (!there) {
			if (!top_put(into, c->hash, (struct span){ from->text + (size_t)i * from->stride, c->length })) return false;
			there = top_find(into, c->hash);
			there->count--;
		}
		there->count += c->count;
		there->over += c->over;
	}
	return true;
}

static int by_count(const void *a, const void *b)
{
	const struct report_top *x = a, *y = b;
	if (x->count != y->count) return x->count > y->count ? -1 : 1;
	return span_compare(x->text, y->text);
}

size_t top_finish(struct top *t, struct report_top *out, size_t most)
{
	struct report_top all[TOP_COUNTERS];
	for (uint32_t i = 0; i < t->used; i++)
		all[i] = (struct report_top){ { t->text + (size_t)i * t->stride, t->counter[i].length }, t->counter[i].count, t->counter[i].over };
	qsort(all, t->used, sizeof *all, by_count);
	if (most > t->used) most = t->used;
	if (most) memcpy(out, all, most * sizeof *all);
	return most;
}
