/* report_series - which series were there before: a set that is thinned out where it grows too large. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "report_series.h"

#include <stdlib.h>

enum { CAPACITY_FIRST = 1024 };

void series_arrivals_release(struct series_arrivals *a)
{
	free(a->known);
	a->known = NULL;
	a->capacity = a->count = 0;
}

/* The low bits say whether a hash is kept, so its place comes from the high ones. */
static uint64_t *find(uint64_t *known, size_t capacity, uint64_t hash)
{
	size_t at = (size_t)(hash >> 32) & (capacity - 1);
	while (known[at] && known[at] != hash) at = (at + 1) & (capacity - 1);
	return &known[at];
}

static bool is_kept(const struct series_arrivals *a, uint64_t hash)
{
	return (hash & (((uint64_t)1 << a->level) - 1)) == 0;
}

static bool make_room(struct series_arrivals *a)
{
	size_t capacity = a->capacity ? a->capacity : CAPACITY_FIRST;
	if (a->count >= SERIES_KNOWN_MAX) a->level++;
	else if (a->capacity) capacity *= 2;
	uint64_t *known = calloc(capacity, sizeof *known);
	if (!known) return false;
	size_t count = 0;
	for (size_t i = 0; i < a->capacity; i++)
		if (a->known[i] && is_kept(a, a->known[i])) {
			*find(known, capacity, a->known[i]) = a->known[i];
			count++;
		}
	free(a->known);
	a->known = known;
	a->capacity = capacity;
	a->count = count;
	return true;
}

bool series_arrivals_add(struct series_arrivals *a, uint64_t hash, int64_t minute)
{
	if (!hash) hash = 1 << 20;
	if (!is_kept(a, hash)) return true;
	while (a->count * 2 >= a->capacity)
		if (!make_room(a)) return false;
	if (!is_kept(a, hash)) return true;
	uint64_t *slot = find(a->known, a->capacity, hash);
	if (*slot) return true;
	*slot = hash;
	a->count++;
	if (minute == INT64_MIN) return true;
	struct series_minute *m = &a->recent[(uint64_t)minute % SERIES_MINUTES];
	if (m->minute != minute) *m = (struct series_minute){ minute, 0 };
	m->count += (uint64_t)1 << a->level;
	if (m->count > a->worst) a->worst = m->count, a->worst_minute = minute;
	return true;
}
