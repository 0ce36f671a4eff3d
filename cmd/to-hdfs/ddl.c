/* ddl - statements that hold for any value: what could end a string, a statement or a line is written \uNNNN. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "ddl.h"

#include "base/text.h"
#include "escape.h"

static const struct { const char *name, *type; } COLUMNS[] = {
	{ "timestamp", "string" }, { "logger", "string" }, { "type", "string" }, { "severity", "int" }, { "payload", "string" }, { "fields", "map<string,string>" },
	{ "env_version", "string" }, { "metlog_pid", "string" }, { "metlog_hostname", "string" },
};

static void append_unit(struct buffer *out, unsigned unit)
{
	static const char digits[] = "0123456789ABCDEF";
	buffer_append(out, (char[]){ '\\', 'u', digits[unit >> 12 & 15], digits[unit >> 8 & 15], digits[unit >> 4 & 15], digits[unit & 15] }, 6);
}

/* Shells split at ';' and put variables in for "${" even inside quotes, and some take "--" for a comment there. */
static void append_character(struct buffer *out, unsigned c, unsigned before)
{
	char utf8[4];
	if (c == '\'' || c == '\\') buffer_append(out, (char[]){ '\\', (char)c }, 2);
	else if (c > 0xffff && text_is_hidden(c)) append_unit(out, 0xd800 + ((c - 0x10000) >> 10)), append_unit(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
	else if (c == ';' || c == '$' || (c == '-' && before == '-') || text_is_hidden(c)) append_unit(out, c);
	else buffer_append(out, utf8, text_encode_utf8(utf8, c));
}

/* The inside of a string; a directory's value as Hive reads it, for which each %XX is a character. */
static void append_text(struct buffer *out, struct span text, bool escaped)
{
	unsigned before = 0;
	while (text.length) {
		unsigned c;
		size_t length = escaped ? escape_next(text, &c) : escape_character(text, &c);
		append_character(out, c, before);
		before = c;
		text.data += length;
		text.length -= length;
	}
}

static void append_name(struct buffer *out, struct span name)
{
	buffer_append_byte(out, '`');
	for (size_t i = 0; i < name.length; i++) {
		if (name.data[i] == '`') buffer_append_byte(out, '`');
		buffer_append_byte(out, name.data[i]);
	}
	buffer_append_byte(out, '`');
}

static void append_table_name(struct buffer *out, const char *table)
{
	const char *dot = strchr(table, '.');
	if (dot) {
		append_name(out, span_between(table, dot));
		buffer_append_byte(out, '.');
		table = dot + 1;
	}
	append_name(out, span_of(table));
}

static bool is_partitioned(const struct ddl *d)
{
	return layout_is_hive(d->layout) && layout_column_count(d->layout) > 0;
}

static bool is_partition_column(const struct ddl *d, struct span name)
{
	for (size_t i = 0; is_partitioned(d) && i < layout_column_count(d->layout); i++)
		if (span_equal(layout_column(d->layout, i), name)) return true;
	return false;
}

bool ddl_append_table(struct buffer *out, const struct ddl *d)
{
	buffer_append_text(out, "CREATE EXTERNAL TABLE IF NOT EXISTS ");
	append_table_name(out, d->table);
	const char *before = " (\n  ";
	for (size_t i = 0; i < sizeof COLUMNS / sizeof *COLUMNS; i++) {
		/* Hive has a column once: the partition's. */
		if (is_partition_column(d, span_of(COLUMNS[i].name))) continue;
		buffer_append_text(out, before);
		append_name(out, span_of(COLUMNS[i].name));
		buffer_append_byte(out, ' ');
		buffer_append_text(out, COLUMNS[i].type);
		before = ",\n  ";
	}
	buffer_append_text(out, "\n)\n");
	before = "PARTITIONED BY (";
	for (size_t i = 0; is_partitioned(d) && i < layout_column_count(d->layout); i++, before = ", ") {
		buffer_append_text(out, before);
		append_name(out, layout_column(d->layout, i));
		buffer_append_text(out, " string");
	}
	if (is_partitioned(d)) buffer_append_text(out, ")\n");
	buffer_append_text(out, "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'\nSTORED AS TEXTFILE\nLOCATION '");
	append_text(out, span_of(d->location), false);
	buffer_append_text(out, "';\n");
	if (is_partitioned(d)) {
		buffer_append_text(out, "-- Partitions that are there are found by:  MSCK REPAIR TABLE ");
		append_table_name(out, d->table);
		buffer_append_byte(out, '\n');
	} else if (!layout_is_hive(d->layout)) {
		buffer_append_text(out, "-- This layout's directories are not partitions. To read the files in them:\n"
			"--   SET mapreduce.input.fileinputformat.input.dir.recursive=true\n--   SET hive.mapred.supports.subdirectories=true\n");
	}
	return !out->failed;
}

/* The next component of `rest`, which must be "key=..." of the column; its value. */
static bool take_value(struct span *rest, struct span key, struct span *value)
{
	const char *slash = rest->length ? memchr(rest->data, '/', rest->length) : NULL;
	struct span component = slash ? span_between(rest->data, slash) : *rest;
	*rest = slash ? span_between(slash + 1, rest->data + rest->length) : (struct span){ rest->data, 0 };
	if (!span_starts(component, key) || component.length <= key.length + 1 || component.data[key.length] != '=') return false;
	*value = (struct span){ component.data + key.length + 1, component.length - key.length - 1 };
	return true;
}

bool ddl_append_partition(struct buffer *out, const struct ddl *d, struct span dir)
{
	struct span rest = dir, value;
	size_t columns = layout_column_count(d->layout);
	for (size_t i = 0; i < columns; i++)
		if (!take_value(&rest, layout_column(d->layout, i), &value)) return !out->failed;
	if (!is_partitioned(d) || rest.length) return !out->failed;
	buffer_append_text(out, "ALTER TABLE ");
	append_table_name(out, d->table);
	const char *before = " ADD IF NOT EXISTS PARTITION (";
	rest = dir;
	for (size_t i = 0; i < columns; i++, before = ", ") {
		take_value(&rest, layout_column(d->layout, i), &value);
		buffer_append_text(out, before);
		append_name(out, layout_column(d->layout, i));
		buffer_append_text(out, "='");
		append_text(out, value, true);
		buffer_append_byte(out, '\'');
	}
	buffer_append_text(out, ") LOCATION '");
	append_text(out, span_of(d->location), false);
	size_t length = strlen(d->location);
	if (length == 0 || d->location[length - 1] != '/') buffer_append_byte(out, '/');
	append_text(out, dir, false);
	return buffer_append_text(out, "';\n");
}
