/* test_envelope - every rule of a good envelope, kept and broken, with the reason and the column that are told. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"

static enum envelope_verdict parse(struct fixture *f, struct span line)
{
	f->fault = (struct envelope_fault){ "", 0 };
	return envelope_parse_copy(&f->envelope, &f->scan, &f->copy, line, &f->fault);
}

/* What every line must be as an object of JSON, seen from what it is as an envelope: the line still lies in the fixture. */
static void expect_object(struct fixture *f, bool good)
{
	static const char *const envelope_rules[] = { "repeated", "is not a string", "fields is not an object", "severity is not", "env_version is not" };
	struct span line = { f->copy.data, f->copy.length - SCAN_PADDING - 1 };
	struct envelope_fault wanted = f->fault, fault = { "", 0 };
	struct envelope e;
	struct value object;
	for (size_t i = 0; !good && i < sizeof envelope_rules / sizeof *envelope_rules; i++) good = strstr(wanted.reason, envelope_rules[i]);
	if (strcmp(wanted.reason, "newline inside") == 0) return; /* the scan has taken less than the line */
	if (envelope_parse_object(&e, &object, &f->scan, line, &fault) != (good ? ENVELOPE_GOOD : ENVELOPE_BAD))
		fail_msg("as an object: %s at column %zu: %.*s", good ? fault.reason : "taken", fault.column, (int)line.length, line.data);
	if (!good && (strcmp(fault.reason, wanted.reason) != 0 || fault.column != wanted.column))
		fail_msg("as an object: \"%s\" at column %zu, not \"%s\" at %zu: %.*s", fault.reason, fault.column, wanted.reason, wanted.column, (int)line.length, line.data);
	if (!good) return;
	assert_true(span_equal(e.line, line));
	assert_true(span_equal(object.text, span_trim(line)));
}

static void expect_good_span(void **state, struct span line)
{
	struct fixture *f = *state;
	for (const struct scan_kernel *const *kernel = scan_kernels(); *kernel; kernel++) {
		f->scan.kernel = *kernel;
		if (parse(f, line) != ENVELOPE_GOOD)
			fail_msg("%s: refused (%s, column %zu): %.*s", (*kernel)->name, f->fault.reason, f->fault.column, (int)line.length, line.data);
		assert_true(span_equal(f->envelope.line, line));
		expect_object(f, true);
	}
}

static void expect_good(void **state, const char *line) { expect_good_span(state, span_of(line)); }

static void expect_bad_span(void **state, struct span line, size_t column, const char *reason)
{
	struct fixture *f = *state;
	for (const struct scan_kernel *const *kernel = scan_kernels(); *kernel; kernel++) {
		f->scan.kernel = *kernel;
		if (parse(f, line) != ENVELOPE_BAD) fail_msg("%s: taken: %.*s", (*kernel)->name, (int)line.length, line.data);
		if (strcmp(f->fault.reason, reason) != 0 || f->fault.column != column)
			fail_msg("%s: \"%s\" at column %zu, not \"%s\" at %zu: %.*s", (*kernel)->name, f->fault.reason, f->fault.column, reason, column, (int)line.length, line.data);
		expect_object(f, false);
	}
}

static void expect_bad(void **state, const char *line, size_t column, const char *reason) { expect_bad_span(state, span_of(line), column, reason); }

/* --- the view --- */

static void assert_value(struct value value, enum value_kind kind, const char *text)
{
	assert_int_equal(value.kind, kind);
	if (!span_equal(value.text, span_of(text))) fail_msg("\"%.*s\", not \"%s\"", (int)value.text.length, value.text.data, text);
}

