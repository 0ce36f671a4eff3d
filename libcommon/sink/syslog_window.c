/* syslog_window - messages as frames of a stream, kept until they are proved. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/syslog_private.h"

#include "base/number.h"
#include "io/diag.h"

struct span syslog_cut(struct span message, size_t max_bytes)
{
	if (message.length <= max_bytes) return message;
	size_t length = max_bytes;
	for (int back = 0; back < 3 && length && ((unsigned char)message.data[length] & 0xC0) == 0x80; back++) length--;
	/* Not UTF-8 after all: then any place is as good. */
	if (((unsigned char)message.data[length] & 0xC0) == 0x80) length = max_bytes;
	return (struct span){ message.data, length };
}

static bool is_line(struct span message)
{
	return !memchr(message.data, '\n', message.length) && !memchr(message.data, '\0', message.length);
}

/* A byte that would end the line is written as rsyslog shows it. False: it was cut. */
static bool add_escaped(struct buffer *out, struct span message, size_t max_bytes)
{
	size_t from = out->length;
	struct span rest = syslog_cut(message, max_bytes); /* it only grows */
	for (size_t i = 0; i < rest.length; i++) {
		if (rest.data[i] == '\n') buffer_append(out, "#012", 4);
		else if (rest.data[i] == '\0') buffer_append(out, "#000", 4);
		else buffer_append_byte(out, rest.data[i]);
	}
	if (out->failed) return false;
	struct span written = { out->data + from, out->length - from }, cut = syslog_cut(written, max_bytes);
	out->length = from + cut.length;
	return cut.length == written.length && rest.length == message.length;
}

static void add_line(struct buffer *out, struct span message, size_t max_bytes, bool *truncated)
{
	/* A line that begins with a digit would be taken for a count, an empty one for nothing. */
	if (!message.length || (message.data[0] >= '0' && message.data[0] <= '9')) {
		buffer_append_byte(out, ' ');
		max_bytes--;
	}
	if (is_line(message)) {
		struct span cut = syslog_cut(message, max_bytes);
		*truncated = cut.length < message.length;
		buffer_append_span(out, cut);
	} else {
		*truncated = !add_escaped(out, message, max_bytes);
	}
	buffer_append_byte(out, '\n');
}

static void add_counted(struct buffer *out, struct span message, size_t max_bytes, bool *truncated)
{
	struct span cut = message.length ? syslog_cut(message, max_bytes) : SPAN(" "); /* a count of 0 is none */
	*truncated = cut.length < message.length;
	buffer_append_int(out, (int64_t)cut.length);
	buffer_append_byte(out, ' ');
	buffer_append_span(out, cut);
}

void syslog_window_add(struct syslog_window *w, struct span message, size_t max_bytes, bool *truncated)
{
	if (w->counted) add_counted(&w->bytes, message, max_bytes, truncated);
	else add_line(&w->bytes, message, max_bytes, truncated);
	if (w->bytes.failed) die(EXIT_INTERNAL, "out of memory");
	w->messages++;
}

/* The frame that begins at `at`: its length. */
static size_t frame_length(const struct syslog_window *w, size_t at)
{
	const char *data = w->bytes.data + at;
	size_t left = w->bytes.length - at, digits = 0, count = 0;
	if (!w->counted) return (size_t)((const char *)memchr(data, '\n', left) - data) + 1;
	for (; data[digits] != ' '; digits++) count = count * 10 + (size_t)(data[digits] - '0');
	return digits + 1 + count;
}

size_t syslog_window_first(const struct syslog_window *w, size_t most)
{
	size_t at = 0, length;
	if (!most || most >= w->bytes.length) return w->bytes.length;
	while (at < w->bytes.length && ((length = frame_length(w, at)) <= most - at || !at)) {
		at += length;
		if (at > most) break;
	}
	return at;
}

uint64_t syslog_window_begun(const struct syslog_window *w)
{
	uint64_t messages = 0;
	if (w->sent == w->bytes.length) return w->messages;
	for (size_t at = 0; at < w->sent; at += frame_length(w, at)) messages++;
	return messages;
}

uint64_t syslog_window_release(struct syslog_window *w, size_t taken)
{
	uint64_t messages = 0;
	size_t at = 0, length;
	if (taken == w->bytes.length) {
		messages = w->messages;
		at = taken;
	}
	for (; at < taken && at + (length = frame_length(w, at)) <= taken; at += length) messages++;
	buffer_drop(&w->bytes, at);
	w->sent -= at;
	w->messages -= messages;
	return messages;
}
