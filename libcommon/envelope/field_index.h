/* field_index - how the values of a good line lie in the index of its scan. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_FIELD_INDEX_H
#define ENVELOPE_FIELD_INDEX_H

#include "envelope/field.h"

/* For field*.c and what walks nearly every field of nearly every line; lines that envelope_parse found good: tokens are where the grammar puts them. `at` is an entry of the index. */

static inline char field_token(const struct envelope *e, uint32_t at)
{
	return e->line.data[e->scan->index[at]];
}

/* The entry behind the value that begins at `at`. */
static inline uint32_t field_value_end(const struct envelope *e, uint32_t at)
{
	unsigned depth = 0;
	if (field_token(e, at) == '"') return at + 2;
	do
		switch (field_token(e, at)) {
		case '"': at += 2; break;
		case '{': case '[': depth++, at++; break;
		case '}': case ']': depth--, at++; break;
		default: at++;
		}
	while (depth);
	return at;
}

/* Behind the closing bracket of the object or array that begins at `at`. */
const char *field_container_end(const struct envelope *e, uint32_t at);

/* Describes the value that begins at `at`. Written where it is wanted: a value that is returned is copied once more. The kinds of values come in no order that a
 * processor could learn, so what they have in common is not behind a branch. */
static inline void field_put_value(const struct envelope *e, uint32_t at, struct value *value)
{
	static const unsigned char kinds[128] = {
		['"'] = VALUE_STRING, ['{'] = VALUE_OBJECT, ['['] = VALUE_ARRAY, ['t'] = VALUE_TRUE, ['f'] = VALUE_FALSE, ['n'] = VALUE_NULL, ['-'] = VALUE_NUMBER, ['0'] = VALUE_NUMBER,
		['1'] = VALUE_NUMBER, ['2'] = VALUE_NUMBER, ['3'] = VALUE_NUMBER, ['4'] = VALUE_NUMBER, ['5'] = VALUE_NUMBER, ['6'] = VALUE_NUMBER, ['7'] = VALUE_NUMBER, ['8'] = VALUE_NUMBER,
		['9'] = VALUE_NUMBER,
	};
	const uint32_t *index = e->scan->index;
	const char *start = e->line.data + index[at], *end = e->line.data + index[at + 1];
	enum value_kind kind = kinds[*start & 0x7f];
	bool quoted = kind == VALUE_STRING;
	if (__builtin_expect(kind == VALUE_OBJECT || kind == VALUE_ARRAY, 0)) end = field_container_end(e, at);
	start += quoted;
	while (!quoted & ((unsigned char)end[-1] <= ' ')) end--; /* of what stands there: a space, TAB or CR */
	value->text = span_between(start, end);
	value->kind = kind;
	value->first = at;
	value->escaped = (e->scan->flags & SCAN_ESCAPES) && quoted && memchr(start, '\\', value->text.length);
}

/* A string at `at`, with what a loop knows in registers. */
static inline void field_put_text(const char *text, const uint32_t *index, uint32_t at, bool escapes, struct value *value)
{
	const char *start = text + index[at] + 1, *end = text + index[at + 1];
	bool escaped = escapes && memchr(start, '\\', (size_t)(end - start));
	value->text = span_between(start, end);
	value->kind = VALUE_STRING;
	value->escaped = escaped;
	value->first = at;
}

/* field_next, for the loops that most of the time goes into. */
static inline bool field_step(struct field_walk *walk, struct value *key, struct value *value)
{
	const struct envelope *e = walk->envelope;
	const char *text = e->line.data;
	const uint32_t *index = e->scan->index;
	const bool escapes = e->scan->flags & SCAN_ESCAPES;
	uint32_t at = walk->at, behind;
	if (at == 0 || text[index[at]] == '}') return false;
	field_put_text(text, index, at, escapes, key);
	at += 3;
	char first = text[index[at]];
	if (first == '"') {
		field_put_text(text, index, at, escapes, value);
		behind = at + 2;
	} else {
		field_put_value(e, at, value);
		behind = first == '{' || first == '[' ? field_value_end(e, at) : at + 1;
	}
	walk->at = text[index[behind]] == ',' ? behind + 1 : 0;
	return true;
}

#endif
