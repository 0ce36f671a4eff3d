/* eval - walks an expression; what it reads is borrowed from the line, what it makes lies in the arena. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "eval.h"

#include <math.h>
#include <stdlib.h>

#include "base/number.h"
#include "base/text.h"
#include "function.h"
#include "io/diag.h"

struct eval_spill {
	struct eval_spill *next;
	char room[];
};

void eval_init(struct eval *e, const struct rules *rules)
{
	*e = (struct eval){ .rules = rules };
	e->arena.block = must_alloc(EVAL_BLOCK);
	e->let = must_alloc((rules->let_count + 1) * sizeof *e->let);
}

static void drop_spill(struct eval_arena *a)
{
	while (a->spill) {
		struct eval_spill *next = a->spill->next;
		free(a->spill);
		a->spill = next;
	}
}

void eval_release(struct eval *e)
{
	drop_spill(&e->arena);
	free(e->arena.block);
	free(e->let);
}

void eval_begin(struct eval *e, const struct envelope *envelope)
{
	drop_spill(&e->arena);
	e->arena.used = e->arena.spilt = 0;
	e->envelope = envelope;
	e->turn++;
}

char *eval_room(struct eval *e, size_t bytes)
{
	struct eval_arena *a = &e->arena;
	if (bytes <= EVAL_BLOCK - a->used) {
		a->used += bytes;
		return a->block + a->used - bytes;
	}
	if (bytes > EVAL_TEXTS_MAX - a->spilt) return NULL;
	struct eval_spill *one = malloc(sizeof *one + bytes);
	if (!one) return NULL;
	one->next = a->spill;
	a->spill = one;
	a->spilt += bytes;
	return one->room;
}

void eval_put_number(struct eval_value *out, double number)
{
	out->kind = isfinite(number) ? EVAL_NUMBER : EVAL_NOTHING;
	out->text = (struct span){ 0 };
	out->number = number;
	out->is_clean = false;
}

/* What JSON writes as a number is finite if it is short and has no exponent; only others have to be read for that. */
static bool is_finite(struct span text)
{
	double number;
	if (text.length < 300 && !memchr(text.data, 'e', text.length) && !memchr(text.data, 'E', text.length)) return true;
	return number_parse_double(text, &number);
}

/* Apart, so that the usual string costs no frame. */
__attribute__((noinline)) static void decode(struct eval *e, struct span inside, struct eval_value *out)
{
	char *room = eval_room(e, inside.length);
	struct buffer decoded = { .data = room, .capacity = inside.length, .limit = inside.length };
	if (room && text_append_unescaped(&decoded, inside)) eval_put_text(out, buffer_span(&decoded), false);
	else eval_put_nothing(out);
}

static void take_field(struct eval *e, uint32_t number, struct eval_value *out)
{
	const struct value *value = field_set_value(e->rules->fields, number);
	eval_put_nothing(out);
	switch (value->kind) {
	case VALUE_STRING:
		if (value->escaped) decode(e, value->text, out);
		else eval_put_text(out, value->text, true);
		break;
	case VALUE_NUMBER:
		if (!is_finite(value->text)) break;
		eval_put_text(out, value->text, false);
		out->kind = EVAL_NUMBER;
		break;
	case VALUE_TRUE: eval_put_text(out, SPAN("true"), true); break;
	case VALUE_FALSE: eval_put_text(out, SPAN("false"), true); break;
	case VALUE_ABSENT:
	case VALUE_NULL:
	case VALUE_OBJECT:
	case VALUE_ARRAY: break;
	}
}

/* The same for all that use it: so it knows of no tag. */
static void take_let(struct eval *e, uint32_t number, struct eval_value *out)
{
	struct eval_let *let = &e->let[number];
	if (let->turn != e->turn) {
		struct span tag = e->tag;
		e->tag = (struct span){ 0 };
		eval_expr(e, e->rules->let[number].value, &let->value);
		e->tag = tag;
		let->turn = e->turn;
	}
	*out = let->value;
}

static void choose(struct eval *e, const struct expr *x, struct eval_value *out)
{
	if (match_eval(x->condition, e->envelope)) eval_expr(e, x->arg[0], out);
	else if (x->count > 1) eval_expr(e, x->arg[1], out);
	else eval_put_nothing(out);
}

static double compute(enum expr_kind kind, double a, double b)
{
	switch (kind) {
	case EXPR_ADD: return a + b;
	case EXPR_SUBTRACT: return a - b;
	case EXPR_MULTIPLY: return a * b;
	case EXPR_DIVIDE: return a / b;
	default: return -a;
	}
}

static void calculate(struct eval *e, const struct expr *x, struct eval_value *out)
{
	double number[2] = { 0 };
	for (size_t i = 0; i < x->count; i++) {
		struct eval_value value;
		eval_expr(e, x->arg[i], &value);
		if (!eval_number(&value, &number[i])) {
			eval_put_nothing(out);
			return;
		}
	}
	eval_put_number(out, compute(x->kind, number[0], number[1]));
}

void eval_expr(struct eval *e, const struct expr *x, struct eval_value *out)
{
	switch (x->kind) {
	case EXPR_TEXT: eval_put_text(out, x->text, false); break;
	case EXPR_NUMBER: eval_put_number(out, x->number); break;
	case EXPR_FIELD: take_field(e, x->field, out); break;
	case EXPR_LET: take_let(e, x->let, out); break;
	case EXPR_CALL: x->function->call(e, x, out); break;
	case EXPR_CHOICE: choose(e, x, out); break;
	case EXPR_NEGATE:
	case EXPR_ADD:
	case EXPR_SUBTRACT:
	case EXPR_MULTIPLY:
	case EXPR_DIVIDE: calculate(e, x, out); break;
	}
}

bool eval_number(const struct eval_value *value, double *number)
{
	if (value->kind == EVAL_NOTHING) return false;
	if (value->kind == EVAL_NUMBER && !value->text.data) {
		*number = value->number;
		return true;
	}
	return number_parse_double(value->text, number);
}

struct span eval_text(struct eval *e, const struct eval_value *value)
{
	if (value->kind == EVAL_NOTHING) return (struct span){ 0 };
	if (value->kind == EVAL_TEXT || value->text.data) return value->text;
	char *room = eval_room(e, NUMBER_JSON_MAX);
	return (struct span){ room, room ? number_print_json(room, value->number) : 0 };
}
