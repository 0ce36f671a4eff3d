/* metlog-lint - checks metrics against a catalogue: names, types, tags, values. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "filter/filter.h"
#include "io/diag.h"
#include "io/whole.h"
#include "lint/check.h"

enum { KEY_CATALOG = TOOL_KEY, KEY_CHECK, KEY_FORMAT, KEY_LIVE, KEY_TEE, KEY_UNUSED };

enum { CATALOGS_MAX = 64 };

struct lint_options {
	const char *catalog[CATALOGS_MAX];
	size_t catalog_count;
	bool check, json, live, tee, unused;
};

static const struct argp_option rows[] = {
	{ NULL, 0, NULL, 0, "Check:", 1 },
	{ "catalog", KEY_CATALOG, "FILE", 0, "Read the catalogue from FILE, see metlog-catalog(5); may be repeated", 1 },
	{ "check", KEY_CHECK, NULL, 0, "Only read the catalogue", 1 },
	{ "format", KEY_FORMAT, "FORMAT", 0, "Write findings as text or as json, which is envelopes (default text)", 1 },
	{ "live", KEY_LIVE, NULL, 0, "Write each finding as soon as it is there, not at the end and counted", 1 },
	{ "tee", KEY_TEE, NULL, 0, "Pass every envelope on; findings as text go to standard error", 1 },
	{ "unused", KEY_UNUSED, NULL, 0, "Also tell which metrics of the catalogue never came", 1 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct lint_options *o = state->input;
	switch (key) {
	case KEY_CATALOG:
		if (o->catalog_count == CATALOGS_MAX) tool_usage_error("--catalog: more than %d of them", CATALOGS_MAX);
		o->catalog[o->catalog_count++] = arg;
		return 0;
	case KEY_CHECK: o->check = true; return 0;
	case KEY_FORMAT:
		o->json = !strcmp(arg, "json");
		if (!o->json && strcmp(arg, "text") != 0) tool_usage_error("--format: text or json, not \"%s\"", arg);
		return 0;
	case KEY_LIVE: o->live = true; return 0;
	case KEY_TEE: o->tee = true; return 0;
	case KEY_UNUSED: o->unused = true; return 0;
	case ARGP_KEY_END:
		if (!o->catalog_count) tool_usage_error("--catalog: which metrics there are has to be said");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct tool_about about = {
	.name = "metlog-lint",
	.usage = "[FILE...]",
	.summary = "Check metrics against a catalogue of their names, types, tags and values",
	.examples =
		"  metlog-lint --catalog catalog.txt metrics.ndjson\n"
		"  metlog-derive --rules metrics.rules day.ndjson |\n"
		"      metlog-lint --catalog catalog.txt --unused\n"
		"  metlog-recv --from udp:127.0.0.1:5565 |\n"
		"      metlog-lint --catalog catalog.txt --live\n",
	.uses = USES_INPUT | USES_MATCH | USES_TIMES | USES_ZONE | USES_OUTPUT,
	.options = rows,
	.parse = parse,
};

struct lint {
	struct filter filter;
	struct lint_options options;
	struct catalog *catalog;
	struct findings findings;
	struct check check;
	struct buffer line;     /* that is being written */
	uint64_t metrics, faulty;
};

/* --- the catalogue --- */

static bool add_file(struct catalog *catalog, const char *path)
{
	struct buffer text;
	struct logical_fault fault;
	int error = whole_read(&text, path, CATALOG_BYTES_MAX);
	bool good = !error && catalog_add(catalog, path, buffer_span(&text), &fault);
	if (error) diag_error("%s: %s", path, strerror(error));
	else if (!good && fault.line) diag_error_at(path, fault.line, fault.column, fault.reason, fault.physical);
	else if (!good) diag_error("%s: %s", path, fault.reason);
	buffer_release(&text);
	return good;
}

/* NULL: one is mistaken, and it was said. */
static struct catalog *read_catalog(const struct lint_options *o)
{
	struct catalog *catalog = must_alloc(sizeof *catalog);
	bool good = true;
	catalog_init(catalog);
	for (size_t i = 0; good && i < o->catalog_count; i++) good = add_file(catalog, o->catalog[i]);
	if (good && !catalog->form_count) diag_error("%s: there is no metric in it", o->catalog[0]);
	if (good && catalog->form_count) return catalog;
	catalog_release(catalog);
	free(catalog);
	return NULL;
}

static void hang_up(struct lint *l)
{
	rejects_reopen(&l->filter.rejects);
	struct catalog *fresh = read_catalog(&l->options);
	if (!fresh) {
		diag_warn("SIGHUP: the catalogue cannot be used as it is now: all of it stays as it was");
		return;
	}
	catalog_release(l->catalog);
	free(l->catalog);
	l->catalog = l->check.catalog = fresh;
	diag_warn("SIGHUP: the catalogue was read again: %zu name%s", fresh->names.count, fresh->names.count == 1 ? "" : "s");
}

