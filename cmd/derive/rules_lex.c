/* rules_lex - the cursor in a statement of rules, and words about what is wrong there. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "rules_private.h"

enum { BRACKET_MAX = 4096 };

const char *const rules_kinds[] = { "counter", "timer", "gauge", "set", NULL };

/* Where a byte of the statement, as it is read, stands in the file. */
static size_t place(const struct rules_reader *r, const char *at)
{
	size_t offset = (size_t)(at - r->start), i = r->stretch_count;
	if (!i) return r->offset + offset;
	while (i > 1 && r->stretch[i - 1].at > offset) i--;
	const struct rules_stretch *s = &r->stretch[i - 1];
	return r->offset + s->from + (s->is_word ? 0 : offset - s->at);
}

/* Fills in line, column and the line itself of a byte of the file. */
static void locate(const struct rules_reader *r, size_t offset)
{
	struct span rest = r->original, line = { rest.data, 0 };
	size_t number = 0, from = 0;
	if (offset > rest.length) offset = rest.length;
	while (rest.length) {
		from = (size_t)(rest.data - r->original.data);
		line = span_take_line(&rest);
		number++;
		if (offset <= from + line.length) break;
	}
	if (line.length && line.data[line.length - 1] == '\r') line.length--;
	r->fault->line = number ? number : 1;
	r->fault->column = offset - from < line.length ? offset - from : line.length;
	r->fault->physical = line;
}

bool rules_fail(struct rules_reader *r, const char *at, const char *format, ...)
{
	if (r->fault->reason[0]) return false;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(r->fault->reason, sizeof r->fault->reason, format, arguments);
	va_end(arguments);
	size_t length = strlen(r->fault->reason);
	if (r->for_word.data)
		snprintf(r->fault->reason + length, sizeof r->fault->reason - length, " (where ${%.*s} is %.*s)", RULES_SHOWN(r->for_name), RULES_SHOWN(r->for_word));
	if (at == r->end)
		while (at > r->start && rules_is_blank(at[-1])) at--;
	bool is_behind = at == r->end || (at > r->start && rules_is_blank(*at) && !rules_is_blank(at[-1]));
	locate(r, is_behind && at > r->start ? place(r, at - 1) + 1 : place(r, at));
	return false;
}

const char *rules_guess(struct span word, const char *const *list)
{
	const char *best = NULL;
	size_t least = word.length < 4 ? 2 : 3; /* one edit of a short word, two of a longer one; case is none */
	for (; *list; list++) {
		size_t edits = text_edits(word, span_of(*list));
		if (edits < least) least = edits, best = *list;
	}
	return best;
}

struct habit { const char *wrong, *right; };

/* What people write who come from other languages, where the statement should go on in another way. */
static const struct habit habits[] = {
	{ "==", "a comparison stands only behind when and if" }, { "!=", "a comparison stands only behind when and if" }, { "=~", "a comparison stands only behind when and if" },
	{ "=", "= stands once, behind a name" }, { "<", "a comparison stands only behind when and if" }, { ">", "a comparison stands only behind when and if" },
	{ "&&", "tests stand only behind when and if" }, { "||", "tests stand only behind when and if" }, { "!", "tests stand only behind when and if" },
	{ "?", "a choice is written: value if test else value" }, { "%", "there is no remainder" }, { "$", "${word} needs its for word in ..." },
	{ "'", "a text stands where a value does" }, { "\"", "a text stands where a value does" },
};

static const struct habit habitual_words[] = {
	{ "and", "between two tests it is &&" }, { "or", "between two tests it is ||" }, { "not", "before a test it is !" },
	{ "else", "else belongs to value if test" }, { "then", "a choice is written: value if test else value" }, { "unless", "a choice is written: value if !test" },
	{ "histogram", "a distribution is a timer" }, { "distribution", "a distribution is a timer" }, { "summary", "a distribution is a timer" },
};

bool rules_fail_expected(struct rules_reader *r, const char *expected)
{
	static const char *const words[] = { "when", "let", "counter", "timer", "gauge", "set", "if", "else", "for", "rate", "sample", "tags", NULL };
	if (rules_at_end(r)) return rules_fail(r, r->end, "expected %s, but the statement ends here", expected);
	struct span found = rules_peek(r, rules_is_name);
	if (!found.length) {
		for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
			if (span_starts(span_between(r->at, r->end), span_of(habits[i].wrong))) return rules_fail(r, r->at, "expected %s; %s", expected, habits[i].right);
		uint32_t codepoint;
		size_t length = text_decode_utf8(span_between(r->at, r->end), &codepoint);
		return rules_fail(r, r->at, "expected %s, not \"%.*s\"", expected, (int)length, r->at);
	}
	for (size_t i = 0; i < sizeof habitual_words / sizeof *habitual_words; i++)
		if (span_equal(found, span_of(habitual_words[i].wrong))) return rules_fail(r, r->at, "expected %s; %s", expected, habitual_words[i].right);
	const char *better = rules_guess(found, words);
	if (better && !span_equal(found, span_of(better))) return rules_fail(r, r->at, "expected %s, not \"%.*s\"; did you mean %s?", expected, RULES_SHOWN(found), better);
	if (better && strchr("wlctgs", better[0]) && strcmp(better, "tags") != 0 && strcmp(better, "sample") != 0)
		return rules_fail(r, r->at, "expected %s; %s begins a line of its own", expected, better);
	return rules_fail(r, r->at, "expected %s, not \"%.*s\"", expected, RULES_SHOWN(found));
}

/* As the matcher reads them: a backslash escapes the quote, and in a pattern anything. */
const char *rules_inside(const char *at, const char *end, char before)
{
	char close = *at == '"' || *at == '\'' ? *at : *at == '/' && before == '~' ? '/' : 0;
	if (*at == '[') {
		/* An open one is the matcher's to tell of. No key is so long; without a bound a line of nothing but brackets would take minutes. */
		size_t length = end - at < BRACKET_MAX ? (size_t)(end - at) : BRACKET_MAX;
		const char *bracket = memchr(at, ']', length), *newline = bracket ? memchr(at, '\n', (size_t)(bracket - at)) : NULL;
		return bracket && !newline ? bracket + 1 : at;
	}
	if (!close) return at;
	for (const char *inside = at + 1; inside < end && *inside != '\n'; inside++) {
		if (*inside == close) return inside + 1;
		if (*inside == '\\' && end - inside > 1 && inside[1] != '\n' && (close == '/' || inside[1] == close)) inside++;
	}
	return NULL;
}

bool rules_is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool rules_is_name(char c)
{
	return rules_is_word(c) || c == '.' || c == '-';
}

void rules_skip_blanks(struct rules_reader *r)
{
	while (r->at < r->end && rules_is_blank(*r->at)) r->at++;
}

bool rules_at_end(struct rules_reader *r)
{
	rules_skip_blanks(r);
	return r->at == r->end;
}

bool rules_take(struct rules_reader *r, char symbol)
{
	bool there = !rules_at_end(r) && *r->at == symbol;
	if (there) r->at++;
	return there;
}

struct span rules_peek(struct rules_reader *r, bool (*is_part)(char))
{
	rules_skip_blanks(r);
	const char *end = r->at;
	while (end < r->end && is_part(*end)) end++;
	return span_between(r->at, end);
}

bool rules_take_word(struct rules_reader *r, const char *word)
{
	struct span found = rules_peek(r, rules_is_word);
	bool there = span_equal(found, span_of(word));
	if (there) r->at += found.length;
	return there;
}
