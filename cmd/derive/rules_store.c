/* rules_store - the memory of compiled rules: taken in blocks, given back as a whole. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>

#include "io/diag.h"
#include "rules_private.h"

enum { STORE_BLOCK = 16 * 1024, STORE_ALIGN = 16 };

struct block {
	struct block *before;
	_Alignas(STORE_ALIGN) char bytes[];
};

struct rules_store {
	struct block *last;
	size_t used, room;      /* of the last block */
	size_t size;
	struct match **match;
	size_t match_count, match_room;
};

struct rules_store *rules_store_new(void)
{
	return calloc(1, sizeof(struct rules_store));
}

void rules_store_free(struct rules_store *s)
{
	if (!s) return;
	for (size_t i = 0; i < s->match_count; i++) match_free(s->match[i]);
	free(s->match);
	for (struct block *block = s->last, *before; block; block = before) {
		before = block->before;
		free(block);
	}
	free(s);
}

void *rules_store_take(struct rules_store *s, size_t bytes)
{
	size_t rounded = (bytes + STORE_ALIGN - 1) / STORE_ALIGN * STORE_ALIGN;
	if (!s->last || rounded > s->room - s->used) {
		s->room = rounded > STORE_BLOCK ? rounded : STORE_BLOCK;
		s->used = 0;
		struct block *block = must_alloc(sizeof *block + s->room);
		block->before = s->last;
		s->last = block;
	}
	void *taken = s->last->bytes + s->used;
	s->used += rounded;
	s->size += rounded;
	return taken;
}

struct span rules_store_copy(struct rules_store *s, struct span text)
{
	char *copy = rules_store_take(s, text.length + 1);
	if (text.length) memcpy(copy, text.data, text.length);
	return (struct span){ copy, text.length };
}

void rules_store_keep(struct rules_store *s, struct match *match)
{
	if (s->match_count == s->match_room) {
		s->match_room = s->match_room ? 2 * s->match_room : 16;
		s->match = must_resize(s->match, s->match_room * sizeof *s->match);
	}
	s->match[s->match_count++] = match;
}

size_t rules_store_size(const struct rules_store *s)
{
	return s->size;
}
