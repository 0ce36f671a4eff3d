/* metlog-spool - a directory that holds envelopes until they are delivered: write, drain, look at, read again. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/number.h"
#include "io/diag.h"
#include "sink/spool_tool.h"
#include "spool/verbs.h"

enum verb_bit { WRITE = 1, DRAIN = 2, STATUS = 4, CAT = 8, REPLAY = 16, EACH = 31 };

static const struct verb {
	const char *name;
	enum verb_bit bit;
	int (*run)(struct filter *, const struct verb_options *);
} verbs[] = {
	{ "write", WRITE, write_run }, { "drain", DRAIN, drain_run }, { "status", STATUS, status_run }, { "cat", CAT, cat_run }, { "replay", REPLAY, replay_run },
};
enum { VERB_COUNT = sizeof verbs / sizeof *verbs };

enum {
	KEY_TEE = TOOL_KEY, KEY_ONCE, KEY_ATTEMPTS, KEY_PARALLEL, KEY_KEEP, KEY_RETRY_FAILED, KEY_BACKOFF_MAX, KEY_GRACE, KEY_FAILED, KEY_DELIVERED, KEY_SPEED,
	KEY_MAX_GAP, KEY_JSON, KEY_VERIFY, KEY_FAIL_OVER_AGE, KEY_FAIL_OVER_BYTES,
};

static const struct argp_option own_options[] = {
	{ NULL, 0, NULL, 0, "write:", 1 },
	{ "tee", KEY_TEE, NULL, 0, "Write each envelope to standard output, too, once it is committed", 1 },
	SPOOL_TOOL_ROWS(1),
	{ NULL, 0, NULL, 0, "drain:", 2 },
	{ "once", KEY_ONCE, NULL, 0, "Deliver what is there, and exit: 0 if all was delivered, 75 if something is left", 2 },
	{ "follow", 'f', NULL, 0, "Go on as more comes (the default of drain; an option of cat, too)", 2 },
	{ "attempts", KEY_ATTEMPTS, "N", 0, "Move a segment that COMMAND refuses to failed/ after N attempts (default 5)", 2 },
	{ "parallel", KEY_PARALLEL, "N", 0, "Run up to N commands at once, a segment each, in no certain order (default 1)", 2 },
	{ "keep", KEY_KEEP, "AGE", 0, "Keep delivered segments in delivered/ until they are older than AGE (default 0, not at all)", 2 },
	{ "retry-failed", KEY_RETRY_FAILED, NULL, 0, "First take back the segments of failed/", 2 },
	{ "backoff-max", KEY_BACKOFF_MAX, "DURATION", 0, "Wait at most DURATION between two attempts (default 5m)", 2 },
	{ "grace", KEY_GRACE, "DURATION", 0, "After SIGTERM let COMMAND go on for DURATION at most, then stop it, too (default 30s)", 2 },
	{ NULL, 0, NULL, 0, "cat and replay:", 3 },
	{ "failed", KEY_FAILED, NULL, 0, "Of cat: the segments of failed/ instead", 3 },
	{ "delivered", KEY_DELIVERED, NULL, 0, "Of cat: the segments of delivered/ instead", 3 },
	{ "speed", KEY_SPEED, "X", 0, "Of replay: X times as fast as it happened; 1 is real time (default 0, as fast as possible)", 3 },
	{ "max-gap", KEY_MAX_GAP, "DURATION", 0, "Of replay: pause at most DURATION between two envelopes (default no limit)", 3 },
	{ NULL, 0, NULL, 0, "status:", 4 },
	{ "json", KEY_JSON, NULL, 0, "Print one line of JSON", 4 },
	{ "verify", KEY_VERIFY, NULL, 0, "Read all sealed segments and compare them with their checksums; 65 if one is damaged", 4 },
	{ "fail-over-age", KEY_FAIL_OVER_AGE, "DURATION", 0, "Exit 1 if the oldest envelope waits for longer than DURATION", 4 },
	{ "fail-over-bytes", KEY_FAIL_OVER_BYTES, "SIZE", 0, "Exit 1 if more than SIZE waits", 4 },
	{ 0 },
};

/* Which verbs take an option. Those of the family that are not here are taken by all. */
static const struct owner {
	int key;
	const char *name;
	unsigned verbs;
} owners[] = {
	{ KEY_TEE, "--tee", WRITE },
	{ KEY_ONCE, "--once", DRAIN }, { 'f', "--follow", DRAIN | CAT }, { KEY_ATTEMPTS, "--attempts", DRAIN }, { KEY_PARALLEL, "--parallel", DRAIN },
	{ KEY_KEEP, "--keep", DRAIN }, { KEY_RETRY_FAILED, "--retry-failed", DRAIN }, { KEY_BACKOFF_MAX, "--backoff-max", DRAIN },
	{ KEY_GRACE, "--grace", DRAIN },
	{ KEY_FAILED, "--failed", CAT }, { KEY_DELIVERED, "--delivered", CAT },
	{ KEY_SPEED, "--speed", REPLAY }, { KEY_MAX_GAP, "--max-gap", REPLAY },
	{ KEY_JSON, "--json", STATUS }, { KEY_VERIFY, "--verify", STATUS },
	{ KEY_FAIL_OVER_AGE, "--fail-over-age", STATUS }, { KEY_FAIL_OVER_BYTES, "--fail-over-bytes", STATUS },
	{ 'm', "--match", WRITE | CAT | REPLAY }, { 'S', "--since", WRITE | CAT | REPLAY }, { 'U', "--until", WRITE | CAT | REPLAY },
	{ 'u', "--unbuffered", WRITE | CAT | REPLAY },
};
enum { OWNER_COUNT = sizeof owners / sizeof *owners };

