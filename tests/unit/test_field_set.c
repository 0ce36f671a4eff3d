/* test_field_set - many fields in one walk: the same values as one by one, whatever the envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "envelope/field_set.h"
#include "envelope/match.h"
#include "fixture.h"

static const char *const paths[] = {
	"fields.a", "fields.b", "fields.a.b", "fields.a.b.c", "fields.a.0", "fields.a.1.b", "fields.b.a.0.c", "fields.0", "fields.0.a", "fields.abcdefgh", "fields.abcdefgh.a", "fields.abcdefghabcdefgh",
	"fields.abcdefghXabcdefgh", "fields.abcdefghYabcdefgh", "fields.abcdefghYabcdefgh.b", "fields.\xc3\xa9", "fields.\xc3\xa9.a", "fields.a b", "fields.a..b", "fields.a\\b", "fields.a\"", "fields.nowhere", "fields",
	"payload", "payload.a", "payload.a.b", "metlog_pid", "a", "a.b", "type", "severity", "fieldsx.a",
};
enum { PATHS = sizeof paths / sizeof *paths };

/* Keys as they may stand in a line: the names above, plain and with escapes, and what differs from them by a byte. */
static const char *const keys[] = {
	"a", "b", "c", "0", "1", "a.b", "a.b.c", "b.c", "0.a", "abcdefgh", "abcdefgh.a", "abcdefghabcdefgh", "abcdefghXabcdefgh", "abcdefghYabcdefgh", "abcdefghZabcdefgh", "\xc3\xa9", "\\u00e9", "a b", "a\\u0020b",
	"\\u0061", "\\u0061.\\u0062", "a\\u002eb", "a\\\\b", "a\\b", "a\\\"", "", "aa", "a\\u0000", "abcdefg", "abcdefghi", "a..b", "a.", ".b", "\\u0061bcdefghXabcdefg\\u0068", "\\ud83d\\ude00", "nowherf",
	"abcdefghabcdefghabcdefghabcdefghabcdefghabcdefghabcdefgh\\u0061",
};

static uint32_t draw(uint64_t *seed, uint32_t below)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((*seed >> 33) % below);
}

static void append_value(struct buffer *line, uint64_t *seed, int depth);

static void append_object(struct buffer *line, uint64_t *seed, int depth)
{
	uint32_t pairs = draw(seed, depth ? 12 : 4);
	buffer_append_text(line, draw(seed, 4) ? "{" : "{ ");
	for (uint32_t i = 0; i < pairs; i++) {
		if (i) buffer_append_text(line, draw(seed, 4) ? "," : " , ");
		buffer_append_text(line, "\"");
		buffer_append_text(line, keys[draw(seed, sizeof keys / sizeof *keys)]);
		buffer_append_text(line, draw(seed, 4) ? "\":" : "\" : ");
		append_value(line, seed, depth);
	}
	buffer_append_text(line, "}");
}

static void append_value(struct buffer *line, uint64_t *seed, int depth)
{
	static const char *const scalars[] = { "1", "-2.5e3", "true", "false", "null", "\"\"", "\"text\"", "\"esc\\\"\\n\"", "12345678901234567890", "[]", "{}", "[[],{}]" };
	uint32_t kind = draw(seed, 5);
	if (depth > 0 && kind == 0) {
		append_object(line, seed, depth - 1);
	} else if (depth > 0 && kind == 1) {
		uint32_t elements = draw(seed, 4);
		buffer_append_text(line, "[");
		for (uint32_t i = 0; i < elements; i++) {
			if (i) buffer_append_text(line, ",");
			append_value(line, seed, depth - 1);
		}
		buffer_append_text(line, "]");
	} else {
		buffer_append_text(line, scalars[draw(seed, sizeof scalars / sizeof *scalars)]);
	}
}

static void append_line(struct buffer *line, uint64_t *seed)
{
	buffer_clear(line);
	buffer_append_text(line, "{\"type\":\"x\",\"fields.a\":1,\"a\":");
	append_value(line, seed, 2);
	if (draw(seed, 3)) {
		buffer_append_text(line, ",\"payload\":");
		append_value(line, seed, 2);
	}
	if (draw(seed, 8)) {
		buffer_append_text(line, ",\"fields\":");
		append_object(line, seed, 3);
	}
	buffer_append_text(line, draw(seed, 2) ? ",\"metlog_pid\":7,\"fieldsx\":{\"a\":2}}" : "}");
}

