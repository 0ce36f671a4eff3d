/* field_set - finds the values of many paths of an envelope in one walk over its fields. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/field_set.h"

#include <stdlib.h>

#include "base/text.h"
#include "base/words.h"
#include "envelope/field_index.h"

/*  fields.req.method    wants the key "req.method", or else something below the key "req":  names 1 and 2
 *  fields.status        wants the key "status":                                             name 3
 *
 *  names    | - | req.method | req | status |      a hash table of them; the walk looks each key of `fields` up in it
 *  at       | 0 |      0     |  17 |   31   |      where in the index the value of that key begins: of repeated keys the last
 *
 * What is below a key, and what is not in fields at all, is found by field_find when it is asked for. */

struct slot {
	struct words words;
	const char *text;          /* in an entry's text */
	uint32_t length;
	uint32_t name;             /* 0: the slot is free */
};

struct entry {
	struct span text;          /* the path, owned */
	struct field_path path;    /* below fields, if it is one of these */
	struct field_path below;   /* without its first segment */
};

/* What a path is at work: a value, and the names that it wants. */
struct found {
	struct value value;
	uint64_t turn;             /* in which `value` was filled */
	uint32_t whole, step;      /* whole 0: it is not in fields; step 0: it is no deeper than one key */
};

enum {
	PATH_MAX_BYTES = 1 << 20,
	SLOTS_LEAST = 128,
	LOAD = 8,     /* slots for each name, at least */
	LONGER = 6,   /* times is a key with escapes longer than what it spells, at most */
};

struct field_set {
	const struct envelope *envelope;
	uint64_t turn, walked_turn; /* walked_turn: the turn whose fields `at` describes */
	struct entry *entry;
	struct found *found;        /* one for each entry */
	uint32_t count, capacity;
	struct slot *slot;          /* a hash table of the names */
	size_t slot_count;          /* a power of two */
	unsigned shift;             /* a hash becomes a slot by it */
	uint32_t *at;               /* one for each name, from 1 on */
	uint32_t names;
	size_t longest;
	struct buffer decoded;      /* a key with escapes */
};

static inline size_t slot_of(const struct field_set *s, struct words w, size_t length)
{
	return (size_t)(words_hash(w, length) >> s->shift);
}

/* The slot that holds the name, or the free one where it belongs. */
static inline struct slot *find_slot(const struct field_set *s, const char *text, size_t length)
{
	const struct words w = words_of(text, length);
	size_t i = slot_of(s, w, length);
	for (struct slot *slot; (slot = &s->slot[i])->name; i = (i + 1) & (s->slot_count - 1)) {
		if (slot->length != length || !words_equal(slot->words, w)) continue;
		if (length <= WORDS_BYTES || memcmp(slot->text, text, length) == 0) return slot;
	}
	return &s->slot[i];
}

/* --- adding --- */

struct field_set *field_set_new(void)
{
	struct field_set *s = calloc(1, sizeof *s);
	if (!s) return NULL;
	buffer_init(&s->decoded, UINT32_MAX);
	s->turn = 1;
	return s;
}

void field_set_free(struct field_set *s)
{
	if (!s) return;
	for (uint32_t i = 0; i < s->count; i++) free((void *)(uintptr_t)s->entry[i].text.data);
	buffer_release(&s->decoded);
	free(s->entry);
	free(s->found);
	free(s->slot);
	free(s->at);
	free(s);
}

static bool grow_entries(struct field_set *s)
{
	if (s->count < s->capacity) return true;
	uint32_t capacity = s->capacity ? 2 * s->capacity : 16;
	struct entry *entry = realloc(s->entry, capacity * sizeof *entry);
	if (entry) s->entry = entry;
	struct found *found = realloc(s->found, capacity * sizeof *found);
	if (found) s->found = found;
	if (!entry || !found) return false;
	s->capacity = capacity;
	return true;
}

/* Room for two more names. */
static bool grow_names(struct field_set *s)
{
	if ((s->names + 3) * (size_t)LOAD <= s->slot_count) return true;
	size_t count = s->slot_count ? 2 * s->slot_count : SLOTS_LEAST;
	uint32_t *at = realloc(s->at, count / LOAD * sizeof *at);
	if (at) s->at = at;
	struct slot *slot = calloc(count, sizeof *slot), *old = s->slot;
	if (!at || !slot) {
		free(slot);
		return false;
	}
	size_t old_count = s->slot_count;
	s->slot = slot;
	s->slot_count = count;
	s->shift = 64 - (unsigned)__builtin_ctzll(count);
	for (size_t i = 0; i < old_count; i++)
		if (old[i].name) *find_slot(s, old[i].text, old[i].length) = old[i];
	free(old);
	return true;
}

static uint32_t add_name(struct field_set *s, struct span text)
{
	struct slot *slot = find_slot(s, text.data, text.length);
	if (slot->name == 0) *slot = (struct slot){ words_of(text.data, text.length), text.data, (uint32_t)text.length, ++s->names };
	if (text.length > s->longest) s->longest = text.length;
	return slot->name;
}

