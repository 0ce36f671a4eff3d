/* show - values of an envelope as text that cannot drive a terminal and does not give secrets away. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "show.h"

#include <strings.h>

#include "base/text.h"

void show_init(struct show *s, bool raw)
{
	*s = (struct show){ .raw = raw };
	buffer_init(&s->decoded, SHOW_LIMIT);
	buffer_init(&s->masked, SHOW_LIMIT);
}

void show_release(struct show *s)
{
	buffer_release(&s->decoded);
	buffer_release(&s->masked);
}

/* --- secrets --- */

static bool ends_in_dsn(struct span key)
{
	return key.length >= 3 && (key.data[key.length - 1] | 32) == 'n' && strncasecmp(key.data + key.length - 3, "dsn", 3) == 0;
}

static struct span from(struct span text, size_t at)
{
	return (struct span){ text.data + at, text.length - at };
}

/* The end of "scheme://" in the text, 0 if there is none. */
static size_t behind_scheme(struct span text)
{
	const char *slashes = text.length >= 3 ? memmem(text.data, text.length, "://", 3) : NULL;
	return slashes ? (size_t)(slashes - text.data) + 3 : 0;
}

/* Replaces the values of password=, secret= ... in what is left of a DSN, and all of its query. */
static bool mask_rest(struct buffer *out, struct span text)
{
	static const char *const names[] = { "password=", "passwd=", "pwd=", "secret=", "token=", "key=" };
	bool any = false;
	const char *query = memchr(text.data, '?', text.length);
	struct span shown = query ? span_between(text.data, query + 1) : text;
	while (shown.length) {
		size_t name = 0;
		for (size_t i = 0; i < sizeof names / sizeof *names && !name; i++) {
			size_t length = strlen(names[i]);
			if (shown.length > length && strncasecmp(shown.data, names[i], length) == 0) name = length;
		}
		if (name == 0) {
			buffer_append_byte(out, shown.data[0]);
			shown = from(shown, 1);
			continue;
		}
		buffer_append(out, shown.data, name);
		buffer_append_text(out, "***");
		shown = from(shown, name);
		while (shown.length && !strchr(" ;&,?", shown.data[0])) shown = from(shown, 1);
		any = true;
	}
	if (query && query + 1 < text.data + text.length) return buffer_append_text(out, "***"), true;
	return any;
}

bool show_mask(struct buffer *out, struct span key, struct span text)
{
	bool dsn = ends_in_dsn(key);
	const char *sign = text.length ? memrchr(text.data, '@', text.length) : NULL;
	size_t start = sign || dsn ? behind_scheme(text) : 0;
	if (!dsn && (!sign || !start || sign < text.data + start)) return buffer_append_span(out, text), false;
	bool any = sign && sign > text.data + start;
	if (any) {
		buffer_append(out, text.data, start);
		buffer_append_text(out, "***");
		text = span_between(sign, text.data + text.length);
	}
	if (dsn && text.length) return mask_rest(out, text) || any;
	buffer_append_span(out, text);
	return any;
}

/* --- text --- */

void show_text(const struct show *s, struct buffer *out, struct span text)
{
	if (s->raw) buffer_append_span(out, text);
	else text_append_visible(out, text);
}

struct span show_decode(struct show *s, struct value string)
{
	if (!string.escaped) return string.text;
	buffer_clear(&s->decoded);
	text_append_unescaped(&s->decoded, string.text);
	return buffer_span(&s->decoded);
}

static void append_unicode_escape(struct buffer *out, uint32_t unit)
{
	static const char digits[] = "0123456789abcdef";
	buffer_append(out, (char[]){ '\\', 'u', digits[unit >> 12 & 15], digits[unit >> 8 & 15], digits[unit >> 4 & 15], digits[unit & 15] }, 6);
}

