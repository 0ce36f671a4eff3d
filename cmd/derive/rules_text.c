/* rules_text - takes a file of rules apart into statements, and says a statement for each word of its "for". */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>

#include "io/diag.h"
#include "rules_private.h"

/* Comments, and a backslash that ends a line, become blanks: every other byte keeps its place. `before`: the last byte that was none. */
static bool blank_line(struct rules_reader *r, char *line, char *end, char *before)
{
	for (char *at = line; at < end; at++) {
		const char *inside = rules_inside(at, end, *before);
		if (!inside) return rules_fail(r, at, *at == '/' ? "the pattern is not closed" : "the quote is not closed");
		if (inside > at) {
			at += inside - at - 1;
		} else if (*at == '#' && (at == line || rules_is_blank(at[-1]))) {
			memset(at, ' ', (size_t)(end - at));
			return true;
		} else if (*at == '\\' && span_trim(span_between(at + 1, end)).length == 0) {
			*at = ' '; /* a line goes on anyway */
		}
		if (!rules_is_blank(*at)) *before = *at;
	}
	return true;
}

static bool blank_comments(struct rules_reader *r, char *text, size_t length)
{
	char before = 0, *end = text + length;
	for (char *line = text, *next; line < end; line = next) {
		char *newline = memchr(line, '\n', (size_t)(end - line));
		next = newline ? newline + 1 : end;
		if (!blank_line(r, line, newline ? newline : end, &before)) return false;
	}
	return true;
}

bool rules_clean(struct rules_reader *r, struct span text)
{
	if (!logical_check(&text, r->fault)) return false;
	r->original = text;
	r->clean = rules_store_copy(r->rules->store, text);
	r->start = r->at = r->clean.data;
	r->end = r->start + r->clean.length;
	return blank_comments(r, (char *)r->clean.data, r->clean.length);
}

/* --- statements --- */

/* What begins with this line; STATEMENT_END: nothing does, it belongs to the one before. */
static enum rules_statement begins(struct span line)
{
	size_t length = 0;
	line = span_trim(line);
	while (length < line.length && rules_is_word(line.data[length])) length++;
	struct span word = { line.data, length };
	if (length < line.length && !rules_is_blank(line.data[length]) && line.data[length] != '(') return STATEMENT_END;
	if (span_equal(word, SPAN("when"))) return STATEMENT_WHEN;
	if (span_equal(word, SPAN("let"))) return STATEMENT_LET;
	for (size_t i = 0; rules_kinds[i]; i++)
		if (span_equal(word, span_of(rules_kinds[i]))) return STATEMENT_METRIC;
	return STATEMENT_END;
}

static enum rules_statement fail_beginning(struct rules_reader *r)
{
	static const char *const words[] = { "when", "let", "counter", "timer", "gauge", "set", NULL };
	struct span found = rules_peek(r, rules_is_word);
	const char *better = rules_guess(found, words);
	if (better && !span_equal(found, span_of(better))) rules_fail(r, r->at, "expected when or let, not \"%.*s\"; did you mean %s?", RULES_SHOWN(found), better);
	else rules_fail(r, r->at, "expected when and a test, as in: when type == \"request.summary\"");
	return STATEMENT_BAD;
}

enum rules_statement rules_next(struct rules_reader *r)
{
	struct span rest = span_between(r->clean.data + r->next, r->clean.data + r->clean.length), look = rest;
	for (; rest.length && span_trim(span_take_line(&look)).length == 0; rest = look) r->next_line++;
	r->start = r->at = r->end = rest.data;
	r->offset = (size_t)(rest.data - r->clean.data);
	r->stretch_count = 0;
	r->for_word = (struct span){ 0 };
	if (!rest.length) return STATEMENT_END;
	r->line = r->next_line++;
	enum rules_statement found = begins(span_take_line(&rest));
	for (look = rest; rest.length && begins(span_take_line(&look)) == STATEMENT_END; rest = look) r->next_line++;
	r->next = (size_t)(rest.data - r->clean.data);
	r->end = rest.data;
	while (rules_is_blank(*r->start)) r->start++;
	r->at = r->start;
	r->offset = (size_t)(r->start - r->clean.data);
	if (found == STATEMENT_END) return fail_beginning(r);
	if ((size_t)(r->end - r->start) > RULES_STATEMENT_MAX && !rules_fail(r, r->start, "this goes on for more than 64 KiB")) return STATEMENT_BAD;
	return found;
}

/* --- "for" --- */

/* The first "for" that stands alone, before "tags"; NULL: there is none. */
static const char *find_for(const char *at, const char *end)
{
	char before = 0;
	while (at < end) {
		const char *inside = rules_inside(at, end, before), *word = at;
		if (!inside) return NULL;
		if (inside > at || !rules_is_name(*at)) {
			at = inside > at ? inside : at + 1;
			if (!rules_is_blank(at[-1])) before = at[-1];
			continue;
		}
		while (at < end && rules_is_name(*at)) at++;
		before = at[-1];
		if (!rules_is_blank(word[-1])) continue;
		if (span_equal(span_between(word, at), SPAN("tags"))) return NULL;
		if (span_equal(span_between(word, at), SPAN("for"))) return word;
	}
	return NULL;
}

static bool add_word(struct rules_reader *r, struct rules_for *f)
{
	struct span word = rules_peek(r, rules_is_name);
	if (!word.length) return rules_fail_expected(r, "a word of for, as in: for s in internal, geoip");
	if (word.length > RULES_WORD_MAX) return rules_fail(r, r->at, "a word of more than %d bytes", RULES_WORD_MAX);
	for (size_t i = 0; i < f->count; i++)
		if (span_equal(f->word[i], word)) return rules_fail(r, r->at, "\"%.*s\" stands in this for already", RULES_SHOWN(word));
	if (f->count == RULES_METRICS_MAX) return rules_fail(r, r->at, "a for of more than %d words", RULES_METRICS_MAX);
	f->word = must_resize(f->word, (f->count + 1) * sizeof *f->word);
	f->word[f->count++] = word;
	r->at += word.length;
	return true;
}

