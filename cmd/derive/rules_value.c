/* rules_value - reads the values of rules: literals, fields, functions, arithmetic and choices. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/number.h"
#include "base/text.h"
#include "function.h"
#include "rules_private.h"

static struct expr *read_factor(struct rules_reader *);

/* A node whose arguments lie in the store already; NULL if that is too deep for those who walk over it. */
static struct expr *make(struct rules_reader *r, const char *at, enum expr_kind kind, struct expr **arg, size_t count)
{
	struct expr *e = rules_store_take(r->rules->store, sizeof *e);
	*e = (struct expr){ .kind = kind, .arg = arg, .count = count, .height = 1 };
	for (size_t i = 0; i < count; i++)
		if (arg[i]->height >= e->height) e->height = arg[i]->height + 1;
	if (e->height <= RULES_DEPTH_MAX) return e;
	rules_fail(r, at, "this value is more than %d levels deep", RULES_DEPTH_MAX);
	return NULL;
}

static struct expr *make_pair(struct rules_reader *r, const char *at, enum expr_kind kind, struct expr *one, struct expr *other)
{
	struct expr **arg = rules_store_take(r->rules->store, 2 * sizeof *arg);
	arg[0] = one;
	arg[1] = other;
	return make(r, at, kind, arg, other ? 2 : 1);
}

static bool enter(struct rules_reader *r, const char *at)
{
	return ++r->depth <= RULES_DEPTH_MAX || rules_fail(r, at, "more than %d levels of parentheses, minus signs and else", RULES_DEPTH_MAX);
}

/* --- what stands for itself --- */

bool rules_read_number(struct rules_reader *r, double *number)
{
	char text[64];
	size_t length = 0;
	const char *start = r->at, *at = start;
	if (at < r->end && *at == '.') text[length++] = '0';
	for (; at < r->end && length < sizeof text; text[length++] = *at++) {
		bool is_sign = at > start && (*at == '-' || *at == '+') && (at[-1] == 'e' || at[-1] == 'E');
		if (!rules_is_word(*at) && *at != '.' && !is_sign) break;
	}
	r->at = at;
	if (length == sizeof text) return rules_fail(r, start, "this number is longer than %zu bytes", sizeof text - 1);
	return number_parse_double((struct span){ text, length }, number) || rules_fail(r, start, "\"%.*s\" is not a number, or too large for one", RULES_SHOWN(span_between(start, at)));
}

static struct expr *make_text(struct rules_reader *r, struct span text)
{
	struct expr *e = make(r, r->at, EXPR_TEXT, NULL, 0);
	e->text = text;
	return e;
}

/* The comments' reading has seen that it is closed. */
static struct expr *read_quoted(struct rules_reader *r)
{
	const char *at = r->at + 1, *close = rules_inside(r->at, r->end, 0);
	if (!close) {
		rules_fail(r, r->at, "the quote is not closed");
		return NULL;
	}
	char quote = *r->at, *out = rules_store_take(r->rules->store, (size_t)(close - at)), *to = out;
	for (; at < close - 1; *to++ = *at++)
		if (*at == '\\' && at[1] == quote) at++;
	r->at = close;
	return make_text(r, span_between(out, to));
}

/* --- names --- */

/* The line of the first "let NAME" behind this statement; 0: there is none. */
static size_t find_later(const struct rules_reader *r, struct span name)
{
	struct span rest = span_between(r->clean.data + r->next, r->clean.data + r->clean.length);
	for (size_t line = r->next_line; rest.length; line++) {
		struct span text = span_trim(span_take_line(&rest));
		if (!span_starts(text, SPAN("let")) || text.length < 4 || !rules_is_blank(text.data[3])) continue;
		text = span_trim(span_between(text.data + 3, text.data + text.length));
		if (span_starts(text, name) && (text.length == name.length || !rules_is_word(text.data[name.length]))) return line;
	}
	return 0;
}

