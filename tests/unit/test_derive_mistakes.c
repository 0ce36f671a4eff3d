/* test_derive_mistakes - what is told of a mistake in rules, and where it is seen. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "rules.h"

static void begin(struct rules *r)
{
	assert_true(rules_init(r));
}

/* "LINE:COLUMN: REASON", both from 1 on, as they are shown. */
static void require_fault_of(struct span text, const char *wanted)
{
	struct rules r;
	struct logical_fault fault;
	char got[400];
	begin(&r);
	if (rules_add(&r, "a", text, &fault)) fail_msg("%.*s\nis taken, but has %s", (int)text.length, text.data, wanted);
	if (fault.line) snprintf(got, sizeof got, "%zu:%zu: %s", fault.line, fault.column + 1, fault.reason);
	else snprintf(got, sizeof got, "%s", fault.reason);
	if (strcmp(got, wanted) != 0) fail_msg("%.*s\nis      %s\nbut not %s", text.length > 2000 ? 2000 : (int)text.length, text.data, got, wanted);
	assert_true(fault.column <= fault.physical.length);
	assert_false(fault.physical.length && fault.physical.data[fault.physical.length - 1] == '\r');
	if (fault.line && fault.physical.length) assert_true(fault.physical.data >= text.data && fault.physical.data + fault.physical.length <= text.data + text.length);
	rules_release(&r);
}

static void require_fault(const char *text, const char *wanted)
{
	require_fault_of(span_of(text), wanted);
}

/* In line 2, below a when. */
static void require_fault_within(const char *text, const char *wanted)
{
	char whole[4096], place[400];
	snprintf(whole, sizeof whole, "when type == \"x\"\n%s", text);
	snprintf(place, sizeof place, "2:%s", wanted);
	require_fault(whole, place);
}

static void what_is_no_statement_is_told_where_it_stands(void **state)
{
	(void)state;
	require_fault("", "there is no when in it");
	require_fault("# nothing\n\n", "there is no when in it");
	require_fault("let a = 1\n", "there is no when in it");
	require_fault("\n  foo\n", "2:3: expected when and a test, as in: when type == \"request.summary\"");
	require_fault("WHEN type == \"x\"\n", "1:1: expected when or let, not \"WHEN\"; did you mean when?");
	require_fault("counter a\n", "1:1: a counter needs a when before it, which says of what envelopes it is made");
	require_fault("when fields.x\n let a = 1\n", "1:1: no counter, timer, gauge or set stands below this when");
	require_fault("when fields.x\n\n when fields.y\n counter a", "1:1: no counter, timer, gauge or set stands below this when");
	require_fault("when pid\n counter a tags b = pid\n COUNTER b", "3:2: expected \",\" and one more tag, or the end of the metric, not \"COUNTER\"; did you mean counter?");
}

static void a_when_is_one_test_on_lines_of_its_own(void **state)
{
	(void)state;
	require_fault("when\n", "1:5: expected a test, as in fields.status == 200, but the statement ends here");
	require_fault("when type = \"x\"\n counter a", "1:11: = alone is not a relation; == compares");
	require_fault("when fields.x = 3\n counter a", "1:15: = alone is not a relation; == compares");
	require_fault("when fields.x\n histogram a = fields.t", "2:2: expected &&, || or the end of the test; a distribution is a timer");
	require_fault("when fields.x counter a", "1:15: a counter begins on a line of its own");
	require_fault("when fields.x and fields.y\n counter a", "1:15: expected &&, || or the end of the test; between two tests it is &&");
	require_fault("when fields.x &&\n  bogus == 3\n counter a", "2:3: unknown name \"bogus\"; a field is written fields.bogus");
	require_fault("when (fields.x\n counter a", "1:6: this ( has no closing )");
	require_fault("when type == \"x\n counter a", "1:14: the quote is not closed");
	require_fault("when type =~ /x\n counter a", "1:14: the pattern is not closed");
	require_fault("when type =~ /(x/\n counter a", "1:17: missing closing parenthesis");
	require_fault("when fields.${s}\n counter a", "1:13: ${s} stands for a word of a metric's \"for s in ...\", and there is none here");
}

