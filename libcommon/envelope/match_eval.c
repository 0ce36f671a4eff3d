/* match_eval - runs a compiled expression over an envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <math.h>

#include "base/number.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "envelope/match_program.h"

/* Heka's Fields[name][field][element]: JSON has one field of a name, and its elements if it is an array. */
static struct value pick_element(const struct match_slot *slot, const struct envelope *e, struct value found)
{
	struct value element, none = { .kind = VALUE_ABSENT };
	uint32_t left = slot->element;
	if (slot->field > 0) return none;
	if (found.kind != VALUE_ARRAY) return left == 0 ? found : none;
	struct field_walk walk = field_walk_array(e, found);
	while (field_next_element(&walk, &element))
		if (left-- == 0) return element;
	return none;
}

/* Kept apart from read_value so that the members of the view cost no frame. */
static const struct value *look_up(const struct match *m, struct match_slot *slot, const struct envelope *e)
{
	if (m->set && slot->source != MATCH_SOURCE_ELEMENT) return field_set_value(m->set, slot->number);
	if (slot->found_turn != m->turn) {
		if (m->set) slot->found = *field_set_value(m->set, slot->number);
		else slot->found = slot->source == MATCH_SOURCE_PATH ? field_find(e, &slot->path) : field_find_in(e, e->fields, &slot->path);
		if (slot->source == MATCH_SOURCE_ELEMENT) slot->found = pick_element(slot, e, slot->found);
		slot->found_turn = m->turn;
	}
	return &slot->found;
}

static inline const struct value *read_value(const struct match *m, struct match_slot *slot, const struct envelope *e)
{
	static const struct value severities[] = { { .kind = VALUE_ABSENT }, { .kind = VALUE_NUMBER } };
	switch (slot->source) {
	case MATCH_SOURCE_TYPE: return &e->type;
	case MATCH_SOURCE_LOGGER: return &e->logger;
	case MATCH_SOURCE_PAYLOAD: return &e->payload;
	case MATCH_SOURCE_TIMESTAMP: return &e->timestamp;
	case MATCH_SOURCE_ENV_VERSION: return &e->env_version;
	case MATCH_SOURCE_SEVERITY: return &severities[e->has_severity];
	case MATCH_SOURCE_PATH:
	case MATCH_SOURCE_FIELD:
	case MATCH_SOURCE_ELEMENT: break;
	}
	return look_up(m, slot, e);
}

static struct span decode(const struct match *m, struct match_slot *slot, const struct value *value)
{
	if (slot->decoded_turn != m->turn) {
		buffer_clear(&slot->decoded);
		text_append_unescaped(&slot->decoded, value->text);
		/* PCRE2's JIT code loads whole vectors: behind the text lies padding, as behind a line, with a value, for valgrind's sake. */
		if (buffer_reserve(&slot->decoded, SCAN_PADDING)) memset(slot->decoded.data + slot->decoded.length, 0, SCAN_PADDING);
		slot->decoded_turn = m->turn;
	}
	return buffer_span(&slot->decoded);
}

/* The value's text if it has one. The members whose absence means something (metlog(7)) read as that; a payload that is a number
 * reads as its text, for the clients sent both. */
static bool read_text(const struct match *m, struct match_slot *slot, const struct envelope *e, struct span *text)
{
	const struct value *value = read_value(m, slot, e);
	*text = value->text;
	if (value->kind == VALUE_STRING) {
		if (!value->escaped) return true;
		*text = decode(m, slot, value);
		return !slot->decoded.failed;
	}
	if (value->kind == VALUE_NUMBER) return slot->source == MATCH_SOURCE_PAYLOAD;
	if (value->kind != VALUE_ABSENT) return false;
	*text = slot->source == MATCH_SOURCE_ENV_VERSION ? SPAN("0.8") : SPAN("");
	return slot->source <= MATCH_SOURCE_ENV_VERSION && slot->source != MATCH_SOURCE_TIMESTAMP;
}

static bool read_number(const struct match *m, struct match_slot *slot, const struct envelope *e, struct match_number *number)
{
	struct span text;
	if (slot->source == MATCH_SOURCE_SEVERITY) {
		*number = (struct match_number){ e->severity, e->severity, true };
		return true;
	}
	if (slot->source == MATCH_SOURCE_TIMESTAMP) {
		if (!read_text(m, slot, e, &text) || !timestamp_parse(text, &number->whole)) return false;
		number->exact = true;
		number->real = (double)number->whole;
		return true;
	}
	if (slot->source == MATCH_SOURCE_PAYLOAD) return read_text(m, slot, e, &text) && match_number_read(text, number);
	const struct value *value = read_value(m, slot, e);
	if (value->kind != VALUE_NUMBER) return false;
	/* JSON sets no bound: a number too large for a double is still larger than all of them. */
	if (!match_number_read(value->text, number)) number->real = value->text.data[0] == '-' ? -HUGE_VAL : HUGE_VAL;
	return true;
}

