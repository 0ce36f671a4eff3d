/* schema - one line a column; parts of a record stand below it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "schema.h"

#include "base/text.h"

enum { DESCRIPTION_MAX = 1000, PATH_LIMIT = 1 << 30 }; /* BigQuery takes 1024 characters of a description */

static const char *type_of(const struct column *one)
{
	switch ((enum column_shape)one->shape) {
	case SHAPE_INTEGER: return "INTEGER";
	case SHAPE_FLOAT: return "FLOAT";
	case SHAPE_BOOLEAN: return "BOOLEAN";
	case SHAPE_RECORD: return "RECORD";
	case SHAPE_TIMESTAMP: return "TIMESTAMP";
	default: return "STRING";
	}
}

static bool has_leaf(const struct columns *c, const struct column *record)
{
	for (uint32_t at = record->first; at; at = columns_get(c, at)->next) {
		const struct column *one = columns_get(c, at);
		if (one->shape != SHAPE_RECORD || has_leaf(c, one)) return true;
	}
	return false;
}

static void indent(struct buffer *out, unsigned depth)
{
	while (depth--) buffer_append(out, "  ", 2);
}

/* The keys as they are, where the name does not tell them. */
static void append_description(struct columns *c, struct buffer *out, uint32_t column, struct buffer *path)
{
	const struct column *one = columns_get(c, column);
	if (one->described) {
		buffer_append_text(out, ", \"description\": \"");
		buffer_append_span(out, columns_given(c, column));
		buffer_append_byte(out, '"');
		return;
	}
	if (one->slot == COLUMNS_NONE) return;
	buffer_clear(path);
	columns_append_path(c, path, column);
	struct span name = columns_key(c, column), all = buffer_span(path);
	name.data++, name.length -= 3;
	bool plain = all.length > name.length && all.data[all.length - name.length - 1] == '.' && memcmp(all.data + all.length - name.length, name.data, name.length) == 0;
	if (path->failed || (one->shape != SHAPE_JSON && !columns_are_flat(c) && (plain || span_equal(all, name)))) return;
	if (all.length > DESCRIPTION_MAX) {
		all.length = DESCRIPTION_MAX;
		while ((all.data[all.length] & 0xc0) == 0x80) all.length--;
	}
	buffer_append_text(out, ", \"description\": \"");
	text_append_escaped(out, all);
	if (one->shape == SHAPE_JSON) buffer_append_text(out, " (JSON text)");
	buffer_append_byte(out, '"');
}

static void append_column(struct columns *c, struct buffer *out, uint32_t column, unsigned depth, struct buffer *path);

static void append_parts(struct columns *c, struct buffer *out, uint32_t record, unsigned depth, struct buffer *path)
{
	bool any = false;
	for (uint32_t at = columns_get(c, record)->first; at; at = columns_get(c, at)->next) {
		const struct column *one = columns_get(c, at);
		if (one->shape == SHAPE_RECORD && !has_leaf(c, one)) continue;
		buffer_append_text(out, any ? ",\n" : "\n");
		append_column(c, out, at, depth, path);
		any = true;
	}
}

static void append_column(struct columns *c, struct buffer *out, uint32_t column, unsigned depth, struct buffer *path)
{
	const struct column *one = columns_get(c, column);
	struct span key = columns_key(c, column);
	indent(out, depth);
	if (one->given_length && !one->described) {
		buffer_append_span(out, columns_given(c, column));
		return;
	}
	buffer_append_text(out, "{\"name\": ");
	buffer_append(out, key.data, key.length - 1);
	buffer_append_text(out, ", \"type\": \"");
	buffer_append_text(out, type_of(one));
	buffer_append_text(out, "\", \"mode\": \"");
	buffer_append_text(out, one->repeated ? "REPEATED" : one->required ? "REQUIRED" : "NULLABLE");
	buffer_append_byte(out, '"');
	append_description(c, out, column, path);
	if (one->shape == SHAPE_RECORD) {
		buffer_append_text(out, ", \"fields\": [");
		append_parts(c, out, column, depth + 1, path);
		buffer_append_byte(out, '\n');
		indent(out, depth);
		buffer_append_byte(out, ']');
	}
	buffer_append_byte(out, '}');
}

static void append_flat(struct columns *c, struct buffer *out, struct buffer *path)
{
	bool any = false;
	for (uint32_t at = COLUMNS_ROOT + 1; at < columns_count(c); at++) {
		if (columns_get(c, at)->shape == SHAPE_RECORD) continue;
		buffer_append_text(out, any ? ",\n" : "\n");
		append_column(c, out, at, 1, path);
		any = true;
	}
}

bool schema_append(struct columns *c, struct buffer *out)
{
	struct buffer path;
	buffer_init(&path, PATH_LIMIT);
	buffer_append_byte(out, '[');
	if (columns_are_flat(c)) append_flat(c, out, &path);
	else append_parts(c, out, COLUMNS_ROOT, 1, &path);
	buffer_append_text(out, "\n]\n");
	buffer_release(&path);
	return !out->failed;
}
