/* match_lex - reads the words, literals and names of an expression, and words the complaint when one is wrong. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/match_lex.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/number.h"

bool match_fail(struct match_lexer *l, const char *at, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(l->fault->reason, sizeof l->fault->reason, format, arguments);
	va_end(arguments);
	l->fault->column = (size_t)(at - l->start) + 1;
	return false;
}

void match_skip_blanks(struct match_lexer *l)
{
	while (l->at < l->end && (*l->at == ' ' || *l->at == '\t' || *l->at == '\n' || *l->at == '\r')) l->at++;
}

bool match_at_end(struct match_lexer *l)
{
	match_skip_blanks(l);
	return l->at == l->end;
}

bool match_take(struct match_lexer *l, const char *symbol)
{
	match_skip_blanks(l);
	if (!span_starts(span_between(l->at, l->end), span_of(symbol))) return false;
	l->at += strlen(symbol);
	return true;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

struct span match_peek_word(struct match_lexer *l)
{
	const char *end = l->at;
	while (end < l->end && is_word(*end)) end++;
	return span_between(l->at, end);
}

bool match_take_word(struct match_lexer *l, const char *word)
{
	match_skip_blanks(l);
	if (!span_equal(match_peek_word(l), span_of(word))) return false;
	l->at += strlen(word);
	return true;
}

static char *room(struct match_lexer *l)
{
	return l->match->bytes + l->match->byte_count;
}

/* Reads what stands between two `quote`s into the match's bytes. A backslash escapes the quote and nothing else, as in Heka;
 * in a pattern any other escape is the pattern's business and is kept whole, so \\/ ends it. */
static bool read_delimited(struct match_lexer *l, char quote, struct span *inside)
{
	const char *open = l->at++;
	char *out = room(l), *at = out;
	for (; l->at < l->end && *l->at != quote; l->at++) {
		if (*l->at == '\\' && l->end - l->at > 1) {
			if (l->at[1] == quote) l->at++;
			else if (quote == '/') *at++ = *l->at++;
		}
		*at++ = *l->at;
	}
	if (l->at == l->end)
		return match_fail(l, open, quote == '/' ? "this regular expression has no closing %c" : "this string has no closing %c", quote);
	l->at++;
	*inside = span_between(out, at);
	l->match->byte_count += inside->length;
	return true;
}

bool match_read_quoted(struct match_lexer *l, struct span *text)
{
	return read_delimited(l, *l->at, text);
}

bool match_read_pattern(struct match_lexer *l, struct span *pattern)
{
	return read_delimited(l, '/', pattern);
}

bool match_number_read(struct span text, struct match_number *number)
{
	number->exact = number_parse_int(text, &number->whole);
	if (!number->exact) return number_parse_double(text, &number->real);
	number->real = (double)number->whole;
	return true;
}

bool match_read_number(struct match_lexer *l, struct match_number *number)
{
	/* ".5" is a number to Heka and none to JSON: it gets its zero. */
	char text[64];
	size_t length = 0;
	const char *start = l->at;
	if (*l->at == '-') text[length++] = *l->at++;
	if (l->at < l->end && *l->at == '.') text[length++] = '0';
	for (; l->at < l->end && length < sizeof text; text[length++] = *l->at++) {
		bool is_sign = (*l->at == '-' || *l->at == '+') && (l->at[-1] == 'e' || l->at[-1] == 'E');
		if (!is_word(*l->at) && *l->at != '.' && !is_sign) break;
	}
	if (length == sizeof text) return match_fail(l, start, "this number is longer than %zu bytes", sizeof text - 1);
	struct span digits = { text, length };
	if (match_number_read(digits, number)) return true;
	return match_fail(l, start, "\"%.*s\" is not a number, or too large for one", (int)(l->at - start), start);
}
