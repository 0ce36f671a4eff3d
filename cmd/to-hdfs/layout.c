/* layout - a template read once into components of parts, and filled in with one pass over them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "layout.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "escape.h"
#include "io/diag.h"

enum {
	COMPONENT_MAX = 255,             /* HDFS's own limit, and that of most file systems */
	COMPONENT_ROOM = 2 * LAYOUT_PATH_MAX, /* what one can be before it is shortened */
	VALUE_LIMIT = 1 << 30,
};

static const struct span HIVE_NULL = SPAN("__HIVE_DEFAULT_PARTITION__");

enum part_kind { PART_TEXT, PART_DATE, PART_YEAR, PART_MONTH, PART_DAY, PART_HOUR, PART_MINUTE, PART_TYPE, PART_LOGGER, PART_SEVERITY, PART_PATH, PART_NAME };

struct part {
	enum part_kind kind;
	struct span text;                /* of PART_TEXT; else the default. Escaped */
	bool has_default;
	struct field_path path;
};

struct component {
	size_t first, count;             /* its parts */
	struct span key;                 /* "key" of "key=..."; empty if it is none */
};

struct layout {
	char *text, *bytes;              /* the template; what is escaped of it. Paths and parts point into them */
	size_t used;                     /* of bytes */
	struct part parts[LAYOUT_PARTS_MAX];
	struct component components[LAYOUT_PARTS_MAX];
	size_t part_count, component_count;
	struct component name;           /* the file's name, if the template has {name} */
	bool timed;
	/* The minute that the digits below are of. Not longer than that: there are zones whose summer time began at 00:01. */
	int64_t minute_ns;
	char digits[24];                 /* "2026-01-02" "03" "04", as places[] cut it */
	struct timestamp_minute last;    /* of the last timestamp */
	struct buffer value;             /* a value with escapes, decoded */
};

static const struct place { const char *name; enum part_kind kind; size_t at, length; } PLACES[] = {
	{ "date", PART_DATE, 0, 10 }, { "year", PART_YEAR, 0, 4 }, { "month", PART_MONTH, 5, 2 }, { "day", PART_DAY, 8, 2 }, { "hour", PART_HOUR, 10, 2 },
	{ "minute", PART_MINUTE, 12, 2 }, { "type", PART_TYPE, 0, 0 }, { "logger", PART_LOGGER, 0, 0 }, { "severity", PART_SEVERITY, 0, 0 }, { "name", PART_NAME, 0, 0 },
};

static bool is_time(enum part_kind kind)
{
	return kind >= PART_DATE && kind <= PART_MINUTE;
}

/* --- reading a template --- */

/* Where the reading stands, and what is wrong there. */
struct reading {
	struct layout *layout;
	const char *at, *end;
	const char *why;
};

static bool fail(struct reading *r, const char *at, const char *why)
{
	r->at = at;
	r->why = why;
	return false;
}

static struct part *add_part(struct reading *r, enum part_kind kind)
{
	struct layout *l = r->layout;
	if (l->part_count == LAYOUT_PARTS_MAX) return fail(r, r->at, "too many parts"), NULL;
	struct part *part = &l->parts[l->part_count++];
	*part = (struct part){ .kind = kind };
	l->components[l->component_count].count++;
	return part;
}

/* A default is escaped like the value it stands for. */
static struct span keep_default(struct layout *l, struct span text)
{
	char *out = l->bytes + l->used;
	size_t length = escape_value(out, text);
	l->used += length;
	return (struct span){ out, length };
}

