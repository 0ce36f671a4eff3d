/* line - a group and its sketch as a line of text, which sort, Hadoop Streaming and files carry between runs. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "line.h"

#include "base/number.h"
#include "group.h"

static const struct span key_start = { "{\"of\":\"", 7 };

/* What stands behind the name of what is counted, up to the TAB: it ends with the brace. */
static struct span key_rest(struct span group, bool *has_pairs)
{
	if (!group.length) group = SPAN("{\"other\":\"other\"}");
	*has_pairs = group.length > 2;
	return (struct span){ group.data + 1, group.length - 1 };
}

bool line_append_key(struct buffer *out, struct span of, struct span group)
{
	bool has_pairs;
	struct span rest = key_rest(group, &has_pairs);
	buffer_append_span(out, key_start);
	buffer_append_span(out, of);
	buffer_append_text(out, has_pairs ? "\"," : "\"");
	return buffer_append_span(out, rest);
}

bool line_append(struct buffer *out, struct span of, struct span group, const struct sketch *sketch, uint64_t seen)
{
	line_append_key(out, of, group);
	buffer_append_byte(out, '\t');
	sketch_append_text(out, sketch);
	buffer_append_byte(out, ' ');
	return buffer_append_int(out, seen > INT64_MAX ? INT64_MAX : (int64_t)seen);
}

int line_compare_keys(struct span of, struct span group, struct span other_of, struct span other_group)
{
	/* Names end with a quote, which may stand before a character that sorts below it, but never before the same. */
	size_t shared = of.length < other_of.length ? of.length : other_of.length;
	int order = shared ? memcmp(of.data, other_of.data, shared) : 0;
	if (order) return order;
	if (of.length > shared) return (unsigned char)of.data[shared] - '"';
	if (other_of.length > shared) return '"' - (unsigned char)other_of.data[shared];
	bool has_pairs, other_has_pairs;
	struct span rest = key_rest(group, &has_pairs), other_rest = key_rest(other_group, &other_has_pairs);
	if (has_pairs != other_has_pairs) return has_pairs ? -1 : 1; /* "," is below "}" */
	return span_compare(rest, other_rest);
}

/* Makes an object of a part of the key, between two braces, in the buffer: how it is checked, and what a group is. */
static bool make_object(struct buffer *out, const char *from, const char *to)
{
	buffer_clear(out);
	buffer_append_byte(out, '{');
	buffer_append(out, from, (size_t)(to - from));
	buffer_append_byte(out, '}');
	return !out->failed;
}

/* Whether the group's first `count` pairs have the name already. */
static bool has_name(struct span group, size_t count, struct span wanted)
{
	struct span name, value;
	size_t at = 0;
	while (count-- && group_next(group, &at, &name, &value))
		if (span_equal(name, wanted)) return true;
	return false;
}

/* The key's pairs: "of" comes first and once, and "other" alone behind it or not at all. */
static const char *parse_key(struct line *line, struct buffer *group, struct span key)
{
	static const char *const none = "its key is not \"of\" and a group, as --map writes them";
	struct span name, value;
	size_t at = 0;
	bool other = false;
	if (key.length > GROUP_MAX || !span_starts(key, key_start) || key.data[key.length - 1] != '}' || !group_next(key, &at, &name, &value)) return none;
	const char *start = key.data + 1, *of_end = key.data + at, *end = key.data + key.length - 1;
	if (!make_object(group, start, of_end)) return SKETCH_NO_MEMORY;
	if (!group_is_good(buffer_span(group))) return none;
	line->of = value;
	if (of_end < end && *of_end++ != ',') return none;
	if (of_end > key.data + at && of_end == end) return none; /* a comma and nothing */
	if (!make_object(group, of_end, end)) return SKETCH_NO_MEMORY;
	line->group = buffer_span(group);
	if (!group_is_good(line->group)) return none;
	at = 0;
	for (size_t pairs = 0; group_next(line->group, &at, &name, &value); pairs++) {
		if (span_equal(name, SPAN("of"))) return "its key has \"of\" twice";
		if (span_equal(name, SPAN("other"))) other = true;
		else if (group_name_is_taken(name)) return "its key has a name in it that counts have themselves";
		if (has_name(line->group, pairs, name)) return none;
		if (other && (pairs || !value.data || !span_equal(value, SPAN("other")))) return "its key has \"other\" in it, and is not that of the group other";
	}
	if (other) line->group = (struct span){ 0 };
	return NULL;
}

const char *line_parse(struct line *line, struct sketch *sketch, struct buffer *group, struct span text)
{
	*line = (struct line){ .column = 1 };
	const char *tab = text.length ? memchr(text.data, '\t', text.length) : NULL;
	if (!tab) return "no TAB in it: --map writes a key, a TAB and a sketch";
	const char *reason = parse_key(line, group, span_between(text.data, tab));
	if (reason) return reason;
	struct span rest = span_between(tab + 1, text.data + text.length);
	line->column = (size_t)(rest.data - text.data) + 1;
	const char *blank = rest.length ? memchr(rest.data, ' ', rest.length) : NULL;
	if (!blank) return "no number of values behind its sketch";
	struct span seen_text = span_between(blank + 1, rest.data + rest.length);
	int64_t seen = -1;
	if (!number_parse_int(seen_text, &seen) || seen < 0 || seen_text.data[0] == '-') {
		line->column = (size_t)(seen_text.data - text.data) + 1;
		return "the number of values behind its sketch is none";
	}
	line->seen = (uint64_t)seen;
	return sketch_read_text(sketch, span_between(rest.data, blank));
}
