/* fuzz_derive_rules - any text is read as rules, or has a fault that lies in it; what was read keeps to its limits, and makes metrics of envelopes that are envelopes. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "emit.h"
#include "function.h"

static _Noreturn void wrong(const char *what, struct span text)
{
	fprintf(stderr, "%s\n%.*s\n", what, (int)text.length, text.data);
	abort();
}

/* --- what was read --- */

static void require_expr(const struct rules *r, const struct expr *e, size_t lets, struct span text)
{
	uint32_t height = 1;
	if ((e->kind == EXPR_CHOICE) != (e->condition != NULL) || (e->kind == EXPR_CALL) != (e->function != NULL)) wrong("an expression without its parts", text);
	if (e->kind == EXPR_LET && e->let >= lets) wrong("a let that is not there yet", text);
	if (e->kind == EXPR_LET) height = r->let[e->let].value->height + 1;
	if (e->kind == EXPR_TEXT && !text_is_utf8(e->text)) wrong("a text that is not UTF-8", text);
	if (e->kind == EXPR_FIELD && !e->path.length) wrong("a field without a path", text);
	if (e->kind == EXPR_CALL && (e->count < e->function->least || e->count > e->function->most)) wrong("a call with other arguments than its function takes", text);
	for (size_t i = 0; i < e->count; i++) {
		require_expr(r, e->arg[i], lets, text);
		if (e->arg[i]->height >= height) height = e->arg[i]->height + 1;
	}
	if (e->height != height || height > RULES_DEPTH_MAX) wrong("an expression of another height", text);
}

static void require_name(const struct rules *r, const struct rules_metric *m, struct span text)
{
	size_t length = 0;
	if (!m->part_count) wrong("a metric without a name", text);
	for (size_t i = 0; i < m->part_count; i++) {
		struct span literal = m->part[i].literal;
		if (m->part[i].value) {
			require_expr(r, m->part[i].value, r->let_count, text);
			continue;
		}
		length += literal.length;
		if (!literal.length || (i == 0 && literal.data[0] == '.')) wrong("a part of a name that is none", text);
		for (size_t k = 0; k < literal.length; k++)
			if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", literal.data[k])) wrong("a name with other letters", text);
	}
	if (length > RULES_NAME_MAX) wrong("a name that is too long", text);
}

static void require_metric(const struct rules *r, const struct rules_metric *m, struct span text)
{
	require_name(r, m, text);
	if (m->kind != METRIC_COUNTER && !m->value) wrong("a metric without a value", text);
	if (m->value) require_expr(r, m->value, r->let_count, text);
	if (m->rate) require_expr(r, m->rate, r->let_count, text);
	if (!(m->sample > 0 && m->sample <= 1) || m->tag_count > RULES_TAGS_MAX || !m->text.length || !m->line) wrong("a metric beyond its bounds", text);
	for (size_t i = 0; i < m->tag_count; i++)
		if (m->tag[i] >= r->tag_count) wrong("a tag that is not there", text);
}

static void require_rules(const struct rules *r, struct span text)
{
	size_t metrics = 0;
	for (size_t i = 0; i < r->let_count; i++) require_expr(r, r->let[i].value, i, text);
	for (size_t i = 0; i < r->tag_count; i++) require_expr(r, r->tag[i].value, r->let_count, text);
	for (size_t i = 0; i < r->metric_count; i++) require_metric(r, &r->metric[i], text);
	for (size_t i = 0; i < r->block_count; i++) {
		if (r->block[i].metric != metrics || !r->block[i].metric_count || !r->block[i].condition) wrong("a block without its metrics", text);
		metrics += r->block[i].metric_count;
	}
	if (metrics != r->metric_count || !r->block_count) wrong("metrics without a block", text);
}

/* --- what it makes --- */

static const char *const lines[] = {
	"{\"timestamp\":\"2026-11-22T10:00:00Z\",\"type\":\"a\",\"logger\":\"b #c\",\"payload\":\"12\",\"severity\":4,\"metlog_pid\":7,\"metlog_hostname\":\"w\\u0065b\",\"fields\":{\"a\":1,\"b\":\"2.5\",\"c\":true,\"d\":{\"e f\":[\"x\",{\"a\":null}]},\"g\":\"../ |#,:;=\\u0000\\n\xc3\xa9\",\"h\":\"\",\"i\":1e-7,\"j\":12345678901234567890,\"k\":false,\"uid\":\"~u\\\\\"}}",
	"{\"fields\":{\"a\":-3,\"a\":\"7\",\"b\":null,\"v\":0.1,\"w\":0.5,\"x\":3}}",
	"{}",
};

static void require_envelopes(struct scan *scan, struct buffer *copy, struct span made, uint64_t count)
{
	struct envelope e;
	struct envelope_fault fault;
	uint64_t found = 0;
	for (struct span rest = made; rest.length; found++) {
		struct span line = span_take_line(&rest);
		if (envelope_parse_copy(&e, scan, copy, line, &fault) != ENVELOPE_GOOD) wrong(fault.reason, line);
	}
	if (found != count) wrong("other lines than were counted", made);
}

static void try_lines(struct rules *r)
{
	struct emit *emit = emit_new(r, 1 << 20, 1);
	struct scan scan, scanned;
	struct buffer copy, copied;
	scan_init(&scan);
	scan_init(&scanned);
	buffer_init(&copy, 1 << 20);
	buffer_init(&copied, 2 << 20);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct envelope e;
		struct envelope_fault fault;
		struct span made;
		uint64_t count = 0;
		if (envelope_parse_copy(&e, &scan, &copy, span_of(lines[i]), &fault) != ENVELOPE_GOOD) wrong(fault.reason, span_of(lines[i]));
		if (emit_envelope(emit, &e, &made, &count)) require_envelopes(&scanned, &copied, made, count);
	}
	buffer_release(&copied);
	buffer_release(&copy);
	scan_release(&scanned);
	scan_release(&scan);
	emit_free(emit);
}

/* --- what was not --- */

static void require_fault(const struct logical_fault *fault, struct span text)
{
	struct span line = fault->physical;
	if (!fault->reason[0] || fault->column > line.length) wrong("a fault without a reason or a place", text);
	if (line.length && (line.data < text.data || line.data + line.length > text.data + text.length)) wrong("a line of another text", text);
	struct span rest = text;
	struct span found = { text.data, 0 };
	for (size_t i = 0; i < fault->line; i++) found = span_take_line(&rest);
	if (line.length && (line.data < found.data || line.data + line.length > found.data + found.length)) wrong("a line with another number", text);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct rules rules;
	struct logical_fault fault;
	struct span text = { (const char *)data, size };
	if (!rules_init(&rules)) return 0;
	if (rules_add(&rules, "fuzz", text, &fault)) {
		require_rules(&rules, text);
		try_lines(&rules);
	} else {
		require_fault(&fault, text);
	}
	rules_release(&rules);
	return 0;
}
