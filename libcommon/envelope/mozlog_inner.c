/* mozlog_inner - values that MozLog's schema does not allow, as JSON text in Heka's object, and back. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/mozlog_private.h"

#include "base/text.h"

bool mozlog_inner_init(struct mozlog_inner *inner)
{
	*inner = (struct mozlog_inner){ 0 };
	buffer_init(&inner->decoded, SIZE_MAX / 4);
	buffer_init(&inner->copy, SIZE_MAX / 4);
	return scan_init(&inner->scan);
}

void mozlog_inner_release(struct mozlog_inner *inner)
{
	scan_release(&inner->scan);
	buffer_release(&inner->decoded);
	buffer_release(&inner->copy);
}

static bool is_scalar(enum value_kind kind)
{
	return kind == VALUE_STRING || kind == VALUE_NUMBER || kind == VALUE_TRUE || kind == VALUE_FALSE;
}

/* A not empty array of texts, of numbers, or of true and false. */
static bool is_plain_array(const struct envelope *e, struct value v)
{
	struct field_walk walk = field_walk_array(e, v);
	struct value element;
	enum value_kind all = VALUE_ABSENT;
	while (field_next_element(&walk, &element)) {
		if (element.kind == VALUE_FALSE) element.kind = VALUE_TRUE;
		if (!is_scalar(element.kind) || (all != VALUE_ABSENT && element.kind != all)) return false;
		all = element.kind;
	}
	return all != VALUE_ABSENT;
}

/* The two members of the object that the schema allows; false: it is another. */
static bool take_heka(const struct envelope *e, struct value v, struct value *value, struct value *representation)
{
	struct field_walk walk = field_walk(e, v);
	struct value key, it;
	*value = *representation = (struct value){ .kind = VALUE_ABSENT };
	if (v.kind != VALUE_OBJECT) return false;
	while (field_next(&walk, &key, &it)) {
		struct value *where = field_equals(key, SPAN("value")) ? value : field_equals(key, SPAN("representation")) ? representation : NULL;
		if (!where || where->kind != VALUE_ABSENT) return false;
		*where = it;
	}
	return representation->kind == VALUE_STRING && (is_scalar(value->kind) || is_plain_array(e, *value));
}

/* Whether it is text in the form "json"; *text is it. */
static bool take_text(const struct envelope *e, struct value v, struct value *text)
{
	struct value representation;
	return take_heka(e, v, text, &representation) && text->kind == VALUE_STRING && field_equals(representation, SPAN("json"));
}

/* What is written is only ever without blanks at its ends and without control characters. */
static bool may_be_written(struct span text)
{
	if (text.length == 0 || text.data[0] == ' ' || text.data[text.length - 1] == ' ') return false;
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.data[i] < 0x20) return false;
	return true;
}

/* Reads the text of a string as JSON, as deep in other values as it will stand. It may lie in inner->copy. */
static bool read_text(struct mozlog_inner *inner, struct value string, unsigned depth)
{
	static const char padding[SCAN_PADDING];
	struct envelope_fault fault;
	struct value key, value;
	if (string.escaped && text_find_half_pair(string.text)) return false; /* it would be decoded as another character */
	buffer_clear(&inner->decoded);
	if (string.escaped) text_append_unescaped(&inner->decoded, string.text);
	else buffer_append_span(&inner->decoded, string.text);
	struct span text = buffer_span(&inner->decoded);
	if (inner->decoded.failed || !may_be_written(text)) return false;
	buffer_clear(&inner->copy);
	for (unsigned i = 0; i < depth; i++) buffer_append(&inner->copy, "{\"\":", 4);
	buffer_append_span(&inner->copy, text);
	for (unsigned i = 0; i < depth; i++) buffer_append_byte(&inner->copy, '}');
	size_t length = inner->copy.length;
	buffer_append_byte(&inner->copy, '\n');
	if (!buffer_append(&inner->copy, padding, sizeof padding)) return false;
	const char *start = inner->copy.data;
	scan_line(&inner->scan, start, start + length + 1);
	if (envelope_parse_object(&inner->view, &value, &inner->scan, (struct span){ start, length }, &fault) != ENVELOPE_GOOD) return false;
	for (unsigned i = 0; i < depth; i++) {
		struct field_walk walk = field_walk(&inner->view, value);
		if (!field_next(&walk, &key, &value)) return false;
	}
	inner->value = value;
	return mozlog_raw(value).length == text.length; /* one value, not `1},{"":2` */
}

enum { DEPTH_PAYLOAD = 1, DEPTH_FIELD = 2 };

/* An object in the form "json" is taken for what is in it if that is a value that would be written so: which is asked of the objects inside it in turn. */
static bool is_wrapped(struct mozlog_inner *inner, const struct envelope *e, struct value text)
{
	struct value representation, value;
	do {
		if (!read_text(inner, text, DEPTH_FIELD)) return false;
		e = &inner->view;
		value = inner->value;
	} while (take_text(e, value, &text));
	if (is_scalar(value.kind) || is_plain_array(e, value)) return false;
	return !take_heka(e, value, &text, &representation);
}

bool mozlog_must_wrap(struct mozlog_inner *inner, const struct envelope *e, struct value v)
{
	struct value value, representation;
	if (is_scalar(v.kind)) return false;
	if (v.kind == VALUE_ARRAY) return !is_plain_array(e, v);
	if (!take_heka(e, v, &value, &representation)) return true;
	return take_text(e, v, &value) && is_wrapped(inner, e, value);
}

bool mozlog_unwrap(struct mozlog_inner *inner, const struct envelope *e, struct value v)
{
	struct value text;
	return take_text(e, v, &text) && is_wrapped(inner, e, text) && read_text(inner, text, DEPTH_FIELD);
}

bool mozlog_unwrap_payload(struct mozlog_inner *inner, const struct envelope *e, struct value v)
{
	struct value text;
	return take_text(e, v, &text) && read_text(inner, text, DEPTH_PAYLOAD) && inner->value.kind != VALUE_STRING;
}