static struct expr *fail_name(struct rules_reader *r, struct span word, const struct match_fault *fault)
{
	static const struct { const char *word, *reason; } known[] = {
		{ "TRUE", "TRUE is no value; \"true\" is a text" }, { "FALSE", "FALSE is no value; \"false\" is a text" },
		{ "NIL", "NIL is no value; without an else there is nothing" },
		{ "true", "a text stands in quotes: \"true\"" }, { "false", "a text stands in quotes: \"false\"" }, { "null", "without an else there is nothing" },
	};
	size_t later = find_later(r, word);
	struct span let = rules_guess_let(r, word);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (span_equal(word, span_of(known[i].word))) rules_fail(r, r->at, "%s", known[i].reason);
	if (function_find(word)) rules_fail(r, r->at, "%.*s is a function: %.*s(value)", RULES_SHOWN(word), RULES_SHOWN(word));
	else if (later) rules_fail(r, r->at, "the let %.*s is said only on line %zu, behind this", RULES_SHOWN(word), later);
	else if (let.data) rules_fail(r, r->at, "unknown name \"%.*s\"; did you mean %.*s?", RULES_SHOWN(word), RULES_SHOWN(let));
	else rules_fail(r, r->at + (fault->column ? fault->column - 1 : 0), "%s", fault->reason);
	return NULL;
}

static struct expr *read_field(struct rules_reader *r, struct span word)
{
	struct match_fault fault = { .column = 0 };
	struct field_path checked;
	struct buffer path;
	struct expr *e = NULL;
	size_t used = 0;
	buffer_init(&path, RULES_STATEMENT_MAX);
	if (!match_read_path(span_between(r->at, r->end), &used, &path, &fault)) {
		fail_name(r, word, &fault);
	} else if ((e = make(r, r->at, EXPR_FIELD, NULL, 0)) != NULL) {
		e->path = rules_store_copy(r->rules->store, buffer_span(&path));
		if (span_equal(e->path, SPAN("fields"))) e = NULL, rules_fail(r, r->at, "fields is no value; one of them is written fields.x");
		else if (!field_path_init(&checked, e->path)) e = NULL, rules_fail(r, r->at, "no path of a value may have an empty part, or more than %d", FIELD_DEPTH_MAX);
		else if (!field_set_add(r->rules->fields, e->path, &e->field)) e = NULL, rules_fail(r, r->at, "more than %d different fields", FIELD_SET_MAX);
		r->at += used;
	}
	buffer_release(&path);
	return e;
}

/* --- functions --- */

/* A bare word where the function takes one: 1, 0 if something else stands there, -1 for what looks like a word and was hardly meant as one. */
static int read_word(struct rules_reader *r, struct expr **e)
{
	struct span word = rules_peek(r, rules_is_name);
	const char *behind = word.data + word.length;
	while (behind < r->end && rules_is_blank(*behind)) behind++;
	if (!word.length || behind == r->end || (*behind != ',' && *behind != ')')) return 0;
	if (span_starts(word, SPAN("fields.")) || rules_find_let(r, word) != SIZE_MAX) {
		rules_fail(r, r->at, "a word stands here, and %.*s would be one; in quotes if that is meant", RULES_SHOWN(word));
		return -1;
	}
	*e = make_text(r, word);
	r->at += word.length;
	return 1;
}

/* The arguments up to the closing bracket, in the store. */
static bool read_arguments(struct rules_reader *r, const struct function *f, const char *open, struct expr ***arg, size_t *count)
{
	size_t room = 0;
	*count = 0;
	*arg = NULL;
	if (rules_take(r, ')')) return true;
	do {
		struct expr *e = NULL;
		int word = f->is_word && f->is_word(*count) ? read_word(r, &e) : 0;
		if (word < 0 || (!word && !(e = rules_read_value(r)))) return false;
		if (*count == room) {
			struct expr **more = rules_store_take(r->rules->store, (room = room ? 2 * room : 4) * sizeof *more);
			if (*count) memcpy(more, *arg, *count * sizeof *more);
			*arg = more;
		}
		(*arg)[(*count)++] = e;
	} while (rules_take(r, ','));
	if (rules_take(r, ')')) return true;
	if (rules_at_end(r)) return rules_fail(r, open, "this ( has no closing )");
	return rules_fail_expected(r, "\",\" or \")\"");
}

