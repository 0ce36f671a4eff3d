/* buffer - owned bytes that grow up to a maximum stated at init. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/buffer.h"

#include <stdlib.h>

#include "base/number.h"

void buffer_init(struct buffer *b, size_t limit_bytes)
{
	*b = (struct buffer){ .limit = limit_bytes };
}

void buffer_release(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){ .limit = b->limit };
}

static bool grow(struct buffer *b, size_t needed)
{
	size_t capacity = b->capacity ? b->capacity : 256;
	while (capacity < needed) capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
	if (capacity > b->limit) capacity = b->limit;
	char *data = realloc(b->data, capacity);
	if (!data) return false;
	b->data = data;
	b->capacity = capacity;
	return true;
}

bool buffer_reserve_growing(struct buffer *b, size_t more)
{
	if (b->failed) return false;
	if (more <= b->capacity - b->length) return true;
	if (more > b->limit - b->length) b->failed = true;
	else if (!grow(b, b->length + more)) b->failed = b->no_memory = true;
	return !b->failed;
}

bool buffer_append_growing(struct buffer *b, const void *data, size_t length)
{
	if (!buffer_reserve(b, length)) return false;
	if (length) memcpy(b->data + b->length, data, length);
	b->length += length;
	return true;
}

bool buffer_append_text(struct buffer *b, const char *text)
{
	return buffer_append(b, text, strlen(text));
}

bool buffer_append_int(struct buffer *b, int64_t value)
{
	char digits[NUMBER_INT_MAX];
	return buffer_append(b, digits, number_print_int(digits, value));
}

void buffer_drop(struct buffer *b, size_t length)
{
	if (length >= b->length) {
		b->length = 0;
		return;
	}
	memmove(b->data, b->data + length, b->length - length);
	b->length -= length;
}

const char *buffer_text(struct buffer *b)
{
	if (!buffer_reserve(b, 1)) return NULL;
	b->data[b->length] = '\0';
	return b->data;
}
