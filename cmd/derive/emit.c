/* emit - pieces that stay the same are made once: by the rules, by the envelope, by the tag; a metric is then a few copies. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "emit.h"

#include <math.h>
#include <stdlib.h>

#include "base/number.h"
#include "base/sample.h"
#include "base/tag.h"
#include "base/text.h"
#include "io/diag.h"
#include "safe.h"

enum { EMIT_BEGIN = 4096 };

/* `,"path":"v1.geolocate"` of the present envelope, in emit.ready. Of length 0: the tag is left out. */
struct emit_tag {
	uint64_t turn;
	size_t at, length;
};

struct emit {
	struct rules *rules;
	size_t line_limit;
	struct sample sample;
	struct eval eval;
	struct span *name;      /* of each metric; no data: to be made for each envelope */
	struct emit_tag *tag;
	struct buffer ready, middle, tail, member, lines;
	uint64_t around;        /* the turn in which middle and tail were made */
	uint64_t count;
	struct emit_trace trace;
};

/* What is known of a metric when it is written. */
struct draft {
	struct span name, payload, rate;
	struct safe_name made_name;
	char payload_room[NUMBER_JSON_MAX], rate_room[NUMBER_JSON_MAX];
};

/* --- once for the rules --- */

static void prepare_name(struct emit *e, size_t i)
{
	const struct rules_metric *m = &e->rules->metric[i];
	struct safe_name name = { .length = 0 };
	for (size_t p = 0; p < m->part_count; p++) {
		if (m->part[p].value) return;
		safe_name_add(&name, m->part[p].literal);
	}
	safe_name_end(&name);
	e->name[i] = (struct span){ must_copy((struct span){ name.text, name.length }), name.length };
}

struct emit *emit_new(struct rules *rules, size_t line_limit_bytes, uint64_t seed)
{
	struct emit *e = must_alloc(sizeof *e);
	e->rules = rules;
	e->line_limit = line_limit_bytes;
	sample_init_seed(&e->sample, seed);
	eval_init(&e->eval, rules);
	e->name = must_alloc((rules->metric_count + 1) * sizeof *e->name);
	e->tag = must_alloc((rules->tag_count + 1) * sizeof *e->tag);
	for (size_t i = 0; i < rules->metric_count; i++) prepare_name(e, i);
	struct buffer *all[] = { &e->ready, &e->middle, &e->tail, &e->member, &e->lines };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		buffer_init(all[i], SIZE_MAX / 2);
		if (!buffer_reserve(all[i], EMIT_BEGIN)) die(EXIT_INTERNAL, "no memory for metrics"); /* there is a place to begin with before the first byte */
	}
	return e;
}

void emit_free(struct emit *e)
{
	if (!e) return;
	for (size_t i = 0; i < e->rules->metric_count; i++) free((char *)e->name[i].data);
	struct buffer *all[] = { &e->ready, &e->middle, &e->tail, &e->member, &e->lines };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) buffer_release(all[i]);
	eval_release(&e->eval);
	free(e->name);
	free(e->tag);
	free(e);
}

void emit_set_trace(struct emit *e, struct emit_trace trace)
{
	e->trace = trace;
}

struct eval *emit_eval(struct emit *e)
{
	return &e->eval;
}

/* --- once for the envelope --- */

/* A member as it stands in the source, with a comma behind or before it. */
static void copy_member(struct buffer *out, const char *before, const struct value *value, const char *behind)
{
	bool is_string = value->kind == VALUE_STRING;
	if (value->kind == VALUE_ABSENT) return;
	buffer_append_text(out, before);
	if (is_string) buffer_append_byte(out, '"');
	buffer_append_span(out, value->text);
	if (is_string) buffer_append_byte(out, '"');
	buffer_append_text(out, behind);
}

static void make_around(struct emit *e)
{
	const struct envelope *source = e->eval.envelope;
	if (e->around == e->eval.turn) return;
	e->around = e->eval.turn;
	buffer_clear(&e->middle);
	buffer_clear(&e->tail);
	copy_member(&e->middle, "\"timestamp\":", &source->timestamp, ",");
	copy_member(&e->middle, "\"logger\":", &source->logger, ",");
	buffer_append_span(&e->middle, SPAN("\"severity\":6,\"payload\":\""));
	buffer_append_span(&e->tail, SPAN("},\"env_version\":\"0.8\""));
	copy_member(&e->tail, ",\"metlog_pid\":", &source->metlog_pid, "");
	copy_member(&e->tail, ",\"metlog_hostname\":", &source->metlog_hostname, "");
	buffer_append_span(&e->tail, SPAN("}\n"));
}

