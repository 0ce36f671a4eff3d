/* match_regex - the regular expressions of the matcher: the only place that knows PCRE2. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_MATCH_REGEX_H
#define ENVELOPE_MATCH_REGEX_H

#include <stdint.h>
#include "base/span.h"

struct match_regex; /* opaque; one thread at a time may use it */

enum { MATCH_REGEX_PATTERN_MAX = 8192, MATCH_REGEX_REASON_MAX = 120 };

enum match_regex_verdict { MATCH_REGEX_ABSENT, MATCH_REGEX_FOUND, MATCH_REGEX_GAVE_UP };

/* NULL on a fault, with PCRE2's words in `reason` and the byte offset of the fault in the pattern. */
struct match_regex *match_regex_new(struct span pattern, char reason[MATCH_REGEX_REASON_MAX], size_t *offset);
void match_regex_free(struct match_regex *);

/* Searches the text; MATCH_REGEX_GAVE_UP if that took more than the match limit. Takes no memory once it is compiled with JIT. */
enum match_regex_verdict match_regex_find(struct match_regex *, struct span text);

/* A pattern that is only literal text, perhaps with ^ before or $ behind it. `literal` is written over the pattern's own
 * bytes, which are at least as many; false, with nothing written, for every other pattern. */
struct match_literal {
	struct span text;
	bool from_start, to_end;
};
bool match_regex_literal(char *pattern, size_t length, struct match_literal *literal);

#endif
