/* text - UTF-8, JSON strings, base64, and text made safe for a terminal. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/text.h"

size_t text_decode_utf8(struct span s, uint32_t *codepoint)
{
	const unsigned char *p = (const unsigned char *)s.data;
	if (s.length == 0) return 0;
	if (p[0] < 0x80) {
		*codepoint = p[0];
		return 1;
	}
	size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	if (p[0] < 0xc2 || p[0] > 0xf4 || s.length < length) return 0;
	uint32_t value = p[0] & (0xffU >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80) return 0;
		value = value << 6 | (p[i] & 0x3f);
	}
	if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return 0;
	*codepoint = value;
	return length;
}

size_t text_encode_utf8(char out[4], uint32_t c)
{
	if ((c >= 0xd800 && c < 0xe000) || c > 0x10ffff) c = 0xfffd;
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = length - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(length == 2 ? 0xc0 | c : length == 3 ? 0xe0 | c : 0xf0 | c);
	return length;
}

bool text_is_utf8(struct span s)
{
	uint32_t codepoint;
	while (s.length) {
		size_t length = text_decode_utf8(s, &codepoint);
		if (length == 0) return false;
		s.data += length;
		s.length -= length;
	}
	return true;
}

static uint32_t hex4(const char *p)
{
	uint32_t value = 0;
	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)p[i];
		value = value << 4 | (c <= '9' ? c - 0U - '0' : (c | 32U) - 'a' + 10);
	}
	return value;
}

/* Decodes the \u escape at p (behind the backslash and the u stand four hex digits); returns the bytes it took. */
static size_t unescape_unicode(const char *p, const char *end, uint32_t *codepoint)
{
	uint32_t high = hex4(p + 2);
	*codepoint = high;
	if (high < 0xd800 || high >= 0xdc00 || end - p < 12 || p[6] != '\\' || p[7] != 'u') return 6;
	uint32_t low = hex4(p + 8);
	if (low < 0xdc00 || low >= 0xe000) return 6;
	*codepoint = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	return 12;
}

bool text_append_unescaped(struct buffer *out, struct span inside)
{
	if (inside.length == 0) return !out->failed;
	const char *p = inside.data, *end = p + inside.length;
	while (p < end) {
		const char *next = memchr(p, '\\', (size_t)(end - p));
		if (!next || end - next < 2) return buffer_append(out, p, (size_t)(end - p));
		buffer_append(out, p, (size_t)(next - p));
		p = next;
		if (p[1] == 'u' && end - p >= 6) {
			uint32_t codepoint;
			char utf8[4];
			p += unescape_unicode(p, end, &codepoint);
			buffer_append(out, utf8, text_encode_utf8(utf8, codepoint));
			continue;
		}
		static const char letters[128] = { ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t' };
		char known = letters[p[1] & 0x7f];
		buffer_append_byte(out, known && !(p[1] & 0x80) ? known : p[1]);
		p += 2;
	}
	return !out->failed;
}

static bool append_escape(struct buffer *out, unsigned char c)
{
	static const char digits[] = "0123456789abcdef", names[] = "btn\0fr"; /* 8 to 13; 11 has no short form */
	if (c == '"' || c == '\\') return buffer_append(out, (char[]){ '\\', (char)c }, 2);
	if (c >= 8 && c <= 13 && names[c - 8]) return buffer_append(out, (char[]){ '\\', names[c - 8] }, 2);
	return buffer_append(out, (char[]){ '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] }, 6);
}

bool text_append_escaped(struct buffer *out, struct span text)
{
	if (text.length == 0) return !out->failed;
	const char *run = text.data, *end = text.data + text.length;
	for (const char *p = run; p < end; p++) {
		unsigned char c = (unsigned char)*p;
		if (c >= 0x20 && c != '"' && c != '\\') continue;
		buffer_append(out, run, (size_t)(p - run));
		append_escape(out, c);
		run = p + 1;
	}
	return buffer_append(out, run, (size_t)(end - run));
}

bool text_append_quoted(struct buffer *out, struct span text)
{
	buffer_append_byte(out, '"');
	text_append_escaped(out, text);
	return buffer_append_byte(out, '"');
}

bool text_append_base64(struct buffer *out, struct span bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)bytes.data;
	if (!buffer_reserve(out, (bytes.length + 2) / 3 * 4)) return false;
	for (size_t left = bytes.length; left; p += 3) {
		uint32_t group = (uint32_t)p[0] << 16 | (left > 1 ? (uint32_t)p[1] << 8 : 0) | (left > 2 ? p[2] : 0);
		char quad[4] = { digits[group >> 18], digits[group >> 12 & 63], left > 1 ? digits[group >> 6 & 63] : '=', left > 2 ? digits[group & 63] : '=' };
		buffer_append(out, quad, 4);
		left -= left < 3 ? left : 3;
	}
	return !out->failed;
}

static uint32_t sextet(char c)
{
	if (c >= 'A' && c <= 'Z') return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z') return (uint32_t)(c - 'a') + 26;
	if (c >= '0' && c <= '9') return (uint32_t)(c - '0') + 52;
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

bool text_decode_base64(uint8_t *out, size_t *length, struct span text)
{
	uint8_t *p = out;
	if (text.length % 4) return false;
	for (size_t i = 0; i < text.length; i += 4) {
		const char *quad = text.data + i;
		int digits = i + 4 < text.length || quad[3] != '=' ? 4 : quad[2] != '=' ? 3 : 2;
		uint32_t group = 0;
		for (int j = 0; j < 4; j++) {
			uint32_t bits = j < digits ? sextet(quad[j]) : 0;
			if (bits > 63) return false;
			group = group << 6 | bits;
		}
		if (digits < 4 && group & (digits == 3 ? 0xff : 0xffff)) return false;
		for (int j = 1; j < digits; j++) *p++ = (uint8_t)(group >> (24 - 8 * j));
	}
	*length = (size_t)(p - out);
	return true;
}

bool text_is_hidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e || (c >= 0x200b && c <= 0x200f)
	    || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb)
	    || (c >= 0xe0000 && c <= 0xe0fff);
}

static bool append_hidden(struct buffer *out, uint32_t codepoint)
{
	static const char digits[] = "0123456789abcdef";
	if (codepoint == '\n') return buffer_append(out, "\\n", 2);
	if (codepoint == '\t') return buffer_append(out, "\\t", 2);
	if (codepoint == '\r') return buffer_append(out, "\\r", 2);
	if (codepoint < 0x80) return buffer_append(out, (char[]){ '\\', 'x', digits[codepoint >> 4], digits[codepoint & 15] }, 4);
	char hex[8];
	size_t at = sizeof hex;
	for (; codepoint || at > sizeof hex - 4; codepoint >>= 4) hex[--at] = digits[codepoint & 15];
	buffer_append(out, "\\u{", 3);
	buffer_append(out, hex + at, sizeof hex - at);
	return buffer_append_byte(out, '}');
}

/* Eight bytes at a time: a byte is plain if it is at least 0x20, not 0x7f, and has no high bit. */
size_t text_plain_length(struct span text)
{
	const uint64_t ones = 0x0101010101010101, high = ones * 0x80;
	size_t at = 0;
	for (uint64_t eight; text.length - at >= sizeof eight; at += sizeof eight) {
		memcpy(&eight, text.data + at, sizeof eight);
		uint64_t del = eight ^ ones * 0x7f;
		if ((eight | ((eight - ones * 0x20) & ~eight) | ((del - ones) & ~del)) & high) break;
	}
	while (at < text.length && text.data[at] >= 0x20 && text.data[at] < 0x7f) at++;
	return at;
}

bool text_append_visible(struct buffer *out, struct span text)
{
	static const char digits[] = "0123456789abcdef";
	while (text.length) {
		size_t plain = text_plain_length(text);
		buffer_append(out, text.data, plain);
		text.data += plain;
		text.length -= plain;
		if (text.length == 0) break;
		uint32_t codepoint;
		size_t length = text_decode_utf8(text, &codepoint);
		unsigned char byte = (unsigned char)text.data[0];
		if (length == 0) buffer_append(out, (char[]){ '\\', 'x', digits[byte >> 4], digits[byte & 15] }, 4), length = 1;
		else if (text_is_hidden(codepoint)) append_hidden(out, codepoint);
		else buffer_append(out, text.data, length);
		text.data += length;
		text.length -= length;
	}
	return !out->failed;
}

static size_t code_point_columns(uint32_t c)
{
	if ((c >= 0x300 && c < 0x370) || (c >= 0x200b && c <= 0x200f) || (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0x20d0 && c <= 0x20ff)) return 0;
	bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff)
	    || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) || (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff)
	    || (c >= 0x20000 && c <= 0x3fffd);
	return wide ? 2 : 1;
}

