/* dictionary - the standard extension keys of CEF: type, greatest length, and since which version. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_DICTIONARY_H
#define TO_CEF_DICTIONARY_H

#include <stdint.h>
#include "base/buffer.h"

/* Producer keys of "Implementing ArcSight Common Event Format", revision 25 (version 0), and of the documents of CEF 1.0 to 1.2 (version 1); the label keys ("cs1Label") and the consumers' keys are there, too. */
enum dictionary_type {
	DICTIONARY_STRING, DICTIONARY_INTEGER /* 32 bits */, DICTIONARY_LONG /* 64 bits */, DICTIONARY_FLOAT,
	DICTIONARY_TIME,   /* sent as milliseconds since 1970 */
	DICTIONARY_IPV4, DICTIONARY_IPV6, DICTIONARY_IP /* either */, DICTIONARY_MAC,
};

enum { DICTIONARY_NAME_MAX = 40, DICTIONARY_KEYS_MAX = 512 };

struct dictionary_key {
	struct span name;           /* as on the wire: "suser" */
	struct span full_name;      /* "sourceUserName" */
	enum dictionary_type type, type_1; /* in version 0 and in version 1 */
	uint16_t limit;             /* strings: characters; 0: none */
	uint8_t since;              /* the version that has it first: 0 or 1 (that is, 1.2); before, it is a key like any that the dictionary does not have */
	bool consumer_only;         /* only a consumer may set it: never sent */
	struct span label;          /* of a custom key, the name of its label's key: cs1 has "cs1Label", which is the next in the table (key + 1); else empty */
	uint16_t number;            /* its place in the table, below DICTIONARY_KEYS_MAX */
	char start[DICTIONARY_NAME_MAX + 3]; /* of a pair: " suser="; 17 bytes of it can be read always */
};

/* NULL: not in the dictionary. Case matters. Cheap enough to be called for every field of an envelope. */
const struct dictionary_key *dictionary_find(struct span name);
const struct dictionary_key *dictionary_at(size_t number); /* NULL behind the last */

static inline enum dictionary_type dictionary_type(const struct dictionary_key *key, int version) { return version ? key->type_1 : key->type; }

/* The value as it is sent, appended to `out`. False: it is not of that type; *why says what was expected ("an IPv4 address", "an integer from -2147483648 to 2147483647").
 * Strings: as they are; the length is not looked at here. Integers: decimal, no blanks; "443.0" is none, "007" is sent as 7. Floats: as written if it is a number. Addresses and MACs (aa:bb:cc:dd:ee:ff, - for :) as written, checked strictly.
 * Times: an integer stands as it is (milliseconds); RFC 3339 is converted; the form "MMM dd [yyyy] HH:mm:ss[.SSS] [zzz]" of the specification is let through as it is. */
bool dictionary_append(struct buffer *out, enum dictionary_type, struct span value, const char **why);

#endif
