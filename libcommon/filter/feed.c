/* feed - gives lines and frames that lie in memory to a filter's scanner, books and output. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "filter/feed.h"

#include <stdint.h>
#include <stdlib.h>

#include "io/diag.h"

void feed_init(struct feed *feed, struct filter *filter)
{
	*feed = (struct feed){ .filter = filter };
	buffer_init(&feed->frame, SIZE_MAX / 2);
	buffer_init(&feed->joined, SIZE_MAX / 2);
}

void feed_release(struct feed *feed)
{
	buffer_release(&feed->frame);
	buffer_release(&feed->joined);
}

static void book_reject(struct feed *feed, const struct feed_source *source, struct span raw, uint64_t length, const char *reason, size_t column)
{
	struct filter *f = feed->filter;
	struct reject what = { raw, length, reason, column, source->name, source->line };
	f->stats.read++;
	f->stats.rejected++;
	if (f->on_reject) f->on_reject(f->on_reject_context, &what);
	rejects_add(&f->rejects, &what);
	if (f->rejects.fatal) exit(filter_close(f));
}

void feed_reject(struct feed *feed, struct feed_source *source, struct span start, uint64_t length, const char *reason)
{
	source->line++;
	book_reject(feed, source, start, length, reason, 0);
}

static void book_good(struct feed *feed, const struct feed_source *source, const struct envelope *envelope)
{
	struct filter *f = feed->filter;
	f->stats.read++;
	f->stats.bytes += envelope->line.length + 1;
	f->line = source->line;
	if (filter_wants(f, envelope)) filter_pass(f, envelope);
	else filter_drop(f);
}

/* The line at `start` judged; `line` becomes the line. */
static enum envelope_verdict judge(struct feed *feed, const char *start, const char *end, struct envelope *envelope, struct span *line)
{
	struct filter *f = feed->filter;
	size_t length = scan_line(&f->scan, start, end);
	*line = (struct span){ start, length };
	if (length > f->options.line_limit) {
		f->fault = (struct envelope_fault){ .reason = "longer than --max-line" };
		return ENVELOPE_BAD;
	}
	return envelope_parse(envelope, &f->scan, *line, &f->fault);
}

void feed_lines(struct feed *feed, struct feed_source *source, const char *start, const char *end)
{
	struct envelope envelope;
	struct span line;
	for (; start < end; start += line.length + 1) {
		enum envelope_verdict verdict = judge(feed, start, end, &envelope, &line);
		source->line++;
		if (verdict == ENVELOPE_GOOD) book_good(feed, source, &envelope);
		else if (verdict == ENVELOPE_BAD) book_reject(feed, source, line, line.length > feed->filter->options.line_limit ? line.length : 0, feed->filter->fault.reason, feed->filter->fault.column);
	}
}

static void *room(struct buffer *buffer, size_t length)
{
	buffer_clear(buffer);
	if (!buffer_reserve(buffer, length + 1 + SCAN_PADDING)) die(EXIT_INTERNAL, "no memory for a message of %zu bytes", length);
	return buffer->data;
}

/* Copies the text with a blank for each newline; false if one stands inside a string, where it may not be. */
static bool join(char *out, const char *text, size_t length)
{
	bool in_string = false;
	for (size_t i = 0; i < length; i++) {
		out[i] = text[i];
		if (text[i] == '"') in_string = !in_string;
		else if (text[i] == '\\' && in_string && i + 1 < length) i++, out[i] = text[i];
		else if (text[i] == '\n' && in_string) return false;
		else if (text[i] == '\n') out[i] = ' ';
	}
	out[length] = '\n';
	return true;
}

/* True if the whole frame was one good document, which is booked then. */
static bool take_document(struct feed *feed, struct feed_source *source, const char *data, size_t length)
{
	struct envelope envelope;
	struct span line;
	if (length > feed->filter->options.line_limit) return false;
	char *joined = room(&feed->joined, length);
	if (!join(joined, data, length)) return false;
	if (judge(feed, joined, joined + length + 1, &envelope, &line) != ENVELOPE_GOOD) return false;
	source->line++;
	feed->documents++;
	book_good(feed, source, &envelope);
	return true;
}

void feed_frame_in_place(struct feed *feed, struct feed_source *source, char *data, size_t length)
{
	struct envelope envelope;
	struct span line;
	while (length && data[length - 1] == '\n') length--;
	if (!length) return;
	data[length] = '\n';
	const char *start = data, *end = data + length + 1;
	if (memchr(data, '\n', length)) {
		/* The beginning of a document is no document: so the first line that is not blank tells which of the two it is. */
		enum envelope_verdict first;
		while ((first = judge(feed, start, end, &envelope, &line)) == ENVELOPE_BLANK && line.data + line.length + 1 < end)
			start += line.length + 1;
		if (first == ENVELOPE_BAD && take_document(feed, source, data, length)) return;
	}
	feed_lines(feed, source, start, end);
}

void feed_frame(struct feed *feed, struct feed_source *source, struct span frame)
{
	char *data = room(&feed->frame, frame.length);
	if (frame.length) memcpy(data, frame.data, frame.length);
	feed_frame_in_place(feed, source, data, frame.length);
}
