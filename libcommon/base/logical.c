/* logical - takes a file apart into physical lines, and remembers which of them a logical line was made of. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/logical.h"

#include <stdio.h>

#include "base/text.h"

void logical_init(struct logical *l, struct span whole, size_t limit_bytes)
{
	*l = (struct logical){ .left = whole };
	buffer_init(&l->text, limit_bytes);
}

void logical_release(struct logical *l)
{
	buffer_release(&l->text);
}

void logical_begin(struct logical *l)
{
	buffer_clear(&l->text);
	l->count = 0;
}

static bool is_comment(struct span line)
{
	struct span s = span_trim(line);
	return s.length && s.data[0] == '#';
}

enum logical_take logical_take(struct logical *l, bool inside, struct span *line)
{
	while (l->left.length) {
		*line = span_take_line(&l->left);
		l->number++;
		if (line->length && line->data[line->length - 1] == '\r') line->length--;
		if (!inside && is_comment(*line)) continue;
		if (l->count == LOGICAL_PIECES_MAX) return LOGICAL_FULL;
		l->piece[l->count++] = (struct logical_piece){ l->text.length, l->number, *line };
		return LOGICAL_LINE;
	}
	return LOGICAL_END;
}

bool logical_is_blank(const struct logical *l)
{
	return span_trim(buffer_span(&l->text)).length == 0;
}

const struct logical_piece *logical_find(const struct logical *l, size_t offset)
{
	size_t i = l->count;
	while (i > 1 && l->piece[i - 1].at > offset) i--;
	return i ? &l->piece[i - 1] : NULL;
}

bool logical_fault_at(struct logical_fault *fault, const struct logical *l, size_t offset, const char *reason)
{
	const struct logical_piece *piece = logical_find(l, offset);
	*fault = (struct logical_fault){ .line = piece ? piece->line : l->number };
	snprintf(fault->reason, sizeof fault->reason, "%s", reason);
	if (!piece) return false;
	fault->physical = piece->physical;
	fault->column = offset - piece->at < piece->physical.length ? offset - piece->at : piece->physical.length;
	return false;
}

/* What is before the byte is all that is shown of its line: a terminal may make anything of the byte. */
static bool bad_byte(struct logical_fault *fault, struct span text, size_t offset, const char *reason)
{
	const char *start = text.data, *end;
	snprintf(fault->reason, sizeof fault->reason, "%s", reason);
	for (fault->line = 1; (end = memchr(start, '\n', (size_t)(text.data + offset - start))); start = end + 1) fault->line++;
	fault->physical = span_between(start, text.data + offset);
	fault->column = fault->physical.length;
	return false;
}

bool logical_check(struct span *whole, struct logical_fault *fault)
{
	uint32_t codepoint;
	*fault = (struct logical_fault){ .line = 0 };
	if (whole->length > LOGICAL_BYTES_MAX) {
		snprintf(fault->reason, sizeof fault->reason, "it is larger than 1 MiB");
		return false;
	}
	if (span_starts(*whole, SPAN("\xef\xbb\xbf"))) whole->data += 3, whole->length -= 3;
	for (size_t i = 0, bytes; i < whole->length; i += bytes) {
		bytes = text_decode_utf8((struct span){ whole->data + i, whole->length - i }, &codepoint);
		if (bytes == 0) return bad_byte(fault, *whole, i, "not valid UTF-8");
		if (codepoint == 0) return bad_byte(fault, *whole, i, "a NUL byte");
	}
	return true;
}
