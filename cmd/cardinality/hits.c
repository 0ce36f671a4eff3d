/* hits - goes every way that a path can be taken, where envelope/field goes the best one. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "hits.h"

#include <stdlib.h>

#include "base/number.h"
#include "io/diag.h"

void hits_release(struct hits *h)
{
	free(h->hit);
	*h = (struct hits){ 0 };
}

struct edit_place hit_place(const struct envelope *e, const struct hit *hit)
{
	const uint32_t *index = e->scan->index;
	struct edit_place place = { .pair = index[hit->pair], .value = index[hit->value.first] };
	place.end = place.value + (uint32_t)hit->value.text.length + (hit->value.kind == VALUE_STRING ? 2 : 0); /* its quotes */
	place.before = e->line.data[index[hit->pair - 1]] == ',' ? index[hit->pair - 1] : EDIT_NONE;
	place.after = hit->next ? index[hit->next - 1] : EDIT_NONE;
	return place;
}

static struct hit *add(struct hits *h)
{
	if (h->count == h->capacity) {
		h->capacity = h->capacity ? h->capacity * 2 : 8;
		h->hit = must_resize(h->hit, h->capacity * sizeof *h->hit);
	}
	return &h->hit[h->count++];
}

void hits_add(struct hits *h, const struct envelope *e, uint32_t at)
{
	struct field_walk walk = { e, at };
	struct hit *hit = add(h);
	struct value key;
	field_next(&walk, &key, &hit->value);
	hit->pair = at;
	hit->next = walk.at;
	hit->element = false;
}

/* All of the path from segment `from` on, as one name. */
static struct span rest_of(const struct field_path *path, size_t from)
{
	return span_between(path->segment[from].data, path->whole.data + path->whole.length);
}

static void find_in(struct hits *h, const struct envelope *e, struct value value, const struct field_path *path, size_t from);

static void find_in_object(struct hits *h, const struct envelope *e, struct value object, const struct field_path *path, size_t from)
{
	struct field_walk walk = field_walk(e, object);
	struct span rest = rest_of(path, from);
	struct value key, value;
	bool last = from + 1 == path->depth;
	while (field_next(&walk, &key, &value)) {
		if (field_equals(key, rest)) *add(h) = (struct hit){ value, key.first, walk.at, false };
		else if (!last && field_equals(key, path->segment[from])) find_in(h, e, value, path, from + 1);
	}
}

static void find_in_array(struct hits *h, const struct envelope *e, struct value array, const struct field_path *path, size_t from)
{
	struct field_walk walk = field_walk_array(e, array);
	struct value element;
	int64_t wanted;
	if (!number_parse_int(path->segment[from], &wanted) || wanted < 0) return;
	for (int64_t i = 0; field_next_element(&walk, &element); i++) {
		if (i < wanted) continue;
		if (from + 1 == path->depth) *add(h) = (struct hit){ element, element.first, walk.at, true };
		else find_in(h, e, element, path, from + 1);
		return;
	}
}

static void find_in(struct hits *h, const struct envelope *e, struct value value, const struct field_path *path, size_t from)
{
	if (value.kind == VALUE_OBJECT) find_in_object(h, e, value, path, from);
	else if (value.kind == VALUE_ARRAY) find_in_array(h, e, value, path, from);
}

void hits_find(struct hits *h, const struct envelope *e, const struct field_path *path)
{
	h->count = 0;
	find_in_object(h, e, (struct value){ .kind = VALUE_OBJECT, .first = 0 }, path, 0);
}
