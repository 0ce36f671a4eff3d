/* prefix - the namespace before a metric's name: a template such as "stats.{hostname}.{logger}". */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_STATSD_PREFIX_H
#define TO_STATSD_PREFIX_H

#include "member.h"
#include "text.h"

enum { PREFIX_PARTS_MAX = 16 };

/* Between braces stand names as in member.h. What an envelope does not have leaves nothing behind, not even a second dot. */
struct prefix {
	struct prefix_part {
		struct span literal;     /* if it is no member */
		struct member member;
		bool is_member, is_flat; /* flat: its dots become '_', so that a host name stays one level */
	} part[PREFIX_PARTS_MAX];
	size_t count;
};

/* NULL, or why not. The text is borrowed. */
const char *prefix_init(struct prefix *, struct span text);

/* Writes it, sanitised, and a dot behind it if that is something. Returns the new end, NULL if there is no room. */
char *prefix_put(const struct prefix *, const struct envelope *, char *out, const char *end, const struct text_map *, struct buffer *decoded);

#endif
