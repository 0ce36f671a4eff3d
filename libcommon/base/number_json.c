/* number_json - the shortest text of a double, laid out as ECMAScript does, whatever the locale is. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/number.h"

#include <inttypes.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* digits * 10^exponent; the digits do not end in 0 */
struct decimal { uint64_t digits; int exponent; };

static struct decimal trimmed(uint64_t digits, int exponent)
{
	while (digits % 10 == 0) digits /= 10, exponent++;
	return (struct decimal){ digits, exponent };
}

/* Most numbers that programs have are 0.5, 12.25 or 0.000125. Of all decimals of at most 15 digits no two are the same double: one that reads back as `value` is the one that is sought.
 * A whole number below 2^53 divided by a power of ten that is a double itself reads back as its text does. */
static bool find_short(double value, struct decimal *found)
{
	static const struct { double factor; int decimals; } tries[] = { { 1e3, 3 }, { 1e6, 6 }, { 1e9, 9 } };
	for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
		double scaled = value * tries[i].factor + 0.5;
		if (scaled >= 1e15) return false;
		uint64_t digits = (uint64_t)scaled;
		if (digits && (double)digits / tries[i].factor == value) {
			*found = trimmed(digits, -tries[i].decimals);
			return true;
		}
	}
	return false;
}

/* From 2^-36 to 2^56, times the power of ten that leaves 17 or 18 digits before the point, the value and the borders of what is read as it are exact in 128 bits. Of the
 * whole numbers between the borders, those that end in most zeros are the shortest, and the nearest one of them is the one. */
static bool find_exactly(double value, struct decimal *found)
{
	__extension__ typedef unsigned __int128 wide;
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits); /* frexp would be one library more at each start */
	int exponent = (int)(bits >> 52) - 1022;
	uint64_t mantissa = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
	if (exponent < -35 || exponent > 56) return false;
	int decimals = 16 - ((exponent - 1) * 1233 >> 12); /* 1233/4096: log10(2) */
	uint64_t power = 1;
	for (int i = 0; i < decimals; i++) power *= 5;
	bool even = (mantissa & 1) == 0, lowest = mantissa == UINT64_C(1) << 52; /* below a power of two doubles are twice as dense */
	wide exact = (wide)(4 * mantissa) * power, low = (wide)(4 * mantissa - (lowest ? 1 : 2)) * power, high = (wide)(4 * mantissa + 2) * power;
	int shift = exponent - 53 - 2 + decimals; /* times two to this */
	if (shift > 0) exact <<= shift, low <<= shift, high <<= shift, shift = 0;
	wide one = (wide)1 << -shift;
	uint64_t least = (uint64_t)((low + one - 1) >> -shift), most = (uint64_t)(high >> -shift);
	if (!even && (low & (one - 1)) == 0) least++;
	if (!even && (high & (one - 1)) == 0) most--;
	uint64_t unit = 1;
	int dropped = 0;
	for (; (least + 9) / 10 <= most / 10; dropped++) least = (least + 9) / 10, most /= 10, unit *= 10;
	uint64_t nearest = (uint64_t)((exact >> -shift) / unit);
	wide rest = exact - ((wide)(nearest * unit) << -shift), half = ((wide)unit << -shift);
	if (2 * rest > half || (2 * rest == half && nearest & 1)) nearest++;
	if (nearest < least) nearest = least;
	if (nearest > most) nearest = most;
	*found = (struct decimal){ nearest, dropped - decimals };
	return true;
}

static bool reads_back(uint64_t digits, int exponent, double value)
{
	char text[40];
	snprintf(text, sizeof text, "%" PRIu64 "e%d", digits, exponent); /* no point, which may be a comma */
	return strtod(text, NULL) == value;
}

/* The rest: very large and very small numbers. */
static struct decimal find_slowly(double value)
{
	int precision = value < DBL_MIN ? 1 : 15; /* 15 digits always survive a double, but for subnormal ones */
	for (;; precision++) {
		char text[40];
		snprintf(text, sizeof text, "%.*e", precision - 1, value);
		uint64_t digits = 0;
		const char *at = text;
		for (; *at != 'e'; at++)
			if (*at >= '0' && *at <= '9') digits = digits * 10 + (uint64_t)(*at - '0');
		int exponent = atoi(at + 1) - (precision - 1);
		if (precision == 17 || reads_back(digits, exponent, value)) return trimmed(digits, exponent);
		/* At a power of two the nearest may be too low, and the next one still be read as the value. */
		if (reads_back(digits + 1, exponent, value)) return trimmed(digits + 1, exponent);
	}
}

static size_t put_zeros(char *out, int count)
{
	for (int i = 0; i < count; i++) out[i] = '0';
	return (size_t)count;
}

/* RFC 8785, 3.2.2.3, which is Number::toString of ECMAScript: `point` is how many digits stand before the point. */
static size_t lay_out(char *out, struct decimal d)
{
	char digits[NUMBER_INT_MAX], *at = out;
	size_t count = number_print_int(digits, (int64_t)d.digits);
	int point = (int)count + d.exponent;
	if (point > 21 || point <= -6) {
		*at++ = digits[0];
		if (count > 1) {
			*at++ = '.';
			memcpy(at, digits + 1, count - 1);
			at += count - 1;
		}
		*at++ = 'e';
		if (point > 0) *at++ = '+';
		size_t length = number_print_int(digits, point - 1);
		memcpy(at, digits, length);
		return (size_t)(at - out) + length;
	}
	if (point <= 0) {
		*at++ = '0';
		*at++ = '.';
		at += put_zeros(at, -point);
		point = 0;
	}
	size_t before = (size_t)point < count ? (size_t)point : count;
	memcpy(at, digits, before);
	at += before;
	if (d.exponent > 0) at += put_zeros(at, d.exponent);
	if (before < count) {
		if (before) *at++ = '.';
		memcpy(at, digits + before, count - before);
		at += count - before;
	}
	return (size_t)(at - out);
}

size_t number_print_json(char out[NUMBER_JSON_MAX], double value)
{
	if (!isfinite(value)) return 0;
	if (fabs(value) < 0x1p53 && value == (double)(int64_t)value) return number_print_int(out, (int64_t)value);
	struct decimal d;
	size_t sign = value < 0;
	if (sign) out[0] = '-', value = -value;
	if (!find_short(value, &d) && !find_exactly(value, &d)) d = find_slowly(value);
	size_t length = sign + lay_out(out + sign, d);
	out[length] = '\0';
	return length;
}
