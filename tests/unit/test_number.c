/* test_number - numbers as text: what is written reads back, and what is not a number is refused. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "left_out.h"

static void ints_are_printed(void **state)
{
	(void)state;
	static const int64_t values[] = { 0, 1, -1, 9, 10, 99, -100, INT64_MAX, INT64_MIN, 1234567890123 };
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		char out[NUMBER_INT_MAX], expected[32];
		snprintf(expected, sizeof expected, "%lld", (long long)values[i]);
		assert_int_equal(number_print_int(out, values[i]), strlen(expected));
		assert_string_equal(out, expected);
		int64_t back = 7;
		assert_true(number_parse_int(span_of(out), &back));
		assert_true(back == values[i]);
	}
}

static void strict_ints_refuse_everything_else(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "-", "+1", " 1", "1 ", "1.0", "1e3", "0x10", "--1", "9223372036854775808",
		"-9223372036854775809", "99999999999999999999999", "1\n", "\xd9\xa1" };
	int64_t value;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (number_parse_int(span_of(bad[i]), &value)) fail_msg("took \"%s\"", bad[i]);
	assert_true(number_parse_int(SPAN("007"), &value));
	assert_int_equal(value, 7);
	assert_false(number_parse_int((struct span){ "1\0", 2 }, &value));
}

static void fixed_notation_has_no_exponent_and_reads_back(void **state)
{
	(void)state;
	static const struct { double value; const char *text; } rows[] = {
		{ 0, "0" }, { -0.0, "0" }, { 3, "3" }, { -3, "-3" }, { 0.1, "0.1" }, { 0.5, "0.5" }, { 1.0 / 3, "0.3333333333333333" },
		{ 1e15, "1000000000000000" }, { 1e22, "10000000000000000000000" }, { 1.5e-7, "0.00000015" }, { 123456789.125, "123456789.125" },
		{ 1e-5, "0.00001" }, { -2.5e-3, "-0.0025" }, { 9007199254740993.0, "9007199254740992" }, { 0.1 + 0.2, "0.30000000000000004" },
		{ 999999999999999.9, "999999999999999.9" }, { 1e300 * 10, NULL }, { 5e-324, NULL }, { DBL_MAX, NULL }, { DBL_MIN, NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char out[NUMBER_FIXED_MAX];
		size_t length = number_print_fixed(out, rows[i].value);
		assert_int_equal(length, strlen(out));
		if (rows[i].text) assert_string_equal(out, rows[i].text);
		assert_null(strchr(out, 'e'));
		assert_true(strtod(out, NULL) == rows[i].value);
	}
}

static void the_smallest_number_is_written_short(void **state)
{
	(void)state;
	char out[NUMBER_FIXED_MAX];
	assert_int_equal(number_print_fixed(out, 5e-324), 2 + 324);
	assert_int_equal(out[2 + 323], '5');
}

static void random_doubles_read_back(void **state)
{
	(void)state;
	uint64_t seed = 88172645463325252ULL;
	for (int i = 0; i < 200000; i++) {
		seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
		double value;
		memcpy(&value, &seed, sizeof value);
		char out[NUMBER_FIXED_MAX];
		size_t length = number_print_fixed(out, value);
		if (!isfinite(value)) {
			assert_int_equal(length, 0);
			continue;
		}
		assert_true(length > 0 && length < NUMBER_FIXED_MAX);
		double back;
		assert_true(number_parse_double((struct span){ out, length }, &back));
		if (back != value) fail_msg("%a was written %s", value, out);
	}
}

static void infinities_and_nan_have_no_text(void **state)
{
	(void)state;
	char out[NUMBER_FIXED_MAX];
	assert_int_equal(number_print_fixed(out, (double)INFINITY), 0);
	assert_int_equal(number_print_fixed(out, -(double)INFINITY), 0);
	assert_int_equal(number_print_fixed(out, (double)NAN), 0);
}

static void doubles_are_strict(void **state)
{
	(void)state;
	static const struct { const char *text; double value; } good[] = {
		{ "0", 0 }, { "-0", 0 }, { "+5", 5 }, { "1.5", 1.5 }, { "-0.0", 0 }, { "1e3", 1000 }, { "1E+3", 1000 }, { "1.25e-2", 0.0125 },
		{ "123456789012345678", 123456789012345678.0 }, { "1e-400", 0 }, { "999999999999999", 999999999999999.0 },
	};
	static const char *const bad[] = { "", "-", "+", ".", ".5", "5.", "1e", "1e+", "nan", "inf", "Infinity", "0x10", " 1", "1 ",
		"1,5", "1e400", "-1e400", "1.2.3", "-.5", "-5.", "1-.5", "--1", "+-1", "1_000" };
	double value;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		if (!number_parse_double(span_of(good[i].text), &value)) fail_msg("refused \"%s\"", good[i].text);
		assert_true(value == good[i].value);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (number_parse_double(span_of(bad[i]), &value)) fail_msg("took \"%s\"", bad[i]);
	assert_true(number_parse_double(SPAN("-0"), &value) && signbit(value));
	assert_false(number_parse_double((struct span){ "1\0002", 3 }, &value));
}

static void short_fractions_are_the_nearest_double(void **state)
{
	(void)state;
	uint64_t seed = 88172645463325252ULL;
	for (int i = 0; i < 200000; i++) {
		char text[40];
		double value;
		seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
		int digits = (int)(seed % 17) + 1, decimals = (int)(seed >> 8 & 15) + 1;
		snprintf(text, sizeof text, "%s%0*.*f", seed & 1 << 20 ? "-" : "", digits + 1, decimals, (double)(seed >> 24) / pow(10, digits));
		assert_true(number_parse_double(span_of(text), &value));
		double expected = strtod(text, NULL);
		if (memcmp(&value, &expected, sizeof value) != 0) fail_msg("%s was read as %a", text, value);
	}
}

static void a_long_number_is_read_whole(void **state)
{
	(void)state;
	char text[2000];
	double value;
	memset(text, '0', sizeof text);
	memcpy(text + sizeof text - 3, "1.5", 3);
	assert_true(number_parse_double((struct span){ text, sizeof text }, &value));
	assert_true(value == 1.5);
}

static void a_decimal_comma_locale_changes_nothing(void **state)
{
	(void)state;
	/* The tools never call setlocale, so the environment alone must not matter. */
	setenv("LC_ALL", "de_DE.UTF-8", 1);
	char out[NUMBER_FIXED_MAX];
	number_print_fixed(out, 1.5);
	assert_string_equal(out, "1.5");
}

