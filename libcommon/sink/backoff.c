/* backoff - how long to wait before the next try: doubling, with jitter, up to a maximum. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/backoff.h"

#include <limits.h>
#include <sys/random.h>

#include "io/signals.h"
#include "io/socket.h"

/* Evenly 0 to most, near enough: most is small beside 2^64. Without a random number no wait is shortened. */
static int64_t draw(int64_t most)
{
	uint64_t chance;
	if (most <= 0 || getrandom(&chance, sizeof chance, GRND_NONBLOCK) != (ssize_t)sizeof chance) return 0;
	return (int64_t)(chance % ((uint64_t)most + 1));
}

int64_t backoff_next_ms(struct backoff *b)
{
	int64_t whole = b->first_ms > 0 ? b->first_ms : 1;
	for (unsigned i = 0; i < b->tries && whole < b->most_ms; i++)
		whole = whole > INT64_MAX / 2 ? b->most_ms : whole * 2;
	if (whole > b->most_ms) whole = b->most_ms;
	if (b->tries < UINT_MAX) b->tries++;
	return whole - draw(whole / 2);
}

bool backoff_wait(int64_t ms)
{
	int64_t end = socket_clock_ms() + ms;
	for (;;) {
		int64_t left = end - socket_clock_ms();
		if (signals_stopping_now()) return false;
		if (left <= 0) return true;
		signals_poll(NULL, 0, left > INT_MAX ? INT_MAX : (int)left);
	}
}
