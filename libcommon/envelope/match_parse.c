/* match_parse - compiles a matcher expression into the program that match_eval runs. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "envelope/match_lex.h"

/* any  := all { "||" all }
 * all  := unit { "&&" unit }
 * unit := "!" unit | "(" any ")" | TRUE | FALSE | name relation value | name
 *
 * It is read into nodes first, because a test can only be aimed once it is known what follows. A node knows its last child and
 * every child the one before it: the order in which the program is laid out. Node 0 stands for a fault. */
enum node_kind { NODE_ANY, NODE_ALL, NODE_NOT, NODE_TRUE, NODE_FALSE, NODE_TEST };

struct node {
	enum node_kind kind;
	uint32_t last, previous;
	struct match_step step;
};

struct parser {
	struct match_lexer lexer;
	struct node *nodes;
	uint32_t node_count;
	size_t depth;
	bool is_prefix; /* what stands behind the expression is somebody else's */
};

static uint32_t parse_chain(struct parser *, enum node_kind);

static uint32_t add_node(struct parser *p, enum node_kind kind)
{
	p->nodes[p->node_count] = (struct node){ .kind = kind };
	return p->node_count++;
}

static uint32_t add_parent(struct parser *p, enum node_kind kind, uint32_t child)
{
	uint32_t parent = child ? add_node(p, kind) : 0;
	p->nodes[parent].last = child;
	return parent;
}

/* --- a test: name relation value --- */

static const struct { const char *symbol; unsigned relation; bool is_pattern; } relations[] = {
	{ "==", MATCH_EQUAL, false }, { "!=", MATCH_LESS | MATCH_MORE, false },
	{ "<=", MATCH_LESS | MATCH_EQUAL, false }, { ">=", MATCH_MORE | MATCH_EQUAL, false },
	{ "=~", MATCH_EQUAL, true }, { "!~", MATCH_LESS | MATCH_MORE, true },
	{ "<", MATCH_LESS, false }, { ">", MATCH_MORE, false },
};

static bool is_equality(unsigned relation)
{
	return relation == MATCH_EQUAL || relation == (MATCH_LESS | MATCH_MORE);
}

static bool fail_relation(struct match_lexer *l, const struct match_name *name)
{
	int length = name->text.length > 60 ? 60 : (int)name->text.length;
	if (match_take(l, "=")) return match_fail(l, l->at - 1, "= alone is not a relation; == compares");
	return match_fail(l, l->at, "expected a relation (== != < <= > >= =~ !~ in) after %.*s", length, name->text.data);
}

