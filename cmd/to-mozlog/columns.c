/* columns - a tree of columns, and a table that leads from a record and a key to those that the key has become. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "columns.h"

#include <stdlib.h>

#include "base/table.h"
#include "base/text.h"
#include "base/words.h"
#include "column_name.h"
#include "io/diag.h"

enum {
	SLOTS_MAX = 2 * COLUMNS_MAX,
	KEYS_LIMIT = 1 << 26,
	TEXT_LIMIT = 1 << 27,
	SCRATCH_LIMIT = 1 << 30,
	SAID_MOST = 10,
};
#define OWN 0x80000000u /* in the record of a slot that is no key's */

struct slot {
	uint64_t note;
	uint32_t column[2][SHAPE_COUNT]; /* + 1; not repeated and repeated */
	bool any;
};

/* The table takes any key that anybody thinks of, safely; but most lines have those of the lines before. Here stands the slot of the last key with that hash. */
struct known {
	struct words words;
	uint32_t length, record, slot;   /* slot + 1; 0: none yet */
};
enum { KNOWN_BITS = 12 };

struct columns {
	bool flat;
	struct table slots;              /* record and key -> struct slot */
	struct known known[1 << KNOWN_BITS];
	struct table taken;
	struct column *column;
	uint32_t count, capacity, paths; /* paths: those of `count` that are no columns */
	struct buffer text, key, name, path;
	uint64_t split;
};

static const char *const shape_words[2][SHAPE_COUNT] = {
	{ "string", "integer", "float", "boolean", "record", "json" },
	{ "strings", "integers", "floats", "booleans", "records", "jsons" },
};

static void check(bool done)
{
	if (!done) die(EXIT_INTERNAL, "keeping BigQuery's columns: out of memory");
}

static uint32_t add(struct columns *c, uint32_t record, enum column_shape shape)
{
	if (c->count == c->capacity) {
		c->capacity = c->capacity ? 2 * c->capacity : 64;
		c->column = must_resize(c->column, c->capacity * sizeof *c->column);
	}
	uint32_t number = c->count++;
	c->column[number] = (struct column){ .record = record, .slot = COLUMNS_NONE, .shape = (uint8_t)shape };
	if (number == COLUMNS_ROOT) return number;
	struct column *in = &c->column[record];
	c->column[number].depth = (uint8_t)(in->depth + 1);
	if (in->first) c->column[in->last].next = number;
	else in->first = number;
	in->last = number;
	return number;
}

static void give_name(struct columns *c, uint32_t number, struct span name)
{
	c->column[number].name = (uint32_t)c->text.length;
	c->column[number].name_length = (uint32_t)name.length + 3;
	buffer_append_byte(&c->text, '"');
	buffer_append_span(&c->text, name);
	check(buffer_append(&c->text, "\":", 2) && buffer_reserve(&c->text, COLUMNS_PADDING));
}

struct columns *columns_new(bool flat)
{
	struct columns *c = must_alloc(sizeof *c);
	c->flat = flat;
	table_init(&c->slots, SLOTS_MAX, KEYS_LIMIT, sizeof(struct slot));
	column_name_init(&c->taken, 4 * COLUMNS_MAX);
	buffer_init(&c->text, TEXT_LIMIT);
	buffer_init(&c->key, SCRATCH_LIMIT);
	buffer_init(&c->name, SCRATCH_LIMIT);
	buffer_init(&c->path, SCRATCH_LIMIT);
	add(c, COLUMNS_ROOT, SHAPE_RECORD);
	return c;
}

void columns_free(struct columns *c)
{
	table_release(&c->slots);
	table_release(&c->taken);
	buffer_release(&c->text);
	buffer_release(&c->key);
	buffer_release(&c->name);
	buffer_release(&c->path);
	free(c->column);
	free(c);
}

static bool is_path(const struct columns *c, enum column_shape shape)
{
	return c->flat && shape == SHAPE_RECORD;
}

/* The root is counted, too, and is no column; nor are paths, of which there may be as many again. */
static bool is_full(const struct columns *c)
{
	return c->count - c->paths > COLUMNS_MAX || c->count > 2 * COLUMNS_MAX;
}

