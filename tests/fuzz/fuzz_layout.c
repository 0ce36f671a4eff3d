/* fuzz_layout - any envelope through any template that compiles, and through Hive's form; no path may leave the base. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "base/table.h"
#include "ddl.h"
#include "envelope/field.h"
#include "hive.h"
#include "layout.h"

/* The input is a line; with a NUL in it, what stands before is a template. What must hold:
 *   a path has no empty, "." or ".." component, none over 255 bytes, and is at most LAYOUT_PATH_MAX long; none begins with '.' or '_' but for our own _late and _future;
 *   the same envelope gives the same path again, and a fresh layout gives it, too;
 *   Hive's form is one object on one line, with unique lower-case keys, scalar values but for `fields`, and scalars in it; it is an envelope again, and its own Hive's form;
 *   a statement is one line, with an even number of quotes. */

enum { LIMIT = 1 << 26 };

static void require(bool condition)
{
	if (!condition) abort();
}

static void require_path(struct span path, enum layout_place place)
{
	struct span own = place == LAYOUT_LATE ? SPAN("_late") : place == LAYOUT_FUTURE ? SPAN("_future") : SPAN("");
	require(path.length <= LAYOUT_PATH_MAX);
	require(span_starts(path, own));
	if (!path.length) return;
	path.data += own.length;
	path.length -= own.length;
	if (own.length && path.length) {
		require(path.data[0] == '/');
		path.data++, path.length--;
	}
	while (path.length) {
		const char *slash = memchr(path.data, '/', path.length);
		size_t length = slash ? (size_t)(slash - path.data) : path.length;
		require(length >= 1 && length <= 255 && path.data[0] != '.' && path.data[0] != '_');
		for (size_t i = 0; i < length; i++) require((unsigned char)path.data[i] >= 0x20 && path.data[i] != 0x7f && path.data[i] != '\\' && path.data[i] != ':');
		require(!slash || length + 1 < path.length);
		path.data += length + (slash ? 1 : 0);
		path.length -= length + (slash ? 1 : 0);
	}
}

static void require_statement(struct buffer *out)
{
	size_t quotes = 0;
	for (size_t i = 0; i < out->length; i++) {
		require((unsigned char)out->data[i] >= 0x20 || (out->data[i] == '\n' && i + 1 == out->length));
		require(out->data[i] != ';' || i + 2 == out->length);
		if (out->data[i] == '\\') i++;
		else quotes += out->data[i] == '\'';
	}
	require(quotes % 2 == 0);
}

static void try_layout(const struct envelope *e, struct span text)
{
	const char *why = NULL;
	size_t column = 0;
	struct layout *l = layout_new(text, &why, &column), *fresh = layout_new(text, &why, &column);
	if (!l) {
		require(why && column >= 1 && column <= text.length + 1);
		return;
	}
	struct buffer out, again;
	buffer_init(&out, LIMIT);
	buffer_init(&again, LIMIT);
	static const int64_t nows[] = { 0, INT64_C(1349438412654932000), INT64_MAX, INT64_MIN };
	for (size_t i = 0; i < sizeof nows / sizeof *nows; i++) {
		struct layout_bounds bounds = { nows[i], i & 1 ? -1 : 1000, 1000 };
		buffer_clear(&out);
		buffer_clear(&again);
		enum layout_place place = layout_append(&out, l, e, &bounds);
		require_path(buffer_span(&out), place);
		require(layout_append(&again, fresh, e, &bounds) == place && span_equal(buffer_span(&out), buffer_span(&again)));
		buffer_clear(&again);
		require(ddl_append_partition(&again, &(struct ddl){ l, "t", "file:///b" }, buffer_span(&out)));
		require_statement(&again);
		require(place == LAYOUT_USUAL || again.length == 0);
		require((again.length > 0) == (place == LAYOUT_USUAL && layout_is_hive(l) && layout_column_count(l) > 0));
	}
	struct span before, after;
	layout_name(l, &before, &after);
	require(!before.length || (before.data[0] != '.' && before.data[0] != '_'));
	buffer_release(&out);
	buffer_release(&again);
	layout_free(l);
	layout_free(fresh);
}

static bool is_scalar(struct value v)
{
	return v.kind != VALUE_OBJECT && v.kind != VALUE_ARRAY;
}

/* Counts the pairs; each key must be unique and lower-case. */
static size_t require_keys(const struct envelope *e, struct value object, bool top)
{
	struct table seen;
	struct value key, value;
	struct buffer decoded;
	size_t count = 0;
	table_init(&seen, LIMIT, LIMIT, 1);
	buffer_init(&decoded, LIMIT);
	for (struct field_walk walk = field_walk(e, object); field_next(&walk, &key, &value); count++) {
		bool fresh;
		buffer_clear(&decoded);
		require(field_append_text(&decoded, key));
		for (size_t i = 0; i < decoded.length; i++) require(decoded.data[i] < 'A' || decoded.data[i] > 'Z');
		require(table_put(&seen, buffer_span(&decoded), &fresh) && fresh);
		require(is_scalar(value) || (top && value.first == e->fields.first));
	}
	table_release(&seen);
	buffer_release(&decoded);
	return count;
}

static size_t count_pairs(const struct envelope *e, struct value object)
{
	struct value key, value;
	size_t count = 0;
	for (struct field_walk walk = field_walk(e, object); field_next(&walk, &key, &value);) count++;
	return count;
}

static void try_hive(const struct envelope *e)
{
	struct buffer out, copy, again;
	struct scan scan;
	struct envelope made;
	struct envelope_fault fault;
	const struct value whole = { .kind = VALUE_OBJECT };
	buffer_init(&out, LIMIT);
	buffer_init(&copy, LIMIT);
	buffer_init(&again, LIMIT);
	require(scan_init(&scan));
	require(hive_append(&out, e));
	require(!memchr(out.data, '\n', out.length) && !memchr(out.data, '\r', out.length));
	require(envelope_parse_copy(&made, &scan, &copy, buffer_span(&out), &fault) == ENVELOPE_GOOD);
	require(made.severity == e->severity && made.has_severity == e->has_severity && made.fields.kind == e->fields.kind);
	require(require_keys(&made, whole, true) == count_pairs(e, whole));
	require(require_keys(&made, made.fields, false) == count_pairs(e, e->fields));
	require(hive_append(&again, &made));
	require(span_equal(buffer_span(&out), buffer_span(&again)));
	scan_release(&scan);
	buffer_release(&out);
	buffer_release(&copy);
	buffer_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span line = { (const char *)data, size };
	const char *nul = size ? memchr(line.data, '\0', size) : NULL;
	struct span template = SPAN("type={type}/{payload}{logger|none}/h={fields.a}-{metlog_hostname}/dt={date}/{hour}{minute}");
	if (nul) {
		template = span_between(line.data, nul);
		line = span_between(nul + 1, line.data + size);
	}
	struct buffer copy;
	struct scan scan;
	struct envelope envelope;
	struct envelope_fault fault;
	buffer_init(&copy, LIMIT);
	require(scan_init(&scan));
	if (!memchr(line.data, '\n', line.length) && envelope_parse_copy(&envelope, &scan, &copy, line, &fault) == ENVELOPE_GOOD) {
		try_layout(&envelope, template);
		try_layout(&envelope, SPAN("type={type}/v={payload}/dt={date}"));
		try_hive(&envelope);
	}
	scan_release(&scan);
	buffer_release(&copy);
	return 0;
}
