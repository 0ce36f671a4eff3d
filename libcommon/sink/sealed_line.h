/* sealed_line - an envelope of ours whose last field is the checksum of its own bytes: the trailer of a segment, a state. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_SEALED_LINE_H
#define SINK_SEALED_LINE_H

#include <stdint.h>
#include "base/buffer.h"

/*     {...,"fields":{...,"line":"xxh3:0123456789abcdef"}}
 * The checksum is XXH3-64 of all that stands before the comma before "line". */

/* What was appended from `start` on is such an envelope up to the last of its other fields: appends the last one, two braces and a newline. */
bool sealed_line_end(struct buffer *out, size_t start);
bool sealed_line_is_whole(struct span line); /* without its newline. That it is an envelope is not checked */

bool sealed_line_append_hex(struct buffer *out, uint64_t value); /* 16 digits */
bool sealed_line_parse_hex(struct span text, uint64_t *value);   /* exactly so */

#endif