static void the_seven_members_are_shown(void **state)
{
	struct fixture *f = *state;
	expect_good(state, "{\"timestamp\":\"2011-06-24T12:00:00Z\", \"logger\" : \"shop\",\"type\":\"counter\",\"severity\":3,\"payload\":\"a\\\"b\","
	                   "\"fields\": { \"a\" : [ 1 ] } ,\"env_version\":\"0.8\",\"metlog_pid\":7}");
	const struct envelope *e = &f->envelope;
	assert_value(e->timestamp, VALUE_STRING, "2011-06-24T12:00:00Z");
	assert_value(e->logger, VALUE_STRING, "shop");
	assert_value(e->type, VALUE_STRING, "counter");
	assert_value(e->payload, VALUE_STRING, "a\\\"b");
	assert_value(e->fields, VALUE_OBJECT, "{ \"a\" : [ 1 ] }");
	assert_value(e->env_version, VALUE_STRING, "0.8");
	assert_true(e->payload.escaped);
	assert_false(e->logger.escaped);
	assert_true(e->has_severity);
	assert_int_equal(e->severity, 3);
}

static void absent_members_have_their_defaults(void **state)
{
	struct fixture *f = *state;
	expect_good(state, "{}");
	const struct envelope *e = &f->envelope;
	const struct value all[] = { e->timestamp, e->logger, e->type, e->payload, e->fields, e->env_version };
	for (size_t i = 0; i < 6; i++) assert_value(all[i], VALUE_ABSENT, "");
	assert_false(e->has_severity);
	assert_int_equal(e->severity, ENVELOPE_SEVERITY_DEFAULT);
}

static void nothing_stays_of_the_line_before(void **state)
{
	struct fixture *f = *state;
	expect_good(state, "{\"type\":\"a\\n\",\"severity\":1,\"payload\":\"x\"}");
	expect_good(state, "{\"logger\":\"x\"}");
	assert_value(f->envelope.type, VALUE_ABSENT, "");
	assert_value(f->envelope.payload, VALUE_ABSENT, "");
	assert_false(f->envelope.type.escaped);
	assert_false(f->envelope.has_severity);
}

static void payload_is_any_value(void **state)
{
	struct fixture *f = *state;
	static const struct { const char *text; enum value_kind kind; } rows[] = {
		{ "12", VALUE_NUMBER }, { "-1.5e3", VALUE_NUMBER }, { "true", VALUE_TRUE }, { "false", VALUE_FALSE }, { "null", VALUE_NULL },
		{ "[1,[2]]", VALUE_ARRAY }, { "{\"a\":{}}", VALUE_OBJECT },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char line[100];
		snprintf(line, sizeof line, "{\"payload\": %s }", rows[i].text);
		expect_good(state, line);
		assert_value(f->envelope.payload, rows[i].kind, rows[i].text);
	}
}

/* --- the types of the seven --- */

static void each_member_has_its_type(void **state)
{
	static const char *const strings[] = { "timestamp", "logger", "type" };
	static const char *const wrong[] = { "1", "null", "true", "[]", "{}" };
	char line[100], reason[100];
	for (size_t i = 0; i < 3; i++)
		for (size_t w = 0; w < 5; w++) {
			snprintf(line, sizeof line, "{\"%s\":%s}", strings[i], wrong[w]);
			snprintf(reason, sizeof reason, "%s is not a string", strings[i]);
			expect_bad(state, line, 2, reason);
		}
	expect_bad(state, "{\"payload\":1, \"fields\":[]}", 15, "fields is not an object");
	expect_bad(state, "{\"fields\":\"\"}", 2, "fields is not an object");
	expect_bad(state, "{\"fields\":null}", 2, "fields is not an object");
}

static void severity_is_an_integer_from_0_to_7(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = { "8", "9", "10", "-1", "-0", "1.0", "1e0", "0.5", "\"3\"", "null", "true", "[3]", "{}", "99999999999999999999" };
	char line[100];
	for (int i = 0; i < 8; i++) {
		snprintf(line, sizeof line, "{\"severity\": %d }", i);
		expect_good(state, line);
		assert_int_equal(f->envelope.severity, i);
		assert_true(f->envelope.has_severity);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(line, sizeof line, "{\"severity\":%s}", bad[i]);
		expect_bad(state, line, 2, "severity is not an integer from 0 to 7");
	}
}

