/* table - a bounded hash table keyed by bytes, whose entries keep the order in which they came. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdint.h>
#include "base/buffer.h"

/*   slots: hash -> number of an entry + 1      entries: in order of arrival        keys: one arena
 *   | 0 | 2 | 0 | 0 | 1 | 3 | 0 | 0 |          | entry 0 | entry 1 | entry 2 |     |key0|key1|key2
 *                                              | value 0 | value 1 | value 2 |
 *
 * Keys are hashed with XXH3 and a seed drawn at init, so that input cannot be made to collide. Both the number of entries and the
 * bytes of all keys have a maximum; a put beyond either fails and changes nothing. There is no removal of one entry: the
 * whole table is cleared, and keeps its memory. */
struct table {
	uint32_t *slots;
	struct table_entry *entries;
	char *values;
	struct buffer keys;
	size_t count;       /* entries in use */
	size_t capacity;    /* of entries and values */
	size_t slot_count;  /* a power of two, or 0 */
	size_t limit;       /* of entries */
	size_t value_size;
	uint64_t seed;
};

/* value_size is the size of the value that each entry holds; the values are aligned as malloc's memory if it is a multiple of 16, as
 * uint64_t if it is a multiple of 8. Takes no memory yet. */
void table_init(struct table *, size_t limit_entries, size_t limit_key_bytes, size_t value_size);
void table_release(struct table *);
void table_clear(struct table *);

/* The value stored under the key, or NULL. Pointers to values hold until the next table_put. */
void *table_find(const struct table *, struct span key);

/* The value under the key, made of zero bytes and *fresh set if there was none. NULL: a limit is reached, or no memory. */
void *table_put(struct table *, struct span key, bool *fresh);

/* Entries by number, 0 <= i < count, in order of arrival. */
void *table_value(const struct table *, size_t i);
struct span table_key(const struct table *, size_t i);

#endif
