/* test_text - UTF-8 byte by byte, JSON strings, base64, and every class of text that could drive a terminal. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/text.h"

typedef bool append_function(struct buffer *, struct span);

static void expect(append_function *append, struct span input, struct span output)
{
	struct buffer b;
	buffer_init(&b, 1 << 20);
	assert_true(append(&b, input));
	if (!span_equal(buffer_span(&b), output))
		fail_msg("\"%.*s\" became \"%.*s\", not \"%.*s\"", (int)input.length, input.data, (int)b.length, b.data, (int)output.length, output.data);
	buffer_release(&b);
}

/* --- UTF-8 --- */

static void every_code_point_survives_encoding_and_decoding(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		char bytes[4];
		uint32_t back = 0;
		size_t length = text_encode_utf8(bytes, c);
		assert_int_equal(text_decode_utf8((struct span){ bytes, length }, &back), length);
		assert_int_equal(back, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
		for (size_t cut = 0; cut < length; cut++) assert_int_equal(text_decode_utf8((struct span){ bytes, cut }, &back), 0);
	}
}

static void what_is_not_utf8_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff", "\xc2", "\xc2 ", "\xe2\x82", "\xe2\x28\xa1",
		"\xf0\x9f\x98", "\xf0\x28\x8c\xbc", "ok\xff", "\xef\xbf" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (text_is_utf8(span_of(bad[i]))) fail_msg("row %zu was taken for UTF-8", i);
	assert_true(text_is_utf8(SPAN("")));
	assert_true(text_is_utf8((struct span){ "a\0b", 3 }));
	assert_true(text_is_utf8(SPAN("\xf4\x8f\xbf\xbf \xef\xbf\xbd \xed\x9f\xbf")));
}

/* --- JSON strings --- */

static void json_escapes_are_decoded(void **state)
{
	(void)state;
	static const struct { struct span in, out; } rows[] = {
		{ { "", 0 }, { "", 0 } },
		{ SPAN("plain"), SPAN("plain") },
		{ SPAN("\\\"\\\\\\/\\b\\f\\n\\r\\t"), SPAN("\"\\/\b\f\n\r\t") },
		{ SPAN("a\\nb"), SPAN("a\nb") },
		{ SPAN("\\u0041\\u00e9\\u20AC"), SPAN("A\xc3\xa9\xe2\x82\xac") },
		{ SPAN("x\\u0000y"), { "x\0y", 3 } },
		{ SPAN("\\ud83d\\ude00!"), SPAN("\xf0\x9f\x98\x80!") },
		{ SPAN("\\uD83D\\uDE00"), SPAN("\xf0\x9f\x98\x80") },
		{ SPAN("\\udbff\\udfff"), SPAN("\xf4\x8f\xbf\xbf") },
		{ SPAN("\\ud800"), SPAN("\xef\xbf\xbd") },                         /* lone high */
		{ SPAN("\\udc00"), SPAN("\xef\xbf\xbd") },                         /* lone low */
		{ SPAN("\\ud800x"), SPAN("\xef\xbf\xbdx") },
		{ SPAN("\\ud800\\n"), SPAN("\xef\xbf\xbd\n") },
		{ SPAN("\\ud800\\u0041"), SPAN("\xef\xbf\xbd""A") },               /* high, then no low */
		{ SPAN("\\ud800\\ud83d\\ude00"), SPAN("\xef\xbf\xbd\xf0\x9f\x98\x80") }, /* high, then a pair */
		{ SPAN("\\udc00\\ud800"), SPAN("\xef\xbf\xbd\xef\xbf\xbd") },      /* the wrong way round */
		{ SPAN("\\\\u0041"), SPAN("\\u0041") },                            /* an escaped backslash before a u */
		{ SPAN("\\\\\\u0041"), SPAN("\\A") },
		{ SPAN("\xc3\xa9\\t\xe2\x82\xac"), SPAN("\xc3\xa9\t\xe2\x82\xac") },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) expect(text_append_unescaped, rows[i].in, rows[i].out);
}