static void env_version_is_0_8(void **state)
{
	static const char *const bad[] = { "\"0.9\"", "\"0.80\"", "\"\"", "\"0.8 \"", "\"0\\u002f8\"", "\"0.8\\u0000\"", "\"\\u0030\\u002e\\u0038\\u0038\"" };
	char line[100];
	expect_good(state, "{\"env_version\":\"0.8\"}");
	expect_good(state, "{\"env_version\":\"0\\u002e8\"}");
	expect_good(state, "{\"env_version\":\"\\u0030\\u002E\\u0038\"}");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(line, sizeof line, "{\"env_version\":%s}", bad[i]);
		expect_bad(state, line, 2, "env_version is not \"0.8\"");
	}
	expect_bad(state, "{\"env_version\":0.8}", 2, "env_version is not a string");
	expect_bad(state, "{\"env_version\":null}", 2, "env_version is not a string");
}

/* --- repeated members --- */

static const struct { const char *name, *escaped, *value; } seven[] = {
	{ "timestamp", "\\u0074imestamp", "\"\"" }, { "logger", "logge\\u0072", "\"\"" }, { "type", "t\\u0079pe", "\"\"" }, { "severity", "s\\u0065verity", "1" },
	{ "payload", "p\\u0061yload", "1" }, { "fields", "\\u0066\\u0069\\u0065\\u006c\\u0064\\u0073", "{}" },
	{ "env_version", "\\u0065\\u006e\\u0076\\u005f\\u0076\\u0065\\u0072\\u0073\\u0069\\u006F\\u006E", "\"0.8\"" },
};

static void none_of_the_seven_is_repeated(void **state)
{
	char line[300], reason[100];
	for (size_t i = 0; i < 7; i++) {
		const char *name = seven[i].name, *escaped = seven[i].escaped, *value = seven[i].value;
		snprintf(reason, sizeof reason, "%s is repeated", name);
		snprintf(line, sizeof line, "{\"%s\":%s,\"x\":1,\"%s\":%s}", name, value, name, value);
		expect_bad(state, line, strlen(name) + strlen(value) + 5 + 7, reason);
		snprintf(line, sizeof line, "{\"%s\":%s,\"%s\":%s}", name, value, escaped, value);
		expect_bad(state, line, strlen(name) + strlen(value) + 6, reason);
		snprintf(line, sizeof line, "{\"%s\":%s,\"%s\":%s}", escaped, value, name, value);
		expect_bad(state, line, strlen(escaped) + strlen(value) + 6, reason);
		snprintf(line, sizeof line, "{\"%s\":%s,\"%s\":%s}", escaped, value, escaped, value);
		expect_bad(state, line, strlen(escaped) + strlen(value) + 6, reason);
	}
}

static void names_spelled_with_escapes_are_members(void **state)
{
	struct fixture *f = *state;
	expect_good(state, "{\"t\\u0079pe\":\"a\",\"\\u0066ields\":{\"b\":1},\"sev\\u0065rity\":2}");
	assert_value(f->envelope.type, VALUE_STRING, "a");
	assert_value(f->envelope.fields, VALUE_OBJECT, "{\"b\":1}");
	assert_int_equal(f->envelope.severity, 2);
	expect_bad(state, "{\"s\\u0065verity\":8}", 2, "severity is not an integer from 0 to 7");
}

static void other_names_may_be_repeated_and_look_alike(void **state)
{
	struct fixture *f = *state;
	expect_good(state, "{\"x\":1,\"x\":2,\"fields\":{\"type\":1,\"type\":2,\"fields\":1,\"fields\":2}}");
	expect_good(state, "{\"Type\":1,\"type \":2,\"type\\u0000\":3,\"typ\":4,\"types\":5,\"severitx\":9,\"\":6,\"\":7}");
	assert_value(f->envelope.type, VALUE_ABSENT, "");
	expect_good(state, "{\"payload\":{\"severity\":99,\"env_version\":1},\"o\":[{\"type\":1}]}");
	assert_false(f->envelope.has_severity);
	char longest[4096] = "{\"";
	for (int i = 0; i < 600; i++) memcpy(longest + 2 + 6 * i, "\\u0061", 6);
	memcpy(longest + 2 + 3600, "\":1}", 5);
	expect_good(state, longest);
}

/* --- depth --- */

