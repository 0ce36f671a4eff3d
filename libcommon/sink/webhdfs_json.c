/* webhdfs_json - the members of an answer, found by the scanner that reads envelopes; what is no JSON has none. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/webhdfs_private.h"

#include "base/number.h"
#include "base/text.h"

enum { LINE_LIMIT = 1 << 20 };

bool webhdfs_json_init(struct webhdfs_json *j)
{
	*j = (struct webhdfs_json){ .is_json = false };
	buffer_init(&j->line, LINE_LIMIT);
	buffer_init(&j->copy, LINE_LIMIT + 2 * SCAN_PADDING);
	return scan_init(&j->scan);
}

void webhdfs_json_release(struct webhdfs_json *j)
{
	buffer_release(&j->line);
	buffer_release(&j->copy);
	scan_release(&j->scan);
}

bool webhdfs_json_read(struct webhdfs_json *j, struct span body)
{
	struct envelope_fault fault;
	buffer_clear(&j->line);
	buffer_append_span(&j->line, body);
	/* The scanner takes a line. Inside a string no raw line break can be; between tokens it is a blank. */
	for (size_t i = 0; i < j->line.length; i++) {
		if (j->line.data[i] == '\n' || j->line.data[i] == '\r') j->line.data[i] = ' ';
	}
	j->is_json = !j->line.failed && envelope_parse_copy(&j->envelope, &j->scan, &j->copy, buffer_span(&j->line), &fault) == ENVELOPE_GOOD;
	return j->is_json;
}

struct value webhdfs_json_find(const struct webhdfs_json *j, const char *path_text)
{
	struct field_path path;
	if (!j->is_json || !field_path_init(&path, span_of(path_text))) return (struct value){ .kind = VALUE_ABSENT };
	return field_find(&j->envelope, &path);
}

bool webhdfs_json_text(const struct webhdfs_json *j, const char *path, struct buffer *out)
{
	struct value value = webhdfs_json_find(j, path);
	buffer_clear(out);
	return value.kind == VALUE_STRING && field_append_text(out, value);
}

bool webhdfs_json_count(const struct webhdfs_json *j, const char *path, uint64_t *count)
{
	struct value value = webhdfs_json_find(j, path);
	int64_t number;
	if (value.kind != VALUE_NUMBER || !number_parse_int(value.text, &number) || number < 0) return false;
	*count = (uint64_t)number;
	return true;
}