static bool read_words(struct rules_reader *r, struct rules_for *f)
{
	f->name = rules_peek(r, rules_is_word);
	if (!f->name.length || (f->name.data[0] >= '0' && f->name.data[0] <= '9')) return rules_fail_expected(r, "a name, as in: for s in internal, geoip");
	if (f->name.length > RULES_WORD_MAX) return rules_fail(r, r->at, "a word of more than %d bytes", RULES_WORD_MAX);
	r->at += f->name.length;
	if (!rules_take_word(r, "in")) return rules_fail_expected(r, "in, as in: for s in internal, geoip");
	do {
		if (!add_word(r, f)) return false;
	} while (rules_take(r, ','));
	return true;
}

int rules_read_for(struct rules_reader *r, struct rules_for *f)
{
	const char *start = r->at;
	*f = (struct rules_for){ 0 };
	rules_skip_blanks(r);
	/* The name comes first, whatever it is. */
	f->at = r->at < r->end ? find_for(r->at + 1, r->end) : NULL;
	if (!f->at) {
		r->at = start;
		return 0;
	}
	r->at = f->at + SPAN("for").length;
	bool good = read_words(r, f);
	f->end = r->at;
	r->at = start;
	return good ? 1 : -1;
}

/* The name in the ${name} that stands there; no bytes if none does. */
static struct span name_at(const char *at, const char *end)
{
	const char *name = at + 2, *close = name;
	if (end - at < 4 || at[0] != '$' || at[1] != '{') return (struct span){ 0 };
	while (close < end && rules_is_word(*close)) close++;
	return close < end && *close == '}' && !(*name >= '0' && *name <= '9') ? span_between(name, close) : (struct span){ 0 };
}

bool rules_check_words(struct rules_reader *r)
{
	for (const char *at = r->start; at < r->end; at++) {
		struct span name = name_at(at, r->end);
		if (name.length) return rules_fail(r, at, "${%.*s} stands for a word of a metric's \"for %.*s in ...\", and there is none here", RULES_SHOWN(name), RULES_SHOWN(name));
	}
	return true;
}

static void add_stretch(struct rules_reader *r, struct rules_stretch stretch)
{
	if (r->stretch_count == r->stretch_room) {
		r->stretch_room = r->stretch_room ? 2 * r->stretch_room : 16;
		r->stretch = must_resize(r->stretch, r->stretch_room * sizeof *r->stretch);
	}
	r->stretch[r->stretch_count++] = stretch;
}

/* Appends the statement as it is for the word. */
static bool append_said(struct rules_reader *r, struct buffer *out, const struct rules_for *f, struct span word)
{
	add_stretch(r, (struct rules_stretch){ 0, 0, false });
	for (const char *at = r->start; at < r->end;) {
		struct span name = name_at(at, r->end);
		if (!name.length) {
			buffer_append_byte(out, *at++);
			continue;
		}
		if (!span_equal(name, f->name)) {
			r->stretch_count = 0; /* what is wrong stands in the file itself */
			return rules_fail(r, at, "${%.*s} is not known; the word of this for is ${%.*s}", RULES_SHOWN(name), RULES_SHOWN(f->name));
		}
		add_stretch(r, (struct rules_stretch){ out->length, (size_t)(at - r->start), true });
		buffer_append_span(out, word);
		at += name.length + 3;
		add_stretch(r, (struct rules_stretch){ out->length, (size_t)(at - r->start), false });
	}
	return true;
}

bool rules_say_for(struct rules_reader *r, const struct rules_plain *plain, const struct rules_for *f, size_t word)
{
	struct buffer said;
	rules_unsay_for(r, plain);
	buffer_init(&said, RULES_STATEMENT_MAX);
	bool good = append_said(r, &said, f, f->word[word]);
	size_t uses = r->stretch_count / 2;
	if (good && !uses) good = rules_fail(r, f->at, "${%.*s} stands nowhere in this metric: it would be the same for each word", RULES_SHOWN(f->name));
	if (said.no_memory) die(EXIT_INTERNAL, "no memory for rules");
	if (good && said.failed) r->stretch_count = 0, good = rules_fail(r, f->at, "with this for the metric is longer than 64 KiB");
	if (good) {
		struct span text = rules_store_copy(r->rules->store, buffer_span(&said));
		r->at = text.data + (r->at - r->start);
		r->start = text.data;
		r->end = text.data + text.length;
		r->for_name = f->name;
		r->for_word = f->word[word];
	}
	buffer_release(&said);
	return good;
}

void rules_unsay_for(struct rules_reader *r, const struct rules_plain *plain)
{
	r->start = plain->start;
	r->at = plain->at;
	r->end = plain->end;
	r->stretch_count = 0;
	r->for_word = (struct span){ 0 };
}

struct span rules_tidy(struct rules_reader *r, struct span text)
{
	const char *end = text.data + text.length;
	char before = 0, *out = rules_store_take(r->rules->store, text.length + 1), *to = out;
	for (const char *at = text.data; at < end;) {
		const char *inside = rules_inside(at, end, before);
		if (inside && inside > at) {
			memcpy(to, at, (size_t)(inside - at));
			to += inside - at;
			before = inside[-1];
			at = inside;
		} else if (!rules_is_blank(*at)) {
			before = *to++ = *at++;
		} else {
			while (at < end && rules_is_blank(*at)) at++;
			if (at < end) *to++ = ' ';
		}
	}
	return span_between(out, to);
}