static char *nested(unsigned containers, bool objects, bool open_only)
{
	static char line[4096];
	size_t at = (size_t)snprintf(line, sizeof line, "{\"payload\":");
	for (unsigned i = 1; i < containers; i++) at += (size_t)snprintf(line + at, 10, objects && i % 2 ? "{\"a\":" : "[");
	if (open_only) return line;
	if (objects && (containers - 1) % 2) line[at++] = '1';
	for (unsigned i = containers - 1; i > 0; i--) at += (size_t)snprintf(line + at, 10, objects && i % 2 ? "}" : "]");
	snprintf(line + at, 10, "}");
	return line;
}

static void containers_nest_64_deep_and_no_deeper(void **state)
{
	expect_good(state, nested(64, false, false));
	expect_good(state, nested(64, true, false));
	expect_bad(state, nested(65, false, false), 12 + 63, "nested deeper than 64");
	expect_bad(state, nested(65, true, false), 12 + 32 * 5 + 31, "nested deeper than 64");
	expect_bad(state, nested(600, false, true), 12 + 63, "nested deeper than 64");
	expect_bad(state, nested(64, false, true), 12 + 63, "expected a value");
}

static void brackets_match_at_every_depth(void **state)
{
	for (unsigned containers = 2; containers <= 64; containers++) {
		char *line = nested(containers, true, false);
		for (size_t i = strlen(line) - containers; line[i]; i++) {
			char was = line[i];
			if (was != '}' && was != ']') continue;
			line[i] = was == '}' ? ']' : '}';
			bool is_empty = line[i - 1] == '[';
			expect_bad(state, line, i + 1, is_empty ? "expected a value" : was == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
			line[i] = was;
		}
	}
}

/* --- grammar --- */

static void numbers_follow_the_grammar(void **state)
{
	static const char *const good[] = { "0", "-0", "1", "10", "1234567890123456789012345678901234567890", "0.0", "-0.0", "1.5", "-1.50", "1e1", "1E1", "1e+1", "1e-1",
		                            "0e0", "-0.1e-10", "1e400", "-1e400", "1e-999", "0.00000000000000000000000000000000000000001" };
	static const char *const bad[] = { "-", "+1", "01", "-01", "00", "1.", ".5", "-.5", "1.e1", "1e", "1e+", "1E-", "1e1.5", "1.2.3", "0x10", "1_000", "--1", "1-", "1a",
		                           "NaN", "Infinity", "-Infinity", "-NaN", "nan", "inf", "1e1e1", "0e", "1+1", "1f", "\xc2\xb2" };
	char line[100];
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		snprintf(line, sizeof line, "{\"fields\":{\"n\":%s}}", good[i]);
		expect_good(state, line);
		snprintf(line, sizeof line, "{\"a\":[ %s , %s\t]}", good[i], good[i]);
		expect_good(state, line);
		snprintf(line, sizeof line, "{\"payload\":%s\r}", good[i]);
		expect_good(state, line);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(line, sizeof line, "{\"fields\":{\"n\":%s}}", bad[i]);
		expect_bad(state, line, 16, "expected a value");
		snprintf(line, sizeof line, "{\"n\":%s}", bad[i]);
		expect_bad(state, line, 6, "expected a value");
	}
}

static void words_are_spelled_out(void **state)
{
	static const char *const bad[] = { "tru", "truee", "True", "TRUE", "t", "nul", "nulll", "Null", "n", "fals", "falsee", "false1", "f", "undefined", "None", "true\"\"",
		                           "'a'", "a", "/", "\\", "\\\"a\\\"", "true\\\"" };
	char line[100];
	expect_good(state, "{\"a\":true,\"b\":false,\"c\":null,\"d\":[true,false,null]}");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct fixture *f = *state;
		snprintf(line, sizeof line, "{\"n\":[%s]}", bad[i]);
		if (parse(f, span_of(line)) != ENVELOPE_BAD) fail_msg("taken: %s", line);
	}
	expect_bad(state, "{\"n\":[tru]}", 7, "expected a value");
	expect_bad(state, "{\"n\":tru}", 6, "expected a value");
}

