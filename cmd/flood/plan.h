/* plan - which line of a flood comes next, and what stands in it: all of it a function of the options and a number. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef FLOOD_PLAN_H
#define FLOOD_PLAN_H

#include "maker.h"

/* Envelopes are numbered from 1 without a gap. Any of them can be made again without those before it: that is how a repeat is made, and how
 * the oracle knows what an envelope has to look like. */
struct plan_options {
	uint64_t seed;
	const char *prefix;              /* of fields.id: PREFIX-N */
	unsigned weights[MAKER_KIND_COUNT], weight;   /* of the kinds, and their sum */
	size_t payload_least, payload_most;
	unsigned malformed, repeats;     /* of a million lines */
	unsigned unicode;                /* of a million envelopes */
	int64_t start, step, skew;       /* nanoseconds: the first timestamp, from each to the next, and how far one may be off */
};

struct plan {
	const struct plan_options *options;
	struct maker maker;
	struct draw draw;                /* which line comes next */
	uint64_t envelopes, repeats, malformed; /* planned so far */
};

enum plan_line { PLAN_ENVELOPE, PLAN_REPEAT, PLAN_MALFORMED };
enum { PLAN_PREFIX_MAX = 64, PLAN_MILLION = 1000000 };

void plan_init(struct plan *, const struct plan_options *);
void plan_release(struct plan *);

/* Decides on the next line; costs next to nothing. *number: of the envelope, of the one to repeat, of the malformed line. */
enum plan_line plan_next(struct plan *, uint64_t *number);

/* Append it, without a newline. After plan_envelope its payload is in maker.payload. */
void plan_envelope(struct plan *, uint64_t number, struct buffer *out);
void plan_malformed(struct plan *, uint64_t number, struct buffer *out);

#endif
