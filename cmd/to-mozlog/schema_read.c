/* schema_read - the array is read as one line of JSON; a column's description leads to the slot that it had. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/text.h"
#include "column_name.h"
#include "schema.h"

enum { TEXT_LIMIT = 1 << 28, SURELY_CUT = COLUMNS_NAME_MAX - 40 };

struct reading {
	struct columns *columns;
	struct envelope envelope;     /* no envelope: what field_walk asks for */
	struct scan scan;
	struct buffer line, name, description, path, key;
	uint32_t fixed;               /* the columns that every row has are those below this number */
	const char *why;
};

/* One element of the array. */
struct part {
	struct value name, type, mode, fields, description;
};

static bool is_one_of(struct value word, const char *one, const char *other)
{
	return word.kind == VALUE_STRING && (field_equals(word, span_of(one)) || field_equals(word, span_of(other)));
}

static struct part part_of(struct reading *r, struct value object)
{
	struct part part = { .name = { .kind = VALUE_ABSENT } };
	struct field_walk walk = field_walk(&r->envelope, object);
	struct value key, value;
	while (field_next(&walk, &key, &value)) {
		if (field_equals(key, SPAN("name"))) part.name = value;
		else if (field_equals(key, SPAN("type"))) part.type = value;
		else if (field_equals(key, SPAN("mode"))) part.mode = value;
		else if (field_equals(key, SPAN("fields"))) part.fields = value;
		else if (field_equals(key, SPAN("description"))) part.description = value;
	}
	return part;
}

/* SHAPE_COUNT: none that we write. */
static enum column_shape shape_of_type(struct value type)
{
	if (is_one_of(type, "STRING", "STRING")) return SHAPE_STRING;
	if (is_one_of(type, "INTEGER", "INT64")) return SHAPE_INTEGER;
	if (is_one_of(type, "FLOAT", "FLOAT64")) return SHAPE_FLOAT;
	if (is_one_of(type, "BOOLEAN", "BOOL")) return SHAPE_BOOLEAN;
	if (is_one_of(type, "RECORD", "STRUCT")) return SHAPE_RECORD;
	if (is_one_of(type, "TIMESTAMP", "TIMESTAMP")) return SHAPE_TIMESTAMP;
	return SHAPE_COUNT;
}

static uint32_t slot_of_key(struct reading *r, uint32_t record, struct span key, bool own)
{
	bool in_row = record == COLUMNS_ROOT && !own, of_envelope = span_starts(key, SPAN("metlog_"));
	buffer_clear(&r->key);
	/* In the row itself, what begins with "metlog_" is an envelope's, all else MozLog's own. */
	if (in_row && of_envelope) key.data += 7, key.length -= 7;
	else if (in_row) buffer_append_text(&r->key, "metlog_mozlog_");
	buffer_append_span(&r->key, key);
	const char *text = buffer_text(&r->key);
	if (!text) return COLUMNS_NONE;
	if (own) return columns_own_slot(r->columns, record, text);
	return columns_make_slot(r->columns, record, (struct value){ .text = buffer_span(&r->key), .kind = VALUE_STRING });
}

/* Takes the next piece off a path: ".key", "[key]" or "(name)". The last of a path may have anything in it. */
static bool take_piece(struct span *path, bool last, struct span *key, bool *own)
{
	char open = path->length ? path->data[0] : 0, end = open == '[' ? ']' : open == '(' ? ')' : 0;
	size_t start = open == '.' || end ? 1 : 0, length = start;
	if (last) length = path->length - (end ? 1 : 0);
	else if (end) while (length < path->length && path->data[length] != end) length++;
	else while (length < path->length && !memchr(".[(", path->data[length], 3)) length++;
	if (length < start || length >= path->length + (end ? 0 : 1)) return false;
	*own = open == '(';
	*key = (struct span){ path->data + start, length - start };
	path->data += length + (end ? 1 : 0), path->length -= length + (end ? 1 : 0);
	return true;
}

