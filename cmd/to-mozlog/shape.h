/* shape - which type of BigQuery holds a value of JSON, exactly. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_MOZLOG_SHAPE_H
#define TO_MOZLOG_SHAPE_H

#include "columns.h"

/* INTEGER within +-(2^53-1), WIDE beyond it to the ends of 64 bits, FLOAT with a fraction or an exponent (and -0); JSON for what neither holds: larger integers, and what overflows a double. */
enum column_shape shape_of_number(struct span text);

/* Of a string, a number, true or false; SHAPE_COUNT for any other value. */
enum column_shape shape_of_scalar(struct value);

/* What the elements share: numbers are FLOAT if one of them is, WIDE if one is and none is FLOAT. JSON if they share nothing, or one is null or an array. False: the array is empty. */
bool shape_of_array(const struct envelope *, struct value array, enum column_shape *);

/* Whether anything is written of it: a scalar other than null is in it somewhere, or an array that has to be written as JSON. */
bool shape_has_content(const struct envelope *, struct value);

/* A string with its quotes, as it stands in the line, but for halves of surrogate pairs: they become U+FFFD. */
bool shape_append_string(struct buffer *out, struct value string);

#endif
