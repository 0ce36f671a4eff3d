/* test_envelope_number - every short text in the place of a value: a number if the grammar of RFC 8259 says so, and no other. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fixture.h"

/* number = [ minus ] int [ frac ] [ exp ], a character at a time. */
static bool is_number(const char *text, size_t length)
{
	enum { START, MINUS, ZERO, WHOLE, POINT, FRACTION, E, SIGN, EXPONENT } at = START;
	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		bool digit = c >= '0' && c <= '9', e = c == 'e' || c == 'E';
		switch (at) {
		case START: if (c == '-') { at = MINUS; break; } /* fall through */
		case MINUS: if (!digit) return false; at = c == '0' ? ZERO : WHOLE; break;
		case WHOLE: if (digit) break; /* fall through */
		case ZERO: if (c == '.') at = POINT; else if (e) at = E; else return false; break;
		case POINT: if (!digit) return false; at = FRACTION; break;
		case FRACTION: if (e) at = E; else if (!digit) return false; break;
		case E: if (c == '+' || c == '-') { at = SIGN; break; } /* fall through */
		case SIGN: case EXPONENT: if (!digit) return false; at = EXPONENT; break;
		}
	}
	return at == ZERO || at == WHOLE || at == FRACTION || at == EXPONENT;
}

/* The text stands as a member, as the last element of an array, and before a blank. */
static void expect_as_grammar(struct fixture *f, const char *text, size_t length)
{
	static const struct { struct span before, behind; } places[] = { { SPAN("{\"payload\":"), SPAN("}") }, { SPAN("{\"a\":[1,"), SPAN("]}") }, { SPAN("{\"a\":"), SPAN(" ,\"b\":1}") } };
	struct buffer line;
	char room[128];
	for (size_t i = 0; i < 3; i++) {
		struct envelope e;
		struct envelope_fault fault;
		line = (struct buffer){ .data = room, .capacity = sizeof room, .limit = sizeof room };
		buffer_append_span(&line, places[i].before);
		buffer_append(&line, text, length);
		buffer_append_span(&line, places[i].behind);
		bool good = envelope_parse_copy(&e, &f->scan, &f->copy, buffer_span(&line), &fault) == ENVELOPE_GOOD;
		if (good != is_number(text, length)) fail_msg("%s: %.*s", good ? "taken" : fault.reason, (int)line.length, line.data);
		if (good && i == 0 && !span_equal(e.payload.text, (struct span){ text, length })) fail_msg("cut: %.*s", (int)line.length, line.data);
	}
}

static void every_text_of_up_to_four_characters(void **state)
{
	static const char alphabet[] = "0129.-+eE/x";
	enum { LETTERS = sizeof alphabet - 1 };
	for (size_t length = 1; length <= 4; length++) {
		size_t texts = 1;
		for (size_t i = 0; i < length; i++) texts *= LETTERS;
		for (size_t which = 0; which < texts; which++) {
			char text[4];
			for (size_t i = 0, rest = which; i < length; i++, rest /= LETTERS) text[i] = alphabet[rest % LETTERS];
			expect_as_grammar(*state, text, length);
		}
	}
}

/* One strange byte anywhere in a number of up to ten characters; what JSON gives another meaning is left out. */
static void every_byte_at_every_place(void **state)
{
	static const char *const numbers[] = { "1", "12", "1.5", "12345678", "123456789", "1234.678", "12345.789", "0.123456", "0.1234567", "-1234567", "-12345678", "1e5" };
	for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
		for (size_t at = 0; at < strlen(numbers[n]); at++)
			for (int byte = 0; byte < 256; byte++) {
				char text[16];
				if (strchr(" \t\r\n,:[]{}\"", byte)) continue; /* finds NUL, too */
				memcpy(text, numbers[n], strlen(numbers[n]));
				text[at] = (char)byte;
				expect_as_grammar(*state, text, strlen(numbers[n]));
			}
}

static void two_strange_characters_among_eight_digits(void **state)
{
	static const char strange[] = "./-+eE09:;x\x7f\x01";
	for (size_t length = 2; length <= 9; length++)
		for (size_t a = 0; a < length; a++)
			for (size_t b = a + 1; b < length; b++)
				for (size_t which = 0; which < (sizeof strange - 1) * (sizeof strange - 1); which++) {
					char text[16] = "123456789";
					text[a] = strange[which % (sizeof strange - 1)];
					text[b] = strange[which / (sizeof strange - 1)];
					if (!strchr("{}[]:,", text[a]) && !strchr("{}[]:,", text[b])) expect_as_grammar(*state, text, length);
				}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_text_of_up_to_four_characters),
		cmocka_unit_test(every_byte_at_every_place),
		cmocka_unit_test(two_strange_characters_among_eight_digits),
	};
	return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