static void the_structure_is_checked(void **state)
{
	static const struct { const char *line; size_t column; const char *reason; } rows[] = {
		{ "[]", 1, "not a JSON object" }, { "\"a\"", 1, "not a JSON object" }, { "12", 1, "not a JSON object" }, { "null", 1, "not a JSON object" },
		{ "}", 1, "not a JSON object" }, { " x", 2, "not a JSON object" }, { "hello world", 1, "not a JSON object" }, { "{", 2, "expected a name in double quotes" },
		{ "{\"a\"", 5, "expected ':'" }, { "{\"a\":", 6, "expected a value" }, { "{\"a\":1", 7, "expected ',' or '}'" }, { "{\"a\":1,", 8, "expected a name in double quotes" },
		{ "{\"a\":1,}", 8, "expected a name in double quotes" }, { "{,}", 2, "expected a name in double quotes" }, { "{\"a\" 1}", 6, "expected ':'" },
		{ "{\"a\":,}", 6, "expected a value" }, { "{\"a\":1 \"b\":2}", 8, "expected ',' or '}'" }, { "{\"a\":1 2}", 8, "expected ',' or '}'" },
		{ "{a:1}", 2, "expected a name in double quotes" }, { "{1:1}", 2, "expected a name in double quotes" }, { "{\"a\":1]", 7, "expected ',' or '}'" },
		{ "{\"a\":[1,]}", 9, "expected a value" }, { "{\"a\":[,1]}", 7, "expected a value" }, { "{\"a\":[1 2]}", 9, "expected ',' or ']'" },
		{ "{\"a\":[1}}", 8, "expected ',' or ']'" }, { "{\"a\":[\"x\":1]}", 10, "expected ',' or ']'" }, { "{\"a\":{1}}", 7, "expected a name in double quotes" },
		{ "{\"a\":{\"b\"}}", 10, "expected ':'" }, { "{\"a\":{\"b\":1,}}", 13, "expected a name in double quotes" }, { "{\"a\":{\"b\":}}", 11, "expected a value" },
		{ "{\"a\":[", 7, "expected a value" }, { "{\"a\":[1", 8, "expected ',' or ']'" }, { "{\"a\":{", 7, "expected a name in double quotes" },
		{ "{\"a\":{\"b\"", 10, "expected ':'" }, { "{\"a\":{\"b\":", 11, "expected a value" }, { "{\"a\":{\"b\":1", 12, "expected ',' or '}'" },
		{ "{\"a\"::1}", 6, "expected a value" }, { "{\"a\":1,,\"b\":2}", 8, "expected a name in double quotes" }, { "{{}}", 2, "expected a name in double quotes" },
		{ "{}{}", 3, "more behind the object" }, { "{} x", 4, "more behind the object" }, { "{}}", 3, "more behind the object" }, { "{\"a\":1}]", 8, "more behind the object" },
		{ "{},", 3, "more behind the object" }, { "{}\"\"", 3, "more behind the object" }, { "{}//", 3, "more behind the object" }, { "/* */{}", 1, "not a JSON object" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) expect_bad(state, rows[i].line, rows[i].column, rows[i].reason);
}

static void blanks_may_stand_between_all_tokens(void **state)
{
	struct fixture *f = *state;
	expect_good(state, " \t\r{ \t\"payload\"\r :\t { \"a\" : [ ] , \"b\" : [ 1 ,\ttrue ] } , \"severity\" :\t5\r} \t\r");
	assert_value(f->envelope.payload, VALUE_OBJECT, "{ \"a\" : [ ] , \"b\" : [ 1 ,\ttrue ] }");
	assert_int_equal(f->envelope.severity, 5);
	expect_good(state, "{}\r");
	expect_bad(state, "{\"a\":1\v}", 7, "control character");
	expect_bad(state, "{\"a\":\f1}", 6, "control character");
	expect_bad(state, "{\"a\":1\xc2\xa0}", 6, "expected a value");
}

static void a_blank_line_is_no_envelope(void **state)
{
	struct fixture *f = *state;
	static const char *const blank[] = { "", " ", "\t", "\r", "  \t \r", "\n", "\r\n", "                                                                      " };
	for (size_t i = 0; i < sizeof blank / sizeof *blank; i++) {
		struct value object;
		assert_int_equal(parse(f, span_of(blank[i])), ENVELOPE_BLANK);
		assert_int_equal(envelope_parse_object(&f->envelope, &object, &f->scan, f->envelope.line, &f->fault), ENVELOPE_BLANK);
	}
}

static void a_newline_may_end_the_line_but_not_stand_inside(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(parse(f, SPAN("{\"a\":1}\n")), ENVELOPE_GOOD);
	assert_true(span_equal(f->envelope.line, SPAN("{\"a\":1}")));
	assert_int_equal(parse(f, SPAN("{\"a\":1}\r\n")), ENVELOPE_GOOD);
	assert_true(span_equal(f->envelope.line, SPAN("{\"a\":1}\r")));
	expect_bad(state, "{\"a\":\n1}", 6, "newline inside");
	expect_bad(state, "{}\n{}", 3, "newline inside");
}

/* --- strings and bytes --- */

static void every_escape_of_json_is_taken_and_no_other(void **state)
{
	char line[64];
	expect_good(state, "{\"payload\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uABCD\\u0000\\ud800\\udc00\\ud83d\\ude00\",\"\\u0000\":\"\\ud800\"}");
	for (int c = 1; c < 256; c++) {
		if (c == '\n') continue;
		snprintf(line, sizeof line, "{\"payload\":\"abc\\%c0000\"}", c);
		if (strchr("\"\\/bfnrtu", c)) {
			if (c != '"') expect_good(state, line);
			continue;
		}
		expect_bad(state, line, c >= 0x80 ? 17 : c < 0x20 ? 17 : 16, c >= 0x80 ? "not valid UTF-8" : c < 0x20 ? "control character" : "bad escape in a string");
	}
	static const char *const bad[] = { "\\u", "\\u0", "\\u00", "\\u000", "\\u000g", "\\ug000", "\\u 000", "\\u-123", "\\x41", "\\u{41}", "\\'", "\\0" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(line, sizeof line, "{\"fields\":{\"%s\":1}}", bad[i]);
		expect_bad(state, line, 13, "bad escape in a string");
	}
}

static void an_open_string_is_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const open[] = { "{\"a", "{\"a\":\"b}", "{\"a\":\"b\\\"}", "{\"a\":\"\\\\\\\"}", "\"", "{\"a\":1}\"" };
	for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
		assert_int_equal(parse(f, span_of(open[i])), ENVELOPE_BAD);
		assert_string_equal(f->fault.reason, "string is not closed");
	}
	assert_int_equal(parse(f, SPAN("{\"a\":\"\\")), ENVELOPE_BAD);
}