static bool read_place(struct reading *r)
{
	const char *open = r->at, *close = memchr(open, '}', (size_t)(r->end - open));
	if (!close) return fail(r, open, "a { without its } (write {{ for a brace)");
	struct span name = span_between(open + 1, close);
	const char *bar = name.length ? memchr(name.data, '|', name.length) : NULL;
	if (bar) name = span_between(name.data, bar);
	if (name.length && memchr(name.data, '{', name.length)) return fail(r, open, "a { inside another (write {{ for a brace)");
	struct part *part = add_part(r, PART_PATH);
	if (!part) return false;
	for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++)
		if (span_equal(name, span_of(PLACES[i].name))) part->kind = PLACES[i].kind;
	if (part->kind == PART_NAME && bar) return fail(r, bar, "{name} has no default");
	if (part->kind == PART_PATH && (memchr(open, '[', (size_t)(close - open)) || memchr(open, '/', (size_t)((bar ? bar : close) - open)) || !field_path_init(&part->path, name)))
		return fail(r, open + 1, "not the path of a member or field, as in {fields.region}");
	if (bar && bar + 1 == close) return fail(r, bar, "a default that is empty");
	if (bar) {
		part->has_default = true;
		part->text = keep_default(r->layout, span_between(bar + 1, close));
	}
	r->layout->timed |= is_time(part->kind);
	r->at = close + 1;
	return true;
}

/* Text up to the next place or slash. */
static bool read_text(struct reading *r)
{
	struct component *c = &r->layout->components[r->layout->component_count];
	char *out = r->layout->bytes + r->layout->used;
	size_t length = 0;
	while (r->at < r->end && *r->at != '/') {
		const char *from = r->at;
		bool twice = r->end - from > 1 && from[1] == from[0];
		if (*from == '}' && !twice) return fail(r, from, "a } without its { (write }} for a brace)");
		if (*from == '{' && !twice) break;
		uint32_t codepoint;
		size_t bytes = text_decode_utf8(span_between(from, r->end), &codepoint);
		if (bytes == 0 || text_is_hidden(codepoint)) return fail(r, from, "a character that cannot be seen");
		if (c->count == 0 && length == 0 && (*from == '.' || *from == '_')) return fail(r, from, "Hive and Hadoop do not look at names that begin with '.' or '_'");
		/* The first '=' behind a word makes it a partition's key; any other is text. */
		bool key = *from == '=' && c->count == 0 && length > 0 && !c->key.length;
		if (key) c->key = (struct span){ out, length };
		if (*from == '=' && !key) memcpy(out + length, "%3D", 3), length += 3;
		else length += escape_literal(out + length, (struct span){ from, bytes });
		r->at += bytes + (*from == '{' || *from == '}');
	}
	struct part *part = add_part(r, PART_TEXT);
	if (!part) return false;
	part->text = (struct span){ out, length };
	r->layout->used += length;
	return true;
}

static size_t count_names(const struct layout *l, const struct component *c)
{
	size_t count = 0;
	for (size_t i = 0; i < c->count; i++) count += l->parts[c->first + i].kind == PART_NAME;
	return count;
}

/* One component, which becomes a directory or the file's name. */
static bool read_component(struct reading *r)
{
	struct layout *l = r->layout;
	const char *start = r->at;
	struct component *c = &l->components[l->component_count];
	*c = (struct component){ .first = l->part_count };
	while (r->at < r->end && *r->at != '/') {
		bool place = *r->at == '{' && !(r->end - r->at > 1 && r->at[1] == '{');
		if (!(place ? read_place(r) : read_text(r))) return false;
	}
	if (r->at == start) return fail(r, start, start == l->text && r->at < r->end ? "it is below the base: no '/' at its start" : "an empty part");
	size_t names = count_names(l, c);
	if (names == 0) {
		if (c->key.length && c->count == 1 && l->parts[c->first].text.length == c->key.length + 1) return fail(r, start, "a key without a value");
		l->component_count++;
		return true;
	}
	if (names > 1) return fail(r, start, "{name} twice");
	if (r->at < r->end) return fail(r, start, "{name} can only be in the last part: it is the file's name");
	for (size_t i = 0; i < c->count; i++)
		if (l->parts[c->first + i].kind != PART_TEXT && l->parts[c->first + i].kind != PART_NAME) return fail(r, start, "beside {name} only text can be in the file's name");
	l->name = *c;
	return true;
}

static size_t longest(const struct layout *l, const struct component *c)
{
	size_t sum = 0;
	for (size_t i = 0; i < c->count; i++) {
		const struct part *part = &l->parts[c->first + i];
		sum += part->kind == PART_TEXT ? part->text.length : is_time(part->kind) && part->text.length < HIVE_NULL.length ? HIVE_NULL.length : ESCAPE_MAX;
	}
	return sum + 2; /* see unhide */
}

