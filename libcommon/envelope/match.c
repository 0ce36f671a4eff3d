/* match - message matcher expressions over envelopes, compiled once. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/match.h"

#include <stdio.h>
#include <stdlib.h>

#include "envelope/match_lex.h"

/* The shortest test is pid<1, and && or || stand between two; a value of an in (...) takes two bytes with its comma; the
 * longest that a name grows is from pid to metlog_pid. */
static bool allocate(struct match *m, size_t length)
{
	m->steps = calloc(length / 4 + 4, sizeof *m->steps);
	m->slots = calloc(length / 4 + 4, sizeof *m->slots);
	m->texts = calloc(length / 2 + 4, sizeof *m->texts);
	m->numbers = calloc(length / 2 + 4, sizeof *m->numbers);
	m->bytes = malloc(3 * length + 64);
	m->step_count = MATCH_FIRST_STEP;
	return m->steps && m->slots && m->texts && m->numbers && m->bytes;
}

struct match *match_new(struct span text, struct match_fault *fault)
{
	*fault = (struct match_fault){ .column = 1 };
	if (!text.data) text = SPAN("");
	if (text.length > MATCH_TEXT_MAX) {
		snprintf(fault->reason, sizeof fault->reason, "the expression is longer than %d bytes", MATCH_TEXT_MAX);
		return NULL;
	}
	struct match *m = calloc(1, sizeof *m);
	if (!m || !allocate(m, text.length)) {
		snprintf(fault->reason, sizeof fault->reason, "no memory");
		match_free(m);
		return NULL;
	}
	if (match_parse(m, text, fault)) {
		*fault = (struct match_fault){ .column = 0 };
		return m;
	}
	match_free(m);
	return NULL;
}

void match_free(struct match *m)
{
	if (!m) return;
	for (uint32_t i = MATCH_FIRST_STEP; i < m->step_count; i++)
		if (m->steps[i].test == MATCH_TEST_REGEX) match_regex_free(m->steps[i].with.regex);
	for (uint32_t i = 0; i < m->slot_count; i++) buffer_release(&m->slots[i].decoded);
	free(m->steps);
	free(m->slots);
	free(m->texts);
	free(m->numbers);
	free(m->bytes);
	free(m);
}

uint64_t match_limit_hits(const struct match *m)
{
	return m->limit_hits;
}
