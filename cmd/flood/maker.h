/* maker - makes realistic envelopes of a kind: metrics, requests, security events, errors, free text. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef FLOOD_MAKER_H
#define FLOOD_MAKER_H

#include "base/buffer.h"
#include "draw.h"

/* Metrics have some 280 bytes, requests 20 fields and 800, CEF 580, stack traces for Sentry 8.7 KB, free text with Unicode and escapes
 * 480. Three producer styles in turn: the separators and \uXXXX of Python's json; compact UTF-8; another order of members with a decoy
 * "type" inside fields. */
enum maker_kind { MAKER_COUNTER, MAKER_TIMER, MAKER_GAUGE, MAKER_SET, MAKER_REQUEST, MAKER_LOG, MAKER_CEF, MAKER_SENTRY, MAKER_KIND_COUNT };
extern const char *const maker_kind_names[MAKER_KIND_COUNT];
extern const unsigned maker_mix[MAKER_KIND_COUNT]; /* how many of a hundred are of a kind on an ordinary day */

enum maker_style { MAKER_PYTHON, MAKER_COMPACT, MAKER_REORDERED, MAKER_STYLE_COUNT };

struct maker {
	size_t payload_least, payload_most; /* bytes of a payload that is text; 0: what is usual for the kind */
	bool check;                         /* fields.check: the checksum of the payload as it stands in the line, without its quotes */
	struct buffer payload;              /* that, of the envelope made last */
	/* while one is made: */
	struct draw draw;
	struct buffer *out;
	enum maker_style style;
	struct span comma, colon;
	int64_t stamp;
	struct span id;
	bool unicode;
};

struct maker_order {
	enum maker_kind kind;
	struct span id;         /* fields.id; empty: none */
	int64_t stamp;          /* nanoseconds since 1970 */
	bool unicode;           /* hostile text in it */
};

enum { MAKER_REST_MAX = 4096 }; /* what an envelope has beside its payload, at most */

void maker_init(struct maker *);
void maker_release(struct maker *);

/* Appends an envelope, without a newline. The same draw and order give the same bytes. */
void maker_make(struct maker *, struct draw, const struct maker_order *, struct buffer *out);

/* An index drawn by the weights, whose sum is `total`. */
enum maker_kind maker_draw_kind(struct draw *, const unsigned weights[MAKER_KIND_COUNT], unsigned total);

#endif
