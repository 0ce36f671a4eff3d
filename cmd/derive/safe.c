/* safe - a look-up for each byte; only what is not ASCII is decoded. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "safe.h"

#include "base/tag.h"
#include "base/text.h"

/* What a byte of ASCII becomes; 0: it is not ASCII. '/' is for tags alone. */
static const unsigned char made[256] = {
	"________________________________" "_____________-./0123456789______" "_ABCDEFGHIJKLMNOPQRSTUVWXYZ_____" "_abcdefghijklmnopqrstuvwxyz_____"
};

/* Takes a code point off the text. */
static inline char next(const char **at, const char *end)
{
	unsigned char c = made[(unsigned char)**at];
	uint32_t codepoint;
	if (c) {
		++*at;
		return (char)c;
	}
	size_t length = text_decode_utf8(span_between(*at, end), &codepoint);
	*at += length ? length : 1;
	return '_';
}

bool safe_has_text(struct span value)
{
	if (!value.length) return false;
	if (value.data[0] > ' ' && value.data[0] < 0x7f) return true; /* as nearly always */
	return tag_has_text(value);
}

size_t safe_tag(char *out, struct span name, struct span value)
{
	size_t room = name.length + 1 < TAG_MAX ? TAG_MAX - name.length - 1 : 0, length = 0;
	size_t most = value.length < room ? value.length : room;
	if (!safe_has_text(value)) return 0;
	for (; length < most; length++) {
		unsigned char c = made[(unsigned char)value.data[length]];
		if (!c) break;
		out[length] = (char)c;
	}
	const char *at = value.data + length, *end = value.data + value.length;
	while (at < end && length < room) out[length++] = next(&at, end);
	return length;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void safe_name_add(struct safe_name *n, struct span part)
{
	const char *at = part.data, *end = at + part.length;
	char *start = n->text, *out = start + n->length, *full = start + RULES_NAME_MAX;
	while (at < end) {
		char c = next(&at, end);
		if (c == '.' && (out == start || out[-1] == '.')) continue;
		if (c == '/') c = '_';
		if (out == start && !is_letter(c)) *out++ = 'a';
		if (out == full) break;
		*out++ = c;
	}
	n->length = (size_t)(out - start);
}

void safe_name_end(struct safe_name *n)
{
	while (n->length && n->text[n->length - 1] == '.') n->length--;
}