static struct span name_of(const struct columns *c, uint32_t column)
{
	return (struct span){ c->text.data + c->column[column].name + 1, c->column[column].name_length - 3 };
}

/* `name` becomes that of a part of the record; a path's own is the beginning of others, and may be so twice. */
static void settle_name(struct columns *c, uint32_t column)
{
	const struct column *one = &c->column[column];
	check(column_name_mend(&c->name));
	if (is_path(c, one->shape)) c->paths++;
	else check(column_name_take(&c->taken, c->flat ? COLUMNS_ROOT : one->record, &c->name));
	give_name(c, column, buffer_span(&c->name));
}

static void begin_name(struct columns *c, uint32_t record)
{
	buffer_clear(&c->name);
	if (!c->flat || record == COLUMNS_ROOT) return;
	buffer_append_span(&c->name, name_of(c, record));
	check(buffer_append_byte(&c->name, '_'));
}

uint32_t columns_add(struct columns *c, uint32_t record, const char *name, enum column_shape shape, bool required)
{
	uint32_t number = add(c, record, shape);
	c->column[number].required = required;
	begin_name(c, record);
	check(buffer_append_text(&c->name, name));
	settle_name(c, number);
	return number;
}

/* --- slots --- */

static struct slot *slot_at(struct columns *c, uint32_t slot)
{
	return table_value(&c->slots, slot);
}

static struct span slot_key(const struct columns *c, uint32_t slot)
{
	struct span key = table_key(&c->slots, slot);
	return (struct span){ key.data + sizeof(uint32_t), key.length - sizeof(uint32_t) };
}

static uint32_t slot_record(const struct columns *c, uint32_t slot)
{
	uint32_t record;
	memcpy(&record, table_key(&c->slots, slot).data, sizeof record);
	return record & ~OWN;
}

static uint32_t find_slot(struct columns *c, bool make)
{
	bool fresh;
	char *found = make ? table_put(&c->slots, buffer_span(&c->key), &fresh) : table_find(&c->slots, buffer_span(&c->key));
	if (!found) return COLUMNS_NONE;
	return (uint32_t)((size_t)(found - c->slots.values) / sizeof(struct slot));
}

static void begin_key(struct columns *c, uint32_t record)
{
	buffer_clear(&c->key);
	check(buffer_append(&c->key, &record, sizeof record));
}

uint32_t columns_make_slot(struct columns *c, uint32_t record, struct value key)
{
	begin_key(c, record);
	check(field_append_text(&c->key, key));
	return find_slot(c, true);
}

/* Where the slot of that key is to be known. */
static struct known *known_at(struct columns *c, uint32_t record, struct span key, struct words words)
{
	return &c->known[words_hash(words, key.length + ((size_t)record << 32)) >> (64 - KNOWN_BITS)];
}

__attribute__((always_inline)) static inline bool is_known(struct columns *c, const struct known *k, uint32_t record, struct span key, struct words words)
{
	if (!k->slot || k->length != key.length || k->record != record || !words_equal(k->words, words)) return false;
	return key.length <= WORDS_BYTES || memcmp(slot_key(c, k->slot - 1).data, key.data, key.length) == 0;
}

uint32_t columns_slot(struct columns *c, uint32_t record, struct value key)
{
	struct words words = words_of(key.text.data, key.text.length);
	struct known *known = known_at(c, record, key.text, words);
	if (!key.escaped && is_known(c, known, record, key.text, words)) return known->slot - 1;
	begin_key(c, record);
	check(field_append_text(&c->key, key));
	uint32_t slot = find_slot(c, false);
	if (slot != COLUMNS_NONE && !key.escaped) *known = (struct known){ words, (uint32_t)key.text.length, record, slot + 1 };
	return slot;
}

