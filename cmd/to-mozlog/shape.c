/* shape - numbers are judged by their digits; a double is read only where one could overflow. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "shape.h"

#include "base/number.h"
#include "base/text.h"

/* Fifteen digits are below 2^53 whatever they are; a text without an exponent overflows a double only if it is long. */
enum { SAFE_LENGTH = 15, LONG_TEXT = 300 };
#define SAFE_MOST INT64_C(9007199254740991)

static enum column_shape shape_of_fraction(struct span text, bool exponent)
{
	double value;
	if (!exponent && text.length < LONG_TEXT) return SHAPE_FLOAT;
	return number_parse_double(text, &value) ? SHAPE_FLOAT : SHAPE_JSON;
}

enum column_shape shape_of_number(struct span text)
{
	bool exponent = false, fraction = false;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];
		if (c == '.') fraction = true;
		else if (c == 'e' || c == 'E') exponent = true;
	}
	if (exponent || fraction) return shape_of_fraction(text, exponent);
	if (span_equal(text, SPAN("-0"))) return SHAPE_FLOAT;
	if (text.length <= SAFE_LENGTH) return SHAPE_INTEGER;
	int64_t value;
	if (!number_parse_int(text, &value)) return SHAPE_JSON;
	return value >= -SAFE_MOST && value <= SAFE_MOST ? SHAPE_INTEGER : SHAPE_WIDE;
}

enum column_shape shape_of_scalar(struct value value)
{
	switch (value.kind) {
	case VALUE_STRING: return SHAPE_STRING;
	case VALUE_NUMBER: return shape_of_number(value.text);
	case VALUE_TRUE: case VALUE_FALSE: return SHAPE_BOOLEAN;
	default: return SHAPE_COUNT;
	}
}

static enum column_shape shape_of(struct value value)
{
	enum column_shape shape = shape_of_scalar(value);
	if (shape != SHAPE_COUNT) return shape;
	return value.kind == VALUE_OBJECT ? SHAPE_RECORD : SHAPE_JSON;
}

static enum column_shape shared(enum column_shape a, enum column_shape b)
{
	if (a == b) return a;
	bool narrow = a == SHAPE_INTEGER || b == SHAPE_INTEGER;
	if (narrow && (a == SHAPE_FLOAT || b == SHAPE_FLOAT)) return SHAPE_FLOAT;
	if (narrow && (a == SHAPE_WIDE || b == SHAPE_WIDE)) return SHAPE_WIDE;
	return SHAPE_JSON;
}

bool shape_of_array(const struct envelope *e, struct value array, enum column_shape *shape)
{
	struct field_walk walk = field_walk_array(e, array);
	struct value element;
	if (!field_next_element(&walk, &element)) return false;
	*shape = shape_of(element);
	while (*shape != SHAPE_JSON && field_next_element(&walk, &element)) *shape = shared(*shape, shape_of(element));
	return true;
}

bool shape_has_content(const struct envelope *e, struct value value)
{
	struct value key, part;
	enum column_shape shape;
	if (value.kind == VALUE_OBJECT) {
		struct field_walk walk = field_walk(e, value);
		while (field_next(&walk, &key, &part))
			if (shape_has_content(e, part)) return true;
		return false;
	}
	if (value.kind != VALUE_ARRAY) return value.kind != VALUE_NULL && value.kind != VALUE_ABSENT;
	if (!shape_of_array(e, value, &shape)) return false;
	if (shape != SHAPE_RECORD) return true;
	struct field_walk walk = field_walk_array(e, value);
	while (field_next_element(&walk, &part))
		if (shape_has_content(e, part)) return true;
	return false;
}

bool shape_append_string(struct buffer *out, struct value string)
{
	buffer_append_byte(out, '"');
	if (string.escaped) text_append_paired(out, string.text);
	else buffer_append_span(out, string.text);
	return buffer_append_byte(out, '"');
}