static void sizes_have_units(void **state)
{
	(void)state;
	static const struct { const char *text; uint64_t bytes; } good[] = {
		{ "0", 0 }, { "1500", 1500 }, { "64k", 64000 }, { "64K", 64000 }, { "64Ki", 65536 }, { "1M", 1000000 }, { "1Mi", 1 << 20 },
		{ "2G", 2000000000 }, { "1Gi", 1 << 30 }, { "3Ti", 3ULL << 40 }, { "8388607Ti", 8388607ULL << 40 },
	};
	static const char *const bad[] = { "", "k", "-1", "1.5k", "1KB", "1 k", " 1", "1kk", "16777216Ti", "99999999999999999999", "1m" };
	uint64_t bytes;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		if (!number_parse_size(span_of(good[i].text), &bytes)) fail_msg("refused \"%s\"", good[i].text);
		assert_true(bytes == good[i].bytes);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (number_parse_size(span_of(bad[i]), &bytes)) fail_msg("took \"%s\"", bad[i]);
}

static void durations_have_units(void **state)
{
	(void)state;
	static const struct { const char *text; int64_t ns; } good[] = {
		{ "0", 0 }, { "5", 5000000000 }, { "250ms", 250000000 }, { "5s", 5000000000 }, { "10m", 600000000000 }, { "1h", 3600000000000 },
		{ "2d", 172800000000000 }, { "1.5s", 1500000000 }, { "500us", 500000 }, { "7ns", 7 }, { "0.1s", 100000000 },
	};
	static const char *const bad[] = { "", "s", "-1s", "1 s", "1x", "1.s", ".5s", "1e3s", "999999999d", "5S", "1h30m" };
	int64_t ns;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		if (!number_parse_duration(span_of(good[i].text), &ns)) fail_msg("refused \"%s\"", good[i].text);
		assert_true(ns == good[i].ns);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (number_parse_duration(span_of(bad[i]), &ns)) fail_msg("took \"%s\"", bad[i]);
}

