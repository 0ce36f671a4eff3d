/* field - looks up a value inside an envelope by its path, on demand. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/field.h"

#include "base/number.h"
#include "base/text.h"

/* Everything here walks the index of a line that envelope_parse found good, so tokens are where the grammar puts them. */

bool field_path_init(struct field_path *path, struct span text)
{
	*path = (struct field_path){ .whole = text };
	for (;;) {
		const char *dot = text.length ? memchr(text.data, '.', text.length) : NULL;
		struct span segment = dot ? span_between(text.data, dot) : text;
		if (segment.length == 0 || path->depth == FIELD_DEPTH_MAX) return false;
		path->segment[path->depth++] = segment;
		if (!dot) return true;
		text = span_between(dot + 1, text.data + text.length);
	}
}

static inline char token(const struct envelope *e, uint32_t at)
{
	return e->line.data[e->scan->index[at]];
}

/* The entry behind the value that begins at `at`. */
static inline uint32_t value_end(const struct envelope *e, uint32_t at)
{
	unsigned depth = 0;
	if (token(e, at) == '"') return at + 2;
	do
		switch (token(e, at)) {
		case '"': at += 2; break;
		case '{': case '[': depth++, at++; break;
		case '}': case ']': depth--, at++; break;
		default: at++;
		}
	while (depth);
	return at;
}

static inline struct span string_inside(const struct envelope *e, uint32_t at)
{
	const uint32_t *index = e->scan->index;
	return (struct span){ e->line.data + index[at] + 1, index[at + 1] - index[at] - 1 };
}

static inline bool has_escape(const struct envelope *e, struct span inside)
{
	return (e->scan->flags & SCAN_ESCAPES) && memchr(inside.data, '\\', inside.length);
}

static inline void put_string(const struct envelope *e, uint32_t at, struct value *value)
{
	value->text = string_inside(e, at);
	value->kind = VALUE_STRING;
	value->escaped = has_escape(e, value->text);
	value->first = at;
}

static inline struct span without_blanks_behind(const char *start, const char *end)
{
	while ((unsigned char)end[-1] <= ' ') end--; /* of what stands there: a space, TAB or CR */
	return span_between(start, end);
}

/* Written where it is wanted: a value that is returned is copied once more. */
static void put_value(const struct envelope *e, uint32_t at, struct value *value)
{
	const uint32_t *index = e->scan->index;
	const char *start = e->line.data + index[at];
	enum value_kind kind = VALUE_NUMBER;
	value->first = at;
	value->escaped = false;
	switch (*start) {
	case '"': put_string(e, at, value); return;
	case '{': kind = VALUE_OBJECT; break;
	case '[': kind = VALUE_ARRAY; break;
	case 't': kind = VALUE_TRUE; break;
	case 'f': kind = VALUE_FALSE; break;
	case 'n': kind = VALUE_NULL; break;
	default: break;
	}
	value->kind = kind;
	if (kind == VALUE_OBJECT || kind == VALUE_ARRAY)
		value->text = span_between(start, e->line.data + index[value_end(e, at) - 1] + 1);
	else
		value->text = without_blanks_behind(start, e->line.data + index[at + 1]);
}

static struct value value_at(const struct envelope *e, uint32_t at)
{
	struct value value;
	put_value(e, at, &value);
	return value;
}

/* Whether two \u escapes begin the text, a high surrogate and its low one: they are one character. */
static bool is_surrogate_pair(struct span text)
{
	if (text.length < 12 || memcmp(text.data + 6, "\\u", 2) != 0 || (text.data[2] | 0x20) != 'd' || (text.data[8] | 0x20) != 'd') return false;
	return strchr("89abAB", text.data[3]) && strchr("cdefCDEF", text.data[9]);
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
			if (piece == 6 && is_surrogate_pair(rest)) piece = 12;
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

static bool key_equals(const struct envelope *e, uint32_t at, struct span name)
{
	struct span inside = string_inside(e, at);
	if (!has_escape(e, inside)) return span_equal(inside, name);
	return field_equals((struct value){ .text = inside, .kind = VALUE_STRING, .escaped = true }, name);
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
	bool last = from + 1 == path->depth;
	struct span rest = rest_of(path, from);
	uint32_t whole = NOT_FOUND, step = NOT_FOUND;
	if (token(e, ++at) == '}') return NOT_FOUND;
	for (;;) {
		uint32_t value = at + 3;
		if (key_equals(e, at, rest)) whole = value;
		else if (!last && key_equals(e, at, path->segment[from])) step = value;
		at = value_end(e, value);
		if (token(e, at) != ',') break;
		at++;
	}
	if (whole != NOT_FOUND || last || step == NOT_FOUND) return whole;
	return find_from(e, step, path, from + 1);
}

static uint32_t find_in_array(const struct envelope *e, uint32_t at, const struct field_path *path, size_t from)
{
	int64_t wanted;
	if (!number_parse_int(path->segment[from], &wanted) || wanted < 0 || token(e, ++at) == ']') return NOT_FOUND;
	for (; wanted > 0; wanted--) {
		at = value_end(e, at);
		if (token(e, at++) != ',') return NOT_FOUND;
	}
	return from + 1 == path->depth ? at : find_from(e, at, path, from + 1);
}

static uint32_t find_from(const struct envelope *e, uint32_t at, const struct field_path *path, size_t from)
{
	if (token(e, at) == '{') return find_in_object(e, at, path, from);
	if (token(e, at) == '[') return find_in_array(e, at, path, from);
	return NOT_FOUND;
}

static struct value found(const struct envelope *e, uint32_t at)
{
	return at == NOT_FOUND ? (struct value){ .text = { e->line.data, 0 } } : value_at(e, at);
}

struct value field_find(const struct envelope *e, const struct field_path *path)
{
	/* The usual case, fields.name, starts where the view says that fields begin. */
	if (path->depth > 1 && span_equal(path->segment[0], SPAN("fields")) && e->fields.kind == VALUE_OBJECT) {
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
	at = value_end(e, at);
	return token(e, at) == ',' ? at + 1 : 0;
}

/* What put_string does, with what a loop knows in registers. */
static inline void put_text(const char *text, const uint32_t *index, uint32_t at, bool escapes, struct value *value)
{
	const char *start = text + index[at] + 1, *end = text + index[at + 1];
	bool escaped = escapes && memchr(start, '\\', (size_t)(end - start));
	value->text = span_between(start, end);
	value->kind = VALUE_STRING;
	value->escaped = escaped;
	value->first = at;
}

bool field_next(struct field_walk *walk, struct value *key, struct value *value)
{
	const struct envelope *e = walk->envelope;
	const char *text = e->line.data;
	const uint32_t *index = e->scan->index;
	const bool escapes = e->scan->flags & SCAN_ESCAPES;
	uint32_t at = walk->at, behind;
	if (at == 0 || text[index[at]] == '}') return false;
	put_text(text, index, at, escapes, key);
	at += 3;
	char first = text[index[at]];
	if (first == '"') {
		put_text(text, index, at, escapes, value);
		behind = at + 2;
	} else {
		put_value(e, at, value);
		behind = first == '{' || first == '[' ? value_end(e, at) : at + 1;
	}
	walk->at = text[index[behind]] == ',' ? behind + 1 : 0;
	return true;
}

bool field_next_element(struct field_walk *walk, struct value *element)
{
	const struct envelope *e = walk->envelope;
	if (walk->at == 0 || token(e, walk->at) == ']') return false;
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
