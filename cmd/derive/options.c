/* options - the command line of metlog-derive: its rows, and what they say together. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "options.h"

#include "base/sample.h"

enum { KEY_RULES = TOOL_KEY, KEY_TEE, KEY_SEED, KEY_CHECK, KEY_EXPLAIN, KEY_TEST, KEY_UPDATE };

const struct argp_option derive_option_rows[] = {
	{ NULL, 0, NULL, 0, "Derive:", 1 },
	{ "rules", KEY_RULES, "FILE", 0, "Read rules from FILE (see metlog-rules(5)); may be repeated", 1 },
	{ "tee", KEY_TEE, NULL, 0, "Write each envelope too, as it came, before its metrics", 1 },
	{ "seed", KEY_SEED, "N", 0, "Let `sample` make the same choices each time", 1 },
	{ NULL, 0, NULL, 0, "Instead of deriving:", 2 },
	{ "check", KEY_CHECK, NULL, 0, "Only read the rules; mistakes are shown with line and column, and the exit status is 78", 2 },
	{ "explain", KEY_EXPLAIN, "LINE", 0, "Print what the rules make of the envelope LINE, and why not more; - is all input", 2 },
	{ "test", KEY_TEST, "DIR", 0, "Run DIR/NAME.in through the rules and compare with DIR/NAME.out", 2 },
	{ "update", KEY_UPDATE, NULL, 0, "With --test: write the .out files instead", 2 },
	{ 0 },
};

void derive_options_init(struct derive_options *o)
{
	struct sample seed;
	sample_init(&seed);
	*o = (struct derive_options){ .seed = seed.state };
}

error_t derive_option_parse(int key, char *arg, struct argp_state *state)
{
	struct derive_options *o = state->input;
	switch (key) {
	case KEY_RULES:
		if (o->rules_count == OPTIONS_RULES_MAX) tool_usage_error("--rules: more than %d of them", OPTIONS_RULES_MAX);
		o->rules[o->rules_count++] = arg;
		return 0;
	case KEY_TEE: o->tee = true; return 0;
	case KEY_SEED: o->seed = (uint64_t)tool_integer("--seed", arg, 0, INT64_MAX); return 0;
	case KEY_CHECK: o->check = true; return 0;
	case KEY_EXPLAIN: o->explain = arg; return 0;
	case KEY_TEST: o->test = arg; return 0;
	case KEY_UPDATE: o->update = true; return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

void derive_options_complete(const struct derive_options *o, const struct tool_options *shared)
{
	bool one_line = o->explain && strcmp(o->explain, "-") != 0;
	if (!o->rules_count) tool_usage_error("rules are needed: --rules FILE");
	if (o->check + (o->explain != NULL) + (o->test != NULL) > 1) tool_usage_error("one of --check, --explain and --test, not several");
	if (o->update && !o->test) tool_usage_error("--update belongs to --test");
	if (o->tee && (o->check || o->explain || o->test)) tool_usage_error("--tee is not for --check, --explain and --test");
	if (shared->operand_count && (o->check || one_line || o->test)) tool_usage_error("%s: no input is read with --check, --explain LINE and --test", shared->operands[0]);
}
