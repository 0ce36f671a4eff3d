/* test_cef_legacy - finished CEF lines of the original client: right ones untouched, known faults mended, the undecidable refused. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/text.h"
#include "legacy.h"

static const struct map_options no_options = { .severity = { 10, 9, 8, 7, 5, 3, 2, 0 } };

static struct legacy *legacy_of(size_t max_bytes, const struct map_options *options)
{
	struct record_rules rules = { .version = 0, .max_bytes = max_bytes, .wrong = RECORD_WRONG_REJECT, .dictionary_only = true };
	return legacy_new(&rules, options);
}

static int open_legacy(void **state)
{
	*state = legacy_of(0, &no_options);
	return 0;
}

static int close_legacy(void **state)
{
	legacy_free(*state);
	return 0;
}

static struct span make(void **state, const char *text, const char **why)
{
	struct span date, host;
	*why = NULL;
	return legacy_line(*state, span_of(text), &date, &host, why);
}

static void require(void **state, const char *text, const char *wanted)
{
	const char *why;
	struct span line = make(state, text, &why);
	if (!line.data) fail_msg("%s\nis refused: %s", text, why);
	if (!span_equal(line, span_of(wanted))) fail_msg("%s\nbecomes %.*s\nnot     %s", text, (int)line.length, line.data, wanted);
}

/* What is right is not written again: the answer points into the text. */
static void require_untouched(void **state, const char *text)
{
	const char *why, *begin = strstr(text, "CEF:");
	struct legacy_tally before = *legacy_tally(*state);
	struct span line = make(state, text, &why);
	if (!line.data) fail_msg("%s\nis refused: %s", text, why);
	if (line.data != begin || line.length != strlen(begin)) fail_msg("%s\nbecomes %.*s", text, (int)line.length, line.data);
	assert_int_equal(legacy_tally(*state)->as_was, before.as_was + 1);
	assert_int_equal(legacy_tally(*state)->repaired, before.repaired);
}

static void require_refused(void **state, const char *text, const char *wanted)
{
	const char *why;
	struct span line = make(state, text, &why);
	if (line.data) fail_msg("%s\nbecomes %.*s", text, (int)line.length, line.data);
	assert_non_null(why);
	if (!strstr(why, wanted)) fail_msg("%s\nis refused with \"%s\", not \"%s\"", text, why, wanted);
}

#define BEGIN "CEF:0|mozilla|weave|3|AuthFail|Refused|5|"
#define FIXED "cs1Label=requestClientApplication cs1=UA requestMethod=GET request=/1.0/x src=192.0.2.7 dhost=sync.example.com "

static void a_right_line_goes_out_byte_for_byte(void **state)
{
	require_untouched(state, BEGIN FIXED "suser=none");
	require_untouched(state, BEGIN FIXED "suser=bob ext1=ok\\=ok ext2=ok\\\\ok");
	require_untouched(state, "CEF:0|mozilla|weave|3|xx\\|x|xx\\|x|5|" FIXED "suser=none");
	require_untouched(state, BEGIN "cs1Label=requestClientApplication cs1=\\=|\\\\ requestMethod=GET request=/ src=127.0.0.1 dhost=127.0.0.1 suser=none");
	require_untouched(state, BEGIN "cs1Label=requestClientApplication cs1=UA requestMethod=GET request=/ src=127.0.0.1 dest=old.example.com suser=none");
	require_untouched(state, BEGIN FIXED "suser=none noSuchKey=1 another_one=2 msg=a\\nb");
	require_untouched(state, BEGIN FIXED "suser=none dpt=no-number src2=x");
	require_untouched(state, "CEF:1|Other|Thing||42||Very-High|act=blocked msg=all of it | and more");
	require_untouched(state, "CEF:0|a|b|c|d|e|10|");
	require_untouched(state, "CEF:0|v\\\\x|p\\|q|1|s|n|0|");
	require_untouched(state, BEGIN FIXED "suser=\xd0\xbf\xd1\x82\xd1\x82 msg=\xf0\x9f\x98\x80");
	require_untouched(state, "CEF:0|mozilla|weave|3|x|caf\xc3\xa9|5|" FIXED "suser=none");
	require_untouched(state, BEGIN FIXED "suser=bob  act=two blanks");
}