static void a_name_is_one_that_every_statsd_takes(void **state)
{
	(void)state;
	require_fault_within("counter", "8: a counter needs a name");
	require_fault_within("counter = 3", "9: a counter needs a name");
	require_fault_within("counter -x", "9: a name begins with a letter");
	require_fault_within("counter .x", "9: a name begins with a letter");
	require_fault_within("counter a..b", "10: a name has no empty part");
	require_fault_within("counter a.", "10: a name has no empty part");
	require_fault_within("counter {type}.", "15: a name has no empty part");
	require_fault_within("counter a/b", "10: a name is made of letters, digits and . _ - and of values in braces");
	require_fault_within("counter a#b", "10: a name is made of letters, digits and . _ - and of values in braces");
	require_fault_within("counter a b", "11: expected \"=\", if, rate, sample, tags or the end of the metric, not \"b\"");
	require_fault_within("counter a{type", "10: this { has no closing }");
	require_fault_within("counter a{type b}", "16: expected \"}\", not \"b\"");
	require_fault_within("counter a{for}", "11: unknown name \"for\"; a field is written fields.for");
	require_fault_within("counter a{}", "11: expected a value, not \"}\"");
}

static void a_value_is_told_what_would_be_right(void **state)
{
	(void)state;
	require_fault_within("timer request.timing tags a = pid", "21: a timer needs a value: timer request.timing = fields.ms");
	require_fault_within("gauge g", "8: a gauge needs a value: gauge g = fields.x");
	require_fault_within("set s", "6: a set needs a value: set s = fields.x");
	require_fault_within("timer a =", "10: expected a value, but the statement ends here");
	require_fault_within("timer a = \"x\"", "11: the value of a timer is a number, not a text");
	require_fault_within("counter a tags b = fields.x + \"-\" + fields.y", "31: a text that is no number; + - * / compute, they join no texts");
	require_fault_within("counter a tags b = 'x' * 2", "20: a text that is no number; + - * / compute, they join no texts");
	require_fault_within("timer a = -\"x\"", "12: a text that is no number; + - * / compute, they join no texts");
	require_fault_within("timer a = fields", "11: fields is no value; one of them is written fields.x");
	require_fault_within("timer a = fields.x..y", "20: expected a name after the point");
	require_fault_within("timer a = fields[x..y]", "11: no path of a value may have an empty part, or more than 16");
	require_fault_within("timer a = Fields[x]", "11: Fields is Heka's spelling; here it is fields");
	require_fault_within("timer a = duration", "11: unknown name \"duration\"; a field is written fields.duration");
	require_fault_within("timer a = 5ms", "11: \"5ms\" is not a number, or too large for one");
	require_fault_within("timer a = 1e999", "11: \"1e999\" is not a number, or too large for one");
	require_fault_within("timer a = lowr(pid)", "11: unknown function \"lowr\"; did you mean lower?");
	require_fault_within("timer a = f(pid)", "11: unknown function \"f\"");
	require_fault_within("timer a = lower pid", "11: lower is a function: lower(value)");
	require_fault_within("timer a = round(pid, 3)", "11: round takes 1 value, not 2");
	require_fault_within("timer a = round()", "11: round takes 1 value, not 0");
	require_fault_within("timer a = bucket(pid)", "11: bucket takes 3 values at least, not 1");
	require_fault_within("timer a = equal(1, 2, 3, 4, 5)", "11: equal takes 4 values at most, not 5");
	require_fault_within("timer a = step(pid, a, 10, b, 5, c)", "11: the numbers of step have to grow");
	require_fault_within("counter a tags b = keep(fields.b, fields.c)", "35: a word stands here, and fields.c would be one; in quotes if that is meant");
	require_fault_within("timer a = round(pid", "16: this ( has no closing )");
	require_fault_within("timer a = (pid", "11: this ( has no closing )");
	require_fault_within("timer a = (pid tags b = pid", "16: expected \")\", not \"tags\"");
	require_fault_within("timer a = pid +", "16: expected a value, but the statement ends here");
	require_fault_within("timer a = pid == 3", "15: expected if, rate, sample, tags or the end of the metric; a comparison stands only behind when and if");
	require_fault_within("timer a = pid ? 1 : 2", "15: expected if, rate, sample, tags or the end of the metric; a choice is written: value if test else value");
	require_fault_within("timer a = pid else 2", "15: expected if, rate, sample, tags or the end of the metric; else belongs to value if test");
	require_fault_within("timer a = NIL", "11: NIL is no value; without an else there is nothing");
	require_fault_within("counter a tags b = true", "20: a text stands in quotes: \"true\"");
	require_fault_within("counter a tags b = 'x", "20: the quote is not closed");
	require_fault_within("counter a tags b = \"x\\\\\"", "20: the quote is not closed");
	require_fault_within("counter a tags b = pid if", "26: expected a test, as in fields.status == 200, but the statement ends here");
	require_fault_within("counter a tags b = pid if fields.c = 3, d = pid", "36: = alone is not a relation; == compares");
	require_fault_within("counter a tags b = pid if fields.c == bogus, d = pid", "39: expected a value: a number, or a string in quotes");
}

