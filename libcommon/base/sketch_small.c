/* sketch_small - the exact form of a sketch: the hashes themselves, in the order in which they came. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>

#include "base/sketch_private.h"

static size_t room_of(const struct sketch *s) { return s->capacity / SKETCH_ENTRY; }
static uint8_t *lows(const struct sketch *s) { return s->data + 2 * room_of(s); }

static uint32_t low_at(const struct sketch *s, size_t i)
{
	uint32_t low;
	memcpy(&low, lows(s) + 4 * i, sizeof low);
	return low;
}

static uint16_t tag_at(const struct sketch *s, size_t i)
{
	uint16_t tag;
	memcpy(&tag, s->data + 2 * i, sizeof tag);
	return tag;
}

uint64_t sketch_small_entry(const struct sketch *s, size_t i)
{
	return (uint64_t)tag_at(s, i) << 32 | low_at(s, i);
}

/* All ones in each of eight times 16 bits that is the tag, four to a word, the first lowest. A loop of a fixed length, which compilers make one vector operation. */
static inline void match(uint64_t same[2], const uint8_t *at, uint16_t tag)
{
	uint16_t tags[SKETCH_TAGS_AT_ONCE];
	memcpy(tags, at, sizeof tags);
	for (size_t i = 0; i < SKETCH_TAGS_AT_ONCE; i++) tags[i] = tags[i] == tag ? 0xffff : 0;
	memcpy(same, tags, sizeof tags);
}

/* What lies behind the last tag is compared too: it is memory of ours (24 bytes at least, and four behind each tag there is room for). */
static bool holds(const struct sketch *s, uint64_t entry)
{
	if (!s->data) return false;
	const uint8_t *tags = s->data, *low = lows(s);
	size_t count = s->length / SKETCH_ENTRY;
	for (size_t at = 0; at < count; at += SKETCH_TAGS_AT_ONCE) {
		uint64_t same[2];
		match(same, tags + 2 * at, (uint16_t)(entry >> 32));
		if (!(same[0] | same[1])) continue;
		for (size_t half = 0; half < 2; half++) {
			for (uint64_t left = le64toh(same[half]); left; left &= left - 1) {
				size_t i = at + 4 * half + (size_t)__builtin_ctzll(left) / 16;
				uint32_t found;
				if (i >= count) break;
				memcpy(&found, low + 4 * i, sizeof found);
				if (found == (uint32_t)entry) return true;
			}
		}
	}
	return false;
}

/* A quarter more than is needed, and the rest of malloc's granule. The lows move up behind the tags' new room. */
static bool grow(struct sketch *s)
{
	size_t needed = s->length + SKETCH_ENTRY, capacity = sketch_room(needed + needed / 4), old = room_of(s);
	if (capacity < 24) capacity = 24;
	if (capacity > SKETCH_SMALL_MAX * SKETCH_ENTRY) capacity = sketch_room(SKETCH_SMALL_MAX * SKETCH_ENTRY);
	uint8_t *data = realloc(s->data, capacity);
	if (!data) return false;
	size_t room = capacity / SKETCH_ENTRY;
	memset(data + s->capacity, 0, capacity - s->capacity);
	memmove(data + 2 * room, data + 2 * old, 4 * (s->length / SKETCH_ENTRY));
	s->data = data;
	s->capacity = (uint16_t)capacity;
	return true;
}

static bool put(struct sketch *s, uint64_t entry)
{
	size_t count = s->length / SKETCH_ENTRY;
	if (count == room_of(s) && !grow(s)) return false;
	uint16_t tag = (uint16_t)(entry >> 32);
	uint32_t low = (uint32_t)entry;
	memcpy(s->data + 2 * count, &tag, sizeof tag);
	memcpy(lows(s) + 4 * count, &low, sizeof low);
	s->length = (uint16_t)(s->length + SKETCH_ENTRY);
	return true;
}

bool sketch_promote(struct sketch *promoted, const struct sketch *small)
{
	if (!sketch_sparse_new(promoted, SKETCH_HEADER + 2)) return false;
	for (size_t i = 0, count = small->length / SKETCH_ENTRY; i < count; i++) {
		uint64_t entry = sketch_small_entry(small, i);
		if (sketch_raise(promoted, sketch_index(entry), sketch_rank(entry))) continue;
		sketch_release(promoted);
		return false;
	}
	return true;
}

static bool outgrow(struct sketch *s, uint64_t hash)
{
	struct sketch promoted = { 0 };
	if (!sketch_promote(&promoted, s)) return false;
	if (!sketch_raise(&promoted, sketch_index(hash), sketch_rank(hash))) {
		sketch_release(&promoted);
		return false;
	}
	sketch_release(s);
	*s = promoted;
	return true;
}

bool sketch_small_add(struct sketch *s, uint64_t hash)
{
	uint64_t entry = sketch_entry(hash);
	if (!sketch_entry_fits(hash)) return outgrow(s, hash);
	if (holds(s, entry)) return true;
	return s->length == SKETCH_SMALL_MAX * SKETCH_ENTRY ? outgrow(s, hash) : put(s, entry);
}

bool sketch_small_copy(struct sketch *empty, const struct sketch *from)
{
	if (from->length == 0) return true;
	uint8_t *data = malloc(from->capacity);
	if (!data) return false;
	memcpy(data, from->data, from->capacity);
	free(empty->data);
	*empty = *from;
	empty->data = data;
	return true;
}
