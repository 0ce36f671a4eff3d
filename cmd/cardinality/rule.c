/* rule - one rule of the guard, read word by word. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "io/diag.h"
#include "rules_private.h"

/* Where the reading of a rule stands. */
struct reading {
	struct rule *rule;
	const char *start, *at, *end;
	const char *from;        /* where the last word begins */
	struct rule_fault *fault;
	struct buffer word;      /* the last one, without its quotes */
	bool quoted;
	struct buffer identity, text; /* in canonical form, as far as it was read */
};

bool rule_fault_set(struct rule_fault *fault, size_t at, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(fault->reason, sizeof fault->reason, format, arguments);
	va_end(arguments);
	fault->at = at;
	return false;
}

static size_t offset(const struct reading *r, const char *at)
{
	return (size_t)(at - r->start);
}

static void skip_blanks(struct reading *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\t')) r->at++;
}

static bool is_behind_word(const struct reading *r, bool in_list)
{
	return r->at == r->end || *r->at == ' ' || *r->at == '\t' || (in_list && *r->at == ',');
}

/* Reads a word, in quotes or up to a blank; in a list also up to a comma. False: there is none, or it is mistaken; then the fault is filled with `wanted`. */
static bool take(struct reading *r, bool in_list, const char *wanted)
{
	skip_blanks(r);
	r->from = r->at;
	buffer_clear(&r->word);
	r->quoted = r->at < r->end && *r->at == '"';
	if (r->quoted) {
		for (r->at++; r->at < r->end && *r->at != '"'; r->at++) {
			if (*r->at == '\\' && r->at + 1 < r->end && *++r->at != '"' && *r->at != '\\') return rule_fault_set(r->fault, offset(r, r->at - 1), "in quotes, only \\\" and \\\\ are escapes");
			buffer_append_byte(&r->word, *r->at);
		}
		if (r->at < r->end) r->at++; /* quotes were seen to be closed when the line was read */
		if (!is_behind_word(r, in_list)) return rule_fault_set(r->fault, offset(r, r->at), in_list ? "a blank or a comma is expected behind the quote" : "a blank is expected behind the quote");
	} else {
		while (!is_behind_word(r, in_list)) {
			if (*r->at == '"' || *r->at == '\\') return rule_fault_set(r->fault, offset(r, r->at), "a word with this in it stands in double quotes");
			buffer_append_byte(&r->word, *r->at++);
		}
	}
	if (r->word.no_memory) die(EXIT_INTERNAL, "no memory for a rule");
	if (r->word.failed) return rule_fault_set(r->fault, offset(r, r->from), "this word is too long");
	if (!r->quoted && !r->word.length) return rule_fault_set(r->fault, offset(r, r->from), "%s", wanted);
	return true;
}

static bool word_is(const struct reading *r, const char *text)
{
	return !r->quoted && span_equal(buffer_span(&r->word), span_of(text));
}

/* Whether the next word is this one; then it is read. */
static bool take_if(struct reading *r, const char *text)
{
	size_t length = strlen(text);
	skip_blanks(r);
	const char *at = r->at;
	if ((size_t)(r->end - at) < length || memcmp(at, text, length) != 0) return false;
	r->at += length;
	if (is_behind_word(r, false)) return true;
	r->at = at;
	return false;
}

/* As a word can be written: plain if nothing in it would be taken for something else. */
static void append_word(struct buffer *out, struct span word)
{
	bool plain = word.length && !span_equal(word, SPAN("if")) && !span_equal(word, SPAN("->")) && !span_equal(word, SPAN("path"));
	for (size_t i = 0; i < word.length; i++) plain &= (unsigned char)word.data[i] > ' ' && !strchr("\",\\#", word.data[i]);
	if (!plain) buffer_append_byte(out, '"');
	for (size_t i = 0; i < word.length; i++) {
		if (word.data[i] == '"' || word.data[i] == '\\') buffer_append_byte(out, '\\');
		buffer_append_byte(out, word.data[i]);
	}
	if (!plain) buffer_append_byte(out, '"');
}