static void a_let_is_told_what_would_be_right(void **state)
{
	(void)state;
	require_fault_within("let", "4: expected a name, as in: let service = lower(logger), but the statement ends here");
	require_fault_within("let 1 = 2", "5: expected a name, as in: let service = lower(logger), not \"1\"");
	require_fault_within("let a", "6: expected \"=\" and a value, but the statement ends here");
	require_fault_within("let a = 1 2", "11: expected if or the end of the let, not \"2\"");
	require_fault_within("let type = 2", "5: \"type\" is a name in the envelope, no name of a let");
	require_fault_within("let metlog_x = 2", "5: \"metlog_x\" is a name in the envelope, no name of a let");
	require_fault_within("let if = 2", "5: \"if\" is a word of the rules, no name of a let");
	require_fault_within("counter c tags d = service\n\n let  service = 2", "20: the let service is said only on line 4, behind this");
	require_fault("let service = 1\nwhen pid\n counter a tags b = servce", "3:21: unknown name \"servce\"; did you mean service?");
	require_fault("when fields.x\n let bed = 3\n counter c\nwhen fields.y\n counter c tags b = bed\n", "5:21: unknown name \"bed\"; a field is written fields.bed");
	require_fault("let bed = 3\nwhen pid\n counter c if bed == 3", "3:15: bed is a let, which no test knows; a test is of the envelope, as in fields.bed");
	require_fault("let bed = 3\nwhen pid && !bed\n counter c", "2:14: bed is a let, which no test knows; a test is of the envelope, as in fields.bed");
	require_fault("let a = 1\nwhen pid\n let a = 2", "3:6: there is a let \"a\" already");
	require_fault("let a = ${s}", "1:9: ${s} stands for a word of a metric's \"for s in ...\", and there is none here");
}

static void what_a_metric_is_asked_for_is_told_what_would_be_right(void **state)
{
	(void)state;
	require_fault_within("counter a rate 2", "16: a rate is above 0, and 1 at most");
	require_fault_within("counter a rate 0", "16: a rate is above 0, and 1 at most");
	require_fault_within("counter a sample 1.5", "18: sample takes a number above 0, and 1 at most");
	require_fault_within("counter a sample -1", "18: sample takes a number above 0, and 1 at most");
	require_fault_within("counter a sample pid", "18: expected a number above 0, and 1 at most, as in: sample 0.1, not \"pid\"");
	require_fault_within("counter a rate 1 rate 1", "18: this metric has its rate already");
	require_fault_within("counter a TAGS b = pid", "11: expected \"=\", if, rate, sample, tags or the end of the metric, not \"TAGS\"; did you mean tags?");
	require_fault_within("counter a if type tags b = pid", "19: expected a relation (== != < <= > >= =~ !~ in) after type");
}

