/* rules_metric - reads a metric of rules: its name, its value, what is asked of it, and its tags. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>

#include "base/number.h"
#include "base/text.h"
#include "io/diag.h"
#include "rules_private.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* --- the name --- */

static void add_part(struct rules_reader *r, struct rules_metric *m, size_t *room, struct rules_part part)
{
	if (!part.value && !part.literal.length) return;
	if (m->part_count == *room) {
		struct rules_part *more = rules_store_take(r->rules->store, (*room = *room ? 2 * *room : 4) * sizeof *more);
		if (m->part_count) memcpy(more, m->part, m->part_count * sizeof *more);
		m->part = more;
	}
	m->part[m->part_count++] = part;
}

static bool check_literal(struct rules_reader *r, const struct rules_metric *m, struct span literal, size_t *length)
{
	const char *end = literal.data + literal.length;
	bool is_last = r->at == end && (end == r->end || *end != '{');
	if (!literal.length) return true;
	if (!m->part_count && !is_letter(literal.data[0])) return rules_fail(r, literal.data, "a name begins with a letter");
	for (const char *at = literal.data; at < end; at++)
		if (*at == '.' && (at + 1 < end ? at[1] == '.' : is_last)) return rules_fail(r, at, "a name has no empty part");
	*length += literal.length;
	return *length <= RULES_NAME_MAX || rules_fail(r, literal.data, "a name of more than %d bytes", RULES_NAME_MAX);
}

/* {value} at the cursor. */
static bool read_brace(struct rules_reader *r, struct rules_part *part)
{
	const char *open = r->at++;
	part->value = rules_read_value(r);
	if (!part->value) return false;
	if (rules_take(r, '}')) return true;
	if (rules_at_end(r)) return rules_fail(r, open, "this { has no closing }");
	return rules_fail_expected(r, "\"}\"");
}

static bool read_name(struct rules_reader *r, struct rules_metric *m)
{
	size_t room = 0, length = 0;
	if (rules_at_end(r) || *r->at == '=') return rules_fail(r, r->at, "a %s needs a name", rules_kinds[m->kind]);
	while (r->at < r->end && !rules_is_blank(*r->at) && *r->at != '=') {
		struct rules_part part = { .literal = { r->at, 0 } };
		while (r->at < r->end && rules_is_name(*r->at)) r->at++;
		part.literal.length = (size_t)(r->at - part.literal.data);
		if (!check_literal(r, m, part.literal, &length)) return false;
		add_part(r, m, &room, part);
		if (r->at == r->end || rules_is_blank(*r->at) || *r->at == '=') break;
		if (*r->at != '{') return rules_fail(r, r->at, "a name is made of letters, digits and . _ - and of values in braces");
		if (!read_brace(r, &part)) return false;
		add_part(r, m, &room, part);
	}
	return true;
}

/* --- what comes before the tags --- */

static bool is_fraction(double n)
{
	return n > 0 && n <= 1;
}

static bool read_amount(struct rules_reader *r, struct rules_metric *m)
{
	double number;
	rules_skip_blanks(r);
	const char *at = r->at;
	m->value = rules_read_value(r);
	if (!m->value) return false;
	if (m->value->kind == EXPR_TEXT && m->kind != METRIC_SET && !(number_parse_double(m->value->text, &number)))
		return rules_fail(r, at, "the value of a %s is a number, not a text", rules_kinds[m->kind]);
	return true;
}

static bool read_rate(struct rules_reader *r, struct rules_metric *m)
{
	rules_skip_blanks(r);
	const char *at = r->at;
	m->rate = rules_read_value(r);
	if (!m->rate) return false;
	return m->rate->kind != EXPR_NUMBER || is_fraction(m->rate->number) || rules_fail(r, at, "a rate is above 0, and 1 at most");
}

static bool read_sample(struct rules_reader *r, struct rules_metric *m)
{
	char c = rules_at_end(r) ? 0 : *r->at;
	const char *at = r->at;
	if (c != '-' && c != '.' && !(c >= '0' && c <= '9')) return rules_fail_expected(r, "a number above 0, and 1 at most, as in: sample 0.1");
	if (c != '-' && !rules_read_number(r, &m->sample)) return false;
	return (c != '-' && is_fraction(m->sample)) || rules_fail(r, at, "sample takes a number above 0, and 1 at most");
}

/* It was read before, and its words have been put into their places. */
static void skip_for(struct rules_reader *r)
{
	r->at += rules_peek(r, rules_is_word).length;
	rules_take_word(r, "in");
	do r->at += rules_peek(r, rules_is_name).length;
	while (rules_take(r, ','));
}

enum clause { CLAUSE_FOR, CLAUSE_IF, CLAUSE_RATE, CLAUSE_SAMPLE, CLAUSE_TAGS, CLAUSE_NONE };
static const char *const clauses[] = { "for", "if", "rate", "sample", "tags", NULL };