/* One of those that every row has, by its name: a record that is none in the flat form, or what is no such. */
static uint32_t find_fixed(const struct reading *r, uint32_t record, struct span name, bool path)
{
	bool flat = columns_are_flat(r->columns);
	for (uint32_t at = COLUMNS_ROOT + 1; at < r->fixed; at++) {
		const struct column *one = columns_get(r->columns, at);
		struct span key = columns_key(r->columns, at);
		if ((flat || one->record == record) && (flat && one->shape == SHAPE_RECORD) == path && span_equal(name, (struct span){ key.data + 1, key.length - 3 })) return at;
	}
	return COLUMNS_NONE;
}

/* In the flat form a path begins in the row: all but its last piece are followed. */
static uint32_t follow(struct reading *r, uint32_t record, struct span *path)
{
	struct span rest = *path, key;
	bool own;
	while (record != COLUMNS_NONE && take_piece(&rest, false, &key, &own) && rest.length) {
		uint32_t fixed = record == COLUMNS_ROOT ? find_fixed(r, record, key, true) : COLUMNS_NONE;
		uint32_t slot = fixed == COLUMNS_NONE ? slot_of_key(r, record, key, own) : COLUMNS_NONE;
		record = slot != COLUMNS_NONE ? columns_find(r->columns, slot, SHAPE_RECORD, false) : fixed;
		*path = rest;
	}
	return record;
}

/* Whether a path is one of ours, and no other description: its last key has made the name. */
static bool is_ours(struct reading *r, struct span path)
{
	struct span name = buffer_span(&r->name), key = path;
	bool own, flat = columns_are_flat(r->columns);
	while (path.length)
		if (!take_piece(&path, !flat, &key, &own)) return false;
	buffer_clear(&r->key);
	if (!column_name_append(&r->key, key)) return false;
	return r->key.length == 0 || r->key.length > SURELY_CUT || name.length > SURELY_CUT || memmem(name.data, name.length, r->key.data, r->key.length);
}

/* Takes the path of a record off that of its part. */
static bool take_record(struct reading *r, uint32_t record, struct span *path)
{
	if (columns_are_flat(r->columns) || record == COLUMNS_ROOT) return true;
	buffer_clear(&r->path);
	if (!columns_append_path(r->columns, &r->path, record) || !span_starts(*path, buffer_span(&r->path))) return false;
	path->data += r->path.length, path->length -= r->path.length;
	return path->length > 1;
}

/* Ties a column to the slot at the end of its path, or without one to that of its name. */
static void tie(struct reading *r, uint32_t column, uint32_t record, struct span path, struct value description)
{
	const struct span fields = SPAN("Fields_");
	struct span key = buffer_span(&r->name);
	bool own = false, flat = columns_are_flat(r->columns);
	if (path.length && take_record(r, record, &path) && is_ours(r, path)) {
		if (flat) record = follow(r, record, &path);
		if (record == COLUMNS_NONE || !take_piece(&path, true, &key, &own)) return;
	} else {
		if (description.kind == VALUE_STRING) columns_give(r->columns, column, description.text, true);
		if (flat && span_starts(key, fields)) {
			record = find_fixed(r, COLUMNS_ROOT, SPAN("Fields"), true);
			key.data += fields.length, key.length -= fields.length;
		}
	}
	uint32_t slot = slot_of_key(r, record, key, own);
	if (slot != COLUMNS_NONE) columns_tie(r->columns, column, slot);
}

static void read_list(struct reading *r, uint32_t record, struct value list);

/* One that every row has. */
static void read_fixed(struct reading *r, uint32_t column, const struct part *part, bool repeated)
{
	enum column_shape shape = shape_of_type(part->type);
	if (shape != columns_get(r->columns, column)->shape || repeated) r->why = "a column that every row has, with another type";
	else if (shape == SHAPE_RECORD) read_list(r, column, part->fields);
}