static void a_tag_is_told_what_would_be_right(void **state)
{
	(void)state;
	require_fault("when fields.a\n counter a tags path = fields.b\nwhen fields.b\n counter b tags path", "4:17: no tag \"path\" before this in the block, so it needs a value: path = fields.path");
	require_fault_within("counter a tags", "15: expected a tag's name, but the statement ends here");
	require_fault_within("counter a tags b = pid,", "24: expected a tag's name, but the statement ends here");
	require_fault_within("counter a tags 1b = pid", "16: a tag's name begins with a letter");
	require_fault_within("counter a tags é = pid", "16: expected a tag's name, not \"é\"");
	require_fault_within("counter a tags path:v1", "20: a tag is written path = value");
	require_fault_within("counter a tags b == pid", "18: = gives a tag its value; == compares, behind if");
	require_fault_within("counter a tags b = pid, b = uuid", "25: this metric has a tag \"b\" already");
	require_fault_within("counter a tags b = pid c = pid", "24: expected \",\" and one more tag, or the end of the metric, not \"c\"");
	require_fault_within("counter a tags b = pid rate 1", "24: rate comes before tags");
	require_fault_within("counter a tags b = pid tags c = pid", "24: tags stands once in a metric, and \",\" between two tags");
	require_fault_within("counter a tags b", "16: no tag \"b\" before this in the block, so it needs a value: b = fields.b");
	require_fault("when pid\n counter a tags path = pid\n counter b tags pth", "3:17: no tag \"pth\" before this in the block; did you mean path?");
	require_fault("when pid\n let k = pid\n counter b tags k", "3:17: no tag \"k\" before this in the block; with the let as its value: k = k");
}

static void a_for_is_told_what_would_be_right(void **state)
{
	(void)state;
	require_fault_within("counter a for s in", "19: expected a word of for, as in: for s in internal, geoip, but the statement ends here");
	require_fault_within("counter a for s in x,,y", "22: expected a word of for, as in: for s in internal, geoip, not \",\"");
	require_fault_within("counter a for s in x, y, x", "26: \"x\" stands in this for already");
	require_fault_within("counter a for s x", "17: expected in, as in: for s in internal, geoip, not \"x\"");
	require_fault_within("counter a for 1 in x", "15: expected a name, as in: for s in internal, geoip, not \"1\"");
	require_fault_within("counter a for s in x", "11: ${s} stands nowhere in this metric: it would be the same for each word");
	require_fault_within("counter a.${t} for s in x", "11: ${t} is not known; the word of this for is ${s}");
	require_fault_within("counter a.${s}", "11: ${s} stands for a word of a metric's \"for s in ...\", and there is none here");
	require_fault_within("counter a tags b = pid for s in x", "24: for comes before tags");
	require_fault_within("counter a.${s} for s in x for t in y", "27: this metric has its for already (where ${s} is x)");
}

static void a_mistake_in_a_for_is_told_where_it_stands_in_the_file(void **state)
{
	(void)state;
	require_fault("when pid\n\n counter a.${s} for s in rather-long, x\n  if fields.${s} ==\n   bogus", "5:4: expected a value: a number, or a string in quotes (where ${s} is rather-long)");
	require_fault_within("counter a.${s} for s in x, 9 tags b = fields.${s} + ${s}", "53: unknown name \"x\"; a field is written fields.x (where ${s} is x)");
	require_fault_within("counter x${s} for s in y, a..b", "10: a name has no empty part (where ${s} is a..b)");
	require_fault_within("counter ${s} for s in x, 9", "9: a name begins with a letter (where ${s} is 9)");
	require_fault_within("counter a.${s} for s in long, x tags b = \"${s}\" \"", "49: the quote is not closed");
	require_fault_within("counter a.${s} for s in long, x tags b = \"${s}\" c", "49: expected \",\" and one more tag, or the end of the metric, not \"c\" (where ${s} is long)");
}

