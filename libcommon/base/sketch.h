/* sketch - counts different values: exactly while they are few, by HyperLogLog, byte for byte as Redis keeps it, once they are many. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_SKETCH_H
#define BASE_SKETCH_H

#include <stdint.h>
#include "base/buffer.h"

/*   small     the 48 low bits of each different hash, in the order in which they came: the count is exact
 *      | more than SKETCH_SMALL_MAX of them: they are set into an empty HyperLogLog in that order
 *   sparse    a Redis value: "HYLL", 1, runs of equal registers, at most SKETCH_SPARSE_MAX bytes
 *      | longer, or a rank above 32
 *   dense     a Redis value: "HYLL", 0, 16,384 registers of 6 bits
 *
 * Whether a set is small depends on the set alone and not on the order or the parts in which it came, so the union of sketches counts what one
 * run over everything would have counted. A value read from Redis is never small: its hashes are gone.
 * The format is Redis's (since 2.8.9; the estimator is that of 5.0 and later: Ertl, arXiv 1702.01284, without tables). A set that came in one order
 * has here the bytes that Redis's GET returns for PFADDs in the same order.
 * Relative standard error of an estimate: 1.04/sqrt(16384) = 0.81 %. */
enum {
	SKETCH_REGISTERS = 16384,
	SKETCH_SMALL_MAX = 256,      /* values counted exactly */
	SKETCH_HEADER = 16,
	SKETCH_SPARSE_MAX = 3000,    /* Redis's hll-sparse-max-bytes */
	SKETCH_DENSE = 12304,        /* the longest there is, in bytes */
};
#define SKETCH_ERROR 0.008125

enum sketch_form { SKETCH_SMALL, SKETCH_SPARSE, SKETCH_DENSE_FORM };

/* 16 bytes, for there may be a million. All zero is an empty sketch. Owned: data. */
struct sketch {
	uint8_t *data;
	uint16_t length;    /* bytes of the entries or of the value; what else data holds is in sketch_private.h */
	uint16_t capacity;  /* bytes of data, all told */
	uint8_t form;       /* enum sketch_form */
};

uint64_t sketch_hash(struct span value);  /* MurmurHash64A with Redis's seed: what PFADD makes of an element */

void sketch_release(struct sketch *);     /* frees; the sketch is empty again */
bool sketch_add(struct sketch *, uint64_t hash);  /* false: no memory; nothing has changed */
bool sketch_merge(struct sketch *into, const struct sketch *from); /* union, as PFMERGE does it; false: no memory, and `into` may hold a part */

/* The same with several at once: one PFMERGE with several sources has other bytes than one for each (sparse runs depend on the order), the same count. */
bool sketch_merge_all(struct sketch *into, const struct sketch from[], size_t count);

void sketch_fetch(const struct sketch *, uint64_t hash); /* begins to fetch the memory that sketch_add of that hash will read */

uint64_t sketch_count(const struct sketch *);
static inline bool sketch_is_exact(const struct sketch *s) { return s->form == SKETCH_SMALL; }
static inline double sketch_error(const struct sketch *s) { return sketch_is_exact(s) ? 0 : SKETCH_ERROR; }

/* The value as Redis's GET would return it, its cached count marked as not valid. A small one is written as the HyperLogLog that
 * Redis would have of its values; sketch_estimate is what PFCOUNT answers for it (sketch_count may differ from that by one or two below
 * SKETCH_SMALL_MAX, for it is exact). False: the buffer's limit or no memory. */
bool sketch_append(struct buffer *out, const struct sketch *);
uint64_t sketch_estimate(const struct sketch *, bool *failed); /* takes no memory: *failed is never set. At most INT64_MAX */

/* Reads a Redis value into an empty sketch. A newline too many, as redis-cli leaves it behind GET, is taken off. Every run is held against the 16,384
 * registers before it is used, and the cached count is not believed. NULL, or why it is none: "it does not begin with HYLL",
 * "its runs pass the last register", ... (static text; "no memory" is SKETCH_NO_MEMORY itself). The sketch stays empty then. */
extern const char SKETCH_NO_MEMORY[];
const char *sketch_read(struct sketch *, struct span bytes);

/* The same for sketches that travel between runs of ours: text of letters, digits and "+/=:", without blanks, which keeps a small set
 * exact. "HYLL" values are there as their base64 (so it begins "SFlMT"); a small set is "=" and the base64 of its entries, 6 bytes each, little-endian. */
bool sketch_append_text(struct buffer *out, const struct sketch *);
const char *sketch_read_text(struct sketch *, struct span text);

#endif
