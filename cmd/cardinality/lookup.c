/* lookup - most keys are passed over after a look at their length and first letter. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "lookup.h"

#include <stdlib.h>

#include "io/diag.h"

void lookup_init(struct lookup *l)
{
	*l = (struct lookup){ 0 };
}

void lookup_release(struct lookup *l)
{
	free(l->names);
	lookup_init(l);
}

static inline unsigned bucket_of(const char *text, size_t length)
{
	return (unsigned)(length * 5 + (unsigned char)*text) % LOOKUP_BUCKETS;
}

static void add(struct lookup *l, struct lookup_level *level, struct span text, uint32_t path, bool plain)
{
	unsigned bucket = bucket_of(text.data, text.length);
	l->names = must_resize(l->names, (l->name_count + 1) * sizeof *l->names);
	l->names[l->name_count++] = (struct lookup_name){ text, path, level->first[bucket], plain };
	level->first[bucket] = l->name_count;
	level->buckets |= (uint64_t)1 << bucket;
}

void lookup_add(struct lookup *l, const struct field_path *path, uint32_t number)
{
	bool in_fields = span_equal(path->segment[0], SPAN("fields"));
	l->members |= !in_fields;
	add(l, &l->envelope, path->whole, number, path->depth == 1);
	if (path->depth == 1) return;
	if (!in_fields) {
		add(l, &l->envelope, path->segment[0], number, false);
		return;
	}
	struct span rest = span_between(path->segment[1].data, path->whole.data + path->whole.length);
	add(l, &l->fields, rest, number, path->depth == 2);
	if (path->depth > 2) add(l, &l->fields, path->segment[1], number, false);
}

/* What a walk holds in registers. */
struct walk {
	const char *text;
	const uint32_t *index;
	bool escapes;
};

static void found(struct lookup *l, uint32_t name, const char *key, size_t length, uint32_t at)
{
	for (; name; name = l->names[name - 1].next) {
		const struct lookup_name *n = &l->names[name - 1];
		if (n->text.length != length || memcmp(n->text.data, key, length) != 0) continue;
		if (l->found_count == LOOKUP_FOUND_MAX) {
			l->all = true;
			return;
		}
		l->seen |= (uint64_t)1 << n->path % 64;
		l->found[l->found_count++] = (struct lookup_found){ n->path, at, n->plain };
	}
}

/* Looks at the key; the entry of its value is returned. */
static inline uint32_t look(struct lookup *l, const struct walk *w, const struct lookup_level *level, uint32_t at)
{
	const char *key = w->text + w->index[at] + 1;
	size_t length = w->index[at + 1] - w->index[at] - 1;
	unsigned bucket = bucket_of(key, length);
	if (level->buckets >> bucket & 1) found(l, level->first[bucket], key, length, at);
	if (w->escapes && memchr(key, '\\', length)) l->all = true; /* it may be a name after all */
	return at + 3;
}

/* The entry behind the value. */
static inline uint32_t skip(const struct walk *w, uint32_t at)
{
	unsigned depth = 0;
	char c = w->text[w->index[at]];
	if (c == '"') return at + 2;
	if (c != '{' && c != '[') return at + 1;
	do {
		c = w->text[w->index[at]];
		if (c == '"') at++;
		else if (c == '{' || c == '[') depth++;
		else if (c == '}' || c == ']') depth--;
		at++;
	} while (depth);
	return at;
}

/* The entry behind the object. */
static uint32_t walk_fields(struct lookup *l, const struct walk *w, uint32_t at)
{
	if (w->text[w->index[++at]] == '}') return at + 1;
	for (;; at++) {
		at = skip(w, look(l, w, &l->fields, at));
		if (w->text[w->index[at]] != ',') return at + 1;
	}
}

void lookup_walk(struct lookup *l, const struct envelope *e)
{
	const struct walk w = { e->line.data, e->scan->index, e->scan->flags & SCAN_ESCAPES };
	uint32_t at = 1;
	l->of = e;
	l->found_count = 0;
	l->seen = 0;
	l->all = false;
	if (w.text[w.index[at]] == '}') return;
	if (!l->members && !e->has_others) {
		if (e->fields.kind == VALUE_OBJECT) walk_fields(l, &w, e->fields.first);
		return;
	}
	for (;; at++) {
		uint32_t value = look(l, &w, &l->envelope, at);
		at = value == e->fields.first && e->fields.kind == VALUE_OBJECT ? walk_fields(l, &w, value) : skip(&w, value);
		if (w.text[w.index[at]] != ',') return;
	}
}

void lookup_hits(const struct lookup *l, uint32_t number, const struct field_path *path, struct hits *hits)
{
	hits->count = 0;
	bool plain = !l->all;
	for (uint32_t i = 0; i < l->found_count && plain; i++) plain = l->found[i].plain || l->found[i].path != number;
	if (!plain) {
		hits_find(hits, l->of, path);
		return;
	}
	for (uint32_t i = 0; i < l->found_count; i++)
		if (l->found[i].path == number) hits_add(hits, l->of, l->found[i].key);
}
