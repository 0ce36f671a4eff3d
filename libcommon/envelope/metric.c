/* metric - reads the members that make a metric in one walk over the fields, and rewrites only the numbers that need it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/metric.h"

#include <math.h>

#include "base/text.h"

/* A decimal of at most this length cannot leave the range of a double, nor can its quotient by another one. */
enum { PLAIN_MAX = 32 };

struct plain {
	bool fits;      /* [-]digits[.digits], not too long */
	bool negative;
	bool is_zero;
	bool below_one; /* its magnitude */
};

static struct plain judge_plain(struct span text)
{
	struct plain p = { .negative = text.length && text.data[0] == '-', .is_zero = true, .below_one = true };
	size_t at = p.negative, digits = 0;
	if (text.length > PLAIN_MAX) return p;
	for (; at < text.length && (unsigned char)(text.data[at] - '0') <= 9; at++, digits++)
		if (text.data[at] != '0') p.is_zero = p.below_one = false;
	if (digits == 0) return p;
	if (at < text.length && text.data[at] == '.') {
		at++;
		for (digits = 0; at < text.length && (unsigned char)(text.data[at] - '0') <= 9; at++, digits++)
			if (text.data[at] != '0') p.is_zero = false;
		if (digits == 0) return p;
	}
	p.fits = at == text.length;
	return p;
}

/* The number in `from` as statsd takes it, or an empty span. */
static struct span take_number(struct value from, char room[NUMBER_FIXED_MAX], struct plain *plain)
{
	double number;
	*plain = (struct plain){ 0 };
	if (from.kind != VALUE_NUMBER && from.kind != VALUE_STRING) return (struct span){ 0 };
	struct span text = from.text;
	if (from.escaped) {
		struct buffer decoded = { .data = room, .capacity = NUMBER_FIXED_MAX, .limit = NUMBER_FIXED_MAX };
		if (!text_append_unescaped(&decoded, text)) return (struct span){ 0 };
		text = from.text = buffer_span(&decoded);
	}
	*plain = judge_plain(text);
	if (!plain->fits) {
		if (!field_number(from, &number)) return (struct span){ 0 };
		text = (struct span){ room, number_print_fixed(room, number) };
		plain->negative = number < 0;
		plain->is_zero = number == 0;
		plain->below_one = fabs(number) < 1;
	}
	if (plain->negative && plain->is_zero) {
		plain->negative = false;
		return SPAN("0");
	}
	return text;
}

double metric_number(struct span text)
{
	double number = 0;
	return number_parse_double(text, &number) ? number : NAN;
}

static bool read_kind(struct metric *m, struct value type)
{
	static const struct { struct span name; enum metric_kind kind; } kinds[] = {
		{ { "counter", 7 }, METRIC_COUNTER }, { { "timer", 5 }, METRIC_TIMER }, { { "gauge", 5 }, METRIC_GAUGE }, { { "set", 3 }, METRIC_SET },
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (type.escaped ? field_equals(type, kinds[i].name) : span_equal(type.text, kinds[i].name)) {
			m->kind = kinds[i].kind;
			return true;
		}
	return false;
}

static bool is_key(struct value key, struct span name)
{
	return key.escaped ? field_equals(key, name) : span_equal(key.text, name);
}

static const char *read_rate(struct metric *m, struct value rate)
{
	struct plain plain;
	if (rate.kind == VALUE_ABSENT) return NULL;
	struct span text = take_number(rate, m->rate_room, &plain);
	if (!text.length) return "fields.rate is not a number";
	if (plain.negative || plain.is_zero) return "fields.rate is not above 0";
	if (plain.below_one) m->rate = text;
	return NULL;
}

static const char *read_value(struct metric *m, struct value payload)
{
	struct plain plain;
	m->value = take_number(payload, m->value_room, &plain);
	if (!m->value.length) return "the payload is not a number";
	if (m->kind == METRIC_TIMER && plain.negative) return "the timer is below 0";
	/* The server divides: what becomes infinite there would spoil the metric until it is restarted. */
	if (m->rate.length && (m->value.length > PLAIN_MAX || m->rate.length > PLAIN_MAX)
		&& !isfinite(metric_number(m->value) / metric_number(m->rate))) return "the payload divided by fields.rate is out of range";
	return NULL;
}

static const char *read_member(struct metric *m, struct value payload)
{
	m->member = payload;
	if (payload.kind == VALUE_ABSENT || payload.text.length == 0) return "the payload is empty";
	if (payload.kind == VALUE_OBJECT || payload.kind == VALUE_ARRAY || payload.kind == VALUE_NULL) return "the payload is not a text or a number";
	return NULL;
}

enum metric_verdict metric_read(struct metric *m, const struct envelope *e, const char **reason)
{
	struct value key, value, rate = { .kind = VALUE_ABSENT };
	if (!read_kind(m, e->type)) return METRIC_OTHER;
	m->name = m->tags = rate;
	m->rate = m->value = (struct span){ 0 };
	struct field_walk walk = field_walk(e, e->fields);
	while (field_next(&walk, &key, &value)) {
		if (is_key(key, SPAN("name"))) m->name = value;
		else if (is_key(key, SPAN("rate"))) rate = value;
		else if (is_key(key, SPAN("tags"))) m->tags = value;
	}
	*reason = NULL;
	if (m->name.kind == VALUE_ABSENT || (m->name.kind == VALUE_STRING && m->name.text.length == 0)) *reason = "fields.name is missing or empty";
	else if (m->name.kind != VALUE_STRING) *reason = "fields.name is not a string";
	/* A gauge or a member of a set means the same however rarely it is told: their rate is not looked at. */
	else if (m->kind == METRIC_SET) *reason = read_member(m, e->payload);
	else if (m->kind == METRIC_GAUGE) *reason = read_value(m, e->payload);
	else if (!(*reason = read_rate(m, rate))) *reason = read_value(m, e->payload);
	return *reason ? METRIC_BAD : METRIC_GOOD;
}