static void escaping_then_decoding_gives_the_same_bytes(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x3000; c++) {
		char text[8] = "a";
		size_t length = 1 + text_encode_utf8(text + 1, c);
		struct buffer escaped, back;
		buffer_init(&escaped, 100), buffer_init(&back, 100);
		assert_true(text_append_escaped(&escaped, (struct span){ text, length }));
		for (size_t i = 0; i < escaped.length; i++) assert_true((unsigned char)escaped.data[i] >= 0x20);
		assert_true(text_append_unescaped(&back, buffer_span(&escaped)));
		assert_true(span_equal(buffer_span(&back), (struct span){ text, length }));
		buffer_release(&escaped), buffer_release(&back);
	}
	expect(text_append_escaped, (struct span){ "\0\x01\b\t\n\x0b\f\r\x1f\"\\/\x7f", 13 }, SPAN("\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\\\"\\\\/\x7f"));
	expect(text_append_quoted, SPAN("say \"hi\""), SPAN("\"say \\\"hi\\\"\""));
	expect(text_append_quoted, (struct span){ NULL, 0 }, SPAN("\"\""));
}

static void halves_of_surrogate_pairs_are_mended_and_nothing_else_changes(void **state)
{
	(void)state;
	static const char *const rows[][2] = { { "", "" }, { "plain \\n \\u00e9 \\\\ud800", "plain \\n \\u00e9 \\\\ud800" }, { "\\ud83d\\ude00\\uD83D\\uDE00", "\\ud83d\\ude00\\uD83D\\uDE00" },
		{ "a\\ud800", "a\\ufffd" }, { "\\ud800\\u0041", "\\ufffd\\u0041" }, { "\\udc00\\ud800b", "\\ufffd\\ufffdb" }, { "\\ud800\\ud83d\\ude00", "\\ufffd\\ud83d\\ude00" },
		{ "\\ud7ff\\uD8FF\\n", "\\ud7ff\\ufffd\\n" } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) expect(text_append_paired, span_of(rows[i][0]), span_of(rows[i][1]));
}

