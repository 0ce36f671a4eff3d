/* function_number - functions of rules that make numbers, or classes of them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <math.h>

#include "function_private.h"

static bool take_number(struct eval *e, const struct expr *x, double *number)
{
	struct eval_value value;
	eval_expr(e, x, &value);
	return eval_number(&value, number);
}

void function_bucket(struct eval *e, const struct expr *call, struct eval_value *out)
{
	double count, last = (double)(call->count - 2);
	eval_put_nothing(out);
	if (!take_number(e, call->arg[0], &count) || count < 0) return;
	eval_expr(e, call->arg[1 + (size_t)(count < last ? count : last)], out);
}

void function_step(struct eval *e, const struct expr *call, struct eval_value *out)
{
	double number, bound;
	size_t i = 1;
	eval_put_nothing(out);
	if (!take_number(e, call->arg[0], &number)) return;
	while (i + 1 < call->count && take_number(e, call->arg[i + 1], &bound) && number >= bound) i += 2;
	eval_expr(e, call->arg[i], out);
}

static void change(struct eval *e, const struct expr *call, double (*how)(double), struct eval_value *out)
{
	double number;
	if (take_number(e, call->arg[0], &number)) eval_put_number(out, how(number));
	else eval_put_nothing(out);
}

void function_round(struct eval *e, const struct expr *call, struct eval_value *out)
{
	change(e, call, round, out);
}

void function_floor(struct eval *e, const struct expr *call, struct eval_value *out)
{
	change(e, call, floor, out);
}

void function_ceil(struct eval *e, const struct expr *call, struct eval_value *out)
{
	change(e, call, ceil, out);
}

void function_abs(struct eval *e, const struct expr *call, struct eval_value *out)
{
	change(e, call, fabs, out);
}

/* `sign` 1: the least, -1: the largest. */
static void choose(struct eval *e, const struct expr *call, double sign, struct eval_value *out)
{
	double best = INFINITY, number;
	for (size_t i = 0; i < call->count; i++)
		if (take_number(e, call->arg[i], &number)) best = fmin(best, sign * number);
	eval_put_number(out, sign * best);
}

void function_min(struct eval *e, const struct expr *call, struct eval_value *out)
{
	choose(e, call, 1, out);
}

void function_max(struct eval *e, const struct expr *call, struct eval_value *out)
{
	choose(e, call, -1, out);
}

void function_make_number(struct eval *e, const struct expr *call, struct eval_value *out)
{
	double number;
	eval_expr(e, call->arg[0], out);
	if (!eval_number(out, &number)) eval_put_nothing(out);
	else if (out->kind == EVAL_TEXT) eval_put_number(out, number);
}
