/* options - what metlog-flood's command line asks for, checked. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "options.h"

#include "base/number.h"
#include "base/timestamp.h"

enum { KEY_SEED = TOOL_KEY, KEY_RATE, KEY_DURATION, KEY_SIZE, KEY_MIX, KEY_CORRUPT, KEY_DUPLICATES, KEY_UNICODE, KEY_SKEW, KEY_START, KEY_PREFIX,
	KEY_VERIFY, KEY_ACKNOWLEDGED, KEY_ALLOW, KEY_IN_ORDER };
enum { WEIGHT_MAX = 1000000, STEP_USUAL = 3000000 };
static const int64_t start_usual = INT64_C(1349438400) * 1000000000; /* 2012-10-05T12:00:00Z */

static const struct argp_option own_options[] = {
	{ NULL, 0, NULL, 0, "How much:", 1 },
	{ "count", 'c', "N", 0, "Make N envelopes; malformed lines and repeats come in addition (default no end)", 1 },
	{ "duration", KEY_DURATION, "DURATION", 0, "End after DURATION", 1 },
	{ "rate", KEY_RATE, "N[/s]", 0, "Write N lines a second, or N/m, N/h (default as fast as they are taken)", 1 },
	{ NULL, 0, NULL, 0, "What:", 2 },
	{ "seed", KEY_SEED, "N", 0, "Make other envelopes: the same N, the same bytes (default 1)", 2 },
	{ "id-prefix", KEY_PREFIX, "TEXT", 0, "Call the envelopes TEXT-1, TEXT-2, ... in fields.id (default flood)", 2 },
	{ "start", KEY_START, "TIME", 0, "Give the first one the timestamp TIME (default 2012-10-05T12:00:00Z); 'now' for the present", 2 },
	{ "mix", KEY_MIX, "KIND=N,...", 0, "Weigh the kinds: counter, timer, gauge, set, request, log, cef, sentry", 2 },
	{ "size", KEY_SIZE, "MIN[-MAX]", 0, "Make payloads that are text so many bytes long", 2 },
	{ NULL, 0, NULL, 0, "What is wrong with them:", 3 },
	{ "corrupt", KEY_CORRUPT, "PERCENT", 0, "So many of the lines are malformed: cut, not UTF-8, with a NUL, of wrong types, noise", 3 },
	{ "duplicates", KEY_DUPLICATES, "PERCENT", 0, "So many of the lines repeat an earlier one, byte for byte", 3 },
	{ "unicode", KEY_UNICODE, "PERCENT", 0, "So many of the envelopes hold hostile text: all planes, bidi, lone surrogates", 3 },
	{ "skew", KEY_SKEW, "DURATION", 0, "Timestamps jitter, and jump back and forth by up to DURATION", 3 },
	{ NULL, 0, NULL, 0, "The oracle:", 4 },
	{ "verify", KEY_VERIFY, NULL, 0, "Read what became of a flood of the same options, and tell what is missing or altered", 4 },
	{ "acknowledged", KEY_ACKNOWLEDGED, "FILE", 0, "With --verify: only envelopes that stand in FILE have to be there", 4 },
	{ "allow-duplicates", KEY_ALLOW, "N", 0, "With --verify: take up to N repeats that were not made so (default 0)", 4 },
	{ "in-order", KEY_IN_ORDER, NULL, 0, "With --verify: let envelopes that are out of order be wrong", 4 },
	{ 0 },
};

static unsigned percent(const char *option, const char *text)
{
	double value;
	size_t length = strlen(text);
	if (length && text[length - 1] == '%') length--;
	if (!number_parse_double((struct span){ text, length }, &value) || value < 0 || value > 100)
		tool_usage_error("%s: '%s' is not a number from 0 to 100", option, text);
	return (unsigned)(value * (PLAN_MILLION / 100) + 0.5);
}

static double rate(const char *text)
{
	double value, seconds = 1;
	size_t length = strlen(text);
	if (length > 2 && text[length - 2] == '/') {
		switch (text[length - 1]) {
		case 's': break;
		case 'm': seconds = 60; break;
		case 'h': seconds = 3600; break;
		default: seconds = 0;
		}
		length -= 2;
	}
	if (seconds <= 0 || !number_parse_double((struct span){ text, length }, &value) || value / seconds < 1e-6 || value > 1e9)
		tool_usage_error("--rate: '%s' is not a rate (try 1000, 1000/s, 5/m)", text);
	return value / seconds;
}

static void parse_size(struct plan_options *o, const char *text)
{
	const char *dash = strchr(text, '-');
	struct span least = { text, dash ? (size_t)(dash - text) : strlen(text) };
	uint64_t from, to;
	if (!number_parse_size(least, &from) || !number_parse_size(dash ? span_of(dash + 1) : least, &to) || from > to || to == 0 || to > 1 << 29)
		tool_usage_error("--size: '%s' is not a size or MIN-MAX, up to 512Mi (try 200, 1k-64k)", text);
	o->payload_least = from;
	o->payload_most = to;
}

