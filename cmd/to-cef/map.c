/* map - puts together, for every event of a mapping, all the rows that hold for it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "map_private.h"

#include <stdlib.h>

#include "io/diag.h"

enum { TEXT_LIMIT = RECORD_BYTES_MAX, FILE_USER = 0, FILE_BUILTIN = 1 };

struct map_block {
	struct map_block *next;
	_Alignas(16) char bytes[];
};

void *map_take(struct map *m, size_t bytes)
{
	struct map_block *block = must_alloc(sizeof *block + bytes + 1);
	block->next = m->blocks;
	m->blocks = block;
	return block->bytes;
}

struct span map_keep(struct map *m, struct span text)
{
	char *copy = map_take(m, text.length + 1);
	if (text.length) memcpy(copy, text.data, text.length);
	return (struct span){ copy, text.length };
}

static void put_slot(struct map *m, uint32_t number)
{
	size_t slot = map_hash(m->fields[number].name) & (m->slot_count - 1);
	while (m->slots[slot]) slot = (slot + 1) & (m->slot_count - 1);
	m->slots[slot] = number + 1;
}

static void grow_fields(struct map *m)
{
	m->field_room = m->field_room ? 2 * m->field_room : 512;
	m->fields = must_resize(m->fields, m->field_room * sizeof *m->fields);
	free(m->slots);
	m->slot_count = 4 * m->field_room;
	m->slots = must_alloc(m->slot_count * sizeof *m->slots);
	for (size_t i = 0; i < m->field_count; i++) put_slot(m, (uint32_t)i);
}

struct map_field *map_field_named(struct map *m, struct span name, uint32_t *number)
{
	struct map_field *field = m->field_count ? map_find_field(m, name) : NULL;
	if (!field) {
		if (m->field_count == m->field_room) grow_fields(m);
		field = &m->fields[m->field_count];
		*field = (struct map_field){ .name = map_keep(m, name) };
		put_slot(m, (uint32_t)m->field_count++);
	}
	*number = (uint32_t)(field - m->fields);
	return field;
}

void map_want_field(struct map *m, struct span name, uint32_t *number)
{
	struct map_field *field = map_field_named(m, name, number);
	if (!field->bit) field->bit = (uint64_t)1 << m->wanted_count++ % 64;
}

uint64_t map_value_fields(const struct map *m, const struct map_value *value)
{
	uint64_t fields = 0;
	for (; value->count == 1; value = &value->pieces->otherwise) {
		const struct map_piece *piece = value->pieces;
		if (piece->kind != PIECE_FIELD && piece->kind != PIECE_BELOW) return 0;
		fields |= m->fields[piece->field].bit;
		if (piece->kind == PIECE_BELOW) fields |= m->fields[piece->parent].bit;
	}
	return value->count ? 0 : fields;
}

/* --- names and custom keys of the dictionary --- */

static bool is_label(struct span name)
{
	const struct dictionary_key *key;
	for (size_t i = 0; (key = dictionary_at(i)); i++)
		if (span_equal(key->label, name)) return true;
	return false;
}

/* What * may set by the name of a field. Custom keys mean nothing without their label, and `type` tells the receiver how the event came about. */
static void add_names(struct map *m)
{
	const struct dictionary_key *key;
	uint32_t number;
	for (size_t i = 0; (key = dictionary_at(i)); i++)
		if (!key->consumer_only && !key->label.length && !is_label(key->name) && !span_equal(key->name, SPAN("type"))) map_field_named(m, key->name, &number)->key = key;
}

static void add_family(struct map_family *family, struct span name)
{
	const struct dictionary_key *key = dictionary_find(name);
	if (key) family->key[family->count++] = key;
}

static void add_families(struct map *m)
{
	static const struct span integers[] = { SPAN("cn1"), SPAN("cn2"), SPAN("cn3") }, floats[] = { SPAN("cfp1"), SPAN("cfp2"), SPAN("cfp3"), SPAN("cfp4") },
		strings[] = { SPAN("cs1"), SPAN("cs2"), SPAN("cs3"), SPAN("cs4"), SPAN("cs5"), SPAN("cs6") };
	for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) add_family(&m->integers, integers[i]);
	for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) add_family(&m->floats, floats[i]);
	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) add_family(&m->strings, strings[i]);
}

/* --- linking --- */

static bool needs_fields(const struct map_value *value)
{
	for (size_t i = 0; i < value->count; i++)
		if (value->pieces[i].kind == PIECE_FIELD || value->pieces[i].kind == PIECE_BELOW || needs_fields(&value->pieces[i].otherwise)) return true;
	return false;
}

static void link_row(struct map_event *event, const struct map_row *row)
{
	if (row->kind < ROW_HEADERS) event->header[row->kind] = row;
	else if (row->kind == ROW_ALL) event->all = row;
	else if (row->kind == ROW_OMIT) event->omit[event->omit_count++] = row;
	else event->rows[event->row_count++] = row;
	event->needs_fields = event->needs_fields || row->kind == ROW_ALL || needs_fields(&row->value);
}

