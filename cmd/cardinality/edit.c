/* edit - which comma goes with a pair that is taken out is known only when all are: the one behind it, or, of the last ones of an object, that before them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "edit.h"

#include <stdlib.h>

#include "base/text.h"
#include "io/diag.h"

void edits_init(struct edits *e, size_t limit_bytes)
{
	*e = (struct edits){ 0 };
	buffer_init(&e->made, limit_bytes);
}

void edits_release(struct edits *e)
{
	free(e->edit);
	buffer_release(&e->made);
}

void edits_clear(struct edits *e)
{
	e->count = 0;
	buffer_clear(&e->made);
}

static struct edit *add(struct edits *e, const struct edit_place *place)
{
	if (e->count == e->capacity) {
		e->capacity = e->capacity ? e->capacity * 2 : 16;
		e->edit = must_resize(e->edit, e->capacity * sizeof *e->edit);
	}
	e->edit[e->count] = (struct edit){ .place = *place, .from = (uint32_t)e->made.length };
	return &e->edit[e->count++];
}

static void finish(struct edits *e, struct edit *edit)
{
	edit->length = (uint32_t)(e->made.length - edit->from);
	if (e->made.no_memory) die(EXIT_INTERNAL, "no memory for the edits of a line");
}

void edits_replace(struct edits *e, const struct edit_place *place, struct span text)
{
	struct edit *edit = add(e, place);
	text_append_quoted(&e->made, text);
	finish(e, edit);
}

void edits_replace_null(struct edits *e, const struct edit_place *place)
{
	struct edit *edit = add(e, place);
	buffer_append_text(&e->made, "null");
	finish(e, edit);
}

void edits_drop(struct edits *e, const struct edit_place *place)
{
	add(e, place)->drop = true;
}

static int by_place(const void *a, const void *b)
{
	const struct edit *one = a, *other = b;
	return (one->place.pair > other->place.pair) - (one->place.pair < other->place.pair);
}

/* The usual few are put in their places by hand; many, which only a line made to be costly has, by qsort. */
void edits_sort(struct edits *e)
{
	enum { FEW = 16 };
	if (e->count > FEW) {
		qsort(e->edit, e->count, sizeof *e->edit, by_place);
		return;
	}
	for (size_t i = 1, at; i < e->count; i++) {
		struct edit one = e->edit[i];
		for (at = i; at && by_place(&e->edit[at - 1], &one) > 0; at--) e->edit[at] = e->edit[at - 1];
		e->edit[at] = one;
	}
}

bool edits_touch(const struct edits *e, const struct edit_place *place, size_t *at)
{
	while (*at < e->count && e->edit[*at].place.end <= place->pair) ++*at;
	return *at < e->count && e->edit[*at].place.pair < place->end;
}

/* The comma before the last ones of an object goes if all behind it go: each of them but the last takes the one behind itself. */
static void settle_commas(struct edits *e)
{
	for (size_t i = 0; i < e->count; i++) {
		struct edit *first = &e->edit[i];
		if (!first->drop) continue;
		if (first->place.after != EDIT_NONE) continue;
		while (first > e->edit && first[-1].drop && first[-1].place.after != EDIT_NONE && first[-1].place.after == first->place.before) first--;
		if (first->place.before != EDIT_NONE) first->place.pair = first->place.before;
	}
}

bool edits_apply(struct edits *e, struct span line, struct buffer *out)
{
	size_t at = 0;
	if (e->made.failed) return false;
	settle_commas(e);
	for (size_t i = 0; i < e->count; i++) {
		const struct edit *edit = &e->edit[i];
		const struct edit_place *place = &edit->place;
		size_t from = edit->drop ? place->pair : place->value;
		buffer_append(out, line.data + at, from - at);
		if (!edit->drop) buffer_append(out, e->made.data + edit->from, edit->length);
		at = edit->drop && place->after != EDIT_NONE ? place->after + 1 : place->end;
	}
	buffer_append(out, line.data + at, line.length - at);
	return !out->failed;
}
