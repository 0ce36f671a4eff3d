/* missing - why a value of rules is nothing, in words. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef DERIVE_MISSING_H
#define DERIVE_MISSING_H

#include "eval.h"

/* Appends `before` and "fields.x is not there", "fields.x is null", "an `if` does not match", ..., for the first part of the value of which one of these can be said. False: of none; nothing is
 * appended then. For the envelope of eval_begin. */
bool missing_append(struct eval *, const struct expr *, const char *before, struct buffer *out);

#endif
