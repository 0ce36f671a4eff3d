/* rules - takes a file of rules apart into lines, and lines into rules. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "io/diag.h"
#include "offenders.h"
#include "rules_private.h"

void rules_init(struct rules *r)
{
	*r = (struct rules){ 0 };
}

static void release_rule(struct rule *r)
{
	match_free(r->condition);
	table_release(&r->labels);
	offenders_free(r->offenders);
	free((char *)r->path.whole.data);
	free((char *)r->per.whole.data);
	free((char *)r->other.data);
	free((char *)r->identity.data);
	free((char *)r->text.data);
}

void rules_release(struct rules *r)
{
	for (size_t i = 0; i < r->count; i++) release_rule(&r->rule[i]);
	free(r->rule);
	rules_init(r);
}

const struct rule *rules_find(const struct rules *r, struct span identity)
{
	for (size_t i = 0; i < r->count; i++)
		if (span_equal(r->rule[i].identity, identity)) return &r->rule[i];
	return NULL;
}

/* Where the walk over a logical line stands. */
struct walk {
	char inside;          /* what closes the string, pattern or bracket; 0: outside */
	char before;          /* the last byte that was no blank */
	bool spaced;          /* the byte before was a blank, or there was none */
	bool expression;      /* behind "if": the strings and patterns of the matcher */
	size_t word, opened;  /* where the word began, and what is to be closed */
};

static void open_inside(struct walk *w, char c, size_t at)
{
	w->opened = at;
	if (c == '"' || (w->expression && c == '\'')) w->inside = c;
	else if (!w->expression) return;
	else if (c == '/' && w->before == '~') w->inside = '/';
	else if (c == '[') w->inside = ']';
}

/* Appends what counts of the physical line; true if the next one belongs to it. */
static bool walk_line(struct logical *l, struct walk *w, struct span line)
{
	for (size_t i = 0; i < line.length; i++) {
		char c = line.data[i];
		bool last = i + 1 == line.length, blank = c == ' ' || c == '\t';
		size_t at = l->text.length;
		if (c == '\\' && last) return true;
		if (w->inside) {
			if (c == '\\' && w->inside != ']') buffer_append_byte(&l->text, line.data[i++]), c = line.data[i];
			else if (c == w->inside) w->inside = 0;
		} else if (c == '#' && w->spaced) {
			return false;
		} else {
			if (blank && !w->spaced && at - w->word == 2 && memcmp(l->text.data + w->word, "if", 2) == 0) w->expression = true;
			if (w->spaced) w->word = at;
			open_inside(w, c, at);
		}
		buffer_append_byte(&l->text, c);
		w->spaced = blank;
		if (!blank) w->before = c;
	}
	return false;
}

/* 1: there is one; 0: the end; -1: a fault. */
static int next_line(struct logical *l, struct logical_fault *fault)
{
	while (l->left.length) {
		struct walk w = { .spaced = true };
		struct span line;
		enum logical_take taken = LOGICAL_LINE;
		bool more = true;
		logical_begin(l);
		while (more && (taken = logical_take(l, w.inside, &line)) == LOGICAL_LINE) more = walk_line(l, &w, line);
		if (taken == LOGICAL_FULL) return logical_fault_at(fault, l, 0, "too many lines are joined by '\\'") - 1;
		if (l->text.failed) die(EXIT_INTERNAL, "no memory for a line of rules");
		if (w.inside) return logical_fault_at(fault, l, w.opened, w.inside == '/' ? "the pattern is not closed" : w.inside == ']' ? "the bracket is not closed" : "the quote is not closed") - 1;
		if (!logical_is_blank(l)) return 1;
	}
	return 0;
}

static bool add(struct rules *r, const char *source, struct logical *l, struct logical_fault *fault)
{
	struct rule rule = { .source = source, .line = l->piece[0].line };
	struct rule_fault why;
	size_t at = 0;
	while (at < l->text.length && (l->text.data[at] == ' ' || l->text.data[at] == '\t')) at++;
	bool good = rule_parse(&rule, buffer_span(&l->text), &why);
	const struct rule *twin = good ? rules_find(r, rule.identity) : NULL;
	if (good && !twin && r->count < RULES_MAX) {
		r->rule = must_resize(r->rule, (r->count + 1) * sizeof *r->rule);
		r->rule[r->count++] = rule;
		return true;
	}
	if (twin) rule_fault_set(&why, at, "this rule stands there already: %s:%zu", twin->source, twin->line);
	else if (good) rule_fault_set(&why, at, "more than %d rules", RULES_MAX);
	release_rule(&rule);
	return logical_fault_at(fault, l, why.at, why.reason);
}

bool rules_add(struct rules *r, const char *source, struct span text, bool only_one, struct logical_fault *fault)
{
	if (!logical_check(&text, fault)) return false;
	struct logical *l = must_alloc(sizeof *l);
	size_t before = r->count;
	int more;
	bool good = true;
	logical_init(l, text, LOGICAL_BYTES_MAX + 1);
	while (good && (more = next_line(l, fault)) != 0) {
		good = more > 0;
		if (good && only_one && r->count > before) good = logical_fault_at(fault, l, 0, "one rule is expected, this is another");
		good = good && add(r, source, l, fault);
	}
	if (good && only_one && r->count == before) {
		snprintf(fault->reason, sizeof fault->reason, "it is empty");
		good = false;
	}
	logical_release(l);
	free(l);
	return good;
}
