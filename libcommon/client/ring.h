/* ring - whole lines on their way from one thread to another, without a lock. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CLIENT_RING_H
#define CLIENT_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/span.h"

/* One thread writes (the producer), one reads (the consumer). What is in it is text as it goes out: lines, each with its newline, one behind the
 * other, so that a block of many is handed over as it lies. Places are counted from the beginning of time, and taken modulo the capacity:
 *
 *        head            tail                  wrap
 *   .....{"type":...}\n..[ free ............... | not used ]        a line never goes around the end: if it would, or if the ring is empty (then the
 *        consumer        producer                                    memory used last is used again, which is still in the cache), it begins at the next lap
 *
 * Each field below has one writer; the two sides stand in cache lines of their own. The producer may be another thread from one call to the next if the
 * earlier one is known to have ended. */
struct ring {
	char *data;                         /* capacity bytes, borrowed; a power of two */
	size_t capacity;
	/* the producer's */
	_Alignas(64) _Atomic uint64_t tail; /* behind the last whole line */
	_Atomic uint64_t wrap;              /* where a lap ended early; the consumer goes on at the next multiple of the capacity */
	_Atomic uint64_t reserved;          /* where the line that is being written begins */
	/* the consumer's */
	_Alignas(64) _Atomic uint64_t head;
};

void ring_init(struct ring *, char *data, size_t capacity_bytes);

/* Producer: `most` bytes in one piece to write a line into; NULL: there is no room now. Nothing is published before ring_commit, and a second reserve takes the first one's place. */
char *ring_reserve(struct ring *, size_t most);
void ring_commit(struct ring *, size_t length); /* of the line with its newline; at most what was reserved */

/* Producer: more than half of the memory is in use. */
bool ring_is_half_full(const struct ring *);

/* Consumer: the lines that can be taken in one piece, oldest first; empty: none. ring_take gives back the first `length` bytes of them. */
struct span ring_peek(struct ring *);
void ring_take(struct ring *, size_t length);

/* How far the producer has come, and whether the consumer has come that far: either side, or anybody. */
uint64_t ring_mark(const struct ring *);
bool ring_is_past(const struct ring *, uint64_t mark);
bool ring_is_empty(const struct ring *);

#endif