static enum clause find_clause(struct span word)
{
	enum clause c = CLAUSE_FOR;
	while (c < CLAUSE_NONE && !span_equal(word, span_of(clauses[c]))) c++;
	return c;
}

static bool read_clause(struct rules_reader *r, struct rules_metric *m, enum clause clause)
{
	if (clause == CLAUSE_RATE) return read_rate(r, m);
	if (clause == CLAUSE_SAMPLE) return read_sample(r, m);
	if (clause == CLAUSE_IF) return (m->condition = rules_read_condition(r)) != NULL;
	skip_for(r);
	return true;
}

/* --- tags --- */

/* The block's tag of that name that it has had last, or, with a text, the last one with that text for its value; SIZE_MAX: there is none. */
static size_t find_tag(const struct rules_reader *r, struct span name, const struct span *text)
{
	for (size_t i = r->rules->tag_count; i > r->first_tag; i--) {
		if (!span_equal(r->rules->tag[i - 1].name, name)) continue;
		if (!text || span_equal(r->tag_text[i - 1 - r->first_tag], *text)) return i - 1;
	}
	return SIZE_MAX;
}

static bool fail_no_tag(struct rules_reader *r, struct span name)
{
	const struct span *best = NULL;
	size_t least = name.length < 4 ? 2 : 3;
	for (size_t i = r->first_tag; i < r->rules->tag_count; i++) {
		size_t edits = text_edits(name, r->rules->tag[i].name);
		if (edits < least) least = edits, best = &r->rules->tag[i].name;
	}
	if (rules_find_let(r, name) != SIZE_MAX) return rules_fail(r, r->at, "no tag \"%.*s\" before this in the block; with the let as its value: %.*s = %.*s", RULES_SHOWN(name), RULES_SHOWN(name), RULES_SHOWN(name));
	if (best) return rules_fail(r, r->at, "no tag \"%.*s\" before this in the block; did you mean %.*s?", RULES_SHOWN(name), RULES_SHOWN(*best));
	return rules_fail(r, r->at, "no tag \"%.*s\" before this in the block, so it needs a value: %.*s = fields.%.*s", RULES_SHOWN(name), RULES_SHOWN(name), RULES_SHOWN(name));
}

static bool add_tag(struct rules_reader *r, struct span name, size_t *number)
{
	struct rules *rules = r->rules;
	rules_skip_blanks(r);
	const char *at = r->at;
	struct expr *value = rules_read_value(r);
	if (!value) return false;
	struct span text = span_trim(span_between(at, r->at));
	*number = find_tag(r, name, &text);
	if (*number != SIZE_MAX) return true;
	if (rules->tag_count == RULES_TAGS_ALL_MAX) return rules_fail(r, name.data, "more than %d different tags", RULES_TAGS_ALL_MAX);
	if (rules->tag_count == r->tag_room) {
		r->tag_room = r->tag_room ? 2 * r->tag_room : 16;
		rules->tag = must_resize(rules->tag, r->tag_room * sizeof *rules->tag);
		r->tag_text = must_resize(r->tag_text, r->tag_room * sizeof *r->tag_text);
	}
	*number = rules->tag_count++;
	rules->tag[*number] = (struct rules_tag){ name, value };
	r->tag_text[*number - r->first_tag] = text;
	return true;
}

static bool read_tag(struct rules_reader *r, struct rules_metric *m)
{
	struct span name = rules_peek(r, rules_is_name);
	size_t number;
	if (!name.length) return rules_fail_expected(r, "a tag's name");
	if (!is_letter(name.data[0])) return rules_fail(r, r->at, "a tag's name begins with a letter");
	if (name.length > RULES_WORD_MAX) return rules_fail(r, r->at, "a tag's name of more than %d bytes", RULES_WORD_MAX);
	for (size_t i = 0; i < m->tag_count; i++)
		if (span_equal(r->rules->tag[m->tag[i]].name, name)) return rules_fail(r, r->at, "this metric has a tag \"%.*s\" already", RULES_SHOWN(name));
	if (m->tag_count == RULES_TAGS_MAX) return rules_fail(r, r->at, "more than %d tags", RULES_TAGS_MAX);
	const char *start = r->at;
	r->at += name.length;
	if (rules_take(r, '=')) {
		if (r->at < r->end && *r->at == '=') return rules_fail(r, r->at - 1, "= gives a tag its value; == compares, behind if");
		if (!add_tag(r, name, &number)) return false;
	} else if (r->at < r->end && *r->at == ':') {
		return rules_fail(r, r->at, "a tag is written %.*s = value", RULES_SHOWN(name));
	} else if ((number = find_tag(r, name, NULL)) == SIZE_MAX) {
		r->at = start;
		return fail_no_tag(r, name);
	}
	m->tag[m->tag_count++] = (uint32_t)number;
	return true;
}

