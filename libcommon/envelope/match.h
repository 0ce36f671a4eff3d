/* match - message matcher expressions over envelopes, compiled once. Language: metlog-match(7). */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_MATCH_H
#define ENVELOPE_MATCH_H

#include "envelope/envelope.h"

struct match; /* opaque; one thread at a time may evaluate it */

struct match_fault {
	char reason[160];  /* "unknown name \"bogus\"", "expected a value after ==", PCRE2's own words for a bad pattern */
	size_t column;     /* 1-based byte position in the expression */
};

enum { MATCH_TEXT_MAX = 64 * 1024, MATCH_DEPTH_MAX = 100 };

/* Compiles the expression; NULL on a fault (or no memory), with `fault` filled. The text is not needed afterwards. */
struct match *match_new(struct span text, struct match_fault *fault);
void match_free(struct match *);

/* Compiles the longest expression that the text begins with, for languages with expressions inside: what stands behind it, such as a comma, a word or a closing
 * bracket, is the caller's. *used: the bytes taken, blanks behind the expression not among them. */
struct match *match_new_prefix(struct span text, size_t *used, struct match_fault *fault);

/* Reads the name that the text begins with, in any spelling but Heka's, and appends the path that it means to `path`: "fields.a.b" of fields[a].b, "metlog_pid" of pid,
 * "severity". False: `fault` says why, with the column in `text`. */
bool match_read_path(struct span text, size_t *used, struct buffer *path, struct match_fault *fault);

/* From now on the fields that the expression asks for are looked up in the set, which then has to be walked over an envelope before match_eval is called
 * with it. The set is borrowed. False: no memory, or the set is full. */
struct field_set;
bool match_use(struct match *, struct field_set *);

/* True if the envelope matches. Uses no memory of its own beyond what match_new took, but for members with escapes, which are
 * decoded into a buffer that is kept. A pattern that passes its match limit counts as not matching and is counted. */
bool match_eval(struct match *, const struct envelope *);
uint64_t match_limit_hits(const struct match *);

#endif
