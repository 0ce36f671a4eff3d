/* line - a group and its sketch as a line of text, which sort, Hadoop Streaming and files carry between runs. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_LINE_H
#define CARDINALITY_LINE_H

#include "base/sketch.h"

/*     {"of":"fields.ip","key":"3f1c","type":"counter"} TAB SKETCH SPACE SEEN
 * The key, up to the TAB, is a group (group.h) with one more pair in front: the name of what is counted (--of). SKETCH is sketch_append_text's; SEEN is how many
 * values were counted, repeats too (0 where that is not known). What was counted together as "other" has the pair "other":"other" behind "of", and no more. Sorted by key,
 * the lines of one group stand together. */
struct line {
	struct span of;         /* still escaped; a part of the text */
	struct span group;      /* the key without "of": made in the buffer given to line_parse; empty: the group "other" */
	uint64_t seen;
	size_t column;          /* 1-based: where what is wrong begins */
};

/* No newline. of: the inside of a JSON string, as line_parse gives it back (text_append_escaped makes it). group: empty for "other". False: no memory. */
bool line_append(struct buffer *out, struct span of, struct span group, const struct sketch *, uint64_t seen);

/* The key alone, which comes before the TAB. */
bool line_append_key(struct buffer *out, struct span of, struct span group);

/* The order of two keys is that of their bytes: what LC_ALL=C sort and Hadoop make of them. */
int line_compare_keys(struct span of, struct span group, struct span other_of, struct span other_group);

/* Reads one; the sketch must be empty, and stays it where the line is none. NULL, or why it is none (SKETCH_NO_MEMORY itself: no memory).
 * `group` holds the group's text afterwards. */
const char *line_parse(struct line *, struct sketch *, struct buffer *group, struct span text);

#endif
