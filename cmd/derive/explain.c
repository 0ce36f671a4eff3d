/* explain - says of an envelope, block by block, what the rules make of it, and why not more. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/text.h"
#include "emit.h"
#include "io/diag.h"
#include "missing.h"
#include "modes.h"
#include "safe.h"

enum { SHOWN_RULE = 110, SHOWN_VALUE = 80 };

struct explain {
	struct filter *filter;
	struct rules *rules;
	struct emit *emit;
	bool colors;
	size_t block;               /* the next one to be told of */
	struct scan scan;           /* of a metric that was made */
	struct buffer line, copy, decoded;
};

/* --- lines --- */

static void say(struct explain *x, const char *text)
{
	buffer_append_text(&x->line, text);
}

static void say_cut(struct explain *x, struct span text, size_t most)
{
	text_append_visible(&x->line, (struct span){ text.data, text.length < most ? text.length : most });
	if (text.length > most) say(x, "...");
}

static void paint(struct explain *x, const char *how)
{
	if (x->colors) say(x, how);
}

static void end_line(struct explain *x)
{
	paint(x, "\033[0m");
	if (!writer_line(&x->filter->out, buffer_span(&x->line))) filter_flush(x->filter);
	buffer_clear(&x->line);
}

static void say_value(struct explain *x, struct value value, size_t most)
{
	buffer_clear(&x->decoded);
	field_append_text(&x->decoded, value);
	if (x->decoded.length) say_cut(x, buffer_span(&x->decoded), most);
	else say(x, "-");
}

/* --- blocks and metrics --- */

static void show_block(struct explain *x, const struct rules_block *block, bool matched)
{
	say(x, "  ");
	paint(x, matched ? "\033[1m" : "\033[2m");
	text_append_visible(&x->line, span_of(block->source));
	say(x, ":");
	buffer_append_int(&x->line, (int64_t)block->line);
	say(x, ": ");
	say_cut(x, block->text, SHOWN_RULE);
	if (!matched) say(x, ": does not match");
	end_line(x);
}

static void show_blocks_before(struct explain *x, size_t end)
{
	for (; x->block < end; x->block++) show_block(x, &x->rules->block[x->block], false);
}

static struct value find(const struct envelope *e, struct value object, const char *name)
{
	struct value key, value;
	struct field_walk walk = field_walk(e, object);
	while (field_next(&walk, &key, &value))
		if (span_equal(key.text, span_of(name))) return value;
	return (struct value){ .kind = VALUE_ABSENT };
}

static void say_tags(struct explain *x, const struct envelope *e, struct value tags)
{
	struct value key, value;
	struct field_walk walk = field_walk(e, tags);
	const char *before = "|#";
	while (field_next(&walk, &key, &value)) {
		say(x, before);
		say_value(x, key, SIZE_MAX);
		say(x, ":");
		say_value(x, value, SIZE_MAX);
		before = ",";
	}
}

/* As DogStatsD has it, which says it all on one line. */
static void show_made(struct explain *x, const struct rules_metric *m, struct span line)
{
	static const char *const kinds[] = { [METRIC_COUNTER] = "|c", [METRIC_TIMER] = "|ms", [METRIC_GAUGE] = "|g", [METRIC_SET] = "|s" };
	struct envelope e;
	struct envelope_fault fault;
	if (envelope_parse_copy(&e, &x->scan, &x->copy, line, &fault) != ENVELOPE_GOOD) die(EXIT_INTERNAL, "a metric is no good envelope: %s", fault.reason);
	struct value rate = find(&e, e.fields, "rate");
	say(x, "    ");
	paint(x, "\033[32m");
	say_value(x, find(&e, e.fields, "name"), SIZE_MAX);
	say(x, ":");
	say_value(x, e.payload, SHOWN_RULE);
	say(x, kinds[m->kind]);
	if (!span_equal(rate.text, SPAN("1"))) say(x, "|@"), say_value(x, rate, SIZE_MAX);
	say_tags(x, &e, find(&e, e.fields, "tags"));
	end_line(x);
	if (!x->filter->options.verbose) return;
	say(x, "      ");
	say_cut(x, line, SIZE_MAX);
	end_line(x);
}

/* A part may have a text, and nothing of it be left in a name. */
static void say_why_no_name(struct explain *x, const struct rules_metric *m)
{
	struct eval *eval = emit_eval(x->emit);
	for (size_t i = 0; i < m->part_count; i++) {
		struct eval_value value;
		if (!m->part[i].value) continue;
		eval_expr(eval, m->part[i].value, &value);
		struct span text = eval_text(eval, &value);
		if (safe_has_text(text)) continue;
		say(x, text.length ? "a part of its name is blank" : "a part of its name is nothing");
		if (!text.length) missing_append(eval, m->part[i].value, ": ", &x->line);
		return;
	}
	say(x, "its name is nothing but points");
}

