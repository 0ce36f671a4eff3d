/* routetext - finds comments, continuations and the arrow, and leaves strings and patterns alone. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdint.h>
#include "io/diag.h"
#include "routetext.h"

/* Where the walk over a logical line stands. `inside` is what closes the string, pattern or bracket it is in; 0 outside of all. */
struct walk {
	char inside, before;  /* before: the last byte that was no blank */
	size_t opened;        /* where `inside` began, in the text */
	bool command;         /* behind the arrow: the rules of the shell */
	bool spaced;          /* the byte before was a blank, or there was none */
};

void routetext_init(struct routetext *t, const char *source, struct span whole)
{
	*t = (struct routetext){ .source = source };
	logical_init(&t->lines, whole, ROUTETEXT_MAX);
}

void routetext_release(struct routetext *t)
{
	logical_release(&t->lines);
}

static void open_inside(struct routetext *t, struct walk *w, char c)
{
	w->opened = t->lines.text.length;
	if (c == '"' || c == '\'') w->inside = c;
	else if (w->command) return;
	else if (c == '/' && w->before == '~') w->inside = '/';
	else if (c == '[') w->inside = ']';
}

/* Appends line[from..] as far as it counts; true if the line goes on with the next one. */
static bool walk_line(struct routetext *t, struct walk *w, struct span line)
{
	for (size_t i = 0; i < line.length; i++) {
		char c = line.data[i];
		bool last = i + 1 == line.length;
		if (c == '\\' && last) return true;
		if (c == '\\' && !(w->command && w->inside == '\'') && w->inside != ']') {
			buffer_append(&t->lines.text, line.data + i, 2);
			w->before = line.data[++i];
			w->spaced = false;
			continue;
		}
		if (w->inside) {
			if (c == w->inside) w->inside = 0;
		} else if (c == '#' && (!w->command || w->spaced)) {
			return false;
		} else {
			if (!w->command && c == '=' && !last && line.data[i + 1] == '>') {
				t->arrow = t->lines.text.length;
				w->command = true;
				buffer_append_byte(&t->lines.text, c);
				c = line.data[++i];
			}
			open_inside(t, w, c);
		}
		buffer_append_byte(&t->lines.text, c);
		w->spaced = c == ' ' || c == '\t' || c == '>';
		if (c != ' ' && c != '\t') w->before = c;
	}
	return false;
}

bool routetext_next(struct routetext *t, bool only_destination)
{
	struct logical *lines = &t->lines;
	while (lines->left.length) {
		struct walk w = { .command = only_destination, .spaced = true };
		struct span line;
		enum logical_take taken = LOGICAL_LINE;
		bool more = true;
		logical_begin(lines);
		t->arrow = SIZE_MAX;
		while (more && (taken = logical_take(lines, w.inside, &line)) == LOGICAL_LINE) more = walk_line(t, &w, line);
		if (lines->text.failed || taken == LOGICAL_FULL) {
			lines->text.failed = false;
			routetext_fault(t, 0, "this route is too long");
		} else if (w.inside) {
			routetext_fault(t, w.opened, w.inside == '/' ? "the pattern is not closed" : w.inside == ']' ? "the bracket is not closed" : "the quote is not closed");
		} else if (!logical_is_blank(lines)) {
			return true;
		}
	}
	return false;
}

char *routetext_where(const struct routetext *t, size_t offset)
{
	struct buffer where;
	const struct logical_piece *p = logical_find(&t->lines, offset);
	buffer_init(&where, ROUTETEXT_MAX);
	buffer_append_text(&where, t->source);
	buffer_append_byte(&where, ':');
	buffer_append_int(&where, p ? (int64_t)p->line : 0);
	char *text = must_copy(buffer_span(&where));
	buffer_release(&where);
	return text;
}

void routetext_fault(struct routetext *t, size_t offset, const char *reason)
{
	t->faults++;
	const struct logical_piece *p = logical_find(&t->lines, offset);
	if (!p) {
		diag_error("%s: %s", t->source, reason);
		return;
	}
	size_t column = offset - p->at;
	if (column > p->physical.length) column = p->physical.length;
	diag_error_at(t->source, p->line, column, reason, p->physical);
}