static void note(struct reading *r, const char *text)
{
	buffer_append_text(&r->identity, text);
	buffer_append_text(&r->text, text);
}

static bool take_path(struct reading *r, struct field_path *path)
{
	if (!take(r, false, "a field is missing, as in fields.region")) return false;
	struct span copy = { must_copy(buffer_span(&r->word)), r->word.length };
	if (!field_path_init(path, copy)) {
		*path = (struct field_path){ .whole = copy };
		return rule_fault_set(r->fault, offset(r, r->from), "this is no field: it is written as in fields.region, in at most %d steps", FIELD_DEPTH_MAX);
	}
	append_word(&r->identity, copy);
	append_word(&r->text, copy);
	return true;
}

/* The field that the rule keeps tame. */
static bool take_tag(struct reading *r)
{
	static const char *const fixed[] = { "fields", "severity", "timestamp", "env_version" };
	if (!take(r, false, "a rule begins with \"tag\"")) return false;
	if (!word_is(r, "tag")) return rule_fault_set(r->fault, offset(r, r->from), "a rule begins with \"tag\", a comment with \"#\"");
	note(r, "tag ");
	if (!take_path(r, &r->rule->path)) return false;
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		if (span_equal(r->rule->path.whole, span_of(fixed[i]))) return rule_fault_set(r->fault, offset(r, r->from), "%s cannot be changed: an envelope needs it as it is", fixed[i]);
	return true;
}

static bool take_value(struct reading *r, bool in_list, const char *wanted)
{
	if (!take(r, in_list, wanted)) return false;
	return r->word.length <= RULES_VALUE_MAX || rule_fault_set(r->fault, offset(r, r->from), "a value has at most %d bytes", RULES_VALUE_MAX);
}

static bool take_limit(struct reading *r)
{
	int64_t limit;
	if (!take(r, false, "a number is missing: how many different values")) return false;
	if (!number_parse_int(buffer_span(&r->word), &limit) || limit < 0 || limit > RULES_LIMIT_MAX)
		return rule_fault_set(r->fault, offset(r, r->from), "a number from 0 to %d is expected", RULES_LIMIT_MAX);
	r->rule->limit = (uint32_t)limit;
	buffer_append_byte(&r->text, ' ');
	buffer_append_int(&r->text, limit);
	if (!take_if(r, "per")) return true;
	note(r, " per ");
	return take_path(r, &r->rule->per);
}

/* Values with commas between. */
static bool take_list(struct reading *r)
{
	struct table *labels = &r->rule->labels;
	do {
		bool fresh;
		if (labels->count) r->at++;
		if (!take_value(r, true, "a value is missing")) return false;
		if (labels->count == RULES_LABELS_MAX) return rule_fault_set(r->fault, offset(r, r->from), "more than %d values", RULES_LABELS_MAX);
		note(r, labels->count ? "," : " ");
		append_word(&r->identity, buffer_span(&r->word));
		append_word(&r->text, buffer_span(&r->word));
		if (!table_put(labels, buffer_span(&r->word), &fresh)) die(EXIT_INTERNAL, "no memory for the values of a rule");
		if (!fresh) return rule_fault_set(r->fault, offset(r, r->from), "this value stands there twice");
		const char *behind = r->at;
		skip_blanks(r);
		if (r->at == r->end || *r->at != ',') r->at = behind;
	} while (r->at < r->end && *r->at == ',');
	return true;
}

