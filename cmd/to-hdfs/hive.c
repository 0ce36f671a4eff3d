/* hive - one walk over the line's index: keys made lower-case and unique, what is nested put into a string. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "hive.h"

#include <stdio.h>

#include "base/table.h"
#include "base/text.h"
#include "escape.h"

/* Jackson 2.15 and later refuse a number of more than 1000 characters and a key of more than 50000. */
enum { NUMBER_MOST = 1000, KEY_MOST = 32 * 1024, FEW = 24, SUFFIX_MAX = 16, MANY_LIMIT = 1 << 26 };

/* The keys of the object that is being written, as they stand in `out`. Few are compared one by one, which is most objects; many are kept in a table. */
struct keys {
	struct buffer *out;
	size_t count;
	struct { size_t at, length; } few[FEW];
	struct table *many;     /* key -> the last number that was put behind it */
	bool members;           /* the names of the envelope's members are taken, too */
};

/* Kept from line to line, as their memory is. */
static struct table many_members, many_fields;
static struct buffer decoded;

static bool is_member(struct span key)
{
	static const char *const names[] = { "timestamp", "logger", "type", "severity", "payload", "fields", "env_version" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (span_equal(key, span_of(names[i]))) return true;
	return false;
}

static bool is_taken(const struct keys *k, struct span key)
{
	if (k->members && is_member(key)) return true;
	if (k->count > FEW) return table_find(k->many, key) != NULL;
	for (size_t i = 0; i < k->count; i++)
		if (k->few[i].length == key.length && memcmp(k->out->data + k->few[i].at, key.data, key.length) == 0) return true;
	return false;
}

static uint64_t *put_many(const struct keys *k, struct span key)
{
	bool fresh;
	if (k->many->value_size == 0) table_init(k->many, MANY_LIMIT, (size_t)1 << 32, sizeof(uint64_t));
	return table_put(k->many, key, &fresh);
}

static bool take(struct keys *k, size_t at, size_t length)
{
	if (k->count < FEW) {
		k->few[k->count].at = at;
		k->few[k->count++].length = length;
		return true;
	}
	if (k->count == FEW) {
		table_clear(k->many);
		for (size_t i = 0; i < FEW; i++)
			if (!put_many(k, (struct span){ k->out->data + k->few[i].at, k->few[i].length })) return false;
	}
	k->count++;
	return put_many(k, (struct span){ k->out->data + at, length });
}

/* Makes the key that stands in `out` from `at` on one of its own, and remembers it. */
static bool make_unique(struct keys *k, size_t at)
{
	size_t length = k->out->length - at;
	uint64_t number = 1;
	while (!k->out->failed && is_taken(k, (struct span){ k->out->data + at, k->out->length - at })) {
		/* So that many alike are not compared with each other. */
		uint64_t *last = k->count > FEW ? put_many(k, (struct span){ k->out->data + at, length }) : NULL;
		if (last && *last > number) number = *last;
		number++;
		if (last) *last = number;
		char suffix[SUFFIX_MAX + 8];
		int written = snprintf(suffix, sizeof suffix, "_%llu", (unsigned long long)number);
		k->out->length = at + length;
		buffer_append(k->out, suffix, (size_t)written);
	}
	return !k->out->failed && take(k, at, k->out->length - at);
}

static bool decode(struct value string, struct span *text)
{
	*text = string.text;
	if (!string.escaped) return true;
	if (decoded.limit == 0) buffer_init(&decoded, (size_t)1 << 32);
	buffer_clear(&decoded);
	if (!text_append_unescaped(&decoded, string.text)) return false;
	*text = buffer_span(&decoded);
	return true;
}

/* SerDes take it for the number of a column. */
static bool is_position(const char *key, size_t length)
{
	if (length < 5 || memcmp(key, "_col", 4) != 0) return false;
	for (size_t i = 4; i < length; i++)
		if (key[i] < '0' || key[i] > '9') return false;
	return true;
}

/* As Java's toLowerCase has it for what can become ASCII: the Kelvin sign is the one letter beyond that does. */
static void append_lower(struct buffer *out, struct span key)
{
	size_t at = out->length;
	text_append_escaped(out, key);
	char *p = out->data + at, *end = out->data + out->length, *to = p;
	while (p < end) {
		if (end - p >= 3 && memcmp(p, "\xe2\x84\xaa", 3) == 0) *to++ = 'k', p += 3;
		else if (*p >= 'A' && *p <= 'Z') *to++ = (char)(*p++ | 0x20);
		else *to++ = *p++;
	}
	out->length = (size_t)(to - out->data);
}

static struct span shortened(struct span key, char room[KEY_MOST])
{
	if (key.length <= KEY_MOST) return key;
	memcpy(room, key.data, KEY_MOST);
	return (struct span){ room, escape_end(room, KEY_MOST, key) };
}

static bool append_key(struct keys *k, struct value key)
{
	char room[KEY_MOST];
	struct span text;
	if (!decode(key, &text)) return false;
	text = shortened(text, room);
	buffer_append_byte(k->out, '"');
	size_t at = k->out->length;
	if (k->members && is_member(text)) {
		buffer_append_span(k->out, text);
	} else {
		append_lower(k->out, text);
		if (k->members && is_position(k->out->data + at, k->out->length - at)) {
			k->out->length = at;
			buffer_append_byte(k->out, 'x');
			append_lower(k->out, text);
		}
		if (!make_unique(k, at)) return false;
	}
	return buffer_append(k->out, "\":", 2);
}

/* The inside of a string as it stands in the line, but for halves of surrogate pairs. */
static bool append_mended(struct buffer *out, struct span inside)
{
	const char *p = inside.data, *end = p + inside.length, *run = p;
	while (p < end && (p = memchr(p, '\\', (size_t)(end - p)))) {
		if (p[1] != 'u' || (p[2] | 0x20) != 'd' || p[3] < '8') {
			p += 2;
			continue;
		}
		bool pair = strchr("89abAB", p[3]) && end - p >= 12 && p[6] == '\\' && p[7] == 'u' && (p[8] | 0x20) == 'd' && strchr("cdefCDEF", p[9]);
		if (!pair) {
			buffer_append(out, run, (size_t)(p - run));
			buffer_append_text(out, "\\ufffd");
			run = p + 6;
		}
		p += pair ? 12 : 6;
	}
	return buffer_append(out, run, (size_t)(end - run));
}

/* The JSON text of an object or array, without blanks, as a string. */
static bool append_nested(struct buffer *out, const struct envelope *e, struct value v)
{
	const uint32_t *index = e->scan->index + v.first;
	const char *line = e->line.data;
	unsigned depth = 0;
	buffer_append_byte(out, '"');
	do {
		const char *token = line + *index++;
		switch (*token) {
		case '"':
			buffer_append(out, "\\\"", 2);
			text_append_escaped(out, span_between(token + 1, line + *index++));
			buffer_append(out, "\\\"", 2);
			break;
		case '{': case '[': depth++; buffer_append_byte(out, *token); break;
		case '}': case ']': depth--; buffer_append_byte(out, *token); break;
		case ',': case ':': buffer_append_byte(out, *token); break;
		default: buffer_append_span(out, span_trim(span_between(token, line + *index)));
		}
	} while (depth);
	return buffer_append_byte(out, '"');
}

static bool append_scalar(struct buffer *out, const struct envelope *e, struct value v)
{
	if (v.kind == VALUE_OBJECT || v.kind == VALUE_ARRAY) return append_nested(out, e, v);
	bool quoted = v.kind == VALUE_STRING || (v.kind == VALUE_NUMBER && v.text.length > NUMBER_MOST);
	if (!quoted) return buffer_append_span(out, v.text);
	buffer_append_byte(out, '"');
	if (v.escaped) append_mended(out, v.text);
	else buffer_append_span(out, v.text);
	return buffer_append_byte(out, '"');
}

static bool append_map(struct buffer *out, const struct envelope *e, struct value object)
{
	struct keys keys = { .out = out, .many = &many_fields };
	struct value key, value;
	char before = '{';
	for (struct field_walk walk = field_walk(e, object); field_next(&walk, &key, &value); before = ',') {
		buffer_append_byte(out, before);
		if (!append_key(&keys, key) || !append_scalar(out, e, value)) return false;
	}
	if (before == '{') buffer_append_byte(out, '{');
	return buffer_append_byte(out, '}');
}

bool hive_append(struct buffer *out, const struct envelope *e)
{
	struct keys keys = { .out = out, .many = &many_members, .members = true };
	struct value key, value, whole = { .kind = VALUE_OBJECT };
	char before = '{';
	for (struct field_walk walk = field_walk(e, whole); field_next(&walk, &key, &value); before = ',') {
		buffer_append_byte(out, before);
		if (!append_key(&keys, key)) return false;
		bool map = e->fields.kind == VALUE_OBJECT && value.first == e->fields.first;
		if (!(map ? append_map(out, e, value) : append_scalar(out, e, value))) return false;
	}
	if (before == '{') buffer_append_byte(out, '{');
	return buffer_append_byte(out, '}') && !out->failed;
}
