/* dictionary_value - a value of a key's type, checked and written as it is sent. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <arpa/inet.h>

#include "base/number.h"
#include "base/timestamp.h"
#include "dictionary.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Digits that are sure to fit into 32 bits, as they would be printed: nine in ten integers. */
static bool is_short_integer(struct span value)
{
	size_t i = value.data[0] == '-';
	if (value.length - i > 9 || value.length == i || value.data[i] == '0') return value.length == 1 && value.data[0] == '0';
	while (i < value.length && is_digit(value.data[i])) i++;
	return i == value.length;
}

static bool append_integer(struct buffer *out, struct span value, int64_t least, int64_t most)
{
	int64_t number;
	if (is_short_integer(value)) return buffer_append_span(out, value);
	return number_parse_int(value, &number) && number >= least && number <= most && buffer_append_int(out, number);
}

static bool is_address(struct span value, int family)
{
	char text[INET6_ADDRSTRLEN + 1];
	unsigned char address[16];
	if (value.length >= sizeof text || memchr(value.data, '\0', value.length)) return false;
	memcpy(text, value.data, value.length);
	text[value.length] = '\0';
	return inet_pton(family, text, address) == 1;
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

static bool is_mac(struct span value)
{
	if (value.length != 17 || (value.data[2] != ':' && value.data[2] != '-')) return false;
	for (size_t i = 0; i < 17; i++)
		if (i % 3 == 2 ? value.data[i] != value.data[2] : !is_hex(value.data[i])) return false;
	return true;
}

/* Digits at `at`, as few and as many as said; their value, or -1. */
static int digits_at(struct span text, size_t *at, size_t least, size_t most)
{
	int value = 0;
	size_t from = *at;
	while (*at < text.length && *at - from < most && is_digit(text.data[*at])) value = value * 10 + text.data[(*at)++] - '0';
	return *at - from < least ? -1 : value;
}

static bool skip(struct span text, size_t *at, char c)
{
	if (*at == text.length || text.data[*at] != c) return false;
	++*at;
	return true;
}

/* "UTC", "CET", "GMT+02:00", "Europe/Berlin". */
static bool is_zone(struct span text)
{
	if (text.length == 0 || text.length > 40 || !is_letter(text.data[0])) return false;
	for (size_t i = 0; i < text.length; i++)
		if (!is_letter(text.data[i]) && !is_digit(text.data[i]) && !memchr("+-:/_", text.data[i], 5)) return false;
	return true;
}

/* "MMM dd [yyyy] HH:mm:ss[.SSS] [zzz]"; syslog's day of one digit has two blanks before it. */
static bool is_calendar(struct span text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	if (text.length < 14 || text.data[3] != ' ') return false;
	const char *month = memmem(months, sizeof months - 1, text.data, 3);
	if (!month || (month - months) % 3) return false;
	size_t at = text.data[4] == ' ' ? 5 : 4;
	int day = digits_at(text, &at, 1, at == 5 ? 1 : 2);
	if (day < 1 || day > 31 || !skip(text, &at, ' ')) return false;
	if (text.length - at > 4 && text.data[at + 2] != ':' && (digits_at(text, &at, 4, 4) < 0 || !skip(text, &at, ' '))) return false;
	int hour = digits_at(text, &at, 2, 2);
	if (hour < 0 || hour > 23 || !skip(text, &at, ':')) return false;
	int minute = digits_at(text, &at, 2, 2);
	if (minute < 0 || minute > 59 || !skip(text, &at, ':')) return false;
	int second = digits_at(text, &at, 2, 2);
	if (second < 0 || second > 60) return false;
	if (skip(text, &at, '.') && digits_at(text, &at, 3, 3) < 0) return false;
	if (at == text.length) return true;
	return skip(text, &at, ' ') && is_zone((struct span){ text.data + at, text.length - at });
}

/* Only makes the next one faster: most are of the same minute, and many of the same second, of which only the milliseconds have to be written (callgrind, tests/bench/corpus: 470 instructions a
 * time before, 80 now). The time is up to its second as it was read, and as it is sent. */
static struct timestamp_minute last;
static struct { char text[19], sent[16]; uint8_t sent_length; } last_second;

/* "2012-10-05T12:00:01.497389Z" of the second that was the last. */
static bool append_next_time(struct buffer *out, struct span value)
{
	enum { SECOND = sizeof last_second.text, POINT = SECOND, FRACTION };
	if (value.length < FRACTION + 4 || value.length > FRACTION + 10 || !last_second.sent_length || memcmp(value.data, last_second.text, SECOND) != 0) return false;
	if (value.data[POINT] != '.' || value.data[value.length - 1] != 'Z') return false;
	for (size_t i = FRACTION; i < value.length - 1; i++)
		if (!is_digit(value.data[i])) return false;
	if (!buffer_reserve(out, sizeof last_second.sent + 3)) return false;
	char *at = out->data + out->length;
	memcpy(at, last_second.sent, sizeof last_second.sent);
	memcpy(at + last_second.sent_length, value.data + FRACTION, 3);
	out->length += last_second.sent_length + 3u;
	return true;
}

/* Not of 23:59:60, nor before 1970, when digits behind digits would be another number. */
static void keep_second(struct span value, int64_t milliseconds)
{
	char text[NUMBER_INT_MAX];
	last_second.sent_length = 0;
	if (value.length <= sizeof last_second.text || value.data[sizeof last_second.text] != '.' || value.data[17] > '5' || milliseconds < 1000) return;
	size_t length = number_print_int(text, milliseconds / 1000);
	if (length > sizeof last_second.sent) return;
	memcpy(last_second.text, value.data, sizeof last_second.text);
	memcpy(last_second.sent, text, length);
	last_second.sent_length = (uint8_t)length;
}

static bool append_time(struct buffer *out, struct span value)
{
	int64_t ns;
	if (append_next_time(out, value)) return true;
	if (append_integer(out, value, INT64_MIN, INT64_MAX)) return true;
	if (!timestamp_parse_next(&last, value, &ns)) return is_calendar(value) && buffer_append_span(out, value);
	int64_t milliseconds = ns / 1000000 - (ns % 1000000 < 0);
	/* Only the form that the next one may have: an offset in place of the Z would be another second. */
	if (value.data[value.length - 1] == 'Z') keep_second(value, milliseconds);
	return buffer_append_int(out, milliseconds);
}

/* 135.328: what number_parse_double would take, without a double being made. */
static bool is_short_decimal(struct span value)
{
	size_t i = 0, whole, behind;
	if (value.length > 30) return false;
	while (i < value.length && is_digit(value.data[i])) i++;
	whole = i;
	if (whole == 0 || i == value.length || value.data[i++] != '.') return false;
	for (behind = i; i < value.length && is_digit(value.data[i]); i++) continue;
	return i == value.length && i > behind && (whole == 1 || value.data[0] != '0');
}

bool dictionary_append(struct buffer *out, enum dictionary_type type, struct span value, const char **why)
{
	double number;
	if (value.length == 0 && type != DICTIONARY_STRING) return *why = "a value", false;
	switch (type) {
	case DICTIONARY_STRING: return buffer_append_span(out, value);
	case DICTIONARY_INTEGER:
		*why = "an integer from -2147483648 to 2147483647";
		return append_integer(out, value, INT32_MIN, INT32_MAX);
	case DICTIONARY_LONG:
		*why = "an integer of 64 bits";
		return append_integer(out, value, INT64_MIN, INT64_MAX);
	case DICTIONARY_FLOAT:
		*why = "a number";
		return (is_short_decimal(value) || number_parse_double(value, &number)) && buffer_append_span(out, value);
	case DICTIONARY_TIME:
		*why = "a time (milliseconds since 1970, or RFC 3339)";
		return append_time(out, value);
	case DICTIONARY_IPV4:
		*why = "an IPv4 address";
		return is_address(value, AF_INET) && buffer_append_span(out, value);
	case DICTIONARY_IPV6:
		*why = "an IPv6 address";
		return is_address(value, AF_INET6) && buffer_append_span(out, value);
	case DICTIONARY_IP:
		*why = "an IP address";
		return (is_address(value, AF_INET) || is_address(value, AF_INET6)) && buffer_append_span(out, value);
	case DICTIONARY_MAC:
		*why = "a MAC address";
		return is_mac(value) && buffer_append_span(out, value);
	}
	*why = "a value of a known type";
	return false;
}
