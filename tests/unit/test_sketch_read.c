/* test_sketch_read - what is no Redis value is refused with its reason, before anything of it is used; what is one comes back as it was. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sketch_fixture.h"

#define HEADER_SPARSE "HYLL\1\0\0\0\0\0\0\0\0\0\0\x80"
#define HEADER_DENSE "HYLL\0\0\0\0\0\0\0\0\0\0\0\x80"

/* Reads from a copy of just that size, so that a byte too many is seen by the sanitizers. */
static const char *read_exactly(struct sketch *s, struct span bytes)
{
	char *copy = malloc(bytes.length ? bytes.length : 1);
	assert_non_null(copy);
	if (bytes.length) memcpy(copy, bytes.data, bytes.length);
	const char *why = sketch_read(s, (struct span){ copy, bytes.length });
	free(copy);
	return why;
}

static void assert_refused(struct span bytes, const char *expected)
{
	struct sketch s = { 0 };
	const char *why = read_exactly(&s, bytes);
	assert_non_null(why);
	assert_string_equal(why, expected);
	assert_null(s.data);
	assert_int_equal(sketch_count(&s), 0);
	assert_true(sketch_is_exact(&s));
}

static void what_is_no_value_is_refused_with_its_reason(void **state)
{
	static const struct { struct span bytes; const char *why; } rows[] = {
		{ SPAN(""), "it is empty, as the value of a key that is not there" },
		{ SPAN("\n"), "it is empty, as the value of a key that is not there" },
		{ SPAN("\0"), "it does not begin with HYLL" },
		{ SPAN("\0\x1aHYLL\1\0\0\0"), "it is what DUMP answers, and what GET answers is wanted" },
		{ SPAN("\0\xc3[@p \4HYLL\0 \0"), "it is what DUMP answers, and what GET answers is wanted" },
		{ SPAN("HYL"), "it does not begin with HYLL" },
		{ SPAN("hyll\1\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff"), "it does not begin with HYLL" },
		{ SPAN("\"HYLL\\x01\\x00"), "it is quoted, as redis-cli shows it on a terminal (redis-cli --raw writes the value)" },
		{ SPAN("HYLL"), "it is shorter than a header" },
		{ SPAN("HYLL\1\0\0\0\0\0\0\0\0\0\0"), "it is shorter than a header" },
		{ SPAN("HYLL\2\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff"), "its encoding is neither dense nor sparse" },
		{ SPAN("HYLL\xff\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff"), "its encoding is neither dense nor sparse" },
		{ SPAN(HEADER_SPARSE), "its runs end before the last register" },
		{ SPAN(HEADER_SPARSE "\x7f"), "it ends inside a run" },
		{ SPAN(HEADER_SPARSE "\x7f\xfe"), "its runs end before the last register" },
		{ SPAN(HEADER_SPARSE "\x7f\xfe\n"), "its runs pass the last register" },
		{ SPAN(HEADER_SPARSE "\x7f\xff\0"), "there is more behind the last register" },
		{ SPAN(HEADER_SPARSE "\x7f\xff\n\n"), "there is more behind the last register" },
		{ SPAN(HEADER_SPARSE "\x7f\xff\r\n"), "there is more behind the last register" },
		{ SPAN(HEADER_SPARSE "\x7f\xff\x7f\xff"), "there is more behind the last register" },
		/* CVE-2019-10192 and 10193: a run of values, or of zeros, that passes the end */
		{ SPAN(HEADER_SPARSE "\x7f\xfe\x83"), "its runs pass the last register" },
		{ SPAN(HEADER_SPARSE "\x7f\xfe\x3f"), "its runs pass the last register" },
		{ SPAN(HEADER_SPARSE "\x80\x7f\xff"), "its runs pass the last register" },
		{ SPAN(HEADER_DENSE), "it is dense and shorter than 12,304 bytes" },
		{ SPAN(HEADER_DENSE "\x7f\xff"), "it is dense and shorter than 12,304 bytes" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) assert_refused(rows[i].bytes, rows[i].why);
}

/* CVE-2025-32023: so many runs of zeros that a sum of their lengths overflows and comes out at the number of registers again. */
static void zeros_that_overflow_a_sum_are_refused(void **state)
{
	(void)state;
	static char bytes[SKETCH_HEADER + 2 * 262144 + 2] = HEADER_SPARSE;
	char *p = bytes + SKETCH_HEADER;
	for (size_t i = 0; i < 262144; i++, p += 2) memcpy(p, "\x7f\xff", 2);   /* 2^32 registers */
	memcpy(p, "\x7f\xff", 2);
	assert_refused((struct span){ bytes, sizeof bytes }, "there is more behind the last register");
	memcpy(bytes + SKETCH_HEADER, "\x00\x83", 2);                        /* five registers first, so that none ends at the last */
	assert_refused((struct span){ bytes, sizeof bytes }, "its runs pass the last register");
}

static void a_dense_value_is_taken_whole_or_not_at_all(void **state)
{
	static char bytes[SKETCH_DENSE + 4] = HEADER_DENSE;
	struct sketch s = { 0 };
	(void)state;
	assert_refused((struct span){ bytes, SKETCH_DENSE - 1 }, "it is dense and shorter than 12,304 bytes");
	assert_refused((struct span){ bytes, SKETCH_DENSE + 1 }, "there is more behind the last register");
	assert_null(read_exactly(&s, (struct span){ bytes, SKETCH_DENSE }));
	assert_int_equal(sketch_count(&s), 0);
	sketch_release(&s);
	for (size_t at = SKETCH_HEADER; at < SKETCH_DENSE; at += 997) {
		for (uint8_t rank = 51; rank <= 63; rank += 12) {
			memset(bytes + SKETCH_HEADER, 0, SKETCH_DENSE - SKETCH_HEADER);
			bytes[(at - SKETCH_HEADER) / 3 * 3 + SKETCH_HEADER] = (char)rank;  /* the first of the four registers in three bytes */
			if (rank > 51) assert_refused((struct span){ bytes, SKETCH_DENSE }, "a register is above 51, which no value gives");
			else assert_null(read_exactly(&s, (struct span){ bytes, SKETCH_DENSE }));
			sketch_release(&s);
		}
	}
	memset(bytes + SKETCH_HEADER, 0, SKETCH_DENSE - SKETCH_HEADER);
	bytes[SKETCH_DENSE - 1] = (char)(52 << 2);
	assert_refused((struct span){ bytes, SKETCH_DENSE }, "a register is above 51, which no value gives");
}

/* `redis-cli GET key >file` leaves one behind the value; 0x0a is a run of eleven zeros, too. */
static void one_newline_behind_the_value_is_taken_off(void **state)
{
	static char dense[SKETCH_DENSE + 2] = HEADER_DENSE;
	struct sketch s = { 0 };
	(void)state;
	assert_null(read_exactly(&s, SPAN(HEADER_SPARSE "\x7f\xff\n")));
	assert_int_equal(s.length, SKETCH_HEADER + 2);
	sketch_release(&s);
	assert_null(read_exactly(&s, SPAN(HEADER_SPARSE "\x7f\xf4\n")));
	assert_int_equal(s.length, SKETCH_HEADER + 3);
	sketch_release(&s);
	assert_null(read_exactly(&s, SPAN(HEADER_SPARSE "\x7f\xf4\n\n")));
	assert_int_equal(s.length, SKETCH_HEADER + 3);
	sketch_release(&s);
	dense[SKETCH_DENSE] = '\n';
	assert_null(read_exactly(&s, (struct span){ dense, SKETCH_DENSE + 1 }));
	assert_int_equal(s.length, SKETCH_DENSE);
	sketch_release(&s);
	dense[SKETCH_DENSE + 1] = '\n';
	assert_refused((struct span){ dense, SKETCH_DENSE + 2 }, "there is more behind the last register");
}

/* An empty sketch with a number in its cache, and the bit that says it holds: Redis would answer 99. */
static void a_cached_count_is_not_believed(void **state)
{
	struct sketch s = { 0 };
	(void)state;
	assert_null(read_exactly(&s, SPAN("HYLL\1\0\0\0\x63\0\0\0\0\0\0\0\x7f\xff")));
	assert_int_equal(sketch_count(&s), 0);
	struct buffer value = value_of(&s);
	assert_memory_equal(value.data, "HYLL\1\0\0\0\x63\0\0\0\0\0\0\x80\x7f\xff", 18);
	buffer_release(&value);
	sketch_release(&s);
}

/* Runs that Redis itself would not write, but reads: one register as a long run of zeros; every register a run of its own. */
static void runs_of_any_cut_are_read(void **state)
{
	static char longest[SKETCH_HEADER + 2 * SKETCH_REGISTERS + 1] = HEADER_SPARSE;
	struct sketch s = { 0 };
	(void)state;
	assert_null(read_exactly(&s, SPAN(HEADER_SPARSE "\x00\x80\x7f\xfd")));
	assert_int_equal(sketch_count(&s), 1);
	for (uint64_t i = 0; i < 1000; i++) assert_true(sketch_add(&s, hash_of(i)));
	assert_in_range(sketch_count(&s), 975, 1025);
	sketch_release(&s);
	for (size_t i = 0; i < SKETCH_REGISTERS; i++) longest[SKETCH_HEADER + 2 * i] = 0x40;
	assert_null(read_exactly(&s, (struct span){ longest, sizeof longest - 1 }));
	assert_int_equal(s.form, SKETCH_DENSE_FORM);   /* no value is longer than a dense one */
	assert_int_equal(sketch_count(&s), 0);
	for (uint64_t i = 0; i < 1000; i++) assert_true(sketch_add(&s, hash_of(i)));
	assert_in_range(sketch_count(&s), 975, 1025);
	sketch_release(&s);
	memset(longest + SKETCH_HEADER, 0x80, SKETCH_REGISTERS);
	assert_null(read_exactly(&s, (struct span){ longest, SKETCH_HEADER + SKETCH_REGISTERS }));
	uint64_t before = sketch_count(&s);
	for (uint64_t i = 0; i < SKETCH_REGISTERS; i++) assert_true(sketch_add(&s, i | 1 << 14));
	assert_int_equal(sketch_count(&s), before);
	sketch_release(&s);
}

/* Ten runs of one register, whose third becomes 2: the two before stay, and of those behind it four are joined. */
static void a_change_takes_five_looks_at_its_neighbours(void **state)
{
	struct sketch s = { 0 };
	(void)state;
	assert_null(read_exactly(&s, SPAN(HEADER_SPARSE "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f\xf5")));
	assert_true(sketch_add(&s, 2 | 1 << 15));
	struct buffer value = value_of(&s);
	assert_int_equal(value.length, SKETCH_HEADER + 9);
	assert_memory_equal(value.data + SKETCH_HEADER, "\x80\x80\x84\x83\x80\x80\x80\x7f\xf5", 9);
	buffer_release(&value);
	sketch_release(&s);
}

static void a_value_comes_back_as_it_was(void **state)
{
	struct sketch s = { 0 };
	(void)state;
	for (uint64_t i = 0; i < 2500; i++) {
		assert_true(sketch_add(&s, hash_of(i)));
		if (i % 50 && i < 2400) continue;
		struct sketch again = reread(&s);
		assert_same_value(&s, &again);
		assert_int_equal(estimate(&s), estimate(&again));
		sketch_release(&again);
	}
	sketch_release(&s);
}

static void the_text_keeps_the_form_the_order_and_the_count(void **state)
{
	struct sketch s = { 0 };
	(void)state;
	for (uint64_t i = 0; i < 2500; i++) {
		if (i % 37 == 0 || (i > 250 && i < 260)) {
			struct sketch again = { 0 };
			struct buffer text = text_of(&s), second;
			for (size_t at = 0; at < text.length; at++) assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", text.data[at]));
			assert_true(span_starts(buffer_span(&text), s.form == SKETCH_SMALL ? SPAN("=") : SPAN("SFlMT")));
			assert_null(sketch_read_text(&again, buffer_span(&text)));
			assert_int_equal(again.form, s.form);
			assert_int_equal(sketch_count(&again), sketch_count(&s));
			assert_same_value(&s, &again);
			second = text_of(&again);
			assert_true(span_equal(buffer_span(&text), buffer_span(&second)));
			buffer_release(&text);
			buffer_release(&second);
			sketch_release(&again);
		}
		assert_true(sketch_add(&s, hash_of(i)));
	}
	sketch_release(&s);
}

static void an_entry_is_six_bytes_little_endian(void **state)
{
	struct sketch s = { 0 };
	(void)state;
	assert_true(sketch_add(&s, 0xffff060504030201));
	assert_true(sketch_add(&s, 0x0000060504030201));
	struct buffer text = text_of(&s);
	assert_string_equal(buffer_text(&text), "=AQIDBAUG");
	buffer_release(&text);
	sketch_release(&s);
}

static void text_that_is_no_sketch_is_refused_with_its_reason(void **state)
{
	static const char *const rows[][2] = {
		{ "", "it is empty, as the value of a key that is not there" },
		{ "=AQIDBAU", "it is not base64" },
		{ "=AQIDBAUGB", "it is not base64" },
		{ "=AQIDBAU=", "its last entry is not whole" },
		{ "=AQID BAUG", "it is not base64" },
		{ "=AQIDBAUGAQIDBAUG", "an entry is there twice" },
		{ "=/z8AAAAA", "an entry has no rank" },
		{ "==", "it is not base64" },
		{ "SFlMTAEAAAAAAAAAAAAAgH/+", "its runs end before the last register" },
		{ "SFlMTAEAAAAAAAAAAAAAgH//Cg==", "there is more behind the last register" },
		{ "SFlMTAEAAAAAAAAAAAAAgH//\n", "it is not base64" },
		{ "HYLL", "it does not begin with HYLL" },
	};
	(void)state;
	struct sketch s = { 0 };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *why = sketch_read_text(&s, span_of(rows[i][0]));
		assert_non_null(why);
		assert_string_equal(why, rows[i][1]);
		assert_null(s.data);
	}
	assert_null(sketch_read_text(&s, SPAN("=")));
	assert_int_equal(sketch_count(&s), 0);
	static char text[20000] = "=";
	for (size_t i = 0; i < 257; i++) {
		char entry[9];
		snprintf(entry, sizeof entry, "AQ%06zu", i);
		memcpy(text + 1 + 8 * i, entry, 8);
	}
	assert_null(sketch_read_text(&s, (struct span){ text, 1 + 8 * 256 }));
	assert_int_equal(sketch_count(&s), 256);
	sketch_release(&s);
	assert_string_equal(sketch_read_text(&s, (struct span){ text, 1 + 8 * 257 }), "it has more than 256 entries");
	memset(text, 'A', sizeof text);
	assert_string_equal(sketch_read_text(&s, (struct span){ text, sizeof text }), "it is longer than any sketch");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_value_is_refused_with_its_reason),
		cmocka_unit_test(zeros_that_overflow_a_sum_are_refused),
		cmocka_unit_test(a_dense_value_is_taken_whole_or_not_at_all),
		cmocka_unit_test(one_newline_behind_the_value_is_taken_off),
		cmocka_unit_test(a_cached_count_is_not_believed),
		cmocka_unit_test(runs_of_any_cut_are_read),
		cmocka_unit_test(a_change_takes_five_looks_at_its_neighbours),
		cmocka_unit_test(a_value_comes_back_as_it_was),
		cmocka_unit_test(the_text_keeps_the_form_the_order_and_the_count),
		cmocka_unit_test(an_entry_is_six_bytes_little_endian),
		cmocka_unit_test(text_that_is_no_sketch_is_refused_with_its_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