static void control_characters_are_refused(void **state)
{
	char line[64];
	for (int c = 1; c < 0x20; c++) {
		if (c == '\n') continue;
		snprintf(line, sizeof line, "{\"payload\":\"abc%cdef\"}", c);
		expect_bad(state, line, 16, "control character");
		snprintf(line, sizeof line, "{\"a\\\"%cb\":1}", c);
		expect_bad(state, line, 6, "control character");
		if (strchr("\t\r", c)) continue;
		snprintf(line, sizeof line, "{\"a\":1%c}", c);
		expect_bad(state, line, 7, "control character");
		snprintf(line, sizeof line, "%c", c);
		expect_bad(state, line, 1, "control character");
	}
	expect_good(state, "{\"payload\":\"\x7f\xc2\x80\xe2\x80\xa8\"}"); /* DEL, C1 and U+2028 are text in JSON */
}

static void a_nul_byte_is_refused_wherever_it_stands(void **state)
{
	struct fixture *f = *state;
	static const char line[] = "{\"payload\":\"abc\",\"a\": [1 , 2]}";
	for (size_t at = 0; at < sizeof line; at++) {
		char with[sizeof line + 1];
		memcpy(with, line, at);
		with[at] = '\0';
		memcpy(with + at + 1, line + at, sizeof line - 1 - at);
		assert_int_equal(parse(f, (struct span){ with, sizeof line }), ENVELOPE_BAD);
		expect_bad_span(state, (struct span){ with, sizeof line }, at + 1, "NUL byte");
	}
}