bool columns_place(struct columns *c, uint32_t record, struct value key, enum column_shape shape, struct columns_place *place)
{
	struct words words = words_of(key.text.data, key.text.length);
	const struct known *known = known_at(c, record, key.text, words);
	if (shape >= SHAPE_COUNT || key.escaped || !is_known(c, known, record, key.text, words)) return false;
	struct slot *slot = (struct slot *)(void *)c->slots.values + known->slot - 1;
	const uint32_t *mine = slot->column[false];
	uint32_t column = mine[shape];
	if (shape == SHAPE_INTEGER && !column) column = mine[SHAPE_FLOAT];
	if (!column) return false;
	const struct column *one = &c->column[column - 1];
	*place = (struct columns_place){ known->slot - 1, &slot->note, { c->text.data + one->name, one->name_length } };
	return true;
}

uint32_t columns_own_slot(struct columns *c, uint32_t record, const char *name)
{
	begin_key(c, record | OWN);
	check(buffer_append_text(&c->key, name));
	return find_slot(c, true);
}

void columns_tie(struct columns *c, uint32_t column, uint32_t slot)
{
	struct column *one = &c->column[column];
	struct slot *s = slot_at(c, slot);
	one->slot = slot;
	one->record = slot_record(c, slot); /* in the flat form all are restored into the row */
	if (!s->column[one->repeated][one->shape]) s->column[one->repeated][one->shape] = column + 1;
	s->any = true;
}

uint32_t columns_restore(struct columns *c, uint32_t record, struct span name, enum column_shape shape, bool repeated)
{
	if (!column_name_is_clean(name) || is_full(c)) return COLUMNS_NONE;
	buffer_clear(&c->name);
	check(buffer_append_span(&c->name, name) && column_name_take(&c->taken, c->flat ? COLUMNS_ROOT : record, &c->name));
	if (!span_equal(buffer_span(&c->name), name)) return COLUMNS_NONE;
	uint32_t number = add(c, record, shape);
	c->column[number].repeated = repeated;
	c->column[number].wide = true; /* a table's INTEGER cannot become a FLOAT */
	give_name(c, number, name);
	return number;
}

void columns_give(struct columns *c, uint32_t column, struct span json, bool described)
{
	c->column[column].described = described;
	c->column[column].given = (uint32_t)c->text.length;
	c->column[column].given_length = (uint32_t)json.length;
	check(buffer_append_span(&c->text, json) && buffer_reserve(&c->text, COLUMNS_PADDING));
}

struct span columns_given(const struct columns *c, uint32_t column)
{
	return (struct span){ c->text.data + c->column[column].given, c->column[column].given_length };
}

uint64_t *columns_note(struct columns *c, uint32_t slot)
{
	return &slot_at(c, slot)->note;
}

/* --- columns --- */

static bool is_own(const struct columns *c, uint32_t slot)
{
	uint32_t record;
	memcpy(&record, table_key(&c->slots, slot).data, sizeof record);
	return record & OWN;
}

static bool has_any(struct span text, const char *letters)
{
	for (; *letters; letters++)
		if (text.length && memchr(text.data, *letters, text.length)) return true;
	return false;
}

/* The key; that of one of the line's own members as MozLog names it. Returns what goes before it. */
static struct span mozlog_key(const struct columns *c, const struct column *one, struct span *key)
{
	const struct span kept = SPAN("metlog_mozlog_");
	*key = slot_key(c, one->slot);
	if (one->record != COLUMNS_ROOT) return SPAN("");
	if (!span_starts(*key, kept)) return span_starts(*key, SPAN("metlog_")) ? SPAN("") : SPAN("metlog_");
	key->data += kept.length, key->length -= kept.length;
	return SPAN("");
}

static void name_column(struct columns *c, uint32_t column)
{
	const struct column *one = &c->column[column];
	struct span key, before = mozlog_key(c, one, &key);
	begin_name(c, one->record);
	buffer_append_span(&c->name, before);
	check(column_name_append(&c->name, key));
	if (slot_at(c, one->slot)->any && !is_path(c, one->shape)) {
		buffer_append_byte(&c->name, '_');
		check(buffer_append_text(&c->name, shape_words[one->repeated][one->shape]));
	}
	settle_name(c, column);
}