size_t text_fit(struct span text, size_t columns)
{
	size_t at = 0, used = 0;
	while (at < text.length) {
		uint32_t c = ' ';
		size_t length = text_decode_utf8((struct span){ text.data + at, text.length - at }, &c);
		used += code_point_columns(c);
		if (used > columns) break;
		at += length ? length : 1;
	}
	return at;
}

size_t text_columns(struct span text)
{
	size_t columns = 0;
	while (text.length) {
		size_t plain = text_plain_length(text);
		columns += plain;
		text.data += plain, text.length -= plain;
		if (text.length == 0) break;
		uint32_t c = ' ';
		size_t length = text_decode_utf8(text, &c);
		columns += code_point_columns(c);
		if (!length) length = 1;
		text.data += length, text.length -= length;
	}
	return columns;
}

size_t text_edits(struct span a, struct span b)
{
	size_t row[TEXT_EDITS_MAX + 1];
	if (a.length > TEXT_EDITS_MAX || b.length > TEXT_EDITS_MAX) return SIZE_MAX;
	for (size_t j = 0; j <= b.length; j++) row[j] = j;
	for (size_t i = 1; i <= a.length; i++) {
		size_t corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.length; j++) {
			size_t change = corner + ((a.data[i - 1] | 32) != (b.data[j - 1] | 32));
			size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
			corner = row[j];
			row[j] = change < least ? change : least;
		}
	}
	return row[b.length];
}

bool text_is_surrogate_pair(struct span text)
{
	if (text.length < 12 || memcmp(text.data + 6, "\\u", 2) != 0 || (text.data[2] | 0x20) != 'd' || (text.data[8] | 0x20) != 'd') return false;
	return strchr("89abAB", text.data[3]) && strchr("cdefCDEF", text.data[9]);
}

const char *text_find_half_pair(struct span inside)
{
	const char *p = inside.data, *end = p + inside.length;
	while (p < end && (p = memchr(p, '\\', (size_t)(end - p)))) {
		if (p[1] != 'u' || (p[2] | 0x20) != 'd' || p[3] < '8') p += 2;
		else if (text_is_surrogate_pair(span_between(p, end))) p += 12;
		else return p;
	}
	return NULL;
}

bool text_append_paired(struct buffer *out, struct span inside)
{
	for (const char *half; (half = text_find_half_pair(inside));) {
		buffer_append_span(out, span_between(inside.data, half));
		buffer_append_text(out, "\\ufffd");
		inside = span_between(half + 6, inside.data + inside.length);
	}
	return buffer_append_span(out, inside);
}
