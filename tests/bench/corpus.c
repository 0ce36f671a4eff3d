/* corpus - writes a seeded corpus of realistic envelopes for the benchmarks: the same bytes for the same arguments. */
/* SPDX-License-Identifier: MPL-2.0 */

/* The envelopes are those of metlog-flood, in its usual mix (some 500 bytes a line); but fields.id is a user's here, of whom nine lines of ten
 * carry one, as a counter of distinct users needs it. -g gives each a fields.key too, one of so many, in no order. -t makes terse ones, of
 * nothing but a key and an id that never comes again: the keys in turn, so that each has its share of ids. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maker.h"
#include "malformed.h"

enum { ID_RANGE = 200000, NS_PER_LINE = 3000000 };
static const int64_t start = INT64_C(1349438400) * 1000000000; /* 2012-10-05T12:00:00Z */

/* Where the first pair of fields begins: in one of the two ways in which the maker writes a colon. */
static size_t fields_start(const struct buffer *line)
{
	static const char *const ways[] = { "\"fields\": {", "\"fields\":{" };
	for (size_t i = 0; i < 2; i++) {
		const char *found = memmem(line->data, line->length, ways[i], strlen(ways[i]));
		if (found) return (size_t)(found - line->data) + strlen(ways[i]);
	}
	return 0;
}

/* A key is drawn apart from all else, so that the lines are otherwise those without -g. */
static void add_key(struct buffer *line, uint64_t seed, uint64_t number, unsigned keys)
{
	struct draw draw = draw_of(seed + 1, number);
	char pair[32];
	size_t at = fields_start(line), length = (size_t)snprintf(pair, sizeof pair, "\"key\":\"k%07u\",", draw_below(&draw, keys));
	if (!at || !buffer_append(line, pair, length)) return;
	memmove(line->data + at + length, line->data + at, line->length - length - at);
	memcpy(line->data + at, pair, length);
}

static void terse_line(uint64_t number, unsigned keys, struct buffer *out)
{
	char text[96];
	int length = snprintf(text, sizeof text, "{\"type\":\"request\",\"fields\":{\"key\":\"k%07u\",\"id\":\"user-%010llu\"}}\n", (unsigned)(number % keys), (unsigned long long)number);
	buffer_clear(out);
	buffer_append(out, text, (size_t)length);
}

static void line(struct maker *m, uint64_t seed, uint64_t number, unsigned bad_permille, unsigned keys, struct buffer *out)
{
	struct draw draw = draw_of(seed, number);
	char id[16];
	int length = snprintf(id, sizeof id, "user-%06u", draw_below(&draw, ID_RANGE));
	struct maker_order order = { .kind = maker_draw_kind(&draw, maker_mix, 100), .stamp = start + (int64_t)number * NS_PER_LINE + draw_below(&draw, 1000000) };
	if (draw_below(&draw, 10)) order.id = (struct span){ id, (size_t)length };
	buffer_clear(out);
	maker_make(m, draw, &order, out);
	if (keys) add_key(out, seed, number, keys);
	if (draw_below(&draw, 1000) < bad_permille) malformed_make(out, 0, &draw);
	buffer_append_byte(out, '\n');
}

static int usage(void)
{
	fputs("usage: corpus [-n LINES] [-s SEED] [-b BAD-PER-MILLE] [-g KEYS [-t]]\n", stderr);
	return 64;
}

int main(int argc, char **argv)
{
	unsigned long long lines = 1000000, seed = 1;
	unsigned bad_permille = 0, keys = 0;
	bool terse = false;
	struct maker maker;
	struct buffer out;
	for (int option; (option = getopt(argc, argv, "n:s:b:g:t")) != -1;) {
		if (option == 'n') lines = strtoull(optarg, NULL, 10);
		else if (option == 's') seed = strtoull(optarg, NULL, 10);
		else if (option == 'b') bad_permille = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'g') keys = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 't') terse = true;
		else return usage();
	}
	if (terse && !keys) return usage();
	maker_init(&maker);
	buffer_init(&out, SIZE_MAX / 2);
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	for (unsigned long long number = 0; number < lines && !ferror(stdout); number++) {
		if (terse) terse_line(number, keys, &out);
		else line(&maker, seed, number, bad_permille, keys, &out);
		fwrite(out.data, 1, out.length, stdout);
	}
	maker_release(&maker);
	buffer_release(&out);
	return fclose(stdout) ? 74 : 0;
}
