/* unicode - text that breaks programs which thought they knew Unicode. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef FLOOD_UNICODE_H
#define FLOOD_UNICODE_H

#include "base/buffer.h"
#include "draw.h"

/* Appends exactly `length` bytes that are the inside of a good JSON string: characters of all planes, combining marks, bidirectional
 * controls, emoji, controls of terminals, escapes of every kind, lone surrogates among them. */
void unicode_append(struct buffer *out, struct draw *, size_t length);

#endif