static void a_place_is_told_in_bytes_of_the_line_as_it_is(void **state)
{
	(void)state;
	require_fault("\xef\xbb\xbfwhen x", "1:6: unknown name \"x\"; a field is written fields.x");
	require_fault("when pid\r\n\r\n\tcounter a\tb\r\n", "3:12: expected \"=\", if, rate, sample, tags or the end of the metric, not \"b\"");
	require_fault("when pid # é\n counter a # what\n tags é = 3", "3:7: expected a tag's name, not \"é\"");
	require_fault("when pid\n counter a tags b = # here\n # and there\n\n", "2:20: expected a value, but the statement ends here");
	require_fault("when pid\n counter a \\\n tags b = 'é' + \\\n c", "4:2: unknown name \"c\"; a field is written fields.c");
}

/* --- limits --- */

/* `before`, then so many times: one, its number, other; then `after`. */
static struct span repeat(struct buffer *out, const char *before, const char *one, const char *other, size_t count, const char *after)
{
	buffer_clear(out);
	buffer_append_text(out, before);
	for (size_t i = 0; i < count; i++) {
		buffer_append_text(out, one);
		buffer_append_int(out, (int64_t)i);
		buffer_append_text(out, other);
	}
	buffer_append_text(out, after);
	assert_false(out->failed);
	return buffer_span(out);
}

/* The reason alone, for mistakes far to the right. */
static void require_reason(struct span text, const char *wanted)
{
	struct rules r;
	struct logical_fault fault;
	begin(&r);
	assert_false(rules_add(&r, "a", text, &fault));
	assert_string_equal(fault.reason, wanted);
	assert_true(fault.column < fault.physical.length);
	rules_release(&r);
}

static void require_taken(struct span text)
{
	struct rules r;
	struct logical_fault fault;
	begin(&r);
	if (!rules_add(&r, "a", text, &fault)) fail_msg("%zu:%zu: %s", fault.line, fault.column + 1, fault.reason);
	rules_release(&r);
}

static void a_text_that_is_none_is_refused_as_a_whole(void **state)
{
	struct buffer big;
	(void)state;
	buffer_init(&big, 4 << 20);
	require_fault_of(repeat(&big, "", "", "##########", 100000, ""), "it is larger than 1 MiB");
	require_fault_of(SPAN("when pid\n counter a\0"), "2:11: a NUL byte");
	require_fault_of(SPAN("when pid\n counter a # \xff"), "2:14: not valid UTF-8");
	buffer_release(&big);
}

static void nothing_goes_deeper_than_it_may(void **state)
{
	static const char levels[] = "more than 64 levels of parentheses, minus signs and else", deep[] = "this value is more than 64 levels deep";
	struct buffer out;
	(void)state;
	buffer_init(&out, 4 << 20);
	require_taken(repeat(&out, "when pid\ntimer a = ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((0", "", "", 0, "))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))"));
	require_fault("when pid\ntimer a = (((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((0", "2:75: more than 64 levels of parentheses, minus signs and else");
	require_taken(repeat(&out, "when pid\ntimer a = default(1", ", (", " + -lower(1 if pid else 2))", 200, ")"));
	require_reason(repeat(&out, "when pid\ntimer a = 1", "-(", "+", 1000, "1"), levels);
	require_reason(repeat(&out, "when pid\ntimer a = 1", "-lower(", "+", 1000, "1"), levels);
	require_reason(repeat(&out, "when pid\ntimer a = ", "", " if pid else ", 1000, "1"), levels);
	require_taken(repeat(&out, "when pid\ntimer a = 1", "+", "", 63, ""));
	require_reason(repeat(&out, "when pid\ntimer a = 1", "+", "", 64, ""), deep);
	require_reason(repeat(&out, "when pid\ntimer a = ", "", "*", 65, "1"), deep);
	require_reason(SPAN("let a = (1+1+1+1+1+1+1+1)\nlet b = a+a+a+a+a+a+a+a\nlet c = b+b+b+b+b+b+b+b\nlet d = c+c+c+c+c+c+c+c\nlet e = d+d+d+d+d+d+d+d\nlet f = e+e+e+e+e+e+e+e+e\n"
		"let g = f+f+f+f+f+f+f+f\nlet h = g+g+g+g+g+g+g+g+g\nwhen pid\n counter a tags b = h\n"), deep);
	buffer_release(&out);
}