static bool is_field(struct span path)
{
	return span_starts(path, SPAN("fields."));
}

/* Fills the entry's paths from its text. */
static bool split(struct entry *entry)
{
	struct span path = entry->text;
	if (is_field(path)) path = span_between(path.data + SPAN("fields.").length, path.data + path.length);
	if (!field_path_init_key(&entry->path, path)) return false;
	if (!is_field(entry->text) || entry->path.depth == 1) return true;
	return field_path_init(&entry->below, span_between(entry->path.segment[1].data, path.data + path.length));
}

static bool add_entry(struct field_set *s, struct entry *entry)
{
	if (!split(entry) || !grow_entries(s) || !grow_names(s)) return false;
	if (!buffer_reserve(&s->decoded, LONGER * entry->text.length + WORDS_PADDING)) return false;
	struct found *found = &s->found[s->count];
	*found = (struct found){ .turn = 0 };
	if (is_field(entry->text)) {
		found->whole = add_name(s, entry->path.whole);
		if (entry->path.depth > 1) found->step = add_name(s, entry->path.segment[0]);
	}
	s->entry[s->count++] = *entry;
	s->walked_turn = 0; /* it did not look for these names */
	return true;
}

bool field_set_add(struct field_set *s, struct span path, uint32_t *number)
{
	for (*number = 0; *number < s->count; ++*number)
		if (span_equal(s->entry[*number].text, path)) return true;
	if (s->count == FIELD_SET_MAX || path.length == 0 || path.length > PATH_MAX_BYTES) return false;
	char *text = calloc(1, path.length + WORDS_PADDING);
	if (!text) return false;
	memcpy(text, path.data, path.length);
	struct entry entry = { .text = { text, path.length } };
	if (add_entry(s, &entry)) return true;
	free(text);
	return false;
}

/* --- asking --- */

void field_set_walk(struct field_set *s, const struct envelope *e)
{
	s->envelope = e;
	s->turn++;
}

/* The name that a key with escapes spells, or 0. */
__attribute__((noinline)) static uint32_t name_of_escaped(struct field_set *s, struct span key)
{
	if (key.length > LONGER * s->longest) return 0;
	buffer_clear(&s->decoded);
	text_append_unescaped(&s->decoded, key);
	return find_slot(s, s->decoded.data, s->decoded.length)->name;
}

/* Notes where the value of each key that is a name begins. */
__attribute__((noinline)) static void walk(struct field_set *s)
{
	const struct envelope *e = s->envelope;
	const uint32_t *index = e->scan->index;
	const char *text = e->line.data;
	const bool escapes = e->scan->flags & SCAN_ESCAPES;
	uint32_t at = e->fields.first + 1;
	memset(s->at, 0, (s->names + 1) * sizeof *s->at);
	s->walked_turn = s->turn;
	if (e->fields.kind != VALUE_OBJECT || text[index[at]] == '}') return;
	for (;; at++) {
		struct span key = span_between(text + index[at] + 1, text + index[at + 1]);
		uint32_t value = at + 3;
		bool is_escaped = escapes && memchr(key.data, '\\', key.length);
		s->at[is_escaped ? name_of_escaped(s, key) : find_slot(s, key.data, key.length)->name] = value;
		char first = text[index[value]];
		if (first == '"') at = value + 2; /* a branch, so that the next key need not wait for this byte */
		else at = first == '{' || first == '[' ? field_value_end(e, value) : value + 1;
		if (text[index[at]] != ',') break;
	}
	s->at[0] = 0; /* all other keys were noted there */
}

/* What the path wants below a key that is there. */
static struct value find_below(const struct envelope *e, uint32_t at, const struct field_path *below)
{
	char bracket = field_token(e, at); /* field_find_in needs to know no more of it */
	struct value inside = { .kind = bracket == '{' ? VALUE_OBJECT : bracket == '[' ? VALUE_ARRAY : VALUE_ABSENT, .first = at };
	return field_find_in(e, inside, below);
}

/* All but the usual case of field_set_value, which is kept free of what a frame costs. */
__attribute__((noinline)) static void find(struct field_set *s, uint32_t number)
{
	const struct envelope *e = s->envelope;
	struct found *found = &s->found[number];
	if (found->whole == 0) {
		found->value = field_find(e, &s->entry[number].path);
		return;
	}
	if (s->walked_turn != s->turn) walk(s);
	if (s->at[found->whole]) field_put_value(e, s->at[found->whole], &found->value);
	else if (found->step && s->at[found->step]) found->value = find_below(e, s->at[found->step], &s->entry[number].below);
	else found->value = (struct value){ .text = { e->line.data, 0 } };
}

const struct value *field_set_value(struct field_set *s, uint32_t number)
{
	struct found *found = &s->found[number];
	if (found->turn == s->turn) return &found->value;
	found->turn = s->turn;
	if (s->walked_turn == s->turn && s->at[found->whole]) field_put_value(s->envelope, s->at[found->whole], &found->value); /* at[0] stays 0 */
	else find(s, number);
	return &found->value;
}
