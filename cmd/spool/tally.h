/* tally - what lies in a folder of a spool: how many segments, how long, since when. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SPOOL_TALLY_H
#define SPOOL_TALLY_H

#include "sink/segment.h"
#include "walk.h"

struct tally {
	uint64_t segments, open, bytes;   /* `open` of the segments are being written */
	uint64_t records, uncounted;      /* by their trailers; so many segments have none that can be read at once: open or compressed ones */
	int64_t oldest;                   /* nanoseconds since 1970; INT64_MIN: there is none */
	char first[SEGMENT_STEM_MAX];     /* the oldest; "": there is none */
};

/* Counts the segments of one place. False with errno. */
bool tally_count(struct tally *, int dir_fd, enum walk_where);

/* The files of quarantine/, which are no segments. */
void tally_quarantine(struct tally *, int dir_fd);

#endif