static void there_is_a_most_of_everything(void **state)
{
	static const char hundred[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	char text[1000];
	struct buffer out;
	(void)state;
	buffer_init(&out, 4 << 20);
	require_taken(repeat(&out, "when pid\ncounter a tags b = pid", ", t", " = pid", 31, ""));
	require_fault_of(repeat(&out, "when pid\ncounter a tags b = pid", ", t", " = pid", 32, ""), "2:356: more than 32 tags");
	require_taken(repeat(&out, "when pid\n", "counter a", "\n", 4096, ""));
	require_fault_of(repeat(&out, "when pid\n", "counter a", "\n", 4097, ""), "4098:1: more than 4096 metrics");
	require_taken(repeat(&out, "when pid\ntimer a = default(1", ", fields.f", "", 4000, ")"));
	require_reason(repeat(&out, "when pid\ntimer a = default(1", ", fields.f", "", 4097, ")"), "more than 4096 different fields");
	require_fault_of(repeat(&out, "", "let a", " = 1\n", 4097, ""), "4097:1: more than 4096 lets");
	require_fault_of(repeat(&out, "when pid\n timer a = default(1", ", fields.f", "\n", 6000, ")"), "2:2: this goes on for more than 64 KiB");
	require_reason(repeat(&out, "when pid\ncounter a for s in ", "w", ", ", 4096, "x tags b = '${s}'"), "a for of more than 4096 words");
	require_fault_of(repeat(&out, "when pid\ncounter a for s in looooooooooooooooooooooooooong tags a = '", "${s}", "", 5000, "'"), "2:11: with this for the metric is longer than 64 KiB");
	snprintf(text, sizeof text, "when pid\ncounter %s%s", hundred, hundred);
	require_taken(span_of(text));
	snprintf(text, sizeof text, "when pid\ncounter %s{pid}%sx", hundred, hundred);
	require_fault(text, "2:114: a name of more than 200 bytes");
	snprintf(text, sizeof text, "when pid\ncounter %s.${s} for s in x%s", hundred, hundred);
	require_fault(text, "2:124: a word of more than 100 bytes");
	snprintf(text, sizeof text, "when pid\ncounter %s${s}.${s} for s in %s", hundred, hundred);
	require_reason(span_of(text), "a name of more than 200 bytes (where ${s} is aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)");
	snprintf(text, sizeof text, "when pid\ncounter a tags %s = pid, x%s = pid", hundred, hundred);
	require_reason(span_of(text), "a tag's name of more than 100 bytes");
	buffer_release(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_statement_is_told_where_it_stands),
		cmocka_unit_test(a_when_is_one_test_on_lines_of_its_own),
		cmocka_unit_test(a_name_is_one_that_every_statsd_takes),
		cmocka_unit_test(a_value_is_told_what_would_be_right),
		cmocka_unit_test(a_let_is_told_what_would_be_right),
		cmocka_unit_test(what_a_metric_is_asked_for_is_told_what_would_be_right),
		cmocka_unit_test(a_tag_is_told_what_would_be_right),
		cmocka_unit_test(a_for_is_told_what_would_be_right),
		cmocka_unit_test(a_mistake_in_a_for_is_told_where_it_stands_in_the_file),
		cmocka_unit_test(a_place_is_told_in_bytes_of_the_line_as_it_is),
		cmocka_unit_test(a_text_that_is_none_is_refused_as_a_whole),
		cmocka_unit_test(nothing_goes_deeper_than_it_may),
		cmocka_unit_test(there_is_a_most_of_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