/* --- findings --- */

static void show(struct lint *l, const struct finding *one)
{
	buffer_clear(&l->line);
	if (l->options.json) finding_append_json(&l->line, one);
	else finding_append_text(&l->line, one, !l->options.live);
	if (l->line.failed) die(EXIT_INTERNAL, "no memory for a finding");
	if (l->options.tee && !l->options.json) {
		diag_error("%.*s", (int)l->line.length, l->line.data);
		return;
	}
	writer_line(&l->filter.out, buffer_span(&l->line)); /* what went wrong is told by filter_flush */
}

static void show_now(void *context, const struct finding *one)
{
	show(context, one);
}

static void show_sorted(struct lint *l)
{
	const struct finding **sorted = findings_sorted(&l->findings);
	for (size_t i = 0; i < l->findings.table.count; i++) show(l, sorted[i]);
	free(sorted);
}

static void show_unused(struct lint *l)
{
	for (size_t i = 0; i < l->catalog->form_count; i++) {
		const struct catalog_form *form = &l->catalog->form[i];
		if (form->came) continue;
		show(l, &(struct finding){ .kind = FINDING_UNUSED, .type = form->line->kind, .name = form->name, .source = form->line->source, .line = form->line->number });
	}
}

static void conclude(struct lint *l)
{
	const struct findings *f = &l->findings;
	if (!l->options.live) show_sorted(l);
	if (l->options.unused) show_unused(l);
	if (f->left_out) diag_warn("more than %d kinds of findings: %" PRIu64 " were not told", FINDINGS_MAX, f->left_out);
	if (f->count) diag_warn("%" PRIu64 " of %" PRIu64 " metrics do not fit the catalogue", l->faulty, l->metrics);
	else if (!l->metrics && l->filter.stats.dropped) diag_warn("none of %" PRIu64 " envelopes is a metric", l->filter.stats.dropped);
	else diag_note(1, "all of %" PRIu64 " metrics fit the catalogue", l->metrics);
	if (f->count) filter_fail(&l->filter, EXIT_NEGATIVE);
}

static void say_good(struct lint *l)
{
	size_t count = l->catalog->names.count;
	buffer_append_text(&l->line, l->options.catalog_count == 1 ? l->options.catalog[0] : "the catalogue");
	buffer_append_text(&l->line, ": ");
	buffer_append_int(&l->line, (int64_t)count);
	buffer_append_text(&l->line, count == 1 ? " name: good" : " names: good");
	writer_line(&l->filter.out, buffer_span(&l->line));
}

/* --- envelopes --- */

static void take(struct lint *l, const struct envelope *e)
{
	enum check_verdict verdict = check_envelope(&l->check, e, l->filter.reader.name, l->filter.line);
	l->metrics += verdict != CHECK_NO_METRIC;
	l->faulty += verdict == CHECK_FAULTY;
	if (l->options.tee) filter_pass(&l->filter, e);
	else if (verdict == CHECK_NO_METRIC) filter_drop(&l->filter);
	else filter_booked_pass(&l->filter);
}

static void run(struct lint *l)
{
	struct envelope e;
	for (;;) {
		switch (filter_turn(&l->filter, &e)) {
		case TURN_ENVELOPE: take(l, &e); break;
		case TURN_WAIT:
			filter_flush(&l->filter);
			filter_wait(&l->filter, NULL, 0, -1);
			break;
		case TURN_END: return;
		}
		if (signals_take(SIGNALS_HANGUP)) hang_up(l);
	}
}

static void refresh_stats(void *context)
{
	struct lint *l = context;
	*stats_extra(&l->filter.stats, "metrics") = l->metrics;
	*stats_extra(&l->filter.stats, "faulty") = l->faulty;
	*stats_extra(&l->filter.stats, "findings") = l->findings.count;
}

int main(int argc, char **argv)
{
	static struct lint l;
	filter_open(&l.filter, &about, argc, argv, &l.options);
	l.catalog = read_catalog(&l.options);
	if (!l.catalog) return EXIT_CONFIGURATION;
	findings_init(&l.findings);
	check_init(&l.check, l.catalog, &l.findings);
	l.check.on_finding = l.options.live ? show_now : NULL;
	l.check.context = &l;
	buffer_init(&l.line, SIZE_MAX / 2);
	l.filter.before_stats = refresh_stats;
	l.filter.before_stats_context = &l;
	signals_open(SIGNALS_HANGUP);
	if (l.options.check) {
		say_good(&l);
	} else {
		run(&l);
		conclude(&l);
	}
	int status = filter_close(&l.filter);
	check_release(&l.check);
	findings_release(&l.findings);
	buffer_release(&l.line);
	catalog_release(l.catalog);
	free(l.catalog);
	return status;
}
