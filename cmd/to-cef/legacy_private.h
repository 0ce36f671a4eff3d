/* legacy_private - how a wrong line of the original client is taken apart. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_LEGACY_PRIVATE_H
#define TO_CEF_LEGACY_PRIVATE_H

#include "cef.h"
#include "map.h"

enum { LEGACY_VENDOR, LEGACY_PRODUCT, LEGACY_VERSION, LEGACY_SIGNATURE, LEGACY_NAME, LEGACY_SEVERITY, LEGACY_FIELDS };

/* As they stand in the line, not decoded. Bare: whoever wrote it does not escape, so it is only taken for escaped text if it could be that as a whole. */
struct legacy_field { struct span text; bool is_bare; };
struct legacy_pair { struct span key; struct legacy_field value; };

struct legacy_parts {
	int version;
	struct legacy_field field[LEGACY_FIELDS];
	struct legacy_pair pair[CEF_PAIRS_MAX];
	size_t count;
};

/* What the extension of every line of the client begins with. */
#define LEGACY_START "cs1Label=requestClientApplication cs1="

/* Both return NULL, or why it cannot be told. `line` begins with "CEF:". */
const char *legacy_split_header(struct legacy_parts *, struct span line, const struct map_options *, struct span *extension);
const char *legacy_split_extension(struct legacy_parts *, struct span extension);

static inline bool legacy_is_key_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* What others than the client write in keys, too: those of logstash. */
static inline bool legacy_is_foreign_byte(char c)
{
	return legacy_is_key_byte(c) || c == '.' || c == '-' || c == '[' || c == ']';
}

#endif