static bool is_satisfied(unsigned relation, int order)
{
	return (relation & (order < 0 ? MATCH_LESS : order > 0 ? MATCH_MORE : MATCH_EQUAL)) != 0;
}

static bool is_answer(unsigned relation, bool yes)
{
	return is_satisfied(relation, yes ? 0 : 1);
}

static bool is_listed_text(const struct match *m, struct match_list list, struct span text)
{
	uint32_t low = list.text_first, high = low + list.text_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = match_text_order(text, m->texts[middle]);
		if (order == 0) return true;
		if (order < 0) high = middle;
		else low = middle + 1;
	}
	return false;
}

static bool is_listed_number(const struct match *m, struct match_list list, struct match_number number)
{
	uint32_t low = list.number_first, high = low + list.number_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = match_number_order(number, m->numbers[middle]);
		if (order == 0) return true;
		if (order < 0) high = middle;
		else low = middle + 1;
	}
	return false;
}

static bool test_text(unsigned relation, struct span text, struct span with)
{
	if (relation == MATCH_EQUAL) return span_equal(text, with);
	if (relation == (MATCH_LESS | MATCH_MORE)) return !span_equal(text, with);
	return is_satisfied(relation, span_compare(text, with));
}

static bool contains(struct span text, struct span part)
{
	return part.length == 0 || (text.length >= part.length && memmem(text.data, text.length, part.data, part.length));
}

static bool ends(struct span text, struct span end)
{
	return text.length >= end.length && (end.length == 0 || memcmp(text.data + text.length - end.length, end.data, end.length) == 0);
}

static bool test_regex(struct match *m, const struct match_step *step, struct span text)
{
	enum match_regex_verdict verdict = match_regex_find(step->with.regex, text);
	m->limit_hits += verdict == MATCH_REGEX_GAVE_UP;
	return verdict != MATCH_REGEX_GAVE_UP && is_answer(step->relation, verdict == MATCH_REGEX_FOUND);
}

static bool test_number(const struct match *m, const struct match_step *step, struct match_slot *slot, const struct envelope *e)
{
	struct match_number number;
	return read_number(m, slot, e, &number) && is_satisfied(step->relation, match_number_order(number, step->with.number));
}

static bool test_in(const struct match *m, const struct match_step *step, struct match_slot *slot, const struct envelope *e)
{
	struct match_list list = step->with.list;
	struct match_number number;
	struct span text;
	return (list.text_count && read_text(m, slot, e, &text) && is_listed_text(m, list, text))
	    || (list.number_count && read_number(m, slot, e, &number) && is_listed_number(m, list, number));
}

static bool run_step(struct match *m, const struct match_step *step, const struct envelope *e)
{
	struct match_slot *slot = &m->slots[step->slot];
	enum value_kind kind;
	struct span text;
	switch (step->test) {
	case MATCH_TEST_NIL:
		kind = read_value(m, slot, e)->kind;
		return kind == VALUE_ABSENT || kind == VALUE_NULL;
	case MATCH_TEST_TRUTH:
		kind = read_value(m, slot, e)->kind;
		return (kind == VALUE_TRUE || kind == VALUE_FALSE) && is_answer(step->relation, (kind == VALUE_TRUE) == step->with.truth);
	case MATCH_TEST_NUMBER: return test_number(m, step, slot, e);
	case MATCH_TEST_IN: return test_in(m, step, slot, e);
	default: break;
	}
	if (!read_text(m, slot, e, &text)) return false;
	switch (step->test) {
	case MATCH_TEST_TEXT: return test_text(step->relation, text, step->with.text);
	case MATCH_TEST_CONTAINS: return is_answer(step->relation, contains(text, step->with.text));
	case MATCH_TEST_STARTS: return is_answer(step->relation, span_starts(text, step->with.text));
	case MATCH_TEST_ENDS: return is_answer(step->relation, ends(text, step->with.text));
	case MATCH_TEST_REGEX: return test_regex(m, step, text);
	default: return false;
	}
}

bool match_eval(struct match *m, const struct envelope *e)
{
	uint32_t at = m->start;
	m->turn++;
	while (at >= MATCH_FIRST_STEP) {
		const struct match_step *step = &m->steps[at];
		at = run_step(m, step, e) ? step->on_true : step->on_false;
	}
	return at == MATCH_ACCEPT;
}
