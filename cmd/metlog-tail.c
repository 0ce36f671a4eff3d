/* metlog-tail - shows a stream of envelopes to a person: files, their ends, standard input, or a live endpoint. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "envelope/mozlog.h"
#include "io/diag.h"
#include "tail/format.h"
#include "tail/last.h"
#include "tail/render.h"
#include "tail/screen.h"
#include "tail/sources.h"
#include "tail/translate.h"

enum { ENDPOINTS_MAX = 64, LINES_MAX = 1000000, LINES_WHEN_FOLLOWING = 10 };
enum form { FORM_AUTO, FORM_HUMAN, FORM_JSON, FORM_TEMPLATE };
enum { LINES_NOT_SAID = -2, WIDTH_NOT_SAID = -1, WIDTH_MAX = 10000 };

struct options {
	const char *endpoints[ENDPOINTS_MAX];
	size_t endpoint_count;
	const char *format_text;
	enum form form;
	bool follow, mozlog, oneline, all, raw, count;
	int64_t lines, sample, width;
};

struct tail {
	struct options options;
	struct filter filter;
	struct render render;
	struct format *format;
	struct sources sources;
	struct screen screen;
	struct last last;
	struct mozlog_reader *mozlog;
	struct buffer json;          /* a line of JSON made safe for the terminal */
	char *source_shown;
	uint64_t matched, shown;
	bool own_sources;            /* the files are read by `sources`; else by the filter */
	bool keeps_last;             /* -N of a stream: known only at its end */
	bool hinted;                 /* at --mozlog */
	bool skips, terminal;
};

enum { KEY_ONELINE = TOOL_KEY, KEY_FORMAT, KEY_JSON, KEY_PRETTY, KEY_RAW, KEY_COUNT, KEY_SAMPLE, KEY_FROM, KEY_WIDTH, KEY_MOZLOG };

static const struct argp_option own_options[] = {
	{ NULL, 0, NULL, 0, "What to read:", 1 },
	{ "follow", 'f', NULL, 0, "Go on when the end of a FILE is reached, across rotation and truncation", 1 },
	{ "lines", 'N', "COUNT", 0, "Begin with the last COUNT of the chosen envelopes of each FILE, or with all (default all; with -f 10)", 1 },
	{ "from", KEY_FROM, "ENDPOINT", 0, "Show a live stream, received by metlog-recv(1) from ENDPOINT; may be repeated", 1 },
	{ "mozlog", KEY_MOZLOG, NULL, 0, "Read lines of MozLog 2.0, as metlog-from-mozlog(1) does, and show the text between them", 1 },
	{ NULL, 0, NULL, 0, "How to show it:", 2 },
	{ "sample", KEY_SAMPLE, "N", 0, "Show only each Nth of the chosen envelopes", 10 },
	{ "count", KEY_COUNT, NULL, 0, "Print only how many envelopes were chosen, at the end", 2 },
	{ "pretty", KEY_PRETTY, NULL, 0, "Show the form for people, even if standard output is no terminal", 2 },
	{ "oneline", KEY_ONELINE, NULL, 0, "Show the form for people, one line an envelope", 2 },
	{ "all", 'a', NULL, 0, "Show the form for people, with metlog_hostname, metlog_pid and unknown members", 2 },
	{ "width", KEY_WIDTH, "COLUMNS", 0, "Show the form for people, as on a terminal of so many columns; 0: nothing is laid out or cut (default the terminal's)", 2 },
	{ "format", KEY_FORMAT, "TEMPLATE", 0, "Show a line of your own: '{timestamp} {fields.name|-}={payload}'", 2 },
	{ "json", KEY_JSON, NULL, 0, "Show the envelopes byte for byte, even on a terminal", 2 },
	{ "raw", KEY_RAW, NULL, 0, "Let control characters in the text through to the terminal: dangerous", 2 },
	{ 0 },
};