static void restore(struct reading *r, uint32_t record, struct value object, const struct part *part, bool repeated)
{
	const struct span json_text = SPAN(" (JSON text)");
	enum column_shape shape = shape_of_type(part->type);
	bool known = shape < SHAPE_COUNT && !(columns_are_flat(r->columns) && shape == SHAPE_RECORD);
	buffer_clear(&r->description);
	if (part->description.kind == VALUE_STRING) field_append_text(&r->description, part->description);
	struct span path = buffer_span(&r->description), name = buffer_span(&r->name);
	if (path.length > json_text.length && span_equal(json_text, (struct span){ path.data + path.length - json_text.length, json_text.length })) {
		path.length -= json_text.length;
		if (shape == SHAPE_STRING) shape = SHAPE_JSON;
	}
	uint32_t column = columns_restore(r->columns, record, name, known ? shape : SHAPE_TIMESTAMP, repeated);
	if (column == COLUMNS_NONE) {
		r->why = "a name that is there already, case aside, or is no name of a column, or there are more than 10000";
		return;
	}
	if (known) tie(r, column, record, path, part->description);
	else columns_give(r->columns, column, object.text, false);
	if (known && shape == SHAPE_RECORD) read_list(r, column, part->fields);
}

static void read_part(struct reading *r, uint32_t record, struct value object)
{
	struct part part = part_of(r, object);
	buffer_clear(&r->name);
	if (part.name.kind != VALUE_STRING || !field_append_text(&r->name, part.name)) {
		r->why = "a column without a name";
		return;
	}
	bool repeated = is_one_of(part.mode, "REPEATED", "REPEATED");
	uint32_t column = find_fixed(r, record, buffer_span(&r->name), false);
	if (column != COLUMNS_NONE) read_fixed(r, column, &part, repeated);
	else restore(r, record, object, &part, repeated);
}

static void read_list(struct reading *r, uint32_t record, struct value list)
{
	struct field_walk walk = field_walk_array(&r->envelope, list);
	struct value element;
	if (list.kind != VALUE_ARRAY) {
		r->why = "not an array of columns";
		return;
	}
	while (!r->why && field_next_element(&walk, &element)) read_part(r, record, element);
}

static void read_text(struct reading *r, struct span text)
{
	char padding[SCAN_PADDING] = { 0 };
	struct value object, key, list = { .kind = VALUE_ABSENT };
	struct envelope_fault fault;
	buffer_append_text(&r->line, "{\"fields\":");
	buffer_append_span(&r->line, text);
	for (size_t i = 0; i < r->line.length; i++)
		if (r->line.data[i] == '\n') r->line.data[i] = ' ';
	buffer_append_text(&r->line, "}\n");
	size_t length = r->line.length;
	buffer_append(&r->line, padding, sizeof padding);
	if (r->line.failed) {
		r->why = "too long, or no memory";
		return;
	}
	size_t line = scan_line(&r->scan, r->line.data, r->line.data + length);
	if (envelope_parse_object(&r->envelope, &object, &r->scan, (struct span){ r->line.data, line }, &fault) != ENVELOPE_GOOD) {
		r->why = fault.reason;
		return;
	}
	struct field_walk walk = field_walk(&r->envelope, object);
	if (!field_next(&walk, &key, &list) || field_next(&walk, &key, &object)) r->why = "not an array of columns";
	else read_list(r, COLUMNS_ROOT, list);
}

const char *schema_read(struct columns *c, struct span text)
{
	struct reading r = { .columns = c, .fixed = columns_count(c) };
	buffer_init(&r.line, TEXT_LIMIT);
	buffer_init(&r.name, TEXT_LIMIT);
	buffer_init(&r.description, TEXT_LIMIT);
	buffer_init(&r.path, TEXT_LIMIT);
	buffer_init(&r.key, TEXT_LIMIT);
	if (!scan_init(&r.scan)) return "no memory";
	read_text(&r, text);
	scan_release(&r.scan);
	buffer_release(&r.line);
	buffer_release(&r.name);
	buffer_release(&r.description);
	buffer_release(&r.path);
	buffer_release(&r.key);
	return r.why;
}
