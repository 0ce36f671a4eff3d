/* match - message matcher expressions over envelopes, compiled once. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/match.h"

#include <stdio.h>
#include <stdlib.h>

#include "envelope/match_lex.h"

/* The shortest test is pid, and && or || stand between two; a value of an in (...) takes two bytes with its comma; the
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

static struct match *fail_length(struct match_fault *fault)
{
	*fault = (struct match_fault){ .column = 1 };
	snprintf(fault->reason, sizeof fault->reason, "the expression is longer than %d bytes", MATCH_TEXT_MAX);
	return NULL;
}

static void *trimmed(void *array, size_t bytes)
{
	void *smaller = realloc(array, bytes ? bytes : 1);
	return smaller ? smaller : array;
}

/* Gives back what the guess was too much; a file of rules has thousands of matches. Spans point into `bytes`, and nothing into the rest. */
static void trim(struct match *m)
{
	m->steps = trimmed(m->steps, m->step_count * sizeof *m->steps);
	m->slots = trimmed(m->slots, m->slot_count * sizeof *m->slots);
	m->texts = trimmed(m->texts, m->text_count * sizeof *m->texts);
	m->numbers = trimmed(m->numbers, m->number_count * sizeof *m->numbers);
}

static struct match *compile(struct span text, size_t *seen, struct match_fault *fault)
{
	*fault = (struct match_fault){ .column = 1 };
	struct match *m = calloc(1, sizeof *m);
	if (!m || !allocate(m, text.length)) {
		snprintf(fault->reason, sizeof fault->reason, "no memory");
		match_free(m);
		return NULL;
	}
	if (match_parse(m, text, seen, fault)) {
		*fault = (struct match_fault){ .column = 0 };
		trim(m);
		return m;
	}
	match_free(m);
	return NULL;
}

struct match *match_new(struct span text, struct match_fault *fault)
{
	if (text.length > MATCH_TEXT_MAX) return fail_length(fault);
	return compile(text.data ? text : SPAN(""), NULL, fault);
}

/* What was seen without the blanks behind it; no expression ends in one. */
static size_t used_of(struct span text, size_t seen)
{
	while (seen && strchr(" \t\r\n", text.data[seen - 1])) seen--;
	return seen;
}

struct match *match_new_prefix(struct span text, size_t *used, struct match_fault *fault)
{
	/* What is taken at once for an expression is bounded by its length, so the text is cut short: a cut that the reading came near to may have changed what it saw, and
	 * the next one lies further on. */
	enum { FIRST_CUT = 256 };
	const size_t longest = text.length < MATCH_TEXT_MAX ? text.length : MATCH_TEXT_MAX;
	size_t seen = 0, length = FIRST_CUT;
	if (!text.data) text = SPAN("");
	for (;; length *= 4) {
		if (length > longest) length = longest;
		struct match *m = compile((struct span){ text.data, length }, &seen, fault);
		bool is_sure = length == text.length || (m ? seen + MATCH_LOOK_AHEAD <= length : length == longest && fault->column + FIRST_CUT <= length);
		if (is_sure) {
			*used = used_of(text, seen);
			return m;
		}
		match_free(m);
		if (length == longest) return fail_length(fault);
	}
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

static bool use_slot(struct match_slot *slot, struct field_set *set, struct buffer *path)
{
	buffer_clear(path);
	if (slot->source != MATCH_SOURCE_PATH) buffer_append_text(path, "fields.");
	return buffer_append_span(path, slot->path.whole) && field_set_add(set, buffer_span(path), &slot->number);
}

bool match_use(struct match *m, struct field_set *set)
{
	struct buffer path;
	bool good = true;
	buffer_init(&path, 2 * MATCH_TEXT_MAX);
	for (uint32_t i = 0; good && i < m->slot_count; i++)
		if (m->slots[i].source >= MATCH_SOURCE_PATH) good = use_slot(&m->slots[i], set, &path);
	buffer_release(&path);
	if (good) m->set = set;
	return good;
}

uint64_t match_limit_hits(const struct match *m)
{
	return m->limit_hits;
}
