/* severity - the forms in which people write CEF's severities, and the way back to syslog's. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "severity.h"

#include <stdlib.h>
#include <strings.h>

static const struct { struct span text; int rank; } word[] = {
	{ { "Unknown", 7 }, -1 }, { { "Low", 3 }, 2 }, { { "Medium", 6 }, 5 }, { { "High", 4 }, 8 }, { { "Very-High", 9 }, 10 }, { { "Very High", 9 }, 10 },
};
enum { WORDS = sizeof word / sizeof *word, VERY_HIGH = 4 };

static const char digits[] = "012345678910";

static struct span number(int rank)
{
	return (struct span){ digits + rank, rank == 10 ? 2 : 1 };
}

bool severity_find(struct span text, struct span *found)
{
	text = span_trim(text);
	if (text.length > 2 && text.data[text.length - 2] == '.' && text.data[text.length - 1] == '0') text.length -= 2;
	while (text.length > 1 && text.data[0] == '0') text.data++, text.length--;
	if (text.length == 1 && text.data[0] >= '0' && text.data[0] <= '9') return *found = number(text.data[0] - '0'), true;
	if (span_equal(text, number(10))) return *found = number(10), true;
	for (size_t i = 0; i < WORDS; i++)
		if (text.length == word[i].text.length && strncasecmp(text.data, word[i].text.data, text.length) == 0)
			return *found = word[i < VERY_HIGH ? i : VERY_HIGH].text, true;
	return false;
}

int severity_nearest(struct span found, const unsigned char table[8])
{
	int rank = found.length == 2 ? 10 : found.data[0] - '0', best = 0;
	for (size_t i = 0; i < WORDS; i++)
		if (span_equal(found, word[i].text)) rank = word[i].rank;
	if (rank < 0) return 6;
	for (int i = 1; i < 8; i++)
		if (abs(table[i] - rank) < abs(table[best] - rank)) best = i;
	return best;
}
