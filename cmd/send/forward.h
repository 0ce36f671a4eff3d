/* forward - envelopes for an ack: endpoint by way of a spool, which holds them while the far side is away. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SEND_FORWARD_H
#define SEND_FORWARD_H

#include <poll.h>
#include "io/outlet.h"
#include "sink/spool.h"

/* An envelope is committed to the spool first, and then sent from there, with the numbers it has there; it leaves the spool once it is acknowledged. So
 * whatever ends this process, the next one goes on where it stood, and the far side takes nothing twice.
 *
 *     struct forward *forward = forward_open(&endpoint, &outlet_options, path, &spool_options);
 *     forward_take(forward, line) ...                                        once a line
 *     forward_polled, wait, forward_attend                                   while there is nothing to take
 *     status = forward_close(forward, &left, reason) */
struct forward;

/* Dies as spool_open, spool_reader_open and outlet_open do. Begins to send what an earlier run has left. */
struct forward *forward_open(const struct endpoint *, const struct outlet_options *, const char *path, const struct spool_options *);
struct outlet *forward_outlet(struct forward *); /* for outlet_take_rejected */

/* Puts a line into the spool. A full one is waited for, if it shall block, until a stop signal comes. 0, or an exit status: the line was not taken,
 * and forward_reason says why. */
int forward_take(struct forward *, struct span line);
int forward_write(struct forward *); /* before input is waited for: what was taken survives this process. 0, or an exit status */

size_t forward_polled(struct forward *, struct pollfd fds[OUTLET_FDS_MAX], int *timeout_ms);
int forward_attend(struct forward *); /* commits, sends, takes answers. 0, or an exit status: it cannot go on */
const char *forward_reason(const struct forward *);

/* Commits, and waits for acknowledgements as long as they keep coming within the timeout (after a stop signal for FORWARD_STOP_MS at most). */
enum { FORWARD_STOP_MS = 5000 };
int forward_settle(struct forward *);

struct forward_left {
	uint64_t sent;       /* acknowledged in this run, those of earlier runs too */
	uint64_t kept;       /* envelopes in the spool; */
	bool more;           /* and some more, which were not counted */
	uint64_t kept_taken; /* of those that forward_take took */
	uint64_t lost;       /* taken and not committed: the spool has failed */
};
void forward_close(struct forward *, struct forward_left *);

#endif
