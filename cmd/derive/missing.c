/* missing - looks for the part of a value that makes the whole of it nothing. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "missing.h"

#include "base/text.h"
#include "function.h"

enum { SHOWN_VALUE = 60 };

static const char *word_of(enum value_kind kind)
{
	switch (kind) {
	case VALUE_ABSENT: return " is not there";
	case VALUE_NULL: return " is null";
	case VALUE_OBJECT: return " is an object";
	case VALUE_ARRAY: return " is an array";
	case VALUE_NUMBER: return " is no finite number";
	case VALUE_STRING:
	case VALUE_TRUE:
	case VALUE_FALSE: return " is no number";
	}
	return "";
}

/* `numbers`: what is around it calculates, so a text that is no number is in the way too. */
static bool is_in_the_way(struct eval *e, const struct expr *x, bool numbers)
{
	struct eval_value value;
	double number;
	eval_expr(e, x, &value);
	return value.kind == EVAL_NOTHING || (numbers && !eval_number(&value, &number));
}

static bool append_field(struct eval *e, const struct expr *x, const char *before, struct buffer *out)
{
	const struct value *value = field_set_value(e->rules->fields, x->field);
	struct eval_value known;
	buffer_append_text(out, before);
	text_append_visible(out, x->path);
	eval_expr(e, x, &known);
	struct span text = value->kind == VALUE_NUMBER ? value->text : eval_text(e, &known);
	buffer_append_text(out, value->kind == VALUE_STRING && !text.length ? " is empty" : word_of(value->kind));
	if (!text.length || (value->kind != VALUE_NUMBER && value->kind != VALUE_STRING)) return true;
	buffer_append_text(out, ": '");
	text_append_visible(out, (struct span){ text.data, text.length < SHOWN_VALUE ? text.length : SHOWN_VALUE });
	return buffer_append_text(out, text.length > SHOWN_VALUE ? "...'" : "'");
}

static bool append(struct eval *e, const struct expr *x, bool numbers, const char *before, struct buffer *out)
{
	bool calculates = x->kind == EXPR_NEGATE || (x->kind >= EXPR_ADD && x->kind <= EXPR_DIVIDE);
	if (!is_in_the_way(e, x, numbers)) return false;
	if (x->kind == EXPR_FIELD) return append_field(e, x, before, out);
	if (x->kind == EXPR_LET) return append(e, e->rules->let[x->let].value, numbers, before, out);
	if (x->kind == EXPR_CHOICE) {
		if (match_eval(x->condition, e->envelope)) return append(e, x->arg[0], numbers, before, out);
		if (x->count > 1) return append(e, x->arg[1], numbers, before, out);
		buffer_append_text(out, before);
		return buffer_append_text(out, "its `if` does not match");
	}
	for (size_t i = 0; i < x->count; i++)
		if (append(e, x->arg[i], calculates, before, out)) return true;
	if (x->kind != EXPR_CALL) return false;
	buffer_append_text(out, before);
	buffer_append_text(out, x->function->name);
	return buffer_append_text(out, numbers ? "() makes no number" : "() makes nothing");
}

bool missing_append(struct eval *e, const struct expr *x, const char *before, struct buffer *out)
{
	/* A value that is there, but is empty or no number: what it comes from is told as well. */
	struct eval_value value;
	while (x->kind == EXPR_LET) x = e->rules->let[x->let].value;
	eval_expr(e, x, &value);
	if (x->kind == EXPR_CALL && value.kind != EVAL_NOTHING && !eval_text(e, &value).length) {
		buffer_append_text(out, before); /* none of what it was given has to be missing */
		buffer_append_text(out, x->function->name);
		return buffer_append_text(out, "() makes an empty text");
	}
	return append(e, x, value.kind != EVAL_NOTHING, before, out);
}
