/* match_regex - the regular expressions of the matcher: the only place that knows PCRE2. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/match_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

/* DOLLAR_ENDONLY: $ is the very end, as in RE2, which Heka used. MATCH_INVALID_UTF: text that is not UTF-8 cannot lead
 * the matcher astray, should one ever get here unchecked; it also spares the check of every text. */
#define OPTIONS (PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C)

enum {
	NEST_MAX = 100,             /* parentheses in a pattern */
	HEAP_LIMIT_KIB = 8 * 1024,  /* for the interpreter, where there is no JIT */
	DEPTH_LIMIT = 100000,
	STACK_START = 32 * 1024,    /* JIT */
	STACK_MAX = 512 * 1024,
	QUICK_MATCH_LIMIT = 100000,
	STEP_COST = 8,              /* of trying an item, where passing over a byte costs 1 */
	COST_LIMIT = 32 << 20,      /* 25 to 70 ms on a quiet machine */
};

/* JIT code counts towards PCRE2's match limit only where a group repeats, and afresh at every start of the text: a.*b.*c over
 * 1 MiB of an unkind mix of a and b would run for days. So a text is searched at full speed only if it is too short for the
 * pattern's repetitions to pass the limit whatever it holds (about 5,700 bytes for one of them, 320 for two); longer ones by a second
 * compilation that reports every item it tries and where, so that the cost of the whole search is known. Reporting makes it 1.2
 * to 15 times slower. */
struct match_regex {
	pcre2_code *quick, *counted;
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	size_t quick_max; /* bytes of text that `quick` may search */
	size_t cost, reached;
};

static int count_cost(pcre2_callout_block *block, void *regex)
{
	struct match_regex *r = regex;
	r->cost += STEP_COST;
	if (block->current_position > r->reached) r->cost += block->current_position - r->reached;
	r->reached = block->current_position;
	return r->cost > COST_LIMIT ? PCRE2_ERROR_MATCHLIMIT : 0;
}

static pcre2_code *compile(struct span pattern, uint32_t more_options, int *error, size_t *offset)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	if (!context) return NULL;
	pcre2_set_parens_nest_limit(context, NEST_MAX);
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern.data, pattern.length, OPTIONS | more_options, error, offset, context);
	pcre2_compile_context_free(context);
	/* Without JIT (an unknown machine, a kernel that forbids it) the interpreter does the same, slower. */
	if (code) (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	return code;
}

/* The longest text on which the pattern cannot cost more than the limit: each * + { multiplies what there is to try by the length of
 * the text at worst, as does a recursion, and each ? and | by two. Those that are escaped or in a class count too: erring costs
 * speed, not safety. */
static size_t longest_quick(struct span pattern)
{
	double cost, limit = COST_LIMIT;
	size_t repeats = 0, length = COST_LIMIT;
	for (size_t i = 0; i < pattern.length; i++) {
		char c = pattern.data[i], next = i + 1 < pattern.length ? pattern.data[i + 1] : '.';
		if (c == '?' || c == '|') limit /= 2;
		repeats += c == '*' || c == '+' || c == '{' || (c == '?' && next && strchr("0123456789R&P+-", next));
	}
	for (;; length -= length / 64 + 1) {
		cost = (double)length;
		for (size_t i = 0; i < repeats && cost <= limit; i++) cost *= (double)length;
		if (cost <= limit || length == 0) return length;
	}
}

static bool prepare(struct match_regex *r)
{
	r->data = pcre2_match_data_create(1, NULL);
	r->context = pcre2_match_context_create(NULL);
	if (!r->data || !r->context) return false;
	pcre2_set_heap_limit(r->context, HEAP_LIMIT_KIB);
	pcre2_set_depth_limit(r->context, DEPTH_LIMIT);
	pcre2_set_callout(r->context, count_cost, r);
	r->stack = pcre2_jit_stack_create(STACK_START, STACK_MAX, NULL);
	if (r->stack) pcre2_jit_stack_assign(r->context, NULL, r->stack);
	return true;
}

struct match_regex *match_regex_new(struct span pattern, char reason[MATCH_REGEX_REASON_MAX], size_t *offset)
{
	int error = PCRE2_ERROR_NOMEMORY;
	*offset = 0;
	if (pattern.length > MATCH_REGEX_PATTERN_MAX) {
		snprintf(reason, MATCH_REGEX_REASON_MAX, "the regular expression is longer than %d bytes", MATCH_REGEX_PATTERN_MAX);
		return NULL;
	}
	struct match_regex *r = calloc(1, sizeof *r);
	if (r && (r->quick = compile(pattern, 0, &error, offset)) && (r->counted = compile(pattern, PCRE2_AUTO_CALLOUT, &error, offset))) {
		error = PCRE2_ERROR_NOMEMORY;
		r->quick_max = longest_quick(pattern);
		if (prepare(r)) return r;
	}
	if (pcre2_get_error_message(error, (PCRE2_UCHAR *)reason, MATCH_REGEX_REASON_MAX) == PCRE2_ERROR_BADDATA) reason[0] = '\0';
	match_regex_free(r);
	return NULL;
}

void match_regex_free(struct match_regex *r)
{
	if (!r) return;
	pcre2_jit_stack_free(r->stack);
	pcre2_match_context_free(r->context);
	pcre2_match_data_free(r->data);
	pcre2_code_free(r->counted);
	pcre2_code_free(r->quick);
	free(r);
}

enum match_regex_verdict match_regex_find(struct match_regex *r, struct span text)
{
	bool is_quick = text.length <= r->quick_max;
	r->cost = r->reached = 0;
	pcre2_set_match_limit(r->context, is_quick ? QUICK_MATCH_LIMIT : COST_LIMIT);
	int found = pcre2_match(is_quick ? r->quick : r->counted, (PCRE2_SPTR)(text.data ? text.data : ""), text.length, 0, 0, r->data, r->context);
	if (found >= 0) return MATCH_REGEX_FOUND;
	return found == PCRE2_ERROR_NOMATCH ? MATCH_REGEX_ABSENT : MATCH_REGEX_GAVE_UP;
}

static bool is_plain(char c)
{
	return c && !strchr("\\^$.|?*+()[]{}", c);
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool match_regex_literal(char *pattern, size_t length, struct match_literal *literal)
{
	size_t first = length && pattern[0] == '^', end = length, written = 0;
	bool to_end = end > first && pattern[end - 1] == '$' && !(end - first > 1 && pattern[end - 2] == '\\');
	end -= to_end;
	for (size_t i = first; i < end; i++) {
		if (is_plain(pattern[i])) continue;
		/* A backslash makes any byte literal that is not a letter, a digit or part of a longer character. */
		if (pattern[i] != '\\' || ++i == end || is_word(pattern[i]) || (signed char)pattern[i] <= 0) return false;
	}
	for (size_t i = first; i < end; i++) pattern[written++] = pattern[i] == '\\' ? pattern[++i] : pattern[i];
	*literal = (struct match_literal){ { pattern, written }, first == 1, to_end };
	return true;
}
