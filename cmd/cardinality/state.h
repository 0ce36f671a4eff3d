/* state - the sketches of each group and day in a directory, replaced whole or not at all. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_STATE_H
#define CARDINALITY_STATE_H

#include "groups.h"

/*     DIR/lock                         locked by the run that has the state; another one: 73
 *     DIR/current                      an envelope that names the day files that count, each with its length and checksum (XXH3-64), says what is counted, and
 *                                      ends with its own checksum; replaced by rename
 *     DIR/2026-11-22.17.sketches       lines as in line.h, sorted; never changed once it is named; 17 is the generation
 *
 * A run reads what current names, adds, writes new files for the days that changed, all of it fsynced, then the new current beside the old and renames it; only then
 * are files removed that are no longer named. Killed anywhere, the state is that of before or of after. Whatever does not fit (a length, a checksum, a line, a
 * sketch) is refused with the file's name and the reason, and nothing is touched: 78. So is a run that counts something else. Files 0600; the directory is made if
 * it is not there; a symbolic link in its place is refused (73).
 *
 * In memory is what a run brings, and not what was there: old and new lines are merged as they pass. Of repeats nothing is kept (SEEN is the count itself), so what has
 * been counted before changes no byte. */
struct state;

/* `of` is the inside of a JSON string; `identity` says what is counted, as one JSON object without blanks. longest_days: days that a later run will ask for; the longest
 * that was ever asked for is kept in mind, so that a shorter one forgets nothing. Every file has been held against its checksum when this returns. Dies as above. */
struct state *state_open(const char *dir, struct span of, struct span identity, int longest_days);
void state_close(struct state *);

#define STATE_NO_DAY INT64_MIN
int64_t state_newest(const struct state *);     /* days since 1970-01-01, UTC; STATE_NO_DAY: there is none */
int64_t state_clock(const struct state *);      /* the latest time at which it was written, in nanoseconds; INT64_MIN: never */

/* The oldest day that is kept when `newest` is the newest: the longest interval, and a day to spare. */
int64_t state_first_kept(const struct state *, int64_t newest);

/* What a run brings of a day; groups of one sketch each. */
struct state_day {
	int64_t day;
	struct groups groups;
};

/* Adds it, and forgets the days before the oldest that is kept. 0; or an errno, and the state is that of before. Nothing is written where nothing changes. */
int state_save(struct state *, const struct state_day *, size_t count);

/* The union of each group's sketches over the days from..to, in the order of their keys. Dies of damage (78). */
struct state_union;
struct state_union *state_union_open(struct state *, int64_t from, int64_t to);
bool state_union_next(struct state_union *, struct span *group, const struct sketch **sketch); /* group: empty for "other"; both until the next call */
void state_union_close(struct state_union *);

#endif
