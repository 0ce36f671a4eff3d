/* catalog - takes a catalogue apart into logical lines, and finds the names that were in them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "catalog.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/logical.h"
#include "base/text.h"
#include "catalog_private.h"
#include "io/diag.h"

void catalog_init(struct catalog *c)
{
	*c = (struct catalog){ 0 };
	table_init(&c->names, CATALOG_NAMES_MAX, CATALOG_NAMES_MAX * CATALOG_NAME_MAX, sizeof(uint32_t));
	table_init(&c->tags, CATALOG_NAMES_MAX, CATALOG_NAMES_MAX * CATALOG_NAME_MAX, sizeof(uint32_t));
}

void catalog_release(struct catalog *c)
{
	for (size_t i = 0; i < c->form_count; i++) free((char *)c->form[i].name.data);
	for (size_t i = 0; i < c->line_count; i++) line_free(c->line[i]);
	for (size_t i = 0; i < c->values_count; i++) values_free(c->values[i]);
	free(c->form);
	free(c->line);
	free(c->values);
	free(c->glob);
	free((char *)c->prefix.data);
	table_release(&c->names);
	table_release(&c->tags);
}

/* --- lines --- */

/* Where the walk over a logical line stands. */
struct walk {
	char inside;   /* what closes the text or pattern; 0: outside */
	char before;   /* the last byte that was no blank */
	bool spaced;   /* the byte before was a blank, or there was none */
	size_t opened; /* where what is to be closed begins */
};

/* Appends what counts of the physical line. True if it ends in a backslash, and so goes on. */
static bool walk_line(struct logical *l, struct walk *w, struct span line)
{
	for (size_t i = 0; i < line.length; i++) {
		char c = line.data[i];
		size_t at = l->text.length;
		if (!w->inside && c == '\\' && i + 1 == line.length) return true;
		if (w->inside) {
			if (c == '\\' && i + 1 < line.length) buffer_append_byte(&l->text, c), c = line.data[++i];
			else if (c == w->inside) w->inside = 0;
		} else if (c == '#' && w->spaced) {
			return false;
		} else if (c == '"' || (c == '/' && (w->before == '=' || w->before == '|'))) {
			w->inside = c;
			w->opened = at;
		}
		buffer_append_byte(&l->text, c);
		w->spaced = c == ' ' || c == '\t';
		if (!w->spaced) w->before = c;
	}
	return false;
}

/* Whether the next line that is no comment begins with a blank, and has more than blanks in it. */
static bool goes_on(struct span left)
{
	while (left.length) {
		struct span line = span_take_line(&left), text = span_trim(line);
		if (!text.length) return false;
		if (text.data[0] != '#') return line.data[0] == ' ' || line.data[0] == '\t';
	}
	return false;
}

/* A whole catalogue that is indented is one line: where that is seen, it is said. */
static void explain_line(struct logical_fault *fault, const struct logical *l)
{
	static const char *const words[] = { "counter", "timer", "gauge", "set", "tag", "prefix" };
	struct span text = span_trim(fault->physical), first = text;
	size_t length = strlen(fault->reason);
	if (fault->line == l->piece[0].line || text.data == fault->physical.data) return;
	for (first.length = 0; first.length < text.length && text.data[first.length] != ' ' && text.data[first.length] != '\t'; first.length++) {}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (span_equal(first, span_of(words[i]))) snprintf(fault->reason + length, sizeof fault->reason - length, " (a line that begins with a blank goes on with the one before)");
}

enum next { NEXT_END, NEXT_LINE, NEXT_FAULT };