static double of_bits(uint64_t bits)
{
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

/* RFC 8785, appendix B, and what goes around its corners. */
static void json_numbers_are_those_of_ecmascript(void **state)
{
	(void)state;
	static const struct { uint64_t bits; const char *text; } cases[] = {
		{ 0, "0" }, { UINT64_C(0x8000000000000000), "0" }, { 1, "5e-324" }, { UINT64_C(0x8000000000000001), "-5e-324" },
		{ UINT64_C(0x7fefffffffffffff), "1.7976931348623157e+308" }, { UINT64_C(0xffefffffffffffff), "-1.7976931348623157e+308" },
		{ UINT64_C(0x4340000000000000), "9007199254740992" }, { UINT64_C(0xc340000000000000), "-9007199254740992" }, { UINT64_C(0x4430000000000000), "295147905179352830000" },
		{ UINT64_C(0x44b52d02c7e14af5), "9.999999999999997e+22" }, { UINT64_C(0x44b52d02c7e14af6), "1e+23" }, { UINT64_C(0x44b52d02c7e14af7), "1.0000000000000001e+23" },
		{ UINT64_C(0x444b1ae4d6e2ef4e), "999999999999999700000" }, { UINT64_C(0x444b1ae4d6e2ef4f), "999999999999999900000" }, { UINT64_C(0x444b1ae4d6e2ef50), "1e+21" },
		{ UINT64_C(0x3eb0c6f7a0b5ed8c), "9.999999999999997e-7" }, { UINT64_C(0x3eb0c6f7a0b5ed8d), "0.000001" },
		{ UINT64_C(0x41b3de4355555553), "333333333.3333332" }, { UINT64_C(0x41b3de4355555554), "333333333.33333325" }, { UINT64_C(0x41b3de4355555555), "333333333.3333333" },
		{ UINT64_C(0x41b3de4355555556), "333333333.3333334" }, { UINT64_C(0x41b3de4355555557), "333333333.33333343" }, { UINT64_C(0xbecbf647612f3696), "-0.0000033333333333333333" },
		{ UINT64_C(0x43143ff3c1cb0959), "1424953923781206.2" }, { UINT64_C(0x3d30000000000000), "5.684341886080802e-14" }, { UINT64_C(0x4024000000000000), "10" },
		{ UINT64_C(0x0010000000000000), "2.2250738585072014e-308" }, { UINT64_C(0x000fffffffffffff), "2.225073858507201e-308" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char out[NUMBER_JSON_MAX];
		assert_int_equal(number_print_json(out, of_bits(cases[i].bits)), strlen(cases[i].text));
		assert_string_equal(out, cases[i].text);
	}
	char out[NUMBER_JSON_MAX];
	assert_int_equal(number_print_json(out, 1.0 / 0.0), 0);
	assert_int_equal(number_print_json(out, 0.0 / 0.0), 0);
}

/* How many digits the text has, and where the last one of them stands: 1200 and 1.2e+3 have two, 10^2. */
static size_t significant(const char *text, int *last)
{
	const char *e = strchr(text, 'e'), *point = strchr(text, '.'), *end = e ? e : text + strlen(text);
	size_t count = 0, zeros = 0;
	for (const char *p = text; p < end; p++) {
		if (*p < '0' || *p > '9') continue;
		zeros = *p == '0' ? zeros + 1 : 0;
		if (count || *p != '0') count++;
	}
	*last = (e ? atoi(e + 1) : 0) - (point && point < end ? (int)(end - point) - 1 : 0) + (int)zeros;
	return count - zeros;
}

static void json_numbers_read_back_and_none_shorter_does(void **state)
{
	(void)state;
	uint64_t bits = 88172645463325252;
	for (int i = 0; i < 30000; i++) {
		bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
		/* half of them any double at all, half of the sizes that programs have */
		uint64_t pattern = i % 2 ? bits : (bits & UINT64_C(0x800fffffffffffff)) | (UINT64_C(0x3d9) + (bits >> 52 & 127)) << 52;
		if (i % 16 == 0) pattern &= UINT64_C(0xfff0000000000000); /* powers of two */
		double value = of_bits(pattern);
		if (!isfinite(value) || value == 0) continue;
		char out[NUMBER_JSON_MAX], other[64];
		int last, its_last;
		size_t length = number_print_json(out, value);
		assert_true(length < NUMBER_JSON_MAX && length == strlen(out));
		assert_true(strtod(out, NULL) == value);
		size_t digits = significant(out, &last);
		if (digits > 1) {
			snprintf(other, sizeof other, "%.*e", (int)digits - 2, value);
			assert_true(strtod(other, NULL) != value);
		}
		snprintf(other, sizeof other, "%.*e", (int)digits - 1, value); /* the nearest of so many digits, if it reads back */
		if (strtod(other, NULL) == value) {
			assert_int_equal(significant(other, &its_last), digits);
			if (its_last != last) fail_msg("%s %s", out, other);
			assert_true(strtod(other, NULL) == strtod(out, NULL));
		}
	}
}

/* A locale whose point is a comma: the machine's, or one that is made for the test. False: there is none. */
static bool use_comma(char folder[])
{
	char command[200];
	if (setlocale(LC_ALL, "de_DE.UTF-8")) return true;
	if (!mkdtemp(folder)) return false;
	snprintf(command, sizeof command, "localedef --no-archive -c -i de_DE -f UTF-8 %s/de_DE.UTF-8 >%s/log 2>&1", folder, folder);
	if (system(command) != 0) print_message("%s: failed\n", command);
	setenv("LOCPATH", folder, 1);
	return setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
}

static void json_numbers_have_a_point_in_every_locale(void **state)
{
	(void)state;
	char out[NUMBER_JSON_MAX], folder[] = "/tmp/test_number.XXXXXX", command[60];
	bool comma = use_comma(folder);
	if (comma) {
		snprintf(command, sizeof command, "%.1f", 1.5);
		assert_string_equal(command, "1,5");
		number_print_json(out, 1.5e-300);
		assert_string_equal(out, "1.5e-300");
		number_print_json(out, 0.1 + 0.2);
		assert_string_equal(out, "0.30000000000000004");
	}
	setlocale(LC_ALL, "C");
	snprintf(command, sizeof command, "rm -rf %s", folder);
	if (!strstr(folder, "XXXXXX") && system(command) != 0) print_message("%s: failed\n", command);
	if (!comma) leave_out("there is no localedef, or nothing for it to read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ints_are_printed),
		cmocka_unit_test(strict_ints_refuse_everything_else),
		cmocka_unit_test(fixed_notation_has_no_exponent_and_reads_back),
		cmocka_unit_test(the_smallest_number_is_written_short),
		cmocka_unit_test(random_doubles_read_back),
		cmocka_unit_test(infinities_and_nan_have_no_text),
		cmocka_unit_test(doubles_are_strict),
		cmocka_unit_test(short_fractions_are_the_nearest_double),
		cmocka_unit_test(a_long_number_is_read_whole),
		cmocka_unit_test(a_decimal_comma_locale_changes_nothing),
		cmocka_unit_test(sizes_have_units),
		cmocka_unit_test(durations_have_units),
		cmocka_unit_test(json_numbers_are_those_of_ecmascript),
		cmocka_unit_test(json_numbers_read_back_and_none_shorter_does),
		cmocka_unit_test(json_numbers_have_a_point_in_every_locale),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
