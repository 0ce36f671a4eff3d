/* delivery - carries batches to a statsd over UDP, TCP or a unix socket, and knows what became of them. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_STATSD_DELIVERY_H
#define TO_STATSD_DELIVERY_H

#include "batch.h"
#include "io/endpoint.h"
#include "io/socket.h"

/* udp:           each packet is handed to the network. One that is refused is tried again once, then lost; so are those that
 *                the host cannot send (no route, a firewall). The loss is counted and the next packets go on.
 * unix: datagram each packet is taken by the receiver's queue, or waits for it.
 * tcp: and unix: stream: bytes are given to the kernel. When the connection dies, it is made anew and all lines that were not wholly
 *                given go out again: a statsd drops a last line that has no newline. What was given to a connection that died before the
 *                far side's kernel had taken everything counts as lost.
 * A far side that is away is tried again with growing pauses until the time-out, or until a stop signal has come; then it is gone for good. */
struct delivery {
	struct endpoint endpoint;
	enum socket_type type;
	int fd;                     /* -1: not connected */
	int timeout_ms;
	int64_t away_since_ms;      /* when the trouble began; below 0: there is none */
	bool is_gone, told;
	/* Runs of datagrams (segment.h) are sent while nothing is refused: on this host a refused run may be told as one packet. */
	bool may_run, cannot_run;
	uint64_t packets, refused, reconnects, envelopes, lost;  /* lost counts envelopes */
	uint64_t unacknowledged;    /* stream: of `envelopes`, those given since the far side's kernel last had everything */
	char reason[SOCKET_REASON_MAX];
};

/* False, with *reason: not an endpoint that statsd can be behind. Connects when the first batch is sent. */
bool delivery_init(struct delivery *, const char *endpoint, int timeout_ms, const char **reason);

/* Whatever happens, every packet of the batch is in `envelopes` or in `lost` then; of a stream, earlier ones may have moved from one to the
 * other. False: the far side is gone for good. Packets of a UDP batch that have one unit each may change places in it. */
bool delivery_send(struct delivery *, struct batch *);

void delivery_reconnect(struct delivery *); /* at the next batch, resolving the name again */

/* Ends a stream and waits until its bytes are acknowledged, at most for the time-out. False, with the reason, if they were not. */
bool delivery_drain(struct delivery *);

/* Drains, and says on standard error what went wrong. False if something did: bytes not acknowledged, packets lost or refused. */
bool delivery_close(struct delivery *);

#endif
