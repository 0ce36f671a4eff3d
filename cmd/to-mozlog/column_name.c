/* column_name - letters are mapped one by one; a table of what is taken, in lower case, makes names unique. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "column_name.h"

#include <stdio.h>

#include "base/checksum.h"
#include "base/text.h"
#include "columns.h"

enum { SUFFIX_MAX = 24, HASH_LENGTH = 17 };

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool column_name_append(struct buffer *out, struct span text)
{
	while (text.length) {
		uint32_t codepoint;
		size_t length = text_decode_utf8(text, &codepoint);
		if (length == 0) length = 1;
		char c = text.data[0];
		buffer_append_byte(out, length == 1 && (is_letter(c) || is_digit(c)) ? c : '_');
		text.data += length, text.length -= length;
	}
	return !out->failed;
}

static bool is_reserved(struct span name)
{
	static const char *const prefixes[] = {
		"_table_", "_file_", "_partition", "_row_timestamp", "__root__", "_colidentifier", "_change_sequence_number", "_change_type", "_change_timestamp",
	};
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		size_t length = strlen(prefixes[i]), same = 0;
		while (same < length && same < name.length && lower(name.data[same]) == prefixes[i][same]) same++;
		if (same == length) return true;
	}
	return false;
}

bool column_name_mend(struct buffer *name)
{
	if (name->length == 0) return buffer_append_byte(name, '_');
	if (is_digit(name->data[0]) || is_reserved(buffer_span(name))) {
		if (!buffer_append_byte(name, '_')) return false;
		memmove(name->data + 1, name->data, name->length - 1);
		name->data[0] = '_';
	}
	if (name->length > COLUMNS_NAME_MAX) {
		char hash[SUFFIX_MAX];
		snprintf(hash, sizeof hash, "_%016llx", (unsigned long long)checksum_of(buffer_span(name)));
		name->length = COLUMNS_NAME_MAX - HASH_LENGTH;
		buffer_append(name, hash, HASH_LENGTH);
	}
	return !name->failed;
}

bool column_name_is_clean(struct span name)
{
	for (size_t i = 0; i < name.length; i++)
		if ((unsigned char)name.data[i] < 0x20 || name.data[i] == '"' || name.data[i] == '\\') return false;
	return name.length > 0 && name.length <= COLUMNS_NAME_MAX;
}

void column_name_init(struct table *taken, size_t limit)
{
	table_init(taken, limit, limit * (COLUMNS_NAME_MAX + sizeof(uint32_t)), sizeof(uint64_t));
}

static uint64_t *put(struct table *taken, uint32_t scope, struct span name, bool *fresh)
{
	char key[sizeof scope + COLUMNS_NAME_MAX];
	memcpy(key, &scope, sizeof scope);
	for (size_t i = 0; i < name.length; i++) key[sizeof scope + i] = lower(name.data[i]);
	return table_put(taken, (struct span){ key, sizeof scope + name.length }, fresh);
}

bool column_name_take(struct table *taken, uint32_t scope, struct buffer *name)
{
	bool fresh = false;
	size_t length = name->length;
	uint64_t number = 1;
	if (!put(taken, scope, buffer_span(name), &fresh)) return false;
	while (!fresh) {
		/* The number is kept with the name as it was, so that many alike are not tried one after the other. */
		uint64_t *last = put(taken, scope, (struct span){ name->data, length }, &fresh);
		if (!last) return false;
		number = *last > number ? *last : number;
		*last = ++number;
		char suffix[SUFFIX_MAX];
		size_t written = (size_t)snprintf(suffix, sizeof suffix, "_%llu", (unsigned long long)number);
		size_t most = COLUMNS_NAME_MAX - written;
		if (length > most) length = most, number = 1;
		name->length = length;
		if (!buffer_append(name, suffix, written) || !put(taken, scope, buffer_span(name), &fresh)) return false;
	}
	return true;
}
