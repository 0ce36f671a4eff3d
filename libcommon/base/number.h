/* number - numbers as text, in the C locale whatever LC_ALL says. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdint.h>
#include "base/span.h"

enum {
	NUMBER_INT_MAX = 21,     /* longest text of an int64_t with its NUL */
	NUMBER_FIXED_MAX = 400,  /* longest text number_print_fixed writes, with its NUL */
	NUMBER_JSON_MAX = 26,    /* longest text number_print_json writes, with its NUL: -1.2345678901234567e-308 and -0.0000012345678901234567 */
};

/* Writes the decimal text and returns its length (no NUL is counted; one is written). */
size_t number_print_int(char out[NUMBER_INT_MAX], int64_t value);

/* Writes the shortest decimal text that reads back as `value`, without an exponent (statsd and Graphite read none).
 * Returns its length, 0 for NaN and infinities. Integral values have no point: 3, not 3.0. */
size_t number_print_fixed(char out[NUMBER_FIXED_MAX], double value);

/* The same digits as ECMAScript lays them out (RFC 8785, 3.2.2.3), which is also JSON: 0.1, 3, 1e+21, 1e-7; -0 is 0. Of several that are equally short the
 * nearest to the value, so each number has one text. The process may be in any locale. Returns the length, 0 for NaN and infinities. */
size_t number_print_json(char out[NUMBER_JSON_MAX], double value);

/* Strict decimal integer, optional leading '-': the whole span or nothing; false on overflow. */
bool number_parse_int(struct span text, int64_t *value);

/* Strict JSON-style number, optional leading '+' or '-': digits, fraction, exponent; no blanks, no hex, no inf/nan.
 * The whole span or nothing; false if it overflows a double. */
bool number_parse_double(struct span text, double *value);

/* "1500", "64k" (1000), "64Ki" (1024), M/Mi, G/Gi; false on anything else, negatives and overflow. */
bool number_parse_size(struct span text, uint64_t *bytes);

/* "250ms", "5s", "10m", "1h", "2d", "1.5s", "500us"; a bare number is seconds. Non-negative. */
bool number_parse_duration(struct span text, int64_t *nanoseconds);

#endif
