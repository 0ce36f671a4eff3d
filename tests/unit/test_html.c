/* test_html - text and drawings for pages: nothing gets out of its place, and the same numbers make the same bytes. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/html.h"

static void expect(bool (*append)(struct buffer *, struct span), struct span in, const char *out)
{
	struct buffer b;
	buffer_init(&b, 10000);
	assert_true(append(&b, in));
	assert_string_equal(buffer_text(&b), out);
	buffer_release(&b);
}

static void text_cannot_leave_its_element_or_its_attribute(void **state)
{
	(void)state;
	expect(html_append_text, SPAN(""), "");
	expect(html_append_text, SPAN("plain \xc3\xa9\xe4\xba\xac\xf0\x9f\x98\x80"), "plain \xc3\xa9\xe4\xba\xac\xf0\x9f\x98\x80");
	expect(html_append_text, SPAN("<script>"), "&lt;script&gt;");
	expect(html_append_text, SPAN("\"><b onclick='x'>&amp;"), "&quot;&gt;&lt;b onclick=&#39;x&#39;&gt;&amp;amp;");
	expect(html_append_text, SPAN("]]>--><!--"), "]]&gt;--&gt;&lt;!--");
	for (int c = 0; c < 256; c++) {
		struct buffer b;
		char text[3] = { 'a', (char)c, 'b' };
		buffer_init(&b, 100);
		assert_true(html_append_text(&b, (struct span){ text, 3 }));
		assert_true(b.length >= 3 && b.data[0] == 'a' && b.data[b.length - 1] == 'b');
		for (size_t i = 0; i < b.length; i++) assert_true(b.data[i] >= ' ' && b.data[i] <= '~' && !strchr("<>\"'", b.data[i]));
		buffer_release(&b);
	}
}

static void what_cannot_be_seen_is_shown(void **state)
{
	(void)state;
	expect(html_append_text, (struct span){ "a\0b", 3 }, "a\\x00b");
	expect(html_append_text, SPAN("a\nb\tc\x1b[31m"), "a\\nb\\tc\\x1b[31m");
	expect(html_append_text, SPAN("\xe2\x80\xaegnp.exe"), "\\u{202e}gnp.exe");
	expect(html_append_text, SPAN("\xff<\xfe"), "\\xff&lt;\\xfe");
	expect(html_append_text, SPAN("\xef\xbf\xbf|\xef\xb7\x90|\xf0\x9f\xbf\xbe|\xef\xbf\xbd"), "\\u{ffff}|\\u{fdd0}|\\u{1fffe}|\xef\xbf\xbd");
	expect(html_append_text, SPAN("\xe2\x82<"), "\\xe2\\x82&lt;"); /* a character that breaks off */
}

static void expect_coordinate(double value, const char *out)
{
	struct buffer b;
	buffer_init(&b, 100);
	assert_true(html_append_coordinate(&b, value));
	assert_string_equal(buffer_text(&b), out);
	buffer_release(&b);
}

static void a_coordinate_has_two_decimals_at_most(void **state)
{
	(void)state;
	expect_coordinate(0, "0"), expect_coordinate(-0.001, "0"), expect_coordinate(100, "100"), expect_coordinate(12.5, "12.5");
	expect_coordinate(1.0 / 3, "0.33"), expect_coordinate(-2.25, "-2.25"), expect_coordinate(1e300, "0"), expect_coordinate(0.0 / 1e-300, "0");
}

static void a_curve_goes_from_edge_to_edge(void **state)
{
	static const uint64_t value[] = { 0, 5, 10, 20 };
	static const struct { struct html_curve curve; const char *out; } rows[] = {
		{ { value, 4, 20, 90, 40 }, "M0 40L30 30 60 20 90 0" },
		{ { value, 2, 20, 90, 40 }, "M0 40L90 30" },
		{ { value, 1, 20, 90, 40 }, "" },
		{ { value, 0, 20, 90, 40 }, "" },
		{ { value, 2, 0, 90, 40 }, "M0 40L90 40" },
		{ { value, 4, 10, 90, 40 }, "M0 40L30 20 60 0 90 0" }, /* cut at the top */
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buffer b;
		buffer_init(&b, 1000);
		assert_true(html_append_curve(&b, &rows[i].curve));
		assert_string_equal(b.length ? buffer_text(&b) : "", rows[i].out);
		buffer_release(&b);
	}
}

static void the_steps_of_an_axis_are_easily_read(void **state)
{
	static const struct { double most; double step; } rows[] = { { 4, 1 }, { 5, 2 }, { 10, 5 }, { 20, 5 }, { 41, 20 }, { 1000, 500 }, { 214530, 100000 }, { 0, 1 }, { -1, 1 } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) assert_float_equal(html_axis_step(rows[i].most, 4), rows[i].step, 1e-9);
	for (double most = 1; most < 1e12; most *= 1.37) {
		double step = html_axis_step(most, 4);
		assert_true(most / step <= 4.000001 && most / step > 1);
	}
}

static void a_full_buffer_is_told(void **state)
{
	struct buffer b;
	(void)state;
	buffer_init(&b, 10);
	assert_false(html_append_text(&b, SPAN("<<<<<<<<<<")));
	buffer_release(&b);
	buffer_init(&b, 100);
	assert_false(html_append_head(&b, &(struct html_page){ SPAN("t"), "g", "s", "h" }));
	buffer_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_cannot_leave_its_element_or_its_attribute),
		cmocka_unit_test(what_cannot_be_seen_is_shown),
		cmocka_unit_test(a_coordinate_has_two_decimals_at_most),
		cmocka_unit_test(a_curve_goes_from_edge_to_edge),
		cmocka_unit_test(the_steps_of_an_axis_are_easily_read),
		cmocka_unit_test(a_full_buffer_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
