/* tame - what the rules of the guard make of an envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_TAME_H
#define CARDINALITY_TAME_H

#include "admitted.h"
#include "lookup.h"
#include "rules.h"

/* Rules are applied in their order; each sees what those before it have made. A rule's path takes every member that it can mean: "fields.a.b" takes "b" in "a" and "a.b", in
 * fields, and "fields.a.b" itself, each of them if a key is repeated. Each is judged on its own, so whichever of them a reader takes is tame. Other members stay
 * byte for byte; a pair that is taken out takes one comma with it. */
struct tame {
	struct rules *rules;
	struct admitted *admitted;
	struct edits edits;
	struct scan scan;             /* of a line that was changed, where a rule must look at it again */
	struct buffer changed, copy;  /* that line, and what is scanned of it */
	struct envelope envelope;     /* of `copy` */
	struct buffer text, made, group; /* a value decoded, a value normalised, the group decoded */
	struct hits hits;
	struct lookup lookup;
	size_t line_limit;
	bool keeps_offenders;         /* false at first: whom the rules hit most is not kept, which takes a tenth of the time where most lines are changed */
};

void tame_init(struct tame *, struct rules *, struct admitted *, size_t line_limit_bytes); /* rules and admitted are borrowed; dies without memory */
void tame_release(struct tame *);
void tame_rules(struct tame *, struct rules *);  /* other rules from now on */

/* TAME_SAME: nothing is to be changed. TAME_CHANGED: *line is the envelope to pass, valid until the next call. TAME_LONG: it would be longer than the limit. TAME_FAILED: a
 * value could not be remembered (admitted.error): the envelope must not pass. */
enum tame_verdict { TAME_SAME, TAME_CHANGED, TAME_LONG, TAME_FAILED };
enum tame_verdict tame_envelope(struct tame *, const struct envelope *, struct span *line);

#endif
