/* sketch_private - what the files of sketch share: where the bytes of each form lie. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_SKETCH_PRIVATE_H
#define BASE_SKETCH_PRIVATE_H

#include <endian.h>

#include "base/sketch.h"

/*   small     | tag tag tag ... (2 bytes each, `room` of them) | low low low ... (4 bytes each) |   entry = tag << 32 | low
 *   sparse    | marks (see sketch_sparse.c) | the Redis value |
 *   dense     | the Redis value | 8 bytes more, so that a register may be read and written as 16 bits |
 *
 * A search among the entries of a small set looks at the tags alone, which lie side by side; the 32 other bits are compared where a tag is found. */
enum {
	SKETCH_ENTRY = 6,            /* bytes of an entry of a small set */
	SKETCH_TAGS_AT_ONCE = 8,
	SKETCH_INDEX_BITS = 14,
	SKETCH_RANK_MAX = 51,        /* 50 bits lie above the index */
	SKETCH_SPARSE_RANK_MAX = 32, /* what a run can say */
	SKETCH_MARKS = 32,
	SKETCH_MARKS_SIZE = SKETCH_MARKS * 4,
	SKETCH_ENCODING = 4,         /* offsets in the header */
	SKETCH_CACHE = 8,
};

static inline uint32_t sketch_index(uint64_t hash) { return (uint32_t)hash & (SKETCH_REGISTERS - 1); }
static inline uint32_t sketch_rank(uint64_t hash) { return 1 + (uint32_t)__builtin_ctzll(hash >> SKETCH_INDEX_BITS | 1ULL << (SKETCH_RANK_MAX - 1)); }

static inline uint64_t sketch_entry(uint64_t hash) { return hash & 0xffffffffffff; }
/* A rank that 34 bits do not tell: such a value makes a set a HyperLogLog at once, in whatever order and part it comes. */
static inline bool sketch_entry_fits(uint64_t hash) { return sketch_entry(hash) >> SKETCH_INDEX_BITS != 0; }

/* The least size that holds `needed` and leaves nothing of malloc's granule unused. */
static inline size_t sketch_room(size_t needed) { return (needed + 7) / 16 * 16 + 8; }

/* The Redis value of a set that is not small. */
static inline uint8_t *sketch_value(const struct sketch *s) { return s->data + (s->form == SKETCH_SPARSE ? SKETCH_MARKS_SIZE : 0); }

static inline void sketch_dense_raise(uint8_t *registers, uint32_t index, uint32_t rank)
{
	uint8_t *at = registers + index * 6 / 8;
	uint32_t shift = index * 6 % 8;
	uint16_t word;
	memcpy(&word, at, sizeof word);
	uint32_t bits = le16toh(word);
	if ((bits >> shift & 63) >= rank) return;
	word = htole16((uint16_t)((bits & ~(63U << shift)) | rank << shift));
	memcpy(at, &word, sizeof word);
}

/* One run of a sparse value. */
struct sketch_run {
	uint32_t registers;
	uint8_t value;   /* 0: a run of zeros */
	uint8_t bytes;   /* 1 or 2 */
};

static inline struct sketch_run sketch_run(const uint8_t *p)
{
	if (*p & 0x80) return (struct sketch_run){ (*p & 3) + 1U, (uint8_t)((*p >> 2 & 31) + 1), 1 };
	if (*p & 0x40) return (struct sketch_run){ ((*p & 63U) << 8 | p[1]) + 1, 0, 2 };
	return (struct sketch_run){ *p + 1U, 0, 1 };
}

/* small */
uint64_t sketch_small_entry(const struct sketch *, size_t i);
bool sketch_small_add(struct sketch *, uint64_t hash);
bool sketch_small_copy(struct sketch *empty, const struct sketch *from);
bool sketch_promote(struct sketch *, const struct sketch *small); /* the first, which is empty, becomes a HyperLogLog of the second's values */

/* sparse */
bool sketch_sparse_new(struct sketch *empty, size_t length); /* room for that many bytes of value */
void sketch_sparse_mark(struct sketch *);                    /* sets all marks, for a value that was copied in */
bool sketch_sparse_raise(struct sketch *, uint32_t index, uint32_t rank);

/* dense */
bool sketch_dense_new(struct sketch *empty);
void sketch_dense_set(uint8_t *packed, const uint8_t registers[SKETCH_REGISTERS]);
bool sketch_to_dense(struct sketch *); /* true at once if it is so */

bool sketch_raise(struct sketch *, uint32_t index, uint32_t rank); /* not a small one */

/* Raises each of 16,384 registers, a byte each, to what the sketch holds. */
void sketch_registers(uint8_t registers[SKETCH_REGISTERS], const struct sketch *);

#endif
