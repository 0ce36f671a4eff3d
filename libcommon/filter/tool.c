/* tool - what a program says of itself, its options (argp), and the options the family shares. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "filter/tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/number.h"
#include "base/timestamp.h"
#include "config.h"
#include "io/diag.h"

/* Keys of the shared long-only options; the tools' own begin at TOOL_KEY. */
enum { KEY_TZ = 0x800, KEY_REJECTS, KEY_MAX_LINE, KEY_STRICT, KEY_STATS, KEY_COLOR, KEY_CURVE_SECRET, KEY_CURVE_CLIENTS, KEY_CURVE_SERVER,
	KEY_INSECURE, KEY_HELP, KEY_USAGE };

enum { ALWAYS = 0 };

/* The one table: same letters, same meaning, whatever the tool. */
static const struct shared {
	unsigned uses;
	struct argp_option option;
} shared[] = {
	{ USES_ACCESS, { NULL, 0, NULL, 0, "Encryption and access:", 9 } },
	{ USES_ACCESS, { "curve-secret", KEY_CURVE_SECRET, "FILE", 0, "Use the CURVE key pair in FILE; where ZeroMQ binds, be a CURVE server with it", 9 } },
	{ USES_ACCESS, { "curve-clients", KEY_CURVE_CLIENTS, "DIR", 0, "Where ZeroMQ binds, let in only CURVE clients whose public keys are in DIR", 9 } },
	{ USES_ACCESS, { "curve-server", KEY_CURVE_SERVER, "FILE", 0, "Where ZeroMQ connects, encrypt to the CURVE server whose public key is in FILE", 9 } },
	{ USES_ACCESS, { "insecure", KEY_INSECURE, NULL, 0, "Allow endpoints beyond this host without CURVE", 9 } },
	{ USES_MATCH | USES_TIMES | USES_ZONE, { NULL, 0, NULL, 0, "Which envelopes:", 10 } },
	{ USES_MATCH, { "match", 'm', "EXPR", 0, "Take only envelopes that match EXPR (see metlog-match(7))", 10 } },
	{ USES_TIMES, { "since", 'S', "TIME", 0, "Take only envelopes stamped at TIME or later: RFC 3339, -15m, today, @EPOCH", 10 } },
	{ USES_TIMES, { "until", 'U', "TIME", 0, "Take only envelopes stamped before TIME", 10 } },
	{ USES_ZONE, { "tz", KEY_TZ, "ZONE", 0, "Read and show times in ZONE: UTC (default), local, or a name such as Europe/Berlin", 10 } },
	{ USES_INPUT | USES_OUTPUT | USES_COLOR | USES_DRY_RUN, { NULL, 0, NULL, 0, "Input and output:", 11 } },
	{ USES_DRY_RUN, { "dry-run", 'n', NULL, 0, "Print exactly the bytes that would be sent, and send nothing", 11 } },
	{ USES_INPUT, { "rejects", KEY_REJECTS, "FILE", 0, "Append lines that are no good envelopes to FILE, as envelopes of type metlog.reject", 11 } },
	{ USES_INPUT, { "max-line", KEY_MAX_LINE, "SIZE", 0, "Reject lines longer than SIZE (default 1Mi)", 11 } },
	{ USES_INPUT, { "strict", KEY_STRICT, NULL, 0, "Stop at the first reject", 11 } },
	{ USES_INPUT, { "stats", KEY_STATS, "FILE", 0, "At the end append the books to FILE as one envelope of type metlog.stats (- is standard error)", 11 } },
	{ USES_OUTPUT, { "unbuffered", 'u', NULL, 0, "Write each line at once, not only before waiting for input", 11 } },
	{ USES_COLOR, { "color", KEY_COLOR, "WHEN", 0, "Use colours WHEN: auto (default), always, never", 11 } },
	{ ALWAYS, { NULL, 0, NULL, 0, "General:", -1 } },
	{ ALWAYS, { "quiet", 'q', NULL, 0, "Print no warnings", -1 } },
	{ ALWAYS, { "verbose", 'v', NULL, 0, "Say more; twice, even more", -1 } },
	{ ALWAYS, { "help", KEY_HELP, NULL, 0, "Print this help and exit", -1 } },
	{ ALWAYS, { "usage", KEY_USAGE, NULL, OPTION_HIDDEN, NULL, -1 } },
	{ ALWAYS, { "version", 'V', NULL, 0, "Print the version and exit", -1 } },
};

