/* cef_private - what the writer, the reader and the record share about the bytes of CEF. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_CEF_PRIVATE_H
#define TO_CEF_CEF_PRIVATE_H

#include "cef.h"

static inline bool cef_is_key_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Bytes of a value that become a space: no line may have them. */
static inline bool cef_is_control(char c)
{
	unsigned char byte = (unsigned char)c;
	return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f;
}

/* The value without the blanks at its end, and without the controls that would be blanks there. */
struct span cef_trim(struct span value);
static inline struct span cef_trimmed(struct span value)
{
	return value.length && (unsigned char)value.data[value.length - 1] > ' ' && value.data[value.length - 1] != 0x7f ? value : cef_trim(value);
}

/* cef_append_value for one that is trimmed. */
bool cef_append_trimmed(struct buffer *out, struct span text, struct cef_tally *);
/* The same where there is room for twice the bytes; returns the end. */
char *cef_escape(char *at, struct span text, struct cef_tally *);

/* memcpy of a few bytes, without a call for them. */
static inline char *cef_copy_name(char *at, struct span name)
{
	size_t n = name.length;
	if (n >= 8 && n <= 16) {
		uint64_t first, last;
		memcpy(&first, name.data, 8);
		memcpy(&last, name.data + n - 8, 8);
		memcpy(at, &first, 8);
		memcpy(at + n - 8, &last, 8);
	} else if (n >= 4 && n < 8) {
		uint32_t first, last;
		memcpy(&first, name.data, 4);
		memcpy(&last, name.data + n - 4, 4);
		memcpy(at, &first, 4);
		memcpy(at + n - 4, &last, 4);
	} else if (n == 3) {
		memcpy(at, name.data, 3);
	} else {
		memcpy(at, name.data, n);
	}
	return at + n;
}

/* How many bytes the character takes that ends a line for some reader, or is a control: C0, DEL, C1, U+2028 and U+2029. 0: it is none of them. */
size_t cef_control_length(struct span text);

/* Which keys an event has, roughly: false means that it was not there before; true that it must be looked for. */
struct cef_seen { uint64_t bit[32]; };

static inline bool cef_seen_before(struct cef_seen *seen, struct span key)
{
	uint64_t first = 0, last = 0;
	if (key.length >= 8) {
		memcpy(&first, key.data, 8);
		memcpy(&last, key.data + key.length - 8, 8);
	} else {
		for (size_t i = 0; i < key.length; i++) first = first << 8 | (unsigned char)key.data[i];
	}
	uint64_t hash = ((first ^ key.length) * UINT64_C(0x9e3779b97f4a7c15) ^ last * UINT64_C(0xd6e8feb86659fd93)) >> 53; /* eleven bits */
	uint64_t bit = (uint64_t)1 << (hash & 63);
	bool before = seen->bit[hash >> 6] & bit;
	seen->bit[hash >> 6] |= bit;
	return before;
}

#endif
