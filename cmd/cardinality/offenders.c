/* offenders - a few counters, of which the smallest gives way. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "offenders.h"

#include <stdlib.h>

#include "base/checksum.h"
#include "io/diag.h"

struct offenders *offenders_new(void)
{
	return must_alloc(sizeof(struct offenders));
}

void offenders_free(struct offenders *o)
{
	free(o);
}

static uint32_t smallest(const struct offenders *o)
{
	uint32_t least = 0;
	for (uint32_t i = 1; i < o->used; i++)
		if (o->count[i] < o->count[least]) least = i;
	return least;
}

void offenders_add(struct offenders *o, struct span value)
{
	uint64_t hash = checksum_of(value);
	uint32_t i = 0;
	while (i < o->used && o->hash[i] != hash) i++;
	if (i == o->used) {
		uint64_t before = 0;
		if (o->used < OFFENDERS_KEPT) o->used++;
		else i = smallest(o), before = o->count[i];
		uint32_t shown = value.length < OFFENDERS_TEXT ? (uint32_t)value.length : OFFENDERS_TEXT;
		while (shown < value.length && shown && ((unsigned char)value.data[shown] & 0xC0) == 0x80) shown--;
		o->hash[i] = hash;
		o->count[i] = before;
		o->kept[i].over = before;
		o->kept[i].length = (uint32_t)value.length;
		o->kept[i].shown = shown;
		if (shown) memcpy(o->kept[i].text, value.data, shown);
	}
	o->count[i]++;
}

static int by_count(const void *a, const void *b)
{
	const struct offender *one = a, *other = b;
	return (one->count < other->count) - (one->count > other->count);
}

void offenders_sort(struct offenders *o)
{
	for (uint32_t i = 0; i < o->used; i++) o->kept[i].count = o->count[i];
	qsort(o->kept, o->used, sizeof *o->kept, by_count);
	for (uint32_t i = 0; i < o->used; i++) o->hash[i] = 0; /* they are counted no more */
}
