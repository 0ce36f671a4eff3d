/* record_private - what a record holds while it is made; shared by what puts values into it and what makes it fit. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_RECORD_PRIVATE_H
#define TO_CEF_RECORD_PRIVATE_H

#include "cef_private.h"
#include "record.h"

enum { RECORD_NO_NUMBER = DICTIONARY_KEYS_MAX };
enum record_cutting { RECORD_CUT_NEVER, RECORD_CUT_FIRST, RECORD_CUT_NEXT }; /* for max_bytes: numbers and addresses; custom strings; other strings */

/* Where a pair is in the line: the blank before it (none in front of the first), key, '=', value. */
struct record_pair {
	uint32_t start, key, value, end;
	uint16_t number;           /* of its key in the dictionary; RECORD_NO_NUMBER */
	uint8_t cutting;
};

struct record {
	struct record_rules rules;
	struct record_tally tally;
	struct buffer line;
	size_t pair_count;
	struct cef_seen seen;      /* keys that are not in the dictionary */
	uint64_t has[DICTIONARY_KEYS_MAX / 64];
	uint64_t lent[DICTIONARY_KEYS_MAX / 64]; /* of these, the ones that the record chose itself: they make way for a value that was meant for the key */
	char reason[160];
	struct record_pair pair[CEF_PAIRS_MAX];
};

static inline bool record_bit(const uint64_t *bits, size_t number) { return bits[number / 64] >> number % 64 & 1; }
static inline void record_bit_set(uint64_t *bits, size_t number) { bits[number / 64] |= (uint64_t)1 << number % 64; }
static inline void record_bit_clear(uint64_t *bits, size_t number) { bits[number / 64] &= ~((uint64_t)1 << number % 64); }

/* Makes a key that the record chose itself free again: its pairs go to another custom key of the same kind, or, if there is none, are left out. */
void record_give_way(struct record *, size_t number);

/* Shortens the line to max_bytes. False: the header alone is longer. */
bool record_fit(struct record *);

#endif