static bool check_count(struct rules_reader *r, const char *at, const struct function *f, size_t count)
{
	if (count >= f->least && count <= f->most) return true;
	if (f->least == f->most) return rules_fail(r, at, "%s takes %zu value%s, not %zu", f->name, f->least, f->least == 1 ? "" : "s", count);
	if (count < f->least) return rules_fail(r, at, "%s takes %zu values at least, not %zu", f->name, f->least, count);
	return rules_fail(r, at, "%s takes %zu values at most, not %zu", f->name, f->most, count);
}

static struct expr *read_call(struct rules_reader *r, struct span name)
{
	const struct function *f = function_find(name);
	const char *guess = f ? NULL : function_guess(name), *at = r->at, *open = at + name.length, *wrong;
	struct expr **arg;
	size_t count;
	if (!f) {
		rules_fail(r, at, guess ? "unknown function \"%.*s\"; did you mean %s?" : "unknown function \"%.*s\"", RULES_SHOWN(name), guess);
		return NULL;
	}
	while (*open != '(') open++;
	r->at = open + 1;
	if (!enter(r, open) || !read_arguments(r, f, open, &arg, &count) || !check_count(r, at, f, count)) return NULL;
	r->depth--;
	struct expr *e = make(r, at, EXPR_CALL, arg, count);
	if (!e) return NULL;
	e->function = f;
	wrong = f->check ? f->check(e) : NULL;
	if (wrong) rules_fail(r, at, "%s", wrong);
	return wrong ? NULL : e;
}

static struct expr *read_name(struct rules_reader *r)
{
	struct span word = rules_peek(r, rules_is_word);
	const char *behind = word.data + word.length, *next = behind;
	while (next < r->end && rules_is_blank(*next)) next++;
	if (next < r->end && *next == '(') return read_call(r, word);
	size_t let = rules_find_let(r, word);
	if ((behind < r->end && (*behind == '.' || *behind == '[')) || let == SIZE_MAX) return read_field(r, word);
	struct expr *value = r->rules->let[let].value, *e = make(r, r->at, EXPR_LET, NULL, 0);
	e->let = (uint32_t)let;
	e->height = value->height + 1;
	if (e->height > RULES_DEPTH_MAX && !rules_fail(r, r->at, "with this let the value is more than %d levels deep", RULES_DEPTH_MAX)) return NULL;
	r->at = behind;
	return e;
}

/* --- operators --- */

static struct expr *read_bracket(struct rules_reader *r)
{
	const char *open = r->at++;
	if (!enter(r, open)) return NULL;
	struct expr *e = rules_read_value(r);
	if (!e) return NULL;
	r->depth--;
	if (rules_take(r, ')')) return e;
	if (rules_at_end(r)) rules_fail(r, open, "this ( has no closing )");
	else rules_fail_expected(r, "\")\"");
	return NULL;
}

/* A text that stands in the rules and is no number would make nothing, always: whoever writes it wants to join texts. */
static bool check_operand(struct rules_reader *r, const char *at, const struct expr *e)
{
	double number;
	if (e->kind != EXPR_TEXT || number_parse_double(e->text, &number)) return true;
	while (rules_is_blank(*at)) at++;
	return rules_fail(r, at, "a text that is no number; + - * / compute, they join no texts");
}

static struct expr *read_negated(struct rules_reader *r)
{
	const char *at = r->at++;
	if (!enter(r, at)) return NULL;
	struct expr *e = read_factor(r);
	if (!e || !check_operand(r, at + 1, e)) return NULL;
	r->depth--;
	if (e->kind != EXPR_NUMBER) return make_pair(r, at, EXPR_NEGATE, e, NULL);
	e->number = -e->number;
	return e;
}

