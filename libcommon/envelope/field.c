/* field - looks up a value inside an envelope by its path, on demand. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/field.h"

#include "base/number.h"
#include "base/text.h"
#include "envelope/field_index.h"

/* Everything here walks the index of a line that envelope_parse found good, so tokens are where the grammar puts them. */

/* Where the view has the member of that name. */
static size_t member_of(struct span name)
{
	static const struct { const char *name; size_t at; } members[] = {
		{ "timestamp", offsetof(struct envelope, timestamp) }, { "logger", offsetof(struct envelope, logger) }, { "type", offsetof(struct envelope, type) },
		{ "payload", offsetof(struct envelope, payload) }, { "fields", offsetof(struct envelope, fields) }, { "env_version", offsetof(struct envelope, env_version) },
		{ "metlog_pid", offsetof(struct envelope, metlog_pid) }, { "metlog_hostname", offsetof(struct envelope, metlog_hostname) },
	};
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (span_equal(name, span_of(members[i].name))) return members[i].at;
	return 0;
}

bool field_path_init(struct field_path *path, struct span text)
{
	*path = (struct field_path){ .whole = text };
	for (;;) {
		const char *dot = text.length ? memchr(text.data, '.', text.length) : NULL;
		struct span segment = dot ? span_between(text.data, dot) : text;
		if (segment.length == 0 || path->depth == FIELD_DEPTH_MAX) return false;
		path->segment[path->depth++] = segment;
		if (path->depth == 1) path->member = member_of(segment);
		if (!dot) return true;
		text = span_between(dot + 1, text.data + text.length);
	}
}

bool field_path_init_key(struct field_path *path, struct span text)
{
	size_t points = 0;
	if (field_path_init(path, text)) return true;
	for (size_t i = 0; i < text.length; i++) points += text.data[i] == '.';
	if (text.length == 0 || points >= FIELD_DEPTH_MAX) return false;
	*path = (struct field_path){ .whole = text, .segment = { text }, .depth = 1 };
	return true;
}

const char *field_container_end(const struct envelope *e, uint32_t at)
{
	return e->line.data + e->scan->index[field_value_end(e, at) - 1] + 1;
}

static struct value value_at(const struct envelope *e, uint32_t at)
{
	struct value value;
	field_put_value(e, at, &value);
	return value;
}

bool field_equals(struct value string, struct span text)
{
	if (string.kind != VALUE_STRING) return false;
	if (!string.escaped) return span_equal(string.text, text);
	/* Escapes only ever shorten: compare piece by piece, decoding one escape at a time, with no room that could run out. */
	struct span rest = string.text;
	while (rest.length) {
		size_t piece = 1;
		if (rest.data[0] == '\\') {
			piece = rest.data[1] == 'u' ? 6 : 2;
			if (piece == 6 && text_is_surrogate_pair(rest)) piece = 12;
		}
		char room[16];
		struct buffer decoded = { .data = room, .capacity = sizeof room, .limit = sizeof room };
		if (piece == 1) buffer_append(&decoded, rest.data, 1);
		else text_append_unescaped(&decoded, (struct span){ rest.data, piece });
		if (!span_starts(text, buffer_span(&decoded))) return false;
		text.data += decoded.length, text.length -= decoded.length;
		rest.data += piece, rest.length -= piece;
	}
	return text.length == 0;
}

/* Whether a key is that name. Escapes only ever shorten, so one that is written with them is longer. */
static inline bool key_equals(struct span key, struct span name, bool escapes)
{
	if (key.length == name.length) return key.length == 0 || (key.data[0] == name.data[0] && memcmp(key.data, name.data, key.length) == 0 && !(escapes && memchr(key.data, '\\', key.length)));
	if (!escapes || key.length < name.length || !memchr(key.data, '\\', key.length)) return false;
	return field_equals((struct value){ .text = key, .kind = VALUE_STRING, .escaped = true }, name);
}

/* All of the path from segment `from` on, as one name: dots belong to it. */
static struct span rest_of(const struct field_path *path, size_t from)
{
	return span_between(path->segment[from].data, path->whole.data + path->whole.length);
}

enum { NOT_FOUND = 0 }; /* entry 0 of an index is the envelope's own brace, never a value inside it */

static uint32_t find_from(const struct envelope *e, uint32_t at, const struct field_path *path, size_t from);

