/* function - the functions of rules: what they are called, what they take, what they make of it. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef DERIVE_FUNCTION_H
#define DERIVE_FUNCTION_H

#include "eval.h"

/*     tag(v)                     as generate_tag of markus writes the value of this tag (base/tag.h); outside of a tag, with the key left out
 *     tagpath(v)                 the same of a request's path: tag_append_path before it
 *     lower(v) upper(v)          of ASCII letters
 *     default(v, w, ...)         the first that is there
 *     omit(v, a, b, ...)         v, unless its text is one of these words: then nothing
 *     keep(v, a, b, ...)         v, if its text is one of these words: else nothing
 *     bucket(v, none, one, many) a count's class: 0 the first word, 1 the second, and whatever is more than there are words the last; what is behind the point is cut off;
 *                                what is no count (not a number or its text, or negative) is nothing
 *     step(v, a, 10, b, 100, c)  a below 10, b below 100, c from there on
 *     equal(a, b, v, w)          v if a and b are there and of the same text; else w, or nothing without w
 *     round(v) floor(v) ceil(v) abs(v)    round: half away from zero
 *     min(v, w, ...) max(v, w, ...)       of those that are there
 *     text(v)                    of a number or a truth value its text
 *     number(v)                  of a text that is a number, the number */
struct function {
	const char *name;
	size_t least, most;     /* arguments; most SIZE_MAX: any number */
	bool (*is_word)(size_t at); /* whether a bare word (letters, digits and . _ -) may be the argument at that place, counted from 0; NULL: nowhere */
	/* More than the numbers of arguments say, with them parsed; NULL: it is well, or there is no such check. Else what is wrong: "step takes words and numbers in turn". */
	const char *(*check)(const struct expr *call);
	void (*call)(struct eval *, const struct expr *call, struct eval_value *out);
};

const struct function *function_find(struct span name);   /* NULL: there is none */
const char *function_guess(struct span name);             /* "tagpath" for "tagpat"; NULL */

#endif
