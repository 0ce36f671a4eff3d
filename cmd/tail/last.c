/* last - the last so many lines of a stream, kept until it ends. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "last.h"

#include <stdlib.h>

#include "io/diag.h"

void last_init(struct last *l, size_t lines)
{
	*l = (struct last){ .size = lines };
	l->ring = must_alloc(lines * sizeof *l->ring);
	for (size_t i = 0; i < lines; i++) buffer_init(&l->ring[i], SIZE_MAX / 2);
}

void last_release(struct last *l)
{
	for (size_t i = 0; i < l->size; i++) buffer_release(&l->ring[i]);
	free(l->ring);
	*l = (struct last){ 0 };
}

bool last_keep(struct last *l, struct span line)
{
	if (l->size == 0) return true;
	struct buffer *place = &l->ring[l->next];
	bool full = l->count == l->size;
	buffer_clear(place);
	if (!buffer_append_span(place, line)) die(EXIT_INTERNAL, "no memory to keep the last lines");
	l->next = (l->next + 1) % l->size;
	if (!full) l->count++;
	return full;
}

bool last_next(struct last *l, struct span *line)
{
	if (l->count == 0) return false;
	*line = buffer_span(&l->ring[(l->next + l->size - l->count) % l->size]);
	l->count--;
	return true;
}
