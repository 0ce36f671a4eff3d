/* value - judges a JSON value that an application hands over, without memory of its own. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/value.h"

#include <stdint.h>
#include "base/text.h"

enum { VALUE_DEPTH_MAX = 64 }; /* what envelope_parse takes */

struct cursor {
	const char *at, *end;
};

static inline bool is_digit(const struct cursor *c)
{
	return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

static bool take(struct cursor *c, char byte)
{
	if (c->at == c->end || *c->at != byte) return false;
	c->at++;
	return true;
}

static void skip_blanks(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r')) c->at++;
}

static bool take_digits(struct cursor *c)
{
	if (!is_digit(c)) return false;
	while (is_digit(c)) c->at++;
	return true;
}

static bool take_number(struct cursor *c)
{
	take(c, '-');
	if (!take(c, '0') && !take_digits(c)) return false;
	if (take(c, '.') && !take_digits(c)) return false;
	if (take(c, 'e') || take(c, 'E')) {
		if (!take(c, '+')) take(c, '-');
		return take_digits(c);
	}
	return true;
}

static bool take_word(struct cursor *c, struct span word)
{
	if (!span_starts(span_between(c->at, c->end), word)) return false;
	c->at += word.length;
	return true;
}

static bool take_escape(struct cursor *c)
{
	if (c->at == c->end) return false;
	char letter = *c->at++;
	if (letter != 'u') return letter && strchr("\"\\/bfnrt", letter);
	for (int i = 0; i < 4; i++, c->at++)
		if (c->at == c->end || !*c->at || !strchr("0123456789abcdefABCDEF", *c->at)) return false;
	return true;
}

static bool take_string(struct cursor *c)
{
	if (!take(c, '"')) return false;
	while (c->at < c->end) {
		unsigned char byte = (unsigned char)*c->at;
		uint32_t codepoint;
		size_t length = byte < 0x80 ? 1 : text_decode_utf8(span_between(c->at, c->end), &codepoint);
		if (byte < 0x20 || length == 0) return false;
		c->at += length;
		if (byte == '"') return true;
		if (byte == '\\' && !take_escape(c)) return false;
	}
	return false;
}

static bool take_scalar(struct cursor *c)
{
	if (c->at == c->end) return false;
	switch (*c->at) {
	case '"': return take_string(c);
	case 't': return take_word(c, SPAN("true"));
	case 'f': return take_word(c, SPAN("false"));
	case 'n': return take_word(c, SPAN("null"));
	default: return take_number(c);
	}
}

static bool take_name(struct cursor *c)
{
	skip_blanks(c);
	if (!take_string(c)) return false;
	skip_blanks(c);
	return take(c, ':');
}

bool value_is_good(struct span text, unsigned depth)
{
	struct cursor c = { text.data, text.data + text.length };
	uint64_t objects = 0; /* the kinds of the open containers, a bit each: 1 is an object */
	unsigned opened = 0;
	for (;;) {
		skip_blanks(&c);
		bool is_object = c.at < c.end && *c.at == '{';
		if (is_object || (c.at < c.end && *c.at == '[')) {
			if (depth + ++opened > VALUE_DEPTH_MAX) return false;
			objects = objects << 1 | is_object;
			c.at++;
			skip_blanks(&c);
			if (c.at == c.end) return false;
			if (*c.at != (is_object ? '}' : ']')) {
				if (is_object && !take_name(&c)) return false;
				continue;
			}
		}
		else if (!take_scalar(&c)) return false;
		for (;;) { /* behind a value, or before the end of an empty container */
			skip_blanks(&c);
			if (opened == 0) return c.at == c.end;
			if (take(&c, ',')) break;
			if (!take(&c, objects & 1 ? '}' : ']')) return false;
			objects >>= 1;
			opened--;
		}
		if (objects & 1 && !take_name(&c)) return false;
	}
}
