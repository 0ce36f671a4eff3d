/* ackwindow - the envelopes that a sender of ack: holds until they are acknowledged, as one queue of bytes with their numbers. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/ackwindow.h"

void ackwindow_init(struct ackwindow *w, uint64_t acknowledged)
{
	*w = (struct ackwindow){ .acknowledged = acknowledged, .sent = acknowledged, .highest = acknowledged, .taken = acknowledged };
	buffer_init(&w->bytes, SIZE_MAX / 2);
}

void ackwindow_release(struct ackwindow *w)
{
	buffer_release(&w->bytes);
}

bool ackwindow_is_empty(const struct ackwindow *w)
{
	return w->head == w->bytes.length;
}

bool ackwindow_has_room(const struct ackwindow *w, size_t line_length)
{
	return ackwindow_is_empty(w) || w->bytes.length - w->head + line_length < ACKWINDOW_BYTES;
}

size_t ackwindow_unsent(const struct ackwindow *w)
{
	return w->bytes.length - w->next;
}

/* Moves what is held to the front once as much stands before it, so that each byte is moved once at most. */
static void make_room(struct ackwindow *w)
{
	if (w->head < w->bytes.length - w->head) return;
	buffer_drop(&w->bytes, w->head);
	w->next -= w->head;
	w->head = 0;
}

static bool reserve(struct ackwindow *w, size_t length)
{
	if (w->bytes.capacity - w->bytes.length <= length) make_room(w);
	if (buffer_reserve(&w->bytes, length)) return true;
	w->bytes.failed = w->bytes.no_memory = false;
	return false;
}

bool ackwindow_add(struct ackwindow *w, struct span line)
{
	if (!reserve(w, line.length + 1)) return false;
	buffer_append_span(&w->bytes, line);
	buffer_append_byte(&w->bytes, '\n');
	w->taken++;
	return true;
}

bool ackwindow_add_lines(struct ackwindow *w, struct span lines, uint64_t count)
{
	if (!reserve(w, lines.length)) return false;
	buffer_append_span(&w->bytes, lines);
	w->taken += count;
	return true;
}

struct span ackwindow_batch(const struct ackwindow *w, size_t most)
{
	struct span rest = { w->bytes.data + w->next, ackwindow_unsent(w) };
	if (rest.length <= most) return rest;
	const char *newline = memrchr(rest.data, '\n', most);
	if (!newline) newline = memchr(rest.data + most, '\n', rest.length - most);
	return span_between(rest.data, newline + 1);
}

/* The place behind the first `count` lines from `at` on; fewer if there are not so many. */
static const char *skip_lines(const char *at, const char *end, uint64_t count)
{
	for (; count && at < end; count--) at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
	return at;
}

static uint64_t count_lines(struct span lines)
{
	uint64_t count = 0;
	const char *end = lines.data + lines.length;
	for (const char *at = lines.data; at < end; count++) at = skip_lines(at, end, 1);
	return count;
}

void ackwindow_sent(struct ackwindow *w, struct span batch)
{
	w->next += batch.length;
	w->sent = w->next == w->bytes.length ? w->taken : w->sent + count_lines(batch);
	if (w->sent > w->highest) w->highest = w->sent;
}

void ackwindow_go_back(struct ackwindow *w)
{
	w->next = w->head;
	w->sent = w->acknowledged;
}

bool ackwindow_acknowledge(struct ackwindow *w, uint64_t number)
{
	if (number <= w->acknowledged || number > w->highest) return false;
	const char *data = w->bytes.data, *end = data + w->bytes.length;
	if (number == w->sent) w->head = w->next;
	else w->head = (size_t)(skip_lines(data + w->head, end, number - w->acknowledged) - data);
	w->acknowledged = number;
	if (w->sent <= number) ackwindow_go_back(w); /* sent before a going back, and taken all the same */
	if (ackwindow_is_empty(w)) {
		w->head = w->next = 0;
		buffer_clear(&w->bytes);
	}
	return true;
}

struct span ackwindow_line(const struct ackwindow *w, uint64_t number)
{
	if (number <= w->acknowledged || number > w->taken) return (struct span){ 0 };
	const char *end = w->bytes.data + w->bytes.length;
	const char *line = skip_lines(w->bytes.data + w->head, end, number - w->acknowledged - 1);
	return (struct span){ line, (size_t)((const char *)memchr(line, '\n', (size_t)(end - line)) - line) };
}
