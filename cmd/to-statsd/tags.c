/* tags - styles as rows of a table, so that one writer serves them all. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "tags.h"

#include <stdlib.h>

#include "io/diag.h"

static const struct tags_style styles[] = {
	{ .name = "none", .open = "", .equals = "", .comma = "", .close = "", .unsafe = "" },
	{ .name = "dogstatsd", .open = "|#", .equals = ":", .comma = ",", .close = "", .unsafe = ",", .is_tail = true, .bare = true, .utf8 = true },
	{ .name = "influx", .open = ",", .equals = "=", .comma = ",", .close = "", .unsafe = ",=\\", .utf8 = true },
	{ .name = "graphite", .open = ";", .equals = "=", .comma = ";", .close = "", .unsafe = ";=!^~" },
	{ .name = "librato", .open = "#", .equals = "=", .comma = ",", .close = "", .unsafe = ",=" },
	{ .name = "signalfx", .open = "[", .equals = "=", .comma = ",", .close = "]", .unsafe = ",=[]" },
};

const struct tags_style *tags_style_find(const char *name)
{
	for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
		if (!strcmp(styles[i].name, name)) return &styles[i];
	return NULL;
}

void tags_init(struct tags *t, const struct tags_style *style, bool sorted, bool ascii, size_t limit_bytes)
{
	char unsafe[32] = "|#@:";
	strcat(unsafe, style->unsafe);
	t->style = style;
	t->sorted = sorted;
	text_map_init(&t->names, unsafe, style->utf8 && !ascii);
	t->values = t->names;
	/* Behind the first ':' of a DogStatsD tag others are plain text, and so is '@' outside the rate's place. */
	if (style->is_tail) t->values.step[':'] = ':', t->values.step['@'] = '@';
	buffer_init(&t->text, limit_bytes);
	buffer_init(&t->decoded, SIZE_MAX);
}

void tags_release(struct tags *t)
{
	buffer_release(&t->text);
	buffer_release(&t->decoded);
}

bool tags_add_option(struct tags *t, const char *text, const char **reason)
{
	const char *equals = strchr(text, '=');
	struct span name = equals ? span_between(text, equals) : (struct span){ 0 }, field = span_of(equals ? equals + 1 : text);
	if (t->option_count == TAGS_OPTIONS_MAX) {
		*reason = "more than 32 of them";
		return false;
	}
	struct tags_option *o = &t->option[t->option_count];
	bool found = member_init(&o->member, field);
	if (!found) {
		/* Lives as long as the process: options are read once. */
		char *path = must_alloc(field.length + sizeof "fields.");
		memcpy(path, "fields.", 7);
		memcpy(path + 7, field.data, field.length);
		found = field.length && member_init(&o->member, span_of(path));
		if (!found) free(path);
	}
	if (!found || (equals && name.length == 0)) {
		*reason = "not of the form FIELD or NAME=FIELD";
		return false;
	}
	if (!equals) name = span_starts(field, SPAN("fields.")) ? (struct span){ field.data + 7, field.length - 7 } : field;
	o->name = name;
	t->option_count++;
	return true;
}

static struct span part(const struct tags *t, uint32_t at, uint32_t length)
{
	return (struct span){ t->text.data + at, length };
}

/* Appends the mapped text to t->text; false if there is no room. */
static bool keep(struct tags *t, struct span raw, const struct text_map *map, uint32_t *at, uint32_t *length)
{
	if (!buffer_reserve(&t->text, raw.length)) return false;
	char *start = t->text.data + t->text.length, *end = raw.length ? text_put(start, raw, map) : start;
	*at = (uint32_t)t->text.length;
	*length = (uint32_t)(end - start);
	t->text.length += *length;
	return true;
}

static const char *add(struct tags *t, struct span raw_name, struct value value)
{
	struct tags_one one;
	if (t->count == TAGS_MAX) return "more than 64 tags";
	if (!keep(t, raw_name, &t->names, &one.name, &one.name_length)) return "its tags are too long";
	if (!keep(t, member_text(value, &t->decoded), &t->values, &one.value, &one.value_length)) return "its tags are too long";
	if (one.name_length == 0 || (one.value_length == 0 && !t->style->bare)) return NULL;
	for (size_t i = 0; i < t->count; i++)
		if (span_equal(part(t, t->one[i].name, t->one[i].name_length), part(t, one.name, one.name_length))) return NULL;
	t->one[t->count++] = one;
	return NULL;
}

/* Insertion sort: a handful of tags. */
static void sort(struct tags *t)
{
	for (size_t i = 1; i < t->count; i++) {
		struct tags_one one = t->one[i];
		size_t at = i;
		for (; at && span_compare(part(t, t->one[at - 1].name, t->one[at - 1].name_length), part(t, one.name, one.name_length)) > 0; at--)
			t->one[at] = t->one[at - 1];
		t->one[at] = one;
	}
}

const char *tags_collect(struct tags *t, const struct envelope *e, struct value object)
{
	struct value key, value;
	struct field_walk walk = field_walk(e, object);
	const char *why = NULL;
	t->count = 0;
	buffer_clear(&t->text);
	while (!why && field_next(&walk, &key, &value)) {
		if (value.kind == VALUE_NULL || value.kind == VALUE_OBJECT || value.kind == VALUE_ARRAY) continue;
		struct buffer name = { 0 };
		struct span raw = key.text;
		if (key.escaped) buffer_init(&name, SIZE_MAX), raw = member_text(key, &name);
		why = add(t, raw, value);
		buffer_release(&name);
	}
	for (size_t i = 0; !why && i < t->option_count; i++) {
		value = member_find(e, &t->option[i].member);
		if (value.kind == VALUE_ABSENT || value.kind == VALUE_NULL || value.kind == VALUE_OBJECT || value.kind == VALUE_ARRAY) continue;
		why = add(t, t->option[i].name, value);
	}
	if (t->sorted) sort(t);
	return why;
}

size_t tags_length(const struct tags *t)
{
	return t->text.length + t->count * 2 + 4;
}

static char *put(char *out, struct span s)
{
	if (s.length) memcpy(out, s.data, s.length);
	return out + s.length;
}

char *tags_put(const struct tags *t, char *out)
{
	const struct tags_style *style = t->style;
	for (size_t i = 0; i < t->count; i++) {
		out = put(out, span_of(i ? style->comma : style->open));
		out = put(out, part(t, t->one[i].name, t->one[i].name_length));
		if (t->one[i].value_length == 0) continue;
		out = put(out, span_of(style->equals));
		out = put(out, part(t, t->one[i].value, t->one[i].value_length));
	}
	return t->count ? put(out, span_of(style->close)) : out;
}
