/* malformed - lines that are no envelopes, as they come about in the field. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef FLOOD_MALFORMED_H
#define FLOOD_MALFORMED_H

#include "base/buffer.h"
#include "draw.h"

/* Turns the good envelope behind `start` in `line` into a malformed one: cut, two in one, with bytes that are not UTF-8, with a NUL, with a member
 * of a wrong type or a repeated one, too deep, or replaced by text or bytes that never were one. It never holds a newline, and is never blank. */
void malformed_make(struct buffer *line, size_t start, struct draw *);

#endif