static const char *check_lengths(const struct layout *l)
{
	enum { OTHER_BASE = 16, TEXT_MOST = 100 };
	size_t path = OTHER_BASE;
	for (size_t i = 0; i <= l->component_count; i++) {
		const struct component *c = i < l->component_count ? &l->components[i] : &l->name;
		size_t most = longest(l, c), text = 0;
		for (size_t p = 0; p < c->count; p++)
			if (l->parts[c->first + p].kind == PART_TEXT) text += l->parts[c->first + p].text.length;
		if (text > TEXT_MOST) return "more than 100 bytes of text in one part";
		if (most > COMPONENT_ROOM) return "too many values in one part";
		path += 1 + (most < COMPONENT_MAX ? most : COMPONENT_MAX);
	}
	return path > LAYOUT_PATH_MAX ? "the path could become longer than 2048 bytes" : NULL;
}

struct layout *layout_new(struct span text, const char **why, size_t *column)
{
	struct layout *l = must_alloc(sizeof *l);
	l->text = must_copy(text);
	l->bytes = must_alloc(3 * text.length + ESCAPE_MAX);
	l->minute_ns = INT64_MIN;
	buffer_init(&l->value, VALUE_LIMIT);
	struct reading r = { .layout = l, .at = l->text, .end = l->text + text.length };
	while (read_component(&r) && r.at < r.end) r.at++; /* behind the slash */
	if (!r.why && (r.why = check_lengths(l))) r.at = l->text;
	if (!r.why) return l;
	*why = r.why;
	*column = (size_t)(r.at - l->text) + 1;
	layout_free(l);
	return NULL;
}

void layout_free(struct layout *l)
{
	if (!l) return;
	buffer_release(&l->value);
	free(l->bytes);
	free(l->text);
	free(l);
}

/* --- filling it in --- */

static void print_digits(char *out, int value, size_t digits)
{
	for (; digits > 0; value /= 10) out[--digits] = (char)('0' + value % 10);
}

static void set_minute(struct layout *l, int64_t when)
{
	const int64_t minute = INT64_C(60) * 1000000000, zones_are_whole = INT64_C(94694400) * 1000000000; /* 1973: until then a few zones had odd seconds */
	if (l->minute_ns != INT64_MIN && when >= l->minute_ns && when - l->minute_ns < minute) return;
	l->minute_ns = when < zones_are_whole ? INT64_MIN : when - when % minute;
	struct timestamp_local t = timestamp_local(when);
	print_digits(l->digits, t.year, 4);
	print_digits(l->digits + 5, t.month, 2);
	print_digits(l->digits + 8, t.day, 2);
	l->digits[4] = l->digits[7] = '-';
	print_digits(l->digits + 10, t.hour, 2);
	print_digits(l->digits + 12, t.minute, 2);
}

static enum layout_place place_of(const struct layout_bounds *b, int64_t when)
{
	int64_t bound;
	if (b->late_ns >= 0 && !__builtin_sub_overflow(b->now_ns, b->late_ns, &bound) && when < bound) return LAYOUT_LATE;
	if (b->future_ns >= 0 && !__builtin_add_overflow(b->now_ns, b->future_ns, &bound) && when > bound) return LAYOUT_FUTURE;
	return LAYOUT_USUAL;
}

static struct span text_of(struct layout *l, struct value v)
{
	if (v.kind == VALUE_ABSENT || v.kind == VALUE_NULL) return (struct span){ NULL, 0 };
	if (v.kind != VALUE_STRING || !v.escaped) return v.text;
	buffer_clear(&l->value);
	if (!text_append_unescaped(&l->value, v.text)) die(EXIT_INTERNAL, "no memory for a value of %zu bytes", v.text.length);
	return buffer_span(&l->value);
}