static enum next next_line(struct logical *l, struct logical_fault *fault)
{
	while (l->left.length) {
		struct walk w = { .spaced = true };
		struct span line;
		enum logical_take taken = LOGICAL_LINE;
		bool more = true;
		logical_begin(l);
		while (more && (taken = logical_take(l, false, &line)) == LOGICAL_LINE) {
			more = walk_line(l, &w, line);
			if (w.inside) {
				logical_fault_at(fault, l, w.opened, w.inside == '"' ? "the quote is not closed in this line" : "the pattern is not closed in this line");
				return NEXT_FAULT;
			}
			w.spaced = true; /* a '#' at the start of a line is a comment wherever the line before was cut */
			more = more || (!logical_is_blank(l) && goes_on(l->left));
		}
		if (l->text.failed) die(EXIT_INTERNAL, "no memory for a line of the catalogue");
		if (taken == LOGICAL_FULL) {
			logical_fault_at(fault, l, 0, "this is more than 200 lines");
			return NEXT_FAULT;
		}
		if (!logical_is_blank(l)) return NEXT_LINE;
	}
	return NEXT_END;
}

bool catalog_add(struct catalog *c, const char *source, struct span text, struct logical_fault *fault)
{
	struct catalog_mistake mistake;
	enum next next;
	bool good = true;
	if (!logical_check(&text, fault)) return false;
	struct logical *l = must_alloc(sizeof *l);
	table_clear(&c->tags);
	free((char *)c->prefix.data);
	c->prefix = (struct span){ 0 };
	logical_init(l, text, LOGICAL_BYTES_MAX + 1);
	while (good && (next = next_line(l, fault)) != NEXT_END) {
		good = next == NEXT_LINE;
		if (good && !line_read(c, source, l->piece[0].line, buffer_span(&l->text), &mistake)) good = logical_fault_at(fault, l, mistake.at, mistake.reason), explain_line(fault, l);
	}
	logical_release(l);
	free(l);
	return good;
}

/* --- names --- */

/* '*' stands for one or more bytes but a dot. Where it fails behind a '*', that one takes a byte more; a '*' before need not be tried again unless a dot is met. */
static bool fits(struct span glob, struct span name)
{
	size_t g = 0, n = 0, star = SIZE_MAX, taken = 0;
	while (n < name.length) {
		if (g < glob.length && glob.data[g] == '*') {
			if (name.data[n] == '.') return false;
			star = g++;
			taken = ++n;
		} else if (g < glob.length && glob.data[g] == name.data[n]) {
			if (glob.data[g] == '.') star = SIZE_MAX;
			g++, n++;
		} else if (star != SIZE_MAX && name.data[taken] != '.') {
			g = star + 1;
			n = ++taken;
		} else {
			return false;
		}
	}
	return g == glob.length;
}

struct catalog_form *catalog_find(const struct catalog *c, struct span name)
{
	const uint32_t *first = table_find(&c->names, name);
	if (first) return &c->form[*first];
	for (size_t i = 0; i < c->glob_count; i++)
		if (fits(c->form[c->glob[i]].name, name)) return &c->form[c->glob[i]];
	return NULL;
}

struct catalog_form *catalog_next(const struct catalog *c, const struct catalog_form *form)
{
	return form->next ? &c->form[form->next - 1] : NULL;
}

static void guess_in(struct span word, struct span known, struct span *best, size_t *least)
{
	size_t edits = text_edits(word, known);
	if (edits < *least) *least = edits, *best = known;
}

static size_t slips(struct span word)
{
	return word.length < 4 ? 2 : 3; /* so many edits are no longer a slip of the finger */
}

struct span catalog_guess(const struct catalog *c, struct span name)
{
	struct span best = { 0 };
	size_t least = slips(name);
	const char *dot = name.length ? memchr(name.data, '.', name.length) : NULL;
	if (dot && catalog_find(c, span_between(dot + 1, name.data + name.length))) return span_between(dot + 1, name.data + name.length);
	for (size_t i = 0; i < c->form_count; i++) guess_in(name, c->form[i].name, &best, &least);
	return best;
}

struct span catalog_guess_tag(const struct catalog_line *line, struct span name)
{
	struct span best = { 0 };
	size_t least = slips(name);
	for (size_t i = 0; i < line->count; i++) guess_in(name, line->tag[i].name, &best, &least);
	return best;
}

const char *catalog_kind_name(enum metric_kind kind)
{
	static const char *const names[] = { [METRIC_COUNTER] = "counter", [METRIC_TIMER] = "timer", [METRIC_GAUGE] = "gauge", [METRIC_SET] = "set" };
	return names[kind];
}