static bool take_kind(struct reading *r)
{
	static const char wanted[] = "what becomes of it is missing: limit, drop, bucket, normalise or keep";
	struct rule *rule = r->rule;
	if (!take(r, false, wanted)) return false;
	if (word_is(r, "limit")) {
		rule->kind = RULE_LIMIT;
		note(r, " limit");
		return take_limit(r);
	}
	if (word_is(r, "drop")) {
		rule->kind = take_if(r, "over") ? RULE_DROP_OVER : RULE_DROP;
		note(r, rule->kind == RULE_DROP ? " drop" : " drop over");
		return rule->kind == RULE_DROP || take_limit(r);
	}
	if (word_is(r, "normalise") || word_is(r, "normalize")) {
		rule->kind = take_if(r, "path") ? RULE_NORMALISE_PATH : RULE_NORMALISE;
		note(r, rule->kind == RULE_NORMALISE ? " normalise" : " normalise path");
		return true;
	}
	if (!word_is(r, "bucket") && !word_is(r, "keep"))
		return rule_fault_set(r->fault, offset(r, r->from), "limit, drop, bucket, normalise or keep is expected here");
	rule->kind = word_is(r, "keep") ? RULE_KEEP : RULE_BUCKET;
	note(r, rule->kind == RULE_KEEP ? " keep" : " bucket");
	return take_list(r);
}

static bool take_other(struct reading *r)
{
	enum rule_kind kind = r->rule->kind;
	bool has_other = kind == RULE_LIMIT || kind == RULE_KEEP || kind == RULE_BUCKET;
	skip_blanks(r);
	const char *at = r->at;
	if (!take_if(r, "->")) {
		if (has_other) r->rule->other = (struct span){ must_copy(SPAN("other")), 5 };
	} else {
		if (!has_other) return rule_fault_set(r->fault, offset(r, at), "this kind of rule puts nothing in place of a value");
		if (!take_value(r, false, "a value is missing behind \"->\"")) return false;
		r->rule->other = (struct span){ must_copy(buffer_span(&r->word)), r->word.length };
	}
	if (!has_other) return true;
	buffer_append_text(&r->text, " -> ");
	append_word(&r->text, r->rule->other);
	if (kind == RULE_LIMIT) return true;
	buffer_append_text(&r->identity, " -> ");
	append_word(&r->identity, r->rule->other);
	return true;
}

static bool take_condition(struct reading *r)
{
	struct match_fault fault;
	skip_blanks(r);
	if (r->at == r->end) return true;
	if (!take_if(r, "if")) {
		bool bare = r->rule->kind == RULE_LIMIT || r->rule->kind == RULE_DROP_OVER;
		return rule_fault_set(r->fault, offset(r, r->at), "expected here: %s\"if\" and an expression, or nothing more", bare && !r->rule->per.depth ? "\"per\" and a field, " : "");
	}
	struct span expression = span_trim(span_between(r->at, r->end));
	if (!expression.length) return rule_fault_set(r->fault, offset(r, r->end), "an expression is missing behind \"if\"");
	r->rule->condition = match_new(expression, &fault);
	if (!r->rule->condition && strcmp(fault.reason, "no memory") == 0) die(EXIT_INTERNAL, "no memory for a rule");
	if (!r->rule->condition) return rule_fault_set(r->fault, offset(r, expression.data) + (fault.column ? fault.column - 1 : 0), "%s", fault.reason);
	note(r, " if ");
	buffer_append_span(&r->identity, expression);
	buffer_append_span(&r->text, expression);
	return true;
}

bool rule_parse(struct rule *rule, struct span line, struct rule_fault *fault)
{
	struct reading r = { .rule = rule, .start = line.data, .at = line.data, .end = line.data + line.length, .fault = fault };
	*fault = (struct rule_fault){ .at = 0 };
	table_init(&rule->labels, RULES_LABELS_MAX, RULES_BYTES_MAX, 1);
	buffer_init(&r.word, 4096);
	buffer_init(&r.identity, 4 * RULES_BYTES_MAX);
	buffer_init(&r.text, 4 * RULES_BYTES_MAX);
	bool good = take_tag(&r) && take_kind(&r) && take_other(&r) && take_condition(&r);
	if (r.identity.failed || r.text.failed) die(EXIT_INTERNAL, "no memory for a rule");
	if (good) {
		rule->identity = (struct span){ must_copy(buffer_span(&r.identity)), r.identity.length };
		rule->text = (struct span){ must_copy(buffer_span(&r.text)), r.text.length };
	}
	buffer_release(&r.word);
	buffer_release(&r.identity);
	buffer_release(&r.text);
	return good;
}
