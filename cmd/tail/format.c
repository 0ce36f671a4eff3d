/* format - templates such as "{timestamp} {fields.name}={payload}", read once and filled in for each envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "format.h"

#include <stdlib.h>

#include "io/diag.h"

enum part_kind { PART_TEXT, PART_PATH, PART_TIME, PART_DATE, PART_LEVEL, PART_SEVERITY };

struct part {
	enum part_kind kind;
	struct span text;           /* of PART_TEXT; else what stands for an absent value */
	struct field_path path;
	struct span key;            /* the last segment of the path */
};

struct format {
	char *text;                 /* owns what the parts point into */
	struct part *parts;
	size_t count;
};

static struct part *add_part(struct format *f, enum part_kind kind)
{
	f->parts = must_resize(f->parts, (f->count + 1) * sizeof *f->parts);
	f->parts[f->count] = (struct part){ .kind = kind };
	return &f->parts[f->count++];
}

static const char *fault_at(struct format_fault *fault, const struct format *f, const char *at, const char *reason)
{
	fault->column = (size_t)(at - f->text) + 1;
	fault->reason = reason;
	return NULL;
}

/* What stands between braces; `open` is the brace. Returns what is behind the closing one, NULL on a fault. */
static const char *read_place(struct format *f, const char *open, struct format_fault *fault)
{
	static const struct { const char *name; enum part_kind kind; } special[] = { { "@time", PART_TIME }, { "@date", PART_DATE }, { "@level", PART_LEVEL },
		{ "severity", PART_SEVERITY } };
	const char *close = strchr(open, '}');
	if (!close) return fault_at(fault, f, open, "a { without its } (write {{ for a brace)");
	struct span name = span_between(open + 1, close), absent = SPAN("");
	const char *bar = memchr(name.data, '|', name.length);
	if (bar) {
		absent = span_between(bar + 1, close);
		name = span_between(name.data, bar);
	}
	if (memchr(name.data, '{', name.length)) return fault_at(fault, f, open, "a { inside another (write {{ for a brace)");
	struct part *part = NULL;
	for (size_t i = 0; i < sizeof special / sizeof *special && !part; i++)
		if (span_equal(name, span_of(special[i].name))) part = add_part(f, special[i].kind);
	if (!part) {
		if (name.length && name.data[0] == '@') return fault_at(fault, f, open + 1, "only @time, @date and @level begin with @");
		part = add_part(f, PART_PATH);
		if (!field_path_init(&part->path, name)) return fault_at(fault, f, open + 1, "not the path of a member or field");
		part->key = part->path.segment[part->path.depth - 1];
	}
	part->text = absent;
	return close + 1;
}

/* Text up to the next place; escapes are undone where they stand, in our own copy of the template. */
static const char *read_text(struct format *f, char *from, struct format_fault *fault)
{
	char *p = from, *to = from;
	while (*p) {
		if ((*p == '{' || *p == '}') && p[1] == *p) *to++ = *p, p += 2;
		else if (*p == '}') return fault_at(fault, f, p, "a } without its { (write }} for a brace)");
		else if (*p == '{') break;
		else if (*p == '\\' && p[1] == 'n') *to++ = '\n', p += 2;
		else if (*p == '\\' && p[1] == 't') *to++ = '\t', p += 2;
		else if (*p == '\\' && p[1] == '\\') *to++ = '\\', p += 2;
		else *to++ = *p++;
	}
	if (to > from) add_part(f, PART_TEXT)->text = span_between(from, to);
	return p;
}

struct format *format_new(const char *text, struct format_fault *fault)
{
	struct format *f = must_alloc(sizeof *f);
	f->text = must_copy(span_of(text));
	const char *p = f->text;
	while (p && *p) p = *p == '{' && p[1] != '{' ? read_place(f, p, fault) : read_text(f, f->text + (p - f->text), fault);
	if (p) return f;
	format_free(f);
	return NULL;
}

void format_free(struct format *f)
{
	if (!f) return;
	free(f->parts);
	free(f->text);
	free(f);
}

static void fill(struct render *r, const struct part *part, const struct envelope *e)
{
	size_t before = r->text.length;
	switch (part->kind) {
	case PART_TEXT: buffer_append_span(&r->text, part->text); return;
	case PART_PATH: show_value(&r->show, &r->text, part->key, field_find(e, &part->path)); break;
	case PART_TIME: render_clock(r, &r->text, e->timestamp.text); break;
	case PART_DATE: render_date(r, &r->text, e->timestamp.text); break;
	case PART_LEVEL: buffer_append_text(&r->text, render_level(e->severity)); break;
	case PART_SEVERITY: buffer_append_int(&r->text, e->severity); break;
	}
	if (r->text.length == before) buffer_append_span(&r->text, part->text);
}

struct span format_envelope(const struct format *f, struct render *r, const struct envelope *e)
{
	buffer_clear(&r->text);
	for (size_t i = 0; i < f->count; i++) fill(r, &f->parts[i], e);
	buffer_append_byte(&r->text, '\n');
	if (r->text.failed || r->show.decoded.failed || r->show.masked.failed) die(EXIT_INTERNAL, "no memory to show an envelope");
	return buffer_span(&r->text);
}
