/* rules - reads the rules of metlog-derive: files, blocks and lets. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "io/diag.h"
#include "rules_private.h"

bool rules_init(struct rules *r)
{
	*r = (struct rules){ .fields = field_set_new(), .store = rules_store_new() };
	if (r->fields && r->store) return true;
	rules_release(r);
	return false;
}

void rules_release(struct rules *r)
{
	rules_store_free(r->store);
	field_set_free(r->fields);
	free(r->block);
	free(r->metric);
	free(r->tag);
	free(r->let);
	*r = (struct rules){ 0 };
}

/* --- lets --- */

static bool is_in_force(const struct rules_reader *r, size_t let)
{
	return !r->in_block || let < r->shared_let || let >= r->own_let;
}

size_t rules_find_let(const struct rules_reader *r, struct span name)
{
	for (size_t i = r->first_let; i < r->rules->let_count; i++)
		if (is_in_force(r, i) && span_equal(r->rules->let[i].name, name)) return i;
	return SIZE_MAX;
}

struct span rules_guess_let(const struct rules_reader *r, struct span name)
{
	struct span best = { 0 };
	size_t least = name.length < 4 ? 2 : 3;
	for (size_t i = r->first_let; i < r->rules->let_count; i++) {
		size_t edits = is_in_force(r, i) ? text_edits(name, r->rules->let[i].name) : SIZE_MAX;
		if (edits < least) least = edits, best = r->rules->let[i].name;
	}
	return best;
}

static bool check_let_name(struct rules_reader *r, struct span name)
{
	static const char *const taken[] = { "when", "let", "counter", "timer", "gauge", "set", "if", "else", "for", "in", "rate", "sample", "tags", "TRUE", "FALSE", "NIL" };
	struct match_fault fault;
	struct buffer path;
	size_t used;
	if (!name.length || (name.data[0] >= '0' && name.data[0] <= '9')) return rules_fail_expected(r, "a name, as in: let service = lower(logger)");
	if (name.length > RULES_WORD_MAX) return rules_fail(r, r->at, "a name of more than %d bytes", RULES_WORD_MAX);
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (span_equal(name, span_of(taken[i]))) return rules_fail(r, r->at, "\"%s\" is a word of the rules, no name of a let", taken[i]);
	buffer_init(&path, RULES_STATEMENT_MAX);
	bool is_member = match_read_path(name, &used, &path, &fault);
	buffer_release(&path);
	if (is_member) return rules_fail(r, r->at, "\"%.*s\" is a name in the envelope, no name of a let", RULES_SHOWN(name));
	return rules_find_let(r, name) == SIZE_MAX || rules_fail(r, r->at, "there is a let \"%.*s\" already", RULES_SHOWN(name));
}

static bool read_let(struct rules_reader *r)
{
	struct rules *rules = r->rules;
	struct span name = rules_peek(r, rules_is_word);
	r->depth = 0;
	if (!rules_check_words(r) || !check_let_name(r, name)) return false;
	r->at += name.length;
	if (!rules_take(r, '=')) return rules_fail_expected(r, "\"=\" and a value");
	struct expr *value = rules_read_value(r);
	if (!value) return false;
	if (!rules_at_end(r)) return rules_fail_expected(r, "if or the end of the let");
	if (rules->let_count == RULES_LETS_MAX) return rules_fail(r, r->start, "more than %d lets", RULES_LETS_MAX);
	if (rules->let_count == r->let_room) {
		r->let_room = r->let_room ? 2 * r->let_room : 16;
		rules->let = must_resize(rules->let, r->let_room * sizeof *rules->let);
	}
	rules->let[rules->let_count++] = (struct rules_let){ name, value };
	return true;
}

/* --- blocks --- */

/* The block that ends here has to make something. */
static bool end_block(struct rules_reader *r)
{
	if (!r->in_block || r->rules->block[r->rules->block_count - 1].metric_count) return true;
	/* Its `when` lies before this statement, in the same text. */
	return rules_fail(r, r->when, "no counter, timer, gauge or set stands below this when");
}

static bool read_when(struct rules_reader *r)
{
	struct rules *rules = r->rules;
	if (!end_block(r) || !rules_check_words(r)) return false;
	struct match *condition = rules_read_condition(r);
	if (!condition) return false;
	if (!rules_at_end(r)) {
		struct span word = rules_peek(r, rules_is_word);
		for (size_t i = 0; rules_kinds[i]; i++)
			if (span_equal(word, span_of(rules_kinds[i]))) return rules_fail(r, r->at, "a %s begins on a line of its own", rules_kinds[i]);
		return rules_fail_expected(r, "&&, || or the end of the test");
	}
	if (rules->block_count == r->block_room) {
		r->block_room = r->block_room ? 2 * r->block_room : 16;
		rules->block = must_resize(rules->block, r->block_room * sizeof *rules->block);
	}
	rules->block[rules->block_count++] = (struct rules_block){
		.condition = condition, .metric = rules->metric_count, .line = r->line, .text = rules_tidy(r, span_between(r->start, r->end)), .source = r->source,
	};
	if (!r->in_block) r->shared_let = rules->let_count;
	r->in_block = true;
	r->own_let = rules->let_count;
	r->first_tag = rules->tag_count;
	r->when = r->start;
	return true;
}

static bool read_metric(struct rules_reader *r, struct span word)
{
	enum metric_kind kind = METRIC_COUNTER;
	while (!span_equal(word, span_of(rules_kinds[kind]))) kind++;
	return r->in_block ? rules_read_metric(r, kind) : rules_fail(r, r->start, "a %s needs a when before it, which says of what envelopes it is made", rules_kinds[kind]);
}

static bool read_statement(struct rules_reader *r, enum rules_statement statement)
{
	struct span word = rules_peek(r, rules_is_word);
	r->at += word.length;
	switch (statement) {
	case STATEMENT_WHEN: return read_when(r);
	case STATEMENT_LET: return read_let(r);
	case STATEMENT_METRIC: return read_metric(r, word);
	case STATEMENT_END:
	case STATEMENT_BAD: break;
	}
	return false;
}

static bool read_file(struct rules_reader *r, struct span text)
{
	enum rules_statement statement;
	if (!rules_clean(r, text)) return false;
	while ((statement = rules_next(r)) != STATEMENT_END)
		if (!read_statement(r, statement)) return false;
	if (r->in_block) return end_block(r);
	snprintf(r->fault->reason, sizeof r->fault->reason, "there is no when in it");
	return false;
}

bool rules_add(struct rules *rules, const char *source, struct span text, struct logical_fault *fault)
{
	struct rules_reader r = {
		.rules = rules, .fault = fault, .source = source, .next_line = 1, .first_let = rules->let_count,
		.tag_room = rules->tag_count, .let_room = rules->let_count, .metric_room = rules->metric_count, .block_room = rules->block_count,
	};
	bool good = read_file(&r, text);
	free(r.tag_text);
	free(r.stretch);
	return good;
}
