/* test_derive_rules - what a file of rules is read as, so that an envelope can be held against them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/number.h"
#include "function.h"
#include "rules.h"

/* --- the rules as text: operations in brackets, a let as $name, a tag with its number --- */

static void show_number(struct buffer *out, double number)
{
	char text[NUMBER_JSON_MAX];
	buffer_append(out, text, number_print_json(text, number));
}

static void show(struct buffer *out, const struct rules *r, const struct expr *e)
{
	static const char *const names[] = { [EXPR_CHOICE] = "choice", [EXPR_NEGATE] = "-", [EXPR_ADD] = "+", [EXPR_SUBTRACT] = "-", [EXPR_MULTIPLY] = "*", [EXPR_DIVIDE] = "/" };
	if (e->kind == EXPR_NUMBER) {
		show_number(out, e->number);
	} else if (e->kind == EXPR_TEXT) {
		buffer_append_byte(out, '"');
		buffer_append_span(out, e->text);
		buffer_append_byte(out, '"');
	} else if (e->kind == EXPR_FIELD) {
		buffer_append_span(out, e->path);
	} else if (e->kind == EXPR_LET) {
		buffer_append_byte(out, '$');
		buffer_append_span(out, r->let[e->let].name);
	} else {
		assert_int_equal(e->condition != NULL, e->kind == EXPR_CHOICE);
		buffer_append_byte(out, '(');
		buffer_append_text(out, e->kind == EXPR_CALL ? e->function->name : names[e->kind]);
		for (size_t i = 0; i < e->count; i++) buffer_append_byte(out, ' '), show(out, r, e->arg[i]);
		buffer_append_byte(out, ')');
	}
}

static void show_metric(struct buffer *out, const struct rules *r, const struct rules_metric *m)
{
	static const char *const kinds[] = { "counter ", "timer ", "gauge ", "set " };
	buffer_append_text(out, kinds[m->kind]);
	for (size_t i = 0; i < m->part_count; i++) {
		if (m->part[i].value) buffer_append_byte(out, '{'), show(out, r, m->part[i].value), buffer_append_byte(out, '}');
		else buffer_append_span(out, m->part[i].literal);
	}
	if (m->value) buffer_append_text(out, " = "), show(out, r, m->value);
	if (m->condition) buffer_append_text(out, " if");
	if (m->rate) buffer_append_text(out, " rate "), show(out, r, m->rate);
	if (m->sample < 1) buffer_append_text(out, " sample "), show_number(out, m->sample);
	for (size_t i = 0; i < m->tag_count; i++) {
		buffer_append_text(out, " #");
		buffer_append_int(out, m->tag[i]);
		buffer_append_byte(out, ':');
		buffer_append_span(out, r->tag[m->tag[i]].name);
		buffer_append_byte(out, '=');
		show(out, r, r->tag[m->tag[i]].value);
	}
	buffer_append_byte(out, '\n');
}

static const char *show_all(struct buffer *out, const struct rules *r)
{
	size_t metric = 0;
	for (size_t i = 0; i < r->let_count; i++) {
		buffer_append_text(out, "let ");
		buffer_append_span(out, r->let[i].name);
		buffer_append_text(out, " = ");
		show(out, r, r->let[i].value);
		buffer_append_byte(out, '\n');
	}
	for (size_t i = 0; i < r->block_count; i++) {
		assert_int_equal(r->block[i].metric, metric);
		buffer_append_span(out, r->block[i].text);
		buffer_append_byte(out, '\n');
		for (size_t end = metric + r->block[i].metric_count; metric < end; metric++) show_metric(out, r, &r->metric[metric]);
	}
	assert_int_equal(r->metric_count, metric);
	return buffer_text(out);
}

static void begin(struct rules *r)
{
	assert_true(rules_init(r));
}

static void add(struct rules *r, const char *source, const char *text)
{
	struct logical_fault fault;
	if (!rules_add(r, source, span_of(text), &fault)) fail_msg("%zu:%zu: %s\n%s", fault.line, fault.column + 1, fault.reason, text);
}

