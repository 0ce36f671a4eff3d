/* flatten - walks an envelope's fields, asks for the column of each value, and writes the value as that column takes it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "flatten.h"

#include <stdlib.h>

#include "base/number.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "envelope/field_index.h"
#include "io/diag.h"
#include "shape.h"

#define TOO_MANY "more than 10000 columns in this run, which BigQuery does not take"

struct flatten {
	struct columns *columns;
	/* Columns that every row has. */
	uint32_t timestamp, time, type, logger, hostname, env_version, severity, pid, fields, msg;
	uint32_t msg_slot;
	uint32_t other_msg, other_hostname, other_pid; /* slots of what cannot stand where it belongs; COLUMNS_NONE until it comes */
	struct timestamp_minute minute, printed;
	struct buffer decoded;         /* a timestamp with escapes */
	uint64_t objects;              /* written so far: the note of a slot is the last of them in which it was met */
	/* Of the row at hand. */
	const struct envelope *envelope;
	struct buffer *out;
	const char *why;
	bool has_message, has_version;
};

struct flatten *flatten_new(bool flat)
{
	struct flatten *f = must_alloc(sizeof *f);
	struct columns *c = f->columns = columns_new(flat);
	f->timestamp = columns_add(c, COLUMNS_ROOT, "Timestamp", SHAPE_INTEGER, true);
	f->time = columns_add(c, COLUMNS_ROOT, "Time", SHAPE_TIMESTAMP, true);
	f->type = columns_add(c, COLUMNS_ROOT, "Type", SHAPE_STRING, false);
	f->logger = columns_add(c, COLUMNS_ROOT, "Logger", SHAPE_STRING, false);
	f->hostname = columns_add(c, COLUMNS_ROOT, "Hostname", SHAPE_STRING, false);
	f->env_version = columns_add(c, COLUMNS_ROOT, "EnvVersion", SHAPE_STRING, false);
	f->severity = columns_add(c, COLUMNS_ROOT, "Severity", SHAPE_INTEGER, false);
	f->pid = columns_add(c, COLUMNS_ROOT, "Pid", SHAPE_INTEGER, false);
	f->fields = columns_add(c, COLUMNS_ROOT, "Fields", SHAPE_RECORD, false);
	f->msg = columns_add(c, f->fields, "msg", SHAPE_STRING, false);
	f->msg_slot = columns_make_slot(c, f->fields, (struct value){ .text = SPAN("msg"), .kind = VALUE_STRING });
	columns_tie(c, f->msg, f->msg_slot);
	f->other_msg = f->other_hostname = f->other_pid = COLUMNS_NONE;
	buffer_init(&f->decoded, SIZE_MAX / 2);
	return f;
}

void flatten_free(struct flatten *f)
{
	columns_free(f->columns);
	buffer_release(&f->decoded);
	free(f);
}

struct columns *flatten_columns(struct flatten *f)
{
	return f->columns;
}

/* --- members; each ends with a comma --- */

static void put_key(struct flatten *f, uint32_t column)
{
	buffer_append_span(f->out, columns_key(f->columns, column));
}

static void put_plain(struct flatten *f, uint32_t column, struct span text)
{
	put_key(f, column);
	buffer_append_span(f->out, text);
	buffer_append_byte(f->out, ',');
}

static void put_quoted(struct flatten *f, uint32_t column, struct span inside)
{
	put_key(f, column);
	buffer_append_byte(f->out, '"');
	buffer_append_span(f->out, inside);
	buffer_append(f->out, "\",", 2);
}

/* Nearly all that is copied is short. COLUMNS_PADDING bytes behind `from` may be read, and behind `to` written. */
static inline char *copy_short(char *to, struct span from)
{
	enum { AT_ONCE = 32 };
	memcpy(to, from.data, AT_ONCE);
	if (from.length > AT_ONCE) memcpy(to + AT_ONCE, from.data + AT_ONCE, from.length - AT_ONCE);
	return to + from.length;
}

/* The same of text that stands in a line, or is followed by bytes as that is. */
static void put_member(struct flatten *f, struct span key, struct span text, bool quotes)
{
	struct buffer *out = f->out;
	if (!buffer_reserve(out, key.length + text.length + 3 + COLUMNS_PADDING)) return;
	char *at = copy_short(out->data + out->length, key);
	*at = '"';
	at = copy_short(at + quotes, text);
	*at = '"';
	at[quotes] = ',';
	out->length = (size_t)(at + quotes + 1 - out->data);
}

static void put_string(struct flatten *f, uint32_t column, struct value string)
{
	if (!string.escaped) {
		put_member(f, columns_key(f->columns, column), string.text, true);
		return;
	}
	put_key(f, column);
	shape_append_string(f->out, string);
	buffer_append_byte(f->out, ',');
}

