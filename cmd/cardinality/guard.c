/* guard - passes envelopes on and keeps their tags tame. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "admitted_log.h"
#include "base/text.h"
#include "io/diag.h"
#include "io/whole.h"
#include "modes.h"
#include "offenders.h"
#include "rules.h"
#include "tame.h"

enum { DETAIL_MAX = 64 * 1024 * 1024, SHOWN_OFFENDERS = 5, SHOWN_RULE = 200 };

struct guard {
	struct filter *filter;
	const struct cardinality_options *options;
	struct rules *rules;
	struct admitted admitted;
	struct admitted_log *log;    /* NULL: nothing is remembered */
	struct tame tame;
	struct buffer detail;        /* of the books */
	uint64_t changed;            /* envelopes */
};

/* --- rules --- */

static bool add_rules(struct rules *rules, const char *source, struct span text, bool only_one)
{
	struct logical_fault fault;
	if (rules_add(rules, source, text, only_one, &fault)) return true;
	if (fault.line) diag_error_at(source, fault.line, fault.column, fault.reason, fault.physical);
	else diag_error("%s: %s", source, fault.reason);
	return false;
}

static bool add_file(struct rules *rules, const char *path)
{
	struct buffer text;
	int error = whole_read(&text, path, RULES_BYTES_MAX);
	if (error) diag_error("%s: %s", path, strerror(error));
	bool good = !error && add_rules(rules, path, buffer_span(&text), false);
	buffer_release(&text);
	return good;
}

static void free_rules(struct rules *rules)
{
	rules_release(rules);
	free(rules);
}

/* All rules there are; NULL: one is mistaken, and it was said. */
static struct rules *read_rules(const struct cardinality_options *o)
{
	struct rules *rules = must_alloc(sizeof *rules);
	bool good = true;
	rules_init(rules);
	if (o->rules_file) good = add_file(rules, o->rules_file);
	for (size_t i = 0; good && i < o->rule_count; i++) good = add_rules(rules, "--rule", span_of(o->rule[i]), true);
	if (good) return rules;
	free_rules(rules);
	return NULL;
}

/* Each --rule is one. */
static bool has_file_rules(const struct rules *rules, const struct cardinality_options *o)
{
	return rules->count > o->rule_count;
}

/* What was counted of rules that are still there goes on. */
static void keep_books(struct rules *old, struct rules *fresh)
{
	for (size_t i = 0; i < fresh->count; i++) {
		struct rule *before = (struct rule *)rules_find(old, fresh->rule[i].identity);
		if (!before) continue;
		fresh->rule[i].books = before->books;
		fresh->rule[i].offenders = before->offenders;
		before->offenders = NULL;
	}
}

static void hang_up(struct guard *g)
{
	rejects_reopen(&g->filter->rejects);
	if (!g->options->rules_file) return;
	struct rules *fresh = read_rules(g->options);
	if (fresh && !has_file_rules(fresh, g->options)) {
		/* It is being written just now, or was a pipe: nobody wanted every value let in. */
		diag_error("%s: there is no rule in it", g->options->rules_file);
		free_rules(fresh);
		fresh = NULL;
	}
	if (!fresh) {
		diag_warn("SIGHUP: %s cannot be used as it is now: all rules stay as they were", g->options->rules_file);
		return;
	}
	keep_books(g->rules, fresh);
	tame_rules(&g->tame, fresh);
	free_rules(g->rules);
	g->rules = fresh;
	diag_warn("SIGHUP: %s was read again: %zu rule%s", g->options->rules_file, fresh->count, fresh->count == 1 ? "" : "s");
}

/* --- books --- */

static size_t admitted_count(const struct rule *rule)
{
	return rule->set ? rule->set->values.count : 0;
}

static void append_count(struct buffer *out, const char *name, uint64_t count)
{
	buffer_append_text(out, ",\"");
	buffer_append_text(out, name);
	buffer_append_text(out, "\":");
	buffer_append_int(out, (int64_t)count);
}

static void refresh_detail(void *context)
{
	struct guard *g = context;
	struct buffer *out = &g->detail;
	buffer_clear(out);
	buffer_append_text(out, "\"rules\":[");
	for (size_t i = 0; i < g->rules->count; i++) {
		const struct rule *rule = &g->rules->rule[i];
		buffer_append_text(out, i ? ",{\"rule\":" : "{\"rule\":");
		text_append_quoted(out, rule->text);
		append_count(out, "matched", rule->books.matched);
		append_count(out, "changed", rule->books.changed);
		append_count(out, "dropped", rule->books.dropped);
		if (rule_has_set(rule)) append_count(out, "admitted", admitted_count(rule));
		if (rule->kind == RULE_BUCKET) append_count(out, "bad", rule->books.bad);
		buffer_append_byte(out, '}');
	}
	buffer_append_byte(out, ']');
	*stats_extra(&g->filter->stats, "changed") = g->changed;
	g->filter->stats.detail_json = buffer_text(out);
}

