/* fuzz_catalog - whatever a catalogue says it is read or refused with a place, and what it finds in whatever metrics is told in good envelopes. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

/* The input: a catalogue, a line "==", and lines that may be metrics. */
struct trial {
	struct findings findings;
	struct check check;
	struct scan scan, again;
	struct buffer copy, copied, shown;
};

static _Noreturn void wrong(const char *what, struct span text)
{
	fprintf(stderr, "%s\n%.*s\n", what, (int)text.length, text.data);
	abort();
}

static void check_line(struct trial *t, struct span line, uint64_t number)
{
	struct envelope e;
	struct envelope_fault fault;
	if (envelope_parse_copy(&e, &t->scan, &t->copy, line, &fault) != ENVELOPE_GOOD) return;
	uint64_t before = t->findings.count;
	enum check_verdict verdict = check_envelope(&t->check, &e, "fuzz", number);
	if ((verdict == CHECK_FAULTY) != (t->findings.count > before)) wrong("the verdict is not what was found", line);
}

static void show(struct trial *t)
{
	const struct finding **sorted = findings_sorted(&t->findings);
	uint64_t sum = t->findings.left_out;
	for (size_t i = 0; i < t->findings.table.count; i++) {
		struct envelope e;
		struct envelope_fault fault;
		sum += sorted[i]->count;
		if (i && sorted[i]->count > sorted[i - 1]->count) wrong("not sorted", SPAN(""));
		buffer_clear(&t->shown);
		finding_append_text(&t->shown, sorted[i], true);
		for (size_t k = 0; k < t->shown.length; k++)
			if ((unsigned char)t->shown.data[k] < 0x20) wrong("not one line of text", buffer_span(&t->shown));
		buffer_clear(&t->shown);
		finding_append_json(&t->shown, sorted[i]);
		if (envelope_parse_copy(&e, &t->again, &t->copied, buffer_span(&t->shown), &fault) != ENVELOPE_GOOD) wrong(fault.reason, buffer_span(&t->shown));
	}
	if (sum != t->findings.count) wrong("the counts do not add up", SPAN(""));
	free(sorted);
}

static void check_lines(struct catalog *catalog, struct span rest)
{
	struct trial t = { 0 };
	findings_init(&t.findings);
	check_init(&t.check, catalog, &t.findings);
	scan_init(&t.scan);
	scan_init(&t.again);
	buffer_init(&t.copy, SIZE_MAX / 2);
	buffer_init(&t.copied, SIZE_MAX / 2);
	buffer_init(&t.shown, SIZE_MAX / 2);
	for (uint64_t number = 1; rest.length; number++) check_line(&t, span_take_line(&rest), number);
	show(&t);
	buffer_release(&t.shown);
	buffer_release(&t.copied);
	buffer_release(&t.copy);
	scan_release(&t.again);
	scan_release(&t.scan);
	check_release(&t.check);
	findings_release(&t.findings);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct span text = { (const char *)data, size }, rest = text;
	struct catalog catalog;
	struct logical_fault fault;
	while (rest.length) {
		const char *at = rest.data;
		if (!span_equal(span_take_line(&rest), SPAN("=="))) continue;
		text = span_between((const char *)data, at);
		break;
	}
	catalog_init(&catalog);
	if (catalog_add(&catalog, "catalog", text, &fault)) check_lines(&catalog, rest);
	else if (!fault.reason[0] || fault.column > fault.physical.length) wrong("a mistake without a reason or a place", text);
	catalog_release(&catalog);
	return 0;
}
