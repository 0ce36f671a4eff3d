/* sealed_line - an envelope of ours whose last field is the checksum of its own bytes. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/sealed_line.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/checksum.h"

static const char prefix[] = ",\"line\":\"xxh3:";
enum { HEX = 16, PREFIX_LENGTH = sizeof prefix - 1, END_LENGTH = PREFIX_LENGTH + HEX + 3 /* "}} */ };

bool sealed_line_append_hex(struct buffer *out, uint64_t value)
{
	char hex[HEX + 1];
	snprintf(hex, sizeof hex, "%016" PRIx64, value);
	return buffer_append(out, hex, HEX);
}

bool sealed_line_parse_hex(struct span text, uint64_t *value)
{
	if (text.length != HEX) return false;
	*value = 0;
	for (size_t i = 0; i < HEX; i++) {
		char c = text.data[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
		*value = *value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return true;
}

bool sealed_line_end(struct buffer *out, size_t start)
{
	if (out->failed) return false;
	uint64_t sum = checksum_of((struct span){ out->data + start, out->length - start });
	buffer_append_text(out, prefix);
	sealed_line_append_hex(out, sum);
	return buffer_append_text(out, "\"}}\n");
}

bool sealed_line_is_whole(struct span line)
{
	uint64_t sum;
	if (line.length <= END_LENGTH) return false;
	struct span before = { line.data, line.length - END_LENGTH }, end = { line.data + before.length, END_LENGTH };
	struct span hex = { end.data + PREFIX_LENGTH, HEX }, braces = { hex.data + HEX, 3 };
	return span_starts(end, span_of(prefix)) && span_equal(braces, SPAN("\"}}")) && sealed_line_parse_hex(hex, &sum) && sum == checksum_of(before);
}
