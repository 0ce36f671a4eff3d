/* number - numbers as text, in the C locale whatever LC_ALL says. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The tools never call setlocale, so strtod and snprintf work in the "C" locale. */

size_t number_print_int(char out[NUMBER_INT_MAX], int64_t value)
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
	char digits[20], *end = digits + sizeof digits, *at = end;
	uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	for (; magnitude >= 100; magnitude /= 100) memcpy(at -= 2, pairs + 2 * (magnitude % 100), 2); /* half as many divisions as digit by digit */
	if (magnitude >= 10) memcpy(at -= 2, pairs + 2 * magnitude, 2);
	else *--at = (char)('0' + magnitude);
	if (value < 0) *out++ = '-';
	size_t length = (size_t)(end - at);
	memcpy(out, at, length);
	out[length] = '\0';
	return length + (value < 0);
}

static size_t trim_fraction(char *text, size_t length)
{
	if (!memchr(text, '.', length)) return length;
	while (text[length - 1] == '0') length--;
	if (text[length - 1] == '.') length--;
	text[length] = '\0';
	return length;
}

size_t number_print_fixed(char out[NUMBER_FIXED_MAX], double value)
{
	if (!isfinite(value)) return 0;
	if (value == 0) return number_print_int(out, 0);
	if (fabs(value) < 1e15 && value == (double)(int64_t)value) return number_print_int(out, (int64_t)value);
	char shortest[40];
	int precision = fabs(value) < DBL_MIN ? 1 : 15; /* 15 digits always survive a double, but for subnormal ones */
	do
		snprintf(shortest, sizeof shortest, "%.*e", precision - 1, value);
	while (strtod(shortest, NULL) != value && ++precision <= 17);
	int exponent = atoi(strchr(shortest, 'e') + 1);
	int decimals = precision - 1 - exponent;
	if (decimals <= 0) {
		/* All significant digits stand before the point: pad with zeros rather than print noise digits. */
		char *point = strchr(shortest, '.');
		size_t length = 0;
		for (char *p = shortest; *p != 'e'; p++)
			if (p != point) out[length++] = *p;
		for (int zeros = -decimals; zeros > 0; zeros--) out[length++] = '0';
		out[length] = '\0';
		return length;
	}
	int length = snprintf(out, NUMBER_FIXED_MAX, "%.*f", decimals, value);
	return length > 0 && length < NUMBER_FIXED_MAX ? trim_fraction(out, (size_t)length) : 0;
}

bool number_parse_int(struct span text, int64_t *value)
{
	bool negative = text.length && text.data[0] == '-';
	size_t i = negative;
	uint64_t magnitude = 0, most = (uint64_t)INT64_MAX + negative;
	if (i == text.length) return false;
	for (; i < text.length; i++) {
		unsigned digit = (unsigned)(unsigned char)text.data[i] - '0';
		if (digit > 9 || magnitude > (most - digit) / 10) return false;
		magnitude = magnitude * 10 + digit;
	}
	*value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return true;
}

static size_t skip_digits(struct span text, size_t at)
{
	while (at < text.length && text.data[at] >= '0' && text.data[at] <= '9') at++;
	return at;
}

static bool is_number(struct span text)
{
	size_t at = 0, start;
	if (at < text.length && (text.data[at] == '-' || text.data[at] == '+')) at++;
	start = at;
	at = skip_digits(text, at);
	if (at == start) return false;
	if (at < text.length && text.data[at] == '.') {
		start = ++at;
		at = skip_digits(text, at);
		if (at == start) return false;
	}
	if (at < text.length && (text.data[at] == 'e' || text.data[at] == 'E')) {
		at++;
		if (at < text.length && (text.data[at] == '-' || text.data[at] == '+')) at++;
		start = at;
		at = skip_digits(text, at);
		if (at == start) return false;
	}
	return at == text.length;
}

/* [-]digits.digits with 15 digits at most: whole number and power of ten are doubles, and so their quotient is the nearest one to what is written (Clinger). */
static bool parse_short_fraction(struct span text, double *value)
{
	static const double tens[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
	size_t at = text.length && text.data[0] == '-', start = at, point = 0;
	uint64_t whole = 0;
	if (text.length - at > 16) return false;
	for (; at < text.length; at++) {
		unsigned digit = (unsigned)(unsigned char)text.data[at] - '0';
		if (digit <= 9) whole = whole * 10 + digit;
		else if (text.data[at] == '.' && !point && at > start) point = at;
		else return false;
	}
	if (!point || point + 1 == text.length) return false;
	*value = (start ? -1.0 : 1.0) * (double)whole / tens[text.length - point - 1];
	return true;
}

bool number_parse_double(struct span text, double *value)
{
	int64_t whole;
	if (text.length && text.length <= 15 && number_parse_int(text, &whole) && (whole || text.data[0] != '-')) {
		*value = (double)whole;
		return true;
	}
	if (parse_short_fraction(text, value)) return true;
	if (!is_number(text)) return false;
	char copy[512], *owned = text.length < sizeof copy ? NULL : malloc(text.length + 1);
	char *at = owned ? owned : copy;
	if (text.length >= sizeof copy && !owned) return false;
	memcpy(at, text.data, text.length);
	at[text.length] = '\0';
	*value = strtod(at, NULL);
	free(owned);
	return isfinite(*value);
}

bool number_parse_size(struct span text, uint64_t *bytes)
{
	static const struct { const char *name; uint64_t factor; } units[] = {
		{ "Ki", 1ULL << 10 }, { "Mi", 1ULL << 20 }, { "Gi", 1ULL << 30 }, { "Ti", 1ULL << 40 },
		{ "k", 1000 }, { "K", 1000 }, { "M", 1000000 }, { "G", 1000000000 }, { "T", 1000000000000 }, { "", 1 },
	};
	size_t digits = skip_digits(text, 0);
	int64_t number;
	if (!number_parse_int((struct span){ text.data, digits }, &number)) return false;
	struct span unit = { text.data + digits, text.length - digits };
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (span_equal(unit, span_of(units[i].name))) {
			if ((uint64_t)number > UINT64_MAX / units[i].factor) return false;
			*bytes = (uint64_t)number * units[i].factor;
			return true;
		}
	return false;
}

bool number_parse_duration(struct span text, int64_t *nanoseconds)
{
	static const struct { const char *name; double factor; } units[] = {
		{ "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "", 1e9 }, { "m", 60e9 }, { "h", 3600e9 }, { "d", 86400e9 },
	};
	size_t digits = 0;
	while (digits < text.length && strchr("0123456789.", text.data[digits]) && text.data[digits]) digits++;
	double number;
	if (!number_parse_double((struct span){ text.data, digits }, &number)) return false;
	struct span unit = { text.data + digits, text.length - digits };
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (span_equal(unit, span_of(units[i].name))) {
			double total = number * units[i].factor;
			if (!(total >= 0 && total < 9e18)) return false;
			*nanoseconds = (int64_t)(total + 0.5);
			return true;
		}
	return false;
}