static void text_is_utf8_everywhere(void **state)
{
	expect_good(state, "{\"\xc3\xa9\":\"\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf\"}");
	expect_bad(state, "{\"payload\":\"abc\xff\"}", 16, "not valid UTF-8");
	expect_bad(state, "{\"payload\":\"abc\xc3\"}", 16, "not valid UTF-8");
	expect_bad(state, "{\"payload\":\"\xc3\xa9\xed\xa0\x80\"}", 15, "not valid UTF-8");
	expect_bad(state, "{\"\xc0\x80\":1}", 3, "not valid UTF-8");
	expect_bad(state, "{} \xf4\x90\x80\x80", 4, "not valid UTF-8");
	expect_bad(state, "{}\xe2\x82", 3, "not valid UTF-8");
	expect_bad(state, "\xff\xfe{\"a\":1}", 1, "not valid UTF-8");
}

static void a_byte_order_mark_is_refused(void **state)
{
	expect_bad(state, "\xef\xbb\xbf{\"a\":1}", 1, "byte order mark");
	expect_bad(state, "\xef\xbb\xbf", 1, "byte order mark");
	expect_bad(state, " \xef\xbb\xbf{}", 2, "not a JSON object");
	expect_good(state, "{\"a\":\"\xef\xbb\xbf\"}");
}

static void long_lines_are_good_lines(void **state)
{
	size_t length = 1 << 20;
	char *line = malloc(length);
	assert_non_null(line);
	memset(line, 'x', length);
	memcpy(line, "{\"payload\":\"", 12);
	memcpy(line + length - 2, "\"}", 2);
	expect_good_span(state, (struct span){ line, length });
	for (size_t i = 6; i < length - 4; i += 4) memcpy(line + i, "[],{", 4);
	memcpy(line, "{\"a\":[", 6);
	for (size_t i = 6; i + 3 <= length - 2; i += 3) memcpy(line + i, "[],", 3);
	for (size_t i = length - 2; line[i - 1] != ']'; i--) line[i - 1] = ' ';
	memcpy(line + length - 2, "]}", 2);
	expect_good_span(state, (struct span){ line, length });
	line[length - 3] = '[';
	struct fixture *f = *state;
	assert_int_equal(parse(f, (struct span){ line, length }), ENVELOPE_BAD);
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_seven_members_are_shown),
		cmocka_unit_test(absent_members_have_their_defaults),
		cmocka_unit_test(nothing_stays_of_the_line_before),
		cmocka_unit_test(payload_is_any_value),
		cmocka_unit_test(each_member_has_its_type),
		cmocka_unit_test(severity_is_an_integer_from_0_to_7),
		cmocka_unit_test(env_version_is_0_8),
		cmocka_unit_test(none_of_the_seven_is_repeated),
		cmocka_unit_test(names_spelled_with_escapes_are_members),
		cmocka_unit_test(other_names_may_be_repeated_and_look_alike),
		cmocka_unit_test(containers_nest_64_deep_and_no_deeper),
		cmocka_unit_test(brackets_match_at_every_depth),
		cmocka_unit_test(numbers_follow_the_grammar),
		cmocka_unit_test(words_are_spelled_out),
		cmocka_unit_test(the_structure_is_checked),
		cmocka_unit_test(blanks_may_stand_between_all_tokens),
		cmocka_unit_test(a_blank_line_is_no_envelope),
		cmocka_unit_test(a_newline_may_end_the_line_but_not_stand_inside),
		cmocka_unit_test(every_escape_of_json_is_taken_and_no_other),
		cmocka_unit_test(an_open_string_is_refused),
		cmocka_unit_test(control_characters_are_refused),
		cmocka_unit_test(a_nul_byte_is_refused_wherever_it_stands),
		cmocka_unit_test(text_is_utf8_everywhere),
		cmocka_unit_test(a_byte_order_mark_is_refused),
		cmocka_unit_test(long_lines_are_good_lines),
	};
	return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