static void tell_split(struct columns *c, uint32_t column)
{
	static const char *const articles[2][SHAPE_COUNT] = {
		{ "a string", "an integer", "a number", "true or false", "an object", "a value that no type of BigQuery holds" },
		{ "strings", "integers", "numbers", "true and false", "objects", "values that no type of BigQuery holds" },
	};
	const struct column *one = &c->column[column];
	if (++c->split > SAID_MOST) return;
	buffer_clear(&c->path);
	check(columns_append_path(c, &c->path, column));
	struct span name = name_of(c, column);
	diag_warn("%.*s: %s, where values of another kind were before: in a column of its own, %.*s%s", (int)c->path.length, c->path.data,
		articles[one->repeated][one->shape], (int)name.length, name.data, c->split == SAID_MOST ? " (more such are counted only)" : "");
}

static uint32_t make_column(struct columns *c, uint32_t slot, enum column_shape shape, bool repeated)
{
	if (is_full(c)) return COLUMNS_NONE;
	uint32_t column = add(c, slot_record(c, slot), shape);
	c->column[column].slot = slot;
	c->column[column].repeated = repeated;
	name_column(c, column);
	struct slot *s = slot_at(c, slot);
	s->column[repeated][shape] = column + 1;
	if (is_path(c, shape)) return column;
	if (s->any) tell_split(c, column);
	s->any = true;
	return column;
}

/* An INTEGER becomes a FLOAT if that loses nothing of what it holds. */
static bool widen(struct columns *c, uint32_t mine[SHAPE_COUNT])
{
	struct column *one = mine[SHAPE_INTEGER] ? &c->column[mine[SHAPE_INTEGER] - 1] : NULL;
	if (!one || one->wide) return false;
	one->shape = SHAPE_FLOAT;
	mine[SHAPE_FLOAT] = mine[SHAPE_INTEGER];
	mine[SHAPE_INTEGER] = 0;
	return true;
}

uint32_t columns_find(struct columns *c, uint32_t slot, enum column_shape shape, bool repeated)
{
	uint32_t *mine = slot_at(c, slot)->column[repeated];
	bool wide = shape == SHAPE_WIDE;
	if (wide) shape = SHAPE_INTEGER;
	if (shape == SHAPE_INTEGER && !wide && !mine[shape] && mine[SHAPE_FLOAT]) shape = SHAPE_FLOAT;
	uint32_t found = mine[shape] || (shape == SHAPE_FLOAT && widen(c, mine)) ? mine[shape] - 1 : make_column(c, slot, shape, repeated);
	if (wide && found != COLUMNS_NONE) c->column[found].wide = true;
	return found;
}

bool columns_has(const struct columns *c, uint32_t slot, enum column_shape shape, bool repeated)
{
	const struct slot *s = table_value(&c->slots, slot);
	return s->column[repeated][shape] != 0;
}

const struct column *columns_get(const struct columns *c, uint32_t column)
{
	return &c->column[column];
}

struct span columns_key(const struct columns *c, uint32_t column)
{
	return (struct span){ c->text.data + c->column[column].name, c->column[column].name_length };
}

bool columns_append_path(struct columns *c, struct buffer *out, uint32_t column)
{
	const struct column *one = &c->column[column];
	struct span key = { NULL, 0 }, before = SPAN("");
	if (one->slot != COLUMNS_NONE) before = mozlog_key(c, one, &key);
	bool own = one->slot != COLUMNS_NONE && is_own(c, one->slot), odd = one->slot != COLUMNS_NONE && (key.length == 0 || has_any(key, ".[]()"));
	if (one->record != COLUMNS_ROOT) columns_append_path(c, out, one->record);
	if (own || odd) buffer_append_byte(out, own ? '(' : '[');
	else if (one->record != COLUMNS_ROOT) buffer_append_byte(out, '.');
	if (one->slot == COLUMNS_NONE) return buffer_append_span(out, name_of(c, column));
	buffer_append_span(out, before);
	buffer_append_span(out, key);
	return own || odd ? buffer_append_byte(out, own ? ')' : ']') : !out->failed;
}

uint32_t columns_count(const struct columns *c)
{
	return c->count;
}

uint32_t columns_made(const struct columns *c)
{
	return c->count - c->paths - 1;
}

uint64_t columns_split(const struct columns *c)
{
	return c->split;
}

bool columns_are_flat(const struct columns *c)
{
	return c->flat;
}
