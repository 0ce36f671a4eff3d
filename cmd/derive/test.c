/* test - tests of rules kept as plain files: envelopes that go in, and the metrics that must come out. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "emit.h"
#include "filter/golden.h"
#include "modes.h"

struct test {
	struct rules *rules;
	struct emit *emit;
	size_t line_limit;
};

/* What `sample` leaves out must not depend on the tests before. */
static void begin(void *context)
{
	struct test *t = context;
	emit_free(t->emit);
	t->emit = emit_new(t->rules, t->line_limit, 1);
}

static bool take(void *context, const struct envelope *e, struct buffer *outputs)
{
	struct test *t = context;
	struct span lines;
	uint64_t count;
	return emit_envelope(t->emit, e, &lines, &count) && buffer_append_span(outputs, lines);
}

int test_run(const struct filter *filter, const struct derive_options *options, struct rules *rules)
{
	struct test t = { .rules = rules, .line_limit = filter->options.line_limit };
	int status = golden_run(&(struct golden){
		.folder = options->test, .line_limit = t.line_limit, .write = options->update, .count = 1, .begin = begin, .take = take, .context = &t,
	});
	emit_free(t.emit);
	return status;
}