static void require(const char *text, const char *wanted)
{
	struct rules r;
	struct buffer out;
	buffer_init(&out, 1 << 20);
	begin(&r);
	add(&r, "a", text);
	assert_string_equal(show_all(&out, &r), wanted);
	rules_release(&r);
	buffer_release(&out);
}

/* The same within a block of its own. */
static void require_within(const char *text, const char *wanted)
{
	char whole[4096], all[4096];
	snprintf(whole, sizeof whole, "when type == \"x\"\n%s", text);
	snprintf(all, sizeof all, "when type == \"x\"\n%s", wanted);
	require(whole, all);
}

/* --- what is read --- */

static void blocks_have_metrics_with_names_values_and_tags(void **state)
{
	(void)state;
	require("# requests\n"
		"let service = lower(logger)\n"
		"when type == \"canonical-log-line\" && fields.http_path != NIL\n"
		"  let key = \"invalid\" if fields.api_key_allowed == FALSE else fields.api_key\n"
		"  counter request         tags path = tagpath(fields.http_path), method = tag(lower(fields.http_method)), status = fields.http_status\n"
		"  timer   request.timing  = round(fields.duration_s * 1000)   tags path, method, of = service\n"
		"  counter {fields.api_type}.query-{service}  tags key = key, geoip = \"false\" if !fields.has_geoip, blue = bucket(fields.blue, none, one, many)\n"
		"when fields.n > 3\n"
		"  gauge   depth = fields.n rate 0.5 sample .25\n"
		"  set     users=fields.uid  if fields.uid != NIL && hostname =~ /^web/ rate fields.rate\n",
		"let service = (lower logger)\n"
		"let key = (choice \"invalid\" fields.api_key)\n"
		"when type == \"canonical-log-line\" && fields.http_path != NIL\n"
		"counter request #0:path=(tagpath fields.http_path) #1:method=(tag (lower fields.http_method)) #2:status=fields.http_status\n"
		"timer request.timing = (round (* fields.duration_s 1000)) #0:path=(tagpath fields.http_path) #1:method=(tag (lower fields.http_method)) #3:of=$service\n"
		"counter {fields.api_type}.query-{$service} #4:key=$key #5:geoip=(choice \"false\") #6:blue=(bucket fields.blue \"none\" \"one\" \"many\")\n"
		"when fields.n > 3\n"
		"gauge depth = fields.n rate 0.5 sample 0.25\n"
		"set users = fields.uid if rate fields.rate\n");
}

static void a_statement_goes_on_to_the_next_line_that_begins_one(void **state)
{
	(void)state;
	require("when type == \"x\"   # a comment\n"
		"     && ( fields.a   == \"#1\"\n\n# a comment\n || fields.b =~ /a #b/ )\n"
		"counter\n a\n tags b\n = # why\n fields.b\n ,c=fields[ #c ]\n",
		"when type == \"x\" && ( fields.a == \"#1\" || fields.b =~ /a #b/ )\n"
		"counter a #0:b=fields.b #1:c=fields. #c \n");
	require("\xef\xbb\xbfwhen type == \"x\"\r\n\tcounter a\ttags b = \"#\" \\\r\n  , c = '# \"'\r\n", "when type == \"x\"\ncounter a #0:b=\"#\" #1:c=\"# \"\"\n");
	require("when(type == \"x\")\ncounter a", "when(type == \"x\")\ncounter a\n");
	require_within("counter timers tags counters = fields.set, setting = fields.a", "counter timers #0:counters=fields.set #1:setting=fields.a\n");
}

