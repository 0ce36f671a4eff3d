/* ring - a buffer of lines that wraps round and grows up to its limit. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>
#include "io/diag.h"
#include "ring.h"

static size_t round_up(size_t bytes)
{
	size_t power = 4096;
	while (power < bytes && power <= SIZE_MAX / 2) power *= 2;
	return power;
}

void ring_init(struct ring *r, size_t first_bytes, size_t limit_bytes)
{
	size_t limit = round_up(limit_bytes), first = round_up(first_bytes);
	*r = (struct ring){ .first = first < limit ? first : limit, .limit = limit };
}

void ring_release(struct ring *r)
{
	free(r->data);
	*r = (struct ring){ 0 };
}

/* Bytes [from, to) as they lie in memory: one part, or two when they wrap. */
static int parts_between(const struct ring *r, uint64_t from, uint64_t to, struct iovec parts[2])
{
	size_t length = (size_t)(to - from);
	if (length == 0) return 0;
	size_t at = (size_t)from & (r->capacity - 1);
	size_t first = r->capacity - at < length ? r->capacity - at : length;
	parts[0] = (struct iovec){ r->data + at, first };
	if (first == length) return 1;
	parts[1] = (struct iovec){ r->data, length - first };
	return 2;
}

static void grow(struct ring *r, size_t capacity)
{
	char *data = must_alloc(capacity);
	struct iovec parts[2];
	int count = parts_between(r, r->head, r->tail, parts);
	uint64_t position = r->head;
	for (int i = 0; i < count; i++) {
		const char *from = parts[i].iov_base;
		for (size_t done = 0; done < parts[i].iov_len; ) { /* it may wrap elsewhere in the new one */
			size_t at = (size_t)position & (capacity - 1);
			size_t piece = parts[i].iov_len - done;
			if (piece > capacity - at) piece = capacity - at;
			memcpy(data + at, from + done, piece);
			position += piece;
			done += piece;
		}
	}
	free(r->data);
	r->data = data;
	r->capacity = capacity;
}

bool ring_make_room(struct ring *r, size_t length)
{
	size_t needed = ring_used(r) + length + 1;
	if (needed <= r->capacity) return true;
	size_t capacity = r->capacity ? r->capacity : r->first;
	while (capacity < needed) capacity *= 2;
	if (capacity > r->limit) return false;
	grow(r, capacity);
	return true;
}

void ring_put_wrapped(struct ring *r, struct span line)
{
	size_t at = (size_t)r->tail & (r->capacity - 1);
	size_t first = r->capacity - at < line.length ? r->capacity - at : line.length;
	memcpy(r->data + at, line.data, first);
	memcpy(r->data, line.data + first, line.length - first);
	r->data[(size_t)(r->tail + line.length) & (r->capacity - 1)] = '\n';
	r->tail += line.length + 1;
}

int ring_unsent_parts(const struct ring *r, size_t most, struct iovec parts[2])
{
	size_t unsent = ring_unsent(r);
	return parts_between(r, r->sent, r->sent + (unsent < most ? unsent : most), parts);
}

uint64_t ring_line_start(const struct ring *r, uint64_t position)
{
	struct iovec parts[2];
	int count = parts_between(r, r->head, position, parts);
	uint64_t end = position;
	for (int i = count - 1; i >= 0; i--) {
		const char *newline = memrchr(parts[i].iov_base, '\n', parts[i].iov_len);
		if (newline) return end - parts[i].iov_len + (size_t)(newline - (const char *)parts[i].iov_base) + 1;
		end -= parts[i].iov_len;
	}
	return r->head;
}

void ring_forget(struct ring *r, uint64_t position)
{
	r->head = ring_line_start(r, position);
	if (r->head == r->tail) r->head = r->sent = r->tail = 0; /* from the start again: no more memory is touched than is needed */
}

struct span ring_line_at(const struct ring *r, uint64_t position, struct buffer *wrapped)
{
	size_t at = (size_t)position & (r->capacity - 1), left = (size_t)(r->tail - position);
	const char *start = r->data + at, *newline = memchr(start, '\n', left < r->capacity - at ? left : r->capacity - at);
	if (newline) return span_between(start, newline);
	newline = memchr(r->data, '\n', left - (r->capacity - at));
	buffer_clear(wrapped);
	buffer_append(wrapped, start, r->capacity - at);
	buffer_append_span(wrapped, span_between(r->data, newline));
	if (wrapped->failed) die(EXIT_INTERNAL, "out of memory");
	return buffer_span(wrapped);
}

uint64_t ring_count_lines(const struct ring *r, uint64_t from, uint64_t to)
{
	struct iovec parts[2];
	int count = parts_between(r, from, to, parts);
	uint64_t lines = 0;
	for (int i = 0; i < count; i++) {
		const char *at = parts[i].iov_base, *end = at + parts[i].iov_len;
		while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) lines++, at++;
	}
	return lines;
}