/* The value for a part, escaped at `out`; 0 if there is none. */
static size_t put_value(struct layout *l, const struct part *part, const struct envelope *e, bool dated, char *out)
{
	switch (part->kind) {
	case PART_TYPE: return escape_value(out, text_of(l, e->type));
	case PART_LOGGER: return escape_value(out, text_of(l, e->logger));
	case PART_SEVERITY:
		if (part->has_default && !e->has_severity) return 0;
		out[0] = (char)('0' + e->severity);
		return 1;
	case PART_PATH: return escape_value(out, text_of(l, field_find(e, &part->path)));
	case PART_TEXT: case PART_NAME: return 0;
	default: break;
	}
	if (!dated) return 0;
	const struct place *place = &PLACES[part->kind - PART_DATE];
	memcpy(out, l->digits + place->at, place->length);
	return place->length;
}

/* Names that begin so are hidden: only the user's own text could, and layout_new has refused that. */
static size_t unhide(char *out, size_t length)
{
	if (length == 0 || (out[0] != '.' && out[0] != '_')) return length;
	memmove(out + 3, out + 1, length - 1);
	memcpy(out, out[0] == '.' ? "%2E" : "%5F", 3);
	return length + 2;
}

static size_t put_component(struct layout *l, const struct component *c, const struct envelope *e, bool dated, char *out)
{
	size_t length = 0;
	for (size_t i = 0; i < c->count; i++) {
		const struct part *part = &l->parts[c->first + i];
		struct span text = part->text;
		if (part->kind != PART_TEXT) {
			size_t written = put_value(l, part, e, dated, out + length);
			length += written;
			if (written) continue;
			if (!part->has_default) {
				/* A partition's value is NULL or not: none is half of one. */
				if (c->key.length) length = c->key.length + 1, i = c->count;
				text = HIVE_NULL;
			}
		}
		memcpy(out + length, text.data, text.length);
		length += text.length;
	}
	if (!c->key.length) length = unhide(out, length);
	return length <= COMPONENT_MAX ? length : escape_end(out, COMPONENT_MAX, (struct span){ out, length });
}

enum layout_place layout_append(struct buffer *out, struct layout *l, const struct envelope *e, const struct layout_bounds *bounds)
{
	char path[LAYOUT_PATH_MAX + COMPONENT_ROOM + 4];
	size_t at = 0;
	int64_t when;
	enum layout_place place = LAYOUT_USUAL;
	bool dated = (l->timed || bounds->late_ns >= 0 || bounds->future_ns >= 0) && e->timestamp.kind == VALUE_STRING && timestamp_parse_next(&l->last, e->timestamp.text, &when);
	if (dated) {
		place = place_of(bounds, when);
		if (l->timed) set_minute(l, when);
	}
	if (place == LAYOUT_LATE) memcpy(path, "_late", at = 5);
	if (place == LAYOUT_FUTURE) memcpy(path, "_future", at = 7);
	for (size_t i = 0; i < l->component_count; i++) {
		if (at) path[at++] = '/';
		at += put_component(l, &l->components[i], e, dated, path + at);
	}
	buffer_append(out, path, at);
	return place;
}

void layout_name(const struct layout *l, struct span *before, struct span *after)
{
	*before = *after = (struct span){ "", 0 };
	bool behind = false;
	for (size_t i = 0; i < l->name.count; i++) {
		const struct part *part = &l->parts[l->name.first + i];
		if (part->kind == PART_NAME) behind = true;
		else *(behind ? after : before) = part->text;
	}
}

/* --- what Hive sees of it --- */

size_t layout_column_count(const struct layout *l)
{
	size_t count = 0;
	while (count < l->component_count && l->components[count].key.length) count++;
	return count;
}

struct span layout_column(const struct layout *l, size_t i)
{
	return l->components[i].key;
}

static bool is_key(struct span key)
{
	for (size_t i = 0; i < key.length; i++) {
		char c = key.data[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_') return false;
	}
	return key.length > 0;
}

bool layout_is_hive(const struct layout *l)
{
	for (size_t i = 0; i < l->component_count; i++) {
		struct span key = l->components[i].key;
		if (!is_key(key)) return false;
		for (size_t k = 0; k < i; k++)
			if (span_equal(l->components[k].key, key)) return false;
	}
	return true;
}
