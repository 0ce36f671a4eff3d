/* safe - values of fields as names and tags that no dialect of StatsD takes for anything else. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef DERIVE_SAFE_H
#define DERIVE_SAFE_H

#include "rules.h"

/* tag_has_text, quick for what has. */
bool safe_has_text(struct span value);

/* Each code point of a tag's value but letters and digits of ASCII and . _ - / becomes '_', and "name:value" is cut to TAG_MAX bytes. Nothing is left of a value of nothing but blanks.
 * `out` has room for TAG_MAX bytes; returns the length. */
size_t safe_tag(char *out, struct span name, struct span value);

/* A name is made of letters and digits of ASCII and . _ -, begins with a letter ('a' is put before what does not), has no empty part between points, and is cut at RULES_NAME_MAX bytes. It is
 * made part by part. */
struct safe_name {
	char text[RULES_NAME_MAX];
	size_t length;
};
void safe_name_add(struct safe_name *, struct span part);
void safe_name_end(struct safe_name *); /* behind the last part */

#endif