static struct span make_tag(struct emit *e, uint32_t number)
{
	struct emit_tag *tag = &e->tag[number];
	if (tag->turn != e->eval.turn) {
		const struct rules_tag *rule = &e->rules->tag[number];
		struct eval_value value;
		tag->turn = e->eval.turn;
		tag->at = e->ready.length;
		e->eval.tag = rule->name;
		eval_expr(&e->eval, rule->value, &value);
		struct span text = eval_text(&e->eval, &value);
		e->eval.tag = (struct span){ 0 };
		if (text.length && buffer_reserve(&e->ready, rule->name.length + TAG_MAX + 8)) {
			char *start = e->ready.data + tag->at, *at = start;
			*at++ = ',', *at++ = '"';
			memcpy(at, rule->name.data, rule->name.length);
			at += rule->name.length;
			*at++ = '"', *at++ = ':', *at++ = '"';
			size_t length = safe_tag(at, rule->name, text);
			if (length) at[length] = '"', e->ready.length += (size_t)(at - start) + length + 1;
		}
		tag->length = e->ready.length - tag->at;
	}
	return (struct span){ e->ready.data + tag->at, tag->length };
}

/* --- for each metric --- */

static enum emit_outcome find_name(struct emit *e, size_t i, struct draft *d)
{
	const struct rules_metric *m = &e->rules->metric[i];
	d->name = e->name[i];
	if (d->name.data) return EMIT_MADE;
	d->made_name.length = 0;
	for (size_t p = 0; p < m->part_count; p++) {
		struct span text = m->part[p].literal;
		if (m->part[p].value) {
			struct eval_value value;
			eval_expr(&e->eval, m->part[p].value, &value);
			text = eval_text(&e->eval, &value);
			if (!safe_has_text(text)) return EMIT_NO_NAME;
		}
		safe_name_add(&d->made_name, text);
	}
	safe_name_end(&d->made_name);
	d->name = (struct span){ d->made_name.text, d->made_name.length };
	return d->name.length ? EMIT_MADE : EMIT_NO_NAME;
}

/* Whether the text is an integer that may go out as it is: -12, 0, 12345678901234567890. One that is longer may be beyond every double. */
static bool is_plain_integer(struct span text)
{
	size_t at = text.length && text.data[0] == '-';
	if (at == text.length || text.length > 300) return false;
	if (text.data[at] == '0') return text.length == 1;
	for (; at < text.length; at++)
		if ((unsigned char)(text.data[at] - '0') > 9) return false;
	return true;
}

static enum emit_outcome find_number(struct emit *e, const struct rules_metric *m, struct draft *d)
{
	struct eval_value value;
	double number;
	eval_expr(&e->eval, m->value, &value);
	if (value.kind == EVAL_NOTHING) return EMIT_NO_VALUE;
	if (value.text.data && is_plain_integer(value.text)) d->payload = value.text;
	else if (!eval_number(&value, &number)) return EMIT_NO_NUMBER;
	else d->payload = (struct span){ d->payload_room, number_print_json(d->payload_room, number) };
	return m->kind == METRIC_TIMER && d->payload.data[0] == '-' ? EMIT_NEGATIVE : EMIT_MADE;
}

static enum emit_outcome find_member(struct emit *e, const struct rules_metric *m, struct draft *d)
{
	struct eval_value value;
	eval_expr(&e->eval, m->value, &value);
	if (value.kind == EVAL_NOTHING) return EMIT_NO_VALUE;
	d->payload = eval_text(&e->eval, &value);
	if (!d->payload.length) return EMIT_EMPTY;
	if (value.is_clean || value.kind == EVAL_NUMBER) return EMIT_MADE;
	buffer_clear(&e->member);
	if (!text_append_escaped(&e->member, d->payload)) die(EXIT_INTERNAL, "no memory for a value of %zu bytes", d->payload.length);
	d->payload = buffer_span(&e->member);
	return EMIT_MADE;
}

static enum emit_outcome find_value(struct emit *e, const struct rules_metric *m, struct draft *d)
{
	d->payload = SPAN("1");
	if (!m->value) return EMIT_MADE;
	return m->kind == METRIC_SET ? find_member(e, m, d) : find_number(e, m, d);
}