struct parsing {
	const struct tool_about *about;
	struct tool_options *options;
	void *context;
	const char *since, *until;
};

void tool_usage_error(const char *format, ...)
{
	char message[1024];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	diag_error("%s", message);
	fprintf(stderr, "Try '%s --help' for more information.\n", diag_program());
	exit(EXIT_USAGE);
}

_Noreturn void tool_usage_error_at(const char *option, const char *text, size_t column, const char *reason)
{
	const char *line = text;
	int caret = 1;
	for (const char *at = text; *at && at + 1 < text + column; at++) {
		caret += ((unsigned char)*at & 0xC0) != 0x80; /* a character, not a byte, is a column */
		if (*at == '\n') line = at + 1, caret = 1;
	}
	tool_usage_error("%s: column %zu: %s\n  %.*s\n  %*s", option, column, reason, (int)strcspn(line, "\n"), line, caret < 400 ? caret : 400, "^");
}

bool tool_endpoint(struct endpoint *e, struct span text, const char **reason)
{
	if (endpoint_parse(e, text, reason)) return true;
	if (*reason == ENDPOINT_NO_MEMORY) die(EXIT_INTERNAL, "no memory for the endpoint %.*s", (int)text.length, text.data);
	return false;
}

uint64_t tool_size(const char *option, const char *text)
{
	uint64_t bytes;
	if (!number_parse_size(span_of(text), &bytes)) tool_usage_error("%s: '%s' is not a size (try 64k, 1Mi)", option, text);
	return bytes;
}

int64_t tool_duration(const char *option, const char *text)
{
	int64_t nanoseconds;
	if (!number_parse_duration(span_of(text), &nanoseconds)) tool_usage_error("%s: '%s' is not a duration (try 250ms, 5s, 10m)", option, text);
	return nanoseconds;
}

int64_t tool_milliseconds(const char *option, const char *text)
{
	int64_t ms = tool_duration(option, text) / 1000000;
	if (ms < 1) tool_usage_error("%s: '%s' is less than a millisecond", option, text);
	return ms;
}

int64_t tool_integer(const char *option, const char *text, int64_t least, int64_t most)
{
	int64_t value;
	if (!number_parse_int(span_of(text), &value) || value < least || value > most)
		tool_usage_error("%s: '%s' is not a whole number from %lld to %lld", option, text, (long long)least, (long long)most);
	return value;
}

uint64_t tool_pace(const char *option, const char *text, const char *what)
{
	int64_t n;
	struct span digits = span_of(text);
	if (digits.length > 2 && !strcmp(text + digits.length - 2, "/s")) digits.length -= 2;
	if (!number_parse_int(digits, &n) || n < 1 || n > 1000000000) tool_usage_error("%s: '%s' is not a number of %s a second", option, text, what);
	return (uint64_t)n;
}

static enum tool_color color_of(const char *when)
{
	if (strcmp(when, "auto") == 0) return COLOR_AUTO;
	if (strcmp(when, "always") == 0) return COLOR_ALWAYS;
	if (strcmp(when, "never") == 0) return COLOR_NEVER;
	tool_usage_error("--color: '%s' is not auto, always or never", when);
}

