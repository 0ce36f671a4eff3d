/* malformed - lines that are no envelopes, as they come about in the field. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "malformed.h"

#include <string.h>

static const char *const never_good[] = { "{\"timestamp\": \"2012-10-05T12:00:01Z\", \"type\": \"cou", "{'type': 'counter', 'payload': '1'}",
	"{\"type\":\"counter\"}{\"type\":\"timer\"}", "Oct  5 12:00:01 web1 app[311]: connection refused", "{\"type\":\"text\",\"payload\":\"caf\xe9\"}",
	"{\"type\":\"counter\",\"severity\":\"6\"}", "{\"payload\":NaN}", "[]", "null", "\"text\"", "17", "\xef\xbb\xbf{\"type\":\"counter\"}",
	"{\"severity\":8}", "{\"severity\":1.5}", "{\"timestamp\":1349438401}", "{\"type\":7}", "{\"logger\":null}", "{\"fields\":[]}", "{\"env_version\":\"0.7\"}",
	"{\"type\":\"a\",}", "{\"type\":\"\\x41\"}", "{\"type\":\"\\u12\"}", "{\"payload\":01}", "{\"payload\":\"\t\"}", "{\"payload\":\"x\x1b[2J\"}" };

/* Puts `text` where the closing brace of the envelope stands. */
static void end_with(struct buffer *line, const char *text)
{
	line->length--;
	buffer_append_text(line, text);
}

static void insert(struct buffer *line, size_t at, const char *bytes, size_t length)
{
	if (!buffer_reserve(line, length)) return;
	memmove(line->data + at + length, line->data + at, line->length - at);
	memcpy(line->data + at, bytes, length);
	line->length += length;
}

static void insert_not_utf8(struct buffer *line, size_t at, struct draw *d)
{
	static const char *const wrong[] = { "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xfe", "\xf8\x88\x80\x80\x80" };
	const char *bytes = wrong[draw_below(d, sizeof wrong / sizeof *wrong)];
	insert(line, at, bytes, strlen(bytes));
}

static void nest(struct buffer *line)
{
	end_with(line, ",\"deep\":");
	for (int i = 0; i < 64; i++) buffer_append_byte(line, '[');
	for (int i = 0; i < 64; i++) buffer_append_byte(line, ']');
	buffer_append_byte(line, '}');
}

static void replace_by_noise(struct buffer *line, size_t start, struct draw *d)
{
	line->length = start;
	buffer_append_byte(line, '\x01');
	for (unsigned length = draw_below(d, 300); length--;) {
		char byte = (char)draw_below(d, 256);
		buffer_append_byte(line, byte == '\n' ? '\r' : byte);
	}
}

void malformed_make(struct buffer *line, size_t start, struct draw *d)
{
	if (line->failed) return;
	size_t length = line->length - start, somewhere = start + 1 + draw_below(d, (unsigned)length - 1);
	switch (draw_below(d, 9)) {
	case 0: line->length = somewhere; break;
	case 1: if (buffer_reserve(line, length)) buffer_append(line, line->data + start, length); break;
	case 2: insert_not_utf8(line, somewhere, d); break;
	case 3: insert(line, somewhere, "", 1); break;
	case 4: end_with(line, ",\"logger\":\"a\",\"logger\":\"b\"}"); break;
	case 5: end_with(line, ",\"type\":\"a\",\"type\":1}"); break;
	case 6: nest(line); break;
	case 7: replace_by_noise(line, start, d); break;
	default:
		line->length = start;
		buffer_append_text(line, never_good[draw_below(d, sizeof never_good / sizeof *never_good)]);
	}
}
