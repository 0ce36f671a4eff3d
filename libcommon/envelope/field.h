/* field - looks up a value inside an envelope by its path, on demand. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_FIELD_H
#define ENVELOPE_FIELD_H

#include "envelope/envelope.h"

enum { FIELD_DEPTH_MAX = 16 };

/* A compiled path: "fields.req.headers", "metlog_hostname", "payload". The first segment is a member of the envelope; at each
 * object, a key that equals all the rest of the path, dots included, wins over a key that equals its next segment. So
 * "fields.a.b" finds {"a.b": 1} and {"a": {"b": 1}} (and, failing both, a member of the envelope named so). Where a key is repeated the last one counts, as it does for most JSON readers.
 * A segment that is a number also picks an element of an array (0 is the first). */
struct field_path {
	struct span whole;                     /* borrowed from the text given to field_path_init */
	struct span segment[FIELD_DEPTH_MAX];  /* parts of whole */
	size_t depth;
	size_t member;                         /* the first segment is a member that the view has: its offset in struct envelope; else 0 */
};

/* False: empty path, empty segment, or more than FIELD_DEPTH_MAX segments. The text must outlive the path. */
bool field_path_init(struct field_path *, struct span text);

/* The same, but a text with an empty segment, which no dotted path can say, is one key: "a..b" of fields[a..b]. */
bool field_path_init_key(struct field_path *, struct span text);

/* The value there, or one of kind VALUE_ABSENT. Keys written with escapes are compared decoded. */
struct value field_find(const struct envelope *, const struct field_path *);

/* The same, below an object that was found before: the path is relative to it. */
struct value field_find_in(const struct envelope *, struct value object, const struct field_path *);

/* Walks the pairs of an object, in the order of the line:
 *     struct field_walk walk = field_walk(&envelope, envelope.fields);
 *     while (field_next(&walk, &key, &value)) ...
 * `key` is a value of kind VALUE_STRING. Anything but an object has no pairs. */
struct field_walk {
	const struct envelope *envelope;
	uint32_t at;
};
struct field_walk field_walk(const struct envelope *, struct value object);
bool field_next(struct field_walk *, struct value *key, struct value *value);

/* Likewise the elements of an array. */
struct field_walk field_walk_array(const struct envelope *, struct value array);
bool field_next_element(struct field_walk *, struct value *element);

/* True if a string value, decoded, equals `text`. */
bool field_equals(struct value string, struct span text);

/* The value as plain text appended to `out`: a string decoded, anything else its JSON text; absent appends nothing. */
bool field_append_text(struct buffer *out, struct value value);

/* The number in a number, or in a string that holds nothing but one (the original clients send both); false otherwise. */
bool field_number(struct value value, double *number);

#endif
