/* senders - who sends over ack:, how far each of them has come, and who waits for an answer. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef RECV_SENDERS_H
#define RECV_SENDERS_H

#include <stdint.h>
#include "base/span.h"
#include "io/ackwire.h"

/* A number up to `taken` is not taken again; one up to `durable` may be acknowledged; in between stands what is on its way to standard output or
 * to the disk. */
enum { SENDERS_MAX = 1024, SENDERS_ROUTE_MAX = 255 };

struct sender {
	uint64_t taken, durable;
	uint64_t refused;        /* first number of the last batch that was not taken, on this connection; 0: none since one was taken */
	uint64_t present;        /* so many of the next lines that will be kept are in the spool already: see senders_file */
	uint64_t heard;          /* by a clock that counts messages: who was heard least recently gives way */
	void *source;            /* where it was heard last, and by which routing id */
	char route[SENDERS_ROUTE_MAX];
	unsigned char route_length;
	bool owed;               /* an acknowledgement, after the next commit */
	bool moved;              /* what `senders` in the spool says of it is no beginning for `taken`: it is new, or has gone on behind a gap */
	bool gap;                /* and a second time, because a batch was refused */
};

struct senders {
	char (*id)[ACKWIRE_SENDER_BYTES]; /* beside the entries, so that a search goes over 16 KiB */
	struct sender *entry;
	size_t count, last_found;
	uint16_t owed[SENDERS_MAX];       /* entries that are owed something */
	size_t owed_count;
	uint64_t clock;
};

void senders_init(struct senders *);
void senders_release(struct senders *);

struct sender *senders_find(struct senders *, struct span id); /* NULL: not known */

/* The same, made if it is not known, in the place of the one that was heard least recently if there are SENDERS_MAX. NULL: all of them are owed
 * something. */
struct sender *senders_get(struct senders *, struct span id);

/* Its answers go there from now on. False if the routing id is too long to be one. */
bool sender_heard(struct senders *, struct sender *, void *source, struct span route);
void sender_owe(struct senders *, struct sender *);
struct span sender_id(const struct senders *, const struct sender *);

#endif