/* Valid JSON text, or a part of it: hidden characters can only stand in strings, but for the blanks between tokens. */
static void append_json(struct buffer *out, struct span text, bool raw)
{
	while (text.length) {
		size_t plain = raw ? text.length : text_plain_length(text);
		buffer_append(out, text.data, plain);
		text = from(text, plain);
		if (text.length == 0) break;
		uint32_t c;
		size_t length = text_decode_utf8(text, &c);
		if (length == 0) buffer_append_byte(out, '?'), length = 1;
		else if (length == 1 && c < 0x20) buffer_append_byte(out, c == '\t' ? '\t' : ' ');
		else if (!text_is_hidden(c)) buffer_append(out, text.data, length);
		else if (c < 0x10000) append_unicode_escape(out, c);
		else append_unicode_escape(out, 0xd800 + ((c - 0x10000) >> 10)), append_unicode_escape(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
		text = from(text, length);
	}
}

void show_json_line(struct buffer *out, struct span line)
{
	append_json(out, line, false);
}

/* The end of the string whose inside begins at `p`: where its closing quote stands. */
static const char *string_end(const char *p, const char *end)
{
	while (p < end && *p != '"') p += *p == '\\' ? 2 : 1;
	return p < end ? p : end;
}

static void append_json_string(struct show *s, struct buffer *out, struct span key, struct span inside)
{
	struct value string = { .text = inside, .kind = VALUE_STRING, .escaped = memchr(inside.data, '\\', inside.length) };
	buffer_append_byte(out, '"');
	buffer_clear(&s->masked);
	if (!show_mask(&s->masked, key, show_decode(s, string))) {
		append_json(out, inside, s->raw);
	} else {
		buffer_clear(&s->decoded);
		text_append_escaped(&s->decoded, buffer_span(&s->masked));
		append_json(out, buffer_span(&s->decoded), s->raw);
	}
	buffer_append_byte(out, '"');
}

void show_json(struct show *s, struct buffer *out, struct span json)
{
	const char *p = json.data, *end = p + json.length;
	struct span key = { "", 0 }, last = key;
	while (p < end) {
		if (*p == '"') {
			const char *close = string_end(p + 1, end);
			last = span_between(p + 1, close);
			append_json_string(s, out, key, last);
			p = close < end ? close + 1 : end;
			continue;
		}
		if (*p == ':') key = last;
		if (*p == ',' || *p == '{' || *p == '}') key = (struct span){ "", 0 };
		if (*p != ' ' && *p != '\t' && *p != '\r' && *p != '\n') buffer_append_byte(out, *p);
		p++;
	}
}

/* --- values --- */

/* The text itself, or its masked copy in s->masked. */
struct span show_without_secrets(struct show *s, struct span key, struct span text)
{
	if (key.length == 0 || (!ends_in_dsn(key) && !(text.length && memchr(text.data, '@', text.length)))) return text;
	buffer_clear(&s->masked);
	show_mask(&s->masked, key, text);
	return buffer_span(&s->masked);
}

void show_value(struct show *s, struct buffer *out, struct span key, struct value value)
{
	if (value.kind == VALUE_STRING) show_text(s, out, show_without_secrets(s, key, show_decode(s, value)));
	else if (value.kind == VALUE_OBJECT || value.kind == VALUE_ARRAY) show_json(s, out, value.text);
	else buffer_append_span(out, value.text);
}

bool show_has_lines(struct show *s, struct span key, struct value value)
{
	if (value.kind != VALUE_STRING || !value.escaped || ends_in_dsn(key)) return false;
	if (!memmem(value.text.data, value.text.length, "\\n", 2) && !memmem(value.text.data, value.text.length, "\\u00", 4)) return false; /* mostly: nothing is decoded for it */
	struct span text = show_decode(s, value);
	while (text.length && (text.data[text.length - 1] == '\n' || text.data[text.length - 1] == '\r')) text.length--;
	return text.length && memchr(text.data, '\n', text.length);
}

enum word { WORD_NOT, WORD_ASCII, WORD_WIDE };

/* A word is anything but blanks, quotes, '=', backslashes and control characters; what is hidden beyond ASCII shows as \u{NNNN}
 * either way. */
static enum word word_of(struct span text)
{
	static const unsigned char kinds[256] = {
		['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['('] = 1, [')'] = 1, ['*'] = 1, ['+'] = 1, [','] = 1, ['-'] = 1, ['.'] = 1, ['/'] = 1,
		['0' ... '9'] = 1, [':'] = 1, [';'] = 1, ['<'] = 1, ['>'] = 1, ['?'] = 1, ['@'] = 1, ['A' ... 'Z'] = 1, ['['] = 1, [']'] = 1, ['^'] = 1,
		['_'] = 1, ['a' ... 'z'] = 1, ['{'] = 1, ['|'] = 1, ['}'] = 1, ['~'] = 1, [0x80 ... 0xff] = 3,
	};
	unsigned seen = 0;
	for (size_t i = 0; i < text.length; i++) {
		unsigned kind = kinds[(unsigned char)text.data[i]];
		if (!kind) return WORD_NOT;
		seen |= kind;
	}
	return seen & 2 ? WORD_WIDE : seen ? WORD_ASCII : WORD_NOT;
}

static void show_quoted(struct show *s, struct buffer *out, struct span text)
{
	const char *quote;
	buffer_append_byte(out, '"');
	while (text.length && (quote = memchr(text.data, '"', text.length))) {
		show_text(s, out, span_between(text.data, quote));
		buffer_append_text(out, "\\\"");
		text = span_between(quote + 1, text.data + text.length);
	}
	show_text(s, out, text);
	buffer_append_byte(out, '"');
}

void show_word(struct show *s, struct buffer *out, struct span key, struct value value)
{
	if (value.kind != VALUE_STRING) {
		show_value(s, out, key, value);
		return;
	}
	struct span text = show_without_secrets(s, key, show_decode(s, value));
	switch (word_of(text)) {
	case WORD_ASCII: buffer_append_span(out, text); break;
	case WORD_WIDE: show_text(s, out, text); break;
	case WORD_NOT: show_quoted(s, out, text); break;
	}
}
