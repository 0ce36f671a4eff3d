/* aggregate - a table from "kind, head, member or rate, tail" to sums. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "aggregate.h"

#include <math.h>

enum { BYTES_PER_CONTEXT = 128, BYTES_LEAST = 256 * 1024, SAMPLES_PER_CONTEXT_MAX = 1024 * 1024, SAMPLES_BYTES = 4 * 1024 * 1024 };

struct context {
	enum metric_kind kind;
	uint32_t head, middle;  /* lengths in the key, which is: kind, head, newline, middle, newline, tail */
	uint64_t envelopes;
	double number;
	struct buffer samples;
};

void aggregate_init(struct aggregate *a, size_t limit_contexts, bool packs_timers)
{
	size_t bytes = limit_contexts * BYTES_PER_CONTEXT;
	table_init(&a->contexts, limit_contexts, bytes > BYTES_LEAST ? bytes : BYTES_LEAST, sizeof(struct context));
	buffer_init(&a->key, SIZE_MAX);
	a->value_bytes = 0;
	a->value_limit = SAMPLES_BYTES;
	a->packs_timers = packs_timers;
}

static struct context *context_at(const struct aggregate *a, size_t i)
{
	return table_value(&a->contexts, i);
}

void aggregate_clear(struct aggregate *a)
{
	for (size_t i = 0; i < a->contexts.count; i++) buffer_release(&context_at(a, i)->samples);
	table_clear(&a->contexts);
	a->value_bytes = 0;
}

void aggregate_release(struct aggregate *a)
{
	aggregate_clear(a);
	table_release(&a->contexts);
	buffer_release(&a->key);
}

/* The names of the kinds are part of the key, and newlines are in no part of it. */
static struct span build_key(struct aggregate *a, enum metric_kind kind, struct span head, struct span middle, struct span tail)
{
	buffer_clear(&a->key);
	buffer_append_byte(&a->key, (char)('0' + (int)kind));
	buffer_append_span(&a->key, head);
	buffer_append_byte(&a->key, '\n');
	buffer_append_span(&a->key, middle);
	buffer_append_byte(&a->key, '\n');
	buffer_append_span(&a->key, tail);
	return buffer_span(&a->key);
}

static bool add_sample(struct aggregate *a, struct context *c, struct span sample)
{
	size_t before = c->samples.capacity;
	if (a->value_bytes + sample.length + 1 > a->value_limit) return false;
	if (c->samples.length) buffer_append_byte(&c->samples, ':');
	if (!buffer_append_span(&c->samples, sample)) return false;
	a->value_bytes += c->samples.capacity - before;
	return true;
}

static bool fold(struct aggregate *a, struct context *c, const struct metric *m)
{
	double number;
	switch (m->kind) {
	case METRIC_COUNTER:
		number = metric_number(m->value);
		if (m->rate.length) number /= metric_number(m->rate);
		if (!isfinite(c->number + number)) return false;
		c->number += number;
		return true;
	case METRIC_GAUGE: c->number = metric_number(m->value); return true;
	case METRIC_TIMER: return add_sample(a, c, m->value);
	case METRIC_SET: return true;
	}
	return true;
}

enum aggregate_verdict aggregate_add(struct aggregate *a, const struct metric *m, struct span head, struct span tail, struct span member)
{
	bool fresh;
	struct span middle = m->kind == METRIC_SET ? member : m->kind == METRIC_TIMER ? m->rate : SPAN("");
	if (m->kind == METRIC_TIMER && !a->packs_timers) return AGGREGATE_NOT;
	struct span key = build_key(a, m->kind, head, middle, tail);
	bool was_empty = aggregate_count(a) == 0;
	struct context *c = a->key.failed ? NULL : table_put(&a->contexts, key, &fresh);
	if (!c) return was_empty ? AGGREGATE_NOT : AGGREGATE_FULL;
	if (fresh) {
		*c = (struct context){ .kind = m->kind, .head = (uint32_t)head.length, .middle = (uint32_t)middle.length };
		buffer_init(&c->samples, SAMPLES_PER_CONTEXT_MAX);
	}
	if (!fold(a, c, m)) return AGGREGATE_FULL;
	c->envelopes++;
	return AGGREGATE_TAKEN;
}

void aggregate_line(const struct aggregate *a, size_t i, struct aggregate_line *line)
{
	const struct context *c = context_at(a, i);
	struct span key = table_key(&a->contexts, i);
	struct span middle = { key.data + 1 + c->head + 1, c->middle };
	line->kind = c->kind;
	line->envelopes = c->envelopes;
	line->head = (struct span){ key.data + 1, c->head };
	line->tail = span_between(middle.data + middle.length + 1, key.data + key.length);
	line->rate = c->kind == METRIC_TIMER ? middle : SPAN("");
	if (c->kind == METRIC_SET) line->value = middle;
	else if (c->kind == METRIC_TIMER) line->value = buffer_span(&c->samples);
	else line->value = (struct span){ line->room, number_print_fixed(line->room, c->number) };
}
