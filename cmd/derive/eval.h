/* eval - works out values of rules for one envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef DERIVE_EVAL_H
#define DERIVE_EVAL_H

#include "rules.h"

/* What a value is: nothing, a number, or a text. Of the envelope: strings are texts (decoded), numbers are numbers that keep their text (an integer beyond 2^53 loses nothing as a tag), true and false are the texts
 * "true" and "false"; null, objects and arrays are nothing. A text that is a number counts as one where a number is wanted (clients send both). A number that is not finite is nothing. */
enum eval_kind { EVAL_NOTHING, EVAL_TEXT, EVAL_NUMBER };
struct eval_value {
	enum eval_kind kind;   /* of nothing, the other members are not set */
	struct span text;     /* of a text; of a number its own text, if it came with one: else no data */
	double number;        /* of a number that came without a text; one that has a text is read when it is asked for */
	bool is_clean;        /* a text that is known to need no escaping in JSON */
};

enum { EVAL_BLOCK = 64 * 1024, EVAL_TEXTS_MAX = 64 * 1024 * 1024 };

/* Texts made for this envelope. They stay where they are while it lasts. What is over EVAL_TEXTS_MAX bytes is nothing: that takes lines of many MiB. */
struct eval_arena {
	char *block;             /* EVAL_BLOCK bytes: the usual case takes no memory */
	size_t used, spilt;
	struct eval_spill *spill; /* what had no room there */
};

struct eval {
	const struct rules *rules;
	const struct envelope *envelope;
	struct span tag;               /* the name of the tag whose value is worked out; empty outside of one, and in a let, which is for several */
	struct eval_arena arena;
	uint64_t turn;
	struct eval_let { uint64_t turn; struct eval_value value; } *let; /* worked out at most once an envelope */
};

void eval_init(struct eval *, const struct rules *); /* dies without memory */
void eval_release(struct eval *);

void eval_begin(struct eval *, const struct envelope *); /* the rules' field_set has been walked over it */
void eval_expr(struct eval *, const struct expr *, struct eval_value *out); /* spans are good until the next eval_begin */

bool eval_number(const struct eval_value *, double *number);  /* of a number, or of a text that is nothing but one; finite */
struct span eval_text(struct eval *, const struct eval_value *); /* the text of either; a number without one: as RFC 8785 writes it */

/* For functions. Room for a text, NULL if there is none; and the three kinds of results, written member by member: what copies a value as a whole waits for them. */
char *eval_room(struct eval *, size_t bytes);
static inline void eval_put_nothing(struct eval_value *out)
{
	out->kind = EVAL_NOTHING;
}
static inline void eval_put_text(struct eval_value *out, struct span text, bool is_clean)
{
	out->kind = EVAL_TEXT;
	out->text = text;
	out->is_clean = is_clean;
}
void eval_put_number(struct eval_value *out, double number); /* nothing, if it is not finite */

#endif
