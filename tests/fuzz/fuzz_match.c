/* fuzz_match - compiles any expression and evaluates it on any envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdint.h>
#include <stdlib.h>

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

static void evaluate(struct match *m, struct match *opposite, struct span line)
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = { (const char *)data, size };
	const char *nul = size ? memchr(input.data, '\0', size) : NULL;
	struct span text = nul ? span_between(input.data, nul) : input;
	struct match_fault fault;
	struct match *m = match_new(text, &fault);
	if (!m) {
		require(fault.reason[0] && fault.column >= 1 && fault.column <= text.length + 1);
		return 0;
	}
	struct match *opposite = compile_opposite(text);
	evaluate(m, opposite, everything);
	evaluate(m, opposite, SPAN("{}"));
	if (nul) evaluate(m, opposite, span_between(nul + 1, input.data + size));
	match_free(opposite);
	match_free(m);
	return 0;
}
