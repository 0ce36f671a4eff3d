/* fuzz_unfold - whatever line --parse takes becomes a good envelope, that one a right line of CEF, and from then on nothing changes any more. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "envelope/envelope.h"
#include "structured.h"
#include "unfold.h"

static const struct map_options options = { .severity = { 10, 9, 8, 7, 5, 3, 2, 0 } };

struct trial {
	struct scan scan;
	struct buffer copy, envelope, decoded, first;
	struct unfold *unfold;
	struct structured *structured;
	struct record *record;
	struct cef_event event;
};

static _Noreturn void wrong(const char *what, struct span text)
{
	fprintf(stderr, "%s: %.*s\n", what, (int)text.length, text.data);
	abort();
}

/* The line of the line's envelope; NULL data: it is none, or none can be made. */
static struct span there_and_back(struct trial *t, struct span line)
{
	struct span nothing = { NULL, 0 }, result;
	struct envelope envelope;
	struct envelope_fault fault;
	const char *why;
	size_t column;
	buffer_clear(&t->envelope);
	if (!unfold_line(t->unfold, line, &t->envelope, &why, &column)) {
		if (!why || t->envelope.length || column > line.length + 1) wrong("a refusal without its reason", line);
		return nothing;
	}
	if (envelope_parse_copy(&envelope, &t->scan, &t->copy, buffer_span(&t->envelope), &fault) != ENVELOPE_GOOD) wrong(fault.reason, buffer_span(&t->envelope));
	if (!structured_is(t->structured, &envelope)) wrong("not structured", buffer_span(&t->envelope));
	if (structured_put(t->structured, &envelope, t->record)) return nothing;
	result = record_end(t->record, &why);
	if (result.data && !cef_read(&t->event, result, CEF_STRICT, &t->decoded, &why, &column)) wrong(why, result);
	return result;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct trial *t;
	if (!t) {
		const struct record_rules rules = { .wrong = RECORD_WRONG_KEEP };
		t = calloc(1, sizeof *t);
		if (!t || !scan_init(&t->scan)) return 0;
		buffer_init(&t->copy, SIZE_MAX / 2);
		buffer_init(&t->envelope, SIZE_MAX / 2);
		buffer_init(&t->decoded, SIZE_MAX / 2);
		buffer_init(&t->first, SIZE_MAX / 2);
		t->unfold = unfold_new(&(struct unfold_options){ .now_ns = 1349438401137911000, .severity = options.severity });
		t->structured = structured_new(&options);
		t->record = record_new(&rules);
	}
	struct span line = { (const char *)data, size };
	if (size && memchr(data, '\n', size)) return 0;
	struct span once = there_and_back(t, line);
	if (!once.data) return 0;
	buffer_clear(&t->first);
	buffer_append_span(&t->first, once);
	struct span twice = there_and_back(t, buffer_span(&t->first));
	if (!twice.data || !span_equal(twice, buffer_span(&t->first))) {
		fprintf(stderr, "%.*s\n", (int)t->first.length, t->first.data);
		wrong("changes again", twice.data ? twice : SPAN("to nothing"));
	}
	return 0;
}