static void say_why(struct explain *x, const struct rules_metric *m, enum emit_outcome outcome)
{
	struct eval *eval = emit_eval(x->emit);
	switch (outcome) {
	case EMIT_MADE: break;
	case EMIT_UNWANTED: say(x, "its `if` does not match"); break;
	case EMIT_LEFT_OUT: say(x, "left out by `sample`"); break;
	case EMIT_NO_NAME: say_why_no_name(x, m); break;
	case EMIT_NO_VALUE:
	case EMIT_NO_NUMBER:
		say(x, outcome == EMIT_NO_VALUE ? "its value is nothing" : "its value is no number");
		missing_append(eval, m->value, ": ", &x->line);
		break;
	case EMIT_NEGATIVE: say(x, "a timer below 0"); break;
	case EMIT_EMPTY: say(x, "its value is empty"); break;
	case EMIT_NO_RATE:
		say(x, "its rate is not above 0 and at most 1");
		if (m->rate) missing_append(eval, m->rate, ": ", &x->line);
		break;
	}
}

static void show_unmade(struct explain *x, const struct rules_metric *m, enum emit_outcome outcome)
{
	say(x, "    ");
	paint(x, outcome == EMIT_UNWANTED || outcome == EMIT_LEFT_OUT ? "\033[2m" : "\033[33m");
	say(x, "no ");
	say_cut(x, m->text, SHOWN_RULE);
	say(x, " (line ");
	buffer_append_int(&x->line, (int64_t)m->line);
	say(x, "): ");
	say_why(x, m, outcome);
	end_line(x);
}

/* The tags that are not there, each with what it wanted. */
static void show_left_tags(struct explain *x, const struct rules_metric *m)
{
	struct eval *eval = emit_eval(x->emit);
	bool any = false;
	for (size_t i = 0; i < m->tag_count; i++) {
		const struct rules_tag *tag = &x->rules->tag[m->tag[i]];
		struct eval_value value;
		eval->tag = tag->name;
		eval_expr(eval, tag->value, &value);
		eval->tag = (struct span){ 0 };
		struct span text = eval_text(eval, &value);
		if (safe_has_text(text)) continue;
		say(x, any ? ", " : "      without ");
		text_append_visible(&x->line, tag->name);
		if (text.length) say(x, " (its value is blank)");
		else if (missing_append(eval, tag->value, " (", &x->line)) say(x, ")");
		any = true;
	}
	if (any) end_line(x);
}

static void on_metric(void *context, size_t metric, enum emit_outcome outcome, struct span line)
{
	struct explain *x = context;
	const struct rules_metric *m = &x->rules->metric[metric];
	size_t block = x->block ? x->block - 1 : 0;
	while (metric >= x->rules->block[block].metric + x->rules->block[block].metric_count) block++;
	if (block >= x->block) {
		show_blocks_before(x, block);
		show_block(x, &x->rules->block[block], true);
		x->block = block + 1;
	}
	if (outcome != EMIT_MADE) {
		show_unmade(x, m, outcome);
		return;
	}
	show_made(x, m, line);
	show_left_tags(x, m);
}

static void explain_one(struct explain *x, const struct envelope *e, const char *source, uint64_t line)
{
	struct span lines;
	uint64_t count;
	paint(x, "\033[36m");
	text_append_visible(&x->line, span_of(source));
	if (line) say(x, ":"), buffer_append_int(&x->line, (int64_t)line);
	say(x, ": ");
	say_value(x, e->type, SHOWN_VALUE);
	say(x, " ");
	say_value(x, e->logger, SHOWN_VALUE);
	end_line(x);
	x->block = 0;
	bool good = emit_envelope(x->emit, e, &lines, &count);
	if (good) show_blocks_before(x, x->rules->block_count);
	else say(x, "  the next metric would be longer than --max-line: it is a reject"), end_line(x);
}

/* The envelope that is the option's own text. */
static void explain_text(struct explain *x, const char *text)
{
	struct scan scan;
	struct buffer copy;
	struct envelope e;
	struct envelope_fault fault = { .column = 1, .reason = "there is no envelope" };
	buffer_init(&copy, SIZE_MAX / 2);
	if (!scan_init(&scan)) die(EXIT_INTERNAL, "no memory for the scanner");
	if (envelope_parse_copy(&e, &scan, &copy, span_of(text), &fault) != ENVELOPE_GOOD) tool_usage_error_at("--explain", text, fault.column, fault.reason);
	explain_one(x, &e, "--explain", 0);
	scan_release(&scan);
	buffer_release(&copy);
}

int explain_run(struct filter *filter, const struct derive_options *options, struct rules *rules)
{
	static struct explain x;
	struct envelope e;
	x = (struct explain){ .filter = filter, .rules = rules, .colors = tool_colors(&filter->options, filter->out.fd) };
	x.emit = emit_new(rules, filter->options.line_limit, options->seed);
	emit_set_trace(x.emit, (struct emit_trace){ on_metric, &x });
	buffer_init(&x.line, SIZE_MAX / 2);
	buffer_init(&x.copy, SIZE_MAX / 2);
	buffer_init(&x.decoded, SIZE_MAX / 2);
	if (!scan_init(&x.scan)) die(EXIT_INTERNAL, "no memory for the scanner");
	if (strcmp(options->explain, "-") != 0) {
		explain_text(&x, options->explain);
		filter_flush(filter);
		filter->options.operand_count = 0;
	} else {
		while (filter_next(filter, &e)) {
			explain_one(&x, &e, filter->reader.name, filter->line);
			filter_booked_pass(filter);
		}
	}
	emit_free(x.emit);
	scan_release(&x.scan);
	buffer_release(&x.line);
	buffer_release(&x.copy);
	buffer_release(&x.decoded);
	return filter_close(filter);
}
