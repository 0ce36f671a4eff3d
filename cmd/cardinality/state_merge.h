/* state_merge - a day file and what a run adds to it become the next one, as their lines pass. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_STATE_MERGE_H
#define CARDINALITY_STATE_MERGE_H

#include "state_private.h"

struct state_merge;
struct state_merge *state_merge_new(const struct state *, const struct state_entry *old, const struct groups *added); /* old: NULL if there is none; borrowed */
void state_merge_free(struct state_merge *);

/* Whether a byte would change. Reads as far as to the first that does. */
bool state_merge_adds(struct state_merge *);

/* Writes the file that `entry` names, and fills in the rest of it. 0, or an errno: then there is no such file. */
int state_merge_write(struct state_merge *, struct state_entry *entry);

#endif
