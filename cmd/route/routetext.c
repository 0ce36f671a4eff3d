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
	*t = (struct routetext){ .source = source, .left = whole };
	buffer_init(&t->text, ROUTETEXT_MAX);
}

void routetext_release(struct routetext *t)
{
	buffer_release(&t->text);
}

static struct span take_line(struct routetext *t)
{
	struct span line = span_take_line(&t->left);
	t->line++;
	if (line.length && line.data[line.length - 1] == '\r') line.length--;
	return line;
}

static void open_inside(struct routetext *t, struct walk *w, char c)
{
	w->opened = t->text.length;
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
			buffer_append(&t->text, line.data + i, 2);
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
				t->arrow = t->text.length;
				w->command = true;
				buffer_append_byte(&t->text, c);
				c = line.data[++i];
			}
			open_inside(t, w, c);
		}
		buffer_append_byte(&t->text, c);
		w->spaced = c == ' ' || c == '\t' || c == '>';
		if (c != ' ' && c != '\t') w->before = c;
	}
	return false;
}

static bool is_comment(struct span line)
{
	struct span s = span_trim(line);
	return s.length && s.data[0] == '#';
}

bool routetext_next(struct routetext *t, bool only_destination)
{
	while (t->left.length) {
		struct walk w = { .command = only_destination, .spaced = true };
		buffer_clear(&t->text);
		t->arrow = SIZE_MAX;
		t->count = 0;
		bool more = true;
		while (more && t->left.length) {
			struct span line = take_line(t);
			if (t->count == ROUTETEXT_PIECES_MAX) {
				t->text.failed = true;
				break;
			}
			if (!w.inside && is_comment(line)) {
				more = t->count > 0; /* among continued lines it is skipped */
				continue;
			}
			t->piece[t->count++] = (struct routetext_piece){ t->text.length, t->line, line };
			more = walk_line(t, &w, line);
		}
		if (t->text.failed) {
			t->text.failed = false;
			routetext_fault(t, 0, "this route is too long");
		} else if (w.inside) {
			routetext_fault(t, w.opened, w.inside == '/' ? "the pattern is not closed" : w.inside == ']' ? "the bracket is not closed" : "the quote is not closed");
		} else if (span_trim(buffer_span(&t->text)).length) {
			return true;
		}
	}
	return false;
}

/* The line is shown through a window, tabs as blanks so that the caret stands right. */
static void show(const char *where, size_t number, size_t column, const char *reason, struct span line)
{
	enum { WINDOW = 100, BEFORE = 60 };
	char shown[WINDOW + 1], caret[WINDOW + 1];
	size_t from = column > BEFORE ? column - BEFORE : 0, length = 0;
	for (size_t i = from; i < line.length && length < WINDOW; i++, length++) {
		unsigned char c = (unsigned char)line.data[i];
		shown[length] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
	}
	size_t blanks = 0;
	for (size_t i = from; i < column; i++)
		if (((unsigned char)line.data[i] & 0xC0) != 0x80) blanks++; /* a character of UTF-8 is one column */
	memset(caret, ' ', blanks);
	diag_error("%s:%zu:%zu: %s\n    %.*s\n    %.*s^", where, number, column + 1, reason, (int)length, shown, (int)blanks, caret);
}

/* The physical line that the byte stands in; NULL if there is none at all. */
static const struct routetext_piece *find_piece(const struct routetext *t, size_t offset)
{
	size_t i = t->count;
	while (i > 1 && t->piece[i - 1].at > offset) i--;
	return i ? &t->piece[i - 1] : NULL;
}

char *routetext_where(const struct routetext *t, size_t offset)
{
	struct buffer where;
	const struct routetext_piece *p = find_piece(t, offset);
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
	const struct routetext_piece *p = find_piece(t, offset);
	if (!p) {
		diag_error("%s: %s", t->source, reason);
		return;
	}
	size_t column = offset - p->at;
	if (column > p->physical.length) column = p->physical.length;
	show(t->source, p->line, column, reason, p->physical);
}
