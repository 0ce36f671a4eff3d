/* compose - makes an envelope: the members, their order, and how text and numbers are written. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/compose.h"

#include "base/number.h"
#include "base/text.h"
#include "base/timestamp.h"

static bool append(struct buffer *out, struct span text)
{
	return buffer_append_span(out, text);
}

/* The start of `text` that is valid UTF-8; ASCII, the usual case, is passed eight bytes at a time. */
static size_t valid_start(struct span text)
{
	size_t at = 0;
	while (at < text.length) {
		uint64_t eight;
		uint32_t codepoint;
		if (text.length - at >= sizeof eight) {
			memcpy(&eight, text.data + at, sizeof eight);
			if (!(eight & UINT64_C(0x8080808080808080))) {
				at += sizeof eight;
				continue;
			}
		}
		size_t length = text_decode_utf8((struct span){ text.data + at, text.length - at }, &codepoint);
		if (length == 0) break;
		at += length;
	}
	return at;
}

bool compose_text(struct buffer *out, struct span text)
{
	if (text.length == 0) return append(out, SPAN("\"\""));
	buffer_append_byte(out, '"');
	while (text.length) {
		size_t valid = valid_start(text);
		text_append_escaped(out, (struct span){ text.data, valid });
		if (valid == text.length) break;
		append(out, SPAN("\xef\xbf\xbd"));
		text.data += valid + 1;
		text.length -= valid + 1;
	}
	return buffer_append_byte(out, '"');
}

static void append_timestamp(struct buffer *out, const struct compose *message)
{
	char text[TIMESTAMP_MAX];
	buffer_append_byte(out, '"');
	if (message->timestamp_text.length) append(out, message->timestamp_text);
	else buffer_append(out, text, timestamp_print(text, message->timestamp));
	buffer_append_byte(out, '"');
}

bool compose_append(struct buffer *out, const struct compose *message)
{
	append(out, SPAN("{\"type\":"));
	compose_text(out, message->type);
	append(out, SPAN(",\"timestamp\":"));
	append_timestamp(out, message);
	append(out, SPAN(",\"logger\":"));
	compose_text(out, message->logger);
	append(out, SPAN(",\"severity\":"));
	buffer_append_int(out, message->severity);
	append(out, SPAN(",\"payload\":"));
	if (message->payload_is_json) append(out, message->payload);
	else compose_text(out, message->payload);
	append(out, SPAN(",\"fields\":{"));
	append(out, message->fields);
	append(out, SPAN("},\"env_version\":\"0.8\",\"metlog_pid\":"));
	buffer_append_int(out, message->pid);
	append(out, SPAN(",\"metlog_hostname\":"));
	compose_text(out, message->hostname);
	return buffer_append_byte(out, '}');
}

static void append_name(struct buffer *fields, struct span name)
{
	if (fields->length) buffer_append_byte(fields, ',');
	compose_text(fields, name);
	buffer_append_byte(fields, ':');
}

bool compose_field_text(struct buffer *fields, struct span name, struct span text)
{
	append_name(fields, name);
	return compose_text(fields, text);
}

bool compose_field_json(struct buffer *fields, struct span name, struct span json)
{
	append_name(fields, name);
	return append(fields, json);
}

bool compose_field_int(struct buffer *fields, struct span name, int64_t value)
{
	append_name(fields, name);
	return buffer_append_int(fields, value);
}

bool compose_field_number(struct buffer *fields, struct span name, double value)
{
	char text[NUMBER_JSON_MAX];
	size_t length = number_print_json(text, value);
	return compose_field_json(fields, name, length ? (struct span){ text, length } : SPAN("null"));
}

bool compose_metric(struct buffer *fields, struct span name, double rate)
{
	compose_field_text(fields, SPAN("name"), name);
	return compose_field_number(fields, SPAN("rate"), rate);
}