static uint32_t find_in_object(const struct envelope *e, uint32_t at, const struct field_path *path, size_t from)
{
	const uint32_t *index = e->scan->index;
	const char *text = e->line.data;
	const bool last = from + 1 == path->depth, escapes = e->scan->flags & SCAN_ESCAPES;
	const struct span rest = rest_of(path, from), next = path->segment[from];
	uint32_t whole = NOT_FOUND, step = NOT_FOUND;
	if (text[index[++at]] == '}') return NOT_FOUND;
	for (;; at++) {
		struct span key = span_between(text + index[at] + 1, text + index[at + 1]);
		uint32_t value = at + 3;
		if (key_equals(key, rest, escapes)) whole = value;
		else if (!last && key_equals(key, next, escapes)) step = value;
		char first = text[index[value]];
		at = first == '"' ? value + 2 : first == '{' || first == '[' ? field_value_end(e, value) : value + 1;
		if (text[index[at]] != ',') break;
	}
	if (whole != NOT_FOUND || last || step == NOT_FOUND) return whole;
	return find_from(e, step, path, from + 1);
}

static uint32_t find_in_array(const struct envelope *e, uint32_t at, const struct field_path *path, size_t from)
{
	int64_t wanted;
	if (!number_parse_int(path->segment[from], &wanted) || wanted < 0 || field_token(e, ++at) == ']') return NOT_FOUND;
	for (; wanted > 0; wanted--) {
		at = field_value_end(e, at);
		if (field_token(e, at++) != ',') return NOT_FOUND;
	}
	return from + 1 == path->depth ? at : find_from(e, at, path, from + 1);
}

static uint32_t find_from(const struct envelope *e, uint32_t at, const struct field_path *path, size_t from)
{
	if (field_token(e, at) == '{') return find_in_object(e, at, path, from);
	if (field_token(e, at) == '[') return find_in_array(e, at, path, from);
	return NOT_FOUND;
}

static struct value found(const struct envelope *e, uint32_t at)
{
	return at == NOT_FOUND ? (struct value){ .text = { e->line.data, 0 } } : value_at(e, at);
}

struct value field_find(const struct envelope *e, const struct field_path *path)
{
	/* The usual cases: a member that the view has, and what stands in fields. */
	if (path->member && path->depth == 1) return *(const struct value *)(const void *)((const char *)e + path->member);
	if (path->member == offsetof(struct envelope, fields) && e->fields.kind == VALUE_OBJECT) {
		uint32_t at = find_in_object(e, e->fields.first, path, 1);
		if (at != NOT_FOUND) return value_at(e, at);
	}
	return found(e, find_in_object(e, 0, path, 0));
}

struct value field_find_in(const struct envelope *e, struct value object, const struct field_path *path)
{
	if (object.kind != VALUE_OBJECT && object.kind != VALUE_ARRAY) return found(e, NOT_FOUND);
	return found(e, find_from(e, object.first, path, 0));
}

struct field_walk field_walk(const struct envelope *e, struct value object)
{
	return (struct field_walk){ e, object.kind == VALUE_OBJECT ? object.first + 1 : 0 };
}

struct field_walk field_walk_array(const struct envelope *e, struct value array)
{
	return (struct field_walk){ e, array.kind == VALUE_ARRAY ? array.first + 1 : 0 };
}

/* Steps behind the value at `at`: to the next element, or to 0 at the closing bracket. */
static uint32_t next_element(const struct envelope *e, uint32_t at)
{
	at = field_value_end(e, at);
	return field_token(e, at) == ',' ? at + 1 : 0;
}

bool field_next(struct field_walk *walk, struct value *key, struct value *value)
{
	return field_step(walk, key, value);
}

bool field_next_element(struct field_walk *walk, struct value *element)
{
	const struct envelope *e = walk->envelope;
	if (walk->at == 0 || field_token(e, walk->at) == ']') return false;
	*element = value_at(e, walk->at);
	walk->at = next_element(e, walk->at);
	return true;
}

bool field_append_text(struct buffer *out, struct value value)
{
	if (value.kind == VALUE_STRING && value.escaped) return text_append_unescaped(out, value.text);
	return buffer_append_span(out, value.text);
}

bool field_number(struct value value, double *number)
{
	if (value.kind != VALUE_NUMBER && (value.kind != VALUE_STRING || value.escaped)) return false;
	return number_parse_double(value.text, number);
}
