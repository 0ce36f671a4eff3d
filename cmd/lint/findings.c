/* findings - keeps what was found, bounded whatever the input holds. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "findings.h"

#include <stdlib.h>

#include "io/diag.h"

enum { KEY_BYTES = FINDINGS_MAX * (3 * FINDINGS_TEXT_MAX + 8) };

void findings_init(struct findings *f)
{
	*f = (struct findings){ 0 };
	table_init(&f->table, FINDINGS_MAX, KEY_BYTES, sizeof(struct finding *));
	buffer_init(&f->key, 4096);
}

static struct finding *at(const struct findings *f, size_t i)
{
	return *(struct finding **)table_value(&f->table, i);
}

void findings_release(struct findings *f)
{
	for (size_t i = 0; i < f->table.count; i++) {
		struct finding *one = at(f, i);
		free((char *)one->name.data);
		free((char *)one->tag.data);
		free((char *)one->value.data);
		free((char *)one->more.data);
		free((char *)one->source);
		free(one);
	}
	table_release(&f->table);
	buffer_release(&f->key);
}

/* At most FINDINGS_TEXT_MAX bytes, and no half of a character. */
static struct span cut(struct span s)
{
	if (s.length <= FINDINGS_TEXT_MAX) return s;
	s.length = FINDINGS_TEXT_MAX;
	while (s.length && ((unsigned char)s.data[s.length] & 0xC0) == 0x80) s.length--;
	return s;
}

/* The lengths keep one text from being taken for the end of another. */
static struct span key_of(struct findings *f, const struct finding *one)
{
	struct buffer *key = &f->key;
	buffer_clear(key);
	buffer_append_byte(key, (char)one->kind);
	buffer_append_byte(key, (char)one->type);
	buffer_append_byte(key, (char)one->others);
	buffer_append_byte(key, (char)one->name.length);
	buffer_append_byte(key, (char)one->tag.length);
	buffer_append_span(key, one->name);
	buffer_append_span(key, one->tag);
	if (one->kind != FINDING_MANY) buffer_append_span(key, one->value); /* there is no end of them */
	if (key->failed) die(EXIT_INTERNAL, "no memory for findings");
	return buffer_span(key);
}

static struct span copy(struct span s)
{
	return s.length ? (struct span){ must_copy(s), s.length } : (struct span){ 0 };
}

static struct finding **find(struct findings *f, struct finding *one)
{
	struct finding **kept = table_find(&f->table, key_of(f, one));
	uint32_t *told = one->kind == FINDING_NAME ? &f->names : one->told, most = one->kind == FINDING_NAME ? FINDINGS_NAMES_MAX : FINDINGS_TOLD_MAX;
	if (kept || !told) return kept;
	if (*told < most) {
		++*told;
		return NULL;
	}
	one->others = true;
	one->more = (struct span){ 0 };
	if (one->kind == FINDING_NAME) one->name = one->more;
	else if (one->kind == FINDING_TAG) one->tag = one->more;
	else one->value = one->more;
	return table_find(&f->table, key_of(f, one));
}

bool findings_repeats(struct findings *f, struct finding *one)
{
	one->name = cut(one->name);
	one->tag = cut(one->tag);
	one->value = cut(one->value);
	f->count++;
	struct finding **kept = find(f, one);
	if (kept) (*kept)->count++;
	return kept;
}

const struct finding *findings_add(struct findings *f, const struct finding *found)
{
	bool fresh;
	if (f->table.count == FINDINGS_MAX) {
		f->left_out++;
		return NULL;
	}
	struct finding **kept = table_put(&f->table, key_of(f, found), &fresh), *one;
	if (!kept) die(EXIT_INTERNAL, "no memory for findings");
	one = *kept = must_alloc(sizeof **kept);
	*one = (struct finding){ .kind = found->kind, .type = found->type, .line = found->line, .others = found->others, .count = 1 };
	one->name = copy(found->name);
	one->tag = copy(found->tag);
	one->value = copy(found->value);
	one->more = copy(cut(found->more));
	one->source = must_copy(span_of(found->source));
	return one;
}

struct ranked { const struct finding *finding; size_t number; };

static int compare(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;
	if (a->finding->count != b->finding->count) return a->finding->count < b->finding->count ? 1 : -1;
	return a->number < b->number ? -1 : 1;
}

const struct finding **findings_sorted(const struct findings *f)
{
	size_t count = f->table.count;
	struct ranked *ranked = must_alloc((count + 1) * sizeof *ranked);
	const struct finding **sorted = must_alloc((count + 1) * sizeof *sorted);
	for (size_t i = 0; i < count; i++) ranked[i] = (struct ranked){ at(f, i), i };
	qsort(ranked, count, sizeof *ranked, compare);
	for (size_t i = 0; i < count; i++) sorted[i] = ranked[i].finding;
	free(ranked);
	return sorted;
}