static void values_bind_as_in_arithmetic(void **state)
{
	(void)state;
	require_within("timer a = 1 + 2 * fields.x - -fields.y / (3 - 4)", "timer a = (- (+ 1 (* 2 fields.x)) (/ (- fields.y) (- 3 4)))\n");
	require_within("timer a = -5 - -.5e1", "timer a = (- -5 -5)\n");
	require_within("timer a = fields.a-b - fields.c-1", "timer a = (- fields.a-b fields.c-1)\n");
	require_within("timer a = 1 if fields.a > 3 else 2 if fields.a > 2 || fields.b else 3 + 1", "timer a = (choice 1 (choice 2 (+ 3 1)))\n");
	require_within("timer a = (1 if fields.a) * 2", "timer a = (* (choice 1) 2)\n");
	require_within("counter a tags t = default(fields.a if fields.b, pid), u = fields.a[b].c, v = fields.é", "counter a #0:t=(default (choice fields.a) metlog_pid) #1:u=fields.a.b.c #2:v=fields.é\n");
	require_within("counter a tags t = 'it\\'s \"so\"\\n', u = \"\", v = severity, w = payload.x", "counter a #0:t=\"it's \"so\"\\n\" #1:u=\"\" #2:v=severity #3:w=payload.x\n");
}

static void words_of_a_function_need_no_quotes(void **state)
{
	(void)state;
	require_within("counter a tags b = omit(fields.b, 200, -, a.b-c, \"a b\", type, lower(\"X\"))", "counter a #0:b=(omit fields.b \"200\" \"-\" \"a.b-c\" \"a b\" \"type\" (lower \"X\"))\n");
	require_within("counter a tags b = step(fields.ms, fast, 10, slow, 1e3, 9)", "counter a #0:b=(step fields.ms \"fast\" 10 \"slow\" 1000 \"9\")\n");
}

static void a_value_with_nothing_but_an_if_is_the_metrics_own_if(void **state)
{
	(void)state;
	require_within("timer a = fields.ms if fields.ms > 5 tags b = fields.b", "timer a = fields.ms if #0:b=fields.b\n");
	require_within("timer a = fields.ms if fields.ms > 5 rate 1 if fields.x", "timer a = fields.ms if rate (choice 1)\n");
	require_within("timer a = fields.ms if fields.ms > 5 for s in b, c if fields.${s}", "timer a = (choice fields.ms) if\ntimer a = (choice fields.ms) if\n");
	require_within("timer a = fields.ms if fields.ms > 5 else 5", "timer a = (choice fields.ms 5)\n");
}

static void a_for_says_the_metric_for_each_word(void **state)
{
	(void)state;
	require_within("counter {fields.t}.${s}s  for s in internal, geo-ip.2  if fields.${s}_x == \"${s}\"\n tags source = \"${s}\", x = fields.${s}_x\n counter b tags x, source",
		"counter {fields.t}.internals if #0:source=\"internal\" #1:x=fields.internal_x\n"
		"counter {fields.t}.geo-ip.2s if #2:source=\"geo-ip.2\" #3:x=fields.geo-ip.2_x\n"
		"counter b #3:x=fields.geo-ip.2_x #2:source=\"geo-ip.2\"\n");
}

static void it_is_said_what_a_metric_was_and_where(void **state)
{
	struct rules r;
	(void)state;
	begin(&r);
	add(&r, "one", "\n\nwhen type   == \"x  y\" # what\n\n  counter a.${s}   for s in b,  c  if\n   fields.x\n\n   tags d =  'it  is ${s}', e = \"#\" # no\n\n");
	add(&r, "two", "when fields.a\ncounter a");
	assert_int_equal(r.metric_count, 3);
	assert_int_equal(r.metric[0].line, 5);
	assert_int_equal(r.metric[1].line, 5);
	assert_true(span_equal(r.block[0].text, SPAN("when type == \"x  y\"")));
	assert_true(span_equal(r.metric[0].text, SPAN("counter a.b if fields.x tags d = 'it  is b', e = \"#\"")));
	assert_true(span_equal(r.metric[1].text, SPAN("counter a.c if fields.x tags d = 'it  is c', e = \"#\"")));
	assert_int_equal(r.block[0].line, 3);
	assert_string_equal(r.block[0].source, "one");
	assert_string_equal(r.block[1].source, "two");
	assert_int_equal(r.metric[2].line, 2);
	rules_release(&r);
}

