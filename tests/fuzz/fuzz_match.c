/* fuzz_match - compiles any expression and evaluates it on any envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "envelope/field_set.h"
#include "envelope/match.h"

/* The input up to the first NUL is the expression (expressions may hold newlines); what follows the NUL, if it is a good envelope,
 * is one to evaluate it on, beside one that has a bit of everything. What must hold besides not crashing: a fault has a reason
 * and a column in the text; evaluation has no memory; !(expression) answers the opposite, unless a pattern gave up. */

static const struct span everything = SPAN("{\"type\":\"ti\\u006der\",\"timestamp\":\"2012-10-05T12:00:12.654932Z\",\"logger\":\"sync\",\"severity\":3,\"payload\":\"35\","
	"\"fields\":{\"a\":\"caf\\u00e9\",\"b\":[1,\"two\",[3]],\"c\":{\"d\":{\"e\":-1.5e3}},\"t\":true,\"n\":null},\"metlog_pid\":1,\"metlog_hostname\":\"web1\"}");

static void require(bool condition)
{
	if (!condition) abort();
}

/* The same expression, with its fields looked up in a set. */
struct with_set {
	struct field_set *set;
	struct match *match;
};

static void evaluate(struct match *m, struct match *opposite, struct with_set *with, struct span line)
{
	struct buffer copy;
	struct scan scan;
	struct envelope envelope;
	struct envelope_fault fault;
	buffer_init(&copy, 1 << 20);
	require(scan_init(&scan));
	if (envelope_parse_copy(&envelope, &scan, &copy, line, &fault) == ENVELOPE_GOOD) {
		uint64_t hits = match_limit_hits(m);
		bool answer = match_eval(m, &envelope);
		require(match_eval(m, &envelope) == answer);
		field_set_walk(with->set, &envelope);
		require(match_eval(with->match, &envelope) == answer);
		if (opposite && match_limit_hits(m) == hits) require(match_eval(opposite, &envelope) != answer);
	}
	scan_release(&scan);
	buffer_release(&copy);
}

static struct match *compile_opposite(struct span text)
{
	struct buffer negated;
	struct match_fault fault;
	buffer_init(&negated, text.length + 3);
	buffer_append_text(&negated, "!(");
	buffer_append_span(&negated, text);
	buffer_append_text(&negated, ")");
	struct match *m = match_new(buffer_span(&negated), &fault);
	/* It may be too long or too deep by these three bytes, and nothing else. */
	require(m || text.length + 3 > MATCH_TEXT_MAX || strstr(fault.reason, "levels"));
	buffer_release(&negated);
	return m;
}

/* What a text begins with is an expression by itself; one that is whole is all of it, and is so with a comma behind it. */
static void check_prefix(struct span text, bool is_whole)
{
	struct match_fault fault;
	size_t used = 0;
	struct match *m = match_new_prefix(text, &used, &fault);
	require(m || (fault.reason[0] && fault.column >= 1 && fault.column <= text.length + 1));
	require(!is_whole || (m && span_trim(span_between(text.data + used, text.data + text.length)).length == 0));
	if (m) {
		struct match *alone = match_new((struct span){ text.data, used }, &fault);
		require(used <= text.length && alone);
		match_free(alone);
	}
	match_free(m);
	if (!is_whole) return;
	struct buffer longer;
	size_t used_then = 0;
	buffer_init(&longer, text.length + 10);
	buffer_append_span(&longer, text);
	buffer_append_text(&longer, ", TRUE");
	m = match_new_prefix(buffer_span(&longer), &used_then, &fault);
	require((m && used_then == used) || text.length + 300 > MATCH_TEXT_MAX);
	match_free(m);
	buffer_release(&longer);
}

/* A name has a path. */
static void check_name(struct span text)
{
	struct match_fault fault;
	struct buffer path;
	size_t used = 0;
	buffer_init(&path, 1 << 20);
	if (match_read_path(text, &used, &path, &fault)) require(used && used <= text.length && path.length);
	else require(fault.reason[0] && fault.column >= 1 && fault.column <= text.length + 1 && path.length == 0);
	buffer_release(&path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = { (const char *)data, size };
	const char *nul = size ? memchr(input.data, '\0', size) : NULL;
	struct span text = nul ? span_between(input.data, nul) : input;
	struct match_fault fault;
	struct match *m = match_new(text, &fault);
	check_prefix(text, m);
	check_name(text);
	if (!m) {
		require(fault.reason[0] && fault.column >= 1 && fault.column <= text.length + 1);
		return 0;
	}
	struct match *opposite = compile_opposite(text);
	struct with_set with = { field_set_new(), match_new(text, &fault) };
	require(with.set && with.match);
	bool has_room = match_use(with.match, with.set);
	require(has_room || text.length > FIELD_SET_MAX); /* a path is more than a byte */
	if (has_room) {
		evaluate(m, opposite, &with, everything);
		evaluate(m, opposite, &with, SPAN("{}"));
		if (nul) evaluate(m, opposite, &with, span_between(nul + 1, input.data + size));
	}
	match_free(opposite);
	match_free(with.match);
	field_set_free(with.set);
	match_free(m);
	return 0;
}
