/* escape - one table look-up a byte; only what is not ASCII is looked at more closely. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "escape.h"

#include "base/checksum.h"
#include "base/text.h"

enum { STEP_PLAIN, STEP_ESCAPE, STEP_WIDE };

static const unsigned char STEPS[256] = {
	[0 ... 0x1f] = STEP_ESCAPE, ['"'] = STEP_ESCAPE, ['#'] = STEP_ESCAPE, ['%'] = STEP_ESCAPE, ['\''] = STEP_ESCAPE, ['*'] = STEP_ESCAPE, ['/'] = STEP_ESCAPE,
	[':'] = STEP_ESCAPE, ['='] = STEP_ESCAPE, ['?'] = STEP_ESCAPE, ['\\'] = STEP_ESCAPE, ['{'] = STEP_ESCAPE, ['['] = STEP_ESCAPE, [']'] = STEP_ESCAPE,
	['^'] = STEP_ESCAPE, [0x7f] = STEP_ESCAPE, [0x80 ... 0xff] = STEP_WIDE,
};

/* A character of the text: its bytes, and whether they are written %XX. */
static size_t character(struct span rest, bool *escaped)
{
	unsigned char step = STEPS[(unsigned char)rest.data[0]];
	*escaped = step != STEP_PLAIN;
	if (step != STEP_WIDE) return 1;
	uint32_t codepoint;
	size_t length = text_decode_utf8(rest, &codepoint);
	*escaped = length == 0 || text_is_hidden(codepoint);
	return length ? length : 1;
}

static size_t put(char *out, const char *from, size_t length, bool escaped)
{
	static const char digits[] = "0123456789ABCDEF";
	if (!escaped) {
		memcpy(out, from, length);
		return length;
	}
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)from[i];
		out[3 * i] = '%';
		out[3 * i + 1] = digits[c >> 4];
		out[3 * i + 2] = digits[c & 15];
	}
	return 3 * length;
}

static size_t put_digest(char *out, struct span whole)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t sum = checksum_of(whole);
	out[0] = '~';
	for (int i = ESCAPE_DIGEST - 1; i > 0; i--, sum >>= 4) out[i] = digits[sum & 15];
	return ESCAPE_DIGEST;
}

static bool is_plain(char c)
{
	return STEPS[(unsigned char)c] == STEP_PLAIN;
}

size_t escape_value(char out[ESCAPE_MAX], struct span text)
{
	size_t length = 0, cut;
	if (text.length <= ESCAPE_MAX) /* the usual case: not a byte to escape */
		for (; length < text.length && is_plain(text.data[length]); length++) out[length] = text.data[length];
	if (length == text.length) return length;
	cut = length < ESCAPE_MAX - ESCAPE_DIGEST ? length : ESCAPE_MAX - ESCAPE_DIGEST;
	for (size_t i = length; i < text.length; ) {
		bool escaped;
		size_t bytes = character((struct span){ text.data + i, text.length - i }, &escaped);
		size_t needed = escaped ? 3 * bytes : bytes;
		if (length + needed > ESCAPE_MAX) return cut + put_digest(out + cut, text);
		length += put(out + length, text.data + i, bytes, escaped);
		if (length <= ESCAPE_MAX - ESCAPE_DIGEST) cut = length;
		i += bytes;
	}
	return length;
}

size_t escape_literal(char *out, struct span text)
{
	size_t length = 0;
	for (size_t i = 0; i < text.length; ) {
		bool escaped;
		size_t bytes = character((struct span){ text.data + i, text.length - i }, &escaped);
		length += put(out + length, text.data + i, bytes, escaped && text.data[i] != '=');
		i += bytes;
	}
	return length;
}

size_t escape_end(char *start, size_t most, struct span whole)
{
	size_t cut = most - ESCAPE_DIGEST;
	while (cut && ((unsigned char)start[cut] & 0xc0) == 0x80) cut--;
	if (cut >= 1 && start[cut - 1] == '%') cut -= 1;
	else if (cut >= 2 && start[cut - 2] == '%') cut -= 2;
	return cut + put_digest(start + cut, whole);
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9') return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t escape_character(struct span text, unsigned *codepoint)
{
	uint32_t c;
	size_t length = text_decode_utf8(text, &c);
	*codepoint = length ? c : 0xfffd;
	return length ? length : 1;
}

size_t escape_next(struct span text, unsigned *codepoint)
{
	if (text.data[0] == '%' && text.length >= 3) {
		int high = digit_value(text.data[1]), low = digit_value(text.data[2]);
		if (high >= 0 && low >= 0) return *codepoint = (unsigned)(high << 4 | low), 3;
	}
	return escape_character(text, codepoint);
}