static void equal_tags_of_a_block_are_one_and_a_bare_one_is_the_last(void **state)
{
	(void)state;
	require("when fields.a\n counter a tags b = fields.b, c = lower( fields.c )\n counter b tags b = fields.x\n counter c tags b = fields.b, c = lower( fields.c )\n counter d tags b, c\n"
		"when fields.b\n counter a tags b = fields.b\n",
		"when fields.a\ncounter a #0:b=fields.b #1:c=(lower fields.c)\ncounter b #2:b=fields.x\ncounter c #0:b=fields.b #1:c=(lower fields.c)\n"
		"counter d #2:b=fields.x #1:c=(lower fields.c)\nwhen fields.b\ncounter a #3:b=fields.b\n");
}

static void tags_may_have_any_name_of_letters(void **state)
{
	(void)state;
	require_within("counter a tags host = pid, device = pid, source = pid, Z.9_- = pid, tags = pid, if = pid", "counter a #0:host=metlog_pid #1:device=metlog_pid #2:source=metlog_pid #3:Z.9_-=metlog_pid #4:tags=metlog_pid #5:if=metlog_pid\n");
}

static void equal_fields_have_one_number(void **state)
{
	struct rules r;
	(void)state;
	begin(&r);
	add(&r, "a", "when type == \"x\"\n timer a = fields.a * fields[a] tags b = fields.b, c = fields.a\n");
	assert_int_equal(r.metric[0].value->arg[0]->field, r.metric[0].value->arg[1]->field);
	assert_int_equal(r.metric[0].value->arg[0]->field, r.tag[1].value->field);
	assert_int_not_equal(r.tag[0].value->field, r.tag[1].value->field);
	rules_release(&r);
}

static void lets_hold_in_their_block_or_file(void **state)
{
	struct rules r;
	struct logical_fault fault;
	(void)state;
	require("let a = fields.a\nwhen fields.x\n let b = a\n counter c tags b = b\nwhen fields.y\n let b = 2\n counter c tags b = b, a = a\n",
		"let a = fields.a\nlet b = $a\nlet b = 2\nwhen fields.x\ncounter c #0:b=$b\nwhen fields.y\ncounter c #1:b=$b #2:a=$a\n");
	begin(&r);
	add(&r, "one", "let able = 3\nwhen fields.x\n counter c tags b = able\n");
	assert_false(rules_add(&r, "two", SPAN("when fields.x\n counter c tags b = able\n"), &fault));
	assert_int_equal(fault.line, 2);
	rules_release(&r);
	begin(&r);
	add(&r, "one", "let able = 3\nwhen fields.x\n counter c tags b = able\n");
	add(&r, "two", "let able = 4\nwhen fields.x\n counter c tags b = able\n");
	assert_int_equal(r.tag[0].value->let, 0);
	assert_int_equal(r.tag[1].value->let, 1);
	rules_release(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_have_metrics_with_names_values_and_tags),
		cmocka_unit_test(a_statement_goes_on_to_the_next_line_that_begins_one),
		cmocka_unit_test(values_bind_as_in_arithmetic),
		cmocka_unit_test(words_of_a_function_need_no_quotes),
		cmocka_unit_test(a_value_with_nothing_but_an_if_is_the_metrics_own_if),
		cmocka_unit_test(a_for_says_the_metric_for_each_word),
		cmocka_unit_test(it_is_said_what_a_metric_was_and_where),
		cmocka_unit_test(equal_tags_of_a_block_are_one_and_a_bare_one_is_the_last),
		cmocka_unit_test(tags_may_have_any_name_of_letters),
		cmocka_unit_test(equal_fields_have_one_number),
		cmocka_unit_test(lets_hold_in_their_block_or_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
