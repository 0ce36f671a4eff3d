/* field - a field as it is given on the command line. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "field.h"

#include "base/buffer.h"
#include "envelope/field.h"
#include "filter/tool.h"
#include "io/diag.h"

/* The value is checked as the only element of a list: that counts its depth as `fields` will, and shows what balances but is not
 * one value, such as "1, 2" or "1], \"x\": [2". */
static const char before[] = "{\"payload\":[", behind[] = "]}";

static bool is_one_value(const struct envelope *e, size_t length)
{
	struct value element;
	struct field_walk walk = field_walk_array(e, e->payload);
	return e->payload.text.length == length + 2 && field_next_element(&walk, &element) && !field_next_element(&walk, &element);
}

struct metlog_field field_of(struct span name, enum metlog_kind kind, struct span text)
{
	return (struct metlog_field){ .name = name.data, .name_length = (uint32_t)name.length, .value.text = text.data, .length = text.length, .kind = kind };
}

void field_check_json(struct span name, struct span json)
{
	const size_t start = sizeof before - 1;
	struct scan scan;
	struct envelope envelope;
	struct envelope_fault fault;
	struct buffer line, copy;
	buffer_init(&line, SIZE_MAX / 2);
	buffer_init(&copy, SIZE_MAX / 2);
	buffer_append_text(&line, before);
	buffer_append_span(&line, json);
	if (!buffer_append_text(&line, behind) || !scan_init(&scan)) die(EXIT_INTERNAL, "no memory for a field");
	/* As it will be written: on one line. A tab is as blank as a newline between tokens, and as wrong inside a string. */
	for (size_t i = 0; i < line.length; i++)
		if (line.data[i] == '\n') line.data[i] = '\t';
	if (envelope_parse_copy(&envelope, &scan, &copy, buffer_span(&line), &fault) != ENVELOPE_GOOD) {
		if (fault.column <= start) fault.column = start + 1;
		if (fault.column > start + json.length) fault.column = start + json.length + 1; /* what the value lacks is missed behind it */
		tool_usage_error("--field: %.*s:=%s: column %zu of the value: %s", (int)name.length, name.data, json.data, fault.column - start, fault.reason);
	}
	if (!is_one_value(&envelope, json.length))
		tool_usage_error("--field: %.*s:=%s: not one JSON value", (int)name.length, name.data, json.data);
	scan_release(&scan);
	buffer_release(&line);
	buffer_release(&copy);
}
