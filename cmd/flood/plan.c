/* plan - which line of a flood comes next, and what stands in it: all of it a function of the options and a number. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "plan.h"

#include "base/number.h"
#include "malformed.h"

/* Repeats are mostly of what has just gone by, as after a lost acknowledgement; one of ten is of any age. */
enum { RECENT = 1000, SKEW_BLOCK = 500 };

/* What keeps the numbers that are drawn for different ends apart. */
static const uint64_t for_order = UINT64_C(0xA5A5A5A5) << 32, for_malformed = UINT64_C(0x5A5A5A5A) << 32, for_clock = UINT64_C(0x3C3C3C3C) << 32,
	for_reading = UINT64_C(0xC3C3C3C3) << 32;

void plan_init(struct plan *p, const struct plan_options *options)
{
	*p = (struct plan){ .options = options, .draw = draw_of(options->seed ^ for_order, 0) };
	maker_init(&p->maker);
	p->maker.check = true;
	p->maker.payload_least = options->payload_least;
	p->maker.payload_most = options->payload_most;
}

void plan_release(struct plan *p)
{
	maker_release(&p->maker);
}

enum plan_line plan_next(struct plan *p, uint64_t *number)
{
	const struct plan_options *o = p->options;
	unsigned drawn = o->malformed + o->repeats ? draw_below(&p->draw, PLAN_MILLION) : PLAN_MILLION;
	if (drawn < o->malformed) {
		*number = ++p->malformed;
		return PLAN_MALFORMED;
	}
	if (drawn < o->malformed + o->repeats && p->envelopes) {
		uint64_t back = p->envelopes > RECENT && draw_below(&p->draw, 10) ? RECENT : p->envelopes;
		p->repeats++;
		*number = p->envelopes - draw_next(&p->draw) % back;
		return PLAN_REPEAT;
	}
	*number = ++p->envelopes;
	return PLAN_ENVELOPE;
}

/* A clock that is off: a little at each reading, and by another amount after each step of a time daemon. */
static int64_t skewed(const struct plan_options *o, uint64_t number)
{
	int64_t stamp = o->start + (int64_t)(number - 1) * o->step;
	if (!o->skew) return stamp;
	struct draw clock = draw_of(o->seed ^ for_clock, number / SKEW_BLOCK), reading = draw_of(o->seed ^ for_reading, number);
	int64_t off = (int64_t)draw_between(&clock, 0, (size_t)o->skew * 2) - o->skew;
	return stamp + off + (int64_t)draw_between(&reading, 0, (size_t)o->skew / 8);
}

void plan_envelope(struct plan *p, uint64_t number, struct buffer *out)
{
	const struct plan_options *o = p->options;
	struct draw draw = draw_of(o->seed, number);
	char id[PLAN_PREFIX_MAX + 1 + NUMBER_INT_MAX];
	size_t prefix = strlen(o->prefix);
	memcpy(id, o->prefix, prefix);
	id[prefix++] = '-';
	prefix += number_print_int(id + prefix, (int64_t)number);
	struct maker_order order = { .id = { id, prefix }, .stamp = skewed(o, number) };
	order.kind = maker_draw_kind(&draw, o->weights, o->weight);
	order.unicode = o->unicode && draw_below(&draw, PLAN_MILLION) < o->unicode;
	maker_make(&p->maker, draw, &order, out);
}

void plan_malformed(struct plan *p, uint64_t number, struct buffer *out)
{
	struct draw draw = draw_of(p->options->seed ^ for_malformed, number);
	size_t start = out->length;
	plan_envelope(p, 1 + draw_next(&draw) % (p->envelopes + 1), out);
	malformed_make(out, start, &draw);
}
