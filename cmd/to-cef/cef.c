/* cef - one event written as a line of CEF: header, escapes, and what a key and a severity are. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "cef_private.h"

#include "cef_text.h"

/* What stands in a value as it is: 0. Everything else is looked at. */
static const unsigned char in_value[256] = {
	1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	['='] = 1, ['\\'] = 1, [0x7f] = 1,
};

struct span cef_trim(struct span value)
{
	while (value.length) {
		char last = value.data[value.length - 1];
		if (last != ' ' && last != '\t' && !cef_is_control(last)) break;
		value.length--;
	}
	return value;
}

size_t cef_control_length(struct span text)
{
	if (text.length == 0) return 0;
	const unsigned char *p = (const unsigned char *)text.data;
	if (p[0] < 0x20 || p[0] == 0x7f) return 1;
	if (p[0] == 0xc2 && text.length >= 2 && p[1] >= 0x80 && p[1] < 0xa0) return 2;
	return p[0] == 0xe2 && text.length >= 3 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9) ? 3 : 0;
}

static char *escape_byte(char *at, char c, struct cef_tally *tally)
{
	if (!in_value[(unsigned char)c]) {
		*at++ = c;
	} else if (c == '\n' || c == '\r' || c == '=' || c == '\\') {
		*at++ = '\\';
		*at++ = (char)(c == '\n' ? 'n' : c == '\r' ? 'r' : c);
	} else {
		*at++ = ' ';
		tally->replaced++;
	}
	return at;
}

char *cef_escape(char *at, struct span text, struct cef_tally *tally)
{
	const char *p = text.data, *end = p + text.length;
	for (;;) {
		size_t plain = cef_copy_plain(at, p, (size_t)(end - p), CEF_IN_VALUE);
		p += plain, at += plain;
		if (p == end) return at;
		for (const char *stop = end - p > CEF_LOOK_MAX ? p + CEF_LOOK_MAX : end; p < stop; p++) at = escape_byte(at, *p, tally);
	}
}

bool cef_append_trimmed(struct buffer *out, struct span text, struct cef_tally *tally)
{
	enum { CHUNK = 4096 }; /* so that no more room is asked for than is used, but for a little */
	while (text.length) {
		size_t length = text.length < CHUNK ? text.length : CHUNK;
		if (!buffer_reserve(out, 2 * length)) return false;
		char *start = out->data + out->length;
		out->length += (size_t)(cef_escape(start, (struct span){ text.data, length }, tally) - start);
		text.data += length;
		text.length -= length;
	}
	return !out->failed;
}

bool cef_append_value(struct buffer *out, struct span value, struct cef_tally *tally)
{
	struct span text = cef_trimmed(value);
	tally->trimmed += text.length != value.length;
	return cef_append_trimmed(out, text, tally);
}

/* What has to be looked at, up to so many bytes and the character that the last is a part of. */
static const char *escape_header(char **at, const char *p, const char *end, struct cef_tally *tally)
{
	const char *stop = end - p > CEF_LOOK_MAX ? p + CEF_LOOK_MAX : end;
	while (p < stop) {
		size_t control = cef_control_length(span_between(p, end));
		if (control) {
			if (end - p >= 2 && p[0] == '\r' && p[1] == '\n') control = 2;
			*(*at)++ = ' ';
			tally->replaced++;
			p += control;
			continue;
		}
		if (*p == '|' || *p == '\\') *(*at)++ = '\\';
		*(*at)++ = *p++;
	}
	return p;
}

__attribute__((noinline)) static char *put_rest(char *at, const char *p, const char *end, struct cef_tally *tally)
{
	while (p < end) {
		p = escape_header(&at, p, end, tally);
		size_t plain = cef_copy_plain(at, p, (size_t)(end - p), CEF_IN_HEADER);
		at += plain, p += plain;
	}
	return at;
}

/* A field and its pipe; there is room for twice its bytes. */
static inline char *put_header_text(char *at, struct span text, struct cef_tally *tally)
{
	size_t plain = cef_copy_plain(at, text.data, text.length, CEF_IN_HEADER);
	at += plain;
	if (plain < text.length) at = put_rest(at, text.data + plain, text.data + text.length, tally);
	*at++ = '|';
	return at;
}

bool cef_append_header(struct buffer *out, const struct cef_header *header, struct cef_tally *tally)
{
	const struct span fields[] = { header->vendor, header->product, header->device_version, header->signature, header->name, header->severity };
	enum { FIELDS = sizeof fields / sizeof *fields };
	size_t room = 0;
	for (int i = 0; i < FIELDS; i++) room += fields[i].length;
	buffer_append(out, "CEF:", 4);
	if (header->version == 0) buffer_append_byte(out, '0');
	else buffer_append_int(out, header->version);
	buffer_append_byte(out, '|');
	if (!buffer_reserve(out, 2 * room + FIELDS)) return false;
	char *at = out->data + out->length;
	for (int i = 0; i < FIELDS; i++) at = put_header_text(at, fields[i], tally);
	out->length = (size_t)(at - out->data);
	return true;
}

bool cef_key_is(struct span key)
{
	if (key.length == 0 || key.length > CEF_KEY_MAX) return false;
	for (size_t i = 0; i < key.length; i++)
		if (!cef_is_key_byte(key.data[i])) return false;
	return true;
}

bool cef_severity_is(struct span text)
{
	static const char *const words[] = { "Unknown", "Low", "Medium", "High", "Very-High" };
	if (text.length == 1) return text.data[0] >= '0' && text.data[0] <= '9';
	if (text.length == 2) return text.data[0] == '1' && text.data[1] == '0';
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (span_equal(text, span_of(words[i]))) return true;
	return false;
}
