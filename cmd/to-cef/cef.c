/* cef - one event written as a line of CEF: header, escapes, and what a key and a severity are. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "cef_private.h"

/* What stands in a value as it is: 0. Everything else is looked at. */
static const unsigned char in_value[256] = {
	1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	['='] = 1, ['\\'] = 1, [0x7f] = 1,
};
/* In a header; 0xc2 begins C1, 0xe2 U+2028. */
static const unsigned char in_header[256] = {
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	['|'] = 1, ['\\'] = 1, [0x7f] = 1, [0xc2] = 1, [0xe2] = 1,
};

/* Most texts have nothing to escape, so the run of plain bytes is what must be fast: four look-ups a turn. */
static size_t plain_length(const unsigned char table[256], const char *text, size_t length)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + length;
	for (; end - p >= 4; p += 4)
		if (table[p[0]] | table[p[1]] | table[p[2]] | table[p[3]]) break;
	while (p < end && !table[*p]) p++;
	return (size_t)(p - (const unsigned char *)text);
}

size_t cef_plain_length(struct span text) { return plain_length(in_value, text.data, text.length); }

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

/* Eight bytes none of which has to be looked at. */
static inline bool is_plain_word(uint64_t word)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
	const uint64_t equals = word ^ ones * '=', backslash = word ^ ones * '\\', delete = word ^ ones * 0x7f;
	return (((word - ones * 0x20) & ~word) | ((equals - ones) & ~equals) | ((backslash - ones) & ~backslash) | ((delete - ones) & ~delete)) & tops ? false : true;
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

/* Four to seven bytes, by two words of four that overlap. False: one of them has to be looked at. */
static inline bool copy_short(char *at, const char *p, size_t length)
{
	uint32_t first, last;
	memcpy(&first, p, 4);
	memcpy(&last, p + length - 4, 4);
	if (!is_plain_word((uint64_t)first << 32 | last)) return false;
	memcpy(at, &first, 4);
	memcpy(at + length - 4, &last, 4);
	return true;
}

/* There is room for twice the bytes, and for a word. */
static char *escape(char *at, const char *p, const char *end, struct cef_tally *tally)
{
	const char *start = p;
	while (p < end) {
		uint64_t word;
		while (end - p >= 8) {
			memcpy(&word, p, 8);
			if (!is_plain_word(word)) break;
			memcpy(at, &word, 8);
			p += 8, at += 8;
		}
		size_t left = (size_t)(end - p);
		if (left < 8 && end - start >= 8) {
			/* The last eight bytes; those of them that were written already stand there as they are, for none was escaped. */
			memcpy(&word, end - 8, 8);
			if (is_plain_word(word)) return memcpy(at + left - 8, &word, 8), at + left;
		} else if (left < 8 && left >= 4 && copy_short(at, p, left)) {
			return at + left;
		}
		for (const char *stop = left >= 8 ? p + 8 : end; p < stop; p++) at = escape_byte(at, *p, tally);
	}
	return at;
}

bool cef_append_trimmed(struct buffer *out, struct span text, struct cef_tally *tally)
{
	enum { CHUNK = 4096 }; /* so that no more room is asked for than is used, but for a little */
	while (text.length) {
		size_t length = text.length < CHUNK ? text.length : CHUNK;
		if (!buffer_reserve(out, 2 * length + 8)) return false;
		char *start = out->data + out->length;
		out->length += (size_t)(escape(start, text.data, text.data + length, tally) - start);
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

static void append_header_text(struct buffer *out, struct span text, struct cef_tally *tally)
{
	const char *p = text.data, *end = text.length ? p + text.length : p;
	while (p < end) {
		size_t plain = plain_length(in_header, p, (size_t)(end - p));
		if (plain) buffer_append(out, p, plain);
		if ((p += plain) == end) break;
		size_t control = cef_control_length(span_between(p, end));
		if (control) {
			if (end - p >= 2 && p[0] == '\r' && p[1] == '\n') control = 2;
			buffer_append_byte(out, ' ');
			tally->replaced++;
			p += control;
			continue;
		}
		if (*p == '|' || *p == '\\') buffer_append_byte(out, '\\');
		buffer_append_byte(out, *p++);
	}
	buffer_append_byte(out, '|');
}

bool cef_append_header(struct buffer *out, const struct cef_header *header, struct cef_tally *tally)
{
	buffer_append(out, "CEF:", 4);
	buffer_append_int(out, header->version);
	buffer_append_byte(out, '|');
	append_header_text(out, header->vendor, tally);
	append_header_text(out, header->product, tally);
	append_header_text(out, header->device_version, tally);
	append_header_text(out, header->signature, tally);
	append_header_text(out, header->name, tally);
	append_header_text(out, header->severity, tally);
	return !out->failed;
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