static void date_and_host_in_front_are_taken_off(void **state)
{
	static const struct { const char *front, *date, *host; } cases[] = {
		{ "", "", "" },
		{ "Oct 05 12:00:00 web1.example.com ", "Oct 05 12:00:00", "web1.example.com" },
		{ "Oct  5 12:00:00 web1 ", "Oct  5 12:00:00", "web1" },
		{ "Oct 5 12:00:00 web1 ", "Oct 5 12:00:00", "web1" },
		{ "<165>Oct 15 12:00:00 web1 ", "Oct 15 12:00:00", "web1" },
		{ "Dec 31 23:59:59 ", "Dec 31 23:59:59", "" },
		{ "<13>1 2012-10-05T12:00:00Z web1 app 7 - - ", "2012-10-05T12:00:00Z", "web1" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[300];
		struct span date, host;
		const char *why;
		snprintf(text, sizeof text, "%s%s", cases[i].front, BEGIN FIXED "suser=bob");
		require_untouched(state, text);
		legacy_line(*state, span_of(text), &date, &host, &why);
		assert_true(span_equal(date, span_of(cases[i].date)));
		assert_true(span_equal(host, span_of(cases[i].host)));
	}
}

static void what_else_stands_in_front_is_refused(void **state)
{
	require_refused(state, "hello " BEGIN "act=x", "before \"CEF:\"");
	require_refused(state, "user bob said " BEGIN "act=x", "before \"CEF:\"");
	require_refused(state, "Oct 05 12:00:00 web1 and more " BEGIN "act=x", "before \"CEF:\"");
	require_refused(state, "Okt 05 12:00:00 web1 " BEGIN "act=x", "before \"CEF:\"");
	require_refused(state, "Oct 05 12:00:00x web1 " BEGIN "act=x", "before \"CEF:\"");
	require_refused(state, "Oct 05 web1 " BEGIN "act=x", "before \"CEF:\"");
	require_refused(state, "CEF Message too big. Oct 05 12:00:00 web1 " BEGIN FIXED "suser=none [('msg', 'xxxx')]", "a warning of the client");
	require_refused(state, "CEF:", "before \"CEF:\"");
	require_refused(state, "CEF:0", "header ends");
	require_refused(state, "CEF:x|a|b|c|d|e|5|", "before \"CEF:\"");
}

static void newlines_around_the_line_are_no_part_of_it(void **state)
{
	require(state, BEGIN FIXED "suser=bob\n", BEGIN FIXED "suser=bob");
	require(state, "\n" BEGIN FIXED "suser=bob\r\n", BEGIN FIXED "suser=bob");
}

static void raw_newlines_become_spaces_in_the_header_and_escapes_in_values(void **state)
{
	require(state, "CEF:0|mozilla|weave|3|nl|two\\\nlines|5|" FIXED "suser=none", "CEF:0|mozilla|weave|3|nl|two lines|5|" FIXED "suser=none");
	require(state, "CEF:0|mozilla|weave|3|nl|two\\\r\\\nlines|5|" FIXED "suser=none", "CEF:0|mozilla|weave|3|nl|two lines|5|" FIXED "suser=none");
	require(state, "CEF:0|mozilla|weave|3|xx\\\nx\\|xx\\\rx|xx\\\nx\\|xx\\\rx|5|" FIXED "suser=me", "CEF:0|mozilla|weave|3|xx x\\|xx x|xx x\\|xx x|5|" FIXED "suser=me");
	require(state, "CEF:0|moz\nilla|weave|3|x|y|5|" FIXED "suser=none", "CEF:0|moz illa|weave|3|x|y|5|" FIXED "suser=none");
	require(state, BEGIN FIXED "suser=none msg=line1\nline2\r\nline3", BEGIN FIXED "suser=none msg=line1\\nline2\\r\\nline3");
	require(state, BEGIN "cs1Label=requestClientApplication cs1=U\nA requestMethod=GET request=/ src=192.0.2.7 dhost=h suser=b\rob", BEGIN "cs1Label=requestClientApplication cs1=U\\nA requestMethod=GET request=/ src=192.0.2.7 dhost=h suser=b\\rob");
}

static void controls_do_not_get_through(void **state)
{
	require(state, "CEF:0|mozilla|weave|3|a\x01|b\x7f|5|" FIXED "suser=\x1b[31mred", "CEF:0|mozilla|weave|3|a |b |5|" FIXED "suser= [31mred");
	require(state, "CEF:0|mozilla|weave|3|a\xc2\x85|b\xe2\x80\xa8" "c|5|" FIXED "suser=none", "CEF:0|mozilla|weave|3|a |b c|5|" FIXED "suser=none");
}

static void suser_is_escaped_whatever_it_holds(void **state)
{
	static const struct { const char *suser, *wanted; } cases[] = {
		{ "a=b", "a\\=b" },
		{ "=", "\\=" },
		{ "abc==", "abc\\=\\=" },
		{ "DOMAIN\\user", "DOMAIN\\\\user" },
		{ "ends\\", "ends\\\\" },
		{ "DOMAIN\\user\\nick", "DOMAIN\\\\user\\\\nick" },
		{ "x=\\n", "x\\=\\\\n" },
		{ "bob src=6.6.6.6", "bob src\\=6.6.6.6" },
		{ "bob suser=root", "bob suser\\=root" },
		{ "bob dhost=evil", "bob dhost\\=evil" },
		{ "bob act=allow src=6.6.6.6", "bob act\\=allow src\\=6.6.6.6" },
		{ "bob act=allow cs1=x y", "bob act\\=allow cs1\\=x y" },
		{ "bob act=allow x==1", "bob act\\=allow x\\=\\=1" },
		{ "bob act=allow C:\\temp", "bob act\\=allow C:\\\\temp" },
		{ "bob act=allow C:\\temp x=1", "bob act\\=allow C:\\\\temp x=1" },
		{ "bob a=1 a=2 b", "bob a\\=1 a=2 b" }, /* the second can be an extra key: it is the last a= */
		{ "a|b", "a|b" },
		{ "bob\nsrc=6.6.6.6", "bob\\nsrc\\=6.6.6.6" },
		{ "bob \nact=allow", "bob \\nact\\=allow" },
		{ "bob\tact=allow", "bob\tact\\=allow" },
		{ "x CEF:0|a|b|c|d|e|5| src=1", "x CEF:0|a|b|c|d|e|5| src\\=1" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[400], wanted[400];
		snprintf(text, sizeof text, "%s%s", BEGIN FIXED "suser=", cases[i].suser);
		snprintf(wanted, sizeof wanted, "%s%s", BEGIN FIXED "suser=", cases[i].wanted);
		if (strcmp(text, wanted)) require(state, text, wanted);
		else require_untouched(state, text);
	}
}

static void extra_keys_behind_a_wrong_suser_stay_keys(void **state)
{
	require(state, BEGIN FIXED "suser=a=b act=deny msg=two words", BEGIN FIXED "suser=a\\=b act=deny msg=two words");
	require(state, BEGIN FIXED "suser=DOMAIN\\user act=deny msg=x\\\\y", BEGIN FIXED "suser=DOMAIN\\\\user act=deny msg=x\\\\y");
	require(state, BEGIN FIXED "suser=bob act=x src=6.6.6.6 cnt=1 act=deny", BEGIN FIXED "suser=bob act\\=x src\\=6.6.6.6 cnt=1 act=deny");
	require(state, BEGIN FIXED "suser=bob cnt=1 act=x cnt=2", BEGIN FIXED "suser=bob cnt\\=1 act=x cnt=2");
}

static void a_forged_key_behind_src_is_text_of_src(void **state)
{
	require(state, BEGIN "cs1Label=requestClientApplication cs1=UA requestMethod=GET request=/ src=1.2.3.4 act=allow dhost=h suser=none", BEGIN "cs1Label=requestClientApplication cs1=UA requestMethod=GET request=/ src=1.2.3.4 act\\=allow dhost=h suser=none");
	require(state, BEGIN "cs1Label=requestClientApplication cs1=UA requestMethod=GET request=/ src=1.2.3.4 suser=root dest=h suser=none", BEGIN "cs1Label=requestClientApplication cs1=UA requestMethod=GET request=/ src=1.2.3.4 suser\\=root dest=h suser=none");
	require(state, BEGIN "cs1Label=requestClientApplication cs1=UA requestMethod=GET request=/ src=a\\b dhost=h suser=none", BEGIN "cs1Label=requestClientApplication cs1=UA requestMethod=GET request=/ src=a\\\\b dhost=h suser=none");
	require_refused(state, BEGIN "cs1Label=requestClientApplication cs1=UA requestMethod=GET request=/ src=1.2.3.4 dhost=e suser=root dhost=h suser=none", "dhost and suser stand there twice");
	require_refused(state, BEGIN "cs1Label=requestClientApplication cs1=UA requestMethod=GET request=/ src=1.2.3.4 dest=e suser=root dhost=h suser=none", "dhost and suser stand there twice");
}

static void none_for_an_address_is_left_out(void **state)
{
	require(state, BEGIN "cs1Label=requestClientApplication cs1=none requestMethod=GET request=/ src=None dhost=none suser=none", BEGIN "cs1Label=requestClientApplication cs1=none requestMethod=GET request=/ dhost=none suser=none");
	require(state, BEGIN FIXED "suser=None dst=None msg=None", BEGIN FIXED "suser=None msg=None");
	require_untouched(state, BEGIN "cs1Label=requestClientApplication cs1=UA requestMethod=GET request=/ src=unknown dhost=h suser=none");
}

static void bad_keys_get_an_underscore_for_each_bad_character(void **state)
{
	require(state, BEGIN FIXED "suser=none ba|d=1", BEGIN FIXED "suser=none ba_d=1");
	require(state, BEGIN FIXED "suser=none a-b=1 c.d=2", BEGIN FIXED "suser=none a_b=1 c_d=2");
	require(state, BEGIN FIXED "suser=none caf\xc3\xa9=1", BEGIN FIXED "suser=none caf_=1");
	require(state, BEGIN FIXED "suser=none a-b=1 a_b=2 a.b=3", BEGIN FIXED "suser=none a_b_=1 a_b=2 a_b__=3");
	require(state, BEGIN FIXED "suser=none s|rc=6.6.6.6", BEGIN FIXED "suser=none s_rc=6.6.6.6");
	require(state, BEGIN FIXED "suser=none two words=1", BEGIN FIXED "suser=none two words=1");
	require(state, BEGIN "a.b=1 x[0]=2", BEGIN "a_b=1 x_0_=2");
	require(state, BEGIN "msg=see http://x/?q=1 act=y", BEGIN "msg=see http://x/?q\\=1 act=y");
}

static void vendor_product_and_version_are_escaped(void **state)
{
	require(state, "CEF:0|moz\\illa|weave|3|s|n|5|" FIXED "suser=none", "CEF:0|moz\\\\illa|weave|3|s|n|5|" FIXED "suser=none");
	require(state, "CEF:0|mozilla|we|ave|3|s|n|5|" FIXED "suser=none", "CEF:0|mozilla|we\\|ave|3|s|n|5|" FIXED "suser=none");
	require(state, "CEF:0|A | B|weave|3|s|n|5|" FIXED "suser=none", "CEF:0|A \\| B|weave|3|s|n|5|" FIXED "suser=none");
	require(state, "CEF:0|mozilla|weave|3 | 4|s|n|5|" FIXED "suser=none", "CEF:0|mozilla|weave|3 \\| 4|s|n|5|" FIXED "suser=none");
	require(state, "CEF:0|moz\\|weave|3|s|n|5|" FIXED "suser=none", "CEF:0|moz\\\\|weave|3|s|n|5|" FIXED "suser=none");
	require(state, "CEF:0|a|b|weave|3|xx\\|x|5\\|5|7|" FIXED "suser=none", "CEF:0|a|b\\|weave|3|xx\\|x|5\\|5|7|" FIXED "suser=none");
	require(state, "CEF:0|a|b|weave|3|x|5|7|" FIXED "suser=none", "CEF:0|a|b\\|weave|3|x|5|7|" FIXED "suser=none");
	require_refused(state, "CEF:0|mozilla|3|s|n|5|" FIXED "suser=none", "cannot be told apart");
	require_refused(state, "CEF:0|s|n|5|" FIXED "suser=none", "too few fields");
}

static void the_options_say_which_field_has_the_pipe(void **state)
{
	static const char line[] = "CEF:0|a|b|c|d|s|n|5|" FIXED "suser=none", blanks[] = "CEF:0|a | b|c|d|s|n|5|" FIXED "suser=none";
	static const struct { struct map_options options; const char *line, *wanted; } cases[] = {
		{ { .vendor = "a|b" }, line, "CEF:0|a\\|b|c|d|s|n|5|" FIXED "suser=none" },
		{ { .product = "b|c" }, line, "CEF:0|a|b\\|c|d|s|n|5|" FIXED "suser=none" },
		{ { .device_version = "c|d" }, line, "CEF:0|a|b|c\\|d|s|n|5|" FIXED "suser=none" },
		{ { .vendor = "elsewhere" }, line, "CEF:0|a|b\\|c|d|s|n|5|" FIXED "suser=none" },
		{ { .vendor = "elsewhere" }, blanks, "CEF:0|a \\| b|c|d|s|n|5|" FIXED "suser=none" },
		{ { .vendor = "a ", .device_version = "d" }, blanks, "CEF:0|a | b\\|c|d|s|n|5|" FIXED "suser=none" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		void *one = legacy_of(0, &cases[i].options);
		require(&one, cases[i].line, cases[i].wanted);
		legacy_free(one);
	}
}

static void a_severity_is_the_one_that_is_meant_or_refused(void **state)
{
	require(state, "CEF:0|a|b|c|d|e|05|x=1", "CEF:0|a|b|c|d|e|5|x=1");
	require(state, "CEF:0|a|b|c|d|e|high|x=1", "CEF:0|a|b|c|d|e|High|x=1");
	require(state, "CEF:0|a|b|c|d|e|7.0|x=1", "CEF:0|a|b|c|d|e|7|x=1");
	require(state, "CEF:0|a|b|c|d|e|very high|x=1", "CEF:0|a|b|c|d|e|Very-High|x=1");
	require_refused(state, "CEF:0|a|b|c|d|e|11|x=1", "severity");
	require_refused(state, "CEF:0|a|b|c|d|e|-1|x=1", "severity");
	require_refused(state, "CEF:0|a|b|c|d|e||x=1", "severity");
	require_refused(state, "CEF:0|a|b|c|d|e|critical|" FIXED "suser=none", "severity");
}

static void in_lines_of_others_nothing_overwrites_what_stood_before(void **state)
{
	require(state, BEGIN "src=1.1.1.1 msg=x src=2.2.2.2 act=y", BEGIN "src=1.1.1.1 msg=x src\\=2.2.2.2 act=y");
	require(state, BEGIN "msg=C:\\temp\\x act=a=b", BEGIN "msg=C:\\\\temp\\\\x act=a\\=b");
	require(state, BEGIN "  act=y\tmsg=z", BEGIN "act=y msg=z");
	require_refused(state, BEGIN "no pairs here", "no key");
	require_refused(state, BEGIN "msg=one\n" BEGIN "act=two", "two CEF lines");
	require_refused(state, BEGIN "msg=one\nOct 05 12:00:00 h " BEGIN "act=two", "two CEF lines");
	require_refused(state, BEGIN FIXED "suser=bob\n" BEGIN FIXED "suser=eve", "dhost and suser");
	require_refused(state, BEGIN "cs1Label=requestClientApplication cs1=a x=1 requestMethod=GET request=/ src=1.2.3.4 dhost=h suser=bob src=6.6.6.6", "a key of the client");
}

/* Every start of a good line is a line or a reason, and no start has a key that the whole has not. */
static void a_line_cut_anywhere_is_refused_or_right(void **state)
{
	static const char whole[] = "Oct 05 12:00:00 web1.example.com CEF:0|moz\\|illa|we\\\\ave|3|AuthFail|Refused \xd0\xbf|5|" FIXED "suser=DOMAIN\\user ba|d=1 msg=caf\xc3\xa9 \\\\ \\= end";
	struct cef_event *event = malloc(sizeof *event);
	struct buffer decoded;
	buffer_init(&decoded, 1 << 20);
	assert_non_null(event);
	for (size_t length = 0; length < sizeof whole; length++) {
		char *exact = malloc(length + 1); /* of this size, so that a sanitizer sees a step too far */
		const char *why = NULL;
		size_t column;
		struct span date, host;
		memcpy(exact, whole, length);
		struct span text = { exact, length };
		struct span line = text_is_utf8(text) ? legacy_line(*state, text, &date, &host, &why) : SPAN("");
		if (!line.data) assert_non_null(why);
		else if (line.length && !cef_read(event, line, CEF_STRICT, &decoded, &why, &column)) fail_msg("%zu bytes: %s", length, why);
		for (size_t i = 0; line.length && i < event->pair_count; i++) {
			char key[64];
			struct span name = event->pair[i].key;
			snprintf(key, sizeof key, "%.*s=", (int)name.length, name.data);
			assert_true(strstr(whole, key) || !strcmp(key, "ba_d="));
		}
		free(exact);
	}
	buffer_release(&decoded);
	free(event);
}

static void a_line_of_a_megabyte_is_no_trouble(void **state)
{
	static const char *const pieces[] = { "x", "=", " a=", "\\", "|", "\n", " src=", " dhost=h suser=", " k-y=" };
	enum { SIZE = 1 << 20 };
	char *text = malloc(SIZE + 1);
	assert_non_null(text);
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
		for (int client = 0; client < 2; client++) {
			const char *begin = client ? BEGIN FIXED "suser=" : BEGIN "msg=", *why;
			size_t length = strlen(begin), step = strlen(pieces[i]);
			memcpy(text, begin, length);
			for (; length + step <= SIZE; length += step) memcpy(text + length, pieces[i], step);
			text[length] = '\0';
			struct span line = make(state, text, &why);
			if (!line.data) assert_non_null(why);
		}
	free(text);
}

static void a_line_that_is_too_long_is_shortened_and_counted(void **state)
{
	(void)state;
	char text[3000] = BEGIN FIXED "suser=none msg=";
	const char *why;
	memset(text + strlen(text), 'm', 2000);
	void *one = legacy_of(1000, &no_options);
	struct span line = make(&one, text, &why);
	assert_non_null(line.data);
	assert_true(line.length <= 1000);
	assert_true(span_starts(line, SPAN(BEGIN FIXED "suser=none msg=mmm")));
	assert_int_equal(legacy_tally(one)->truncated, 1);
	memcpy(strstr(text, "192.0.2.7"), "somewhere", 9);
	line = make(&one, text, &why);
	assert_true(span_starts(line, SPAN(BEGIN "cs1Label=requestClientApplication cs1=UA requestMethod=GET request=/1.0/x src=somewhere dhost=")));
	require_untouched(&one, BEGIN FIXED "suser=none");
	legacy_free(one);
}

static void a_line_is_found_where_there_is_one(void **state)
{
	(void)state;
	assert_true(legacy_is(SPAN("CEF:0|a")) && legacy_is(SPAN("Oct 05 12:00:00 web1 CEF:0|a")));
	assert_false(legacy_is(SPAN("CEF:")) || legacy_is(SPAN("CEF:|")));
	assert_false(legacy_is(SPAN("a CEF: b|")));
	assert_false(legacy_is(SPAN("xCEF:0|a")));
	assert_false(legacy_is(SPAN("")));
}

/* --- the client's way of writing, with anything in it --- */

static uint32_t seed = 20121005;

static unsigned draw(unsigned below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static void draw_text(char *out, size_t room)
{
	static const char *const pieces[] = { "a", "b c", "=", "\\", "|", "\n", "\r", " src=", " act=", " dhost=", " suser=", "n", "\xd0\xbf", " x=1", "CEF:0|", " ", "/", "None", "\t", "-" };
	size_t length = 0;
	for (unsigned n = draw(8); n && length + 8 < room; n--) length += (size_t)sprintf(out + length, "%s", pieces[draw(sizeof pieces / sizeof *pieces)]);
	out[length] = '\0';
}

/* Writes `text`, with a backslash before each of `special`. */
static size_t write_with(char *out, const char *text, const char *special)
{
	char *p = out;
	for (; *text; *p++ = *text++)
		if (strchr(special, *text)) *p++ = '\\';
	*p = '\0';
	return (size_t)(p - out);
}

enum { ROOM = 100, EXTRAS = 3 };
struct input { char signature[ROOM], name[ROOM], agent[ROOM], path[ROOM], source[ROOM], host[ROOM], user[ROOM], extra[EXTRAS][ROOM]; };

static void draw_input(struct input *in)
{
	char *const all[] = { in->signature, in->name, in->agent, in->path, in->host, in->user, in->source };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) draw_text(all[i], ROOM);
	for (int i = 0; i < EXTRAS; i++) draw_text(in->extra[i], ROOM);
	if (draw(4)) strcpy(in->source, "192.0.2.7");
}

static void write_line(char *out, const struct input *in)
{
	static const char header[] = "|\\\r\n", value[] = "\\=";
	out += sprintf(out, "CEF:0|mozilla|weave|3|");
	out += write_with(out, in->signature, header);
	*out++ = '|';
	out += write_with(out, in->name, header);
	out += sprintf(out, "|5|cs1Label=requestClientApplication cs1=");
	out += write_with(out, in->agent, value);
	out += sprintf(out, " requestMethod=GET request=");
	out += write_with(out, in->path, value);
	out += sprintf(out, " src=%s dhost=", in->source);
	out += write_with(out, in->host, value);
	out += sprintf(out, " suser=%s", in->user);
	for (int i = 0; i < EXTRAS; i++) {
		out += sprintf(out, " extra%d=", i);
		out += write_with(out, in->extra[i], value);
	}
}

/* Blanks at the end of a value cannot be told from those before the next key; at the end of the line newlines are the line's. */
static struct span without_end(struct span value, const char *blanks)
{
	while (value.length && strchr(blanks, value.data[value.length - 1])) value.length--;
	return value;
}

static void require_value(const struct cef_event *event, const char *key, const char *wanted, const char *line)
{
	const char *blanks = strcmp(key, "extra2") ? " \t" : " \t\r\n";
	for (size_t i = 0; i < event->pair_count; i++) {
		struct span value = event->pair[i].value;
		if (!span_equal(event->pair[i].key, span_of(key))) continue;
		if (!span_equal(without_end(value, blanks), without_end(span_of(wanted), blanks))) fail_msg("%s\n%s is \"%.*s\", not \"%s\"", line, key, (int)value.length, value.data, wanted);
		return;
	}
	if (without_end(span_of(wanted), blanks).length) fail_msg("%s\nhas lost %s", line, key); /* an empty one at the end is left out */
}

/* What the client escapes comes back as it was, whatever stands in what it does not escape; and there is no key but the client's, and those that suser itself brings. */
static void what_the_client_escaped_is_never_lost_or_forged(void **state)
{
	struct cef_event *event = malloc(sizeof *event);
	struct buffer decoded;
	int refused = 0, rounds = 10000;
	assert_non_null(event);
	buffer_init(&decoded, 1 << 20);
	for (int round = 0; round < rounds; round++) {
		struct input in;
		char text[2500];
		const char *why;
		size_t column;
		draw_input(&in);
		write_line(text, &in);
		struct span line = make(state, text, &why);
		if (!line.data) {
			/* Only a second dhost with a suser behind it cannot be decided. */
			assert_string_equal(why, "dhost and suser stand there twice: which ones the client wrote cannot be told");
			refused++;
			continue;
		}
		if (!cef_read(event, line, CEF_STRICT, &decoded, &why, &column)) fail_msg("%s\nbecomes %.*s: %s", text, (int)line.length, line.data, why);
		require_value(event, "cs1", in.agent, text);
		require_value(event, "request", in.path, text);
		require_value(event, "dhost", in.host, text);
		for (int i = 0; i < EXTRAS; i++) {
			char key[] = { 'e', 'x', 't', 'r', 'a', (char)('0' + i), '\0' };
			require_value(event, key, in.extra[i], text);
		}
		for (size_t i = 0; i < event->pair_count; i++) {
			static const char known[] = " cs1Label cs1 requestMethod request src dhost suser extra0 extra1 extra2 ";
			struct span key = event->pair[i].key;
			char word[40];
			snprintf(word, sizeof word, " %.*s ", (int)key.length, key.data);
			if (!strstr(known, word) && !memmem(in.user, strlen(in.user), "=", 1)) fail_msg("%s\nhas a key%sfrom nowhere", text, word);
		}
	}
	assert_true(refused < rounds / 50);
	buffer_release(&decoded);
	free(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_line_goes_out_byte_for_byte),
		cmocka_unit_test(date_and_host_in_front_are_taken_off),
		cmocka_unit_test(what_else_stands_in_front_is_refused),
		cmocka_unit_test(newlines_around_the_line_are_no_part_of_it),
		cmocka_unit_test(raw_newlines_become_spaces_in_the_header_and_escapes_in_values),
		cmocka_unit_test(controls_do_not_get_through),
		cmocka_unit_test(suser_is_escaped_whatever_it_holds),
		cmocka_unit_test(extra_keys_behind_a_wrong_suser_stay_keys),
		cmocka_unit_test(a_forged_key_behind_src_is_text_of_src),
		cmocka_unit_test(none_for_an_address_is_left_out),
		cmocka_unit_test(bad_keys_get_an_underscore_for_each_bad_character),
		cmocka_unit_test(vendor_product_and_version_are_escaped),
		cmocka_unit_test(the_options_say_which_field_has_the_pipe),
		cmocka_unit_test(a_severity_is_the_one_that_is_meant_or_refused),
		cmocka_unit_test(in_lines_of_others_nothing_overwrites_what_stood_before),
		cmocka_unit_test(a_line_cut_anywhere_is_refused_or_right),
		cmocka_unit_test(a_line_of_a_megabyte_is_no_trouble),
		cmocka_unit_test(a_line_that_is_too_long_is_shortened_and_counted),
		cmocka_unit_test(a_line_is_found_where_there_is_one),
		cmocka_unit_test(what_the_client_escaped_is_never_lost_or_forged),
	};
	return cmocka_run_group_tests_name("legacy", tests, open_legacy, close_legacy);
}
