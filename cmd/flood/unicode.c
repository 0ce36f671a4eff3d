/* unicode - text that breaks programs which thought they knew Unicode. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "unicode.h"

#include "base/text.h"

/* Each as it stands inside a JSON string. */
static const char *const units[] = {
	"na\xc3\xafve", "\xd0\x9e\xd1\x88\xd0\xb8\xd0\xb1\xd0\xba\xd0\xb0", "\xe3\x82\xa8\xe3\x83\xa9\xe3\x83\xbc", "\xe4\xb8\xad\xe6\x96\x87",
	"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "\xd9\x85\xd8\xb1\xd8\xad\xd8\xa8\xd8\xa7", "\xef\xb7\xba", "\xf0\x9d\x84\x9e", /* Hebrew, Arabic, a ligature of 18 letters, a clef */
	"\xf0\x9f\x94\xa5", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7", "\xf0\x9f\x87\xa6\xf0\x9f\x87\xb9", /* fire, a family, a flag */
	"e\xcc\x81", "Z\xcd\x91\xcd\xa8\xcc\xb8\xcc\xa2", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab",                                     /* combining marks, jamo */
	"\xe2\x80\xae", "\xe2\x80\xac", "\xe2\x81\xa6", "\xe2\x81\xa9", "\xe2\x80\x8b", "\xef\xbb\xbf", "\xe2\x80\xa8", "\xe2\x80\xa9", /* bidi, zero width, BOM, LS, PS */
	"\xc2\x85", "\302\23331m", "\x7f", "\xf3\xa0\x81\x81", "\xef\xbf\xbd", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf", "\xf0\x9f\xbf\xbe", /* NEL, CSI, DEL, a tag, nobody's */
	"\\u0000", "\\ud800", "\\udc00", "\\udfff\\ud800", "\\ud83d\\ude00", "\\u202e", "\\\"", "\\\\", "\\/", "\\b\\f\\n\\r\\t", "\\u001b[31m",
	"\\u001B]0;x\\u0007", "\\u00E9", "\\uFFFF", "\\u2028", "\\\\u0041", "%s%n", "${x}", "'; --", "<b>", " ", "a", "0",
};
enum { UNIT_COUNT = sizeof units / sizeof *units };

static size_t unit(struct draw *d, char out[8], const char **text)
{
	uint32_t codepoint;
	if (draw_below(d, 3)) {
		*text = units[draw_below(d, UNIT_COUNT)];
		return strlen(*text);
	}
	/* Every plane as often as the others; 0x80 and above, so that nothing has to be escaped. */
	do codepoint = draw_below(d, 17) << 16 | draw_below(d, 0x10000);
	while (codepoint < 0x80 || (codepoint >= 0xD800 && codepoint < 0xE000));
	*text = out;
	return text_encode_utf8(out, codepoint);
}

void unicode_append(struct buffer *out, struct draw *d, size_t length)
{
	size_t end = out->length + length;
	while (out->length < end && !out->failed) {
		const char *text;
		char encoded[8];
		size_t bytes = unit(d, encoded, &text);
		if (bytes > end - out->length) break;
		buffer_append(out, text, bytes);
	}
	while (out->length < end && buffer_append_byte(out, '~')) {}
}
