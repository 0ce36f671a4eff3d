/* hive - one walk over the line's index: keys made lower-case and unique, what is nested put into a string. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "hive.h"

#include <stdio.h>

#include "base/table.h"
#include "base/text.h"
#include "escape.h"

/* Jackson 2.15 and later refuse a number of more than 1000 characters and a key of more than 50000. */
enum { NUMBER_MOST = 1000, KEY_MOST = 32 * 1024, FEW = 24, SUFFIX_MAX = 24, MANY_LIMIT = 1 << 26 };

/* Where the reading of the line stands, at an entry of its index, and what is written. */
struct hive {
	const struct envelope *envelope;
	const char *line;
	const uint32_t *at;
	struct buffer *out;
	bool escapes;
};

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
	switch (key.length) {
	case 4: return memcmp(key.data, "type", 4) == 0;
	case 6: return memcmp(key.data, "logger", 6) == 0 || memcmp(key.data, "fields", 6) == 0;
	case 7: return memcmp(key.data, "payload", 7) == 0;
	case 8: return memcmp(key.data, "severity", 8) == 0;
	case 9: return memcmp(key.data, "timestamp", 9) == 0;
	case 11: return memcmp(key.data, "env_version", 11) == 0;
	default: return false;
	}
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
		char suffix[SUFFIX_MAX];
		int written = snprintf(suffix, sizeof suffix, "_%llu", (unsigned long long)number);
		k->out->length = at + length;
		buffer_append(k->out, suffix, (size_t)written);
	}
	return !k->out->failed && take(k, at, k->out->length - at);
}

static bool decode(struct span inside, struct span *text)
{
	*text = inside;
	if (!memchr(inside.data, '\\', inside.length)) return true;
	if (decoded.limit == 0) buffer_init(&decoded, (size_t)1 << 32);
	buffer_clear(&decoded);
	if (!text_append_unescaped(&decoded, inside)) return false;
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

/* Printable ASCII that stays as it is: no capital, no quote, no backslash. */
static bool is_simple(struct span key)
{
	static const bool simple[256] = { [' '] = true, ['!'] = true, ['#' ... '@'] = true, ['['] = true, [']' ... '~'] = true };
	if (key.length > KEY_MOST) return false;
	for (size_t i = 0; i < key.length; i++)
		if (!simple[(unsigned char)key.data[i]]) return false;
	return true;
}

static bool write_odd_key(struct keys *k, struct span inside)
{
	char room[KEY_MOST];
	struct span text;
	if (!decode(inside, &text)) return false;
	text = shortened(text, room);
	size_t at = k->out->length;
	if (k->members && is_member(text)) return buffer_append_span(k->out, text);
	append_lower(k->out, text);
	if (k->members && is_position(k->out->data + at, k->out->length - at)) {
		k->out->length = at;
		buffer_append_byte(k->out, 'x');
		append_lower(k->out, text);
	}
	return make_unique(k, at);
}

static bool write_key(struct hive *h, struct keys *k)
{
	struct span inside = span_between(h->line + h->at[0] + 1, h->line + h->at[1]);
	bool done;
	h->at += 3;
	buffer_append_byte(h->out, '"');
	if (is_simple(inside) && !(k->members && inside.length && inside.data[0] == '_')) {
		size_t at = h->out->length;
		buffer_append_span(h->out, inside);
		done = (k->members && is_member(inside)) || make_unique(k, at);
	} else {
		done = write_odd_key(k, inside);
	}
	return done && buffer_append(h->out, "\":", 2);
}

static void write_string(struct hive *h)
{
	struct span inside = span_between(h->line + h->at[0] + 1, h->line + h->at[1]);
	h->at += 2;
	if (!h->escapes || !memchr(inside.data, '\\', inside.length)) {
		buffer_append(h->out, inside.data - 1, inside.length + 2);
		return;
	}
	buffer_append_byte(h->out, '"');
	text_append_paired(h->out, inside);
	buffer_append_byte(h->out, '"');
}

/* What is neither a string nor nested. */
static struct span take_plain(struct hive *h)
{
	struct span text = span_between(h->line + h->at[0], h->line + h->at[1]);
	while (text.length && (unsigned char)text.data[text.length - 1] <= ' ') text.length--;
	h->at++;
	return text;
}

/* The JSON text of an object or array, without blanks, as a string. */
static void write_nested(struct hive *h)
{
	unsigned depth = 0;
	buffer_append_byte(h->out, '"');
	do {
		const char *token = h->line + *h->at;
		switch (*token) {
		case '"':
			buffer_append(h->out, "\\\"", 2);
			text_append_escaped(h->out, span_between(token + 1, h->line + h->at[1]));
			buffer_append(h->out, "\\\"", 2);
			h->at += 2;
			continue;
		case '{': case '[': depth++; break;
		case '}': case ']': depth--; break;
		case ',': case ':': break;
		default: buffer_append_span(h->out, take_plain(h)); continue;
		}
		buffer_append_byte(h->out, *token);
		h->at++;
	} while (depth);
	buffer_append_byte(h->out, '"');
}

/* Hive 4 reads a number that has a point or an exponent as a double: what would lose digits that way, or become infinite, is better a string. */
static bool is_double(struct span number)
{
	size_t digits = 0, exponent = 0;
	bool real = false;
	for (size_t i = 0; i < number.length; i++) {
		char c = number.data[i];
		if (c == '.') real = true;
		if ((c | 0x20) == 'e') {
			while (++i < number.length)
				if (exponent || (number.data[i] >= '1' && number.data[i] <= '9')) exponent++;
			return digits <= 17 && exponent <= 2;
		}
		if (c >= '0' && c <= '9' && (digits || c != '0')) digits++;
	}
	return !real || digits <= 17;
}

static void write_scalar(struct hive *h)
{
	switch (h->line[*h->at]) {
	case '"': write_string(h); return;
	case '{': case '[': write_nested(h); return;
	case 't': case 'f': case 'n': buffer_append_span(h->out, take_plain(h)); return;
	}
	struct span number = take_plain(h);
	bool quoted = number.length > NUMBER_MOST || (number.length > 3 && !is_double(number));
	if (quoted) buffer_append_byte(h->out, '"');
	buffer_append_span(h->out, number);
	if (quoted) buffer_append_byte(h->out, '"');
}

static bool write_object(struct hive *h, struct keys *k)
{
	char before = '{';
	if (h->line[*++h->at] == '}') buffer_append_byte(h->out, '{');
	else
		do {
			if (before == ',') h->at++;
			buffer_append_byte(h->out, before);
			if (!write_key(h, k)) return false;
			size_t entry = (size_t)(h->at - h->envelope->scan->index);
			if (k->members && h->envelope->fields.kind == VALUE_OBJECT && entry == h->envelope->fields.first) {
				struct keys fields = { .out = h->out, .many = &many_fields };
				if (!write_object(h, &fields)) return false;
			} else {
				write_scalar(h);
			}
			before = ',';
		} while (h->line[*h->at] == ',');
	h->at++;
	return buffer_append_byte(h->out, '}');
}

bool hive_append(struct buffer *out, const struct envelope *e)
{
	struct hive h = { .envelope = e, .line = e->line.data, .at = e->scan->index, .out = out, .escapes = e->scan->flags & SCAN_ESCAPES };
	struct keys keys = { .out = out, .many = &many_members, .members = true };
	return write_object(&h, &keys);
}