static void put_json(struct flatten *f, uint32_t column, struct value value)
{
	put_key(f, column);
	text_append_quoted(f->out, value.text);
	buffer_append_byte(f->out, ',');
}

/* The last comma becomes the end of what was begun. */
static void close_with(struct flatten *f, char end)
{
	if (!f->out->failed) f->out->data[f->out->length - 1] = end;
	buffer_append_byte(f->out, ',');
}

static void no_room(struct flatten *f)
{
	f->why = columns_made(f->columns) < COLUMNS_MAX ? "no room for more names of fields in this run" : TOO_MANY;
}

static uint32_t column_for(struct flatten *f, uint32_t slot, enum column_shape shape, bool repeated)
{
	uint32_t column = columns_find(f->columns, slot, shape, repeated);
	if (column == COLUMNS_NONE) no_room(f);
	return column;
}

/* Nothing is made for what will not be written. */
static bool has_column(struct flatten *f, uint32_t slot, struct value value, bool repeated)
{
	return columns_has(f->columns, slot, SHAPE_RECORD, repeated) || shape_has_content(f->envelope, value);
}

static void put_pairs(struct flatten *f, uint32_t record, struct value object);

static void put_record(struct flatten *f, uint32_t slot, struct value object)
{
	if (!has_column(f, slot, object, false)) return;
	uint32_t column = column_for(f, slot, SHAPE_RECORD, false);
	if (column == COLUMNS_NONE) return;
	if (columns_are_flat(f->columns)) {
		put_pairs(f, column, object);
		return;
	}
	size_t start = f->out->length;
	put_key(f, column);
	size_t inside = f->out->length;
	buffer_append_byte(f->out, '{');
	put_pairs(f, column, object);
	if (f->out->length > inside + 1) close_with(f, '}');
	else f->out->length = start;
}

static void put_records(struct flatten *f, uint32_t column, struct value array)
{
	struct field_walk walk = field_walk_array(f->envelope, array);
	struct value element;
	size_t start = f->out->length;
	bool any = false;
	put_key(f, column);
	buffer_append_byte(f->out, '[');
	while (!f->why && field_next_element(&walk, &element)) {
		size_t inside = f->out->length;
		buffer_append_byte(f->out, '{');
		put_pairs(f, column, element);
		if (f->out->length > inside + 1) close_with(f, '}'), any = true;
		else buffer_append(f->out, "},", 2);
	}
	if (any) close_with(f, ']');
	else f->out->length = start;
}

static void put_element(struct flatten *f, struct value element)
{
	bool wide = element.kind == VALUE_NUMBER && shape_of_number(element.text) == SHAPE_WIDE;
	if (element.kind == VALUE_STRING) {
		shape_append_string(f->out, element);
	} else {
		if (wide) buffer_append_byte(f->out, '"');
		buffer_append_span(f->out, element.text);
		if (wide) buffer_append_byte(f->out, '"');
	}
	buffer_append_byte(f->out, ',');
}

static void put_array(struct flatten *f, uint32_t slot, struct value array, bool deepest)
{
	enum column_shape shape;
	if (!shape_of_array(f->envelope, array, &shape)) return;
	if (shape == SHAPE_RECORD && (deepest || columns_are_flat(f->columns))) shape = SHAPE_JSON;
	bool repeated = shape != SHAPE_JSON;
	if (shape == SHAPE_RECORD && !has_column(f, slot, array, true)) return;
	uint32_t column = column_for(f, slot, shape, repeated);
	if (column == COLUMNS_NONE) return;
	if (shape == SHAPE_JSON) {
		put_json(f, column, array);
		return;
	}
	if (shape == SHAPE_RECORD) {
		put_records(f, column, array);
		return;
	}
	struct field_walk walk = field_walk_array(f->envelope, array);
	struct value element;
	put_key(f, column);
	buffer_append_byte(f->out, '[');
	while (field_next_element(&walk, &element)) put_element(f, element);
	close_with(f, ']');
}

static void put_scalar(struct flatten *f, uint32_t slot, enum column_shape shape, struct value value)
{
	uint32_t column = column_for(f, slot, shape, false);
	if (column == COLUMNS_NONE) return;
	if (shape == SHAPE_STRING) put_string(f, column, value);
	else if (shape == SHAPE_JSON) put_json(f, column, value);
	else if (shape == SHAPE_WIDE) put_quoted(f, column, value.text);
	else put_plain(f, column, value.text);
}

