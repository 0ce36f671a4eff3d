/* table - a bounded hash table keyed by bytes, whose entries keep the order in which they came. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdint.h>
#include "base/buffer.h"

/*   slots: number of an entry + 1, half of its hash     entries: in order of arrival        keys: one arena
 *   | 0 | 2 | 0 | 0 | 1 | 3 | 0 | 0 |                   | entry 0 | entry 1 | entry 2 |     |key0|key1|key2
 *                                                       | value 0 | value 1 | value 2 |
 *
 * Keys are hashed with XXH3 and a seed drawn at init, so that input cannot be made to collide. Both the number of entries and the
 * bytes of all keys have a maximum; a put beyond either fails and changes nothing. There is no removal of one entry: the
 * whole table is cleared, and keeps its memory. */
struct table {
	struct table_slot *slots;
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

/* Finding a key waits for memory three times over where the table is larger than the caches. These are the waits, begun ahead of the finding, for many keys
 * at once: each step reads what the one before has fetched. An entry is known by its hash alone there: TABLE_NONE, or most probably the number of
 * the key's. */
#define TABLE_NONE SIZE_MAX
uint64_t table_hash(const struct table *, struct span key);
void table_fetch_slot(const struct table *, uint64_t hash);
size_t table_fetch_entry(const struct table *, uint64_t hash);
void table_fetch_key(const struct table *, size_t i);

/* Bytes of memory in use: entries, values, keys and slots (what was taken ahead of use is not touched yet, and not counted). And those that one more key of that
 * length would take, while the slots grow those of the new ones too: what a bound of memory is held against before a put. */
uint64_t table_memory(const struct table *);
uint64_t table_growth(const struct table *, size_t key_length);

/* Entries by number, 0 <= i < count, in order of arrival. */
void *table_value(const struct table *, size_t i);
struct span table_key(const struct table *, size_t i);

#endif
