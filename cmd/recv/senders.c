/* senders - who sends over ack:, how far each of them has come, and who waits for an answer. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "senders.h"

#include <stdlib.h>

#include "io/diag.h"

void senders_init(struct senders *s)
{
	*s = (struct senders){ 0 };
	s->id = must_alloc(SENDERS_MAX * sizeof *s->id);
	s->entry = must_alloc(SENDERS_MAX * sizeof *s->entry);
}

void senders_release(struct senders *s)
{
	free(s->id);
	free(s->entry);
	*s = (struct senders){ 0 };
}

struct sender *senders_find(struct senders *s, struct span id)
{
	if (s->last_found < s->count && !memcmp(s->id[s->last_found], id.data, sizeof *s->id)) return &s->entry[s->last_found];
	for (size_t i = 0; i < s->count; i++)
		if (!memcmp(s->id[i], id.data, sizeof *s->id)) return &s->entry[s->last_found = i];
	return NULL;
}

struct sender *senders_get(struct senders *s, struct span id)
{
	struct sender *known = senders_find(s, id);
	size_t oldest = SENDERS_MAX;
	if (known) return known;
	if (s->count < SENDERS_MAX) oldest = s->count++;
	else for (size_t i = 0; i < SENDERS_MAX; i++)
		if (!s->entry[i].owed && (oldest == SENDERS_MAX || s->entry[i].heard < s->entry[oldest].heard)) oldest = i;
	if (oldest == SENDERS_MAX) return NULL;
	s->entry[oldest] = (struct sender){ .moved = true };
	memcpy(s->id[oldest], id.data, sizeof *s->id);
	return &s->entry[s->last_found = oldest];
}

bool sender_heard(struct senders *s, struct sender *sender, void *source, struct span route)
{
	if (route.length > SENDERS_ROUTE_MAX) return false;
	sender->heard = ++s->clock;
	if (sender->source == source && span_equal((struct span){ sender->route, sender->route_length }, route)) return true;
	sender->source = source;
	sender->refused = 0; /* what came over another connection says nothing about the order on this one */
	sender->route_length = (unsigned char)route.length;
	if (route.length) memcpy(sender->route, route.data, route.length);
	return true;
}

void sender_owe(struct senders *s, struct sender *sender)
{
	if (sender->owed) return;
	sender->owed = true;
	s->owed[s->owed_count++] = (uint16_t)(sender - s->entry);
}

struct span sender_id(const struct senders *s, const struct sender *sender)
{
	return (struct span){ s->id[sender - s->entry], sizeof *s->id };
}