/* What the header says a path means. */
static struct value find(const struct envelope *e, const char *text)
{
	struct field_path path;
	bool is_field = strncmp(text, "fields.", 7) == 0;
	assert_true(field_path_init_key(&path, span_of(is_field ? text + 7 : text)));
	return is_field ? field_find_in(e, e->fields, &path) : field_find(e, &path);
}

static void assert_same(const struct value *value, struct value wanted, const char *path, struct span line)
{
	if (value->kind != wanted.kind || value->text.length != wanted.text.length || (wanted.kind != VALUE_ABSENT && (value->text.data != wanted.text.data || value->first != wanted.first || value->escaped != wanted.escaped)))
		fail_msg("%s is \"%.*s\", not \"%.*s\": %.*s", path, (int)value->text.length, value->text.data, (int)wanted.text.length, wanted.text.data, (int)line.length, line.data);
}

static void every_path_has_the_value_that_it_has_by_itself(void **state)
{
	struct fixture *f = *state;
	struct field_set *set = field_set_new();
	uint32_t number[PATHS];
	uint64_t seed = 8;
	size_t found = 0;
	struct buffer line;
	buffer_init(&line, 1 << 20);
	for (size_t i = 0; i < PATHS; i++) assert_true(field_set_add(set, span_of(paths[i]), &number[i]));
	for (int round = 0; round < 20000; round++) {
		append_line(&line, &seed);
		if (envelope_parse_copy(&f->envelope, &f->scan, &f->copy, buffer_span(&line), &f->fault) != ENVELOPE_GOOD) fail_msg("%s: %s", f->fault.reason, buffer_text(&line));
		field_set_walk(set, &f->envelope);
		uint32_t some = draw(&seed, PATHS); /* not all of them are asked for, and not in order */
		for (uint32_t i = 0; i < PATHS; i++) {
			uint32_t which = (i * 7 + some) % PATHS;
			if (draw(&seed, 4) == 0) continue;
			struct value wanted = find(&f->envelope, paths[which]);
			assert_same(field_set_value(set, number[which]), wanted, paths[which], f->envelope.line);
			found += wanted.kind != VALUE_ABSENT;
		}
	}
	assert_true(found > 100000);
	buffer_release(&line);
	field_set_free(set);
}

static void parse(struct fixture *f, const char *line)
{
	if (envelope_parse_copy(&f->envelope, &f->scan, &f->copy, span_of(line), &f->fault) != ENVELOPE_GOOD) fail_msg("%s: %s", f->fault.reason, line);
}

static void the_same_path_has_the_same_number(void **state)
{
	(void)state;
	struct field_set *set = field_set_new();
	uint32_t a, b, again;
	assert_true(field_set_add(set, SPAN("fields.a"), &a));
	assert_true(field_set_add(set, SPAN("fields.b"), &b));
	assert_true(field_set_add(set, SPAN("fields.a"), &again));
	assert_int_equal(a, again);
	assert_int_not_equal(a, b);
	field_set_free(set);
}

static void what_is_no_path_is_not_added(void **state)
{
	(void)state;
	struct field_set *set = field_set_new();
	uint32_t number;
	assert_false(field_set_add(set, SPAN(""), &number));
	assert_false(field_set_add(set, SPAN("fields."), &number));
	assert_false(field_set_add(set, SPAN("fields.1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17"), &number));
	assert_true(field_set_add(set, SPAN("fields.1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16"), &number));
	field_set_free(set);
	field_set_free(NULL);
}

/* As many as there may be, most of them with names of which the first and the last bytes are alike. */
static void thousands_of_paths_are_found(void **state)
{
	struct fixture *f = *state;
	struct field_set *set = field_set_new();
	struct buffer line;
	char path[100];
	uint32_t number;
	buffer_init(&line, 1 << 20);
	buffer_append_text(&line, "{\"fields\":{\"x\":0");
	for (int i = 0; i < FIELD_SET_MAX; i++) {
		snprintf(path, sizeof path, i % 4 ? "fields.abcdefgh_%d_abcdefgh" : "fields.%d", i);
		assert_true(field_set_add(set, span_of(path), &number));
		assert_int_equal(number, i);
		buffer_append_text(&line, ",\"");
		buffer_append_text(&line, path + strlen("fields."));
		buffer_append_text(&line, "\":");
		buffer_append_int(&line, i);
	}
	assert_false(field_set_add(set, SPAN("fields.one_more"), &number));
	buffer_append_text(&line, "}}");
	parse(f, buffer_text(&line));
	field_set_walk(set, &f->envelope);
	for (uint32_t i = 0; i < FIELD_SET_MAX; i++) {
		char wanted[20];
		snprintf(wanted, sizeof wanted, "%u", i);
		assert_true(span_equal(field_set_value(set, i)->text, span_of(wanted)));
	}
	buffer_release(&line);
	field_set_free(set);
}

