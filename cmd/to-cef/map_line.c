/* map_line - the logical lines of a mapping file, and the places their bytes come from. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "map_private.h"

#include <stdio.h>

#include "io/diag.h"

/* Where the walk over a logical line stands: '#' and '\' mean nothing inside of strings, patterns, brackets and braces. */
struct walk {
	bool expression;      /* the matcher's strings and patterns, not a row's */
	bool behind_equals;   /* in a row's value */
	char inside;          /* what closes the string, pattern or bracket; 0: outside */
	unsigned braces;      /* that are open, in a value */
	char before;          /* the last byte that was no blank */
	bool spaced;          /* the byte before was a blank, or there was none */
};

static bool is_expression(struct span line)
{
	struct span s = span_trim(line);
	size_t word = span_starts(s, SPAN("event")) ? 5 : span_starts(s, SPAN("drop")) ? 4 : 0;
	return word && (s.length == word || s.data[word] == ' ' || s.data[word] == '\t');
}

/* What the byte opens or closes. True: the next one belongs to it. */
static bool look(struct walk *w, char c, char next)
{
	if (w->inside) {
		if (c == '\\' && next && w->inside != ']') return true;
		if (c == w->inside) w->inside = 0;
	} else if (w->expression) {
		if (c == '"' || c == '\'') w->inside = c;
		else if (c == '/' && w->before == '~') w->inside = '/';
		else if (c == '[') w->inside = ']';
	} else if (!w->behind_equals) {
		if (c == '"') w->inside = c;
		else if (c == '=') w->behind_equals = true;
	} else if (c == '"' && w->before == '=' && !w->braces) {
		w->inside = c;
	} else if (c == '{') {
		if (!w->braces && next == '{') return true;
		w->braces++;
	} else if (c == '}' && w->braces) {
		w->braces--;
	}
	return false;
}

/* Appends what counts of the physical line; true if the next one belongs to it. */
static bool walk_line(struct logical *l, struct walk *w, struct span line)
{
	for (size_t i = 0; i < line.length; i++) {
		char c = line.data[i];
		bool last = i + 1 == line.length;
		if (c == '\\' && last) return true;
		if (c == '#' && w->spaced && !w->inside && !w->braces) return false;
		bool twice = look(w, c, last ? '\0' : line.data[i + 1]);
		buffer_append(&l->text, line.data + i, twice ? 2 : 1);
		w->spaced = c == ' ' || c == '\t';
		if (!w->spaced) w->before = c;
		i += twice;
	}
	return false;
}

bool map_line_next(struct logical *l, struct map_fault *fault)
{
	fault->reason[0] = '\0';
	while (l->left.length) {
		struct walk w = { .spaced = true };
		struct span line;
		enum logical_take taken = LOGICAL_LINE;
		bool more = true;
		logical_begin(l);
		while (more && (taken = logical_take(l, w.inside || w.braces, &line)) == LOGICAL_LINE) {
			if (l->count == 1) w.expression = is_expression(line);
			more = walk_line(l, &w, line);
		}
		if (taken == LOGICAL_FULL) {
			*fault = (struct map_fault){ .line = l->number, .column = 1 };
			snprintf(fault->reason, sizeof fault->reason, "more than %d lines are joined by '\\'", LOGICAL_PIECES_MAX);
			return false;
		}
		if (l->text.failed) die(EXIT_INTERNAL, "no memory for a line of a mapping");
		if (!logical_is_blank(l)) return true;
	}
	return false;
}

void map_line_place(const struct logical *l, size_t offset, size_t *line, size_t *column)
{
	const struct logical_piece *piece = logical_find(l, offset);
	*line = piece->line;
	*column = offset - piece->at + 1;
}
