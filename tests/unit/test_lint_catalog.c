/* test_lint_catalog - catalogues of metrics: what is read, which mistakes are told and where, and which name is found. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "catalog.h"

static void read_catalog(struct catalog *c, const char *text)
{
	struct logical_fault fault;
	catalog_init(c);
	if (!catalog_add(c, "file", span_of(text), &fault)) fail_msg("%zu:%zu: %s", fault.line, fault.column + 1, fault.reason);
}

static void a_line_goes_on_where_the_next_begins_with_a_blank_or_it_ends_in_a_backslash(void **state)
{
	struct catalog c;
	(void)state;
	read_catalog(&c, "\xef\xbb\xbf# a comment\r\n"
		"tag p = *5 # here too\r\n"
		"\n"
		"counter a.b, c ms \"text # no comment, \\\"quoted\\\"\" tags p,\n"
		"\t# within\n"
		"    q? = x|\"y z\"|/a#b|\\/\"/*7,  # and here\n"
		"# and one at the start\n"
		"  r = *, ...\n"
		"gauge d \\\n"
		"tags p\n"
		"timer e tags p=a|b\n"
		"\n"
		"   set f\n");
	assert_int_equal(c.form_count, 5);
	const struct catalog_form *a = catalog_find(&c, SPAN("a.b"));
	assert_non_null(a);
	assert_ptr_equal(a->line, catalog_find(&c, SPAN("c"))->line);
	assert_int_equal(a->line->number, 4);
	assert_int_equal(a->line->count, 3);
	assert_true(a->line->open);
	assert_int_equal(a->line->tag[0].values->limit, 5);
	assert_true(a->line->tag[0].values->any);
	const struct catalog_tag *q = &a->line->tag[1];
	assert_true(q->optional);
	assert_int_equal(q->values->words.count, 2);
	assert_non_null(table_find(&q->values->words, SPAN("y z")));
	assert_int_equal(q->values->limit, 7);
	assert_true(span_equal(q->values->text, SPAN("x|\"y z\"|/a#b|\\/\"/*7")));
	assert_int_equal(match_regex_find(q->values->pattern, SPAN("a#b")), MATCH_REGEX_FOUND);
	assert_int_equal(match_regex_find(q->values->pattern, SPAN("/\"")), MATCH_REGEX_FOUND);
	assert_int_equal(match_regex_find(q->values->pattern, SPAN("a#bc")), MATCH_REGEX_ABSENT);
	assert_int_equal(match_regex_find(q->values->pattern, SPAN("a#b\n")), MATCH_REGEX_ABSENT);
	assert_int_equal(a->line->tag[2].values->limit, 0);
	assert_int_equal(catalog_find(&c, SPAN("d"))->line->count, 1);
	assert_int_equal(catalog_find(&c, SPAN("e"))->line->tag[0].values->words.count, 2);
	assert_int_equal(catalog_find(&c, SPAN("f"))->line->kind, METRIC_SET);
	catalog_release(&c);
}

static void a_tag_alone_has_the_values_of_the_last_line_above_in_its_file(void **state)
{
	struct catalog c;
	struct logical_fault fault;
	(void)state;
	read_catalog(&c, "tag t = a\ncounter one tags t\ntag t = b|c\ncounter two tags t\nprefix p.\n");
	assert_int_equal(catalog_find(&c, SPAN("one"))->line->tag[0].values->words.count, 1);
	assert_int_equal(catalog_find(&c, SPAN("two"))->line->tag[0].values->words.count, 2);
	assert_true(catalog_add(&c, "next", SPAN("counter three"), &fault));
	assert_non_null(catalog_find(&c, SPAN("three")));
	assert_false(catalog_add(&c, "next", SPAN("counter four tags t"), &fault));
	catalog_release(&c);
}

static void a_mistake_has_its_line_and_column(void **state)
{
	static const struct { const char *text, *wanted; } cases[] = {
		{ "bogus x", "1:1: a line begins with" },
		{ "\"counter\" x", "1:1: a line begins with" },
		{ "counter", "1:8: a name is missing" },
		{ "counter a, ", "1:12: a name is missing" },
		{ "counter a,, b", "1:11: a name is missing" },
		{ "counter \"\"", "1:9: a name is missing" },
		{ "counter a ms \"text\" more", "1:21: expected here: \"tags\"" },
		{ "counter a \"text\" ms tags t = a", "1:18: expected here: \"tags\"" },
		{ "counter a b c", "1:13: expected here: \"tags\"" },
		{ "counter a tags", "1:15: a tag is missing" },
		{ "counter a tags t = a,", "1:22: a tag is missing" },
		{ "counter a tags t", "1:16: which values?" },
		{ "counter a tags t = ", "1:20: a value is missing" },
		{ "counter a tags t = a|", "1:22: a value is missing" },
		{ "counter a tags t = a|b|a", "1:24: this value stands there twice" },
		{ "counter a tags t = a b", "1:22: expected here: a comma" },
		{ "counter a tags t = a, t = b", "1:23: this tag stands there twice" },
		{ "counter a tags ..., t = b", "1:20: \"...\" is the last" },
		{ "counter a tags t = *0", "1:21: how many values is a number" },
		{ "counter a tags t = *1000001", "1:21: how many values is a number" },
		{ "counter a tags t = *x", "1:21: how many values is a number" },
		{ "counter a tags t = *5|*6", "1:23: only one pattern or *" },
		{ "counter a tags t = /a/|*6", "1:24: only one pattern or *" },
		{ "counter a tags t = /a/5", "1:23: expected here: \"|\"" },
		{ "counter a tags t = /a/*", "1:24: how many values" },
		{ "counter a tags t = /a(/", "1:23: " },
		{ "counter a tags t = /a)(b/", "1:22: " },
		{ "counter a tags t = /a", "1:20: the pattern is not closed in this line" },
		{ "counter a \"text\n  tags\"", "1:11: the quote is not closed in this line" },
		{ "counter a tags t = x\"y", "1:21: the quote is not closed in this line" },
		{ "counter a tags t = x\"y\"", "1:21: a word with this in it" },
		{ "counter a tags t = \"x\\y\"", "1:22: in quotes, only" },
		{ "counter a\n\n# c\ngauge b,\n   a\ncounter c,\n   # c\n   a", "6:1: a stands there already, with the same tags: file:1" },
		{ "counter a tags t = a\ncounter a tags t = b\ncounter a tags t = a", "3:1: a stands there already, with the same tags: file:1" },
		{ "counter a, a", "1:1: a stands there already" },
		{ "tag", "1:4: a tag is missing" },
		{ "tag t", "1:6: \"=\" and the values" },
		{ "tag t = a b", "1:11: nothing more" },
		{ "tag t = a, u = b", "1:10: nothing more" },
		{ "prefix", "1:7: what stands before" },
		{ "prefix a b", "1:10: nothing more" },
		{ "counter a\n  counter b", "2:11: expected here: \"tags\" and the tags, or nothing more (a line that begins with a blank goes on with the one before)" },
		{ " tag t = a\n tag u = b", "2:2: nothing more is expected here (a line that begins with a blank goes on with the one before)" },
		{ "counter a\\", NULL },
		{ "counter a tags t = a=b|http://x/y|b/c", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct catalog c;
		struct logical_fault fault;
		char got[300] = "";
		catalog_init(&c);
		bool good = catalog_add(&c, "file", span_of(cases[i].text), &fault);
		if (!good) snprintf(got, sizeof got, "%zu:%zu: %s", fault.line, fault.column + 1, fault.reason);
		if (good != !cases[i].wanted || (!good && strncmp(got, cases[i].wanted, strlen(cases[i].wanted)) != 0))
			fail_msg("%s\nis     %s\nbut not %s", cases[i].text, got, cases[i].wanted ? cases[i].wanted : "good");
		catalog_release(&c);
	}
}

static void what_is_no_text_is_refused_as_a_whole(void **state)
{
	static const struct { struct span text; const char *wanted; } cases[] = {
		{ { "counter a\0b", 11 }, "1:10: a NUL byte" },
		{ { "counter a\n# \xff\n", 14 }, "2:3: not valid UTF-8" },
	};
	struct catalog c;
	struct logical_fault fault;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		catalog_init(&c);
		assert_false(catalog_add(&c, "file", cases[i].text, &fault));
		char got[300];
		snprintf(got, sizeof got, "%zu:%zu: %s", fault.line, fault.column + 1, fault.reason);
		assert_string_equal(got, cases[i].wanted);
		catalog_release(&c);
	}
	struct span large = { calloc(1, CATALOG_BYTES_MAX + 1), CATALOG_BYTES_MAX + 1 };
	catalog_init(&c);
	assert_false(catalog_add(&c, "file", large, &fault));
	assert_string_equal(fault.reason, "it is larger than 1 MiB");
	catalog_release(&c);
	free((char *)large.data);
}

static void a_star_stands_for_one_or_more_bytes_but_a_dot(void **state)
{
	static const struct { const char *glob, *name; bool fits; } cases[] = {
		{ "*", "a", true }, { "*", "abc", true }, { "*", "", false }, { "*", "a.b", false },
		{ "a.*", "a.b", true }, { "a.*", "a.", false }, { "a.*", "a.b.c", false }, { "*.b", "a.b", true }, { "*.b", ".b", false },
		{ "a*c", "abc", true }, { "a*c", "ac", false }, { "a*c", "abcbc", true }, { "a*c", "a.c", false }, { "a*c", "abcd", false },
		{ "*a*.b*c", "xaax.bcbc", true }, { "*a*.b*c", "xa.bcbc", false }, { "a**", "abc", true }, { "a**", "ab", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct catalog c;
		char text[64];
		snprintf(text, sizeof text, "set %s", cases[i].glob);
		read_catalog(&c, text);
		if (!catalog_find(&c, span_of(cases[i].name)) == cases[i].fits) fail_msg("%s and %s", cases[i].glob, cases[i].name);
		catalog_release(&c);
	}
}

static void a_plain_name_counts_before_a_star_and_of_these_the_first(void **state)
{
	struct catalog c;
	(void)state;
	read_catalog(&c, "set a.*\nset *.b\nset a.b\ngauge a.*\n");
	assert_int_equal(catalog_find(&c, SPAN("a.b"))->line->number, 3);
	assert_int_equal(catalog_find(&c, SPAN("a.c"))->line->number, 1);
	assert_int_equal(catalog_next(&c, catalog_find(&c, SPAN("a.c")))->line->number, 4);
	assert_int_equal(catalog_find(&c, SPAN("x.b"))->line->number, 2);
	assert_null(catalog_find(&c, SPAN("x.c")));
	catalog_release(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_goes_on_where_the_next_begins_with_a_blank_or_it_ends_in_a_backslash),
		cmocka_unit_test(a_tag_alone_has_the_values_of_the_last_line_above_in_its_file),
		cmocka_unit_test(a_mistake_has_its_line_and_column),
		cmocka_unit_test(what_is_no_text_is_refused_as_a_whole),
		cmocka_unit_test(a_star_stands_for_one_or_more_bytes_but_a_dot),
		cmocka_unit_test(a_plain_name_counts_before_a_star_and_of_these_the_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