static void put_value(struct flatten *f, uint32_t record, uint32_t slot, struct value value)
{
	bool deepest = !columns_are_flat(f->columns) && columns_get(f->columns, record)->depth >= COLUMNS_DEPTH_MAX;
	switch (value.kind) {
	case VALUE_ABSENT: case VALUE_NULL: return;
	case VALUE_STRING: put_scalar(f, slot, SHAPE_STRING, value); return;
	case VALUE_NUMBER: put_scalar(f, slot, shape_of_number(value.text), value); return;
	case VALUE_TRUE: case VALUE_FALSE: put_scalar(f, slot, SHAPE_BOOLEAN, value); return;
	case VALUE_ARRAY: put_array(f, slot, value, deepest); return;
	case VALUE_OBJECT:
		if (!deepest) put_record(f, slot, value);
		else if (shape_has_content(f->envelope, value)) put_scalar(f, slot, SHAPE_JSON, value);
		return;
	}
}

/* --- objects --- */

/* Members of the line that have been written already, or are none of MozLog's. */
static bool is_known(struct flatten *f, struct value key, struct value value)
{
	static const char *const names[] = { "timestamp", "type", "logger", "severity", "payload", "fields", "env_version", "metlog_pid", "metlog_hostname" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (field_equals(key, span_of(names[i]))) return true;
	if (!f->has_version && value.kind == VALUE_STRING && field_equals(key, SPAN("metlog_mozlog_EnvVersion"))) {
		put_string(f, f->env_version, value);
		return f->has_version = true;
	}
	return false;
}

static uint32_t own_slot(struct flatten *f, uint32_t *slot, const char *name)
{
	if (*slot == COLUMNS_NONE) *slot = columns_own_slot(f->columns, f->fields, name);
	if (*slot == COLUMNS_NONE) no_room(f);
	return *slot;
}

static uint32_t slot_for(struct flatten *f, uint32_t record, struct value key, struct value value)
{
	uint32_t slot = columns_slot(f->columns, record, key);
	if (slot != COLUMNS_NONE || !shape_has_content(f->envelope, value)) return slot;
	slot = columns_make_slot(f->columns, record, key);
	if (slot == COLUMNS_NONE) no_room(f);
	return slot;
}

static void put_pair(struct flatten *f, uint32_t record, uint32_t slot, struct value value)
{
	if (slot == f->msg_slot && f->has_message) slot = own_slot(f, &f->other_msg, "fields.msg");
	if (slot != COLUMNS_NONE) put_value(f, record, slot, value);
}

/* For an object with repeated keys, the last of which counts: a slot's note is where the value of that one stands. */
static void put_last_pairs(struct flatten *f, uint32_t record, struct value object)
{
	const uint64_t noted = UINT64_C(1) << 63;
	struct field_walk walk = field_walk(f->envelope, object);
	struct value key, value;
	uint32_t slot = COLUMNS_NONE;
	while (!f->why && field_next(&walk, &key, &value)) {
		slot = slot_for(f, record, key, value);
		if (slot != COLUMNS_NONE) *columns_note(f->columns, slot) = noted | value.first;
	}
	walk = field_walk(f->envelope, object);
	while (!f->why && field_next(&walk, &key, &value)) {
		if (record == COLUMNS_ROOT && is_known(f, key, value)) continue;
		slot = slot_for(f, record, key, value);
		if (slot != COLUMNS_NONE && *columns_note(f->columns, slot) == (noted | value.first)) put_pair(f, record, slot, value);
	}
}

/* A scalar whose column is there already, in an object that has not had it: nearly all there is. False: it is another. */
static bool put_known(struct flatten *f, uint32_t record, uint64_t mine, struct value key, struct value value)
{
	struct columns_place place;
	enum column_shape shape = shape_of_scalar(value);
	if (shape == SHAPE_JSON || value.escaped || !columns_place(f->columns, record, key, shape, &place)) return false;
	if (*place.note == mine || place.slot == f->msg_slot) return false;
	*place.note = mine;
	put_member(f, place.key, value.text, value.kind == VALUE_STRING);
	return true;
}

static void put_pairs(struct flatten *f, uint32_t record, struct value object)
{
	struct field_walk walk = field_walk(f->envelope, object);
	struct value key, value;
	const uint64_t mine = ++f->objects;
	const size_t start = f->out->length;
	const bool had_version = f->has_version;
	while (!f->why && field_step(&walk, &key, &value)) {
		if (record == COLUMNS_ROOT && is_known(f, key, value)) continue;
		if (put_known(f, record, mine, key, value)) continue;
		uint32_t slot = slot_for(f, record, key, value);
		if (slot == COLUMNS_NONE) continue;
		uint64_t *note = columns_note(f->columns, slot);
		if (*note == mine) {
			f->out->length = start;
			f->has_version = had_version;
			put_last_pairs(f, record, object);
			return;
		}
		*note = mine;
		put_pair(f, record, slot, value);
	}
}

/* --- the row --- */

static const char *read_time(struct flatten *f, const struct mozlog_options *options, int64_t *when)
{
	const struct value *timestamp = &f->envelope->timestamp;
	if (timestamp->kind == VALUE_ABSENT || timestamp->text.length == 0) {
		*when = options->now_ns;
		return options->has_now ? NULL : "no timestamp";
	}
	struct span text = timestamp->text;
	if (timestamp->escaped) {
		buffer_clear(&f->decoded);
		text_append_unescaped(&f->decoded, text);
		text = buffer_span(&f->decoded);
	}
	if (!timestamp_parse_next(&f->minute, text, when)) return "a timestamp that cannot be read";
	return *when < 0 ? "a timestamp before 1970" : NULL;
}

static void put_time(struct flatten *f, int64_t when)
{
	char digits[NUMBER_INT_MAX + COLUMNS_PADDING] = "", text[TIMESTAMP_MAX + COLUMNS_PADDING] = "";
	put_member(f, columns_key(f->columns, f->timestamp), (struct span){ digits, number_print_int(digits, when) }, true);
	put_member(f, columns_key(f->columns, f->time), (struct span){ text, timestamp_print_next(&f->printed, text, when) }, true);
}

static void put_head(struct flatten *f)
{
	const struct envelope *e = f->envelope;
	if (e->type.text.length) put_string(f, f->type, e->type);
	if (e->logger.text.length) put_string(f, f->logger, e->logger);
	if (e->metlog_hostname.kind == VALUE_STRING) put_string(f, f->hostname, e->metlog_hostname);
	put_plain(f, f->severity, (struct span){ &"01234567"[e->severity], 1 });
	if (e->metlog_pid.kind != VALUE_NUMBER) return;
	enum column_shape shape = shape_of_number(e->metlog_pid.text);
	if (shape == SHAPE_INTEGER) put_plain(f, f->pid, e->metlog_pid.text);
	else if (shape == SHAPE_WIDE) put_quoted(f, f->pid, e->metlog_pid.text);
}

/* What is part of Fields, and no pair of the envelope's fields. */
static void put_others(struct flatten *f)
{
	const struct envelope *e = f->envelope;
	struct value pid = e->metlog_pid, hostname = e->metlog_hostname;
	if (f->has_message && e->payload.kind == VALUE_STRING) put_string(f, f->msg, e->payload);
	else if (f->has_message) put_json(f, f->msg, e->payload);
	if (hostname.kind != VALUE_STRING && hostname.kind != VALUE_ABSENT && hostname.kind != VALUE_NULL) {
		uint32_t slot = own_slot(f, &f->other_hostname, "metlog_hostname");
		if (slot != COLUMNS_NONE) put_value(f, f->fields, slot, hostname);
	}
	bool is_number = pid.kind == VALUE_NUMBER && (shape_of_number(pid.text) == SHAPE_INTEGER || shape_of_number(pid.text) == SHAPE_WIDE);
	if (!is_number && pid.kind != VALUE_ABSENT && pid.kind != VALUE_NULL) {
		uint32_t slot = own_slot(f, &f->other_pid, "metlog_pid");
		if (slot != COLUMNS_NONE) put_value(f, f->fields, slot, pid);
	}
}

static void put_fields(struct flatten *f)
{
	bool flat = columns_are_flat(f->columns);
	size_t start = f->out->length, inside = start;
	if (!flat) {
		put_key(f, f->fields);
		inside = f->out->length + 1;
		buffer_append_byte(f->out, '{');
	}
	put_pairs(f, f->fields, f->envelope->fields);
	put_others(f);
	if (flat || f->out->failed) return;
	if (f->out->length > inside) close_with(f, '}');
	else f->out->length = start;
}

const char *flatten_append(struct flatten *f, const struct envelope *e, const struct mozlog_options *options, struct buffer *out)
{
	size_t start = out->length;
	int64_t when = 0;
	f->envelope = e;
	f->out = out;
	f->has_version = false;
	f->has_message = e->payload.kind != VALUE_ABSENT && e->payload.kind != VALUE_NULL && e->payload.text.length > 0;
	f->why = read_time(f, options, &when);
	if (f->why) return f->why;
	buffer_append_byte(out, '{');
	put_time(f, when);
	put_head(f);
	put_fields(f);
	if (e->has_others) put_pairs(f, COLUMNS_ROOT, (struct value){ .text = e->line, .kind = VALUE_OBJECT, .first = 0 });
	if (!f->has_version) put_quoted(f, f->env_version, SPAN("2.0"));
	if (!out->failed) out->data[out->length - 1] = '}';
	if (f->why) out->length = start;
	return f->why;
}
