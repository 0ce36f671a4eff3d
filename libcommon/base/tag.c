/* tag - the steps of generate_tag, a code point at a time. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/tag.h"

#include "base/text.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What a byte of ASCII becomes; 0: it is not ASCII. */
static const unsigned char made[256] = {
	"________________________________" "_____________-./0123456789______" "_abcdefghijklmnopqrstuvwxyz_____" "_abcdefghijklmnopqrstuvwxyz_____"
};

/* Appends at most `room` bytes; *used tells how many there would be. A code point becomes one byte. */
static bool append_clean(struct buffer *out, struct span text, size_t room, size_t *used)
{
	size_t most = text.length < room ? text.length : room;
	*used = 0;
	if (!buffer_reserve(out, most)) return false;
	for (size_t i = 0, bytes; i < text.length; i += bytes, ++*used) {
		unsigned char c = made[(unsigned char)text.data[i]];
		bytes = 1;
		if (!c) {
			uint32_t codepoint;
			size_t length = text_decode_utf8((struct span){ text.data + i, text.length - i }, &codepoint);
			if (length) bytes = length;
			c = '_';
		}
		if (*used < room) out->data[out->length++] = (char)c;
	}
	return true;
}

bool tag_value_is_clean(struct span key, struct span value)
{
	if (key.length + value.length + 2 > TAG_MAX) return false; /* with the 'a' that may be put before it */
	for (size_t i = 0; i < value.length; i++)
		if (made[(unsigned char)value.data[i]] != (unsigned char)value.data[i]) return false;
	return true;
}

/* What str.strip() of Python takes off. */
static bool is_blank(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
		c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool tag_has_text(struct span value)
{
	for (size_t i = 0, bytes; i < value.length; i += bytes) {
		uint32_t codepoint;
		bytes = text_decode_utf8((struct span){ value.data + i, value.length - i }, &codepoint);
		if (!bytes || !is_blank(codepoint)) return true;
	}
	return false;
}

/* The key with what is put before it; the bytes it takes of TAG_MAX. */
static bool append_key(struct buffer *out, struct span key, bool valued, size_t *used)
{
	size_t letters = 0, before = (key.length ? !is_letter(key.data[0]) : valued);
	if (before) buffer_append_byte(out, 'a');
	bool good = append_clean(out, key, TAG_MAX - before, &letters);
	*used = before + letters < TAG_MAX ? before + letters : TAG_MAX;
	return good;
}

bool tag_append(struct buffer *out, struct span key, struct span value)
{
	size_t start = out->length, used, letters;
	bool valued = tag_has_text(value);
	append_key(out, key, valued, &used);
	if (valued && used < TAG_MAX) {
		buffer_append_byte(out, ':');
		append_clean(out, value, TAG_MAX - used - 1, &letters);
	}
	if (out->failed) return false;
	struct span tag = { out->data + start, out->length - start };
	if (span_equal(tag, SPAN("host")) || span_equal(tag, SPAN("device")) || span_equal(tag, SPAN("source"))) buffer_append_byte(out, '_');
	return !out->failed;
}

bool tag_append_value(struct buffer *out, struct span key, struct span value)
{
	size_t letters = 0, used = key.length ? !is_letter(key.data[0]) : 1;
	if (!tag_has_text(value)) return !out->failed;
	for (size_t i = 0, bytes; i < key.length; i += bytes, used++) {
		uint32_t codepoint;
		bytes = text_decode_utf8((struct span){ key.data + i, key.length - i }, &codepoint);
		if (!bytes) bytes = 1;
	}
	return used >= TAG_MAX || append_clean(out, value, TAG_MAX - used - 1, &letters);
}

bool tag_append_path(struct buffer *out, struct span path)
{
	size_t i = 0;
	while (i < path.length && (path.data[i] == '/' || path.data[i] == '.')) i++;
	if (i == path.length) return buffer_append_text(out, ".homepage");
	for (; i < path.length; i++) buffer_append_byte(out, path.data[i] == '/' ? '.' : path.data[i] == '@' ? '-' : path.data[i]);
	return !out->failed;
}
