/* mozlog_time - MozLog's Timestamp, nanoseconds since 1970 as a number, read from its text and written as RFC 3339. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/mozlog_private.h"

#define LEAST (-INT64_C(9214560000000000000)) /* 1678 to 2261, the years that timestamp_parse reads */
#define MOST (INT64_C(9214646400000000000) - 1)

static const char not_integer[] = "Timestamp is not an integer", out_of_range[] = "Timestamp is outside the years 1678 to 2261";

static inline bool is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

/* The significant digits of a number, without zeros at their end, and the power of ten they are multiplied by. A writer that has gone by way of a double
 * says 1.5e18 or 1500000000000000000.0; the text still tells all there is. */
struct decimal { uint64_t digits; int count; int64_t power; };

static bool take_digit(struct decimal *d, unsigned digit, int64_t *zeros)
{
	if (digit == 0) {
		*zeros += d->count > 0;
		return true;
	}
	if (d->count + *zeros >= 19) return false;
	for (; *zeros > 0; --*zeros) d->digits *= 10, d->count++;
	d->digits = d->digits * 10 + digit;
	d->count++;
	return true;
}

static int64_t read_exponent(const char *p, const char *end)
{
	bool negative = *p == '-';
	int64_t exponent = 0;
	if (*p == '-' || *p == '+') p++;
	for (; p < end && exponent < 10000000; p++) exponent = exponent * 10 + (*p - '0');
	return negative ? -exponent : exponent;
}

/* Of a number that is good JSON. False: more digits than an int64_t has. */
static bool read_decimal(const char *p, const char *end, struct decimal *d)
{
	int64_t zeros = 0;
	bool fraction = false;
	*d = (struct decimal){ 0 };
	for (; p < end && (*p | 0x20) != 'e'; p++) {
		if (*p == '.') {
			fraction = true;
			continue;
		}
		d->power -= fraction;
		if (!take_digit(d, (unsigned)(*p - '0'), &zeros)) return false;
	}
	d->power += zeros;
	if (p < end) d->power += read_exponent(p + 1, end);
	return true;
}

static const char *read_number(struct span text, bool negative, int64_t *ns)
{
	struct decimal d;
	if (!read_decimal(text.data, text.data + text.length, &d)) return out_of_range;
	if (d.digits == 0) d.power = 0;
	if (d.power < 0) return not_integer;
	if (d.count + d.power > 19) return out_of_range;
	for (; d.power > 0; d.power--) d.digits *= 10;
	if (d.digits > (uint64_t)MOST) return out_of_range;
	*ns = negative ? -(int64_t)d.digits : (int64_t)d.digits;
	return *ns < LEAST ? out_of_range : NULL;
}

const char *mozlog_read_time(struct value v, int64_t *ns)
{
	struct span text = v.text;
	bool negative = text.length && text.data[0] == '-';
	uint64_t digits = 0;
	size_t count = 0;
	if ((v.kind != VALUE_NUMBER && v.kind != VALUE_STRING) || text.length == 0) return not_integer;
	if (negative) text.data++, text.length--;
	while (count < text.length && is_digit(text.data[count])) digits = digits * 10 + (unsigned)(text.data[count++] - '0');
	if (v.kind == VALUE_STRING && (count < text.length || count == 0)) return not_integer;
	if (count < text.length || count > 19) return read_number(text, negative, ns);
	if (digits > (uint64_t)MOST) return out_of_range;
	*ns = negative ? -(int64_t)digits : (int64_t)digits;
	return *ns < LEAST ? out_of_range : NULL;
}

size_t mozlog_print_time(struct timestamp_minute *last, char out[TIMESTAMP_MAX], int64_t ns)
{
	size_t length = timestamp_print_next(last, out, ns);
	int rest = (int)(ns % 1000);
	if (rest == 0) return length;
	if (rest < 0) rest += 1000;
	out[length - 1] = (char)('0' + rest / 100);
	out[length] = (char)('0' + rest / 10 % 10);
	out[length + 1] = (char)('0' + rest % 10);
	out[length + 2] = 'Z';
	return length + 3;
}
