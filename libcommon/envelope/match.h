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

/* True if the envelope matches. Uses no memory of its own beyond what match_new took, but for members with escapes, which are
 * decoded into a buffer that is kept. A pattern that passes its match limit counts as not matching and is counted. */
bool match_eval(struct match *, const struct envelope *);
uint64_t match_limit_hits(const struct match *);

#endif