struct command_line {
	struct verb_options options;
	const struct tool_options *shared;
	const struct verb *verb;
	char *dashes;                 /* the "--" of the command line; NULL if there is none */
	int behind;                   /* words behind it */
	bool given[OWNER_COUNT], spool_given[SPOOL_TOOL_OPTIONS];
};

static double parse_speed(const char *text)
{
	double speed;
	if (!number_parse_double(span_of(text), &speed) || !(speed >= 0) || speed > 1e9)
		tool_usage_error("--speed: '%s' is not a number from 0 (as fast as possible) to 1e9", text);
	return speed;
}

static int64_t parse_ms(const char *option, const char *text)
{
	return (tool_duration(option, text) + 999999) / 1000000;
}

static bool parse_own(struct verb_options *o, int key, const char *arg)
{
	switch (key) {
	case KEY_TEE: o->tee = true; break;
	case KEY_ONCE: o->once = true; break;
	case 'f': o->follow = true; break;
	case KEY_ATTEMPTS: o->attempts = tool_integer("--attempts", arg, 1, 1000000); break;
	case KEY_PARALLEL: o->parallel = tool_integer("--parallel", arg, 1, 64); break;
	case KEY_KEEP: o->keep_ms = parse_ms("--keep", arg); break;
	case KEY_RETRY_FAILED: o->retry_failed = true; break;
	case KEY_BACKOFF_MAX: o->backoff_max_ms = parse_ms("--backoff-max", arg); break;
	case KEY_GRACE: o->grace_ms = parse_ms("--grace", arg); break;
	case KEY_FAILED: o->failed = true; break;
	case KEY_DELIVERED: o->delivered = true; break;
	case KEY_SPEED: o->speed = parse_speed(arg); break;
	case KEY_MAX_GAP: o->max_gap_ms = parse_ms("--max-gap", arg); break;
	case KEY_JSON: o->json = true; break;
	case KEY_VERIFY: o->verify = true; break;
	case KEY_FAIL_OVER_AGE: o->age_limit_ms = parse_ms("--fail-over-age", arg); break;
	case KEY_FAIL_OVER_BYTES: o->bytes_limit = tool_size("--fail-over-bytes", arg); break;
	default: return spool_tool_parse(key, arg, &o->spool);
	}
	return true;
}

static void name_verbs(char text[64], unsigned which)
{
	text[0] = '\0';
	for (size_t i = 0, count = 0; i < VERB_COUNT; i++) {
		if (!(which & verbs[i].bit)) continue;
		if (count++) strcat(text, which >> (i + 1) ? ", " : " or ");
		strcat(text, verbs[i].name);
	}
}

