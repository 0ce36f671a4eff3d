/* match_program - what a compiled expression is: a flat list of tests that jump, over slots that read the envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_MATCH_PROGRAM_H
#define ENVELOPE_MATCH_PROGRAM_H

#include "envelope/field_set.h"
#include "envelope/match.h"
#include "envelope/match_regex.h"

/* Private to match*.c. The program is a decision graph: every step is one test with two places to go. "!" only swaps them,
 * && and || only aim them, so evaluation needs neither a stack nor a step for an operator.
 *
 *     type == "a" && !(severity > 3) || payload =~ /x/
 *
 *     4  type == "a"       yes: 3       no: 2
 *     3  severity > 3      yes: 2       no: accept
 *     2  payload =~ /x/    yes: accept  no: reject
 *
 * Steps are laid out from the last to the first, so a jump always goes to a smaller number: every run ends. */
enum { MATCH_REJECT = 0, MATCH_ACCEPT = 1, MATCH_FIRST_STEP = 2 };

/* Where a slot gets its value. */
enum match_source {
	MATCH_SOURCE_TYPE, MATCH_SOURCE_LOGGER, MATCH_SOURCE_SEVERITY, MATCH_SOURCE_PAYLOAD, MATCH_SOURCE_TIMESTAMP, MATCH_SOURCE_ENV_VERSION,
	/* looked up, by the slot's path: */
	MATCH_SOURCE_PATH,    /* from the top */
	MATCH_SOURCE_FIELD,   /* below fields */
	MATCH_SOURCE_ELEMENT, /* the same, then Heka's Fields[name][field][element] */
};

/* One thing the expression names; tests of the same name share it, so it is looked up and decoded once an envelope. */
struct match_slot {
	enum match_source source;
	struct field_path path;
	uint32_t field, element; /* of MATCH_SOURCE_ELEMENT */
	uint32_t number;         /* in match.set, of all three */
	uint64_t found_turn;     /* the turn in which `found` was filled */
	struct value found;
	uint64_t decoded_turn;   /* the turn in which `decoded` was filled */
	struct buffer decoded;
};

struct match_number {
	int64_t whole;
	double real;
	bool exact;  /* `whole` is the value; otherwise only `real` is */
};

enum match_test {
	MATCH_TEST_NIL, MATCH_TEST_TRUTH, MATCH_TEST_TEXT, MATCH_TEST_NUMBER, MATCH_TEST_IN,
	MATCH_TEST_CONTAINS, MATCH_TEST_STARTS, MATCH_TEST_ENDS, MATCH_TEST_REGEX,
};

/* Which outcomes of a comparison satisfy the relation: <= is LESS | EQUAL. For a yes or no question, yes is EQUAL. */
enum { MATCH_LESS = 1, MATCH_EQUAL = 2, MATCH_MORE = 4 };

/* The values of an in (...): a stretch of match.texts and one of match.numbers, each in ascending order. */
struct match_list {
	uint32_t text_first, text_count, number_first, number_count;
};

struct match_step {
	enum match_test test;
	unsigned relation;
	uint32_t slot, on_true, on_false;
	union {
		bool truth;
		struct span text;
		struct match_number number;
		struct match_list list;
		struct match_regex *regex;
	} with;
};

/* Each entry of each array stands for some bytes of the expression, so its length bounds them all and nothing grows. */
struct match {
	struct match_step *steps;
	struct match_slot *slots;
	struct span *texts;
	struct match_number *numbers;
	char *bytes;             /* what the spans above point to */
	uint32_t step_count, slot_count, text_count, number_count;
	size_t byte_count;
	uint32_t start;
	struct field_set *set;   /* NULL: fields are looked up one by one */
	uint64_t turn;
	uint64_t limit_hits;
};

/* The order in which match_list keeps texts: by length, then bytewise. */
static inline int match_text_order(struct span a, struct span b)
{
	if (a.length != b.length) return a.length < b.length ? -1 : 1;
	return a.length ? memcmp(a.data, b.data, a.length) : 0;
}

static inline int match_number_order(struct match_number a, struct match_number b)
{
	if (a.exact && b.exact) return (a.whole > b.whole) - (a.whole < b.whole);
	return (a.real > b.real) - (a.real < b.real);
}

/* Reads a number as JSON writes it. */
bool match_number_read(struct span text, struct match_number *number);

#endif
