/* run - derives: envelopes in, metrics out. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <inttypes.h>

#include "base/text.h"
#include "emit.h"
#include "envelope/mozlog.h"
#include "io/diag.h"
#include "modes.h"

enum { DETAIL_MAX = 64 * 1024 * 1024, SHOWN_RULE = 200 };

struct run {
	struct filter *filter;
	const struct derive_options *options;
	struct rules *rules;
	struct emit *emit;
	struct buffer detail;              /* of the books */
	bool hinted;                       /* at metlog-from-mozlog */
	uint64_t metrics, unmade, left_out; /* unmade and left_out: of rules that a reload took away */
};

/* --- rules --- */

static bool is_same(const struct rules_block *a, const struct rules_block *b)
{
	return span_equal(a->text, b->text) && span_equal(span_of(a->source), span_of(b->source));
}

/* What was counted of rules that are still there goes on; of the others only the sums are kept. */
static void keep_books(struct run *r, struct rules *old, struct rules *fresh)
{
	for (size_t i = 0; i < old->block_count; i++) {
		struct rules_block *before = &old->block[i], *after = NULL;
		for (size_t j = 0; j < fresh->block_count && !after; j++)
			if (is_same(before, &fresh->block[j])) after = &fresh->block[j];
		if (after) after->matched += before->matched;
		for (size_t a = before->metric; a < before->metric + before->metric_count; a++) {
			const struct rules_metric *metric = &old->metric[a];
			struct rules_metric *same = NULL;
			for (size_t b = after ? after->metric : 0; after && !same && b < after->metric + after->metric_count; b++)
				if (span_equal(metric->text, fresh->metric[b].text)) same = &fresh->metric[b];
			if (!same) r->unmade += metric->books.unmade, r->left_out += metric->books.left_out;
			else same->books.made += metric->books.made, same->books.unmade += metric->books.unmade, same->books.left_out += metric->books.left_out;
		}
	}
}

static void hang_up(struct run *r)
{
	rejects_reopen(&r->filter->rejects);
	struct rules *fresh = load_rules(r->options);
	if (!fresh) {
		diag_warn("SIGHUP: the rules cannot be used as they are now: all stay as they were");
		return;
	}
	keep_books(r, r->rules, fresh);
	emit_free(r->emit);
	unload_rules(r->rules);
	r->rules = fresh;
	r->emit = emit_new(fresh, r->filter->options.line_limit, r->options->seed);
	diag_warn("SIGHUP: the rules were read again: %zu block%s, %zu metric%s", fresh->block_count, fresh->block_count == 1 ? "" : "s", fresh->metric_count, fresh->metric_count == 1 ? "" : "s");
}

/* --- books --- */

static void append_count(struct buffer *out, const char *name, uint64_t count)
{
	buffer_append_text(out, ",\"");
	buffer_append_text(out, name);
	buffer_append_text(out, "\":");
	buffer_append_int(out, (int64_t)count);
}

static void append_metric(struct buffer *out, const struct rules_metric *metric)
{
	buffer_append_text(out, "{\"metric\":");
	text_append_quoted(out, metric->text);
	append_count(out, "line", metric->line);
	append_count(out, "made", metric->books.made);
	append_count(out, "unmade", metric->books.unmade);
	append_count(out, "left_out", metric->books.left_out);
	buffer_append_byte(out, '}');
}

static void refresh_detail(void *context)
{
	struct run *r = context;
	struct buffer *out = &r->detail;
	uint64_t unmade = r->unmade, left_out = r->left_out;
	buffer_clear(out);
	buffer_append_text(out, "\"rules\":[");
	for (size_t i = 0; i < r->rules->block_count; i++) {
		const struct rules_block *block = &r->rules->block[i];
		buffer_append_text(out, i ? ",{\"rule\":" : "{\"rule\":");
		text_append_quoted(out, block->text);
		append_count(out, "line", block->line);
		append_count(out, "matched", block->matched);
		buffer_append_text(out, ",\"metrics\":[");
		for (size_t m = 0; m < block->metric_count; m++) {
			const struct rules_metric *metric = &r->rules->metric[block->metric + m];
			if (m) buffer_append_byte(out, ',');
			append_metric(out, metric);
			unmade += metric->books.unmade, left_out += metric->books.left_out;
		}
		buffer_append_text(out, "]}");
	}
	buffer_append_byte(out, ']');
	*stats_extra(&r->filter->stats, "metrics") = r->metrics;
	*stats_extra(&r->filter->stats, "unmade") = unmade;
	*stats_extra(&r->filter->stats, "left_out") = left_out;
	r->filter->stats.detail_json = buffer_text(out);
}

static int shown_length(struct span text)
{
	return (int)(text.length < SHOWN_RULE ? text.length : SHOWN_RULE);
}

/* With -v: what the rules did not do. */
static void show_idle(const struct run *r)
{
	for (size_t i = 0; i < r->rules->block_count; i++) {
		const struct rules_block *block = &r->rules->block[i];
		if (!block->matched) diag_note(1, "%s:%zu: %.*s: never matched", block->source, block->line, shown_length(block->text), block->text.data);
		for (size_t m = block->metric; block->matched && m < block->metric + block->metric_count; m++) {
			const struct rules_metric *metric = &r->rules->metric[m];
			if (metric->books.made) continue;
			diag_note(1, "%s:%zu: %.*s: never made%s", block->source, metric->line, shown_length(metric->text), metric->text.data, metric->books.unmade ? ", for want of a name, a value or a rate" : "");
		}
	}
}

/* --- envelopes --- */

/* Of MozLog no rule takes anything, which would look like a log without requests. */
static void hint_at_mozlog(struct run *r, const struct envelope *e)
{
	if (r->hinted || !e->has_others || e->type.text.length || e->logger.text.length || !mozlog_is_likely(e->line)) return;
	r->hinted = true;
	diag_warn("%s:%" PRIu64 ": this looks like MozLog: metlog-from-mozlog makes envelopes of it", r->filter->reader.name, r->filter->line);
}

static void take(struct run *r, const struct envelope *e)
{
	struct filter *f = r->filter;
	struct span lines;
	uint64_t count;
	if (!emit_envelope(r->emit, e, &lines, &count)) {
		filter_reject(f, e, "a metric of it would be longer than --max-line");
		return;
	}
	r->metrics += count;
	if (!count) hint_at_mozlog(r, e);
	if (r->options->tee) filter_pass(f, e);
	else if (count) filter_booked_pass(f);
	else filter_drop(f);
	if (count && (!writer_bytes(&f->out, lines) || f->out.unbuffered)) filter_flush(f);
}

int derive_run(struct filter *filter, const struct derive_options *options, struct rules **rules)
{
	static struct run r;
	struct envelope e;
	enum filter_turn turn;
	r = (struct run){ .filter = filter, .options = options, .rules = *rules };
	r.emit = emit_new(r.rules, filter->options.line_limit, options->seed);
	buffer_init(&r.detail, DETAIL_MAX);
	filter->before_stats = refresh_detail;
	filter->before_stats_context = &r;
	signals_open(SIGNALS_HANGUP);
	while ((turn = filter_turn(filter, &e)) != TURN_END) {
		if (turn == TURN_ENVELOPE) {
			take(&r, &e);
		} else {
			filter_flush(filter);
			filter_wait(filter, NULL, 0, -1);
		}
		if (signals_take(SIGNALS_HANGUP)) hang_up(&r);
	}
	if (filter->options.verbose) show_idle(&r);
	int status = filter_close(filter);
	emit_free(r.emit);
	buffer_release(&r.detail);
	*rules = r.rules;
	return status;
}
