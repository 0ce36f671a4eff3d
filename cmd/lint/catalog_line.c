/* catalog_line - reads one line of a catalogue, word by word. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalog_private.h"
#include "io/diag.h"

bool reading_fail(struct reading *r, const char *at, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(r->mistake->reason, sizeof r->mistake->reason, format, arguments);
	va_end(arguments);
	r->mistake->at = (size_t)(at - r->start);
	return false;
}

void reading_skip_blanks(struct reading *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\t')) r->at++;
}

struct span reading_word(const struct reading *r)
{
	return buffer_span(&r->word);
}

bool reading_take_byte(struct reading *r, char byte)
{
	const char *before = r->at;
	reading_skip_blanks(r);
	if (r->at < r->end && *r->at == byte) {
		r->at++;
		return true;
	}
	r->at = before;
	return false;
}

static bool take_quoted(struct reading *r)
{
	for (r->at++; r->at < r->end && *r->at != '"'; r->at++) {
		if (*r->at == '\\' && r->at + 1 < r->end && *++r->at != '"' && *r->at != '\\') return reading_fail(r, r->at - 1, "in quotes, only \\\" and \\\\ are escapes");
		buffer_append_byte(&r->word, *r->at);
	}
	if (r->at < r->end) r->at++; /* quotes were seen to be closed when the line was read */
	return true;
}

bool reading_take(struct reading *r, const char *stops, const char *wanted)
{
	reading_skip_blanks(r);
	r->from = r->at;
	buffer_clear(&r->word);
	r->quoted = r->at < r->end && *r->at == '"';
	if (r->quoted) {
		if (!take_quoted(r)) return false;
	} else {
		for (; r->at < r->end && *r->at != ' ' && *r->at != '\t' && !strchr(stops, *r->at); r->at++) {
			if (*r->at == '"' || *r->at == '\\') return reading_fail(r, r->at, "a word with this in it stands in double quotes");
			buffer_append_byte(&r->word, *r->at);
		}
	}
	if (r->word.failed) die(EXIT_INTERNAL, "no memory for the catalogue");
	return r->quoted || r->word.length || reading_fail(r, r->from, "%s", wanted);
}

static bool word_is(const struct reading *r, const char *text)
{
	return !r->quoted && span_equal(reading_word(r), span_of(text));
}

static bool is_at_end(struct reading *r)
{
	reading_skip_blanks(r);
	return r->at == r->end;
}

static bool take_name(struct reading *r, const char *stops, const char *wanted)
{
	if (!reading_take(r, stops, wanted)) return false;
	if (!r->word.length) return reading_fail(r, r->from, "%s", wanted);
	return r->word.length <= CATALOG_NAME_MAX || reading_fail(r, r->from, "a name has at most %d bytes", CATALOG_NAME_MAX);
}

/* --- tags --- */

static const struct catalog_values *values_by_tag(const struct catalog *c, struct span name)
{
	const uint32_t *number = table_find(&c->tags, name);
	return number ? c->values[*number] : NULL;
}

static bool take_tag(struct reading *r, struct catalog_line *line)
{
	if (!take_name(r, ",=?", "a tag is missing")) return false;
	if (word_is(r, "...")) {
		line->open = true;
		return true;
	}
	if (line->count == CATALOG_TAGS_MAX) return reading_fail(r, r->from, "more than %d tags", CATALOG_TAGS_MAX);
	for (size_t i = 0; i < line->count; i++)
		if (span_equal(line->tag[i].name, reading_word(r))) return reading_fail(r, r->from, "this tag stands there twice");
	const char *from = r->from;
	struct catalog_tag *tag = &line->tag[line->count++];
	*tag = (struct catalog_tag){ .name = { must_copy(reading_word(r)), r->word.length } };
	tag->optional = reading_take_byte(r, '?');
	tag->values = reading_take_byte(r, '=') ? values_read(r) : values_by_tag(r->catalog, tag->name);
	if (!tag->values) {
		table_init(&tag->seen, 0, 0, 1);
		return r->mistake->reason[0] ? false : reading_fail(r, from, "which values? \"= a|b\", \"= /pattern/\" or \"= *N\" belongs behind this tag, or a line \"tag\" above");
	}
	table_init(&tag->seen, tag->values->limit, (size_t)tag->values->limit * CATALOG_VALUE_MAX, 1);
	return true;
}

static bool take_tags(struct reading *r, struct catalog_line *line)
{
	struct catalog_tag room[CATALOG_TAGS_MAX];
	const char *from = r->at;
	bool good = true;
	line->tag = room;
	do good = (line->open ? reading_fail(r, r->at, "\"...\" is the last") : true) && take_tag(r, line);
	while (good && reading_take_byte(r, ','));
	line->tag = must_alloc((line->count + 1) * sizeof *line->tag);
	memcpy(line->tag, room, line->count * sizeof *room);
	struct span tags = span_trim(span_between(from, r->at));
	line->tags = (struct span){ must_copy(tags), tags.length };
	return good;
}

void line_free(struct catalog_line *line)
{
	for (size_t i = 0; i < line->count; i++) {
		free((char *)line->tag[i].name.data);
		table_release(&line->tag[i].seen);
	}
	free(line->tag);
	free((char *)line->tags.data);
	free(line);
}

/* --- metrics --- */