static void show_offenders(const struct rule *rule)
{
	if (!rule->offenders) return;
	struct buffer shown; /* a newline in a value would begin a message of its own */
	buffer_init(&shown, SIZE_MAX / 2);
	offenders_sort(rule->offenders);
	for (uint32_t i = 0; i < rule->offenders->used && i < SHOWN_OFFENDERS; i++) {
		const struct offender *one = &rule->offenders->kept[i];
		buffer_clear(&shown);
		text_append_visible(&shown, (struct span){ one->text, one->shown });
		diag_note(1, "    %s%" PRIu64 " x '%s'%s", one->over ? "at most " : "", one->count, buffer_text(&shown), one->shown < one->length ? "..." : "");
	}
	buffer_release(&shown);
}

/* With -v: what each rule did, and to whom. */
static void show_rules(const struct guard *g)
{
	if (!g->filter->options.verbose) return;
	for (size_t i = 0; i < g->rules->count; i++) {
		const struct rule *rule = &g->rules->rule[i];
		size_t shown = rule->text.length < SHOWN_RULE ? rule->text.length : SHOWN_RULE;
		const char *more = shown < rule->text.length ? "..." : "";
		if (!rule->books.matched) {
			diag_note(1, "%s:%zu: %.*s%s: never matched", rule->source, rule->line, (int)shown, rule->text.data, more);
			continue;
		}
		char own[64] = "";
		if (rule_has_set(rule)) snprintf(own, sizeof own, ", admitted %zu", admitted_count(rule));
		if (rule->kind == RULE_BUCKET) snprintf(own, sizeof own, ", bad %" PRIu64, rule->books.bad);
		diag_note(1, "%s:%zu: %.*s%s: matched %" PRIu64 ", changed %" PRIu64 ", dropped %" PRIu64 "%s", rule->source, rule->line, (int)shown, rule->text.data, more, rule->books.matched,
			rule->books.changed, rule->books.dropped, own);
		show_offenders(rule);
	}
}

/* --- envelopes --- */

/* False: no more may pass. */
static bool take(struct guard *g, const struct envelope *e)
{
	struct envelope changed;
	switch (tame_envelope(&g->tame, e, &changed.line)) {
	case TAME_SAME: filter_pass(g->filter, e); break;
	case TAME_CHANGED:
		g->changed++;
		filter_pass(g->filter, &changed);
		break;
	case TAME_LONG: filter_reject(g->filter, e, "longer than --max-line with what the rules put in"); break;
	case TAME_FAILED:
		/* Passed, it would have a second chance with each restart. */
		diag_error("%s: %s", admitted_log_name(g->log), strerror(g->admitted.error));
		filter_reject(g->filter, e, "a value in it could not be remembered");
		filter_fail(g->filter, EXIT_IO);
		return false;
	}
	return true;
}

/* What goes out is remembered, also if the power fails: as often as values are let in, which the rules bound. Not to be tried again where it failed: a second fsync
 * says that all is well. */
static bool sync_log(struct guard *g)
{
	int error = g->log ? admitted_log_sync(g->log) : 0;
	if (!error) return true;
	diag_error("%s: %s", admitted_log_name(g->log), strerror(error));
	filter_fail(g->filter, EXIT_IO);
	return false;
}

static bool is_due(const struct guard *g)
{
	return g->log && admitted_log_is_due(g->log);
}

static void run(struct guard *g)
{
	struct envelope e;
	bool good;
	for (;;) {
		switch (filter_turn(g->filter, &e)) {
		case TURN_ENVELOPE:
			good = take(g, &e);
			if ((!good || is_due(g)) && !sync_log(g)) good = false;
			if (!good) return;
			break;
		case TURN_WAIT:
			if (!sync_log(g)) return;
			filter_flush(g->filter);
			filter_wait(g->filter, NULL, 0, -1);
			break;
		case TURN_END: sync_log(g); return;
		}
		if (signals_take(SIGNALS_HANGUP)) hang_up(g);
	}
}

int guard_run(struct filter *filter, const struct cardinality_options *options)
{
	static struct guard g;
	g = (struct guard){ .filter = filter, .options = options, .rules = read_rules(options) };
	if (!g.rules) return EXIT_CONFIGURATION;
	if (options->rules_file && !has_file_rules(g.rules, options)) diag_warn("%s: there is no rule in it", options->rules_file);
	buffer_init(&g.detail, DETAIL_MAX);
	admitted_init(&g.admitted, options->memory_limit);
	if (options->state) g.log = admitted_log_open(options->state, &g.admitted);
	tame_init(&g.tame, g.rules, &g.admitted, filter->options.line_limit);
	g.tame.keeps_offenders = filter->options.verbose;
	filter->before_stats = refresh_detail;
	filter->before_stats_context = &g;
	signals_open(SIGNALS_HANGUP);
	run(&g);
	show_rules(&g);
	int status = filter_close(filter);
	if (g.log) admitted_log_close(g.log);
	tame_release(&g.tame);
	admitted_release(&g.admitted);
	free_rules(g.rules);
	buffer_release(&g.detail);
	return status;
}