static void set_weight(struct plan_options *o, struct span key, struct span value, const char *text)
{
	int64_t weight;
	size_t kind = 0;
	while (kind < MAKER_KIND_COUNT && !span_equal(key, span_of(maker_kind_names[kind]))) kind++;
	if (kind == MAKER_KIND_COUNT) tool_usage_error("--mix: there is no kind '%.*s'; there are counter, timer, gauge, set, request, log, cef, sentry", (int)key.length, key.data);
	if (!number_parse_int(value, &weight) || weight < 0 || weight > WEIGHT_MAX) tool_usage_error("--mix: '%s': a weight is a whole number from 0 to %d", text, WEIGHT_MAX);
	o->weight += (unsigned)weight - o->weights[kind];
	o->weights[kind] = (unsigned)weight;
}

/* Kinds that are not named do not come. */
static void parse_mix(struct plan_options *o, const char *text)
{
	memset(o->weights, 0, sizeof o->weights);
	o->weight = 0;
	for (const char *at = text; *at;) {
		size_t length = strcspn(at, ","), key = strcspn(at, "=,");
		if (key == length) tool_usage_error("--mix: '%s' is not KIND=N,... (try counter=70,log=30)", text);
		set_weight(o, (struct span){ at, key }, (struct span){ at + key + 1, length - key - 1 }, text);
		at += length + (at[length] == ',');
	}
	if (!o->weight) tool_usage_error("--mix: '%s' names no kind that is to come", text);
}

static const char *prefix(const char *text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";
	if (!*text || strlen(text) > PLAN_PREFIX_MAX || strspn(text, allowed) != strlen(text))
		tool_usage_error("--id-prefix: '%s' is not 1 to %d letters, digits, dots, colons, '_' and '-'", text, PLAN_PREFIX_MAX);
	return text;
}

static void parse_start(struct flood_options *o, const char *text)
{
	o->live = strcmp(text, "now") == 0;
	if (!timestamp_parse_loose(span_of(text), timestamp_now(), &o->plan.start))
		tool_usage_error("--start: '%s' is not a time (try 2012-10-05T12:00:00Z, now)", text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct flood_options *o = state->input;
	switch (key) {
	case 'c': o->count = (uint64_t)tool_integer("--count", arg, 0, INT64_MAX); break;
	case KEY_DURATION:
		o->duration = tool_duration("--duration", arg);
		if (!o->duration) tool_usage_error("--duration: '%s' is no time at all", arg);
		break;
	case KEY_RATE: o->rate = rate(arg); break;
	case KEY_SEED: o->plan.seed = (uint64_t)tool_integer("--seed", arg, INT64_MIN, INT64_MAX); break;
	case KEY_PREFIX: o->plan.prefix = prefix(arg); break;
	case KEY_START: parse_start(o, arg); break;
	case KEY_MIX: parse_mix(&o->plan, arg); break;
	case KEY_SIZE: parse_size(&o->plan, arg); break;
	case KEY_CORRUPT: o->plan.malformed = percent("--corrupt", arg); break;
	case KEY_DUPLICATES: o->plan.repeats = percent("--duplicates", arg); break;
	case KEY_UNICODE: o->plan.unicode = percent("--unicode", arg); break;
	case KEY_SKEW: o->plan.skew = tool_duration("--skew", arg); break;
	case KEY_VERIFY: o->verify = true; break;
	case KEY_ACKNOWLEDGED: o->acknowledged = arg; break;
	case KEY_ALLOW: o->allow_duplicates = (uint64_t)tool_integer("--allow-duplicates", arg, 0, INT64_MAX); break;
	case KEY_IN_ORDER: o->in_order = true; break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct tool_about flood_about = {
	.name = "metlog-flood",
	.usage = "\n--verify [FILE...]",
	.summary = "Make a flood of envelopes, the same for the same seed; or tell what became of one",
	.examples = "  metlog-flood --rate 1000/s | metlog-route -c routes\n"
	            "  metlog-flood -c 100000 --corrupt 5 --unicode 10 >worst-day.ndjson\n"
	            "  metlog-flood -c 1000 --seed 7 | ./filter-under-test >out.ndjson\n"
	            "  metlog-flood -c 1000 --seed 7 --verify out.ndjson\n",
	.uses = USES_OUTPUT,
	.options = own_options,
	.parse = parse,
};

void options_init(struct flood_options *o)
{
	*o = (struct flood_options){ .count = UINT64_MAX };
	o->plan = (struct plan_options){ .seed = 1, .prefix = "flood", .start = start_usual };
	for (size_t i = 0; i < MAKER_KIND_COUNT; i++) o->plan.weight += o->plan.weights[i] = maker_mix[i];
}

void options_check(struct flood_options *o, const struct tool_options *shared)
{
	unsigned beside = o->plan.malformed + o->plan.repeats;
	/* Paced, the timestamps keep up with the clock. */
	o->plan.step = o->rate > 0 ? (int64_t)(1e9 / o->rate / (1 - beside / (double)PLAN_MILLION)) : STEP_USUAL;
	if (beside >= PLAN_MILLION) tool_usage_error("--corrupt and --duplicates leave no room for envelopes");
	if (o->verify) return;
	if (shared->operand_count) tool_usage_error("'%s': a FILE goes with --verify", shared->operands[0]);
	if (o->acknowledged || o->allow_duplicates || o->in_order) tool_usage_error("--acknowledged, --allow-duplicates and --in-order go with --verify");
}