static error_t parse_shared(int key, char *arg, struct parsing *p)
{
	struct tool_options *o = p->options;
	switch (key) {
	case 'm': o->match = arg; break;
	case 'S': p->since = arg; break;
	case 'U': p->until = arg; break;
	case KEY_TZ:
		if (!timestamp_set_zone(arg)) tool_usage_error("--tz: '%s' is not a time zone known here", arg);
		break;
	case 'n': o->dry_run = true; break;
	case KEY_REJECTS: o->rejects = arg; break;
	case KEY_MAX_LINE:
		o->line_limit = tool_size("--max-line", arg);
		if (o->line_limit < 2 || o->line_limit > UINT32_MAX / 2) tool_usage_error("--max-line: '%s' is not between 2 and 2G", arg);
		break;
	case KEY_STRICT: o->strict = true; break;
	case KEY_STATS: o->stats = arg; break;
	case 'u': o->unbuffered = true; break;
	case KEY_COLOR: o->color = color_of(arg); break;
	case KEY_CURVE_SECRET: o->access.curve_secret = arg; break;
	case KEY_CURVE_CLIENTS: o->access.curve_clients = arg; break;
	case KEY_CURVE_SERVER: o->access.curve_server = arg; break;
	case KEY_INSECURE: o->access.insecure = true; break;
	case 'q': o->quiet = true; break;
	case 'v': o->verbose++; break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void print_version(const struct tool_about *about)
{
	printf("%s (metlog) %s\n", about->name, PACKAGE_VERSION);
	exit(fflush(stdout) || ferror(stdout) ? EXIT_IO : EXIT_DONE);
}

static error_t parse_one(int key, char *arg, struct argp_state *state)
{
	struct parsing *p = state->input;
	if (key == 'V') print_version(p->about);
	if (key == KEY_USAGE) argp_state_help(state, stdout, ARGP_HELP_USAGE | ARGP_HELP_EXIT_OK);
	if (key == KEY_HELP) {
		argp_state_help(state, stdout, (ARGP_HELP_STD_HELP | ARGP_HELP_DOC | ARGP_HELP_LONG) & ~(unsigned)ARGP_HELP_EXIT_OK);
		/* Not part of argp's text, which is wrapped: these lines are there to be pasted. */
		if (p->about->examples) printf("\nExamples:\n%s", p->about->examples);
		exit(fflush(stdout) || ferror(stdout) ? EXIT_IO : EXIT_DONE);
	}
	if (p->about->parse) {
		state->input = p->context;
		error_t error = p->about->parse(key, arg, state);
		state->input = p;
		if (error != ARGP_ERR_UNKNOWN) return error;
	}
	if (key == ARGP_KEY_ARGS) {
		p->options->operands = state->argv + state->next;
		p->options->operand_count = state->argc - state->next;
		return 0;
	}
	return parse_shared(key, arg, p);
}

static struct argp_option *join_options(const struct tool_about *about)
{
	size_t count = 0, own = 0;
	while (about->options && (about->options[own].name || about->options[own].key || about->options[own].doc)) own++;
	struct argp_option *all = must_alloc((own + sizeof shared / sizeof *shared + 1) * sizeof *all);
	for (; count < own; count++) all[count] = about->options[count];
	for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
		if (shared[i].uses == ALWAYS || (shared[i].uses & about->uses)) all[count++] = shared[i].option;
	return all;
}

void tool_parse(const struct tool_about *about, int argc, char **argv, struct tool_options *options, void *context)
{
	struct parsing p = { .about = about, .options = options, .context = context };
	diag_init(about->name);
	*options = (struct tool_options){ .since = INT64_MIN, .until = INT64_MAX, .line_limit = 1024 * 1024 };
	argp_err_exit_status = EXIT_USAGE;
	struct argp_option *all = join_options(about);
	struct argp argp = { .options = all, .parser = parse_one, .args_doc = about->usage, .doc = about->summary };
	if (argc > 0) argv[0] = (char *)(uintptr_t)about->name; /* argp's messages name the tool, not the path it was called by */
	argp_parse(&argp, argc, argv, ARGP_NO_HELP, NULL, &p);
	/* Read last, so that --tz may stand behind them. */
	int64_t now = timestamp_now();
	if (p.since && !timestamp_parse_loose(span_of(p.since), now, &options->since)) tool_usage_error("--since: '%s' is not a time (try 2026-10-05T12:00Z, -15m, today)", p.since);
	if (p.until && !timestamp_parse_loose(span_of(p.until), now, &options->until)) tool_usage_error("--until: '%s' is not a time (try 2026-10-05T12:00Z, -15m, today)", p.until);
	diag_set_quiet(options->quiet);
	diag_set_verbose(options->verbose);
	free(all);
}

bool tool_colors(const struct tool_options *options, int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	if (options->color != COLOR_AUTO) return options->color == COLOR_ALWAYS;
	return isatty(fd) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}