static void a_path_may_be_added_between_two_envelopes(void **state)
{
	struct fixture *f = *state;
	struct field_set *set = field_set_new();
	uint32_t a, b;
	assert_true(field_set_add(set, SPAN("fields.a"), &a));
	parse(f, "{\"fields\":{\"a\":1,\"b\":2}}");
	field_set_walk(set, &f->envelope);
	assert_true(span_equal(field_set_value(set, a)->text, SPAN("1")));
	assert_true(field_set_add(set, SPAN("fields.b"), &b));
	assert_true(span_equal(field_set_value(set, b)->text, SPAN("2")));
	parse(f, "{\"fields\":{\"b\":3}}");
	field_set_walk(set, &f->envelope);
	assert_int_equal(field_set_value(set, a)->kind, VALUE_ABSENT);
	assert_true(span_equal(field_set_value(set, b)->text, SPAN("3")));
	field_set_free(set);
}

/* --- expressions --- */

static void an_expression_answers_the_same_with_a_set(void **state)
{
	struct fixture *f = *state;
	static const char *const expressions[] = {
		"fields.a == 1", "fields.a", "!fields.b", "fields.a.b == NIL", "fields.a == 'text' || fields.b =~ /esc/", "Fields[a][0][1] != NIL", "Fields[a.b] == 1", "payload.a == TRUE", "payload == 'text'", "pid == 7",
		"fields[a..b] == NIL", "fields[a b] == 1 || fields.a[0] == 1", "fields.abcdefgh in (1, 'text')", "fields == NIL", "fields.a == 'esc\"\n' || fields.b == 'esc\"\n'", "type == 'x' && fields.0 == 1",
	};
	enum { COUNT = sizeof expressions / sizeof *expressions };
	struct match *alone[COUNT], *with[COUNT];
	struct match_fault fault;
	struct field_set *set = field_set_new();
	struct buffer line;
	uint64_t seed = 9;
	size_t yes[COUNT] = { 0 };
	buffer_init(&line, 1 << 20);
	for (size_t i = 0; i < COUNT; i++) {
		alone[i] = match_new(span_of(expressions[i]), &fault);
		with[i] = match_new(span_of(expressions[i]), &fault);
		assert_non_null(with[i]);
		assert_true(match_use(with[i], set));
	}
	for (int round = 0; round < 5000; round++) {
		append_line(&line, &seed);
		parse(f, buffer_text(&line));
		field_set_walk(set, &f->envelope);
		for (size_t i = 0; i < COUNT; i++) {
			bool answer = match_eval(alone[i], &f->envelope);
			if (match_eval(with[i], &f->envelope) != answer) fail_msg("%s is %d alone: %s", expressions[i], answer, buffer_text(&line));
			yes[i] += answer;
		}
	}
	for (size_t i = 0; i < COUNT; i++) {
		if (yes[i] == 0 || yes[i] == 5000) fail_msg("%s shows nothing: %zu", expressions[i], yes[i]);
		match_free(alone[i]);
		match_free(with[i]);
	}
	buffer_release(&line);
	field_set_free(set);
}

static void a_set_without_room_is_not_used(void **state)
{
	struct fixture *f = *state;
	struct field_set *set = field_set_new();
	struct match_fault fault;
	char path[40];
	uint32_t number;
	for (int i = 0; i < FIELD_SET_MAX; i++) {
		snprintf(path, sizeof path, "fields.f%d", i);
		assert_true(field_set_add(set, span_of(path), &number));
	}
	struct match *m = match_new(SPAN("fields.f1 == 1 && fields.other == 2"), &fault);
	assert_false(match_use(m, set));
	parse(f, "{\"fields\":{\"f1\":1,\"other\":2}}");
	assert_true(match_eval(m, &f->envelope));
	match_free(m);
	m = match_new(SPAN("fields.f1 == 1 && type == NIL"), &fault);
	assert_true(match_use(m, set));
	field_set_walk(set, &f->envelope);
	assert_true(match_eval(m, &f->envelope));
	match_free(m);
	field_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_path_has_the_value_that_it_has_by_itself),
		cmocka_unit_test(the_same_path_has_the_same_number),
		cmocka_unit_test(what_is_no_path_is_not_added),
		cmocka_unit_test(thousands_of_paths_are_found),
		cmocka_unit_test(a_path_may_be_added_between_two_envelopes),
		cmocka_unit_test(an_expression_answers_the_same_with_a_set),
		cmocka_unit_test(a_set_without_room_is_not_used),
	};
	return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