static bool is_overridden(const struct map_row *row, const struct map_section *const *above, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < above[i]->row_count; k++)
			if (map_row_is_same(row, above[i]->rows[k])) return true;
	return false;
}

/* The rows of the sections; a later section has the last word. */
static void link_rows(struct map *m, struct map_event *event, const struct map_section *const *layers, size_t count)
{
	size_t most = 0;
	for (size_t i = 0; i < count; i++) most += layers[i]->row_count;
	event->rows = map_take(m, most * sizeof *event->rows);
	event->omit = map_take(m, most * sizeof *event->omit);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < layers[i]->row_count; k++)
			if (!is_overridden(layers[i]->rows[k], layers + i + 1, count - i - 1)) link_row(event, layers[i]->rows[k]);
	const struct map_section *base = &m->files[FILE_BUILTIN].sections[0];
	for (size_t i = 0; i < base->row_count; i++) {
		if (base->rows[i]->kind >= ROW_HEADERS) continue;
		event->fallback[base->rows[i]->kind] = base->rows[i];
		event->needs_fields = event->needs_fields || needs_fields(&base->rows[i]->value);
	}
}

static void link_file(struct map *m, size_t which)
{
	const struct map_file *file = &m->files[which];
	for (size_t i = 1; i < file->count; i++) {
		const struct map_section *section = &file->sections[i];
		struct map_event *event = &m->events[m->event_count++];
		bool fallback = which == FILE_BUILTIN;
		*event = (struct map_event){ .name = fallback ? "built-in" : section->name, .match = section->match, .drop = section->drop };
		const struct map_section *own[] = { &file->sections[0], section }, *builtin[] = { &file->sections[0], section, m->files[FILE_USER].sections };
		if (section->drop) continue;
		link_rows(m, event, fallback ? builtin : own, fallback && m->files[FILE_USER].count ? 3 : 2);
	}
}

static void set_option(struct map *m, enum map_row_kind kind, const char *text)
{
	const struct map_section *base = &m->files[FILE_BUILTIN].sections[0];
	if (!text) return;
	struct map_piece *piece = map_take(m, sizeof *piece);
	struct map_row *row = map_take(m, sizeof *row);
	*piece = (struct map_piece){ .kind = PIECE_TEXT, .text = map_keep(m, span_of(text)) };
	*row = (struct map_row){ .kind = kind, .value = { piece, 1 } };
	for (size_t i = 0; i < base->row_count; i++)
		if (base->rows[i]->kind == kind) base->rows[i] = row;
}

static void link_all(struct map *m, const struct map_options *options)
{
	static const struct span levels[] = { SPAN("0"), SPAN("1"), SPAN("2"), SPAN("3"), SPAN("4"), SPAN("5"), SPAN("6"), SPAN("7"), SPAN("8"), SPAN("9"), SPAN("10") };
	for (size_t i = 0; i < 8; i++) m->level[i] = levels[options->severity[i] <= 10 ? options->severity[i] : 10];
	set_option(m, ROW_VENDOR, options->vendor);
	set_option(m, ROW_PRODUCT, options->product);
	set_option(m, ROW_VERSION, options->device_version);
	const struct map_file *user = &m->files[FILE_USER], *builtin = &m->files[FILE_BUILTIN];
	m->events = map_take(m, (user->count + builtin->count) * sizeof *m->events);
	link_file(m, FILE_USER);
	if (!user->count || !user->sections[user->count - 1].is_default) link_file(m, FILE_BUILTIN);
	m->event = m->events;
}

struct map *map_new(struct span text, const struct map_options *options, struct map_fault *fault)
{
	struct map *m = must_alloc(sizeof *m);
	buffer_init(&m->text, TEXT_LIMIT);
	buffer_init(&m->rest, TEXT_LIMIT);
	add_names(m);
	add_families(m);
	if ((text.data && !map_parse(m, text, &m->files[FILE_USER], fault)) || !map_parse(m, map_builtin(), &m->files[FILE_BUILTIN], fault)) {
		map_free(m);
		return NULL;
	}
	link_all(m, options);
	return m;
}

void map_free(struct map *m)
{
	if (!m) return;
	for (size_t f = 0; f < 2; f++)
		for (size_t i = 0; i < m->files[f].count; i++) match_free(m->files[f].sections[i].match);
	for (struct map_block *block; (block = m->blocks);) {
		m->blocks = block->next;
		free(block);
	}
	buffer_release(&m->text);
	buffer_release(&m->rest);
	free(m->fields);
	free(m->slots);
	free(m);
}

const char *map_event(const struct map *m)
{
	return m->event->name;
}
