/* ring - lines on their way to a destination: written ones are kept until it is known that they were read. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_RING_H
#define ROUTE_RING_H

#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include "base/buffer.h"

/*     head              sent               tail
 *      | written, kept   | not yet written  |          positions in the stream of bytes; 0 again whenever it is empty;
 *      ^ start of a line                    ^ behind a newline      a byte lies at data[position & (capacity - 1)]
 *
 * capacity is a power of two, or 0 before the first line. It begins with `first` and grows when lines need it, up to `limit`. */
struct ring {
	char *data;
	size_t capacity, first, limit;
	uint64_t head, sent, tail;
};

void ring_init(struct ring *, size_t first_bytes, size_t limit_bytes); /* both are rounded up to a power of two */
void ring_release(struct ring *);

/* Room for a line of `length` bytes and its newline: grows if it must and may. False: it is full. Dies without memory. */
bool ring_make_room(struct ring *, size_t length);

static inline size_t ring_used(const struct ring *r) { return (size_t)(r->tail - r->head); }
static inline size_t ring_unsent(const struct ring *r) { return (size_t)(r->tail - r->sent); }

static inline bool ring_has_room(const struct ring *r, size_t length)
{
	return ring_used(r) + length < r->capacity;
}

void ring_put_wrapped(struct ring *, struct span line);

/* Appends the line and a newline; there must be room. */
static inline void ring_put(struct ring *r, struct span line)
{
	size_t at = (size_t)r->tail & (r->capacity - 1);
	if (at + line.length < r->capacity) {
		memcpy(r->data + at, line.data, line.length);
		r->data[at + line.length] = '\n';
		r->tail += line.length + 1;
	} else {
		ring_put_wrapped(r, line);
	}
}

/* What is to be written, at most `most` bytes, as one or two parts; returns how many parts. */
int ring_unsent_parts(const struct ring *, size_t most, struct iovec parts[2]);

/* Everything before `position` was read by the far side: forgets the lines that end there or before. */
void ring_forget(struct ring *, uint64_t position);

/* The start of the line that `position` lies in (itself, if a line starts there); not before head. */
uint64_t ring_line_start(const struct ring *, uint64_t position);

/* The line that starts there (there is one), without its newline; one that wraps is put together in `wrapped`. Valid until the ring or that buffer changes. */
struct span ring_line_at(const struct ring *, uint64_t position, struct buffer *wrapped);

uint64_t ring_count_lines(const struct ring *, uint64_t from, uint64_t to); /* newlines in [from, to) */

#endif
