/* show - values of an envelope as text that cannot drive a terminal and does not give secrets away. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TAIL_SHOW_H
#define TAIL_SHOW_H

#include "envelope/field.h"

struct show {
	bool raw;               /* --raw: control characters as they are */
	struct buffer decoded;  /* a string without its JSON escapes */
	struct buffer masked;
};

enum { SHOW_LIMIT = 64 * 1024 * 1024 }; /* bytes of any one text: eight times what the longest line can become */

void show_init(struct show *, bool raw);
void show_release(struct show *);

/* Each appends to `out`, whose `failed` tells of a lack of memory. */
void show_text(const struct show *, struct buffer *out, struct span text);
/* The JSON text without blanks between its tokens; what could drive a terminal becomes \uNNNN, so it stays the same JSON. */
void show_json(struct show *, struct buffer *out, struct span json);
/* A whole line of JSON, blanks and all, nothing masked; only what could drive a terminal becomes \uNNNN. */
void show_json_line(struct buffer *out, struct span line);
/* A value as plain text: a string decoded, an object or array as compact JSON. `key` is the last segment of its path and
 * decides what is masked; SPAN("") where nothing is to be. */
void show_value(struct show *, struct buffer *out, struct span key, struct value value);
/* The same, in quotes where it would not be one word. */
void show_word(struct show *, struct buffer *out, struct span key, struct value value);

/* The text of a string value, decoded into `show` if it has escapes: valid until the next call of any of these. */
struct span show_decode(struct show *, struct value string);

/* Secrets: in a field whose name ends in "dsn" all that stands before the last '@', behind a '?', and the values of password=, secret=
 * and the like; in any other field the user and password of a URL. Appends the text, masked if there is anything to mask;
 * returns whether there was. */
bool show_mask(struct buffer *out, struct span key, struct span text);
/* The text itself, or its masked copy in `show`: valid until the next call of any of these but show_text. */
struct span show_without_secrets(struct show *, struct span key, struct span text);

/* Whether a field's value is a text of several lines, which may be shown (and masked) line by line: not a DSN. */
bool show_has_lines(struct show *, struct span key, struct value value);

#endif