/* Adds the name to those of the line, if none above says the same. */
static bool add_form(struct reading *r, struct catalog_line *line, struct span name)
{
	struct catalog *c = r->catalog;
	bool fresh;
	uint32_t number = (uint32_t)c->form_count, *first;
	if (number == CATALOG_NAMES_MAX) return reading_fail(r, r->start, "more than %d names", CATALOG_NAMES_MAX);
	if (!(first = table_put(&c->names, name, &fresh))) die(EXIT_INTERNAL, "no memory for the catalogue");
	c->form = must_resize(c->form, (c->form_count + 1) * sizeof *c->form);
	struct catalog_form *last = fresh ? NULL : &c->form[*first];
	for (;; last = catalog_next(c, last)) {
		if (last && last->line->kind == line->kind && span_equal(last->line->tags, line->tags))
			return reading_fail(r, r->start, "%.*s stands there already, with the same tags: %s:%zu", (int)name.length, name.data, last->line->source, last->line->number);
		if (!last || !last->next) break;
	}
	if (last) last->next = number + 1;
	else *first = number;
	c->form[c->form_count++] = (struct catalog_form){ .name = { must_copy(name), name.length }, .line = line };
	if (!fresh || !memchr(name.data, '*', name.length)) return true;
	c->glob = must_resize(c->glob, (c->glob_count + 1) * sizeof *c->glob);
	c->glob[c->glob_count++] = number;
	return true;
}

/* What stands between the names and the tags is for people. */
static bool take_behind_names(struct reading *r, struct catalog_line *line)
{
	for (int part = 0; !is_at_end(r); part++) {
		if (!reading_take(r, "", "")) return false;
		if (word_is(r, "tags")) return take_tags(r, line);
		bool unit = part == 0 && !r->quoted, text = part < 2 && r->quoted;
		if (text) part = 1;
		else if (!unit) return reading_fail(r, r->from, "expected here: \"tags\" and the tags, or nothing more");
	}
	return true;
}

/* The names of the line, each with a newline behind it. */
static bool take_names(struct reading *r, struct buffer *names)
{
	do {
		if (!take_name(r, ",", "a name is missing")) return false;
		if (r->catalog->prefix.length + r->word.length > CATALOG_NAME_MAX) return reading_fail(r, r->from, "a name has at most %d bytes, with its prefix", CATALOG_NAME_MAX);
		if (memchr(r->word.data, '\n', r->word.length)) return reading_fail(r, r->from, "a name is one line");
		buffer_append_span(names, r->catalog->prefix);
		buffer_append_span(names, reading_word(r));
		buffer_append_byte(names, '\n');
	} while (reading_take_byte(r, ','));
	if (names->failed) die(EXIT_INTERNAL, "no memory for the catalogue");
	return true;
}

static bool read_metric(struct reading *r, enum metric_kind kind)
{
	struct catalog *c = r->catalog;
	struct catalog_line *line = must_alloc(sizeof *line);
	struct buffer names;
	*line = (struct catalog_line){ .kind = kind, .source = r->source, .number = r->number };
	c->line = must_resize(c->line, (c->line_count + 1) * sizeof *c->line);
	c->line[c->line_count++] = line;
	buffer_init(&names, SIZE_MAX / 2);
	bool good = take_names(r, &names) && take_behind_names(r, line);
	if (good && !is_at_end(r)) good = reading_fail(r, r->at, "expected here: a comma and another tag, or nothing more");
	for (struct span rest = buffer_span(&names); good && rest.length;) good = add_form(r, line, span_take_line(&rest));
	buffer_release(&names);
	return good;
}

/* --- the other lines --- */

static bool read_tag(struct reading *r)
{
	bool fresh;
	if (!take_name(r, "=", "a tag is missing")) return false;
	struct span name = { must_copy(reading_word(r)), r->word.length };
	bool good = reading_take_byte(r, '=') || reading_fail(r, r->at, "\"=\" and the values of the tag are expected here");
	good = good && values_read(r);
	uint32_t *number = good ? table_put(&r->catalog->tags, name, &fresh) : NULL;
	free((char *)name.data);
	if (!good) return false;
	if (!number) die(EXIT_INTERNAL, "no memory for the catalogue");
	*number = (uint32_t)(r->catalog->values_count - 1);
	return is_at_end(r) || reading_fail(r, r->at, "nothing more is expected here");
}

static bool read_prefix(struct reading *r)
{
	if (!reading_take(r, "", "what stands before the names is missing")) return false;
	if (r->word.length >= CATALOG_NAME_MAX) return reading_fail(r, r->from, "a name has at most %d bytes", CATALOG_NAME_MAX);
	free((char *)r->catalog->prefix.data);
	r->catalog->prefix = (struct span){ must_copy(reading_word(r)), r->word.length };
	return is_at_end(r) || reading_fail(r, r->at, "nothing more is expected here");
}

static bool read_line(struct reading *r)
{
	if (!reading_take(r, "", "")) return false;
	if (word_is(r, "tag")) return read_tag(r);
	if (word_is(r, "prefix")) return read_prefix(r);
	for (enum metric_kind kind = METRIC_COUNTER; kind <= METRIC_SET; kind++)
		if (word_is(r, catalog_kind_name(kind))) return read_metric(r, kind);
	return reading_fail(r, r->from, "a line begins with counter, timer, gauge, set, tag or prefix");
}

bool line_read(struct catalog *c, const char *source, size_t number, struct span text, struct catalog_mistake *mistake)
{
	struct reading r = { .catalog = c, .source = source, .number = number, .start = text.data, .at = text.data, .end = text.data + text.length, .mistake = mistake };
	*mistake = (struct catalog_mistake){ .at = 0 };
	buffer_init(&r.word, CATALOG_BYTES_MAX);
	bool good = read_line(&r);
	buffer_release(&r.word);
	return good;
}
