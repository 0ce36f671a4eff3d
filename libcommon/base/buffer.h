/* buffer - owned bytes that grow up to a maximum stated at init. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdint.h>
#include "base/span.h"

/* Invariants: length <= capacity <= limit. data may be NULL while capacity is 0.
 * An append that would pass `limit`, or that finds no memory, changes nothing, sets `failed` and returns false;
 * `failed` (and `no_memory`) stays set until buffer_clear, so a series of appends needs one check at its end. */
struct buffer {
	char *data;
	size_t length;
	size_t capacity;
	size_t limit;
	bool failed;
	bool no_memory;  /* failed, and not because of the limit */
};

void buffer_init(struct buffer *b, size_t limit_bytes);
void buffer_release(struct buffer *b);              /* frees; b may be used again after buffer_init */
bool buffer_reserve_growing(struct buffer *b, size_t more); /* what buffer_reserve does when there is no room yet */
bool buffer_append_growing(struct buffer *b, const void *data, size_t length); /* what buffer_append does when there is no room yet */
bool buffer_append_text(struct buffer *b, const char *text);
bool buffer_append_int(struct buffer *b, int64_t value); /* decimal */
void buffer_drop(struct buffer *b, size_t length);       /* removes the first `length` bytes */
const char *buffer_text(struct buffer *b);               /* NUL-terminated (the NUL is not counted); NULL if no memory */

/* Inline, because the usual case is a few bytes for which there is room. */
static inline bool buffer_reserve(struct buffer *b, size_t more) /* room for `more` bytes behind length */
{
	return b->failed || more > b->capacity - b->length ? buffer_reserve_growing(b, more) : true;
}

static inline bool buffer_append(struct buffer *b, const void *data, size_t length)
{
	if (b->failed || length >= b->capacity - b->length) return buffer_append_growing(b, data, length);
	memcpy(b->data + b->length, data, length);
	b->length += length;
	return true;
}

static inline bool buffer_append_span(struct buffer *b, struct span s)
{
	return s.length ? buffer_append(b, s.data, s.length) : !b->failed;
}

static inline bool buffer_append_byte(struct buffer *b, char byte)
{
	return buffer_append(b, &byte, 1);
}

static inline void buffer_clear(struct buffer *b)
{
	b->length = 0;
	b->failed = b->no_memory = false;
}

static inline struct span buffer_span(const struct buffer *b)
{
	return (struct span){ b->data, b->length };
}

#endif
