/* whole - a small file, read as a whole: rules, catalogues and their like. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_WHOLE_H
#define IO_WHOLE_H

#include "base/buffer.h"

/* Makes `text` (which it initialises; the caller releases it, whatever is returned) what is in the file. Of a file longer than `most` bytes it has more than that many,
 * and less than all: it is for the caller to refuse. 0, or errno if it cannot be read. Dies without memory. */
int whole_read(struct buffer *text, const char *path, size_t most_bytes);

#endif
