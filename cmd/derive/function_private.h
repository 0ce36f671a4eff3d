/* function_private - the calls of functions, by the file that has them. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef DERIVE_FUNCTION_PRIVATE_H
#define DERIVE_FUNCTION_PRIVATE_H

#include "function.h"

/* function_text.c */
void function_tag(struct eval *, const struct expr *call, struct eval_value *out);
void function_tagpath(struct eval *, const struct expr *call, struct eval_value *out);
void function_lower(struct eval *, const struct expr *call, struct eval_value *out);
void function_upper(struct eval *, const struct expr *call, struct eval_value *out);
void function_default(struct eval *, const struct expr *call, struct eval_value *out);
void function_omit(struct eval *, const struct expr *call, struct eval_value *out);
void function_keep(struct eval *, const struct expr *call, struct eval_value *out);
void function_equal(struct eval *, const struct expr *call, struct eval_value *out);
void function_make_text(struct eval *, const struct expr *call, struct eval_value *out);

/* function_number.c */
void function_bucket(struct eval *, const struct expr *call, struct eval_value *out);
void function_step(struct eval *, const struct expr *call, struct eval_value *out);
void function_round(struct eval *, const struct expr *call, struct eval_value *out);
void function_floor(struct eval *, const struct expr *call, struct eval_value *out);
void function_ceil(struct eval *, const struct expr *call, struct eval_value *out);
void function_abs(struct eval *, const struct expr *call, struct eval_value *out);
void function_min(struct eval *, const struct expr *call, struct eval_value *out);
void function_max(struct eval *, const struct expr *call, struct eval_value *out);
void function_make_number(struct eval *, const struct expr *call, struct eval_value *out);

#endif
