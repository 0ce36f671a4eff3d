/* edit - changes to a line, gathered and then made in one pass: all other bytes stay as they were. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_EDIT_H
#define CARDINALITY_EDIT_H

#include <stdint.h>
#include "base/buffer.h"

/* Where a pair (or an element of an array) stands in its line, by offsets:
 *      {"a":1 , "b":"x" , "c":3}          of b:  pair  the quote before b      end  behind "x"
 *             ^ before   ^ after                 value the quote before x      before, after: the commas; EDIT_NONE if it is the first, the last */
enum { EDIT_NONE = UINT32_MAX };
struct edit_place { uint32_t pair, value, end, before, after; };

struct edit {
	struct edit_place place;
	bool drop;                   /* the pair is taken out, and one comma with it; else the value is replaced by `made` */
	uint32_t from, length;       /* of its text in `made` */
};

struct edits {
	struct edit *edit;           /* sorted by place, none within another */
	size_t count, capacity;
	struct buffer made;          /* the new values, as JSON */
};

void edits_init(struct edits *, size_t limit_bytes);
void edits_release(struct edits *);
void edits_clear(struct edits *);

/* Behind those that there are; edits_sort puts what is out of order into it. Both die without memory. */
void edits_replace(struct edits *, const struct edit_place *, struct span text); /* by the text as a JSON string; it is valid UTF-8 */
void edits_replace_null(struct edits *, const struct edit_place *);
void edits_drop(struct edits *, const struct edit_place *);
void edits_sort(struct edits *);

/* Whether one of the edits touches the pair; *at is where to begin looking, and is moved on: ask in the order of the line, beginning with 0. */
bool edits_touch(const struct edits *, const struct edit_place *, size_t *at);

/* Appends the line with the edits made. False: the buffer's limit. */
bool edits_apply(struct edits *, struct span line, struct buffer *out);

#endif
