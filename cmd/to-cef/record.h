/* record - one CEF event in the making: every value is checked against the dictionary, escaped and put behind those before; at its end it is one line. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_RECORD_H
#define TO_CEF_RECORD_H

#include "cef.h"
#include "dictionary.h"

enum record_wrong { RECORD_WRONG_REJECT, RECORD_WRONG_OMIT, RECORD_WRONG_KEEP }; /* a value of the wrong type: the event is refused; left out and counted; sent as it is */

struct record_rules {
	int version;               /* 0 or 1 */
	size_t max_bytes;          /* of the line, without its newline; 0: no limit */
	enum record_wrong wrong;
	bool dictionary_only;      /* keys that are not in the dictionary are put into free custom keys, not sent as they are */
};

/* Events of which something was changed, and how often: nothing is changed without being counted. */
struct record_tally {
	uint64_t cut;              /* values, and header fields, cut at a character to the length of the dictionary (header: vendor, product 63, version 31, signature 1023, name 512) */
	uint64_t truncated;        /* events shortened for max_bytes */
	uint64_t omitted;          /* values left out: of the wrong type (OMIT), of a consumer-only key, for which no custom key was free, beyond CEF_PAIRS_MAX */
	struct cef_tally text;
};

enum { RECORD_BYTES_MAX = 16 * 1024 * 1024 };
struct record; /* opaque: no memory is taken for an event but the first time it needs that much */
struct record *record_new(const struct record_rules *);  /* the rules are copied; dies without memory */
void record_free(struct record *);
const struct record_tally *record_tally(const struct record *);

/* Every function below that returns a reason: NULL is fine; else the event is refused for it (static text, or text that holds until the next record_begin: "src: not an IPv4 address"). */

/* Forgets the event before. The header's fields may be anything but a severity that is none, and vendor, product, signature and name must not all four be empty. The version is that of the rules. */
const char *record_begin(struct record *, const struct cef_header *);

/* An empty value (after trimming) is left out: consumers cannot read it. A key that is there already keeps its first value, and the second is left out uncounted (record_has tells). */
const char *record_put(struct record *, const struct dictionary_key *, struct span value);
/* A custom key (cs1 ... flexString2) with its label, both or none. */
const char *record_put_labelled(struct record *, const struct dictionary_key *, struct span label, struct span value);
/* For values that must not have an event refused: either of the two above (label: empty but for custom keys) if the value is of the key's type and the key is not there yet. False: nothing is done or counted, the caller finds another place. */
bool record_try(struct record *, const struct dictionary_key *, struct span label, struct span value);
/* Any key by name: one of the dictionary as above (labels too: cs1Label); another one that cef_key_is as it is, or into a free custom key, by the rules. A name that is no key: always into a free custom key. */
const char *record_put_named(struct record *, struct span name, struct span value);
/* Into the next free custom key under this label: an integer that fits into cn1-cn3, a number into cfp1-cfp4, all else cs1-cs6; numbers go into cs when those are full. False: none is free.
 * A custom key that is put later by its own name gets it: the spare value moves on to the next free one of its kind, or is left out and counted. An empty label becomes "unnamed". */
bool record_put_spare(struct record *, struct span label, struct span value, bool is_number);

bool record_has(const struct record *, const struct dictionary_key *);
const uint64_t *record_keys(const struct record *); /* the same, for who asks for many: bit n of them is the key of that number; holds as long as the record */

/* CEF:0 has no place for an IPv6 address in src, dst and dvc: record_put puts one under c6a2 "Source IPv6 Address", c6a3 "Destination IPv6 Address", c6a1 "Device IPv6 Address" if that is free; if not, it is of the wrong type. */

/* The line, without a newline; holds until the next record_begin. Longer than max_bytes: the longest custom strings (and keys that are not in the dictionary) are cut first, then the other strings, at a character,
 * each to what is needed, but not below 64 bytes; if that is not enough, pairs are left out from the last on. Then "cs6Label=truncated cs6=BYTES", the length it had, is put there if cs6 is free and there is room.
 * NULL data: it cannot be made to fit (the header alone is too long); *why. Called once for an event. */
struct span record_end(struct record *, const char **why);

#endif