static bool is_number_start(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/* A string against the timestamp is an instant: RFC 3339, or a day. */
static bool read_instant(struct match_lexer *l, struct match_number *number)
{
	const char *at = l->at;
	struct span text;
	char midnight[20];
	if (!match_read_quoted(l, &text)) return false;
	number->exact = timestamp_parse(text, &number->whole);
	if (!number->exact && text.length == 10) {
		memcpy(midnight, text.data, 10);
		memcpy(midnight + 10, "T00:00:00Z", 10);
		number->exact = timestamp_parse((struct span){ midnight, sizeof midnight }, &number->whole);
	}
	if (number->exact) number->real = (double)number->whole;
	return number->exact || match_fail(l, at, "this is not a time as in \"2012-10-05T12:00:00Z\" or \"2012-10-05\"");
}

static const char *describe(const struct match_name *name)
{
	return name->kind == MATCH_NAME_TEXT ? "a string" : name->kind == MATCH_NAME_NUMBER ? "a number" : "a time";
}

/* A string or a number, as far as the name can be compared with it; `is_number` says which one it became. */
static bool read_scalar(struct match_lexer *l, const struct match_name *name, bool *is_number, struct span *text, struct match_number *number)
{
	bool quoted = l->at < l->end && (*l->at == '"' || *l->at == '\'');
	int length = name->text.length > 60 ? 60 : (int)name->text.length;
	*is_number = !quoted || name->kind == MATCH_NAME_TIME;
	if (quoted && name->kind == MATCH_NAME_TIME) return read_instant(l, number);
	if (quoted && name->kind == MATCH_NAME_NUMBER)
		return match_fail(l, l->at, "%.*s is a number, it cannot be compared with a string", length, name->text.data);
	if (quoted) return match_read_quoted(l, text);
	if (l->at == l->end || !is_number_start(*l->at)) return match_fail(l, l->at, "expected a value: a number, or a string in quotes");
	if (name->kind == MATCH_NAME_TEXT)
		return match_fail(l, l->at, "%.*s is a string, it cannot be compared with a number", length, name->text.data);
	return match_read_number(l, number);
}

static bool read_pattern(struct match_lexer *l, const struct match_name *name, struct match_step *step)
{
	const char *at = l->at;
	struct span pattern;
	struct match_literal literal;
	char reason[MATCH_REGEX_REASON_MAX];
	size_t offset;
	if (name->kind == MATCH_NAME_NUMBER || (name->kind == MATCH_NAME_TIME && name->is_heka))
		return match_fail(l, at, "%.*s is %s, it has no text to search", (int)name->text.length, name->text.data, describe(name));
	if (at == l->end || *at != '/') return match_fail(l, at, "expected a regular expression between slashes: /text/");
	char *out = l->match->bytes + l->match->byte_count;
	if (!match_read_pattern(l, &pattern)) return false;
	if (match_regex_literal(out, pattern.length, &literal)) {
		step->test = literal.from_start ? MATCH_TEST_STARTS : literal.to_end ? MATCH_TEST_ENDS : MATCH_TEST_CONTAINS;
		if (literal.from_start && literal.to_end) step->test = MATCH_TEST_TEXT;
		step->with.text = literal.text;
		return true;
	}
	step->test = MATCH_TEST_REGEX;
	step->with.regex = match_regex_new(pattern, reason, &offset);
	if (step->with.regex) return true;
	for (at++; offset; offset--, at++) at += at[0] == '\\' && at[1] == '/'; /* the pattern lost this backslash */
	return match_fail(l, at, "%s", reason);
}

static bool read_value(struct match_lexer *l, const struct match_name *name, struct match_step *step)
{
	const char *at = l->at;
	bool truth = match_take_word(l, "TRUE");
	if (truth || match_take_word(l, "FALSE")) {
		step->test = MATCH_TEST_TRUTH;
		step->with.truth = truth;
		if (name->kind != MATCH_NAME_ANY) return match_fail(l, at, "%.*s is %s, never TRUE or FALSE", (int)name->text.length, name->text.data, describe(name));
		return is_equality(step->relation) || match_fail(l, at, "TRUE and FALSE can only be compared by == and !=");
	}
	if (match_take_word(l, "NIL")) {
		step->test = MATCH_TEST_NIL;
		if (name->is_heka) return match_fail(l, at, "%.*s is never NIL; its lower-case name can be", (int)name->text.length, name->text.data);
		return is_equality(step->relation) || match_fail(l, at, "NIL can only be compared by == and !=");
	}
	if (at < l->end && *at == '/') return match_fail(l, at, "a regular expression goes with =~ or !~");
	bool is_number;
	struct span text;
	struct match_number number;
	if (!read_scalar(l, name, &is_number, &text, &number)) return false;
	step->test = is_number ? MATCH_TEST_NUMBER : MATCH_TEST_TEXT;
	if (is_number) step->with.number = number;
	else step->with.text = text;
	return true;
}

static int order_texts(const void *a, const void *b)
{
	return match_text_order(*(const struct span *)a, *(const struct span *)b);
}

static int order_numbers(const void *a, const void *b)
{
	return match_number_order(*(const struct match_number *)a, *(const struct match_number *)b);
}

static bool read_list(struct match_lexer *l, const struct match_name *name, struct match_step *step)
{
	struct match *m = l->match;
	struct match_list list = { .text_first = m->text_count, .number_first = m->number_count };
	bool is_number;
	if (!match_take(l, "(")) return match_fail(l, l->at, "expected ( after in");
	do {
		match_skip_blanks(l);
		if (!read_scalar(l, name, &is_number, &m->texts[m->text_count], &m->numbers[m->number_count])) return false;
		if (is_number) m->number_count++;
		else m->text_count++;
	} while (match_take(l, ","));
	if (!match_take(l, ")")) return match_fail(l, l->at, "expected , or ) after a value of in");
	list.text_count = m->text_count - list.text_first;
	list.number_count = m->number_count - list.number_first;
	qsort(m->texts + list.text_first, list.text_count, sizeof *m->texts, order_texts);
	qsort(m->numbers + list.number_first, list.number_count, sizeof *m->numbers, order_numbers);
	step->test = MATCH_TEST_IN;
	step->relation = MATCH_EQUAL;
	step->with.list = list;
	return true;
}

/* Whether a name that no relation follows was meant as a test by itself. Whoever reads on will take offence at what stands there, and has better words for it than that a
 * relation is missing; but not for what looks like one. */
static bool stands_alone(struct parser *p)
{
	struct match_lexer *l = &p->lexer;
	if (match_at_end(l)) return true;
	struct span rest = span_between(l->at, l->end);
	if (rest.data[0] == ')' || span_starts(rest, SPAN("&&")) || span_starts(rest, SPAN("||"))) return true;
	if (p->is_prefix) return !strchr("=~&|!", rest.data[0]);
	return match_peek_word(l).length && !is_number_start(rest.data[0]);
}

static bool read_test(struct parser *p, struct match_step *step)
{
	struct match_lexer *l = &p->lexer;
	struct match_name name;
	if (!match_read_name(l, &name)) return false;
	step->slot = name.slot;
	if (match_take_word(l, "in")) return read_list(l, &name, step);
	for (size_t i = 0; i < sizeof relations / sizeof *relations; i++) {
		if (!match_take(l, relations[i].symbol)) continue;
		step->relation = relations[i].relation;
		match_skip_blanks(l);
		return relations[i].is_pattern ? read_pattern(l, &name, step) : read_value(l, &name, step);
	}
	if (name.kind != MATCH_NAME_ANY || !stands_alone(p)) return fail_relation(l, &name);
	step->test = MATCH_TEST_TRUTH;
	step->with.truth = true;
	return true;
}

/* --- operators --- */

static uint32_t parse_test(struct parser *p)
{
	struct match_lexer *l = &p->lexer;
	struct match_step step = { .relation = MATCH_EQUAL };
	struct span word = match_peek_word(l);
	if (span_equal(word, SPAN("NIL"))) return match_fail(l, l->at, "NIL stands only behind a name and == or !=");
	if (match_at_end(l)) return match_fail(l, l->at, "expected a test, as in type == \"timer\", but the expression ends here");
	if (word.length == 0 || is_number_start(word.data[0]))
		return match_fail(l, l->at, "expected a name, as in type == \"timer\"");
	if (!read_test(p, &step)) return 0;
	/* "nothing there" is the one test whose != is exactly the opposite of its ==. */
	bool is_negated = step.test == MATCH_TEST_NIL && step.relation != MATCH_EQUAL;
	step.relation = is_negated ? MATCH_EQUAL : step.relation;
	uint32_t test = add_node(p, NODE_TEST);
	p->nodes[test].step = step;
	return is_negated ? add_parent(p, NODE_NOT, test) : test;
}

static uint32_t parse_unit(struct parser *p)
{
	struct match_lexer *l = &p->lexer;
	uint32_t unit;
	match_skip_blanks(l);
	const char *at = l->at;
	if (match_take_word(l, "TRUE")) return add_node(p, NODE_TRUE);
	if (match_take_word(l, "FALSE")) return add_node(p, NODE_FALSE);
	bool negated = match_take(l, "!");
	if (!negated && !match_take(l, "(")) return parse_test(p);
	if (++p->depth > MATCH_DEPTH_MAX) return match_fail(l, at, "more than %d levels of parentheses and !", MATCH_DEPTH_MAX);
	if (negated) {
		unit = add_parent(p, NODE_NOT, parse_unit(p));
	} else {
		unit = parse_chain(p, NODE_ANY);
		if (unit && !match_take(l, ")")) {
			if (match_at_end(l)) return match_fail(l, at, "this ( has no closing )");
			return match_fail(l, l->at, "expected &&, || or )");
		}
	}
	p->depth--;
	return unit;
}

static uint32_t parse_chain(struct parser *p, enum node_kind kind)
{
	const char *symbol = kind == NODE_ANY ? "||" : "&&";
	uint32_t chain = 0;
	do {
		uint32_t unit = kind == NODE_ANY ? parse_chain(p, NODE_ALL) : parse_unit(p);
		if (!unit) return 0;
		if (!chain) chain = add_node(p, kind);
		p->nodes[unit].previous = p->nodes[chain].last;
		p->nodes[chain].last = unit;
	} while (match_take(&p->lexer, symbol));
	return chain;
}

/* --- the program --- */

/* Lays a node out so that it goes on at `on_true` or `on_false`; returns where it starts. */
static uint32_t lay_out(struct match *m, const struct node *nodes, uint32_t at, uint32_t on_true, uint32_t on_false)
{
	const struct node *node = &nodes[at];
	uint32_t next = node->kind == NODE_ALL ? on_true : on_false;
	switch (node->kind) {
	case NODE_TRUE: return on_true;
	case NODE_FALSE: return on_false;
	case NODE_NOT: return lay_out(m, nodes, node->last, on_false, on_true);
	case NODE_ALL:
	case NODE_ANY:
		for (uint32_t child = node->last; child; child = nodes[child].previous)
			next = node->kind == NODE_ALL ? lay_out(m, nodes, child, next, on_false) : lay_out(m, nodes, child, on_true, next);
		return next;
	case NODE_TEST: break;
	}
	m->steps[m->step_count] = node->step;
	m->steps[m->step_count].on_true = on_true;
	m->steps[m->step_count].on_false = on_false;
	return m->step_count++;
}

static bool is_text(struct match_lexer *l, struct span text)
{
	uint32_t codepoint;
	for (struct span rest = text; rest.length;) {
		size_t length = text_decode_utf8(rest, &codepoint);
		if (length == 0 || codepoint == 0) return match_fail(l, rest.data, length ? "a NUL byte" : "not valid UTF-8");
		rest = span_between(rest.data + length, text.data + text.length);
	}
	return true;
}

static bool parse_text(struct parser *p, struct span text)
{
	struct match_lexer *l = &p->lexer;
	if (!p->is_prefix && !is_text(l, text)) return false;
	if (match_at_end(l)) return match_fail(l, l->start, "the expression is empty (TRUE matches everything)");
	uint32_t top = parse_chain(p, NODE_ANY);
	if (!top) return false;
	if (p->is_prefix) {
		if (!is_text(l, span_between(text.data, l->at))) return false;
	} else {
		if (match_take(l, ")")) return match_fail(l, l->at - 1, "this ) closes nothing");
		if (!match_at_end(l)) return match_fail(l, l->at, "expected && or || between two tests");
	}
	l->match->start = lay_out(l->match, p->nodes, top, MATCH_ACCEPT, MATCH_REJECT);
	return true;
}

bool match_parse(struct match *m, struct span text, size_t *seen, struct match_fault *fault)
{
	/* A byte of the expression makes two nodes at most: the chains within a parenthesis. */
	struct parser p = { .lexer = { text.data, text.data, text.data + text.length, m, fault }, .node_count = 1, .is_prefix = seen };
	p.nodes = calloc(2 * text.length + 8, sizeof *p.nodes);
	if (!p.nodes) return match_fail(&p.lexer, text.data, "no memory");
	bool good = parse_text(&p, text);
	if (seen) *seen = (size_t)(p.lexer.at - text.data);
	for (uint32_t i = 1; !good && i < p.node_count; i++) /* not laid out, so the match does not own them yet */
		if (p.nodes[i].step.test == MATCH_TEST_REGEX) match_regex_free(p.nodes[i].step.with.regex);
	free(p.nodes);
	return good;
}