/* Takes VERB and DIR off the operands; what is left are FILEs, or behind "--" the command. */
static void take_operands(struct command_line *c, struct argp_state *state)
{
	char **operands = state->argv + state->next, list[64];
	int before = state->argc - state->next - c->behind;
	if (c->dashes && before > 0 && operands[before - 1] == c->dashes) before--; /* getopt has stopped early: POSIXLY_CORRECT */
	name_verbs(list, EACH);
	if (before < 1) tool_usage_error("no verb: say %s", list);
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (strcmp(operands[0], verbs[i].name) == 0) c->verb = &verbs[i];
	if (!c->verb) tool_usage_error("'%s' is no verb: say %s", operands[0], list);
	if (before < 2) tool_usage_error("%s: no DIR: say which spool%s", c->verb->name, c->behind ? " before --" : "");
	c->options.dir = operands[1];
	if (c->verb->bit == DRAIN) {
		if (before > 2) tool_usage_error("drain: '%s': the command stands behind --: drain DIR -- %s", operands[2], operands[2]);
		if (!c->behind) tool_usage_error("drain: no command: drain DIR -- COMMAND");
		c->options.command = state->argv + state->argc - c->behind;
	} else if (c->verb->bit != WRITE && before + c->behind > 2) {
		tool_usage_error("%s: '%s' is one word too many", c->verb->name, state->argv[state->next + 2]);
	}
	state->next += 2;
	if (c->verb->bit != WRITE) state->next = state->argc;
}

static void check_owners(const struct command_line *c)
{
	char list[64];
	const struct verb *v = c->verb;
	for (size_t i = 0; i < OWNER_COUNT; i++) {
		if (!c->given[i] || (owners[i].verbs & v->bit)) continue;
		name_verbs(list, owners[i].verbs);
		tool_usage_error("%s: an option of %s, not of %s", owners[i].name, list, v->name);
	}
	static const struct argp_option rows[] = { SPOOL_TOOL_ROWS(1) };
	for (size_t i = 0; i < SPOOL_TOOL_OPTIONS; i++)
		if (c->spool_given[i] && v->bit != WRITE) tool_usage_error("--%s: an option of write, not of %s", rows[i].name, v->name);
	if (v->bit & (WRITE | CAT | REPLAY)) return;
	const char *reads = c->shared->rejects ? "--rejects" : c->shared->strict ? "--strict" : NULL;
	if (reads) tool_usage_error("%s: an option of write, cat or replay, not of %s", reads, v->name);
	if (v->bit == STATUS && c->shared->stats) tool_usage_error("--stats: not an option of status");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct command_line *c = state->input;
	for (size_t i = 0; i < OWNER_COUNT; i++)
		if (owners[i].key == key) c->given[i] = true;
	if (key >= SPOOL_TOOL_KEY && key < SPOOL_TOOL_KEY + SPOOL_TOOL_OPTIONS) c->spool_given[key - SPOOL_TOOL_KEY] = true;
	switch (key) {
	case ARGP_KEY_ARGS: take_operands(c, state); break; /* what is left of them is the family's to take */
	case ARGP_KEY_END:
		if (!c->verb) take_operands(c, state);
		check_owners(c);
		break;
	default:
		if (parse_own(&c->options, key, arg)) return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct tool_about about = {
	.name = "metlog-spool",
	.usage = "write DIR [FILE...]\ndrain DIR -- COMMAND [ARGUMENT...]\nstatus DIR\ncat DIR\nreplay DIR",
	.summary = "Hold envelopes in a directory until they are delivered: write them, drain them to a command, look at them, read them again",
	.examples =
		"  metlog-recv --from sub:tcp://127.0.0.1:5565 |\n"
		"      metlog-spool write /var/spool/metlog\n"
		"  metlog-spool drain /var/spool/metlog -- metlog-to-statsd\n"
		"  metlog-spool status /var/spool/metlog\n"
		"  metlog-spool cat /var/spool/metlog | metlog-tail\n"
		"  metlog-spool replay /var/spool/metlog --since -1h --speed 10\n",
	.uses = USES_INPUT | USES_MATCH | USES_TIMES | USES_ZONE | USES_OUTPUT,
	.options = own_options,
	.parse = parse,
};

int main(int argc, char **argv)
{
	static struct filter filter;
	struct command_line line = { .options = { .spool = spool_defaults, .attempts = 5, .parallel = 1, .backoff_max_ms = 300000, .grace_ms = 30000, .max_gap_ms = INT64_MAX,
		.age_limit_ms = INT64_MAX, .bytes_limit = UINT64_MAX }, .shared = &filter.options };
	for (int i = 1; i < argc && !line.dashes; i++)
		if (strcmp(argv[i], "--") == 0) line.dashes = argv[i], line.behind = argc - i - 1;
	filter_open(&filter, &about, argc, argv, &line);
	return line.verb->run(&filter, &line.options);
}
