/* tally - how many of the lines that an outlet has taken are calls of the application, and how many of those are handed over. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CLIENT_TALLY_H
#define CLIENT_TALLY_H

#include <stdbool.h>
#include <stdint.h>
#include "base/span.h"

/* Lines are numbered as the outlet takes them. Some are the client's own (its reports of drops), which are no calls. An outlet tells of all of them together: delivered + lost, the
 * rest is still with it; what is lost is taken to be the last of what was settled, which
 * is true but where one loss goes back behind another (then one of ours may stand for a call). Of our own lines the last few are remembered by their numbers. */
enum { TALLY_OWN = 16 };

struct tally {
	uint64_t taken;                /* lines, ours too */
	uint64_t passed_over;          /* that the outlet can never take: too long for a datagram */
	uint64_t rejected;             /* of the delivered ones: the far side has them, and does not keep them */
	uint64_t own, own_lost;
	uint64_t own_at[TALLY_OWN];    /* numbers of the last ones, from 1; at own % TALLY_OWN; 0: lost already */
	uint64_t delivered, lost;      /* as the outlet has told last */
};

void tally_take(struct tally *, struct span lines);  /* the outlet has taken them */
void tally_take_own(struct tally *);                 /* one line of ours */
void tally_tell(struct tally *, uint64_t delivered, uint64_t lost);

/* Calls that are handed over; lines of calls that never will be. */
uint64_t tally_sent(const struct tally *);
uint64_t tally_lost(const struct tally *);
bool tally_is_settled(const struct tally *, uint64_t number); /* all lines up to this one are delivered or lost */

#endif