static enum emit_outcome find_rate(struct emit *e, const struct rules_metric *m, struct draft *d)
{
	double rate = 1, number = 0;
	d->rate = SPAN("1");
	if (!m->rate && m->sample >= 1) return EMIT_MADE;
	if (m->rate) {
		struct eval_value value;
		eval_expr(&e->eval, m->rate, &value);
		if (!eval_number(&value, &rate) || !(rate > 0 && rate <= 1)) return EMIT_NO_RATE;
	}
	rate *= m->sample;
	if (!(rate > 0)) return EMIT_NO_RATE;
	if (m->kind != METRIC_SET && (!number_parse_double(d->payload, &number) || !isfinite(number / rate))) return EMIT_NO_RATE;
	d->rate = (struct span){ d->rate_room, number_print_json(d->rate_room, rate) };
	return EMIT_MADE;
}

static char *put(char *out, struct span s)
{
	memcpy(out, s.data, s.length);
	return out + s.length;
}

static char *put_tags(struct emit *e, size_t i, char *out)
{
	const struct rules_metric *m = &e->rules->metric[i];
	char *start = out;
	for (size_t t = 0; t < m->tag_count; t++) {
		struct span tag = make_tag(e, m->tag[t]);
		if (!tag.length) continue;
		if (out == start) {
			out = put(out, SPAN(",\"tags\":{"));
			tag.data++, tag.length--; /* its comma */
		}
		out = put(out, tag);
	}
	if (out != start) *out++ = '}';
	return out;
}

static void write_metric(struct emit *e, size_t i, const struct draft *d)
{
	static const struct span heads[] = {
		[METRIC_COUNTER] = { "{\"type\":\"counter\",", 18 },
		[METRIC_TIMER] = { "{\"type\":\"timer\",", 16 },
		[METRIC_GAUGE] = { "{\"type\":\"gauge\",", 16 },
		[METRIC_SET] = { "{\"type\":\"set\",", 14 },
	};
	const struct rules_metric *m = &e->rules->metric[i];
	make_around(e);
	size_t most = e->middle.length + d->payload.length + d->name.length + d->rate.length + e->tail.length + 128 + m->tag_count * (2 * TAG_MAX + 8);
	if (!buffer_reserve(&e->lines, most) || e->middle.failed || e->tail.failed) die(EXIT_INTERNAL, "no memory for a metric of %zu bytes", most);
	char *at = e->lines.data + e->lines.length;
	at = put(at, heads[m->kind]);
	at = put(at, buffer_span(&e->middle));
	at = put(at, d->payload);
	at = put(at, SPAN("\",\"fields\":{\"name\":\""));
	at = put(at, d->name);
	at = put(at, SPAN("\",\"rate\":"));
	at = put(at, d->rate);
	at = put_tags(e, i, at);
	at = put(at, buffer_span(&e->tail));
	e->lines.length = (size_t)(at - e->lines.data);
}

static enum emit_outcome make(struct emit *e, size_t i)
{
	struct rules_metric *m = &e->rules->metric[i];
	struct draft d;
	if (m->condition && !match_eval(m->condition, e->eval.envelope)) return EMIT_UNWANTED;
	if (!sample_take(&e->sample, m->sample)) {
		m->books.left_out++;
		return EMIT_LEFT_OUT;
	}
	enum emit_outcome outcome = find_name(e, i, &d);
	if (outcome == EMIT_MADE) outcome = find_value(e, m, &d);
	if (outcome == EMIT_MADE) outcome = find_rate(e, m, &d);
	if (outcome == EMIT_MADE) {
		write_metric(e, i, &d);
		m->books.made++;
		e->count++;
	} else {
		m->books.unmade++;
	}
	return outcome;
}

static bool make_block(struct emit *e, const struct rules_block *block)
{
	for (size_t i = block->metric; i < block->metric + block->metric_count; i++) {
		size_t start = e->lines.length;
		enum emit_outcome outcome = make(e, i);
		struct span line = { e->lines.data + start, e->lines.length - start };
		if (line.length) line.length--; /* the newline */
		if (line.length > e->line_limit) return false;
		if (e->trace.metric) e->trace.metric(e->trace.context, i, outcome, line);
	}
	return true;
}

bool emit_envelope(struct emit *e, const struct envelope *envelope, struct span *lines, uint64_t *count)
{
	field_set_walk(e->rules->fields, envelope);
	eval_begin(&e->eval, envelope);
	buffer_clear(&e->ready);
	buffer_clear(&e->lines);
	e->count = 0;
	for (size_t i = 0; i < e->rules->block_count; i++) {
		struct rules_block *block = &e->rules->block[i];
		if (!match_eval(block->condition, envelope)) continue;
		block->matched++;
		if (!make_block(e, block)) return false;
	}
	*lines = buffer_span(&e->lines);
	*count = e->count;
	return true;
}