static void choose_form(struct options *o, enum form form)
{
	if (o->form != FORM_AUTO && o->form != form) tool_usage_error("choose one of --json, --format and --pretty (or --oneline, --all, --width)");
	o->form = form;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	switch (key) {
	case 'f': o->follow = true; break;
	case 'N': o->lines = strcmp(arg, "all") == 0 ? SOURCES_ALL : tool_integer("--lines", arg, 0, LINES_MAX); break;
	case 'a': o->all = true, choose_form(o, FORM_HUMAN); break;
	case KEY_ONELINE: o->oneline = true, choose_form(o, FORM_HUMAN); break;
	case KEY_MOZLOG: o->mozlog = true; break;
	case KEY_WIDTH: o->width = tool_integer("--width", arg, 0, WIDTH_MAX), choose_form(o, FORM_HUMAN); break;
	case KEY_PRETTY: choose_form(o, FORM_HUMAN); break;
	case KEY_JSON: choose_form(o, FORM_JSON); break;
	case KEY_FORMAT: o->format_text = arg, choose_form(o, FORM_TEMPLATE); break;
	case KEY_RAW: o->raw = true; break;
	case KEY_COUNT: o->count = true; break;
	case KEY_SAMPLE: o->sample = tool_integer("--sample", arg, 1, INT64_MAX); break;
	case KEY_FROM:
		if (o->endpoint_count == ENDPOINTS_MAX) tool_usage_error("--from: more than %d endpoints", ENDPOINTS_MAX);
		o->endpoints[o->endpoint_count++] = arg;
		break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct tool_about about = {
	.name = "metlog-tail",
	.usage = "[FILE...]",
	.summary = "Show a stream of envelopes to a person: files, also while they grow, standard input, or a live endpoint",
	.examples = "  metlog-tail -f /var/log/metlog/app.ndjson\n"
	            "  metlog-tail -f -m 'severity <= 4' app.ndjson web.ndjson\n"
	            "  metlog-tail --from sub:tcp://127.0.0.1:5565 \\\n"
	            "      -m 'type == \"timer\" && fields.name =~ /^db/'\n"
	            "  docker logs -f web | metlog-tail --mozlog\n"
	            "  metlog-tail --since -15m --format '{@time} {logger} {payload}' app.ndjson\n",
	.uses = USES_INPUT | USES_MATCH | USES_TIMES | USES_ZONE | USES_OUTPUT | USES_COLOR | USES_ACCESS,
	.options = own_options,
	.parse = parse,
};

/* --- output --- */

static void put(struct tail *t, struct span text)
{
	if (t->skips) {
		if (!screen_put(&t->screen, text)) filter_drop(&t->filter), t->filter.stats.passed--;
		if (t->screen.waiting.length >= SCREEN_CHUNK) screen_drain(&t->screen);
		return;
	}
	if (!writer_bytes(&t->filter.out, text) || t->filter.options.unbuffered) filter_flush(&t->filter);
}

static struct span json_line(struct tail *t, const struct envelope *e)
{
	buffer_clear(&t->json);
	if (t->terminal && !t->options.raw) show_json_line(&t->json, e->line);
	else buffer_append_span(&t->json, e->line);
	if (!buffer_append_byte(&t->json, '\n')) die(EXIT_INTERNAL, "no memory to show an envelope");
	return buffer_span(&t->json);
}

/* Which of several files the next envelopes are from. */
static void show_source(struct tail *t)
{
	size_t sources = t->own_sources ? t->sources.count : (size_t)t->filter.options.operand_count;
	const char *name = t->own_sources ? sources_name(&t->sources) : t->filter.reader.name;
	if (sources < 2 || t->options.oneline || (t->source_shown && strcmp(name, t->source_shown) == 0)) return;
	put(t, render_source(&t->render, name));
	free(t->source_shown);
	t->source_shown = must_copy(span_of(name));
}

static void hint_at_mozlog(struct tail *t, struct span line)
{
	if (t->hinted || t->options.mozlog || !mozlog_is_likely(line)) return;
	t->hinted = true;
	diag_warn("%s: these lines look like MozLog: try --mozlog", t->filter.reader.name);
}

static void show(struct tail *t, const struct envelope *e)
{
	if (t->options.form != FORM_JSON && e->has_others && !e->type.text.length && !e->logger.text.length) hint_at_mozlog(t, e->line);
	switch (t->options.form) {
	case FORM_JSON:
		if (t->skips || (t->terminal && !t->options.raw)) break;
		filter_pass(&t->filter, e);
		return;
	case FORM_TEMPLATE:
		filter_booked_pass(&t->filter);
		put(t, format_envelope(t->format, &t->render, e));
		return;
	default:
		show_source(t);
		filter_booked_pass(&t->filter);
		put(t, t->mozlog && translate_is_text(e) ? render_text(&t->render, e->payload) : render_envelope(&t->render, e));
		return;
	}
	filter_booked_pass(&t->filter);
	put(t, json_line(t, e));
}

static void take(struct tail *t, const struct envelope *e)
{
	if (t->options.sample > 1 && t->matched++ % (uint64_t)t->options.sample != 0) {
		filter_drop(&t->filter);
	} else if (t->options.count) {
		t->shown++;
		filter_booked_pass(&t->filter);
	} else if (t->keeps_last) {
		if (last_keep(&t->last, e->line)) filter_drop(&t->filter); /* an older one has gone for it */
	} else {
		show(t, e);
	}
}

static void show_reject(void *context, const struct reject *reject)
{
	struct tail *t = context;
	if (t->options.form != FORM_JSON) hint_at_mozlog(t, reject->raw);
	if (t->options.form != FORM_HUMAN || t->options.count) return;
	struct span text = render_reject(&t->render, reject->reason, reject->source, reject->line, reject->raw, reject->length);
	if (t->skips) screen_put(&t->screen, text);
	else writer_bytes(&t->filter.out, text);
}

static void measure(struct tail *t)
{
	struct winsize size;
	if (t->options.width != WIDTH_NOT_SAID) t->render.width = (size_t)t->options.width;
	else if (t->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) t->render.width = size.ws_col;
}

/* --- begin, wait, end --- */

/* Our own options of access are metlog-recv's. Keys are for ZeroMQ alone: beside such an endpoint another gets none; keys that fit no
 * endpoint are metlog-recv's to refuse. */
static void add_endpoint(struct tail *t, const char *endpoint)
{
	const struct tool_access *a = &t->filter.options.access;
	const struct { const char *name, *value; } keys[] = {
		{ "--curve-secret", a->curve_secret }, { "--curve-clients", a->curve_clients }, { "--curve-server", a->curve_server },
	};
	const char *arguments[2 * sizeof keys / sizeof *keys + 1];
	size_t count = 0;
	bool plain = strncmp(endpoint, "udp:", 4) == 0 || strncmp(endpoint, "tcp:", 4) == 0 || strncmp(endpoint, "unix:", 5) == 0;
	for (size_t i = 0; i < sizeof keys / sizeof *keys && !(plain && t->options.endpoint_count > 1); i++)
		if (keys[i].value) arguments[count++] = keys[i].name, arguments[count++] = keys[i].value;
	if (a->insecure) arguments[count++] = "--insecure";
	sources_add_endpoint(&t->sources, &t->filter, endpoint, arguments, count);
}

static void add_sources(struct tail *t)
{
	struct options *o = &t->options;
	struct tool_options *shared = &t->filter.options;
	bool since = shared->since != INT64_MIN;
	int64_t lines = o->lines != LINES_NOT_SAID ? o->lines : o->follow && !since ? LINES_WHEN_FOLLOWING : SOURCES_ALL;
	if (o->endpoint_count == 0 && !o->follow && lines == SOURCES_ALL) return;
	t->own_sources = true;
	t->filter.progress.wanted = false; /* of a file that is followed there is no end */
	sources_init(&t->sources, &t->filter, lines, o->follow);
	for (size_t i = 0; i < o->endpoint_count; i++) add_endpoint(t, o->endpoints[i]);
	for (int i = 0; i < shared->operand_count; i++) sources_add_file(&t->sources, &t->filter, shared->operands[i]);
	if (shared->operand_count == 0 && o->endpoint_count == 0) {
		sources_add_file(&t->sources, &t->filter, "-");
		t->keeps_last = t->sources.list[0].stream && o->lines >= 0 && !o->count;
		if (t->keeps_last) last_init(&t->last, (size_t)o->lines);
	}
}

static void tail_open(struct tail *t, int argc, char **argv)
{
	struct options *o = &t->options;
	struct format_fault fault;
	o->lines = LINES_NOT_SAID;
	o->width = WIDTH_NOT_SAID;
	filter_open(&t->filter, &about, argc, argv, o);
	const struct tool_access *a = &t->filter.options.access;
	if (!o->endpoint_count && (a->curve_secret || a->curve_clients || a->curve_server || a->insecure))
		tool_usage_error("%s: only for --from", a->insecure ? "--insecure" : "keys");
	t->terminal = isatty(STDOUT_FILENO);
	if (o->form == FORM_AUTO) o->form = t->terminal ? FORM_HUMAN : FORM_JSON;
	if (o->form == FORM_TEMPLATE && !(t->format = format_new(o->format_text, &fault)))
		tool_usage_error_at("--format", o->format_text, fault.column, fault.reason);
	render_init(&t->render, o->raw);
	t->render.oneline = o->oneline;
	t->render.all = o->all;
	t->render.colors = tool_colors(&t->filter.options, STDOUT_FILENO);
	buffer_init(&t->json, SHOW_LIMIT);
	measure(t);
	t->skips = o->endpoint_count > 0 && t->terminal && screen_open(&t->screen, STDOUT_FILENO);
	t->filter.rejects.shown = o->form == FORM_HUMAN && !o->count && t->terminal && isatty(STDERR_FILENO); /* there it stands already, marked */
	t->filter.reopens = true;
	t->filter.on_reject = show_reject;
	t->filter.on_reject_context = t;
	if (o->mozlog) {
		if (!(t->mozlog = mozlog_reader_new())) die(EXIT_INTERNAL, "no memory to read MozLog");
		t->filter.translate = translate_line;
		t->filter.translate_context = t->mozlog;
	}
	add_sources(t);
}

static void wait_for_more(struct tail *t)
{
	if (t->skips) screen_drain(&t->screen);
	filter_flush(&t->filter);
	if (t->own_sources) sources_wait(&t->sources, &t->filter, screen_is_waiting(&t->screen));
	else filter_wait(&t->filter, NULL, 0, -1);
	measure(t);
}

/* What -N of a stream has kept. */
static void show_last(struct tail *t)
{
	struct scan scan;
	struct buffer copy;
	struct envelope e;
	struct envelope_fault fault;
	struct span line;
	if (!scan_init(&scan)) die(EXIT_INTERNAL, "no memory for the scanner");
	buffer_init(&copy, SHOW_LIMIT);
	while (last_next(&t->last, &line))
		if (envelope_parse_copy(&e, &scan, &copy, line, &fault) == ENVELOPE_GOOD) show(t, &e);
	last_release(&t->last);
	buffer_release(&copy);
	scan_release(&scan);
}

static int tail_close(struct tail *t)
{
	if (t->keeps_last) show_last(t);
	if (t->options.count) {
		char text[32];
		int length = snprintf(text, sizeof text, "%" PRIu64 "\n", t->shown);
		writer_bytes(&t->filter.out, (struct span){ text, (size_t)length });
	}
	if (t->skips && !screen_close(&t->screen)) {
		diag_error("standard output: %s", strerror(t->screen.error));
		filter_fail(&t->filter, EXIT_IO);
	}
	if (t->screen.skipped_in_all) *stats_extra(&t->filter.stats, "skipped") = t->screen.skipped_in_all;
	if (t->own_sources) sources_close(&t->sources, &t->filter);
	free(t->source_shown);
	format_free(t->format);
	render_release(&t->render);
	buffer_release(&t->json);
	mozlog_reader_free(t->mozlog);
	return filter_close(&t->filter);
}

int main(int argc, char **argv)
{
	static struct tail tail;
	struct envelope envelope;
	tail_open(&tail, argc, argv);
	for (;;) switch (tail.own_sources ? sources_turn(&tail.sources, &tail.filter, &envelope) : filter_turn(&tail.filter, &envelope)) {
	case TURN_ENVELOPE: take(&tail, &envelope); break;
	case TURN_WAIT: wait_for_more(&tail); break;
	case TURN_END: return tail_close(&tail);
	}
}
