/* member - members of an envelope by the names that options use, and their text. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_STATSD_MEMBER_H
#define TO_STATSD_MEMBER_H

#include "envelope/field.h"

/* logger, type, severity, payload, timestamp, env_version, hostname and pid (of metlog_hostname and metlog_pid), or fields.a.b. */
struct member {
	struct field_path path;
	bool is_logger;   /* of which the envelope has a view already */
};

/* False: there is no such member. The text is borrowed. */
bool member_init(struct member *, struct span name);

struct value member_find(const struct envelope *, const struct member *);

/* The text of a value, decoded into the buffer where need be (what was there is lost); empty for objects, arrays, null and what is absent. */
struct span member_text(struct value, struct buffer *decoded);

#endif