static struct expr *read_factor(struct rules_reader *r)
{
	char c = rules_at_end(r) ? 0 : *r->at;
	double number;
	if (c == '(') return read_bracket(r);
	if (c == '-') return read_negated(r);
	if (c == '"' || c == '\'') return read_quoted(r);
	if ((c >= '0' && c <= '9') || (c == '.' && r->end - r->at > 1 && r->at[1] >= '0' && r->at[1] <= '9')) {
		if (!rules_read_number(r, &number)) return NULL;
		struct expr *e = make(r, r->at, EXPR_NUMBER, NULL, 0);
		e->number = number;
		return e;
	}
	if (rules_is_word(c)) return read_name(r);
	rules_fail_expected(r, "a value");
	return NULL;
}

static struct expr *read_chain(struct rules_reader *r, bool is_sum)
{
	const char *first = r->at;
	struct expr *e = is_sum ? read_chain(r, false) : read_factor(r);
	while (e && !rules_at_end(r)) {
		const char *at = r->at;
		enum expr_kind kind;
		if (is_sum && *at == '+') kind = EXPR_ADD;
		else if (is_sum && *at == '-') kind = EXPR_SUBTRACT;
		else if (!is_sum && *at == '*') kind = EXPR_MULTIPLY;
		else if (!is_sum && *at == '/') kind = EXPR_DIVIDE;
		else break;
		r->at++;
		struct expr *other = is_sum ? read_chain(r, false) : read_factor(r);
		e = other && check_operand(r, first, e) && check_operand(r, at + 1, other) ? make_pair(r, at, kind, e, other) : NULL;
	}
	return e;
}

/* What the matcher says of the name of a let, that a field is written fields.NAME, is no help to who knows that it is a let. */
static void fail_condition(struct rules_reader *r, const struct match_fault *fault)
{
	size_t column = fault->column ? fault->column - 1 : 0, left = (size_t)(r->end - r->at);
	r->at += column < left ? column : left;
	struct span word = r->at < r->end && !rules_is_blank(*r->at) ? rules_peek(r, rules_is_word) : (struct span){ 0 };
	if (word.length && rules_find_let(r, word) != SIZE_MAX) rules_fail(r, r->at, "%.*s is a let, which no test knows; a test is of the envelope, as in fields.%.*s", RULES_SHOWN(word), RULES_SHOWN(word));
	else rules_fail(r, r->at, "%s", fault->reason);
}

struct match *rules_read_condition(struct rules_reader *r)
{
	struct match_fault fault = { .column = 0 };
	size_t used = 0;
	if (rules_at_end(r)) {
		rules_fail(r, r->end, "expected a test, as in fields.status == 200, but the statement ends here");
		return NULL;
	}
	struct match *match = match_new_prefix(span_between(r->at, r->end), &used, &fault);
	if (!match) {
		fail_condition(r, &fault);
		return NULL;
	}
	rules_store_keep(r->rules->store, match);
	if (!match_use(match, r->rules->fields)) {
		rules_fail(r, r->at, "more than %d different fields", FIELD_SET_MAX);
		return NULL;
	}
	r->at += used;
	return match;
}

struct expr *rules_read_value(struct rules_reader *r)
{
	const char *at;
	struct expr *e = read_chain(r, true), *other = NULL;
	if (!e || rules_at_end(r) || !rules_take_word(r, "if")) return e;
	at = r->at - 2;
	struct match *condition = rules_read_condition(r);
	if (!condition) return NULL;
	if (rules_take_word(r, "else")) {
		if (!enter(r, at) || !(other = rules_read_value(r))) return NULL;
		r->depth--;
	}
	e = make_pair(r, at, EXPR_CHOICE, e, other);
	if (e) e->condition = condition;
	return e;
}
