/* ini - a file of sections, keys and values, read as Python's configparser reads it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/ini.h"

void ini_init(struct ini *i, struct span text, size_t limit_bytes)
{
	*i = (struct ini){ .left = text };
	buffer_init(&i->value, limit_bytes);
}

void ini_release(struct ini *i)
{
	buffer_release(&i->value);
}

static size_t indent_of(struct span line)
{
	size_t indent = 0;
	while (indent < line.length && (line.data[indent] == ' ' || line.data[indent] == '\t')) indent++;
	return indent;
}

static bool is_comment(struct span trimmed)
{
	return trimmed.length && (trimmed.data[0] == '#' || trimmed.data[0] == ';');
}

/* The next line that is neither blank nor a comment, if it is indented deeper than `least`; else nothing but what is before it is taken. */
static bool take_line(struct ini *i, bool deeper, size_t least, struct span *trimmed, size_t *indent)
{
	while (i->left.length) {
		struct span rest = i->left, line = span_take_line(&rest);
		*trimmed = span_trim(line);
		*indent = indent_of(line);
		bool counts = trimmed->length && !is_comment(*trimmed);
		if (counts && deeper && *indent <= least) return false;
		i->left = rest;
		i->lines++;
		if (counts) return true;
	}
	return false;
}

static enum ini_item wrong(struct ini *i, const char *reason)
{
	i->wrong = reason;
	return INI_WRONG;
}

static enum ini_item take_section(struct ini *i, struct span line)
{
	const char *end = memchr(line.data, ']', line.length);
	if (!end) return wrong(i, "']' is missing");
	i->name = span_between(line.data + 1, end);
	if (end + 1 < line.data + line.length) return wrong(i, "more behind ']'");
	return INI_SECTION;
}

/* What goes on below a line that is no key is passed over with it. */
static enum ini_item take_value(struct ini *i, struct span line, size_t indent)
{
	size_t length = 0, deeper;
	while (length < line.length && line.data[length] != '=' && line.data[length] != ':') length++;
	bool is_key = length < line.length && length > 0;
	buffer_clear(&i->value);
	if (is_key) {
		i->name = span_trim((struct span){ line.data, length });
		buffer_append_span(&i->value, span_trim((struct span){ line.data + length + 1, line.length - length - 1 }));
	}
	while (take_line(i, true, indent, &line, &deeper)) {
		if (i->value.length) buffer_append_byte(&i->value, '\n');
		buffer_append_span(&i->value, line);
	}
	if (!is_key) return wrong(i, length ? "neither [section] nor KEY = VALUE" : "a key is missing");
	if (i->value.failed) return INI_NO_MEMORY;
	if (i->value.length && memchr(i->value.data, '\0', i->value.length)) return wrong(i, "a NUL byte");
	return INI_VALUE;
}

enum ini_item ini_next(struct ini *i)
{
	struct span line;
	size_t indent;
	if (!take_line(i, false, 0, &line, &indent)) return INI_END;
	i->line = i->lines;
	return line.data[0] == '[' ? take_section(i, line) : take_value(i, line, indent);
}