static bool read_tags(struct rules_reader *r, struct rules_metric *m)
{
	do {
		if (!read_tag(r, m)) return false;
	} while (rules_take(r, ','));
	if (rules_at_end(r)) return true;
	enum clause late = find_clause(rules_peek(r, rules_is_word));
	if (late == CLAUSE_TAGS) return rules_fail(r, r->at, "tags stands once in a metric, and \",\" between two tags");
	if (late < CLAUSE_TAGS) return rules_fail(r, r->at, "%s comes before tags", clauses[late]);
	return rules_fail_expected(r, "\",\" and one more tag, or the end of the metric");
}

/* --- the whole --- */

/* A value that is there only "if" is a metric that is made only then. */
static void lift_condition(struct rules_metric *m)
{
	if (m->condition || !m->value || m->value->kind != EXPR_CHOICE || m->value->count != 1) return;
	m->condition = m->value->condition;
	m->value = m->value->arg[0];
}

static struct span describe(struct rules_reader *r, struct span said)
{
	struct span before = span_between(r->start, said.data ? said.data : r->end);
	if (!said.data) return rules_tidy(r, before);
	struct span after = span_between(said.data + said.length, r->end);
	char *both = rules_store_take(r->rules->store, before.length + 1 + after.length);
	memcpy(both, before.data, before.length);
	both[before.length] = ' ';
	if (after.length) memcpy(both + before.length + 1, after.data, after.length);
	return rules_tidy(r, (struct span){ both, before.length + 1 + after.length });
}

static bool read_head(struct rules_reader *r, struct rules_metric *m)
{
	rules_skip_blanks(r);
	const char *start = r->at;
	const char *kind = rules_kinds[m->kind];
	if (!read_name(r, m)) return false;
	struct span name = span_between(start, r->at);
	if (rules_take(r, '=')) return read_amount(r, m);
	if (m->kind == METRIC_COUNTER) return true;
	return rules_fail(r, name.data + name.length, "a %s needs a value: %s %.*s = fields.%s", kind, kind, RULES_SHOWN(name), m->kind == METRIC_TIMER ? "ms" : "x");
}

static bool read_one(struct rules_reader *r, struct rules_metric *m)
{
	struct span said = { 0 };
	bool had[CLAUSE_NONE] = { false };
	r->depth = 0;
	if (!read_head(r, m)) return false;
	while (!rules_at_end(r)) {
		const char *at = r->at;
		struct span word = rules_peek(r, rules_is_word);
		enum clause clause = find_clause(word);
		if (clause == CLAUSE_NONE) return rules_fail_expected(r, m->value ? "if, rate, sample, tags or the end of the metric" : "\"=\", if, rate, sample, tags or the end of the metric");
		if (had[clause]) return rules_fail(r, at, "this metric has its %s already", clauses[clause]);
		had[clause] = true;
		r->at += word.length;
		if (clause == CLAUSE_TAGS) break;
		if (!read_clause(r, m, clause)) return false;
		if (clause == CLAUSE_FOR) said = span_between(at, r->at);
	}
	if (had[CLAUSE_TAGS] && !read_tags(r, m)) return false;
	lift_condition(m);
	m->text = describe(r, said);
	return true;
}

static bool add(struct rules_reader *r, enum metric_kind kind)
{
	struct rules *rules = r->rules;
	if (rules->metric_count == RULES_METRICS_MAX) return rules_fail(r, r->start, "more than %d metrics", RULES_METRICS_MAX);
	if (rules->metric_count == r->metric_room) {
		r->metric_room = r->metric_room ? 2 * r->metric_room : 16;
		rules->metric = must_resize(rules->metric, r->metric_room * sizeof *rules->metric);
	}
	struct rules_metric *m = &rules->metric[rules->metric_count];
	*m = (struct rules_metric){ .kind = kind, .sample = 1, .line = r->line };
	if (!read_one(r, m)) return false;
	if (rules_store_size(rules->store) > RULES_STORE_MAX) return rules_fail(r, r->start, "up to here the rules take more than 64 MiB");
	rules->metric_count++;
	rules->block[rules->block_count - 1].metric_count++;
	return true;
}

bool rules_read_metric(struct rules_reader *r, enum metric_kind kind)
{
	struct rules_plain plain = { r->start, r->at, r->end };
	struct rules_for repeat;
	int is_repeated = rules_read_for(r, &repeat);
	bool good = is_repeated > 0 || (is_repeated == 0 && rules_check_words(r) && add(r, kind));
	for (size_t i = 0; good && i < repeat.count; i++)
		good = rules_say_for(r, &plain, &repeat, i) && add(r, kind);
	free(repeat.word);
	return good;
}
