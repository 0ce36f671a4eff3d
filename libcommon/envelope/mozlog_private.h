/* mozlog_private - what reading and writing MozLog share: names, what its schema allows, and Heka's object around a value. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_MOZLOG_PRIVATE_H
#define ENVELOPE_MOZLOG_PRIVATE_H

#include "base/timestamp.h"
#include "envelope/mozlog.h"

enum mozlog_member { MOZLOG_TIMESTAMP, MOZLOG_TYPE, MOZLOG_LOGGER, MOZLOG_HOSTNAME, MOZLOG_ENV_VERSION, MOZLOG_SEVERITY, MOZLOG_PID, MOZLOG_FIELDS,
	MOZLOG_MEMBERS /* how many; and: none of them */ };

enum mozlog_member mozlog_member_of(struct value key);
struct span mozlog_member_name(enum mozlog_member);
bool mozlog_is_of_envelope(struct value key); /* one of the nine names of an envelope */

#define MOZLOG_PREFIX "metlog_"            /* of an envelope's other members, in MozLog */
#define MOZLOG_KEPT "metlog_mozlog_"       /* of MozLog's other members, in an envelope */

/* Which of the two a member of MozLog is that is none of the eight. True: one of its own, which becomes metlog_mozlog_NAME in an envelope. False: "metlog_" and the name of a member of an envelope.
 * It is chosen so that each name comes back as it was, whatever it is. */
bool mozlog_is_own(struct value key);

/* The member of the eight that metlog_mozlog_NAME speaks of; else MOZLOG_MEMBERS. */
enum mozlog_member mozlog_kept_member(struct value key);

/* --- what the schema allows --- */

bool mozlog_is_host_name(struct value); /* RFC 1123 */
bool mozlog_is_pid(struct value);       /* digits */
bool mozlog_is_version(struct value);   /* "1", "1.0", "1.0.0"; but not "2.0", which goes without saying */

/* --- Timestamp --- */

/* Nanoseconds since 1970, from a number that is an integer however it is written, or from a text of digits; never by way of a double. Returns NULL, or why not. */
const char *mozlog_read_time(struct value, int64_t *ns);

size_t mozlog_print_time(struct timestamp_minute *, char out[TIMESTAMP_MAX], int64_t ns); /* RFC 3339, UTC: six digits, nine if they are needed. Returns the length; no NUL */

/* --- Heka's object: {"value":"<JSON text>","representation":"json"} --- */

/* Where the text of such an object is decoded and read. */
struct mozlog_inner {
	struct scan scan;
	struct buffer decoded, copy;
	struct envelope view;      /* of `copy` */
	struct value value;        /* what was read there */
};
bool mozlog_inner_init(struct mozlog_inner *);
void mozlog_inner_release(struct mozlog_inner *);

/* Whether a value of Fields has to be written as such an object: the schema does not allow it, or it would be read as what is in it. */
bool mozlog_must_wrap(struct mozlog_inner *, const struct envelope *, struct value);

/* Whether a value of Fields is such an object; then inner->value is what is in it, and stays until the next call. */
bool mozlog_unwrap(struct mozlog_inner *, const struct envelope *, struct value);
bool mozlog_unwrap_payload(struct mozlog_inner *, const struct envelope *, struct value); /* the same of Fields.msg, where it is any value but a string */

/* A value as it stands in its line, with the quotes of a string. */
static inline struct span mozlog_raw(struct value v)
{
	return v.kind == VALUE_STRING ? (struct span){ v.text.data - 1, v.text.length + 2 } : v.text;
}

/* "msg", "fields.msg", "fields.fields.msg", ...: the name that a field msg has beside a message, and what has to give way to it in turn. Without escapes. */
static inline bool mozlog_is_msg(struct span key)
{
	return key.length >= 3 && memcmp(key.data + key.length - 3, "msg", 3) == 0;
}
bool mozlog_is_displaced(struct span key); /* one of them, but for "msg" */

#endif
