/* test_envelope_object - a line that is an object of JSON but no envelope: what is shown of it (its grammar is tried beside that of envelopes). */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "envelope/field.h"
#include "fixture.h"

static void assert_value(struct value value, enum value_kind kind, const char *text)
{
	assert_int_equal(value.kind, kind);
	if (!span_equal(value.text, span_of(text))) fail_msg("\"%.*s\", not \"%s\"", (int)value.text.length, value.text.data, text);
}

static struct value parse_object(struct fixture *f, const char *line)
{
	struct value object;
	envelope_parse_copy(&f->envelope, &f->scan, &f->copy, span_of(line), &f->fault); /* judged as another thing, but scanned */
	struct span copied = { f->copy.data, f->copy.length - SCAN_PADDING - 1 };
	assert_int_equal(envelope_parse_object(&f->envelope, &object, &f->scan, copied, &f->fault), ENVELOPE_GOOD);
	return object;
}

static void any_object_is_walked_as_an_object(void **state)
{
	struct fixture *f = *state;
	struct value key, value, object = parse_object(f, " {\"Timestamp\": 12, \"type\":1,\"type\":\"a\\n\",\"severity\":[9],\"fields\":{\"a\":1} }\r");
	static const struct { const char *key; enum value_kind kind; const char *text; } wanted[] = {
		{ "Timestamp", VALUE_NUMBER, "12" }, { "type", VALUE_NUMBER, "1" }, { "type", VALUE_STRING, "a\\n" }, { "severity", VALUE_ARRAY, "[9]" },
		{ "fields", VALUE_OBJECT, "{\"a\":1}" },
	};
	struct field_walk walk = field_walk(&f->envelope, object);
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		assert_true(field_next(&walk, &key, &value));
		assert_value(key, VALUE_STRING, wanted[i].key);
		assert_value(value, wanted[i].kind, wanted[i].text);
	}
	assert_false(field_next(&walk, &key, &value));
	object = parse_object(f, "{}");
	walk = field_walk(&f->envelope, object);
	assert_false(field_next(&walk, &key, &value));
}

static void an_object_has_no_member_of_an_envelope(void **state)
{
	struct fixture *f = *state;
	parse_object(f, "{\"timestamp\":\"2011-06-24T12:00:00Z\",\"logger\":\"a\",\"type\":\"b\",\"severity\":3,\"payload\":\"c\",\"fields\":{\"d\":1},"
		"\"env_version\":\"0.8\",\"metlog_pid\":1,\"metlog_hostname\":\"h\",\"x\":1}");
	const struct envelope *e = &f->envelope;
	const struct value all[] = { e->timestamp, e->logger, e->type, e->payload, e->fields, e->env_version, e->metlog_pid, e->metlog_hostname };
	for (size_t i = 0; i < 8; i++) {
		assert_value(all[i], VALUE_ABSENT, "");
		assert_true(all[i].text.data >= e->line.data && all[i].text.data <= e->line.data + e->line.length);
	}
	assert_false(e->has_severity);
	assert_false(e->has_others);
	assert_int_equal(e->severity, ENVELOPE_SEVERITY_DEFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_object_is_walked_as_an_object),
		cmocka_unit_test(an_object_has_no_member_of_an_envelope),
	};
	return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
