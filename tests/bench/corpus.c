/* corpus - writes a seeded corpus of realistic envelopes for the benchmarks: the same bytes for the same arguments. */
/* SPDX-License-Identifier: MPL-2.0 */

/* The envelopes are those of metlog-flood, in its usual mix (some 500 bytes a line); but fields.id is a user's here, of whom nine lines of ten
 * carry one, as a counter of distinct users needs it. */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "maker.h"
#include "malformed.h"

enum { ID_RANGE = 200000, NS_PER_LINE = 3000000 };
static const int64_t start = INT64_C(1349438400) * 1000000000; /* 2012-10-05T12:00:00Z */

static void line(struct maker *m, uint64_t seed, uint64_t number, unsigned bad_permille, struct buffer *out)
{
	struct draw draw = draw_of(seed, number);
	char id[16];
	int length = snprintf(id, sizeof id, "user-%06u", draw_below(&draw, ID_RANGE));
	struct maker_order order = { .kind = maker_draw_kind(&draw, maker_mix, 100), .stamp = start + (int64_t)number * NS_PER_LINE + draw_below(&draw, 1000000) };
	if (draw_below(&draw, 10)) order.id = (struct span){ id, (size_t)length };
	buffer_clear(out);
	maker_make(m, draw, &order, out);
	if (draw_below(&draw, 1000) < bad_permille) malformed_make(out, 0, &draw);
	buffer_append_byte(out, '\n');
}

int main(int argc, char **argv)
{
	unsigned long long lines = 1000000, seed = 1;
	unsigned bad_permille = 0;
	struct maker maker;
	struct buffer out;
	for (int option; (option = getopt(argc, argv, "n:s:b:")) != -1;) {
		if (option == 'n') lines = strtoull(optarg, NULL, 10);
		else if (option == 's') seed = strtoull(optarg, NULL, 10);
		else if (option == 'b') bad_permille = (unsigned)strtoul(optarg, NULL, 10);
		else {
			fputs("usage: corpus [-n LINES] [-s SEED] [-b BAD-PER-MILLE]\n", stderr);
			return 64;
		}
	}
	maker_init(&maker);
	buffer_init(&out, SIZE_MAX / 2);
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	for (unsigned long long number = 0; number < lines && !ferror(stdout); number++) {
		line(&maker, seed, number, bad_permille, &out);
		fwrite(out.data, 1, out.length, stdout);
	}
	maker_release(&maker);
	buffer_release(&out);
	return fclose(stdout) ? 74 : 0;
}