static void base64_has_the_vectors_of_rfc_4648(void **state)
{
	(void)state;
	static const char *const rows[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" }, { "\xff\xfe\xfd", "//79" }, { "\xfb\xef\xbe", "++++" } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) expect(text_append_base64, span_of(rows[i][0]), span_of(rows[i][1]));
	expect(text_append_base64, (struct span){ "\0\0", 2 }, SPAN("AAA="));
}

/* Only what text_append_base64 writes is read, so that bytes have one text. */
static void base64_is_read_as_it_is_written_and_no_other_way(void **state)
{
	(void)state;
	char bytes[64];
	uint8_t back[64 / 4 * 3 + 3];
	size_t length;
	for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 151 + 7);
	for (size_t n = 0; n <= 48; n++) {
		struct buffer text;
		buffer_init(&text, 1000);
		assert_true(text_append_base64(&text, (struct span){ bytes + n % 16, n }));
		assert_true(text_decode_base64(back, &length, buffer_span(&text)));
		assert_int_equal(length, n);
		if (n) assert_memory_equal(back, bytes + n % 16, n);
		buffer_release(&text);
	}
	static const char *const wrong[] = { "A", "AA", "AAA", "A===", "====", "AA=A", "AA==AAAA", "AAA=AAAA", "AB==", "AAB=", "AA A", "AAA\n", "AA-A", "AA_A", "AAA\xc3", "Zm9v\n" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(text_decode_base64(back, &length, span_of(wrong[i])));
	assert_false(text_decode_base64(back, &length, (struct span){ "AA\0A", 4 }));
}

/* --- what a terminal sees --- */

static void hostile_text_is_shown_and_not_obeyed(void **state)
{
	(void)state;
	static const struct { struct span in, out; } rows[] = {
		{ SPAN("plain text ~!"), SPAN("plain text ~!") },
		{ SPAN("C:\\temp"), SPAN("C:\\temp") },
		{ SPAN("\x1b[31mred"), SPAN("\\x1b[31mred") },
		{ SPAN("\x1b]0;title\x07"), SPAN("\\x1b]0;title\\x07") },
		{ SPAN("a\nb\tc\rd"), SPAN("a\\nb\\tc\\rd") },
		{ { "\0", 1 }, SPAN("\\x00") },
		{ SPAN("\x7f"), SPAN("\\x7f") },
		{ SPAN("\xc2\x9b" "31m"), SPAN("\\u{009b}31m") },                   /* CSI as one C1 character */
		{ SPAN("\xc2\x85"), SPAN("\\u{0085}") },                            /* NEL */
		{ SPAN("\xe2\x80\xae" "evil"), SPAN("\\u{202e}evil") },             /* right-to-left override */
		{ SPAN("\xe2\x81\xa6"), SPAN("\\u{2066}") },
		{ SPAN("\xe2\x80\xa8\xe2\x80\xa9"), SPAN("\\u{2028}\\u{2029}") },
		{ SPAN("\xe2\x80\x8b\xef\xbb\xbf"), SPAN("\\u{200b}\\u{feff}") },   /* zero width */
		{ SPAN("\xf3\xa0\x81\x81"), SPAN("\\u{e0041}") },                   /* a tag character */
		{ SPAN("\x9b" "31m"), SPAN("\\x9b31m") },                           /* C1 as a bare byte */
		{ SPAN("\xff\xc3"), SPAN("\\xff\\xc3") },
		{ SPAN("\xe2\x82"), SPAN("\\xe2\\x82") },
		{ SPAN("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"), SPAN("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80") },
		{ { NULL, 0 }, { "", 0 } },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) expect(text_append_visible, rows[i].in, rows[i].out);
}

/* The properties that make it safe, for each byte pair: no control byte, valid UTF-8, nothing hidden. */
static void no_bytes_whatever_leave_anything_hidden(void **state)
{
	(void)state;
	struct buffer b;
	buffer_init(&b, 1000);
	for (unsigned first = 0; first < 256; first++) {
		for (unsigned second = 0; second < 256; second++) {
			const char bytes[] = { 'x', (char)first, (char)second, (char)0x80, 'y' };
			buffer_clear(&b);
			assert_true(text_append_visible(&b, (struct span){ bytes, sizeof bytes }));
			struct span rest = buffer_span(&b);
			while (rest.length) {
				uint32_t c;
				size_t length = text_decode_utf8(rest, &c);
				assert_true(length > 0);
				assert_false(text_is_hidden(c));
				rest.data += length, rest.length -= length;
			}
		}
	}
	buffer_release(&b);
}

static void the_hidden_classes_are_complete(void **state)
{
	(void)state;
	static const uint32_t hidden[] = { 0, 9, 10, 0x1b, 0x1f, 0x7f, 0x80, 0x9f, 0xad, 0x61c, 0x180e, 0x200b, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029,
		0x202a, 0x202e, 0x2060, 0x2066, 0x2069, 0x206f, 0xfeff, 0xfff9, 0xfffb, 0xe0000, 0xe0001, 0xe007f, 0xe0100, 0xe01ef };
	static const uint32_t shown[] = { ' ', '~', 0xa0, 0xe9, 0x300, 0x61b, 0x2010, 0x2027, 0x202f, 0x20ac, 0x3042, 0xfffd, 0x1f600, 0x10ffff };
	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
		if (!text_is_hidden(hidden[i])) fail_msg("U+%04X is shown", (unsigned)hidden[i]);
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		if (text_is_hidden(shown[i])) fail_msg("U+%04X is hidden", (unsigned)shown[i]);
}

static void plain_runs_end_where_they_must(void **state)
{
	(void)state;
	char text[64];
	for (size_t length = 0; length <= 40; length++) {
		for (size_t at = 0; at <= length; at++) {
			static const unsigned char special[] = { 0, 9, 10, 0x1f, 0x7f, 0x80, 0x9b, 0xc3, 0xff };
			for (size_t i = 0; i < sizeof special; i++) {
				memset(text, i & 1 ? ' ' : '~', sizeof text);
				text[at] = (char)special[i];
				assert_int_equal(text_plain_length((struct span){ text, length }), at < length ? at : length);
			}
		}
	}
}

static void a_buffer_that_is_full_is_a_verdict(void **state)
{
	(void)state;
	struct buffer b;
	buffer_init(&b, 8);
	assert_false(text_append_visible(&b, SPAN("\x1b\x1b\x1b")));
	buffer_clear(&b);
	assert_false(text_append_unescaped(&b, SPAN("123456789\\n")));
	buffer_clear(&b);
	assert_false(text_append_quoted(&b, SPAN("1234567")));
	buffer_clear(&b);
	assert_false(text_append_base64(&b, SPAN("1234567")));
	buffer_release(&b);
}

static void edits_are_counted_to_guess_what_was_meant(void **state)
{
	(void)state;
	assert_int_equal(text_edits(SPAN("src"), SPAN("src")), 0);
	assert_int_equal(text_edits(SPAN("srcc"), SPAN("src")), 1);
	assert_int_equal(text_edits(SPAN("SRC"), SPAN("src")), 0);
	assert_int_equal(text_edits(SPAN("kitten"), SPAN("sitting")), 3);
	assert_int_equal(text_edits(SPAN(""), SPAN("abc")), 3);
	char longer[TEXT_EDITS_MAX + 1] = { 0 };
	assert_true(text_edits((struct span){ longer, sizeof longer }, SPAN("src")) == SIZE_MAX);
}

static void columns_are_those_of_a_terminal(void **state)
{
	(void)state;
	assert_int_equal(text_columns(SPAN("")), 0);
	assert_int_equal(text_columns(SPAN("plain")), 5);
	assert_int_equal(text_columns(SPAN("\xc3\xa9t\xc3\xa9")), 3);
	assert_int_equal(text_columns(SPAN("e\xcc\x81t")), 2);          /* a combining accent */
	assert_int_equal(text_columns(SPAN("\xe6\x9d\xb1\xe4\xba\xac")), 4); /* two wide characters */
	assert_int_equal(text_fit(SPAN("plain"), 3), 3);
	assert_int_equal(text_fit(SPAN("plain"), 9), 5);
	assert_int_equal(text_fit(SPAN("plain"), 0), 0);
	assert_int_equal(text_fit(SPAN("\xe6\x9d\xb1\xe4\xba\xac"), 3), 3); /* half a character is none */
	assert_int_equal(text_fit(SPAN("e\xcc\x81t"), 1), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_survives_encoding_and_decoding),
		cmocka_unit_test(what_is_not_utf8_is_refused),
		cmocka_unit_test(json_escapes_are_decoded),
		cmocka_unit_test(escaping_then_decoding_gives_the_same_bytes),
		cmocka_unit_test(halves_of_surrogate_pairs_are_mended_and_nothing_else_changes),
		cmocka_unit_test(base64_has_the_vectors_of_rfc_4648),
		cmocka_unit_test(base64_is_read_as_it_is_written_and_no_other_way),
		cmocka_unit_test(hostile_text_is_shown_and_not_obeyed),
		cmocka_unit_test(no_bytes_whatever_leave_anything_hidden),
		cmocka_unit_test(the_hidden_classes_are_complete),
		cmocka_unit_test(plain_runs_end_where_they_must),
		cmocka_unit_test(a_buffer_that_is_full_is_a_verdict),
		cmocka_unit_test(columns_are_those_of_a_terminal),
		cmocka_unit_test(edits_are_counted_to_guess_what_was_meant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
