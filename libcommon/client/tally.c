/* tally - how many of the lines that an outlet has taken are calls of the application, and how many of those are handed over. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/tally.h"

void tally_take(struct tally *t, struct span lines)
{
	const char *at = lines.data, *end = at + lines.length, *newline;
	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		t->taken++;
		at = newline + 1;
	}
}

void tally_take_own(struct tally *t)
{
	t->own_at[t->own++ % TALLY_OWN] = ++t->taken;
}

void tally_tell(struct tally *t, uint64_t delivered, uint64_t lost)
{
	uint64_t settled = delivered + lost, more = lost - t->lost;
	for (unsigned i = 0; more && i < TALLY_OWN; i++) {
		if (t->own_at[i] > settled || t->own_at[i] + more <= settled || !t->own_at[i]) continue;
		t->own_at[i] = 0;
		t->own_lost++;
	}
	t->delivered = delivered;
	t->lost = lost;
}

static uint64_t own_delivered(const struct tally *t)
{
	uint64_t pending = 0;
	for (unsigned i = 0; i < TALLY_OWN; i++) pending += t->own_at[i] > t->delivered + t->lost;
	return t->own - t->own_lost - pending;
}

uint64_t tally_sent(const struct tally *t)
{
	uint64_t others = own_delivered(t) + t->rejected;
	return t->delivered > others ? t->delivered - others : 0;
}

uint64_t tally_lost(const struct tally *t)
{
	return t->lost - t->own_lost + t->passed_over + t->rejected;
}

bool tally_is_settled(const struct tally *t, uint64_t number)
{
	return t->delivered + t->lost >= number;
}
