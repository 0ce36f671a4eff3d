/* catalog_values - reads which values a tag may have. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>

#include "base/number.h"
#include "catalog_private.h"
#include "io/diag.h"

void values_free(struct catalog_values *v)
{
	if (!v) return;
	table_release(&v->words);
	match_regex_free(v->pattern);
	free((char *)v->text.data);
	free(v);
}

/* The N behind a '*'. */
static bool take_limit(struct reading *r, struct catalog_values *v)
{
	const char *from = r->at;
	int64_t limit;
	while (r->at < r->end && *r->at >= '0' && *r->at <= '9') r->at++;
	if (!number_parse_int(span_between(from, r->at), &limit) || limit < 1 || limit > CATALOG_LIMIT_MAX)
		return reading_fail(r, from, "how many values is a number from 1 to %d", CATALOG_LIMIT_MAX);
	v->limit = (uint32_t)limit;
	return true;
}

/* First alone, so that nothing in it can close what is put around it. */
static bool compile(struct reading *r, struct catalog_values *v, const char *from, const char *to)
{
	char reason[MATCH_REGEX_REASON_MAX];
	size_t offset;
	struct buffer whole;
	v->pattern = match_regex_new(span_between(from, to), reason, &offset);
	if (!v->pattern) return reading_fail(r, from + offset, "%s", reason);
	match_regex_free(v->pattern);
	buffer_init(&whole, CATALOG_BYTES_MAX + 16);
	buffer_append_text(&whole, "\\A(?:");
	buffer_append(&whole, from, (size_t)(to - from));
	buffer_append_text(&whole, ")\\z");
	if (whole.failed) die(EXIT_INTERNAL, "no memory for the catalogue");
	v->pattern = match_regex_new(buffer_span(&whole), reason, &offset);
	buffer_release(&whole);
	return v->pattern || reading_fail(r, from, "it cannot be matched against whole values: %s", reason);
}

static bool take_pattern(struct reading *r, struct catalog_values *v)
{
	const char *from = ++r->at;
	while (r->at < r->end && *r->at != '/') r->at += *r->at == '\\' ? 2 : 1;
	if (r->at >= r->end) return reading_fail(r, from - 1, "the pattern is not closed in this line");
	const char *to = r->at++;
	v->limit = CATALOG_LIMIT_DEFAULT;
	if (!compile(r, v, from, to)) return false;
	if (r->at == r->end || *r->at != '*') return true;
	r->at++;
	return take_limit(r, v);
}

static bool is_behind_value(const struct reading *r)
{
	return r->at == r->end || strchr(" \t,|", *r->at);
}

static bool take_value(struct reading *r, struct catalog_values *v)
{
	bool fresh, is_open = r->at < r->end && (*r->at == '*' || *r->at == '/');
	const char *from = r->at;
	if (is_open && (v->any || v->pattern)) return reading_fail(r, from, "only one pattern or * may stand in a list");
	if (is_open && *r->at == '/') {
		if (!take_pattern(r, v)) return false;
	} else if (is_open) {
		v->any = true;
		r->at++;
		if (!is_behind_value(r) && !take_limit(r, v)) return false;
	} else {
		if (!reading_take(r, ",|", "a value is missing: a word, /pattern/ or *N")) return false;
		if (r->word.length > CATALOG_VALUE_MAX) return reading_fail(r, from, "a value has at most %d bytes", CATALOG_VALUE_MAX);
		if (v->words.count == CATALOG_WORDS_MAX) return reading_fail(r, from, "more than %d values", CATALOG_WORDS_MAX);
		if (!table_put(&v->words, reading_word(r), &fresh)) die(EXIT_INTERNAL, "no memory for the catalogue");
		if (!fresh) return reading_fail(r, from, "this value stands there twice");
	}
	return is_behind_value(r) || reading_fail(r, r->at, "expected here: \"|\" and another value, or a comma and another tag");
}

/* What was read from there on, without blanks but those in quotes. */
static struct span shown_text(const char *from, const char *to)
{
	char *text = must_alloc((size_t)(to - from) + 1);
	size_t length = 0;
	for (bool quoted = false; from < to; from++) {
		if (*from == '"') quoted = !quoted;
		if (quoted || (*from != ' ' && *from != '\t')) text[length++] = *from;
	}
	return (struct span){ text, length };
}

struct catalog_values *values_read(struct reading *r)
{
	struct catalog *c = r->catalog;
	struct catalog_values *v = must_alloc(sizeof *v);
	reading_skip_blanks(r);
	const char *from = r->at;
	table_init(&v->words, CATALOG_WORDS_MAX, CATALOG_BYTES_MAX, 1);
	c->values = must_resize(c->values, (c->values_count + 1) * sizeof *c->values);
	c->values[c->values_count++] = v;
	do {
		reading_skip_blanks(r);
		if (!take_value(r, v)) return NULL;
	} while (reading_take_byte(r, '|'));
	v->text = shown_text(from, r->at);
	return v;
}
