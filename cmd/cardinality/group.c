/* group - the usual value, a short string without escapes, is copied as it stands; the rest is decoded and written anew. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "group.h"

#include "base/sketch.h"
#include "base/text.h"

enum { CUT_MARK = 17 }; /* "#" and 16 hexadecimal digits */

static bool is_none(struct value value)
{
	return value.kind == VALUE_ABSENT || value.kind == VALUE_NULL;
}

bool group_name_is_taken(struct span name)
{
	static const char *const taken[] = { "of", "other", "name", "rate", "tags", "interval", "seen", "error" };
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (span_equal(name, span_of(taken[i]))) return true;
	return false;
}

bool group_value(struct span *text, struct buffer *scratch, struct value value)
{
	if (is_none(value)) return false;
	*text = value.text;
	if (!value.escaped) return true;
	buffer_clear(scratch);
	text_append_unescaped(scratch, value.text);
	*text = buffer_span(scratch);
	return true;
}

/* What of a text too long stands in the group, without the mark. */
static size_t cut_length(struct span text)
{
	size_t length = GROUP_VALUE_MAX;
	while (length && ((unsigned char)text.data[length] & 0xc0) == 0x80) length--;
	return length;
}

static void append_cut(struct buffer *out, struct buffer *scratch, struct span text)
{
	static const char digits[] = "0123456789abcdef";
	char mark[CUT_MARK] = "#";
	uint64_t hash = sketch_hash(text);
	for (int i = CUT_MARK - 1; i > 0; i--, hash >>= 4) mark[i] = digits[hash & 15];
	struct buffer cut;
	buffer_init(&cut, GROUP_VALUE_MAX + CUT_MARK);
	buffer_append(&cut, text.data, cut_length(text));
	buffer_append(&cut, mark, sizeof mark);
	if (cut.failed) scratch->failed = true;
	else text_append_quoted(out, buffer_span(&cut));
	buffer_release(&cut);
}

static void append_rare(struct buffer *out, struct buffer *scratch, struct value value)
{
	struct span text;
	if (!group_value(&text, scratch, value)) buffer_append(out, "null", 4);
	else if (text.length > GROUP_VALUE_MAX) append_cut(out, scratch, text);
	else text_append_quoted(out, text);
}

bool group_append(struct buffer *out, struct buffer *scratch, const struct envelope *envelope, const struct cardinality_field *by, size_t by_count)
{
	size_t start = out->length;
	if (by_count == 0) return buffer_append(out, "{}", 2);
	for (size_t i = 0; i < by_count; i++) {
		struct value value = field_find(envelope, &by[i].path);
		struct span label = by[i].label, text = value.text;
		bool is_plain = (value.kind == VALUE_STRING && !value.escaped) || value.kind == VALUE_NUMBER || value.kind == VALUE_TRUE || value.kind == VALUE_FALSE;
		if (!buffer_reserve(out, label.length + GROUP_VALUE_MAX + 3)) return false;
		memcpy(out->data + out->length, label.data, label.length);
		out->length += label.length;
		if (!is_plain || text.length > GROUP_VALUE_MAX) {
			append_rare(out, scratch, value);
			continue;
		}
		char *to = out->data + out->length;
		*to = '"';
		memcpy(to + 1, text.data, text.length);
		to[text.length + 1] = '"';
		out->length += text.length + 2;
	}
	buffer_append_byte(out, '}');
	if (out->failed || scratch->failed) return false;
	out->data[start] = '{'; /* where the first label has its comma */
	return true;
}

/* The inside of the string that begins at *at, which is moved behind it. */
static bool take_string(struct span group, size_t *at, struct span *inside)
{
	size_t i = *at;
	if (i >= group.length || group.data[i] != '"') return false;
	size_t start = ++i;
	for (; i < group.length && group.data[i] != '"'; i++) {
		if ((unsigned char)group.data[i] < ' ') return false;
		if (group.data[i] == '\\') i++;
	}
	if (i >= group.length) return false;
	*inside = (struct span){ group.data + start, i - start };
	*at = i + 1;
	return true;
}

static bool take_pair(struct span group, size_t *at, struct span *name, struct span *value)
{
	if (!take_string(group, at, name) || *at >= group.length || group.data[*at] != ':') return false;
	++*at;
	*value = (struct span){ 0 };
	if (!span_starts((struct span){ group.data + *at, group.length - *at }, SPAN("null"))) return take_string(group, at, value);
	*at += 4;
	return true;
}

bool group_next(struct span group, size_t *at, struct span *name, struct span *value)
{
	size_t i = *at;
	if (i == SIZE_MAX || (i == 0 && span_equal(group, SPAN("{}")))) return false;
	bool is_end = i > 0 && i + 1 == group.length && group.data[i] == '}';
	if (is_end) return false;
	bool is_pair = i < group.length && group.data[i] == (i ? ',' : '{');
	i++;
	*at = is_pair && take_pair(group, &i, name, value) ? i : SIZE_MAX;
	return *at != SIZE_MAX;
}

static bool is_hex(struct span text)
{
	for (size_t i = 0; i < text.length; i++)
		if (!strchr("0123456789abcdef", text.data[i]) || !text.data[i]) return false;
	return true;
}

/* Whether a decoded value is short enough, or was cut. */
static bool is_value_length(struct span text)
{
	if (text.length <= GROUP_VALUE_MAX) return true;
	if (text.length > GROUP_VALUE_MAX + CUT_MARK || text.length < GROUP_VALUE_MAX + CUT_MARK - 3) return false;
	const char *mark = text.data + text.length - CUT_MARK;
	return *mark == '#' && is_hex((struct span){ mark + 1, CUT_MARK - 1 });
}

static bool has_known_escapes(struct span inside)
{
	for (size_t i = 0; i < inside.length; i++) {
		if (inside.data[i] != '\\') continue;
		if (++i == inside.length) return false;
		bool is_short = inside.data[i] && strchr("\"\\bfnrt", inside.data[i]);
		if (is_short) continue;
		if (inside.data[i] != 'u' || inside.length - i < 5 || !is_hex((struct span){ inside.data + i + 1, 4 })) return false;
		i += 4;
	}
	return true;
}

/* Whether the inside of a string is as text_append_escaped writes it. */
static bool is_inside(struct span inside, bool is_value)
{
	if (!inside.length || !memchr(inside.data, '\\', inside.length)) return !is_value || is_value_length(inside);
	if (!has_known_escapes(inside)) return false;
	struct buffer text, again;
	buffer_init(&text, GROUP_MAX);
	buffer_init(&again, GROUP_MAX);
	bool good = text_append_unescaped(&text, inside) && (!is_value || is_value_length(buffer_span(&text)))
	    && text_append_escaped(&again, buffer_span(&text)) && span_equal(buffer_span(&again), inside);
	buffer_release(&text);
	buffer_release(&again);
	return good;
}

bool group_is_good(struct span group)
{
	struct span name, value;
	size_t at = 0, pairs = 0;
	if (group.length > GROUP_MAX || !text_is_utf8(group)) return false;
	while (group_next(group, &at, &name, &value)) {
		if (++pairs > OPTIONS_FIELDS_MAX || !name.length || !is_inside(name, false)) return false;
		if (value.data && !is_inside(value, true)) return false;
	}
	return at != SIZE_MAX;
}
